//! Locks for files that only one process at a time may write.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

use rustix::fs::{FileType, Mode, OFlags, Stat, fchmod, fchown, fstat};
use rustix::io::Errno;
use rustix::process::{Gid, Pid, Uid, geteuid, test_kill_process};

use super::Receipt;
use super::error::FileError;
use super::place::{PRIVATE, Place, type_of};
use crate::files::{self, kind_of};
use crate::http::Deadline;

/// The interval between two attempts to get a lock.
const POLL: Duration = Duration::from_millis(5);
/// The maximum number of attempts to open a lock file that other processes remove.
const MAX_ATTEMPTS: u32 = 100;

/// A lock file beside the protected file, which cannot hold the lock because it is replaced. The
/// lock file is removed when the value is dropped. A killed process leaves the lock file behind,
/// but no lock.
#[derive(Debug)]
struct Lock {
    /// The place of the protected file.
    place: Place,
    name: OsString,
    /// `None` on a file system without locks.
    file: Option<File>,
}

impl Lock {
    /// Waits for the lock of the file that `path` leads to, so that all paths to a file share one
    /// lock. Missing folders are created.
    async fn acquire(path: &Path, suffix: &str, deadline: Deadline) -> Result<Self, FileError> {
        let mut created = Vec::new();
        let mut tries = 0;
        'find: loop {
            tries += 1;
            let mut place = Place::find(path)?;
            place.created.splice(0..0, std::mem::take(&mut created));
            let name = place.sibling_name("", suffix);
            let file = match open(&place, &name) {
                // The folder is missing: another process created it, did not need it and removed
                // it.
                Err(FileError::Write { source, .. })
                    if source.kind() == io::ErrorKind::NotFound && tries < MAX_ATTEMPTS =>
                {
                    created = place.created;
                    continue;
                }
                outcome => outcome?,
            };
            loop {
                match file.try_lock() {
                    Ok(()) if is_still_there(&place, &name, &file)? => {
                        return Ok(Self { place, name, file: Some(file) });
                    }
                    // The previous holder has removed the lock file, so other processes lock a new
                    // one.
                    Ok(()) => {
                        created = place.created;
                        continue 'find;
                    }
                    Err(TryLockError::WouldBlock) if deadline.left().is_zero() => {
                        place.remove_made_folders();
                        return Err(FileError::Locked { lock: place.path.with_file_name(&name) });
                    }
                    Err(TryLockError::WouldBlock) => tokio::time::sleep(POLL.min(deadline.left())).await,
                    Err(TryLockError::Error(error)) if is_unsupported(&error) => {
                        return Ok(Self { place, name, file: None });
                    }
                    Err(TryLockError::Error(error)) => return Err(place.failed(error)),
                }
            }
        }
    }
}

impl Drop for Lock {
    /// Removes the lock file while it is still locked, and the folders that were created and are
    /// still empty.
    fn drop(&mut self) {
        let _ = self.place.remove(&self.name);
        self.place.remove_made_folders();
    }
}

/// The right to keep a file fresh, which only one process at a time has. It has its own lock,
/// `NAME.gp-kept`, so that other processes may still write the file once.
#[derive(Debug)]
pub(crate) struct KeepFreshLock {
    path: PathBuf,
    _lock: Lock,
}

