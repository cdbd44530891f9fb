use proptest::prelude::*;

use super::*;
use crate::json::Json;
use crate::trust::check::Outcome;

const ISSUER: &str = "https://app.gitpod.io";
const CLAIMS: &str = r#"{
    "iss": "https://app.gitpod.io", "sub": "org:1/prj:2/Env:3", "aud": ["sts.amazonaws.com"],
    "azp": "sts.amazonaws.com", "email": "ann@example.org", "repository": "org/repo"
}"#;

fn provider(issuer: &str) -> OidcProvider {
    OidcProvider::new("aws", "123456789012", issuer).unwrap()
}

/// The verdict on these statements for a token with these claims.
fn judge(statements: &str, claims: &str) -> Verdict {
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#);
    judge_policy(&policy, ISSUER, claims)
}

fn judge_policy(policy: &str, issuer: &str, claims: &str) -> Verdict {
    let provider = provider(issuer);
    let claims = Json::parse(claims).unwrap();
    let now = "2026-01-31T12:00:00.75Z".parse().unwrap();
    let context = Context::of_token(&provider, &claims).of_call("ws-1700000000", now);
    let request = Request { provider: &provider, action: ASSUME_ROLE_WITH_WEB_IDENTITY, context: &context };
    TrustPolicy::parse(policy).unwrap().evaluate(&request)
}

/// An Allow statement with these conditions.
fn allow(conditions: &str) -> String {
    statement("Allow", conditions)
}

fn statement(effect: &str, conditions: &str) -> String {
    format!(
        r#"{{"Effect":"{effect}","Principal":{{"Federated":"arn:aws:iam::123456789012:oidc-provider/app.gitpod.io"}},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{conditions}}}"#
    )
}

/// Checks the result of the only condition of a policy.
#[track_caller]
fn holds(condition: &str, claims: &str, outcome: Outcome, reason: Reason) {
    let verdict = judge(&allow(condition), claims);
    let found = &verdict.statements[0].conditions[0];
    assert_eq!((found.outcome, found.reason), (outcome, reason), "{condition} {claims}");
    assert_eq!(verdict.allowed(), outcome == Outcome::Matched);
}

const YES: Outcome = Outcome::Matched;
const NO: Outcome = Outcome::NotMatched;
const COMPARED: Reason = Reason::Compared;
const NO_CLAIM: Reason = Reason::Absent(Absence::NoClaim);
const AZP: Reason = Reason::Absent(Absence::AuthorizedParty);

#[test]
fn a_typical_policy_allows_and_reports_its_comparisons() {
    let verdict = judge(
        &allow(
            r#"{"StringEquals":{"app.gitpod.io:aud":"sts.amazonaws.com"},"StringLike":{"app.gitpod.io:sub":["org:1/*","org:9/*"]}}"#,
        ),
        CLAIMS,
    );
    assert_eq!(verdict.decision(), Decision::Allowed(0));
    let report = serde_json::to_value(&verdict).unwrap();
    assert_eq!(
        report["statements"][0]["conditions"][1],
        serde_json::json!({
            "operator": "StringLike",
            "key": "app.gitpod.io:sub",
            "wanted": ["org:1/*", "org:9/*"],
            "found": ["org:1/prj:2/Env:3"],
            "outcome": "matched",
            "reason": "compared",
        })
    );
    assert_eq!(
        report["statements"][0]["principal"]["wanted"][0],
        "Federated arn:aws:iam::123456789012:oidc-provider/app.gitpod.io"
    );
}

