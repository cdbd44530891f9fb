//! Why a kubeconfig is not read or not changed.

use std::io;
use std::path::PathBuf;

use crate::exit::{Exit, Explain, or_without_file};
use crate::files::ReadError;
use crate::sink::FileError;

/// The hint for a file that cannot be used.
const WITHOUT_FILE: &str = "name another file with `--kubeconfig FILE`";

/// Why one file is refused. Line numbers start at 1. No message quotes a value, because it may be a
/// credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KubeconfigError {
    #[error("line {line}, column {column}: this is not YAML: {reason}")]
    NotYaml { line: usize, column: usize, reason: String },
    #[error("line {line}: a second YAML document begins here")]
    Documents { line: usize },
    /// Too many nested lists and mappings, or aliases that expand to too many values.
    #[error("line {line}: this is nested too deep, or its aliases expand to too many values")]
    TooDeep { line: usize },
    /// One mapping has a key twice.
    #[error("line {line}: the mapping already has this key")]
    DuplicateKey { line: usize },
    /// A list has two entries with the same name.
    #[error("line {line}: there is another entry named `{name}` above")]
    DuplicateName { line: usize, name: String },
    /// A value of the wrong type.
    #[error("line {line}: expected {wanted} here")]
    WrongType {
        line: usize,
        /// `a list`, `a mapping` or `text`.
        wanted: &'static str,
    },
    /// A number or a boolean where `kubectl` expects a string.
    #[error(
        "line {line}: `{key}` is a number or a boolean without quotes, and `kubectl` expects a string here"
    )]
    NotText { line: usize, key: &'static str },
    /// A file of Kubernetes, but no kubeconfig.
    #[error("line {line}: the `{key}` of a kubeconfig is `{only}`")]
    OtherKind { line: usize, key: &'static str, only: &'static str },
    /// The edit would change more than the one value.
    #[error("line {line}: this change would also change other values in the file")]
    SideEffect { line: usize },
    /// The value comes from an alias or a merge key.
    #[error(
        "line {line}: this value comes from an alias or a merge key (`<<`), so the change would also change another place in the file"
    )]
    Shared { line: usize },
    /// The user has credentials of another kind.
    #[error("the user `{user}` already has other credentials (`{key}`)")]
    HasCredentials { user: String, key: String },
}

/// A kubeconfig could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The content of the file, or the change, is refused.
    #[error("could not edit `{}`", path.display())]
    Content {
        path: PathBuf,
        #[source]
        source: KubeconfigError,
    },
    /// The content of a file that is only read is refused.
    #[error("`kubectl` refuses {}", path.display())]
    Refused {
        path: PathBuf,
        #[source]
        source: KubeconfigError,
    },
    /// A device or a pipe.
    #[error("{} is not a file", path.display())]
    NotAFile { path: PathBuf },
    /// No file has this cluster or context.
    #[error("there is no {kind} `{name}` in {files}")]
    Missing {
        /// `cluster` or `context`.
        kind: &'static str,
        name: String,
        known: Vec<String>,
        /// The files that were read, and whether they exist.
        files: String,
    },
    /// The lock file of `kubectl` cannot be created or removed.
    #[error("could not lock {}", path.display())]
    KubectlLockFile {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// `kubectl` holds the lock, or left it behind.
    #[error("`kubectl` holds the lock {}", path.display())]
    KubectlLock { path: PathBuf },
    /// Another program changed it at the same moment.
    #[error("another program changed {} at the same moment", path.display())]
    Contested { path: PathBuf },
    /// It cannot be locked or written.
    #[error(transparent)]
    Write(#[from] FileError),
}

impl Explain for StoreError {
    fn exit(&self) -> Exit {
        match self {
            Self::Missing { .. } => Exit::Usage,
            _ => Exit::LocalFile,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Content { source: KubeconfigError::HasCredentials { .. }, .. } => {
                "name another user with `--user`\n\
                 otherwise replace those credentials with `--force`\n\
                 the kubeconfig is unchanged"
                    .into()
            }
            Self::Content {
                source: KubeconfigError::SideEffect { .. } | KubeconfigError::Shared { .. },
                ..
            } => "add the entries by hand: the same command with `--print` shows what to add\n\
                 the kubeconfig is unchanged"
                .into(),
            Self::Content { .. } => "correct that line\n\
                 otherwise name another file with `--kubeconfig`\n\
                 the kubeconfig is unchanged"
                .into(),
            Self::Refused { .. } => "correct that line".into(),
            Self::Missing { kind, name, known, .. } => missing(kind, name, known),
            Self::KubectlLock { path } => {
                format!("if no `kubectl config` is running, remove the leftover lock {}", path.display())
            }
            Self::NotAFile { .. } => "name a file with `--kubeconfig` or in `KUBECONFIG`".into(),
            Self::Contested { .. } => "run the command again".into(),
            Self::Write(error) => or_without_file(error.hint(), WITHOUT_FILE),
            Self::Read(error) => or_without_file(error.hint(), WITHOUT_FILE),
            Self::KubectlLockFile { .. } => {
                format!(
                    "make the folder writable for you, because `kubectl` creates its lock file there\n\
                     otherwise {WITHOUT_FILE}"
                )
            }
        })
    }
}

/// The hint for a missing cluster or context (`kind`). `known` are the existing names.
fn missing(kind: &str, name: &str, known: &[String]) -> String {
    let create = match kind {
        "context" => "also give `--cluster` to create the context".to_owned(),
        _ => format!(
            "add the cluster first: `kubectl config set-cluster {} --server https://HOST:6443 --certificate-authority FILE --embed-certs`",
            crate::shell::posix_quote(name)
        ),
    };
    if known.is_empty() {
        return create;
    }
    let known = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    format!("correct `--{kind}`: the kubeconfig has {known}\nif the {kind} is new, {create}")
}
