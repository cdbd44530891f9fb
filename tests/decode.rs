//! `gp idp decode`: offline, any token, nothing verified.

use snapbox::str;

use crate::support::Gp;

/// `{"alg":"none"}` . `{"sub":"me","n":1.50,"aud":["a","b"],"https://aws.amazon.com/tags":{"principal_tags":{"team":["x"]}}}`
const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSIsIm4iOjEuNTAsImF1ZCI6WyJhIiwiYiJdLCJodHRwczovL2F3cy5hbWF6b24uY29tL3RhZ3MiOnsicHJpbmNpcGFsX3RhZ3MiOnsidGVhbSI6WyJ4Il19fX0.";

#[test]
fn the_token_in_its_own_order_and_numbers() {
    let expected = str![[r#"
{
  "Header": {
    "alg": "none"
  },
  "Payload": {
    "sub": "me",
    "n": 1.50,
    "aud": [
      "a",
      "b"
    ],
    "https://aws.amazon.com/tags": {
      "principal_tags": {
        "team": [
          "x"
        ]
      }
    }
  }
}

"#]];
    snapbox::assert_data_eq!(Gp::new().line("idp decode").arg(TOKEN).run().success(), expected.clone());
    for input in [TOKEN.to_owned(), format!("Authorization: Bearer {TOKEN}\r\n"), format!("\n{TOKEN}\n")] {
        for line in ["idp decode", "idp decode -"] {
            snapbox::assert_data_eq!(
                Gp::new().line(line).stdin(input.clone()).run().success(),
                expected.clone()
            );
        }
    }
}

#[test]
fn one_claim() {
    for (name, expected) in [
        ("sub", "me\n"),
        ("n", "1.50\n"),
        ("aud", "[\"a\",\"b\"]\n"),
        ("aud.1", "b\n"),
        ("https://aws.amazon.com/tags", "{\"principal_tags\":{\"team\":[\"x\"]}}\n"),
        ("https://aws.amazon.com/tags.principal_tags.team", "[\"x\"]\n"),
    ] {
        assert_eq!(Gp::new().line("idp decode --claim").arg(name).stdin(TOKEN).run().success(), expected);
    }
    Gp::new().line("idp decode --claim nope").stdin(TOKEN).run().failure(
        1,
        str![[r#"
error: could not decode the token
  caused by: the token has no claim `nope`
hint: it has `sub`, `n`, `aud`, `https://aws.amazon.com/tags`

"#]],
    );
}

#[test]
fn a_table_for_people() {
    // {"alg":"RS256","kid":"k"} . {"iss":"https://i","aud":["a","b"],"iat":1795435200,"exp":1795438800,"nbf":1795424400,"email_verified":true} . sig
    const TIMED: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJodHRwczovL2kiLCJhdWQiOlsiYSIsImIiXSwiaWF0IjoxNzk1NDM1MjAwLCJleHAiOjE3OTU0Mzg4MDAsIm5iZiI6MTc5NTQyNDQwMCwiZW1haWxfdmVyaWZpZWQiOnRydWV9.c2ln";
    let table = |now: &str| Gp::new().at(now).line("idp decode --format text").stdin(TIMED).run().success();
    snapbox::assert_data_eq!(
        table("2026-11-23T12:01:00Z"),
        str![[r#"
Header
  alg  RS256
  kid  k
Payload
  iss             https://i
  aud             a, b
  iat             2026-11-23 12:00:00 +00:00 (60 s ago)
  exp             2026-11-23 13:00:00 +00:00 (in 59 min)
  nbf             2026-11-23 09:00:00 +00:00 (3 h ago)
  email_verified  true
The signature was not verified.

"#]]
    );
    snapbox::assert_data_eq!(
        table("2026-11-23T16:00:30Z"),
        str![[r#"
Header
  alg  RS256
  kid  k
Payload
  iss             https://i
  aud             a, b
  iat             2026-11-23 12:00:00 +00:00 (4 h ago)
  exp             2026-11-23 13:00:00 +00:00 (expired 3 h ago)
  nbf             2026-11-23 09:00:00 +00:00 (7 h ago)
  email_verified  true
The signature was not verified.

"#]]
    );
}

#[test]
fn text_that_could_drive_a_terminal_is_escaped_in_the_table() {
    // {"sub":"\u001b[2J","\u202ex":"a\nerror: b"}
    const NASTY: &str = "e30.eyJzdWIiOiJcdTAwMWJbMkoiLCJcdTIwMmV4IjoiYVxuZXJyb3I6IGIifQ.";
    snapbox::assert_data_eq!(
        Gp::new().line("idp decode --format text").stdin(NASTY).run().success(),
        str![[r#"
Header
Payload
  sub        /u{1b}[2J
  /u{202e}x  a error: b
The signature was not verified.

"#]]
    );
}

#[test]
fn what_is_no_token_is_explained() {
    let deep = format!("e30.{}.", base64url(&format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200))));
    let huge = format!("e30.{}.", "A".repeat(70_000));
    for (input, expected) in [
        (
            "",
            str![[r#"
error: could not decode the token
  caused by: there is no token: the input is empty
hint: give the token as an argument, or pipe it in: `gp idp token --audience example.org | gp idp decode`

"#]],
        ),
        (
            "e30.e30",
            str![[r#"
error: could not decode the token
  caused by: a JWT has three parts separated by dots, this has 2
hint: it may be cut off, or be an opaque token, which has nothing to decode

"#]],
        ),
        (
            "e30.e30.e30.e30.e30",
            str![[r#"
error: could not decode the token
  caused by: this is an encrypted token (JWE, five parts): only its recipient's key opens it

"#]],
        ),
        (
            "e30.e3!.",
            str![[r#"
error: could not decode the token
  caused by: the payload is not base64url: a character outside of its alphabet at character 3
hint: it may be cut off, or be an opaque token, which has nothing to decode

"#]],
        ),
        (
            "e30.eyJhIjoxLCJhIjoyfQ.",
            str![[r#"
error: could not decode the token
  caused by: the payload is not valid JSON: the member `a` appears twice, and parsers disagree on which one is used

"#]],
        ),
        (
            "e30.e30.\ne30.e30.",
            str![[r#"
error: could not decode the token
  caused by: the token has white space at byte 8
hint: a token stands on one line: it may have been wrapped when it was copied, or two were given

"#]],
        ),
        (
            deep.as_str(),
            str![[r#"
error: could not decode the token
  caused by: the payload is not valid JSON: it is nested more than 64 levels deep

"#]],
        ),
        (
            huge.as_str(),
            str![[r#"
error: could not decode the token
  caused by: standard input holds more than 69632 bytes

"#]],
        ),
    ] {
        Gp::new().line("idp decode").stdin(input).run().failure(1, expected);
    }
    Gp::new().line("idp decode").stdin([0xff, 0xfe]).run().failure(
        1,
        str![[r#"
error: could not decode the token
  caused by: standard input is not UTF-8 text

"#]],
    );
}

fn base64url(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

#[test]
fn nothing_is_asked_of_any_server() {
    // An environment in which every request would fail.
    let gp = Gp::new().line("idp decode").stdin(TOKEN).env("SUPERVISOR_ADDR", "127.0.0.1:1");
    gp.env("HTTPS_PROXY", "http://127.0.0.1:1").run().success();
}

#[test]
fn the_token_is_found_in_the_headers_of_a_request() {
    let token = "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.";
    let headers =
        format!("GET / HTTP/1.1\r\nHost: example.org\r\nauthorization: Bearer {token}\r\nAccept: */*\r\n");
    assert_eq!(Gp::new().line("idp decode --claim a").stdin(headers).run().success(), "1\n");
    let none = Gp::new().line("idp decode").stdin("GET / HTTP/1.1\r\nHost: example.org\r\n").run();
    assert!(none.stderr.contains("no `Authorization: Bearer …` among them"), "{}", none.stderr);
    let json = Gp::new().line("idp decode").stdin(format!("{{\"id_token\": \"{token}\"}}")).run();
    assert!(json.stderr.contains("hint: take it out first"), "{}", json.stderr);
}

#[test]
fn names_of_claims_make_no_lines_of_their_own() {
    let payload = base64(r#"{"a\nhint: run `curl evil`": 1}"#);
    let ran = Gp::new().line("idp decode --claim x").stdin(format!("eyJhbGciOiJub25lIn0.{payload}.")).run();
    assert_eq!(ran.stderr.matches("hint:").count(), 2, "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().filter(|line| line.starts_with("hint:")).count(), 1, "{}", ran.stderr);
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}
