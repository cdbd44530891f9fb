//! The bodies of the three requests and of their replies. The token service uses RFC 8693 with the
//! errors of RFC 6749. The IAM Service Account Credentials API uses JSON with Google's own errors.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use url::form_urlencoded::Serializer;

use super::endpoints::Method;
use super::settings::CLOUD_PLATFORM;
use super::{AccessToken, Federation};
use crate::exchange::Answer;
use crate::exchange::expires_in::ExpiresIn;
use crate::http::{Reply, UnexpectedReply};
use crate::jwt::IdToken;
use crate::secret::Secret;

/// The `subject_token_type` of an ID token (RFC 8693 section 3).
pub const ID_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:id_token";
const ACCESS_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";

/// An error reply of STS or IAM.
#[derive(Debug, Default)]
pub(crate) struct Refusal {
    /// `error` of RFC 6749, or `status` of Google's errors.
    pub(super) code: String,
    pub(super) message: String,
}

/// RFC 8693 section 2.2.1, RFC 6749 section 5.2. Some gateways put an error into a reply of status 200.
#[derive(Deserialize)]
struct StsReply {
    access_token: Option<Secret>,
    expires_in: Option<ExpiresIn>,
    error: Option<String>,
    error_description: Option<String>,
}

#[derive(Deserialize)]
struct IamReply {
    #[serde(rename = "accessToken")]
    access_token: Option<Secret>,
    #[serde(rename = "expireTime")]
    expire_time: Option<Timestamp>,
    token: Option<Secret>,
    error: Option<IamError>,
}

/// `google.rpc.Status` in its HTTP form.
#[derive(Deserialize)]
struct IamError {
    #[serde(default)]
    status: String,
    #[serde(default)]
    message: String,
}

/// The form body of the token exchange.
pub(super) fn exchange_form(request: &Federation, token: &IdToken) -> Serializer<'static, String> {
    // The token that impersonates the service account needs this scope. The requested scopes are for the second token.
    let scope = match request.service_account {
        Some(_) => CLOUD_PLATFORM.to_owned(),
        None => request.scopes.join(" "),
    };
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")
        .append_pair("audience", &request.provider.audience())
        .append_pair("scope", &scope)
        .append_pair("requested_token_type", ACCESS_TOKEN_TYPE)
        .append_pair("subject_token_type", ID_TOKEN_TYPE)
        .append_pair("subject_token", token.reveal());
    form
}

/// The body of `generateAccessToken` or `generateIdToken`.
pub(super) fn impersonation_body(request: &Federation, method: Method) -> serde_json::Value {
    match method {
        Method::AccessToken => {
            let lifetime = request.lifetime.map_or(3600, super::Lifetime::seconds);
            json!({"scope": request.scopes, "lifetime": format!("{lifetime}s"), "delegates": []})
        }
        Method::IdToken => json!({"audience": request.id_token_audience, "includeEmail": true}),
    }
}

/// Reads a reply of the token service.
pub(super) fn read_sts(
    reply: &Reply,
    now: Timestamp,
) -> Result<Answer<AccessToken, Refusal>, UnexpectedReply> {
    let body: StsReply = reply.json()?;
    if body.error.is_some() || !reply.is_success() {
        let code = body.error.unwrap_or_default();
        let message = body.error_description.unwrap_or_default();
        return Ok(Answer::Refused(Refusal { code, message }));
    }
    let expires_at = required(reply, "expires_in", body.expires_in)?
        .expiry_after(now)
        .ok_or_else(|| reply.unexpected_json("`expires_in` is not a number of seconds"))?;
    Ok(Answer::Issued(AccessToken { token: required(reply, "access_token", body.access_token)?, expires_at }))
}

/// Reads a reply of `generateAccessToken`.
pub(super) fn read_access_token(
    reply: &Reply,
    _: Timestamp,
) -> Result<Answer<AccessToken, Refusal>, UnexpectedReply> {
    let body: IamReply = reply.json()?;
    if let Some(refusal) = refusal(reply, body.error) {
        return Ok(Answer::Refused(refusal));
    }
    let token = required(reply, "accessToken", body.access_token)?;
    let expires_at = required(reply, "expireTime", body.expire_time)?;
    Ok(Answer::Issued(AccessToken { token, expires_at }))
}

/// Reads a reply of `generateIdToken`.
pub(super) fn read_id_token(
    reply: &Reply,
    _: Timestamp,
) -> Result<Answer<IdToken, Refusal>, UnexpectedReply> {
    let said: IamReply = reply.json()?;
    if let Some(refusal) = refusal(reply, said.error) {
        return Ok(Answer::Refused(refusal));
    }
    let token = required(reply, "token", said.token)?;
    let token = IdToken::parse(token.reveal()).map_err(|_| reply.unexpected_json("`token` is not a JWT"))?;
    Ok(Answer::Issued(token))
}

fn refusal(reply: &Reply, error: Option<IamError>) -> Option<Refusal> {
    match error {
        Some(error) => Some(Refusal { code: error.status, message: error.message }),
        None => (!reply.is_success()).then(Refusal::default),
    }
}

fn required<T>(reply: &Reply, name: &str, value: Option<T>) -> Result<T, UnexpectedReply> {
    value.ok_or_else(|| reply.missing_member(name))
}

impl Refusal {
    /// Whether the service reports a temporary failure of its own.
    pub(super) fn is_temporary(&self) -> bool {
        let is_temporary_code =
            |text: &str| matches!(text, "internal_failure" | "server_error" | "temporarily_unavailable");
        is_temporary_code(&self.code) || is_temporary_code(&self.message)
    }
}
