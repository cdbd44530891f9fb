//! HashiCorp Vault and OpenBao: a login at a mount of the JWT auth method, and the revocation of a
//! token.
//!
//! Source: the HTTP API's "JWT/OIDC auth method" (`POST auth/<mount>/login`) and "Token auth method"
//! (`POST auth/token/revoke-self`); the replies of a real OpenBao 2.7.

pub mod address;
mod cause;
mod hint;
mod wire;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use self::cause::Cause;
use self::wire::Refusal;
use super::request::{LoginRequest, ServerSettings};
use crate::exchange::{
    AddressSettings, Answer, CheckedValues, ErrorText, ExchangeError, Explanation, Issued, Refused, Service,
    ask, error_text, retry_hint, send, state_of, unavailable, unavailable_hint,
};
use crate::http::{Call, Deadline, Http, HttpError, Reply, UnexpectedReply, is_overloaded};
use crate::json::Json;
use crate::jwt::{Decoded, IdToken};
use crate::secret::Secret;
use crate::time;

/// The result of a login.
#[derive(Debug, Clone)]
pub struct VaultLogin {
    /// The token, or the wrapping token.
    pub token: Secret,
    /// Whether it is a wrapping token.
    pub wrapped: bool,
    /// When the token expires; `None` if it does not expire.
    pub expires_at: Option<Timestamp>,
    /// The lifetime in seconds; 0 if the token does not expire.
    pub lease_seconds: u64,
    /// The token's policies, in the order of the server.
    pub policies: Vec<String>,
    /// The server's warnings.
    pub warnings: Vec<String>,
    /// The whole reply: JSON as the server sent it.
    pub reply: Secret,
}

impl Issued for VaultLogin {
    fn secrets(&self) -> Vec<(&'static str, &Secret)> {
        let name = if self.wrapped { "wrap_info.token" } else { "auth.client_token" };
        vec![(name, &self.token)]
    }
}

/// The result of a revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// The server revoked the token.
    Done,
    /// The server does not know the token.
    UnknownToken,
    /// A batch token cannot be revoked: it is valid until it expires.
    NotRevocable,
}

/// A login with an ID token.
pub(super) struct JwtLogin<'a>(pub(super) &'a LoginRequest);

/// The revocation of a token.
struct RevokeSelf<'a>(&'a ServerSettings);

impl JwtLogin<'_> {
    /// Logs in. Refuses an unwrapped token if a wrapped one was requested.
    pub(super) async fn log_in(&self, token: &IdToken, http: &Http<'_>) -> Result<VaultLogin, ExchangeError> {
        let login = ask(self, self.call(token), token, http).await?;
        if self.0.wrap_ttl.is_some() && !login.wrapped {
            let checked_values = self.compared();
            let checked_values = checked_values
                .into_iter()
                .fold(CheckedValues::of(token), |all, (name, value)| all.with(name, value));
            // Nobody has the token, so nobody else can revoke it.
            let in_time = http.until(Deadline::after(REVOKE_LIMIT));
            let end = match revoke(&self.0.server, &login.token, &in_time).await {
                Ok(Revocation::Done | Revocation::UnknownToken) => "`gp` revoked it".to_owned(),
                _ => format!(
                    "it is not stored here, but {} on the server",
                    time::expiry(login.expires_at, http.ctx().now())
                ),
            };
            return Err(ExchangeError::WrongCredential {
                target: self.name(),
                what: format!("an unwrapped token; {end}"),
                checked_values: Box::new(checked_values),
                hint: format!(
                    "most likely a proxy between here and Vault drops the header `X-Vault-Wrap-TTL`: set `{}` to the address of Vault itself\n\
                     otherwise leave out `--wrap-ttl`",
                    self.0.server.address_from
                ),
            });
        }
        Ok(login)
    }

    fn call(&self, token: &IdToken) -> Result<Call, HttpError> {
        let body = wire::Body { role: self.0.role.as_deref(), jwt: token.reveal() };
        let call = call(&self.0.server, &format!("auth/{}/login", self.0.mount.as_str()), &body)?;
        match self.0.wrap_ttl {
            Some(ttl) => call.header_from("x-vault-wrap-ttl", &format!("{}s", ttl.as_secs())),
            None => Ok(call),
        }
    }

    /// What the server compares beside the claims.
    fn compared(&self) -> Vec<(&'static str, String)> {
        let role = self.0.role.as_deref().unwrap_or("(the default of the mount)");
        let mut compared = vec![("role", role.to_owned()), ("mount", self.0.mount.as_str().to_owned())];
        let namespace = self.0.server.namespace.as_ref();
        compared.extend(namespace.map(|namespace| ("namespace", namespace.as_str().to_owned())));
        compared
    }
}

