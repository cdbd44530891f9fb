//! Microsoft Entra ID's token endpoint, as far as federated credentials need it: one tenant with one application
//! that trusts the issuer, and the discovery document that MSAL asks for.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::State;
use super::keys::random_base64url;
use super::relying_party::{self, PreparedReply, RecordedRequest, Recorder, TokenError};

/// The maximum lifetime of an assertion, in seconds: 25 hours.
const MAX_ASSERTION_LIFETIME: i64 = 25 * 3600;
/// How far clocks may be apart, in seconds.
const LEEWAY: i64 = 300;

/// The configuration of the local Entra ID.
#[derive(Debug, Clone)]
pub struct AzureOptions {
    pub tenant_id: String,
    pub client_id: String,
    /// The issuer of its federated credential; `None`: the workspace's.
    pub issuer: Option<String>,
    /// The subject of its federated credential; `None`: the workspace's.
    pub subject: Option<String>,
    /// The audience of its federated credential.
    pub audience: String,
    /// How long access tokens live, in seconds.
    pub lifetime: i64,
    /// How far clocks may be apart, in seconds.
    pub leeway: i64,
    /// Prepared replies. Each is returned once, instead of checking the request.
    pub prepared_replies: Vec<PreparedReply>,
}

impl Default for AzureOptions {
    fn default() -> Self {
        Self {
            tenant_id: "00000000-0000-4000-8000-00000000000a".into(),
            client_id: "00000000-0000-4000-8000-00000000000b".into(),
            issuer: None,
            subject: None,
            audience: "api://AzureADTokenExchange".into(),
            lifetime: 3599,
            leeway: LEEWAY,
            prepared_replies: Vec::new(),
        }
    }
}

pub(super) struct Entra(Recorder);

impl Entra {
    pub(super) fn new(options: &AzureOptions) -> Self {
        Self(Recorder::new(&options.prepared_replies))
    }

    pub(super) fn requests(&self) -> Vec<RecordedRequest> {
        self.0.requests()
    }
}

pub(super) fn routes(state: Arc<State>) -> Router {
    Router::new()
        .route("/{tenant}/oauth2/v2.0/token", post(token))
        .route("/{tenant}/v2.0/.well-known/openid-configuration", get(discovery))
        .with_state(state)
}

type Fields = BTreeMap<String, String>;

