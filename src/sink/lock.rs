//! Locks between processes, by files that nothing else is kept in.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{FileError, make_private_folder, target_of};
use crate::exit::{Exit, Explain};
use crate::http::Deadline;

/// How often a lock that somebody else holds is tried again.
const POLL: Duration = Duration::from_millis(5);

/// The lock beside a file could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else holds it.
    #[error("another `gp idp` holds the lock {}", path.display())]
    Held {
        /// The lock's own file.
        path: PathBuf,
    },
    /// It cannot be made or opened.
    #[error("could not lock {}", path.display())]
    Open {
        /// The lock's own file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The folder for it cannot be made.
    #[error(transparent)]
    Folder(#[from] FileError),
}

impl Explain for LockError {
    fn exit(&self) -> Exit {
        Exit::LocalFile
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Held { .. } => Some("wait for the other one to end".into()),
            Self::Open { .. } => None,
            Self::Folder(error) => error.hint(),
        }
    }
}

/// The lock of one file: a file `NAME.gp-lock` beside it, because the file itself is replaced. It is released with the
/// value, or with the process. The lock file stays: whoever waits for it would otherwise hold another file than
/// whoever comes later.
#[derive(Debug)]
pub struct FileLock {
    /// None on a file system without locks, where every other tool has none either.
    file: Option<File>,
}

impl FileLock {
    /// Waits for the lock of the file that `path` leads to, so that every way to it has the same one.
    pub async fn acquire(path: &Path, deadline: Deadline) -> Result<Self, LockError> {
        let path = lock_file(path)?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            make_private_folder(folder)
                .map_err(|source| FileError::Folder { path: folder.to_owned(), source })?;
        }
        Self::acquire_at(&path, deadline).await
    }

    /// Waits for the lock of this very lock file.
    pub async fn acquire_at(path: &Path, deadline: Deadline) -> Result<Self, LockError> {
        let failed = |source| LockError::Open { path: path.to_owned(), source };
        let file = open(path).map_err(failed)?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { file: Some(file) }),
                Err(TryLockError::WouldBlock) if deadline.left().is_zero() => {
                    return Err(LockError::Held { path: path.to_owned() });
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(POLL.min(deadline.left())).await,
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    return Ok(Self { file: None });
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }
}

impl FileLock {
    /// Writes into the lock file who holds it.
    pub(crate) fn describe(&self, holder: &str) {
        if let Some(file) = &self.file {
            // It only helps messages of others.
            let _ = file.set_len(0).and_then(|()| (&*file).write_all(holder.as_bytes()));
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    fs::OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)
}

/// Where the lock of a file is.
pub(crate) fn lock_file(path: &Path) -> Result<PathBuf, LockError> {
    let target = target_of(path).map_err(|source| LockError::Open { path: path.to_owned(), source })?;
    let mut name = OsString::from(target);
    name.push(".gp-lock");
    Ok(name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_holder_at_a_time_by_every_way_to_thefile() {
        let home = tempfile::tempdir().unwrap();
        let (path, link) = (home.path().join("new/file"), home.path().join("link"));
        std::os::unix::fs::symlink("new/file", &link).unwrap();
        let soon = || Deadline::after(Duration::from_millis(20));
        let held = FileLock::acquire(&path, soon()).await.unwrap();
        for way in [&path, &link] {
            let error = FileLock::acquire(way, soon()).await.unwrap_err();
            let lock = home.path().join("new/file.gp-lock");
            assert_eq!(error.to_string(), format!("another `gp idp` holds the lock {}", lock.display()));
        }
        drop(held);
        FileLock::acquire(&link, soon()).await.unwrap();
        assert!(!path.exists(), "only the lock was made");
    }
}
