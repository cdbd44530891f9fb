//! The process leaves no core file, and this protection breaks nothing else.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Output, Stdio};

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::support::{Gp, skip};

/// `gp` behind a shell that allows core files.
fn with_core_files(gp: &Gp) -> Command {
    gp.in_shell(Command::new("sh"), r#"ulimit -c unlimited; exec "$0" "$@""#)
}

/// Whether this machine writes core files into the folder of the process.
fn machine_writes_core_files() -> bool {
    let home = tempfile::tempdir().unwrap();
    let script = "ulimit -c unlimited; kill -SEGV $$";
    let status = Command::new("sh").args(["-c", script]).current_dir(home.path()).status().unwrap();
    let writes = status.core_dumped() && has_core(home.path());
    if !writes {
        skip("this machine writes no core files into the folder of a process");
    }
    writes
}

fn has_core(folder: &Path) -> bool {
    fs::read_dir(folder)
        .unwrap()
        .any(|entry| entry.unwrap().file_name().to_str().is_some_and(|name| name.starts_with("core")))
}

fn crash_of(gp: &Gp, signal: Signal) -> ExitStatus {
    let mut child = with_core_files(gp).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(line.contains("AWS_CONTAINER_CREDENTIALS_FULL_URI"), "{line}");
    // The first SIGSEGV only removes Rust's handler for stack overflows.
    for _ in 0..1000 {
        kill_process(Pid::from_child(&child), signal).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(10));
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
    }
    panic!("it does not end by {signal:?}");
}

#[test]
fn a_crash_leaves_no_core_file() {
    if !machine_writes_core_files() {
        return;
    }
    for signal in [Signal::ABORT, Signal::SEGV] {
        let gp = Gp::in_workspace().line("idp serve aws");
        let status = crash_of(&gp, signal);
        assert_eq!((status.signal(), status.core_dumped()), (Some(signal.as_raw()), false));
        assert!(!has_core(gp.home()));
    }
}

#[test]
fn the_command_of_exec_may_leave_a_core_file() {
    if !machine_writes_core_files() {
        return;
    }
    for (flags, code) in [("", None), ("--serve", Some(134))] {
        let gp = Gp::in_workspace().line("idp exec aws").line(flags).line("-- sh -c");
        let gp = gp.arg("ulimit -c; kill -ABRT $$");
        let output = with_core_files(&gp).output().unwrap();
        assert_eq!(output.stdout, b"unlimited\n", "{output:?}");
        assert_eq!(output.status.code(), code, "{output:?}");
        assert!(has_core(gp.home()), "{flags}");
    }
}

/// Runs a bash script with `gp` as `$0`. If the tests run as root, another user runs it, who
/// cannot read root's files.
fn as_user(gp: &Gp, script: &str) -> Output {
    let mut bash = gp.in_shell(Command::new("bash"), script);
    if geteuid().is_root() {
        const NOBODY: u32 = 65534;
        let folder = gp.home().join("bin");
        fs::create_dir_all(&folder).unwrap();
        for open in [gp.home(), &folder] {
            fs::set_permissions(open, fs::Permissions::from_mode(0o777)).unwrap();
        }
        let binary = folder.join("gp");
        if !binary.exists() {
            // If this process wrote the copy, a child of another test could still have it open for writing.
            let copied = Command::new("/bin/cp").arg(Gp::binary()).arg(&binary).status().unwrap();
            assert!(copied.success());
        }
        bash = gp.in_shell(Command::new("bash"), &script.replace("\"$0\"", binary.to_str().unwrap()));
        bash.uid(NOBODY).gid(NOBODY);
    }
    let output = bash.output().unwrap();
    gp.check_stderr(&String::from_utf8_lossy(&output.stderr));
    output
}

/// `/proc/self` of a process that is not dumpable belongs to root.
#[test]
fn paths_below_proc_self_work_without_root() {
    let gp = Gp::in_workspace();
    let scripts = [
        // Streams by name.
        (r#""$0" idp token --audience x --output /dev/stdout"#, "."),
        (r#""$0" idp token --audience x --output /dev/stderr 2>&1 >/dev/null"#, "."),
        (r#""$0" idp token --audience x --output /proc/self/fd/1 > file; cat file"#, "."),
        (r#""$0" idp token --audience x --output /dev/fd/3 3> >(cat; echo read); wait $!"#, "read"),
        (r#""$0" idp token --audience x --output >(cat; echo read); wait $!"#, "read"),
        // Files by descriptor.
        (
            r#""$0" idp token --audience x | "$0" idp verify --audience x --jwks <(printf '{"keys":[]}')"#,
            "✓ keys       0 in /dev/fd/",
        ),
        // Its own path.
        (r#""$0" idp login aws --credential-process; cat .aws/config"#, "bin/gp idp login aws"),
        // Signals that are ignored at the start.
        (
            r#"trap '' TERM; "$0" idp exec aws --serve -- sh -c 'kill -TERM $PPID; sleep 0.3; echo alive'"#,
            "alive",
        ),
        // Locks and folders of its own.
        (r#""$0" idp login aws --format process; "$0" idp login aws"#, "SecretAccessKey"),
    ];
    for (script, expected) in scripts {
        let output = as_user(&gp, script);
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(stdout.contains(expected), "{script}\n{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn other_processes_of_the_user_cannot_read_its_memory() {
    let script = r#""$0" idp serve aws > served & until [ -s served ]; do sleep 0.02; done
        cat /proc/$!/environ /proc/$!/mem 2>&1; kill $!"#;
    let output = as_user(&Gp::in_workspace(), script);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said.matches("Permission denied").count(), 2, "{said}");
}
