//! An environment of Ona: how `gp` detects it, the request, and the meaning of each reply.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use gp_idp::dev::{Options, Platform};
use snapbox::str;

use crate::support::fault::{Fault, Faulty, ID_TOKEN, Step};
use crate::support::{Gp, skip};

const ENVIRONMENT_TOKEN: &str = "ona-environment-token";
const PERSONAL_TOKEN: &str = "ona-personal-token";
const ID: &str = "0195c0a0-0000-7000-8000-00000000e2e1";
/// The token file of an environment.
const DEFAULT_FILE: &str = "/usr/local/gitpod/secrets/token";

/// In an environment, whose API is `server`.
fn environment(server: &Faulty) -> Gp {
    named(Gp::new(), server).env("ONA_BASE_URL", format!("http://{}/api", server.address()))
}

/// In an environment behind the proxy `server`, which records the host of each request.
fn behind_proxy(server: &Faulty) -> Gp {
    named(Gp::new(), server).env("HTTPS_PROXY", format!("http://{}", server.address())).line("--timeout 5s")
}

fn named(gp: Gp, server: &Faulty) -> Gp {
    let file = gp.home().join("token");
    fs::write(&file, format!("{ENVIRONMENT_TOKEN}\n")).unwrap();
    gp.line("idp token --audience x")
        .env("GITPOD_ENVIRONMENT_ID", ID)
        .env("ONA_TOKEN_FILE", file)
        .secret(ENVIRONMENT_TOKEN)
        .secret(PERSONAL_TOKEN)
        .with_placeholder(server.address(), "[SERVER]")
}

/// A server that answers every request successfully.
fn healthy_server() -> Faulty {
    Faulty::first(Step::Mint, Vec::new())
}

fn answering(fault: Fault) -> Faulty {
    Faulty::always(Step::Mint, fault)
}