impl KeepFreshLock {
    /// Takes the claim, and writes this process's id into the lock file. The file itself is not
    /// changed.
    pub(crate) async fn take(path: &Path) -> Result<Self, FileError> {
        let lock = match Lock::acquire(path, ".gp-kept", Deadline::after(Duration::ZERO)).await {
            Err(FileError::Locked { lock }) => {
                let holder = files::read_text(&lock, files::MAX_FILE).ok();
                let process = holder.and_then(|text| text.trim().parse().ok());
                return Err(FileError::KeptFresh { path: path.to_owned(), process });
            }
            outcome => outcome?,
        };
        if let Some(found) = lock.place.metadata()?.filter(|found| type_of(found) != FileType::RegularFile) {
            return Err(FileError::NotAFile { path: path.to_owned(), kind: kind_of(type_of(&found)) });
        }
        if let Some(mut file) = lock.file.as_ref() {
            // Only the messages of other processes need the id.
            let _ = file.set_len(0).and_then(|()| file.write_all(process::id().to_string().as_bytes()));
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// The path that was passed to [`KeepFreshLock::take`].
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// A file that no other process writes. Its lock is `NAME.gp-lock`.
#[derive(Debug)]
pub(crate) struct LockedFile {
    lock: Lock,
}

impl LockedFile {
    /// Waits for the lock of the file that `path` leads to, and removes temporary files that
    /// killed processes left beside it.
    pub(crate) async fn acquire(path: &Path, deadline: Deadline) -> Result<Self, FileError> {
        let locked = Self { lock: Lock::acquire(path, ".gp-lock", deadline).await? };
        locked.remove_leftovers();
        Ok(locked)
    }

    /// Whether there is a lock file. A process holds it, or a killed process left it behind: only
    /// the next holder removes it.
    pub(crate) fn has_lock(path: &Path) -> bool {
        // The lock file is beside the target of a symlink.
        let mut lock = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).into_os_string();
        lock.push(".gp-lock");
        fs::symlink_metadata(lock).is_ok()
    }

    /// Whether the lock keeps other processes out. Some file systems have no locks.
    pub(crate) fn excludes_others(&self) -> bool {
        self.lock.file.is_some()
    }

    fn place(&self) -> &Place {
        &self.lock.place
    }

    /// Writes `content` with mode 0600. A reader sees either the old file or the new one, also
    /// after a crash. A file that is a mount point is the exception: it is written in place.
    ///
    /// # Errors
    /// [`FileError`]. The old content is then unchanged, unless the file is a mount point.
    pub(crate) fn write_private(&self, content: &[u8]) -> Result<Receipt, FileError> {
        self.write(content, false)
    }

    /// As [`LockedFile::write_private`], but an existing file keeps its mode.
    ///
    /// # Errors
    /// As [`LockedFile::write_private`].
    pub(crate) fn replace(&self, content: &[u8]) -> Result<Receipt, FileError> {
        self.write(content, true)
    }

    /// Removes the file. A missing file is not an error. A mount point is emptied instead.
    pub(crate) fn remove(&self) -> Result<(), FileError> {
        match self.place().metadata()?.map(|found| type_of(&found)) {
            None => return Ok(()),
            Some(FileType::RegularFile) => {}
            Some(kind) => {
                return Err(FileError::NotAFile { path: self.place().path.clone(), kind: kind_of(kind) });
            }
        }
        let removed = match self.place().remove_itself() {
            Err(Errno::BUSY) => self.write_in_place(b"", true),
            outcome => outcome.map_err(io::Error::from),
        };
        removed.map_err(|error| self.place().failed(error))
    }

    fn write(&self, content: &[u8], keep_mode: bool) -> Result<Receipt, FileError> {
        let old = self.check_existing()?;
        let keep_mode = old.filter(|_| keep_mode).map(|old| Mode::from_raw_mode(old.st_mode));
        let fill = |mut file: &File| {
            file.write_all(content)?;
            let has_group = old.as_ref().map_or(Ok(true), |old| keep_owner(file, old))?;
            if let Some(mode) = keep_mode {
                // A default access control list of the folder (setfacl -d) would give its users
                // access.
                #[cfg(target_os = "linux")]
                let _ = rustix::fs::fremovexattr(file, c"system.posix_acl_access");
                // Without the old group, the new one gets no access. Where modes cannot be set, the file stays private.
                let _ = fchmod(file, if has_group { mode } else { mode.difference(Mode::RWXG) });
            }
            sync(file)
        };
        #[cfg(target_os = "linux")]
        let done = self.publish_unnamed(&fill, old.is_some()).is_ok();
        #[cfg(not(target_os = "linux"))]
        let done = false;
        // `publish_named` works on every file system, so its error is the one to show.
        if !done && let Err(error) = self.publish_named(&fill) {
            if old.is_none() || error.kind() != io::ErrorKind::ResourceBusy {
                return Err(self.place().failed(error));
            }
            // A mount point cannot be replaced. Containers mount single files.
            self.write_in_place(content, keep_mode.is_some()).map_err(|error| self.place().failed(error))?;
        }
        self.place().sync_folder();
        Ok(Receipt { path: self.place().path.clone() })
    }

    /// Checks the file that will be replaced, and returns its metadata. `None` if there is no
    /// file.
    fn check_existing(&self) -> Result<Option<Stat>, FileError> {
        let Some(old) = self.place().metadata()? else { return Ok(None) };
        let path = || self.place().path.clone();
        match type_of(&old) {
            FileType::RegularFile => {}
            FileType::Directory => return Err(FileError::IsFolder { path: path() }),
            other => return Err(FileError::NotAFile { path: path(), kind: kind_of(other) }),
        }
        self.place().check_owner(&old)?;
        let us = geteuid();
        if !us.is_root() && old.st_uid != us.as_raw() {
            return Err(self.place().foreign(&old));
        }
        // Root can write to a read-only file, and the tools of root do.
        if !us.is_root() && !Mode::from_raw_mode(old.st_mode).contains(Mode::WUSR) {
            return Err(FileError::ReadOnly { path: path() });
        }
        if old.st_nlink > 1 {
            return Err(FileError::HardLinked { path: path() });
        }
        Ok(Some(old))
    }

    /// The file gets a name when its content is complete. A killed process leaves nothing behind,
    /// except between the last two steps: then it leaves one file, which the next process removes.
    #[cfg(target_os = "linux")]
    fn publish_unnamed(&self, fill: &impl Fn(&File) -> io::Result<()>, replaces: bool) -> io::Result<()> {
        let file = self.place().unnamed()?;
        fill(&file)?;
        if !replaces && self.place().link_itself(&file).is_ok() {
            return Ok(());
        }
        let name = self.temporary_name();
        self.place().remove(&name)?;
        self.place().link(&file, &name)?;
        self.rename(&name)
    }

    fn publish_named(&self, fill: &impl Fn(&File) -> io::Result<()>) -> io::Result<()> {
        let name = self.temporary_name();
        self.place().remove(&name)?;
        let file = self.place().open(&name, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL, PRIVATE)?;
        match fill(&file) {
            Ok(()) => self.rename(&name),
            Err(error) => {
                let _ = self.place().remove(&name);
                Err(error)
            }
        }
    }

    /// Overwrites the file. A crash can leave it incomplete, but the vendors' tools write every
    /// file in this way.
    fn write_in_place(&self, content: &[u8], keep_mode: bool) -> io::Result<()> {
        let mut file = self.place().open_itself(OFlags::WRONLY)?;
        if !keep_mode {
            // Only the owner can set the mode. The content is written in any case.
            let _ = fchmod(&file, PRIVATE);
        }
        file.write_all(content)?;
        file.set_len(content.len() as u64)?;
        sync(&file)
    }

    fn rename(&self, name: &OsString) -> io::Result<()> {
        self.place().rename_here(name).map_err(|error| {
            let _ = self.place().remove(name);
            error.into()
        })
    }

    /// All holders of the lock use one name, so that each finds the file that a killed one left
    /// behind. Without locks, each process has its own name.
    fn temporary_name(&self) -> OsString {
        match self.lock.file {
            Some(_) => self.place().sibling_name(".", ".gp-new"),
            None => self.place().sibling_name(".", &format!(".gp-new-{}", process::id())),
        }
    }

    /// Removes the temporary files of killed processes: the one of the lock's holders, and,
    /// without locks, those of processes that have ended.
    fn remove_leftovers(&self) {
        let _ = self.place().remove(&self.place().sibling_name(".", ".gp-new"));
        if self.lock.file.is_none() {
            let prefix = self.place().sibling_name(".", ".gp-new-");
            for name in self.place().names() {
                let process = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes());
                let process = process.and_then(|id| str::from_utf8(id).ok()?.parse().ok());
                if process.is_some_and(|id| !is_alive(id)) {
                    let _ = self.place().remove(&name);
                }
            }
        }
    }
}

/// Waits until the content is on disk, if the file system supports this.
fn sync(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        outcome => outcome,
    }
}

