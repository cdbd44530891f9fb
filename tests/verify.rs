//! `gp idp verify`: a token as a receiver sees it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gp_idp::context::Clock;
use gp_idp::dev::Options;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use snapbox::str;

use crate::support::Gp;

const NOON: &str = "2026-11-23T12:00:00Z";

fn fixed() -> Options {
    Options { clock: Clock::Fixed(NOON.parse().unwrap()), ..Options::default() }
}

/// Another command line in the workspace of `gp`, at `now`.
fn in_workspace_of(gp: &Gp, now: &str) -> Gp {
    let workspace = gp.workspace();
    let other = Gp::new().at_time(now).with_placeholder(workspace.api_url(), "[API]");
    workspace.environment().into_iter().fold(other, |other, (name, value)| other.env(name, value))
}

/// A workspace with a fixed clock, and a token from it.
fn token(line: &str) -> (Gp, String) {
    let gp = Gp::in_workspace_of(fixed()).at_time(NOON).line("idp token").line(line);
    let token = in_workspace_of(&gp, NOON).line("idp token").line(line).run().success();
    (gp, token)
}

#[test]
fn an_invalid_issuer_is_a_usage_error() {
    for (issuer, reason) in [
        ("x.example", "it is not a URL"),
        ("http://x.example", "it is plain http to x.example"),
        ("joe", "it is not a URL"),
    ] {
        let ran = Gp::in_workspace().line("idp verify --audience a --issuer").arg(issuer).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{issuer}");
        assert!(ran.stderr.contains(&format!("`--issuer`: {reason}")), "{}", ran.stderr);
    }
}

