//! A file that one process at a time writes.

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

/// How often a lock that somebody else holds is tried again.
const POLL: Duration = Duration::from_millis(5);
/// How often a lock file is opened again that its last holder removes.
const TRIES: u32 = 100;

/// A lock file beside the file that it is for, because that one is replaced. It goes with the value. A process that is
/// killed leaves the lock file behind, but no lock.
#[derive(Debug)]
struct Lock {
    /// Of the file that the lock is for.
    place: Place,
    name: OsString,
    /// None on a file system without locks, where every other tool has none either.
    file: Option<File>,
}

impl Lock {
    /// Waits for the lock of the file that `path` leads to, so that every way to it has the same one. Folders that are
    /// missing are made.
    async fn acquire(path: &Path, suffix: &str, deadline: Deadline) -> Result<Self, FileError> {
        let mut made = Vec::new();
        let mut tries = 0;
        'find: loop {
            tries += 1;
            let mut place = Place::find(path)?;
            place.made.splice(0..0, std::mem::take(&mut made));
            let name = place.beside("", suffix);
            let file = match open(&place, &name) {
                // The folder is missing: another process made it, did not need it and removed it.
                Err(FileError::Write { source, .. })
                    if source.kind() == io::ErrorKind::NotFound && tries < TRIES =>
                {
                    made = place.made;
                    continue;
                }
                outcome => outcome?,
            };
            loop {
                match file.try_lock() {
                    Ok(()) if is_still_there(&place, &name, &file)? => {
                        return Ok(Self { place, name, file: Some(file) });
                    }
                    // Whoever held it before has removed the file: others lock a new one.
                    Ok(()) => {
                        made = place.made;
                        continue 'find;
                    }
                    Err(TryLockError::WouldBlock) if deadline.left().is_zero() => {
                        place.remove_made_folders();
                        return Err(FileError::Held { lock: place.path.with_file_name(&name) });
                    }
                    Err(TryLockError::WouldBlock) => tokio::time::sleep(POLL.min(deadline.left())).await,
                    Err(TryLockError::Error(error)) if has_no_locks(&error) => {
                        return Ok(Self { place, name, file: None });
                    }
                    Err(TryLockError::Error(error)) => return Err(place.failed(error)),
                }
            }
        }
    }
}

impl Drop for Lock {
    /// Removes the lock file while it is still locked, and the folders that were made for nothing.
    fn drop(&mut self) {
        let _ = self.place.remove(&self.name);
        self.place.remove_made_folders();
    }
}

/// The right to keep a file fresh, which one process at a time has: a lock of its own, `NAME.gp-kept`, so that others
/// may still write the file once.
#[derive(Debug)]
pub(crate) struct Claim {
    path: PathBuf,
    _lock: Lock,
}

