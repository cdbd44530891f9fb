//! What all commands have in common: stdout is data, stderr is everything else.

use std::io::Read;
use std::process::Stdio;

use crate::support::Gp;

#[test]
fn a_closed_pipe_is_no_error() {
    for line in ["idp token --audience x", "--help", "completion bash"] {
        let gp = Gp::in_workspace().line(line);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut child = gp.command().stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        gp.check_stderr(&stderr);
        assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""), "{line}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let gp = Gp::in_workspace().line("idp token --audience x");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = gp.command().stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    let stderr = String::from_utf8(output.stderr).unwrap();
    gp.check_stderr(&stderr);
    snapbox::assert_data_eq!(
        stderr,
        snapbox::str![[r#"
error: could not write to standard output
  caused by: No space left on device (os error 28)

"#]]
    );
}

#[test]
fn colours_follow_the_environment() {
    let failing = || Gp::new().line("idp decode x");
    let plain = failing().run().stderr;
    assert!(plain.starts_with("error: could not decode the token\n"), "{plain}");
    let forced = failing().env("CLICOLOR_FORCE", "1").run().stderr;
    assert!(forced.starts_with("\x1b[1;31merror:\x1b[0m could"), "{forced:?}");
    let refused = failing().env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").run().stderr;
    assert_eq!(refused, plain);
    // clap's own messages obey as well.
    let usage = Gp::new().line("idp token").env("CLICOLOR_FORCE", "1").run().stderr;
    assert!(usage.contains('\x1b'), "{usage:?}");
    assert!(!Gp::new().line("idp token").run().stderr.contains('\x1b'));
}
