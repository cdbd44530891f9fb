//! `gp idp dev`

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum, ValueHint};

use crate::args::{non_empty, port, whole_seconds};
use crate::dev::{
    AwsFault, DEV_CONTEXT_URL, DEV_EMAIL, DEV_NAME, DEV_ORG_ID, DEV_ROLE, DEV_TOKEN_SCOPES, DEV_USER_ID,
    DEV_VAULT_ROLES, DEV_WORKSPACE_ID, DOCS_ROLE, Platform, VaultFault, is_role_arn,
};
use crate::time::parse_duration;

/// `gp idp dev`
#[derive(Debug, Args)]
#[command(
    long_about = "With a command: runs it inside the local workspace and passes its exit code on.
Without a command: prints the workspace's environment as `export` lines and serves until interrupted.",
    after_help = "Examples:
  gp idp dev -- gp idp token --audience example.org --decode
  gp idp dev -- bash",
    after_long_help = "Examples:
  gp idp dev -- gp idp token --audience example.org --decode
  gp idp dev -- bash
  gp idp dev --as github -- ./deploy.sh
  gp idp dev --context-url https://github.com/acme/shop --lifetime 5m -- bash
  gp idp dev --aws-trust-policy trust.json -- gp idp login aws --format json
  gp idp dev --aws-fault throttling:2 -- gp idp login aws --format json
  gp idp dev --vault-role deploy=role.json -- gp idp login vault --format json

Faults of STS:
  access-denied, bad-gateway, expired-token, html-page,
  idp-communication-error, idp-rejected-claim, incomplete-reply,
  incorrect-audience, internal-failure, malformed-policy-document,
  max-session-duration, missing-claim, no-provider, other-account,
  packed-policy-too-large, region-disabled, service-unavailable, throttling,
  token-too-old, too-many-requests, verification-key

Faults of Vault:
  bad-gateway, error-in-success, html-page, incomplete-reply, internal-error,
  keys-unreachable, mfa-required, not-configured, not-wrapped,
  permission-denied, redirect, sealed, signature, standby, tls-port,
  too-many-requests, warning, wrong-type"
)]
pub struct DevArgs {
    /// The command to run inside, with its arguments
    #[arg(last = true, value_name = "CMD", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
    /// The platform to imitate
    #[arg(long = "as", value_enum, default_value_t, value_name = "PLATFORM")]
    pub platform: Platform,
    /// The port of the API and the issuer on 127.0.0.1
    ///
    /// 0 chooses a free port [default: 22990 if free, else a free port]
    #[arg(long, value_name = "PORT", value_hint = ValueHint::Other, value_parser = port)]
    pub port: Option<u16>,
    /// The supervisor's port on 127.0.0.1; 0 chooses a free port
    #[arg(long, default_value_t = 0, value_name = "PORT", value_hint = ValueHint::Other, value_parser = port, hide_short_help = true)]
    pub supervisor_port: u16,
    /// The workspace's ID
    #[arg(long, default_value = DEV_WORKSPACE_ID, value_name = "ID", value_hint = ValueHint::Other, value_parser = non_empty, hide_short_help = true)]
    pub workspace_id: String,
    /// The repository of the workspace
    ///
    /// With `--as gitpod`, it becomes `sub`. It may be empty.
    #[arg(long, default_value = DEV_CONTEXT_URL, value_name = "URL", value_hint = ValueHint::Other)]
    pub context_url: String,
    /// Replace the `sub` that the platform derives from the context URL
    #[arg(long, value_name = "SUBJECT", value_hint = ValueHint::Other, value_parser = non_empty, hide_short_help = true)]
    pub subject: Option<String>,
    /// The ID of the workspace's owner
    #[arg(long, default_value = DEV_USER_ID, value_name = "ID", value_hint = ValueHint::Other, hide_short_help = true)]
    pub user_id: String,
    /// The ID of the owner's organisation
    #[arg(long, default_value = DEV_ORG_ID, value_name = "ID", value_hint = ValueHint::Other, hide_short_help = true)]
    pub org_id: String,
    /// The owner's name
    #[arg(long, default_value = DEV_NAME, value_name = "NAME", value_hint = ValueHint::Other, hide_short_help = true)]
    pub name: String,
    /// The owner's e-mail address
    #[arg(long, default_value = DEV_EMAIL, value_name = "ADDRESS", value_hint = ValueHint::Other, hide_short_help = true)]
    pub email: String,
    /// How long ID tokens live [default: 1h in a workspace, 5m in a job]
    #[arg(long, value_name = "TIME", value_hint = ValueHint::Other, value_parser = parse_lifetime)]
    pub lifetime: Option<Duration>,
    /// Limit the lifetime of the local services' credentials, to test renewal; it can be shorter than AWS's minimum of 15m
    #[arg(long, value_name = "TIME", value_hint = ValueHint::Other, value_parser = parse_lifetime, hide_short_help = true)]
    pub credential_lifetime: Option<Duration>,
    /// How far the issuer's clock is off: `5m` ahead, `-5m` behind
    #[arg(long, default_value = "0s", value_name = "TIME", value_hint = ValueHint::Other, value_parser = parse_offset, allow_hyphen_values = true, hide_short_help = true)]
    pub clock_offset: i64,
    /// A scope of the workspace's API token; repeatable
    #[arg(
        long = "token-scope",
        value_name = "SCOPE", value_hint = ValueHint::Other,
        default_values = DEV_TOKEN_SCOPES, hide_short_help = true
    )]
    pub token_scopes: Vec<String>,
    /// With `--as gitlab`, an ID token that the job declares; repeatable [default: one for each local service]
    #[arg(long = "id-token", value_name = "NAME=AUDIENCE", value_hint = ValueHint::Other, value_parser = id_token, hide_short_help = true)]
    pub id_tokens: Vec<(String, String)>,
    #[command(flatten)]
    pub aws: DevAwsArgs,
    #[command(flatten)]
    pub vault: DevVaultArgs,
}

