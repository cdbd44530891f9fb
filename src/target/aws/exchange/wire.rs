//! The wire format of `AssumeRoleWithWebIdentity`: the request and the two replies.

use jiff::Timestamp;
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::super::AssumeRole;
use super::session::RoleSessionName;
use crate::exchange::{Answer, Issued};
use crate::http::is_overloaded;
use crate::http::{Reply, UnexpectedReply};
use crate::jwt::IdToken;
use crate::secret::Secret;

/// The XML namespace of every element of a reply. Services that emulate STS may leave it out.
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The elements of `AssumeRoleWithWebIdentityResult` that this program uses.
#[derive(Deserialize)]
pub(crate) struct AssumedRole {
    #[serde(rename = "Credentials")]
    pub(super) credentials: Credentials,
    /// Services that emulate STS leave it empty or leave it out.
    #[serde(rename = "AssumedRoleUser", default)]
    pub(super) user: AssumedRoleUser,
    /// The `Date` of the reply, by the clock of the service.
    #[serde(skip)]
    pub(super) date: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Credentials {
    pub(super) access_key_id: Secret,
    pub(super) secret_access_key: Secret,
    pub(super) session_token: Secret,
    /// RFC 3339, with or without a fraction.
    pub(super) expiration: Timestamp,
}

impl Issued for AssumedRole {
    fn secrets(&self) -> Vec<(&'static str, &Secret)> {
        let Credentials { access_key_id, secret_access_key, session_token, .. } = &self.credentials;
        vec![
            ("AccessKeyId", access_key_id),
            ("SecretAccessKey", secret_access_key),
            ("SessionToken", session_token),
        ]
    }
}

#[derive(Default, Deserialize)]
pub(crate) struct AssumedRoleUser {
    #[serde(rename = "Arn", default)]
    pub(super) arn: String,
}

#[derive(Deserialize)]
struct Response {
    #[serde(rename = "AssumeRoleWithWebIdentityResult")]
    result: AssumedRole,
}

#[derive(Deserialize)]
struct ErrorResponse {
    #[serde(rename = "Error")]
    error: ErrorBody,
    #[serde(rename = "RequestId", default)]
    request_id: String,
}

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(rename = "Code", default)]
    code: String,
    #[serde(rename = "Message", default)]
    message: String,
}

#[derive(Default)]
pub(crate) struct StsError {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) request_id: String,
}

/// The form body. It has no `ProviderId`, which is for providers without OIDC.
pub(super) fn form(
    request: &AssumeRole,
    session_name: &RoleSessionName,
    token: &IdToken,
) -> Serializer<'static, String> {
    let mut form = Serializer::new(String::new());
    form.append_pair("Action", "AssumeRoleWithWebIdentity").append_pair("Version", "2011-06-15");
    if let Some(role) = &request.role {
        form.append_pair("RoleArn", role.as_str());
    }
    form.append_pair("RoleSessionName", session_name.as_str())
        .append_pair("WebIdentityToken", token.reveal())
        .append_pair("DurationSeconds", &request.duration.seconds().to_string());
    if let Some(policy) = request.policies.inline() {
        form.append_pair("Policy", policy);
    }
    for (index, arn) in request.policies.arns().iter().enumerate() {
        form.append_pair(&format!("PolicyArns.member.{}.arn", index + 1), arn);
    }
    form
}

pub(super) fn read(reply: &Reply) -> Result<Answer<AssumedRole, StsError>, UnexpectedReply> {
    if reply.is_success() {
        let Response { result } = reply.xml("AssumeRoleWithWebIdentityResponse", NAMESPACE)?;
        return Ok(Answer::Issued(AssumedRole { date: reply.date(), ..result }));
    }
    let ErrorResponse { error, request_id } = reply.xml("ErrorResponse", NAMESPACE)?;
    Ok(Answer::Refused(StsError { code: error.code, message: error.message, request_id }))
}

impl StsError {
    /// Whether STS throttles the request. STS answers this with status 400.
    pub(super) fn is_throttled(&self) -> bool {
        matches!(self.code.as_str(), "Throttling" | "ThrottlingException" | "RequestThrottled")
    }

    /// Whether STS itself is overloaded or down, so that the request is not the cause.
    pub(super) fn is_sts_unavailable(&self, status: u16) -> bool {
        self.is_throttled() || is_overloaded(status)
    }

    /// Whether STS did not get an answer from the issuer.
    pub(super) fn is_issuer_unreachable(&self) -> bool {
        match self.code.as_str() {
            "IDPCommunicationError" | "IDPCommunicationErrorException" => true,
            "InvalidIdentityToken" | "InvalidIdentityTokenException" => {
                self.message.contains("retrieve verification key")
            }
            _ => false,
        }
    }

    /// Whether STS may accept a newer ID token, because this one has expired or its claims were
    /// revoked.
    pub(super) fn needs_new_token(&self) -> bool {
        matches!(
            self.code.as_str(),
            "ExpiredTokenException" | "ExpiredToken" | "IDPRejectedClaim" | "IDPRejectedClaimException"
        )
    }
}
