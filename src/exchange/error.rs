//! The reasons why an exchange gives no credential. Each kind needs a different action by the user.

use std::time::Duration;

use crate::error::{more_time, shortened};
use crate::exit::{Exit, Explain};
use crate::http::{HttpError, UnexpectedReply};
use crate::jwt::{Claims, IdToken, subject};
use crate::settings::quoted;
use crate::time;

/// An exchange that gave no credential.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    #[error("{} {}", without_address(target), cause.verb())]
    Unreachable {
        target: String,
        address: Box<AddressSettings>,
        #[source]
        cause: HttpError,
    },
    /// The reply is not from the service.
    #[error("the server that answered is not {}", without_address(target))]
    UnexpectedReply {
        target: String,
        address: Box<AddressSettings>,
        /// Describes the reply.
        #[source]
        cause: UnexpectedReply,
    },
    /// The service is overloaded or down.
    #[error("{target} {state}: {error_text}")]
    Unavailable {
        target: String,
        /// The state of the service, as a verb phrase.
        state: &'static str,
        error_text: String,
        hint: String,
    },
    /// The service refused the request.
    #[error("{target} refused: {error_text}")]
    Rejected {
        target: String,
        error_text: String,
        checked_values: Box<CheckedValues>,
        hint: Option<String>,
        /// Whether the service may accept a newer token.
        stale: bool,
    },
    /// The service issued another credential than the requested one. It is not kept.
    #[error("{target} issued {what}")]
    WrongCredential {
        target: String,
        /// Describes the credential, and says that it was not kept.
        what: String,
        checked_values: Box<CheckedValues>,
        hint: String,
    },
}

/// `Vault (https://…)` without the address. The cause of the error names the address.
fn without_address(target: &str) -> &str {
    [" (", " at http"].iter().find_map(|mark| target.split_once(mark)).map_or(target, |(name, _)| name)
}

/// How users set the address of a service.
#[derive(Debug)]
pub struct AddressSettings {
    /// The setting that names it, or all settings that can, for messages.
    names: &'static str,
    is_in_use: bool,
    /// The default address.
    default: Option<&'static str>,
}

impl AddressSettings {
    /// For the settings that can name the address, if it is not known which of them is set.
    pub const fn any_of(names: &'static str, default: Option<&'static str>) -> Self {
        Self { names, is_in_use: false, default }
    }

    /// For the setting that names the address.
    pub const fn in_use(setting: &'static str, default: Option<&'static str>) -> Self {
        Self { names: setting, is_in_use: true, default }
    }

    /// The instruction to remove the setting.
    fn remove(&self) -> String {
        let name = self.names;
        if name.contains(['`', ' ']) {
            format!("remove {}", quoted(name))
        } else if name.starts_with("--") {
            format!("leave out `{name}`")
        } else {
            format!("run `unset {name}`")
        }
    }

    /// The instruction to correct the setting, if it names another service.
    fn correct(&self) -> String {
        let names = quoted(self.names);
        if self.is_in_use {
            format!("most likely {names} names another service: correct it")
        } else {
            format!("if {names} is set, correct it: it most likely names another service")
        }
    }
}

/// The fix if a login page or a proxy answers at `origin`.
pub(crate) fn login_page_hint(origin: &str) -> String {
    format!(
        "open {origin} in a browser, and log in if a login page of the network appears\n\
         if no login page appears, the reply above comes from a proxy: set `HTTPS_PROXY` or `NO_PROXY` as whoever runs the network says"
    )
}

