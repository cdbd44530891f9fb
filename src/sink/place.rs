//! A name in an open folder.
//!
//! The folder is opened once, and all later operations use the open folder. So it has no effect if
//! somebody replaces a part of the path in the meantime. The path is followed part by part, so
//! that each symbolic link can be checked.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, Stat, fstat, mkdirat, openat, readlinkat, statat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::error::FileError;
use crate::files::kind_of;

/// Only the owner may read and write.
pub(super) const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);
/// The maximum number of symlinks to follow, as in Linux.
const MAX_LINKS: u32 = 40;
/// How folders are opened. On Linux, `O_PATH` needs no permission to list the folder.
#[cfg(target_os = "linux")]
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

/// The maximum number of attempts to create a folder that other processes remove.
const MAX_ATTEMPTS: u32 = 100;

/// The place of a file, which may not exist yet.
#[derive(Debug)]
pub(super) struct Place {
    folder: OwnedFd,
    name: OsString,
    /// The path, with symlinks resolved.
    pub(super) path: PathBuf,
    /// The folders that were created for the file, the outermost first.
    pub(super) created: Vec<PathBuf>,
}

impl Place {
    /// Follows symlinks to the last name, which need not exist, and creates missing folders.
    pub(super) fn find(path: &Path) -> Result<Self, FileError> {
        Self::walk(path, true)
    }

    /// As [`Place::find`], but a symlink at the last name is not followed.
    pub(super) fn of_name(path: &Path) -> Result<Self, FileError> {
        Self::walk(path, false)
    }