/// A request below `/v1/`, with the headers of every request.
fn call(server: &ServerSettings, path: &str, body: &impl serde::Serialize) -> Result<Call, HttpError> {
    // An Agent or Proxy may require `X-Vault-Request`, as a protection against forged requests
    // (SSRF).
    let call = Call::post_json(server.address.endpoint(path), body)?
        .header("accept", "application/json")
        .header("x-vault-request", "true");
    match &server.namespace {
        Some(namespace) => call.header_from("x-vault-namespace", namespace.as_str()),
        None => Ok(call),
    }
}

/// The time limit for revoking a token that nobody gets. It does not depend on the command's limit.
pub(super) const REVOKE_LIMIT: Duration = Duration::from_secs(5);

/// Revokes a token, its child tokens and its leases (`POST auth/token/revoke-self`).
pub(super) async fn revoke(
    server: &ServerSettings,
    token: &Secret,
    http: &Http<'_>,
) -> Result<Revocation, ExchangeError> {
    let service = RevokeSelf(server);
    let call = call(server, "auth/token/revoke-self", &serde_json::json!({}))
        .and_then(|call| call.secret_header("x-vault-token", token));
    let (refusal, reply) = match send(&service, call, http).await? {
        Ok(()) => return Ok(Revocation::Done),
        Err(refused) => refused,
    };
    match reply.status {
        403 => return Ok(Revocation::UnknownToken),
        400 if refusal.says("batch tokens cannot be revoked") => return Ok(Revocation::NotRevocable),
        _ => {}
    }
    let now = http.ctx().now();
    if let Some(error) = unavailable(&service, &refusal, &reply, now) {
        return Err(error);
    }
    let (target, error_text) = (service.name(), error_text(service.words(&refusal), &reply, now));
    let hint = format!(
        "the server refuses to revoke the token for the reason above: if `{}` or `{}` differs from the login, correct it",
        server.address_from, server.namespace_from
    );
    let hint = Some(hint);
    Err(ExchangeError::Rejected { target, error_text, checked_values: Box::default(), hint, stale: false })
}

/// The statuses that Vault's own client retries, 412 and every 5xx except 501, without those that
/// the HTTP client retries for every server (502 to 504).
fn is_transient(status: u16) -> bool {
    status == 412 || (status >= 500 && !matches!(status, 501..=504))
}

fn unreachable(cause: HttpError) -> HttpError {
    match cause {
        // Go's server replies that it expects TLS. The reply is lost, because the server does not read the body of the
        // request.
        HttpError::Reset { origin, attempts } if origin.starts_with("http://") => {
            HttpError::PerhapsTls { origin, attempts }
        }
        other => other,
    }
}

