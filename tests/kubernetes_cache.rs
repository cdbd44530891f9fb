//! The tokens that `gp idp token --format kubernetes` caches between calls, and when it does not
//! use them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use gp_idp::context::Clock;
use gp_idp::dev::Options;

use crate::support::Gp;

const LINE: &str = "idp token --audience k --format kubernetes";

/// In a workspace where the clocks are fixed at noon, with tokens of this lifetime.
fn noon_of(lifetime: Duration) -> Gp {
    let now = "2026-11-23T12:00:00Z";
    let clock = Clock::Fixed(now.parse().unwrap());
    Gp::in_workspace_of(Options { clock, lifetime, ..Options::default() }).at_time(now).line(LINE)
}

fn noon() -> Gp {
    noon_of(Duration::from_secs(3600))
}

/// How many tokens were minted so far.
fn mints(gp: &Gp) -> usize {
    gp.audit_log().iter().filter(|line| line["event"] == "mint" && line["result"] == "ok").count()
}

fn entries(gp: &Gp, kind: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(gp.home().join(".cache/gp-idp")) else { return Vec::new() };
    let entries = entries.map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|found| found == kind)).collect()
}

#[test]
fn a_second_command_sends_no_request() {
    let gp = noon();
    let first = gp.run().success();
    let gp = gp.at_time("2026-11-23T12:00:11Z").stop_workspace();
    assert_eq!(gp.run().success(), first);
    assert_eq!(mints(&gp), 1);
    // The audit log has a `hand-over` line for each command, with the same subject.
    let log = gp.audit_log();
    let handed_over: Vec<_> = log.iter().filter(|line| line["event"] == "hand-over").collect();
    assert_eq!(handed_over.len(), 2);
    assert_eq!(handed_over[0]["subject"], handed_over[1]["subject"]);
    // The API version of the reply is not cached.
    let info = r#"{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential"}"#;
    let printed = gp.at_time("2026-11-23T12:01:00Z").env("KUBERNETES_EXEC_INFO", info).run().success();
    assert_eq!(printed, first.replace("k8s.io/v1\"", "k8s.io/v1beta1\""));
}

#[test]
fn a_token_is_renewed_a_tenth_of_its_lifetime_or_a_minute_ahead() {
    let cases = [
        (3600, "12:53:59", true),
        (3600, "12:54:00", false),
        (300, "12:03:59", true),
        (300, "12:04:00", false),
        // The clock was set back, so the entry is from the future.
        (3600, "11:59:59", false),
    ];
    for (lifetime, then, kept) in cases {
        let gp = noon_of(Duration::from_secs(lifetime));
        gp.run().success();
        let gp = gp.at_time(&format!("2026-11-23T{then}Z"));
        gp.run();
        assert_eq!(mints(&gp), if kept { 1 } else { 2 }, "{lifetime} {then}");
    }
}

#[test]
fn a_token_with_a_short_lifetime_is_not_cached() {
    let gp = noon_of(Duration::from_secs(60));
    gp.run().success();
    assert_eq!(entries(&gp, "json").len(), 0);
}

#[test]
fn the_cache_is_private() {
    let gp = noon();
    gp.run().success();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for kind in ["json", "lines"] {
        let [entry] = &entries(&gp, kind)[..] else { panic!("there is one entry") };
        assert_eq!((mode(entry), mode(entry.parent().unwrap())), (0o600, 0o700));
    }
}

/// client-go runs the plugin again when the API server answers 401.
#[test]
fn a_process_that_calls_again_within_ten_seconds_gets_a_new_token() {
    let gp = noon();
    gp.run().success();
    let gp = gp.at_time("2026-11-23T12:00:10Z");
    gp.run().success();
    assert_eq!(mints(&gp), 2);
    // The new token may be refused too.
    gp.run().success();
    assert_eq!(mints(&gp), 3);
    // Afterwards it is cached like any other token.
    let gp = gp.at_time("2026-11-23T12:00:21Z");
    gp.run().success();
    assert_eq!(mints(&gp), 3);
}

#[test]
fn another_process_gets_the_cached_token() {
    let gp = Gp::in_workspace().line(LINE);
    // Each run has a shell of its own as its parent process.
    let plugin = || {
        let ended = gp.in_shell(std::process::Command::new("sh"), "\"$0\" \"$@\"; exit $?").output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        String::from_utf8(ended.stdout).unwrap()
    };
    let first = plugin();
    assert_eq!(plugin(), first);
    assert_eq!(mints(&gp), 1);
    // A shell that runs it twice is one process that calls twice.
    let both =
        gp.in_shell(std::process::Command::new("sh"), "\"$0\" \"$@\"; \"$0\" \"$@\"").output().unwrap();
    let both = String::from_utf8(both.stdout).unwrap();
    assert!(both.starts_with(&first), "{both}");
    assert_eq!(mints(&gp), 2);
}

