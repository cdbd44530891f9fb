//! `gp idp login aws`, `gp idp exec aws`, `gp idp serve aws`

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::args::{
    ChildArgs, Format, OUTPUT, ScopeArgs, SessionArgs, TOKEN, audience, format, non_empty, port,
    whole_seconds,
};

/// The arguments of every command that assumes an AWS role.
#[derive(Debug, Clone, Args)]
pub struct AwsArgs {
    /// The role to assume [env: IDP_AWS_ROLE_ARN]
    ///
    /// It is written as `arn:aws:iam::123456789012:role/NAME`. AWS_ROLE_ARN is read if IDP_AWS_ROLE_ARN is not set.
    #[arg(long, value_name = "ARN", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub role_arn: Option<String>,
    /// The ID token's `aud`
    ///
    /// The identity provider in IAM must list it. Repeatable.
    #[arg(long, short, value_name = "AUDIENCE", value_hint = ValueHint::Other, default_value = "sts.amazonaws.com", value_parser = audience, help_heading = TOKEN)]
    pub audience: Vec<String>,
    /// Lifetime of the credentials
    ///
    /// From 900 to the role's maximum, at most 43200; up to a year with an STS other than AWS's.
    #[arg(long, short, value_name = "SECONDS", value_hint = ValueHint::Other, default_value_t = 3600, value_parser = whole_seconds)]
    pub duration_seconds: u32,
    /// The session's name in CloudTrail [env: AWS_ROLE_SESSION_NAME] [default: the ID of the workspace or job, and the Unix time]
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, value_parser = non_empty, hide_short_help = true)]
    pub role_session_name: Option<String>,
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// A session policy that narrows the role: JSON, or @FILE
    #[arg(long, value_name = "JSON|@FILE", value_parser = non_empty, value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub policy: Option<String>,
    /// A managed policy that narrows the role; repeatable, at most ten times
    #[arg(long, value_name = "ARN", value_hint = ValueHint::Other, value_parser = non_empty, hide_short_help = true)]
    pub policy_arn: Vec<String>,
    /// The region for STS and for the tools that use the credentials [env: AWS_REGION, AWS_DEFAULT_REGION]
    #[arg(long, value_name = "REGION", value_hint = ValueHint::Other, value_parser = non_empty, hide_short_help = true)]
    pub region: Option<String>,
    /// The address of STS, if not the region's own [env: AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Other, value_parser = non_empty, hide_short_help = true)]
    pub endpoint_url: Option<String>,
    /// Allow only roles of this account; repeatable
    #[arg(long, value_name = "ACCOUNT", value_hint = ValueHint::Other, value_parser = non_empty, hide_short_help = true)]
    pub allowed_account: Vec<String>,
    /// The profile to use
    ///
    /// Its region and STS settings are used, and `login aws` writes to it.
    #[arg(long, short, value_name = "NAME", value_hint = ValueHint::Other, default_value = "default", value_parser = non_empty)]
    pub profile: String,
    #[command(flatten)]
    pub session: SessionArgs,
}

/// The format of printed credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AwsFormat {
    /// The JSON that SDKs expect from a credential process
    Process,
    /// A JSON object with the credentials, the assumed role and the region
    Json,
}

/// `gp idp login aws`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gp idp login aws --role-arn arn:aws:iam::123456789012:role/deploy
  gp idp login aws --profile prod --credential-process")]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct LoginAwsArgs {
    /// Print the credentials
    ///
    /// They are then not written to the profile.
    #[arg(long, value_name = "FORMAT", value_parser = format::<AwsFormat>(), help_heading = OUTPUT)]
    pub format: Option<Format<AwsFormat>>,
    /// Write a profile that runs `gp`
    ///
    /// SDKs run `gp` whenever they need credentials.
    #[arg(long, conflicts_with = "format", help_heading = OUTPUT)]
    pub credential_process: bool,
    /// Write the address of an S3 service that is not AWS, such as MinIO, into the profile as well
    #[arg(long, value_name = "URL", value_hint = ValueHint::Other, conflicts_with = "format", value_parser = non_empty, hide_short_help = true, help_heading = OUTPUT)]
    pub s3_endpoint_url: Option<String>,
    /// With `--credential-process`: write the profile without trying to assume the role first
    #[arg(long, requires = "credential_process", hide_short_help = true, help_heading = OUTPUT)]
    pub no_check: bool,
    /// With `--format process`: do not use the cache of credentials
    #[arg(long, hide_short_help = true, help_heading = OUTPUT)]
    pub no_cache: bool,
    /// Overwrite long-lived keys in the profile
    #[arg(long, conflicts_with = "format", hide_short_help = true, help_heading = OUTPUT)]
    pub force: bool,
    #[command(flatten)]
    pub aws: AwsArgs,
}

/// `gp idp exec aws`
#[derive(Debug, Args)]
#[command(
    long_about = "CMD gets the credentials in its environment; they are in no file and on no command line. With `--serve`, CMD gets the address of an endpoint with fresh credentials instead.",
    after_help = "Examples:
  gp idp exec aws --role-arn arn:aws:iam::123456789012:role/deploy -- aws s3 ls
  gp idp exec aws --role-arn arn:aws:iam::123456789012:role/deploy \\
    --serve -- ./takes-all-night.sh"
)]
pub struct ExecAwsArgs {
    #[command(flatten)]
    pub aws: AwsArgs,
    /// Serve fresh credentials to CMD
    ///
    /// CMD gets the address of an endpoint on 127.0.0.1, which answers for as long as CMD runs.
    #[arg(long)]
    pub serve: bool,
    #[command(flatten)]
    pub child: ChildArgs,
}

/// `gp idp serve aws`
#[derive(Debug, Args)]
#[command(
    long_about = "Prints `export` lines, or writes them to a file, and serves credentials until interrupted. With `--output` but without `--detach`, `gp` also ends when the shell that started it ends. With `--detach`, `gp` goes to the background as soon as the file is written, and continues after that shell ends; `kill $IDP_SERVE_PID` stops it. `gp` removes the file when it ends.",
    after_help = "Examples:
  gp idp serve aws --role-arn arn:aws:iam::123456789012:role/deploy
  gp idp serve aws --role-arn arn:aws:iam::123456789012:role/deploy \\
    --output ~/.aws-env --detach && . ~/.aws-env"
)]
pub struct ServeAwsArgs {
    #[command(flatten)]
    pub aws: AwsArgs,
    /// The port on 127.0.0.1
    ///
    /// 0 chooses a free port.
    #[arg(long, default_value_t = 0, value_name = "PORT", value_hint = ValueHint::Other, value_parser = port)]
    pub port: u16,
    /// Write the `export` lines to FILE
    ///
    /// FILE has mode 0600. It is written as soon as credentials are available.
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Continue in the background
    ///
    /// The command returns once FILE is written; the endpoint continues after the shell ends. Requires --output.
    #[arg(long, requires = "output")]
    pub detach: bool,
}
