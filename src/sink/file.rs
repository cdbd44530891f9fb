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

/// How long a named pipe is waited for that nobody reads yet.
const READER: Duration = Duration::from_secs(2);
/// How often it is looked for.
const POLL: Duration = Duration::from_millis(20);
/// How long the end of a last line is waited for: its writer may be in the middle of it, because a write over the border
/// of a page is seen in parts.
const WHOLE: Duration = Duration::from_secs(1);
/// What a folder for one command begins with.
const RUN: &str = "gp-idp-run-";
/// How old such a folder is at least when it counts as left behind: its maker locks it right after it made it.
const SETTLED: Duration = Duration::from_secs(10);

/// Writes `content` to `path`: mode 0600 in folders of mode 0700 (those that are missing). A file is replaced as a whole,
/// under its lock. A symlink is followed and kept. What is no regular file (`/dev/stdout`, a named pipe) is written to
/// as it is.
///
/// # Errors
/// [`FileError`]; the old content is then untouched.
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
        None => open_device(path, deadline.within(READER)).await?,
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
    is_it: impl Fn(&str) -> bool,
) -> Result<(), FileError> {
    // What is no file has nothing to lose.
    if !path.is_file() {
        return Ok(());
    }
    let text = files::read_text(path, files::MAX_FILE)?;
    if text.trim().is_empty() || is_it(text.trim()) {
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

/// Opens what a process has open already.
fn open_again(path: &Path, descriptor: &Descriptor) -> io::Result<File> {
    // Another description of the same file would begin at its start.
    let own = |stream: BorrowedFd<'_>| stream.try_clone_to_owned().map(File::from);
    match descriptor {
        Descriptor::Stdout => own(io::stdout().as_fd()),
        Descriptor::Stderr => own(io::stderr().as_fd()),
        Descriptor::Other if fs::metadata(path)?.is_file() => {
            Err(io::Error::other("it stands for a file that is open; name the file itself"))
        }
        Descriptor::Other => fs::OpenOptions::new().write(true).open(path),
    }
}

/// Opens a device or a named pipe, which somebody has to read until `deadline`.
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
                return Err(failed(io::Error::other("nobody reads from it")));
            }
            Err(Errno::NXIO) => tokio::time::sleep(POLL).await,
            Err(error) => return Err(failed(error.into())),
        }
    }
}

/// A file that lines are added to.
pub(crate) struct LineFile {
    file: File,
    /// Whether the end of its last line is missing: the disk was full, its writer was killed or is at work.
    is_cut: bool,
}

impl LineFile {
    /// Opens it for lines at its end, made with mode 0600 when it is missing. A symlink is followed and kept.
    ///
    /// # Errors
    /// [`FileError`], above all for a file that does not begin with `begin`, as each line of `wanted` does: a variable
    /// may have named it.
    pub(crate) fn open(path: &Path, begin: &[u8], wanted: &'static str) -> Result<Self, FileError> {
        if let Some(descriptor) = descriptor(path) {
            let failed = |source| FileError::Device { path: path.to_owned(), source };
            return Ok(Self { file: open_again(path, &descriptor).map_err(failed)?, is_cut: false });
        }
        let place = Place::find(path)?;
        let open = |access| place.open_itself(access | OFlags::APPEND | OFlags::CREATE);
        let is_file = |found: &Stat| type_of(found) == FileType::RegularFile;
        // If a pipe is also opened for reading, the system does not report that the pipe has no other reader.
        let may_read = place.found()?.is_none_or(|found| is_file(&found));
        let (file, may_read) = match open(if may_read { OFlags::RDWR } else { OFlags::WRONLY }) {
            // Its owner lets this user add lines, and not read those of others.
            Err(Errno::ACCESS) if may_read => (open(OFlags::WRONLY), false),
            opened => (opened, may_read),
        };
        let file = file.map_err(|error| place.failed(error))?;
        let found = fstat(&file).map_err(|error| place.failed(error))?;
        place.check_owner(&found)?;
        let length = u64::try_from(found.st_size).unwrap_or_default();
        if !may_read || !is_file(&found) || length == 0 {
            return Ok(Self { file, is_cut: false });
        }
        let (mut first, mut last) = (vec![0; begin.len()], [0]);
        let read = file.read_exact_at(&mut first, 0).and_then(|()| file.read_exact_at(&mut last, length - 1));
        match read {
            Ok(()) if first == begin => Ok(Self { file, is_cut: last != *b"\n" }),
            Err(source) if source.kind() != io::ErrorKind::UnexpectedEof => {
                Err(files::ReadError { path: place.path, source }.into())
            }
            // Shorter than the beginning of a line, or something else.
            Ok(()) | Err(_) => Err(FileError::OtherLines { path: place.path, wanted }),
        }
    }