impl Claim {
    /// Takes it, and puts this process's id into the lock. The file itself is not touched.
    pub(crate) async fn take(path: &Path) -> Result<Self, FileError> {
        let lock = match Lock::acquire(path, ".gp-kept", Deadline::after(Duration::ZERO)).await {
            Err(FileError::Held { lock }) => {
                let holder = files::read_text(&lock, files::MAX_FILE).ok();
                let process = holder.and_then(|text| text.trim().parse().ok());
                return Err(FileError::Kept { path: path.to_owned(), process });
            }
            outcome => outcome?,
        };
        if let Some(found) = lock.place.found()?.filter(|found| type_of(found) != FileType::RegularFile) {
            return Err(FileError::NotAFile { path: path.to_owned(), kind: kind_of(type_of(&found)) });
        }
        if let Some(mut file) = lock.file.as_ref() {
            // It only helps messages of others.
            let _ = file.set_len(0).and_then(|()| file.write_all(process::id().to_string().as_bytes()));
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// The file, as it was named.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// A file that no other process writes: its lock is `NAME.gp-lock`.
#[derive(Debug)]
pub(crate) struct LockedFile {
    lock: Lock,
}

impl LockedFile {
    /// Waits for the lock of the file that `path` leads to, and removes what a killed process left beside it.
    pub(crate) async fn acquire(path: &Path, deadline: Deadline) -> Result<Self, FileError> {
        let locked = Self { lock: Lock::acquire(path, ".gp-lock", deadline).await? };
        locked.remove_leftovers();
        Ok(locked)
    }

    /// Whether there is a lock file, be it that somebody holds it or that a killed process left it: only whoever takes
    /// the lock removes it.
    pub(crate) fn has_lock(path: &Path) -> bool {
        // Beside the file that a link leads to.
        let mut lock = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).into_os_string();
        lock.push(".gp-lock");
        fs::symlink_metadata(lock).is_ok()
    }

    /// Whether the lock is more than a name: on some file systems there are none.
    pub(crate) fn excludes_others(&self) -> bool {
        self.lock.file.is_some()
    }

    fn place(&self) -> &Place {
        &self.lock.place
    }

    /// Writes `content` with mode 0600. A reader sees the old file or the new one, and so does everyone after a crash.
    /// A file that is a mount point is the exception: it is written in place.
    ///
    /// # Errors
    /// [`FileError`]; the old content is then untouched.
    pub(crate) fn write_private(&self, content: &[u8]) -> Result<Receipt, FileError> {
        self.write(content, false)
    }

    /// As [`LockedFile::write_private`], but a file that is there keeps its mode.
    ///
    /// # Errors
    /// As [`LockedFile::write_private`].
    pub(crate) fn replace(&self, content: &[u8]) -> Result<Receipt, FileError> {
        self.write(content, true)
    }

    /// Removes the file; one that is not there is no error. One that is a mount point is emptied.
    pub(crate) fn remove(&self) -> Result<(), FileError> {
        match self.place().found()?.map(|found| type_of(&found)) {
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
        let old = self.old()?;
        let keep_mode = old.filter(|_| keep_mode).map(|old| Mode::from_raw_mode(old.st_mode));
        let fill = |mut file: &File| {
            file.write_all(content)?;
            let has_group = old.as_ref().map_or(Ok(true), |old| keep_owner(file, old))?;
            if let Some(mode) = keep_mode {
                // A list that the folder gives to new files (setfacl -d) would let its users in.
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
        // The other way works on every file system, and its error is the one to show.
        if !done && let Err(error) = self.publish_named(&fill) {
            if old.is_none() || error.kind() != io::ErrorKind::ResourceBusy {
                return Err(self.place().failed(error));
            }
            // A mount point cannot be replaced: containers get single files in this way.
            self.write_in_place(content, keep_mode.is_some()).map_err(|error| self.place().failed(error))?;
        }
        self.place().sync_folder();
        Ok(Receipt { path: self.place().path.clone() })
    }

    /// The file that is to be replaced, if any.
    fn old(&self) -> Result<Option<Stat>, FileError> {
        let Some(old) = self.place().found()? else { return Ok(None) };
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
        // Root can write to it in any case, and its tools do.
        if !us.is_root() && !Mode::from_raw_mode(old.st_mode).contains(Mode::WUSR) {
            return Err(FileError::ReadOnly { path: path() });
        }
        if old.st_nlink > 1 {
            return Err(FileError::HardLinked { path: path() });
        }
        Ok(Some(old))
    }

    /// The content gets a name when it is complete. A process that is killed leaves nothing behind, or between the last
    /// two steps one file that the next one removes.
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

    /// Not whole or nothing, but what the vendors' tools do with every file.
    fn write_in_place(&self, content: &[u8], keep_mode: bool) -> io::Result<()> {
        let mut file = self.place().open_itself(OFlags::WRONLY)?;
        if !keep_mode {
            // Only its owner can set it; the content is written in any case.
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

    /// One name for all holders of the lock, so that each finds what the one before left behind. Where there are no
    /// locks, one for each process.
    fn temporary_name(&self) -> OsString {
        match self.lock.file {
            Some(_) => self.place().beside(".", ".gp-new"),
            None => self.place().beside(".", &format!(".gp-new-{}", process::id())),
        }
    }

    /// Removes what killed processes left: the file that only holders of the lock have, and those of processes without
    /// locks that have ended.
    fn remove_leftovers(&self) {
        let _ = self.place().remove(&self.place().beside(".", ".gp-new"));
        if self.lock.file.is_none() {
            let prefix = self.place().beside(".", ".gp-new-");
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

/// Waits until the content is on disk, where the file system can say so.
fn sync(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        outcome => outcome,
    }
}

/// Root writes for the user whose file it was. Returns whether the new file has the group of the old one: only members
/// of a group may give it a file.
fn keep_owner(file: &File, old: &Stat) -> io::Result<bool> {
    let new = fstat(file)?;
    if new.st_uid != old.st_uid {
        fchown(file, Some(Uid::from_raw(old.st_uid)), Some(Gid::from_raw(old.st_gid)))?;
        return Ok(true);
    }
    Ok(new.st_gid == old.st_gid || fchown(file, None, Some(Gid::from_raw(old.st_gid))).is_ok())
}

/// Whether there is a process with this id.
pub(crate) fn is_alive(process: u32) -> bool {
    let id = i32::try_from(process).ok().and_then(Pid::from_raw);
    id.is_some_and(|id| test_kill_process(id) != Err(Errno::SRCH))
}

/// What file systems without locks say: those of a network without a lock daemon, and many in user space.
fn has_no_locks(error: &io::Error) -> bool {
    let codes = [Errno::NOLCK, Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP];
    Errno::from_io_error(error).is_some_and(|code| codes.contains(&code))
}

/// Whether the lock file is still the one that was opened.
fn is_still_there(place: &Place, name: &OsString, file: &File) -> Result<bool, FileError> {
    let held = fstat(file).map_err(|error| place.failed(error))?;
    let there = place.stat(name)?;
    Ok(there.is_some_and(|there| (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)))
}

/// Opens the lock file, and makes it if it is missing. What somebody else gave that name is neither followed nor
/// changed.
fn open(place: &Place, name: &OsString) -> Result<File, FileError> {
    let lock = || place.path.with_file_name(name);
    let not_a_lock = |kind| FileError::NotALock { lock: lock(), kind };
    for _ in 0..TRIES {
        let error = match place.open(name, OFlags::RDWR | OFlags::CREATE, PRIVATE) {
            Ok(file) => {
                let found = fstat(&file).map_err(|error| place.failed(error))?;
                let us = geteuid();
                return match (type_of(&found), found.st_nlink) {
                    // Removed since.
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
    Err(FileError::Held { lock: lock() })
}
