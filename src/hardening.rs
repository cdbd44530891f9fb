//! Protects the memory of this process, which may hold secrets: a crash writes it to no core file
//! and no panic message, and on Linux the user's other processes cannot read it. Only the binary
//! turns this on. A program that uses the library keeps its own behaviour.

use std::io::Write;
use std::panic::{self, PanicHookInfo};
use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::context::Context;
use crate::error::Failure;
use crate::exit::Bug;
use crate::output::Paint;

/// The original limit for core files, if this process has lowered it.
static LOWERED: OnceLock<Rlimit> = OnceLock::new();

/// From now on, this process leaves no core file, and a panic does not print its payload.
pub fn harden_process() {
    forbid_core_files();
    panic::set_hook(Box::new(|panic| {
        // An error on stderr itself cannot be reported.
        let _ = std::io::stderr().write_all(panic_message(panic).as_bytes());
    }));
}

/// Linux has a flag that prevents core files (`PR_SET_DUMPABLE` in prctl(2)). execve() resets the
/// flag, so commands that this process runs dump core as before. The flag also applies if the
/// kernel pipes core files to a program, and it prevents other processes of the same user from
/// reading the memory. Other systems have only the limit for core files, which execve() keeps.
fn forbid_core_files() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        if set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok() {
            return;
        }
    }
    lower_limit();
}

fn lower_limit() {
    let before = getrlimit(Resource::Core);
    if setrlimit(Resource::Core, Rlimit { current: Some(0), ..before }).is_ok() {
        // Later calls do not replace the original limit.
        let _ = LOWERED.set(before);
    }
}

/// Calls `start`, which starts another program, with the original limit for core files.
pub(crate) fn with_original_limit<T>(start: impl FnOnce() -> T) -> T {
    let Some(original) = LOWERED.get() else { return start() };
    // This can fail only if another program has lowered the hard limit.
    let _ = setrlimit(Resource::Core, *original);
    let started = start();
    lower_limit();
    started
}

/// The message for a panic. It names only the location, because the panic's own text may quote a
/// file or a reply.
fn panic_message(panic: &PanicHookInfo<'_>) -> String {
    let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    Failure::from(Bug::new(anyhow::anyhow!("a panic at {place}")))
        .render(Paint(false), &Context::silent([("", ""); 0]))
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::process::{Command, Output};

    use super::*;

    /// Runs an ignored test below in a separate process, because it changes its process.
    fn in_a_child(name: &str) -> Output {
        let name = format!("hardening::tests::{name}");
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", &name, "--ignored", "--nocapture"]).env("RUST_BACKTRACE", "1");
        let output = child.output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains("running 1 test"), "{output:?}");
        output
    }

    #[test]
    #[ignore = "the next test runs it"]
    fn panics() {
        harden_process();
        let line = "users: hunter2";
        assert_eq!(line.get(..5), Some("hunter2"));
    }

    #[test]
    fn a_panic_says_where_it_was_and_nothing_else() {
        let output = in_a_child("panics");
        let said = String::from_utf8(output.stderr).unwrap();
        let line = said.strip_prefix("error: this is a bug in `gp`: a panic at src/hardening.rs:");
        let (at, rest) = line.unwrap_or_else(|| panic!("{said}")).split_once('\n').unwrap();
        assert!(at.bytes().all(|byte| byte.is_ascii_digit() || byte == b':'), "{at}");
        assert_eq!(rest, "hint: report it with the output of `gp --version` and the command line\n");
        assert!(!output.status.success());
    }

    #[test]
    #[ignore = "the next test runs it"]
    fn lowers_the_limit() {
        let limit_of_a_child = || {
            let output = Command::new("sh").args(["-c", "ulimit -c"]).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        let allowed = Rlimit { current: getrlimit(Resource::Core).maximum, ..getrlimit(Resource::Core) };
        setrlimit(Resource::Core, allowed).unwrap();
        let before = limit_of_a_child();
        lower_limit();
        assert_eq!(limit_of_a_child(), "0\n");
        for _ in 0..2 {
            assert_eq!(with_original_limit(limit_of_a_child), before);
            assert_eq!(getrlimit(Resource::Core), Rlimit { current: Some(0), ..allowed });
        }
    }

    #[test]
    fn without_the_flag_the_limit_is_lowered_but_not_for_other_programs() {
        let output = in_a_child("lowers_the_limit");
        assert!(output.status.success(), "{output:?}");
    }
}
