//! What the tests share: the [`Gp`] builder, a local workspace for each test, and a server full of faults.

pub(crate) mod fault;
mod gp;
mod usual_port;
mod workspace;

pub(crate) use gp::{Gp, Ran};
pub(crate) use workspace::Running;

/// Says that a test proves nothing on this machine.
#[allow(clippy::print_stderr, reason = "a test that is skipped has to be seen")]
pub(crate) fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

/// Makes a folder that only its owner can use, as XDG_RUNTIME_DIR has to be.
pub(crate) fn private_folder(path: &std::path::Path) {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(0o700).create(path).unwrap();
}
