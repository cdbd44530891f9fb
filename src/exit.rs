//! What every error provides: an exit code, the values that were checked, a hint.

use std::error::Error as StdError;

use serde::{Deserialize, Serialize};

/// The exit codes of the process (README, "Exit codes").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    /// Any failure without its own code.
    Failed = 1,
    Usage = 2,
    /// There is no source of ID tokens, it cannot be reached, or its reply makes no sense.
    NoIdentity = 3,
    /// The identity provider refused to mint.
    MintRefused = 4,
    /// The target refused the token.
    TargetRefused = 5,
    Network = 6,
    /// A local file could not be read or written.
    LocalFile = 7,
}

impl Exit {
    /// Its name in the audit log and in JSON errors.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::NoIdentity => "no-identity",
            Self::MintRefused => "mint-refused",
            Self::TargetRefused => "target-refused",
            Self::Network => "network",
            Self::LocalFile => "local-file",
        }
    }
}

/// An error with an exit code and advice for the user.
///
/// `Display` prints only this error: lower case, no full stop, and not the text of `source()`.
pub trait Explain: StdError + Send + Sync + 'static {
    /// The exit code that this error ends the process with.
    fn exit(&self) -> Exit;

    /// The checked values with their names: the claims of a refused token, never the token.
    fn details(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The command or setting that fixes it.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// A hint about a file, followed by a line with the alternative `way` that needs no file.
pub(crate) fn or_without_file(hint: Option<String>, way: &str) -> String {
    hint.map_or_else(|| way.to_owned(), |hint| format!("{hint}\notherwise {way}"))
}

/// A bug in this program: an error that should be impossible.
#[derive(Debug, thiserror::Error)]
#[error("this is a bug in `gp`: {0:#}")]
pub struct Bug(anyhow::Error);

impl Bug {
    pub fn new(error: impl Into<anyhow::Error>) -> Self {
        Self(error.into())
    }
}

impl Explain for Bug {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        Some("report it with the output of `gp --version` and the command line".into())
    }
}
