//! `gp idp trust`: the output for a fixed workspace, and the reports of `--check`.

use std::fs;
use std::path::Path;

use gp_idp::context::Clock;
use gp_idp::dev::{AwsRole, Options};
use gp_idp::target::aws::iam::TrustPolicy;
use snapbox::str;

use crate::support::Gp;

const ROLE: &str = "arn:aws:iam::123456789012:role/ci/deploy";

fn on(context_url: &str) -> Gp {
    named(Gp::in_workspace_of(Options { context_url: context_url.into(), ..Options::default() }))
}

/// The issuer's name in IAM is its address without `http://`.
fn named(gp: Gp) -> Gp {
    let host = gp.workspace().api_url().replace("http://", "");
    gp.with_placeholder(host, "[API-HOST]")
}

fn gp() -> Gp {
    on("https://github.com/acme/shop/tree/main")
}

/// The stdout of a command line, which has to succeed.
#[track_caller]
fn printed(gp: &Gp) -> String {
    let ran = gp.run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.stdout
}

/// Compares stdout, stderr and the exit code with a snapshot file.
#[track_caller]
fn snapshot(name: &str, line: &str) {
    let ran = gp().line(line).run();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/snapshots/trust/{name}.txt"));
    let text = format!("{}--- stderr, exit code {}\n{}", ran.stdout, ran.code, ran.stderr);
    snapbox::assert_data_eq!(text, snapbox::Data::read_from(&path, None).raw());
}

#[test]
fn aws() {
    let role = "--role-arn arn:aws:iam::123456789012:role/ci/deploy";
    snapshot("aws", &format!("idp trust aws {role}"));
    snapshot("aws-terraform", &format!("idp trust aws {role} --format terraform"));
    snapshot("aws-json", &format!("idp trust aws {role} --format json --audience a --audience b"));
    snapshot("aws-owner", &format!("idp trust aws {role} --format json --for this-owner"));
    snapshot("aws-user", &format!("idp trust aws {role} --format json --for this-user"));
    snapshot("aws-any", &format!("idp trust aws {role} --format json --for any"));
}

#[test]
fn vault() {
    snapshot("vault", "idp trust vault --role deploy --policy deploy --policy read");
    snapshot(
        "vault-bao",
        "idp trust vault --role deploy --policy p --cli bao --path /auth/team/ci/ --for this-user --token-ttl 5m",
    );
    snapshot("vault-terraform", "idp trust vault --role deploy --policy deploy --format terraform");
    snapshot("vault-json", "idp trust vault --role deploy --format json --for any");
}

#[test]
fn gcp() {
    let line = "idp trust gcp --project-number 123456789012";
    snapshot("gcp", &format!("{line} --service-account ci@shop.iam.gserviceaccount.com"));
    snapshot("gcp-direct", &format!("{line} --for this-user --pool p000 --provider q000 --audience x"));
    snapshot(
        "gcp-terraform",
        &format!("{line} --service-account ci@shop.iam.gserviceaccount.com --format terraform --audience x"),
    );
}

#[test]
fn provider_and_service_account_may_be_in_the_environment() {
    // As `gp idp dev` sets it.
    let printed = Gp::in_workspace().line("idp trust gcp").run();
    assert_eq!(printed.code, 0, "{}", printed.stderr);
    assert!(printed.stdout.contains("projects/123456789012/locations/global/workloadIdentityPools/gitpod"));
    let flags = Gp::in_workspace().line("idp trust gcp --pool p000 --provider q000");
    let flags = flags.env("IDP_GCP_SERVICE_ACCOUNT", "ci@shop.iam.gserviceaccount.com").run();
    // The warning about the local issuer's http is on stderr.
    assert_eq!(flags.code, 0, "{}", flags.stderr);
    for expected in ["p000", "q000", "ci@shop"] {
        assert!(flags.stdout.contains(expected), "{expected}: {}", flags.stdout);
    }
    for (name, value, expected) in [
        (
            "IDP_GCP_WORKLOAD_IDENTITY_PROVIDER",
            "projects/shop/locations/global/workloadIdentityPools/p/providers/q",
            "`shop` is a project ID",
        ),
        ("IDP_GCP_SERVICE_ACCOUNT", "x", "`IDP_GCP_SERVICE_ACCOUNT`: "),
    ] {
        let ran = Gp::in_workspace().line("idp trust gcp").env(name, value).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    }
}

