//! The audit log: which lines each command writes, and what a command does if it cannot write
//! them. `Gp::run` checks in every test that the log contains no secret.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;

use serde_json::Value;
use snapbox::str;

use crate::support::{Gp, ask_endpoint, skip};

/// The values of a line that are the same in every run.
fn summary(line: &Value) -> String {
    let members = ["event", "result", "error", "exit", "command", "target", "role", "mount", "account"];
    let more = ["session_name", "what", "recipient", "recipient_name"];
    let shown = |name: &&str| match &line[*name] {
        Value::Null => None,
        // The default session name ends with the time; a path may contain the folder of the run.
        Value::String(text) if *name == "session_name" && text.starts_with("gitpodio-") => {
            Some(format!("{}-[TIME]", text.rsplit_once('-').unwrap().0))
        }
        Value::String(text) => {
            let part =
                |part: &str| if part.starts_with("gp-idp-run-") { "[RUN]".into() } else { part.to_owned() };
            Some(text.split('/').map(part).collect::<Vec<_>>().join("/"))
        }
        other => Some(other.to_string()),
    };
    members.iter().chain(&more).filter_map(shown).collect::<Vec<_>>().join(" · ")
}

#[test]
#[allow(clippy::too_many_lines, reason = "most of them are a snapshot")]
fn every_command_writes_its_lines_into_the_audit_log() {
    let lines = [
        "token --audience x",
        "token --audience x --format json",
        "token --audience x --decode",
        "token --audience x --output token.jwt",
        "gcloud-token --audience x --timeout 30s",
        "exec token --audience x -- true",
        "exec token --audience x -- no-such-program",
        "login aws",
        "login-aws --format json --role-session-name deploy",
        "login aws --format process",
        // From the cache.
        "login aws --format process",
        "exec aws -- true",
        "exec aws --serve -- true",
        "exchange --audience oauth",
        "exec exchange --audience oauth -- true",
        "login vault --role demo",
        "login vault --role demo --format json",
        "exec vault --role demo -- true",
        "login azure",
        "login azure --format access-token",
        "exec azure -- true",
        "login gcp --format access-token",
        "login gcp --file-sourced",
        "login gcp",
        "exec gcp -- true",
        "login kubernetes --audience kubernetes",
        "trust aws --role-arn arn:aws:iam::123456789012:role/demo",
        "doctor",
        "doctor aws",
        "token --audience x --source github",
    ];
    let mut found = String::new();
    let gp = lines.into_iter().fold(Gp::in_workspace(), |gp, line| {
        let before = gp.audit_log().len();
        let gp = gp.with_line(&format!("idp {line}"));
        let code = gp.run().code;
        let home = gp.home().display().to_string();
        let log: Vec<String> = gp.audit_log()[before..]
            .iter()
            .map(|line| format!("  {}\n", summary(line).replace(&home, "[HOME]")))
            .collect();
        found.extend([format!("{line} → {code}\n"), log.concat()]);
        gp
    });
    drop(gp);
    snapbox::assert_data_eq!(
        found,
        str![[r#"
token --audience x → 0
  mint · ok · token
  hand-over · ok · token · id-token · stdout
token --audience x --format json → 0
  mint · ok · token
  hand-over · ok · token · id-token · stdout
token --audience x --decode → 0
  mint · ok · token
token --audience x --output token.jwt → 0
  mint · ok · token
  hand-over · ok · token · id-token · file · [HOME]/token.jwt
gcloud-token --audience x --timeout 30s → 0
  mint · ok · gcloud-token · gcp
  hand-over · ok · gcloud-token · gcp · id-token · stdout
exec token --audience x -- true → 0
  mint · ok · exec token
  hand-over · ok · exec token · id-token · child · true
exec token --audience x -- no-such-program → 127
  mint · ok · exec token
  hand-over · ok · exec token · id-token · child · no-such-program
  hand-over · error · failed · 1 · exec token · id-token · child · no-such-program
login aws → 0
  mint · ok · login aws · aws
  exchange · ok · login aws · aws · arn:aws:iam::123456789012:role/dev · 123456789012 · gitpodio-example-0123456789a-[TIME]
  hand-over · ok · login aws · aws · arn:aws:iam::123456789012:role/dev · 123456789012 · gitpodio-example-0123456789a-[TIME] · credential · file · [HOME]/.aws/credentials
login-aws --format json --role-session-name deploy → 0
  mint · ok · login aws · aws
  exchange · ok · login aws · aws · arn:aws:iam::123456789012:role/dev · 123456789012 · deploy
  hand-over · ok · login aws · aws · arn:aws:iam::123456789012:role/dev · 123456789012 · deploy · credential · stdout
login aws --format process → 0
  mint · ok · login aws · aws
  exchange · ok · login aws · aws · arn:aws:iam::123456789012:role/dev · 123456789012 · gitpodio-example-0123456789a-[TIME]
  hand-over · ok · login aws · aws · arn:aws:iam::123456789012:role/dev · 123456789012 · gitpodio-example-0123456789a-[TIME] · credential · stdout
login aws --format process → 0
  hand-over · ok · login aws · aws · arn:aws:iam::123456789012:role/dev · 123456789012 · gitpodio-example-0123456789a-[TIME] · credential · stdout
exec aws -- true → 0
  mint · ok · exec aws · aws
  exchange · ok · exec aws · aws · arn:aws:iam::123456789012:role/dev · 123456789012 · gitpodio-example-0123456789a-[TIME]
  hand-over · ok · exec aws · aws · arn:aws:iam::123456789012:role/dev · 123456789012 · gitpodio-example-0123456789a-[TIME] · credential · child · true
exec aws --serve -- true → 0
  mint · ok · exec aws · aws
  exchange · ok · exec aws · aws · arn:aws:iam::123456789012:role/dev · 123456789012 · gitpodio-example-0123456789a-[TIME]
exchange --audience oauth → 0
  mint · ok · exchange · exchange
  exchange · ok · exchange · exchange
  hand-over · ok · exchange · exchange · credential · stdout
exec exchange --audience oauth -- true → 0
  mint · ok · exec exchange · exchange
  exchange · ok · exec exchange · exchange
  hand-over · ok · exec exchange · exchange · credential · child · true
login vault --role demo → 0
  mint · ok · login vault · vault
  exchange · ok · login vault · vault · demo · jwt
  hand-over · ok · login vault · vault · demo · jwt · credential · file · [HOME]/.vault-token
login vault --role demo --format json → 0
  mint · ok · login vault · vault
  exchange · ok · login vault · vault · demo · jwt
  hand-over · ok · login vault · vault · demo · jwt · credential · stdout
exec vault --role demo -- true → 0
  mint · ok · exec vault · vault
  exchange · ok · exec vault · vault · demo · jwt
  hand-over · ok · exec vault · vault · demo · jwt · credential · child · true
login azure → 0
  mint · ok · login azure · azure
  hand-over · ok · login azure · azure · id-token · file · [HOME]/.cache/gp-idp/AzureADTokenExchange.jwt
login azure --format access-token → 0
  mint · ok · login azure · azure
  exchange · ok · login azure · azure · 00000000-0000-4000-8000-00000000000b
  hand-over · ok · login azure · azure · 00000000-0000-4000-8000-00000000000b · credential · stdout
exec azure -- true → 0
  mint · ok · exec azure · azure
  exchange · ok · exec azure · azure · 00000000-0000-4000-8000-00000000000b
  hand-over · ok · exec azure · azure · id-token · file · [HOME]/.cache/gp-idp/[RUN]/token.jwt
login gcp --format access-token → 0
  mint · ok · login gcp · gcp
  exchange · ok · login gcp · gcp
  hand-over · ok · login gcp · gcp · credential · stdout
login gcp --file-sourced → 0
  mint · ok · login gcp · gcp
  exchange · ok · login gcp · gcp
  hand-over · ok · login gcp · gcp · id-token · file · [HOME]/.config/gcloud/application_default_credentials.jwt
login gcp → 0
  mint · ok · login gcp · gcp
  exchange · ok · login gcp · gcp
exec gcp -- true → 0
  mint · ok · exec gcp · gcp
  exchange · ok · exec gcp · gcp
login kubernetes --audience kubernetes → 0
  mint · ok · login kubernetes · kubernetes
trust aws --role-arn arn:aws:iam::123456789012:role/demo → 0
  mint · ok · trust aws · aws
doctor → 0
  mint · ok · doctor
doctor aws → 0
  mint · ok · doctor aws · aws
  mint · ok · doctor aws · aws
  exchange · ok · doctor aws · aws · arn:aws:iam::123456789012:role/dev · 123456789012 · gitpodio-example-0123456789a-[TIME]
token --audience x --source github → 3

"#]]
    );
}

#[test]
fn audit_lines_have_the_expected_members_and_no_secret() {
    let gp = Gp::in_workspace().line("idp login aws --format json --audience sts.amazonaws.com");
    let printed: Value = serde_json::from_str(&gp.run().success()).unwrap();
    let log = gp.audit_log();
    let [mint, exchange, hand_over] = &log[..] else { panic!("{log:?}") };
    for line in &log {
        let time: jiff::Timestamp = line["time"].as_str().unwrap().parse().unwrap();
        let age = jiff::Timestamp::now().duration_since(time);
        assert!((0..60).contains(&age.as_secs()), "{line}");
        assert!(line["time"].as_str().unwrap().ends_with('Z'), "{line}");
        assert_eq!(line["command"], "login aws");
        assert_eq!(line["source"], "supervisor");
        assert_eq!(line["issuer"], gp.workspace().issuer());
        assert_eq!(line["audience"], serde_json::json!(["sts.amazonaws.com"]));
        assert!(line["subject"].as_str().is_some_and(|subject| subject.starts_with("https://")), "{line}");
        #[cfg(target_os = "linux")]
        assert_eq!(line["parent"], fs::read_to_string("/proc/self/comm").unwrap().trim_end());
    }
    assert!(mint.get("role").is_none() && mint.get("recipient").is_none(), "{mint}");
    for line in [exchange, hand_over] {
        assert_eq!(line["expires_at"], printed["Expiration"]);
        assert_eq!(line["account"], printed["AccountId"]);
        assert_eq!(line["role"], gp_idp::dev::DEV_ROLE);
        let arn = printed["AssumedRoleArn"].as_str().unwrap();
        assert!(arn.ends_with(&format!("/{}", line["session_name"].as_str().unwrap())), "{line}");
    }
    // The log contains neither the secrets nor the access key ID.
    let text = log.iter().map(Value::to_string).collect::<String>();
    for secret in ["AccessKeyId", "SecretAccessKey", "SessionToken"] {
        assert!(!text.contains(printed[secret].as_str().unwrap()), "{secret} in {text}");
    }
}

#[test]
fn lines_of_a_hundred_processes_are_whole() {
    let gp = Gp::in_workspace().line("idp login aws --format process --no-cache");
    let start = |_| {
        let mut command = gp.command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..100).map(start).collect();
    let pids: BTreeSet<u64> = children.iter().map(|child| child.id().into()).collect();
    let mut keys = Vec::new();
    for child in children {
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
        let printed: Value = serde_json::from_slice(&ended.stdout).unwrap();
        keys.push(printed["SecretAccessKey"].as_str().unwrap().to_owned());
    }
    let log = gp.audit_log();
    for event in ["mint", "exchange", "hand-over"] {
        let of_event = log.iter().filter(|line| line["event"] == event);
        let found: Vec<u64> = of_event.map(|line| line["pid"].as_u64().unwrap()).collect();
        assert_eq!((found.len(), found.into_iter().collect::<BTreeSet<_>>()), (100, pids.clone()), "{event}");
    }
    assert_eq!(log.len(), 300);
    let text = log.iter().map(Value::to_string).collect::<String>();
    assert!(keys.iter().all(|key| !text.contains(key)));
}

#[test]
fn a_log_that_cannot_be_opened() {
    let gp = Gp::in_workspace().line("idp token --audience x");
    let log = gp.home().join("folder");
    fs::create_dir(&log).unwrap();
    let gp = gp.env("IDP_AUDIT_LOG", &log);
    let ran = gp.run();
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.starts_with("eyJ"));
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
warning: the audit log [HOME]/folder cannot be written: [HOME]/folder is a folder

"#]]
    );
    // No token is requested: without a workspace, a request would give another error.
    let gp = gp.env("IDP_AUDIT_REQUIRED", "1").stop_workspace();
    gp.run().failure(
        7,
        str![[r#"
error: could not open the audit log
  caused by: the audit log [HOME]/folder cannot be written
  caused by: [HOME]/folder is a folder
hint: use `--audit-log FILE` with a file that you may write to
hint: to run the command without the log, leave out `--audit-required`

"#]],
    );
    let gp = gp.env("IDP_AUDIT_REQUIRED", "").line("--audit-required --audit-log .");
    gp.run().failure(
        7,
        str![[r#"
error: could not open the audit log
  caused by: the audit log . cannot be written
  caused by: . is a folder
hint: use `--audit-log FILE` with a file that you may write to
hint: to run the command without the log, leave out `--audit-required`

"#]],
    );
}

#[test]
fn a_log_that_is_full() {
    if !fs::exists("/dev/full").unwrap() {
        return skip("there is no /dev/full");
    }
    let gp = Gp::in_workspace().line("idp token --audience x --audit-log /dev/full");
    let ran = gp.run();
    assert_eq!((ran.code, ran.stdout.starts_with("eyJ")), (0, true), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("warning: the audit log /dev/full cannot be written").count(), 1);
    let required = gp.line("--audit-required");
    required.run().failure(
        7,
        str![[r#"
error: could not mint an ID token for `x`
  caused by: the audit log /dev/full cannot be written
  caused by: No space left on device (os error 28)
hint: free space there, or use `--audit-log FILE` with a file on another disk
hint: to run the command without the log, leave out `--audit-required`

"#]],
    );
    let file = required.with_line("idp login aws --audit-log /dev/full --audit-required");
    assert_eq!(file.run().code, 7);
    assert!(!file.home().join(".aws/credentials").exists());
}

#[test]
fn long_lines_are_cut_to_fit_one_write() {
    // The characters of the second text are written as `\uXXXX`, which is six times as long.
    for long in ["ü\"", "$`"] {
        let gp = Gp::in_workspace().line("idp token --audit-log log");
        let gp = (0..12).fold(gp, |gp, _| gp.arg("--audience").arg(long.repeat(300)));
        gp.run().success();
        let log = fs::read_to_string(gp.home().join("log")).unwrap();
        assert_eq!(log.lines().count(), 2);
        for line in log.split_inclusive('\n') {
            assert!(line.len() < 4096, "{line}");
            let line: Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["cut"], true);
            assert_eq!(line["audience"].as_array().unwrap().len(), 8);
            assert!(line["audience"][0].as_str().unwrap().starts_with(&long.repeat(2)), "{line}");
        }
    }
}

#[test]
fn a_line_that_was_cut_off_is_ended_before_the_next_one() {
    let gp = Gp::in_workspace().line("idp token --audience x --audit-log log");
    let log = gp.home().join("log");
    let cut = r#"{"time":"2026-11-23T12:00:00.000Z","even"#;
    fs::write(&log, cut).unwrap();
    gp.run().success();
    gp.run().success();
    let text = fs::read_to_string(&log).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    assert_eq!(first, cut);
    let events = rest.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["event"].clone());
    assert_eq!(events.collect::<Vec<_>>(), ["mint", "hand-over", "mint", "hand-over"]);
}

#[test]
fn a_log_needs_no_read_permission() {
    let gp = Gp::in_workspace().line("idp token --audience x --audit-log log");
    let log = gp.home().join("log");
    fs::write(&log, "unread\n").unwrap();
    fs::set_permissions(&log, fs::Permissions::from_mode(0o200)).unwrap();
    if fs::read(&log).is_ok() {
        return skip("root reads every file");
    }
    gp.run().success();
    fs::set_permissions(&log, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), 3);
}

#[test]
fn a_pipe_without_a_reader_is_refused_as_a_log() {
    let gp = Gp::in_workspace().line("idp token --audience x --audit-log pipe --audit-required");
    let path = gp.home().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, 0o600.into()).unwrap();
    let ran = gp.run();
    assert_eq!(ran.code, 7);
    assert!(ran.stderr.contains("No such device or address"), "{}", ran.stderr);
}

#[test]
fn a_tilde_in_the_path_is_the_home_folder() {
    let elsewhere = tempfile::tempdir().unwrap();
    let gp = Gp::in_workspace().line("idp token --audience x");
    let mut command = gp.command();
    command.current_dir(elsewhere.path());
    for name in ["~/log", "log"] {
        assert!(command.env("IDP_AUDIT_LOG", name).output().unwrap().status.success());
    }
    for folder in [gp.home(), elsewhere.path()] {
        assert_eq!(
            fs::read_dir(folder)
                .unwrap()
                .filter(|entry| entry.as_ref().unwrap().file_name() == "log")
                .count(),
            1
        );
    }
    let gp = gp.with_line("idp login aws --credential-process --audit-log ~/log");
    gp.run().success();
    let config = fs::read_to_string(gp.home().join(".aws/config")).unwrap();
    assert!(config.contains(&format!("--audit-log={}", gp.home().join("log").display())), "{config}");
    let gp = gp.with_line("idp token --audience x --audit-log ~/log").env("HOME", "here");
    assert_eq!(gp.run().code, 2);
}

#[test]
fn a_new_log_is_private_and_a_symlink_is_kept() {
    let gp = Gp::in_workspace().line("idp token --audience x --audit-log link");
    let (link, log) = (gp.home().join("link"), gp.home().join("logs/audit"));
    symlink("logs/audit", &link).unwrap();
    gp.run();
    gp.run();
    assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(link.is_symlink());
    assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), 4);
}

