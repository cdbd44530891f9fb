//! `gp idp exchange`: replies of token endpoints that differ from the RFCs.

use std::io::{Read, Write};

use gp_idp::dev::{OauthOptions, Options, PreparedReply};

use crate::support::Gp;
use crate::support::fault::{Fault, Faulty, Step};

const LINE: &str = "idp exchange --audience oauth";

fn answered(prepared_replies: Vec<PreparedReply>) -> Gp {
    let oauth = OauthOptions { prepared_replies, ..OauthOptions::default() };
    Gp::in_workspace_of(Options { oauth, ..Options::default() }).line(LINE)
}

/// The stderr of a run where every reply is this failure.
#[track_caller]
fn stderr_for(code: i32, reply: &PreparedReply) -> String {
    let ran = answered(vec![reply.clone(); 12]).line("--timeout 5s").run();
    assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{}", ran.stderr);
    ran.stderr
}

#[test]
fn a_client_secret_that_a_refusal_repeats_is_not_shown() {
    for client in ["basic", "post"] {
        let reply = refusal("invalid_client", "no client has the secret s3cret-of-the-client");
        let gp = answered(vec![reply; 4]).line("--client-id ci --client-auth").arg(client);
        let ran = gp.env("IDP_CLIENT_SECRET", "s3cret-of-the-client").secret("s3cret-of-the-client").run();
        assert!(ran.stderr.contains("no client has the secret [redacted]"), "{client}: {}", ran.stderr);
    }
}

