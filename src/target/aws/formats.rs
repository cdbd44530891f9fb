//! Credentials as variables, and as the JSON that AWS SDKs read.

use serde::Serialize;

use super::exchange::AwsCredentials;
use crate::secret::Secret;
use crate::sink::formats::Variable;

/// The variables that every AWS tool reads.
pub(super) fn environment(credentials: &AwsCredentials, region: Option<&str>) -> Vec<Variable> {
    let mut variables = vec![
        ("AWS_ACCESS_KEY_ID", Secret::new(credentials.access_key_id.clone())),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key.clone()),
        ("AWS_SESSION_TOKEN", credentials.session_token.clone()),
        // After this time botocore fails at once with a clear message, instead of calling AWS with expired keys.
        ("AWS_CREDENTIAL_EXPIRATION", Secret::new(credentials.expires_at.to_string())),
    ];
    variables.extend(region_variables(region));
    variables
}

/// The region in both variables that AWS tools read.
pub(super) fn region_variables(region: Option<&str>) -> Vec<Variable> {
    let named = |region: &str| {
        ["AWS_REGION", "AWS_DEFAULT_REGION"].map(|name| (name, Secret::new(region.to_owned()))).to_vec()
    };
    region.map(named).unwrap_or_default()
}

/// The answer of a `credential_process`, version 1 (AWS SDK reference, "Process credential provider").
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ProcessJson<'a> {
    version: u8,
    #[serde(flatten)]
    keys: KeysJson<'a>,
}

/// The output of `--format json`: the credentials, the assumed role and the region.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CredentialsJson<'a> {
    #[serde(flatten)]
    keys: KeysJson<'a>,
    assumed_role_arn: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeysJson<'a> {
    access_key_id: &'a str,
    #[serde(serialize_with = "Secret::serialize_revealed")]
    secret_access_key: &'a Secret,
    #[serde(serialize_with = "Secret::serialize_revealed")]
    session_token: &'a Secret,
    expiration: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    account_id: &'a str,
}

impl<'a> KeysJson<'a> {
    fn of(credentials: &'a AwsCredentials) -> Self {
        Self {
            access_key_id: &credentials.access_key_id,
            secret_access_key: &credentials.secret_access_key,
            session_token: &credentials.session_token,
            expiration: credentials.expires_at.to_string(),
            account_id: &credentials.account,
        }
    }
}

impl<'a> ProcessJson<'a> {
    pub(super) fn of(credentials: &'a AwsCredentials) -> Self {
        Self { version: 1, keys: KeysJson::of(credentials) }
    }
}

impl<'a> CredentialsJson<'a> {
    pub(super) fn of(credentials: &'a AwsCredentials, region: Option<&'a str>) -> Self {
        let assumed_role_arn = &credentials.assumed_role_arn;
        Self { keys: KeysJson::of(credentials), assumed_role_arn, region }
    }
}