/// Gives the new file the owner and group of the old one, because root also writes files of other
/// users. Returns whether the group is the same: only members of a group may give it a file.
fn keep_owner(file: &File, old: &Stat) -> io::Result<bool> {
    let new = fstat(file)?;
    if new.st_uid != old.st_uid {
        fchown(file, Some(Uid::from_raw(old.st_uid)), Some(Gid::from_raw(old.st_gid)))?;
        return Ok(true);
    }
    Ok(new.st_gid == old.st_gid || fchown(file, None, Some(Gid::from_raw(old.st_gid))).is_ok())
}

/// Whether a process with this id exists.
pub(crate) fn is_alive(process: u32) -> bool {
    let id = i32::try_from(process).ok().and_then(Pid::from_raw);
    id.is_some_and(|id| test_kill_process(id) != Err(Errno::SRCH))
}

/// Whether the file system has no locks: a network file system without a lock daemon, or one in
/// user space.
fn is_unsupported(error: &io::Error) -> bool {
    let codes = [Errno::NOLCK, Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP];
    Errno::from_io_error(error).is_some_and(|code| codes.contains(&code))
}

/// Whether the name still leads to the lock file that was opened.
fn is_still_there(place: &Place, name: &OsString, file: &File) -> Result<bool, FileError> {
    let held = fstat(file).map_err(|error| place.failed(error))?;
    let there = place.stat(name)?;
    Ok(there.is_some_and(|there| (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)))
}