fn refusal(status: u16, code: &str) -> Fault {
    Fault::json(status, &format!(r#"{{"code":"{code}","message":"{ENVIRONMENT_TOKEN} is not welcome"}}"#))
}

fn token(token: &str) -> Fault {
    Fault::json(200, &format!(r#"{{"token":"{token}"}}"#))
}

/// Whether this machine is an environment. A test of an environment without a token file is then
/// impossible.
fn is_environment() -> bool {
    let found = Path::new(DEFAULT_FILE).exists();
    if found {
        skip("this machine has an environment's token");
    }
    found
}

#[test]
fn an_environment_gets_a_token_for_several_audiences() {
    let server = healthy_server();
    let token = environment(&server).line("--audience y").run().success();
    let [request] = &server.requests()[..] else { panic!("{:?}", server.requests()) };
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /api/gitpod.v1.IdentityService/GetIDToken HTTP/1.1\r\n"), "{head}");
    for line in [
        &format!("authorization: Bearer {ENVIRONMENT_TOKEN}"),
        "content-type: application/json",
        "connect-protocol-version: 1",
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{head}");
    }
    // Without a version, the organisation's setting applies.
    assert_eq!(body, r#"{"audience":["x","y"]}"#);
    let audience = Gp::new().line("idp decode --claim aud").stdin(token).run().success();
    assert_eq!(audience, "[\"x\",\"y\"]\n");
}

#[test]
fn a_version_is_sent_only_if_it_is_named() {
    for (flag, version) in
        [("v1", "ID_TOKEN_VERSION_V1"), ("v2", "ID_TOKEN_VERSION_V2"), ("V2", "ID_TOKEN_VERSION_V2")]
    {
        let server = healthy_server();
        environment(&server).line("--id-token-version").arg(flag).run().success();
        let body = format!(r#"{{"audience":["x"],"version":"{version}"}}"#);
        assert!(server.requests()[0].ends_with(&format!("\r\n\r\n{body}")), "{:?}", server.requests());
    }
    let server = healthy_server();
    let ran = environment(&server).line("--id-token-version v3").run();
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("an administrator sets it for the whole organisation"), "{}", ran.stderr);
    assert_eq!(environment(&server).line("--id-token-version 2").run().code, 2);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_command_in_a_written_file_requests_the_same_token() {
    let server = healthy_server();
    let printed = environment(&server)
        .with_line("idp login kubernetes --audience k --id-token-version v2 --allow-api-host ona.example.com --print")
        .run()
        .success();
    for argument in ["--source=ona", "--id-token-version=v2", "--allow-api-host=ona.example.com"] {
        assert!(printed.contains(argument), "{argument}: {printed}");
    }
}

#[test]
fn a_scope_is_refused_before_anything_is_sent() {
    let server = healthy_server();
    let ran = environment(&server).line("--scope s").run();
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("the source `ona` does not support a scope"), "{}", ran.stderr);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn each_variable_for_the_host_is_read_as_ona_reads_it() {
    for (variable, path) in [("ONA_BASE_URL", "/api"), ("ONA_HOST", ""), ("GITPOD_HOST", "")] {
        let server = healthy_server();
        let url = format!("http://{}{path}", server.address());
        for url in [url.clone(), url + "/"] {
            named(Gp::new(), &server).env(variable, url).run().success();
        }
        let requests = server.requests();
        assert_eq!(requests.len(), 2, "{variable}");
        for request in requests {
            assert!(request.starts_with("POST /api/gitpod.v1."), "{variable}: {request}");
        }
    }
    // The first of them takes precedence.
    let (server, other) = (healthy_server(), healthy_server());
    let gp = environment(&server).env("ONA_HOST", format!("http://{}", other.address()));
    gp.run().success();
    assert_eq!((server.requests().len(), other.requests().len()), (1, 0));
}

#[test]
fn without_a_host_the_request_goes_to_ona_itself() {
    for (variable, value, host) in [
        ("ONA_HOST", "", "app.gitpod.io"),
        // Gitpod Classic and its scripts set it to a bare host name.
        ("GITPOD_HOST", "gitpod.example.com", "app.gitpod.io"),
        ("GITPOD_HOST", "https://app.gitpod.io", "app.gitpod.io"),
        ("ONA_HOST", "https://app.ona.com", "app.ona.com"),
        ("ONA_BASE_URL", "https://APP.ona.com:443/api", "app.ona.com"),
    ] {
        let server = answering(Fault::reply(403, "", ""));
        let ran = behind_proxy(&server).env(variable, value).run();
        assert_eq!(ran.code, 6, "{variable}={value}: {}", ran.stderr);
        let requests = server.requests();
        assert!(!requests.is_empty(), "{variable}={value}: {}", ran.stderr);
        for request in requests {
            assert!(request.starts_with(&format!("CONNECT {host}:443 ")), "{variable}={value}: {request}");
        }
    }
}

#[test]
fn the_environments_token_is_not_sent_to_another_host() {
    let server = healthy_server();
    behind_proxy(&server).env("ONA_HOST", "https://collector.example/").run().failure(2, str![[r#"
error: could not mint an ID token for `x`
  caused by: `ONA_HOST` names collector.example, which is not one of the service's own hosts: no token is sent there
    source  `ona`, which `auto` found
hint: run `unset ONA_HOST`
hint: if you know that collector.example is right, add `--allow-api-host collector.example`

"#]]);
    for (variable, url) in [
        ("ONA_BASE_URL", "https://collector.example/api"),
        ("GITPOD_HOST", "https://collector.example"),
        ("ONA_HOST", "https://app.gitpod.io.collector.example"),
        ("ONA_HOST", "https://app.gitpod.io:8443"),
        ("ONA_HOST", "https://app.gitpod.io."),
        // The host name of a port of a Gitpod Classic workspace.
        ("ONA_HOST", "https://8080-acme-shop-0123456789a.ws-eu1.gitpod.io"),
        ("ONA_HOST", "http://app.gitpod.io"),
        ("ONA_HOST", "https://app.gitpod.io@collector.example"),
        ("ONA_HOST", "app.gitpod.io"),
    ] {
        let ran = behind_proxy(&server).env(variable, url).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{url}: {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("`{variable}`")), "{url}: {}", ran.stderr);
    }
    assert_eq!(server.requests(), Vec::<String>::new());
    behind_proxy(&server)
        .env("ONA_HOST", "https://ona.example.com")
        .line("--allow-api-host ona.example.com")
        .run();
    let asked = server.requests();
    assert!(asked.iter().any(|request| request.starts_with("CONNECT ona.example.com:443 ")), "{asked:?}");
}

#[test]
fn the_environments_id_alone_does_not_take_precedence() {
    if is_environment() {
        return;
    }
    let alone = |gp: Gp| gp.env("GITPOD_ENVIRONMENT_ID", ID).line("idp token --audience x");
    alone(Gp::new()).run().failure(3, str![[r#"
error: could not mint an ID token for `x`
  caused by: this environment of Ona has no token: /usr/local/gitpod/secrets/token does not exist, and `ONA_TOKEN` is not set
    source  `ona`, which `auto` found
hint: restart the environment
hint: if `gp` runs in a container of your own, mount the folder into it: `docker run -v /usr/local/gitpod/secrets:/usr/local/gitpod/secrets:ro -e GITPOD_ENVIRONMENT_ID …`

"#]]);
    // The variable in a workspace, and a job in an environment: the other source is used.
    alone(Gp::in_workspace()).run().success();
    let ran = alone(Gp::new()).env("GITHUB_ACTIONS", "true").run();
    assert!(ran.stderr.contains("permissions: id-token: write"), "{}", ran.stderr);
}

#[test]
fn the_environments_token_file_takes_precedence() {
    let server = healthy_server();
    // Tools like `act` set `GITHUB_ACTIONS`. The variable of Gitpod Classic does not change the
    // source.
    environment(&server).env("GITHUB_ACTIONS", "true").run().success();
    environment(&server).env("GITPOD_WORKSPACE_ID", "w").run().success();
    assert_eq!(server.requests().len(), 2);
    // A CI job that runs in an environment has an identity of its own.
    let other = answering(Fault::json(200, &format!(r#"{{"value":"{ID_TOKEN}"}}"#)));
    let ran = environment(&server)
        .env("GITHUB_ACTIONS", "true")
        .env("ACTIONS_ID_TOKEN_REQUEST_URL", format!("http://{}", other.address()))
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t")
        .line("--verbose")
        .run();
    assert_eq!((ran.code, server.requests().len(), other.requests().len()), (0, 2, 1), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("`github` takes precedence over `ona`, which can also provide tokens"),
        "{}",
        ran.stderr
    );
}

#[test]
fn nothing_but_its_id_makes_an_environment() {
    let server = healthy_server();
    // Without an environment ID, neither the token file, nor a personal token, nor `GITPOD_HOST`
    // makes an environment.
    for (name, value) in [("GITPOD_ENVIRONMENT_ID", ""), ("GITPOD_HOST", "https://app.gitpod.io")] {
        // Nothing listens there: the default address may be that of a real supervisor.
        let gp = environment(&server).env("SUPERVISOR_ADDR", "127.0.0.1:1");
        let ran = gp.env("GITPOD_ENVIRONMENT_ID", "").env(name, value).line("--timeout 300ms").run();
        assert_eq!(ran.code, 3, "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains("supervisor"), "{name}: {}", ran.stderr);
    }
    let classic = Gp::in_workspace().env("ONA_TOKEN", PERSONAL_TOKEN).line("idp token --audience x");
    classic.run().success();
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn the_environments_token_takes_precedence_over_a_personal_token() {
    for variable in ["ONA_TOKEN", "GITPOD_TOKEN"] {
        let server = healthy_server();
        let gp = environment(&server).env(variable, PERSONAL_TOKEN);
        let ran = gp.with_line("idp token --audience x --verbose").run();
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let said = format!("token is sent, not the personal access token in `{variable}`");
        assert!(ran.stderr.replace("in [HOME]/token ", "").contains(&said), "{}", ran.stderr);
        assert!(server.requests()[0].contains(&format!("Bearer {ENVIRONMENT_TOKEN}\r\n")));
        let gp = environment(&server).env(variable, PERSONAL_TOKEN).with_line("idp doctor --audience x");
        let ran = gp.run();
        let said = format!(
            "with the environment's token in [HOME]/token, not the personal access token in `{variable}`"
        );
        assert!(ran.stdout.contains(&said), "{}{}", ran.stdout, ran.stderr);
    }
    // Also if the token file is missing.
    let server = healthy_server();
    let gp = environment(&server).env("ONA_TOKEN", PERSONAL_TOKEN);
    fs::remove_file(gp.home().join("token")).unwrap();
    assert_eq!(gp.run().code, 3);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_personal_token_is_used_if_the_environment_has_none() {
    if is_environment() {
        return;
    }
    let server = healthy_server();
    let gp = environment(&server).env("ONA_TOKEN_FILE", "").env("ONA_TOKEN", PERSONAL_TOKEN);
    let ran = gp.with_line("idp token --audience x --verbose").run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("`ONA_TOKEN` is a personal access token: ID tokens name its owner"),
        "{}",
        ran.stderr
    );
    assert!(server.requests()[0].contains(&format!("Bearer {PERSONAL_TOKEN}\r\n")));
    let gp = environment(&server).env("ONA_TOKEN_FILE", "").env("ONA_TOKEN", PERSONAL_TOKEN);
    let ran = gp.with_line("idp doctor --audience x").run();
    assert!(ran.stdout.contains("with a person's token in `ONA_TOKEN`"), "{}{}", ran.stdout, ran.stderr);
    // Outside of an environment, with `--source ona`.
    let gp = environment(&server).env("ONA_TOKEN_FILE", "").env("GITPOD_ENVIRONMENT_ID", "");
    gp.env("GITPOD_TOKEN", PERSONAL_TOKEN).line("--source ona").run().success();
    let ran = environment(&server)
        .env("ONA_TOKEN_FILE", "")
        .env("GITPOD_ENVIRONMENT_ID", "")
        .line("--source ona")
        .run();
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("this is not an environment of Ona"), "{}", ran.stderr);
}

#[test]
fn a_file_without_a_token_is_an_error_and_not_sent() {
    let server = healthy_server();
    for (content, said) in [
        ("", "/token is empty"),
        (" \n", "/token is empty"),
        ("<html><title>Sign in</title></html>", "does not contain a token"),
        (r#"{"token":"eyJ"#, "does not contain a token"),
        ("-----BEGIN PRIVATE KEY-----\nabc\n", "does not contain a token"),
        ("ona-\u{fffd}", "does not contain a token"),
    ] {
        let gp = environment(&server);
        fs::write(gp.home().join("token"), content).unwrap();
        let ran = gp.run();
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{content}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{content}: {}", ran.stderr);
        assert!(ran.stderr.contains("restart the environment"), "{content}: {}", ran.stderr);
    }
    let gp = environment(&server);
    let file = gp.home().join("token");
    fs::remove_file(&file).unwrap();
    let ran = gp.run();
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("[HOME]/token does not exist"), "{}", ran.stderr);
    // A folder, and a named pipe without a writer.
    fs::create_dir(&file).unwrap();
    assert_eq!(gp.run().code, 7);
    fs::remove_dir(&file).unwrap();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, &file, mode).unwrap();
    assert_eq!(gp.run().code, 7);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn an_unreadable_token_file_is_an_error() {
    if rustix::process::geteuid().is_root() {
        return skip("root can read every file");
    }
    let server = healthy_server();
    let gp = environment(&server).env("ONA_TOKEN", PERSONAL_TOKEN);
    fs::set_permissions(gp.home().join("token"), fs::Permissions::from_mode(0o000)).unwrap();
    let ran = gp.run();
    assert_eq!(ran.code, 7, "{}", ran.stderr);
    assert!(ran.stderr.contains("chmod u+r"), "{}", ran.stderr);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn each_refusal_has_its_fix() {
    let restart = "restart the environment, which gives it a new token";
    let plan = "Ona's Enterprise plan has it";
    for (fault, code, hint) in [
        (refusal(401, "unauthenticated"), 4, restart),
        (Fault::reply(401, "", ""), 4, restart),
        (refusal(403, "permission_denied"), 4, plan),
        (Fault::reply(403, "", ""), 4, plan),
        (refusal(400, "failed_precondition"), 4, plan),
        (refusal(400, "invalid_argument"), 4, "Ona refuses the value of `--audience`"),
        (refusal(404, "not_found"), 4, "Ona does not know this environment"),
        (refusal(404, "unimplemented"), 4, "the server that answered has no such API"),
        (refusal(501, "unimplemented"), 4, "the server that answered has no such API"),
        (Fault::reply(404, "Content-Type: text/plain\r\n", "404 page not found"), 4, "no such API"),
        (refusal(409, "aborted"), 4, "try again"),
        (refusal(429, "resource_exhausted"), 6, "your settings are not the cause: try again"),
        (refusal(503, "unavailable"), 6, "your settings are not the cause: try again"),
        (refusal(500, "internal"), 6, "your settings are not the cause: try again"),
    ] {
        let server = answering(fault.clone());
        let ran = environment(&server).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{fault:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(hint), "{fault:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("`ona`, which `auto` found"), "{fault:?}: {}", ran.stderr);
        assert_eq!(server.requests().len() > 1, code == 6, "{fault:?}");
    }
    let server = answering(refusal(403, "permission_denied"));
    environment(&server).run().failure(
        4,
        str![[r#"
error: could not mint an ID token for `x`
  caused by: Ona's API at http://[SERVER] refused: [redacted] is not welcome (permission_denied, HTTP 403)
    source  `ona`, which `auto` found
hint: most likely your organisation's plan has no OIDC: Ona's Enterprise plan has it
hint: if the plan has OIDC, ask an administrator of the organisation for the right to mint ID tokens

"#]],
    );
    // The hint for a personal token differs.
    if !is_environment() {
        let server = answering(Fault::json(401, r#"{"code":"unauthenticated"}"#));
        let gp = environment(&server).env("ONA_TOKEN_FILE", "").env("ONA_TOKEN", PERSONAL_TOKEN);
        let ran = gp.run();
        assert!(ran.stderr.contains("set `ONA_TOKEN` to a new personal access token"), "{}", ran.stderr);
    }
}

#[test]
fn a_reply_without_a_valid_token_is_an_error() {
    let html = Fault::reply(200, "Content-Type: text/html\r\n", "<html><title>Sign in</title></html>");
    for (fault, code, said) in [
        (token(""), 4, "does not contain an ID token"),
        (token("a.b"), 4, "does not contain an ID token"),
        // {"aud":"y"}
        (token("eyJhbGciOiJub25lIn0.eyJhdWQiOiJ5In0."), 4, "gave a token for `y`, not for `x`"),
        (html, 6, "Sign in"),
        (Fault::json(200, "{}"), 6, "token"),
        (Fault::json(200, r#"{"token":"eyJ"#), 6, "the server that answered is not Ona's API"),
        (Fault::reply(302, "Location: https://login.example.com/\r\n", ""), 6, "redirects to"),
        (Fault::CloseInBody, 6, "Ona's API"),
        (Fault::ResetInBody, 6, "Ona's API"),
    ] {
        let server = answering(fault.clone());
        let ran = environment(&server).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{fault:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{fault:?}: {}", ran.stderr);
    }
}

#[test]
fn rate_limits_and_hanging_requests_are_retried() {
    for fault in [refusal(429, "resource_exhausted"), refusal(503, "unavailable"), Fault::Stall] {
        let server = Faulty::first(Step::Mint, vec![fault.clone()]);
        environment(&server).line("--timeout 6s").run().success();
        assert_eq!(server.requests().len(), 2, "{fault:?}");
    }
    let server = answering(Fault::Stall);
    let ran = environment(&server).line("--timeout 900ms").run();
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    assert!(ran.stderr.contains("did not answer within 300 ms"), "{}", ran.stderr);
}

#[test]
fn the_file_is_read_at_each_use() {
    let server = healthy_server();
    let gp = environment(&server);
    gp.run().success();
    fs::write(gp.home().join("token"), "renewed").unwrap();
    gp.secret("renewed").run().success();
    let requests = server.requests();
    assert!(requests[0].contains(&format!("Bearer {ENVIRONMENT_TOKEN}\r\n")), "{}", requests[0]);
    assert!(requests[1].contains("Bearer renewed\r\n"), "{}", requests[1]);
}

/// In a local environment of Ona.
fn local() -> Gp {
    Gp::in_workspace_of(Options { platform: Platform::Ona, ..Options::default() })
}

#[test]
fn a_local_environment_has_the_claims_of_each_version() {
    let claims = |flags: &str| {
        let decoded = local().line("idp token --decode --audience x").line(flags).run().success();
        let decoded: serde_json::Value = serde_json::from_str(&decoded).unwrap();
        decoded["Payload"].clone()
    };
    let claims_3 = claims("");
    let id = |claim: &str| claims_3[claim].as_str().unwrap().to_owned();
    let (org, project, environment) = (id("organization_id"), id("project_id"), id("environment_id"));
    assert_eq!(claims_3["sub"], format!("organization_id:{org}:project_id:{project}"));
    assert_eq!(claims_3["aud"], serde_json::json!(["x"]));
    for version in ["v1", "v2"] {
        let claims_2 = claims(&format!("--id-token-version {version}"));
        assert_eq!(claims_2["sub"], format!("org:{org}/prj:{project}/env:{environment}"));
        assert_eq!((&claims_2["aud"], &claims_2["org"]), (&"x".into(), &org.as_str().into()));
        assert!(claims_2.get("environment_id").is_none());
    }
    let several = claims("--audience y --id-token-version v2");
    assert_eq!(several["aud"], serde_json::json!(["x", "y"]));
}

#[test]
fn a_local_environment_can_log_in_to_the_local_targets() {
    let gp = local().line("idp login aws --format json");
    gp.run().success();
    let session = &gp.workspace().sts_requests()[0].session_name;
    assert!(session.starts_with("ona-00000000-0000-4000-8000-000000000004-"), "{session}");
    for line in ["idp exec vault -- true", "idp login azure --format access-token"] {
        let ran = local().line(line).run();
        assert_eq!(ran.code, 0, "{line}: {}", ran.stderr);
    }
    let gp = local().line("idp token --audience x");
    let token = gp.run().success();
    assert_eq!(gp.with_line("idp verify --audience x").stdin(token).run().code, 0);
    // A target that trusts version 3 does not trust version 2.
    assert_eq!(local().line("idp login aws --format json --id-token-version v2").run().code, 5);
    assert_eq!(local().line("idp doctor").run().code, 0);
}

#[test]
fn a_command_in_a_local_environment_has_only_its_variables() {
    let script = "gp idp token --audience x | gp idp decode --claim environment_id; \
                  echo $GITPOD_ENVIRONMENT_ID $SUPERVISOR_ADDR $GITPOD_WORKSPACE_ID; stat -c %a $ONA_TOKEN_FILE; \
                  echo $ONA_TOKEN_FILE";
    let gp = Gp::in_workspace().line("idp dev --quiet --as ona -- sh -c").arg(script);
    let printed = gp.run().success();
    let lines: Vec<_> = printed.lines().collect();
    let [claimed, set, mode, file] = lines[..] else { panic!("{printed}") };
    assert_eq!((claimed, mode), (set, "600"));
    assert!(!Path::new(&file.replace("[HOME]", gp.home().to_str().unwrap())).exists(), "{file}");
}
