//! HashiCorp Vault and OpenBao: a login at a mount of the JWT auth method, and the use of its
//! token.

pub mod args;
pub(crate) mod doctor;
pub mod exchange;
pub(crate) mod exec;
pub(crate) mod login;
pub(crate) mod logout;
mod request;
pub(crate) mod role;
pub(crate) mod token_store;
pub(crate) mod trust;
mod variables;

use self::args::VaultArgs;
use self::exchange::{JwtLogin, VaultLogin};
use crate::audit::Access;
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exchange::ExchangeError;
use crate::http::{Http, HttpError, SecureUrl};
use crate::jwt::IdToken;
use crate::settings::SessionOptions;
use crate::shell;
use crate::source::TokenRequest;
use crate::target::Target;
use crate::time;

pub use request::{LoginRequest, ServerSettings};

/// A token that lives for more seconds than this usually outlives its workspace.
const LONG_LIFE: u64 = 86_400;

/// HashiCorp Vault or OpenBao.
pub struct Vault;

impl Target for Vault {
    const CONFLICTING_VARIABLES: &'static [&'static str] = &[
        variables::TOKEN[0],
        variables::TOKEN[1],
        variables::AGENT_ADDR[0],
        variables::AGENT_ADDR[1],
        variables::WRAP_TTL[0],
        variables::WRAP_TTL[1],
    ];
    type Args = VaultArgs;
    type Request = LoginRequest;
    type Credential = VaultLogin;

    fn request(args: &VaultArgs, ctx: &Context) -> Result<LoginRequest, Failure> {
        request::read(args, ctx).could_not(|| "log in to Vault".to_owned())
    }

    fn action(request: &LoginRequest) -> String {
        format!("log in to Vault at {}", request.server.address)
    }

    fn token_request(request: &LoginRequest) -> &TokenRequest {
        &request.token
    }

    fn options(request: &LoginRequest) -> &SessionOptions {
        &request.options
    }

    fn client<'a>(request: &LoginRequest, http: &Http<'a>) -> Result<Http<'a>, HttpError> {
        request.server.client(http)
    }

    /// A token in the environment. This login itself reads the other variables.
    fn conflicting_variables(_: &LoginRequest, ctx: &Context) -> Vec<&'static str> {
        shadowing_tokens(ctx)
    }

    fn warn_before_sending(request: &LoginRequest, ctx: &Context) {
        request.server.alarm_unverified(ctx);
    }

    /// No server belongs to the vendor, so every host is foreign.
    fn foreign_hosts(request: &LoginRequest) -> Vec<String> {
        vec![request.server.address.origin()]
    }

    fn urls(request: &LoginRequest) -> Vec<SecureUrl> {
        vec![request.server.address.url().clone()]
    }

    fn access(request: &LoginRequest, login: Option<&VaultLogin>) -> Access {
        Access {
            role: request.role.clone(),
            mount: Some(request.mount.as_str().to_owned()),
            provider: Some(request.server.address.to_string()),
            expires_at: login.and_then(|login| login.expires_at),
            ..Access::default()
        }
    }

    async fn exchange(
        request: &LoginRequest,
        token: &IdToken,
        http: &Http<'_>,
    ) -> Result<VaultLogin, ExchangeError> {
        JwtLogin(request).log_in(token, http).await
    }
}

/// The variables with a token that `vault` and `bao` prefer to a stored one.
fn shadowing_tokens(ctx: &Context) -> Vec<&'static str> {
    variables::TOKEN.into_iter().filter(|name| ctx.var_os(name).is_some()).collect()
}

/// Prints the server's warnings, and warns about a long lifetime, which may be a mistake.
fn warn_about(login: &VaultLogin, request: &LoginRequest, ctx: &Context) {
    for warning in &login.warnings {
        ctx.out.warn(format!("the server says: {warning}"));
    }
    let life = match login.lease_seconds {
        _ if login.wrapped => return,
        0 => "does not expire".to_owned(),
        seconds if seconds > LONG_LIFE => format!("lives for {}", time::span(seconds)),
        _ => return,
    };
    let (mount, role) = (request.mount.as_str(), request.role.as_deref().unwrap_or("ROLE"));
    let role = format!("auth/{mount}/role/{role}");
    let fix = shell::command(&["vault", "write", &role, "role_type=jwt", "token_ttl=1h"]);
    ctx.out.warn(format!(
        "this token {life}: set a shorter lifetime on the role with `{fix}`, and revoke the token with `gp idp logout vault`"
    ));
}