#[test]
fn the_log_can_be_stderr_or_syslog() {
    let gp = Gp::in_workspace().line("idp token --audience x --audit-log stderr");
    let lines: Vec<Value> = gp.run().stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|line| &line["event"]).collect::<Vec<_>>(), ["mint", "hand-over"]);

    let socket = gp.home().join("socket");
    let system = UnixDatagram::bind(&socket).unwrap();
    let gp = gp.with_line(&format!("idp token --audience x --audit-log syslog:{}", socket.display()));
    gp.run().success();
    for event in ["mint", "hand-over"] {
        let mut bytes = [0; 8192];
        let length = system.recv(&mut bytes).unwrap();
        let text = str::from_utf8(&bytes[..length]).unwrap();
        let (head, json) = text.split_once(": ").unwrap();
        // `<86>Nov 23 12:00:00 gp-idp[123]`
        assert!(head.starts_with("<86>") && head.contains(" gp-idp["), "{text}");
        let json: Value = serde_json::from_str(json).unwrap();
        assert_eq!(json["event"], event);
        assert!(head.ends_with(&format!("gp-idp[{}]", json["pid"])), "{text}");
    }
    drop(system);
    let ran = gp.run();
    assert_eq!(ran.code, 0);
    assert!(ran.stderr.contains("warning: the audit log"), "{}", ran.stderr);
    assert_eq!(gp.line("--audit-required").run().code, 7);
}

