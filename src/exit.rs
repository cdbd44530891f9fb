//! What every error has to say: an exit code, what was judged, a hint.

use std::error::Error as StdError;

use serde::{Deserialize, Serialize};

/// What the process tells its caller (README, "Exit codes").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    /// Anything that has no code of its own.
    Failed = 1,
    Usage = 2,
    /// No identity here, or its source cannot be reached or does not make sense.
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
    /// Its name for programs, in the audit log and in an error as JSON.
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

/// An error that knows what its user can do about it.
///
/// `Display` is one cause: lower case, no full stop, never the text of its `source()`.
pub trait Explain: StdError + Send + Sync + 'static {
    /// The exit code that this error ends the process with.
    fn exit(&self) -> Exit;

    /// What was judged, as names and values: the claims of a refused token, never the token.
    fn details(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The command or setting that fixes it.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// A hint about a file, and the way that needs none.
pub(crate) fn or_without_file(hint: Option<String>, way: &str) -> String {
    hint.map_or_else(|| way.to_owned(), |hint| format!("{hint}; or {way}"))
}

/// A fault of this program itself: something that cannot happen did.
#[derive(Debug, thiserror::Error)]
#[error("this is a fault of `gp` itself: {0:#}")]
pub struct Bug(anyhow::Error);

impl Bug {
    /// `error` cannot happen.
    pub fn new(error: impl Into<anyhow::Error>) -> Self {
        Self(error.into())
    }
}

impl Explain for Bug {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        Some("report it with what `gp --version` prints and with the command line".into())
    }
}
