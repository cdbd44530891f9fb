//! `gp idp login vault`, `logout vault` and `exec vault`.

pub mod args;
pub(crate) mod doctor;
pub mod exchange;
pub(crate) mod exec;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod request;
pub mod role;
pub mod token_store;
pub mod trust;

use request::{LoginSettings, ServerSettings};

use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exchange::trade::trade;
use crate::http::Http;
use crate::source::{Supervisor, TokenRequest};
use crate::target::vault::args::VaultArgs;
use crate::target::vault::exchange::{VaultLogin, VaultMount};
use crate::time;

/// From this many seconds on, a token lives longer than a workspace usually does.
const LONG_LIFE: u64 = 86_400;

/// Mints an ID token and logs in with it.
pub(super) async fn obtain(
    args: &VaultArgs,
    settings: &LoginSettings<'_>,
    ctx: &Context,
) -> Result<VaultLogin, Failure> {
    let action = || action(&settings.server);
    let http = Http::new(ctx, settings.server.timeout);
    let to_vault = settings.server.http(&http, ctx).could_not(action)?;
    let source = Supervisor::from_context(&http).could_not(action)?;
    let wanted = TokenRequest { audiences: &args.audience, scope: args.scope.as_deref() };
    let mount = VaultMount::new(&to_vault, &settings.login);
    let (_, login) = trade(&source, &wanted, &mount, ctx).await.could_not(action)?;
    warn_of(&login, settings, ctx);
    Ok(login)
}

fn action(server: &ServerSettings<'_>) -> String {
    format!("log in to Vault at {}", server.server.address)
}

/// What the server remarks, and a life that nobody may have wanted.
fn warn_of(login: &VaultLogin, settings: &LoginSettings<'_>, ctx: &Context) {
    for warning in &login.warnings {
        ctx.out.warn(format!("the server says: {warning}"));
    }
    let life = match login.lease_seconds {
        _ if login.wrapped => return,
        0 => "does not end".to_owned(),
        seconds if seconds > LONG_LIFE => format!("lives for {}", time::span(seconds)),
        _ => return,
    };
    let (mount, role) = (settings.login.mount.as_str(), settings.login.role.as_deref().unwrap_or("ROLE"));
    ctx.out.warn(format!(
        "this token {life}: give the role a shorter life, `vault write auth/{mount}/role/{role} role_type=jwt token_ttl=1h`, and end it with `gp idp logout vault`"
    ));
}
