//! `gp idp token` and `gp idp decode`

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::args::{ChildArgs, ScopeArgs, SessionArgs, non_empty, variable_name};

/// How a token is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TokenFormat {
    /// The token itself
    Jwt,
    /// A JSON object: id_token, issuer, subject, audience, issued_at, expires_at
    Json,
    /// An `Authorization: Bearer …` line
    Header,
    /// The ExecCredential that `kubectl` expects of a credential plugin
    Kubernetes,
    /// The JSON that Google's SDKs expect of an executable, as `gp idp gcloud-token` prints it
    Gcloud,
}

/// `gp idp token`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gp idp token --audience example.org
  gp idp token --audience example.org --decode
  gp idp token --audience example.org --format header | curl -H @- https://api.example.org/
  gp idp token --audience example.org --output ~/.cache/example/token
  gp idp token --audience example.org --output ~/.cache/example/token --keep-fresh &")]
pub struct TokenArgs {
    /// Who the token is for, as the receiver expects it in `aud`; repeat it for several
    #[arg(long, short, required = true, value_name = "AUDIENCE", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub audience: Vec<String>,
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Print header and claims as JSON instead of the token
    #[arg(long, conflicts_with = "format")]
    pub decode: bool,
    /// How to print the token
    #[arg(long, value_enum, default_value_t = TokenFormat::Jwt, value_name = "FORMAT")]
    pub format: TokenFormat,
    /// Write to FILE (mode 0600, replaced as a whole) instead of stdout; a token is written without a line break
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// With --output: stay, and replace the token in the file before it expires
    #[arg(long, requires = "output", conflicts_with = "decode")]
    pub keep_fresh: bool,
    /// With `--format kubernetes`: neither use nor keep a token of an earlier call
    #[arg(long)]
    pub no_cache: bool,
    #[command(flatten)]
    pub session: SessionArgs,
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
    /// The token, or text with one in it, such as header lines, a URL or JSON; `-` or nothing reads stdin
    #[arg(value_name = "TOKEN", value_hint = ValueHint::Other)]
    pub token: Option<String>,
    /// Print one claim: a string as it is, anything else as JSON; `a.b` reads the member `b` of the object `a`
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, conflicts_with = "format")]
    pub claim: Option<String>,
    /// How to print the token
    #[arg(long, value_enum, default_value_t = DecodeFormat::Json, value_name = "FORMAT")]
    pub format: DecodeFormat,
}

/// `gp idp exec token`
#[derive(Debug, Args)]
#[command(after_help = "The token is in the environment of the command alone, and not on its command line.

Examples:
  gp idp exec token --audience https://api.example.com --env API_TOKEN -- ./call-api.sh")]
pub struct ExecTokenArgs {
    /// Who the token is for, as the receiver expects it in `aud`; repeat it for several
    #[arg(long, short, required = true, value_name = "AUDIENCE", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub audience: Vec<String>,
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// The variable that the command finds the token in
    #[arg(long = "env", value_name = "NAME", value_hint = ValueHint::Other, default_value = "ID_TOKEN", value_parser = variable_name)]
    pub variable: String,
    #[command(flatten)]
    pub session: SessionArgs,
    #[command(flatten)]
    pub child: ChildArgs,
}
