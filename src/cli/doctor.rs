//! `gp idp doctor`

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::{AwsArgs, AzureArgs, GcpArgs, Limits, VaultArgs, non_empty};

/// `gp idp doctor`
#[derive(Debug, Args)]
#[command(
    after_help = "Every link from the supervisor to a verified ID token is looked at, then what a target needs. It changes
nothing, and its report has no secret in it. The exit code is that of the first check that failed.

Examples:
  gp idp doctor
  gp idp doctor --audience https://api.example.org
  gp idp doctor aws --role-arn arn:aws:iam::123456789012:role/deploy
  gp idp doctor --format json aws"
)]
pub struct DoctorArgs {
    /// The audience of the ID token that is tried
    #[arg(long, short, value_name = "AUDIENCE", value_hint = ValueHint::Other, default_value = "gp-idp-doctor", value_parser = non_empty)]
    pub audience: Vec<String>,
    /// How the report is printed
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = DoctorFormat::Text)]
    pub format: DoctorFormat,
    /// How long it may take
    #[command(flatten)]
    pub limits: Limits,
    /// What the ID token is to be traded for
    #[command(subcommand)]
    pub target: Option<DoctorTarget>,
}

/// How the report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DoctorFormat {
    /// Lines for people
    Text,
    /// An array of objects
    Json,
}

/// `gp idp doctor …`
#[derive(Debug, Subcommand)]
pub enum DoctorTarget {
    /// Also AWS: settings, files, and whether the role can be assumed
    #[command(after_help = "Examples:
  gp idp doctor aws --role-arn arn:aws:iam::123456789012:role/deploy
  gp idp doctor aws --profile prod")]
    Aws(AwsArgs),
    /// Also Vault or OpenBao: settings, and whether the login works; its token is revoked again
    #[command(after_help = "Examples:
  gp idp doctor vault --address https://vault.example.com:8200 --role demo")]
    Vault(VaultArgs),
    /// Also Google Cloud: settings, what SDKs would read, and whether the exchange works
    #[command(after_help = "Examples:
  gp idp doctor gcp --workload-identity-provider projects/123/locations/global/workloadIdentityPools/gitpod/providers/gitpod")]
    Gcp(GcpArgs),
    /// Also Azure: settings, the token file, and whether the exchange works
    #[command(after_help = "Examples:
  gp idp doctor azure --client-id ID --tenant-id ID")]
    Azure(AzureArgs),
    /// Also Kubernetes: the kubeconfig
    #[command(after_help = "Examples:
  gp idp doctor kubernetes --audience kubernetes")]
    Kubernetes {
        /// Who the ID token is for, as the API server expects it in `aud`
        #[arg(long, short, required = true, value_name = "AUDIENCE", value_hint = ValueHint::Other, value_parser = non_empty)]
        audience: Vec<String>,
        /// How long it may take
        #[command(flatten)]
        limits: Limits,
    },
}
