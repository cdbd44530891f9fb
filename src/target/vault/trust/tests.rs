use jiff::Timestamp;
use proptest::prelude::*;

use super::check;
use super::set_up::{SetUp, Settings, USER};
use crate::json::Json;
use crate::trust::check::{CheckResult, Outcome, Report};
use crate::trust::tests::{identity, two_workspaces, whom};
use crate::trust::{Identity, Whom};

const CLAIMS: &str = r#"{"iss":"https://app.example/idp","sub":"https://github.com/acme/shop","aud":["sts.amazonaws.com"],"azp":"sts.amazonaws.com","email":"ann@example.com","level":3,"admin":true,"teams":["a","b"],"exp":2000,"iat":1000}"#;

fn identity_of(claims: &str) -> Identity {
    Identity::of(Json::parse(claims).unwrap()).unwrap()
}

/// The answer, and the changes as lines.
fn advice(report: &Report) -> (CheckResult, Vec<String>) {
    (report.answer, report.changes.iter().map(|one| format!("{}: {}", one.path, one.change)).collect())
}

fn vault(role: &str, at: i64) -> Report {
    check::check(role, &identity_of(CLAIMS), Timestamp::from_second(at).unwrap()).unwrap()
}

fn role(members: &str) -> String {
    format!(
        r#"{{"data":{{"role_type":"jwt","user_claim":"sub","bound_audiences":["sts.amazonaws.com"]{members}}}}}"#
    )
}

