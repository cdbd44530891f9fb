//! Keeps short-lived credentials between calls: SDKs and `kubectl` run a helper for every command.
//!
//! Each entry is a file of mode 0600 in this user's own folder under `XDG_RUNTIME_DIR`,
//! `XDG_CACHE_HOME` or `~/.cache`. Its name is a digest of everything that changes the answer. All
//! entries can be deleted at any time. An unreadable entry is ignored, and old entries are
//! removed.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::{LineFile, LockedFile, private_folder};
use crate::context::Context;
use crate::files;
use crate::http::Deadline;

/// The maximum age of an entry. No credential lives longer.
const MAX_AGE: Duration = Duration::from_secs(12 * 3600);

/// The folder of the entries.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    folder: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    digest: String,
    kind: &'static str,
}

/// The kinds of entries: the extensions of their files.
const CREDENTIALS: &str = "json";
const FAILURE: &str = "failure";
const LINES: &str = "lines";

/// The size in bytes above which a file of lines is deleted. Only recent lines are needed.
const MAX_LINES_SIZE: u64 = 1 << 16;

impl Key {
    /// The key for a list of parts. Different lists have different keys.
    pub(crate) fn new<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut sum = digest::Context::new(&digest::SHA256);
        for part in parts {
            sum.update(&(part.len() as u64).to_be_bytes());
            sum.update(part.as_bytes());
        }
        Self { digest: URL_SAFE_NO_PAD.encode(sum.finish()), kind: CREDENTIALS }
    }

    /// The key of the failure of the process that tried to get the entry.
    pub(crate) fn failure(self) -> Self {
        Self { kind: FAILURE, ..self }
    }

    /// The key of lines about an entry.
    pub(crate) fn lines(self) -> Self {
        Self { kind: LINES, ..self }
    }
}

impl Cache {
    /// Opens the cache of this user, and creates the folder if it is missing. `None` if there is
    /// no folder that only this user can use.
    pub(crate) fn open(ctx: &Context) -> Option<Self> {
        private_folder(ctx).ok().map(|folder| Self { folder })
    }

    /// Reads an entry. `None` if it is missing or cannot be read.
    pub(crate) fn read<T: DeserializeOwned>(&self, key: &Key) -> Option<T> {
        let text = files::read_text(&self.path(key), files::MAX_FILE).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Waits for the lock of this entry. `None` if another process holds it until `deadline`, or
    /// if the lock file cannot be created.
    pub(crate) async fn lock(&self, key: &Key, deadline: Deadline) -> Option<LockedEntry<'_>> {
        let file = LockedFile::acquire(&self.path(key), deadline).await.ok()?;
        Some(LockedEntry { cache: self, file })
    }

    /// The lines of a key. Empty if they cannot be read.
    pub(crate) fn read_lines(&self, key: &Key) -> String {
        let text = files::read_text(&self.path(key), files::MAX_FILE);
        text.map(|text| text.to_string()).unwrap_or_default()
    }

    /// Adds `line`, which includes its line break, without a lock. If this fails, the line is
    /// lost.
    pub(crate) fn add_line(&self, key: &Key, line: &str) {
        let path = self.path(key);
        if fs::symlink_metadata(&path).is_ok_and(|found| found.len() > MAX_LINES_SIZE) {
            self.remove(key);
        }
        let _ = LineFile::open(&path, b"", "lines").map(|file| file.add(line));
    }

    /// Removes an entry, if there is one.
    pub(crate) fn remove(&self, key: &Key) {
        let _ = fs::remove_file(self.path(key));
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(format!("{}.{}", key.digest, key.kind))
    }

    fn remove_old(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let changed = entry.metadata().and_then(|found| found.modified());
            let age = changed.ok().and_then(|at| SystemTime::now().duration_since(at).ok());
            if age.is_some_and(|age| age > MAX_AGE) && is_entry(&entry.path()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// An entry with its lock, so that no other process writes it.
pub(crate) struct LockedEntry<'a> {
    cache: &'a Cache,
    file: LockedFile,
}

impl LockedEntry<'_> {
    /// Replaces the entry as a whole. An error is ignored, because the command works without the
    /// cache.
    pub(crate) fn write(&self, entry: &impl Serialize) {
        self.cache.remove_old();
        let mut text = Zeroizing::new(Vec::new());
        let written = serde_json::to_writer(&mut *text, entry);
        debug_assert!(written.is_ok(), "{written:?}");
        if written.is_ok() {
            let _ = self.file.write_private(&text);
        }
    }
}

/// Whether this is an entry, or the lock file of an entry that a killed process left behind.
fn is_entry(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let entry = Path::new(OsStr::from_bytes(name.strip_suffix(b".gp-lock").unwrap_or(name)));
    entry.extension().is_some_and(|kind| [CREDENTIALS, FAILURE, LINES].iter().any(|own| kind == *own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_parts_have_different_keys() {
        let lists: [&[&str]; 5] = [&["a", "b"], &["ab"], &["a", "b", ""], &["b", "a"], &[]];
        let keys: Vec<Key> = lists.iter().map(|parts| Key::new(parts.iter().copied())).collect();
        for (index, key) in keys.iter().enumerate() {
            assert_eq!(keys.iter().position(|other| other == key), Some(index));
        }
    }
}
