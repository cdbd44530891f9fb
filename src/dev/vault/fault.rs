//! Faults of the local Vault server, to test how a caller handles them.

use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Json, Response};
use serde_json::json;

use super::super::fault::{Fault, FaultKind};
use super::refusal::Refusal;
use super::{Outcome, envelope};

/// A fault of the server. Some kinds apply to every request, the others only to a login.
pub type VaultFault = Fault<Kind>;

/// The kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    BadGateway,
    ErrorInSuccess,
    Html,
    Incomplete,
    InternalError,
    KeysUnreachable,
    MfaRequired,
    NotConfigured,
    NotWrapped,
    PermissionDenied,
    Redirect,
    Sealed,
    Signature,
    Standby,
    TlsPort,
    TooManyRequests,
    Warning,
    WrongType,
}

impl FaultKind for Kind {
    const KINDS: &'static [(&'static str, Self)] = &[
        ("bad-gateway", Self::BadGateway),
        ("error-in-success", Self::ErrorInSuccess),
        ("html-page", Self::Html),
        ("incomplete-reply", Self::Incomplete),
        ("internal-error", Self::InternalError),
        ("keys-unreachable", Self::KeysUnreachable),
        ("mfa-required", Self::MfaRequired),
        ("not-configured", Self::NotConfigured),
        ("not-wrapped", Self::NotWrapped),
        ("permission-denied", Self::PermissionDenied),
        ("redirect", Self::Redirect),
        ("sealed", Self::Sealed),
        ("signature", Self::Signature),
        ("standby", Self::Standby),
        ("tls-port", Self::TlsPort),
        ("too-many-requests", Self::TooManyRequests),
        ("warning", Self::Warning),
        ("wrong-type", Self::WrongType),
    ];
}

impl Kind {
    /// The answer to any request; `None` for a kind that applies only to a login.
    pub(super) fn reply_to_any_request(self) -> Option<Outcome> {
        Some(match self {
            Self::BadGateway => Ok(StatusCode::BAD_GATEWAY.into_response()),
            Self::Html => Ok(Html("<!DOCTYPE html>\n<title>Sign in</title>\n").into_response()),
            Self::InternalError => Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error")),
            Self::Redirect => {
                let to = [(header::LOCATION, "https://vault.example.com/ui/")];
                Ok((StatusCode::TEMPORARY_REDIRECT, to).into_response())
            }
            Self::Standby => {
                let to = [(header::LOCATION, "https://active.vault.example.com:8200/v1/auth/jwt/login")];
                Ok((StatusCode::TEMPORARY_REDIRECT, to).into_response())
            }
            Self::Sealed => Err(Refusal::sealed()),
            Self::TlsPort => {
                let text = "Client sent an HTTP request to an HTTPS server.\n";
                Ok((StatusCode::BAD_REQUEST, text).into_response())
            }
            Self::TooManyRequests => Err(Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                "request path \"auth/jwt/login\": rate limit quota exceeded",
            )),
            _ => return None,
        })
    }

    /// The answer to a login; `None` for all other kinds.
    pub(super) fn reply_to_login(self) -> Option<Outcome> {
        let fine = |body: serde_json::Value| -> Outcome { Ok::<Response, _>(Json(body).into_response()) };
        let token = |reason: &str| Err(Refusal::token(&format!("error verifying token signature: {reason}")));
        let warning = "A login request was issued that is subject to MFA validation. Please make sure to validate the login by sending another request to mfa/validate endpoint.";
        Some(match self {
            Self::ErrorInSuccess => fine(json!({"errors": ["role \"demo\" could not be found"]})),
            Self::Incomplete => fine(envelope(&json!({"auth": {"client_token": "", "policies": null}}))),
            Self::WrongType => fine(envelope(&json!({"auth": {"client_token": 7}}))),
            Self::KeysUnreachable => token(
                "fetching keys oidc: get keys failed Get \"https://issuer.example.com/keys\": dial tcp 192.0.2.1:443: connect: connection refused",
            ),
            Self::Signature => token("failed to verify id token signature"),
            Self::NotConfigured => Err(Refusal::bad("could not load configuration")),
            Self::PermissionDenied => Err(Refusal::denied()),
            Self::MfaRequired => {
                let methods = json!([{"type": "totp", "id": "00000000-0000-4000-8000-000000000006", "uses_passcode": true}]);
                fine(envelope(&json!({
                    "warnings": [warning],
                    "auth": {
                        "client_token": "",
                        "accessor": "",
                        "policies": null,
                        "metadata": null,
                        "lease_duration": 0,
                        "token_type": "default",
                        "mfa_requirement": {
                            "mfa_request_id": "00000000-0000-4000-8000-000000000007",
                            "mfa_constraints": {"everyone": {"any": methods}},
                        },
                    },
                })))
            }
            Self::Warning => fine(envelope(&json!({
                "warnings": ["the role is deprecated"],
                "auth": {"client_token": "s.warned", "lease_duration": 3600, "policies": ["default"]},
            }))),
            _ => return None,
        })
    }
}
