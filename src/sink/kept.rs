//! A file that one process at a time keeps fresh.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

use super::{FileError, Receipt, lock, make_private_folder, target_of, write_private};
use crate::exit::{Exit, Explain};

/// Longer than anybody takes who only looks whether the lock is held.
const LOOKERS: Duration = Duration::from_millis(200);

/// Why a file cannot be kept fresh.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// Somebody else does already.
    #[error("{} is kept fresh by another process{}", path.display(), named(*process))]
    Taken {
        /// The file.
        path: PathBuf,
        /// The id of that process, where it is known.
        process: Option<u32>,
    },
    /// A device or a pipe.
    #[error("{} is not a file that could be replaced", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The lock beside the file failed.
    #[error("could not lock {}", path.display())]
    Lock {
        /// The lock's own file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

fn named(process: Option<u32>) -> String {
    process.map_or(String::new(), |id| format!(" ({id})"))
}

impl Explain for KeptError {
    fn exit(&self) -> Exit {
        match self {
            Self::Taken { .. } => Exit::Failed,
            Self::NotAFile { .. } => Exit::Usage,
            Self::Lock { .. } => Exit::LocalFile,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Taken { process: Some(id), .. } => {
                Some(format!("one is enough; end the other one first with `kill {id}`"))
            }
            Self::Taken { process: None, .. } => Some("one is enough; end the other one first".into()),
            Self::NotAFile { .. } => Some("name a regular file with `--output`".into()),
            Self::Lock { .. } => None,
        }
    }
}

/// A file that nobody else keeps fresh as long as this lives.
#[derive(Debug)]
pub struct KeptFile {
    path: PathBuf,
    _lock: File,
}

impl KeptFile {
    /// Finds what would be in the way of [`KeptFile::claim`], and changes nothing.
    ///
    /// # Errors
    /// [`KeptError`]
    pub fn check(path: &Path) -> Result<(), KeptError> {
        must_be_a_file(path)?;
        let lock = lock_of(path);
        match File::open(&lock) {
            // Shared, so that two who look do not take each other for the holder.
            Ok(file) if matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock)) => {
                Err(taken(path, &lock))
            }
            _ => Ok(()),
        }
    }

    /// Takes the lock, a file beside the target that stays when this ends, with this process's id in it.
    ///
    /// # Errors
    /// [`KeptError`]
    pub fn claim(path: &Path) -> Result<Self, KeptError> {
        must_be_a_file(path)?;
        let lock = lock_of(path);
        let failed = |source| KeptError::Lock { path: lock.clone(), source };
        make_private_folder(lock.parent().unwrap_or(Path::new("."))).map_err(failed)?;
        let mut file = match lock::acquire(&lock, LOOKERS) {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(taken(path, &lock)),
            outcome => outcome.map_err(failed)?,
        };
        file.set_len(0)
            .and_then(|()| file.write_all(process::id().to_string().as_bytes()))
            .map_err(failed)?;
        Ok(Self { path: path.to_owned(), _lock: file })
    }

    /// As it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the content as a whole.
    ///
    /// # Errors
    /// [`FileError`]; the old content is then untouched.
    pub fn write(&self, content: &[u8]) -> Result<Receipt, FileError> {
        write_private(&self.path, content)
    }
}

fn must_be_a_file(path: &Path) -> Result<(), KeptError> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return Err(KeptError::NotAFile { path: path.to_owned() });
    }
    Ok(())
}

/// `.NAME.lock` beside the file that `path` leads to, so that every way to it has the same one.
fn lock_of(path: &Path) -> PathBuf {
    let target = target_of(path).unwrap_or_else(|_| path.to_owned());
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    folder.join(format!(".{name}.lock"))
}

fn taken(path: &Path, lock: &Path) -> KeptError {
    let process = fs::read_to_string(lock).ok().and_then(|id| id.parse().ok());
    KeptError::Taken { path: path.to_owned(), process }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_by_whatever_name() {
        let home = tempfile::tempdir().unwrap();
        let (path, link) = (home.path().join("new/token"), home.path().join("link"));
        std::os::unix::fs::symlink("new/token", &link).unwrap();
        KeptFile::check(&path).unwrap();
        assert!(!home.path().join("new").exists(), "a check changes nothing");
        let kept = KeptFile::claim(&path).unwrap();
        kept.write(b"one").unwrap();
        for name in [&path, &link] {
            let error = KeptFile::claim(name).unwrap_err();
            assert!(
                matches!(error, KeptError::Taken { process: Some(id), .. } if id == process::id()),
                "{error}"
            );
            assert!(KeptFile::check(name).is_err());
        }
        drop(kept);
        KeptFile::claim(&link).unwrap().write(b"two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
    }

    #[test]
    fn a_device_cannot_be_kept_fresh() {
        assert!(matches!(KeptFile::check(Path::new("/dev/null")), Err(KeptError::NotAFile { .. })));
    }
}
