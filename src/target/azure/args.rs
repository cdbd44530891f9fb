//! `gp idp login azure`, `gp idp exec azure`

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::args::{ChildArgs, Format, OUTPUT, SessionArgs, TOKEN, audience, format, non_empty};

/// The flags of every command for Azure.
#[derive(Debug, Clone, Args)]
pub struct AzureArgs {
    /// The application (client) ID [env: AZURE_CLIENT_ID]
    ///
    /// It belongs to the app registration or the managed identity.
    #[arg(long, value_name = "ID", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub client_id: Option<String>,
    /// The tenant: its ID or a domain [env: AZURE_TENANT_ID]
    #[arg(long, value_name = "ID", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub tenant_id: Option<String>,
    /// The address of Entra in your cloud [env: AZURE_AUTHORITY_HOST] [default: https://login.microsoftonline.com/]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Other, value_parser = non_empty, hide_short_help = true)]
    pub authority_host: Option<String>,
    /// The ID token's `aud`
    ///
    /// The federated credential must list it.
    ///
    /// [default: api://AzureADTokenExchange, or the audience of the cloud in `--authority-host`]
    #[arg(long, short, value_name = "AUDIENCE", value_hint = ValueHint::Other, value_parser = audience, help_heading = TOKEN)]
    pub audience: Option<String>,
    /// The service for which `gp` gets an access token [default: https://management.azure.com, or the resource manager of the cloud in `--authority-host`]
    ///
    /// `doctor` and `exec` only check the login with it. With this flag, `login` needs `--format access-token` or `--format json`.
    #[arg(long, value_name = "URI", value_hint = ValueHint::Other, value_parser = non_empty, conflicts_with = "scope_uri", hide_short_help = true)]
    pub resource: Option<String>,
    /// The scope to request instead of `--resource`, such as https://vault.azure.net/.default
    #[arg(long, value_name = "SCOPE", value_hint = ValueHint::Other, value_parser = non_empty, hide_short_help = true)]
    pub scope_uri: Option<String>,
    /// The subscription that Terraform works in [env: ARM_SUBSCRIPTION_ID, AZURE_SUBSCRIPTION_ID]
    #[arg(long, value_name = "ID", value_hint = ValueHint::Other, value_parser = non_empty, hide_short_help = true)]
    pub subscription_id: Option<String>,
    #[command(flatten)]
    pub session: SessionArgs,
}

/// The output formats that write no token file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AzureFormat {
    /// An access token; writes no file
    AccessToken,
    /// A JSON object with an access token and its details; writes no file
    Json,
}

impl AzureFormat {
    /// The value of `--format`.
    pub(super) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// `gp idp login azure`
#[derive(Debug, Args)]
#[command(
    long_about = "Writes the ID token to a file, and prints the variables for Azure's SDKs and Terraform to stderr. With `--format env`, `gp` prints the variables to stdout, so that a shell can evaluate them.",
    after_help = "Examples:
  gp idp login azure --client-id 11111111-0000-4000-8000-222222222222 \\
    --tenant-id contoso.onmicrosoft.com
  vars=$(gp idp login azure --format env) && eval \"$vars\""
)]
pub struct LoginAzureArgs {
    /// What to print
    ///
    /// A shell format also writes the token file, which the variables name.
    #[arg(long, value_name = "FORMAT", value_parser = format::<AzureFormat>(), help_heading = OUTPUT)]
    pub format: Option<Format<AzureFormat>>,
    /// Where to write the ID token
    ///
    /// [env: AZURE_FEDERATED_TOKEN_FILE] [default: a file in the user's runtime or cache folder]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = OUTPUT)]
    pub output: Option<PathBuf>,
    /// Keep running, and renew the ID token before it expires
    #[arg(long, help_heading = OUTPUT)]
    pub keep_fresh: bool,
    #[command(flatten)]
    pub azure: AzureArgs,
}

/// `gp idp exec azure`
#[derive(Debug, Args)]
#[command(
    long_about = "First checks that Azure accepts the ID token, then runs CMD with a temporary token file. `gp` keeps the file fresh, and deletes it when CMD ends.",
    after_help = "Examples:
  gp idp exec azure --client-id 11111111-0000-4000-8000-222222222222 \\
    --tenant-id contoso.onmicrosoft.com -- terraform plan
  gp idp exec azure -- ./tool-that-uses-an-azure-sdk"
)]
pub struct ExecAzureArgs {
    #[command(flatten)]
    pub azure: AzureArgs,
    #[command(flatten)]
    pub child: ChildArgs,
}
