//! Reads local files. No other module does.
//!
//! A file from somebody else must not block a command: only regular files are read, up to a size
//! limit for their kind.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use rustix::fs::{FileType, OFlags, RawMode};
use zeroize::Zeroizing;

use crate::exit::{Exit, Explain};
use crate::shell;

/// The size limit of a file that people write, in bytes.
pub(crate) const MAX_FILE: u64 = 1 << 20;

/// How long after its last change an incomplete file may still be written. Many programs truncate a
/// file before they write it.
const WRITTEN_WITHIN: Duration = Duration::from_millis(250);
/// The same time for an empty file. If a truncated file were read as empty, its old content would
/// be lost. On a busy machine, the other program may pause between truncating and writing.
const EMPTIED_WITHIN: Duration = Duration::from_secs(1);
/// The interval in which such a file is read again.
const SETTLING: Duration = Duration::from_millis(5);

/// A file that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("could not read {}", path.display())]
pub struct ReadError {
    pub path: PathBuf,
    #[source]
    pub source: io::Error,
}

impl ReadError {
    /// Whether the file does not exist.
    pub fn is_missing(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}

impl Explain for ReadError {
    fn exit(&self) -> Exit {
        Exit::LocalFile
    }

    fn hint(&self) -> Option<String> {
        let path = self.path.to_string_lossy();
        if self.source.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Utf16>) {
            let (old, new) = (shell::posix_quote(&path), shell::posix_quote(&format!("{path}.utf-8")));
            return Some(format!(
                "convert it: `iconv -f UTF-16 -t UTF-8 {old} > {new}`, then replace the file with the new one"
            ));
        }
        if self.source.kind() == io::ErrorKind::PermissionDenied {
            let owner = fs::metadata(&self.path).ok()?.uid();
            return Some(if owner == rustix::process::geteuid().as_raw() {
                format!("make it readable: `{}`", shell::command(&["chmod", "u+r", &path]))
            } else {
                format!("it belongs to the user with id {owner}, who can give you read access")
            });
        }
        if self.is_missing() {
            let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.map_or_else(|| ".".into(), |folder| folder.to_string_lossy());
            return Some(format!(
                "correct the name of the file: `{}` lists the folder",
                shell::command(&["ls", &folder])
            ));
        }
        None
    }
}

/// The text is UTF-16, as some Windows editors and shells save it.
#[derive(Debug, thiserror::Error)]
#[error("it is UTF-16 text, not UTF-8")]
struct Utf16;

/// Refuses text with a UTF-16 byte order mark. `path` is for the error.
pub(crate) fn refuse_utf16(path: &Path, bytes: &[u8]) -> Result<(), ReadError> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let source = io::Error::new(io::ErrorKind::InvalidData, Utf16);
        return Err(ReadError { path: path.to_owned(), source });
    }
    Ok(())
}

/// Reads a regular file or the caller's pipe, at most `limit` bytes. `/dev/null` is empty.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    read_bytes(path, limit).map_err(|source| ReadError { path: path.to_owned(), source })
}

/// As [`read`], for UTF-8 text.
pub(crate) fn read_text(path: &Path, limit: u64) -> Result<Zeroizing<String>, ReadError> {
    let failed = |source| ReadError { path: path.to_owned(), source };
    let mut bytes = read_bytes(path, limit).map_err(failed)?;
    refuse_utf16(path, &bytes)?;
    let text = String::from_utf8(std::mem::take(&mut *bytes)).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        drop(Zeroizing::new(error.into_bytes()));
        failed(io::Error::new(io::ErrorKind::InvalidData, format!("it is not UTF-8 text from byte {at} on")))
    })?;
    Ok(Zeroizing::new(text))
}

