//! Writes results to files. The [`Receipt`] names the file.

pub(crate) mod cache;
mod error;
mod file;
pub(crate) mod formats;
mod lock;
mod place;
pub(crate) mod shared_failure;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub(crate) use error::FileError;
pub(crate) use file::{
    LineFile, TemporaryFolder, TentativeFolder, check_content, create_complete, private_folder,
    private_folder_path, write_private,
};
pub(crate) use lock::{KeepFreshLock, LockedFile, is_alive};

/// The result of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// The file that was written, with symlinks resolved.
    pub path: PathBuf,
}
