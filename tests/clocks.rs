//! The clock of this machine is ahead, so new tokens and credentials look expired here.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use gp_idp::context::Clock;
use gp_idp::dev::Options;
use jiff::{SignedDuration, Timestamp};
use rustix::process::{Pid, Signal, kill_process};
use snapbox::str;

use crate::support::Gp;

/// In a workspace whose services are `difference` behind this machine.
fn ahead_by(difference: SignedDuration) -> Gp {
    let clock = Clock::Fixed(Timestamp::now() - difference);
    Gp::in_workspace_of(Options { clock, ..Options::default() })
}

/// Two hours, and half a minute that the test may take.
fn two_hours() -> SignedDuration {
    SignedDuration::from_hours(2) + SignedDuration::from_secs(30)
}

/// Runs `line` for six seconds, and checks its messages and its number of STS requests.
#[track_caller]
fn check_renewal_backoff(line: &str) {
    let gp = ahead_by(two_hours()).line(line);
    let begun = Instant::now();
    let mut child =
        gp.command().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("hint: ") {
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "it ended: {said}");
    }
    let said: String = said.split_inclusive('\n').filter(|line| !line.starts_with("serving ")).collect();
    snapbox::assert_data_eq!(
        said,
        str![[r#"
warning: by this machine's clock, which is 2 h ahead of AWS, the new credentials expired 60 min ago: set this machine's clock, for example with `sudo timedatectl set-ntp true`
warning: could not renew the credentials; the old ones expired 60 min ago
error: by this machine's clock, which is 2 h ahead of AWS, the new credentials expired 60 min ago
hint: set this machine's clock, for example with `sudo timedatectl set-ntp true`

"#]]
    );
    thread::sleep(Duration::from_secs(6).saturating_sub(begun.elapsed()));
    let asked = gp.workspace().sts_requests().len();
    // The pauses are at least 1, 2, 4 … s.
    let earliest = (1 << (asked - 1)) - 1;
    let elapsed = begun.elapsed().as_secs();
    assert!(asked >= 2 && earliest <= elapsed, "{asked} requests in {elapsed} s");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    child.wait().unwrap();
}

#[test]
fn an_endpoint_does_not_renew_in_a_loop_if_the_clock_is_ahead() {
    check_renewal_backoff("idp serve aws");
}

#[test]
fn a_served_command_does_not_renew_in_a_loop_if_the_clock_is_ahead() {
    check_renewal_backoff("idp exec aws --serve -- sleep 60");
}

#[test]
fn credentials_that_look_expired_come_with_a_warning() {
    let nearly = SignedDuration::from_mins(56) + SignedDuration::from_secs(30);
    for line in [
        "idp login aws --format process",
        "idp login aws --format json",
        "idp login aws --format env",
        "idp login aws",
        "idp exec aws -- true",
    ] {
        let ran = ahead_by(two_hours()).line(line).run();
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let expected = "warning: by this machine's clock, which is 2 h ahead of AWS, the new credentials expired 60 min ago: set this machine's clock, for example with `sudo timedatectl set-ntp true`\n";
        assert_eq!(ran.stderr, expected, "{line}");
        let ran = ahead_by(nearly).line(line).run();
        let expected = "warning: by this machine's clock, which is 56 min ahead of AWS, the new credentials expire in 3 min: set this machine's clock, for example with `sudo timedatectl set-ntp true`\n";
        assert_eq!(ran.stderr, expected, "{line}");
        assert_eq!(ahead_by(SignedDuration::ZERO).line(line).run().stderr, "", "{line}");
    }
}

#[test]
fn a_token_that_looks_expired_comes_with_a_warning() {
    let said = |difference, line: &str| {
        let ran = ahead_by(difference).line(line).run();
        assert_eq!(ran.code, 0, "{line}: {}", ran.stderr);
        ran.stderr
    };
    for line in [
        "idp token --audience x",
        "idp token --audience x --output token",
        "idp exec token --audience x -- true",
        "idp login azure",
    ] {
        let expired = said(two_hours(), line);
        let expected = "warning: by this machine's clock, which is 2 h ahead of the issuer, the new token expired 60 min ago: set this machine's clock, for example with `sudo timedatectl set-ntp true`\n";
        assert!(expired.starts_with(expected), "{line}: {expired}");
        let early = said(-two_hours(), line);
        let expected = "warning: the clock of this machine is 2 h behind the issuer, so tools will use the new token for too long: correct the clock\n";
        assert!(early.starts_with(expected), "{line}: {early}");
        assert!(!said(SignedDuration::ZERO, line).contains("warning"), "{line}");
    }
    assert_eq!(said(two_hours(), "idp token --audience x --decode"), "");
}

#[test]
fn a_token_file_is_kept_by_the_clock_of_the_issuer() {
    let gp = ahead_by(two_hours()).line("idp token --audience x --output token --keep-fresh");
    let mut child =
        gp.command().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while said.lines().count() < 2 {
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "it ended: {said}");
    }
    snapbox::assert_data_eq!(
        said,
        str![[r#"
keeping token fresh until interrupted
warning: by this machine's clock, which is 2 h ahead of the issuer, the new token expired 60 min ago: set this machine's clock, for example with `sudo timedatectl set-ntp true`

"#]]
    );
    let token = std::fs::read(gp.home().join("token")).unwrap();
    thread::sleep(Duration::from_secs(2));
    assert_eq!(std::fs::read(gp.home().join("token")).unwrap(), token, "it is not renewed yet");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    child.wait().unwrap();
}
