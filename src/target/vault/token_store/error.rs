//! Why a token cannot be stored or read.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::config::ConfigError;
use super::{FileError, Helper};
use crate::context::NoFolder;
use crate::exit::{Exit, Explain, or_without_file};
use crate::files::ReadError;
use crate::time;

/// The token store cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenStoreError {
    #[error(transparent)]
    NoFolder(#[from] NoFolder),
    /// A file could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The configuration is invalid.
    #[error("{} is no configuration of `vault` or `bao`: {reason}", path.display())]
    Config { path: PathBuf, reason: ConfigError },
    /// The configured helper is not an executable file.
    #[error("the token helper `{program}` that {} names {reason}", config.display())]
    NoHelper { program: String, config: PathBuf, reason: &'static str },
    /// The helper could not be started, or its output could not be read.
    #[error("could not run the token helper {helper}")]
    Run {
        helper: Helper,
        #[source]
        source: io::Error,
    },
    #[error("the token helper {helper} failed to {operation} the token{said}")]
    Helper {
        helper: Helper,
        /// `get`, `store` or `erase`.
        operation: &'static str,
        /// `: ` and the helper's error output, or how it ended.
        said: String,
    },
    /// The helper did not end within the time limit.
    #[error("the token helper {helper} did not {operation} the token within {}", time::limit(*limit))]
    TimedOut {
        helper: Helper,
        /// `get`, `store` or `erase`.
        operation: &'static str,
        /// The command's `--timeout`.
        limit: Duration,
    },
    /// The file could not be written or removed.
    #[error(transparent)]
    Write(#[from] FileError),
    /// There is a folder in place of the token file. A variable may have named it.
    #[error("{} is a folder", path.display())]
    Folder { path: PathBuf, variable: Option<&'static str> },
}

impl Explain for TokenStoreError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoFolder(error) => error.exit(),
            _ => Exit::LocalFile,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoFolder(_) => Some("set `HOME`\notherwise print the token with `--format token`".into()),
            Self::Config { .. } => Some(
                "correct the file: the only setting that it may contain is `token_helper = \"/path/to/helper\"`\n\
                 if another file has the configuration, name it with `VAULT_CONFIG_PATH`\n\
                 otherwise print the token with `--format token`"
                    .into(),
            ),
            Self::NoHelper { config, .. } => Some(format!(
                "in {}, give the absolute path of an executable file: `token_helper = \"/path/to/helper\"`",
                config.display()
            )),
            Self::Helper { helper, operation, .. } => Some(format!(
                "run the helper by hand to see why it fails: `{}`\n{}",
                helper.command(operation),
                helper.without_helper_hint()
            )),
            Self::TimedOut { .. } => {
                Some("the helper may be waiting for input: give it more time with `--timeout 2m`".into())
            }
            Self::Write(error) => Some(or_without_file(
                error.hint(),
                "set `BAO_TOKEN_PATH` to another file (only `bao` reads it), or print the token with `--no-store`",
            )),
            Self::Read(error) => error.hint(),
            Self::Folder { path, variable: Some(variable) } => Some(format!(
                "correct `{variable}`: it must name a file, such as `{}`\notherwise print the token with `--no-store`",
                path.join("FILE").display()
            )),
            Self::Folder { variable: None, .. } => Some(
                "`vault` and `bao` need a file there: move the folder to another place\n\
                 otherwise print the token with `--no-store`"
                    .into(),
            ),
            Self::Run { helper, source } => Some(if source.kind() == io::ErrorKind::PermissionDenied {
                format!("make the helper executable: `{}`", helper.chmod())
            } else if source.get_ref().is_some() {
                format!(
                    "most likely the program is not a token helper, or it has a bug: correct the path or the program\n{}",
                    helper.without_helper_hint()
                )
            } else {
                format!(
                    "most likely the helper is a program for another system, or its first line (`#!`) names no program: fix it\n{}",
                    helper.without_helper_hint()
                )
            }),
        }
    }
}
