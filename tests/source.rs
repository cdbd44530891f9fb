//! The source of the ID token: which one is chosen, and the tokens of GitHub Actions.

use gp_idp::dev::{Options, Platform};
use snapbox::str;

use crate::support::Gp;
use crate::support::fault::{Fault, Faulty, ID_TOKEN, Step};

const REQUEST_TOKEN: &str = "github-request-token";

/// A step of a job that may request ID tokens. It has no supervisor.
fn step(server: &Faulty) -> Gp {
    permitted(Gp::new(), server).line("idp token --audience x")
}

fn permitted(gp: Gp, server: &Faulty) -> Gp {
    gp.env("GITHUB_ACTIONS", "true")
        .env("ACTIONS_ID_TOKEN_REQUEST_URL", format!("http://{}/run/7?api-version=2.0", server.address()))
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN)
        .secret(REQUEST_TOKEN)
        .with_placeholder(server.address(), "[SERVER]")
}

fn value(token: &str) -> Fault {
    Fault::json(200, &format!(r#"{{"value":"{token}","count":1}}"#))
}

fn answering(fault: Fault) -> Faulty {
    Faulty::always(Step::Mint, fault)
}

#[test]
fn a_job_with_the_permission_gets_a_token_from_github() {
    let server = answering(value(ID_TOKEN));
    assert_eq!(step(&server).run().success(), format!("{ID_TOKEN}\n"));
    let [request] = &server.requests()[..] else { panic!("{:?}", server.requests()) };
    // The existing query is kept.
    assert!(request.starts_with("GET /run/7?api-version=2.0&audience=x HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("authorization: Bearer {REQUEST_TOKEN}\r\n")), "{request}");
}

#[test]
fn an_audience_is_encoded_in_the_query() {
    // {"aud":"a&b=c d"}
    let server = answering(value("eyJhbGciOiJub25lIn0.eyJhdWQiOiJhJmI9YyBkIn0."));
    permitted(Gp::new(), &server).line("idp token --quiet --audience").arg("a&b=c d").run().success();
    let request = &server.requests()[0];
    assert!(request.starts_with("GET /run/7?api-version=2.0&audience=a%26b%3Dc+d HTTP/1.1"), "{request}");
}

#[test]
fn a_job_without_the_permission_gets_a_hint() {
    Gp::new().env("GITHUB_ACTIONS", "true").line("idp token --audience x").run().failure(
        3,
        str![[r#"
error: could not mint an ID token for `x`
  caused by: this job cannot request ID tokens: `ACTIONS_ID_TOKEN_REQUEST_URL` is not set
    source  `github`, which `auto` found
hint: add `permissions: id-token: write` to the job or the workflow (on Forgejo `enable-openid-connect: true`)
hint: if `gp` runs in a container of your own, pass both `ACTIONS_ID_TOKEN_REQUEST_…` variables on to it
hint: pull requests from forks never have this permission

"#]],
    );
    // Both variables are required.
    let server = answering(value(ID_TOKEN));
    for missing in ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"] {
        let ran = step(&server).env(missing, "").run();
        assert_eq!(ran.code, 3, "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("`{missing}` is not set")), "{}", ran.stderr);
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_source_that_can_mint_takes_precedence_over_one_that_cannot() {
    // A job's runner in a workspace, without the permission: the workspace's supervisor answers.
    let token =
        Gp::in_workspace().env("GITHUB_ACTIONS", "true").line("idp token --audience x").run().success();
    let issuer = Gp::new().line("idp decode --claim azp").stdin(token).run().success();
    assert_eq!(issuer, "x\n");
}

#[test]
fn the_flag_takes_precedence_over_the_variable_and_both_over_the_environment() {
    let server = answering(value(ID_TOKEN));
    let github = format!("{ID_TOKEN}\n");
    let both = || permitted(Gp::in_workspace(), &server).line("idp token --audience x");
    assert_eq!(both().run().success(), github);
    assert_ne!(both().line("--source supervisor").run().success(), github);
    assert_ne!(both().env("IDP_TOKEN_SOURCE", "supervisor").run().success(), github);
    assert_eq!(both().env("IDP_TOKEN_SOURCE", "supervisor").line("--source github").run().success(), github);
    assert_eq!(both().env("IDP_TOKEN_SOURCE", "").run().success(), github);
    assert_eq!(both().line("--source auto").run().success(), github);
}

#[test]
fn an_unknown_source_is_refused_with_the_list_of_sources() {
    Gp::in_workspace().line("idp token --audience x --source nonsense").run().failure(
        2,
        str![[r#"
error: could not mint an ID token for `x`
  caused by: `--source`: `nonsense` is not a source of ID tokens
hint: choose one of auto, github, gitlab, azure-devops, buildkite, circleci, codefresh, ona, supervisor, fly[:SOCKET], gcp, kubernetes[:FOLDER], file:PATH, env:NAME, command:CMD

"#]],
    );
    let ran = Gp::in_workspace().env("IDP_TOKEN_SOURCE", "nonsense").line("idp token --audience x").run();
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("`IDP_TOKEN_SOURCE`: `nonsense`"), "{}", ran.stderr);
}

#[test]
fn a_timeout_reports_the_last_reply_of_the_service() {
    let page = Fault::reply(200, "Content-Type: text/html\r\n", "<title>Sign in</title>");
    for (fault, said) in [(page, "Sign in"), (Fault::reply(500, "", ""), "HTTP 500")] {
        let server = Faulty::first(Step::Mint, [vec![fault], vec![Fault::Stall; 4]].concat());
        let ran = step(&server).line("--timeout 2s").run();
        assert_eq!(ran.code, 6, "{}", ran.stderr);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
}

#[test]
fn doctor_checks_the_source_that_is_used() {
    let server = answering(value(ID_TOKEN));
    let ran = permitted(Gp::new(), &server).line("idp doctor --audience x").run();
    assert!(
        ran.stdout.contains("`github`: GitHub's token service at http://[SERVER]"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    assert!(!ran.stdout.contains("supervisor"), "{}", ran.stdout);
    // It also names the sources that `auto` does not choose.
    let job =
        permitted(Gp::new(), &server).env("BUILDKITE_JOB_ID", "j").env("BUILDKITE_AGENT_ACCESS_TOKEN", "t");
    let said = "✓ auto         `github` takes precedence over `buildkite`, which can also provide tokens: to use another one, name it with `--source`";
    let job = job.line("idp doctor --audience x");
    let ran = job.run();
    assert!(ran.stdout.contains(said), "{}{}", ran.stdout, ran.stderr);
    let ran = job.line("--source github").run();
    assert!(!ran.stdout.contains("buildkite"), "{}", ran.stdout);
}

#[test]
fn a_credential_that_is_cached_for_one_source_is_not_used_for_another() {
    // {"aud":"sts.amazonaws.com"}
    let server = answering(value("eyJhbGciOiJub25lIn0.eyJhdWQiOiJzdHMuYW1hem9uYXdzLmNvbSJ9."));
    let gp = Gp::in_workspace().line("idp login aws --format process");
    let kept = gp.run().success();
    let gp = permitted(gp, &server);
    // The local STS refuses the token of another issuer: nothing was read from the cache.
    let ran = gp.run();
    assert_eq!((ran.code, server.requests().len()), (5, 1), "{}", ran.stderr);
    assert_eq!(gp.env("IDP_TOKEN_SOURCE", "supervisor").stop_workspace().run().success(), kept);
}

#[test]
fn drop_source_removes_the_variables_of_the_source() {
    let cases = [
        (Platform::Github, "ACTIONS_ID_TOKEN_REQUEST_TOKEN="),
        (Platform::Gitlab, "=eyJ"),
        (Platform::Buildkite, "BUILDKITE_AGENT_ACCESS_TOKEN="),
    ];
    for (platform, variable) in cases {
        let gp = Gp::in_workspace_of(Options::of(platform)).env("CI_NOTE", "kept");
        let gp = gp.line("idp exec vault -- env");
        let with = gp.run();
        assert!(with.stdout.contains(variable), "{platform:?}");
        let without = gp.with_line("idp exec vault --drop-source -- env").run();
        assert!(!without.stdout.contains(variable), "{platform:?}: {}", without.stdout);
        for kept in ["VAULT_TOKEN=", "CI_NOTE=kept"] {
            assert!(without.stdout.contains(kept), "{platform:?}: {}", without.stdout);
        }
    }
}