/// The options of `gp idp dev` for the local Vault.
#[derive(Debug, Args)]
#[command(next_help_heading = "Vault")]
pub struct DevVaultArgs {
    /// A role of the JWT mount, with its JSON in FILE; without FILE, the role accepts this workspace; repeatable, CMD uses the first
    #[arg(id = "vault_roles", long = "vault-role", value_name = "NAME[=FILE]", value_hint = ValueHint::Other, default_values = DEV_VAULT_ROLES, value_parser = non_empty, hide_short_help = true)]
    pub roles: Vec<String>,
    /// Where the JWT auth method is mounted
    #[arg(id = "vault_mount", long = "vault-mount", value_name = "PATH", value_hint = ValueHint::Other, default_value = "jwt", value_parser = mount, hide_short_help = true)]
    pub mount: String,
    /// The namespace that holds the mount
    #[arg(id = "vault_namespace", long = "vault-namespace", value_name = "NAMESPACE", value_hint = ValueHint::Other, value_parser = non_empty, hide_short_help = true)]
    pub namespace: Option<String>,
    /// Answer with this fault, always or COUNT times; several flags apply in order
    #[arg(id = "vault_faults", long = "vault-fault", value_name = "NAME[:COUNT]", value_hint = ValueHint::Other, value_parser = str::parse::<VaultFault>, hide_short_help = true)]
    pub faults: Vec<VaultFault>,
}