fn unexpected(server: &ServerSettings, reply: &Reply, cause: UnexpectedReply) -> ExchangeError {
    let service = RevokeSelf(server);
    let (target, address) = (service.name(), Box::new(service.address_settings()));
    match cause {
        _ if reply.wants_tls() => {
            let cause = HttpError::WantsTls { origin: reply.origin.clone() };
            ExchangeError::Unreachable { target, address, cause }
        }
        // A standby node names the active node. The ID token is not sent there automatically.
        UnexpectedReply::Redirect { location: Some(location), status, .. } if location.contains("/v1/") => {
            let (active, _) = location.split_once("/v1/").unwrap_or_default();
            ExchangeError::Unavailable {
                target,
                state: "does not accept logins",
                error_text: format!("it redirects to {active} (HTTP {status})"),
                hint: format!(
                    "most likely it is a standby node, and {active} is the active one: {}",
                    server.with_address(active)
                ),
            }
        }
        cause => ExchangeError::UnexpectedReply { target, address, cause },
    }
}

impl Service for RevokeSelf<'_> {
    type Issued = ();
    type Refusal = Refusal;
    const SHORT_NAME: &'static str = "the server";

    fn name(&self) -> String {
        format!("Vault ({})", self.0.address.origin())
    }

    fn address_settings(&self) -> AddressSettings {
        AddressSettings::in_use(self.0.address_from, None)
    }

    fn read(&self, reply: &Reply, _: Timestamp) -> Result<Answer<(), Refusal>, UnexpectedReply> {
        if reply.is_success() { Ok(Answer::Issued(())) } else { wire::refusal(reply).map(Answer::Refused) }
    }

    fn is_transient(&self, _: &Refusal, status: u16) -> bool {
        is_transient(status)
    }

    fn is_unavailable(&self, refusal: &Refusal, status: u16) -> bool {
        refusal.says("is sealed") || status == 412 || is_overloaded(status)
    }

    fn unavailable(&self, refusal: &Refusal, status: u16, asked: Option<Duration>) -> (&'static str, String) {
        if refusal.says("is sealed") {
            let hint = "ask the holders of Vault's unseal keys to run `vault operator unseal`";
            return ("accepts no requests now", hint.to_owned());
        }
        if status == 503 {
            let hint = format!(
                "most likely Vault is restarting or is sealed: {}\n\
                 if it fails again, ask Vault's operator to start or unseal Vault",
                retry_hint("in a few minutes", asked)
            );
            return (state_of(status), hint);
        }
        (state_of(status), unavailable_hint(status, asked))
    }

    fn words(&self, refusal: &Refusal) -> ErrorText {
        let errors: Vec<&str> = refusal.errors.iter().map(|error| error.trim()).collect();
        ErrorText { message: errors.join("; "), codes: Vec::new() }
    }

    fn explain(&self, _: &Refused<'_, Refusal>) -> Explanation {
        Explanation::default()
    }

    fn unreachable(&self, cause: HttpError) -> HttpError {
        unreachable(cause)
    }

    fn unexpected(&self, reply: &Reply, cause: UnexpectedReply) -> ExchangeError {
        unexpected(self.0, reply, cause)
    }
}

