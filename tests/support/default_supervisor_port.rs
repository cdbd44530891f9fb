//! Checks that no test connects to a supervisor's usual address: in a workspace, the real
//! supervisor is there and gives real tokens.

use std::ffi::OsString;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, thread};

use super::Gp;

static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);

/// Listens there while the tests run. If another program listens already, `.ci/run` checks the run
/// as a whole.
static LISTENS: LazyLock<bool> = LazyLock::new(|| {
    let Ok(listener) = TcpListener::bind("127.0.0.1:22999") else { return false };
    thread::spawn(move || {
        for connection in listener.incoming() {
            // Closed at once, so that the test fails and does not wait.
            if connection.is_ok_and(|connection| is_ours(&connection)) {
                CONNECTIONS.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    true
});

/// Whether the connection is from the tests or from the binary that they run, and not from another
/// program.
fn is_ours(connection: &TcpStream) -> bool {
    let Ok(peer) = connection.peer_addr() else { return false };
    let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let end = format!(":{:04X}", peer.port());
    let of_peer = |line: &&str| line.split_whitespace().nth(1).is_some_and(|address| address.ends_with(&end));
    let Some(inode) = table.lines().find(of_peer).and_then(|line| line.split_whitespace().nth(9)) else {
        return false;
    };
    let socket = PathBuf::from(format!("socket:[{inode}]"));
    let programs = [env::current_exe().unwrap(), Gp::binary()];
    let entries =
        |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut processes = entries("/proc".into()).filter(|process| {
        fs::read_link(process.join("exe")).is_ok_and(|program| programs.contains(&program))
    });
    processes.any(|process| {
        entries(process.join("fd")).any(|fd| fs::read_link(fd).is_ok_and(|target| target == socket))
    })
}

/// Starts to listen.
pub(super) fn watch() {
    LazyLock::force(&LISTENS);
}

/// Checks that there was no connection.
#[track_caller]
pub(super) fn check(args: &[OsString]) {
    let connections = CONNECTIONS.load(Ordering::SeqCst);
    assert_eq!(
        connections, 0,
        "{args:?}, or a test beside it, connected to 127.0.0.1:22999: start from `Gp::without_supervisor`"
    );
}