impl ValueEnum for Platform {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

fn id_token(text: &str) -> Result<(String, String), String> {
    let (name, audience) = text.split_once('=').unwrap_or_default();
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (is_name && !audience.is_empty())
        .then(|| (name.to_owned(), audience.to_owned()))
        .ok_or_else(|| "write it like `AWS_ID_TOKEN=sts.amazonaws.com`".to_owned())
}

fn mount(text: &str) -> Result<String, String> {
    let path = text.trim_matches('/');
    let path = path.strip_prefix("auth/").unwrap_or(path);
    let is_path = path.split('/').all(|part| !part.is_empty());
    is_path.then(|| path.to_owned()).ok_or_else(|| "write it like `jwt` or `team/jwt`".to_owned())
}

/// The options of `gp idp dev` for the local AWS STS.
#[derive(Debug, Args)]
#[command(next_help_heading = "AWS STS")]
pub struct DevAwsArgs {
    /// A role that can be assumed; repeatable, CMD uses the first
    #[arg(long = "aws-role", value_name = "ARN", value_hint = ValueHint::Other, default_values = [DEV_ROLE, DOCS_ROLE], value_parser = role, hide_short_help = true)]
    pub roles: Vec<String>,
    /// The region in the environment of CMD [default: us-east-1]
    #[arg(long = "aws-region", value_name = "REGION", value_hint = ValueHint::Other, value_parser = non_empty, hide_short_help = true)]
    pub region: Option<String>,
    /// A file with the trust policy of the roles; `gp` treats each identity provider in it as the local issuer [default: a policy that trusts this workspace]
    #[arg(long = "aws-trust-policy", value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub trust_policy: Option<PathBuf>,
    /// An audience that the identity provider lists; repeatable
    #[arg(long = "aws-client-id", value_name = "AUDIENCE", value_hint = ValueHint::Other, default_value = "sts.amazonaws.com", value_parser = non_empty, hide_short_help = true)]
    pub client_ids: Vec<String>,
    /// The maximum session duration of these roles, in seconds
    #[arg(long = "aws-max-session-duration", value_name = "SECONDS", value_hint = ValueHint::Other, default_value = "43200", value_parser = session_duration, hide_short_help = true)]
    pub max_session_duration: i64,
    /// Answer with this fault, always or COUNT times; several flags apply in order
    #[arg(long = "aws-fault", value_name = "NAME[:COUNT]", value_hint = ValueHint::Other, value_parser = str::parse::<AwsFault>, hide_short_help = true)]
    pub faults: Vec<AwsFault>,
}

fn role(text: &str) -> Result<String, String> {
    if is_role_arn(text) {
        return Ok(text.to_owned());
    }
    Err(format!("it is not the ARN of a role. Write it like `{DEV_ROLE}`"))
}

/// Parses a duration of whole seconds: the times of a token have no fractions here.
fn parse_seconds(text: &str) -> Result<u64, String> {
    match parse_duration(text)? {
        time if time.subsec_nanos() == 0 => Ok(time.as_secs()),
        _ => Err("use whole seconds".to_owned()),
    }
}

/// Parses a role's `MaxSessionDuration`, in seconds. IAM itself allows no less than 3600.
fn session_duration(text: &str) -> Result<i64, String> {
    let seconds = i64::from(whole_seconds(text)?);
    let allowed = (900..=43200).contains(&seconds);
    allowed.then_some(seconds).ok_or_else(|| "use 900 to 43200 seconds".to_owned())
}

/// Parses a lifetime of at least one second.
fn parse_lifetime(text: &str) -> Result<Duration, String> {
    match parse_seconds(text)? {
        0 => Err("use at least 1s".to_owned()),
        seconds => Ok(Duration::from_secs(seconds)),
    }
}

/// Parses a signed duration; the result is in seconds.
fn parse_offset(text: &str) -> Result<i64, String> {
    let (sign, size) =
        text.strip_prefix('-').map_or((1, text.strip_prefix('+').unwrap_or(text)), |size| (-1, size));
    let seconds = parse_seconds(size)?;
    i64::try_from(seconds).map(|seconds| sign * seconds).map_err(|_| "it is too long".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn times_of_a_token_are_whole_seconds() {
        assert_eq!(parse_lifetime("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_lifetime("1000ms"), Ok(Duration::from_secs(1)));
        for (text, offset) in [("5m", 300), ("-5m", -300), ("+2", 2), ("0s", 0)] {
            assert_eq!(parse_offset(text), Ok(offset));
        }
        assert_eq!(parse_lifetime("500ms"), Err("use whole seconds".to_owned()));
        assert_eq!(parse_offset("-1.5s"), Err("use whole seconds".to_owned()));
        assert!(parse_lifetime("0").is_err());
    }

    #[test]
    fn the_help_names_every_fault() {
        let mut gp = Cli::command();
        let dev = gp.find_subcommand_mut("idp").and_then(|idp| idp.find_subcommand_mut("dev")).unwrap();
        let help = dev.render_long_help().to_string();
        for name in AwsFault::names().into_iter().chain(VaultFault::names()) {
            assert!(help.contains(&format!(" {name}")), "{name}");
        }
    }
}