#[test]
fn a_role_without_bounds_is_pointed_out() {
    assert!(vault(&role(""), 1500).warning.is_some());
    assert!(vault(&role(r#","bound_subject":"","bound_claims":null"#), 1500).warning.is_some());
    assert!(vault(&role(r#","bound_subject":"x""#), 1500).warning.is_none());
    assert!(vault(&role(r#","bound_claims":{"email":"x"}"#), 1500).warning.is_none());
}

#[test]
fn roles_are_accepted_or_refused_with_a_change() {
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
        assert_eq!(
            (advice(&report), report.alternative),
            ((CheckResult::Accepted, Vec::new()), None),
            "{members}"
        );
    }
    let refused = [
        (
            r#","bound_subject":"https://github.com/acme/Shop""#,
            "bound_subject: set it to \"https://github.com/acme/shop\"",
            "upper and lower case",
        ),
        (
            r#","bound_claims":{"sub":"https://github.com/acme/*"}"#,
            "bound_claims_type: set it to \"glob\"",
            "because bound_claims_type is \"string\"",
        ),
        (r#","bound_claims":{"email":"x"}"#, "bound_claims.email: add \"ann@example.com\"", ""),
        (r#","bound_claims":{"level":"3"}"#, "bound_claims.level: add 3", "a number or a boolean"),
        (r#","bound_claims":{"email":"*"}"#, "bound_claims.email: add \"ann@example.com\"", ""),
        (r#","bound_claims":{"admin":"true"}"#, "bound_claims.admin: add true", "a number or a boolean"),
        (
            r#","bound_claims":{"repository":"x"}"#,
            "bound_claims.repository: remove it, and bind `sub` instead",
            "no such claim",
        ),
        (
            r#","bound_claims_type":"glob","bound_claims":{"level":"3"}"#,
            "bound_claims.level: remove it, because only text can match a glob",
            "a number or a boolean",
        ),
        (r#","user_claim":"name""#, "user_claim: set it to \"sub\"", "no such claim"),
        (r#","user_claim":"level""#, "user_claim: set it to \"sub\"", "not a string"),
        (r#","groups_claim":"groups""#, "groups_claim: remove it", "no such claim"),
        (r#","claim_mappings":{"level":"l"}"#, "claim_mappings.level: remove it", "only a string claim"),
    ];
    for (members, change, why) in refused {
        let text = role(members).replacen(
            r#""user_claim":"sub","#,
            if members.contains("user_claim") { "" } else { r#""user_claim":"sub","# },
            1,
        );
        let report = vault(&text, 1500);
        assert_eq!(advice(&report), (CheckResult::Refused, vec![change.to_owned()]), "{members}");
        let line = report.sections[0].lines.iter().find(|line| line.outcome != Outcome::Matched).unwrap();
        assert!(line.reason.clone().unwrap_or_default().contains(why), "{members} {line:?}");
    }
}

/// Globs are case-sensitive, and `*` is their only wildcard.
#[test]
fn globs_are_case_sensitive_and_have_no_question_mark() {
    let glob = r#","bound_claims_type":"glob","bound_claims":{"sub":"BOUND"}"#;
    let text = r#","bound_claims":{"sub":"BOUND"}"#;
    let add = "bound_claims.sub: add \"https://github.com/acme/shop\"";
    for (members, bound, change, why) in [
        (
            glob,
            "https://github.com/Acme/*",
            add,
            Some("they differ only in upper and lower case, and the comparison is case-sensitive"),
        ),
        (
            glob,
            "*/ACME/shop",
            add,
            Some("they differ only in upper and lower case, and the comparison is case-sensitive"),
        ),
        (
            glob,
            "https://github.com/acme/sho?",
            add,
            Some(
                "`https://github.com/acme/sho?` would match if `?` were a wildcard, but here only `*` is one",
            ),
        ),
        (
            glob,
            "https://github.com/????/*",
            add,
            Some("`https://github.com/????/*` would match if `?` were a wildcard, but here only `*` is one"),
        ),
        (
            glob,
            "https://github.com/acme/shop/*",
            add,
            Some(
                "`https://github.com/acme/shop/*` matches what is below https://github.com/acme/shop, but not https://github.com/acme/shop itself",
            ),
        ),
        (
            glob,
            "acme/shop",
            add,
            Some("`acme/shop` has no `*`: without one, the whole value is compared, not a part of it"),
        ),
        (text, "https://github.com/acme/sho?", add, None),
        (
            text,
            "https://github.com/Acme/*",
            add,
            Some(
                "`https://github.com/Acme/*` would match as a pattern, but here it is compared literally, and the comparison is case-sensitive",
            ),
        ),
    ] {
        let report = vault(&role(&members.replace("BOUND", bound)), 1500);
        assert_eq!(advice(&report), (CheckResult::Refused, vec![change.to_owned()]), "{bound}");
        let line = report.sections[0].lines.iter().find(|line| line.outcome != Outcome::Matched).unwrap();
        assert_eq!(line.reason.as_deref(), why, "{bound}");
    }
    // A character that is no wildcard matches itself.
    let claims = CLAIMS.replace("acme/shop", "acme/sho?");
    let role = role(&glob.replace("BOUND", "https://github.com/*/sho?"));
    let report = check::check(&role, &identity_of(&claims), Timestamp::from_second(1500).unwrap()).unwrap();
    assert_eq!(report.answer, CheckResult::Accepted);
}

#[test]
fn a_role_without_a_type_is_one_for_browsers() {
    let role = r#"{"user_claim":"sub","bound_audiences":["sts.amazonaws.com"]MORE}"#;
    for (more, why) in [
        ("", Some("the role has no type, so a server treats it as \"oidc\"")),
        (r#","role_type":"""#, Some("the role has no type, so a server treats it as \"oidc\"")),
        (r#","role_type":null"#, Some("the role has no type, so a server treats it as \"oidc\"")),
        (r#","role_type":"oidc""#, None),
    ] {
        let report = vault(&role.replace("MORE", more), 1500);
        let expected = "role_type: set it to \"jwt\", because roles of type \"oidc\" are for browsers";
        assert_eq!(advice(&report), (CheckResult::Refused, vec![expected.to_owned()]), "{more}");
        assert_eq!(report.sections[0].lines[0].reason.as_deref(), why, "{more}");
    }
}

#[test]
fn audiences_of_a_role() {
    let base = r#"{"role_type":"jwt","user_claim":"sub","bound_audiences":AUD}"#;
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
            format!("keep the audience there, and mint the token for it with `--audience {audience}`")
        });
        assert_eq!(report.alternative, expected, "{bound}");
    }
    assert_eq!(vault(&base.replace("AUD", r#""x, sts.amazonaws.com""#), 1500).answer, CheckResult::Accepted);
}

#[test]
fn types_times_and_addresses_of_a_role() {
    let oidc = r#"{"role_type":"oidc","user_claim":"sub","bound_audiences":["sts.amazonaws.com"]}"#;
    assert_eq!(vault(oidc, 1500).changes[0].path, "role_type");
    for (members, at, answer) in [
        ("", 2060, CheckResult::Accepted),
        ("", 2061, CheckResult::Refused),
        ("", 940, CheckResult::Accepted),
        ("", 939, CheckResult::Refused),
        (r#","clock_skew_leeway":0"#, 2060, CheckResult::Accepted),
        (r#","clock_skew_leeway":-1"#, 2000, CheckResult::Accepted),
        (r#","clock_skew_leeway":-1"#, 2001, CheckResult::Refused),
        (r#","clock_skew_leeway":600"#, 2500, CheckResult::Accepted),
        (r#","token_bound_cidrs":["10.0.0.0/8"]"#, 1500, CheckResult::Undecided),
        (r#","token_bound_cidrs":[]"#, 1500, CheckResult::Accepted),
    ] {
        assert_eq!(vault(&role(members), at).answer, answer, "{members} {at}");
    }
}

proptest! {
    /// Vault's role accepts the same tokens as the rule, unless Vault's globs cannot express the
    /// rule.
    #[test]
    fn vault_admits_whom_the_rule_admits((mine, theirs) in two_workspaces(), whom in whom()) {
        let rule = mine.rule(whom, USER).unwrap();
        let settings = Settings {
            cli: "vault", mount: "jwt".into(), role: "r".into(), policies: Vec::new(), ttl: 60,
        };
        let Ok(set_up) = SetUp::new(&mine, &rule, &settings) else {
            prop_assert!(mine.subject.contains('*'));
            return Ok(());
        };
        let role = set_up.role().compact();
        let accepts = |identity: &Identity| {
            check::check(&role, identity, jiff::Timestamp::UNIX_EPOCH).unwrap().answer == CheckResult::Accepted
        };
        prop_assert!(accepts(&mine), "{role}");
        let theirs = Identity::of(theirs).unwrap();
        prop_assert_eq!(accepts(&theirs), rule.accepts(theirs.claims()), "{} {}", role, theirs.subject);
    }

    #[test]
    fn no_text_panics(text in ".{0,80}") {
        let _ = check::check(&text, &identity_of(CLAIMS), Timestamp::UNIX_EPOCH);
    }
}

#[test]
fn rules_that_vault_cannot_express_are_refused() {
    let star = identity("https://x.example/a/b*", Some("https://x.example/a/b*.git"));
    let settings =
        Settings { cli: "bao", mount: "jwt".into(), role: "r".into(), policies: Vec::new(), ttl: 60 };
    let rule = star.rule(Whom::ThisRepository, USER).unwrap();
    let error = SetUp::new(&star, &rule, &settings).unwrap_err().to_string();
    assert_eq!(
        error,
        "https://x.example/a/b* contains an asterisk, which is always a wildcard in Vault's globs"
    );

    let comma = identity("https://x.example/a/b,c", Some("https://x.example/a/b,c.git"));
    let rule = comma.rule(Whom::ThisRepository, USER).unwrap();
    let set_up = SetUp::new(&comma, &rule, &settings).unwrap();
    assert!(set_up.terraform(&[]).is_err());
    assert!(set_up.commands(&[]).contains("b,c/*"));
}
