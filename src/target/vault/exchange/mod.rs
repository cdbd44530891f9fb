//! HashiCorp Vault and OpenBao: a login at a mount of the JWT auth method, and the end of a token.
//!
//! Source: the HTTP API's "JWT/OIDC auth method" (`POST auth/<mount>/login`) and "Token auth method"
//! (`POST auth/token/revoke-self`); what a real OpenBao 2.7 answers.

pub mod address;
mod refusal;
mod wire;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use self::address::{Address, Mount, Namespace};
use crate::exchange::{Exchange, ExchangeError, Judged};
use crate::http::{Call, Garbled, Http, HttpError, Reply};
use crate::jwt::IdToken;
use crate::secret::Secret;

/// Where a server is, and in which namespace it is asked.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its address.
    pub address: Address,
    /// The namespace; none for the root.
    pub namespace: Option<Namespace>,
}

/// Everything that a login is asked with, checked before any request.
#[derive(Debug, Clone)]
pub struct JwtLogin {
    /// The server and the namespace of the mount.
    pub server: Server,
    /// Where the auth method is mounted.
    pub mount: Mount,
    /// The role; none for the mount's default.
    pub role: Option<String>,
    /// How long a wrapping token lives, where the answer is to be wrapped: whole seconds, at least one.
    pub wrap_ttl: Option<Duration>,
}

/// What a login gave.
#[derive(Debug, Clone)]
pub struct VaultLogin {
    /// The token, or the token that opens a wrapped one.
    pub token: Secret,
    /// Whether it opens a wrapped one.
    pub wrapped: bool,
    /// When it ends, where it does.
    pub expires_at: Option<Timestamp>,
    /// How long it lives, in seconds; 0 for one that does not end.
    pub lease_seconds: u64,
    /// Its policies, in the order of the server.
    pub policies: Vec<String>,
    /// What the server remarks.
    pub warnings: Vec<String>,
    /// The whole answer, JSON as the server wrote it.
    pub reply: Secret,
}

/// How a token ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// It did just now.
    Now,
    /// The server does not know it.
    Unknown,
    /// It is a batch token, which lives to its end.
    Never,
}

/// One server.
pub struct Vault<'a> {
    http: &'a Http<'a>,
    server: &'a Server,
}

/// A login at one mount.
pub struct VaultMount<'a> {
    vault: Vault<'a>,
    login: &'a JwtLogin,
}

impl<'a> Vault<'a> {
    /// Nothing is sent yet.
    #[must_use]
    pub fn new(http: &'a Http<'a>, server: &'a Server) -> Self {
        Self { http, server }
    }

    /// How messages call it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("Vault ({})", self.server.address.origin())
    }

    /// Ends a token and all that was made with it (`POST auth/token/revoke-self`).
    pub async fn revoke(&self, token: &Secret) -> Result<Revoked, ExchangeError> {
        let call = self.call("auth/token/revoke-self", Vec::new())?;
        let call = call.secret_header("x-vault-token", token).map_err(|cause| self.unreachable(cause))?;
        let reply = self.send(&call).await?;
        if reply.is_success() {
            return Ok(Revoked::Now);
        }
        let refused = refusal::Refused::read(self, &reply)?;
        match reply.status {
            403 => Ok(Revoked::Unknown),
            400 if refused.says("batch tokens cannot be revoked") => Ok(Revoked::Never),
            _ => Err(refused.without_token()),
        }
    }

    /// A request below `/v1/`, with what every request has.
    fn call(&self, path: &str, body: Vec<u8>) -> Result<Call, ExchangeError> {
        // An Agent or Proxy may ask for `X-Vault-Request`, to know who forges requests through a browser.
        let mut call = Call::post(self.server.address.endpoint(path), body)
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .header("x-vault-request", "true");
        if let Some(namespace) = &self.server.namespace {
            call = call
                .header_from("x-vault-namespace", namespace.as_str())
                .map_err(|cause| self.unreachable(cause))?;
        }
        Ok(call)
    }

    /// One answer, after the tries that Vault's own client makes: 412 and every 5xx but 501, of which
    /// [`Http::send`] knows those that any server gives.
    async fn send(&self, call: &Call) -> Result<Reply, ExchangeError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let reply = self.http.send(call).await.map_err(|cause| self.unreachable(cause))?;
            let odd = reply.status == 412 || (reply.status >= 500 && !matches!(reply.status, 501..=504));
            if !(odd && self.http.pause_before_retry(tries).await) {
                return Ok(reply);
            }
        }
    }

    fn unreachable(&self, cause: HttpError) -> ExchangeError {
        let cause = match cause {
            // Go's server says so in a reply that is lost, because it does not read the request's body.
            HttpError::Reset { origin, persistence } if origin.starts_with("http://") => {
                HttpError::PerhapsTls { origin, persistence }
            }
            other => other,
        };
        ExchangeError::Unreachable { target: self.name(), cause }
    }
}

