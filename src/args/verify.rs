//! The arguments of `gp idp verify`.

use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};

use crate::args::{SessionArgs, non_empty};
use crate::time::parse_duration;

/// How the report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerifyFormat {
    /// One line per step: ✓ passed, ! passed with a warning, ✗ failed, ? could not be checked, – nothing to check
    Text,
    /// A JSON object: `verdict`, `failed`, `steps` and, if valid, `claims`
    Json,
}

/// `gp idp verify`
#[derive(Debug, Args)]
#[command(
    long_about = "Without TOKEN and without input on stdin, it mints a token of this workspace for the audience and verifies it.

Exit code: 0 valid, 1 not valid, 6 undecided: the issuer did not give its keys, or `gp` does not support the algorithm.",
    after_help = "Examples:
  gp idp token --audience example.org | gp idp verify --audience example.org
  gp idp verify --audience example.org --jwks keys.json < token.jwt"
)]
pub struct VerifyArgs {
    /// The token, or a line `Authorization: Bearer …`; `-` reads stdin
    #[arg(value_name = "TOKEN", value_hint = ValueHint::Other)]
    pub token: Option<String>,
    /// The audience that the token must have
    ///
    /// Repeat it to accept any one of several.
    #[arg(long, short, required = true, value_name = "AUDIENCE", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub audience: Vec<String>,
    /// The expected issuer
    ///
    /// [default: this workspace's issuer; outside a workspace or with `--jwks`, the token's issuer]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub issuer: Option<String>,
    /// Take the keys from a file or an address
    ///
    /// The file holds a JWK Set or one JWK. By default, the keys come from the `jwks_uri` of the issuer's discovery document.
    #[arg(long, value_name = "FILE|URL", value_hint = ValueHint::FilePath, value_parser = non_empty)]
    pub jwks: Option<String>,
    /// The allowed difference between the clocks of this machine and of the issuer
    #[arg(long, value_name = "TIME", value_hint = ValueHint::Other, default_value = "60s", value_parser = parse_duration)]
    pub leeway: Duration,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = VerifyFormat::Text, value_name = "FORMAT")]
    pub format: VerifyFormat,
    #[command(flatten)]
    pub session: SessionArgs,
}
