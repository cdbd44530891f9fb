//! The request and its replies as they stand on the wire: RFC 6749 section 4.4 with RFC 7523 section 2.2, and
//! Entra's additions to the errors of RFC 6749 section 5.2.

use jiff::Timestamp;
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::{AzureCredential, ClientCredentials};
use crate::exchange::expires_in::ExpiresIn;
use crate::exchange::{Answer, MayPass};
use crate::http::{Garbled, Reply};
use crate::jwt::IdToken;
use crate::secret::Secret;

#[derive(Deserialize)]
struct TokenReply {
    access_token: Option<Secret>,
    expires_in: Option<ExpiresIn>,
    error: Option<String>,
    #[serde(default)]
    error_description: String,
    #[serde(default)]
    error_codes: Vec<u32>,
    #[serde(default)]
    trace_id: String,
    #[serde(default)]
    correlation_id: String,
}

/// One refusal.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    pub(super) error: String,
    pub(super) description: String,
    /// AADSTS codes, the deciding one first.
    pub(super) codes: Vec<u32>,
    pub(super) trace_id: String,
    pub(super) correlation_id: String,
}

/// The form body.
pub(super) fn form(request: &ClientCredentials, token: &IdToken) -> Vec<u8> {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials")
        .append_pair("client_id", request.client.as_str())
        .append_pair("scope", request.scope.as_str())
        .append_pair("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        .append_pair("client_assertion", token.reveal());
    form.finish().into_bytes()
}

/// Reads either reply. A refusal is one whatever its status.
pub(super) fn read(reply: &Reply, now: Timestamp) -> Result<Answer<AzureCredential, Refusal>, Garbled> {
    let said: TokenReply = reply.json()?;
    if said.error.is_some() || !reply.is_success() {
        return Ok(Answer::Refused(Refusal {
            error: said.error.unwrap_or_default(),
            description: said.error_description,
            codes: said.error_codes,
            trace_id: said.trace_id,
            correlation_id: said.correlation_id,
        }));
    }
    let garbled = |reason: &str| Garbled::Content {
        origin: reply.origin.clone(),
        expected: "JSON",
        reason: reason.to_owned(),
    };
    let access_token = said
        .access_token
        .filter(|token| !token.reveal().is_empty())
        .ok_or_else(|| garbled("`access_token` is missing"))?;
    let expires_at = said
        .expires_in
        .ok_or_else(|| garbled("`expires_in` is missing"))?
        .from(now)
        .ok_or_else(|| garbled("`expires_in` is not a number of seconds"))?;
    Ok(Answer::Given(AzureCredential { access_token, expires_at }))
}

impl MayPass for Refusal {
    /// Whether the same request may succeed a moment later: statuses that the client does not try again by
    /// itself (`http::Patience`), and a federated credential that has just been made. The codes that name what
    /// does not match are final.
    fn may_pass(&self, status: u16) -> bool {
        let final_codes = [700_211, 700_212, 700_213, 7_002_121, 7_002_131];
        let spreading = self.is(70021) && !final_codes.iter().any(|code| self.is(*code));
        let elsewhere = matches!(status, 429 | 502..=504);
        spreading || matches!(status, 408 | 500 | 505..) || (self.is_temporary() && !elsewhere)
    }
}

impl Refusal {
    /// Whether one of the codes is this one.
    pub(super) fn is(&self, code: u32) -> bool {
        self.codes.contains(&code)
    }

    /// Whether Entra says itself that it will pass.
    pub(super) fn is_temporary(&self) -> bool {
        matches!(self.error.as_str(), "temporarily_unavailable" | "server_error")
    }
}
