//! The errors of this source. Each refusal of supervisor and public API has its own message and
//! hint.

use std::fmt;
use std::time::Duration;

use super::SupervisorSetting;
use crate::exchange::{login_page_hint, retry_hint, state_of, unavailable_hint};
use crate::exit::{Exit, Explain};
use crate::http::{HttpError, TlsFault, UnexpectedReply};
use crate::jwt::MalformedToken;
use crate::shell;

/// Who names the address of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NamedBy {
    Supervisor,
    /// `IDP_API_URL`
    Variable,
}

impl NamedBy {
    /// The hint if another service answers at the API's address, with this status if it speaks
    /// HTTP.
    fn hint_for_another_service(self, status: Option<u16>) -> String {
        let is_forbidden = matches!(status, Some(401 | 403));
        let first = match status {
            _ if is_forbidden => {
                "most likely a proxy or filter of the network answers: ask whoever runs the network to allow this address\notherwise "
            }
            Some(500..) => "the server has a fault: try again in a minute\nif it fails again, ",
            _ => "",
        };
        let (own, last) = match self {
            Self::Variable => (
                "most likely `IDP_API_URL` names another service: run `unset IDP_API_URL` to use the API of the workspace",
                "\nif that does not help, a login page or a proxy is in front of the API: ask whoever runs the network to allow requests to the API",
            ),
            Self::Supervisor => (
                "send this message to whoever runs the Gitpod installation, because the workspace's supervisor named this address",
                "",
            ),
        };
        // Then the first line already names a proxy.
        let last = if is_forbidden { "" } else { last };
        format!("{first}{own}{last}")
    }

    /// The hint if the API cannot be reached. The user cannot correct an address that the
    /// supervisor names.
    fn hint_for_unreached(self, cause: &HttpError) -> Option<String> {
        if self == Self::Variable {
            return cause.hint_with_address_source(
                "the address of the API comes from `IDP_API_URL`: run `unset IDP_API_URL` to use the API of the workspace",
            );
        }
        let from = "the address of the API comes from the workspace's supervisor, not from your settings";
        let fix = match cause {
            HttpError::Dns { .. } => {
                "this network does not know the name of the API: connect to the VPN\n\
                 if this network needs a proxy, set `HTTPS_PROXY=http://HOST:PORT`"
            }
            HttpError::Refused { .. } => {
                "most likely the API is not running at the moment: try again in a minute\n\
                 if it fails again, send this message to whoever runs the Gitpod installation"
            }
            HttpError::ConnectTimedOut { .. } => {
                "most likely a firewall drops the connection: set `HTTPS_PROXY=http://HOST:PORT` if this network needs a proxy\n\
                 otherwise ask whoever runs the network"
            }
            _ => return cause.hint_with_address_source(from),
        };
        Some(format!("{fix}\n{from}"))
    }
}

/// The hint if the workspace is stopping or starting.
const STOPPING: &str = "most likely the workspace is stopping or starting: try again in a minute\n\
     if it fails again, restart the workspace";

/// The hint if the supervisor has a fault.
const SUPERVISOR_FAULT: &str = "the supervisor is the cause, not your settings: restart the workspace\n\
     if it fails again, send this message to whoever runs the Gitpod installation";

/// The name of the API in messages.
pub(super) const API: &str = "the API that mints ID tokens";

