use proptest::prelude::*;

use super::check::{self, Login, Named};
use super::open::InventedWorkspaces;
use super::set_up::{SetUp, USER};
use crate::json::Json;
use crate::output::Paint;
use crate::target::aws::exchange::role::RoleArn;
use crate::target::aws::exchange::session::RoleSessionName;
use crate::target::aws::iam::{Context, Decision, OidcProvider, Request, TrustPolicy};
use crate::trust::check::{CheckResult, Outcome, Report};
use crate::trust::tests::{identity, two_workspaces, whom};
use crate::trust::{Identity, Rule, Whom};

const CLAIMS: &str = r#"{"iss":"https://app.example/idp","sub":"https://github.com/acme/shop","aud":["sts.amazonaws.com"],"azp":"sts.amazonaws.com","email":"ann@example.com","level":3,"admin":true,"teams":["a","b"],"exp":2000,"iat":1000}"#;
const ARN: &str = "arn:aws:iam::123456789012:oidc-provider/app.example/idp";

fn identity_of(claims: &str) -> Identity {
    Identity::of(Json::parse(claims).unwrap()).unwrap()
}

fn statement(effect: &str, principal: &str, action: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect":"{effect}","Principal":{{"Federated":["{principal}"]}},"Action":"{action}","Condition":{condition}}}"#
    )
}

fn policy(statements: &[String]) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

fn allow(condition: &str) -> String {
    policy(&[statement("Allow", ARN, "sts:AssumeRoleWithWebIdentity", condition)])
}

fn judge(policy: &str, claims: &str) -> Report {
    check::check(policy, &identity_of(claims), Named::default(), &login()).unwrap()
}

fn login() -> Login {
    let session_name = RoleSessionName::parse("ws-1700000000").unwrap();
    Login { session_name, now: "2026-01-31T12:00:00Z".parse().unwrap() }
}

/// The answer, and the changes as lines.
fn advice(report: &Report) -> (CheckResult, Vec<String>) {
    (report.answer, report.changes.iter().map(|one| format!("{}: {}", one.path, one.change)).collect())
}

#[test]
fn a_policy_that_matches_the_token_is_accepted() {
    for condition in [
        "{}",
        r#"{"StringEquals":{}}"#,
        r#"{"StringEquals":{"app.example/idp:aud":"sts.amazonaws.com","app.example/idp:sub":["x","https://github.com/acme/shop"]}}"#,
        r#"{"StringLike":{"app.example/idp:sub":"https://github.com/acme/*"}}"#,
        r#"{"StringNotEquals":{"app.example/idp:sub":"x"},"ForAllValues:StringEquals":{"app.example/idp:amr":"x"}}"#,
    ] {
        let report = judge(&allow(condition), CLAIMS);
        assert_eq!(advice(&report), (CheckResult::Accepted, Vec::new()), "{condition}");
        assert_eq!(report.alternative, None);
    }
}