impl<'a> VaultMount<'a> {
    /// Nothing is sent yet.
    #[must_use]
    pub fn new(http: &'a Http<'a>, login: &'a JwtLogin) -> Self {
        Self { vault: Vault::new(http, &login.server), login }
    }

    /// The claims of the token and what else the server compares.
    fn judged(&self, token: &IdToken) -> Judged {
        let mut judged = Judged::of(token)
            .with("role", self.login.role.as_deref().unwrap_or("(the default of the mount)"))
            .with("mount", self.login.mount.as_str());
        if let Some(namespace) = &self.login.server.namespace {
            judged = judged.with("namespace", namespace.as_str());
        }
        judged
    }

    fn accept(&self, reply: &Reply, token: &IdToken) -> Result<VaultLogin, ExchangeError> {
        let (login, text) =
            wire::read(reply).map_err(|cause| ExchangeError::Garbled { target: self.target(), cause })?;
        if !login.errors.is_empty() {
            return Err(refusal::Refused::new(&self.vault, login.errors, reply).explain(self, token));
        }
        let warnings = login.warnings.unwrap_or_default();
        if let Some(requirement) = login.auth.as_ref().and_then(|auth| auth.mfa_requirement.as_ref()) {
            return Err(refusal::of_mfa(self, requirement, token));
        }
        let now = self.vault.http.ctx().now();
        let end = |seconds: u64| {
            let life = SignedDuration::from_secs(i64::try_from(seconds).ok()?);
            let now = Timestamp::from_second(now.as_second()).ok()?;
            (seconds > 0).then(|| now.checked_add(life).ok()).flatten()
        };
        let lacks = |member: &str| ExchangeError::Garbled {
            target: self.target(),
            cause: Garbled::Content {
                origin: reply.origin.clone(),
                expected: "JSON",
                reason: format!("it has no `{member}`"),
            },
        };
        let wrapped = self.login.wrap_ttl.is_some();
        match (login.wrap_info, login.auth) {
            (Some(info), _) if wrapped && !info.token.reveal().is_empty() => Ok(VaultLogin {
                token: info.token,
                wrapped,
                expires_at: end(info.ttl),
                lease_seconds: info.ttl,
                policies: Vec::new(),
                warnings,
                reply: text,
            }),
            // A token in the clear is not what whoever asked for a wrapped one may hand on.
            (None, Some(_)) if wrapped => Err(ExchangeError::WrongCredential {
                target: self.target(),
                what: "a token that is not wrapped, which was not kept".into(),
                judged: Box::new(self.judged(token)),
                hint: "what answers does not wrap (`X-Vault-Wrap-TTL`): leave `--wrap-ttl` out, or ask Vault itself"
                    .into(),
            }),
            (_, Some(auth)) if !auth.client_token.reveal().is_empty() => Ok(VaultLogin {
                token: auth.client_token,
                wrapped: false,
                expires_at: end(auth.lease_duration),
                lease_seconds: auth.lease_duration,
                policies: auth.policies.unwrap_or_default(),
                warnings,
                reply: text,
            }),
            _ => Err(lacks(if wrapped { "wrap_info.token" } else { "auth.client_token" })),
        }
    }
}

impl Exchange for VaultMount<'_> {
    type Credential = VaultLogin;

    fn target(&self) -> String {
        self.vault.name()
    }

    async fn exchange(&self, token: &IdToken) -> Result<VaultLogin, ExchangeError> {
        let path = format!("auth/{}/login", self.login.mount.as_str());
        let mut call = self.vault.call(&path, wire::body(self.login.role.as_deref(), token))?;
        if let Some(ttl) = self.login.wrap_ttl {
            call = call
                .header_from("x-vault-wrap-ttl", &format!("{}s", ttl.as_secs()))
                .map_err(|cause| self.vault.unreachable(cause))?;
        }
        let reply = self.vault.send(&call).await?;
        if reply.is_success() {
            return self.accept(&reply, token);
        }
        Err(match refusal::Refused::read(&self.vault, &reply) {
            Ok(refused) => refused.explain(self, token),
            Err(other) => other,
        })
    }
}
