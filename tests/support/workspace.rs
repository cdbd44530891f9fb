//! A local workspace of its own for each test, all served by one background thread.

use std::sync::{LazyLock, mpsc};
use std::thread;

use gp_idp::dev::{Options, SigningKey, Workspace};
use tokio::runtime::{Builder, Handle};

/// The runtime that serves all workspaces of this test process.
static SERVERS: LazyLock<Handle> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let handle = runtime.handle().clone();
    thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    handle
});

/// One key for all workspaces: generating a key takes longer than most tests.
pub(crate) fn key() -> SigningKey {
    static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate().unwrap());
    KEY.clone()
}

/// A workspace that is served until this is dropped.
pub(crate) struct Running(Workspace);

impl Running {
    pub(crate) fn start(options: Options) -> Self {
        let (sender, receiver) = mpsc::channel();
        SERVERS.spawn(async move { sender.send(Workspace::start(options, key()).await).unwrap() });
        Self(receiver.recv().unwrap().unwrap())
    }
}

impl std::ops::Deref for Running {
    type Target = Workspace;

    fn deref(&self) -> &Workspace {
        &self.0
    }
}
