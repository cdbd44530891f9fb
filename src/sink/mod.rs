//! Where a result is put, and the [`Receipt`] that says where that was.

pub mod aws_profile;
pub mod cache;
pub mod child;
pub mod endpoint;
pub mod exec_credential;
mod file;
pub mod formats;
pub mod google_config;
pub mod kept;
pub mod kubeconfig;
pub mod lock;
pub mod vault_token;

use std::path::PathBuf;

pub(crate) use file::make_private_folder;
pub use file::{FileError, replace, target_of, temporary_folder, write_private};

/// What a sink changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The file that holds the result now, symlinks followed.
    pub path: PathBuf,
}
