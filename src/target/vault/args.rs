//! `gp idp login vault`, `gp idp logout vault`, `gp idp exec vault`

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};

use crate::args::{
    ChildArgs, Format, Limits, OUTPUT, ScopeArgs, SourceArgs, TOKEN, audience, format, non_empty,
};
use crate::time::parse_time_limit;

/// The address of the server and the settings of the connection. The names are those of the `vault` command.
/// Every variable also exists with the prefix `BAO_`, which takes precedence over `VAULT_`.
#[derive(Debug, Clone, Args)]
pub struct VaultServerArgs {
    /// The server [env: BAO_ADDR, VAULT_ADDR]
    ///
    /// Example: `https://vault.example.com:8200`.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub address: Option<String>,
    /// The namespace, such as `team-a/project`
    ///
    /// Empty means the root namespace. [env: BAO_NAMESPACE, VAULT_NAMESPACE]
    #[arg(long, value_name = "NAMESPACE", value_hint = ValueHint::Other)]
    pub namespace: Option<String>,
    #[command(flatten)]
    pub tls: VaultTlsArgs,
    #[command(flatten)]
    pub limits: Limits,
}

/// TLS to the server.
#[derive(Debug, Clone, Args)]
pub struct VaultTlsArgs {
    /// Trust the authorities in this PEM file instead of the system's [env: BAO_CACERT, VAULT_CACERT]
    #[arg(long, help_heading = "TLS", value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub ca_cert: Option<PathBuf>,
    /// Trust the authorities in all files of this folder instead of the system's [env: BAO_CAPATH, VAULT_CAPATH]
    #[arg(long, help_heading = "TLS", value_name = "FOLDER", value_hint = ValueHint::DirPath, hide_short_help = true)]
    pub ca_path: Option<PathBuf>,
    /// Send this PEM client certificate to the server [env: BAO_CLIENT_CERT, VAULT_CLIENT_CERT]
    #[arg(long, help_heading = "TLS", value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub client_cert: Option<PathBuf>,
    /// The PEM key of `--client-cert` [env: BAO_CLIENT_KEY, VAULT_CLIENT_KEY]
    #[arg(long, help_heading = "TLS", value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub client_key: Option<PathBuf>,
    /// Expect this name in the server's certificate, not the host in the URL [env: BAO_TLS_SERVER_NAME, VAULT_TLS_SERVER_NAME]
    #[arg(long, help_heading = "TLS", value_name = "NAME", value_hint = ValueHint::Other, value_parser = non_empty, hide_short_help = true)]
    pub tls_server_name: Option<String>,
    /// Do not verify the server's certificate: an attacker's server may get the token [env: BAO_SKIP_VERIFY, VAULT_SKIP_VERIFY]
    #[arg(long, help_heading = "TLS", hide_short_help = true)]
    pub tls_skip_verify: bool,
}

/// The arguments of every login.
#[derive(Debug, Clone, Args)]
pub struct VaultArgs {
    /// The role [env: IDP_VAULT_ROLE]
    ///
    /// Without it, the server uses the mount's default role.
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub role: Option<String>,
    /// The ID token's `aud`
    ///
    /// The role's `bound_audiences` must list it. Repeatable.
    #[arg(long, short, value_name = "AUDIENCE", value_hint = ValueHint::Other, default_value = "vault.hashicorp.com", value_parser = audience, help_heading = TOKEN)]
    pub audience: Vec<String>,
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// The JWT auth mount
    #[arg(long, visible_alias = "path", value_name = "PATH", value_hint = ValueHint::Other, default_value = "jwt")]
    pub mount: String,
    /// The namespace for requests after the login, as a path from the root namespace; empty means the root namespace [default: the namespace of the login]
    #[arg(long, value_name = "NAMESPACE", value_hint = ValueHint::Other, hide_short_help = true)]
    pub use_namespace: Option<String>,
    #[command(flatten)]
    pub server: VaultServerArgs,
    #[command(flatten)]
    pub source: SourceArgs,
}

/// How a token is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VaultFormat {
    /// The token itself
    Token,
    /// The server's reply as JSON; the token is in `.auth.client_token`, or with `--wrap-ttl` in `.wrap_info.token`
    Json,
}

/// `gp idp login vault`
#[derive(Debug, Args)]
#[command(
    long_about = "Stores the token where `vault` and `bao` look for it: in the token helper that ~/.vault or ~/.bao names, else in the file that BAO_TOKEN_PATH or VAULT_TOKEN_PATH names, else in ~/.vault-token. `--format` and `--no-store` print the token instead; `--wrap-ttl` prints a wrapping token.",
    after_help = "Examples:
  gp idp login vault --role deploy && vault kv get secret/app
  vars=$(gp idp login vault --role deploy --format env) && eval \"$vars\""
)]
pub struct LoginVaultArgs {
    /// Print the token instead of storing it
    #[arg(long, value_name = "FORMAT", value_parser = format::<VaultFormat>(), help_heading = OUTPUT)]
    pub format: Option<Format<VaultFormat>>,
    /// The same as `--format token`; ignored when `--format` is given
    #[arg(long, help_heading = OUTPUT, hide_short_help = true)]
    pub no_store: bool,
    /// Print a wrapping token, which can be unwrapped once within this time [env: BAO_WRAP_TTL, VAULT_WRAP_TTL]
    #[arg(long, value_name = "TIME", value_hint = ValueHint::Other, value_parser = parse_wrap_ttl, help_heading = OUTPUT, hide_short_help = true)]
    pub wrap_ttl: Option<Duration>,
    #[command(flatten)]
    pub vault: VaultArgs,
}

/// `gp idp logout vault`
#[derive(Debug, Args)]
#[command(
    long_about = "Revokes the token that `gp idp login vault` or `vault login` stored, with its child tokens and leases, and deletes it from this machine.",
    after_help = "Examples:
  gp idp logout vault
  gp idp logout vault --no-revoke"
)]
pub struct LogoutVaultArgs {
    #[command(flatten)]
    pub server: VaultServerArgs,
    /// Delete the token from this machine without revoking it
    #[arg(long)]
    pub no_revoke: bool,
}

/// `gp idp exec vault`
#[derive(Debug, Args)]
#[command(
    long_about = "Only CMD gets the token, as VAULT_TOKEN and BAO_TOKEN in its environment. No file contains it.",
    after_help = "Examples:
  gp idp exec vault --role deploy -- vault kv get secret/app
  gp idp exec vault --role deploy --namespace admin \\
    --use-namespace admin/team-a -- ./deploy.sh"
)]
pub struct ExecVaultArgs {
    #[command(flatten)]
    pub vault: VaultArgs,
    #[command(flatten)]
    pub child: ChildArgs,
}

/// Parses a whole number of seconds: the server has no smaller unit.
pub(crate) fn parse_wrap_ttl(text: &str) -> Result<Duration, String> {
    match parse_time_limit(text)? {
        ttl if ttl.subsec_nanos() != 0 => {
            Err("it must be a whole number of seconds, such as `60s` or `5m`".into())
        }
        ttl => Ok(ttl),
    }
}
