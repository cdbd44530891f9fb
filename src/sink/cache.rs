//! Short-lived credentials kept between calls: SDKs and `kubectl` run a helper again for every command.
//!
//! One file of mode 0600 an entry, named after a digest of everything that changes the answer, in this user's own
//! folder under `XDG_RUNTIME_DIR`, `XDG_CACHE_HOME` or `~/.cache`. What is here can always be thrown away: an unreadable
//! entry counts as none, and old ones are removed.

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

/// No credential lives longer, so nothing older is of use.
const OLDEST: Duration = Duration::from_secs(12 * 3600);

/// Where entries are kept.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    folder: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    digest: String,
    kind: &'static str,
}

/// The kinds of entries.
const CREDENTIALS: &str = "json";
const FAILURE: &str = "failure";
const LINES: &str = "lines";

/// The most that is kept of lines, in bytes. Whatever they are about is a moment ago.
const MOST_LINES: u64 = 1 << 16;

impl Key {
    /// A key of these parts, in this order; no two lists of parts share one.
    pub(crate) fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut sum = digest::Context::new(&digest::SHA256);
        for part in parts {
            sum.update(&(part.len() as u64).to_be_bytes());
            sum.update(part.as_bytes());
        }
        Self { digest: URL_SAFE_NO_PAD.encode(sum.finish()), kind: CREDENTIALS }
    }

    /// The key of what a process failed with, beside what it was to get.
    pub(crate) fn of_failure(self) -> Self {
        Self { kind: FAILURE, ..self }
    }

    /// The key of lines about an entry.
    pub(crate) fn of_lines(self) -> Self {
        Self { kind: LINES, ..self }
    }
}

impl Cache {
    /// The cache of this user, made when it is missing; `None` where there is no place for one that nobody
    /// else can write to.
    pub(crate) fn open(ctx: &Context) -> Option<Self> {
        private_folder(ctx).ok().map(|folder| Self { folder })
    }

    /// An entry. One that cannot be read counts as none.
    pub(crate) fn read<T: DeserializeOwned>(&self, key: &Key) -> Option<T> {
        let text = files::read_text(&self.path(key), files::MAX_FILE).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Waits until no other process holds this entry's lock; `None` when that takes longer than `deadline`, or
    /// when there can be no lock.
    pub(crate) async fn lock(&self, key: &Key, deadline: Deadline) -> Option<LockedEntry<'_>> {
        let file = LockedFile::acquire(&self.path(key), deadline).await.ok()?;
        Some(LockedEntry { cache: self, file })
    }

    /// The lines of a key; none where they cannot be read.
    pub(crate) fn read_lines(&self, key: &Key) -> String {
        let text = files::read_text(&self.path(key), files::MAX_FILE);
        text.map(|text| text.to_string()).unwrap_or_default()
    }

    /// Adds a line, its end included, without a lock. Where that fails, the line is lost.
    pub(crate) fn add_line(&self, key: &Key, line: &str) {
        let path = self.path(key);
        if fs::symlink_metadata(&path).is_ok_and(|found| found.len() > MOST_LINES) {
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
            if age.is_some_and(|age| age > OLDEST) && is_entry(&entry.path()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// An entry that no other process writes.
pub(crate) struct LockedEntry<'a> {
    cache: &'a Cache,
    file: LockedFile,
}

impl LockedEntry<'_> {
    /// Replaces the entry as a whole. A cache that cannot be written is no failure of what it is for.
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

/// Whether it is an entry, or the lock of one that a killed process left.
fn is_entry(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let entry = Path::new(OsStr::from_bytes(name.strip_suffix(b".gp-lock").unwrap_or(name)));
    entry.extension().is_some_and(|kind| [CREDENTIALS, FAILURE, LINES].iter().any(|own| kind == *own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_where_parts_do() {
        let lists: [&[&str]; 5] = [&["a", "b"], &["ab"], &["a", "b", ""], &["b", "a"], &[]];
        let keys: Vec<Key> = lists.iter().map(|parts| Key::of(parts.iter().copied())).collect();
        for (index, key) in keys.iter().enumerate() {
            assert_eq!(keys.iter().position(|other| other == key), Some(index));
        }
    }
}
