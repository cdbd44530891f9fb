//! Credentials as variables, and as the JSON that AWS SDKs read.

use crate::json::{Json, quote};
use crate::secret::Secret;
use crate::sink::formats::Variable;
use crate::target::aws::exchange::AwsCredentials;

/// The variables that every AWS tool reads.
pub(super) fn aws_environment(credentials: &AwsCredentials, region: Option<&str>) -> Vec<Variable> {
    let mut variables = vec![
        ("AWS_ACCESS_KEY_ID", Secret::new(credentials.access_key_id.clone())),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key.clone()),
        ("AWS_SESSION_TOKEN", credentials.session_token.clone()),
        // Past it botocore fails at once and says so, instead of asking AWS with dead keys.
        ("AWS_CREDENTIAL_EXPIRATION", Secret::new(credentials.expires_at.to_string())),
    ];
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        variables.extend(region.map(|region| (name, Secret::new(region.to_owned()))));
    }
    variables
}

/// The answer of a `credential_process`, version 1 (AWS SDK reference, "Process credential provider").
pub(super) fn aws_process_json(credentials: &AwsCredentials) -> Json {
    let mut members = vec![("Version".to_owned(), Json::Scalar("1".into()))];
    members.extend(aws_members(credentials));
    Json::Object(members)
}

/// All that is known, for programs.
pub(super) fn aws_json(credentials: &AwsCredentials, region: Option<&str>) -> Json {
    let mut members = aws_members(credentials);
    members.push(("AssumedRoleArn".into(), Json::Scalar(quote(&credentials.assumed_role_arn))));
    members.extend(region.map(|region| ("Region".to_owned(), Json::Scalar(quote(region)))));
    Json::Object(members)
}

fn aws_members(credentials: &AwsCredentials) -> Vec<(String, Json)> {
    let string = |name: &str, value: &str| (name.to_owned(), Json::Scalar(quote(value)));
    vec![
        string("AccessKeyId", &credentials.access_key_id),
        string("SecretAccessKey", credentials.secret_access_key.reveal()),
        string("SessionToken", credentials.session_token.reveal()),
        string("Expiration", &credentials.expires_at.to_string()),
        string("AccountId", &credentials.account),
    ]
}
