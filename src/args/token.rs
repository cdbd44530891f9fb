//! The arguments of `gp idp token`, `gp idp decode` and `gp idp exec token`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::args::{ChildArgs, OUTPUT, ScopeArgs, SessionArgs, TOKEN, audience, variable_name};

/// How a token is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TokenFormat {
    /// The token itself
    Jwt,
    /// A JSON object: id_token, issuer, subject, audience, issued_at, expires_at
    Json,
    /// An `Authorization: Bearer …` line
    Header,
    /// The ExecCredential that `kubectl` gets from a credential plugin
    Kubernetes,
    /// The JSON that Google's SDKs read, as `gp idp gcloud-token` prints it
    Gcloud,
}

/// `gp idp token`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gp idp token --audience example.org --decode
  gp idp token --audience example.org --format header |
    curl --fail-with-body -H @- https://api.example.org/")]
pub struct TokenArgs {
    /// The audience of the token; repeatable
    ///
    /// The receiver expects this value in the claim `aud`.
    #[arg(long, short, required = true, value_name = "AUDIENCE", value_hint = ValueHint::Other, value_parser = audience, help_heading = TOKEN)]
    pub audience: Vec<String>,
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Print header and claims as JSON instead of the token
    #[arg(long, conflicts_with = "format", help_heading = OUTPUT)]
    pub decode: bool,
    /// How to print the token
    #[arg(long, value_enum, default_value_t = TokenFormat::Jwt, value_name = "FORMAT", help_heading = OUTPUT)]
    pub format: TokenFormat,
    /// Write to FILE instead of stdout
    ///
    /// The file has mode 0600 and is replaced as a whole. A token is written without a newline at the end.
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = OUTPUT)]
    pub output: Option<PathBuf>,
    /// Keep running, and renew the token in FILE
    ///
    /// Requires --output.
    #[arg(long, requires = "output", conflicts_with = "decode", help_heading = OUTPUT)]
    pub keep_fresh: bool,
    /// With `--format kubernetes`: do not use the cache of tokens
    #[arg(long, hide_short_help = true, help_heading = TOKEN)]
    pub no_cache: bool,
    #[command(flatten)]
    pub session: SessionArgs,
}

/// How a decoded token is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DecodeFormat {
    /// `{"Header": …, "Payload": …}`, with order and numbers unchanged
    Json,
    /// A table, with times in local time
    Text,
}

/// `gp idp decode`
#[derive(Debug, Args)]
#[command(
    long_about = "The signature is not verified: anyone can write a token that says anything.",
    after_help = "Examples:
  gp idp token --audience example.org | gp idp decode --claim sub
  gp idp decode --format text < token.jwt"
)]
pub struct DecodeArgs {
    /// The token, or text with a token, such as header lines, a URL or JSON; `-` or nothing reads stdin
    #[arg(value_name = "TOKEN", value_hint = ValueHint::Other)]
    pub token: Option<String>,
    /// Print one claim: a string as it is, anything else as JSON; `a.b` reads the member `b` of the object `a`
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, conflicts_with = "format")]
    pub claim: Option<String>,
    /// How to print the token
    #[arg(long, value_enum, default_value_t = DecodeFormat::Json, value_name = "FORMAT", help_heading = OUTPUT)]
    pub format: DecodeFormat,
}

/// `gp idp exec token`
#[derive(Debug, Args)]
#[command(
    long_about = "`gp` passes the token to CMD in a variable. No file and no command line contains the token.",
    after_help = "Examples:
  gp idp exec token --audience example.org -- ./call-api.sh
  gp idp exec token --audience example.org --env API_TOKEN -- ./call-api.sh"
)]
pub struct ExecTokenArgs {
    /// The audience of the token; repeatable
    ///
    /// The receiver expects this value in the claim `aud`.
    #[arg(long, short, required = true, value_name = "AUDIENCE", value_hint = ValueHint::Other, value_parser = audience, help_heading = TOKEN)]
    pub audience: Vec<String>,
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// The variable that holds the token
    #[arg(long = "env", value_name = "NAME", value_hint = ValueHint::Other, default_value = "ID_TOKEN", value_parser = variable_name)]
    pub variable: String,
    #[command(flatten)]
    pub session: SessionArgs,
    #[command(flatten)]
    pub child: ChildArgs,
}
