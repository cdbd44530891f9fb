//! Makes the change on disk. The change is checked, then made under locks. Each file is replaced as
//! a whole.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

use rustix::system::uname;

use super::files::Loaded;
use super::{Entry, Files, StoreError};
use crate::context::Context;
use crate::files;
use crate::http::Deadline;
use crate::output::Output;
use crate::sink::{LockedFile, Receipt, create_complete, is_alive};

/// The time limit for `kubectl`'s locks. `kubectl config` holds its lock only while it writes a
/// file.
const KUBECTL_LIMIT: Duration = Duration::from_secs(5);
/// The pause between two attempts to take `kubectl`'s locks.
const POLL: Duration = Duration::from_millis(5);
/// How long `kubectl config` may take between reading a file, which needs no lock, and locking it.
const READ_BEFORE_LOCK: Duration = Duration::from_millis(50);
/// The maximum number of writes, if another program keeps undoing the change.
const TRIES: u32 = 5;

/// The files that a change affects, locked against other `gp` processes.
pub(crate) struct LockedFiles<'a> {
    files: &'a Files,
    concerned: Vec<(PathBuf, LockedFile)>,
    deadline: Deadline,
}

impl Files {
    /// Checks that `entry` can be written, and locks the files that it affects. Changes no file.
    pub(crate) async fn lock(
        &self,
        entry: &Entry,
        deadline: Deadline,
        out: &Output,
    ) -> Result<LockedFiles<'_>, StoreError> {
        let loaded = self.applied(entry, deadline, out).await?;
        // Also lock an unchanged file if a killed process left a lock: locking removes that lock.
        let concerned = |file: &&Loaded| {
            let left = LockedFile::has_lock(&file.path) || is_left_behind(&kubectl_lock(&file.path), false);
            file.is_changed() || (left && file.exists && !file.special)
        };
        let mut paths: Vec<PathBuf> = loaded.iter().filter(concerned).map(|file| file.path.clone()).collect();
        // Always in the same order, so that two processes cannot wait for each other.
        paths.sort();
        let mut concerned = Vec::new();
        for path in paths {
            let _waiting = out.waiting_for_lock(deadline.at(), &path);
            let file = LockedFile::acquire(&path, deadline).await?;
            concerned.push((path, file));
        }
        Ok(LockedFiles { files: self, concerned, deadline })
    }

    /// The files with `entry` applied, in memory. After a refusal, this tries once more under
    /// `kubectl`'s locks, because `kubectl config` may have been writing a file.
    async fn applied(
        &self,
        entry: &Entry,
        deadline: Deadline,
        out: &Output,
    ) -> Result<Vec<Loaded>, StoreError> {
        let apply = || {
            let mut loaded = self.load()?;
            entry.apply(&mut loaded).map(|_| loaded)
        };
        let refused = match apply() {
            Err(refused) => refused,
            loaded => return loaded,
        };
        let there: Vec<&Path> = self.0.iter().map(PathBuf::as_path).filter(|path| path.is_file()).collect();
        match KubectlLock::acquire_all(there, false, deadline.within(KUBECTL_LIMIT), out).await {
            Ok(locks) if !locks.is_empty() => apply(),
            _ => Err(refused),
        }
    }
}

