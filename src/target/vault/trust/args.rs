//! `gp idp trust vault`

use clap::{Args, ValueEnum, ValueHint};

use crate::args::{TOKEN, audience, non_empty};
use crate::time::parse_duration;
use crate::trust::args::{TrustArgs, TrustFormat};

/// The command-line tool that the commands are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VaultCli {
    /// HashiCorp Vault
    Vault,
    /// OpenBao
    Bao,
}

/// `gp idp trust vault`
#[derive(Debug, Args)]
#[command(
    long_about = "Prints the commands for Vault's administrator. Changes nothing in Vault. --check does not contact Vault either: `gp` applies Vault's documented rules to the role. Exit code of --check: 0 accepted, 1 refused or undecided.",
    after_help = "Examples:
  gp idp trust vault --role deploy --policy deploy
  vault read -format=json auth/jwt/role/deploy | gp idp trust vault --check -"
)]
pub struct TrustVaultArgs {
    /// The role [env: IDP_VAULT_ROLE]
    ///
    /// It does not have to exist yet.
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub role: Option<String>,
    /// A policy of the role's tokens; repeatable
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub policy: Vec<String>,
    /// The mount of the auth method
    #[arg(long, visible_alias = "path", value_name = "PATH", value_hint = ValueHint::Other, default_value = "jwt", value_parser = non_empty, hide_short_help = true)]
    pub mount: String,
    /// The lifetime of the role's tokens
    #[arg(long, value_name = "TIME", value_hint = ValueHint::Other, default_value = "1h", value_parser = parse_duration, hide_short_help = true)]
    pub token_ttl: std::time::Duration,
    /// The tool that the commands are for
    #[arg(long, value_enum, value_name = "CLI", default_value_t = VaultCli::Vault, hide_short_help = true)]
    pub cli: VaultCli,
    /// The ID token's `aud`
    ///
    /// Repeatable.
    #[arg(long, short, value_name = "AUDIENCE", value_hint = ValueHint::Other, default_value = "vault.hashicorp.com", value_parser = audience, help_heading = TOKEN)]
    pub audience: Vec<String>,
    /// Check whether this role accepts the token
    ///
    /// FILE is the output of `vault read -format=json`; `-` reads stdin.
    #[arg(long, value_name = "FILE|-", value_hint = ValueHint::FilePath, value_parser = non_empty, conflicts_with = "whom")]
    pub check: Option<String>,
    /// The output format
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<TrustFormat>,
    #[command(flatten)]
    pub trust: TrustArgs,
}