#[test]
fn many_parallel_processes_mint_one_token() {
    let gp = Gp::in_workspace().line(LINE);
    let start = |_| {
        let mut shell = gp.in_shell(std::process::Command::new("sh"), "\"$0\" \"$@\"; exit $?");
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..20).map(start).collect();
    let printed: std::collections::BTreeSet<_> =
        children.into_iter().map(|child| child.wait_with_output().unwrap().stdout).collect();
    assert_eq!((printed.len(), mints(&gp)), (1, 1));
}

#[test]
fn each_setting_that_changes_the_token_has_its_own_cache_entry() {
    let mut gp = noon();
    gp.run().success();
    let lines = [
        "idp token --audience k --audience l --format kubernetes",
        "idp token --audience l --audience k --format kubernetes",
        "idp token --audience k --scope s --format kubernetes",
    ];
    for (index, line) in lines.iter().enumerate() {
        gp = gp.with_line(line);
        gp.run().success();
        assert_eq!((entries(&gp, "json").len(), mints(&gp)), (index + 2, index + 2), "{line}");
    }
    // Another workspace with the same home has its own entry.
    let gp = gp.with_line(LINE).line("--timeout 300ms").env("GITPOD_WORKSPACE_ID", "other").stop_workspace();
    assert_eq!(gp.run().code, 3);
}

#[test]
fn no_cache_and_other_formats_neither_read_nor_write() {
    let mut gp = noon();
    let file = gp.home().join("credential");
    let lines = [
        "idp token --audience k --format kubernetes --no-cache".to_owned(),
        format!("idp token --audience k --format kubernetes --output {}", file.display()),
        "idp token --audience k".to_owned(),
    ];
    for (index, line) in lines.iter().enumerate() {
        gp = gp.with_line(line);
        gp.run().success();
        assert_eq!((entries(&gp, "json").len(), mints(&gp)), (0, index + 1), "{line}");
    }
    let gp = gp.with_line(LINE);
    gp.run().success();
    let gp = gp.at_time("2026-11-23T12:00:11Z").line("--no-cache");
    gp.run().success();
    assert_eq!(mints(&gp), 5);
}

#[test]
fn a_token_from_a_file_is_not_cached() {
    let token = |gp: &Gp| {
        let printed = gp.run().success();
        printed.split('"').find(|text| text.starts_with("eyJ")).unwrap().to_owned()
    };
    let mut issuer = noon();
    let gp = noon();
    let path = gp.home().join("token");
    let mut gp = gp.line("--source").arg(format!("file:{}", path.display()));
    let mut given = Vec::new();
    for (audience, then) in [("k", "12:00:00"), ("k --audience l", "12:00:11")] {
        issuer = issuer.with_line(&format!("idp token --audience {audience}"));
        fs::write(&path, issuer.run().success().trim()).unwrap();
        gp = gp.at_time(&format!("2026-11-23T{then}Z"));
        given.push(token(&gp));
    }
    assert_ne!(given[0], given[1]);
    assert_eq!(entries(&gp, "json").len(), 0);
}

#[test]
fn an_entry_that_cannot_be_read_is_replaced() {
    for content in ["", "{", "[]", r#"{"token":"x","obtained_at":"2026-11-23T12:00:00Z"}"#] {
        let gp = noon();
        gp.run().success();
        let [entry] = &entries(&gp, "json")[..] else { panic!("there is one entry") };
        fs::write(entry, content).unwrap();
        let gp = gp.at_time("2026-11-23T12:00:11Z");
        gp.run().success();
        assert_eq!(mints(&gp), 2, "{content}");
    }
}

#[test]
fn a_cached_token_is_used_if_the_renewal_fails_unless_it_was_refused() {
    let gp = noon();
    let first = gp.run().success();
    let gp = gp.line("--timeout 300ms").stop_workspace();
    // A process that calls again at once may have been refused with this token.
    let ran = gp.run();
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
    let gp = gp.at_time("2026-11-23T12:55:00Z");
    let ran = gp.run();
    assert_eq!((ran.code, ran.stdout.as_str()), (0, first.as_str()));
    assert!(ran.stderr.starts_with("warning: could not renew the credentials"), "{}", ran.stderr);
    let gp = gp.at_time("2026-11-23T12:59:30Z");
    assert_eq!(gp.run().code, 3);
}
