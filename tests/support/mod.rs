//! What the tests share: the [`Gp`] builder, a local workspace for each test, and a server full of faults.

pub(crate) mod fault;
mod gp;
mod workspace;

pub(crate) use gp::Gp;
pub(crate) use workspace::Running;

/// Makes a folder that only its owner can use, as XDG_RUNTIME_DIR has to be.
pub(crate) fn private_folder(path: &std::path::Path) {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(0o700).create(path).unwrap();
}