impl LockedFiles<'_> {
    /// Writes `entry`. The receipt names the file with the user. If `kubectl config` has read a
    /// file before, it may write the old content back. This is detected, and the change is made
    /// again.
    ///
    /// # Errors
    /// [`StoreError`]. If a file cannot be replaced, the files before it stay changed.
    pub(crate) async fn write(&self, entry: &Entry, ctx: &Context) -> Result<Receipt, StoreError> {
        let mut undone = None;
        for _ in 0..TRIES {
            let (path, written) = self.write_once(entry, ctx).await?;
            tokio::time::sleep(READ_BEFORE_LOCK).await;
            if written.iter().all(Loaded::is_on_disk) {
                return Ok(Receipt { path });
            }
            let loaded = self.files.applied(entry, self.deadline, &ctx.out).await?;
            match loaded.iter().find(|file| file.is_changed()) {
                None => return Ok(Receipt { path }),
                Some(file) => undone = Some(file.path.clone()),
            }
        }
        Err(StoreError::Contested { path: undone.unwrap_or_default() })
    }

    /// Under `kubectl`'s locks, there is no await point, so that a signal that the caller listens
    /// for cannot interrupt the change. Returns the path of the file with the user, and the written
    /// files.
    async fn write_once(&self, entry: &Entry, ctx: &Context) -> Result<(PathBuf, Vec<Loaded>), StoreError> {
        let paths = self.concerned.iter().map(|(path, _)| path.as_path());
        let deadline = self.deadline.within(KUBECTL_LIMIT);
        let alone = self.concerned.iter().all(|(_, file)| file.excludes_others());
        let _locks = KubectlLock::acquire_all(paths.collect(), alone, deadline, &ctx.out).await?;
        let mut loaded = self.files.load()?;
        let path = entry.apply(&mut loaded)?;
        loaded.retain(Loaded::is_changed);
        let locked = |path: &Path| self.concerned.iter().find(|(concerned, _)| concerned == path);
        if let Some(file) = loaded.iter().find(|file| locked(&file.path).is_none()) {
            return Err(StoreError::Contested { path: file.path.clone() });
        }
        for file in &loaded {
            if let Some((_, place)) = locked(&file.path) {
                place.replace(file.document.text().as_bytes())?;
            }
        }
        Ok((path, loaded))
    }
}

/// The lock of `kubectl config`: a file `<path>.lock` that exists while a process writes. Dropping
/// the value removes the file.
pub(super) struct KubectlLock<'a> {
    path: PathBuf,
    out: &'a Output,
}

impl<'a> KubectlLock<'a> {
    /// Takes the locks of all files at once. While it waits for one lock, it holds none. `alone`
    /// means that no other `gp` process can hold a lock.
    pub(super) async fn acquire_all(
        files: Vec<&Path>,
        alone: bool,
        deadline: Deadline,
        out: &'a Output,
    ) -> Result<Vec<Self>, StoreError> {
        loop {
            let taken: Result<Vec<_>, _> = files.iter().map(|file| Self::take(file, out)).collect();
            match taken {
                Err(StoreError::KubectlLock { path }) => {
                    if is_left_behind(&path, alone) {
                        out.note(format!(
                            "note: removing {}, which a `gp idp` that was killed left behind",
                            path.display()
                        ));
                        match fs::remove_file(&path) {
                            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                                return Err(StoreError::KubectlLockFile { path, source });
                            }
                            _ => {}
                        }
                    } else if deadline.left().is_zero() {
                        return Err(StoreError::KubectlLock { path });
                    } else {
                        tokio::time::sleep(POLL.min(deadline.left())).await;
                    }
                }
                outcome => return outcome,
            }
        }
    }

    fn take(file: &Path, out: &'a Output) -> Result<Self, StoreError> {
        let path = kubectl_lock(file);
        match create_complete(&path, owner(process::id()).as_bytes()) {
            Ok(()) => Ok(Self { path, out }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(StoreError::KubectlLock { path })
            }
            Err(source) => Err(StoreError::KubectlLockFile { path, source }),
        }
    }
}

impl Drop for KubectlLock<'_> {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            let path = self.path.display();
            self.out.warn(format!("could not remove the lock {path}, which stops `kubectl config`: {error}"));
        }
    }
}

fn kubectl_lock(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".lock");
    name.into()
}

/// The content of a lock file that `gp` creates.
pub(super) fn owner(process: u32) -> String {
    format!("gp idp, process {process} on {}\n", uname().nodename().to_string_lossy())
}

/// Whether the lock was left by a `gp` process of this machine that has ended. If this process is `alone`, no running
/// `gp` process of this machine can hold the lock.
fn is_left_behind(lock: &Path, alone: bool) -> bool {
    let Ok(text) = files::read_text(lock, files::MAX_FILE) else { return false };
    let number = text.strip_prefix("gp idp, process ").and_then(|rest| rest.split(' ').next()?.parse().ok());
    number.is_some_and(|process| *text == owner(process) && (alone || !is_alive(process)))
}