/// Why supervisor or API gave no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// An address variable is unusable.
    #[error("`{variable}` is set to `{value}`: {reason}")]
    BadAddress { variable: &'static str, value: String, reason: String },
    /// The supervisor names an invalid API host.
    #[error("the supervisor names `{host}` as the host of the API, which is not a valid host name")]
    BadHost { host: String },
    /// The API token would go to a host that the supervisor does not name.
    #[error(
        "`IDP_API_URL` names {named} as the API, but the supervisor names {own}: the API token is not sent to {named}"
    )]
    ForeignApi {
        /// The host in `IDP_API_URL`.
        named: String,
        /// The host that the supervisor names.
        own: String,
    },
    /// The supervisor gave no reply.
    #[error("{}", describe_supervisor(place, cause))]
    Supervisor {
        place: SupervisorSetting,
        #[source]
        cause: HttpError,
    },
    /// Another program than the supervisor answered.
    #[error("the program that answered is not the workspace's supervisor")]
    NotASupervisor {
        place: SupervisorSetting,
        /// What is wrong with the reply.
        #[source]
        cause: UnexpectedReply,
    },
    /// The supervisor refused the workspace info.
    #[error("the supervisor gave no workspace info: {said}")]
    Info { said: RefusalText, temporary: bool },
    /// The workspace info is incomplete.
    #[error("the supervisor's workspace info has no `{field}`")]
    InfoLacks { field: &'static str },
    /// The supervisor has no API token for us.
    #[error("the supervisor holds no API token with scope `{scope}` for {host}: {said}")]
    NoApiToken { scope: &'static str, host: String, said: RefusalText },
    /// The supervisor failed to look for an API token.
    #[error("the supervisor gave no API token: {said}")]
    ApiToken { said: RefusalText, temporary: bool },
    /// The token in a reply is empty.
    #[error("{service} ({origin}) answered with an empty token")]
    EmptyToken { service: &'static str, origin: String },
    /// The API gave no reply.
    #[error("{API} {}", cause.verb())]
    Api {
        named_by: NamedBy,
        #[source]
        cause: HttpError,
    },
    /// Another service than the API answered.
    #[error("the server that answered is not {API}")]
    NotTheApi {
        named_by: NamedBy,
        /// What is wrong with the reply.
        #[source]
        cause: UnexpectedReply,
    },
    /// The API's answer holds no JWT.
    #[error("{API} ({origin}) answered with something that is not an ID token")]
    NotAToken {
        origin: String,
        /// What is wrong with it.
        #[source]
        cause: MalformedToken,
    },
    #[error("{API} ({origin}) refused: {said}")]
    Refused { origin: String, code: Code, said: RefusalText, named_by: NamedBy },
    /// The API is overloaded or temporarily down.
    #[error("{API} ({origin}) {}: {said}", state_of(*status))]
    Unavailable { origin: String, said: RefusalText, status: u16 },
}

/// The text of a refusal.
#[derive(Debug)]
pub(crate) struct RefusalText {
    pub(super) text: String,
    /// HTTP status
    pub(super) status: u16,
    /// How long the server asks to wait.
    pub(super) wait: Option<Duration>,
}

impl RefusalText {
    /// The hint for a refusal of the supervisor.
    fn hint_of_supervisor(&self, temporary: bool) -> String {
        match self.status {
            429 if temporary => format!(
                "too many commands ask the supervisor at once: {}",
                retry_hint("with fewer commands", self.wait)
            ),
            _ if temporary => format!(
                "most likely the workspace is still starting: {}\n\
                 if it fails again, restart the workspace",
                retry_hint("in a minute", self.wait)
            ),
            412 => STOPPING.into(),
            404 => {
                "most likely the installation no longer knows this workspace: save your work, then stop the workspace and start it again\n\
                 if it is not in your list of workspaces, start a new one".into()
            }
            403 => {
                "most likely this workspace is not yours, so the supervisor refuses you: use a workspace of your own".into()
            }
            401 => {
                "most likely another program answers, because a supervisor needs no sign-in: run `unset SUPERVISOR_ADDR` if that variable is set\n\
                 otherwise restart the workspace".into()
            }
            400..=499 => {
                "your settings are not the cause. Most likely the version of the supervisor does not fit this `gp`: restart the workspace, which updates the supervisor\n\
                 if it fails again, send this message to whoever runs the Gitpod installation".into()
            }
            _ => SUPERVISOR_FAULT.into(),
        }
    }
}

impl fmt::Display for RefusalText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The Connect codes of a refused token request. Codes with the same hint share a variant.
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
    /// `unimplemented`, or a 404 without a Connect code that is not an HTML page
    Unimplemented,
    /// `failed_precondition`, `already_exists` or `aborted`
    FailedPrecondition,
    /// `internal` and everything else
    Internal,
}

fn describe_supervisor(place: &SupervisorSetting, cause: &HttpError) -> String {
    match place {
        SupervisorSetting::Named(_) | SupervisorSetting::Workspace => format!("the workspace's supervisor {}", cause.verb()),
        SupervisorSetting::Nowhere { .. } => "no source of ID tokens was found: there is no CI job and no Ona environment, and no workspace's supervisor answers".to_owned(),
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
            Self::EmptyToken { service, .. } if *service != API => Exit::NoIdentity,
            Self::NoApiToken { .. }
            | Self::EmptyToken { .. }
            | Self::NotAToken { .. }
            | Self::Refused { .. } => Exit::MintRefused,
            Self::Api { cause, .. } => cause.exit(),
            Self::NotTheApi { .. } | Self::Unavailable { .. } => Exit::Network,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::BadAddress { variable: "SUPERVISOR_ADDR", .. } => {
                "run `unset SUPERVISOR_ADDR`: `gp` then asks `127.0.0.1:22999`, where a workspace's supervisor listens".into()
            }
            Self::BadAddress { variable, .. } => format!(
                "inside a workspace, run `unset {variable}`\n\
                 elsewhere, write the variable like `https://api.gitpod.example.com`"
            ),
            Self::ForeignApi { named, .. } => format!(
                "run `unset IDP_API_URL` to use the API of the workspace\n\
                 if you know that {named} is the API of your installation, add `{}`",
                shell::command(&["--allow-api-host", named])
            ),
            // The written files would outlive the local workspace.
            Self::Supervisor { place: SupervisorSetting::Nowhere { command }, .. }
                if command.starts_with("gp idp login") && !command.contains(" --format") =>
            {
                "run this inside a workspace or a job, or name a source with `--source`\n\
                 to try it in a local workspace, start a shell there with `gp idp dev -- bash`".into()
            }
            Self::Supervisor { place: SupervisorSetting::Nowhere { command }, .. } => format!(
                "run this inside a workspace or a job, or name a source with `--source`\n\
                 to try it in a local workspace, run `gp idp dev -- {command}`"
            ),
            Self::Supervisor { place: SupervisorSetting::Named(address), cause: HttpError::Refused { .. } }
                if !address.ends_with(":22999") =>
            {
                format!(
                    "most likely `SUPERVISOR_ADDR` ({address}) names the wrong port: run `unset SUPERVISOR_ADDR` to use the default, `127.0.0.1:22999`\n\
                     if `gp idp dev -- CMD` set the variable, that local workspace has ended: start a new one\n\
                     otherwise the workspace may still be starting: give it more time with `--timeout 2m`"
                )
            }
            Self::Supervisor { cause: HttpError::Refused { .. }, .. } => {
                "the workspace may still be starting: give it more time with `--timeout 2m`\n\
                 if it fails again, restart the workspace".into()
            }
            Self::Supervisor { place, .. } | Self::NotASupervisor { place, .. } => {
                match (place, self) {
                    (SupervisorSetting::Named(address), _) if !address.ends_with(":22999") => format!(
                        "most likely another program listens on `SUPERVISOR_ADDR` ({address}), such as an editor or a local proxy (`ss -ltnp` shows it): run `unset SUPERVISOR_ADDR` to use the default, `127.0.0.1:22999`"
                    ),
                    (_, Self::NotASupervisor { .. }) => {
                        "another program has the supervisor's port (`ss -ltnp` shows it): end that program, or restart the workspace".into()
                    }
                    _ => "try again\nif it fails again, restart the workspace".into(),
                }
            }
            Self::Info { said, temporary } | Self::ApiToken { said, temporary } => {
                said.hint_of_supervisor(*temporary)
            }
            Self::BadHost { .. } | Self::InfoLacks { .. } => SUPERVISOR_FAULT.into(),
            Self::NoApiToken { .. } => {
                "restart the workspace, which gives it a new token\n\
                 if this is a prebuild or somebody else's shared workspace, it never has a token: use a workspace of your own".into()
            }
            Self::EmptyToken { .. } | Self::NotAToken { .. } => {
                "the fault is in the service, not in your settings: try again\n\
                 if it fails again, send this message to whoever runs the Gitpod installation".into()
            }
            Self::Api {
                named_by,
                cause:
                    HttpError::Tls { kind: TlsFault::Name | TlsFault::Plain, .. } | HttpError::TooLarge { .. },
            } => named_by.hint_for_another_service(None),
            Self::Api { cause, named_by } => return named_by.hint_for_unreached(cause),
            Self::NotTheApi { cause, named_by }
                if cause.is_for_browsers() && !cause.is_from_loopback() =>
            {
                let first = match named_by {
                    NamedBy::Variable => "run `unset IDP_API_URL` to use the API of the workspace\nif it fails again, ",
                    NamedBy::Supervisor => "",
                };
                format!("{first}{}", login_page_hint(cause.origin()))
            }
            Self::NotTheApi { named_by, cause } => named_by.hint_for_another_service(Some(cause.status())),
            Self::Refused { code, said, named_by, .. } => code.hint(&said.text, *named_by),
            Self::Unavailable { status, said, .. } => unavailable_hint(*status, said.wait),
        })
    }
}

