//! All integration tests in one binary: a file a command, and `support` for what they share.

// A test that meets the unexpected ends right there.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

mod aws_exec;
mod aws_login;
mod aws_process;
mod aws_refusals;
mod completion;
mod decode;
mod dev;
mod faults;
mod help;
mod output;
mod pass_through;
mod retries;
mod tls;
mod token;
mod trust;
