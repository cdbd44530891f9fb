//! The change on disk: checked first, then made under locks, each file replaced as a whole.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::{Entry, Files, StoreError};
use crate::sink::{FileError, Receipt, lock, make_private_folder, replace, target_of};

/// `kubectl config` holds its lock for as long as it takes to write a file.
const KUBECTL_LIMIT: Duration = Duration::from_secs(5);

impl Files {
    /// Whether `entry` can be written, without changing anything.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn check(&self, entry: &Entry) -> Result<(), StoreError> {
        entry.apply(&mut self.load()?).map(|_| ())
    }

    /// Writes `entry`; the receipt names the file that has the user now.
    ///
    /// # Errors
    /// [`StoreError`]; the files are then as they were.
    pub fn write(&self, entry: &Entry, limit: Duration) -> Result<Receipt, StoreError> {
        let mut loaded = self.load()?;
        let path = entry.apply(&mut loaded)?;
        let concerned: Vec<PathBuf> =
            loaded.iter().filter(|file| file.is_changed()).map(|file| file.path.clone()).collect();
        if concerned.is_empty() {
            return Ok(Receipt { path });
        }
        // Always in one order, so that no two processes wait for each other.
        let mut sorted = concerned.clone();
        sorted.sort();
        let _locks: Vec<(Option<File>, KubectlLock)> = sorted
            .iter()
            .map(|path| Ok((own_lock(path, limit)?, KubectlLock::acquire(path, limit.min(KUBECTL_LIMIT))?)))
            .collect::<Result<_, StoreError>>()?;

        let mut loaded = self.load()?;
        let path = entry.apply(&mut loaded)?;
        for file in loaded.iter().filter(|file| file.is_changed()) {
            if !concerned.contains(&file.path) {
                return Err(StoreError::Contested { path: file.path.clone() });
            }
        }
        for file in loaded.iter().filter(|file| file.is_changed()) {
            replace(&file.path, file.document.text().as_bytes())?;
        }
        Ok(Receipt { path })
    }
}

/// The lock that other `gp` processes wait for.
fn own_lock(path: &Path, limit: Duration) -> Result<Option<File>, StoreError> {
    let target = target_of(path).map_err(|source| StoreError::Lock { path: path.to_owned(), source })?;
    let path = with_suffix(&target, ".gp-lock");
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_private_folder(folder)
            .map_err(|source| FileError::Folder { path: folder.to_owned(), source })?;
    }
    match lock::acquire(&path, limit) {
        // A file system without locks: as good as every other tool there.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
        outcome => outcome.map(Some).map_err(|source| StoreError::Lock { path, source }),
    }
}

/// The lock of `kubectl config`: a file `<path>.lock` that is there while someone writes. It goes with the value.
#[derive(Debug)]
pub(super) struct KubectlLock(PathBuf);

impl KubectlLock {
    pub(super) fn acquire(path: &Path, limit: Duration) -> Result<Self, StoreError> {
        let path = with_suffix(path, ".lock");
        let started = Instant::now();
        loop {
            match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(_) => return Ok(Self(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if started.elapsed() >= limit {
                        return Err(StoreError::KubectlLock { path });
                    }
                    thread::sleep(Duration::from_millis(5));
                }
                Err(source) => return Err(StoreError::Lock { path, source }),
            }
        }
    }
}

impl Drop for KubectlLock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}
