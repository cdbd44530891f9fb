use jiff::Timestamp;
use proptest::prelude::*;

use super::aws::Named;
use super::*;
use crate::diagnose::trust::Identity;
use crate::exchange::aws::role::RoleArn;
use crate::iam::{Context, OidcProvider, Request, TrustPolicy};

const CLAIMS: &str = r#"{"iss":"https://app.example/idp","sub":"https://github.com/acme/shop","aud":["sts.amazonaws.com"],"azp":"sts.amazonaws.com","email":"ann@example.com","level":3,"admin":true,"teams":["a","b"],"exp":2000,"iat":1000}"#;
const ARN: &str = "arn:aws:iam::123456789012:oidc-provider/app.example/idp";

fn identity(claims: &str) -> Identity {
    Identity::of(Json::parse(claims).unwrap()).unwrap()
}

fn statement(effect: &str, principal: &str, action: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect":"{effect}","Principal":{{"Federated":"{principal}"}},"Action":"{action}","Condition":{condition}}}"#
    )
}

fn policy(statements: &[String]) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

fn allow(condition: &str) -> String {
    policy(&[statement("Allow", ARN, "sts:AssumeRoleWithWebIdentity", condition)])
}

fn check(policy: &str, claims: &str) -> Report {
    super::aws::check(policy, &identity(claims), Named::default()).unwrap()
}

/// The answer, and the changes as lines.
fn advice(report: &Report) -> (Answer, Vec<String>) {
    (report.answer, report.changes.iter().map(|one| format!("{}: {}", one.path, one.change)).collect())
}

#[test]
fn what_matches_is_accepted() {
    for condition in [
        "{}",
        r#"{"StringEquals":{}}"#,
        r#"{"StringEquals":{"app.example/idp:aud":"sts.amazonaws.com","app.example/idp:sub":["x","https://github.com/acme/shop"]}}"#,
        r#"{"StringLike":{"app.example/idp:sub":"https://github.com/acme/*"}}"#,
        r#"{"StringNotEquals":{"app.example/idp:sub":"x"},"ForAllValues:StringEquals":{"app.example/idp:amr":"x"}}"#,
    ] {
        let report = check(&allow(condition), CLAIMS);
        assert_eq!(advice(&report), (Answer::Accepted, Vec::new()), "{condition}");
        assert_eq!(report.instead, None);
    }
}

