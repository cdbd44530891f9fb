//! `gp idp dev --as`: the same script in a workspace and in jobs of CI, and the workflow files of docs/ci.md.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use gp_idp::dev::{Options, Platform};
use serde_yaml_ng::Value;
use snapbox::str;

use crate::support::{Gp, program};

/// Each platform that has a source, with the subject of its tokens.
const PLATFORMS: &[(&str, &str)] = &[
    ("gitpod", "https://github.com/gitpod-io/example"),
    (
        "ona",
        "organization_id:00000000-0000-4000-8000-000000000002:project_id:00000000-0000-4000-8000-000000000005",
    ),
    (
        "buildkite",
        "organization:gitpod-io:pipeline:example:ref:refs/heads/main:commit:9f3182061f1e2cca4702c368cbc039b7dc9d4485:step:deploy",
    ),
    ("github", "repo:gitpod-io/example:ref:refs/heads/main"),
    ("gitlab", "project_path:gitpod-io/example:ref_type:branch:ref:main"),
];

/// A script that does not depend on the platform.
const SCRIPT: &str = "set -eu
gp idp login aws
gp idp token --audience example.org | gp idp decode --claim sub
gp idp exec vault -- sh -c 'test -n \"$VAULT_TOKEN\" && echo vault'
gp idp login gcp --format json > gcp.json
gp idp login azure --format json > azure.json
gp idp exchange --audience oauth --format json > exchange.json
gp idp token --audience example.org | gp idp verify --audience example.org
";

fn dev(platform: &str) -> Gp {
    Gp::new().line("idp dev --quiet --as").arg(platform)
}

#[test]
fn the_same_script_runs_on_every_platform() {
    for (platform, subject) in PLATFORMS {
        let gp = dev(platform).line("-- sh script");
        fs::write(gp.home().join("script"), SCRIPT).unwrap();
        let printed = gp.run().success();
        assert!(printed.starts_with(&format!("{subject}\nvault\n")), "{platform}: {printed}");
        assert!(printed.ends_with("valid\n"), "{platform}: {printed}");
        let profile = fs::read_to_string(gp.home().join(".aws/credentials")).unwrap();
        assert!(profile.contains("aws_session_token"), "{platform}");
    }
}

#[test]
fn a_process_uses_the_local_platform_and_no_other() {
    // The variables of a GitHub Actions job with its own token service, and of a chosen source.
    for (platform, _) in PLATFORMS {
        let gp = dev(platform)
            .line("-- gp idp token --audience example.org --quiet")
            .env("GITHUB_ACTIONS", "true")
            .env("ACTIONS_ID_TOKEN_REQUEST_URL", "http://127.0.0.1:9/x")
            .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "x")
            .env("IDP_TOKEN_SOURCE", "env:NONE");
        gp.run().success();
    }
}

