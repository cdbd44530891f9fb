//! How long a source can give new tokens, and which commands need them repeatedly.

use std::time::Duration;

use gp_idp::dev::Options;

use crate::support::Gp;

/// An ID token for `audience` from the workspace of `gp`.
fn token_of(gp: &Gp, audience: &str) -> String {
    let minted = gp.command().args(["idp", "token", "--audience", audience]).output().unwrap();
    String::from_utf8(minted.stdout).unwrap().trim().to_owned()
}

/// A job with a single token, which was minted before the job began.
fn job(lifetime: Duration, audience: &str) -> Gp {
    let gp = Gp::in_workspace_of(Options { lifetime, ..Options::default() });
    let token = token_of(&gp, audience);
    gp.env("JOB_TOKEN", token).env("IDP_TOKEN_SOURCE", "env:JOB_TOKEN")
}

/// The audience of the local workspace's workload identity provider.
const GOOGLE: &str = "https://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/gitpod/providers/gitpod";

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn commands_that_renew_are_refused_with_the_expiry_if_the_source_has_only_one_token() {
    let cases = [
        ("token --audience x --output file --keep-fresh", "x"),
        ("login azure --output file --keep-fresh", "api://AzureADTokenExchange"),
        ("login gcp --audience x", "x"),
        ("login gcp --file-sourced --keep-fresh --token-file file", GOOGLE),
        ("serve aws", "sts.amazonaws.com"),
        ("exec aws --serve -- touch file", "sts.amazonaws.com"),
        ("login aws --credential-process", "sts.amazonaws.com"),
        ("login kubernetes --audience x", "x"),
    ];
    for (line, audience) in cases {
        let gp = job(HOUR, audience).with_line(&format!("idp {line}"));
        let ran = gp.run();
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{line}: {}", ran.stderr);
        let said = "the source `env` has only one token, which expires at 20";
        assert!(ran.stderr.contains(said), "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains(" min)"), "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains("`--until-expiry`"), "{line}: {}", ran.stderr);
        let left: Vec<_> = std::fs::read_dir(gp.home()).unwrap().collect();
        assert!(left.is_empty(), "{line}: {left:?}");
    }
}

#[test]
fn exec_is_allowed_with_a_single_token() {
    let ran = job(HOUR, "api://AzureADTokenExchange").with_line("idp exec azure -- true").run();
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("the source `env` provides tokens until 20"), "{}", ran.stderr);
}

#[test]
fn until_expiry_keeps_a_single_token_until_it_expires() {
    let gp = job(Duration::from_secs(2), "x")
        .with_line("idp token --audience x --output file --keep-fresh --until-expiry");
    let ran = gp.run();
    let said = ran.stderr;
    assert_eq!(ran.code, 3, "{said}");
    gp.check_stderr(&said);
    assert!(said.contains("error: the token expired, and the source has no more ID tokens\n"), "{said}");
}

#[test]
fn until_expiry_allows_a_written_command_line_with_a_single_token() {
    let gp = job(HOUR, "sts.amazonaws.com").with_line("idp login aws --credential-process --until-expiry");
    let ran = gp.run();
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("the source `env` provides tokens until 20"), "{}", ran.stderr);
    let config = std::fs::read_to_string(gp.home().join(".aws/config")).unwrap();
    assert!(config.contains(" --source=env:JOB_TOKEN "), "{config}");
}

#[test]
fn github_gives_tokens_until_its_request_token_expires() {
    // {"exp":1795460400}
    let request_token = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3OTU0NjA0MDB9.";
    let server = crate::support::fault::Faulty::always(
        crate::support::fault::Step::Mint,
        // {"aud":"x","iat":1795435200,"exp":1795435500}
        crate::support::fault::Fault::json(
            200,
            r#"{"value":"eyJhbGciOiJub25lIn0.eyJhdWQiOiJ4IiwiaWF0IjoxNzk1NDM1MjAwLCJleHAiOjE3OTU0MzU1MDB9."}"#,
        ),
    );
    let gp = Gp::new()
        .env("ACTIONS_ID_TOKEN_REQUEST_URL", format!("http://{}/?v=1", server.address()))
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", request_token)
        .at_time("2026-11-23T12:00:00Z")
        .on_terminal()
        .line("idp login kubernetes --audience x");
    let ran = gp.run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let said = "the source `github` provides tokens until 2026-11-23T19:00:00Z (in 7 h)";
    assert!(ran.stderr.lines().next().is_some_and(|line| line.contains(said)), "{}", ran.stderr);
}