#[test]
fn the_smallest_change() {
    let own = "https://github.com/acme/shop";
    let sub = format!("add \"{own}\" to the values of `app.example/idp:sub`");
    let put = |key: &str| {
        format!("put \"StringEquals\": {{\"app.example/idp:sub\": \"{own}\"}} in the place of `{key}`")
    };
    let cases = [
        (r#"{"StringEquals":{"app.example/idp:sub":"x"}}"#, vec![("StringEquals", sub.clone())]),
        (r#"{"StringLike":{"app.example/idp:sub":["x/*","y"]}}"#, vec![("StringLike", sub.clone())]),
        (
            r#"{"StringEquals":{"app.example/idp:sub":"https://github.com/acme/*"}}"#,
            vec![(
                "StringEquals",
                "make it StringLike for `app.example/idp:sub`, so that `*` is a wildcard".into(),
            )],
        ),
        (
            r#"{"StringEquals":{"app.example/idp:aud":"a"}}"#,
            vec![("StringEquals", "add \"sts.amazonaws.com\" to the values of `app.example/idp:aud`".into())],
        ),
        (
            r#"{"StringEquals":{"app.example/idp:aud":"a","app.example/idp:sub":"b"}}"#,
            vec![
                ("StringEquals", "add \"sts.amazonaws.com\" to the values of `app.example/idp:aud`".into()),
                ("StringEquals", sub.clone()),
            ],
        ),
        // As a pattern that would let in everyone.
        (r#"{"StringEquals":{"app.example/idp:sub":"*"}}"#, vec![("StringEquals", sub.clone())]),
        // Another issuer's key.
        (
            r#"{"StringEquals":{"app.example:sub":"https://github.com/acme/shop"}}"#,
            vec![("StringEquals", "rename the key `app.example:sub` to `app.example/idp:sub`".into())],
        ),
        (
            r#"{"StringEquals":{"app.example/idp/:sub":"x"}}"#,
            vec![
                ("StringEquals", "rename the key `app.example/idp/:sub` to `app.example/idp:sub`".into()),
                ("StringEquals", sub.clone()),
            ],
        ),
        // A claim that IAM does not pass on: without the condition everyone would get in.
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
            vec![("StringEquals", "take `app.example/idp:repository` out".into())],
        ),
        (r#"{"Null":{"app.example/idp:sub":"true"}}"#, vec![("Null", put("app.example/idp:sub"))]),
        (
            r#"{"StringNotLike":{"app.example/idp:sub":"https://*"}}"#,
            vec![("StringNotLike", put("app.example/idp:sub"))],
        ),
        (
            r#"{"Bool":{"app.example/idp:email":"true"},"StringLike":{"app.example/idp:sub":"*"}}"#,
            vec![("Bool", put("app.example/idp:email"))],
        ),
    ];
    for (condition, expected) in cases {
        let report = check(&allow(condition), CLAIMS);
        let expected: Vec<String> = expected
            .into_iter()
            .map(|(operator, change)| format!("Statement[0].Condition.{operator}: {change}"))
            .collect();
        assert_eq!(advice(&report), (Answer::Refused, expected), "{condition}");
    }
}

#[test]
fn principal_and_action() {
    let web = "sts:AssumeRoleWithWebIdentity";
    let base = "arn:aws:iam::123456789012:oidc-provider";
    let cases = [
        (ARN.to_owned(), "sts:AssumeRole", "add", "a token is traded with this action"),
        (format!("{base}/app.example/idp/"), web, "put", "slash at the end"),
        (format!("{base}/App.example/idp"), web, "put", "upper and lower case"),
        ("arn:aws:iam::210987654321:oidc-provider/app.example/idp".into(), web, "put", "another account"),
        ("https://app.example/idp".into(), web, "put", "is no ARN"),
        // Opened to this token, statements about others would have no conditions, or the others' ones.
        (format!("{base}/app.example"), web, "", "it is another provider"),
        ("arn:aws:iam::123456789012:saml-provider/x".into(), web, "", "it is another provider"),
    ];
    let role = RoleArn::parse("arn:aws:iam::123456789012:role/x").unwrap();
    let named = Named { by_flag: Some(&role), by_environment: None };
    for (principal, action, verb, why) in cases {
        let text = policy(&[statement("Allow", &principal, action, "{}")]);
        let report = super::aws::check(&text, &identity(CLAIMS), named).unwrap();
        let change = match verb {
            "add" => "Statement[0].Action: add \"sts:AssumeRoleWithWebIdentity\"".to_owned(),
            "put" => {
                format!("Statement[0].Principal.Federated: put \"{ARN}\" in the place of \"{principal}\"")
            }
            _ => {
                "Statement: add one for this provider: `gp idp trust aws --format json` prints it".to_owned()
            }
        };
        assert_eq!(advice(&report), (Answer::Refused, vec![change]), "{principal}");
        let reasons: Vec<&String> =
            report.sections[0].lines.iter().filter_map(|line| line.reason.as_ref()).collect();
        assert!(reasons.len() == 1 && reasons[0].contains(why), "{reasons:?}");
    }
}

#[test]
fn a_set_up_that_is_open_to_all_is_pointed_out() {
    let cautious = |condition: &str| check(&allow(condition), CLAIMS).caution.is_some();
    for open in [
        "{}",
        r#"{"StringEquals":{"app.example/idp:aud":"sts.amazonaws.com"}}"#,
        r#"{"StringLike":{"app.example/idp:sub":["x","*"]}}"#,
        r#"{"StringNotEquals":{"app.example/idp:sub":"x"}}"#,
        r#"{"StringEqualsIfExists":{"app.example/idp:sub":"x"}}"#,
        r#"{"ForAllValues:StringEquals":{"app.example/idp:sub":"x"}}"#,
    ] {
        assert!(cautious(open), "{open}");
    }
    for closed in [
        r#"{"StringEquals":{"app.example/idp:sub":"*"}}"#,
        r#"{"StringLike":{"app.example/idp:sub":"https://github.com/acme/*"}}"#,
        r#"{"StringEquals":{"app.example/idp:email":"x"}}"#,
    ] {
        assert!(!cautious(closed), "{closed}");
    }
    // Also when the advice would make it so.
    let report = check(&policy(&[statement("Allow", ARN, "sts:AssumeRole", "{}")]), CLAIMS);
    assert!(report.caution.is_some() && report.changes.len() == 1);
    let other = policy(&[statement("Allow", "arn:aws:iam::123456789012:oidc-provider/x", "sts:*", "{}")]);
    assert_eq!(check(&other, CLAIMS).caution, None);
    assert!(vault(&role(""), 1500).caution.is_some());
    assert!(vault(&role(r#","bound_subject":"","bound_claims":null"#), 1500).caution.is_some());
    assert!(vault(&role(r#","bound_subject":"x""#), 1500).caution.is_none());
    assert!(vault(&role(r#","bound_claims":{"email":"x"}"#), 1500).caution.is_none());
}

#[test]
fn a_deny_is_excepted_from_and_the_easier_statement_changed() {
    let web = "sts:AssumeRoleWithWebIdentity";
    let deny =
        statement("Deny", ARN, "sts:*", r#"{"StringLike":{"app.example/idp:sub":"https://github.com/*"}}"#);
    let open = statement("Allow", ARN, web, "{}");
    let report = check(&policy(&[deny.clone(), open.clone()]), CLAIMS);
    assert_eq!(report.because, "Statement[0] denies it, whatever others allow");
    assert_eq!(
        advice(&report).1,
        [
            "Statement[0].Condition.StringNotEquals: this statement denies: add \"app.example/idp:sub\": \"https://github.com/acme/shop\" to make an exception"
        ]
    );
    let two = statement(
        "Allow",
        ARN,
        web,
        r#"{"StringEquals":{"app.example/idp:aud":"a","app.example/idp:sub":"b"}}"#,
    );
    let one = statement("Allow", ARN, web, r#"{"StringEquals":{"app.example/idp:sub":"b"}}"#);
    let report = check(&policy(&[two, one]), CLAIMS);
    assert_eq!(report.changes.len(), 1);
    assert_eq!(report.changes[0].path, "Statement[1].Condition.StringEquals");
    let report = check(&policy(&[deny]), CLAIMS);
    assert_eq!((report.answer, report.changes[0].path.as_str()), (Answer::Refused, "Statement"));
}

#[test]
fn what_is_not_known_here_is_not_guessed() {
    let report = check(
        &allow(
            r#"{"StringEquals":{"app.example/idp:sub":"https://github.com/acme/shop"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#,
        ),
        CLAIMS,
    );
    assert_eq!(advice(&report), (Answer::Undecided, Vec::new()));
    let line = &report.sections[0].lines[3];
    assert_eq!((line.outcome, line.name.as_str()), (Outcome::Undecided, "IpAddress aws:SourceIp"));
    // What can be mended is, and the answer is still open.
    let report = check(
        &allow(r#"{"StringEquals":{"app.example/idp:sub":"x"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#),
        CLAIMS,
    );
    assert_eq!((report.answer, report.changes.len()), (Answer::Refused, 1));
}

#[test]
fn another_audience_may_be_all_that_is_needed() {
    let report = check(&allow(r#"{"StringEquals":{"app.example/idp:aud":["aws","b"]}}"#), CLAIMS);
    assert_eq!(
        report.instead.as_deref(),
        Some("leave the audience there as it is and mint for it, with `--audience aws`")
    );
    for condition in
        [r#"{"StringLike":{"app.example/idp:aud":"x*"}}"#, r#"{"StringEquals":{"app.example/idp:sub":"x"}}"#]
    {
        assert_eq!(check(&allow(condition), CLAIMS).instead, None);
    }
}

#[test]
fn session_tags_need_a_second_action() {
    let claims = CLAIMS.replacen('{', r#"{"https://aws.amazon.com/tags":{"principal_tags":{"a":["b"]}},"#, 1);
    let report = check(&allow("{}"), &claims);
    assert_eq!(
        (report.because.as_str(), advice(&report).1),
        (
            "no statement allows sts:TagSession",
            vec!["Statement[0].Action: add \"sts:TagSession\"".to_owned()]
        )
    );
    let both = policy(&[statement("Allow", ARN, "sts:*", "{}")]);
    assert_eq!(check(&both, &claims).answer, Answer::Accepted);
}

#[test]
fn the_account_is_that_of_the_flag_the_file_the_environment_or_the_provider() {
    let document = allow("{}");
    let role = |account: &str| RoleArn::parse(&format!("arn:aws-cn:iam::{account}:role/x")).unwrap();
    let (flag, environment) = (role("111111111111"), role("222222222222"));
    let printed = format!(
        r#"{{"Role":{{"Arn":"arn:aws-cn:iam::333333333333:role/y","AssumeRolePolicyDocument":{document}}}}}"#
    );
    let provider = |text: &str, by_flag, by_environment| {
        let report = super::aws::check(text, &identity(CLAIMS), Named { by_flag, by_environment }).unwrap();
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
    let error = super::aws::check(anyone, &identity(CLAIMS), Named::default()).unwrap_err();
    assert_eq!(error, super::aws::CheckError::NoAccount);
}

/// Policies in which much can be wrong at once.
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
        "",
    ]);
    let conditions = prop::collection::btree_map(
        operator,
        prop::collection::btree_map(key, prop::collection::vec(value, 0..3), 0..3),
        0..3,
    );
    let principal = prop::sample::select(vec![
        ARN,
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    /// What is advised works: with the changes made, the policy allows.
    #[test]
    fn the_changes_let_the_token_in(text in policies(), several in any::<bool>()) {
        let claims = if several { CLAIMS.replace(r#"["sts.amazonaws.com"],"azp":"sts.amazonaws.com""#, r#"["sts.amazonaws.com","b"]"#) } else { CLAIMS.into() };
        let identity = identity(&claims);
        let policy = TrustPolicy::parse(&text).unwrap();
        let provider = OidcProvider::new("aws", "123456789012", &identity.issuer).unwrap();
        let context = Context::of_token(&provider, identity.claims());
        let action = crate::iam::ASSUME_ROLE_WITH_WEB_IDENTITY;
        let changes = super::aws_change::smallest(&policy, &provider, &context, &[action]);
        let request = Request { provider: &provider, action, context: &context };
        let is_ours = |one: &crate::iam::Statement| {
            one.effect == crate::iam::Effect::Allow && format!("{:?}", one.principal).contains("app.example/idp")
        };
        prop_assert_eq!(changes.is_some(), policy.statements.iter().any(is_ours), "{}", text);
        if let Some(changes) = changes {
            prop_assert!(changes.policy.evaluate(&request).allowed(), "{} {:?}", text, changes.advice);
            prop_assert_eq!(changes.advice.is_empty(), policy.evaluate(&request).allowed());
        }
    }

    #[test]
    fn no_text_panics(text in ".{0,80}") {
        let _ = super::aws::check(&text, &identity(CLAIMS), Named::default());
        let _ = super::vault::check(&text, &identity(CLAIMS), Timestamp::UNIX_EPOCH);
    }
}

fn vault(role: &str, at: i64) -> Report {
    super::vault::check(role, &identity(CLAIMS), Timestamp::from_second(at).unwrap()).unwrap()
}

fn role(members: &str) -> String {
    format!(
        r#"{{"data":{{"role_type":"jwt","user_claim":"sub","bound_audiences":["sts.amazonaws.com"]{members}}}}}"#
    )
}

#[test]
fn a_role_of_vault() {
    let accepted = [
        "",
        r#","bound_subject":"https://github.com/acme/shop","bound_claims":null"#,
        r#","bound_subject":"","bound_claims":{},"claim_mappings":{"email":"mail","nothing":"n"}"#,
        r#","bound_claims":{"sub":["x","https://github.com/acme/shop"],"level":3,"admin":true,"teams":["b","c"],"/teams/1":"b"}"#,
        r#","bound_claims_type":"glob","bound_claims":{"sub":"https://github.com/acme/*","email":"*@example.com"}"#,
        r#","groups_claim":"teams""#,
        r#","groups_claim":"sub""#,
    ];
    for members in accepted {
        let report = vault(&role(members), 1500);
        assert_eq!((advice(&report), report.instead), ((Answer::Accepted, Vec::new()), None), "{members}");
    }
    let refused = [
        (
            r#","bound_subject":"https://github.com/acme/Shop""#,
            "bound_subject: make it \"https://github.com/acme/shop\"",
            "upper and lower case",
        ),
        (
            r#","bound_claims":{"sub":"https://github.com/acme/*"}"#,
            "bound_claims_type: make it \"glob\"",
            "because bound_claims_type is \"string\"",
        ),
        (r#","bound_claims":{"email":"x"}"#, "bound_claims.email: add \"ann@example.com\"", ""),
        (r#","bound_claims":{"level":"3"}"#, "bound_claims.level: add 3", "a number or a boolean"),
        (r#","bound_claims":{"email":"*"}"#, "bound_claims.email: add \"ann@example.com\"", ""),
        (r#","bound_claims":{"admin":"true"}"#, "bound_claims.admin: add true", "a number or a boolean"),
        (
            r#","bound_claims":{"repository":"x"}"#,
            "bound_claims.repository: take it out: bind `sub` instead",
            "no such claim",
        ),
        (
            r#","bound_claims_type":"glob","bound_claims":{"level":"3"}"#,
            "bound_claims.level: take it out: only text can match a glob",
            "a number or a boolean",
        ),
        (r#","user_claim":"name""#, "user_claim: make it \"sub\"", "no such claim"),
        (r#","user_claim":"level""#, "user_claim: make it \"sub\"", "not text"),
        (r#","groups_claim":"groups""#, "groups_claim: make it empty", "no such claim"),
        (
            r#","claim_mappings":{"level":"l"}"#,
            "claim_mappings.level: take it out",
            "only a claim that is text",
        ),
    ];
    for (members, change, why) in refused {
        let text = role(members).replacen(
            r#""user_claim":"sub","#,
            if members.contains("user_claim") { "" } else { r#""user_claim":"sub","# },
            1,
        );
        let report = vault(&text, 1500);
        assert_eq!(advice(&report), (Answer::Refused, vec![change.to_owned()]), "{members}");
        let line = report.sections[0].lines.iter().find(|line| line.outcome != Outcome::Matched).unwrap();
        assert!(line.reason.clone().unwrap_or_default().contains(why), "{members} {line:?}");
    }
}

#[test]
fn audiences_of_a_role() {
    let base = r#"{"user_claim":"sub","bound_audiences":AUD}"#;
    for (bound, instead) in [
        (r#"["vault","x"]"#, Some("vault")),
        (r#""vault,x""#, Some("vault")),
        ("[]", None),
        ("null", None),
        (r#"["https://sts.amazonaws.com"]"#, Some("https://sts.amazonaws.com")),
    ] {
        let report = vault(&base.replace("AUD", bound), 1500);
        assert_eq!(advice(&report).1, ["bound_audiences: add \"sts.amazonaws.com\""], "{bound}");
        let expected = instead.map(|audience| {
            format!("leave the audience there as it is and mint for it, with `--audience {audience}`")
        });
        assert_eq!(report.instead, expected, "{bound}");
    }
    assert_eq!(vault(&base.replace("AUD", r#""x, sts.amazonaws.com""#), 1500).answer, Answer::Accepted);
}

#[test]
fn types_times_and_addresses_of_a_role() {
    let oidc = r#"{"role_type":"oidc","user_claim":"sub","bound_audiences":["sts.amazonaws.com"]}"#;
    assert_eq!(vault(oidc, 1500).changes[0].path, "role_type");
    for (members, at, answer) in [
        ("", 2059, Answer::Accepted),
        ("", 2060, Answer::Refused),
        ("", 940, Answer::Accepted),
        ("", 939, Answer::Refused),
        (r#","clock_skew_leeway":0"#, 2059, Answer::Accepted),
        (r#","clock_skew_leeway":-1"#, 1999, Answer::Accepted),
        (r#","clock_skew_leeway":-1"#, 2000, Answer::Refused),
        (r#","clock_skew_leeway":600"#, 2500, Answer::Accepted),
        (r#","token_bound_cidrs":["10.0.0.0/8"]"#, 1500, Answer::Undecided),
        (r#","token_bound_cidrs":[]"#, 1500, Answer::Accepted),
    ] {
        assert_eq!(vault(&role(members), at).answer, answer, "{members} {at}");
    }
}

#[test]
fn what_is_no_role() {
    let refused = [
        (" ", "there is no role: the input is empty"),
        ("{", "the role is not valid JSON: EOF while parsing an object at line 1 column 1"),
        ("{}", "this is no role of the auth method `jwt`: it has neither `user_claim` nor `bound_audiences`"),
        (
            "[1]",
            "this is no role of the auth method `jwt`: it has neither `user_claim` nor `bound_audiences`",
        ),
        (r#"{"user_claim":"a","bound_audiences":[1]}"#, "`bound_audiences` must be a list of strings"),
        (r#"{"user_claim":"a","bound_claims":[1]}"#, "`bound_claims` must be an object of claims and values"),
        (
            r#"{"user_claim":"a","bound_claims_type":"regex"}"#,
            "`bound_claims_type` must be \"string\" or \"glob\"",
        ),
        (
            r#"{"user_claim":"a","bound_claims_type":"glob","bound_claims":{"x":1}}"#,
            "`bound_claims.x` must be strings only, because bound_claims_type is \"glob\"",
        ),
    ];
    for (text, expected) in refused {
        let error = super::vault::check(text, &identity(CLAIMS), Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn text_from_elsewhere_does_not_drive_a_terminal() {
    let report = check(&allow(r#"{"StringEquals":{"app.example/idp:sub":"\u001b[31mx\u202e"}}"#), CLAIMS);
    let text = report.text(Paint(false));
    assert!(text.contains("\\u{1b}[31mx\\u{202e}"), "{text}");
    assert!(!text.contains('\u{1b}'));
}
