//! The two files on disk: found, read, changed under a lock, replaced as a whole.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{FileKind, ProfileError, ProfileFile};
use crate::context::Context;
use crate::error::UsageError;
use crate::exit::{Exit, Explain};
use crate::sink::{FileError, lock, replace, target_of};

/// How often a change is done again because another program changed the file at the same moment.
const TRIES: u32 = 5;

/// A file of profiles could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be read.
    #[error("could not read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What it says, or is to say, is refused.
    #[error("could not change {}", path.display())]
    Profile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: ProfileError,
    },
    /// Its settings are of no use, as it cannot be understood.
    #[error("could not understand {}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: ProfileError,
    },
    /// Another process has it, or it cannot be locked.
    #[error("could not lock {}", path.display())]
    Lock {
        /// The file that is locked in place of the one that is changed.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] FileError),
    /// Another program goes on changing it.
    #[error("another program changed {} each time", path.display())]
    Contested {
        /// The file.
        path: PathBuf,
    },
}

impl Explain for StoreError {
    fn exit(&self) -> Exit {
        match self {
            Self::Profile { source, .. } => source.exit(),
            _ => Exit::LocalFile,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Profile { source, .. } | Self::Settings { source, .. } => source.hint(),
            Self::Write(error) => error.hint(),
            Self::Lock { source, .. } if source.kind() == io::ErrorKind::TimedOut => {
                Some("another `gp idp` holds it: wait for that one to end".into())
            }
            Self::Contested { .. } => Some("wait for the other program to end, then try again".into()),
            Self::Read { .. } | Self::Lock { .. } => None,
        }
    }
}

/// A file of profiles at its place.
#[derive(Debug, Clone)]
pub struct Store {
    /// The path, as it was given.
    pub path: PathBuf,
    kind: FileKind,
}

impl Store {
    /// The file that `AWS_CONFIG_FILE` or `AWS_SHARED_CREDENTIALS_FILE` names, else the one in `~/.aws`. A
    /// leading `~` and `$NAME` are put in as botocore does.
    ///
    /// # Errors
    /// No `HOME` where it takes one.
    pub fn find(kind: FileKind, ctx: &Context) -> Result<Self, UsageError> {
        let (variable, name) = match kind {
            FileKind::Config => ("AWS_CONFIG_FILE", "config"),
            FileKind::Credentials => ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        };
        let home = ctx.var_os("HOME").map(PathBuf::from);
        let named = ctx.var_os(variable).map(|path| match path.to_str() {
            Some(text) => PathBuf::from(expand(text, |name| ctx.var(name).ok().flatten())),
            None => path.into(),
        });
        let path = match named {
            None => home.map(|home| home.join(".aws").join(name)),
            Some(path) => match path.strip_prefix("~") {
                Ok(rest) => home.map(|home| home.join(rest)),
                Err(_) => Some(path),
            },
        };
        let no_home = || UsageError {
            message: "`HOME` is not set, so there is no `~/.aws`".into(),
            hint: Some(format!("set `HOME` or `{variable}`")),
        };
        Ok(Self { path: path.ok_or_else(no_home)?, kind })
    }

    /// Its profiles, for their settings; a file that is not there has none.
    ///
    /// # Errors
    /// [`StoreError`], also for a file that botocore would refuse.
    pub fn read(&self) -> Result<ProfileFile, StoreError> {
        let settings = |source| StoreError::Settings { path: self.path.clone(), source };
        ProfileFile::from_bytes(&self.bytes()?, self.kind).map_err(settings)
    }

