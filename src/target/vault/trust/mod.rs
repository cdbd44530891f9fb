//! `gp idp trust vault`

pub(crate) mod args;
pub(crate) mod check;
pub(crate) mod set_up;
#[cfg(test)]
mod tests;

use self::args::{TrustVaultArgs, VaultCli};
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exit::Exit;
use crate::settings::{Fallback, Setting, invalid_setting};
use crate::trust::args::TrustFormat;
use crate::trust::run::{self, mint_identity, set_up_format, whom};
use crate::trust::{AccessSummary, LoginCommand};

/// Prints the setup or the verdict.
pub(crate) async fn run(args: &TrustVaultArgs, ctx: &Context) -> Result<Exit, Failure> {
    match &args.check {
        Some(place) => verdict(args, place, ctx).await,
        None => set_up(args, ctx).await,
    }
}

async fn set_up(args: &TrustVaultArgs, ctx: &Context) -> Result<Exit, Failure> {
    let action = || "print the setup of a Vault role".to_owned();
    let format = set_up_format(args.format).could_not(action)?;
    let settings = vault_settings(args, ctx).could_not(action)?;
    let identity = mint_identity(args.audience.clone(), &args.trust, ctx).await?;
    let rule = identity.rule(whom(args.trust.whom), set_up::USER).could_not(action)?;
    let set_up = set_up::SetUp::new(&identity, &rule, &settings).could_not(action)?;
    if settings.policies.is_empty() {
        ctx.out.warn("without --policy, the role's tokens have only the permissions of the policy `default`");
    }
    let mut login = LoginCommand::new("vault").option("--role", &settings.role);
    if settings.mount != "jwt" {
        login = login.option("--mount", &settings.mount);
    }
    let login = login.audiences(&args.audience, "vault.hashicorp.com");
    let summary = AccessSummary::new(&identity, &rule, &format!("the role {}", settings.role), &login);
    match format {
        TrustFormat::Json => summary.print_with_notes(&run::json(&set_up.role()), ctx),
        TrustFormat::Terraform => {
            let head = summary.head();
            let text = set_up.terraform(&head).could_not(action)?;
            summary.print_with_comments(|_| text, ctx)
        }
        TrustFormat::Commands | TrustFormat::Text => {
            summary.print_with_comments(|head| set_up.commands(head), ctx)
        }
    }
}

fn vault_settings(args: &TrustVaultArgs, ctx: &Context) -> Result<set_up::Settings, Failure> {
    let role = Setting::flag("--role", args.role.as_deref())
        .or_variable("IDP_VAULT_ROLE", ctx)?
        .required(
            "role",
            "name it with `--role NAME`, or set `IDP_VAULT_ROLE` (the role does not have to exist yet)",
        )?
        .value
        .to_owned();
    let mount = args.mount.trim_matches('/');
    let mount = mount.strip_prefix("auth/").unwrap_or(mount).trim_matches('/');
    for (setting, path, slash) in [("--role", role.as_str(), false), ("--mount", mount, true)] {
        let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c) || (slash && c == '/');
        if path.is_empty() || !path.chars().all(good) {
            let what = format!("`{path}` must have only letters, digits, dashes, dots and underscores");
            return Err(invalid_setting(setting, what).into());
        }
    }
    let cli = match args.cli {
        VaultCli::Vault => "vault",
        VaultCli::Bao => "bao",
    };
    let (mount, policies, ttl) = (mount.to_owned(), args.policy.clone(), args.token_ttl.as_secs());
    Ok(set_up::Settings { cli, mount, role, policies, ttl })
}

/// Checks the role in `place`: a file, or `-` for stdin.
async fn verdict(args: &TrustVaultArgs, place: &str, ctx: &Context) -> Result<Exit, Failure> {
    let action = || "check the Vault role".to_owned();
    run::check_format(args.format).could_not(action)?;
    let text = run::read(place, ctx).could_not(action)?;
    let identity = mint_identity(args.audience.clone(), &args.trust, ctx).await?;
    run::print(&check::check(&text, &identity, ctx.now()).could_not(action)?, args.format, ctx)
}
