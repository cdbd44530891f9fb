//! The command tree and its help texts. No I/O.
//!
//! House rules: a flag's help says what it is for and shows a value; defaults are in the help; what an
//! environment variable can set says so; every command ends with examples that run.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use crate::output::Verbosity;
use crate::time::parse_time_limit;

/// A workspace's identity as an OIDC ID token.
#[derive(Debug, Parser)]
#[command(
    name = "gp",
    version,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(after_help = "Any other command is handed to the next `gp` on PATH.")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What `gp` does itself, and everything else.
// There is one of these in a process: its size is of no interest.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Use the workspace's identity: ID tokens for any audience
    #[command(arg_required_else_help = true)]
    Idp(Idp),
    /// Print the completion script for a shell
    #[command(after_help = "Examples:
  gp completion bash > ~/.local/share/bash-completion/completions/gp
  gp completion zsh > ~/.zfunc/_gp
  gp completion fish > ~/.config/fish/completions/gp.fish")]
    Completion {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Any other command and its arguments.
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

/// `gp idp`
#[derive(Debug, Args)]
pub struct Idp {
    #[command(subcommand)]
    verb: Verb,
    /// Print nothing on stderr but errors
    #[arg(long, short, global = true, conflicts_with = "verbose", display_order = 901)]
    quiet: bool,
    /// Trace each request on stderr: address, status, time; never a secret
    #[arg(long, short, global = true, display_order = 902)]
    verbose: bool,
}

/// `gp idp …`
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Print a fresh ID token of this workspace
    Token(TokenArgs),
    /// Show what a token says, offline and without verifying it
    Decode(DecodeArgs),
    /// Run a local workspace: supervisor, API and issuer on 127.0.0.1
    #[cfg(feature = "dev")]
    Dev(DevArgs),
}

/// How a token is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TokenFormat {
    /// The token itself
    Jwt,
    /// A JSON object: id_token, issuer, subject, audience, issued_at, expires_at
    Json,
    /// An `Authorization: Bearer …` line
    Header,
}

/// `gp idp token`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gp idp token --audience example.org
  gp idp token --audience example.org --decode
  gp idp token --audience example.org --format header | curl -H @- https://api.example.org/
  gp idp token --audience example.org --output ~/.cache/example/token")]
pub struct TokenArgs {
    /// Who the token is for, as the receiver expects it in `aud`; repeat it for several
    #[arg(long, short, required = true, value_name = "AUDIENCE", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub audience: Vec<String>,
    /// A scope to ask for; the token then carries it as a claim
    #[arg(long, value_name = "SCOPE", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub scope: Option<String>,
    /// Print header and claims as JSON instead of the token
    #[arg(long, conflicts_with = "format")]
    pub decode: bool,
    /// How to print the token
    #[arg(long, value_enum, default_value_t = TokenFormat::Jwt, value_name = "FORMAT")]
    pub format: TokenFormat,
    /// Write to FILE (mode 0600, replaced as a whole) instead of stdout; a token is written without a line break
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// How long it may take
    #[command(flatten)]
    pub limits: Limits,
}

/// What every command that uses the network takes.
#[derive(Debug, Args)]
pub struct Limits {
    /// The most time the whole command may take, as `30s`, `500ms` or `2m`
    #[arg(long, value_name = "TIME", value_hint = ValueHint::Other, default_value = "30s", value_parser = parse_time_limit, display_order = 900)]
    pub timeout: Duration,
}

/// How a decoded token is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DecodeFormat {
    /// `{"Header": …, "Payload": …}`, in the order and the numbers of the token
    Json,
    /// A table with times in local form
    Text,
}

/// `gp idp decode`
#[derive(Debug, Args)]
#[command(after_help = "The signature is not verified: anyone can write a token that says anything.

Examples:
  gp idp token --audience example.org | gp idp decode
  gp idp token --audience example.org | gp idp decode --claim sub
  gp idp decode --format text < token.jwt")]
pub struct DecodeArgs {
    /// The token, or an `Authorization: Bearer …` line; `-` or nothing reads stdin
    #[arg(value_name = "TOKEN", value_hint = ValueHint::Other)]
    pub token: Option<String>,
    /// Print one claim: a string as it is, anything else as JSON; `a.b` goes into objects
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, conflicts_with = "format")]
    pub claim: Option<String>,
    /// How to print the token
    #[arg(long, value_enum, default_value_t = DecodeFormat::Json, value_name = "FORMAT")]
    pub format: DecodeFormat,
}

/// `gp idp dev`
#[cfg(feature = "dev")]
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
    #[arg(long, default_value = "1h", value_name = "TIME", value_hint = ValueHint::Other, value_parser = crate::time::parse_duration)]
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

impl Cli {
    /// What was asked for.
    #[must_use]
    pub fn into_command(self) -> Command {
        self.command
    }

    /// How much goes to stderr.
    #[must_use]
    pub fn verbosity(&self) -> Verbosity {
        match &self.command {
            Command::Idp(Idp { quiet: true, .. }) => Verbosity::Quiet,
            Command::Idp(Idp { verbose: true, .. }) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        }
    }
}

impl Idp {
    /// The command below `gp idp`.
    #[must_use]
    pub fn into_verb(self) -> Verb {
        self.verb
    }
}

/// A command line of `idp` or `gp-idp` as one of `gp idp`.
#[must_use]
pub fn as_gp(mut args: Vec<OsString>) -> Vec<OsString> {
    let name = args.first().map(PathBuf::from).unwrap_or_default();
    match name.file_stem().and_then(|name| name.to_str()) {
        Some("idp" | "gp-idp") => {
            args.splice(..1, ["gp".into(), "idp".into()]);
        }
        _ if args.is_empty() => args.push("gp".into()),
        _ => {}
    }
    args
}

fn non_empty(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("it may not be empty".to_owned());
    }
    Ok(text.to_owned())
}

/// A duration with a sign, in seconds.
#[cfg(feature = "dev")]
fn parse_offset(text: &str) -> Result<i64, String> {
    let (sign, size) =
        text.strip_prefix('-').map_or((1, text.strip_prefix('+').unwrap_or(text)), |size| (-1, size));
    let seconds = crate::time::parse_duration(size)?.as_secs();
    i64::try_from(seconds).map(|seconds| sign * seconds).map_err(|_| "it is too long".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_tree_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn names_that_stand_for_gp_idp() {
        let cases = [
            (&["/usr/bin/gp", "idp", "token"][..], &["/usr/bin/gp", "idp", "token"][..]),
            (&["idp", "token"], &["gp", "idp", "token"]),
            (&["/opt/gp-idp", "token"], &["gp", "idp", "token"]),
            (&[], &["gp"]),
        ];
        for (given, expected) in cases {
            let given = given.iter().map(OsString::from).collect();
            assert_eq!(as_gp(given), expected.iter().map(OsString::from).collect::<Vec<_>>());
        }
    }
}
