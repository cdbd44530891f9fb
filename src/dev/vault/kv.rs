//! A KV secrets engine (version 2) at `secret/`, which holds one secret at the start. Every token of this server may
//! read and write in it.
//!
//! Source: the HTTP API's "KV secrets engine - version 2".

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::refusal::Refusal;

/// The path of the mount.
const MOUNT: &str = "secret/";

/// The secrets by name, with the version and the time of each.
pub(super) struct Secrets(BTreeMap<String, Secret>);

struct Secret {
    data: Value,
    version: u64,
    created: Timestamp,
}

impl Default for Secrets {
    /// The secret that the README and docs/ read.
    fn default() -> Self {
        let data = json!({"password": "local-example", "username": "shop"});
        let secret = Secret { data, version: 1, created: Timestamp::UNIX_EPOCH };
        Self(BTreeMap::from([("shop".to_owned(), secret)]))
    }
}

/// A path of the engine: a secret, or the information about the mount.
pub(super) enum KvPath<'a> {
    /// `secret/data/NAME`
    Data(&'a str),
    /// `sys/internal/ui/mounts/secret/…`
    Mount,
}

impl<'a> KvPath<'a> {
    pub(super) fn of(path: &'a str) -> Option<Self> {
        if path.strip_prefix("sys/internal/ui/mounts/").is_some_and(|path| path.starts_with(MOUNT)) {
            return Some(Self::Mount);
        }
        path.strip_prefix(MOUNT)?.strip_prefix("data/").map(Self::Data)
    }
}

impl Secrets {
    /// The information about the mount. Tools read the version of the engine from it.
    pub(super) fn mount() -> Value {
        json!({"path": MOUNT, "type": "kv", "options": {"version": "2"}})
    }

    pub(super) fn read(&self, name: &str) -> Result<Value, Refusal> {
        let secret = self.0.get(name).ok_or_else(Refusal::no_secret)?;
        Ok(json!({"data": secret.data, "metadata": secret.metadata()}))
    }

    pub(super) fn write(&mut self, name: &str, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
        let data = body.get("data").filter(|data| data.is_object());
        let data = data.ok_or_else(|| Refusal::bad("no data provided"))?.clone();
        let version = self.0.get(name).map_or(0, |old| old.version) + 1;
        let secret = Secret { data, version, created: now };
        let metadata = secret.metadata();
        self.0.insert(name.to_owned(), secret);
        Ok(metadata)
    }
}

impl Secret {
    fn metadata(&self) -> Value {
        json!({
            "created_time": self.created.to_string(),
            "custom_metadata": null,
            "deletion_time": "",
            "destroyed": false,
            "version": self.version,
        })
    }
}
