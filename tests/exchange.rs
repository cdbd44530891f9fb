//! `gp idp exchange`, `gp idp exec exchange`, `gp idp exec token`, against the local token endpoint.

use std::fs;

use gp_idp::dev::{OauthOptions, Options, PreparedReply};
use snapbox::str;

use crate::support::Gp;

fn gp(oauth: OauthOptions) -> Gp {
    Gp::in_workspace_of(Options { oauth, ..Options::default() })
}

fn usual() -> Gp {
    gp(OauthOptions::default())
}

const LINE: &str = "idp exchange --audience oauth";

#[test]
fn a_token_is_exchanged_with_one_request() {
    let gp = usual().line(LINE);
    let token = gp.run().success();
    assert!(token.starts_with("dev-access-token-") && token.ends_with('\n'), "{token}");
    let asked = gp.workspace().oauth_requests();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].path, "/oauth/token");
    let fields: Vec<(&str, &str)> =
        asked[0].fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        fields,
        [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", "[token]"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ]
    );
}

#[test]
fn every_parameter_is_sent_as_the_rfcs_define_it() {
    let gp = usual()
        .line(LINE)
        .line("--target-audience a --target-audience b --resource https://r.example/ --subject-token-type id_token")
        .line("--requested-token-type urn:example:t --client-id me --param x=y=z --actor-token-file actor")
        .arg("--scope")
        .arg("read write");
    fs::write(gp.home().join("actor"), "s3cret-actor\n").unwrap();
    let done = gp.secret("s3cret-actor");
    let ran = done.command().output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    done.check_stderr(&String::from_utf8_lossy(&ran.stderr));
    let asked = done.workspace().oauth_requests();
    let shown: Vec<String> = asked[0].fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    snapbox::assert_data_eq!(
        shown.join("\n"),
        str![[r#"
actor_token=[token]
actor_token_type=urn:ietf:params:oauth:token-type:jwt
audience=a b
client_id=me
grant_type=urn:ietf:params:oauth:grant-type:token-exchange
requested_token_type=urn:example:t
resource=https://r.example/
scope=read write
subject_token=[token]
subject_token_type=urn:ietf:params:oauth:token-type:id_token
x=y=z
"#]]
    );
}

#[test]
fn the_other_grants() {
    for (line, fields) in [
        ("--grant jwt-bearer", ["assertion", "grant_type"].as_slice()),
        (
            "--grant client-credentials --client-id me",
            &["client_assertion", "client_assertion_type", "client_id", "grant_type"],
        ),
        (
            "--client-auth jwt",
            &[
                "client_assertion",
                "client_assertion_type",
                "grant_type",
                "subject_token",
                "subject_token_type",
            ],
        ),
    ] {
        let gp = usual().line(LINE).line(line);
        gp.run().success();
        let asked = gp.workspace().oauth_requests();
        assert_eq!(asked[0].fields.keys().map(String::as_str).collect::<Vec<_>>(), fields, "{line}");
    }
}

#[test]
fn a_client_authenticates_with_a_secret_or_an_assertion() {
    // Both have characters that need encoding in the header.
    let client =
        || OauthOptions { client: Some(("id:1 é".into(), "s3cret +&%".into())), ..OauthOptions::default() };
    for flags in ["", "--client-auth basic", "--client-auth post"] {
        let gp = gp(client()).line(LINE).line(flags).arg("--client-id").arg("id:1 é").secret("s3cret");
        let gp = gp.env("IDP_CLIENT_SECRET", "s3cret +&%");
        gp.run().success();
        let file = gp.home().join("secret");
        fs::write(&file, "s3cret +&%\n").unwrap();
        let gp = gp.env("IDP_CLIENT_SECRET", "").arg("--client-secret-file").arg(file);
        gp.run().success();
    }
    gp(client()).line(LINE).line("--client-auth jwt").run().success();
}

#[test]
fn the_token_endpoint_is_found_in_the_metadata_of_the_issuer() {
    let gp = usual();
    let issuer = format!("{}/oauth", gp.workspace().api_url());
    let gp = gp.env("IDP_TOKEN_ENDPOINT", "").line("idp exchange --audience oauth --issuer").arg(&issuer);
    gp.run().success();
    let paths: Vec<String> = gp.workspace().oauth_requests().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths, ["/oauth/.well-known/openid-configuration", "/oauth/token"]);
}

#[test]
fn unusable_metadata_is_explained() {
    let canned = |status, body: &str| PreparedReply::json(status, body);
    let page =
        PreparedReply { content_type: "text/html", ..canned(200, "<html><title>Login</title></html>") };
    let cases = [
        (
            canned(
                200,
                r#"{"issuer": "https://other.example", "token_endpoint": "https://other.example/t"}"#,
            ),
            1,
            "the metadata is that of `https://other.example`, not of `[API]/oauth`",
        ),
        (
            canned(200, r#"{"issuer": "[API]/oauth"}"#),
            1,
            "the metadata of [API]/oauth names no token endpoint",
        ),
        (
            canned(200, r#"{"issuer": "[API]/oauth", "token_endpoint": "http://plain.example/"}"#),
            1,
            "names the token endpoint `http://plain.example/`: it is plain http to plain.example",
        ),
        (canned(200, "{"), 6, "the reply is not the metadata of [API]/oauth"),
        (page, 6, "an HTML page titled"),
        (canned(500, "{}"), 6, "[API]/oauth publishes no metadata (HTTP 500)"),
    ];
    for (reply, code, message) in cases {
        // The reply names the workspace's address, so the port is chosen before it starts.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let reply =
            PreparedReply { body: reply.body.replace("[API]", &format!("http://127.0.0.1:{port}")), ..reply };
        let oauth = OauthOptions { prepared_replies: vec![reply], ..OauthOptions::default() };
        let gp = Gp::in_workspace_of(Options { port: Some(port), oauth, ..Options::default() });
        let issuer = format!("{}/oauth", gp.workspace().api_url());
        let ran = gp.line("idp exchange --audience oauth --issuer").arg(issuer).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(message), "{}", ran.stderr);
        assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
    }
}

#[test]
fn formats() {
    let header = usual().line(LINE).line("--format header").run().success();
    assert!(header.starts_with("Authorization: Bearer dev-access-token-"));
    let env = usual().line(LINE).line("--format env --env API_TOKEN").run().success();
    assert!(env.starts_with("export API_TOKEN=dev-access-token-") && env.ends_with('\n'), "{env}");
    let json =
        usual().at_time("2026-11-23T12:00:00Z").line(LINE).line("--format json --scope s").run().success();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["access_token", "expires_at", "issued_token_type", "scope", "token_type"]);
    assert_eq!(json["expires_at"], "2026-11-23T13:00:00Z");
}

#[test]
fn replies_are_read_leniently() {
    for body in [
        r#"{"access_token": "t"}"#,
        r#"{"access_token": "t", "token_type": "N_A", "expires_in": "60", "more": [1]}"#,
        r#"{"access_token": "t", "expires_in": null}"#,
    ] {
        let oauth = OauthOptions {
            prepared_replies: vec![PreparedReply::json(200, body)],
            ..OauthOptions::default()
        };
        assert_eq!(gp(oauth).line(LINE).run().success(), "t\n", "{body}");
    }
}

#[test]
fn refusals() {
    let refused = |line: &str, oauth: OauthOptions| {
        let ran = gp(oauth).line("idp exchange").line(line).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (5, ""), "{}", ran.stderr);
        ran.stderr
    };
    let none = OauthOptions::default;
    let said = |error: &str, text: &str| OauthOptions {
        prepared_replies: vec![PreparedReply::json(
            400,
            format!(r#"{{"error": "{error}", "error_description": "{text}"}}"#),
        )],
        ..none()
    };
    let client = Some(("id".to_owned(), "x".to_owned()));
    let known = || Some(vec!["known".to_owned()]);
    let mut all = Vec::new();
    let mut add = |title: &str, stderr: String| all.push(format!("## {title}\n{stderr}\n"));
    add("audience", refused("--audience x", none()));
    add("no client", refused("--audience oauth", OauthOptions { client, ..none() }));
    add("scope", refused("--audience oauth --scope x", OauthOptions { scopes: known(), ..none() }));
    add(
        "target",
        refused("--audience oauth --target-audience x", OauthOptions { targets: known(), ..none() }),
    );
    add("token type", refused("--audience oauth --subject-token-type urn:example:x", none()));
    add("issuer", refused("--audience oauth", said("invalid_grant", "Issuer not trusted")));
    add("grant alone", refused("--audience oauth", said("invalid_grant", "")));
    add(
        "grant not allowed",
        refused("--audience oauth --grant jwt-bearer", said("unauthorized_client", "no")),
    );
    add("grant not there", refused("--audience oauth", said("unsupported_grant_type", "no")));
    add("request", refused("--audience oauth", said("invalid_request", "connection is required")));
    add("client", refused("--audience oauth --client-id a", said("invalid_client", "unknown client")));
    add("another code", refused("--audience oauth", said("consent_required", "ask the user")));
    snapbox::assert_data_eq!(all.concat(), snapbox::file!["snapshots/refusals/oauth.txt"]);
}

#[test]
fn an_expired_token_is_minted_once_more() {
    let expired = || {
        PreparedReply::json(400, r#"{"error": "invalid_grant", "error_description": "The token is expired"}"#)
    };
    for (prepared_replies, code, requests) in [(vec![expired()], 0, 2), (vec![expired(), expired()], 5, 2)] {
        let gp = gp(OauthOptions { prepared_replies, ..OauthOptions::default() }).line(LINE);
        assert_eq!(gp.run().code, code);
        assert_eq!(gp.workspace().oauth_requests().len(), requests);
    }
}

#[test]
fn temporary_failures_are_tried_four_times_at_most() {
    for (status, body) in [
        (500, ""),
        (503, r#"{"error": "temporarily_unavailable"}"#),
        (400, r#"{"error": "server_error"}"#),
        (429, "slow down"),
        (502, "bad gateway"),
    ] {
        let gp = gp(OauthOptions {
            prepared_replies: vec![PreparedReply::json(status, body)],
            ..OauthOptions::default()
        })
        .line(LINE);
        gp.run().success();
        assert_eq!(gp.workspace().oauth_requests().len(), 2, "{status} {body}");
    }
    let prepared_replies = vec![PreparedReply::json(500, "{}"); 9];
    let gp = gp(OauthOptions { prepared_replies, ..OauthOptions::default() }).line(LINE);
    assert_eq!(gp.run().code, 6);
    assert_eq!(gp.workspace().oauth_requests().len(), 4);
}

#[test]
fn unexpected_replies_are_explained() {
    let page = |status| PreparedReply {
        content_type: "text/html",
        ..PreparedReply::json(status, "<html><title>Sign in</title></html>")
    };
    let cases = [
        (PreparedReply::json(200, "{}"), 6, "`access_token` is missing"),
        (PreparedReply::json(200, r#"{"access_token": ""}"#), 6, "`access_token` is empty"),
        (
            PreparedReply::json(200, r#"{"access_token": 7}"#),
            6,
            "`access_token` is a number and not a string",
        ),
        (PreparedReply::json(200, "[]"), 6, "it is an array and not an object"),
        (page(200), 6, "answered with an HTML page titled \"Sign in\" (HTTP 200)"),
        (page(404), 6, "answered with an HTML page titled \"Sign in\" (HTTP 404)"),
        (
            PreparedReply { content_type: "text/plain", ..PreparedReply::json(200, "t") },
            6,
            "content type `text/plain`",
        ),
        (PreparedReply::json(200, r#"{"error": "invalid_grant"}"#), 5, "refused: invalid_grant, HTTP 200"),
        (PreparedReply::json(302, ""), 6, "redirects without a `Location` header"),
    ];
    for (canned, code, message) in cases {
        let ran = gp(OauthOptions { prepared_replies: vec![canned; 4], ..OauthOptions::default() })
            .line(LINE)
            .run();
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(message), "{message}: {}", ran.stderr);
    }
}

#[test]
fn wrong_settings_are_refused_before_any_request() {
    let cases = [
        ("--token-endpoint x", "`--token-endpoint`: it is not a URL"),
        ("--token-endpoint ftp://x.example/", "`--token-endpoint`: it is not an https URL"),
        (
            "--token-endpoint http://x.example/t",
            "`--token-endpoint`: it is plain http to x.example: anyone on the network path can read",
        ),
        (
            "--token-endpoint https://u:s3cret@x.example/t",
            "`--token-endpoint`: it must not have a user name, a password or a fragment",
        ),
        ("--issuer https://x.example/?a=b", "`--issuer`: it has a query"),
        (
            "--subject-token-type nonsense",
            "`--subject-token-type nonsense` is neither a known name nor a URI",
        ),
        (
            "--grant jwt-bearer --requested-token-type jwt",
            "`--requested-token-type` is for `--grant token-exchange` only",
        ),
        ("--grant client-credentials --client-auth post", "takes the ID token as the client's assertion"),
        ("--client-auth basic --client-id a", "the client has no secret"),
        ("--client-secret-file x --client-auth none", "`--client-secret-file` has no effect here"),
        ("--resource api", "`--resource api` is not an absolute URI"),
        ("--param x", "`--param` is not `NAME=VALUE`"),
        (
            "--param client_secret=x",
            "`--param client_secret=…` is not allowed: the parameter has its own flag",
        ),
        ("--format env --env 1A", "does not begin with a digit"),
    ];
    for (flags, message) in cases {
        let gp = usual().line(LINE).line(flags).secret("s3cret");
        let ran = gp.run();
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{flags}: {}", ran.stderr);
        assert!(ran.stderr.contains(message), "{flags}: {}", ran.stderr);
        assert_eq!(gp.workspace().oauth_requests().len(), 0);
    }
    Gp::new().line(LINE).run().failure(
        2,
        str![[r#"
error: could not exchange an ID token
  caused by: no token endpoint is set
hint: give `--token-endpoint https://…`, or the issuer as `--issuer https://…`

"#]],
    );
    let missing = usual().line(LINE).line("--client-id a --client-secret-file /nonexistent/file").run();
    assert_eq!(missing.code, 7);
}

#[test]
fn a_command_gets_the_token_only_in_the_variable() {
    let script = "printf '%s' \"$API_TOKEN\"; tr '\\0' ' ' < /proc/$$/cmdline >&2; exit 3";
    let ran = usual().line("idp exec exchange --audience oauth --env API_TOKEN -- sh -c").arg(script).run();
    assert_eq!(ran.code, 3);
    assert!(ran.stdout.starts_with("dev-access-token-"), "{}", ran.stdout);
    assert!(!ran.stderr.contains("dev-access-token-"));
    let ran =
        Gp::in_workspace().line("idp exec token --audience x --env API_TOKEN -- sh -c").arg(script).run();
    assert_eq!(ran.code, 3);
    let claim = Gp::new().line("idp decode --claim azp").stdin(ran.stdout).run().success();
    assert_eq!(claim, "x\n");
}

#[test]
fn no_command_runs_without_a_token() {
    for line in
        ["idp exec exchange --audience wrong -- touch ran", "idp exec token --audience x -- touch ran"]
    {
        let gp = Gp::in_workspace_of(Options {
            token_scopes: if line.contains("exec token") {
                vec!["function:getWorkspace".into()]
            } else {
                Options::default().token_scopes
            },
            ..Options::default()
        });
        let gp = gp.line(line);
        assert_ne!(gp.run().code, 0);
        assert!(!gp.home().join("ran").exists());
    }
}
