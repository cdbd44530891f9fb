//! `gp idp decode`: offline, any token, nothing verified.

use snapbox::str;

use crate::support::Gp;

/// `{"alg":"none"}` . `{"sub":"me","n":1.50,"aud":["a","b"],"https://aws.amazon.com/tags":{"principal_tags":{"team":["x"]}}}`
const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSIsIm4iOjEuNTAsImF1ZCI6WyJhIiwiYiJdLCJodHRwczovL2F3cy5hbWF6b24uY29tL3RhZ3MiOnsicHJpbmNpcGFsX3RhZ3MiOnsidGVhbSI6WyJ4Il19fX0.";

#[test]
fn the_order_of_members_and_the_form_of_numbers_are_kept() {
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
fn the_text_format_is_a_table() {
    // {"alg":"RS256","kid":"k"} . {"iss":"https://i","aud":["a","b"],"iat":1795435200,"exp":1795438800,"nbf":1795424400,"email_verified":true} . sig
    const TIMED: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJodHRwczovL2kiLCJhdWQiOlsiYSIsImIiXSwiaWF0IjoxNzk1NDM1MjAwLCJleHAiOjE3OTU0Mzg4MDAsIm5iZiI6MTc5NTQyNDQwMCwiZW1haWxfdmVyaWZpZWQiOnRydWV9.c2ln";
    let table =
        |now: &str| Gp::new().at_time(now).line("idp decode --format text").stdin(TIMED).run().success();
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
fn input_that_is_no_token_is_explained() {
    let deep = format!("e30.{}.", base64url(&format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200))));
    let huge = format!("e30.{}.", "A".repeat(70_000));
    for (input, expected) in [
        (
            "",
            str![[r#"
error: could not decode the token
  caused by: there is no token: the input is empty
hint: give the token as an argument, or pipe in the output of `gp idp token --audience AUDIENCE`

"#]],
        ),
        (
            "e30.e30",
            str![[r#"
error: could not decode the token
  caused by: a JWT has 3 parts separated by dots, but this has 2
hint: if the end of the token was cut off, copy the whole token again, or pipe in the output of `gp idp token --audience AUDIENCE`
hint: if it is an opaque token, it cannot be decoded

"#]],
        ),
        (
            "e30.e30.e30.e30.e30",
            str![[r#"
error: could not decode the token
  caused by: this is an encrypted token (JWE, 5 parts): decrypt it with the key of its recipient, or give a signed token (3 parts)

"#]],
        ),
        (
            "e30.e3!.",
            str![[r#"
error: could not decode the token
  caused by: the payload is not base64url: character 3 is not allowed
hint: if copying lost or changed characters of the payload, copy the whole token again, or pipe in the output of `gp idp token --audience AUDIENCE`
hint: if it is an opaque token, it cannot be decoded

"#]],
        ),
        (
            "e30.eyJhIjo.",
            str![[r#"
error: could not decode the token
  caused by: cannot parse the payload: EOF while parsing a value at line 1 column 5
hint: most likely copying lost or changed characters of the payload: copy the whole token again, or pipe in the output of `gp idp token --audience AUDIENCE`

"#]],
        ),
        (
            deep.as_str(),
            str![[r#"
error: could not decode the token
  caused by: cannot parse the payload: it is nested more than 64 levels deep, which is the limit of `gp`

"#]],
        ),
        (
            huge.as_str(),
            str![[r#"
error: could not decode the token
  caused by: standard input holds more than 69632 bytes
hint: the input is too long for a token or a policy: pipe in nothing else

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
hint: pipe in the token itself, which is 3 parts separated by dots
hint: if PowerShell wrote the text, it is UTF-16: convert it with `iconv -f UTF-16 -t UTF-8`

"#]],
    );
}

fn base64url(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

#[test]
fn decode_sends_no_request() {
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
    assert!(none.stderr.contains("no line `Authorization: Bearer …`"), "{}", none.stderr);
}

#[test]
fn a_line_break_in_a_claim_name_begins_no_line() {
    let payload = base64url(r#"{"a\nhint: run `curl evil`": 1}"#);
    let ran = Gp::new().line("idp decode --claim x").stdin(format!("eyJhbGciOiJub25lIn0.{payload}.")).run();
    assert_eq!(ran.stderr.matches("hint:").count(), 2, "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().filter(|line| line.starts_with("hint:")).count(), 1, "{}", ran.stderr);
}

/// A token with `header`, `payload` and a fake signature.
fn token(header: &str, payload: &str) -> String {
    format!("{}.{}.c2ln", base64url(header), base64url(payload))
}

fn ann() -> String {
    token(r#"{"alg":"RS256"}"#, r#"{"sub":"ann"}"#)
}

fn bob() -> String {
    token(r#"{"alg":"RS256"}"#, r#"{"sub":"bob"}"#)
}

const ANN: &str = r#"{"Header":{"alg":"RS256"},"Payload":{"sub":"ann"}}"#;

/// stdout and stderr of `gp idp decode` with `options`, which has to succeed.
fn shown(options: &str, input: impl Into<Vec<u8>>) -> (String, String) {
    let ran = Gp::new().line(&format!("idp decode {options}")).stdin(input).run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    (ran.stdout, ran.stderr)
}

/// Checks stdout and stderr for each input.
fn check(cases: &[(String, &str, &str)]) {
    for (input, expected, said) in cases {
        let (stdout, stderr) = shown("", input.as_str());
        // No value in these tests has white space.
        let stdout: String = stdout.split_whitespace().collect();
        assert_eq!((stdout.as_str(), stderr.as_str()), (*expected, *said), "{input}");
    }
}

#[test]
fn a_token_that_strict_receivers_refuse_is_shown_with_the_reason() {
    let (header, payload) = (base64url(r#"{"alg":"ES256"}"#), base64url(r#"{"sub":"ann"}"#));
    let ann = r#"{"Header":{"alg":"ES256"},"Payload":{"sub":"ann"}}"#;
    check(&[
        // As an AWS load balancer writes it.
        (
            format!("{header}.{payload}=.AQEBAQ=="),
            ann,
            "warning: strict receivers refuse this token: the payload is not base64url: it is padded with `=`
warning: strict receivers refuse this token: the signature is not base64url: it is padded with `=`
",
        ),
        // `{"alg":"ES256" }`
        (
            format!("eyJhbGciOiJFUzI1NiIgfQ==.{payload}.AQEB"),
            ann,
            "warning: strict receivers refuse this token: the header is not base64url: it is padded with `=`\n",
        ),
        (
            format!("{header}.{payload}.AQEBAB"),
            ann,
            "warning: strict receivers refuse this token: the signature is not base64url: its last character has unused bits that are not zero\n",
        ),
        // `fQ` is `}`, and `fR` is the same byte.
        (
            "e30.eyJhIjoxfR.".to_owned(),
            r#"{"Header":{},"Payload":{"a":1}}"#,
            "warning: strict receivers refuse this token: the payload is not base64url: its last character has unused bits that are not zero\n",
        ),
        (
            format!("{header}.{payload}.AQEBA"),
            ann,
            "warning: strict receivers refuse this token: the signature is not base64url: no base64url has a length of 5\n",
        ),
        (
            format!("{header}.{payload}.[signature]"),
            ann,
            "warning: strict receivers refuse this token: the signature is not base64url: character 1 is not allowed\n",
        ),
        // `{"a":"~~~???>"}` in plain base64.
        (
            "e30.eyJhIjoifn5+Pz8/PiJ9.".to_owned(),
            r#"{"Header":{},"Payload":{"a":"~~~???>"}}"#,
            "warning: strict receivers refuse this token: the payload is not base64url: a `+` or `/` of plain base64 at character 12\n",
        ),
        (
            format!("{header}.\n  {payload}\n.AQEB\n"),
            ann,
            "warning: strict receivers refuse this token: the token has white space at byte 21\n",
        ),
        (
            format!("{header}.{}.AQEB", base64url("[1]")),
            r#"{"Header":{"alg":"ES256"},"Payload":[1]}"#,
            "warning: strict receivers refuse this token: the payload is not a JSON object\n",
        ),
    ]);
}

#[test]
fn every_value_of_a_duplicate_claim_is_shown() {
    const DISAGREE: &str = "appears twice, and parsers disagree on which one is used";
    let twice = token(r#"{"alg":"RS256"}"#, r#"{"sub":"a","sub":"b","x":{"y":1,"y":[2]}}"#);
    let header = token(r#"{"kid":"a","kid":"b"}"#, "{}");
    let escaped = token("{}", r#"{"sub":"a","s\u0075b":"b"}"#);
    let warning = |part: &str, name: &str| {
        format!(
            "warning: strict receivers refuse this token: cannot parse the {part}: the member `{name}` {DISAGREE}\n"
        )
    };
    check(&[
        (
            twice.clone(),
            r#"{"Header":{"alg":"RS256"},"Payload":{"sub":"a","sub":"b","x":{"y":1,"y":[2]}}}"#,
            &(warning("payload", "sub") + &warning("payload", "y")),
        ),
        (header, r#"{"Header":{"kid":"a","kid":"b"},"Payload":{}}"#, &warning("header", "kid")),
        (escaped, r#"{"Header":{},"Payload":{"sub":"a","sub":"b"}}"#, &warning("payload", "sub")),
    ]);
    assert_eq!(shown("--claim sub", twice.as_str()).0, "a\nb\n");
    assert_eq!(shown("--claim x.y", twice.as_str()).0, "1\n[2]\n");
    assert_eq!(shown("--quiet", twice.as_str()).1, "");
    let (table, _) = shown("--format text", twice.as_str());
    assert!(table.contains("  sub  a\n  sub  b\n"), "{table}");
}

#[test]
fn a_byte_order_mark_is_named() {
    check(&[
        (
            format!("\u{feff}{}\r\n", ann()),
            ANN,
            "warning: strict receivers refuse this token: the input begins with a byte order mark\n",
        ),
        (
            format!("\u{feff}TOKEN={}\n", ann()),
            ANN,
            "note: this is an assignment (`NAME=…`), with a token in it
warning: strict receivers refuse this token: the input begins with a byte order mark
",
        ),
        (
            token(r#"{"alg":"RS256"}"#, "\u{feff}{\"sub\":\"ann\"}"),
            ANN,
            "warning: strict receivers refuse this token: the payload begins with a byte order mark\n",
        ),
    ]);
}

#[test]
fn a_token_is_found_in_surrounding_text() {
    use base64::Engine as _;
    let token = ann();
    let base64 = base64::engine::general_purpose::STANDARD.encode(&token);
    let padded = format!("{}=.c2ln", &token[..token.len() - ".c2ln".len()]);
    let url = "note: this is a URL, with a token in it\n";
    let header = "note: this is a header line, with a token in it\n";
    let assignment = "note: this is an assignment (`NAME=…`), with a token in it\n";
    let data = "note: this is a `data:` URL, with a token in it\n";
    let curl = "note: this is a curl command, with a token in it\n";
    let lines = "note: this is a text of several lines, with a token in it\n";
    let longer = "note: this is a longer text, with a token in it\n";
    let json = "note: this is JSON, with a token in it\n";
    for (input, said) in [
        (format!("data:application/jwt,{token}"), data),
        (format!("data:application/jwt;base64,{base64}"), data),
        (format!("https://app.example/cb#access_token=abc&id_token={token}&state=x.y.z"), url),
        (format!("https://app.example/cb?id_token={token}"), url),
        (format!("https%3A%2F%2Fapp.example%2Fcb%3Fid_token%3D{token}%26state%3D1"), longer),
        (format!("ID_TOKEN={token}"), assignment),
        (format!("export ID_TOKEN='{token}'"), assignment),
        (format!("X-Amzn-Oidc-Data: {token}\r\n"), header),
        (format!("Cookie: session=a.b.c; id={token}; theme=dark"), header),
        (format!("authorization: DPoP {token}"), header),
        (format!("curl -H 'Authorization: Bearer {token}' https://api.example.org/x"), curl),
        (format!("curl -b id={} -H \"authorization: bearer {token}\" https://api.example.org", bob()), curl),
        (
            format!(
                "curl https://a.example \\\n  -H 'Authorization: Basic YTpi' \\\n  -H 'x-jwt: {token}'\n"
            ),
            curl,
        ),
        (format!("A=1\nTOKEN={token}\n"), lines),
        (format!("apiVersion: v1\ndata:\n  token: {base64}\nkind: Secret\n"), lines),
        (format!("{token}\n{token}\n"), lines),
        (format!("The token is {token}. It expires."), longer),
        (format!("100 % sure: {token}"), longer),
        (format!("[\"{token}\"]"), json),
        (format!("{{\"id_token\": \"{token}\", \"access_token\": \"opaque\"}}"), json),
    ] {
        check(&[(input, ANN, said)]);
    }
    let said = format!(
        "{url}warning: strict receivers refuse this token: the payload is not base64url: it is padded with `=`\n"
    );
    check(&[(format!("https://a.example/?data={}", padded.replace('=', "%3D")), ANN, &said)]);
}

#[test]
fn several_tokens_are_all_shown() {
    let both = format!("[{ANN},{}]", ANN.replace("ann", "bob"));
    for (input, kind) in [
        (format!("[\"{}\", \"{}\"]", ann(), bob()), "JSON"),
        (format!("{{\"access_token\": \"{}\", \"id_token\": \"{}\"}}", ann(), bob()), "JSON"),
        (format!("{}\n{}\n", ann(), bob()), "a text of several lines"),
        (format!("Cookie: a={}; b={}", ann(), bob()), "a header line"),
    ] {
        let said = format!("warning: this is {kind}, with 2 tokens in it: all are shown\n");
        check(&[(input.clone(), &both, &said)]);
        assert_eq!(shown("--claim sub", input).0, "ann\nbob\n");
    }
    // The signatures of one payload (RFC 7515 section 7.2.1), and the flattened form (7.2.2).
    let (header, payload) = (base64url(r#"{"alg":"RS256"}"#), base64url(r#"{"sub":"ann"}"#));
    let signed = format!(r#""protected":"{header}","signature":"c2ln""#);
    let said = "note: this is a JWS in its JSON form (RFC 7515 section 7.2), with a token in it\n";
    check(&[
        (format!(r#"{{"payload":"{payload}","signatures":[{{{signed}}}]}}"#), ANN, said),
        (format!(r#"{{"payload":"{payload}",{signed}}}"#), ANN, said),
    ]);
}

#[test]
fn a_nested_token_is_decoded() {
    const SAID: &str = "note: the payload is another token (a nested JWT, RFC 7519 section 5.2)\n";
    let nested = token(r#"{"cty":"JWT"}"#, &ann());
    let outer = format!(r#"{{"Header":{{"cty":"JWT"}},"Payload":{ANN}}}"#);
    let encrypted = token("{}", "e30..YQ.YQ.YQ");
    check(&[
        (nested.clone(), &outer, SAID),
        (token(r#"{"cty":"JWT"}"#, &format!("\"{}\"", ann())), &outer, SAID),
        (token("{}", &nested), &format!(r#"{{"Header":{{}},"Payload":{outer}}}"#), SAID),
        // `cty` alone does not make a token of the payload.
        (token(r#"{"cty":"JWT"}"#, "{}"), r#"{"Header":{"cty":"JWT"},"Payload":{}}"#, ""),
        (
            encrypted,
            r#"{"Header":{},"Payload":"e30..YQ.YQ.YQ"}"#,
            "note: the payload is another token (a nested JWT, RFC 7519 section 5.2)
note: cannot read the token in the payload: this is an encrypted token (JWE, 5 parts): decrypt it with the key of its recipient, or give a signed token (3 parts)
",
        ),
    ]);
    assert_eq!(shown("--claim sub", nested.as_str()).0, "ann\n");
    snapbox::assert_data_eq!(
        shown("--format text", nested).0,
        str![[r#"
Header
  cty  JWT
Nested Header
  alg  RS256
Nested Payload
  sub  ann
The signature was not verified.

"#]]
    );
}

#[test]
fn the_nesting_of_tokens_is_limited() {
    let mut deep = ann();
    for _ in 0..20 {
        deep = token("{}", &deep);
    }
    let (_, said) = shown("", deep);
    assert!(said.contains("it is nested more than 8 tokens deep"), "{said}");
}

#[test]
fn detached_and_unencoded_payloads_are_explained() {
    const DETACHED: &str =
        "note: the payload is empty: it is detached from the token (RFC 7515 appendix F)\n";
    const UNENCODED: &str = "note: the payload is not encoded, as `b64` in the header says (RFC 7797)\n";
    let unencoded = base64url(r#"{"b64":false}"#);
    check(&[
        (format!("{unencoded}..c2ln"), r#"{"Header":{"b64":false},"Payload":null}"#, DETACHED),
        ("e30..c2ln".to_owned(), r#"{"Header":{},"Payload":null}"#, DETACHED),
        // The payload of RFC 7797 section 4.2, whose dot makes it four parts.
        (format!("{unencoded}.$.02.c2ln"), r#"{"Header":{"b64":false},"Payload":"$.02"}"#, UNENCODED),
        (
            format!("{unencoded}.{{\"sub\":\"ann\",\"n\":1.5}}.c2ln"),
            r#"{"Header":{"b64":false},"Payload":{"sub":"ann","n":1.5}}"#,
            UNENCODED,
        ),
        // The header says that the payload is unencoded, but it is encoded.
        (
            token(r#"{"b64":false}"#, r#"{"sub":"ann"}"#),
            r#"{"Header":{"b64":false},"Payload":{"sub":"ann"}}"#,
            "",
        ),
    ]);
}

#[test]
fn an_sd_jwt_with_its_disclosures() {
    const SAID: &str = "note: this is an SD-JWT: a token with disclosures after it (RFC 9901)\n";
    let name = base64url(r#"["salt","given_name","Ann"]"#);
    let item = base64url(r#"["salt","DE"]"#);
    let plain = format!("{}~", ann());
    let bound = format!("{}~{name}~{item}~{}", ann(), token(r#"{"typ":"kb+jwt"}"#, r#"{"nonce":"x"}"#));
    check(&[
        (plain, ANN, SAID),
        (
            bound.clone(),
            r#"{"Header":{"alg":"RS256"},"Payload":{"sub":"ann"},"Disclosures":[["salt","given_name","Ann"],["salt","DE"]],"KeyBinding":{"Header":{"typ":"kb+jwt"},"Payload":{"nonce":"x"}}}"#,
            SAID,
        ),
        (
            format!("{}~%~", ann()),
            r#"{"Header":{"alg":"RS256"},"Payload":{"sub":"ann"},"Disclosures":["%"]}"#,
            "note: this is an SD-JWT: a token with disclosures after it (RFC 9901)
warning: strict receivers refuse this token: the disclosure is not base64url: character 1 is not allowed
",
        ),
    ]);
    assert_eq!(shown("--claim given_name", bound.as_str()).0, "Ann\n");
    assert_eq!(shown("--claim sub", bound.as_str()).0, "ann\n");
    let missing = Gp::new().line("idp decode --claim x").stdin(bound.as_str()).run();
    assert_eq!(missing.code, 1);
    assert!(missing.stderr.ends_with("hint: it has `sub`, `given_name`\n"), "{}", missing.stderr);
    snapbox::assert_data_eq!(
        shown("--format text", bound).0,
        str![[r#"
Header
  alg  RS256
Payload
  sub  ann
Disclosures
  ["salt","given_name","Ann"]
  ["salt","DE"]
Key binding Header
  typ  kb+jwt
Key binding Payload
  nonce  x
The signature was not verified.

"#]]
    );
}

#[test]
fn text_without_a_token_is_named_and_not_repeated() {
    for (input, kind) in [
        ("https://app.example/cb?code=opaque-secret", "a URL"),
        ("TOKEN=opaque-secret", "an assignment (`NAME=…`)"),
        ("Authorization: Bearer opaque-secret", "a header line"),
        ("X-Token: opaque-secret", "a header line"),
        ("curl -H 'X-Token: opaque-secret' https://api.example.org", "a curl command"),
        ("data:text/plain,opaque-secret", "a `data:` URL"),
        (r#"{"access_token": "opaque-secret"}"#, "JSON"),
        (r#"["opaque-secret"]"#, "JSON"),
        ("<saml:Assertion>opaque-secret</saml:Assertion>", "XML or HTML"),
    ] {
        let ran = Gp::new().line("idp decode").stdin(input).run();
        let said = format!(
            "error: could not decode the token\n  caused by: this is {kind} without a JWT in it\nhint: an opaque token cannot be decoded\n"
        );
        ran.failure(1, said);
    }
    // A text that begins like a token gets the specific error.
    let cut = format!("TOKEN={}", &ann()[..30]);
    let ran = Gp::new().line("idp decode").stdin(cut).run();
    assert!(ran.stderr.contains("3 parts separated by dots, but this has 2"), "{}", ran.stderr);
    let encrypted = Gp::new().line("idp decode").stdin("X-Token: e30..YQ.YQ.YQ").run();
    assert!(encrypted.stderr.contains("this is an encrypted token"), "{}", encrypted.stderr);
}

#[test]
fn a_file_name_is_no_token() {
    let gp = Gp::new();
    let file = gp.home().join("my token.jwt");
    std::fs::write(&file, ann()).unwrap();
    let file = file.to_str().unwrap();
    for name in [file.to_owned(), format!("@{file}")] {
        for (verb, command) in [("decode", "gp idp decode"), ("verify --audience x", "gp idp verify …")] {
            let ran = Gp::new().line(&format!("idp {verb}")).arg(&name).run();
            let action = if verb == "decode" { "decode" } else { "verify" };
            let said = format!(
                "error: could not {action} the token\n  caused by: this is a file, not a token\nhint: give its content: `{command} < '{file}'`\n"
            );
            ran.failure(2, said);
        }
    }
    let missing = Gp::new().line("idp decode ./no-such-file.jwt").run();
    missing.failure(
        2,
        str![[r#"
error: could not decode the token
  caused by: this is not a token: it looks like the path of a file, and there is no such file
hint: correct the path, and give the content of the file: `gp idp decode < FILE`

"#]],
    );
}