/// Opens the lock file, and creates it if it is missing. Anything else of that name, such as a
/// symlink, is neither followed nor changed.
fn open(place: &Place, name: &OsString) -> Result<File, FileError> {
    let lock = || place.path.with_file_name(name);
    let not_a_lock = |kind| FileError::NotALock { lock: lock(), kind };
    for _ in 0..MAX_ATTEMPTS {
        let error = match place.open(name, OFlags::RDWR | OFlags::CREATE, PRIVATE) {
            Ok(file) => {
                let found = fstat(&file).map_err(|error| place.failed(error))?;
                let us = geteuid();
                return match (type_of(&found), found.st_nlink) {
                    // Another process removed the file after it was opened here.
                    (FileType::RegularFile, 0) => continue,
                    (FileType::RegularFile, 1) if us.is_root() || found.st_uid == us.as_raw() => Ok(file),
                    (FileType::RegularFile, 1) => {
                        Err(FileError::ForeignLock { lock: lock(), owner: found.st_uid })
                    }
                    (FileType::RegularFile, _) => Err(not_a_lock("a file with several names (hard links)")),
                    (other, _) => Err(not_a_lock(kind_of(other))),
                };
            }
            Err(error) => error,
        };
        match (error, place.stat(name)?) {
            (_, Some(found)) if type_of(&found) != FileType::RegularFile => {
                return Err(not_a_lock(kind_of(type_of(&found))));
            }
            (Errno::ACCESS, Some(found)) if found.st_uid != geteuid().as_raw() => {
                return Err(FileError::ForeignLock { lock: lock(), owner: found.st_uid });
            }
            _ => return Err(place.failed(error)),
        }
    }
    Err(FileError::Locked { lock: lock() })
}
