//! `gp idp dev`

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::non_empty;
use crate::time::parse_duration;

/// `gp idp dev`
#[derive(Debug, Args)]
#[command(after_help = "With a command: runs it inside the local workspace and passes its exit code on.
Without: prints the workspace's environment as `export` lines and serves until interrupted.

Examples:
  gp idp dev -- gp idp token --audience example.org --decode
  gp idp dev -- bash
  gp idp dev --context-url https://github.com/acme/shop --lifetime 5m -- ./deploy.sh")]
pub struct DevArgs {
    /// The command to run inside, with its arguments
    #[arg(last = true, value_name = "CMD", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
    /// The port of API and issuer on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "PORT", value_hint = ValueHint::Other)]
    pub port: u16,
    /// The port of the supervisor on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "PORT", value_hint = ValueHint::Other)]
    pub supervisor_port: u16,
    /// The workspace's id
    #[arg(long, default_value = "gitpodio-example-0123456789a", value_name = "ID", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub workspace_id: String,
    /// The repository it was opened on, which becomes `sub`; empty for none
    #[arg(long, default_value = "https://github.com/gitpod-io/example", value_name = "URL", value_hint = ValueHint::Other)]
    pub context_url: String,
    /// Another `sub` than the context URL
    #[arg(long, value_name = "SUBJECT", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub subject: Option<String>,
    /// The id of the workspace's owner
    #[arg(long, default_value = "00000000-0000-4000-8000-000000000001", value_name = "ID", value_hint = ValueHint::Other)]
    pub user_id: String,
    /// The id of the owner's organisation
    #[arg(long, default_value = "00000000-0000-4000-8000-000000000002", value_name = "ID", value_hint = ValueHint::Other)]
    pub org_id: String,
    /// The owner's name
    #[arg(long, default_value = "Local Developer", value_name = "NAME", value_hint = ValueHint::Other)]
    pub name: String,
    /// The owner's e-mail address
    #[arg(long, default_value = "developer@example.com", value_name = "ADDRESS", value_hint = ValueHint::Other)]
    pub email: String,
    /// How long ID tokens live
    #[arg(long, default_value = "1h", value_name = "TIME", value_hint = ValueHint::Other, value_parser = parse_duration)]
    pub lifetime: Duration,
    /// How far the issuer's clock is off: `5m` ahead, `-5m` behind
    #[arg(long, default_value = "0s", value_name = "TIME", value_hint = ValueHint::Other, value_parser = parse_offset, allow_hyphen_values = true)]
    pub clock_offset: i64,
    /// The scopes of the workspace's API token; repeat it for several
    #[arg(
        long = "token-scope",
        value_name = "SCOPE", value_hint = ValueHint::Other,
        default_values = ["function:getWorkspace", "function:getIDToken"]
    )]
    pub token_scopes: Vec<String>,
}

/// A duration with a sign, in seconds.
fn parse_offset(text: &str) -> Result<i64, String> {
    let (sign, size) =
        text.strip_prefix('-').map_or((1, text.strip_prefix('+').unwrap_or(text)), |size| (-1, size));
    let seconds = parse_duration(size)?.as_secs();
    i64::try_from(seconds).map(|seconds| sign * seconds).map_err(|_| "it is too long".to_owned())
}
