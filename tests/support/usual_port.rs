//! Sees to it that no test asks a supervisor at its usual address: in a workspace that is the real one, and it gives real
//! tokens.

use std::ffi::OsString;
use std::net::TcpListener;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);

/// Listens there for as long as the tests run. Where somebody else does, the run as a whole is checked by `.ci/run`.
static LISTENS: LazyLock<bool> = LazyLock::new(|| {
    let Ok(listener) = TcpListener::bind("127.0.0.1:22999") else { return false };
    thread::spawn(move || {
        for connection in listener.incoming() {
            CONNECTIONS.fetch_add(1, Ordering::SeqCst);
            // Closed at once, so that the test fails and does not wait.
            drop(connection);
        }
    });
    true
});

/// Starts to listen.
pub(super) fn watch() {
    LazyLock::force(&LISTENS);
}

/// Nobody has connected so far.
#[track_caller]
pub(super) fn check(args: &[OsString]) {
    let connections = CONNECTIONS.load(Ordering::SeqCst);
    assert_eq!(
        connections, 0,
        "{args:?}, or a test beside it, connected to 127.0.0.1:22999: start from `Gp::without_supervisor`"
    );
}
