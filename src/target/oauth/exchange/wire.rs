//! The bodies of the request and of its replies: RFC 8693 section 2, RFC 7523 section 2, RFC 6749
//! section 5.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::OauthCredential;
use super::member::Text;
use crate::exchange::Answer;
use crate::exchange::expires_in::ExpiresIn;
use crate::http::{Reply, UnexpectedReply};
use crate::jwt::IdToken;
use crate::target::oauth::request::{ClientAuth, Grant, TokenCall};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A success. Only `access_token` is required, because services leave out members that RFC 8693 requires. A member of a
/// wrong type is ignored.
#[derive(Deserialize)]
struct Success {
    access_token: Option<Text>,
    issued_token_type: Option<Text>,
    token_type: Option<Text>,
    expires_in: Option<ExpiresIn>,
    scope: Option<Text>,
    refresh_token: Option<Text>,
    // An error in a reply of status 200.
    error: Option<IgnoredAny>,
}

/// An error: RFC 6749 section 5.2, or the form of a service that does not follow it (RFC 9457,
/// Google's `error` object, Okta's `errorCode`).
#[derive(Deserialize)]
struct Failure {
    error: Option<Value>,
    error_description: Option<Value>,
    error_uri: Option<Value>,
    #[serde(rename = "errorCode")]
    code: Option<Value>,
    #[serde(rename = "errorSummary")]
    summary: Option<Value>,
    message: Option<Value>,
    detail: Option<Value>,
}

#[derive(Debug, Default)]
pub(crate) struct Refusal {
    pub(super) error: String,
    pub(super) description: String,
    pub(super) uri: Option<String>,
}

/// The form body. Parameters without a value are left out (RFC 6749 section 3.2).
pub(super) fn form(call: &TokenCall, token: &IdToken) -> Serializer<'static, String> {
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
        // The header has the id and the secret, or there is no client.
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
            form.append_pair("client_assertion_type", ASSERTION_TYPE)
                .append_pair("client_assertion", token.reveal());
        }
    }
    for (name, value) in &call.extra_parameters {
        form.append_pair(name, value);
    }
    form
}

/// Reads a success or an error. A reply of status 2xx is an error if it has an `error` and no
/// `access_token`.
pub(super) fn read(
    reply: &Reply,
    now: Timestamp,
) -> Result<Answer<OauthCredential, Refusal>, UnexpectedReply> {
    if !reply.is_success() {
        return read_failure(reply);
    }
    let said: Success = reply.json()?;
    if said.error.is_some() && said.access_token.is_none() {
        return read_failure(reply);
    }
    let access_token = match said.access_token {
        None => return Err(reply.unexpected_json("`access_token` is missing".to_owned())),
        Some(Text::Other(kind)) => {
            return Err(reply.unexpected_json(format!("`access_token` is {kind} and not a string")));
        }
        Some(Text::String(token)) => token,
    };
    Ok(Answer::Issued(OauthCredential {
        access_token,
        issued_token_type: said.issued_token_type.and_then(Text::plain),
        token_type: said.token_type.and_then(Text::plain),
        expires_at: said.expires_in.and_then(|life| life.expiry_after(now)),
        scope: said.scope.and_then(Text::plain),
        refresh_token: said.refresh_token.and_then(Text::secret),
    }))
}

/// Reads an error from the body, else from the challenge in the header (RFC 6750 section 3).
fn read_failure(reply: &Reply) -> Result<Answer<OauthCredential, Refusal>, UnexpectedReply> {
    let said: Failure = match (reply.json(), reply.challenge()) {
        (Ok(said), _) => said,
        (Err(_), Some(challenge)) if challenge.contains("error=") => {
            let parameter = |name| challenge_parameter(challenge, name).unwrap_or_default().to_owned();
            let (error, description) = (parameter("error"), parameter("error_description"));
            return Ok(Answer::Refused(Refusal { error, description, uri: None }));
        }
        (Err(cause), _) => return Err(cause),
    };
    let text = |value: Option<Value>| match value {
        Some(Value::String(text)) => Some(text),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let (error, inner) = match said.error {
        Some(Value::Object(mut members)) => {
            let code = text(members.remove("status")).or_else(|| text(members.remove("code")));
            (code, text(members.remove("message")))
        }
        other => (text(other).or_else(|| text(said.code)), None),
    };
    let described =
        [said.error_description, said.summary, said.message, said.detail].into_iter().find_map(text);
    Ok(Answer::Refused(Refusal {
        error: error.unwrap_or_default(),
        description: described.or(inner).unwrap_or_default(),
        uri: text(said.error_uri),
    }))
}

/// A quoted parameter of a challenge (RFC 9110 section 11.2).
fn challenge_parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    let start = format!("{name}=\"");
    let at = challenge.match_indices(&start).find(|(at, _)| challenge[..*at].ends_with([' ', ',']))?.0;
    challenge[at + start.len()..].split('"').next()
}

impl Refusal {
    /// Whether the service refuses everything from this address for a while, as Auth0 does after many bad tokens.
    pub(super) fn is_blocked(&self) -> bool {
        self.error == "too_many_attempts"
    }

    /// Whether the service reports a temporary failure of its own (RFC 6749 section 4.1.2.1).
    pub(super) fn is_temporary(&self) -> bool {
        matches!(self.error.as_str(), "temporarily_unavailable" | "server_error")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_a_challenge() {
        let challenge = r#"Bearer realm="a", error="invalid_token", error_description="it is, too old""#;
        for (name, value) in [
            ("error", Some("invalid_token")),
            ("error_description", Some("it is, too old")),
            ("scope", None),
            ("description", None),
        ] {
            assert_eq!(challenge_parameter(challenge, name), value, "{name}");
        }
    }
}
