//! `gp idp trust azure`

use clap::{Args, ValueEnum, ValueHint};

use super::set_up::is_name;
use crate::args::{TOKEN, audience, non_empty};
use crate::trust::args::TrustArgs;

/// The output formats of `gp idp trust azure`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AzureTrustFormat {
    /// Commands for a POSIX shell, with comments
    Commands,
    /// The credential in the form of Microsoft Graph
    Json,
    /// Terraform, with comments
    Terraform,
}

/// `gp idp trust azure`
#[derive(Debug, Args)]
#[command(
    long_about = "Entra compares the whole `sub`, so the credential accepts only tokens with exactly the `sub` of this workspace or job. `--for this-repository` does the same as `--for this-subject`: if the `sub` names a branch, only this branch gets access. The other values of `--for` are refused. This command changes nothing in Azure: it prints commands for the app's administrator.",
    after_help = "Examples:
  gp idp trust azure --app-id 00000000-0000-4000-8000-00000000000a
  gp idp trust azure --app-id 00000000-0000-4000-8000-00000000000a \\
    --format terraform"
)]
pub struct TrustAzureArgs {
    /// The client ID of the app [env: AZURE_CLIENT_ID]
    #[arg(long, value_name = "ID", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub app_id: Option<String>,
    /// The name of the credential
    ///
    /// [default: `workspace-` and the last two segments of `sub`]
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, value_parser = credential_name, hide_short_help = true)]
    pub name: Option<String>,
    /// The ID token's `aud`
    ///
    /// [default: api://AzureADTokenExchange, or the audience of the cloud in `AZURE_AUTHORITY_HOST`]
    #[arg(long, short, value_name = "AUDIENCE", value_hint = ValueHint::Other, value_parser = audience, help_heading = TOKEN)]
    pub audience: Option<String>,
    /// The output format
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = AzureTrustFormat::Commands)]
    pub format: AzureTrustFormat,
    #[command(flatten)]
    pub trust: TrustArgs,
}

fn credential_name(text: &str) -> Result<String, String> {
    if is_name(text) {
        return Ok(text.to_owned());
    }
    Err("it has 3 to 120 letters, digits, dashes and underscores, and begins with a letter or digit".into())
}