/// The fix if the reply is not from the `wanted` service.
pub(crate) fn unexpected_reply_hint(
    cause: &UnexpectedReply,
    settings: &AddressSettings,
    wanted: &str,
) -> String {
    let (origin, address) = (cause.origin(), quoted(settings.names));
    if cause.is_from_loopback() {
        let right = match settings.default {
            Some(own) => format!("{} to use {own}", settings.remove()),
            None => {
                format!("correct {address} (whoever runs {wanted} knows the right address)")
            }
        };
        return format!(
            "another program on this machine listens on {origin}, so most likely the address is wrong: {right}\n\
             if that program (`ss -ltnp` shows it) is a tunnel or proxy to {wanted}, ask whoever runs it why {wanted} does not answer"
        );
    }
    if cause.is_for_browsers() {
        return format!("{}\notherwise {}", settings.correct(), login_page_hint(origin));
    }
    format!(
        "{} (whoever runs {wanted} knows the right address)\n\
         otherwise a proxy changes the reply or {wanted} has a fault: send this message to whoever runs {wanted}",
        settings.correct()
    )
}

/// The state of a service that answers with this status, if the request is not the cause.
pub(crate) fn state_of(status: u16) -> &'static str {
    match status {
        500 | 501 => "had an internal error",
        502..=599 => "is down or overloaded",
        412 => "is not up to date yet",
        _ => "gets too many requests",
    }
}

/// The fix for a service in the state that [`state_of`] names. `requested_wait` is the wait that the
/// service asks for.
pub(crate) fn unavailable_hint(status: u16, requested_wait: Option<Duration>) -> String {
    let (when, after) = match status {
        500 | 501 => ("in a minute", "\nif it fails again, ask whoever runs the service to read its log"),
        502..=599 => (
            "in a few minutes",
            "\nif it fails again, ask whoever runs the service why it is down or overloaded",
        ),
        _ => ("in a minute, with fewer commands at once", ""),
    };
    format!("your settings are not the cause: {}{after}", retry_hint(when, requested_wait))
}

/// A hint when to try again and how to make the command wait that long. `requested_wait` is the wait that the service asks for.
/// Without it, the hint uses `when`.
pub(crate) fn retry_hint(when: &str, requested_wait: Option<Duration>) -> String {
    /// The longest time limit that a hint suggests, in minutes.
    const LONGEST: u64 = 60;
    let Some(requested_wait) = requested_wait.filter(|asked| !asked.is_zero()) else {
        return format!("try again {when}, or {}", more_time("2m"));
    };
    let limit = (requested_wait.as_secs() / 60).saturating_add(1).max(2);
    let more =
        if limit > LONGEST { String::new() } else { format!(", or {}", more_time(&format!("{limit}m"))) };
    format!("try again after {}, as the service asks{more}", time::limit(requested_wait))
}

impl ExchangeError {
    /// Whether one fresh ID token is worth another try.
    pub fn needs_new_token(&self) -> bool {
        matches!(self, Self::Rejected { stale: true, .. })
    }
}

/// The claims and other values that a service checks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckedValues {
    claims: Claims,
    more: Vec<(&'static str, String)>,
}

impl CheckedValues {
    /// The claims of this token.
    pub fn of(token: &IdToken) -> Self {
        Self { claims: token.claims().as_claimed().clone(), more: Vec::new() }
    }

    /// Adds another value that the service checked.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.more.push((name, value.into()));
        self
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let absent = || "(none)".to_owned();
        let claims = &self.claims;
        // The request had no token.
        if *claims == Claims::default() {
            return self.more.clone();
        }
        let mut lines = vec![("iss", claims.issuer.clone().unwrap_or_else(absent))];
        lines.push(("aud", if claims.audience.is_empty() { absent() } else { claims.audience.join(", ") }));
        lines.extend(claims.authorized_party.clone().map(|party| ("azp", party)));
        lines.push(("sub", claims.subject.clone().unwrap_or_else(absent)));
        lines.extend(claims.subject.as_deref().and_then(subject::note).map(|note| ("form", note)));
        lines.extend(self.more.iter().cloned());
        lines
    }
}