#[test]
fn the_smallest_change_is_advised() {
    let own = "https://github.com/acme/shop";
    let sub = |value: &str| format!("set `app.example/idp:sub` to [\"{value}\", \"{own}\"]");
    let listed = format!("add \"{own}\" to the values of `app.example/idp:sub`");
    let aud = "set `app.example/idp:aud` to [\"a\", \"sts.amazonaws.com\"]".to_owned();
    let put = |key: &str| {
        format!("add \"StringEquals\": {{\"app.example/idp:sub\": \"{own}\"}} and remove `{key}`")
    };
    let cases = [
        (r#"{"StringEquals":{"app.example/idp:sub":"x"}}"#, vec![("StringEquals", sub("x"))]),
        (r#"{"StringLike":{"app.example/idp:sub":["x/*","y"]}}"#, vec![("StringLike", listed)]),
        // Escaped, as in JSON.
        (r#"{"StringEquals":{"app.example/idp:sub":"a\"\\\n"}}"#, vec![("StringEquals", sub(r#"a\"\\\n"#))]),
        (
            r#"{"StringEquals":{"app.example/idp:sub":"https://github.com/acme/*"}}"#,
            vec![(
                "StringEquals",
                "use StringLike for `app.example/idp:sub`, so that `*` is a wildcard".into(),
            )],
        ),
        (r#"{"StringEquals":{"app.example/idp:aud":"a"}}"#, vec![("StringEquals", aud.clone())]),
        (
            r#"{"StringEquals":{"app.example/idp:aud":"a","app.example/idp:sub":"b"}}"#,
            vec![("StringEquals", aud.clone()), ("StringEquals", sub("b"))],
        ),
        // As a pattern, this value would admit everyone.
        (r#"{"StringEquals":{"app.example/idp:sub":"*"}}"#, vec![("StringEquals", sub("*"))]),
        // Another issuer's key.
        (
            r#"{"StringEquals":{"app.example:sub":"https://github.com/acme/shop"}}"#,
            vec![("StringEquals", "rename the key `app.example:sub` to `app.example/idp:sub`".into())],
        ),
        (
            r#"{"StringEquals":{"app.example/idp/:sub":"x"}}"#,
            vec![
                ("StringEquals", "rename the key `app.example/idp/:sub` to `app.example/idp:sub`".into()),
                ("StringEquals", sub("x")),
            ],
        ),
        // A claim that is no key of IAM. Without the condition, the policy would admit everyone.
        (
            r#"{"StringEquals":{"app.example/idp:repository":"r"}}"#,
            vec![("StringEquals", put("app.example/idp:repository"))],
        ),
        (
            r#"{"StringLike":{"app.example/idp:sub":"*"},"StringEquals":{"app.example/idp:repository":"r"}}"#,
            vec![("StringEquals", put("app.example/idp:repository"))],
        ),
        (
            r#"{"StringEquals":{"app.example/idp:sub":["x","https://github.com/acme/shop"],"app.example/idp:repository":"r"}}"#,
            vec![("StringEquals", "remove `app.example/idp:repository`".into())],
        ),
        (r#"{"Null":{"app.example/idp:sub":"true"}}"#, vec![("Null", put("app.example/idp:sub"))]),
        (
            r#"{"Bool":{"app.example/idp:email":"true"},"StringLike":{"app.example/idp:sub":"*"}}"#,
            vec![("Bool", put("app.example/idp:email"))],
        ),
    ];
    for (condition, expected) in cases {
        let report = judge(&allow(condition), CLAIMS);
        let expected: Vec<String> = expected
            .into_iter()
            .map(|(operator, change)| format!("Statement[0].Condition.{operator}: {change}"))
            .collect();
        assert_eq!(advice(&report), (CheckResult::Refused, expected), "{condition}");
    }
}

#[test]
fn principals_and_actions_are_corrected() {
    let web = "sts:AssumeRoleWithWebIdentity";
    let base = "arn:aws:iam::123456789012:oidc-provider";
    let cases = [
        (ARN.to_owned(), "sts:AssumeRole", "add", "only this action exchanges a token"),
        (format!("{base}/app.example/idp/"), web, "put", "slash at the end"),
        (format!("{base}/App.example/idp"), web, "put", "upper and lower case"),
        ("arn:aws:iam::210987654321:oidc-provider/app.example/idp".into(), web, "put", "another account"),
        ("https://app.example/idp".into(), web, "put", "is no ARN"),
        // Statements for other principals are not changed: their conditions do not limit this
        // token.
        (format!("{base}/app.example"), web, "", "it is another provider"),
        ("arn:aws:iam::123456789012:saml-provider/x".into(), web, "", "it is another provider"),
    ];
    let role = RoleArn::parse("arn:aws:iam::123456789012:role/x").unwrap();
    let named = Named { by_flag: Some(&role), by_environment: None };
    for (principal, action, verb, why) in cases {
        let text = policy(&[statement("Allow", &principal, action, "{}")]);
        let report = check::check(&text, &identity_of(CLAIMS), named, &login()).unwrap();
        let change = match verb {
            "add" => "Statement[0].Action: add \"sts:AssumeRoleWithWebIdentity\"".to_owned(),
            "put" => {
                format!("Statement[0].Principal.Federated: replace \"{principal}\" by \"{ARN}\"")
            }
            _ => "Statement: add the statement for app.example/idp that `gp idp trust aws --role-arn arn:aws:iam::123456789012:role/NAME --format json` prints"
                .to_owned(),
        };
        assert_eq!(advice(&report), (CheckResult::Refused, vec![change]), "{principal}");
        let reasons: Vec<&String> =
            report.sections[0].lines.iter().filter_map(|line| line.reason.as_ref()).collect();
        assert!(reasons.len() == 1 && reasons[0].contains(why), "{reasons:?}");
    }
}

/// A change admits this token, and excludes nobody who was admitted before.
#[test]
fn a_change_excludes_nobody() {
    let own = "https://github.com/acme/shop";
    let at = |operator: &str, change: &str| vec![format!("Statement[0].Condition.{operator}: {change}")];
    let add = || {
        vec![
            "Statement: add the statement for app.example/idp that `gp idp trust aws --role-arn arn:aws:iam::123456789012:role/NAME --format json` prints"
                .to_owned(),
        ]
    };
    let session =
        |name: &str| vec![format!("gp idp login aws: name the session with `--role-session-name {name}`")];
    let cases = [
        (
            format!(r#"{{"StringNotEquals":{{"app.example/idp:sub":["x","{own}"]}}}}"#),
            at("StringNotEquals", &format!("remove \"{own}\" from the values of `app.example/idp:sub`")),
        ),
        (
            format!(r#"{{"StringNotEquals":{{"app.example/idp:sub":"{own}"}}}}"#),
            at("StringNotEquals", "remove `app.example/idp:sub`"),
        ),
        (
            r#"{"StringNotEqualsIgnoreCase":{"app.example/idp:email":["ANN@example.com","x"]}}"#.to_owned(),
            at(
                "StringNotEqualsIgnoreCase",
                "remove \"ANN@example.com\" from the values of `app.example/idp:email`",
            ),
        ),
        // These conditions exclude other tokens too.
        (r#"{"StringNotLike":{"app.example/idp:sub":"https://*"}}"#.to_owned(), add()),
        (format!(r#"{{"StringNotLike":{{"app.example/idp:sub":["https://*/shop","{own}"]}}}}"#), add()),
        (r#"{"StringNotEquals":{"app.example/idp:aud":"sts.amazonaws.com"}}"#.to_owned(), add()),
        (r#"{"StringEquals":{"app.example/idp:amr":"mfa"}}"#.to_owned(), add()),
        (r#"{"DateEquals":{"aws:CurrentTime":"2020-01-01"}}"#.to_owned(), add()),
        // As a pattern, the second value would admit everyone.
        (
            r#"{"StringEquals":{"app.example/idp:sub":["x","https://*"]}}"#.to_owned(),
            at("StringEquals", &format!("add \"{own}\" to the values of `app.example/idp:sub`")),
        ),
        (
            r#"{"StringEquals":{"app.example/idp:azp":"sts.amazonaws.com"}}"#.to_owned(),
            at("StringEquals", "rename the key `app.example/idp:azp` to `app.example/idp:aud`"),
        ),
        (
            format!(
                r#"{{"StringEquals":{{"app.example/idp:azp":"x","app.example/idp:aud":"sts.amazonaws.com","app.example/idp:sub":"{own}"}}}}"#
            ),
            at("StringEquals", "remove `app.example/idp:azp`"),
        ),
        (
            r#"{"DateLessThan":{"aws:CurrentTime":"2026-01-31T11:59:59Z"}}"#.to_owned(),
            at("DateLessThan", "set a later time, because that time has passed"),
        ),
        (
            r#"{"DateGreaterThan":{"aws:CurrentTime":"2026-02-01"}}"#.to_owned(),
            at("DateGreaterThan", "wait for that time, which is in the future, or set an earlier one"),
        ),
        (
            r#"{"Bool":{"aws:SecureTransport":"false"}}"#.to_owned(),
            at("Bool", "make `aws:SecureTransport` true"),
        ),
        (r#"{"StringEquals":{"sts:RoleSessionName":["deploy","x"]}}"#.to_owned(), session("deploy")),
        (r#"{"StringLike":{"sts:RoleSessionName":"ci-??-*"}}"#.to_owned(), session("ci-xx-")),
        (r#"{"StringNotLike":{"sts:RoleSessionName":"ws-*"}}"#.to_owned(), session("ann@example.com")),
        (
            r#"{"StringEquals":{"sts:RoleSessionName":"${app.example/idp:email}"}}"#.to_owned(),
            session("ann@example.com"),
        ),
        (r#"{"StringEquals":{"sts:RoleSessionName":"a:b"}}"#.to_owned(), add()),
    ];
    for (condition, expected) in cases {
        let report = judge(&allow(&condition), CLAIMS);
        assert_eq!(advice(&report), (CheckResult::Refused, expected), "{condition}");
        assert_eq!(report.remaining_condition, None, "{condition}");
    }
    // `ForAnyValue` would exclude tokens without the key.
    let several =
        CLAIMS.replace(r#"["sts.amazonaws.com"],"azp":"sts.amazonaws.com""#, r#"["sts.amazonaws.com","b"]"#);
    for operator in ["StringNotEquals", "StringEqualsIfExists"] {
        let report = judge(&allow(&format!(r#"{{"{operator}":{{"app.example/idp:oaud":"x"}}}}"#)), &several);
        assert_eq!(advice(&report), (CheckResult::Refused, add()), "{operator}");
    }
    // A statement that other callers use too.
    let shared = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity",
        "Principal":{"Federated":["ARN","arn:aws:iam::123456789012:oidc-provider/other.example"]},
        "Condition":{"StringEquals":{"other.example:sub":"x"}}}}"#;
    assert_eq!(advice(&judge(&shared.replace("ARN", ARN), CLAIMS)).1, add());
    let all_but = r#"{"Statement":{"Effect":"Allow","NotAction":"sts:AssumeRoleWith*","Principal":{"Federated":"ARN"}}}"#;
    assert_eq!(advice(&judge(&all_but.replace("ARN", ARN), CLAIMS)).1, add());
}

#[test]
fn a_deny_statement_gets_an_exception_for_this_token() {
    let own = "https://github.com/acme/shop";
    let exception = format!(
        "Statement[1].Condition.StringNotEquals: add \"app.example/idp:sub\": \"{own}\" to make an exception, because this statement denies"
    );
    let open = statement(
        "Allow",
        ARN,
        "sts:AssumeRoleWithWebIdentity",
        r#"{"StringLike":{"app.example/idp:sub":"https://github.com/acme/*"}}"#,
    );
    let session = "gp idp login aws: name the session with `--role-session-name ci-`";
    for (deny, expected) in [
        (r#"{"StringNotEquals":{"app.example/idp:sub":["x","y"]}}"#, Some(exception.as_str())),
        (r#"{"Bool":{"aws:SecureTransport":"true"}}"#, Some(&exception)),
        (r#"{"DateGreaterThan":{"aws:CurrentTime":"2026-01-01"}}"#, Some(&exception)),
        (r#"{"StringNotLike":{"sts:RoleSessionName":"ci-*"}}"#, Some(session)),
        (r#"{"Bool":{"aws:SecureTransport":"false"}}"#, None),
        (r#"{"DateGreaterThan":{"aws:CurrentTime":"2026-02-01"}}"#, None),
    ] {
        let policy = policy(&[open.clone(), statement("Deny", ARN, "sts:*", deny)]);
        let report = judge(&policy, CLAIMS);
        let answer = if expected.is_some() { CheckResult::Refused } else { CheckResult::Accepted };
        let expected = expected.map(str::to_owned).into_iter().collect::<Vec<_>>();
        assert_eq!(advice(&report), (answer, expected), "{deny}");
    }
    // A condition that cannot be evaluated here cannot be corrected either.
    let unknown = statement("Deny", ARN, "sts:*", r#"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#);
    let report = judge(&policy(&[open.clone(), unknown.clone()]), CLAIMS);
    assert_eq!(advice(&report), (CheckResult::Undecided, Vec::new()));
    let report = judge(
        &policy(&[
            statement(
                "Allow",
                ARN,
                "sts:AssumeRole",
                r#"{"StringLike":{"app.example/idp:sub":"https://github.com/acme/*"}}"#,
            ),
            unknown,
        ]),
        CLAIMS,
    );
    assert_eq!(
        (report.answer, report.changes.len(), report.remaining_condition.is_some()),
        (CheckResult::Refused, 1, true)
    );
}

#[test]
fn a_policy_that_is_open_to_every_workspace_gets_a_warning() {
    let cautious = |condition: &str| judge(&allow(condition), CLAIMS).warning.is_some();
    for open in [
        "{}",
        r#"{"StringEquals":{"app.example/idp:aud":"sts.amazonaws.com"}}"#,
        r#"{"StringEquals":{"app.example/idp:aud":"another"},"StringLike":{"sts:RoleSessionName":"ci-*"}}"#,
        r#"{"StringLike":{"app.example/idp:sub":["x","*"]}}"#,
        r#"{"StringLike":{"app.example/idp:sub":"https://*"}}"#,
        r#"{"StringLike":{"app.example/idp:sub":"*/*"}}"#,
        r#"{"StringLikeIfExists":{"app.example/idp:sub":"http*"}}"#,
        r#"{"StringEquals":{"app.example/idp:sub":"${app.example/idp:sub}"}}"#,
        r#"{"StringLike":{"app.example/idp:email":"*@*"}}"#,
        r#"{"StringNotEquals":{"app.example/idp:sub":"x"}}"#,
        r#"{"Null":{"app.example/idp:sub":"false"}}"#,
        r#"{"Bool":{"aws:SecureTransport":"true"},"DateGreaterThan":{"aws:CurrentTime":"2020-01-01"}}"#,
        r#"{"StringEqualsIfExists":{"app.example/idp:repository":"x"}}"#,
        r#"{"ForAllValues:StringEquals":{"app.example/idp:amr":"x"}}"#,
    ] {
        assert!(cautious(open), "{open}");
    }
    for closed in [
        r#"{"StringEquals":{"app.example/idp:sub":"*"}}"#,
        r#"{"StringLike":{"app.example/idp:sub":"https://github.com/acme/*"}}"#,
        r#"{"StringEquals":{"app.example/idp:email":"x"}}"#,
        // Every token has a subject.
        r#"{"StringEqualsIfExists":{"app.example/idp:sub":"x"}}"#,
        r#"{"ForAllValues:StringEquals":{"app.example/idp:sub":"x"}}"#,
        r#"{"ForAllValues:StringLike":{"app.example/idp:sub":["https://github.com/acme/*","y"]}}"#,
        // Mistyped keys admit nobody.
        r#"{"StringEquals":{"https://app.example/idp:sub":"https://github.com/acme/shop"}}"#,
        r#"{"StringEquals":{"app.example:sub":"https://github.com/acme/shop"}}"#,
        r#"{"StringEquals":{"app.example/idp:subject":"https://github.com/acme/shop"}}"#,
        r#"{"StringEquals":{"app.example/idp.sub":"https://github.com/acme/shop"}}"#,
        r#"{"StringEquals":{"app.example/idp:sub":"${app.example/idp:email}"}}"#,
        // This condition is undecided.
        r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#,
    ] {
        assert!(!cautious(closed), "{closed}");
    }
    // A Deny statement may close the policy, unless the caller can avoid it.
    let open = statement("Allow", ARN, "sts:AssumeRoleWithWebIdentity", "{}");
    for (deny, expected) in [
        (r#"{"StringNotLike":{"app.example/idp:sub":"https://github.com/acme/*"}}"#, false),
        (r#"{"StringLike":{"app.example/idp:sub":"https://github.com/acme/*"}}"#, true),
        (r#"{"StringNotLike":{"sts:RoleSessionName":"ci-*"}}"#, true),
        (r#"{"StringNotEquals":{"app.example/idp:aud":"sts.amazonaws.com"}}"#, true),
        (r#"{"Bool":{"aws:SecureTransport":"false"}}"#, true),
        (r#"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, false),
    ] {
        let policy = policy(&[open.clone(), statement("Deny", ARN, "sts:*", deny)]);
        assert_eq!(judge(&policy, CLAIMS).warning.is_some(), expected, "{deny}");
    }
    // Subjects that are not URLs.
    let keys = CLAIMS.replace("https://github.com/acme/shop", "org:1/prj:2");
    for (sub, expected) in
        [("org:*", true), ("org:1/*", false), ("org:*/prj:2", false), ("org:1/prj:*", false)]
    {
        let policy = allow(&format!(r#"{{"StringLike":{{"app.example/idp:sub":"{sub}"}}}}"#));
        assert_eq!(judge(&policy, &keys).warning.is_some(), expected, "{sub}");
    }
    // The warning also appears if the advice would open the policy.
    let report = judge(&policy(&[statement("Allow", ARN, "sts:AssumeRole", "{}")]), CLAIMS);
    let opened = "with this change, Statement[0] is open to every workspace of app.example/idp: no condition limits it to certain values of `sub` or `email`";
    assert_eq!((report.warning.as_deref(), report.changes.len()), (Some(opened), 1));
    let report = judge(&allow(r#"{"StringLike":{"app.example/idp:azp":"*"}}"#), CLAIMS);
    assert_eq!(report.warning.as_deref(), Some(opened));
    let report = judge(&allow("{}"), CLAIMS);
    assert_eq!(report.warning.as_deref(), opened.strip_prefix("with this change, "));
    let other = policy(&[statement("Allow", "arn:aws:iam::123456789012:oidc-provider/x", "sts:*", "{}")]);
    assert_eq!(judge(&other, CLAIMS).warning, None);
}

#[test]
fn a_deny_gets_an_exception_and_the_statement_with_fewer_changes_is_changed() {
    let web = "sts:AssumeRoleWithWebIdentity";
    let deny =
        statement("Deny", ARN, "sts:*", r#"{"StringLike":{"app.example/idp:sub":"https://github.com/*"}}"#);
    let open = statement("Allow", ARN, web, "{}");
    let report = judge(&policy(&[deny.clone(), open.clone()]), CLAIMS);
    assert_eq!(report.reason, "Statement[0] denies it, even if other statements allow it");
    assert_eq!(
        advice(&report).1,
        [
            "Statement[0].Condition.StringNotEquals: add \"app.example/idp:sub\": \"https://github.com/acme/shop\" to make an exception, because this statement denies"
        ]
    );
    let two = statement(
        "Allow",
        ARN,
        web,
        r#"{"StringEquals":{"app.example/idp:aud":"a","app.example/idp:sub":"b"}}"#,
    );
    let one = statement("Allow", ARN, web, r#"{"StringEquals":{"app.example/idp:sub":"b"}}"#);
    let report = judge(&policy(&[two, one]), CLAIMS);
    assert_eq!(report.changes.len(), 1);
    assert_eq!(report.changes[0].path, "Statement[1].Condition.StringEquals");
    let report = judge(&policy(&[deny]), CLAIMS);
    assert_eq!((report.answer, report.changes[0].path.as_str()), (CheckResult::Refused, "Statement"));
}

#[test]
fn unknown_values_are_not_guessed() {
    let report = judge(
        &allow(
            r#"{"StringEquals":{"app.example/idp:sub":"https://github.com/acme/shop"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#,
        ),
        CLAIMS,
    );
    assert_eq!(advice(&report), (CheckResult::Undecided, Vec::new()));
    let line = &report.sections[0].lines[3];
    assert_eq!((line.outcome, line.name.as_str()), (Outcome::Undecided, "IpAddress aws:SourceIp"));
    // The first condition can be corrected, and the second one stays undecided.
    let report = judge(
        &allow(r#"{"StringEquals":{"app.example/idp:sub":"x"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#),
        CLAIMS,
    );
    assert_eq!((report.answer, report.changes.len()), (CheckResult::Refused, 1));
}

#[test]
fn an_accepted_audience_is_suggested() {
    let report = judge(&allow(r#"{"StringEquals":{"app.example/idp:aud":["aws","b"]}}"#), CLAIMS);
    assert_eq!(
        report.alternative.as_deref(),
        Some("keep the audience there, and mint the token for it with `--audience aws`")
    );
    for condition in
        [r#"{"StringLike":{"app.example/idp:aud":"x*"}}"#, r#"{"StringEquals":{"app.example/idp:sub":"x"}}"#]
    {
        assert_eq!(judge(&allow(condition), CLAIMS).alternative, None);
    }
}

#[test]
fn session_tags_need_a_second_action() {
    let claims = CLAIMS.replacen('{', r#"{"https://aws.amazon.com/tags":{"principal_tags":{"a":["b"]}},"#, 1);
    let report = judge(&allow("{}"), &claims);
    assert_eq!(
        (report.reason.as_str(), advice(&report).1),
        (
            "no statement allows sts:TagSession",
            vec!["Statement[0].Action: add \"sts:TagSession\"".to_owned()]
        )
    );
    let both = policy(&[statement("Allow", ARN, "sts:*", "{}")]);
    assert_eq!(judge(&both, &claims).answer, CheckResult::Accepted);
}

#[test]
fn the_account_comes_from_the_flag_the_file_the_environment_or_the_provider() {
    let document = allow("{}");
    let role = |account: &str| RoleArn::parse(&format!("arn:aws-cn:iam::{account}:role/x")).unwrap();
    let (flag, environment) = (role("111111111111"), role("222222222222"));
    let printed = format!(
        r#"{{"Role":{{"Arn":"arn:aws-cn:iam::333333333333:role/y","AssumeRolePolicyDocument":{document}}}}}"#
    );
    let provider = |text: &str, by_flag, by_environment| {
        let report =
            check::check(text, &identity_of(CLAIMS), Named { by_flag, by_environment }, &login()).unwrap();
        report.about.into_iter().find(|(name, _)| *name == "provider").unwrap().1
    };
    let arn = |account: &str| format!("arn:aws-cn:iam::{account}:oidc-provider/app.example/idp");
    assert_eq!(provider(&printed, Some(&flag), Some(&environment)), arn("111111111111"));
    assert_eq!(provider(&printed, None, Some(&environment)), arn("333333333333"));
    assert_eq!(provider(&document, None, Some(&environment)), arn("222222222222"));
    assert_eq!(provider(&document, None, None), ARN);
    let encoded = document.bytes().fold(String::new(), |encoded, b| encoded + &format!("%{b:02X}"));
    assert_eq!(provider(&encoded, None, None), ARN);
    let anyone = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:*"}}"#;
    let error = check::check(anyone, &identity_of(CLAIMS), Named::default(), &login()).unwrap_err();
    assert_eq!(error, check::CheckError::NoAccount);
}

/// Policies that may have several faults.
fn policies() -> impl Strategy<Value = String> {
    let operator = prop::sample::select(vec![
        "StringEquals",
        "StringLike",
        "StringNotEquals",
        "StringNotLike",
        "StringEqualsIgnoreCase",
        "Null",
        "Bool",
        "ForAnyValue:StringLike",
        "ForAllValues:StringEquals",
        "StringEqualsIfExists",
        "StringNotEqualsIgnoreCase",
        "ForAnyValue:StringNotEquals",
        "DateLessThan",
    ]);
    let key = prop::sample::select(vec![
        "app.example/idp:sub",
        "app.example/idp:aud",
        "app.example/idp:email",
        "app.example/idp:amr",
        "app.example/idp:oaud",
        "app.example:sub",
        "app.example/idp:repository",
        "aws:PrincipalTag/x",
        "app.example/idp:azp",
        "https://app.example/idp:sub",
        "sts:RoleSessionName",
        "aws:CurrentTime",
        "aws:SecureTransport",
    ]);
    let value = prop::sample::select(vec![
        "https://github.com/acme/shop",
        "https://github.com/acme/*",
        "sts.amazonaws.com",
        "x",
        "*",
        "true",
        "false",
        "${aws:x}",
        "2030-01-01",
        "https://*",
        "",
    ]);
    let conditions = prop::collection::btree_map(
        operator,
        prop::collection::btree_map(key, prop::collection::vec(value, 0..3), 0..3),
        0..3,
    );
    let principal = prop::sample::select(vec![
        ARN,
        ARN,
        r#"arn:aws:iam::123456789012:oidc-provider/app.example","arn:aws:iam::123456789012:oidc-provider/app.example/idp"#,
        "arn:aws:iam::123456789012:oidc-provider/x",
        "arn:aws:iam::210987654321:oidc-provider/app.example/idp",
    ]);
    let action = prop::sample::select(vec!["sts:AssumeRoleWithWebIdentity", "sts:AssumeRole", "sts:*"]);
    let statement = (prop::sample::select(vec!["Allow", "Allow", "Deny"]), principal, action, conditions)
        .prop_map(|(effect, principal, action, conditions)| {
            super::tests::statement(effect, principal, action, &serde_json::to_string(&conditions).unwrap())
        });
    prop::collection::vec(statement, 1..4).prop_map(|statements| policy(&statements))
}

/// Other tokens: the name of the issuer, and the claims.
fn others() -> Vec<(&'static str, String)> {
    let mut others = Vec::new();
    for name in ["app.example/idp", "app.example", "x"] {
        for sub in ["x", "https://github.com/acme/shop", "https://github.com/acme/other", "org:1", "*"] {
            for more in [r#""email":"x""#, r#""email":"ann@example.com","amr":["x"]"#, r#""azp":"x""#] {
                others.push((name, format!(r#"{{"sub":"{sub}","aud":"sts.amazonaws.com",{more}}}"#)));
            }
        }
    }
    others
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    /// With the advised changes, the policy accepts the token.
    #[test]
    fn with_the_changes_the_policy_accepts_the_token(text in policies(), several in any::<bool>()) {
        let claims = if several { CLAIMS.replace(r#"["sts.amazonaws.com"],"azp":"sts.amazonaws.com""#, r#"["sts.amazonaws.com","b"]"#) } else { CLAIMS.into() };
        let identity = identity_of(&claims);
        let policy = TrustPolicy::parse(&text).unwrap();
        let provider = OidcProvider::new("aws", "123456789012", &identity.issuer).unwrap();
        let context = Context::of_token(&provider, identity.claims()).of_call("ws-1", login().now);
        let action = crate::target::aws::iam::ASSUME_ROLE_WITH_WEB_IDENTITY;
        let invented = InventedWorkspaces::new(&identity, &provider, login().now);
        let changes = super::change::smallest_change(&policy, &provider, &context, &invented, &[action]).unwrap();
        let request = Request { provider: &provider, action, context: &changes.context };
        let decision = |policy: &TrustPolicy, request| policy.evaluate(request).decision();
        let lets_in = |decision| matches!(decision, Decision::Allowed(_) | Decision::Undecided(_));
        let now = decision(&changes.policy, &request);
        prop_assert!(lets_in(now), "{} {:?}", text, changes.advice);
        let before = decision(&policy, &Request { context: &context, ..request });
        prop_assert!(before.eq(&now) || !changes.advice.is_empty(), "{}", text);
        prop_assert!(changes.advice.is_empty() || !matches!(before, Decision::Allowed(_)), "{}", text);
        // Every token that was accepted is still accepted.
        for other in others() {
            let provider = OidcProvider::new("aws", "123456789012", &format!("https://{}", other.0)).unwrap();
            let context =
                Context::of_token(&provider, &Json::parse(&other.1).unwrap()).of_call("x", login().now);
            let request = Request { provider: &provider, action, context: &context };
            let (was, is) =
                (policy.evaluate(&request).allowed(), changes.policy.evaluate(&request).allowed());
            prop_assert!(is || !was, "{} keeps out {:?}: {:?}", text, other, changes.advice);
        }
    }

    #[test]
    fn no_text_panics(text in ".{0,80}") {
        let _ = check::check(&text, &identity_of(CLAIMS), Named::default(), &login());
    }
}

#[test]
fn a_statement_for_two_providers_still_accepts_the_other_provider() {
    let both = r#"arn:aws:iam::123456789012:oidc-provider/app.example","arn:aws:iam::123456789012:oidc-provider/app.example/idp"#;
    for condition in [
        r#"{"Null":{"app.example/idp:sub":["true"]}}"#,
        r#"{"BoolIfExists":{"app.example/idp:sub":["true"]}}"#,
    ] {
        let text = policy(&[statement("Allow", both, "sts:AssumeRoleWithWebIdentity", condition)]);
        let report = judge(&text, CLAIMS);
        let places: Vec<&str> = report.changes.iter().map(|advice| advice.path.as_str()).collect();
        assert_eq!(places, ["Statement"], "{condition}: {:?}", report.changes);
    }
}

#[test]
fn control_characters_of_a_policy_are_escaped() {
    let report = judge(&allow(r#"{"StringEquals":{"app.example/idp:sub":"\u001b[31mx\u202e"}}"#), CLAIMS);
    let text = report.text(Paint(false));
    assert!(text.contains("\\u{1b}[31mx\\u{202e}"), "{text}");
    assert!(!text.contains('\u{1b}'));
}

proptest! {
    /// By the rules of IAM, the policy admits exactly the tokens that the rule admits.
    #[test]
    fn iam_admits_whom_the_rule_admits((mine, theirs) in two_workspaces(), whom in whom()) {
        let role = RoleArn::parse("arn:aws:iam::123456789012:role/deploy").unwrap();
        let rule = mine.rule(whom, USER).unwrap();
        let policy = SetUp::new(&mine, &rule, &role).unwrap().policy().compact();
        let accepts = |identity: &Identity| {
            let named = check::Named { by_flag: Some(&role), by_environment: None };
            check::check(&policy, identity, named, &login()).unwrap().answer == CheckResult::Accepted
        };
        prop_assert!(accepts(&mine), "{policy}");
        let theirs = Identity::of(theirs).unwrap();
        prop_assert_eq!(accepts(&theirs), rule.accepts(theirs.claims()), "{} {}", policy, theirs.subject);
    }
}

#[test]
fn a_policy_that_is_too_long_for_iam_is_refused() {
    let long = format!("https://x.example/a/{}", "x".repeat(1500));
    let mine = identity(&long, Some(&long));
    let role = RoleArn::parse("arn:aws:iam::123456789012:role/deploy").unwrap();
    let rule = mine.rule(Whom::ThisRepository, USER).unwrap();
    let error = SetUp::new(&mine, &rule, &role).unwrap_err().to_string();
    assert!(error.starts_with("the trust policy has 3"), "{error}");
    let rule = mine.rule(Whom::Any, USER).unwrap();
    assert!(SetUp::new(&mine, &rule, &role).is_ok());
}

#[test]
fn with_azp_iam_sees_only_one_of_several_audiences() {
    let role = RoleArn::parse("arn:aws:iam::123456789012:role/deploy").unwrap();
    let policy = |claims: &str| {
        let identity = Identity::of(Json::parse(claims).unwrap()).unwrap();
        SetUp::new(&identity, &Rule::Any, &role)
            .unwrap()
            .policy()
            .at("Statement.0.Condition")
            .unwrap()
            .compact()
    };
    assert_eq!(
        policy(r#"{"iss":"https://x.example","sub":"s","aud":["a","b"],"azp":"a"}"#),
        r#"{"StringEquals":{"x.example:aud":"a"}}"#
    );
    assert_eq!(
        policy(r#"{"iss":"https://x.example","sub":"s","aud":["a","b"]}"#),
        r#"{"ForAnyValue:StringEquals":{"x.example:aud":["a","b"]}}"#
    );
}
