//! Settings from flags, variables and profiles. A value keeps its setting's name for messages.

use std::fmt::{self, Display};
use std::str::FromStr;
use std::time::Duration;

use crate::context::{Context, EnvError};
use crate::error::UsageError;

pub use crate::time::DEFAULT_TIMEOUT;

/// A value and the name of its setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting<'a> {
    /// A flag such as `--role`, or a variable such as `IDP_VAULT_ROLE`.
    pub name: &'static str,
    pub value: &'a str,
}

impl<'a> Setting<'a> {
    /// The setting of a flag, if it has a value.
    pub fn flag(name: &'static str, value: Option<&'a str>) -> Option<Self> {
        value.map(|value| Self { name, value })
    }

    /// The setting of a variable. An empty value is treated as unset.
    pub fn variable(name: &'static str, ctx: &'a Context) -> Result<Option<Self>, EnvError> {
        Ok(ctx.var(name)?.map(|value| Self { name, value }))
    }

    /// Parses the value with `read`. Adds the name of the setting to an error.
    pub fn parse<T, E: Display>(self, read: impl FnOnce(&str) -> Result<T, E>) -> Result<T, UsageError> {
        read(self.value).map_err(|reason| self.wrong(reason))
    }

    /// The error that this setting is wrong because of `reason`.
    pub fn wrong(self, reason: impl Display) -> UsageError {
        invalid_setting(self.name, reason)
    }
}

/// The error that the setting `name` is wrong because of `reason`.
pub fn invalid_setting(name: &str, reason: impl Display) -> UsageError {
    UsageError { message: format!("{}: {reason}", quoted(name)), hint: None }
}

/// The name of a setting for messages. A name such as `the profile's …` already has backquotes.
pub(crate) fn quoted(setting: &str) -> String {
    if setting.contains('`') { setting.to_owned() } else { format!("`{setting}`") }
}

/// A chain of settings: the first one with a value takes precedence.
pub trait Fallback<'a>: Sized {
    /// This setting, else that of a variable.
    fn or_variable(self, name: &'static str, ctx: &'a Context) -> Result<Self, EnvError>;

    /// This setting, or the error that `what` is missing, with a hint how to set it.
    fn required(self, what: &str, hint: impl Into<String>) -> Result<Setting<'a>, UsageError>;

    /// Parses the value with `read`, if there is one.
    fn parsed<T, E: Display>(self, read: impl FnOnce(&str) -> Result<T, E>) -> Result<Option<T>, UsageError>;
}

impl<'a> Fallback<'a> for Option<Setting<'a>> {
    fn or_variable(self, name: &'static str, ctx: &'a Context) -> Result<Self, EnvError> {
        match self {
            Some(_) => Ok(self),
            None => Setting::variable(name, ctx),
        }
    }

    fn required(self, what: &str, hint: impl Into<String>) -> Result<Setting<'a>, UsageError> {
        self.ok_or_else(|| UsageError { message: format!("no {what} is set"), hint: Some(hint.into()) })
    }

    fn parsed<T, E: Display>(self, read: impl FnOnce(&str) -> Result<T, E>) -> Result<Option<T>, UsageError> {
        self.map(|setting| setting.parse(read)).transpose()
    }
}

/// The settings of all commands that mint an ID token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionOptions {
    pub source: SourceOptions,
    /// The time limit for all requests, locks and helpers together.
    pub timeout: Duration,
    pub audit: AuditOptions,
}

/// The flags for the audit log. A flag that is not set is read from the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditOptions {
    /// A file, `syslog`, `syslog:SOCKET` or `stderr`.
    pub log: Option<String>,
    /// Whether a command fails if it cannot write to the log.
    pub required: bool,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self { source: SourceOptions::default(), timeout: DEFAULT_TIMEOUT, audit: AuditOptions::default() }
    }
}

/// Where ID tokens come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceOptions {
    /// The value of `--source`. `None` reads `IDP_TOKEN_SOURCE`, else detects the source.
    pub source: Option<String>,
    /// A host that may get the API token although it is not the platform's.
    pub allow_api_host: Option<String>,
    /// The variable with the token, if a job has several.
    pub id_token_variable: Option<String>,
    /// Whether a command that renews may run with a source that has only one token.
    pub until_expiry: bool,
    /// Whether to skip masking of secrets in the log of a CI job.
    pub no_mask: bool,
    /// The version of Ona's ID token; `None` for the organisation's default.
    pub id_token_version: Option<IdTokenVersion>,
}

/// A version of Ona's ID tokens that a request can select.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdTokenVersion {
    V1,
    V2,
}

impl Display for IdTokenVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        })
    }
}

impl FromStr for IdTokenVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "v1" => Ok(Self::V1),
            "v2" => Ok(Self::V2),
            "v3" => Err("no request can ask for version 3, because an administrator sets it for the whole organisation. Leave `--id-token-version` out".to_owned()),
            _ => Err("write `v1` or `v2`".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_setting_with_a_value_is_used_and_named() {
        let ctx = Context::silent([("A", "1"), ("EMPTY", ""), ("B", "2")]);
        let find = |flag| {
            let found = Setting::flag("--a", flag).or_variable("EMPTY", &ctx).unwrap();
            found.or_variable("A", &ctx).unwrap().or_variable("B", &ctx).unwrap().unwrap()
        };
        assert_eq!(find(Some("x")), Setting { name: "--a", value: "x" });
        assert_eq!(find(None), Setting { name: "A", value: "1" });
        let error = find(None).parse(|_| Err::<(), _>("it is odd")).unwrap_err();
        assert_eq!(error.message, "`A`: it is odd");
        let missing = Setting::flag("--a", None).required("role", "give one with `--a`").unwrap_err();
        assert_eq!(
            (missing.message.as_str(), missing.hint.as_deref()),
            ("no role is set", Some("give one with `--a`"))
        );
    }
}
