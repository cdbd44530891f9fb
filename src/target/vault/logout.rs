//! `gp idp logout vault`

use super::ServerSettings;
use super::request::TOKEN;
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exit::{Exit, Explain};
use crate::http::Http;
use crate::secret::Secret;
use crate::target::vault::args::LogoutVaultArgs;
use crate::target::vault::exchange::{Revoked, Vault};
use crate::target::vault::token_store::TokenStore;

/// A token that this server does not know, in a namespace that was not named.
#[derive(Debug, thiserror::Error)]
#[error("Vault ({address}) does not know the stored token, which is one of a namespace")]
struct NoNamespace {
    address: String,
}

impl Explain for NoNamespace {
    fn exit(&self) -> Exit {
        Exit::TargetRefused
    }

    fn hint(&self) -> Option<String> {
        Some(
            "name it with `--namespace`; or erase the token here alone: `gp idp logout vault --no-revoke`"
                .into(),
        )
    }
}

/// Ends the token first: as long as that fails, it stays where it can be tried again.
pub(crate) async fn run(args: &LogoutVaultArgs, ctx: &Context) -> Result<(), Failure> {
    let action = || "log out of Vault".to_owned();
    let store = TokenStore::find(ctx).could_not(action)?;
    let limit = args.server.limits.timeout();
    async {
        if args.no_revoke {
            // Helpers that keep a token for each server are told of the one in the settings, if there is one.
            let address =
                ServerSettings::read(&args.server, ctx).map(|found| found.server.address.to_string());
            return store.erase(&address.unwrap_or_default(), limit).await.could_not(action);
        }
        let settings = ServerSettings::read(&args.server, ctx).could_not(action)?;
        let address = settings.server.address.to_string();
        let Some(token) = store.get(&address, limit).await.could_not(action)? else {
            ctx.out.note(format!("note: there is no token in {}", store.describe()));
            return Ok(());
        };
        let http = settings.http(&Http::new(ctx, settings.timeout), ctx).could_not(action)?;
        match Vault::new(&http, &settings.server).revoke(&token).await.could_not(action)? {
            Revoked::Now => {}
            Revoked::Unknown if settings.server.namespace.is_none() && is_of_namespace(&token) => {
                return Err(NoNamespace { address }).could_not(action);
            }
            Revoked::Unknown => ctx.out.warn(format!(
                "{address} does not know the token (any more): it is erased here; if it is one of another server, it lives on there"
            )),
            Revoked::Never => ctx.out.warn(
                "a batch token cannot be revoked: it is erased here and works until it expires",
            ),
        }
        store.erase(&address, limit).await.could_not(action)?;
        ctx.out.tell(|| format!("revoked the token and erased it from {}", store.describe()));
        Ok(())
    }.await?;
    let left: Vec<&str> = TOKEN.into_iter().filter(|name| ctx.var_os(name).is_some()).collect();
    if !left.is_empty() {
        ctx.out.warn(format!("there is another token in the environment: unset {}", left.join(" ")));
    }
    Ok(())
}

/// Whether a token ends with the id of a namespace: `hvs.….1a2B3`, `s.….1a2B3`.
fn is_of_namespace(token: &Secret) -> bool {
    token.reveal().split('.').count() == 3
}