#[test]
fn a_statement_without_conditions_allows() {
    let without = r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRoleWithWebIdentity"}"#;
    for statements in
        [allow("{}"), allow(r#"{"StringEquals":{}}"#), without.to_owned(), format!("[{without}]")]
    {
        assert!(judge(&statements, CLAIMS).allowed(), "{statements}");
    }
}

#[test]
fn one_of_several_values_must_match_and_none_for_a_negated_operator() {
    let cases = [
        (r#"{"StringEquals":{"app.gitpod.io:sub":["x","org:1/prj:2/Env:3"]}}"#, YES),
        (r#"{"StringEquals":{"app.gitpod.io:sub":["x","y"]}}"#, NO),
        (r#"{"StringEquals":{"app.gitpod.io:sub":[]}}"#, NO),
        (r#"{"StringNotEquals":{"app.gitpod.io:sub":["x","y"]}}"#, YES),
        (r#"{"StringNotEquals":{"app.gitpod.io:sub":["x","org:1/prj:2/Env:3"]}}"#, NO),
    ];
    for (condition, outcome) in cases {
        holds(condition, CLAIMS, outcome, COMPARED);
    }
}

#[test]
fn all_operators_and_all_keys_must_hold() {
    let good = r#""app.gitpod.io:aud":"sts.amazonaws.com""#;
    let bad = r#""app.gitpod.io:sub":"x""#;
    for (condition, allowed) in [
        (format!(r#"{{"StringEquals":{{{good},{bad}}}}}"#), false),
        (format!(r#"{{"StringEquals":{{{good}}},"StringLike":{{{bad}}}}}"#), false),
        (format!(r#"{{"StringEquals":{{{good}}},"StringNotLike":{{{bad}}}}}"#), true),
    ] {
        assert_eq!(judge(&allow(&condition), CLAIMS).allowed(), allowed, "{condition}");
    }
}

#[test]
fn wildcards_work_in_like_only() {
    let cases = [
        (r#"{"StringLike":{"app.gitpod.io:sub":"org:1/prj:?/*"}}"#, YES),
        (r#"{"StringLike":{"app.gitpod.io:sub":"org:1"}}"#, NO),
        (r#"{"StringEquals":{"app.gitpod.io:sub":"org:1/*"}}"#, NO),
        (r#"{"StringNotEquals":{"app.gitpod.io:sub":"org:1/*"}}"#, YES),
        (r#"{"StringNotLike":{"app.gitpod.io:sub":"org:1/*"}}"#, NO),
        (r#"{"StringLike":{"app.gitpod.io:sub":"org:1/${*}"}}"#, NO),
    ];
    for (condition, outcome) in cases {
        holds(condition, CLAIMS, outcome, COMPARED);
    }
}

#[test]
fn values_are_case_sensitive_unless_the_operator_ignores_case_and_keys_never_are() {
    let cases = [
        (r#"{"StringEquals":{"app.gitpod.io:sub":"org:1/prj:2/env:3"}}"#, NO),
        (r#"{"StringLike":{"app.gitpod.io:sub":"ORG:1/*"}}"#, NO),
        (r#"{"StringEqualsIgnoreCase":{"app.gitpod.io:sub":"ORG:1/prj:2/env:3"}}"#, YES),
        (r#"{"StringNotEqualsIgnoreCase":{"app.gitpod.io:sub":"ORG:1/prj:2/env:3"}}"#, NO),
        (r#"{"StringEqualsIgnoreCase":{"app.gitpod.io:sub":"ORG:1/*"}}"#, NO),
        (r#"{"StringEquals":{"App.Gitpod.IO:SUB":"org:1/prj:2/Env:3"}}"#, YES),
    ];
    for (condition, outcome) in cases {
        holds(condition, CLAIMS, outcome, COMPARED);
    }
}

#[test]
fn a_deny_overrides_every_allow() {
    let all = allow("{}");
    let deny = |condition: &str| statement("Deny", condition);
    let hits = deny(r#"{"StringLike":{"app.gitpod.io:sub":"org:1/*"}}"#);
    let misses = deny(r#"{"StringLike":{"app.gitpod.io:sub":"org:2/*"}}"#);
    assert_eq!(judge(&format!("[{all},{hits}]"), CLAIMS).decision(), Decision::Denied(1));
    assert_eq!(judge(&format!("[{hits},{all}]"), CLAIMS).decision(), Decision::Denied(0));
    assert_eq!(judge(&format!("[{misses},{all}]"), CLAIMS).decision(), Decision::Allowed(1));
    assert_eq!(judge(&misses, CLAIMS).decision(), Decision::NotAllowed);
}

#[test]
fn a_final_slash_makes_another_issuer() {
    let policy = format!(r#"{{"Statement":{}}}"#, allow(r#"{"StringLike":{"app.gitpod.io:sub":"*"}}"#));
    assert!(judge_policy(&policy, "https://app.gitpod.io", CLAIMS).allowed());
    let verdict = judge_policy(&policy, "https://app.gitpod.io/", CLAIMS);
    assert!(!verdict.statements[0].principal.matched);
    assert_eq!(verdict.statements[0].conditions[0].reason, Reason::Absent(Absence::OtherIssuer));
    let slashed = policy.replace("app.gitpod.io", "app.gitpod.io/");
    assert!(judge_policy(&slashed, "https://app.gitpod.io/", CLAIMS).allowed());
}

#[test]
fn a_path_and_a_port_belong_to_the_issuer() {
    let provider = provider("http://127.0.0.1:4000/idp");
    assert_eq!(provider.arn(), "arn:aws:iam::123456789012:oidc-provider/127.0.0.1:4000/idp");
    assert_eq!((provider.name(), &*provider.key("sub")), ("127.0.0.1:4000/idp", "127.0.0.1:4000/idp:sub"));
    let policy = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:*","Condition":{"StringEquals":{"127.0.0.1:4000/idp:sub":"s"}}}}"#;
    assert!(judge_policy(policy, "http://127.0.0.1:4000/idp", r#"{"sub":"s"}"#).allowed());
    for issuer in ["app.gitpod.io", "https://", "https:///x", "https://x?y", "https://x y", "ftp://x", ""] {
        assert!(OidcProvider::new("aws", "123456789012", issuer).is_err(), "{issuer}");
    }
}

#[test]
fn azp_replaces_aud() {
    let condition =
        |key: &str, value: &str| format!(r#"{{"StringEquals":{{"app.gitpod.io:{key}":"{value}"}}}}"#);
    let both = r#"{"aud":["a","b"],"azp":"c"}"#;
    let alone = r#"{"aud":["a"]}"#;
    let cases = [
        (condition("aud", "c"), both, YES, COMPARED),
        (condition("aud", "a"), both, NO, COMPARED),
        // IAM has no key `azp`, because it fills `aud` from this claim.
        (condition("azp", "c"), both, NO, AZP),
        (r#"{"StringNotEquals":{"app.gitpod.io:azp":"c"}}"#.to_owned(), both, YES, AZP),
        (r#"{"StringEqualsIfExists":{"app.gitpod.io:AZP":"x"}}"#.to_owned(), both, YES, AZP),
        (r#"{"Null":{"app.gitpod.io:azp":"true"}}"#.to_owned(), both, YES, AZP),
        (condition("oaud", "a"), both, NO, Reason::SeveralValues),
        (condition("aud", "a"), alone, YES, COMPARED),
        (condition("oaud", "a"), alone, YES, COMPARED),
        (condition("azp", "a"), alone, NO, AZP),
        (r#"{"ForAnyValue:StringEquals":{"app.gitpod.io:oaud":"b"}}"#.to_owned(), both, YES, COMPARED),
        (r#"{"ForAllValues:StringEquals":{"app.gitpod.io:oaud":"b"}}"#.to_owned(), both, NO, COMPARED),
        (condition("aud", "a"), r#"{"aud":["a","b"]}"#, NO, Reason::SeveralValues),
        (condition("aud", "a"), r#"{"aud":[]}"#, NO, NO_CLAIM),
        (condition("aud", "a"), r#"{"aud":null}"#, NO, NO_CLAIM),
    ];
    for (condition, claims, outcome, reason) in cases {
        holds(&condition, claims, outcome, reason);
    }
}

#[test]
fn the_operator_decides_whether_a_missing_key_matches() {
    let on = |operator: &str| format!(r#"{{"{operator}":{{"app.gitpod.io:email":"x"}}}}"#);
    let cases = [
        ("StringEquals", NO),
        ("StringLike", NO),
        ("StringEqualsIgnoreCase", NO),
        ("Bool", NO),
        ("NumericEquals", NO),
        ("StringNotEquals", YES),
        ("StringNotLike", YES),
        ("StringNotEqualsIgnoreCase", YES),
        ("NotIpAddress", YES),
        ("StringEqualsIfExists", YES),
        ("StringLikeIfExists", YES),
        ("StringNotEqualsIfExists", YES),
        ("BoolIfExists", YES),
        ("ArnLikeIfExists", YES),
        ("ForAllValues:StringEquals", YES),
        ("ForAllValues:StringNotEquals", YES),
        ("ForAllValues:StringEqualsIfExists", YES),
        ("ForAnyValue:StringEquals", NO),
        ("ForAnyValue:StringNotEquals", NO),
        ("ForAnyValue:StringEqualsIfExists", NO),
    ];
    for (operator, outcome) in cases {
        holds(&on(operator), "{}", outcome, NO_CLAIM);
    }
}

#[test]
fn if_exists_changes_nothing_for_a_present_key() {
    holds(r#"{"StringEqualsIfExists":{"app.gitpod.io:sub":"x"}}"#, CLAIMS, NO, COMPARED);
    holds(r#"{"StringLikeIfExists":{"app.gitpod.io:sub":"org:1/*"}}"#, CLAIMS, YES, COMPARED);
    holds(r#"{"StringNotLikeIfExists":{"app.gitpod.io:sub":"org:1/*"}}"#, CLAIMS, NO, COMPARED);
}

#[test]
fn null_checks_whether_the_key_is_present() {
    let cases = [
        (r#"{"Null":{"app.gitpod.io:sub":"false"}}"#, YES, Reason::Present),
        (r#"{"Null":{"app.gitpod.io:sub":true}}"#, NO, Reason::Present),
        (r#"{"Null":{"app.gitpod.io:amr":"True"}}"#, YES, NO_CLAIM),
        (r#"{"Null":{"app.gitpod.io:amr":"false"}}"#, NO, NO_CLAIM),
        (r#"{"Null":{"aws:PrincipalArn":"true"}}"#, YES, Reason::Absent(Absence::NotOfThisCall)),
    ];
    for (condition, outcome, reason) in cases {
        holds(condition, CLAIMS, outcome, reason);
    }
}

#[test]
fn quantifiers_compare_each_value_and_ignore_empty_strings() {
    let amr = |operator: &str| format!(r#"{{"{operator}":{{"app.gitpod.io:amr":["pwd","otp"]}}}}"#);
    let cases = [
        ("ForAnyValue:StringEquals", r#"["pwd","x"]"#, YES),
        ("ForAnyValue:StringEquals", r#"["x"]"#, NO),
        ("ForAnyValue:StringNotEquals", r#"["pwd","x"]"#, YES),
        ("ForAnyValue:StringNotEquals", r#"["pwd","otp"]"#, NO),
        ("ForAllValues:StringEquals", r#"["pwd","otp"]"#, YES),
        ("ForAllValues:StringEquals", r#"["pwd","x"]"#, NO),
        ("ForAllValues:StringNotEquals", r#"["x","y"]"#, YES),
        ("ForAllValues:StringNotEquals", r#"["pwd","y"]"#, NO),
        ("ForAllValues:StringEquals", r#""""#, YES),
        ("ForAnyValue:StringNotEquals", r#""""#, NO),
        ("ForAnyValue:StringLike", r#""otp""#, YES),
    ];
    for (operator, values, outcome) in cases {
        holds(&amr(operator), &format!(r#"{{"amr":{values}}}"#), outcome, COMPARED);
    }
}

#[test]
fn the_reason_for_a_missing_key_is_reported() {
    let cases = [
        ("app.gitpod.io:amr", NO, Absence::NoClaim),
        ("aws:RequestTag/team", NO, Absence::NoClaim),
        ("app.gitpod.io:repository", NO, Absence::NotPassedOn),
        ("app.gitpod.io/:sub", NO, Absence::OtherIssuer),
        ("token.actions.githubusercontent.com:sub", NO, Absence::OtherIssuer),
        ("localhost:4000:sub", NO, Absence::OtherIssuer),
        ("aws:username", NO, Absence::NotOfThisCall),
        ("aws:PrincipalTag/a:b", NO, Absence::NotOfThisCall),
        ("sub", NO, Absence::NotOfThisCall),
        ("aws:SourceIp", Outcome::Undecided, Absence::NotKnownHere),
        ("aws:ResourceTag/team", Outcome::Undecided, Absence::NotKnownHere),
    ];
    for (key, outcome, absence) in cases {
        let condition = format!(r#"{{"StringEquals":{{"{key}":"x"}}}}"#);
        holds(&condition, CLAIMS, outcome, Reason::Absent(absence));
        assert!(!absence.to_string().is_empty());
    }
    let github =
        Context::of_token(&provider("https://token.actions.githubusercontent.com"), &Json::Object(vec![]));
    assert_eq!(github.absence("token.actions.githubusercontent.com:sub"), Absence::NoClaim);
    assert_eq!(github.absence("token.actions.githubusercontent.com:repository_id"), Absence::NotKnownHere);
}

#[test]
fn unknown_values_are_undecided_and_not_allowed() {
    let unknown = r#"{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}"#;
    let other = r#"{"NumericEquals":{"app.gitpod.io:sub":"1"}}"#;
    let (all, miss) = (allow("{}"), r#"{"StringEquals":{"app.gitpod.io:sub":"x"}}"#);
    let cases = [
        (allow(unknown), Decision::Undecided(0)),
        (allow(other), Decision::Undecided(0)),
        (format!("[{},{all}]", allow(unknown)), Decision::Allowed(1)),
        (format!("[{all},{}]", statement("Deny", unknown)), Decision::Undecided(1)),
        (format!("[{},{}]", allow(miss), statement("Deny", unknown)), Decision::NotAllowed),
        (allow(&format!("{},{}", &unknown[..unknown.len() - 1], &miss[1..])), Decision::NotAllowed),
    ];
    for (statements, decision) in cases {
        let verdict = judge(&statements, CLAIMS);
        assert_eq!(verdict.decision(), decision, "{statements}");
        assert_eq!(verdict.allowed(), matches!(decision, Decision::Allowed(_)));
    }
}

/// The keys of the call itself: its time, TLS, and the session name.
#[test]
fn the_time_and_the_connection_of_the_call_are_keys() {
    let cases = [
        (r#"{"DateLessThan":{"aws:CurrentTime":"2026-01-31T12:00:01Z"}}"#, YES),
        (r#"{"DateLessThan":{"aws:CurrentTime":"2026-01-31T12:00:00Z"}}"#, NO),
        (r#"{"DateLessThanEquals":{"aws:CurrentTime":"2026-01-31T12:00:00Z"}}"#, YES),
        (r#"{"DateLessThan":{"aws:CurrentTime":"2026-02"}}"#, YES),
        (r#"{"DateGreaterThan":{"aws:currenttime":"2026-01-31"}}"#, YES),
        (r#"{"DateGreaterThan":{"aws:CurrentTime":"2026-01-31T13:30:00+01:00"}}"#, NO),
        (r#"{"DateGreaterThanEquals":{"aws:CurrentTime":"1769860800"}}"#, YES),
        (r#"{"DateGreaterThan":{"aws:CurrentTime":1769860800}}"#, NO),
        (r#"{"DateGreaterThan":{"aws:EpochTime":"2025-01-01T00:00:00Z"}}"#, YES),
        (r#"{"DateEquals":{"aws:CurrentTime":["2026-01-31T12:00:00Z","2030-01-01"]}}"#, YES),
        (r#"{"DateNotEquals":{"aws:CurrentTime":["2026-01-31T12:00:00Z","2030-01-01"]}}"#, NO),
        (r#"{"DateNotEquals":{"aws:CurrentTime":"2030-01-01"}}"#, YES),
        (r#"{"DateGreaterThanIfExists":{"aws:CurrentTime":"2027-01-01"}}"#, NO),
        (r#"{"StringLike":{"aws:CurrentTime":"2026-01-*"}}"#, YES),
        (r#"{"Bool":{"aws:SecureTransport":"true"}}"#, YES),
        (r#"{"Bool":{"aws:SecureTransport":false}}"#, NO),
        (r#"{"BoolIfExists":{"aws:SecureTransport":"false"}}"#, NO),
        (r#"{"StringEquals":{"sts:RoleSessionName":"deploy"}}"#, NO),
        (r#"{"StringLike":{"sts:RoleSessionName":["deploy","ws-*"]}}"#, YES),
    ];
    for (condition, outcome) in cases {
        holds(condition, CLAIMS, outcome, COMPARED);
        // A Deny statement has the same result.
        let both = format!("[{},{}]", allow("{}"), statement("Deny", condition));
        let denied = judge(&both, CLAIMS).decision();
        assert_eq!(denied == Decision::Denied(1), outcome == YES, "{condition} {denied:?}");
    }
    // Values that are not times, and operators that are not evaluated, are undecided.
    for condition in [
        r#"{"DateLessThan":{"aws:CurrentTime":"tomorrow"}}"#,
        r#"{"DateLessThan":{"aws:CurrentTime":["2030-01-01","2026"]}}"#,
        r#"{"DateLessThan":{"app.gitpod.io:sub":"2030-01-01"}}"#,
        r#"{"NumericLessThan":{"aws:EpochTime":"1769860801"}}"#,
    ] {
        holds(condition, CLAIMS, Outcome::Undecided, Reason::NotEvaluated);
    }
    let old = r#"{"DateLessThan":{"aws:TokenIssueTime":"2030-01-01"}}"#;
    holds(old, CLAIMS, NO, Reason::Absent(Absence::NotOfThisCall));
}

#[test]
fn the_session_name_and_the_tags_are_keys() {
    let tags = r#"{"https://aws.amazon.com/tags":{"principal_tags":{"Team":["red"],"env":["dev"]},"transitive_tag_keys":["Team"]},"https://aws.amazon.com/source_identity":"ann"}"#;
    holds(r#"{"StringLike":{"sts:rolesessionname":"ws-*"}}"#, CLAIMS, YES, COMPARED);
    holds(r#"{"StringEquals":{"aws:RequestTag/team":"red"}}"#, tags, YES, COMPARED);
    holds(r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["Team","env"]}}"#, tags, YES, COMPARED);
    holds(r#"{"ForAnyValue:StringEquals":{"sts:TransitiveTagKeys":"env"}}"#, tags, NO, COMPARED);
    holds(r#"{"StringEquals":{"sts:SourceIdentity":"ann"}}"#, tags, YES, COMPARED);
    holds(r#"{"StringEquals":{"sts:RoleSessionName":"${aws:requesttag/team}-1"}}"#, tags, NO, COMPARED);
}

#[test]
fn a_variable_without_a_value_equals_nothing() {
    let on = |operator: &str, value: &str| format!(r#"{{"{operator}":{{"app.gitpod.io:sub":"{value}"}}}}"#);
    let claims = r#"{"sub":"ann@example.org","email":"ann@example.org"}"#;
    holds(&on("StringEquals", "${app.gitpod.io:email}"), claims, YES, COMPARED);
    holds(&on("StringEquals", "${aws:username}"), claims, NO, COMPARED);
    holds(&on("StringNotEquals", "${aws:username}"), claims, YES, COMPARED);
    // Version 2008-10-17 has no variables. It is the default of a policy without `Version`.
    let policy = format!(r#"{{"Statement":{}}}"#, allow(&on("StringEquals", "${app.gitpod.io:email}")));
    assert!(!judge_policy(&policy, ISSUER, claims).allowed());
    assert!(judge_policy(&policy, ISSUER, r#"{"sub":"${app.gitpod.io:email}"}"#).allowed());
}

#[test]
fn principals() {
    let arn = "arn:aws:iam::123456789012:oidc-provider/app.gitpod.io";
    let cases = [
        (r#""*""#.to_owned(), true),
        (r#"{"AWS":"*"}"#.to_owned(), true),
        (format!(r#"{{"Federated":"{arn}"}}"#), true),
        (format!(r#"{{"Federated":["accounts.google.com","{arn}"],"Service":"ec2.amazonaws.com"}}"#), true),
        (r#"{"Federated":[]}"#.to_owned(), false),
        (r#"{"Federated":"*"}"#.to_owned(), false),
        (r#"{"Federated":"arn:aws:iam::123456789012:oidc-provider/*"}"#.to_owned(), false),
        (format!(r#"{{"AWS":"{arn}"}}"#), false),
        (r#"{"AWS":"123456789012"}"#.to_owned(), false),
        (format!(r#"{{"Federated":"{}"}}"#, arn.replace("123456789012", "210987654321")), false),
        (format!(r#"{{"Federated":"{}"}}"#, arn.replace("aws:", "aws-cn:")), false),
        (format!(r#"{{"Federated":"{}"}}"#, arn.replace("app", "App")), false),
    ];
    for (principal, allowed) in cases {
        let statement = format!(
            r#"{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRoleWithWebIdentity"}}"#
        );
        assert_eq!(judge(&statement, CLAIMS).allowed(), allowed, "{principal}");
    }
}

#[test]
fn actions_are_case_insensitive_and_have_wildcards() {
    let cases = [
        (r#""Action":"sts:AssumeRoleWithWebIdentity""#, true),
        (r#""Action":"STS:assumerolewithwebidentity""#, true),
        (r#""Action":["sts:TagSession","sts:AssumeRole*"]"#, true),
        (r#""Action":"sts:AssumeRoleWith???Identity""#, true),
        (r#""Action":"*""#, true),
        (r#""Action":"sts:AssumeRole""#, false),
        (r#""Action":"AssumeRoleWithWebIdentity""#, false),
        (r#""Action":[]"#, false),
        (r#""NotAction":"sts:AssumeRole""#, true),
        (r#""NotAction":["sts:AssumeRole","sts:*"]"#, false),
    ];
    for (action, allowed) in cases {
        let verdict = judge(&format!(r#"{{"Effect":"Allow","Principal":"*",{action}}}"#), CLAIMS);
        assert_eq!(verdict.allowed(), allowed, "{action}");
        assert_eq!(verdict.statements[0].action.all_but, action.starts_with("\"Not"));
    }
}

#[test]
fn another_action_can_be_evaluated() {
    let provider = provider(ISSUER);
    let context = Context::of_token(&provider, &Json::parse(CLAIMS).unwrap());
    let policy = format!(r#"{{"Statement":{}}}"#, allow("{}"));
    let request = Request { provider: &provider, action: TAG_SESSION, context: &context };
    assert!(!TrustPolicy::parse(&policy).unwrap().evaluate(&request).allowed());
    let both = policy.replace(
        "\"sts:AssumeRoleWithWebIdentity\"",
        r#"["sts:AssumeRoleWithWebIdentity","sts:TagSession"]"#,
    );
    assert!(TrustPolicy::parse(&both).unwrap().evaluate(&request).allowed());
}

#[test]
fn a_policy_is_found_in_every_format() {
    let bare = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, allow("{}"));
    let encode = |upper: bool| -> String {
        let escape = |b: u8| if upper { format!("%{b:02X}") } else { format!("%{b:02x}") };
        bare.bytes()
            .map(|b| if b.is_ascii_alphanumeric() { char::from(b).into() } else { escape(b) })
            .collect()
    };
    let policy = TrustPolicy::parse(&bare).unwrap();
    let forms = [
        format!("\u{feff}\n{bare}\n"),
        crate::json::quote(&bare),
        encode(true),
        encode(false),
        format!(r#"{{"Role":{{"Path":"/","AssumeRolePolicyDocument":{bare}}}}}"#),
        format!(r#"{{"AssumeRolePolicyDocument":{bare}}}"#),
        format!(r#"{{"Role":{{"AssumeRolePolicyDocument":"{}"}}}}"#, encode(true)),
        format!(r#"{{"Role":{{"AssumeRolePolicyDocument":{}}}}}"#, crate::json::quote(&bare)),
    ];
    // As `--output yaml` of the AWS CLI prints it.
    let yaml = r#"Role:
  Arn: arn:aws:iam::123456789012:role/dev
  AssumeRolePolicyDocument:
    Statement:
    - Action: sts:AssumeRoleWithWebIdentity
      Condition: {}
      Effect: Allow
      Principal:
        Federated: arn:aws:iam::123456789012:oidc-provider/app.gitpod.io
    Version: '2012-10-17'
  RoleName: dev
"#;
    let bare_yaml = "Version: 2012-10-17 # as people write it\nStatement: {Effect: Allow, Principal: {Federated: \"arn:aws:iam::123456789012:oidc-provider/app.gitpod.io\"}, Action: sts:AssumeRoleWithWebIdentity, Condition: {}}\n";
    let within = format!("AssumeRolePolicyDocument: '{bare}'\n");
    let forms = forms.into_iter().chain([yaml.to_owned(), bare_yaml.to_owned(), within]);
    for text in forms {
        assert_eq!(TrustPolicy::parse(&text).as_ref(), Ok(&policy), "{text}");
    }
}

#[test]
fn malformed_policies_are_refused_with_the_path() {
    let in_statement = |members: &str| format!(r#"{{"Statement":[{},{{{members}}}]}}"#, allow("{}"));
    let with = |condition: &str| format!(r#"{{"Statement":{}}}"#, allow(condition));
    let cases = [
        (" ".to_owned(), "there is no trust policy: the input is empty"),
        (
            "{\n\"Statement\":[}".to_owned(),
            "cannot parse the trust policy: expected value at line 2 column 14",
        ),
        (
            r#"{"Statement":[],"Statement":[]}"#.to_owned(),
            "cannot parse the trust policy: the member `Statement` appears twice, and parsers disagree on which one is used",
        ),
        ("%7B%7".to_owned(), "the URL-encoded trust policy has a lone `%` at byte 4"),
        (
            "Statement:\n- Effect: [".to_owned(),
            "the trust policy is neither valid JSON nor valid YAML: while parsing a node, did not find expected node content at line 3 column 1",
        ),
        (
            "Statement: !Ref x".to_owned(),
            "the trust policy is neither valid JSON nor valid YAML: the tag at line 1 is not supported",
        ),
        // The output of the AWS CLI with `--output text`.
        (
            "ROLE\tarn:aws:iam::123456789012:role/dev\t2026-01-31T12:00:00Z".to_owned(),
            "the input contains no trust policy: it has neither `Statement` nor `AssumeRolePolicyDocument`",
        ),
        ("%ff".to_owned(), "the URL-encoded trust policy is not UTF-8 text"),
        (
            r#"{"Roles":[]}"#.to_owned(),
            "the input contains no trust policy: it has neither `Statement` nor `AssumeRolePolicyDocument`",
        ),
        (
            r#"{"Role":{"Path":"/"}}"#.to_owned(),
            "the input contains no trust policy: it has neither `Statement` nor `AssumeRolePolicyDocument`",
        ),
        (
            r#"{"Version":"2012-10-18","Statement":[]}"#.to_owned(),
            "`Version` must be `2012-10-17`, or `2008-10-17`",
        ),
        (r#"{"Statement":[]}"#.to_owned(), "`Statement` must be an object, or an array with at least one"),
        (r#"{"Statement":["x"]}"#.to_owned(), "`Statement[0]` must be an object"),
        (in_statement(r#""Principal":"*","Action":"*""#), "`Statement[1]` has no `Effect`"),
        (
            in_statement(r#""Effect":"allow","Principal":"*","Action":"*""#),
            "`Statement[1].Effect` must be `Allow` or `Deny`, spelled exactly like this",
        ),
        (in_statement(r#""Effect":"Allow","Action":"*""#), "`Statement[1]` has no `Principal`"),
        (in_statement(r#""Effect":"Allow","Principal":"*""#), "`Statement[1]` has no `Action`"),
        (
            in_statement(r#""Effect":"Allow","Principal":"*","Action":"*","NotAction":"*""#),
            "`Statement[1]` has both `Action` and `NotAction`",
        ),
        (
            in_statement(r#""Effect":"Allow","Principal":"*","Action":{}"#),
            "`Statement[1].Action` must be a string, or an array of strings",
        ),
        (
            in_statement(r#""Effect":"Allow","NotPrincipal":"*","Action":"*""#),
            "`Statement[1]` has `NotPrincipal`, which IAM does not allow in a trust policy and which is not evaluated here; name the principals in `Principal`",
        ),
        (
            in_statement(r#""Effect":"Allow","Principal":"*","Action":"*","Conditions":{}"#),
            "`Statement[1]` cannot have `Conditions`; a trust policy's statements have Sid, Effect, Principal, Action or NotAction, and Condition, spelled exactly like this",
        ),
        (
            in_statement(r#""Effect":"Allow","Principal":"*","Action":"*","Resource":"*""#),
            "`Statement[1]` cannot have `Resource`; a trust policy's statements have Sid, Effect, Principal, Action or NotAction, and Condition, spelled exactly like this",
        ),
        (
            in_statement(r#""Effect":"Allow","Principal":"arn:x","Action":"*""#),
            "`Statement[1].Principal` must be `\"*\"`, or an object like `{\"Federated\": \"arn:…\"}`",
        ),
        (
            in_statement(r#""Effect":"Allow","Principal":{"federated":"x"},"Action":"*""#),
            "`Statement[1].Principal.federated` must be one of AWS, CanonicalUser, Federated and Service, spelled exactly like this",
        ),
        (
            in_statement(r#""Effect":"Allow","Principal":{"Federated":{}},"Action":"*""#),
            "`Statement[1].Principal.Federated` must be a string, or an array of strings",
        ),
        (
            with("[]"),
            "`Statement[0].Condition` must be an object of operators, like `{\"StringEquals\": {…}}`",
        ),
        (
            with(r#"{"StringEquals":"x"}"#),
            "`Statement[0].Condition.StringEquals` must be an object of keys and values",
        ),
        (
            with(r#"{"StringEquals":{"a:b":null}}"#),
            "`Statement[0].Condition.StringEquals.a:b` must be a string, or an array of strings",
        ),
        (
            with(r#"{"StringEqual":{"a:b":"x"}}"#),
            "`Statement[0].Condition.StringEqual`: there is no condition operator `StringEqual`; those for the claims of a token are StringEquals, StringLike, StringEqualsIgnoreCase, StringNotEquals, StringNotLike, StringNotEqualsIgnoreCase and Null",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(TrustPolicy::parse(&text).unwrap_err().to_string(), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "[%{}\\[\\]\":,a-zA-Z0-9 é]{0,60}") {
        let _ = TrustPolicy::parse(&text);
    }

    #[test]
    fn no_key_operator_or_value_panics(
        operator in "(ForAnyValue:|ForAllValues:)?(String(Not)?(Equals|Like|EqualsIgnoreCase)|Bool|IpAddress)(IfExists)?",
        key in "(app\\.gitpod\\.io:)?[a-zé:./]{0,12}",
        value in ".{0,20}",
        subject in ".{0,20}",
    ) {
        let condition = format!("{{\"{operator}\":{{{}:{}}}}}", crate::json::quote(&key), crate::json::quote(&value));
        let claims = format!("{{\"sub\":{}}}", crate::json::quote(&subject));
        let verdict = judge(&allow(&condition), &claims);
        prop_assert_eq!(verdict.statements[0].conditions.len(), 1);
    }

    #[test]
    fn a_negated_operator_is_the_opposite_for_a_key_with_one_value(
        base in "Equals|Like|EqualsIgnoreCase",
        value in "[aA*?$]{0,4}",
        subject in "[aA*]{1,4}",
    ) {
        let outcome = |operator: String| {
            let condition = format!(r#"{{"{operator}":{{"app.gitpod.io:sub":"{value}"}}}}"#);
            judge(&allow(&condition), &format!(r#"{{"sub":"{subject}"}}"#)).allowed()
        };
        prop_assert_ne!(outcome(format!("String{base}")), outcome(format!("StringNot{base}")));
    }
}