    fn walk(path: &Path, follow_last: bool) -> Result<Self, FileError> {
        // Another process may just have removed a folder that it created but did not need.
        for _ in 1..MAX_ATTEMPTS {
            match Walk::default().to(path, follow_last) {
                Err(FileError::Folder { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                outcome => return outcome,
            }
        }
        Walk::default().to(path, follow_last)
    }

    /// The metadata of a name in this folder. A symlink is not followed.
    pub(super) fn stat(&self, name: &OsStr) -> Result<Option<Stat>, FileError> {
        match statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(found)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// The metadata of the place itself.
    pub(super) fn metadata(&self) -> Result<Option<Stat>, FileError> {
        self.stat(&self.name)
    }

    /// Refuses a file of another user in a folder that everyone can write to.
    pub(super) fn check_owner(&self, found: &Stat) -> Result<(), FileError> {
        let folder = fstat(&self.folder).map_err(|error| self.failed(error))?;
        if is_open_to_all(&folder) && !is_trusted(found.st_uid) { Err(self.foreign(found)) } else { Ok(()) }
    }

    /// The metadata of the folder.
    pub(super) fn folder_stat(&self) -> Result<Stat, FileError> {
        fstat(&self.folder).map_err(|error| self.failed(error))
    }

    /// Checks that a symlink of another user leads to a file or folder of that user.
    fn check_link_owner(&self, link_owner: Option<u32>, found: Option<&Stat>) -> Result<(), FileError> {
        let Some(link_owner) = link_owner else { return Ok(()) };
        let owner =
            found.map_or_else(|| self.folder_stat().map(|folder| folder.st_uid), |found| Ok(found.st_uid))?;
        if owner == link_owner {
            return Ok(());
        }
        let kind = kind_of(FileType::Symlink);
        Err(FileError::Foreign { path: self.path.clone(), kind, owner: link_owner })
    }

    pub(super) fn foreign(&self, found: &Stat) -> FileError {
        FileError::Foreign { path: self.path.clone(), kind: kind_of(type_of(found)), owner: found.st_uid }
    }

    /// Opens a name in this folder. It does not follow a symlink, and does not wait for the reader
    /// of a pipe.
    pub(super) fn open(&self, name: &OsStr, flags: OFlags, mode: Mode) -> Result<File, Errno> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        openat(&self.folder, name, flags, mode).map(File::from)
    }

    /// As [`Place::open`], for the place itself.
    pub(super) fn open_itself(&self, flags: OFlags) -> Result<File, Errno> {
        self.open(&self.name, flags, PRIVATE)
    }

    /// Creates a file of mode 0600 in this folder that has no name yet. If this process is killed,
    /// the file disappears.
    #[cfg(target_os = "linux")]
    pub(super) fn unnamed(&self) -> io::Result<File> {
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        Ok(openat(&self.folder, c".", flags, PRIVATE)?.into())
    }

    /// Gives a name to an unnamed file.
    #[cfg(target_os = "linux")]
    pub(super) fn link(&self, file: &File, name: &OsStr) -> Result<(), Errno> {
        use std::os::fd::AsRawFd;
        // Only root can use the alternative, AT_EMPTY_PATH.
        let own = format!("/proc/self/fd/{}", file.as_raw_fd());
        rustix::fs::linkat(CWD, own, &self.folder, name, AtFlags::SYMLINK_FOLLOW)
    }

    /// As [`Place::link`], with the name of the place itself, which must be free.
    #[cfg(target_os = "linux")]
    pub(super) fn link_itself(&self, file: &File) -> Result<(), Errno> {
        self.link(file, &self.name)
    }

    /// Gives a file of this folder a second name: the name of the place, which must be free.
    pub(super) fn link_here(&self, name: &OsStr) -> Result<(), Errno> {
        rustix::fs::linkat(&self.folder, name, &self.folder, &self.name, AtFlags::empty())
    }

    /// Renames a file of this folder to the name of the place.
    pub(super) fn rename_here(&self, name: &OsStr) -> Result<(), Errno> {
        rustix::fs::renameat(&self.folder, name, &self.folder, &self.name)
    }

    /// Removes a name. A missing name is not an error.
    pub(super) fn remove(&self, name: &OsStr) -> Result<(), Errno> {
        match unlinkat(&self.folder, name, AtFlags::empty()) {
            Err(Errno::NOENT) => Ok(()),
            outcome => outcome,
        }
    }

    /// The names in the folder. Empty if they cannot be listed.
    pub(super) fn names(&self) -> Vec<OsString> {
        let entries = fs::read_dir(folder_of(&self.path)).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name()).collect()
    }

    /// As [`Place::remove`], for the place itself.
    pub(super) fn remove_itself(&self) -> Result<(), Errno> {
        self.remove(&self.name)
    }

    /// Waits until the folder's entries are on disk. Errors are ignored, because the system soon
    /// writes the entries anyway.
    pub(super) fn sync_folder(&self) {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let _ = openat(&self.folder, c".", flags, Mode::empty()).and_then(rustix::fs::fsync);
    }

    /// Creates a folder of mode 0700 at the place itself, if there is none.
    pub(super) fn make_folder(&mut self) -> Result<(), FileError> {
        match mkdirat(&self.folder, &self.name, Mode::RWXU) {
            Ok(()) => {
                self.created.push(self.path.clone());
                Ok(())
            }
            Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(FileError::Folder { path: self.path.clone(), source: error.into() }),
        }
    }

    /// Removes the folders that were created and are still empty.
    pub(super) fn remove_made_folders(&self) {
        for folder in self.created.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }

    /// The name of the place with a prefix and a suffix.
    pub(super) fn sibling_name(&self, prefix: &str, suffix: &str) -> OsString {
        let mut name = OsString::from(prefix);
        name.push(&self.name);
        name.push(suffix);
        name
    }

    pub(super) fn failed(&self, source: impl Into<io::Error>) -> FileError {
        let (path, source) = (self.path.clone(), source.into());
        if source.kind() == io::ErrorKind::IsADirectory {
            return FileError::IsFolder { path };
        }
        FileError::Write { path, source }
    }
}

/// Follows a path to a name, one part after the other.
///
/// A symlink of this user or of root is followed. A symlink that another user put into a folder that everyone can write
/// to is not followed. Linux does the same with `fs.protected_symlinks`, which containers may lack. Any other symlink
/// may lead only to a file or folder of the symlink's owner. So root, with the home folder of a user, writes only where
/// that user could write.
#[derive(Default)]
struct Walk {
    /// The parts that are still to follow. The next part is the last element.
    rest: Vec<OsString>,
    /// The path so far, with symlinks resolved.
    at: PathBuf,
    made: Vec<PathBuf>,
    links: u32,
    /// The owner of a followed symlink, if it is neither this user nor root.
    link_owner: Option<u32>,
}

impl Walk {
    fn to(mut self, path: &Path, follow_last: bool) -> Result<Place, FileError> {
        let is_folder = || FileError::IsFolder { path: path.to_owned() };
        // `x/` can only be a folder, as in a shell.
        if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return Err(is_folder());
        }
        let mut folder = self.start(path)?;
        while let Some(name) = self.rest.pop() {
            let next = self.at.join(&name);
            let failed = |error: Errno| FileError::Folder { path: next.clone(), source: error.into() };
            let found = match statat(&folder, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => None,
                outcome => Some(outcome.map_err(failed)?),
            };
            let last = self.rest.is_empty();
            if name == ".." {
                folder = openat(&folder, &name, FOLDER, Mode::empty()).map_err(failed)?;
                self.at = next;
                continue;
            }
            if let Some(link) = found.filter(|found| type_of(found).is_symlink())
                && (!last || follow_last)
            {
                self.follow(&link, &fstat(&folder).map_err(failed)?, &next)?;
                let target = readlinkat(&folder, &name, Vec::new()).map_err(failed)?;
                if let Some(start) = self.push_path(Path::new(OsStr::from_bytes(target.as_bytes())))? {
                    folder = start;
                }
            } else if last {
                let place = Place { folder, name, path: next, created: self.made };
                place.check_link_owner(self.link_owner, found.as_ref())?;
                return Ok(place);
            } else {
                if found.is_none() {
                    self.make(&folder, &name, next.clone())?;
                }
                let flags = FOLDER | OFlags::NOFOLLOW;
                folder = openat(&folder, &name, flags, Mode::empty()).map_err(failed)?;
                self.at = next;
            }
        }
        Err(is_folder())
    }