#[test]
fn azure() {
    snapshot("azure", "idp trust azure --app-id 00000000-0000-4000-8000-00000000000a");
    snapshot(
        "azure-terraform",
        "idp trust azure --app-id 00000000-0000-4000-8000-00000000000a --format terraform",
    );
    snapshot(
        "azure-json",
        "idp trust azure --app-id 00000000-0000-4000-8000-00000000000a --format json --name n-1",
    );
    snapshot("azure-owner", "idp trust azure --app-id 00000000-0000-4000-8000-00000000000a --for this-owner");
}

#[test]
fn kubernetes() {
    snapshot("kubernetes", "idp trust kubernetes --audience cluster --cluster-role edit --namespace shop");
    snapshot(
        "kubernetes-user",
        "idp trust kubernetes --audience a --audience b --role deploy -n shop --for this-user --format authentication",
    );
    snapshot(
        "kubernetes-rbac",
        "idp trust kubernetes --audience a --cluster-role view --format rbac --group ci:all",
    );
    let twice = "idp trust kubernetes --audience a --audience a --cluster-role view --format authentication";
    let once = printed(&gp().line(twice));
    assert_eq!(once.matches("- \"a\"").count(), 1, "kube-apiserver does not start with two: {once}");
    assert!(!once.contains("audienceMatchPolicy"), "{once}");
    snapshot(
        "kubernetes-any",
        "idp trust kubernetes --audience a --cluster-role view --for any --format authentication",
    );
}

