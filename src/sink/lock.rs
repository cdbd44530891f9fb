//! Locks between processes, by files that nothing else is kept in.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// Waits until nobody else holds the lock of the file at `path`, which is made when it is missing and never
/// removed: whoever waits for it would hold another file than who comes later. The lock goes with the
/// returned file, or with the process.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`] after `limit`; whatever keeps the file from being opened or locked.
pub fn acquire(path: &Path, limit: Duration) -> io::Result<File> {
    let file = fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if started.elapsed() < limit => {
                thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::TimedOut.into()),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}
