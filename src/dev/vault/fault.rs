//! Answers without a judgement, for trying what a caller makes of them.

use std::str::FromStr;

use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Json, Response};
use serde_json::json;

use super::refusal::Refusal;
use super::{Outcome, envelope};

/// An answer that the server gives whatever it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VaultFault {
    kind: Kind,
    /// How often; none for always.
    times: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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

/// By name, in order.
const KINDS: [(&str, Kind); 18] = [
    ("bad-gateway", Kind::BadGateway),
    ("error-in-success", Kind::ErrorInSuccess),
    ("html-page", Kind::Html),
    ("incomplete-reply", Kind::Incomplete),
    ("internal-error", Kind::InternalError),
    ("keys-unreachable", Kind::KeysUnreachable),
    ("mfa-required", Kind::MfaRequired),
    ("not-configured", Kind::NotConfigured),
    ("not-wrapped", Kind::NotWrapped),
    ("permission-denied", Kind::PermissionDenied),
    ("redirect", Kind::Redirect),
    ("sealed", Kind::Sealed),
    ("signature", Kind::Signature),
    ("standby", Kind::Standby),
    ("tls-port", Kind::TlsPort),
    ("too-many-requests", Kind::TooManyRequests),
    ("warning", Kind::Warning),
    ("wrong-type", Kind::WrongType),
];

/// Text that names no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write NAME, or NAME:COUNT with a count from 1, where NAME is one of {}", VaultFault::names().join(", "))]
pub struct VaultFaultError;

impl VaultFault {
    /// All that a fault can be called.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        KINDS.iter().map(|(name, _)| *name).collect()
    }

    /// Takes one use off; none if none was left.
    pub(super) fn take(&mut self) -> Option<Kind> {
        match &mut self.times {
            Some(0) => None,
            Some(times) => {
                *times -= 1;
                Some(self.kind)
            }
            None => Some(self.kind),
        }
    }
}

impl FromStr for VaultFault {
    type Err = VaultFaultError;

    /// `NAME` for always, `NAME:COUNT` for the first COUNT requests.
    fn from_str(text: &str) -> Result<Self, VaultFaultError> {
        let (name, times) = match text.split_once(':') {
            Some((name, count)) => {
                (name, Some(count.parse().ok().filter(|count| *count > 0).ok_or(VaultFaultError)?))
            }
            None => (text, None),
        };
        let (_, kind) = KINDS.iter().find(|(known, _)| *known == name).ok_or(VaultFaultError)?;
        Ok(Self { kind: *kind, times })
    }
}

impl Kind {
    /// What the server says before it looks at a request.
    pub(super) fn before_all(self) -> Option<Outcome> {
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

    /// What it says of a login.
    pub(super) fn instead_of_login(self) -> Option<Outcome> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_named_and_counted() {
        let mut twice: VaultFault = "sealed:2".parse().unwrap();
        assert_eq!(
            [twice.take(), twice.take(), twice.take()],
            [Some(Kind::Sealed), Some(Kind::Sealed), None]
        );
        for text in ["", "sealed:", "sealed:0", "sealed:-1", "sealed:x", "Sealed", "nonsense"] {
            assert_eq!(text.parse::<VaultFault>(), Err(VaultFaultError), "{text}");
        }
        assert!(KINDS.is_sorted_by_key(|(name, _)| *name));
    }
}
