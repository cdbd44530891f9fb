//! Google's Security Token Service and IAM Service Account Credentials API, as far as Workload Identity
//! Federation needs them: one provider that trusts the issuer, and service accounts that its subjects may
//! impersonate.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::State;
use super::keys::random_text;
use super::relying::{self, Asked, Canned, Counter, Doubt};
use crate::exchange::gcp::{ID_TOKEN_TYPE, Provider};

/// The longest mapped attribute, in bytes.
const LONGEST_SUBJECT: usize = 127;
/// Where the services are below the API's address.
pub(super) const STS: &str = "/gcp/sts/";
pub(super) const IAM: &str = "/gcp/iamcredentials/";

/// What Google knows and does.
#[derive(Debug, Clone)]
pub struct GcpOptions {
    /// The provider, in its full name.
    pub provider: String,
    /// The audiences it takes; none for those it takes by itself.
    pub allowed_audiences: Vec<String>,
    /// The `sub` that its attribute condition asks for, where it has one.
    pub condition_subject: Option<String>,
    /// The service accounts there are.
    pub service_accounts: Vec<String>,
    /// Whether the subject may impersonate them.
    pub may_impersonate: bool,
    /// How long federated tokens live, in seconds.
    pub federated_lifetime: i64,
    /// Replies that are given first.
    pub canned: Vec<Canned>,
}

impl Default for GcpOptions {
    fn default() -> Self {
        Self {
            provider: "projects/123456789012/locations/global/workloadIdentityPools/gitpod/providers/gitpod"
                .into(),
            allowed_audiences: Vec::new(),
            condition_subject: None,
            service_accounts: vec!["deploy@example-project.iam.gserviceaccount.com".into()],
            may_impersonate: true,
            federated_lifetime: 3600,
            canned: Vec::new(),
        }
    }
}

/// Google, at work.
pub(super) struct Google {
    counter: Counter,
    /// Federated tokens with their subjects and ends.
    given: Mutex<Vec<(String, String, Timestamp)>>,
}

impl Google {
    pub(super) fn new(options: &GcpOptions) -> Self {
        Self { counter: Counter::new(&options.canned), given: Mutex::default() }
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.counter.asked()
    }
}

pub(super) fn routes(state: Arc<State>) -> Router {
    Router::new()
        .route("/gcp/sts/v1/token", post(exchange))
        .route("/gcp/sts/v1/introspect", post(introspect))
        .route("/gcp/iamcredentials/v1/projects/-/serviceAccounts/{method}", post(impersonate))
        .with_state(state)
}

type Fields = BTreeMap<String, String>;

