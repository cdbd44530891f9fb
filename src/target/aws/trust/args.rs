//! `gp idp trust aws`

use clap::{Args, ValueHint};

use crate::args::{TOKEN, audience, non_empty};
use crate::trust::args::{TrustArgs, TrustFormat};

/// `gp idp trust aws`
#[derive(Debug, Args)]
#[command(
    long_about = "This command changes nothing in AWS: it prints commands for an IAM administrator. --check sends no request to AWS either: `gp` evaluates the policy by IAM's documented rules. Exit code of --check: 0 accepted, 1 refused or undecided.",
    after_help = "Examples:
  gp idp trust aws --role-arn arn:aws:iam::123456789012:role/deploy
  aws iam get-role --role-name deploy --output json |
    gp idp trust aws --check -"
)]
pub struct TrustAwsArgs {
    /// The role [env: IDP_AWS_ROLE_ARN]
    ///
    /// It is written as `arn:aws:iam::123456789012:role/NAME`, and does not have to exist yet. AWS_ROLE_ARN is read if IDP_AWS_ROLE_ARN is not set.
    #[arg(long, value_name = "ARN", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub role_arn: Option<String>,
    /// The ID token's `aud`
    ///
    /// Repeatable.
    #[arg(long, short, value_name = "AUDIENCE", value_hint = ValueHint::Other, default_value = "sts.amazonaws.com", value_parser = audience, help_heading = TOKEN)]
    pub audience: Vec<String>,
    /// With --check: the session name, as for `gp idp login aws` [env: AWS_ROLE_SESSION_NAME] [default: the ID of the workspace or job, and the Unix time]
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, value_parser = non_empty, requires = "check", hide_short_help = true)]
    pub role_session_name: Option<String>,
    /// Check whether this trust policy accepts the token
    ///
    /// FILE has the policy, or what `aws iam get-role --output json` prints; `-` reads stdin.
    #[arg(long, value_name = "FILE|-", value_hint = ValueHint::FilePath, value_parser = non_empty, conflicts_with = "whom")]
    pub check: Option<String>,
    /// The output format
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<TrustFormat>,
    #[command(flatten)]
    pub trust: TrustArgs,
}
