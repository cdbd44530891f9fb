//! Locks between processes, by files that nothing else is kept in.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
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
    Held { path: PathBuf },
    /// It cannot be made or opened.
    #[error("could not lock {}", path.display())]
    Open {
        path: PathBuf,
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

/// The lock of one file: a file `NAME.gp-lock` beside it, because the file itself is replaced. It goes with the value.
/// A process that is killed leaves the lock file behind, but no lock.
#[derive(Debug)]
pub(crate) struct FileLock {
    path: PathBuf,
    /// None on a file system without locks, where every other tool has none either.
    file: Option<File>,
    /// Folders that were made for it, the outermost first.
    made: Vec<PathBuf>,
}

impl FileLock {
    /// Waits for the lock of the file that `path` leads to, so that every way to it has the same one. Folders that are
    /// missing are made.
    pub(crate) async fn acquire(path: &Path, deadline: Deadline) -> Result<Self, LockError> {
        let path = lock_file(path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let missing = folder.into_iter().flat_map(Path::ancestors).take_while(|folder| !folder.exists());
        let mut made: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        made.reverse();
        let mut lock = Self::acquire_at(&path, deadline).await?;
        lock.made = made;
        Ok(lock)
    }

    /// Waits for the lock of this very lock file.
    pub(crate) async fn acquire_at(path: &Path, deadline: Deadline) -> Result<Self, LockError> {
        let failed = |source| LockError::Open { path: path.to_owned(), source };
        let mut file = open(path)?;
        loop {
            match file.try_lock() {
                // Whoever held it before has removed the file: others lock a new one.
                Ok(()) if !is_still_there(path, &file) => file = open(path)?,
                Ok(()) => return Ok(Self { path: path.to_owned(), file: Some(file), made: Vec::new() }),
                Err(TryLockError::WouldBlock) if deadline.left().is_zero() => {
                    return Err(LockError::Held { path: path.to_owned() });
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(POLL.min(deadline.left())).await,
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    return Ok(Self { path: path.to_owned(), file: None, made: Vec::new() });
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }

    /// Writes into the lock file who holds it.
    pub(crate) fn describe(&self, holder: &str) {
        if let Some(file) = &self.file {
            // It only helps messages of others.
            let _ = file.set_len(0).and_then(|()| (&*file).write_all(holder.as_bytes()));
        }
    }
}

impl Drop for FileLock {
    /// Removes the lock file while it is still locked, and the folders that were made for nothing.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        for folder in self.made.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Whether the lock file at `path` is still the one that was opened.
fn is_still_there(path: &Path, file: &File) -> bool {
    match (fs::symlink_metadata(path), file.metadata()) {
        (Ok(there), Ok(held)) => (there.dev(), there.ino()) == (held.dev(), held.ino()),
        _ => false,
    }
}

/// Opens the lock file, and makes it and its folder if they are missing.
fn open(path: &Path) -> Result<File, LockError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut tries = 0;
    // Another process may just have removed the folder that it had made for nothing.
    loop {
        tries += 1;
        if let Some(folder) = folder
            && let Err(source) = make_private_folder(folder)
        {
            if source.kind() == io::ErrorKind::NotFound && tries < 100 {
                continue;
            }
            return Err(FileError::Folder { path: folder.to_owned(), source }.into());
        }
        let mut options = fs::OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true).mode(0o600);
        match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && tries < 100 => {}
            outcome => return outcome.map_err(|source| LockError::Open { path: path.to_owned(), source }),
        }
    }
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
    use std::sync::atomic::{AtomicU32, Ordering};

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
        drop(FileLock::acquire(&link, soon()).await.unwrap());
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "only the link is left");
    }

    #[tokio::test]
    async fn many_in_turn_never_hold_it_together() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("new/file");
        let (holders, most) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let runtime =
                        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
                    for _ in 0..20 {
                        let deadline = Deadline::after(Duration::from_secs(60));
                        let lock = runtime.block_on(FileLock::acquire(&path, deadline)).unwrap();
                        most.fetch_max(holders.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        holders.fetch_sub(1, Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
        assert_eq!(most.load(Ordering::SeqCst), 1);
        // The folder stays if another one used it while its maker was done.
        assert!(!home.path().join("new/file.gp-lock").exists());
    }
}
