//! The error replies of OpenBao 2.7. Nearly all have the status 400.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use serde_json::json;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) error: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into() }
    }

    pub(super) fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// The ID token does not fit the role or the mount.
    pub(super) fn token(reason: &str) -> Self {
        Self::bad(format!("error validating token: {reason}"))
    }

    pub(super) fn denied() -> Self {
        Self::new(StatusCode::FORBIDDEN, "permission denied")
    }

    pub(super) fn no_namespace() -> Self {
        Self::new(StatusCode::NOT_FOUND, "namespace not found")
    }

    pub(super) fn no_secret() -> Self {
        Self::new(StatusCode::NOT_FOUND, "")
    }

    pub(super) fn operation() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "unsupported operation")
    }

    pub(super) fn trailing_slash() -> Self {
        Self::bad("cannot write to a path ending in '/'")
    }

    pub(super) fn wrap_ttl(reason: &str) -> Self {
        Self::bad(format!("error parsing X-Vault-Wrap-TTL header: {reason}"))
    }

    pub(super) fn sealed() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Vault is sealed")
    }

    pub(super) fn response(&self) -> Response {
        // The reply for a path without a secret has no error text.
        let errors: &[&String] = if self.error.is_empty() { &[] } else { &[&self.error] };
        (self.status, Json(json!({"errors": errors}))).into_response()
    }
}
