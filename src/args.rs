//! Groups of arguments that several commands share.

use std::time::Duration;

use clap::{Args, ValueHint};

use crate::time::parse_time_limit;

/// What every command that uses the network takes.
#[derive(Debug, Clone, Args)]
pub struct Limits {
    /// The most time the whole command may take, as `30s`, `500ms` or `2m` [default: 30s]
    #[arg(long, value_name = "TIME", value_hint = ValueHint::Other, value_parser = parse_time_limit, display_order = 900)]
    pub timeout: Option<Duration>,
}

impl Limits {
    /// The limit of the command line, or the usual one.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout.unwrap_or(Duration::from_secs(30))
    }
}

pub(crate) fn non_empty(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("it may not be empty".to_owned());
    }
    Ok(text.to_owned())
}

/// A name that every shell takes.
pub(crate) fn variable_name(text: &str) -> Result<String, String> {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(text.to_owned());
    }
    Err("a variable has letters, digits and `_` in its name, and no digit first".to_owned())
}
