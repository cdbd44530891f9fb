//! Typing mistakes: `gp` refuses them, or warns about them, before it sends a request.

use std::fs::{self, File};

use crate::support::Gp;
use crate::support::fault::{API_TOKEN, Fault, Faulty, Step};

#[test]
fn an_audience_with_a_line_break_or_with_spaces_around_it_is_refused() {
    let cases = [
        ("x\n", "it must not contain control characters"),
        ("x\ny", "it must not contain control characters"),
        ("x\r", "it must not contain control characters"),
        ("x ", "it begins or ends with a space"),
        (" x", "it begins or ends with a space"),
    ];
    for (audience, said) in cases {
        for command in ["token", "login aws", "login vault", "exec token", "doctor", "gcloud-token"] {
            let ran = Gp::new().arg("idp").line(command).arg("--audience").arg(audience).run();
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{command} {audience:?}: {}", ran.stderr);
            assert!(ran.stderr.contains(said), "{command} {audience:?}: {}", ran.stderr);
        }
    }
}

#[test]
fn an_audience_that_looks_like_several_is_used_with_a_warning() {
    for audience in ["a,b", "a b"] {
        let gp = Gp::in_workspace().line("idp token --format json --audience").arg(audience);
        let ran = gp.run();
        let token: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(token["audience"], serde_json::json!([audience]));
        let warning = format!("warning: `{audience}` is one audience; for several, repeat `--audience`\n");
        assert_eq!(ran.stderr, warning);
        assert_eq!(gp.arg("--quiet").run().stderr, "");
    }
    let long = format!("a,{}", "x".repeat(900));
    let ran = Gp::in_workspace().line("idp token --audience").arg(long).run();
    assert!(ran.stderr.starts_with("warning: `a,x") && ran.stderr.len() < 300, "{}", ran.stderr);
    // A command warns once, however many tokens it mints.
    let login =
        Gp::in_workspace().line("idp login aws --format json --audience sts.amazonaws.com --audience a,b,c");
    assert_eq!(login.run().stderr.matches("is one audience").count(), 1);
}

#[test]
fn a_long_audience_is_refused_in_one_line() {
    let ran = Gp::new().line("idp token --audience").arg("x".repeat(100_000)).run();
    assert_eq!(ran.code, 2);
    let shown = format!("error: invalid value '{}…' for '--audience <AUDIENCE>'", "x".repeat(200));
    let said = "it has 100000 characters, but an audience has at most 1000";
    assert_eq!(ran.stderr.lines().next(), Some(format!("{shown}: {said}").as_str()));
    Gp::in_workspace().line("idp token --audience").arg("x".repeat(1000)).run().success();
}

#[test]
fn no_message_repeats_more_than_200_characters_of_the_input() {
    let long = "x".repeat(3000);
    let lines = [
        vec!["idp", "LONG"],
        vec!["idp", "token", "LONG"],
        vec!["idp", "token", "--LONG"],
        vec!["idp", "token", "--audience", "x", "--source", "LONG"],
        vec!["idp", "token", "--audience", "x", "--output", "/dev/null/LONG"],
        vec!["idp", "token", "--audience=x", "--output=LONG"],
        vec!["idp", "login", "aws", "--role-arn", "LONG"],
        vec!["idp", "login", "aws", "--role-arn", "arn:aws:iam::123456789012:role/LONG"],
        vec!["idp", "login", "vault", "--address", "https://LONG"],
        vec!["idp", "exec", "token", "--audience", "x", "--", "LONG"],
        vec!["idp", "verify", "--audience", "x", "--jwks", "LONG", "a.b.c"],
        vec!["idp", "trust", "aws", "--check", "LONG"],
        vec!["idp", "doctor", "--audience", "x", "aws", "--role-arn", "LONG"],
    ];
    for line in lines {
        for format in ["text", "json"] {
            let gp = Gp::in_workspace().env("IDP_ERROR_FORMAT", format);
            let ran = line.iter().fold(gp, |gp, word| gp.arg(word.replace("LONG", &long))).run();
            assert_ne!(ran.code, 0, "{line:?}");
            assert!(!ran.stderr.contains(&"x".repeat(201)), "{line:?} {format}: {}", ran.stderr);
        }
    }
    let of_variable = Gp::in_workspace().env("IDP_AWS_ROLE_ARN", &long).line("idp login aws").run();
    assert_eq!(of_variable.code, 2);
    assert!(!of_variable.stderr.contains(&"x".repeat(201)), "{}", of_variable.stderr);
}