#[test]
fn subjects_without_a_repository() {
    let nothing = |line: &str| on("").line(line).run();
    let ran = nothing("idp trust vault --role r --policy p");
    assert_eq!(ran.code, 0);
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
warning: this accepts every workspace of [API]/idp that was opened on no repository, whoever opened it; `--for this-user` accepts fewer

"#]]
    );
    assert!(ran.stdout.contains(r#""bound_subject": "no-context""#), "{}", ran.stdout);
    nothing("idp trust vault --role r --policy p --for this-owner").failure(
        1,
        str![[r#"
error: could not print the setup of a Vault role
  caused by: `sub` is `no-context`, which is not the address of a repository, so it has no owner
hint: this workspace was opened without a repository: run this command in a workspace with a repository of the owner that you want to trust
hint: to allow only yourself, use `--for this-user`
hint: do not use `--for this-repository`, which would accept every workspace without a repository

"#]],
    );
    let subject = Some("org:1:project:2".to_owned());
    let keys = named(Gp::in_workspace_of(Options { subject, ..Options::default() }));
    let role = printed(&keys.line("idp trust vault --role r --policy p --format json"));
    assert!(role.contains(r#""bound_subject": "org:1:project:2""#), "{role}");
}

#[test]
fn wrong_settings_are_refused_before_any_request() {
    let cases = [
        ("idp trust aws", "no role is set"),
        ("idp trust aws --role-arn arn:aws:iam::1:role/x", "`--role-arn`: the account `1`"),
        (
            "idp trust aws --role-arn arn:aws:iam::123456789012:role/x --format text",
            "`--format text` needs `--check`",
        ),
        ("idp trust aws --check - --format terraform", "with `--check`, `--format` is text or json"),
        ("idp trust aws --check - --for any", "cannot be used with"),
        ("idp trust vault", "no role is set"),
        ("idp trust vault --role a/b", "`--role`: `a/b` must have only letters"),
        ("idp trust vault --role a --path a;b", "`--mount`: `a;b` must have only letters"),
        ("idp trust gcp", "no project is set"),
        ("idp trust gcp --project-number shop", "it is digits only"),
        ("idp trust gcp --project-number 1 --pool a'b", "it has 4 to 32 characters (a-z"),
        ("idp trust gcp --project-number 1 --service-account x", "`x` is not a service account"),
        ("idp trust azure", "no app is set"),
        ("idp trust azure --app-id x --name y", "it has 3 to 120 letters"),
        ("idp trust kubernetes --audience a", "required arguments were not provided"),
        ("idp trust kubernetes --audience a --role x", "--namespace"),
        (
            "idp trust kubernetes --audience a --cluster-role x --group system:masters",
            "reserved for Kubernetes",
        ),
        ("idp trust kubernetes --audience a --cluster-role x --prefix system:", "reserved for Kubernetes"),
        ("idp trust kubernetes --audience a --cluster-role a/b", "this is not a role name"),
        ("idp trust kubernetes --audience a --role .. -n shop", "this is not a role name"),
        ("idp trust kubernetes --audience a --cluster-role x -n Shop", "this is not a namespace name"),
    ];
    for (line, expected) in cases {
        let ran = Gp::new().line(line).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{line} {}", ran.stderr);
        assert!(ran.stderr.contains(expected), "{line}\n{}", ran.stderr);
    }
    let ran = Gp::new().line("idp trust aws --check missing").run();
    assert_eq!(ran.code, 7, "{}", ran.stderr);
    let ran = Gp::without_supervisor().line("idp trust vault --role x").run();
    assert_eq!(ran.code, 3, "{}", ran.stderr);
}

#[test]
fn settings_may_be_in_the_environment() {
    let both = |name: &str, value: &str, flag: &str, target: &str| {
        let gp = gp().env("IDP_AWS_ROLE_ARN", "");
        let by_flag = printed(&gp.line(&format!("idp trust {target} {flag} {value}")));
        let gp = self::gp().env("IDP_AWS_ROLE_ARN", "").env(name, value);
        assert_eq!(printed(&gp.line(&format!("idp trust {target}"))), by_flag);
    };
    both("IDP_AWS_ROLE_ARN", ROLE, "--role-arn", "aws");
    both("AWS_ROLE_ARN", ROLE, "--role-arn", "aws");
    both("IDP_VAULT_ROLE", "deploy", "--role", "vault");
    both("AZURE_CLIENT_ID", "x", "--app-id", "azure");
}

#[test]
fn the_printed_trust_accepts_only_the_intended_subjects() {
    for (whom, foreign, foreign_user_gets_in) in [
        ("this-repository", "https://github.com/acme/shop2", false),
        ("this-owner", "https://github.com/acme2/shop", false),
        ("any", "https://github.com/x/y", true),
        ("this-user", "https://github.com/x/y", true),
    ] {
        for (target, settings) in
            [("aws", "--role-arn arn:aws:iam::123456789012:role/x"), ("vault", "--role x")]
        {
            let gp = gp();
            let issuer = gp.workspace().api_url();
            let gp = gp.line(&format!("idp trust {target} {settings} --format json --for {whom}"));
            // The check needs the exact output, without placeholders.
            let out = gp.command().output().unwrap();
            let text = String::from_utf8(out.stdout).unwrap();
            let check = format!("idp trust {target} --check -");
            let gp = gp.stdin(text.clone()).with_line(&check);
            assert_eq!(gp.run().code, 0, "{target} {whom}");
            let other = on(foreign);
            let text = text.replace(&issuer[7..], &other.workspace().api_url()[7..]);
            let code = other.stdin(text).line(&check).run().code;
            assert_eq!(code, i32::from(!foreign_user_gets_in), "{target} {whom}");
        }
    }
}

/// The local workspace's STS evaluates the policy as AWS does.
#[test]
fn the_local_sts_accepts_only_this_repository() {
    let gp = gp();
    let host = gp.workspace().api_url().replace("http://", "");
    let gp = gp.line(&format!("idp trust aws --role-arn {ROLE} --format json"));
    let out = gp.command().output().unwrap();
    let policy = String::from_utf8(out.stdout).unwrap().replace(&format!("{host}/idp"), "app.example");
    let trust_policy = TrustPolicy::parse(&policy).unwrap();
    let login = |context_url: &str| {
        let mut options = Options { context_url: context_url.into(), ..Options::default() };
        let role = AwsRole::new(ROLE);
        options.aws.providers = vec!["app.example".into()];
        options.aws.roles = vec![AwsRole { trust_policy: Some(trust_policy.clone()), ..role }];
        Gp::in_workspace_of(options)
            .line(&format!("idp login aws --format process --role-arn {ROLE}"))
            .run()
            .code
    };
    assert_eq!(login("https://github.com/acme/shop"), 0);
    assert_eq!(login("https://github.com/acme/shop/pull/3"), 0);
    assert_eq!(login("https://github.com/acme/shop2"), 5);
    assert_eq!(login("https://github.com/Acme/shop"), 5);
}

#[test]
fn a_check_explains_why_a_token_is_refused() {
    let gp = gp();
    let host = gp.workspace().api_url().replace("http://", "");
    let policy = format!(
        r#"{{"Role": {{"RoleName": "deploy", "Arn": "{ROLE}", "AssumeRolePolicyDocument": {{
          "Version": "2012-10-17",
          "Statement": [
            {{"Sid": "Ci", "Effect": "Allow", "Principal": {{"Federated": "arn:aws:iam::123456789012:oidc-provider/{host}/idp"}},
              "Action": "sts:AssumeRoleWithWebIdentity",
              "Condition": {{"StringEquals": {{"{host}/idp:aud": "sts.amazon.com", "{host}/idp:sub": "https://github.com/acme/Shop/*"}},
                            "IpAddress": {{"aws:SourceIp": "192.0.2.0/24"}}}}}},
            {{"Effect": "Allow", "Principal": {{"AWS": "arn:aws:iam::123456789012:root"}}, "Action": "sts:AssumeRole"}}
          ]}}}}}}"#
    );
    fs::write(gp.home().join("role.json"), &policy).unwrap();
    let gp = gp.line("idp trust aws --check role.json");
    let ran = gp.run();
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    snapbox::assert_data_eq!(
        ran.stdout,
        str![[r#"
role      arn:aws:iam::123456789012:role/ci/deploy
provider  arn:aws:iam::123456789012:oidc-provider/[API-HOST]/idp
sub       https://github.com/acme/shop/tree/main
aud       sts.amazonaws.com
Statement[0] "Ci": Allow
  ✓ Principal  Federated arn:aws:iam::123456789012:oidc-provider/[API-HOST]/idp
  ✓ Action  sts:AssumeRoleWithWebIdentity
  ✗ StringEquals [API-HOST]/idp:aud
      wanted  sts.amazon.com
      found   sts.amazonaws.com
  ✗ StringEquals [API-HOST]/idp:sub
      wanted  https://github.com/acme/Shop/*
      found   https://github.com/acme/shop/tree/main
      why     `https://github.com/acme/Shop/*` would match as a pattern, but here it is compared literally, and the comparison is case-sensitive
  ? IpAddress aws:SourceIp
      wanted  192.0.2.0/24
      found   nothing
      why     the call may have this key, and its value is not known here
Statement[1]: Allow
  ✗ Principal
      wanted  AWS arn:aws:iam::123456789012:root
      found   Federated arn:aws:iam::123456789012:oidc-provider/[API-HOST]/idp
      why     only a `Federated` principal applies to tokens
  ✗ Action
      wanted  sts:AssumeRole
      found   sts:AssumeRoleWithWebIdentity
      why     only this action exchanges a token
not accepted: no statement allows it
change: Statement[0].Condition.StringEquals: set `[API-HOST]/idp:aud` to ["sts.amazon.com", "sts.amazonaws.com"]
change: Statement[0].Condition.StringEquals: set `[API-HOST]/idp:sub` to ["https://github.com/acme/Shop/*", "https://github.com/acme/shop/tree/main"]
then: the answer still depends on the lines that are marked with `?`
or: keep the audience there, and mint the token for it with `--audience sts.amazon.com`

"#]]
    );
    let ran = gp.with_line("idp trust aws --check role.json --format json").run();
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["answer"], "not_accepted");
    assert_eq!(report["sections"][0]["lines"][2]["outcome"], "not_matched");
}

