//! The installation's public API, as far as an ID token needs it: the Connect protocol's unary JSON form.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;

use super::State;
use super::issuer::TokenRequest;
use super::platform::authorization;

#[derive(Deserialize)]
struct Request {
    #[serde(rename = "workspaceId", default)]
    workspace_id: String,
    #[serde(default)]
    audience: Vec<String>,
    #[serde(default)]
    scope: Option<String>,
}

pub(super) fn routes(state: Arc<State>) -> Router {
    Router::new()
        .route("/gitpod.experimental.v1.IdentityProviderService/GetIDToken", post(get_id_token))
        .with_state(state)
}

async fn get_id_token(Shared(state): Shared<Arc<State>>, headers: HeaderMap, body: Bytes) -> Response {
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    if !is_json {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    match mint(&state, &headers, &body) {
        Ok(token) => Json(json!({"token": token})).into_response(),
        Err((status, code, message)) => {
            (status, Json(json!({"code": code, "message": message}))).into_response()
        }
    }
}

type Refusal = (StatusCode, &'static str, String);

fn mint(state: &State, headers: &HeaderMap, body: &[u8]) -> Result<String, Refusal> {
    match authorization(headers, "Bearer") {
        None => return Err((StatusCode::UNAUTHORIZED, "unauthenticated", "no credentials".into())),
        Some(token) if token != state.api_token.reveal() => {
            return Err((StatusCode::UNAUTHORIZED, "unauthenticated", "token is not valid".into()));
        }
        Some(_) => {}
    }
    if !state.options.token_scopes.iter().any(|scope| scope == "function:getIDToken") {
        return Err((StatusCode::FORBIDDEN, "permission_denied", "not allowed to access getIDToken".into()));
    }
    let request: Request = serde_json::from_slice(body).map_err(|error| {
        (StatusCode::BAD_REQUEST, "invalid_argument", format!("unmarshal into JSON: {error}"))
    })?;
    if request.workspace_id != state.options.workspace_id {
        return Err((StatusCode::NOT_FOUND, "not_found", "workspace does not exist".into()));
    }
    if request.audience.is_empty() {
        return Err((
            StatusCode::BAD_REQUEST,
            "invalid_argument",
            "Must have at least one audience entry".into(),
        ));
    }
    let wanted =
        TokenRequest { audience: request.audience, scope: request.scope.filter(|scope| !scope.is_empty()) };
    state
        .issuer
        .mint(&state.options, &wanted)
        .map_err(|reason| (StatusCode::INTERNAL_SERVER_ERROR, "internal", reason))
}
