//! The handling of one request to the server.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Json};
use serde_json::{Value, json};

use super::authorize::{self, LoginParameters, Trusted};
use super::fault::{Kind, VaultFault};
use super::kv::{KvPath, Secrets};
use super::options::VaultOptions;
use super::refusal::Refusal;
use super::tokens::wrap_info_reply;
use super::{Outcome, envelope};
use crate::dev::State;
use crate::target::vault::role::claim;
use crate::time::parse_duration;

pub(super) struct Request<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

impl Request<'_> {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn is_write(&self) -> bool {
        self.method == Method::POST || self.method == Method::PUT
    }

    pub(super) fn serve(&self, state: &State) -> Outcome {
        let options = &state.options.vault;
        let is_login = self.is_write() && self.path.ends_with("/login");
        let applies = |kind: Kind| is_login || kind.reply_to_any_request().is_some();
        let fault = state.vault.memory(|memory| {
            memory.faults.iter_mut().find_map(|fault: &mut VaultFault| fault.take_if(applies))
        });
        if let Some(response) = fault.and_then(Kind::reply_to_any_request) {
            return response;
        }
        if self.path.ends_with('/') && self.is_write() {
            return Err(Refusal::trailing_slash());
        }
        let (namespace, path) = self.place(options)?;
        match path {
            "auth/token/revoke-self" if self.is_write() => self.revoke(state),
            "auth/token/lookup-self" => self.look_up(state),
            "sys/wrapping/unwrap" if self.is_write() => self.unwrap(state),
            path if path == format!("auth/{}/login", options.mount) && namespace == options.namespace() => {
                if self.is_write() {
                    self.log_in(state, fault)
                } else {
                    Err(Refusal::operation())
                }
            }
            path => match KvPath::of(path).filter(|_| namespace == options.namespace()) {
                Some(place) => self.secret(&place, state),
                // The reply does not show which paths exist.
                None => Err(Refusal::denied()),
            },
        }
    }

    /// The namespace, from the header or the path, and the path without it.
    fn place(&self, options: &VaultOptions) -> Result<(String, &str), Refusal> {
        let named = self.header("x-vault-namespace").unwrap_or_default().trim_matches('/');
        let known = options.namespace();
        if !named.is_empty() && named != known {
            return Err(Refusal::no_namespace());
        }
        match self.path.strip_prefix(&format!("{known}/")) {
            Some(rest) if !known.is_empty() && named.is_empty() => Ok((known, rest)),
            _ => Ok((named.to_owned(), self.path)),
        }
    }

    /// The parameters in the body: the members of a JSON object, or of a form.
    pub(super) fn parameters(&self) -> Result<Value, Refusal> {
        let form = self
            .header(header::CONTENT_TYPE.as_str())
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        if form && !self.body.starts_with(b"{") {
            let fields = url::form_urlencoded::parse(self.body);
            return Ok(fields.map(|(name, value)| (name.into_owned(), Value::from(value))).collect());
        }
        if self.body.is_empty() {
            return Ok(json!({}));
        }
        match serde_json::from_slice(self.body) {
            Ok(object @ Value::Object(_)) => Ok(object),
            Ok(_) => Err(Refusal::bad("failed to decode JSON input: it is not an object")),
            Err(error) => Err(Refusal::bad(format!("failed to decode JSON input: {error}"))),
        }
    }

    fn log_in(&self, state: &State, fault: Option<Kind>) -> Outcome {
        let options = &state.options.vault;
        if let Some(outcome) = fault.and_then(Kind::reply_to_login) {
            return outcome;
        }
        let parameters = self.parameters()?;
        let text = |name: &str| parameters[name].as_str().filter(|text| !text.is_empty());
        let asked = LoginParameters { role: text("role"), token: text("jwt").map(str::trim) };
        let now = state.options.clock.now();
        let trusted = Trusted { issuer: state.issuer.url(), jwks: state.issuer.jwks() };
        let known: Vec<&str> = options.roles.iter().map(|role| role.name.as_str()).collect();
        if let Some(name) = asked.role.filter(|name| !known.contains(&name.to_lowercase().as_str())) {
            state.options.hints.on_unknown("Vault", "role", name, &known, "--vault-role");
        }
        let granted = authorize::authorize(options, &trusted, &asked, now)?;
        let ttl = self.wrap_ttl()?;
        let (role, now) = (granted.role, now.as_second());
        let settings = &role.rules.token;
        let mapped = role
            .rules
            .claim_mappings
            .iter()
            .filter_map(|(name, key)| Some((key.clone(), claim(&granted.claims, name)?.as_str()?)));
        let metadata: BTreeMap<String, String> = mapped.chain([("role".into(), role.name.clone())]).collect();
        let auth = state.vault.memory(|memory| {
            let (token, accessor) = memory.tokens.add(role, now);
            let lease = role.ttl();
            json!({
                "client_token": token,
                "accessor": accessor,
                "policies": role.policies(),
                "token_policies": role.policies(),
                "metadata": metadata,
                "lease_duration": lease,
                "renewable": !settings.is_batch,
                "entity_id": "00000000-0000-4000-8000-000000000004",
                "token_type": if settings.is_batch { "batch" } else { "service" },
                "orphan": true,
                "mfa_requirement": null,
                "num_uses": settings.num_uses,
            })
        });
        let reply = envelope(&json!({"auth": auth}));
        match ttl {
            Some(ttl) if fault != Some(Kind::NotWrapped) => {
                let created = state.options.clock.now().to_string();
                let (token, accessor) = state.vault.memory(|memory| memory.tokens.wrap(reply, ttl, now));
                Ok(Json(wrap_info_reply(&token, &accessor, ttl, &created, self.path)).into_response())
            }
            _ => Ok(Json(reply).into_response()),
        }
    }

    /// The TTL of the wrapping token, in seconds; `None` if no wrapping is requested.
    fn wrap_ttl(&self) -> Result<Option<u64>, Refusal> {
        let Some(text) = self.header("x-vault-wrap-ttl") else { return Ok(None) };
        if text.starts_with('-') {
            return Err(Refusal::wrap_ttl("requested wrap ttl cannot be negative"));
        }
        let ttl = parse_duration(text);
        let ttl = ttl.map_err(|_| Refusal::wrap_ttl(&format!("time: invalid duration {text:?}")))?;
        Ok((ttl > Duration::ZERO).then_some(ttl.as_secs()))
    }

    fn token(&self) -> &str {
        self.header("x-vault-token").unwrap_or_default()
    }

    fn revoke(&self, state: &State) -> Outcome {
        let now = state.options.clock.now().as_second();
        state.vault.memory(|memory| memory.tokens.revoke(self.token(), now))?;
        Ok(StatusCode::NO_CONTENT.into_response())
    }

    fn look_up(&self, state: &State) -> Outcome {
        let now = state.options.clock.now().as_second();
        let data = state.vault.memory(|memory| memory.tokens.look_up(self.token(), now))?;
        Ok(Json(envelope(&json!({"data": data}))).into_response())
    }

    /// Reads or writes a secret.
    fn secret(&self, place: &KvPath<'_>, state: &State) -> Outcome {
        let now = state.options.clock.now();
        let data = state.vault.memory(|memory| {
            memory.tokens.look_up(self.token(), now.as_second())?;
            match place {
                KvPath::Mount => Ok(Secrets::mount()),
                KvPath::Data(name) if self.is_write() => memory.secrets.write(name, &self.parameters()?, now),
                KvPath::Data(name) if self.method == Method::GET => memory.secrets.read(name),
                KvPath::Data(_) => Err(Refusal::operation()),
            }
        })?;
        Ok(Json(envelope(&json!({"data": data}))).into_response())
    }

    fn unwrap(&self, state: &State) -> Outcome {
        let now = state.options.clock.now().as_second();
        let reply = state.vault.memory(|memory| memory.tokens.unwrap(self.token(), now))?;
        Ok(Json(reply).into_response())
    }
}
