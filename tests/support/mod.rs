//! What the tests share: the [`Gp`] builder, a local workspace for each test, and a server full of faults.

pub(crate) mod fault;
mod gp;
mod workspace;

pub(crate) use gp::Gp;
pub(crate) use workspace::Running;

/// Says that a test proves nothing on this machine.
#[allow(clippy::print_stderr, reason = "a test that is skipped has to be seen")]
pub(crate) fn skip(why: &str) {
    eprintln!("skipped: {why}");
}
