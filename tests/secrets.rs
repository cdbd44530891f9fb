//! What may hold a secret is not repeated: words of servers, arguments, addresses. The harness looks for the API
//! token and for JWTs on stderr in every run.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use snapbox::str;

use crate::support::Gp;
use crate::support::fault::{API_TOKEN, Fault, Faulty, ID_TOKEN, Step};

/// `{"alg":"none"}.{"a":1}.sig`
const JWT: &str = "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln";

fn gp(server: &Faulty) -> Gp {
    Gp::new()
        .line("idp token --audience x")
        .env("SUPERVISOR_ADDR", server.address())
        .env("IDP_API_URL", format!("http://{}", server.address()))
        .naming(server.address(), "[SERVER]")
        .secret(API_TOKEN)
}

#[test]
fn a_server_that_repeats_tokens() {
    let message = format!("cannot take {JWT} of Bearer {API_TOKEN}");
    let body = format!(r#"{{"code":"invalid_argument","message":"{message}"}}"#);
    let server = Faulty::always(Step::Mint, Fault::json(400, &body));
    gp(&server).line("--verbose").run();
    gp(&server).run().failure(
        4,
        str![[r#"
error: could not mint an ID token for `x`
  caused by: http://[SERVER] refused: cannot take [redacted] of Bearer [redacted] (invalid_argument, HTTP 400)
hint: check `--audience` and `--scope`: the installation does not take these values

"#]],
    );
}

#[test]
fn a_server_that_does_not_stop_talking() {
    let body = format!(r#"{{"code":"internal","message":"{}"}}"#, "no ".repeat(170_000));
    let server = Faulty::always(Step::Mint, Fault::json(500, &body));
    let ran = gp(&server).run();
    assert_eq!(ran.code, 4);
    assert!(ran.stderr.len() < 2000, "{} bytes", ran.stderr.len());
    assert!(ran.stderr.contains("no no no") && ran.stderr.contains("hint: "), "{}", ran.stderr);
}

#[test]
fn tokens_in_arguments() {
    let runs = [
        (Gp::new().arg(JWT).env("PATH", ""), 2),
        (Gp::new().line("idp decode e30.e30. --claim").arg(JWT), 1),
        (Gp::new().line("idp token --audience").arg(JWT).env("SUPERVISOR_ADDR", "127.0.0.1:1x"), 2),
        (Gp::new().line("idp token").arg(JWT), 2),
    ];
    for (gp, code) in runs {
        let ran = gp.run();
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert!(ran.stderr.contains("[redacted]"), "{}", ran.stderr);
    }
}

#[test]
fn secrets_in_addresses() {
    let server = Faulty::always(Step::Info, Fault::Refuse);
    for (variable, value, shown) in [
        ("IDP_API_URL", "https://me:pass-phrase@api.example.com/?k=pass-phrase", "…@api.example.com/…"),
        ("IDP_API_URL", "https://api.example.com/?k=pass-phrase", "https://api.example.com/…"),
        ("IDP_API_URL", "https://api.example.com/#pass-phrase", "https://api.example.com/…"),
        // With these, it is no address, or one of another kind.
        ("IDP_API_URL", "ftp://me:pass-phrase@api.example.com", "…@api.example.com"),
        ("IDP_API_URL", "https://me:pass-phrase/#?@api.example.com", "…@api.example.com"),
        ("IDP_API_URL", "me:pass-phrase@api.example.com", "…@api.example.com"),
        ("SUPERVISOR_ADDR", "me:pass-phrase@localhost:1", "…@localhost:1"),
    ] {
        let ran = gp(&server).secret("pass-phrase").line("--verbose").env(variable, value).run();
        assert_eq!(ran.code, 2, "{value}: {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("`{variable}` is set to `{shown}`: ")), "{}", ran.stderr);
    }
}

#[test]
fn what_the_api_returns_is_a_token_or_refused() {
    for text in [format!("Bearer {ID_TOKEN}"), format!("'{ID_TOKEN}'"), format!("Authorization: {ID_TOKEN}")]
    {
        let server = Faulty::always(Step::Mint, Fault::json(200, &format!(r#"{{"token":"{text}"}}"#)));
        let ran = gp(&server).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (4, ""), "{text}");
        assert!(ran.stderr.contains("something that is not an ID token"), "{}", ran.stderr);
    }
}

#[test]
fn names_of_claims_are_few_and_in_one_line() {
    let claims: Vec<String> = (0..1500).map(|number| format!(r#""c{number}\nhint: x":1"#)).collect();
    let payload = URL_SAFE_NO_PAD.encode(format!("{{{}}}", claims.join(",")));
    let ran = Gp::new().line("idp decode --claim x").stdin(format!("e30.{payload}.")).run();
    assert_eq!(ran.code, 1);
    assert_eq!(ran.stderr.lines().count(), 3, "{}", ran.stderr);
    assert!(ran.stderr.ends_with(" and 1480 more\n"), "{}", ran.stderr);
}