#[test]
fn github_mints_only_for_its_request_token() {
    let gp = Gp::in_workspace_of(Options::of(Platform::Github)).line("idp token --audience x");
    let token = gp.run().success();
    let claim = |name: &str| {
        let printed = Gp::new().line("idp decode --claim").arg(name).stdin(token.clone()).run().success();
        printed.trim().to_owned()
    };
    assert_eq!((claim("aud").as_str(), claim("repository").as_str()), ("x", "gitpod-io/example"));
    let seconds = |name: &str| claim(name).parse::<i64>().unwrap();
    assert_eq!(seconds("exp") - seconds("iat"), 300);
    let request_token = gp.workspace().api_token().reveal().to_owned();
    let end = Gp::new().line("idp decode --claim exp").stdin(request_token).run().success();
    let hours = (end.trim().parse::<i64>().unwrap() - seconds("iat")) / 3600;
    assert_eq!(hours, 6);
    gp.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "another").run().failure(
        4,
        str![[r#"
error: could not mint an ID token for `x`
  caused by: GitHub's token service at [API] refused: The request token is not valid (HTTP 401)
    source  `github`, which `auto` found
hint: if the job started more than six hours ago, run it again: `ACTIONS_ID_TOKEN_REQUEST_TOKEN` has expired
hint: otherwise that variable was copied from another job or step: remove it from the workflow, because GitHub sets it in each step

"#]],
    );
}

#[test]
fn gitlab_has_the_tokens_that_the_job_declares() {
    let inside =
        "printf %s $A | gp idp decode --claim aud; gp idp token --audience z | gp idp decode --claim aud";
    let declared = dev("gitlab").line("--id-token A=x --id-token A=y --id-token B=z -- sh -c").arg(inside);
    assert_eq!(declared.run().success(), "[\"x\",\"y\"]\nz\n");
    let undeclared = dev("gitlab").line("--id-token A=x -- gp idp token --audience y").run();
    assert_eq!(undeclared.code, 3, "{}", undeclared.stderr);
    assert!(undeclared.stderr.contains("`A` is for `x`"), "{}", undeclared.stderr);
    assert_eq!(dev("gitlab").line("--id-token 1=x -- true").run().code, 2);
}

const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},
        "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/shop:*"}}}]}"#;

