//! `gp idp login aws --format process`: which credentials are cached between calls, and when the
//! cache is not used.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use gp_idp::context::Clock;
use gp_idp::dev::Options;
use snapbox::str;

use crate::support::{Gp, private_folder};

const LINE: &str = "idp login aws --format process";

/// In a workspace where all clocks are fixed at `now`.
fn at(now: &str) -> Gp {
    let clock = Clock::Fixed(now.parse().unwrap());
    Gp::in_workspace_of(Options { clock, ..Options::default() }).at_time(now).line(LINE)
}

fn noon() -> Gp {
    at("2026-11-23T12:00:00Z")
}

fn entries(gp: &Gp) -> Vec<PathBuf> {
    let folder = gp.home().join(".cache/gp-idp");
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let entries = entries.map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|kind| kind == "json")).collect()
}

#[test]
fn a_second_call_sends_no_request() {
    let gp = noon();
    let first = gp.run().success();
    assert_eq!(gp.workspace().sts_requests().len(), 1);
    assert_eq!(gp.run().success(), first);
    assert_eq!(gp.workspace().sts_requests().len(), 1);
    assert_eq!(gp.stop_workspace().run().success(), first);
}

#[test]
fn the_cache_entry_is_private_and_has_no_id_token() {
    let gp = noon();
    gp.run().success();
    let [entry] = &entries(&gp)[..] else { panic!("there is one entry") };
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(entry), mode(entry.parent().unwrap())), (0o600, 0o700));
    assert!(!fs::read_to_string(entry).unwrap().contains("eyJ"));
}

#[test]
fn the_runtime_folder_takes_precedence() {
    let gp = noon();
    let folder = gp.home().join("run");
    private_folder(&folder);
    let gp = gp.env("XDG_RUNTIME_DIR", &folder).env("XDG_CACHE_HOME", "/nowhere");
    gp.run().success();
    assert!(folder.join("gp-idp").is_dir());
    let gp = noon();
    let folder = gp.home().join("cache");
    let gp = gp.env("XDG_CACHE_HOME", &folder).env("XDG_RUNTIME_DIR", missing_folder());
    gp.run().success();
    assert!(folder.join("gp-idp").is_dir());
}

fn missing_folder() -> &'static str {
    "/nonexistent/run"
}

#[test]
fn credentials_are_renewed_twenty_minutes_ahead_or_at_half_of_their_life() {
    let cases = [
        (LINE, "12:39:59", true),
        (LINE, "12:40:00", false),
        ("idp login aws --format process -d 1800", "12:14:59", true),
        ("idp login aws --format process -d 1800", "12:15:00", false),
        ("idp login aws --format process -d 43200", "23:39:59", true),
        ("idp login aws --format process -d 43200", "23:40:00", false),
        // The clock was set back, so the entry is from the future.
        (LINE, "11:59:59", false),
    ];
    for (line, then, kept) in cases {
        let gp = noon().with_line(line);
        gp.run().success();
        let gp = gp.at_time(&format!("2026-11-23T{then}Z"));
        gp.run();
        let expected = if kept { 1 } else { 2 };
        assert_eq!(gp.workspace().sts_requests().len(), expected, "{line} {then}");
    }
}

#[test]
fn each_setting_that_changes_the_credentials_has_its_own_cache_entry() {
    let gp = noon();
    gp.run().success();
    let lines = [
        "idp login aws --format process -d 7200",
        "idp login aws --format process --role-session-name me",
        "idp login aws --format process --scope x",
        "idp login aws --format process --audience sts.amazonaws.com --audience b",
        "idp login aws --format process --policy-arn arn:aws:iam::aws:policy/ReadOnlyAccess",
    ];
    let mut gp = gp;
    for (index, line) in lines.iter().enumerate() {
        gp = gp.with_line(line);
        gp.run().success();
        assert_eq!(entries(&gp).len(), index + 2, "{line}");
        gp.run().success();
        assert_eq!(gp.workspace().sts_requests().len(), index + 2, "{line}");
    }
    // Another workspace with the same home does not get these credentials.
    let ran = gp
        .with_line("idp login aws --format process --timeout 300ms")
        .env("GITPOD_WORKSPACE_ID", "other")
        .stop_workspace()
        .run();
    assert_eq!(ran.code, 3, "{}", ran.stderr);
}

#[test]
fn no_cache_neither_reads_nor_writes() {
    let gp = noon().with_line("idp login aws --format process --no-cache");
    gp.run().success();
    assert_eq!(entries(&gp).len(), 0);
    let gp = gp.with_line(LINE);
    gp.run().success();
    let gp = gp.with_line("idp login aws --format process --no-cache");
    gp.run().success();
    assert_eq!(gp.workspace().sts_requests().len(), 3);
}

#[test]
fn an_entry_that_cannot_be_read_is_replaced() {
    for content in ["", "{", "[]", r#"{"access_key_id": 1}"#, "\u{0}"] {
        let gp = noon();
        let first = gp.run().success();
        let [entry] = &entries(&gp)[..] else { panic!("there is one entry") };
        fs::write(entry, content).unwrap();
        assert_ne!(gp.run().success(), first);
        assert_eq!(gp.workspace().sts_requests().len(), 2, "{content}");
        gp.run().success();
        assert_eq!(gp.workspace().sts_requests().len(), 2, "{content}");
    }
}

#[test]
fn a_folder_that_others_can_write_to_is_not_used() {
    let gp = noon();
    let folder = gp.home().join(".cache/gp-idp");
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    gp.run().success();
    assert_eq!(entries(&gp).len(), 0);
}

#[test]
fn unexpired_cached_credentials_are_used_if_the_renewal_fails() {
    // In a workspace, `gp` waits for a supervisor that does not answer, so `--timeout` is short.
    let gp = noon().with_line("idp login aws --format process");
    let first = gp.run().success();
    let gp = gp.line("--timeout 300ms").stop_workspace().at_time("2026-11-23T12:50:00Z");
    let ran = gp.run();
    assert_eq!((ran.code, ran.stdout.as_str()), (0, first.as_str()));
    assert!(
        ran.stderr.starts_with(
            "warning: could not renew the credentials: using those of an earlier call\nerror: could not assume the AWS role "
        ),
        "{}",
        ran.stderr
    );
    let gp = gp.at_time("2026-11-23T12:59:30Z");
    let ran = gp.run();
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
}

#[test]
fn a_failure_prints_nothing_on_stdout() {
    let gp =
        noon().with_line("idp login aws --format process --role-arn arn:aws:iam::123456789012:role/none");
    let ran = gp.run();
    assert_eq!((ran.code, ran.stdout.as_str()), (5, ""));
    assert_eq!(entries(&gp).len(), 0);
    Gp::new().line("idp login aws --format process").run().failure(
        2,
        str![[r#"
error: could not assume an AWS role
  caused by: no role is set
hint: give one with `--role-arn arn:aws:iam::123456789012:role/NAME`, or set `IDP_AWS_ROLE_ARN`; if you use the flag, write it into `credential_process` of the profile

"#]],
    );
}