#[test]
fn invalid_numbers_and_times_are_refused_with_the_expected_form() {
    let cases = [
        ("login aws --duration-seconds 1h", "write it in seconds, without a unit, like `3600`"),
        ("login aws --duration-seconds 15m", "write it in seconds, without a unit, like `900`"),
        ("login aws --duration-seconds x", "write it in seconds, without a unit, like `3600`"),
        ("serve aws --port abc", "write a port number from 0 to 65535, like `8080`"),
        ("dev --port 99999", "write a port number from 0 to 65535, like `8080`"),
        ("token --audience x --timeout -5s", "write it like `30s`, `2m` or `1h`"),
        ("gcloud-token --audience x --timeout -5s", "write it like `30s`, `2m` or `1h`"),
        ("dev --aws-max-session-duration 1h", "write it in seconds, without a unit, like `3600`"),
    ];
    for (line, said) in cases {
        let ran = Gp::new().arg("idp").line(line).run();
        assert_eq!(ran.code, 2, "{line}");
        assert!(ran.stderr.lines().next().unwrap().ends_with(said), "{line}: {}", ran.stderr);
    }
}

#[test]
fn an_unknown_target_lists_the_targets() {
    for (line, said) in [
        ("login nonsense", "the targets are aws, kubernetes, gcp, azure, vault"),
        ("exec nonsense -- true", "the targets are token, exchange, aws, gcp, azure, vault"),
        ("trust nonsense", "the targets are aws, vault, gcp, azure, kubernetes"),
        ("logout nonsense", "the only target is vault"),
        ("serve nonsense", "the only target is aws"),
        ("--quiet --error-format text trust nonsense", "the targets are aws, vault, gcp, azure, kubernetes"),
        ("nonsense", "the commands are token, decode, verify, login,"),
    ] {
        let ran = Gp::new().arg("idp").line(line).run();
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains(said), "{line}: {}", ran.stderr);
    }
}

#[test]
fn an_option_that_needs_another_one_is_named() {
    for (line, said) in [
        ("token --keep-fresh", "tip: `--keep-fresh` needs `--output <FILE>`"),
        ("--quiet trust aws --role-session-name x", "tip: `--role-session-name` needs `--check <FILE|->`"),
        ("exec --verbose aws --role-arn", "a value is required for '--role-arn <ARN>'"),
    ] {
        let ran = Gp::new().arg("idp").line(line).run();
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains(said), "{line}: {}", ran.stderr);
    }
}

#[test]
fn a_missing_double_dash_is_named() {
    for (line, said) in [
        ("exec aws aws s3 ls", "tip: `--` is missing before the command: `-- aws s3 ls`"),
        (
            "exec vault --role deploy vault status",
            "tip: `--` is missing before the command: `-- vault status`",
        ),
        ("dev bash -l", "tip: `--` is missing before the command: `-- bash -l`"),
        ("exec token --audience x", "tip: the command to run comes after `--`: `-- CMD ARG…`"),
    ] {
        let ran = Gp::new().arg("idp").line(line).run();
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains(said), "{line}: {}", ran.stderr);
    }
    // A misspelled flag is not taken for a command.
    let ran = Gp::new().line("idp exec aws --nonsense -- true").run();
    assert!(!ran.stderr.contains("is missing"), "{}", ran.stderr);
}

