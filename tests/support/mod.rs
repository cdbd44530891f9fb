//! What the tests share: the [`Gp`] builder, a local workspace for each test, and a server full of faults.

pub(crate) mod fault;
mod gp;
mod workspace;

pub(crate) use gp::Gp;
pub(crate) use workspace::Running;
