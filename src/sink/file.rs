//! Files that a command writes once: its output, and files for a child process.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use rustix::fs::{FileType, Mode, OFlags, Stat, fstat};
use rustix::io::Errno;
use rustix::process::geteuid;
use tempfile::TempDir;

use super::Receipt;
use super::error::FileError;
use super::lock::{LockedFile, is_alive};
use super::place::{PRIVATE, Place, type_of};
use crate::context::{Context, NoFolder};
use crate::files;
use crate::http::Deadline;

/// How long to wait for a reader of a named pipe.
const READER_TIMEOUT: Duration = Duration::from_secs(2);
/// The interval between two checks while waiting.
const POLL: Duration = Duration::from_millis(20);
/// How long to wait for the end of the last line. Its writer may still be writing: a write across
/// the border of a page becomes visible in parts.
const LINE_TIMEOUT: Duration = Duration::from_secs(1);
/// The prefix of the name of a folder for one command.
const RUN_PREFIX: &str = "gp-idp-run-";
/// The age from which such a folder may be removed if it is not locked. A process locks its folder
/// right after it creates it.
const MIN_AGE: Duration = Duration::from_secs(10);

/// Writes `content` to `path` with mode 0600. Missing folders are created with mode 0700. A file
/// is replaced as a whole, under its lock. A symlink is followed and kept. Anything else than a
/// regular file (`/dev/stdout`, a named pipe) is opened and written to.
///
/// # Errors
/// [`FileError`]. The old content is then unchanged, unless the file is a mount point.
pub(crate) async fn write_private(
    path: &Path,
    content: &[u8],
    deadline: Deadline,
) -> Result<Receipt, FileError> {
    let is_file = fs::metadata(path).map_or(true, |found| found.is_file() || found.is_dir());
    if is_file && descriptor(path).is_none() {
        return LockedFile::acquire(path, deadline).await?.write_private(content);
    }
    let failed = |source| FileError::Device { path: path.to_owned(), source };
    let mut open = match descriptor(path) {
        Some(descriptor) => open_again(path, &descriptor).map_err(failed)?,
        None => open_device(path, deadline.within(READER_TIMEOUT)).await?,
    };
    let mut rest = content;
    while !rest.is_empty() {
        match open.write(rest) {
            Ok(written) => rest = &rest[written..],
            // The pipe is full.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && !deadline.left().is_zero() => {
                tokio::time::sleep(POLL).await;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(Receipt { path: path.to_owned() })
}

/// Refuses an existing file with other content than `wanted`. A variable named the file, and the person who sets the
/// variables may not be the owner of the files.
pub(crate) fn check_content(
    path: &Path,
    wanted: &'static str,
    matches: impl Fn(&str) -> bool,
) -> Result<(), FileError> {
    // Only a regular file has content that could be lost.
    if !path.is_file() {
        return Ok(());
    }
    let text = files::read_text(path, files::MAX_FILE)?;
    if text.trim().is_empty() || matches(text.trim()) {
        return Ok(());
    }
    Err(FileError::OtherContent { path: path.to_owned(), wanted })
}

/// A file that a process has open.
enum Descriptor {
    Stdout,
    Stderr,
    Other,
}

/// The descriptor that a path names: `/dev/stdout`, `/dev/fd/3`, `/proc/self/fd/3`, or a link to one of them. The
/// descriptor may be a regular file. If that file were replaced, it would lose what other processes write to it.
fn descriptor(path: &Path) -> Option<Descriptor> {
    let mut path = path.to_owned();
    for _ in 0..40 {
        let folder = path.parent()?.to_str()?;
        let of_process = folder.starts_with("/proc/") && folder.ends_with("/fd");
        if folder == "/dev/fd" || of_process {
            let ours = ["/dev/fd", "/proc/self/fd"].contains(&folder);
            return Some(match path.file_name()?.to_str()? {
                "1" if ours => Descriptor::Stdout,
                "2" if ours => Descriptor::Stderr,
                _ => Descriptor::Other,
            });
        }
        path = path.parent()?.join(fs::read_link(&path).ok()?);
    }
    None
}

/// Opens a file that a process already has open.
fn open_again(path: &Path, descriptor: &Descriptor) -> io::Result<File> {
    // A new open file description would write at the start of the file.
    let own = |stream: BorrowedFd<'_>| stream.try_clone_to_owned().map(File::from);
    match descriptor {
        Descriptor::Stdout => own(io::stdout().as_fd()),
        Descriptor::Stderr => own(io::stderr().as_fd()),
        Descriptor::Other if fs::metadata(path)?.is_file() => {
            Err(io::Error::other("it refers to an open file; name the file itself"))
        }
        Descriptor::Other => fs::OpenOptions::new().write(true).open(path),
    }
}

/// Opens a device or a named pipe. Waits for a reader of the pipe until `deadline`.
async fn open_device(path: &Path, deadline: Deadline) -> Result<File, FileError> {
    let place = Place::find(path)?;
    let failed = |source| FileError::Device { path: path.to_owned(), source };
    loop {
        match place.open_itself(OFlags::WRONLY) {
            Ok(open) => {
                let found = fstat(&open).map_err(|error| failed(error.into()))?;
                place.check_owner(&found)?;
                return Ok(open);
            }
            Err(Errno::NXIO) if deadline.left().is_zero() => {
                return Err(failed(io::Error::new(io::ErrorKind::TimedOut, "nobody reads from it")));
            }
            Err(Errno::NXIO) => tokio::time::sleep(POLL).await,
            Err(error) => return Err(failed(error.into())),
        }
    }
}

/// A file to which lines are appended.
pub(crate) struct LineFile {
    file: File,
    /// Whether the last line has no line break: the disk was full, or its writer was killed or is
    /// still writing.
    is_incomplete: bool,
}

impl LineFile {
    /// Opens the file for appending. A missing file is created with mode 0600. A symlink is
    /// followed and kept.
    ///
    /// # Errors
    /// [`FileError`], in particular [`FileError::OtherLines`] for a file that does not begin with
    /// `begin`, as each line of `wanted` does: a variable may have named it.
    pub(crate) fn open(path: &Path, begin: &[u8], wanted: &'static str) -> Result<Self, FileError> {
        if let Some(descriptor) = descriptor(path) {
            let failed = |source| FileError::Device { path: path.to_owned(), source };
            return Ok(Self { file: open_again(path, &descriptor).map_err(failed)?, is_incomplete: false });
        }
        let place = Place::find(path)?;
        let open = |access| place.open_itself(access | OFlags::APPEND | OFlags::CREATE);
        let is_file = |found: &Stat| type_of(found) == FileType::RegularFile;
        // If a pipe is also opened for reading, the system does not report that the pipe has no other reader.
        let may_read = place.metadata()?.is_none_or(|found| is_file(&found));
        let (file, may_read) = match open(if may_read { OFlags::RDWR } else { OFlags::WRONLY }) {
            // This user may append to the file, but not read it.
            Err(Errno::ACCESS) if may_read => (open(OFlags::WRONLY), false),
            opened => (opened, may_read),
        };
        let file = file.map_err(|error| place.failed(error))?;
        let found = fstat(&file).map_err(|error| place.failed(error))?;
        place.check_owner(&found)?;
        let length = u64::try_from(found.st_size).unwrap_or_default();
        if !may_read || !is_file(&found) || length == 0 {
            return Ok(Self { file, is_incomplete: false });
        }
        let (mut first, mut last) = (vec![0; begin.len()], [0]);
        let read = file.read_exact_at(&mut first, 0).and_then(|()| file.read_exact_at(&mut last, length - 1));
        match read {
            Ok(()) if first == begin => Ok(Self { file, is_incomplete: last != *b"\n" }),
            Err(source) if source.kind() != io::ErrorKind::UnexpectedEof => {
                Err(files::ReadError { path: place.path, source }.into())
            }
            // The file is shorter than `begin`, or begins with other text.
            Ok(()) | Err(_) => Err(FileError::OtherLines { path: place.path, wanted }),
        }
    }

    /// Waits for the end of the last line. Returns whether its writer has ended it.
    fn wait_for_line_end(&self) -> io::Result<bool> {
        let begun = Instant::now();
        while begun.elapsed() < LINE_TIMEOUT {
            std::thread::sleep(POLL);
            let mut last = [0];
            // Another process may have emptied the file.
            let Some(end) = self.file.metadata()?.len().checked_sub(1) else { return Ok(true) };
            self.file.read_exact_at(&mut last, end)?;
            if last == *b"\n" {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds `line`, which includes its line break, in one write. If the last line is cut off, ends
    /// it first.
    pub(crate) fn add(mut self, line: &str) -> io::Result<()> {
        let before = if self.is_incomplete && !self.wait_for_line_end()? { "\n" } else { "" };
        let text = format!("{before}{line}");
        if self.file.write(text.as_bytes())? < text.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

/// Creates a file of mode 0600 that has its content from the start, except on file systems without
/// hard links.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if the name exists, which is then left unchanged. Other errors
/// if the folder cannot be written to.
pub(crate) fn create_complete(path: &Path, content: &[u8]) -> io::Result<()> {
    let place = Place::of_name(path).map_err(io::Error::other)?;
    #[cfg(target_os = "linux")]
    if let Ok(mut file) = place.unnamed() {
        file.write_all(content)?;
        // For every other error, try the next method.
        if let outcome @ (Ok(()) | Err(Errno::EXIST)) = place.link_itself(&file) {
            return Ok(outcome?);
        }
    }
    let name = place.sibling_name(".", ".gp-new");
    let _ = place.remove(&name);
    let made = place
        .open(&name, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL, PRIVATE)
        .map_err(io::Error::from)
        .and_then(|mut file| file.write_all(content))
        .and_then(|()| Ok(place.link_here(&name)?));
    let _ = place.remove(&name);
    match made {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {}
        outcome => return outcome,
    }
    // On file systems without hard links, the file gets its content after its name.
    let mut file = place.open_itself(OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL)?;
    let written = file.write_all(content);
    if written.is_err() {
        let _ = place.remove_itself();
    }
    written
}

/// The path of [`private_folder`], which may not exist yet.
pub(crate) fn private_folder_path(ctx: &Context) -> Result<PathBuf, NoFolder> {
    Ok(ctx.runtime_folder()?.join("gp-idp"))
}

/// The folder for this user's own files: `gp-idp` in `XDG_RUNTIME_DIR` or the cache folder. It is
/// created if it is missing.
///
/// # Errors
/// [`FileError`], in particular [`FileError::NotPrivate`] if other users can read or replace the
/// folder.
pub(crate) fn private_folder(ctx: &Context) -> Result<PathBuf, FileError> {
    private_place(ctx).map(|place| place.path)
}

/// [`private_folder`] for a file that may never be written. Dropping this value removes the folders that were made for
/// the file and are still empty.
pub(crate) struct TentativeFolder(Place);

impl TentativeFolder {
    pub(crate) fn make(ctx: &Context) -> Result<Self, FileError> {
        private_place(ctx).map(Self)
    }
}

impl Drop for TentativeFolder {
    fn drop(&mut self) {
        self.0.remove_made_folders();
    }
}

fn private_place(ctx: &Context) -> Result<Place, FileError> {
    let base = ctx.runtime_folder()?;
    let mut place = Place::of_name(&private_folder_path(ctx)?)?;
    place.make_folder()?;
    let mode = |found: &Stat| Mode::from_raw_mode(found.st_mode);
    let own = geteuid().as_raw();
    let above = place.folder_stat()?;
    // A user who can write to the base folder can replace the folder in it.
    let replaceable = mode(&above).contains(Mode::WOTH) && !mode(&above).contains(Mode::SVTX);
    if replaceable || ![own, 0].contains(&above.st_uid) {
        return Err(FileError::NotPrivate { path: base });
    }
    let is_private = |found: &Stat| {
        type_of(found) == FileType::Directory
            && found.st_uid == own
            && !mode(found).intersects(Mode::RWXG | Mode::RWXO)
    };
    if !place.metadata()?.is_some_and(|found| is_private(&found)) {
        return Err(FileError::NotPrivate { path: place.path });
    }
    Ok(place)
}

/// The error of the system, without the random name that `tempfile` adds. Only its kind is
/// available.
fn without_made_up_name(error: &io::Error) -> io::Error {
    io::Error::from(error.kind())
}

/// A folder of mode 0700 for the files of one command. It is removed when the value is dropped. A
/// folder that a killed process left behind is removed when another process creates its own.
pub(crate) struct TemporaryFolder {
    folder: TempDir,
    /// Holds the lock of the folder while its owner runs.
    _handle: File,
}

impl TemporaryFolder {
    pub(crate) fn make(ctx: &Context) -> Result<Self, FileError> {
        let place = match private_folder(ctx) {
            Ok(own) => {
                remove_left_behind(&own);
                own
            }
            // There is no home folder, or the private folder cannot be used.
            Err(_) => ctx.temp_dir(),
        };
        let made = tempfile::Builder::new()
            .prefix(&format!("{RUN_PREFIX}{}-", std::process::id()))
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(&place)
            .and_then(|folder| {
                let handle = File::open(folder.path())?;
                // Without locks, other processes use the process id in the name.
                let _ = handle.try_lock();
                Ok(Self { folder, _handle: handle })
            });
        made.map_err(|error| FileError::Folder { path: place, source: without_made_up_name(&error) })
    }

    /// Creates a file of mode 0600 in the folder, and returns its path. The file must not exist.
    pub(crate) fn add(&self, name: &str, content: &[u8]) -> Result<PathBuf, FileError> {
        let path = self.folder.path().join(name);
        let mut options = fs::OpenOptions::new();
        let written = options.write(true).create_new(true).mode(0o600).open(&path);
        match written.and_then(|mut file| file.write_all(content)) {
            Ok(()) => Ok(path),
            // The folder's own name is random, so the error names its parent.
            Err(source) => {
                let place = self.folder.path().parent().unwrap_or(self.folder.path());
                Err(FileError::Write { path: place.to_owned(), source })
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Whether no process holds the lock of the folder. On a file system without locks, whether the
/// process in its name has ended.
fn is_left_behind(folder: &Path) -> bool {
    match File::open(folder).map(|folder| folder.try_lock()) {
        Ok(Ok(())) => true,
        Ok(Err(TryLockError::Error(_))) => {
            let name = folder.file_name().and_then(OsStr::to_str).unwrap_or_default();
            let process = name.strip_prefix(RUN_PREFIX).and_then(|rest| rest.split('-').next()?.parse().ok());
            process.is_some_and(|id| !is_alive(id))
        }
        _ => false,
    }
}

/// Removes folders whose owner has ended without removing them.
fn remove_left_behind(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let is_run = entry.file_name().to_str().is_some_and(|name| name.starts_with(RUN_PREFIX));
        let made = entry.metadata().and_then(|found| found.modified()).ok();
        let age = made.and_then(|made| SystemTime::now().duration_since(made).ok());
        if is_run && age.is_some_and(|age| age > MIN_AGE) && is_left_behind(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
