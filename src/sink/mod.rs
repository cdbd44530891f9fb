//! Where a result is put, and the [`Receipt`] that says where that was.

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
    LineFile, TemporaryFolder, TentativeFolder, check_content, create_whole, private_folder,
    private_folder_path, write_private,
};
pub(crate) use lock::{Claim, LockedFile, is_alive};

/// What a sink changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// The file that holds the result now, symlinks followed.
    pub path: PathBuf,
}
