//! What the services that trust the issuer have in common: they verify tokens by its key set, remember what they
//! were asked, and can be told what to answer.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jsonwebtoken::Algorithm;
use serde_json::Value;

use super::token::{Flaw, Token};
use crate::output::sanitise;

/// The most requests that are remembered.
const REMEMBERED: usize = 1000;

/// A token whose signature is its issuer's.
pub(super) struct Verified {
    pub(super) subject: String,
    pub(super) audience: Vec<String>,
    pub(super) issued_at: i64,
    pub(super) expires_at: i64,
}

/// Why a token is not believed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// It is none, or lacks something.
    Malformed,
    /// The token names this issuer, which is not the trusted one.
    Issuer(String),
    /// Not signed with one of the issuer's keys.
    Signature,
}

/// Checks issuer and signature (RS256 only, as all of these services take). Times and audience are the caller's.
pub(super) fn verify(token: &str, issuer: &str, jwks: &Value) -> Result<Verified, Doubt> {
    let token = Token::read(token).ok_or(Doubt::Malformed)?;
    let text = |name| token.string(name).ok_or(Doubt::Malformed);
    let seconds = |name| token.seconds(name).ok_or(Doubt::Malformed);
    let named = text("iss")?;
    if named != issuer {
        return Err(Doubt::Issuer(named));
    }
    token.verify(jwks, &[Algorithm::RS256]).map_err(|flaw| match flaw {
        Flaw::Header => Doubt::Malformed,
        Flaw::Algorithm | Flaw::Key | Flaw::Signature => Doubt::Signature,
    })?;
    Ok(Verified {
        subject: text("sub")?,
        audience: token.audience().ok_or(Doubt::Malformed)?,
        issued_at: seconds("iat")?,
        expires_at: seconds("exp")?,
    })
}

/// A reply that is given in place of a judgement.
#[derive(Debug, Clone)]
pub struct Canned {
    /// A part of the path, so that of several requests the right one is met; empty for any.
    pub path: &'static str,
    pub status: u16,
    pub content_type: &'static str,
    pub body: String,
}

impl Canned {
    /// A reply in JSON to whatever comes first.
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        Self { path: "", status, content_type: "application/json", body: body.into() }
    }

    /// The same to the next request whose path has this in it.
    pub fn at(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, self.content_type)], self.body).into_response()
    }
}

/// One request. A placeholder replaces each token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub path: String,
    pub fields: BTreeMap<String, String>,
}

/// What a service was asked, and what it is to answer.
#[derive(Default)]
pub(super) struct Counter {
    asked: Mutex<Vec<Asked>>,
    canned: Mutex<VecDeque<Canned>>,
}

impl Counter {
    pub(super) fn new(canned: &[Canned]) -> Self {
        Self { asked: Mutex::default(), canned: Mutex::new(canned.to_vec().into()) }
    }

    /// Records a request, and returns the prepared reply for it, if there is one.
    pub(super) fn take(&self, path: &str, fields: BTreeMap<String, String>) -> Option<Response> {
        let shown = |(name, value): (String, String)| {
            let secret = name.ends_with("token") || name.ends_with("assertion") || name.ends_with("secret");
            (name, if secret { "[token]".to_owned() } else { sanitise(&value) })
        };
        let fields = fields.into_iter().map(shown).collect();
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.len() < REMEMBERED {
            asked.push(Asked { path: path.to_owned(), fields });
        }
        let mut canned = self.canned.lock().unwrap_or_else(PoisonError::into_inner);
        let at = canned.iter().position(|canned| path.contains(canned.path))?;
        canned.remove(at).map(Canned::into_response)
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
