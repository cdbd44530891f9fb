//! Finds and reads the two files, changes them under a lock, and replaces them as a whole.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{FileKind, ProfileError, ProfileFile};
use crate::context::{Context, NoFolder};
use crate::exit::{Exit, Explain, or_without_file};
use crate::files::{self, MAX_FILE, ReadError};
use crate::http::Deadline;
use crate::output::Output;
use crate::sink::{FileError, LockedFile};

/// The alternatives if a file cannot be used.
const WITHOUT_FILE: &str =
    "use the credentials without a profile: `gp idp exec aws -- CMD`, or `gp idp login aws --format env`";

/// The maximum number of attempts if another program changes the file at the same time.
const MAX_ATTEMPTS: u32 = 5;

/// A file of profiles could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The content of the file or the edit is refused.
    #[error("could not edit `{}`", path.display())]
    Profile {
        path: PathBuf,
        #[source]
        source: ProfileError,
    },
    /// The file cannot be parsed, so its settings are unknown.
    #[error("could not understand {}", path.display())]
    Settings {
        path: PathBuf,
        #[source]
        source: ProfileError,
    },
    /// The file cannot be locked or written.
    #[error(transparent)]
    Write(#[from] FileError),
    /// Another program changes the file at every attempt.
    #[error("another program changed {} each time", path.display())]
    Contested { path: PathBuf },
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
            Self::Write(error) => Some(or_without_file(error.hint(), WITHOUT_FILE)),
            Self::Contested { .. } => Some("wait for the other program to end, then try again".into()),
            Self::Read(error) => Some(or_without_file(error.hint(), WITHOUT_FILE)),
        }
    }
}

/// A profile file on disk.
#[derive(Debug, Clone)]
pub struct Store {
    /// The path, with `~` and variables expanded.
    pub path: PathBuf,
    kind: FileKind,
}

impl Store {
    /// The file that `AWS_CONFIG_FILE` or `AWS_SHARED_CREDENTIALS_FILE` names, else the file in
    /// `~/.aws`. A leading `~` and `$NAME` are expanded as in botocore.
    ///
    /// # Errors
    /// [`NoFolder`] if the path needs `HOME` and `HOME` is not set.
    pub fn find(kind: FileKind, ctx: &Context) -> Result<Self, NoFolder> {
        let (variable, name) = match kind {
            FileKind::Config => ("AWS_CONFIG_FILE", "config"),
            FileKind::Credentials => ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        };
        let path = match ctx.var_os(variable) {
            None => ctx.home()?.join(".aws").join(name),
            Some(path) => match path.to_str() {
                Some(text) => {
                    let expanded = expand(text, |name| ctx.var(name).ok().flatten());
                    ctx.expand_home(Path::new(&expanded))?
                }
                None => path.into(),
            },
        };
        Ok(Self { path, kind })
    }

    /// Reads the profiles. A missing file has no profiles.
    ///
    /// # Errors
    /// [`StoreError`], also for a file that botocore would refuse.
    pub fn read(&self) -> Result<ProfileFile, StoreError> {
        let settings = |source| StoreError::Settings { path: self.path.clone(), source };
        self.read_complete()?.map_err(settings)
    }

    /// The file after `edit`, which is not written.
    pub fn edited<T>(
        &self,
        edit: impl FnOnce(&mut ProfileFile) -> Result<T, ProfileError>,
    ) -> Result<(ProfileFile, T), StoreError> {
        let refused = |source| StoreError::Profile { path: self.path.clone(), source };
        let mut file = self.read_complete()?.map_err(refused)?;
        let result = edit(&mut file).map_err(refused)?;
        Ok((file, result))
    }

    /// Checks that `edit` can be made, and locks the file against other `gp` processes. The file is not touched: a
    /// refused edit leaves no trace, not even a lock file.
    pub async fn lock<T>(
        &self,
        edit: impl FnOnce(&mut ProfileFile) -> Result<T, ProfileError>,
        deadline: Deadline,
        out: &Output,
    ) -> Result<LockedStore<'_>, StoreError> {
        self.edited(edit)?;
        let _waiting = out.waiting_for_lock(deadline.at(), &self.path);
        Ok(LockedStore { store: self, file: LockedFile::acquire(&self.path, deadline).await? })
    }

    /// Whether the file's mode gives any access to users other than its owner.
    pub fn is_open_to_others(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
    }

    /// The parsed file, or the fault that botocore refuses. The AWS CLI writes the file in place,
    /// so this waits until the file is complete.
    fn read_complete(&self) -> Result<Result<ProfileFile, ProfileError>, StoreError> {
        files::read_when_complete(&self.path, || match self.bytes() {
            Ok(bytes) => {
                let file = ProfileFile::from_bytes(&bytes, self.kind);
                let is_whole = file.is_ok() && bytes.ends_with(b"\n");
                (Ok(file), is_whole)
            }
            Err(error) => (Err(error), true),
        })
    }

    fn bytes(&self) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        match files::read(&self.path, MAX_FILE) {
            Ok(bytes) => {
                files::refuse_utf16(&self.path, &bytes)?;
                Ok(bytes)
            }
            Err(error) if error.is_missing() => Ok(Zeroizing::default()),
            Err(error) => Err(error.into()),
        }
    }
}

