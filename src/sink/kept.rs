//! A file that one process at a time keeps fresh.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

use super::lock::{self, FileLock, LockError};
use super::{FileError, Receipt, write_private};
use crate::exit::{Exit, Explain};
use crate::files;
use crate::http::Deadline;

/// How long another process may hold the lock only to write the file once.
const PROBE_GRACE: Duration = Duration::from_millis(200);

/// Why a file cannot be kept fresh.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeptError {
    /// Another process keeps it fresh.
    #[error("{} is kept fresh by another process{}", path.display(), named(*process))]
    Taken {
        path: PathBuf,
        /// The id of that process, where it is known.
        process: Option<u32>,
    },
    /// A device or a pipe.
    #[error("{} is {kind}, and only a file can be replaced", path.display())]
    NotAFile { path: PathBuf, kind: &'static str },
    /// The lock beside the file failed.
    #[error(transparent)]
    Lock(#[from] LockError),
}

fn named(process: Option<u32>) -> String {
    process.map_or(String::new(), |id| format!(" ({id})"))
}

impl Explain for KeptError {
    fn exit(&self) -> Exit {
        match self {
            Self::Taken { .. } => Exit::Failed,
            Self::NotAFile { .. } => Exit::Usage,
            Self::Lock(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Taken { process: Some(id), .. } => {
                Some(format!("one is enough; end the other one first with `kill {id}`"))
            }
            Self::Taken { process: None, .. } => Some("one is enough; end the other one first".into()),
            Self::NotAFile { .. } => Some("name a regular file with `--output`".into()),
            Self::Lock(error) => error.hint(),
        }
    }
}

/// A file that nobody else keeps fresh as long as this lives.
#[derive(Debug)]
pub(crate) struct KeptFile {
    path: PathBuf,
    _lock: FileLock,
}

impl KeptFile {
    /// Takes the file's lock and puts this process's id into it. The file itself is not touched.
    pub(crate) async fn claim(path: &Path) -> Result<Self, KeptError> {
        if let Ok(found) = fs::metadata(path)
            && !found.is_file()
            && !found.is_dir()
        {
            return Err(KeptError::NotAFile { path: path.to_owned(), kind: files::kind_of(&found) });
        }
        match FileLock::acquire(path, Deadline::after(PROBE_GRACE)).await {
            Ok(lock) => {
                lock.describe(&process::id().to_string());
                Ok(Self { path: path.to_owned(), _lock: lock })
            }
            Err(LockError::Held { .. }) => {
                Err(KeptError::Taken { path: path.to_owned(), process: holder(path) })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// As it was given.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the content as a whole.
    ///
    /// # Errors
    /// [`FileError`]; the old content is then unchanged.
    pub(crate) fn write(&self, content: &[u8]) -> Result<Receipt, FileError> {
        write_private(&self.path, content)
    }
}

/// The process that wrote its id into the lock.
fn holder(path: &Path) -> Option<u32> {
    let text = files::read_text(&lock::lock_file(path).ok()?, 64).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_at_a_time_by_whatever_name() {
        let home = tempfile::tempdir().unwrap();
        let (path, link) = (home.path().join("new/token"), home.path().join("link"));
        std::os::unix::fs::symlink("new/token", &link).unwrap();
        let kept = KeptFile::claim(&path).await.unwrap();
        kept.write(b"one").unwrap();
        for name in [&path, &link] {
            let error = KeptFile::claim(name).await.unwrap_err();
            let ours = matches!(error, KeptError::Taken { process: Some(id), .. } if id == process::id());
            assert!(ours, "{error}");
        }
        drop(kept);
        KeptFile::claim(&link).await.unwrap().write(b"two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
    }

    #[tokio::test]
    async fn a_device_cannot_be_kept_fresh() {
        let error = KeptFile::claim(Path::new("/dev/null")).await.unwrap_err();
        assert_eq!(error.to_string(), "/dev/null is a device, and only a file can be replaced");
    }
}
