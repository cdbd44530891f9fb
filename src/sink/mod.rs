//! Where a result is put, and the [`Receipt`] that says where that was.

pub mod aws_profile;
pub mod cache;
pub mod child;
pub mod endpoint;
mod file;
pub mod formats;

use std::path::PathBuf;

pub use file::{FileError, write_private};

/// What a sink changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The file that holds the result now, symlinks followed.
    pub path: PathBuf,
}
