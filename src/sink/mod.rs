//! Where a result is put, and the [`Receipt`] that says where that was.

pub(crate) mod cache;
mod file;
pub(crate) mod formats;
pub(crate) mod kept;
pub(crate) mod lock;
pub(crate) mod shared_failure;

use std::path::PathBuf;

pub(crate) use file::make_private_folder;
pub(crate) use file::{FileError, replace, target_of, temporary_folder, write_private};

/// What a sink changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// The file that holds the result now, symlinks followed.
    pub path: PathBuf,
}
