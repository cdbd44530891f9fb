//! The `gp` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    gp_idp::hardening::harden_process();
    ExitCode::from(gp_idp::run(std::env::args_os().collect(), gp_idp::Context::from_process()))
}