#[test]
fn the_endpoint_gives_no_credentials_if_the_log_cannot_be_written() {
    let gp = Gp::in_workspace().line("idp serve aws --audit-required --audit-log log");
    let log = gp.home().join("log");
    let mut child = gp.command().stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut value = || {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        line.trim_end().split_once('=').unwrap().1.trim_matches('\'').to_owned()
    };
    let (url, token) = (value(), value());
    let ask = || ask_endpoint(&url, &token);
    let events = || -> Vec<String> {
        let lines = fs::read_to_string(&log).unwrap();
        lines.lines().map(|line| summary(&serde_json::from_str(line).unwrap())).collect()
    };
    let answers = [ask(), ask()];
    let lines = events();
    fs::remove_file(&log).unwrap();
    fs::create_dir(&log).unwrap();
    let refused = ask();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(answers.iter().all(|reply| reply.contains("SecretAccessKey")), "{answers:?}");
    assert!(lines[2..].iter().all(|line| line.ends_with("client")) && lines.len() == 4, "{lines:?}");
    assert!(refused.starts_with("HTTP/1.1 500") && !refused.contains("SecretAccessKey"), "{refused}");
}

#[test]
fn invalid_audit_settings_are_refused() {
    let gp = || Gp::in_workspace().line("idp token --audience x");
    gp().env("IDP_AUDIT_REQUIRED", "yes").run().failure(
        2,
        str![[r#"
error: could not mint an ID token for `x`
  caused by: `IDP_AUDIT_REQUIRED`: write `1` or `0`

"#]],
    );
    gp().env("IDP_AUDIT_LOG", "").line("--audit-required").run().failure(
        2,
        str![[r#"
error: could not mint an ID token for `x`
  caused by: no audit log is set
hint: `--audit-required` or `IDP_AUDIT_REQUIRED` needs a log: set `--audit-log FILE` or `IDP_AUDIT_LOG`

"#]],
    );
    for off in ["0", "false", ""] {
        gp().env("IDP_AUDIT_REQUIRED", off).env("IDP_AUDIT_LOG", "").run().success();
    }
}

/// There is a `mint` line only if `gp` has sent a request for a token.
#[test]
fn settings_that_the_source_refuses_are_not_logged_as_a_mint() {
    for (line, code) in [
        ("token --audience x --source github --scope y", 2),
        ("doctor --audience x --audience y --source github", 2),
        ("doctor --source github --audience x", 6),
    ] {
        let gp = Gp::new()
            .line(&format!("idp {line} --timeout 1s"))
            .env("ACTIONS_ID_TOKEN_REQUEST_URL", "http://127.0.0.1:9/token")
            .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "secret-request-token");
        let ran = gp.run();
        assert_eq!(ran.code, code, "{line}: {}", ran.stderr);
        let log: Vec<String> = gp.audit_log().iter().map(summary).collect();
        let expected = if code == 6 { vec!["mint · error · network · 6 · doctor"] } else { vec![] };
        assert_eq!(log, expected, "{line}");
    }
}

#[test]
fn a_refusal_is_in_the_log() {
    let gp = Gp::in_workspace()
        .line("idp login aws --format json --role-arn arn:aws:iam::123456789012:role/other");
    assert_eq!(gp.run().code, 5);
    let log = gp.audit_log();
    let lines: Vec<String> = log.iter().map(summary).collect();
    assert_eq!(log.last().unwrap()["exit"], 5);
    snapbox::assert_data_eq!(
        lines.join("\n"),
        str![[r#"
mint · ok · login aws · aws
exchange · error · target-refused · 5 · login aws · aws · arn:aws:iam::123456789012:role/other · 123456789012
"#]]
    );
}

#[test]
fn a_command_in_a_written_file_has_the_audit_flags() {
    let flags = "--audit-required --audit-log log";
    let gp = Gp::in_workspace().line("idp login aws --credential-process").line(flags);
    gp.run().success();
    let gp = gp.with_line("idp login gcp --no-check").line(flags);
    assert_eq!(gp.run().code, 0);
    let gp = gp.with_line("idp login kubernetes --audience kubernetes").line(flags);
    gp.run().success();
    let log = gp.home().join("log");
    for file in [".aws/config", ".config/gcloud/application_default_credentials.json", ".kube/config"] {
        let text = fs::read_to_string(gp.home().join(file)).unwrap();
        assert!(text.contains(&format!("--audit-log={}", log.display())), "{file}: {text}");
        assert!(text.contains("--audit-required"), "{file}: {text}");
    }
}
