//! All commands: stdout contains only data, and stderr everything else.

use std::io::Read;
use std::process::Stdio;

use gp_idp::dev::{OauthOptions, Options, PreparedReply};

use crate::support::Gp;

#[test]
fn a_closed_pipe_is_no_error() {
    for line in ["idp token --audience x", "--help", "completion bash"] {
        let gp = Gp::in_workspace().line(line);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut child = gp.command().stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        gp.check_stderr(&stderr);
        assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""), "{line}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let gp = Gp::in_workspace().line("idp token --audience x");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = gp.command().stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    let stderr = String::from_utf8(output.stderr).unwrap();
    gp.check_stderr(&stderr);
    snapbox::assert_data_eq!(
        stderr,
        snapbox::str![[r#"
error: could not write to standard output
  caused by: No space left on device (os error 28)
hint: free some space, or send the output to another place

"#]]
    );
}

#[test]
fn colours_follow_the_environment() {
    let failing = || Gp::new().line("idp decode x");
    let plain = failing().run().stderr;
    assert!(plain.starts_with("error: could not decode the token\n"), "{plain}");
    let forced = failing().env("CLICOLOR_FORCE", "1").run().stderr;
    assert!(forced.starts_with("\x1b[1;31merror:\x1b[0m could"), "{forced:?}");
    let refused = failing().env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").run().stderr;
    assert_eq!(refused, plain);
    // clap's own messages follow it too.
    let usage = Gp::new().line("idp token").env("CLICOLOR_FORCE", "1").run().stderr;
    assert!(usage.contains('\x1b'), "{usage:?}");
    assert!(!Gp::new().line("idp token").run().stderr.contains('\x1b'));
}

/// Characters that control a terminal or deceive its reader.
const UNSAFE: &str = "a\u{1b}[2J\u{9b}31m\u{202e}\u{200b}b";

#[test]
fn control_characters_in_data_are_escaped_on_a_terminal_and_kept_in_a_pipe() {
    let reply = format!(r#"{{"access_token": "given", "token_type": "{UNSAFE}", "scope": "{UNSAFE}"}}"#);
    let reply = PreparedReply::json(200, reply.replace('\u{1b}', "\\u001b").replace('\u{9b}', "\\u009b"));
    let options = || Options {
        subject: Some(UNSAFE.to_owned()),
        oauth: OauthOptions { prepared_replies: vec![reply.clone(); 2], ..OauthOptions::default() },
        ..Options::default()
    };
    for (line, variables) in [
        ("idp token --audience x --format json", &[][..]),
        ("idp token --audience x --decode", &[]),
        ("idp exchange --audience oauth --format json", &[]),
        ("idp login azure --format env --output ODD", &[]),
        ("idp login vault --format json", &[]),
        ("idp login vault --format env", &[]),
        ("idp login aws --format env", &[("AWS_REGION", "eu-west-1")]),
        ("idp login aws --format json", &[]),
        ("idp login gcp --format json", &[]),
        ("idp login gcp --format env", &[]),
    ] {
        let gp = Gp::in_workspace_of(options());
        let odd_file = format!("{}/{UNSAFE}", gp.home().display());
        let gp = line.split(' ').fold(gp, |gp, word| gp.arg(word.replace("ODD", &odd_file)));
        let gp = variables
            .iter()
            .fold(gp, |gp, (name, value)| gp.env(name, *value))
            .at_time("2026-11-23T12:00:00Z");
        let piped = gp.run();
        assert_eq!(piped.code, 0, "{line}: {}", piped.stderr);
        let shown = gp.on_terminal().run();
        assert_eq!(shown.code, 0, "{line}: {}", shown.stderr);
        let has_unsafe = |text: &str| {
            text.chars().any(|c| {
                (c.is_control() && c != '\n') || UNSAFE.chars().any(|odd| !odd.is_ascii() && c == odd)
            })
        };
        assert!(!has_unsafe(&shown.stdout), "{line}: {:?}", shown.stdout);
        // stderr has the colours of `gp`, but no injected sequence.
        assert!(
            !shown.stderr.contains("[2J\u{9b}") && !shown.stderr.contains('\u{202e}'),
            "{line}: {:?}",
            shown.stderr
        );
        // The pipe gets the original characters.
        let has_none = ["aws", "gcp", "vault"].iter().any(|target| line.contains(target));
        if !has_none {
            assert!(piped.stdout.contains('\u{202e}'), "{line}: {:?}", piped.stdout);
        }
    }
}

#[test]
fn control_characters_in_arguments_are_escaped() {
    for line in [
        vec!["idp", "token", "--audience", "a\x1b]0;x\x07b\nerror: z"],
        vec!["idp", "token", "a\x1b]0;x\x07b\nerror: z"],
        vec!["idp", "a\x1b]0;x\x07b\nerror: fake"],
        vec!["idp", "token", "--timeout", "\u{202e}x\nerror: y"],
    ] {
        let ran = line.into_iter().fold(Gp::new(), Gp::arg).run();
        assert_eq!(ran.code, 2);
        let odd = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!ran.stderr.contains(odd), "{:?}", ran.stderr);
        assert_eq!(ran.stderr.lines().filter(|line| line.starts_with("error:")).count(), 1, "{}", ran.stderr);
    }
}