#[test]
fn a_policy_on_one_form_of_a_subject_does_not_match_the_other() {
    for (subject, code) in [
        ("--context-url https://github.com/acme/shop/tree/next", 0),
        ("--subject repo:acme/shop:environment:production", 0),
        ("--subject repo:acme@65/shop@74:ref:refs/heads/main", 5),
    ] {
        let gp = dev("github").line("--aws-trust-policy trust.json").line(subject);
        let gp = gp.line("-- gp idp login aws --format json");
        fs::write(gp.home().join("trust.json"), POLICY).unwrap();
        let ran = gp.run();
        assert_eq!(ran.code, code, "{subject}: {}", ran.stderr);
        // The refusal explains that there are two forms.
        if code == 5 {
            ran.failure(5, str![[r#"
error: could not assume the AWS role arn:aws:iam::123456789012:role/dev
  caused by: AWS STS (http://127.0.0.1:[..]) refused: Not authorized to perform sts:AssumeRoleWithWebIdentity (AccessDenied, HTTP 403, request [..])
    iss      http://127.0.0.1:[..]/idp
    aud      sts.amazonaws.com
    sub      repo:acme@65/shop@74:ref:refs/heads/main
    form     with the IDs of owner and repository: a rule for `repo:acme/shop:…` never matches it
    role     arn:aws:iam::123456789012:role/dev
    account  123456789012
    trust    {"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity",
              "Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/127.0.0.1:[..]/idp"},
              "Condition":{"StringEquals":{
               "127.0.0.1:[..]/idp:aud":"sts.amazonaws.com",
               "127.0.0.1:[..]/idp:sub":"repo:acme@65/shop@74:ref:refs/heads/main"}}}
hint: AWS does not name the cause. Check that account 123456789012 has the role `dev` (`--role-arn`), and compare its trust policy with the values above
hint: in a local workspace, run `gp idp trust aws --check FILE` with the file of `--aws-trust-policy`
hint: most likely the policy requires another `sub` or `aud` than the ones above (compare upper and lower case and a final slash)
hint: if the policy has a `*` under StringEquals, use StringLike: StringEquals does not support wildcards
hint: if `Action` is another action than `sts:AssumeRoleWithWebIdentity`, add this action
hint: if the policy requires another `sts:RoleSessionName`, set it with `--role-session-name`
hint: whoever administers account 123456789012 finds the cause and the fix with `aws iam get-role --role-name dev --output json | gp idp trust aws --check -`
hint: the statement `trust` above accepts this token

"#]]);
        }
    }
}

/// The file `name` of docs/ci.md: a code block that begins with its name in a comment.
fn file_of_the_page(name: &str) -> Value {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once(&format!("```yaml\n# {name}\n")).unwrap();
    serde_yaml_ng::from_str(rest.split("```").next().unwrap()).unwrap()
}

fn texts(list: &Value, member: Option<&str>) -> Vec<String> {
    let text =
        |value: &Value| member.map_or(Some(value), |name| value.get(name))?.as_str().map(str::to_owned);
    list.as_sequence().unwrap().iter().filter_map(text).collect()
}

#[test]
fn the_files_of_the_page_run_unchanged() {
    let workflow = file_of_the_page(".github/workflows/deploy.yml");
    assert_eq!(workflow["permissions"]["id-token"], "write");
    let steps = texts(&workflow["jobs"]["deploy"]["steps"], Some("run"));
    let job = &file_of_the_page(".gitlab-ci.yml")["deploy"];
    assert_eq!(texts(&job["script"], None), steps, "the script is the same");
    let declared: BTreeMap<String, BTreeMap<String, String>> =
        serde_yaml_ng::from_value(job["id_tokens"].clone()).unwrap();
    let declared = declared.iter().map(|(name, token)| format!("--id-token={name}={}", token["aud"]));
    for gp in [dev("github"), declared.fold(dev("gitlab"), Gp::arg)] {
        // Stubs of the other programs in the jobs' image.
        for (name, script) in [
            ("aws", "echo \"aws $* as ${AWS_ACCESS_KEY_ID%${AWS_ACCESS_KEY_ID#ASIA}}\""),
            ("vault", "echo \"vault $* as ${VAULT_TOKEN%%.*}\""),
        ] {
            let path = gp.home().join("bin").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            program(&path, format!("#!/bin/sh\n{script}\n"));
        }
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", gp.home().join("bin").display());
        let printed = gp.env("PATH", path).line("-- sh -euc").arg(steps.join("\n")).run().success();
        assert_eq!(
            printed,
            "aws s3 sync site s3://example-site as ASIA\nvault kv get -field=password secret/shop as s\n"
        );
    }
}

#[test]
fn only_a_job_with_an_environment_has_its_claim() {
    for (subject, code) in [("repo:acme/shop:environment:production", 0), ("repo:acme/shop:pull_request", 1)]
    {
        let inside = "gp idp token --audience x | gp idp decode --claim environment";
        let ran = dev("github").line("--subject").arg(subject).line("-- sh -c").arg(inside).run();
        let printed = if code == 0 { "production\n" } else { "" };
        assert_eq!((ran.code, ran.stdout.as_str()), (code, printed), "{subject}: {}", ran.stderr);
    }
}

#[test]
fn a_local_workspace_hides_the_platform_of_the_machine() {
    let marks = [
        ("CIRCLE_OIDC_TOKEN_V2", "x"),
        ("SYSTEM_OIDCREQUESTURI", "https://dev.azure.com/x"),
        ("SYSTEM_ACCESSTOKEN", "x"),
        ("CF_OIDC_REQUEST_URL", "https://oidc.codefresh.io/x"),
        ("CF_OIDC_REQUEST_TOKEN", "x"),
        ("BUILDKITE_AGENT_ACCESS_TOKEN", "x"),
        ("BUILDKITE_JOB_ID", "x"),
        ("GITPOD_ENVIRONMENT_ID", "x"),
        ("ONA_TOKEN", "x"),
    ];
    let gp = marks.iter().fold(dev("gitpod"), |gp, (name, value)| gp.env(name, *value));
    gp.line("-- gp idp token --audience example.org --quiet").run().success();
}

#[test]
fn a_check_uses_the_session_name_that_a_login_would_use() {
    let script = "gp idp trust aws --format json |
sed 's/\"StringLike\": {/&\"sts:RoleSessionName\": \"github-*\", /' |
gp idp trust aws --check -";
    let ran = dev("github").line("-- sh -c").arg(script).run();
    assert!(ran.stdout.contains("✓ StringLike sts:RoleSessionName  github-"), "{}{}", ran.stdout, ran.stderr);
}
