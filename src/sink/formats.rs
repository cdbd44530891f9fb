//! Credentials as text: the lines a shell evaluates, and the JSON that AWS SDKs read.
//!
//! The names of the formats and of the variables are those of `aws configure export-credentials`.

use std::fmt::Display;

use crate::exchange::aws::AwsCredentials;
use crate::json::{Json, quote};
use crate::secret::Secret;
use crate::shell::{fish_quote, posix_quote};

/// How environment variables are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShellFormat {
    /// `export NAME=value` for POSIX shells
    Env,
    /// `NAME=value`, for an env file
    EnvNoExport,
    /// `set -gx NAME value`
    Fish,
    /// `$Env:NAME = 'value'`
    PowerShell,
}

/// A variable of a child's or a shell's environment. Every value may be a secret, so all are.
pub type Variable = (&'static str, Secret);

/// The variables that every AWS tool reads.
#[must_use]
pub fn aws_environment(credentials: &AwsCredentials, region: Option<&str>) -> Vec<Variable> {
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

/// One line a variable, quoted so that the shell takes each value as it is.
#[must_use]
pub fn shell_lines<N: Display>(variables: &[(N, Secret)], format: ShellFormat) -> String {
    let line = |(name, value): &(N, Secret)| match format {
        ShellFormat::Env => format!("export {name}={}\n", posix_quote(value.reveal())),
        ShellFormat::EnvNoExport => format!("{name}={}\n", posix_quote(value.reveal())),
        ShellFormat::Fish => format!("set -gx {name} {}\n", fish_quote(value.reveal())),
        ShellFormat::PowerShell => format!("$Env:{name} = '{}'\n", value.reveal().replace('\'', "''")),
    };
    variables.iter().map(line).collect()
}

/// The answer of a `credential_process`, version 1 (AWS SDK reference, "Process credential provider").
#[must_use]
pub fn aws_process_json(credentials: &AwsCredentials) -> Json {
    let mut members = vec![("Version".to_owned(), Json::Scalar("1".into()))];
    members.extend(aws_members(credentials));
    Json::Object(members)
}

/// All that is known, for programs.
#[must_use]
pub fn aws_json(credentials: &AwsCredentials, region: Option<&str>) -> Json {
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

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn a_shell_reads_every_value_back(text in "[^\\x00]{0,30}") {
            let script = shell_lines(&[("VALUE", Secret::new(text.clone()))], ShellFormat::Env) + "printf %s \"$VALUE\"";
            let output = Command::new("sh").arg("-c").arg(script).output().unwrap();
            prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        }
    }
}
