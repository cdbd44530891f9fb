//! The token store of `vault` and `bao`: the token helpers in their configuration, else
//! `~/.vault-token`.
//!
//! Source: Vault's and OpenBao's documentation, "Token helper", and the behaviour of their
//! commands. `vault` reads the configuration in `~/.vault`, `bao` the one in `~/.bao`; the token
//! file is the same for both.

mod config;
mod error;
mod helper;

use std::path::{Path, PathBuf};

use self::helper::Helper;
use super::variables::variable;
use crate::audit::Recipient;
use crate::context::Context;
use crate::files;
use crate::http::Deadline;
use crate::secret::Secret;
use crate::sink::{FileError, LockedFile, check_content, write_private};

pub(crate) use error::TokenStoreError;

/// The maximum size of a token, in bytes.
const MAX_TOKEN: u64 = 64 * 1024;

/// Where the token is kept.
#[derive(Debug, Clone)]
pub(crate) enum TokenStore {
    /// A file of mode 0600 that holds the token and nothing else.
    File(PathBuf),
    /// The programs that store the token: `vault` and `bao` may have different ones.
    Helpers(Vec<Helper>),
}

impl TokenStore {
    /// Reads the configuration and checks whether a token can be stored.
    ///
    /// # Errors
    /// [`TokenStoreError`]; nothing was changed, and nothing was run.
    pub(crate) fn find(ctx: &Context) -> Result<Self, TokenStoreError> {
        let configs = match variable(["BAO_CONFIG_PATH", "VAULT_CONFIG_PATH"], ctx) {
            Some((_, path)) => vec![ctx.expand_home(Path::new(path))?],
            None => vec![ctx.home()?.join(".bao"), ctx.home()?.join(".vault")],
        };
        let mut helpers: Vec<Helper> = Vec::new();
        for path in configs {
            let helper = config::read(&path)?.map(|program| Helper::new(program, &path)).transpose()?;
            helpers
                .extend(helper.filter(|helper| !helpers.iter().any(|known| known.is_same_program(helper))));
        }
        if !helpers.is_empty() {
            return Ok(Self::Helpers(helpers));
        }
        let (variable, path) = match variable(["BAO_TOKEN_PATH", "VAULT_TOKEN_PATH"], ctx) {
            Some((variable, path)) => (Some(variable), PathBuf::from(path)),
            None => (None, ctx.home()?.join(".vault-token")),
        };
        if path.is_dir() {
            return Err(TokenStoreError::Folder { path, variable });
        }
        check_content(&path, "a token", is_token)?;
        Ok(Self::File(path))
    }

    /// Who gets the token, for the audit log.
    pub(crate) fn recipient(&self) -> Recipient<'_> {
        match self {
            Self::File(path) => Recipient::File(path),
            Self::Helpers(_) => Recipient::Helper,
        }
    }

    /// Replaces the stored token. Helpers get the server's address.
    pub(crate) async fn store(
        &self,
        token: &Secret,
        address: &str,
        deadline: Deadline,
    ) -> Result<(), TokenStoreError> {
        match self {
            Self::File(path) => {
                write_private(path, token.reveal().as_bytes(), deadline).await?;
            }
            Self::Helpers(helpers) => {
                for helper in helpers {
                    helper.store(token, address, deadline).await?;
                }
            }
        }
        Ok(())
    }

    /// The stored token, if any.
    pub(crate) async fn get(
        &self,
        address: &str,
        deadline: Deadline,
    ) -> Result<Option<Secret>, TokenStoreError> {
        match self {
            Self::File(path) => read_file(path),
            Self::Helpers(helpers) => {
                for helper in helpers {
                    if let Some(token) = helper.get(address, deadline).await? {
                        return Ok(Some(token));
                    }
                }
                Ok(None)
            }
        }
    }

    /// Deletes the stored token.
    pub(crate) async fn erase(&self, address: &str, deadline: Deadline) -> Result<(), TokenStoreError> {
        match self {
            Self::File(path) => Ok(LockedFile::acquire(path, deadline).await?.remove()?),
            Self::Helpers(helpers) => {
                for helper in helpers {
                    helper.erase(address, deadline).await?;
                }
                Ok(())
            }
        }
    }

    /// The name of the store in messages.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Helpers(helpers) => {
                let names: Vec<String> = helpers.iter().map(ToString::to_string).collect();
                format!("the token helper {}", names.join(" and "))
            }
        }
    }
}

/// Whether text may be a token: `hvs.…`, `s.…`, a UUID, or a custom token id.
fn is_token(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

fn read_file(path: &Path) -> Result<Option<Secret>, TokenStoreError> {
    match files::read_text(path, MAX_TOKEN) {
        Ok(text) => Ok(trimmed(&text)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The token in `text` without white space around it: files often end with a line break.
fn trimmed(text: &str) -> Option<Secret> {
    let token = text.trim();
    (!token.is_empty()).then(|| Secret::new(token.to_owned()))
}
