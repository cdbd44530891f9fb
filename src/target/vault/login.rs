//! `gp idp login vault`

use super::args::{LoginVaultArgs, VaultFormat};
use super::exchange::{REVOKE_LIMIT, VaultLogin, revoke};
use super::request::{self, LoginRequest};
use super::token_store::TokenStore;
use super::variables::{self, variable};
use super::{Vault, warn_about};
use crate::args::Format;
use crate::audit::Recipient;
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::http::Deadline;
use crate::session::Session;
use crate::shell::posix_quote;
use crate::sink::formats::shell_lines;
use crate::target::{Target, warn_of_conflicts};
use crate::time;

/// Stores the token, or prints it.
pub(crate) async fn run(args: &LoginVaultArgs, ctx: &Context) -> Result<(), Failure> {
    let mut request = Vault::request(&args.vault, ctx)?;
    request.wrap_ttl = request::wrap_ttl(args.wrap_ttl, ctx).could_not(|| "log in to Vault".to_owned())?;
    // A wrapping token is printed and not stored: the user passes it on, it can be unwrapped only once, and `vault`
    // must not find it.
    let printed = args.no_store || request.wrap_ttl.is_some();
    let format = args.format.or(printed.then_some(Format::Own(VaultFormat::Token)));
    let store = match format {
        Some(_) => None,
        None => Some(TokenStore::find(ctx).could_not(|| "store a token of Vault".to_owned())?),
    };
    let session = Session::for_target::<Vault>(ctx, &request)?;
    let login = session.obtain::<Vault>(&request).await?.credential;
    warn_about(&login, &request, ctx);
    match format {
        None => {
            if let Some(store) = store {
                store_token(&login, &store, &request, &session).await?;
            }
            return Ok(());
        }
        Some(format) => {
            let print = async {
                match format {
                    Format::Own(VaultFormat::Token) => ctx.out.lines(&format!("{}\n", login.token.reveal())),
                    Format::Own(VaultFormat::Json) => ctx.out.json_text(&format!("{}\n", pretty(&login))),
                    Format::Shell(format) => {
                        let variables = request.server.variables(
                            &login.token,
                            request.namespace_after_login.as_ref(),
                            ctx,
                        );
                        ctx.out.lines(&shell_lines(&variables, format))
                    }
                }
            };
            session.hand_over().to(Recipient::Stdout, print).await?;
        }
    }
    ctx.out.note_on_terminal(|| lifetime_and_policies(&login, ctx));
    Ok(())
}

/// The server's reply, indented, with its members in the server's order.
fn pretty(login: &VaultLogin) -> String {
    let json = crate::json::Json::parse(login.reply.reveal());
    json.map_or_else(|_| login.reply.reveal().to_owned(), |json| json.pretty())
}

/// Stores the token where `vault` and `bao` look for it.
async fn store_token(
    login: &VaultLogin,
    store: &TokenStore,
    request: &LoginRequest,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let ctx = session.ctx();
    let address = request.server.address.to_string();
    let write = store.store(&login.token, &address, session.deadline());
    let kept = session.hand_over().to(store.recipient(), write).await;
    if kept.is_err()
        && let Ok(client) = request.server.client(&session.http().until(Deadline::after(REVOKE_LIMIT)))
    {
        // Nobody has the token, so nobody else can revoke it. The helper may have used up the time.
        let _ = revoke(&request.server, &login.token, &client).await;
    }
    kept.could_not(|| "store the token".to_owned())?;
    warn_of_conflicts(
        &Vault::conflicting_variables(request, ctx),
        "`vault` and `bao`",
        "the token just stored",
        ctx,
    );
    let is_other = |name: &&str| {
        let named = ctx.var_os(name).map(|named| named.to_string_lossy());
        named.is_some_and(|named| named.trim_end_matches('/') != address.trim_end_matches('/'))
    };
    // If a variable names an agent, tools ask the agent.
    let agent = variable(variables::AGENT_ADDR, ctx).is_some();
    for name in variables::ADDR.iter().filter(|name| !agent && is_other(name)) {
        let address = posix_quote(&address);
        ctx.out.warn(format!(
            "`{name}` names another server, so tools would send the stored token to that server: `export {name}={address}`"
        ));
    }
    if request.namespace_after_login != request.server.namespace {
        let namespace = request.namespace_after_login.as_ref().map_or("", |namespace| namespace.as_str());
        // `vault` reads only `VAULT_…`, and `bao` prefers `BAO_…` if it is set.
        let [of_bao, of_vault] = variables::NAMESPACE;
        let names = [of_vault].into_iter().chain(ctx.is_set(of_bao).then_some(of_bao));
        ctx.out.note(format!(
            "note: tools do not know the namespace of the stored token: `export {}`",
            names.map(|name| format!("{name}={}", posix_quote(namespace))).collect::<Vec<_>>().join(" ")
        ));
    }
    ctx.out.note_on_terminal(|| {
        format!("stored the token in {} · {}", store.describe(), lifetime_and_policies(login, ctx))
    });
    Ok(())
}

/// `expires in 59 min · policies default, deploy`
fn lifetime_and_policies(login: &VaultLogin, ctx: &Context) -> String {
    let expiry = time::expiry(login.expires_at, ctx.now());
    match &login.policies[..] {
        [] => expiry,
        policies => format!("{expiry} · policies {}", policies.join(", ")),
    }
}
