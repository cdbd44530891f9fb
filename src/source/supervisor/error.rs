//! Why there is no ID token: every refusal of supervisor and public API as its own message and hint.

use jiff::Timestamp;
use serde::Deserialize;

use super::Place;
use crate::exchange::{state_of, wait_for, with_effort};
use crate::exit::{Exit, Explain};
use crate::http::{HttpError, Reply, TlsFault, UnexpectedReply};
use crate::jwt::MalformedToken;
use crate::shell;
use crate::time;

/// The hint where something else answers.
const CHECK_API: &str = "if `IDP_API_URL` is set, it most likely names another service: `unset IDP_API_URL`, as the workspace knows its API; else whoever runs the installation has to look why its API answers so";

/// A token source that gave no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// An address variable is unusable.
    #[error("`{variable}` is set to `{value}`: {reason}")]
    BadAddress { variable: &'static str, value: String, reason: String },
    /// The supervisor names an API host that no URL can be made of.
    #[error("the supervisor names `{host}` as the host of the API, which is no host name")]
    BadHost { host: String },
    /// The API token would go to another host than the supervisor's.
    #[error(
        "`IDP_API_URL` names {named} as the API, and the supervisor {own}: the API token is not sent there"
    )]
    ForeignApi {
        /// Of `IDP_API_URL`.
        named: String,
        /// Of the supervisor.
        own: String,
    },
    /// The supervisor gave no reply.
    #[error("{}", describe_supervisor(place, cause))]
    Supervisor {
        place: Place,
        #[source]
        cause: HttpError,
    },
    /// Something else than a supervisor listens there.
    #[error("what answers is not a workspace's supervisor")]
    NotASupervisor {
        /// What it said instead.
        #[source]
        cause: UnexpectedReply,
    },
    /// The supervisor refused the workspace info.
    #[error("the supervisor gave no workspace info: {said}")]
    Info { said: String, temporary: bool },
    /// The workspace info is incomplete.
    #[error("the supervisor's workspace info has no `{field}`")]
    InfoLacks { field: &'static str },
    /// The supervisor has no API token for us.
    #[error("the supervisor holds no API token with scope `{scope}` for {host}: {said}")]
    NoApiToken { scope: &'static str, host: String, said: String },
    /// The supervisor failed to look for an API token.
    #[error("the supervisor gave no API token: {said}")]
    ApiToken { said: String, temporary: bool },
    /// A token field is there and empty.
    #[error("{origin} answered with an empty {what}")]
    EmptyToken { what: &'static str, origin: String },
    /// The API gave no reply.
    #[error("the API that mints ID tokens {}", cause.verb())]
    Api {
        #[source]
        cause: HttpError,
    },
    /// Something else than the API answered.
    #[error("what answers is not the API that mints ID tokens")]
    NotTheApi {
        /// What it said instead.
        #[source]
        cause: UnexpectedReply,
    },
    /// The API's answer holds no JWT.
    #[error("{origin} answered with something that is not an ID token")]
    NotAToken {
        origin: String,
        /// What is wrong with it.
        #[source]
        cause: MalformedToken,
    },
    #[error("{origin} refused: {said}")]
    Refused { origin: String, code: Code, said: String },
    /// The API is overloaded or down for a moment.
    #[error("{origin} {}: {said}", state_of(*status))]
    Unavailable { origin: String, said: String, status: u16 },
}

/// The Connect codes that a refused mint carries, and the ones that mean the same to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// `invalid_argument`, 400
    InvalidArgument,
    /// `unauthenticated`, 401
    Unauthenticated,
    /// `permission_denied`, 403
    PermissionDenied,
    /// `not_found`, 404
    NotFound,
    /// `unimplemented`, or a 404 without a Connect body that is no web page
    Unimplemented,
    /// `failed_precondition` or `already_exists`
    FailedPrecondition,
    /// `internal` and everything else
    Internal,
}

fn describe_supervisor(place: &Place, cause: &HttpError) -> String {
    match place {
        Place::Named(_) | Place::Workspace => format!("the workspace's supervisor {}", cause.verb()),
        Place::Nowhere { .. } => "this is not a workspace: no supervisor answers".to_owned(),
    }
}

impl Explain for SourceError {
    fn exit(&self) -> Exit {
        match self {
            Self::BadAddress { .. } | Self::ForeignApi { .. } => Exit::Usage,
            Self::BadHost { .. }
            | Self::NotASupervisor { .. }
            | Self::Supervisor { .. }
            | Self::Info { .. }
            | Self::InfoLacks { .. }
            | Self::ApiToken { .. } => Exit::NoIdentity,
            Self::NoApiToken { .. }
            | Self::EmptyToken { .. }
            | Self::NotAToken { .. }
            | Self::Refused { .. } => Exit::MintRefused,
            Self::Api { cause } => cause.exit(),
            Self::NotTheApi { .. } | Self::Unavailable { .. } => Exit::Network,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::BadAddress { variable: "SUPERVISOR_ADDR", .. } => {
                "`unset SUPERVISOR_ADDR`: without it `localhost:22999` counts, where a workspace's supervisor listens".into()
            }
            Self::BadAddress { variable, .. } => format!(
                "`unset {variable}` inside a workspace; elsewhere write it like `https://api.gitpod.example.com`"
            ),
            Self::ForeignApi { named, .. } => format!(
                "unset `IDP_API_URL`; or, if you know that {named} is the API of your installation, add `{}`",
                shell::command(&["--allow-api-host", named])
            ),
            Self::Supervisor { place: Place::Nowhere { command }, .. } => format!(
                "run this inside a workspace, or try it in a local one: `gp idp dev -- {command}`"
            ),
            Self::Supervisor { place: Place::Named(address), cause: HttpError::Refused { .. } }
                if !address.ends_with(":22999") =>
            {
                format!(
                    "most likely `SUPERVISOR_ADDR` ({address}) names the wrong port: `unset SUPERVISOR_ADDR`, a workspace has `localhost:22999`; if it is right, the workspace may still be starting: give it more time with `--timeout 2m`"
                )
            }
            Self::Supervisor { cause: HttpError::Refused { .. }, .. } => {
                "the workspace may still be starting: give it more time with `--timeout 2m`; if it stays so, restart it".into()
            }
            Self::Supervisor { .. } => {
                "first `unset SUPERVISOR_ADDR` if it is set: a workspace's supervisor is at `localhost:22999`; then try once more, and restart the workspace if it stays so".into()
            }
            Self::NotASupervisor { .. } => {
                "another program, such as an editor, has this port: `unset SUPERVISOR_ADDR`, as a workspace's supervisor is at `localhost:22999`; if it is not set, restart the workspace".into()
            }
            Self::Info { temporary: true, said } | Self::ApiToken { temporary: true, said }
                if said.contains("HTTP 429") =>
            {
                "too many commands ask the supervisor at once: run fewer, or give it more time with `--timeout 5m`".into()
            }
            Self::Info { temporary: true, .. } | Self::ApiToken { temporary: true, .. } => {
                "most likely the workspace is still starting: give it more time with `--timeout 2m`; if it stays so, restart the workspace".into()
            }
            Self::BadHost { .. } | Self::Info { .. } | Self::InfoLacks { .. } | Self::ApiToken { .. } => {
                "the supervisor itself fails, not your settings: restart the workspace; if it stays so, send this message to whoever runs this installation".into()
            }
            Self::NoApiToken { .. } => {
                "restart the workspace, which gives it a new token; a prebuild and somebody else's shared workspace have none: use a workspace of your own".into()
            }
            Self::EmptyToken { .. } | Self::NotAToken { .. } => {
                "the service that answered has a fault, not your settings: try once more; if it stays so, send this message to whoever runs this installation".into()
            }
            Self::Api { cause: HttpError::Tls { kind: TlsFault::Name | TlsFault::Plain, .. } | HttpError::TooLarge { .. } } => CHECK_API.into(),
            Self::Api { cause } => return cause.hint(),
            Self::NotTheApi { cause } if cause.is_of_a_browser() => format!(
                "most likely a login page or a proxy answers: open {} in a browser and log in where the network asks for it, else set `HTTPS_PROXY` or `NO_PROXY`; if `IDP_API_URL` is set, unset it first",
                cause.origin()
            ),
            Self::NotTheApi { .. } => CHECK_API.into(),
            Self::Refused { code, said, .. } => code.hint(said),
            Self::Unavailable { status, .. } => wait_for(*status).into(),
        })
    }
}

