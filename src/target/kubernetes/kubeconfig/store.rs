//! The change on disk: checked first, then made under locks, each file replaced as a whole.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Entry, Files, StoreError};
use crate::http::Deadline;
use crate::sink::lock::FileLock;
use crate::sink::{Receipt, replace};

/// `kubectl config` holds its lock for as long as it takes to write a file.
const KUBECTL_LIMIT: Duration = Duration::from_secs(5);
/// How often `kubectl`'s lock is tried again.
const POLL: Duration = Duration::from_millis(5);

/// The files that a change concerns, locked against other `gp` processes.
pub(crate) struct LockedFiles<'a> {
    files: &'a Files,
    concerned: Vec<PathBuf>,
    _locks: Vec<FileLock>,
    deadline: Deadline,
}

impl Files {
    /// Checks that `entry` can be written, and locks what it concerns. The files are not touched.
    pub(crate) async fn lock(
        &self,
        entry: &Entry,
        deadline: Deadline,
    ) -> Result<LockedFiles<'_>, StoreError> {
        let mut loaded = self.load()?;
        entry.apply(&mut loaded)?;
        let changed = loaded.iter().filter(|file| file.is_changed());
        let mut concerned: Vec<PathBuf> = changed.map(|file| file.path.clone()).collect();
        // Always in one order, so that no two processes wait for each other.
        concerned.sort();
        let mut locks = Vec::new();
        for path in &concerned {
            locks.push(FileLock::acquire(path, deadline).await?);
        }
        Ok(LockedFiles { files: self, concerned, _locks: locks, deadline })
    }
}

impl LockedFiles<'_> {
    /// Writes `entry`; the receipt names the file that has the user now.
    ///
    /// # Errors
    /// [`StoreError`]; the files are then as they were.
    pub(crate) async fn write(self, entry: &Entry) -> Result<Receipt, StoreError> {
        let mut kubectl = Vec::new();
        for path in &self.concerned {
            kubectl.push(KubectlLock::acquire(path, self.deadline.within(KUBECTL_LIMIT)).await?);
        }
        let mut loaded = self.files.load()?;
        let path = entry.apply(&mut loaded)?;
        for file in loaded.iter().filter(|file| file.is_changed()) {
            if !self.concerned.contains(&file.path) {
                return Err(StoreError::Contested { path: file.path.clone() });
            }
        }
        for file in loaded.iter().filter(|file| file.is_changed()) {
            replace(&file.path, file.document.text().as_bytes())?;
        }
        Ok(Receipt { path })
    }
}

/// The lock of `kubectl config`: a file `<path>.lock` that is there while someone writes. It goes with the value.
#[derive(Debug)]
pub(super) struct KubectlLock(PathBuf);

impl KubectlLock {
    pub(super) async fn acquire(path: &Path, deadline: Deadline) -> Result<Self, StoreError> {
        let mut name = OsString::from(path);
        name.push(".lock");
        let path = PathBuf::from(name);
        loop {
            match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(_) => return Ok(Self(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if deadline.left().is_zero() {
                        return Err(StoreError::KubectlLock { path });
                    }
                    tokio::time::sleep(POLL.min(deadline.left())).await;
                }
                Err(source) => return Err(StoreError::KubectlLockFile { path, source }),
            }
        }
    }
}

impl Drop for KubectlLock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
