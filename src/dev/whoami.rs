//! An API that accepts the issuer's tokens, to try a request with a token: `GET /whoami`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use serde_json::json;

use super::State;
use super::platform::authorization;
use super::relying_party::{self, TokenError};

pub(super) fn routes(state: Arc<State>) -> Router {
    Router::new().route("/whoami", get(whoami)).with_state(state)
}

/// Replies with the subject, audience and expiry (seconds since 1970) of the bearer token. Accepts
/// tokens for every audience.
async fn whoami(Shared(state): Shared<Arc<State>>, headers: HeaderMap) -> Response {
    let Some(token) = authorization(&headers, "Bearer") else {
        return refused("Bearer", "send an ID token as `Authorization: Bearer TOKEN`");
    };
    let verified = match relying_party::verify(token, state.issuer.url(), state.issuer.jwks()) {
        Ok(verified) => verified,
        Err(TokenError::Malformed) => return invalid("the token is not a JWT with all required claims"),
        Err(TokenError::Issuer(issuer)) => return invalid(&format!("the token is from the issuer {issuer}")),
        Err(TokenError::Signature) => return invalid("the signature does not match a key of the issuer"),
    };
    if verified.expires_at <= state.options.clock.now().as_second() {
        return invalid("the token has expired");
    }
    let (sub, aud, exp) = (verified.subject, verified.audience, verified.expires_at);
    Json(json!({ "sub": sub, "aud": aud, "exp": exp })).into_response()
}

fn invalid(reason: &str) -> Response {
    // RFC 6750 section 3.1
    refused("Bearer error=\"invalid_token\"", reason)
}

fn refused(challenge: &'static str, reason: &str) -> Response {
    let headers = [(header::WWW_AUTHENTICATE, challenge)];
    (StatusCode::UNAUTHORIZED, headers, Json(json!({ "error": reason }))).into_response()
}
