//! `gp idp login gcp`, `gp idp exec gcp`, `gp idp gcloud-token`

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};

use crate::args::{COMMON, Format, OUTPUT, SessionArgs, SourceArgs, TOKEN, audience, format, non_empty};
use crate::time::parse_time_limit;

/// Flags for the configuration file, which conflict with the flags for printed output. clap
/// ignores `requires = "format"` if one of these flags conflicts with `--format`.
const FOR_A_FILE: [&str; 4] = ["output", "file_sourced", "no_check", "force"];

/// The flags of every command for Google Cloud.
#[derive(Debug, Clone, Args)]
pub struct GcpArgs {
    /// The provider that trusts the ID token [env: IDP_GCP_WORKLOAD_IDENTITY_PROVIDER]
    ///
    /// Its form is projects/NUMBER/…/workloadIdentityPools/POOL/providers/PROVIDER.
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub workload_identity_provider: Option<String>,
    /// The service account to impersonate [env: IDP_GCP_SERVICE_ACCOUNT]
    ///
    /// Without it, the access token is for the workspace's own principal.
    #[arg(long, value_name = "EMAIL", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub service_account: Option<String>,
    /// The ID token's `aud`
    ///
    /// [default: https://iam.googleapis.com/NAME, with NAME from `--workload-identity-provider`]
    #[arg(long, short, value_name = "AUDIENCE", value_hint = ValueHint::Other, value_parser = audience, help_heading = TOKEN)]
    pub audience: Option<String>,
    /// How long the service account's access tokens live: 10m to 12h [default: 1h]
    #[arg(long, value_name = "TIME", value_hint = ValueHint::Other, value_parser = parse_time_limit, hide_short_help = true)]
    pub lifetime: Option<Duration>,
    /// The project for gcloud, Terraform and SDKs [env: GOOGLE_CLOUD_PROJECT]
    #[arg(long, value_name = "ID", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub project: Option<String>,
    #[command(flatten)]
    pub session: SessionArgs,
}

/// How credentials are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GcpFormat {
    /// The access token
    AccessToken,
    /// An ID token of the service account, signed by Google
    IdToken,
    /// A JSON object with the access token and its details, and with `--id-token-audience` also the ID token
    Json,
}

/// `gp idp login gcp`
#[derive(Debug, Args)]
#[command(
    long_about = "Writes a configuration that makes SDKs call `gp` whenever they need a token: the file holds no secret and does not expire. With `--format`, prints tokens or variables and writes no configuration.",
    after_help = "Examples:
  gp idp login gcp --workload-identity-provider \\
    projects/123/locations/global/workloadIdentityPools/gitpod/providers/gitpod
  vars=$(gp idp login gcp --format env) && eval \"$vars\""
)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct LoginGcpArgs {
    /// Print tokens or variables instead
    #[arg(long, value_name = "FORMAT", value_parser = format::<GcpFormat>(), help_heading = OUTPUT)]
    pub format: Option<Format<GcpFormat>>,
    /// With --format: scopes of the access token, separated by commas; repeatable [default: https://www.googleapis.com/auth/cloud-platform]
    #[arg(long, value_name = "SCOPE", value_hint = ValueHint::Other, value_delimiter = ',', requires = "format", conflicts_with_all = FOR_A_FILE, value_parser = non_empty, hide_short_help = true, help_heading = OUTPUT)]
    pub scopes: Vec<String>,
    /// With --format id-token or json: the audience of the service account's ID token
    #[arg(long, value_name = "AUDIENCE", value_hint = ValueHint::Other, requires = "format", conflicts_with_all = FOR_A_FILE, value_parser = non_empty, hide_short_help = true, help_heading = OUTPUT)]
    pub id_token_audience: Option<String>,
    /// Where to write the configuration
    ///
    /// [default: ~/.config/gcloud/application_default_credentials.json, where SDKs look]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "format", help_heading = OUTPUT)]
    pub output: Option<PathBuf>,
    /// For SDKs that cannot run programs: also write the ID token to a file, and name this file in the configuration
    #[arg(long, conflicts_with = "format", hide_short_help = true, help_heading = OUTPUT)]
    pub file_sourced: bool,
    /// With --file-sourced: where to write the ID token [default: the path of the configuration, with .jwt instead of .json]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "file_sourced", hide_short_help = true, help_heading = OUTPUT)]
    pub token_file: Option<PathBuf>,
    /// With --file-sourced: keep running, and replace the ID token in the file before it expires
    #[arg(long, requires = "file_sourced", help_heading = OUTPUT, hide_short_help = true)]
    pub keep_fresh: bool,
    /// Write the configuration without trying to get an access token first
    #[arg(long, conflicts_with = "format", hide_short_help = true, help_heading = OUTPUT)]
    pub no_check: bool,
    /// Replace a file that `gp` did not write
    #[arg(long, conflicts_with = "format", hide_short_help = true, help_heading = OUTPUT)]
    pub force: bool,
    #[command(flatten)]
    pub gcp: GcpArgs,
}

/// `gp idp exec gcp`
#[derive(Debug, Args)]
#[command(
    long_about = "First checks that Google Cloud accepts the ID token, then runs CMD with a temporary configuration, from which SDKs, gcloud and Terraform get tokens. `gp` deletes the configuration when CMD ends.",
    after_help = "Examples:
  gp idp exec gcp --project example-project -- gcloud storage ls
  gp idp exec gcp -- terraform apply"
)]
pub struct ExecGcpArgs {
    #[command(flatten)]
    pub gcp: GcpArgs,
    /// The command with its arguments
    #[arg(last = true, required = true, value_name = "CMD", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

/// `gp idp gcloud-token`
#[derive(Debug, Args)]
#[command(
    long_about = "The configuration that `gp idp login gcp` writes runs this command. If an SDK runs it, `gp` prints nothing to stderr and exits with 0, even after a failure: the JSON then contains the error.",
    after_help = "Examples:
  gp idp gcloud-token --audience example.org
  gp idp gcloud-token \\
    --audience \"//iam.googleapis.com/$IDP_GCP_WORKLOAD_IDENTITY_PROVIDER\""
)]
pub struct GcloudTokenArgs {
    /// The ID token's `aud`; repeatable
    ///
    /// [env: GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE]
    #[arg(long, short, value_name = "AUDIENCE", value_hint = ValueHint::Other, value_parser = audience, help_heading = TOKEN)]
    pub audience: Vec<String>,
    #[command(flatten)]
    pub source: SourceArgs,
    /// How long `gp` tries; keep it below the SDK's own time limit, which is 5 s or more
    #[arg(long, value_name = "TIME", value_hint = ValueHint::Other, default_value = "4500ms", value_parser = parse_time_limit, allow_hyphen_values = true, display_order = 900, help_heading = COMMON, hide_short_help = true)]
    pub timeout: Duration,
}
