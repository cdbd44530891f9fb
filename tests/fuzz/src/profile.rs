//! The editor of AWS profiles: it refuses and changes nothing, or it sets the given keys and keeps
//! every other line and value. A second edit changes nothing.

#![no_main]

use std::collections::BTreeSet;

use gp_idp::target::aws::profile::{FileKind, Keys, ProfileFile};
use libfuzzer_sys::fuzz_target;

const KEYS: Keys<'_> = Keys {
    access_key_id: "ASIAFUZZ",
    secret_access_key: "fuzz/secret+",
    session_token: "fuzz-token==",
    expires: "2026-11-22T12:24:03Z",
};

/// The names that writing [`KEYS`] sets or removes.
const CREDENTIALS: [&str; 5] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "x_security_token_expires",
    "aws_security_token",
];

fuzz_target!(|text: &str| {
    for kind in [FileKind::Credentials, FileKind::Config] {
        let Ok(file) = ProfileFile::parse(text, kind) else { continue };
        assert_eq!(file.text(), text);
        let mut names = file.profiles();
        names.truncate(1);
        names.push("gp-fuzz".into());
        for name in &names {
            sets_a_new_key(&file, name);
            writes_credentials(&file, name);
        }
    }
});

fn sets_a_new_key(file: &ProfileFile, profile: &str) {
    const LINE: &str = "gp_fuzz = new";
    let edits = [("gp_fuzz", Some("new"))];
    if file.text().to_ascii_lowercase().contains("gp_fuzz") {
        return;
    }
    let Some(new) = edited(file, profile, &["gp_fuzz"], |file| file.set(profile, &edits).is_ok()) else {
        return;
    };
    assert_eq!(new.get(profile, "gp_fuzz").as_deref(), Some("new"));
    let header = [format!("[{profile}]"), format!("[profile {profile}]")];
    let mut rest = lines(new.text());
    let mut old = lines(file.text()).peekable();
    while let Some(line) = rest.next() {
        if old.peek() == Some(&line) {
            old.next();
        } else {
            let ours = line.trim_matches(is_blank) == LINE || header.iter().any(|header| header == line);
            assert!(ours, "{:?} became {:?}", file.text(), new.text());
        }
    }
    assert_eq!(old.next(), None, "{:?} became {:?}", file.text(), new.text());
    // The key can be removed again.
    let removed = edited(&new, profile, &["gp_fuzz"], |file| file.set(profile, &[("gp_fuzz", None)]).is_ok());
    let removed = removed.unwrap_or_else(|| panic!("what was set in {:?} cannot be removed", new.text()));
    assert_eq!(removed.get(profile, "gp_fuzz"), None);
}

fn writes_credentials(file: &ProfileFile, profile: &str) {
    let write = |file: &mut ProfileFile| file.write_credentials(profile, KEYS, true).is_ok();
    let Some(new) = edited(file, profile, &CREDENTIALS, write) else { return };
    assert_eq!(new.get(profile, "aws_access_key_id").as_deref(), Some("ASIAFUZZ"));
    assert_eq!(new.get(profile, "aws_session_token").as_deref(), Some("fuzz-token=="));
    assert_eq!(new.get(profile, "aws_security_token"), None);
    let mut gone = CREDENTIALS.to_vec();
    gone.push("credential_process");
    let write = |file: &mut ProfileFile| file.write_credential_process(profile, "gp x", true).is_ok();
    if let Some(new) = edited(&new, profile, &gone, write) {
        assert_eq!(new.get(profile, "credential_process").as_deref(), Some("gp x"));
    }
}

/// The file after `edit`. Checks that other values are unchanged, and that a second edit changes
/// nothing. `None` if the edit is refused, which must not change the text.
fn edited(
    file: &ProfileFile,
    profile: &str,
    keys: &[&str],
    edit: impl Fn(&mut ProfileFile) -> bool,
) -> Option<ProfileFile> {
    let mut new = file.clone();
    if !edit(&mut new) {
        assert_eq!(new.text(), file.text(), "a refused edit changes the text");
        return None;
    }
    let once = new.text().to_owned();
    assert!(edit(&mut new), "the second edit of {once:?} is refused");
    assert_eq!(new.text(), once, "the second edit changes it");
    let names: BTreeSet<String> = lines(file.text())
        .filter_map(|line| line.split(['=', ':']).next())
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    for other in file.profiles() {
        for name in &names {
            if other != profile || !keys.contains(&name.as_str()) {
                assert_eq!(
                    new.get(&other, name),
                    file.get(&other, name),
                    "{name:?} in {:?} and {once:?}",
                    file.text()
                );
            }
        }
    }
    Some(new)
}

/// White space as Python defines it: the editor copies the indentation of neighbouring lines.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// The lines that are not empty.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '\r']).filter(|line| !line.is_empty())
}
