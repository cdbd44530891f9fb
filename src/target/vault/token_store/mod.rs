//! Where `vault` and `bao` look for a token: the token helpers of their configuration, else `~/.vault-token`.
//!
//! Source: Vault's and OpenBao's documentation, "Token helper", and what their commands do. `vault` reads the
//! configuration in `~/.vault`, `bao` the one in `~/.bao`; the token file is the same for both.

mod config;
mod error;
mod helper;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::helper::Helper;
use crate::context::Context;
use crate::secret::Secret;
use crate::sink::{FileError, target_of, write_private};

pub use error::TokenStoreError;

/// Above this many bytes, it is not a token.
const MAX_TOKEN: u64 = 64 * 1024;

/// Where the token is kept.
#[derive(Debug, Clone)]
pub enum TokenStore {
    /// A file of mode 0600 that holds the token and nothing else.
    File(PathBuf),
    /// The programs that keep it, one or two: `vault` and `bao` may have different ones.
    Helpers(Vec<Helper>),
}

/// What a variable of OpenBao says, else that of Vault: OpenBao's counts as soon as it is set, be it to nothing.
fn bao_or_vault(ctx: &Context, names: [&'static str; 2]) -> Option<(&'static str, PathBuf)> {
    let name = if ctx.is_set(names[0]) { names[0] } else { names[1] };
    ctx.var_os(name).map(|value| (name, PathBuf::from(value)))
}

impl TokenStore {
    /// Reads the configuration and finds what would keep a token from being stored.
    ///
    /// # Errors
    /// [`TokenStoreError`]; nothing was changed, and nothing was run.
    pub fn find(ctx: &Context) -> Result<Self, TokenStoreError> {
        let home = ctx.var_os("HOME").map(PathBuf::from);
        let in_home = |name: &str| home.as_ref().map(|home| home.join(name)).ok_or(TokenStoreError::NoHome);
        let configs = match bao_or_vault(ctx, ["BAO_CONFIG_PATH", "VAULT_CONFIG_PATH"]) {
            Some((_, path)) => vec![expanded(&path, home.as_deref())],
            None => vec![in_home(".bao")?, in_home(".vault")?],
        };
        let mut helpers: Vec<Helper> = Vec::new();
        for path in configs {
            let helper = config::read(&path)?.map(|program| Helper::new(program, &path)).transpose()?;
            helpers.extend(helper.filter(|helper| !helpers.contains(helper)));
        }
        if !helpers.is_empty() {
            return Ok(Self::Helpers(helpers));
        }
        let path = match bao_or_vault(ctx, ["BAO_TOKEN_PATH", "VAULT_TOKEN_PATH"]) {
            Some((_, path)) => path,
            None => in_home(".vault-token")?,
        };
        if path.is_dir() {
            return Err(FileError::IsFolder { path }.into());
        }
        Ok(Self::File(path))
    }

    /// Keeps the token in place of the old one; helpers are told the server's address.
    ///
    /// # Errors
    /// [`TokenStoreError`]
    pub async fn store(&self, token: &Secret, address: &str, limit: Duration) -> Result<(), TokenStoreError> {
        match self {
            Self::File(path) => {
                write_private(path, token.reveal().as_bytes())?;
            }
            Self::Helpers(helpers) => {
                for helper in helpers {
                    helper.store(token, address, limit).await?;
                }
            }
        }
        Ok(())
    }

    /// The token that is kept, if any.
    ///
    /// # Errors
    /// [`TokenStoreError`]
    pub async fn get(&self, address: &str, limit: Duration) -> Result<Option<Secret>, TokenStoreError> {
        match self {
            Self::File(path) => read_file(path),
            Self::Helpers(helpers) => {
                for helper in helpers {
                    if let Some(token) = helper.get(address, limit).await? {
                        return Ok(Some(token));
                    }
                }
                Ok(None)
            }
        }
    }

    /// Keeps none any more.
    ///
    /// # Errors
    /// [`TokenStoreError`]
    pub async fn erase(&self, address: &str, limit: Duration) -> Result<(), TokenStoreError> {
        match self {
            Self::File(path) => {
                let failed = |source| TokenStoreError::Erase { path: path.clone(), source };
                let target = target_of(path).map_err(failed)?;
                match fs::remove_file(target) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
                    _ => Ok(()),
                }
            }
            Self::Helpers(helpers) => {
                for helper in helpers {
                    helper.erase(address, limit).await?;
                }
                Ok(())
            }
        }
    }

    /// How messages call it.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Helpers(helpers) => {
                let names: Vec<String> = helpers.iter().map(Helper::describe).collect();
                format!("the token helper {}", names.join(" and "))
            }
        }
    }
}

fn read_file(path: &Path) -> Result<Option<Secret>, TokenStoreError> {
    let failed = |source| TokenStoreError::Read { path: path.to_owned(), source };
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
        Ok(found) if found.len() > MAX_TOKEN => {
            return Err(failed(io::Error::other("it is too large for a token")));
        }
        Ok(_) => {}
    }
    let text = Secret::new(fs::read_to_string(path).map_err(failed)?);
    Ok(trimmed(&text))
}

/// The token in `text`; people end files with a line break.
fn trimmed(text: &Secret) -> Option<Secret> {
    let token = text.reveal().trim();
    (!token.is_empty()).then(|| Secret::new(token.to_owned()))
}

/// `~/…` as the commands read it.
fn expanded(path: &Path, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}
