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
use super::{Files, KubeconfigChange, StoreError};
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
    affected: Vec<(PathBuf, LockedFile)>,
    deadline: Deadline,
}

impl Files {
    /// Checks that `change` can be written, and locks the files that it affects. Changes no file.
    pub(crate) async fn lock(
        &self,
        change: &KubeconfigChange,
        deadline: Deadline,
        out: &Output,
    ) -> Result<LockedFiles<'_>, StoreError> {
        let loaded = self.apply_in_memory(change, deadline, out).await?;
        // Also lock an unchanged file if a killed process left a lock: locking removes that lock.
        let affected = |file: &&Loaded| {
            let left = LockedFile::has_lock(&file.path) || is_left_behind(&kubectl_lock(&file.path), false);
            file.is_changed() || (left && file.exists && !file.special)
        };
        let mut paths: Vec<PathBuf> = loaded.iter().filter(affected).map(|file| file.path.clone()).collect();
        // Always in the same order, so that two processes cannot wait for each other.
        paths.sort();
        let mut affected = Vec::new();
        for path in paths {
            let _waiting = out.waiting_for_lock(deadline.at(), &path);
            let file = LockedFile::acquire(&path, deadline).await?;
            affected.push((path, file));
        }
        Ok(LockedFiles { files: self, affected, deadline })
    }

    /// The files with `change` applied, in memory. After a refusal, this tries once more under
    /// `kubectl`'s locks, because `kubectl config` may have been writing a file.
    async fn apply_in_memory(
        &self,
        change: &KubeconfigChange,
        deadline: Deadline,
        out: &Output,
    ) -> Result<Vec<Loaded>, StoreError> {
        let apply = || {
            let mut loaded = self.load()?;
            change.apply(&mut loaded).map(|_| loaded)
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
    /// Writes `change`. The receipt names the file with the user. If `kubectl config` has read a
    /// file before, it may write the old content back. This is detected, and the change is made
    /// again.
    ///
    /// # Errors
    /// [`StoreError`]. If a file cannot be replaced, the files before it stay changed.
    pub(crate) async fn write(
        &self,
        change: &KubeconfigChange,
        ctx: &Context,
    ) -> Result<Receipt, StoreError> {
        let mut undone = None;
        for _ in 0..TRIES {
            let (path, written) = self.write_once(change, ctx).await?;
            tokio::time::sleep(READ_BEFORE_LOCK).await;
            if written.iter().all(Loaded::is_on_disk) {
                return Ok(Receipt { path });
            }
            let loaded = self.files.apply_in_memory(change, self.deadline, &ctx.out).await?;
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
    async fn write_once(
        &self,
        change: &KubeconfigChange,
        ctx: &Context,
    ) -> Result<(PathBuf, Vec<Loaded>), StoreError> {
        let paths = self.affected.iter().map(|(path, _)| path.as_path());
        let deadline = self.deadline.within(KUBECTL_LIMIT);
        let is_only_gp = self.affected.iter().all(|(_, file)| file.excludes_others());
        let _locks = KubectlLock::acquire_all(paths.collect(), is_only_gp, deadline, &ctx.out).await?;
        let mut loaded = self.files.load()?;
        let path = change.apply(&mut loaded)?;
        loaded.retain(Loaded::is_changed);
        let locked = |path: &Path| self.affected.iter().find(|(affected, _)| affected == path);
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
    /// Takes the locks of all files at once. While it waits for one lock, it holds none. `is_only_gp`
    /// means that no other `gp` process can hold a lock.
    pub(super) async fn acquire_all(
        files: Vec<&Path>,
        is_only_gp: bool,
        deadline: Deadline,
        out: &'a Output,
    ) -> Result<Vec<Self>, StoreError> {
        loop {
            let taken: Result<Vec<_>, _> = files.iter().map(|file| Self::take(file, out)).collect();
            match taken {
                Err(StoreError::KubectlLock { path }) => {
                    if is_left_behind(&path, is_only_gp) {
                        out.note(format!(
                            "note: removing the lock {}, which a killed `gp idp` left behind",
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
        match create_complete(&path, lock_content(process::id()).as_bytes()) {
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
pub(super) fn lock_content(process: u32) -> String {
    format!("gp idp, process {process} on {}\n", uname().nodename().to_string_lossy())
}

/// Whether the lock was left by a `gp` process of this machine that has ended. With
/// `is_only_gp`, no other `gp` process of this machine can hold the lock.
fn is_left_behind(lock: &Path, is_only_gp: bool) -> bool {
    let Ok(text) = files::read_text(lock, files::MAX_FILE) else { return false };
    let number = text.strip_prefix("gp idp, process ").and_then(|rest| rest.split(' ').next()?.parse().ok());
    number.is_some_and(|process| *text == lock_content(process) && (is_only_gp || !is_alive(process)))
}