/// Calls `read`, which returns the content of a file and whether it looks complete. If another
/// program is writing the file in place, waits for that program, because part of a file must not be
/// read as the whole.
pub(crate) fn read_when_complete<T>(path: &Path, mut read: impl FnMut() -> (T, bool)) -> T {
    loop {
        let (content, is_whole) = read();
        if is_whole || !was_just_changed(path) {
            return content;
        }
        thread::sleep(SETTLING);
    }
}

fn was_just_changed(path: &Path) -> bool {
    let Ok(found) = fs::metadata(path) else { return false };
    let within = if found.len() == 0 { EMPTIED_WITHIN } else { WRITTEN_WITHIN };
    let age = found.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok());
    age.is_some_and(|age| age < within)
}

fn read_bytes(path: &Path, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    // Non-blocking, so that opening a named pipe does not wait for a writer.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let file = fs::OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        if fs::canonicalize(path).is_ok_and(|target| target == Path::new("/dev/null")) {
            return Ok(Zeroizing::default());
        }
        if !is_descriptor(path) || found.is_dir() {
            let kind = kind_of(FileType::from_raw_mode(found.mode() as RawMode));
            return Err(io::Error::other(format!("it is {kind}, not a file")));
        }
        // The caller's own pipe, such as `<(command)` in a shell: wait for its data.
        return read_to_limit(&File::open(path)?, 0, limit);
    }
    read_to_limit(&file, found.len(), limit)
}

/// Whether the path names an open file descriptor of this process.
fn is_descriptor(path: &Path) -> bool {
    path == Path::new("/dev/stdin")
        || path
            .parent()
            .is_some_and(|folder| folder == Path::new("/dev/fd") || folder == Path::new("/proc/self/fd"))
}

fn read_to_limit(file: &File, length: u64, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let too_large =
        || io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {limit} bytes"));
    if length > limit {
        return Err(too_large());
    }
    // One allocation, because a growing buffer leaves copies of a secret in memory.
    let capacity = usize::try_from(length).unwrap_or_default() + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    // The file may grow meanwhile, and files in /proc have length 0.
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_large());
    }
    Ok(bytes)
}

/// The kind of a file, for messages.
pub(crate) fn kind_of(found: FileType) -> &'static str {
    match found {
        FileType::RegularFile => "a file",
        FileType::Directory => "a folder",
        FileType::Symlink => "a symbolic link",
        FileType::Fifo => "a named pipe",
        FileType::Socket => "a socket",
        _ => "a device",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(path: &Path, limit: u64) -> String {
        read_text(path, limit).unwrap_err().source.to_string()
    }

    #[test]
    fn only_regular_files_within_the_limit_are_read() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        fs::write(&path, "text").unwrap();
        assert_eq!(*read_text(&path, 4).unwrap(), "text");
        assert_eq!(reason(&path, 3), "it is larger than 3 bytes");
        assert!(read_text(&home.path().join("none"), 9).unwrap_err().is_missing());
        fs::write(&path, b"te\xff").unwrap();
        assert_eq!(reason(&path, 9), "it is not UTF-8 text from byte 2 on");

        let pipe = home.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)
            .unwrap();
        assert_eq!(reason(&pipe, 9), "it is a named pipe, not a file");
        assert_eq!(reason(home.path(), 9), "it is a folder, not a file");
        assert_eq!(reason(Path::new("/dev/zero"), 9), "it is a device, not a file");
        assert_eq!(*read_text(Path::new("/dev/null"), 9).unwrap(), "");
        let link = home.path().join("null");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        assert_eq!(*read_text(&link, 9).unwrap(), "");
        // Like `<(command)` in a shell.
        let (reader, mut writer) = io::pipe().unwrap();
        io::Write::write_all(&mut writer, b"piped").unwrap();
        drop(writer);
        let descriptor = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader));
        assert_eq!(*read_text(Path::new(&descriptor), 9).unwrap(), "piped");
        // A file in /proc has length 0.
        assert!(!read(Path::new("/proc/self/status"), MAX_FILE).unwrap().is_empty());
    }
}
