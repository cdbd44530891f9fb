//! The request and its replies as they stand on the wire: RFC 8693 section 2, RFC 7523 section 2, RFC 6749
//! section 5.

use jiff::Timestamp;
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::{ClientAuth, Grant, OauthCredential, TokenCall};
use crate::exchange::expires_in::ExpiresIn;
use crate::http::{Garbled, Reply};
use crate::jwt::IdToken;
use crate::secret::Secret;

const BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Both replies. Only `access_token` is asked for: services leave out what RFC 8693 requires.
#[derive(Deserialize)]
struct TokenReply {
    access_token: Option<Secret>,
    issued_token_type: Option<String>,
    token_type: Option<String>,
    expires_in: Option<ExpiresIn>,
    scope: Option<String>,
    refresh_token: Option<Secret>,
    error: Option<String>,
    error_description: Option<String>,
    error_uri: Option<String>,
}

/// One refusal.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    pub(super) error: String,
    pub(super) description: String,
    pub(super) uri: Option<String>,
}

/// What the service said.
pub(super) enum Answer {
    Given(Box<OauthCredential>),
    Refused(Refusal),
}

/// The form body. Parameters without a value are left out, as RFC 6749 section 3.2 has it.
pub(super) fn form(call: &TokenCall, token: &IdToken) -> Vec<u8> {
    let mut form = Serializer::new(String::new());
    match call.grant {
        Grant::TokenExchange => {
            form.append_pair("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")
                .append_pair("subject_token", token.reveal())
                .append_pair("subject_token_type", &call.subject_token_type);
            if let Some(kind) = &call.requested_token_type {
                form.append_pair("requested_token_type", kind);
            }
            if let Some((actor, kind)) = &call.actor {
                form.append_pair("actor_token", actor.reveal()).append_pair("actor_token_type", kind);
            }
        }
        Grant::JwtBearer => {
            form.append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
                .append_pair("assertion", token.reveal());
        }
        Grant::ClientCredentials => {
            form.append_pair("grant_type", "client_credentials");
        }
    }
    for audience in &call.audiences {
        form.append_pair("audience", audience);
    }
    for resource in &call.resources {
        form.append_pair("resource", resource);
    }
    if let Some(scope) = &call.scope {
        form.append_pair("scope", scope);
    }
    match &call.client {
        // In the header.
        ClientAuth::Basic(..) | ClientAuth::None(None) => {}
        ClientAuth::None(Some(id)) => {
            form.append_pair("client_id", id);
        }
        ClientAuth::Post(id, secret) => {
            form.append_pair("client_id", id).append_pair("client_secret", secret.reveal());
        }
        ClientAuth::Jwt(id) => {
            if let Some(id) = id {
                form.append_pair("client_id", id);
            }
            form.append_pair("client_assertion_type", BEARER).append_pair("client_assertion", token.reveal());
        }
    }
    for (name, value) in &call.more {
        form.append_pair(name, value);
    }
    form.finish().into_bytes()
}

/// Reads either reply. An `error` is a refusal whatever the status.
pub(super) fn read(reply: &Reply, now: Timestamp) -> Result<Answer, Garbled> {
    let said: TokenReply = reply.json()?;
    if said.error.is_some() || !reply.is_success() {
        return Ok(Answer::Refused(Refusal {
            error: said.error.unwrap_or_default(),
            description: said.error_description.unwrap_or_default(),
            uri: said.error_uri,
        }));
    }
    let access_token = said.access_token.filter(|token| !token.reveal().is_empty()).ok_or_else(|| {
        let reason = "`access_token` is missing".to_owned();
        Garbled::Content { origin: reply.origin.clone(), expected: "JSON", reason }
    })?;
    Ok(Answer::Given(Box::new(OauthCredential {
        access_token,
        issued_token_type: said.issued_token_type,
        token_type: said.token_type,
        expires_at: said.expires_in.and_then(|life| life.from(now)),
        scope: said.scope,
        refresh_token: said.refresh_token,
    })))
}

impl Refusal {
    /// Whether the same request may succeed a moment later, among the statuses that the client does not try again
    /// by itself (`http::Patience`).
    pub(super) fn may_pass(&self, status: u16) -> bool {
        let elsewhere = matches!(status, 429 | 502..=504);
        matches!(status, 408 | 500) || (self.is_temporary() && !elsewhere)
    }

    /// Whether the service says itself that it will pass (RFC 6749 section 4.1.2.1).
    pub(super) fn is_temporary(&self) -> bool {
        matches!(self.error.as_str(), "temporarily_unavailable" | "server_error")
    }
}