impl Code {
    fn hint(self, said: &str) -> String {
        match self {
            Self::InvalidArgument => "the API does not take the value of `--audience` or `--scope`, for the reason it gives above: choose another value".into(),
            Self::Unauthenticated => "the workspace's API token has expired or was revoked: restart the workspace".into(),
            Self::PermissionDenied => {
                "the workspace's API token lacks the right to mint ID tokens (`function:getIDToken`): most likely this is not your own workspace, or it is a prebuild: use one of your own; else restart it; then ask whoever runs this installation to enable OIDC".into()
            }
            Self::NotFound => {
                "the API does not know this workspace: if `IDP_API_URL` is set, it names another installation: `unset IDP_API_URL`; else the workspace was stopped or deleted: start a new one".into()
            }
            Self::Unimplemented => {
                "if `IDP_API_URL` is set, it most likely names another service: `unset IDP_API_URL`; else the installation is most likely too old to mint ID tokens: ask whoever runs it to update it".into()
            }
            Self::FailedPrecondition => "most likely the workspace is stopping or starting: try again in a minute; if it stays so, restart the workspace".into(),
            Self::Internal if said.contains("SSO email is empty") => {
                "sign in to the organisation through SSO once, so that your account has an e-mail address there".into()
            }
            Self::Internal => "the API failed, not your settings: try again in a minute; if it stays so, send this message to whoever runs this installation".into(),
        }
    }
}

