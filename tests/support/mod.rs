//! Shared helpers: the [`Gp`] builder, a local workspace for each test, and a server that produces
//! faults.

mod default_supervisor_port;
pub(crate) mod fault;
mod gp;
mod workspace;

pub(crate) use gp::{Gp, Ran};
pub(crate) use workspace::Running;

/// Prints that a test is skipped on this machine.
#[allow(clippy::print_stderr, reason = "a test that is skipped has to be seen")]
pub(crate) fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

/// Makes a folder that only its owner can use, as XDG_RUNTIME_DIR has to be.
pub(crate) fn private_folder(path: &std::path::Path) {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(0o700).create(path).unwrap();
}

/// Creates an executable file with this content.
///
/// Another process writes it: a file that is open for writing cannot be run, and a process that
/// another test is starting would briefly have this process's files open.
#[track_caller]
pub(crate) fn program(path: &std::path::Path, content: impl AsRef<[u8]>) {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut sh = Command::new("/bin/sh");
    sh.args(["-c", "/bin/cat > \"$0\" && /bin/chmod 755 \"$0\""]).arg(path);
    let mut child = sh.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(content.as_ref()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// The reply of the credential endpoint at `url` to a request with this token.
#[track_caller]
pub(crate) fn ask_endpoint(url: &str, token: &str) -> String {
    use std::io::{Read, Write};
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let head = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    write!(stream, "{head}Authorization: {token}\r\n\r\n").unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply
}