    /// Whether whoever writes the last line ends it.
    fn is_ended_soon(&self) -> io::Result<bool> {
        let begun = Instant::now();
        while begun.elapsed() < WHOLE {
            std::thread::sleep(POLL);
            let mut last = [0];
            // Somebody may have emptied it.
            let Some(end) = self.file.metadata()?.len().checked_sub(1) else { return Ok(true) };
            self.file.read_exact_at(&mut last, end)?;
            if last == *b"\n" {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds a line, its end included, in one write. A last line that was cut off is ended first.
    pub(crate) fn add(mut self, line: &str) -> io::Result<()> {
        let before = if self.is_cut && !self.is_ended_soon()? { "\n" } else { "" };
        let text = format!("{before}{line}");
        if self.file.write(text.as_bytes())? < text.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

/// Makes a file that has its content from the first moment, of mode 0600.
///
/// # Errors
/// There is something of that name, which is then left as it is; the folder is missing, or cannot be written to.
pub(crate) fn create_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let place = Place::of_name(path).map_err(io::Error::other)?;
    #[cfg(target_os = "linux")]
    if let Ok(mut file) = place.unnamed() {
        file.write_all(content)?;
        // For every other error there is another way.
        if let outcome @ (Ok(()) | Err(Errno::EXIST)) = place.link_itself(&file) {
            return Ok(outcome?);
        }
    }
    let name = place.beside(".", ".gp-new");
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
    // File systems without hard links: the content comes a moment after the name.
    let mut file = place.open_itself(OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL)?;
    let written = file.write_all(content);
    if written.is_err() {
        let _ = place.remove_itself();
    }
    written
}

/// Where [`private_folder`] is, be it there or not.
pub(crate) fn private_folder_path(ctx: &Context) -> Result<PathBuf, NoFolder> {
    Ok(ctx.runtime_folder()?.join("gp-idp"))
}

/// The folder for this user's own files: `gp-idp` in `XDG_RUNTIME_DIR` or the cache folder, made when it is missing.
///
/// # Errors
/// [`FileError`], above all where others could read what is in it, or exchange it.
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
    // Whoever can write to the base can exchange the folder in it.
    let exchangeable = mode(&above).contains(Mode::WOTH) && !mode(&above).contains(Mode::SVTX);
    if exchangeable || ![own, 0].contains(&above.st_uid) {
        return Err(FileError::NotPrivate { path: base });
    }
    let is_private = |found: &Stat| {
        type_of(found) == FileType::Directory
            && found.st_uid == own
            && !mode(found).intersects(Mode::RWXG | Mode::RWXO)
    };
    if !place.found()?.is_some_and(|found| is_private(&found)) {
        return Err(FileError::NotPrivate { path: place.path });
    }
    Ok(place)
}

/// What the system said, without the name that `tempfile` made up: its error gives no more than the kind.
fn without_made_up_name(error: &io::Error) -> io::Error {
    io::Error::from(error.kind())
}

/// A folder of mode 0700 for files that live as long as one command. It goes away with the value; what a killed process
/// left behind goes away when the next one makes its own.
pub(crate) struct TemporaryFolder {
    folder: TempDir,
    /// Locked as long as its owner lives.
    _handle: File,
}

impl TemporaryFolder {
    pub(crate) fn make(ctx: &Context) -> Result<Self, FileError> {
        let place = match private_folder(ctx) {
            Ok(own) => {
                remove_left_behind(&own);
                own
            }
            // No home folder, or one that cannot be written.
            Err(_) => ctx.temp_dir(),
        };
        let made = tempfile::Builder::new()
            .prefix(&format!("{RUN}{}-", std::process::id()))
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(&place)
            .and_then(|folder| {
                let handle = File::open(folder.path())?;
                // Without locks, nobody takes it for left behind either.
                let _ = handle.try_lock();
                Ok(Self { folder, _handle: handle })
            });
        made.map_err(|error| FileError::Folder { path: place, source: without_made_up_name(&error) })
    }

    /// Writes a file in it that was not there, of mode 0600, and returns its path.
    pub(crate) fn add(&self, name: &str, content: &[u8]) -> Result<PathBuf, FileError> {
        let path = self.folder.path().join(name);
        let mut options = fs::OpenOptions::new();
        let written = options.write(true).create_new(true).mode(0o600).open(&path);
        match written.and_then(|mut file| file.write_all(content)) {
            Ok(()) => Ok(path),
            // The folder's own name is made up.
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

/// Whether nobody holds a folder's lock. Where there are no locks, the process in its name tells.
fn is_left_behind(folder: &Path) -> bool {
    match File::open(folder).map(|folder| folder.try_lock()) {
        Ok(Ok(())) => true,
        Ok(Err(TryLockError::Error(_))) => {
            let name = folder.file_name().and_then(OsStr::to_str).unwrap_or_default();
            let process = name.strip_prefix(RUN).and_then(|rest| rest.split('-').next()?.parse().ok());
            process.is_some_and(|id| !is_alive(id))
        }
        _ => false,
    }
}

/// Removes folders whose owner has ended without doing so.
fn remove_left_behind(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let is_run = entry.file_name().to_str().is_some_and(|name| name.starts_with(RUN));
        let made = entry.metadata().and_then(|found| found.modified()).ok();
        let age = made.and_then(|made| SystemTime::now().duration_since(made).ok());
        if is_run && age.is_some_and(|age| age > SETTLED) && is_left_behind(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
