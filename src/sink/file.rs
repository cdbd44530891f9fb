//! A file that only its owner reads, replaced as a whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::Receipt;
use crate::context::Context;
use crate::exit::{Exit, Explain};

/// How long a named pipe is waited for that nobody reads yet.
const READER: Duration = Duration::from_secs(2);

/// A local file could not be written. Every variant names the path and what was tried.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The folder could not be made.
    #[error("could not make the folder {}", path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The path is a folder.
    #[error("{} is a folder", path.display())]
    IsFolder { path: PathBuf },
    /// A device or pipe did not take the content.
    #[error("could not write to {}", path.display())]
    Device {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The content could not be written, and what was there before is still there.
    #[error("could not write {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl Explain for FileError {
    fn exit(&self) -> Exit {
        Exit::LocalFile
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::IsFolder { .. } => Some("name a file".into()),
            Self::Folder { source, .. } | Self::Write { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied
                | io::ErrorKind::ReadOnlyFilesystem
                // What /proc and the like say, where no file can be made.
                | io::ErrorKind::NotFound => {
                    Some("choose a place that you may write to, such as a file in your home folder".into())
                }
                io::ErrorKind::StorageFull => {
                    Some("free some space; what was in the file is still there".into())
                }
                _ => None,
            },
            Self::Device { .. } => None,
        }
    }
}

/// Writes `content` to `path`: mode 0600 in folders of mode 0700 (those that are missing), through a temporary
/// file beside the target that is synced and renamed, so that a reader sees the old file or the new one. A
/// symlink is followed and kept. What is no regular file (`/dev/stdout`, a named pipe) is written to as it is.
///
/// # Errors
/// [`FileError`]; the old content is then untouched.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<Receipt, FileError> {
    write(path, content, None)
}

/// As [`write_private`], but a file that is there keeps its mode.
///
/// # Errors
/// As [`write_private`].
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<Receipt, FileError> {
    write(path, content, fs::metadata(path).ok().map(|found| found.permissions()))
}

fn write(path: &Path, content: &[u8], mode: Option<fs::Permissions>) -> Result<Receipt, FileError> {
    let failed = |source| FileError::Write { path: path.to_owned(), source };
    // As in a shell, `x/` can only be a folder.
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(FileError::IsFolder { path: path.to_owned() });
    }
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(FileError::IsFolder { path: path.to_owned() }),
        Ok(found) if !found.is_file() || descriptor(path).is_some() => {
            let failed = |source| FileError::Device { path: path.to_owned(), source };
            open(path).and_then(|mut open| open.write_all(content)).map_err(failed)?;
            return Ok(Receipt { path: path.to_owned() });
        }
        _ => {}
    }

    let target = target_of(path).map_err(failed)?;
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    make_private_folder(folder).map_err(|source| FileError::Folder { path: folder.to_owned(), source })?;
    let mut temporary = tempfile::Builder::new().prefix(".gp-").tempfile_in(folder).map_err(failed)?;
    temporary.write_all(content).map_err(failed)?;
    if let Some(mode) = mode {
        temporary.as_file().set_permissions(mode).map_err(failed)?;
    }
    temporary.as_file().sync_all().map_err(failed)?;
    temporary.persist(&target).map_err(|error| failed(error.error))?;
    // The rename itself is on disk once the folder is; where that cannot be asked for, it is soon anyway.
    let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    Ok(Receipt { path: target })
}

/// A file that a process has open.
enum Descriptor {
    Stdout,
    Stderr,
    Other,
}

/// Which one `/dev/stdout`, `/dev/fd/3`, `/proc/self/fd/3` and links to them stand for. What they lead to may be a
/// regular file, which would lose what others write to it if it were replaced.
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

/// Opens what is no regular file, or is one that is open already.
fn open(path: &Path) -> io::Result<fs::File> {
    // Another description of the same file would begin at its start.
    let own = |stream: BorrowedFd<'_>| stream.try_clone_to_owned().map(fs::File::from);
    match descriptor(path) {
        Some(Descriptor::Stdout) => return own(io::stdout().as_fd()),
        Some(Descriptor::Stderr) => return own(io::stderr().as_fd()),
        Some(Descriptor::Other) if fs::metadata(path)?.is_file() => {
            return Err(io::Error::other("it stands for a file that is open; name the file itself"));
        }
        _ => {}
    }
    // A named pipe that nobody reads would be waited for without end.
    let deadline = Instant::now() + READER;
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    loop {
        match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(open) => return Ok(open.into()),
            Err(Errno::NXIO) if Instant::now() < deadline => thread::sleep(Duration::from_millis(20)),
            Err(Errno::NXIO) => return Err(io::Error::other("nobody reads from it")),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Follows symlinks to the file that is to be replaced, which need not exist.
///
/// # Errors
/// A loop of links.
pub(crate) fn target_of(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..40 {
        match fs::read_link(&target) {
            Ok(next) => target = target.parent().unwrap_or(Path::new("")).join(next),
            Err(_) => return Ok(target),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// A folder of mode 0700 for files that live as long as one command; it goes away with the value.
pub(crate) fn temporary_folder(ctx: &Context) -> Result<tempfile::TempDir, FileError> {
    let place = ctx.temp_dir();
    tempfile::Builder::new()
        .prefix("gp-idp-")
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir_in(&place)
        .map_err(|source| FileError::Folder { path: place, source })
}

/// Makes a folder, and those above it that are missing, of mode 0700.
pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn new_files_and_folders_are_private() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/b/token");
        write_private(&path, b"one").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(
            (mode(&path), mode(&home.path().join("a/b")), mode(&home.path().join("a"))),
            (0o600, 0o700, 0o700)
        );
        write_private(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn a_wider_mode_is_narrowed_because_the_content_is_new() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("token");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        write_private(&path, b"new").unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn a_replaced_file_keeps_its_mode_and_a_new_one_is_private() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config");
        replace(&path, b"old").unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!((fs::read(&path).unwrap().as_slice(), mode(&path)), (&b"new"[..], 0o640));
    }

    #[test]
    fn a_symlink_is_followed_and_kept() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("real")).unwrap();
        let (link, target) = (home.path().join("link"), home.path().join("real/token"));
        symlink("real/token", &link).unwrap();
        // Once dangling, once with something there.
        for content in ["one", "two"] {
            let receipt = write_private(&link, content.as_bytes()).unwrap();
            assert_eq!(receipt.path, target);
            assert_eq!(fs::read_to_string(&target).unwrap(), content);
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        }
    }

    #[test]
    fn a_folder_and_a_loop_are_refused() {
        let home = tempfile::tempdir().unwrap();
        assert!(matches!(write_private(home.path(), b""), Err(FileError::IsFolder { .. })));
        let link = home.path().join("loop");
        symlink(&link, &link).unwrap();
        assert!(matches!(write_private(&link, b""), Err(FileError::Write { .. })));
    }

    #[test]
    fn a_device_is_written_to_and_stays_a_device() {
        write_private(Path::new("/dev/null"), b"x").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn hints_say_what_is_so() {
        let hint = |path: &str| write_private(Path::new(path), b"x").unwrap_err().hint();
        // Nothing was in there, and no space can be freed.
        assert_eq!(hint("/dev/full"), None);
        let elsewhere = "choose a place that you may write to, such as a file in your home folder";
        assert_eq!(hint("/proc/no-such-file").as_deref(), Some(elsewhere));
        let home = tempfile::tempdir().unwrap();
        assert_eq!(hint(&format!("{}/new/", home.path().display())).as_deref(), Some("name a file"));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    }
}