#[test]
fn the_error_for_a_misspelled_command_ends_with_a_similar_one() {
    let ran = Gp::new().line("idp tokn").run();
    let last = "hint: unrecognized subcommand 'tokn'; a similar subcommand exists: 'token'; see `--help`\n";
    assert!(ran.code == 2 && ran.stderr.ends_with(last), "{}", ran.stderr);
}

#[test]
fn a_command_on_a_terminal_shows_what_it_waits_for() {
    let waiting = |line: &str| {
        let server = Faulty::always(Step::Mint, Fault::Stall);
        let gp = Gp::new()
            .line("idp token --audience x --timeout 4500ms")
            .line(line)
            .env("SUPERVISOR_ADDR", server.address())
            .env("IDP_API_URL", format!("http://{}", server.address()))
            .secret(API_TOKEN)
            .at_time("2026-11-23T12:00:00Z");
        (gp.with_placeholder(server.address(), "[SERVER]"), server)
    };
    let (gp, _server) = waiting("");
    let ran = gp.on_terminal().run();
    assert_eq!(ran.code, 6);
    let (shown, error) = ran.stderr.rsplit_once('\r').unwrap();
    assert!(error.starts_with("\u{1b}[1;31merror:"), "{error:?}");
    let line = shown.split('\r').find(|line| !line.trim().is_empty()).unwrap();
    // On a busy machine, the first line appears later.
    let expected = [(2, 2), (2, 1), (3, 1), (3, 0)].map(|(waited, left)| {
        format!(
            "\u{1b}[2mgetting an ID token: waiting for [SERVER] ({waited} s, gives up in {left} s)\u{1b}[0m"
        )
    });
    assert!(expected.iter().any(|expected| line == expected), "{line:?}");
    // The line is cleared before the error is printed.
    assert!(shown.ends_with(' '), "{shown:?}");
    for (terminal, flag) in [(false, ""), (true, "--quiet"), (true, "--error-format json")] {
        let (gp, _server) = waiting(flag);
        let ran = if terminal { gp.on_terminal() } else { gp }.run();
        assert!(!ran.stderr.contains("waiting for"), "{flag}: {:?}", ran.stderr);
    }
}

#[test]
fn a_wait_for_another_process_is_shown_on_a_terminal() {
    let gp = Gp::in_workspace();
    let gp = gp.line("idp login aws --timeout 4500ms").at_time("2026-11-23T12:00:00Z");
    let folder = gp.home().join(".aws");
    fs::create_dir(&folder).unwrap();
    let lock = File::create(folder.join("credentials.gp-lock")).unwrap();
    lock.lock().unwrap();
    let ran = gp.on_terminal().run();
    assert_eq!(ran.code, 7, "{}", ran.stderr);
    assert!(ran.stderr.contains("waiting for another `gp` to write "), "{}", ran.stderr);
}

#[test]
fn a_wrong_command_line_gets_a_tip() {
    let cases = [
        ("token", "for example `gp idp token --audience example.org --decode`"),
        ("trust azure --check x", "`gp idp doctor azure` shows why the setup refuses the token"),
        ("--version", "`gp --version` prints the version"),
        ("exec aws --version", "`gp --version` prints the version"),
    ];
    let ran = Gp::new().line("idp trust --check x").run();
    assert!(!ran.stderr.contains("gp idp doctor"), "{}", ran.stderr);
    for (line, tip) in cases {
        let ran = Gp::new().arg("idp").line(line).run();
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains(&format!("  tip: {tip}\n")), "{line}: {}", ran.stderr);
        assert!(ran.stderr.ends_with(&format!("; {tip}; see `--help`\n")), "{line}: {}", ran.stderr);
        // A person reads all lines, so the last one does not repeat the error.
        let gp = Gp::new().arg("idp").line(line).env("NO_COLOR", "1");
        let ran = gp.at_time("2026-11-23T12:00:00Z").on_terminal().run();
        assert!(ran.stderr.ends_with("For more information, try '--help'.\n"), "{line}: {:?}", ran.stderr);
    }
}