impl Service for JwtLogin<'_> {
    type Issued = VaultLogin;
    type Refusal = Refusal;
    const SHORT_NAME: &'static str = "the server";

    fn name(&self) -> String {
        RevokeSelf(&self.0.server).name()
    }

    fn address_settings(&self) -> AddressSettings {
        RevokeSelf(&self.0.server).address_settings()
    }

    fn read(&self, reply: &Reply, now: Timestamp) -> Result<Answer<VaultLogin, Refusal>, UnexpectedReply> {
        if !reply.is_success() {
            return wire::refusal(reply).map(Answer::Refused);
        }
        let login: wire::Login = reply.json()?;
        if !login.errors.is_empty() {
            return Ok(Answer::Refused(Refusal { errors: login.errors, mfa: None }));
        }
        if let Some(mfa) = login.auth.as_ref().and_then(|auth| auth.mfa_requirement.as_ref()) {
            let words =
                format!("it requires a second factor{}, which a workspace cannot provide", mfa.kinds());
            return Ok(Answer::Refused(Refusal { errors: vec![words], mfa: Some(mfa.enforcements()) }));
        }
        let end = |seconds: u64| {
            let life = SignedDuration::from_secs(i64::try_from(seconds).ok()?);
            let now = Timestamp::from_second(now.as_second()).ok()?;
            (seconds > 0).then(|| now.checked_add(life).ok()).flatten()
        };
        let warnings = login.warnings.unwrap_or_default();
        let wrapped = self.0.wrap_ttl.is_some();
        Ok(Answer::Issued(match (login.wrap_info, login.auth) {
            (Some(info), _) if wrapped && !info.token.reveal().is_empty() => VaultLogin {
                token: info.token,
                wrapped,
                expires_at: end(info.ttl),
                lease_seconds: info.ttl,
                policies: Vec::new(),
                warnings,
                reply: reply.secret_text(),
            },
            (_, Some(auth)) if !auth.client_token.reveal().is_empty() => VaultLogin {
                token: auth.client_token,
                wrapped: false,
                expires_at: end(auth.lease_duration),
                lease_seconds: auth.lease_duration,
                policies: auth.policies.unwrap_or_default(),
                warnings,
                reply: reply.secret_text(),
            },
            _ => {
                return Err(reply.missing_member(if wrapped {
                    "wrap_info.token"
                } else {
                    "auth.client_token"
                }));
            }
        }))
    }

    fn is_transient(&self, _: &Refusal, status: u16) -> bool {
        is_transient(status)
    }

    /// The server reports some mistakes of the caller with a status from 500 on.
    fn is_unavailable(&self, refusal: &Refusal, status: u16) -> bool {
        RevokeSelf(&self.0.server).is_unavailable(refusal, status)
            && cause::of(status, &refusal.errors) == Cause::Other
    }

    fn unavailable(&self, refusal: &Refusal, status: u16, asked: Option<Duration>) -> (&'static str, String) {
        RevokeSelf(&self.0.server).unavailable(refusal, status, asked)
    }

    fn words(&self, refusal: &Refusal) -> ErrorText {
        RevokeSelf(&self.0.server).words(refusal)
    }

    fn explain(&self, refused: &Refused<'_, Refusal>) -> Explanation {
        let mut checked_values = self.compared();
        if let Some(enforcements) = &refused.refusal.mfa {
            let hint = format!(
                "ask whoever runs the server to leave the mount `{}` out of the MFA login enforcement{enforcements}",
                self.0.mount.as_str()
            );
            return Explanation { checked_values, hint: Some(hint), needs_new_token: false };
        }
        let cause = cause::of(refused.reply.status, &refused.refusal.errors);
        if let Cause::Claim(name)
        | Cause::NoClaim(name)
        | Cause::NoUser(name)
        | Cause::UserNotString(name)
        | Cause::NoGroups(name) = cause
        {
            checked_values.push(("claim", format!("{name} = {}", claim_of(refused.token, name))));
        }
        // Each login mints a new ID token: another one would have the same claims.
        Explanation { checked_values, hint: hint::of(&cause, self.0, refused), needs_new_token: false }
    }

    fn unreachable(&self, cause: HttpError) -> HttpError {
        unreachable(cause)
    }

    fn unexpected(&self, reply: &Reply, cause: UnexpectedReply) -> ExchangeError {
        unexpected(&self.0.server, reply, cause)
    }
}

/// The value of a claim by Vault's name for it: `repository`, or a pointer such as `/a/b`.
fn claim_of(token: &IdToken, name: &str) -> String {
    let payload = Decoded::parse(token.reveal()).map(|decoded| decoded.payload);
    let path = name.strip_prefix('/').map(|path| path.replace('/', "."));
    let value =
        payload.ok().and_then(|payload| payload.at(path.as_deref().unwrap_or(name)).map(Json::compact));
    value.unwrap_or_else(|| "(none)".into())
}