/// A trust policy with one statement for each of these providers and conditions.
fn shared(statements: &[(&str, &str)]) -> String {
    let statement = |(provider, condition): &(&str, &str)| {
        format!(
            r#"{{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {condition},
            "Principal": {{"Federated": "arn:aws:iam::123456789012:oidc-provider/{provider}"}}}}"#
        )
    };
    let statements: Vec<String> = statements.iter().map(statement).collect();
    format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(","))
}

const GITHUB: (&str, &str) = (
    "token.actions.githubusercontent.com",
    r#"{"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/shop:*"}}"#,
);
const CLUSTER: (&str, &str) = (
    "oidc.eks.eu-west-1.amazonaws.com/id/0123",
    r#"{"StringEquals": {"oidc.eks.eu-west-1.amazonaws.com/id/0123:sub": "system:serviceaccount:shop:ci"}}"#,
);
const OURS: (&str, &str) =
    ("app.gitpod.io", r#"{"StringLike": {"app.gitpod.io:sub": "https://github.com/acme/shop*"}}"#);

/// The local issuer represents the provider of a real policy, in whichever statement that is.
#[test]
fn a_local_workspace_is_checked_against_the_closest_provider() {
    let policies = [
        shared(&[OURS]),
        shared(&[GITHUB, OURS]),
        shared(&[CLUSTER, GITHUB, OURS]),
        shared(&[OURS, CLUSTER]),
        shared(&[GITHUB, OURS]).replace(
            r#""arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com""#,
            r#"["arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com", "arn:aws:iam::123456789012:oidc-provider/other.example"]"#,
        ),
    ];
    for policy in policies {
        let ran = gp().stdin(policy.clone()).line("idp trust aws --check -").run();
        assert_eq!(ran.code, 0, "{policy} {}", ran.stdout);
        assert!(ran.stdout.contains("issuer    [API]/idp, checked as app.gitpod.io\n"), "{}", ran.stdout);
        let stranger =
            on("https://github.com/evil/shop").stdin(policy.clone()).line("idp trust aws --check -").run();
        assert_eq!(stranger.code, 1, "{policy}");
        let change =
            r#"set `app.gitpod.io:sub` to ["https://github.com/acme/shop*", "https://github.com/evil/shop"]"#;
        assert!(stranger.stdout.contains(change), "{}", stranger.stdout);
    }
    // A policy that names the local issuer is evaluated unchanged.
    let gp = gp();
    let host = gp.workspace().api_url().replace("http://", "");
    let policy = shared(&[GITHUB, (&format!("{host}/idp"), "{}")]);
    let ran = gp.stdin(policy).line("idp trust aws --check -").run();
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(!ran.stdout.contains("checked as"), "{}", ran.stdout);
    // The provider in the principal is wrong. Nothing shows that here.
    let policy = shared(&[OURS]).replace("oidc-provider/app.gitpod.io", "oidc-provider/gitpod.io");
    let ran = self::gp().stdin(policy).line("idp trust aws --check -").run();
    let change = "rename the key `app.gitpod.io:sub` to `gitpod.io:sub`\n";
    let other = "or: the keys name app.gitpod.io and the principal names gitpod.io: if the issuer of the real tokens is https://app.gitpod.io, correct the principal instead of the keys\n";
    assert!(ran.stdout.contains(change) && ran.stdout.contains(other), "{}", ran.stdout);
}

#[test]
fn the_local_sts_treats_the_issuer_as_each_provider_of_a_policy() {
    let login = |context_url: &str, policy: &str| {
        let mut options = Options { context_url: context_url.into(), ..Options::default() };
        let trust_policy = TrustPolicy::parse(policy).unwrap();
        options.aws.providers = trust_policy.oidc_providers().into_iter().map(str::to_owned).collect();
        options.aws.roles = vec![AwsRole { trust_policy: Some(trust_policy), ..AwsRole::new(ROLE) }];
        let line = format!("idp login aws --format process --role-arn {ROLE}");
        Gp::in_workspace_of(options).line(&line).run().code
    };
    for policy in [shared(&[GITHUB, OURS]), shared(&[CLUSTER, GITHUB, OURS]), shared(&[OURS, GITHUB])] {
        assert_eq!(login("https://github.com/acme/shop", &policy), 0, "{policy}");
        assert_eq!(login("https://github.com/evil/shop", &policy), 5, "{policy}");
    }
    assert_eq!(login("https://github.com/acme/shop", &shared(&[GITHUB, CLUSTER])), 5);
}

/// The check knows the time, that TLS is used, and the role session name that a login would use.
#[test]
fn a_check_evaluates_the_call_too() {
    let condition = r#"{"StringEquals": {"app.gitpod.io:azp": "sts.amazonaws.com", "sts:RoleSessionName": "deploy"},
        "StringLike": {"app.gitpod.io:sub": "https://github.com/acme"},
        "DateLessThan": {"aws:CurrentTime": "2026-11-01T00:00:00Z"}, "Bool": {"aws:SecureTransport": "true"}}"#;
    let policy = shared(&[("app.gitpod.io", condition)]);
    let clock = Clock::Fixed("2026-11-23T12:00:00Z".parse().unwrap());
    let context_url = "https://github.com/acme/shop".into();
    let gp = named(Gp::in_workspace_of(Options { clock, context_url, ..Options::default() }));
    let gp = gp.stdin(policy).at_time("2026-11-23T12:00:01Z").line("idp trust aws --check -");
    let ran = gp.run();
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    snapbox::assert_data_eq!(
        ran.stdout,
        str![[r#"
role      arn:aws:iam::123456789012:role/dev
provider  arn:aws:iam::123456789012:oidc-provider/app.gitpod.io
sub       https://github.com/acme/shop
aud       sts.amazonaws.com
issuer    [API]/idp, checked as app.gitpod.io
Statement[0]: Allow
  ✓ Principal  Federated arn:aws:iam::123456789012:oidc-provider/app.gitpod.io
  ✓ Action  sts:AssumeRoleWithWebIdentity
  ✗ StringEquals app.gitpod.io:azp
      wanted  sts.amazonaws.com
      found   nothing
      why     IAM has no key `azp`: it fills `aud` from the token's `azp`, and `oaud` from its `aud`
  ✗ StringEquals sts:RoleSessionName
      wanted  deploy
      found   gitpodio-example-0123456789a-1795435201
  ✗ StringLike app.gitpod.io:sub
      wanted  https://github.com/acme
      found   https://github.com/acme/shop
      why     `https://github.com/acme` has no `*`: without one, the whole value is compared, not a part of it
  ✗ DateLessThan aws:CurrentTime
      wanted  2026-11-01T00:00:00Z
      found   2026-11-23T12:00:01Z
      why     compared with the clock of this machine; AWS uses its own clock
  ✓ Bool aws:SecureTransport  true
not accepted: no statement allows it
change: Statement[0].Condition.StringEquals: rename the key `app.gitpod.io:azp` to `app.gitpod.io:aud`
change: gp idp login aws: name the session with `--role-session-name deploy`
change: Statement[0].Condition.StringLike: set `app.gitpod.io:sub` to ["https://github.com/acme", "https://github.com/acme/shop"]
change: Statement[0].Condition.DateLessThan: set a later time, because that time has passed

"#]]
    );
    let gp = gp.with_line("idp trust aws --check - --role-session-name deploy");
    let named = "✓ StringEquals sts:RoleSessionName  deploy";
    assert!(gp.run().stdout.contains(named));
    let gp = gp.with_line("idp trust aws --check - --role-session-name a:b");
    gp.run().failure(2, str![[r#"
error: could not check the trust policy
  caused by: `--role-session-name`: `:` at character 2 cannot be in the name of a session: only A-Z a-z 0-9 _ + = , . @ - are allowed

"#]]);
    gp.with_line("idp trust aws --role-session-name deploy").run().failure(
        2,
        str![[r#"
error: the following required arguments were not provided:
  --check <FILE|->

  tip: `--role-session-name` needs `--check <FILE|->`

Usage: gp idp trust aws --check <FILE|-> --role-session-name <NAME>

hint: the following required arguments were not provided: --check <FILE|->; `--role-session-name` needs `--check <FILE|->`; see `--help`

"#]],
    );
    let gp = self::gp().stdin(shared(&[("app.gitpod.io", condition)])).env("AWS_ROLE_SESSION_NAME", "deploy");
    assert!(gp.line("idp trust aws --check -").run().stdout.contains(named));
}

/// The YAML output of the AWS CLI is read. Its text and table output is not.
#[test]
fn yaml_of_the_aws_cli_is_read_and_other_formats_are_refused() {
    let yaml = "Role:
  Arn: arn:aws:iam::123456789012:role/dev
  AssumeRolePolicyDocument:
    Statement:
    - Action: sts:AssumeRoleWithWebIdentity
      Condition:
        StringLike:
          app.gitpod.io:sub:
          - https://github.com/acme/*
          - 'https://github.com/other/*'
      Effect: Allow
      Principal:
        Federated: arn:aws:iam::123456789012:oidc-provider/app.gitpod.io
    Version: '2012-10-17'
  RoleName: dev
";
    let gp = gp().env("IDP_AWS_ROLE_ARN", "");
    let ran = gp.stdin(yaml).line("idp trust aws --check -").run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.starts_with("role      arn:aws:iam::123456789012:role/dev\n"), "{}", ran.stdout);
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
note: this was read as YAML; if a value looks wrong, check what `aws iam get-role --output json` prints

"#]]
    );
    let table = "-----------\n|  GetRole  |\n+---------+\n||  Role  ||\n";
    let text = "ROLE\tarn:aws:iam::123456789012:role/dev\nASSUMEROLEPOLICYDOCUMENT\t2012-10-17\n";
    for printed in [table, text, "Role: {AssumeRolePolicyDocument: *x}\n"] {
        let ran = self::gp().stdin(printed).line("idp trust aws --check -").run();
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{printed}");
        assert!(ran.stderr.ends_with("hint: pipe in the role, or only its trust policy: `aws iam get-role --role-name NAME --output json | gp idp trust aws --check -`\n"), "{}", ran.stderr);
    }
}

/// The causes that docs/troubleshooting.md names, each with the complete report of the check.
#[test]
fn causes_that_a_check_names() {
    let aws = |condition: &str| shared(&[("app.gitpod.io", condition)]);
    let vault = |members: &str| format!(r#"{{"bound_audiences": ["vault.hashicorp.com"]{members}}}"#);
    let policies = [
        ("azp", aws(r#"{"StringEquals": {"app.gitpod.io:azp": "sts.amazonaws.com", "app.gitpod.io:sub": "https://github.com/acme/shop"}}"#)),
        ("a pattern without an asterisk", aws(r#"{"StringLike": {"app.gitpod.io:sub": "https://github.com/acme"}}"#)),
        ("a time that has passed", aws(r#"{"DateLessThan": {"aws:CurrentTime": "2026-11-01"}, "StringLike": {"app.gitpod.io:sub": "https://github.com/acme/*"}}"#)),
        ("another name of the session", aws(r#"{"StringLike": {"sts:RoleSessionName": "ci-*", "app.gitpod.io:sub": "https://github.com/acme/*"}}"#)),
        ("ruled out by name", aws(r#"{"StringNotEquals": {"app.gitpod.io:sub": ["https://github.com/acme/shop", "https://github.com/acme/old"]}}"#)),
        ("denied", aws(r#"{"StringLike": {"app.gitpod.io:sub": "https://github.com/acme/*"}}"#).replace(
            r#""Statement": ["#,
            r#""Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:*", "Condition": {"StringNotEquals": {"app.gitpod.io:sub": "https://github.com/acme/infra"}}},"#,
        )),
        ("open to everyone", aws(r#"{"StringLike": {"app.gitpod.io:sub": "https://*"}}"#)),
        ("a key with https", aws(r#"{"StringEquals": {"https://app.gitpod.io:sub": "https://github.com/acme/shop"}}"#)),
        ("a policy of several providers", shared(&[GITHUB, OURS])),
        ("the CLI's text", "ROLE\tarn:aws:iam::123456789012:role/dev\n".to_owned()),
    ];
    let roles = [
        ("no type", vault(r#", "user_claim": "sub""#)),
        ("no user claim", vault(r#", "role_type": "jwt""#)),
        (
            "a glob in another case",
            vault(
                r#", "role_type": "jwt", "user_claim": "sub", "bound_claims_type": "glob", "bound_claims": {"sub": "https://github.com/Acme/*"}"#,
            ),
        ),
        (
            "a question mark",
            vault(
                r#", "role_type": "jwt", "user_claim": "sub", "bound_claims_type": "glob", "bound_claims": {"sub": "https://github.com/acme/sho?"}"#,
            ),
        ),
    ];
    let policies = policies.into_iter().map(|case| ("aws", case));
    let said =
        policies.chain(roles.into_iter().map(|case| ("vault", case))).map(|(target, (title, set_up))| {
            let clock = Clock::Fixed("2026-11-23T12:00:00Z".parse().unwrap());
            let context_url = "https://github.com/acme/shop".into();
            let gp = named(Gp::in_workspace_of(Options { clock, context_url, ..Options::default() }));
            let gp = gp.stdin(set_up).at_time("2026-11-23T12:00:01Z");
            let ran = gp.line(&format!("idp trust {target} --check -")).run();
            format!("=== {target}: {title}\n{}--- stderr, exit code {}\n{}", ran.stdout, ran.code, ran.stderr)
        });
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/trust/checks.txt");
    snapbox::assert_data_eq!(said.collect::<String>(), snapbox::Data::read_from(&path, None).raw());
}

/// A repository on another host than GitHub, and a branch of it.
#[test]
fn a_branch_of_bitbucket_and_of_azure_devops_belongs_to_its_repository() {
    for (context, other, patterns) in [
        (
            "https://bitbucket.org/acme/shop/src/main",
            "https://bitbucket.org/acme/shop2",
            vec!["https://bitbucket.org/acme/shop", "https://bitbucket.org/acme/shop/*"],
        ),
        (
            "https://dev.azure.com/acme/web/_git/shop?version=GBmain",
            "https://dev.azure.com/acme/web/_git/shop2?version=GBmain",
            vec![
                "https://dev.azure.com/acme/web/_git/shop",
                "https://dev.azure.com/acme/web/_git/shop/*",
                "https://dev.azure.com/acme/web/_git/shop${?}*",
            ],
        ),
    ] {
        let gp = on(context);
        let issuer = gp.workspace().api_url();
        let gp = gp.line(&format!("idp trust aws --role-arn {ROLE} --format json"));
        let out = gp.command().output().unwrap();
        let policy: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        let like = &policy["Statement"][0]["Condition"]["StringLike"];
        assert_eq!(like[format!("{}/idp:sub", &issuer[7..])], serde_json::json!(patterns));
        let text = policy.to_string();
        assert_eq!(gp.stdin(text.clone()).with_line("idp trust aws --check -").run().code, 0);
        let other = on(other);
        let text = text.replace(&issuer[7..], &other.workspace().api_url()[7..]);
        assert_eq!(other.stdin(text).line("idp trust aws --check -").run().code, 1);
    }
}

#[test]
fn a_check_of_a_vault_role_explains_why_a_token_is_refused() {
    let role = r#"{"request_id": "x", "data": {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"],
        "bound_claims_type": "string", "bound_claims": {"sub": "https://github.com/acme/*"}, "bound_subject": "",
        "groups_claim": "", "token_bound_cidrs": ["10.0.0.0/8"], "expiration_leeway": 0, "clock_skew_leeway": 0}}"#;
    let clock = Clock::Fixed("2026-11-23T12:00:00Z".parse().unwrap());
    let context_url = "https://github.com/acme/shop".into();
    let gp = named(Gp::in_workspace_of(Options { clock, context_url, ..Options::default() }));
    let ran = gp.stdin(role).at_time("2026-11-23T13:01:01Z").line("idp trust vault --check -").run();
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    snapbox::assert_data_eq!(
        ran.stdout,
        str![[r#"
iss  [API]/idp
sub  https://github.com/acme/shop
aud  vault.hashicorp.com
Role
  ✓ role_type  jwt
  ? token_bound_cidrs
      wanted  10.0.0.0/8
      found   nothing
      why     only the server knows the address of the client
  ✗ bound_audiences
      wanted  vault
      found   vault.hashicorp.com
  ✓ nbf  2026-11-23T12:00:00Z
  ✗ exp
      wanted  clock_skew_leeway 60 s
      found   2026-11-23T13:00:00Z
      why     this is the result by this machine's clock; the server uses its own clock
  ✓ user_claim  https://github.com/acme/shop
  ✗ bound_claims sub
      wanted  https://github.com/acme/*
      found   https://github.com/acme/shop
      why     `https://github.com/acme/*` is compared as it is written, because bound_claims_type is "string"
not accepted: bound_audiences does not match, so the server replies `error validating token: invalid audience (aud) claim: audience claim does not match any expected audience` (HTTP 400)
change: bound_audiences: add "vault.hashicorp.com"
change: clocks: synchronise the clocks of the issuer, the server and this machine
change: bound_claims_type: set it to "glob"
then: the result still depends on the lines marked with `?`
or: keep the audience there, and mint the token for it with `--audience vault`

"#]]
    );
}

#[test]
fn an_invalid_policy_or_role_is_an_error() {
    gp().env("IDP_AWS_ROLE_ARN", "")
        .stdin("{}")
        .line("idp trust aws --check -")
        .run()
        .failure(1, str![[r#"
error: could not check the trust policy
  caused by: the input contains no trust policy: it has neither `Statement` nor `AssumeRolePolicyDocument`
hint: pipe in the role, or only its trust policy: `aws iam get-role --role-name NAME --output json | gp idp trust aws --check -`

"#]]);
    let anyone = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:*"}}"#;
    gp().env("IDP_AWS_ROLE_ARN", "").stdin(anyone).line("idp trust aws --check -").run().failure(
        2,
        str![[r#"
error: could not check the trust policy
  caused by: the account of the role is unknown, so the provider that the policy must name is unknown too
hint: name the role with `--role-arn arn:aws:iam::123456789012:role/NAME`

"#]],
    );
    for role in [r#"{"role_type":"jwt","bound_audiences":"a"}"#, r#"{"bound_audiences":"a","user_claim":""}"#]
    {
        gp().stdin(role).line("idp trust vault --check -").run().failure(
            1,
            str![[r#"
error: could not check the Vault role
  caused by: a Vault server refuses this role: a user claim must be defined on the role
hint: add `"user_claim": "sub"` to the role: the server identifies the user by that claim

"#]],
        );
    }
    gp().stdin("").line("idp trust vault --check -").run().failure(
        1,
        str![[r#"
error: could not check the Vault role
  caused by: there is no role: the input is empty
hint: if the input comes from a command, such as `vault read -format=json auth/jwt/role/NAME`, run that command alone to see why it prints nothing

"#]],
    );
}
