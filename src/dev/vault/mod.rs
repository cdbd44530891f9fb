//! A Vault or OpenBao server with one mount of the JWT auth method. It verifies the ID token,
//! checks it against a role, and answers in the words of OpenBao 2.7. Its tokens can be looked up,
//! unwrapped and revoked, and give access to the [secrets](kv) of this server.
//!
//! Source: the HTTP API's "JWT/OIDC auth method" and "Token auth method", and the replies of
//! OpenBao 2.7.

mod authorize;
mod fault;
mod kv;
mod options;
mod refusal;
mod request;
mod tokens;

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, Method, header};
use axum::response::Response;
use axum::routing::any;
use serde_json::{Value, json};

use super::State;
use super::token::Token;
use kv::Secrets;
use refusal::Refusal;
use request::Request;
use tokens::Tokens;

pub use fault::VaultFault;
pub use options::{DEV_VAULT_ROLES, VaultOptions, VaultRole};

/// The path of the server, below the API's address.
pub(super) const PATH: &str = "/vault";

/// One recorded request, without tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultRequest {
    pub method: String,
    /// The path below `/v1/`.
    pub path: String,
    /// `X-Vault-Namespace`
    pub namespace: Option<String>,
    /// `X-Vault-Wrap-TTL`
    pub wrap_ttl: Option<String>,
    /// Whether it has `X-Vault-Request: true` and the content type of JSON.
    pub has_client_headers: bool,
    /// `role`, if the request has one.
    pub role: Option<String>,
    /// `aud` of the ID token, if the request has one.
    pub audience: Vec<String>,
    /// The HTTP status it got.
    pub status: u16,
    /// The error text, if the request was refused.
    pub error: Option<String>,
}

/// The state of the server.
#[derive(Default)]
pub(super) struct Vault {
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    faults: Vec<VaultFault>,
    tokens: Tokens,
    secrets: Secrets,
    requests: Vec<VaultRequest>,
}

impl Vault {
    pub(super) fn new(options: &VaultOptions) -> Self {
        let memory = Memory { faults: options.faults.clone(), ..Memory::default() };
        Self { memory: Mutex::new(memory) }
    }

    pub(super) fn requests(&self) -> Vec<VaultRequest> {
        self.memory(|memory| memory.requests.clone())
    }

    fn memory<T>(&self, with: impl FnOnce(&mut Memory) -> T) -> T {
        with(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(super) fn routes(state: Arc<State>) -> Router {
    Router::new().route(&format!("{PATH}/v1/{{*path}}"), any(answer)).with_state(state)
}

type Outcome = Result<Response, Refusal>;

async fn answer(
    Shared(state): Shared<Arc<State>>,
    method: Method,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = Request { method, path: &path, headers: &headers, body: &body };
    let outcome = request.serve(&state);
    let (response, error) = match outcome {
        Ok(response) => (response, None),
        Err(refusal) => (refusal.response(), Some(refusal.error)),
    };
    let parameters = request.parameters().unwrap_or_default();
    let text = |name: &str| parameters[name].as_str().map(str::to_owned);
    let audience = text("jwt").and_then(|token| Token::read(&token)?.audience());
    let noted = VaultRequest {
        method: request.method.to_string(),
        path: path.clone(),
        namespace: request.header("x-vault-namespace").map(str::to_owned),
        wrap_ttl: request.header("x-vault-wrap-ttl").map(str::to_owned),
        has_client_headers: request.header("x-vault-request") == Some("true")
            && request.header(header::CONTENT_TYPE.as_str()) == Some("application/json"),
        role: text("role"),
        audience: audience.unwrap_or_default(),
        status: response.status().as_u16(),
        error,
    };
    state.vault.memory(|memory| memory.requests.push(noted));
    response
}

/// A reply with the members that every reply has.
fn envelope(with: &Value) -> Value {
    let member = |name: &str| with.get(name).cloned().unwrap_or_default();
    json!({
        "request_id": "00000000-0000-4000-8000-000000000005",
        "lease_id": "",
        "renewable": false,
        "lease_duration": 0,
        "data": member("data"),
        "wrap_info": null,
        "warnings": member("warnings"),
        "auth": member("auth"),
    })
}
