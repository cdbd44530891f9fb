//! Entries of the cache: an invalid entry is ignored, a valid one is written as it was read.

#![no_main]

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::LazyLock;

use gp_idp::{Context, fuzz};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tempfile::TempDir;

/// A folder, and the file of its only entry.
static HOME: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    // In memory, if `/dev/shm` exists.
    let home = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let ctx = Context::silent([("XDG_RUNTIME_DIR", home.path())]);
    let folder = home.path().join("gp-idp");
    fs::DirBuilder::new().mode(0o700).create(&folder).unwrap();
    assert!(fuzz::cached(&ctx).is_none());
    let file = folder.join("VjGpb5u2So5IMn_8bjTOd_Qcz8HBLa8dzCxQfL_j5Dg.json");
    fs::write(&file, include_bytes!("../seeds/cache/entry")).unwrap();
    assert!(fuzz::cached(&ctx).is_some(), "the entry has another name");
    (home, file)
});

fuzz_target!(|bytes: &[u8]| {
    let (home, file) = &*HOME;
    let ctx = Context::silent([("XDG_RUNTIME_DIR", home.path())]);
    fs::write(file, bytes).unwrap();
    let Some(entry) = fuzz::cached(&ctx) else { return };
    let text = std::str::from_utf8(bytes).expect("an entry that is not UTF-8 was accepted");
    let json: Value = serde_json::from_str(text).expect("an entry that is not JSON was accepted");
    if json.is_object() {
        assert_eq!(json["access_key_id"], entry.access_key_id.as_str());
        assert_eq!(json["secret_access_key"], entry.secret_access_key.reveal());
        assert_eq!(json["session_token"], entry.session_token.reveal());
    }
    let now = jiff::Timestamp::now();
    if entry.are_fresh(now) {
        assert!(entry.expires_at > now && entry.renew_at() <= entry.expires_at);
    }
    // `Debug` shows neither secret, unless it is short or part of a public value.
    let debug = format!("{entry:?}");
    let open = [&entry.access_key_id, &entry.assumed_role_arn, &entry.account];
    for secret in [entry.secret_access_key.reveal(), entry.session_token.reveal()] {
        let is_open = secret.len() < 32 || open.iter().any(|text| text.contains(secret));
        assert!(is_open || !debug.contains(secret), "{debug}");
    }
    fs::write(file, serde_json::to_vec(&entry).unwrap()).unwrap();
    let again = fuzz::cached(&ctx).expect("a written entry cannot be read");
    assert_eq!(serde_json::to_value(&again).unwrap(), serde_json::to_value(&entry).unwrap());
});
