//! The bodies of the request and of its replies: RFC 6749 section 4.4 with RFC 7523 section 2.2,
//! and Entra's additions to the errors of RFC 6749 section 5.2.

use jiff::Timestamp;
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::{AzureCredential, ClientCredentials};
use crate::exchange::Answer;
use crate::exchange::expires_in::ExpiresIn;
use crate::http::{Reply, UnexpectedReply};
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

#[derive(Debug, Default)]
pub(crate) struct Refusal {
    pub(super) error: String,
    pub(super) description: String,
    /// The AADSTS codes. The first one names the cause.
    pub(super) codes: Vec<u32>,
    pub(super) trace_id: String,
    pub(super) correlation_id: String,
}

pub(super) fn form(request: &ClientCredentials, token: &IdToken) -> Serializer<'static, String> {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials")
        .append_pair("client_id", request.client.as_str())
        .append_pair("scope", request.scope.as_str())
        .append_pair("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        .append_pair("client_assertion", token.reveal());
    form
}

/// Reads a success or an error. A reply with an `error` is an error, whatever its status.
pub(super) fn read(
    reply: &Reply,
    now: Timestamp,
) -> Result<Answer<AzureCredential, Refusal>, UnexpectedReply> {
    let body: TokenReply = reply.json()?;
    if body.error.is_some() || !reply.is_success() {
        return Ok(Answer::Refused(Refusal {
            error: body.error.unwrap_or_default(),
            description: body.error_description,
            codes: body.error_codes,
            trace_id: body.trace_id,
            correlation_id: body.correlation_id,
        }));
    }
    let access_token = body.access_token.ok_or_else(|| reply.missing_member("access_token"))?;
    let expires_at = body
        .expires_in
        .ok_or_else(|| reply.missing_member("expires_in"))?
        .expiry_after(now)
        .ok_or_else(|| reply.unexpected_json("`expires_in` is not a number of seconds"))?;
    Ok(Answer::Issued(AzureCredential { access_token, expires_at }))
}

impl Refusal {
    /// Whether the reply has this code.
    pub(super) fn is(&self, code: u32) -> bool {
        self.codes.contains(&code)
    }

    /// Whether Entra reports a temporary failure of its own.
    pub(super) fn is_temporary(&self) -> bool {
        matches!(self.error.as_str(), "temporarily_unavailable" | "server_error")
    }
}
