//! Shared code of the local Google, Entra and OAuth services. They verify tokens with the issuer's
//! JWK Set, record their requests, and can return prepared replies.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jsonwebtoken::Algorithm;
use serde_json::Value;

use super::token::{Token, VerifyError};
use crate::output::sanitise;

/// The maximum number of recorded requests.
const REMEMBERED: usize = 1000;

/// The claims of a token with a valid issuer and signature. The times are in seconds since 1970.
pub(super) struct Verified {
    pub(super) subject: String,
    pub(super) audience: Vec<String>,
    pub(super) issued_at: i64,
    pub(super) expires_at: i64,
}

/// Why a token is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TokenError {
    /// It is not a JWT, or it lacks a required claim.
    Malformed,
    /// The token names this issuer, which is not the trusted one.
    Issuer(String),
    /// Not signed with one of the issuer's keys.
    Signature,
}

/// Checks issuer and signature. Only RS256 is accepted, which all these services support. The
/// caller must check times and audience.
pub(super) fn verify(token: &str, issuer: &str, jwks: &Value) -> Result<Verified, TokenError> {
    let token = Token::read(token).ok_or(TokenError::Malformed)?;
    let text = |name| token.string(name).ok_or(TokenError::Malformed);
    let seconds = |name| token.seconds(name).ok_or(TokenError::Malformed);
    let named = text("iss")?;
    if named != issuer {
        return Err(TokenError::Issuer(named));
    }
    token.verify(jwks, &[Algorithm::RS256]).map_err(|error| match error {
        VerifyError::Header => TokenError::Malformed,
        VerifyError::Algorithm | VerifyError::Key | VerifyError::Signature => TokenError::Signature,
    })?;
    Ok(Verified {
        subject: text("sub")?,
        audience: token.audience().ok_or(TokenError::Malformed)?,
        issued_at: seconds("iat")?,
        expires_at: seconds("exp")?,
    })
}

/// A prepared reply, returned without checking the request.
#[derive(Debug, Clone)]
pub struct PreparedReply {
    /// A part of the path of the request that gets this reply; empty: any request.
    pub path: &'static str,
    pub status: u16,
    pub content_type: &'static str,
    pub body: String,
}

impl PreparedReply {
    /// A JSON reply to the next request.
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        Self { path: "", status, content_type: "application/json", body: body.into() }
    }

    /// The same reply, for the next request whose path contains `path`.
    pub fn at(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, self.content_type)], self.body).into_response()
    }
}

/// One recorded request. A placeholder replaces each token and secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRequest {
    pub path: String,
    pub fields: BTreeMap<String, String>,
}

/// The recorded requests of a service, and its prepared replies.
#[derive(Default)]
pub(super) struct Recorder {
    requests: Mutex<Vec<RecordedRequest>>,
    prepared: Mutex<VecDeque<PreparedReply>>,
}

impl Recorder {
    pub(super) fn new(prepared: &[PreparedReply]) -> Self {
        Self { requests: Mutex::default(), prepared: Mutex::new(prepared.to_vec().into()) }
    }

    /// Records a request, and returns the prepared reply for it, if there is one.
    pub(super) fn take(&self, path: &str, fields: BTreeMap<String, String>) -> Option<Response> {
        let shown = |(name, value): (String, String)| {
            let secret = name.ends_with("token") || name.ends_with("assertion") || name.ends_with("secret");
            (name, if secret { "[token]".to_owned() } else { sanitise(&value) })
        };
        let fields = fields.into_iter().map(shown).collect();
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if requests.len() < REMEMBERED {
            requests.push(RecordedRequest { path: path.to_owned(), fields });
        }
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        let at = prepared.iter().position(|canned| path.contains(canned.path))?;
        prepared.remove(at).map(PreparedReply::into_response)
    }

    pub(super) fn requests(&self) -> Vec<RecordedRequest> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