impl Explain for ExchangeError {
    fn exit(&self) -> Exit {
        match self {
            Self::Unreachable { cause, .. } => cause.exit(),
            Self::UnexpectedReply { .. } | Self::Unavailable { .. } => Exit::Network,
            Self::Rejected { .. } | Self::WrongCredential { .. } => Exit::TargetRefused,
        }
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Rejected { checked_values, .. } | Self::WrongCredential { checked_values, .. } => {
                checked_values.lines()
            }
            _ => Vec::new(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unreachable { cause, address, target } => cause.hint_with_address_source(&format!(
                "the address of {} comes from {}{}",
                without_address(target),
                quoted(address.names),
                if address.is_in_use { "" } else { ", if set" }
            )),
            Self::UnexpectedReply { address, cause, target } => {
                Some(unexpected_reply_hint(cause, address, without_address(target)))
            }
            Self::Unavailable { hint, .. }
            | Self::WrongCredential { hint, .. }
            | Self::Rejected { hint: Some(hint), .. } => Some(hint.clone()),
            // Some callers show only the last line, so the hint has the cause.
            Self::Rejected { target, error_text, .. } => Some(format!(
                "{} gives no reason, only `{}`: ask whoever configured this login to compare the claims above with its configuration\n\
                 if they match, look for the reason in the service's log",
                without_address(target),
                shortened(error_text)
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suggested_time_limit_is_longer_than_the_wait() {
        for (asked, expected) in [
            (None, "try again soon, or give it more time with `--timeout 2m`"),
            (Some(0), "try again soon, or give it more time with `--timeout 2m`"),
            (Some(5), "try again after 5 s, as the service asks, or give it more time with `--timeout 2m`"),
            (
                Some(120),
                "try again after 2 min, as the service asks, or give it more time with `--timeout 3m`",
            ),
            (Some(7200), "try again after 2 h, as the service asks"),
        ] {
            assert_eq!(retry_hint("soon", asked.map(Duration::from_secs)), expected, "{asked:?}");
        }
    }

    #[test]
    fn a_login_page_and_a_program_on_this_machine_have_different_fixes() {
        let page = |origin: &str| UnexpectedReply::Html {
            origin: origin.to_owned(),
            title: String::new(),
            status: 200,
        };
        let fix = |origin: &str| {
            unexpected_reply_hint(&page(origin), &AddressSettings::in_use("VAULT_ADDR", None), "Vault")
        };
        let remote = fix("https://vault.example.com");
        assert!(remote.contains("open https://vault.example.com in a browser"), "{remote}");
        assert!(remote.contains("log in") && remote.contains("`NO_PROXY`"), "{remote}");
        for origin in ["http://127.0.0.1:8200", "http://localhost:1"] {
            let here = fix(origin);
            assert!(here.contains("another program on this machine") && !here.contains("log in"), "{here}");
        }
    }

    #[test]
    fn the_setting_of_an_address_is_named_and_others_only_as_possible() {
        let json = || UnexpectedReply::Content {
            origin: "https://sts.example.com".into(),
            expected: "JSON",
            reason: "`a` is missing".into(),
            status: 200,
        };
        let in_use = AddressSettings::in_use("the profile's `endpoint_url`", None);
        let first = |settings: &AddressSettings| {
            unexpected_reply_hint(&json(), settings, "STS").lines().next().unwrap().to_owned()
        };
        assert_eq!(
            first(&in_use),
            "most likely the profile's `endpoint_url` names another service: correct it (whoever runs STS knows the right address)"
        );
        assert_eq!(
            first(&AddressSettings::any_of("A", None)),
            "if `A` is set, correct it: it most likely names another service (whoever runs STS knows the right address)"
        );
        let unreachable = |address| {
            let cause = HttpError::WantsTls { origin: "http://sts.example.com".into() };
            let error =
                ExchangeError::Unreachable { target: "STS".into(), address: Box::new(address), cause };
            error.hint().unwrap().lines().last().unwrap().to_owned()
        };
        assert_eq!(unreachable(in_use), "the address of STS comes from the profile's `endpoint_url`");
        assert_eq!(
            unreachable(AddressSettings::any_of("A", None)),
            "the address of STS comes from `A`, if set"
        );
    }
}