fn refusal(error: &str, description: &str) -> PreparedReply {
    PreparedReply::json(400, format!(r#"{{"error": "{error}", "error_description": "{description}"}}"#))
}

#[test]
fn a_hint_depends_on_whole_words_of_the_message() {
    let cases = [
        (
            "Token is for another audience",
            "the service expects another audience: give the expected one with `--audience`",
        ),
        (
            "Invalid claim: 'aud'",
            "the service expects another audience: give the expected one with `--audience`",
        ),
        ("iss does not match", "does not trust the issuer"),
        ("Token was issued too long ago", "the log of the service shows the reason to its administrator"),
        ("The permission is missing", "the log of the service shows the reason to its administrator"),
        ("The request was audited", "the log of the service shows the reason to its administrator"),
        ("jti claim is missing", "which tokens of Gitpod do not have"),
        ("Token expiration is too far in the future", "the token lives for 60 min"),
        ("Token is not active", "so a clock is wrong"),
        ("Token was issued too far in the past to be used now", "so a clock is wrong"),
        ("Invalid signature", "fetch the keys"),
    ];
    for (description, hint) in cases {
        let stderr = stderr_for(5, &refusal("invalid_grant", description));
        assert!(stderr.contains(hint), "{description}: {stderr}");
    }
}

#[test]
fn a_hint_depends_on_the_message_if_the_code_is_too_general() {
    // Messages of Keycloak 26.7 and Dex.
    let cases = [
        ("invalid_client", "Token jti claim is required", "accept an assertion more than once"),
        ("invalid_grant", "Token jti claim is required", "accept an assertion more than once"),
        ("invalid_client", "Invalid token audience", "give `--audience URL_OF_THE_SERVICE`, and no other"),
        ("unauthorized_client", "Invalid client or Invalid client credentials", "or its secret"),
        ("invalid_client", "Invalid client or Invalid client credentials", "or its secret"),
        ("request_not_supported", "Invalid subject_token_type", "try `--subject-token-type id_token`"),
        ("invalid_request", "Requested connector does not exist", "`--param connector_id=ID`"),
        ("access_denied", "Client not allowed to exchange", "a rule of the service"),
    ];
    for (error, description, hint) in cases {
        let stderr = stderr_for(5, &refusal(error, description));
        assert!(stderr.contains(hint), "{error} {description}: {stderr}");
    }
    let gp = answered(vec![refusal("access_denied", "Client not allowed to exchange")]);
    let ran = gp.line("--param subject_issuer=gitpod").run();
    assert!(ran.stderr.contains("the permission `token-exchange`"), "{}", ran.stderr);
}

#[test]
fn a_refusal_of_several_audiences_has_a_hint() {
    let ran =
        answered(vec![refusal("invalid_grant", "Multiple audiences not allowed")]).line("--audience b").run();
    assert_eq!(ran.code, 5);
    assert!(ran.stderr.contains("this token is for `oauth, b`: give `--audience` once"), "{}", ran.stderr);
}

#[test]
fn error_codes_that_the_rfcs_do_not_have_get_a_hint() {
    for (error, hint) in [
        ("invalid_token", "the log of the service shows the reason to its administrator"),
        ("access_denied", "a rule of the service"),
        ("consent_required", "a person"),
        ("interaction_required", "a person"),
        ("unsupported_token_type", "--subject-token-type"),
    ] {
        let stderr = stderr_for(5, &refusal(error, ""));
        assert!(stderr.contains(hint), "{error}: {stderr}");
    }
    // Auth0's rate limit.
    for status in [400, 429] {
        let body = r#"{"error": "too_many_attempts", "error_description": "slow down"}"#;
        let stderr = stderr_for(6, &PreparedReply::json(status, body));
        assert!(stderr.contains("refused too many tokens"), "{stderr}");
    }
}

#[test]
fn a_reused_assertion_is_replaced_by_a_new_token() {
    let gp = answered(vec![refusal("invalid_grant", "Token reuse detected")]).line("--grant jwt-bearer");
    gp.run().success();
    assert_eq!(gp.workspace().oauth_requests().len(), 2);
}

#[test]
fn errors_of_other_forms_are_refusals_too() {
    let cases = [
        (
            r#"{"error": {"code": 403, "message": "denied", "status": "PERMISSION_DENIED"}}"#,
            "denied (PERMISSION_DENIED, HTTP 403)",
        ),
        (
            r#"{"errorCode": "E0000022", "errorSummary": "not supported"}"#,
            "not supported (E0000022, HTTP 403)",
        ),
        (r#"{"message": "Forbidden"}"#, "Forbidden (HTTP 403)"),
        (r#"{"title": "Denied", "detail": "not from here"}"#, "not from here (HTTP 403)"),
        (r#"{"error": "access_denied", "error_description": ["a", 1]}"#, "access_denied, HTTP 403"),
        (r#"{"error": 7}"#, "refused: 7, HTTP 403"),
    ];
    for (body, expected) in cases {
        let stderr = stderr_for(5, &PreparedReply::json(403, body));
        assert!(stderr.contains(expected), "{body}: {stderr}");
    }
}

#[test]
fn a_token_that_a_message_repeats_is_not_shown() {
    // `Gp::run` checks that no token is on stderr.
    let stderr = stderr_for(5, &refusal("invalid_grant", "cannot parse eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln"));
    assert!(stderr.contains("cannot parse [redacted]"), "{stderr}");
}

#[test]
fn missing_and_invalid_members_of_a_reply_are_named() {
    for (body, expected) in [
        (r#"{"token_type": "Bearer"}"#, "`access_token` is missing"),
        (r#"{"access_token": null}"#, "`access_token` is missing"),
        (r#"{"access_token": ""}"#, "`access_token` is empty"),
        (r#"{"access_token": 7}"#, "`access_token` is a number and not a string"),
        (r#"{"access_token": ["t"]}"#, "`access_token` is an array and not a string"),
        (r#"{"access_token": {"value": "t"}}"#, "`access_token` is an object and not a string"),
        (
            r#"{"access_token": "a\nX-Admin: 1"}"#,
            "`access_token` has characters that are not allowed in a token",
        ),
        (r#"{"access_token": "t", "access_token": "u"}"#, "`access_token` appears twice"),
    ] {
        let stderr = stderr_for(6, &PreparedReply::json(200, body));
        assert!(stderr.contains(expected), "{body}: {stderr}");
    }
}

#[test]
fn unusable_members_of_a_reply_are_ignored() {
    for body in [
        r#"{"access_token": "t", "expires_in": 60.0}"#,
        r#"{"access_token": "t", "expires_in": {"seconds": 60}}"#,
        r#"{"access_token": "t", "expires_in": "soon", "token_type": null, "scope": ["a", "b"]}"#,
        r#"{"access_token": "t", "refresh_token": false, "issued_token_type": 1}"#,
        r#"{"access_token": "t", "expires_in": 99999999999999999999}"#,
    ] {
        assert_eq!(answered(vec![PreparedReply::json(200, body)]).run().success(), "t\n", "{body}");
    }
    let printed = answered(vec![PreparedReply::json(200, r#"{"access_token": "t", "expires_in": 60.0}"#)])
        .at_time("2026-11-23T12:00:00Z")
        .line("--format json")
        .run()
        .success();
    assert!(printed.contains(r#""expires_at": "2026-11-23T12:01:00Z""#), "{printed}");
}

#[test]
fn a_header_is_for_bearer_tokens() {
    let typed =
        |kind: &str| PreparedReply::json(200, format!(r#"{{"access_token": "t", "token_type": "{kind}"}}"#));
    for kind in ["Bearer", "bearer", "N_A"] {
        let line = answered(vec![typed(kind)]).line("--format header").run().success();
        assert_eq!(line, "Authorization: Bearer t\n");
    }
    let ran = answered(vec![typed("DPoP")]).line("--format header").run();
    assert_eq!((ran.code, ran.stdout.as_str()), (5, ""));
    assert!(ran.stderr.contains("a token of type `DPoP`"), "{}", ran.stderr);
    assert_eq!(answered(vec![typed("DPoP")]).run().success(), "t\n");
}

#[test]
fn fewer_scopes_than_requested_are_warned_about() {
    let narrowed = || vec![PreparedReply::json(200, r#"{"access_token": "t", "scope": "read"}"#)];
    let ran = answered(narrowed()).arg("--scope").arg("read write admin").run();
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "t\n"));
    assert!(ran.stderr.contains("lacks the scopes `write`, `admin`"), "{}", ran.stderr);
    answered(narrowed()).line("--scope read").run().success();
}

#[test]
fn a_command_does_not_get_the_client_secret() {
    let script = "printf '%s' \"${IDP_CLIENT_SECRET-none}\"";
    let oauth = OauthOptions { client: Some(("me".into(), "s3cret".into())), ..OauthOptions::default() };
    let gp = Gp::in_workspace_of(Options { oauth, ..Options::default() }).env("IDP_CLIENT_SECRET", "s3cret");
    let gp = gp.line("idp exec exchange --audience oauth --client-id me -- sh -c").arg(script);
    assert_eq!(gp.run().success(), "none");
}

#[test]
fn a_secret_in_a_parameter_is_refused() {
    for (param, message) in [
        ("user_password=hunter2", "its value is secret"),
        ("api_secret=hunter2", "its value is secret"),
        ("hint=eyJhbGciOiJub25lIn0.eyJhIjoxfQ.", "holds a token"),
    ] {
        let ran = answered(Vec::new()).line("--param").arg(param).secret("hunter2").run();
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(message), "{param}: {}", ran.stderr);
    }
}

#[test]
fn without_an_audience_the_service_is_the_audience() {
    let gp = Gp::in_workspace().line("idp exchange");
    gp.run().success();
    let issuer = format!("{}/oauth", gp.workspace().api_url());
    gp.line("--issuer").arg(issuer).run().success();
}

#[test]
fn the_error_is_read_from_a_header_if_the_body_has_none() {
    const CHALLENGE: &str = "Content-Type: text/plain\r\nWWW-Authenticate: Bearer realm=\"x\", \
        error=\"invalid_token\", error_description=\"The audience is wrong\"\r\n";
    let server = Faulty::always(Step::Mint, Fault::reply(401, CHALLENGE, "no"));
    let ran = Gp::in_workspace()
        .line(LINE)
        .arg("--token-endpoint")
        .arg(format!("http://{}/token", server.address()))
        .run();
    assert_eq!((ran.code, ran.stdout.as_str()), (5, ""), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("refused: The audience is wrong (invalid_token, HTTP 401)"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("`--audience`"), "{}", ran.stderr);
    // A login page with `Basic` is not a refusal of the token.
    let server = Faulty::always(
        Step::Mint,
        Fault::reply(
            401,
            "Content-Type: text/html\r\nWWW-Authenticate: Basic realm=\"x\"\r\n",
            "<html></html>",
        ),
    );
    let ran = Gp::in_workspace()
        .line(LINE)
        .arg("--token-endpoint")
        .arg(format!("http://{}/token", server.address()))
        .run();
    assert_eq!(ran.code, 6);
    assert!(ran.stderr.contains("an HTML page (HTTP 401)"), "{}", ran.stderr);
}

#[test]
fn metadata_may_be_at_the_path_of_rfc_8414() {
    for status in [400, 404, 405] {
        let missing = PreparedReply::json(status, "{}").at("openid-configuration");
        let gp = answered(vec![missing]);
        let issuer = format!("{}/oauth", gp.workspace().api_url());
        let gp = gp.arg("--issuer").arg(issuer);
        gp.run().success();
        let paths: Vec<_> = gp.workspace().oauth_requests().into_iter().map(|asked| asked.path).collect();
        let expected = [
            "/oauth/.well-known/openid-configuration",
            "/.well-known/oauth-authorization-server/oauth",
            "/oauth/token",
        ];
        assert_eq!(paths, expected);
    }
}

#[test]
fn the_issuer_has_to_match_its_metadata_exactly() {
    let gp = Gp::in_workspace().line("idp exchange");
    let issuer = format!("{}/oauth", gp.workspace().api_url());
    let ran = gp.arg("--issuer").arg(format!("{issuer}/")).run();
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(
        ran.stderr.ends_with("hint: if you mean that issuer, use `--issuer [API]/oauth`\n"),
        "{}",
        ran.stderr
    );
}

/// Invalid requests, which `gp` never sends, and the errors for them.
#[test]
fn the_local_endpoint_follows_the_rfcs() {
    const FORM: &str = "application/x-www-form-urlencoded";
    let gp = Gp::in_workspace();
    let address = gp.workspace().api_url().replace("http://", "");
    let post = |kind: &str, authorization: &str, body: &str| {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        let length = body.len();
        write!(
            stream,
            "POST /oauth/token HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: {kind}\r\n\
             {authorization}Content-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply.to_ascii_lowercase()
    };
    let basic = "Authorization: Basic YTpi\r\n";
    for (kind, authorization, body, expected) in [
        ("application/json", "", "{}", "the body is not a form"),
        (FORM, "", "", "grant_type is missing"),
        (FORM, "", "grant_type=password", "unsupported_grant_type"),
        (FORM, "", "grant_type=a&grant_type=b", "grant_type is repeated"),
        (FORM, basic, "grant_type=a&client_secret=b", "uses several authentication methods"),
        (FORM, "", "grant_type=a&client_secret=b&client_assertion=c", "uses several authentication methods"),
    ] {
        let reply = post(kind, authorization, body);
        assert!(reply.starts_with("http/1.1 400 ") && reply.contains(expected), "{body}: {reply}");
        assert!(reply.contains("cache-control: no-store"), "{reply}");
    }
    let reply = post(FORM, "", "grant_type=client_credentials");
    assert!(reply.starts_with("http/1.1 401 ") && reply.contains("www-authenticate: basic"), "{reply}");
}
