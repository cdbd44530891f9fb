//! One name in one open folder.
//!
//! The folder is opened once, and everything after that happens in it: whoever exchanges a part of the path meanwhile
//! changes nothing. Symbolic links are followed by hand, so that each can be looked at.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat, statat, unlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::error::FileError;
use crate::files::kind_of;

/// For its owner only.
pub(super) const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);
/// As many links in a row as Linux follows.
const MAX_LINKS: u32 = 40;
/// To find names in a folder, its owner need not let anyone list them.
#[cfg(target_os = "linux")]
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

/// How often a folder is made again that another process removes.
const TRIES: u32 = 100;

/// Where a file is, or is to be.
#[derive(Debug)]
pub(super) struct Place {
    folder: OwnedFd,
    name: OsString,
    /// Symlinks followed.
    pub(super) path: PathBuf,
    /// Folders that were made for it, the outermost first.
    pub(super) made: Vec<PathBuf>,
}

impl Place {
    /// Follows symlinks to the last name, which need not exist, and makes missing folders.
    pub(super) fn find(path: &Path) -> Result<Self, FileError> {
        let mut path = path.to_owned();
        let mut made = Vec::new();
        for _ in 0..MAX_LINKS {
            let place = Self::of_name(path, made)?;
            let found = place.stat(&place.name)?;
            let Some(link) = found.filter(|found| type_of(found).is_symlink()) else { return Ok(place) };
            place.check_owner(&link)?;
            let next =
                readlinkat(&place.folder, &place.name, Vec::new()).map_err(|error| place.failed(error))?;
            path = folder_of(&place.path).join(OsStr::from_bytes(next.as_bytes()));
            made = place.made;
        }
        Err(FileError::Write { path, source: io::Error::other("too many symbolic links") })
    }

    /// As [`Place::find`], but a symlink at the last name is not followed.
    pub(super) fn of_name(path: PathBuf, mut made: Vec<PathBuf>) -> Result<Self, FileError> {
        // As in a shell, `x/` can only be a folder.
        let is_folder = path.as_os_str().as_encoded_bytes().ends_with(b"/");
        let Some(name) = path.file_name().filter(|_| !is_folder) else {
            return Err(FileError::IsFolder { path });
        };
        let name = name.to_owned();
        let folder = folder_of(&path);
        let missing =
            folder.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        let missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        made.extend(missing.into_iter().rev());
        let open = || -> io::Result<OwnedFd> {
            make_private_folder(folder)?;
            Ok(openat(CWD, folder, FOLDER, Mode::empty())?)
        };
        // Another process may just have removed the folder that it had made for nothing.
        let mut folder_fd = open();
        for _ in 1..TRIES {
            match &folder_fd {
                Err(error) if error.kind() == io::ErrorKind::NotFound => folder_fd = open(),
                _ => break,
            }
        }
        let folder = folder_fd.map_err(|source| FileError::Folder { path: folder.to_owned(), source })?;
        Ok(Self { folder, name, path, made })
    }

    /// What has a name in this folder; a symlink is not followed.
    pub(super) fn stat(&self, name: &OsStr) -> Result<Option<Stat>, FileError> {
        match statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(found)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// What is at the place itself.
    pub(super) fn found(&self) -> Result<Option<Stat>, FileError> {
        self.stat(&self.name)
    }

    /// Refuses what another user put into a folder that everyone can write to. Linux does the same with
    /// `fs.protected_symlinks`, `protected_fifos` and `protected_regular`, which containers may lack.
    pub(super) fn check_owner(&self, found: &Stat) -> Result<(), FileError> {
        let folder = fstat(&self.folder).map_err(|error| self.failed(error))?;
        let everyone = Mode::from_raw_mode(folder.st_mode).contains(Mode::WOTH);
        if everyone && ![geteuid().as_raw(), 0].contains(&found.st_uid) {
            return Err(self.foreign(found));
        }
        Ok(())
    }

    pub(super) fn foreign(&self, found: &Stat) -> FileError {
        FileError::Foreign { path: self.path.clone(), kind: kind_of(type_of(found)), owner: found.st_uid }
    }

    /// Opens a name in this folder. Neither a symlink nor a pipe that nobody reads is waited for or followed.
    pub(super) fn open(&self, name: &OsStr, flags: OFlags, mode: Mode) -> Result<File, Errno> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        openat(&self.folder, name, flags, mode).map(File::from)
    }

    /// As [`Place::open`], for the place itself.
    pub(super) fn open_itself(&self, flags: OFlags) -> Result<File, Errno> {
        self.open(&self.name, flags, PRIVATE)
    }

    /// A file of mode 0600 in this folder that has no name yet, so that nothing is left of it if this process is
    /// killed.
    #[cfg(target_os = "linux")]
    pub(super) fn unnamed(&self) -> io::Result<File> {
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        Ok(openat(&self.folder, c".", flags, PRIVATE)?.into())
    }

    /// Gives a name to an unnamed file.
    #[cfg(target_os = "linux")]
    pub(super) fn link(&self, file: &File, name: &OsStr) -> Result<(), Errno> {
        use std::os::fd::AsRawFd;
        // The other way, AT_EMPTY_PATH, is for root only.
        let own = format!("/proc/self/fd/{}", file.as_raw_fd());
        rustix::fs::linkat(CWD, own, &self.folder, name, AtFlags::SYMLINK_FOLLOW)
    }

    /// As [`Place::link`], with the name of the place itself, which must be free.
    #[cfg(target_os = "linux")]
    pub(super) fn link_itself(&self, file: &File) -> Result<(), Errno> {
        self.link(file, &self.name)
    }

    /// Puts a file of this folder into the place.
    pub(super) fn rename_here(&self, name: &OsStr) -> Result<(), Errno> {
        rustix::fs::renameat(&self.folder, name, &self.folder, &self.name)
    }

    /// Removes a name; one that is not there is no error.
    pub(super) fn remove(&self, name: &OsStr) -> Result<(), Errno> {
        match unlinkat(&self.folder, name, AtFlags::empty()) {
            Err(Errno::NOENT) => Ok(()),
            outcome => outcome,
        }
    }

    /// As [`Place::remove`], for the place itself.
    pub(super) fn remove_itself(&self) -> Result<(), Errno> {
        self.remove(&self.name)
    }

    /// Waits until the folder's entries are on disk. Where that cannot be asked for, they are soon anyway.
    pub(super) fn sync_folder(&self) {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let _ = openat(&self.folder, c".", flags, Mode::empty()).and_then(rustix::fs::fsync);
    }

    /// Removes the folders that were made for nothing.
    pub(super) fn remove_made_folders(&self) {
        for folder in self.made.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }

    /// The place's name with something around it.
    pub(super) fn beside(&self, prefix: &str, suffix: &str) -> OsString {
        let mut name = OsString::from(prefix);
        name.push(&self.name);
        name.push(suffix);
        name
    }

    pub(super) fn failed(&self, source: impl Into<io::Error>) -> FileError {
        FileError::Write { path: self.path.clone(), source: source.into() }
    }
}

pub(super) fn type_of(found: &Stat) -> FileType {
    FileType::from_raw_mode(found.st_mode)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a folder, and those above it that are missing, of mode 0700.
pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