/// OpenID Connect Discovery: MSAL requests this document before it requests a token.
async fn discovery(
    Shared(state): Shared<Arc<State>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or(&state.api_host);
    let scheme = headers.get("x-forwarded-proto").and_then(|scheme| scheme.to_str().ok()).unwrap_or("http");
    let base = format!("{scheme}://{host}/{tenant}");
    Json(json!({
        "issuer": format!("{base}/v2.0"),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
    .into_response()
}

/// An error with its AADSTS code.
struct Refusal(StatusCode, &'static str, u32, String);

fn bad(error: &'static str, code: u32, text: String) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, error, code, text)
}

fn unauthorized(code: u32, text: String) -> Refusal {
    Refusal(StatusCode::UNAUTHORIZED, "invalid_client", code, text)
}

async fn token(Shared(state): Shared<Arc<State>>, Path(tenant): Path<String>, body: Bytes) -> Response {
    let fields: Fields = form_urlencoded::parse(&body).into_owned().collect();
    if let Some(prepared) = state.entra.0.take(&format!("/{tenant}/oauth2/v2.0/token"), fields.clone()) {
        return prepared;
    }
    match grant(&state, &tenant, &fields) {
        Ok(reply) => Json(reply).into_response(),
        Err(Refusal(status, error, code, text)) => {
            let now = state.options.clock.now();
            let (trace, correlation) =
                ("00000000-0000-4000-8000-00000000000c", "00000000-0000-4000-8000-00000000000d");
            let time = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
            let description = format!(
                "AADSTS{code}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}"
            );
            let body = json!({
                "error": error,
                "error_description": description,
                "error_codes": [code],
                "timestamp": time,
                "trace_id": trace,
                "correlation_id": correlation,
                "error_uri": format!("http://{}/error?code={code}", state.api_host),
            });
            (status, Json(body)).into_response()
        }
    }
}

fn grant(state: &State, tenant: &str, fields: &Fields) -> Result<Value, Refusal> {
    let options = &state.options.azure;
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    if tenant != options.tenant_id {
        return Err(bad(
            "invalid_request",
            90002,
            format!(
                "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
            ),
        ));
    }
    if field("grant_type") != "client_credentials" {
        return Err(bad(
            "unsupported_grant_type",
            70003,
            "The app requested an unsupported grant type.".into(),
        ));
    }
    if field("client_id") != options.client_id {
        return Err(bad(
            "unauthorized_client",
            700_016,
            format!(
                "Application with identifier '{}' was not found in the directory '{tenant}'.",
                field("client_id")
            ),
        ));
    }
    let scope = field("scope");
    // Microsoft's library for Go always adds these scopes, and Entra ignores them.
    let is_ignored = |word: &&str| ["openid", "offline_access", "profile"].contains(word);
    let words: Vec<&str> = scope.split(' ').filter(|word| !is_ignored(word)).collect();
    if !matches!(words[..], [word] if word.ends_with("/.default")) {
        return Err(bad(
            "invalid_scope",
            1_002_012,
            format!(
                "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
            ),
        ));
    }
    if field("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
        return Err(unauthorized(
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
                .into(),
        ));
    }
    // Entra does not trim the assertion, so a token with a line break is malformed.
    let assertion = field("client_assertion");
    if assertion != assertion.trim() {
        return Err(unauthorized(50027, "JWT token is invalid or malformed.".into()));
    }
    check_assertion(state, assertion)?;
    Ok(json!({
        "token_type": "Bearer",
        "expires_in": options.lifetime,
        "ext_expires_in": options.lifetime,
        "access_token": format!("dev-entra-{}", random_base64url()),
    }))
}

/// Compares an assertion with the federated credential.
fn check_assertion(state: &State, assertion: &str) -> Result<(), Refusal> {
    let options = &state.options.azure;
    let issuer = options.issuer.as_deref().unwrap_or(state.issuer.url());
    let token = relying_party::verify(assertion, issuer, state.issuer.jwks()).map_err(|error| match error {
        TokenError::Malformed => unauthorized(50027, "JWT token is invalid or malformed.".into()),
        TokenError::Issuer(issuer) => unauthorized(700_211, format!("No matching federated identity record found for presented assertion issuer '{issuer}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.")),
        TokenError::Signature => unauthorized(700_027, "The certificate with identifier used to sign the client assertion is not registered on application.".into()),
    })?;
    if !token.audience.contains(&options.audience) {
        return Err(unauthorized(
            700_212,
            format!(
                "No matching federated identity record found for presented assertion audience '{}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.",
                token.audience.join(", ")
            ),
        ));
    }
    if token.subject != options.subject.clone().unwrap_or_else(|| state.options.subject()) {
        return Err(unauthorized(
            700_213,
            format!(
                "No matching federated identity record found for presented assertion subject '{}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.",
                token.subject
            ),
        ));
    }
    let now = state.options.clock.now().as_second();
    if token.expires_at + options.leeway <= now || token.issued_at - options.leeway > now {
        let time = |at: i64| Timestamp::from_second(at).unwrap_or_default().to_string();
        return Err(unauthorized(
            700_024,
            format!(
                "Client assertion is not within its valid time range. Current time: {}, assertion valid from {}, expiry time of assertion {}.",
                time(now),
                time(token.issued_at),
                time(token.expires_at)
            ),
        ));
    }
    if token.expires_at - token.issued_at > MAX_ASSERTION_LIFETIME {
        return Err(bad(
            "invalid_request",
            70023,
            "External token lifetime is too long. It must be less than or equal to 1.01:00:00.".into(),
        ));
    }
    Ok(())
}
