//! `gp idp login vault`

use super::request::TOKEN;
use super::{LoginSettings, obtain};
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::http::Http;
use crate::sink::formats::{ShellFormat, shell_lines};
use crate::target::vault::args::{LoginVaultArgs, VaultFormat};
use crate::target::vault::exchange::{Vault, VaultLogin};
use crate::target::vault::token_store::TokenStore;
use crate::time;

pub(crate) async fn run(args: &LoginVaultArgs, ctx: &Context) -> Result<(), Failure> {
    let action = || "log in to Vault".to_owned();
    let settings = LoginSettings::read(&args.vault, ctx)?.wrapped(args.wrap_ttl, ctx).could_not(action)?;
    // What opens the real token, once, is there to be handed on, not for `vault` to find.
    let printed = args.no_store || settings.login.wrap_ttl.is_some();
    let format = args.format.or(printed.then_some(VaultFormat::Token));
    let store = match format {
        Some(_) => None,
        None => Some(TokenStore::find(ctx).could_not(|| "store a token of Vault".to_owned())?),
    };
    let login = obtain(&args.vault, &settings, ctx).await?;
    let text = match format {
        None => {
            return match store {
                Some(store) => keep(&login, &store, &settings, ctx).await,
                None => Ok(()),
            };
        }
        Some(VaultFormat::Token) => format!("{}\n", login.token.reveal()),
        Some(VaultFormat::Json) => format!("{}\n", pretty(&login)),
        Some(VaultFormat::Env) => {
            let variables = settings.server.variables(&login.token, settings.later.as_ref(), ctx);
            shell_lines(&variables, ShellFormat::Env)
        }
    };
    ctx.out.data(&text)?;
    ctx.out.tell(|| life(&login, ctx));
    Ok(())
}

/// The server's answer, its members in its order.
fn pretty(login: &VaultLogin) -> String {
    let json = crate::json::Json::parse(login.reply.reveal());
    json.map_or_else(|_| login.reply.reveal().to_owned(), |json| json.pretty())
}

/// Puts the token where `vault` and `bao` look.
async fn keep(
    login: &VaultLogin,
    store: &TokenStore,
    settings: &LoginSettings<'_>,
    ctx: &Context,
) -> Result<(), Failure> {
    let limit = settings.server.timeout;
    let address = settings.login.server.address.to_string();
    let kept = async {
        let kept = store.store(&login.token, &address, limit).await;
        if kept.is_err() {
            // Nobody has it, so nobody would ever end it.
            let http = Http::new(ctx, limit);
            if let Ok(http) = settings.server.http(&http, ctx) {
                let _ = Vault::new(&http, &settings.login.server).revoke(&login.token).await;
            }
        }
        kept
    }
    .await;
    kept.could_not(|| "store the token".to_owned())?;
    let shadows: Vec<&str> = TOKEN.into_iter().filter(|name| ctx.var_os(name).is_some()).collect();
    if !shadows.is_empty() {
        let names = shadows.join(" ");
        ctx.out.warn(format!(
            "`vault` and `bao` prefer the token in the environment to the one just stored: unset {names}"
        ));
    }
    if settings.later != settings.login.server.namespace {
        let namespace = settings.later.as_ref().map_or("", |namespace| namespace.as_str());
        ctx.out.note(format!(
            "note: the stored token does not say in which namespace to use it: export VAULT_NAMESPACE={namespace}"
        ));
    }
    ctx.out.tell(|| format!("stored the token in {} · {}", store.describe(), life(login, ctx)));
    Ok(())
}

/// `expires in 59 min · policies default, deploy`
fn life(login: &VaultLogin, ctx: &Context) -> String {
    let expiry = login
        .expires_at
        .map_or("never expires".to_owned(), |at| format!("expires {}", time::relative(at, ctx.now())));
    match &login.policies[..] {
        [] => expiry,
        policies => format!("{expiry} · policies {}", policies.join(", ")),
    }
}
