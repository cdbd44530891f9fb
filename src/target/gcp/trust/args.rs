//! `gp idp trust gcp`

use clap::{Args, ValueEnum, ValueHint};

use super::set_up::is_id;
use crate::args::{TOKEN, audience};
use crate::target::gcp::exchange::ServiceAccount;
use crate::trust::args::TrustArgs;

/// The output formats of `gp idp trust gcp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GcpTrustFormat {
    /// Commands for a POSIX shell, with comments
    Commands,
    /// Terraform, with comments
    Terraform,
}

/// `gp idp trust gcp`
#[derive(Debug, Args)]
#[command(
    long_about = "This command changes nothing in Google Cloud: it prints commands for the administrator.",
    after_help = "Examples:
  gp idp trust gcp --project-number 123456789012
  gp idp trust gcp --project-number 123456789012 --for this-owner \\
    --service-account ci@shop.iam.gserviceaccount.com --format terraform"
)]
pub struct TrustGcpArgs {
    /// The number of the pool's project (not its ID)
    ///
    /// Without it, IDP_GCP_WORKLOAD_IDENTITY_PROVIDER names project, pool and provider.
    #[arg(long, value_name = "NUMBER", value_hint = ValueHint::Other, value_parser = project_number)]
    pub project_number: Option<String>,
    /// The ID of the workload identity pool [default: gitpod]
    #[arg(long, value_name = "ID", value_hint = ValueHint::Other, value_parser = google_id)]
    pub pool: Option<String>,
    /// The ID of the pool's provider [default: gitpod]
    #[arg(long, value_name = "ID", value_hint = ValueHint::Other, value_parser = google_id)]
    pub provider: Option<String>,
    /// The service account to impersonate [env: IDP_GCP_SERVICE_ACCOUNT]
    #[arg(long, value_name = "EMAIL", value_hint = ValueHint::Other, value_parser = ServiceAccount::parse)]
    pub service_account: Option<ServiceAccount>,
    /// The ID token's `aud`; repeatable
    ///
    /// [default: the provider, https://iam.googleapis.com/projects/…]
    #[arg(long, short, value_name = "AUDIENCE", value_hint = ValueHint::Other, value_parser = audience, help_heading = TOKEN)]
    pub audience: Vec<String>,
    /// The output format
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = GcpTrustFormat::Commands)]
    pub format: GcpTrustFormat,
    #[command(flatten)]
    pub trust: TrustArgs,
}

fn project_number(text: &str) -> Result<String, String> {
    if !text.is_empty() && text.len() <= 19 && text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err("it is digits only: `gcloud projects describe PROJECT_ID --format='value(projectNumber)'` prints it"
        .into())
}

fn google_id(text: &str) -> Result<String, String> {
    if is_id(text) {
        return Ok(text.to_owned());
    }
    Err("it has 4 to 32 characters (a-z, 0-9 and dashes), and does not begin with `gcp-`".into())
}