/// A profile file that is locked against other `gp` processes.
pub struct LockedStore<'a> {
    store: &'a Store,
    file: LockedFile,
}

impl LockedStore<'_> {
    /// Replaces the file by the edited one. If a program that takes no lock, such as the AWS CLI,
    /// writes the file at the same time, the change is made again.
    ///
    /// # Errors
    /// [`StoreError`]; the file then does not have the change.
    pub fn change<T>(
        &self,
        edit: impl Fn(&mut ProfileFile) -> Result<T, ProfileError>,
    ) -> Result<T, StoreError> {
        let store = self.store;
        for _ in 0..MAX_ATTEMPTS {
            let (new, result) = store.edited(&edit)?;
            if store.bytes()?.as_slice() == new.text().as_bytes() {
                return Ok(result);
            }
            self.file.replace(new.text().as_bytes())?;
            if store.bytes()?.as_slice() == new.text().as_bytes() {
                return Ok(result);
            }
        }
        Err(StoreError::Contested { path: store.path.clone() })
    }
}

/// Expands `$NAME` and `${NAME}`. Variables that are not set are left unchanged.
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
    use std::io::Write;
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn variables_in_paths_are_expanded() {
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

    fn silent() -> Arc<Output> {
        Context::silent([("", ""); 0]).out
    }

    fn region(file: &mut ProfileFile) -> Result<(), ProfileError> {
        file.set("b", &[("region", Some("x"))])
    }

    #[tokio::test]
    async fn a_refused_change_leaves_no_files() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("credentials");
        fs::write(&path, "[a]\n[a]\n").unwrap();
        let store = Store { path: path.clone(), kind: FileKind::Credentials };
        let outcome = store.lock(region, Deadline::after(Duration::ZERO), &silent()).await.map(drop);
        assert!(matches!(outcome, Err(StoreError::Profile { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "[a]\n[a]\n");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_partly_written_file_is_not_taken_for_the_whole_file() {
        for part in ["", "[other]\naws_acc", "[other]\nregion = x\n[other]\n"] {
            let home = tempfile::tempdir().unwrap();
            let path = home.path().join("credentials");
            fs::write(&path, "[other]\nregion = eu-west-1\n").unwrap();
            let store = Store { path: path.clone(), kind: FileKind::Credentials };
            let locked =
                store.lock(region, Deadline::after(Duration::from_secs(5)), &silent()).await.unwrap();
            let mut other = fs::File::create(&path).unwrap();
            other.write_all(part.as_bytes()).unwrap();
            let writer = thread::spawn(move || {
                thread::sleep(Duration::from_millis(if part.is_empty() { 400 } else { 40 }));
                other.set_len(0).unwrap();
                fs::write(&path, "[other]\nregion = eu-west-2\n").unwrap();
            });
            locked.change(region).unwrap();
            writer.join().unwrap();
            let text = fs::read_to_string(&store.path).unwrap();
            assert_eq!(text, "[other]\nregion = eu-west-2\n\n[b]\nregion = x\n", "{part}");
        }
    }

    #[tokio::test]
    async fn the_error_names_a_held_lock() {
        let home = tempfile::tempdir().unwrap();
        let store = Store { path: home.path().join("credentials"), kind: FileKind::Credentials };
        let soon = || Deadline::after(Duration::from_millis(20));
        let _held = store.lock(region, soon(), &silent()).await.unwrap();
        let error = store.lock(region, soon(), &silent()).await.map(drop).unwrap_err();
        let lock = home.path().join("credentials.gp-lock");
        assert_eq!(error.to_string(), format!("another `gp idp` holds the lock {}", lock.display()));
        assert!(!store.path.exists());
    }
}