    /// Starts at the root or in the working directory.
    fn start(&mut self, path: &Path) -> Result<OwnedFd, FileError> {
        match self.push_path(path)? {
            Some(root) => Ok(root),
            None => open_folder(Path::new(".")),
        }
    }

    /// Puts the parts of `path` before those that are still to follow. For an absolute path,
    /// returns the root folder.
    fn push_path(&mut self, path: &Path) -> Result<Option<OwnedFd>, FileError> {
        let parts = path.components().filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            _ => None,
        });
        let parts: Vec<OsString> = parts.collect();
        self.rest.extend(parts.into_iter().rev());
        if !path.is_absolute() {
            return Ok(None);
        }
        self.at = "/".into();
        open_folder(&self.at).map(Some)
    }

    fn follow(&mut self, link: &Stat, folder: &Stat, path: &Path) -> Result<(), FileError> {
        self.links += 1;
        if self.links > MAX_LINKS {
            let source = io::Error::other("too many symbolic links");
            return Err(FileError::Write { path: path.to_owned(), source });
        }
        if !is_trusted(link.st_uid) {
            if is_open_to_all(folder) {
                let kind = kind_of(FileType::Symlink);
                return Err(FileError::Foreign { path: path.to_owned(), kind, owner: link.st_uid });
            }
            self.link_owner = Some(link.st_uid);
        }
        Ok(())
    }

    fn make(&mut self, folder: &OwnedFd, name: &OsStr, path: PathBuf) -> Result<(), FileError> {
        match mkdirat(folder, name, Mode::RWXU) {
            Ok(()) => self.made.push(path),
            // Another process created the folder first.
            Err(Errno::EXIST) => {}
            Err(error) => return Err(FileError::Folder { path, source: error.into() }),
        }
        Ok(())
    }
}

fn open_folder(path: &Path) -> Result<OwnedFd, FileError> {
    openat(CWD, path, FOLDER, Mode::empty())
        .map_err(|error| FileError::Folder { path: path.to_owned(), source: error.into() })
}

fn is_trusted(owner: u32) -> bool {
    [geteuid().as_raw(), 0].contains(&owner)
}

fn is_open_to_all(folder: &Stat) -> bool {
    Mode::from_raw_mode(folder.st_mode).contains(Mode::WOTH)
}

pub(super) fn type_of(found: &Stat) -> FileType {
    FileType::from_raw_mode(found.st_mode)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
