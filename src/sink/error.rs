//! Why a local file was not written.

use std::io;
use std::path::PathBuf;

use crate::context::NoFolder;
use crate::exit::{Exit, Explain};
use crate::files::ReadError;
use crate::shell;

/// A local file could not be written. Its old content is unchanged, unless the file is a mount
/// point.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error(transparent)]
    NoFolder(#[from] NoFolder),
    /// The existing file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("could not create the folder {}", path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} is a folder", path.display())]
    IsFolder { path: PathBuf },
    /// A device or pipe did not accept the content.
    #[error("could not write to {}", path.display())]
    Device {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("could not write {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The path is a device or a pipe, and the command needs a file.
    #[error("{} is {kind}, and only a file can be replaced", path.display())]
    NotAFile { path: PathBuf, kind: &'static str },
    /// A variable, which a checkout can set, names a file that this program did not write.
    #[error("{} does not contain {wanted}, and its content would be lost", path.display())]
    OtherContent { path: PathBuf, wanted: &'static str },
    /// A variable names a file of another kind, in which an added line could be run or read as a setting.
    #[error("{} does not contain {wanted}", path.display())]
    OtherLines { path: PathBuf, wanted: &'static str },
    /// Another user owns the file or link at the path, and could get the content.
    #[error("{} is {kind} of another user (id {owner})", path.display())]
    Foreign { path: PathBuf, kind: &'static str, owner: u32 },
    /// The owner has write-protected the file.
    #[error("{} is read-only", path.display())]
    ReadOnly { path: PathBuf },
    /// The other names would keep the old content.
    #[error("{} has several hard links, and the change would not reach the others", path.display())]
    HardLinked { path: PathBuf },
    /// Other users can read or change the files in the folder.
    #[error("{} is not a folder that only you can use", path.display())]
    NotPrivate { path: PathBuf },
    /// Another process held the lock of the file for all of `--timeout`.
    #[error("another `gp idp` holds the lock {}", lock.display())]
    Locked { lock: PathBuf },
    /// Another process keeps the file fresh.
    #[error("{} is kept fresh by another process{}", path.display(), process.map(|id| format!(" ({id})")).unwrap_or_default())]
    KeptFresh {
        path: PathBuf,
        /// The id of that process, if it is known.
        process: Option<u32>,
    },
    /// The name of the lock file belongs to something else.
    #[error("{} should be a lock file, but it is {kind}", lock.display())]
    NotALock { lock: PathBuf, kind: &'static str },
    /// A lock file that this user may not open.
    #[error("the lock file {} belongs to another user (id {owner})", lock.display())]
    ForeignLock { lock: PathBuf, owner: u32 },
}

impl Explain for FileError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoFolder(error) => error.exit(),
            Self::NotAFile { .. } => Exit::Usage,
            Self::KeptFresh { .. } => Exit::Failed,
            _ => Exit::LocalFile,
        }
    }

    fn hint(&self) -> Option<String> {
        let remove = |path: &PathBuf| shell::command(&["rm", &path.to_string_lossy()]);
        Some(match self {
            Self::NoFolder(error) => return error.hint(),
            Self::Read(error) => return error.hint(),
            Self::IsFolder { path } => {
                format!("give the path of a file, such as `{}`", path.join("FILE").display())
            }
            Self::Device { source, .. } if source.kind() == io::ErrorKind::TimedOut => {
                "start the program that reads from the pipe, then run this command again\n\
                 otherwise name a regular file"
                    .into()
            }
            Self::NotAFile { .. } | Self::Device { .. } => "name a regular file".into(),
            Self::Foreign { .. } => "name another place, which only you can write to".into(),
            Self::HardLinked { path } => {
                let file = path.to_string_lossy();
                let copy = format!("{file}.new");
                format!(
                    "make it a separate file: `{} && {}`\notherwise edit it by hand",
                    shell::command(&["cp", &file, &copy]),
                    shell::command(&["mv", &copy, &file])
                )
            }
            Self::OtherContent { .. } | Self::OtherLines { .. } => {
                "name another file, or remove this one first".into()
            }
            Self::ReadOnly { path } => {
                format!("to allow changes: `{}`", shell::command(&["chmod", "u+w", &path.to_string_lossy()]))
            }
            Self::NotPrivate { .. } => {
                "look at it and remove it, or name another place with `--output`".into()
            }
            Self::Locked { .. } => {
                "wait for the other `gp idp` to end, or wait longer with `--timeout 2m`".into()
            }
            Self::KeptFresh { process: Some(id), .. } => {
                format!("one process is enough: use that one, or end it with `kill {id}`")
            }
            Self::KeptFresh { process: None, .. } => {
                "one process is enough: use that one, or end it first".into()
            }
            Self::NotALock { lock, .. } => format!("look at it, and remove it: `{}`", remove(lock)),
            Self::ForeignLock { lock, .. } => format!(
                "if that user's `gp idp` has ended, as after a run with sudo, remove the file: `sudo {}`",
                remove(lock)
            ),
            Self::Folder { path, source } | Self::Write { path, source } => match source.kind() {
                io::ErrorKind::PermissionDenied
                | io::ErrorKind::ReadOnlyFilesystem
                // /proc and similar file systems return this if no file can be created.
                | io::ErrorKind::NotFound => {
                    "choose a place that you may write to, such as a file in your home folder".into()
                }
                io::ErrorKind::StorageFull => "free some space".into(),
                io::ErrorKind::NotADirectory => {
                    let path = path.ancestors().find(|part| part.is_file());
                    let path = path.map_or("a part of this path".into(), |path| format!("`{}`", path.display()));
                    format!("{path} is a file and not a folder: name another place")
                }
                _ => "the system refuses to write there for the reason above: name another place".into(),
            },
        })
    }
}
