//! `gp idp token`: three requests, one token.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use gp_idp::dev::Options;
use snapbox::str;

use crate::support::Gp;
use crate::support::fault::{Fault, Faulty, Step};

const NOON: &str = "2026-11-23T12:00:00Z";

fn fixed() -> Options {
    Options { clock: gp_idp::context::Clock::Fixed(NOON.parse().unwrap()), ..Options::default() }
}

/// A claim of a token, read with `gp idp decode`.
fn claim(token: &str, name: &str) -> String {
    Gp::new().line("idp decode --claim").arg(name).stdin(token).run().success().trim_end().to_owned()
}

#[test]
fn a_token_is_printed_with_one_newline() {
    let token = Gp::in_workspace().line("idp token --audience example.org").run().success();
    assert_eq!(token.matches('\n').count(), 1);
    assert_eq!(token.trim_end().split('.').count(), 3);
    assert_eq!(claim(&token, "aud"), r#"["example.org"]"#);
    assert_eq!(claim(&token, "azp"), "example.org");
    assert_eq!(claim(&token, "sub"), "https://github.com/gitpod-io/example");
}

#[test]
fn audiences_keep_their_order_and_a_scope_becomes_a_claim() {
    let token = Gp::in_workspace().line("idp token --audience b --audience a --scope s").run().success();
    assert_eq!(claim(&token, "aud"), r#"["b","a"]"#);
    assert_eq!(claim(&token, "scope"), "s");
    let token = Gp::in_workspace().line("idp token --audience b").run().success();
    assert_eq!(Gp::new().line("idp decode --claim scope").stdin(token).run().code, 1);
}

#[test]
fn the_decode_flag_prints_the_same_as_the_decode_command() {
    let gp = Gp::in_workspace_of(fixed()).at_time(NOON).line("idp token --audience x --decode");
    let decoded = gp.run().success();
    assert!(
        decoded.starts_with("{\n  \"Header\": {\n    \"typ\": \"JWT\",\n    \"alg\": \"RS256\",\n"),
        "{decoded}"
    );
    // With the same workspace and time, only `c_hash` differs.
    let token = in_workspace_of(&gp, "idp token --audience x").run().success();
    let again =
        Gp::new().line("idp decode").stdin(token).run().success().replace(&gp.workspace().api_url(), "[API]");
    let without_hash = |text: &str| {
        text.lines().filter(|line| !line.contains("c_hash")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(without_hash(&decoded), without_hash(&again));
}

/// Another command line in the workspace of `gp`.
fn in_workspace_of(gp: &Gp, line: &str) -> Gp {
    let workspace = gp.workspace();
    workspace
        .environment()
        .into_iter()
        .fold(Gp::new().at_time(NOON).line(line), |other, (name, value)| other.env(name, value))
}

#[test]
fn the_json_format_describes_the_token() {
    let printed = Gp::in_workspace_of(fixed())
        .at_time(NOON)
        .line("idp token --audience x --format json")
        .run()
        .success();
    let token = printed.split('"').nth(3).unwrap().to_owned();
    snapbox::assert_data_eq!(
        printed.replace(&token, "[TOKEN]"),
        str![[r#"
{
  "id_token": "[TOKEN]",
  "issuer": "[API]/idp",
  "subject": "https://github.com/gitpod-io/example",
  "audience": [
    "x"
  ],
  "issued_at": "2026-11-23T12:00:00Z",
  "expires_at": "2026-11-23T13:00:00Z"
}

"#]]
    );
}

#[test]
fn the_header_format_is_a_line_for_curl() {
    let line = Gp::in_workspace().line("idp token --audience x --format header").run().success();
    let token = line.strip_prefix("Authorization: Bearer ").unwrap();
    assert_eq!(claim(token, "azp"), "x");
}

#[test]
fn an_output_file_is_private_and_has_no_line_break() {
    let gp = Gp::in_workspace().line("idp token --audience x --output new/folder/token");
    assert_eq!(gp.run().success(), "");
    let path = gp.home().join("new/folder/token");
    let token = fs::read_to_string(&path).unwrap();
    assert!(!token.ends_with('\n'));
    assert_eq!(claim(&token, "azp"), "x");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn an_output_file_that_cannot_be_written_is_named() {
    let gp = Gp::in_workspace().line("idp token --audience x --output .");
    gp.run().failure(
        7,
        str![[r#"
error: could not write the token to . (`--output`)
  caused by: . is a folder
hint: give the path of a file, such as `./FILE`

"#]],
    );
    let gp = Gp::in_workspace().line("idp token --audience x --output file/token");
    fs::write(gp.home().join("file"), "").unwrap();
    gp.run().failure(
        7,
        str![[r#"
error: could not write the token to file/token (`--output`)
  caused by: could not create the folder file
  caused by: Not a directory (os error 20)
hint: `file` is a file and not a folder: name another place

"#]],
    );
}

#[test]
fn a_file_that_is_open_is_written_to_and_not_replaced() {
    let run = |output: &str| {
        let script = format!(
            "exec > out 3> three; echo one; {} idp token --audience x --output {output}; code=$?; echo; echo two; exit $code",
            env!("CARGO_BIN_EXE_gp")
        );
        let gp = Gp::in_workspace().with_line("idp exec token --audience a --env T -- sh -c").arg(script);
        let ran = gp.run();
        let text = fs::read_to_string(gp.home().join("out")).unwrap();
        assert!(text.starts_with("one\n") && text.ends_with("\ntwo\n"), "{text}");
        (ran, text)
    };
    for output in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        let (ran, text) = run(output);
        assert_eq!(ran.code, 0, "{output}: {}", ran.stderr);
        assert_eq!(claim(text.lines().nth(1).unwrap(), "azp"), "x");
    }
    let (ran, _) = run("/dev/fd/3");
    assert_eq!(ran.code, 7);
    assert!(ran.stderr.contains("it refers to an open file; name the file itself"), "{}", ran.stderr);
}

#[test]
fn a_named_pipe_is_written_to_only_if_it_has_a_reader() {
    let gp = Gp::in_workspace().line("idp token --audience x --output pipe");
    let pipe = gp.home().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    gp.run().failure(
        7,
        str![[r#"
error: could not write the token to pipe (`--output`)
  caused by: could not write to pipe
  caused by: nobody reads from it
hint: start the program that reads from the pipe, then run this command again
hint: otherwise name a regular file

"#]],
    );
    let reader = std::thread::spawn(move || fs::read_to_string(pipe).unwrap());
    assert_eq!(gp.run().success(), "");
    assert_eq!(claim(&reader.join().unwrap(), "azp"), "x");
}

#[test]
fn a_refused_token_leaves_the_output_file_alone() {
    let options = Options { token_scopes: vec![], ..Options::default() };
    let gp = Gp::in_workspace_of(options).line("idp token --audience x --output token");
    fs::write(gp.home().join("token"), "old").unwrap();
    assert_eq!(gp.run().code, 4);
    assert_eq!(fs::read_to_string(gp.home().join("token")).unwrap(), "old");
}

#[test]
fn a_missing_audience_is_a_usage_error_that_names_the_flag() {
    Gp::in_workspace().line("idp token").run().failure(
        2,
        str![[r#"
error: the following required arguments were not provided:
  --audience <AUDIENCE>

  tip: for example `gp idp token --audience example.org --decode`

Usage: gp idp token --audience <AUDIENCE>

hint: the following required arguments were not provided: --audience <AUDIENCE>; for example `gp idp token --audience example.org --decode`; see `--help`

"#]],
    );
}

#[test]
fn wrong_values_are_usage_errors() {
    for (line, expected) in [
        (
            "idp token --audience= ",
            "invalid value '' for '--audience <AUDIENCE>': it is empty. If its value is a shell variable, set",
        ),
        ("idp token --audience x --timeout 0", "the time must be above zero, such as `30s`"),
        ("idp token --audience x --timeout soon", "write it like `30s`, `2m` or `1h`"),
        ("idp token --audience x --format yaml", "[possible values: jwt, json, header, kubernetes, gcloud]"),
        (
            "idp token --audience x --decode --format json",
            "'--decode' cannot be used with '--format <FORMAT>'",
        ),
        ("idp token --audience x --quiet --verbose", "'--quiet' cannot be used with '--verbose'"),
    ] {
        let ran = Gp::in_workspace().line(line).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
        assert!(ran.stderr.contains(expected), "{line}:\n{}", ran.stderr);
    }
}

#[test]
fn a_token_at_the_wrong_place_is_not_repeated() {
    // `Gp::run` checks that no token is on stderr.
    let ran = Gp::in_workspace().line("idp token eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln").run();
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("[redacted]"), "{}", ran.stderr);
}

#[test]
fn outside_a_workspace_the_hint_names_a_local_workspace() {
    let gp = Gp::without_supervisor().line("idp token --audience x");
    gp.run().failure(3, str![[r#"
error: could not mint an ID token for `x`
  caused by: no source of ID tokens was found: there is no CI job and no Ona environment, and no workspace's supervisor answers
  caused by: http://127.0.0.1:1 refused the connection
hint: run this inside a workspace or a job, or name a source with `--source`
hint: to try it in a local workspace, run `gp idp dev -- gp idp token --audience x`

"#]]);
    for (line, word, repeated) in [
        (
            "idp login aws --role-arn arn:aws:iam::123456789012:role/dev --format env",
            "",
            "gp idp login aws --role-arn arn:aws:iam::123456789012:role/dev --format env",
        ),
        ("idp token --audience", "it's mine", "gp idp token --audience 'it'\\''s mine'"),
        // An argument of another program may be a password.
        (
            "idp exec token --audience x -- printenv",
            "pass-phrase",
            "gp idp exec token --audience x -- COMMAND",
        ),
    ] {
        let gp = Gp::without_supervisor().line(line).env("SUPERVISOR_ADDR", "");
        let ran = if word.is_empty() { gp.run() } else { gp.arg(word).run() };
        let last = format!("\nhint: to try it in a local workspace, run `gp idp dev -- {repeated}`\n");
        assert!(ran.code == 3 && ran.stderr.ends_with(&last), "{line}: {}", ran.stderr);
    }
}

#[test]
fn the_hint_names_the_source_of_the_supervisor_address() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let hint = |address: &str| {
        let ran =
            Gp::new().line("idp token --audience x --timeout 300ms").env("SUPERVISOR_ADDR", address).run();
        assert_eq!(ran.code, 3, "{}", ran.stderr);
        ran.stderr.split_once("\nhint: ").unwrap().1.to_owned()
    };
    for address in [nobody.to_string(), format!("localhost:{}", nobody.port())] {
        let said = hint(&address);
        let from = format!(
            "most likely `SUPERVISOR_ADDR` ({address}) names the wrong port: run `unset SUPERVISOR_ADDR`"
        );
        assert!(
            said.starts_with(&from)
                && said.ends_with("may still be starting: give it more time with `--timeout 2m`\n"),
            "{said}"
        );
    }
}

#[test]
fn invalid_addresses_are_usage_errors() {
    let cases = [
        ("SUPERVISOR_ADDR", "10.0.0.1:22999", "the supervisor speaks plain http, so only loopback is safe"),
        ("SUPERVISOR_ADDR", "nonsense/here", "it is not `host:port`"),
        ("IDP_API_URL", "http://api.example.com", "it is plain http to api.example.com"),
        ("IDP_API_URL", "ftp://api.example.com", "it is not an https URL"),
        ("IDP_API_URL", "api.example.com", "it is not a URL"),
        ("HTTPS_PROXY", "http://", "the proxy address in `HTTPS_PROXY` is not a URL"),
    ];
    for (variable, value, expected) in cases {
        let gp = Gp::in_workspace().line("idp token --audience x");
        let gp = if variable == "HTTPS_PROXY" {
            gp.env("IDP_API_URL", "https://api.example.com").line("--allow-api-host api.example.com")
        } else {
            gp
        };
        let ran = gp.env(variable, value).run();
        assert_eq!(ran.code, 2, "{variable}={value}:\n{}", ran.stderr);
        assert!(ran.stderr.contains(expected), "{variable}={value}:\n{}", ran.stderr);
    }
}

#[test]
fn an_api_token_without_the_scope_is_explained() {
    let options = Options { token_scopes: vec!["function:getWorkspace".into()], ..Options::default() };
    Gp::in_workspace_of(options).line("idp token --audience x").run().failure(4, str![[r#"
error: could not mint an ID token for `x`
  caused by: the API that mints ID tokens ([API]) refused: not allowed to access getIDToken (permission_denied, HTTP 403)
hint: the workspace's API token lacks the right to mint ID tokens (`function:getIDToken`): restart the workspace if it is your own
hint: in a prebuild or another user's workspace, no API token has this right: use a workspace of your own
hint: if a restart does not help, ask whoever runs the Gitpod installation to enable OIDC

"#]]);
}

#[test]
fn an_api_without_an_identity_provider_is_explained() {
    // The reply of Go's default router to an unknown path.
    let body = "404 page not found\n";
    let server =
        Faulty::always(Step::Mint, Fault::reply(404, "Content-Type: text/plain; charset=utf-8\r\n", body));
    let gp = Gp::new().line("idp token --audience x").env("SUPERVISOR_ADDR", server.address());
    let gp = gp
        .env("IDP_API_URL", format!("http://{}", server.address()))
        .with_placeholder(server.address(), "[API]");
    gp.run().failure(4, str![[r#"
error: could not mint an ID token for `x`
  caused by: the API that mints ID tokens (http://[API]) refused: HTTP 404
hint: most likely `IDP_API_URL` names another installation or service: run `unset IDP_API_URL` to use the API of the workspace

"#]]);
}

#[test]
fn refusals_in_the_format_of_the_api_have_specific_hints() {
    let server_says =
        |code: u16| format!(r#"{{"code":"unknown","message":"jsonrpc2: code {code} message: no"}}"#);
    let cases = [
        (500, server_says(401), 4, "hint: the workspace's API token has expired or was revoked: restart the workspace\n"),
        (500, server_says(403), 4, "API token lacks the right to mint ID tokens"),
        (500, server_says(404), 4, "because the API does not know it"),
        (500, server_says(429), 6, "hint: "),
        (500, server_says(500), 4, "hint: the API is the cause, not your settings"),
        (
            500,
            r#"{"code":"internal","message":"Failed to establish connection to downstream services. If this issue persists, please contact Gitpod Support."}"#.to_owned(),
            4,
            "hint: the workspace's API token may have expired or been revoked: restart the workspace\nhint: otherwise the installation is temporarily down",
        ),
        (
            400,
            r#"{"code":"invalid_argument","message":"id 'x' does not match workspace ID regex '^x$': workspace id does not match required format"}"#.to_owned(),
            4,
            "hint: the API refuses the ID of this workspace, which is no setting of yours: restart the workspace",
        ),
    ];
    for (status, body, code, hint) in cases {
        let server = Faulty::always(Step::Mint, Fault::json(status, &body));
        let gp =
            Gp::new().line("idp token --audience x --timeout 2s").env("SUPERVISOR_ADDR", server.address());
        // The host that the test's supervisor names does not exist, so `IDP_API_URL` names the
        // server.
        let gp = gp.env("IDP_API_URL", format!("http://{}", server.address()));
        let ran = gp.run();
        assert_eq!(ran.code, code, "{body}\n{}", ran.stderr);
        let by_variable = hint.ends_with("the API does not know it");
        let expected =
            if by_variable { "hint: most likely `IDP_API_URL` names another installation" } else { hint };
        assert!(ran.stderr.contains(expected), "{body}\n{}", ran.stderr);
    }
}

#[test]
fn a_missing_api_token_is_explained() {
    let options = Options { token_scopes: vec![], ..Options::default() };
    Gp::in_workspace_of(options).line("idp token --audience x --audience y").run().failure(4, str![[r#"
error: could not mint an ID token for `x`, `y`
  caused by: the supervisor holds no API token with scope `function:getWorkspace` for 127.0.0.1:[..]: no token available (HTTP 404)
hint: restart the workspace, which gives it a new token
hint: if this is a prebuild or somebody else's shared workspace, it never has a token: use a workspace of your own

"#]]);
}

#[test]
fn verbose_traces_each_step_and_no_secret() {
    let ran = Gp::in_workspace().line("idp token --audience x --verbose").run();
    assert_eq!(ran.code, 0);
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
ID tokens come from the source `supervisor`
GET http://[SUPERVISOR]/_supervisor/v1/info/workspace -> 200 ([..] ms)
GET http://[SUPERVISOR]/_supervisor/v1/token/gitpod/127.0.0.1:[..]/function:getWorkspace -> 200 ([..] ms)
POST [API]/gitpod.experimental.v1.IdentityProviderService/GetIDToken -> 200 ([..] ms)

"#]]
    );
}