    /// What `edit` would make of it, without changing anything.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn edited<T>(
        &self,
        edit: impl FnOnce(&mut ProfileFile) -> Result<T, ProfileError>,
    ) -> Result<(ProfileFile, T), StoreError> {
        let refused = |source| StoreError::Profile { path: self.path.clone(), source };
        let mut file = ProfileFile::from_bytes(&self.bytes()?, self.kind).map_err(refused)?;
        let result = edit(&mut file).map_err(refused)?;
        Ok((file, result))
    }

    /// Changes it: no other `gp idp` changes it meanwhile, and it is replaced as a whole. A program that takes
    /// no lock (the AWS CLI takes none) and wrote at the same moment is noticed, and the change is done again.
    ///
    /// # Errors
    /// [`StoreError`]; the file is then as it was.
    pub fn change<T>(
        &self,
        limit: Duration,
        edit: impl Fn(&mut ProfileFile) -> Result<T, ProfileError>,
    ) -> Result<T, StoreError> {
        // Refused edits leave no trace, not even a lock file.
        self.edited(&edit)?;
        let _lock = self.lock(limit)?;
        for _ in 0..TRIES {
            let (new, result) = self.edited(&edit)?;
            if self.bytes()?.as_slice() == new.text().as_bytes() {
                return Ok(result);
            }
            replace(&self.path, new.text().as_bytes())?;
            if self.bytes()?.as_slice() == new.text().as_bytes() {
                return Ok(result);
            }
        }
        Err(StoreError::Contested { path: self.path.clone() })
    }

    /// Whether others than its owner can read it.
    #[must_use]
    pub fn is_open_to_others(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
    }

    fn bytes(&self) -> Result<zeroize::Zeroizing<Vec<u8>>, StoreError> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(bytes.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new().into()),
            Err(source) => Err(StoreError::Read { path: self.path.clone(), source }),
        }
    }

    /// Locks a file beside the real one: that one is about to be replaced.
    fn lock(&self, limit: Duration) -> Result<Option<fs::File>, StoreError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| StoreError::Lock { path, source }
        };
        let mut path = target_of(&self.path).map_err(failed(&self.path))?.into_os_string();
        path.push(".gp-lock");
        let path = PathBuf::from(path);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            crate::sink::make_private_folder(folder)
                .map_err(|source| FileError::Folder { path: folder.to_owned(), source })?;
        }
        match lock::acquire(&path, limit) {
            // A file system without locks: as good as every other tool there.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
            outcome => outcome.map(Some).map_err(failed(&path)),
        }
    }
}

/// Puts in `$NAME` and `${NAME}`; what is not set stays as it is.
fn expand<'a>(text: &str, var: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = after.find(|c| !is_name(c)).unwrap_or(after.len());
        let (name, tail) = braced.unwrap_or((&after[..end], &after[end..]));
        match var(name) {
            Some(value) => out.push_str(value),
            None => out.push_str(&rest[at..rest.len() - tail.len()]),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_in_paths() {
        let var = |name: &str| (name == "DIR").then_some("/x");
        let cases = [
            ("$DIR/c", "/x/c"),
            ("${DIR}c", "/xc"),
            ("a$DIR$DIR", "a/x/x"),
            ("$NONE/c", "$NONE/c"),
            ("${NONE}/c", "${NONE}/c"),
            ("$", "$"),
            ("${", "${"),
            ("a$$DIR", "a$/x"),
        ];
        for (text, expected) in cases {
            assert_eq!(expand(text, var), expected, "{text}");
        }
    }

    #[test]
    fn a_refused_change_leaves_nothing_behind() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("credentials");
        fs::write(&path, "[a]\n[a]\n").unwrap();
        let store = Store { path: path.clone(), kind: FileKind::Credentials };
        let outcome = store.change(Duration::ZERO, |file| file.set("b", &[("region", Some("x"))]));
        assert!(matches!(outcome, Err(StoreError::Profile { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "[a]\n[a]\n");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_held_lock_is_named() {
        let home = tempfile::tempdir().unwrap();
        let store = Store { path: home.path().join("credentials"), kind: FileKind::Credentials };
        let _held = store.lock(Duration::ZERO).unwrap();
        let outcome = store.change(Duration::from_millis(20), |file| file.set("b", &[("region", Some("x"))]));
        let error = outcome.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("could not lock {}/credentials.gp-lock", home.path().display())
        );
        assert!(error.hint().unwrap().contains("another `gp idp`"));
        assert!(!store.path.exists());
    }
}
