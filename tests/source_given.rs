//! Tokens that another program has minted: in a file, in a variable, in the variables of a GitLab
//! job, printed by a command.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use snapbox::str;

use crate::support::{Gp, program};

const MINT: &str = "idp token --audience x";
const GITLAB: &str = "https://gitlab.example.com";

fn jwt(claims: &Value) -> String {
    format!("eyJhbGciOiJub25lIn0.{}.", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn good() -> String {
    jwt(&json!({"aud": "x"}))
}

/// Texts that are no token for `x`: the text, the exit code, the error and the hint.
fn invalid_tokens() -> Vec<(String, i32, &'static str, &'static str)> {
    vec![
        (" \n".to_owned(), 3, "is empty", ""),
        ("nonsense".to_owned(), 3, "does not contain an ID token", "3 parts separated by dots"),
        ("<!DOCTYPE html><title>Sign in</title>".to_owned(), 3, "does not contain an ID token", "3 parts"),
        (good()[..30].to_owned(), 3, "does not contain an ID token", "3 parts"),
        (
            r#"{"error":"no"}"#.to_owned(),
            3,
            "does not contain an ID token",
            "may also be the member `token` of a JSON object",
        ),
        (format!(r#"{{"token":"{}"#, good()), 3, "does not contain an ID token", "3 parts"),
        (jwt(&json!({"aud": "x", "exp": 1})), 3, "expired", "compare `date -u` with"),
        (jwt(&json!({"aud": "y"})), 4, "a token for `y`, not for `x`", "audience"),
        (jwt(&json!({"aud": ["y", "z"]})), 4, "a token for `y`, `z`, not for `x`", "audience"),
        (jwt(&json!({})), 4, "a token for nobody, not for `x`", "audience"),
    ]
}

/// The accepted forms of a token.
fn forms() -> Vec<String> {
    let token = good();
    let mut forms = vec![token.clone(), format!("  {token}\n\n")];
    for member in ["token", "id_token", "value", "oidcToken"] {
        forms.push(json!({"count": 1, member: token}).to_string());
    }
    // `id_token` takes precedence over another token.
    forms.push(json!({"token": "opaque", "id_token": token}).to_string());
    forms
}

/// Checks that `gp` refuses each of [`invalid_tokens`]. `place` passes the text to `gp`.
#[track_caller]
fn check_invalid_tokens(place: impl Fn(&str) -> Gp) {
    for (text, code, said, fix) in invalid_tokens() {
        let ran = place(&text).run();
        assert_eq!(ran.code, code, "{text:?}: {}", ran.stderr);
        let (error, hint) = ran.stderr.split_once("\nhint: ").unwrap();
        assert!(error.contains(said), "{text:?}: {}", ran.stderr);
        assert!(hint.contains(fix), "{text:?}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{text:?}");
    }
}

fn file(text: &str) -> (Gp, PathBuf) {
    let gp = Gp::new();
    let path = gp.home().join("token");
    fs::write(&path, text).unwrap();
    let source = format!("--source=file:{}", path.display());
    (gp.line(MINT).arg(source), path)
}

fn variable(value: &str) -> Gp {
    Gp::new().line(MINT).line("--source env:MY_TOKEN").env("MY_TOKEN", value)
}

/// A program with this script, as the command of a source.
fn command(script: &str) -> Gp {
    let gp = Gp::new();
    let path = gp.home().join("program");
    program(&path, format!("#!/bin/sh\n{script}\n"));
    let source = format!("--source=command:{}", path.display());
    gp.line(MINT).arg(source)
}

fn printing(text: &str) -> Gp {
    command(&format!("cat <<'END'\n{text}\nEND"))
}

#[test]
fn every_form_of_a_token_is_read() {
    for form in forms() {
        let expected = format!("{}\n", good());
        assert_eq!(file(&form).0.run().success(), expected, "{form}");
        assert_eq!(variable(&form).run().success(), expected, "{form}");
        assert_eq!(printing(&form).run().success(), expected, "{form}");
    }
}

#[test]
fn invalid_tokens_are_refused_with_a_hint() {
    check_invalid_tokens(|text| file(text).0);
    check_invalid_tokens(variable);
    check_invalid_tokens(printing);
}

#[test]
fn a_token_that_expired_within_the_last_minute_is_accepted() {
    let gp = |now: &str| variable(&jwt(&json!({"aud": "x", "exp": 1_800_000_000}))).at_time(now);
    gp("2027-01-15T08:00:30Z").run().success();
    let ran = gp("2027-01-15T08:10:00Z").run();
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("the variable `MY_TOKEN` expired 10 min"), "{}", ran.stderr);
}

#[test]
fn a_file_is_read_at_each_use_and_may_be_missing_or_unreadable() {
    let (gp, path) = file(&good());
    gp.run().success();
    let newer = jwt(&json!({"aud": "x", "jti": "2"}));
    fs::write(&path, &newer).unwrap();
    assert_eq!(gp.run().success(), format!("{newer}\n"));
    fs::remove_file(&path).unwrap();
    gp.run().failure(
        3,
        str![[r#"
error: could not mint an ID token for `x`
  caused by: [HOME]/token does not exist
    source  `file`, set by `--source`
hint: check the path of `--source file:PATH`, and that the program that writes the token has run

"#]],
    );
    fs::create_dir(&path).unwrap();
    let ran = gp.run();
    assert_eq!(ran.code, 7, "{}", ran.stderr);
    assert!(ran.stderr.contains("could not read [HOME]/token"), "{}", ran.stderr);
    fs::remove_dir(&path).unwrap();
    fs::write(&path, vec![b'x'; (1 << 20) + 1]).unwrap();
    assert_eq!(gp.run().code, 7);
    fs::write(&path, [0xff; 40]).unwrap();
    assert_eq!(gp.run().code, 7);
    // A path below the home folder.
    fs::write(&path, good()).unwrap();
    gp.with_line(MINT).arg("--source=file:~/token").run().success();
}

#[test]
fn a_variable_may_be_missing() {
    for gp in [variable(""), Gp::new().line(MINT).line("--source env:MY_TOKEN")] {
        gp.run().failure(
            3,
            str![[r#"
error: could not mint an ID token for `x`
  caused by: the variable `MY_TOKEN` is not set
    source  `env`, set by `--source`
hint: if `printenv MY_TOKEN` prints nothing either, correct the name, or set the variable in the job
hint: if `gp` runs in a container, use `docker run -e MY_TOKEN`
hint: if `gp` runs with sudo, use `sudo --preserve-env=MY_TOKEN`

"#]],
        );
    }
}

#[test]
fn a_source_without_its_argument_or_with_an_extra_one_is_a_usage_error() {
    for source in ["file", "file:", "env:", "command:", "command: ", "github:x", "command:'x"] {
        let ran = Gp::new().line(MINT).arg(format!("--source={source}")).run();
        assert_eq!(ran.code, 2, "{source}: {}", ran.stderr);
    }
}

#[test]
fn a_scope_is_refused_for_a_given_token() {
    for gp in [file(&good()).0, variable(&good()), printing(&good()), gitlab(&[("A", &good())])] {
        let ran = gp.line("--scope s").run();
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains("does not support a scope"), "{}", ran.stderr);
    }
}

#[test]
fn a_token_is_used_for_several_audiences_if_it_has_all_of_them() {
    let both = jwt(&json!({"aud": ["x", "y", "z"]}));
    for gp in [file(&both).0, variable(&both), printing(&both)] {
        assert_eq!(gp.line("--audience y").run().success(), format!("{both}\n"));
    }
    let ran = variable(&good()).line("--audience y").run();
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("a token for `x`, not for `x`, `y`"), "{}", ran.stderr);
}

// Commands.

#[test]
fn a_command_gets_the_audience_as_one_word_and_no_shell_runs_it() {
    // {"aud":"a b; id $(id)"}
    let audience = "a b; id $(id)";
    let gp = command(&format!("printf '%s\\n' \"$@\" > arguments\necho {}", jwt(&json!({"aud": audience}))));
    let source =
        format!("--source=command:{}/program --for={{audience}} 'two words' \\{{x", gp.home().display());
    let gp = gp.with_line("idp token --quiet --audience").arg(audience).arg(source);
    gp.run().success();
    let arguments = fs::read_to_string(gp.home().join("arguments")).unwrap();
    assert_eq!(arguments, format!("--for={audience}\ntwo words\n{{x\n"));
    // A command with `{audience}` supports only one audience.
    let ran = gp.line("--audience y").run();
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("one audience per token"), "{}", ran.stderr);
}

#[test]
fn a_command_without_the_audience_gets_a_hint() {
    let ran = printing(&jwt(&json!({"aud": "y"}))).run();
    assert!(
        ran.stderr.contains("hint: pass the audience to the command: write `{audience}`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn stderr_of_a_command_is_passed_on() {
    let ran = command(&format!("echo from the program >&2\necho {}", good())).run();
    assert_eq!((ran.code, ran.stderr.as_str()), (0, "from the program\n"));
    command("echo no session >&2; exit 5").with_placeholder("program", "[PROGRAM]").run().failure(
        3,
        str![[r#"
no session
error: could not mint an ID token for `x`
  caused by: `[HOME]/[PROGRAM]` failed: exit code 5, and it says `no session`
    source  `command`, set by `--source`
hint: run the [PROGRAM]: it must print a token and exit with code 0

"#]],
    );
}

#[test]
fn a_command_that_fails_is_explained() {
    let cases = [
        (command("kill -9 $$"), "failed: signal 9"),
        (command("yes"), "printed more than 1048576 bytes"),
        (command("printf '\\377'"), "not UTF-8 text"),
        (command("exec sleep 60").line("--timeout 500ms"), "did not end within 500 ms"),
        // It closes its output and continues to run.
        (command("exec sleep 60 >&-").line("--timeout 500ms"), "did not end within 500 ms"),
        (Gp::new().line(MINT).arg("--source=command:/nowhere/program"), "could not start `/nowhere/program`"),
        (Gp::new().line(MINT).arg("--source=command:/dev/null"), "could not start `/dev/null`"),
    ];
    for (gp, said) in cases {
        let started = std::time::Instant::now();
        let ran = gp.run();
        assert_eq!(ran.code, 3, "{said}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
        assert!(ran.stderr.contains("\nhint: "), "{said}: {}", ran.stderr);
        assert!(started.elapsed().as_secs() < 30, "{said}: {:?}", started.elapsed());
    }
}

#[test]
fn a_command_does_not_read_the_input_of_gp() {
    let gp = command(&format!("cat > input\necho {}", good())).stdin("for gp alone");
    gp.run().success();
    assert_eq!(fs::read_to_string(gp.home().join("input")).unwrap(), "");
}

// GitLab.

/// A job with these variables.
fn gitlab(variables: &[(&str, &str)]) -> Gp {
    let gp = Gp::new().line(MINT).env("GITLAB_CI", "true").env("CI_SERVER_URL", GITLAB);
    variables.iter().fold(gp, |gp, (name, value)| gp.env(name, *value))
}

fn of_gitlab(claims: &Value) -> String {
    let mut claims = claims.clone();
    claims["iss"] = GITLAB.into();
    jwt(&claims)
}

#[test]
fn a_job_gets_the_token_of_this_gitlab_with_the_audience() {
    let other = of_gitlab(&json!({"aud": "y"}));
    let right = of_gitlab(&json!({"aud": "x"}));
    let foreign = jwt(&json!({"iss": "https://other.example.com", "aud": "x"}));
    let nonsense = "eyJ.eyJ.";
    let variables = [("A", &*foreign), ("B", &other), ("C", nonsense), ("MY_NAME", &right), ("Z", "")];
    assert_eq!(gitlab(&variables).run().success(), format!("{right}\n"));
    // A server's address may end in a slash.
    let gp = gitlab(&variables).env("CI_SERVER_URL", format!("{GITLAB}/"));
    assert_eq!(gp.run().success(), format!("{right}\n"));
    // Of several tokens, the one that expires last is used.
    let longer = of_gitlab(&json!({"aud": ["y", "x"], "exp": 4_000_000_000_u64}));
    let shorter = of_gitlab(&json!({"aud": "x", "exp": 3_900_000_000_u64}));
    let gp = gitlab(&[("A", &longer), ("B", &shorter), ("C", &right)]);
    assert_eq!(gp.run().success(), format!("{longer}\n"));
    let gp = gitlab(&[("A", &longer), ("B", &shorter)]).line("--id-token-variable B");
    assert_eq!(gp.run().success(), format!("{shorter}\n"));
    // Both audiences in one token.
    let gp = gitlab(&[("A", &longer), ("B", &right)]).line("--audience y");
    assert_eq!(gp.run().success(), format!("{longer}\n"));
}

#[test]
fn a_job_without_the_token_is_shown_what_to_declare() {
    gitlab(&[]).run().failure(
        3,
        str![[r#"
error: could not mint an ID token for `x`
  caused by: this job has no ID token for `x`
    source  `gitlab`, which `auto` found
hint: a running job cannot request tokens: add this to the job in .gitlab-ci.yml
hint:   id_tokens:
hint:     IDP_ID_TOKEN:
hint:       aud: "x"

"#]],
    );
    let gp =
        gitlab(&[("A", &of_gitlab(&json!({"aud": "y"}))), ("B", &of_gitlab(&json!({"aud": ["z", "x"]})))]);
    let ran = gp.line("--audience").arg("it's \"two\"").run();
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains(": `A` is for `y`, `B` is for `z`, `x`\n"), "{}", ran.stderr);
    // The block is YAML with these audiences in it.
    let block: Vec<_> = ran.stderr.lines().filter_map(|line| line.strip_prefix("hint:   ")).collect();
    let read: serde_yaml_ng::Value = serde_yaml_ng::from_str(&block.join("\n")).unwrap();
    let audiences = serde_yaml_ng::from_str::<serde_yaml_ng::Value>(r#"["x", "it's \"two\""]"#).unwrap();
    assert_eq!(read["id_tokens"]["IDP_ID_TOKEN"]["aud"], audiences);
}

#[test]
fn a_named_variable_is_the_only_one_used() {
    let right = of_gitlab(&json!({"aud": "x"}));
    let named =
        |value: &str| gitlab(&[("RIGHT", &right), ("NAMED", value)]).line("--id-token-variable NAMED");
    for (text, code, said, _) in invalid_tokens() {
        let ran = named(&text).run();
        assert_eq!(ran.code, code, "{text:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{text:?}: {}", ran.stderr);
    }
    let ran = named(&of_gitlab(&json!({"aud": "y"}))).run();
    assert!(ran.stderr.contains("id_tokens:"), "{}", ran.stderr);
    let ran = gitlab(&[("RIGHT", &right)]).line("--id-token-variable OTHER").run();
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("the variable `OTHER` is not set"), "{}", ran.stderr);
    for wrong in ["1A", "A-B", "A=B", ""] {
        let ran = gitlab(&[]).arg(format!("--id-token-variable={wrong}")).run();
        assert_eq!(ran.code, 2, "{wrong}: {}", ran.stderr);
    }
}

#[test]
fn a_gitlab_job_needs_the_address_of_its_server() {
    let ran = Gp::new().line(MINT).line("--source gitlab").run();
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("`CI_SERVER_URL` is not set"), "{}", ran.stderr);
}

#[test]
fn an_expired_gitlab_token_is_an_error() {
    let gp = gitlab(&[("A", &of_gitlab(&json!({"aud": "x", "exp": 1})))]);
    let ran = gp.run();
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("the token of the variable `A` expired"), "{}", ran.stderr);
}

#[test]
fn a_written_command_line_names_the_source() {
    let token = jwt(&json!({"aud": "sts.amazonaws.com"}));
    let options = "--source=env:MY_TOKEN --id-token-variable=OTHER";
    let gp = Gp::new().env("MY_TOKEN", &token).line("idp login aws --credential-process --no-check");
    let gp = gp.line("--role-arn arn:aws:iam::123456789012:role/dev").line(options);
    gp.run().success();
    let config = fs::read_to_string(gp.home().join(".aws/config")).unwrap();
    assert!(config.contains(" --source=env:MY_TOKEN --id-token-variable=OTHER"), "{config}");
    let gp = gp.with_line("idp login kubernetes --audience x --user me --source").arg("command:cat 'a b'");
    fs::write(gp.home().join("a b"), good()).unwrap();
    assert_eq!(gp.run().code, 0);
    let kubeconfig = fs::read_to_string(gp.home().join(".kube/config")).unwrap();
    let read: serde_yaml_ng::Value = serde_yaml_ng::from_str(&kubeconfig).unwrap();
    let arguments = read["users"][0]["user"]["exec"]["args"].as_sequence().unwrap();
    assert!(arguments.iter().any(|word| word == "--source=command:cat 'a b'"), "{kubeconfig}");
    // The source that `auto` found is named too, unless it is the workspace's supervisor.
    let gp = gitlab(&[("A", &of_gitlab(&json!({"aud": "sts.amazonaws.com"})))]);
    let gp = gp.with_line(
        "idp login aws --credential-process --no-check --role-arn arn:aws:iam::123456789012:role/dev",
    );
    gp.run().success();
    let config = fs::read_to_string(gp.home().join(".aws/config")).unwrap();
    assert!(config.contains(" --source=gitlab"), "{config}");
}

#[test]
fn an_older_token_is_no_sign_of_a_wrong_clock() {
    // An hour-long token, half an hour old.
    let claims = json!({"iss": "https://issuer.example", "sub": "s", "aud": "x", "iat": 1_795_433_400, "exp": 1_795_437_000});
    let gp = Gp::new().env("T", jwt(&claims)).at_time("2026-11-23T12:00:00Z");
    let ran = gp.line("idp doctor --audience x --source env:T").run();
    let clock: Vec<_> = ran.stdout.lines().filter(|line| line.contains(" clock ")).collect();
    assert!(clock.iter().all(|line| !line.starts_with('✗') && !line.starts_with('!')), "{}", ran.stdout);
}

#[test]
fn cached_credentials_are_used_after_their_token_has_expired() {
    let gp = Gp::in_workspace().line("idp token --audience sts.amazonaws.com");
    let token = gp.run().success();
    let file = gp.home().join("token");
    fs::write(&file, &token).unwrap();
    let gp = gp
        .with_line("idp login aws --format process")
        .env("IDP_TOKEN_SOURCE", format!("file:{}", file.display()));
    let kept = gp.run().success();
    // An expired token of the same identity.
    let claims = gp_idp::jwt::Decoded::parse(&token).unwrap().to_json().compact();
    let claims: Value = serde_json::from_str(&claims).unwrap();
    let mut claims = claims["Payload"].clone();
    claims["exp"] = json!(1_000_000_000);
    fs::write(&file, jwt(&claims)).unwrap();
    assert_eq!(gp.run().success(), kept);
    // Another identity.
    claims["sub"] = json!("somebody else");
    fs::write(&file, jwt(&claims)).unwrap();
    assert_eq!(gp.run().code, 3);
}