#[test]
fn a_valid_token_passes_every_step() {
    let (gp, token) = token("--audience a");
    let printed =
        in_workspace_of(&gp, NOON).line("idp verify --audience a").stdin(token.clone()).run().success();
    let kid = Gp::new().line("idp decode").stdin(token).run().success();
    let kid = kid.split("\"kid\": \"").nth(1).unwrap().split('"').next().unwrap();
    snapbox::assert_data_eq!(
        printed.replace(kid, "[KID]"),
        str![[r#"
✓ alg        RS256
✓ iss        [API]/idp, the issuer of this workspace
✓ discovery  [API]/idp/.well-known/openid-configuration
✓ keys       1 at [API]/idp/keys
✓ key        [KID] (RSA, 2048 bits)
✓ signature  by [KID]
✓ sub        https://github.com/gitpod-io/example
✓ aud        a
✓ azp        a
✓ exp        2026-11-23T13:00:00Z (in 60 min)
– nbf        the token has none
✓ iat        2026-11-23T12:00:00Z (0 s ago)
valid

"#]]
    );
}

#[test]
fn the_step_that_fails_is_named() {
    let (gp, token) = token("--audience a");
    let verify = |now: &str, line: &str| {
        in_workspace_of(&gp, now).line("idp verify").line(line).stdin(token.clone()).run()
    };
    let fails = |now: &str, line: &str, step: &str, message: snapbox::data::Inline| {
        let ran = verify(now, line);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(ran.stdout.ends_with(&format!("not valid: it fails at {step}\n")), "{}", ran.stdout);
        snapbox::assert_data_eq!(ran.stderr, message);
    };
    fails(
        NOON,
        "--audience b",
        "aud",
        str![[r#"
error: could not verify the token
  caused by: aud: the token is for `a`, not for `b`
hint: mint one for that audience: `gp idp token --audience b`

"#]],
    );
    fails(
        "2026-11-23T13:01:00Z",
        "--audience a",
        "exp",
        str![[r#"
error: could not verify the token
  caused by: exp: expired at 2026-11-23T13:00:00Z (60 s ago)
hint: mint a new token
hint: if a new token fails as well, compare `date -u` with `curl -sI https://example.com | grep -i ^date`, and set this machine's clock if it is wrong

"#]],
    );
    fails(
        "2026-11-23T11:58:00Z",
        "--audience a",
        "iat",
        str![[r#"
error: could not verify the token
  caused by: iat: it is in the future: 2026-11-23T12:00:00Z (in 2 min)
hint: compare `date -u` with `curl -sI https://example.com | grep -i ^date`
hint: if this machine's clock is behind, set it with `sudo timedatectl set-ntp true` (for a container, on its host)
hint: if this machine's clock is right, the issuer's clock is ahead: wait until the time above, and tell whoever runs the issuer

"#]],
    );
    fails(
        NOON,
        "--audience a --issuer https://gitpod.invalid",
        "iss",
        str![[r#"
error: could not verify the token
  caused by: iss: the token says `[API]/idp`, and `https://gitpod.invalid` is expected, as `--issuer` says
hint: if you trust `[API]/idp` as an issuer, accept it with `--issuer [API]/idp`
hint: otherwise do not use this token

"#]],
    );
    assert_eq!(verify("2026-11-23T13:00:59Z", "--audience a").code, 0);
    assert_eq!(verify("2026-11-23T13:00:01Z", "--audience a --leeway 0").code, 1);
    assert_eq!(verify("2026-11-23T13:04:00Z", "--audience a --leeway 5m").code, 0);
    assert_eq!(verify(NOON, "--audience b --audience a").code, 0);
}

#[test]
fn the_headers_of_a_request() {
    let (gp, token) = token("--audience a");
    let request =
        format!("GET /v1.0 HTTP/1.1\r\nHost: a.b\r\nAuthorization: Bearer {token}\r\nAccept: */*\r\n\r\n");
    for line in ["idp verify --audience a", "idp verify --audience a -"] {
        let printed = in_workspace_of(&gp, NOON).line(line).stdin(request.clone()).run().success();
        assert!(printed.ends_with("valid\n"), "{printed}");
    }
    let printed = in_workspace_of(&gp, NOON).line("idp verify --audience a").arg(&request).run().success();
    assert!(printed.ends_with("valid\n"), "{printed}");
}

#[test]
fn an_algorithm_that_is_not_supported_leaves_it_undecided() {
    let encode = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let now = jiff::Timestamp::now().as_second();
    let claims = json!({"iss": "https://i", "sub": "s", "aud": "a", "iat": now, "exp": now + 600});
    let token = format!("{}.{}.AAAA", encode(json!({"alg": "ES512"})), encode(claims));
    let gp = Gp::new().line("idp verify --audience a --issuer https://i --jwks keys.json").stdin(token);
    fs::write(gp.home().join("keys.json"), r#"{"keys":[{"kty":"EC","crv":"P-521","x":"AA","y":"AA"}]}"#)
        .unwrap();
    let ran = gp.run();
    assert!(ran.stdout.ends_with("undecided: alg could not be judged\n"), "{}", ran.stdout);
    assert_eq!(ran.code, 6);
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
error: could not verify the token
  caused by: alg: `ES512` is not supported here
hint: verify it with a library that has this algorithm

"#]]
    );
}

#[test]
fn the_json_format_has_the_verdict_and_the_steps() {
    let (gp, token) = token("--audience a");
    let verify = |line: &str| {
        in_workspace_of(&gp, NOON).line("idp verify --format json").line(line).stdin(token.clone()).run()
    };
    let good: Value = serde_json::from_str(&verify("--audience a").success()).unwrap();
    assert_eq!((&good["verdict"], &good["failed"]), (&json!("valid"), &Value::Null));
    assert_eq!(good["claims"]["azp"], "a");
    assert_eq!(good["steps"][0], json!({"name": "alg", "status": "passed", "value": "RS256"}));
    let bad: Value = serde_json::from_str(&verify("--audience b").stdout).unwrap();
    assert_eq!((&bad["verdict"], &bad["failed"]), (&json!("invalid"), &json!("aud")));
    // Claims of an invalid token are left out, so that no program trusts them.
    assert!(bad.get("claims").is_none());
    let step = bad["steps"].as_array().unwrap().iter().find(|step| step["name"] == "aud").unwrap();
    assert_eq!(step["hint"], "mint one for that audience: `gp idp token --audience b`");
}

#[test]
fn without_a_token_a_fresh_one_is_verified() {
    let gp = Gp::in_workspace().line("idp verify --audience a --quiet");
    let done = gp.command().stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    gp.check_stderr(&String::from_utf8_lossy(&done.stderr));
    assert!(
        done.status.success() && text.ends_with("valid\n") && text.contains("✓ azp        a\n"),
        "{text}"
    );
}

#[test]
fn an_empty_pipe_is_an_error() {
    Gp::in_workspace().line("idp verify --audience a").stdin(" \n").run().failure(
        2,
        str![[r#"
error: could not verify the token
  caused by: standard input holds no token
hint: run the command in front of the pipe on its own, to see why it prints nothing

"#]],
    );
}

#[test]
fn an_audience_is_required() {
    let ran = Gp::new().line("idp verify x").run();
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("--audience <AUDIENCE>"), "{}", ran.stderr);
}

#[test]
fn an_invalid_token_fails_at_the_token_step() {
    let ran = Gp::new().line("idp verify --audience a --jwks keys.json").stdin("e30.e30");
    fs::write(ran.home().join("keys.json"), "{\"keys\":[]}").unwrap();
    let ran = ran.run();
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (1, "✗ token  a JWT has 3 parts separated by dots, but this has 2\nnot valid: it fails at token\n")
    );
    assert!(ran.stderr.contains("caused by: token: a JWT has 3 parts"), "{}", ran.stderr);
}

#[test]
fn the_issuer_of_a_damaged_token_is_not_requested() {
    let verify = || {
        let gp = Gp::new().env("SUPERVISOR_ADDR", "127.0.0.1:1").env("GITPOD_WORKSPACE_ID", "w");
        gp.line("idp verify --audience a --timeout 100ms")
    };
    let (_, whole) = token("--audience a");
    let reason = verify().stdin(whole.clone()).run().stderr;
    assert!(reason.contains("caused by: the workspace's supervisor cannot be reached"), "{reason}");
    let cut = whole.rsplit_once('.').unwrap().0;
    let reason = verify().stdin(cut).run().stderr;
    assert!(reason.contains("caused by: token: a JWT has 3 parts"), "{reason}");
}

#[test]
fn files_that_hold_no_keys() {
    let gp = Gp::new().line("idp verify --audience a --jwks keys.json").stdin("x");
    gp.run().failure(
        7,
        str![[r#"
error: could not read the keys of `--jwks`
  caused by: could not read keys.json
  caused by: No such file or directory (os error 2)
hint: correct the name of the file: `ls .` lists the folder

"#]],
    );
    fs::write(gp.home().join("keys.json"), "{}").unwrap();
    gp.run().failure(
        7,
        str![[r#"
error: could not verify the token
  caused by: keys.json holds no keys
  caused by: it is neither a JWK Set, which has `keys`, nor a JWK, which has `kty`
hint: the file of `--jwks` has to contain the JSON of the issuer's `jwks_uri`: download it again, for example with `curl -o FILE URL`

"#]],
    );
}

/// An issuer that gives the configured replies in order, repeats the last one, and records the
/// requested paths.
struct Issuer {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
    key: Ed25519KeyPair,
}

/// The replies to one path: status, content type, body.
type Replies = Vec<(u16, &'static str, String)>;

/// Makes the replies to discovery from the issuer's URL.
type Answer = fn(&str) -> Replies;

const JSON: &str = "application/json";

impl Issuer {
    /// `discovery` and `keys` get the issuer's URL.
    fn start(discovery: impl Fn(&str) -> Replies, keys: impl Fn(&str, &Ed25519KeyPair) -> Replies) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let key = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        let (mut discovery, mut keys) = (discovery(&url), keys(&url, &key));
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                    head.push(byte[0]);
                }
                let head = String::from_utf8(head).unwrap();
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                let replies = if path.ends_with("keys") { &mut keys } else { &mut discovery };
                let (status, kind, body) =
                    if replies.len() > 1 { replies.remove(0) } else { replies.first().unwrap().clone() };
                log.lock().unwrap().push(path);
                let head = format!("HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nConnection: close\r\n");
                let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len());
            }
        });
        Self { url, asked, key }
    }

    /// An issuer with a valid discovery document. Each request for the keys gets the next of
    /// `keys`.
    fn with_keys(keys: impl Fn(&Ed25519KeyPair) -> Vec<Value>) -> Self {
        Self::start(valid_discovery, |_, key| {
            keys(key).into_iter().map(|keys| (200, JSON, json!({"keys": keys}).to_string())).collect()
        })
    }

    fn token(&self) -> String {
        let encode = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let now = jiff::Timestamp::now().as_second();
        let claims = json!({"iss": self.url, "sub": "s", "aud": "a", "iat": now, "exp": now + 600});
        let message = format!("{}.{}", encode(json!({"alg": "EdDSA", "kid": "new"})), encode(claims));
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(self.key.sign(message.as_bytes())))
    }

    fn verify(&self) -> Gp {
        let port = self.url.rsplit(':').next().unwrap().to_owned();
        Gp::new().line("idp verify --audience a").stdin(self.token()).with_placeholder(port, "[PORT]")
    }

    /// The number of requests for a path.
    fn count(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }
}

fn valid_discovery(url: &str) -> Replies {
    vec![(200, JSON, json!({"issuer": url, "jwks_uri": format!("{url}/keys")}).to_string())]
}

fn jwk(key: &Ed25519KeyPair, kid: &str) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": URL_SAFE_NO_PAD.encode(key.public_key())})
}

#[test]
fn outside_of_a_workspace_the_tokens_own_issuer_is_used_with_a_warning() {
    let issuer = Issuer::with_keys(|key| vec![json!([jwk(key, "new")])]);
    snapbox::assert_data_eq!(
        issuer.verify().run().success(),
        str![[r#"
✓ alg        EdDSA
! iss        http://127.0.0.1:[PORT], as the token itself says: this shows only that the token is consistent, not that you can trust it
             hint: name the issuer that you trust with `--issuer`
✓ discovery  http://127.0.0.1:[PORT]/.well-known/openid-configuration
✓ keys       1 at http://127.0.0.1:[PORT]/keys
✓ key        new (OKP, Ed25519)
✓ signature  by new
✓ sub        s
✓ aud        a
– azp        the token has none
✓ exp        [..] (in [..])
– nbf        the token has none
✓ iat        [..] ([..] ago)
valid

"#]]
    );
    let pinned = issuer.verify().arg("--issuer").arg(&issuer.url).run().success();
    assert!(pinned.contains("✓ iss        http://127.0.0.1:[PORT], as `--issuer` says\n"), "{pinned}");
}

#[test]
fn the_keys_are_requested_once_more_for_an_unknown_key() {
    let rotated = Issuer::with_keys(|key| vec![json!([jwk(key, "old")]), json!([jwk(key, "new")])]);
    let printed = rotated.verify().run().success();
    assert!(printed.contains("✓ signature  by new\n"), "{printed}");
    assert_eq!((rotated.count("/keys"), rotated.count("/.well-known/openid-configuration")), (2, 1));

    let gone = Issuer::with_keys(|key| vec![json!([jwk(key, "old")])]);
    let ran = gone.verify().run();
    assert_eq!((ran.code, gone.count("/keys")), (1, 2));
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
error: could not verify the token
  caused by: key: the token names the key `new`, but the JWKS has `old` (OKP, Ed25519); a second request for the keys did not find it either
hint: another issuer made the token, or this issuer no longer publishes the key: mint a new token
hint: if a new token fails as well, ask whoever runs the issuer to publish the key

"#]]
    );
    // If the key exists, there is no second request, even if the key is invalid.
    let wrong = Issuer::with_keys(|_| vec![json!([{"kty": "RSA", "kid": "new", "n": "gA", "e": "AQAB"}])]);
    assert_eq!((wrong.verify().run().code, wrong.count("/keys")), (1, 1));
}

#[test]
fn keys_may_be_at_a_url() {
    let issuer = Issuer::with_keys(|key| vec![json!([jwk(key, "new")])]);
    let gp = issuer.verify().arg("--jwks").arg(format!("{}/keys", issuer.url));
    assert!(
        gp.run().success().contains(
            "! iss        http://127.0.0.1:[PORT], which is not compared with an expected issuer\n"
        )
    );
    assert_eq!(issuer.asked.lock().unwrap().as_slice(), ["/keys"]);
}

#[test]
fn invalid_documents_of_an_issuer_are_explained() {
    let html = || vec![(200, "text/html", "<html><title>Log in</title>".to_owned())];
    let cases: [(Answer, i32, &str); 8] = [
        (
            |url| vec![(200, JSON, json!({"issuer": format!("{url}/"), "jwks_uri": "x"}).to_string())],
            1,
            "✗ discovery  http://127.0.0.1:[PORT]/.well-known/openid-configuration names the issuer `http://127.0.0.1:[PORT]/`, not `http://127.0.0.1:[PORT]` (they differ only in a slash at the end)\n",
        ),
        (
            |_| vec![(404, JSON, "{}".into())],
            1,
            "✗ discovery  http://127.0.0.1:[PORT]/.well-known/openid-configuration answers HTTP 404\n",
        ),
        (
            |_| vec![(500, JSON, "{}".into())],
            6,
            "? discovery  http://127.0.0.1:[PORT]/.well-known/openid-configuration answers HTTP 500\n",
        ),
        (
            |_| vec![(200, "text/html", "<html><title>Log in</title>".to_owned())],
            6,
            "? discovery  http://127.0.0.1:[PORT] answered with an HTML page titled \"Log in\" (HTTP 200)\n",
        ),
        (
            |_| vec![(302, JSON, String::new())],
            6,
            "? discovery  http://127.0.0.1:[PORT] redirects without a `Location` header (HTTP 302)\n",
        ),
        (
            |url| vec![(200, JSON, json!({"issuer": url}).to_string())],
            1,
            "✗ discovery  http://127.0.0.1:[PORT] answered with unexpected JSON: ",
        ),
        (
            |url| {
                vec![(200, JSON, json!({"issuer": url, "jwks_uri": "http://example.com/keys"}).to_string())]
            },
            1,
            "✗ keys       the address of the keys, `http://example.com/keys`: it is plain http to example.com",
        ),
        (
            |url| {
                vec![(200, JSON, json!({"issuer": url, "jwks_uri": format!("{url}/keys"), "id_token_signing_alg_values_supported": ["RS256"]}).to_string())]
            },
            0,
            "! discovery  http://127.0.0.1:[PORT]/.well-known/openid-configuration, whose algorithms are RS256, not EdDSA\n",
        ),
    ];
    for (discovery, code, expected) in cases {
        let issuer = Issuer::start(discovery, |_, key| {
            vec![(200, "application/jwk-set+json", json!({"keys": [jwk(key, "new")]}).to_string())]
        });
        let ran = issuer.verify().run();
        assert_eq!(ran.code, code, "{expected}\n{}", ran.stderr);
        assert!(ran.stdout.contains(expected), "{expected}\n{}", ran.stdout);
        // The claims are still checked.
        assert!(ran.stdout.contains("✓ aud        a\n"));
    }
    let issuer = Issuer::start(valid_discovery, |_, _| html());
    let ran = issuer.verify().run();
    assert!(ran.code == 6 && ran.stdout.contains("? keys       "), "{}", ran.stdout);
}

#[test]
fn an_issuer_that_cannot_be_reached_leaves_it_undecided() {
    let issuer = Issuer::with_keys(|key| vec![json!([jwk(key, "new")])]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    let gp = issuer.verify().line("--timeout 200ms --jwks").arg(&silent).with_placeholder(silent, "[SILENT]");
    let ran = gp.run();
    assert_eq!(ran.code, 6);
    assert!(ran.stdout.ends_with("undecided: keys could not be judged\n"), "{}", ran.stdout);
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
error: could not verify the token
  caused by: keys: [SILENT] did not answer within 200 ms
hint: the service accepts connections, but most likely it is overloaded or hangs: give it more time with `--timeout 1m`
hint: if it fails again, ask whoever runs the service why it does not answer

"#]]
    );
    // A definite failure takes precedence over an undecided step.
    let ran = issuer
        .verify()
        .line("--timeout 200ms --issuer https://i --audience b --jwks")
        .arg("http://127.0.0.1:1")
        .run();
    assert_eq!(ran.code, 1);
}

#[test]
fn text_of_the_token_cannot_drive_a_terminal() {
    let issuer = Issuer::with_keys(|key| vec![json!([jwk(key, "new")])]);
    let header = URL_SAFE_NO_PAD.encode(json!({"alg": "\u{1b}[2J\nvalid"}).to_string());
    let token = issuer.token();
    let token = format!("{header}.{}", token.split_once('.').unwrap().1);
    let ran = issuer.verify().stdin(token).run();
    assert_eq!(ran.code, 1);
    assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'));
    assert_eq!(ran.stdout.lines().filter(|line| line.starts_with("valid")).count(), 0);
}