/// The error of a grpc-gateway, whose `code` is a number, or of the Connect protocol, where it is a word.
#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    code: serde_json::Value,
    #[serde(default)]
    message: String,
}

/// What the supervisor said of the workspace info.
pub(super) fn of_info(reply: &Reply, now: Timestamp) -> SourceError {
    match read(reply, now) {
        Ok((_, said)) => SourceError::Info { said, temporary: is_temporary(reply.status) },
        Err(cause) => SourceError::NotASupervisor { cause },
    }
}

/// What the supervisor said of the API token.
pub(super) fn of_api_token(reply: &Reply, host: &str, scope: &'static str, now: Timestamp) -> SourceError {
    match read(reply, now) {
        // NotFound, PermissionDenied and Unauthenticated of gRPC.
        Ok((code, said)) if ["5", "7", "16"].contains(&code.as_str()) => {
            SourceError::NoApiToken { scope, host: host.to_owned(), said }
        }
        Ok((_, said)) => SourceError::ApiToken { said, temporary: is_temporary(reply.status) },
        Err(cause) => SourceError::NotASupervisor { cause },
    }
}

/// What the API said of the ID token.
pub(super) fn of_mint(reply: &Reply, now: Timestamp) -> SourceError {
    let origin = reply.origin.clone();
    let (code, said) = match read(reply, now) {
        Ok(said) => said,
        // A server that does not know the path answers in its framework's words.
        Err(UnexpectedReply::ContentType { .. }) if reply.status == 404 => {
            (String::new(), "HTTP 404".to_owned())
        }
        Err(cause) => return SourceError::NotTheApi { cause },
    };
    let code = match (code.as_str(), reply.status) {
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
    SourceError::Refused { origin, code, said }
}

fn is_temporary(status: u16) -> bool {
    matches!(status, 408 | 429 | 502..=504)
}

/// The code of a refusal, and its words: `message (code, HTTP 403), and asks to wait 30 s`, with what there is.
fn read(reply: &Reply, now: Timestamp) -> Result<(String, String), UnexpectedReply> {
    let Problem { code, message } = match reply.json() {
        Ok(problem) => problem,
        // A load balancer answers for a server that is down, with a page of its own.
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
    let said = said + &wait.map_or(String::new(), |wait| format!(", and asks to wait {}", time::limit(wait)));
    Ok((code, with_effort(said, reply)))
}
