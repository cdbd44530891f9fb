//! Converts each refusal of supervisor and API into a [`SourceError`].

use jiff::Timestamp;
use serde::Deserialize;

use super::SupervisorSetting;
use super::error::{Code, NamedBy, RefusalText, SourceError};
use crate::exchange::with_effort;
use crate::http::{Reply, UnexpectedReply};
use crate::time;

/// The error body of grpc-gateway, where `code` is a number, or of the Connect protocol, where it
/// is a string.
#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    code: serde_json::Value,
    #[serde(default)]
    message: String,
}

/// The error for a refused request for the workspace info.
pub(super) fn of_info(reply: &Reply, place: &SupervisorSetting, now: Timestamp) -> SourceError {
    match read(reply, now) {
        Ok((_, said)) => SourceError::Info { said, temporary: is_temporary(reply.status) },
        Err(cause) => SourceError::NotASupervisor { place: place.clone(), cause },
    }
}

/// The error for a refused request for the API token.
pub(super) fn of_api_token(
    reply: &Reply,
    host: &str,
    scope: &'static str,
    place: &SupervisorSetting,
    now: Timestamp,
) -> SourceError {
    match read(reply, now) {
        // NotFound, PermissionDenied and Unauthenticated of gRPC.
        Ok((code, said)) if ["5", "7", "16"].contains(&code.as_str()) => {
            SourceError::NoApiToken { scope, host: host.to_owned(), said }
        }
        Ok((_, said)) => SourceError::ApiToken { said, temporary: is_temporary(reply.status) },
        Err(cause) => SourceError::NotASupervisor { place: place.clone(), cause },
    }
}

/// The error for a refused request for the ID token.
pub(super) fn of_mint(reply: &Reply, named_by: NamedBy, now: Timestamp) -> SourceError {
    let origin = reply.origin.clone();
    let (code, said) = match read(reply, now) {
        Ok(said) => said,
        // A server that does not know the path answers with the plain text of its framework.
        Err(UnexpectedReply::ContentType { .. }) if reply.status == 404 => {
            (String::new(), RefusalText { text: "HTTP 404".to_owned(), status: 404, wait: None })
        }
        Err(cause) => return SourceError::NotTheApi { named_by, cause },
    };
    // A refusal of the server behind the API has its code only in the text, not as a Connect code.
    let code = match server_code(&said.text) {
        Some(401) => "unauthenticated",
        Some(403) => "permission_denied",
        Some(404) => "not_found",
        Some(429) => return SourceError::Unavailable { origin, said, status: 429 },
        _ => code.as_str(),
    };
    let code = match (code, reply.status) {
        ("resource_exhausted" | "unavailable" | "deadline_exceeded", _) | (_, 408 | 429 | 502..=504) => {
            return SourceError::Unavailable { origin, said, status: reply.status };
        }
        ("failed_precondition" | "already_exists" | "aborted", _) => Code::FailedPrecondition,
        ("not_found", _) => Code::NotFound,
        ("internal" | "unknown", _) => Code::Internal,
        ("invalid_argument", _) | (_, 400) => Code::InvalidArgument,
        ("unauthenticated", _) | (_, 401) => Code::Unauthenticated,
        ("permission_denied", _) | (_, 403) => Code::PermissionDenied,
        ("unimplemented", _) | (_, 404) => Code::Unimplemented,
        _ => Code::Internal,
    };
    SourceError::Refused { origin, code, said, named_by }
}

/// The code in `jsonrpc2: code 403 message: …`.
fn server_code(said: &str) -> Option<u16> {
    let (code, _) = said.strip_prefix("jsonrpc2: code ")?.split_once(" message:")?;
    code.parse().ok()
}

fn is_temporary(status: u16) -> bool {
    matches!(status, 408 | 429 | 502..=504)
}

/// The code of a refusal, and its text: `message (code, HTTP 403); it asks to wait 30 s`. Missing
/// parts are left out.
fn read(reply: &Reply, now: Timestamp) -> Result<(String, RefusalText), UnexpectedReply> {
    let Problem { code, message } = match reply.json() {
        Ok(problem) => problem,
        // If a server is down, a load balancer answers with its own page.
        Err(_) if is_temporary(reply.status) => {
            Problem { code: serde_json::Value::Null, message: String::new() }
        }
        Err(unexpected) => return Err(unexpected),
    };
    let (word, code) = match code {
        serde_json::Value::String(word) if !word.is_empty() => (format!("{word}, "), word),
        serde_json::Value::Number(number) => (String::new(), number.to_string()),
        _ => Default::default(),
    };
    let status = format!("{word}HTTP {}", reply.status);
    let said = if message.is_empty() { status } else { format!("{message} ({status})") };
    let wait = reply.retry_after(now).filter(|wait| !wait.is_zero());
    let said = said + &wait.map_or(String::new(), |wait| format!("; it asks to wait {}", time::limit(wait)));
    Ok((code, RefusalText { text: with_effort(said, reply), status: reply.status, wait }))
}
