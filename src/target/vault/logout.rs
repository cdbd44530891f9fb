//! `gp idp logout vault`

use super::args::LogoutVaultArgs;
use super::exchange::{Revocation, revoke};
use super::request::ServerSettings;
use super::shadowing_tokens;
use super::token_store::TokenStore;
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exit::{Exit, Explain};
use crate::http::{Deadline, Http};
use crate::secret::Secret;
use crate::settings::DEFAULT_TIMEOUT;

/// The server does not know the token, which belongs to a namespace that was not given.
#[derive(Debug, thiserror::Error)]
#[error(
    "Vault ({address}) does not know the stored token, because the token belongs to a namespace and none is set"
)]
struct NoNamespace {
    address: String,
}

impl Explain for NoNamespace {
    fn exit(&self) -> Exit {
        Exit::TargetRefused
    }

    fn hint(&self) -> Option<String> {
        Some(
            "name the namespace with `--namespace`\n\
             otherwise delete the token only on this machine with `gp idp logout vault --no-revoke`"
                .into(),
        )
    }
}

/// Revokes the token first. If that fails, the token stays stored, so that the user can try again.
pub(crate) async fn run(args: &LogoutVaultArgs, ctx: &Context) -> Result<(), Failure> {
    log_out(args, ctx).await.could_not(|| "log out of Vault".to_owned())?;
    let left = shadowing_tokens(ctx);
    if !left.is_empty() {
        ctx.out.warn(format!("the environment has another token: `unset {}`", left.join(" ")));
    }
    Ok(())
}

async fn log_out(args: &LogoutVaultArgs, ctx: &Context) -> Result<(), Failure> {
    let store = TokenStore::find(ctx)?;
    let settings = ServerSettings::read(&args.server, ctx);
    if args.no_revoke {
        // A helper that keeps a token for each server gets the address in the settings, if there
        // is one.
        let (address, timeout) = settings
            .map_or((String::new(), DEFAULT_TIMEOUT), |found| (found.address.to_string(), found.timeout));
        let timeout = args.server.limits.timeout.unwrap_or(timeout);
        return Ok(store.erase(&address, Deadline::after(timeout)).await?);
    }
    let settings = settings?;
    let http = Http::new(ctx, Deadline::after(settings.timeout));
    let address = settings.address.to_string();
    let Some(token) = store.get(&address, http.deadline()).await? else {
        ctx.out.note(format!("note: there is no token in {}", store.describe()));
        return Ok(());
    };
    settings.alarm_unverified(ctx);
    ctx.out.trace(|| format!("the token goes to {address}, which the settings name"));
    let client = settings.client(&http)?;
    match revoke(&settings, &token, &client).await? {
        Revocation::Done => {}
        Revocation::UnknownToken if settings.namespace.is_none() && is_of_namespace(&token) => {
            return Err(NoNamespace { address }.into());
        }
        Revocation::UnknownToken => ctx.out.warn(format!(
            "{address} does not know the token (any more). The token is deleted on this machine. If it belongs to another server, it stays valid there"
        )),
        Revocation::NotRevocable => {
            ctx.out.warn("a batch token cannot be revoked: it is deleted on this machine, and stays valid until it expires");
        }
    }
    store.erase(&address, http.deadline()).await?;
    ctx.out.note_on_terminal(|| {
        format!("revoked the token at {address} and erased it from {}", store.describe())
    });
    Ok(())
}

/// Whether a token ends with the id of a namespace: `hvs.….1a2B3`, `s.….1a2B3`.
fn is_of_namespace(token: &Secret) -> bool {
    token.reveal().split('.').count() == 3
}