impl Code {
    fn hint(self, said: &str, named_by: NamedBy) -> String {
        match self {
            Self::InvalidArgument if said.contains("workspace id does not match") => {
                "the API refuses the ID of this workspace, which is no setting of yours: restart the workspace\n\
                 if it fails again, send this message to whoever runs the Gitpod installation".into()
            }
            Self::InvalidArgument => {
                let named = |flag| said.to_ascii_lowercase().contains(flag);
                let flag = match (named("audience"), named("scope")) {
                    (true, false) => "`--audience`",
                    (false, true) => "`--scope`",
                    _ => "`--audience` or `--scope`",
                };
                format!("the API refuses the value of {flag} for the reason above: give another value")
            }
            Self::Unauthenticated => "the workspace's API token has expired or was revoked: restart the workspace".into(),
            Self::PermissionDenied => {
                "the workspace's API token lacks the right to mint ID tokens (`function:getIDToken`): restart the workspace if it is your own\n\
                 in a prebuild or another user's workspace, no API token has this right: use a workspace of your own\n\
                 if a restart does not help, ask whoever runs the Gitpod installation to enable OIDC".into()
            }
            Self::NotFound | Self::Unimplemented if named_by == NamedBy::Variable => {
                "most likely `IDP_API_URL` names another installation or service: run `unset IDP_API_URL` to use the API of the workspace".into()
            }
            Self::NotFound => "most likely this workspace was stopped or deleted, because the API does not know it: start a new one".into(),
            Self::Unimplemented => {
                "most likely the Gitpod installation is too old to mint ID tokens: ask whoever runs it to update it".into()
            }
            Self::FailedPrecondition => STOPPING.into(),
            Self::Internal if said.contains("SSO email is empty") => {
                "sign in to the organisation through SSO once, so that your account has an e-mail address there".into()
            }
            Self::Internal if said.starts_with("Failed to establish connection to downstream services") => {
                "the workspace's API token may have expired or been revoked: restart the workspace\n\
                 otherwise the installation is temporarily down: try again in a minute".into()
            }
            Self::Internal => "the API is the cause, not your settings: try again in a minute\n\
                 if it fails again, send this message to whoever runs the Gitpod installation".into(),
        }
    }
}