/// RFC 6749 section 5.2.
struct OAuthError(StatusCode, &'static str, String);

async fn exchange(Shared(state): Shared<Arc<State>>, headers: HeaderMap, body: Bytes) -> Response {
    let fields: Fields = form_urlencoded::parse(&body).into_owned().collect();
    if let Some(canned) = state.google.counter.take("/v1/token", fields.clone()) {
        return canned;
    }
    match trade(&state, &headers, &fields) {
        Ok(reply) => Json(reply).into_response(),
        Err(OAuthError(status, code, text)) => {
            (status, Json(json!({"error": code, "error_description": text}))).into_response()
        }
    }
}

fn trade(state: &State, headers: &HeaderMap, fields: &Fields) -> Result<Value, OAuthError> {
    let bad = |code, text: &str| OAuthError(StatusCode::BAD_REQUEST, code, text.to_owned());
    let options = &state.options.gcp;
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    // gcloud names itself as an OAuth client here; anything else would be judged as one that is not known.
    let client = headers.get(header::AUTHORIZATION);
    if client.is_some_and(|client| !client.as_bytes().starts_with(b"Basic ")) {
        return Err(OAuthError(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "The OAuth client was not found.".into(),
        ));
    }
    if field("grant_type") != "urn:ietf:params:oauth:grant-type:token-exchange" {
        return Err(bad("unsupported_grant_type", "Grant type is not supported."));
    }
    if field("requested_token_type") != "urn:ietf:params:oauth:token-type:access_token" {
        return Err(bad("invalid_request", "Invalid value for \"requested_token_type\"."));
    }
    if !matches!(field("subject_token_type"), ID_TOKEN_TYPE | "urn:ietf:params:oauth:token-type:jwt") {
        return Err(bad("invalid_request", "Invalid value for \"subject_token_type\"."));
    }
    let audience = field("audience");
    let provider = audience.strip_prefix("//").and_then(|_| Provider::parse(audience).ok());
    let Some(provider) = provider else {
        return Err(bad(
            "invalid_request",
            "Invalid value for \"audience\". This value should be the full resource name of the Identity Provider.",
        ));
    };
    if provider.to_string() != options.provider {
        return Err(bad(
            "invalid_target",
            "The target service indicated by the \"audience\" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn't exist.",
        ));
    }
    if field("scope").is_empty() {
        return Err(bad("invalid_scope", "Some requested scopes were invalid."));
    }
    let grant = |text: String| OAuthError(StatusCode::BAD_REQUEST, "invalid_grant", text);
    let verified = relying::verify(field("subject_token"), state.issuer.url(), state.issuer.jwks());
    let token = verified.map_err(|doubt| match doubt {
        Doubt::Malformed => grant("Unable to parse the ID Token.".into()),
        Doubt::Issuer(issuer) => grant(format!(
            "The issuer in ID Token {issuer} does not match the expected ones: {}",
            state.issuer.url()
        )),
        Doubt::Signature => grant("Invalid signature of the ID Token.".into()),
    })?;
    let now = state.options.clock.now();
    if token.expires_at <= now.as_second() {
        return Err(grant(format!("ID Token issued at {} is stale to sign-in.", token.issued_at)));
    }
    let expected = match options.allowed_audiences.as_slice() {
        [] => vec![provider.audience(), provider.token_audience()],
        allowed => allowed.to_vec(),
    };
    if !token.audience.iter().any(|audience| expected.contains(audience)) {
        let given = token.audience.join(", ");
        return Err(grant(format!(
            "The audience in ID Token [{given}] does not match the expected audience."
        )));
    }
    if token.subject.len() > LONGEST_SUBJECT {
        return Err(bad(
            "invalid_request",
            "The size of mapped attribute google.subject exceeds the 127 bytes limit. Either modify your attribute mapping or the incoming assertion to produce a mapped attribute that is less than 127 bytes.",
        ));
    }
    if options.condition_subject.as_ref().is_some_and(|subject| *subject != token.subject) {
        let text = "The given credential is rejected by the attribute condition.".to_owned();
        return Err(OAuthError(StatusCode::UNAUTHORIZED, "unauthorized_client", text));
    }
    let text = format!("ya29.d.dev-{}", random_text());
    let life = SignedDuration::from_secs(options.federated_lifetime);
    let end = now.checked_add(life).unwrap_or(Timestamp::MAX);
    state.google.given.lock().unwrap_or_else(PoisonError::into_inner).push((
        text.clone(),
        token.subject,
        end,
    ));
    Ok(json!({
        "access_token": text,
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer",
        "expires_in": options.federated_lifetime,
    }))
}

/// RFC 7662, for gcloud, which wants to know whose token it has.
async fn introspect(Shared(state): Shared<Arc<State>>, body: Bytes) -> Response {
    let fields: Fields = form_urlencoded::parse(&body).into_owned().collect();
    let subject = fields.get("token").and_then(|token| subject_of(&state, token));
    let principal = subject
        .and_then(|subject| Some(Provider::parse(&state.options.gcp.provider).ok()?.principal(&subject)));
    Json(match principal {
        Some(principal) => json!({"active": true, "username": principal}),
        None => json!({"active": false}),
    })
    .into_response()
}

/// Whom a federated token that still lives was given to.
fn subject_of(state: &State, token: &str) -> Option<String> {
    let now = state.options.clock.now();
    let given = state.google.given.lock().unwrap_or_else(PoisonError::into_inner);
    given.iter().find(|(text, _, end)| text == token && *end > now).map(|(_, subject, _)| subject.clone())
}

/// `google.rpc.Status` in its HTTP form.
struct Status(StatusCode, &'static str, String);

async fn impersonate(
    Shared(state): Shared<Arc<State>>,
    Path(method): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let fields = request.as_object().into_iter().flatten();
    let fields = fields.map(|(name, value)| (name.clone(), value.to_string())).collect();
    if let Some(canned) = state.google.counter.take(&method, fields) {
        return canned;
    }
    match act(&state, &method, &headers, &request) {
        Ok(reply) => Json(reply).into_response(),
        Err(Status(status, code, message)) => {
            let error = json!({"code": status.as_u16(), "message": message, "status": code, "details": []});
            (status, Json(json!({"error": error}))).into_response()
        }
    }
}

fn act(state: &State, method: &str, headers: &HeaderMap, request: &Value) -> Result<Value, Status> {
    let options = &state.options.gcp;
    let bearer =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let subject = bearer.and_then(|token| subject_of(state, token)).ok_or_else(|| {
        let text = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.";
        Status(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", text.into())
    })?;
    let (account, method) = method.rsplit_once(':').unwrap_or_default();
    if !options.service_accounts.iter().any(|known| known == account) {
        return Err(Status(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            format!("Not found; Gaia id not found for email {account}"),
        ));
    }
    let permission = if method == "generateIdToken" { "getOpenIdToken" } else { "getAccessToken" };
    if !options.may_impersonate {
        let text = format!(
            "Permission 'iam.serviceAccounts.{permission}' denied on resource (or it may not exist)."
        );
        return Err(Status(StatusCode::FORBIDDEN, "PERMISSION_DENIED", text));
    }
    let invalid = |text: &str| Status(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", text.to_owned());
    let now = state.options.clock.now();
    match method {
        "generateAccessToken" => {
            let scopes = request["scope"].as_array().filter(|scopes| !scopes.is_empty());
            if scopes.is_none() {
                return Err(invalid("Request contains an invalid argument."));
            }
            let lifetime =
                request["lifetime"].as_str().unwrap_or("3600s").trim_end_matches('s').parse::<i64>();
            let lifetime =
                lifetime.ok().filter(|seconds| *seconds > 0).ok_or_else(|| invalid("Invalid lifetime"))?;
            if lifetime > 3600 {
                return Err(invalid("The access token lifetime cannot exceed 3600 seconds."));
            }
            let end = now.checked_add(SignedDuration::from_secs(lifetime)).unwrap_or(now);
            let end = Timestamp::from_second(end.as_second()).unwrap_or(end);
            Ok(json!({"accessToken": format!("ya29.c.dev-{}", random_text()), "expireTime": end.to_string()}))
        }
        "generateIdToken" => {
            let Some(audience) = request["audience"].as_str().filter(|audience| !audience.is_empty()) else {
                return Err(invalid("Request contains an invalid argument."));
            };
            let claims = json!({
                "iss": "https://accounts.google.com", "aud": audience, "azp": account, "email": account,
                "email_verified": true, "sub": subject, "iat": now.as_second(), "exp": now.as_second() + 3600,
            });
            let token = state.issuer.sign(&claims).map_err(|text| invalid(&text))?;
            Ok(json!({"token": token}))
        }
        _ => Err(Status(StatusCode::NOT_FOUND, "NOT_FOUND", "Method not found.".into())),
    }
}
