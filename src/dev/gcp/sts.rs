//! The Security Token Service: RFC 8693, with one provider that verifies tokens.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::Federated;
use crate::dev::State;
use crate::dev::keys::random_base64url;
use crate::dev::relying_party::{self, TokenError};

const TOKEN_TYPES: [&str; 2] =
    ["urn:ietf:params:oauth:token-type:id_token", "urn:ietf:params:oauth:token-type:jwt"];
/// The prefix of a provider's name in an audience.
pub(super) const HOST: &str = "//iam.googleapis.com/";
/// The longest mapped attribute, in bytes.
const MAX_SUBJECT_BYTES: usize = 127;

type Fields = BTreeMap<String, String>;

/// RFC 6749 section 5.2.
struct OAuthError(StatusCode, &'static str, String);

fn bad(code: &'static str, text: &str) -> OAuthError {
    OAuthError(StatusCode::BAD_REQUEST, code, text.to_owned())
}

pub(super) async fn exchange(Shared(state): Shared<Arc<State>>, headers: HeaderMap, body: Bytes) -> Response {
    let fields: Fields = form_urlencoded::parse(&body).into_owned().collect();
    if let Some(prepared) = state.google.recorder.take("/v1/token", fields.clone()) {
        return prepared;
    }
    match answer(&state, &headers, &fields) {
        Ok(reply) => Json(reply).into_response(),
        Err(OAuthError(status, code, text)) => {
            (status, Json(json!({"error": code, "error_description": text}))).into_response()
        }
    }
}

fn answer(state: &State, headers: &HeaderMap, fields: &Fields) -> Result<Value, OAuthError> {
    let options = &state.options.gcp;
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    // gcloud identifies itself as an OAuth client with `Basic` here. Any other scheme is refused
    // as an unknown client.
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
    if !TOKEN_TYPES.contains(&field("subject_token_type")) {
        return Err(bad("invalid_request", "Invalid value for \"subject_token_type\"."));
    }
    let provider = field("audience").strip_prefix(HOST).filter(|name| pool(name).is_some());
    let Some(provider) = provider else {
        return Err(bad(
            "invalid_request",
            "Invalid value for \"audience\". This value should be the full resource name of the Identity Provider.",
        ));
    };
    if provider != options.provider {
        return Err(bad(
            "invalid_target",
            "The target service indicated by the \"audience\" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn't exist.",
        ));
    }
    if field("scope").is_empty() {
        return Err(bad("invalid_scope", "Some requested scopes were invalid."));
    }
    let now = state.options.clock.now();
    let subject = verify_token(state, field("subject_token"), now)?;
    let life = state.options.gcp.federated_lifetime;
    let end = now.checked_add(SignedDuration::from_secs(life)).unwrap_or(Timestamp::MAX);
    let text = format!("ya29.d.dev-{}", random_base64url());
    state.google.store(Federated { text: text.clone(), subject, scopes: field("scope").to_owned(), end });
    Ok(json!({
        "access_token": text,
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer",
        "expires_in": life,
    }))
}

/// Verifies a token as the provider does, and returns its subject.
fn verify_token(state: &State, token: &str, now: Timestamp) -> Result<String, OAuthError> {
    let options = &state.options.gcp;
    let grant = |text: String| OAuthError(StatusCode::BAD_REQUEST, "invalid_grant", text);
    let verified = relying_party::verify(token, state.issuer.url(), state.issuer.jwks());
    let token = verified.map_err(|error| match error {
        TokenError::Malformed => grant("Unable to parse the ID Token.".into()),
        TokenError::Issuer(issuer) => grant(format!(
            "The issuer in ID Token {issuer} does not match the expected ones: {}",
            state.issuer.url()
        )),
        TokenError::Signature => grant("Invalid signature of the ID Token.".into()),
    })?;
    if token.expires_at <= now.as_second() {
        return Err(grant(format!("ID Token issued at {} is stale to sign-in.", token.issued_at)));
    }
    let expected = options.audiences();
    if !token.audience.iter().any(|audience| expected.contains(audience)) {
        let given = token.audience.join(", ");
        return Err(grant(format!(
            "The audience in ID Token [{given}] does not match the expected audience."
        )));
    }
    if token.subject.len() > MAX_SUBJECT_BYTES {
        return Err(bad(
            "invalid_request",
            "The size of mapped attribute google.subject exceeds the 127 bytes limit. Either modify your attribute mapping or the incoming assertion to produce a mapped attribute that is less than 127 bytes.",
        ));
    }
    if options.condition_subject.as_ref().is_some_and(|subject| *subject != token.subject) {
        let text = "The given credential is rejected by the attribute condition.".to_owned();
        return Err(OAuthError(StatusCode::UNAUTHORIZED, "unauthorized_client", text));
    }
    Ok(token.subject)
}

/// Token introspection (RFC 7662). gcloud uses it to find the principal of its token.
pub(super) async fn introspect(Shared(state): Shared<Arc<State>>, body: Bytes) -> Response {
    let fields: Fields = form_urlencoded::parse(&body).into_owned().collect();
    let now = state.options.clock.now();
    let token = fields.get("token").and_then(|token| state.google.find(token, now));
    let principal = token.and_then(|token| {
        let pool = pool(&state.options.gcp.provider)?;
        Some(format!("principal:{HOST}{pool}/subject/{}", token.subject))
    });
    Json(match principal {
        Some(principal) => json!({"active": true, "username": principal}),
        None => json!({"active": false}),
    })
    .into_response()
}

/// The name of a provider's pool; `None` if `provider` is not the name of a provider.
fn pool(provider: &str) -> Option<&str> {
    let (pool, id) = provider.rsplit_once("/providers/")?;
    let ["projects", number, "locations", "global", "workloadIdentityPools", pool_id] =
        pool.split('/').collect::<Vec<_>>()[..]
    else {
        return None;
    };
    let is_number = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    let is_id = |id: &str| {
        (4..=32).contains(&id.len()) && id.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-'))
    };
    (is_number && is_id(pool_id) && is_id(id)).then_some(pool)
}
