use proptest::prelude::*;

use super::*;
use crate::diagnose::trust::check::{Answer, aws as check_aws, vault as check_vault};
use crate::exchange::aws::role::RoleArn;

const ISSUER: &str = "https://api.example.com/idp";
const REPOSITORY: &str = "https://github.com/acme/shop";

/// The claims of a workspace on `subject`, of the repository with this clone URL.
fn claims(subject: &str, repository: Option<&str>) -> Json {
    let mut members = vec![
        ("iss".to_owned(), string(ISSUER)),
        ("sub".to_owned(), string(subject)),
        ("aud".to_owned(), strings(&["x".into()])),
        ("azp".to_owned(), string("x")),
        ("email".to_owned(), string("ann@example.com")),
        ("user_id".to_owned(), string("u-1")),
        ("workspace_id".to_owned(), string("w-1")),
    ];
    members.extend(repository.map(|url| ("repository".to_owned(), string(url))));
    Json::Object(members)
}

fn identity(subject: &str, repository: Option<&str>) -> Identity {
    Identity::of(claims(subject, repository)).unwrap()
}

fn under(base: &str) -> Rule {
    Rule::Under { claim: "sub", base: base.into() }
}

fn exactly(subject: &str) -> Rule {
    Rule::Equals { claim: "sub", value: subject.into() }
}

#[test]
fn this_repository() {
    let cases = [
        ("https://github.com/acme/shop", Some("https://github.com/acme/shop.git"), under(REPOSITORY)),
        (
            "https://github.com/acme/shop/tree/a/b",
            Some("https://github.com/acme/shop.git"),
            under(REPOSITORY),
        ),
        ("https://github.com/acme/shop/pull/7", Some("https://github.com/acme/shop/"), under(REPOSITORY)),
        // Groups nest, so that three segments may be a repository.
        ("https://gitlab.com/a/b/c", Some("https://gitlab.com/a/b/c.git"), under("https://gitlab.com/a/b/c")),
        (
            "https://gitlab.com/a/b/c/-/tree/x",
            Some("https://gitlab.com/a/b/c.git"),
            under("https://gitlab.com/a/b/c"),
        ),
        // What only begins like the repository's address lies elsewhere.
        (
            "https://github.com/acme/shop2",
            Some("https://github.com/acme/shop.git"),
            exactly("https://github.com/acme/shop2"),
        ),
        (
            "https://github.com/Acme/shop",
            Some("https://github.com/acme/shop.git"),
            exactly("https://github.com/Acme/shop"),
        ),
        ("https://github.com/acme/shop", Some("https://github.com/"), exactly(REPOSITORY)),
        ("https://github.com/acme/shop", Some("https://github.com"), exactly(REPOSITORY)),
        ("https://github.com/acme/shop", Some("git@github.com:acme/shop.git"), exactly(REPOSITORY)),
        ("https://github.com/acme/shop", Some(""), exactly(REPOSITORY)),
        ("https://github.com/acme/shop", None, exactly(REPOSITORY)),
        ("no-context", None, exactly("no-context")),
        (
            "organization_id:1:project_id:2",
            Some("https://github.com/acme/shop.git"),
            exactly("organization_id:1:project_id:2"),
        ),
        ("org:1", Some("org:1"), exactly("org:1")),
    ];
    for (subject, repository, expected) in cases {
        let rule = identity(subject, repository).rule(Whom::ThisRepository, "user_id");
        assert_eq!(rule, Ok(expected), "{subject} {repository:?}");
    }
}

#[test]
fn this_owner() {
    let below = |prefix: &str| Ok(Rule::Below { claim: "sub", prefix: prefix.into() });
    let cases = [
        (
            "https://github.com/acme/shop/tree/x",
            Some("https://github.com/acme/shop.git"),
            below("https://github.com/acme/"),
        ),
        ("https://gitlab.com/a/b/c", Some("https://gitlab.com/a/b/c.git"), below("https://gitlab.com/a/b/")),
        // The whole host would be a surprise.
        (
            "https://git.example/x",
            Some("https://git.example/x.git"),
            Err(TrustError::NoOwner("https://git.example/x".into())),
        ),
        (REPOSITORY, None, Err(TrustError::RepositoryUnknown(REPOSITORY.into()))),
        ("no-context", None, Err(TrustError::NotAnAddress("no-context".into()))),
        ("a:b:c:d", None, Err(TrustError::NotAnAddress("a:b:c:d".into()))),
    ];
    for (subject, repository, expected) in cases {
        assert_eq!(identity(subject, repository).rule(Whom::ThisOwner, "user_id"), expected, "{subject}");
    }
}

#[test]
fn this_user_and_any() {
    let identity = identity(REPOSITORY, None);
    assert_eq!(identity.rule(Whom::Any, "user_id"), Ok(Rule::Any));
    let user = |claim, value: &str| Ok(Rule::Equals { claim, value: value.into() });
    assert_eq!(identity.rule(Whom::ThisUser, "user_id"), user("user_id", "u-1"));
    assert_eq!(identity.rule(Whom::ThisUser, "email"), user("email", "ann@example.com"));
    assert_eq!(identity.rule(Whom::ThisUser, "name"), Err(TrustError::NoClaim("name".into())));
}

#[test]
fn what_a_token_has_to_say() {
    let parse = |text: &str| Identity::of(Json::parse(text).unwrap()).unwrap_err();
    let no = |claim: &str| TrustError::NoClaim(claim.into());
    assert_eq!(parse(r#"{"iss":"https://x","sub":"s"}"#), no("aud"));
    assert_eq!(parse(r#"{"iss":"https://x","sub":"s","aud":[]}"#), no("aud"));
    assert_eq!(parse(r#"{"sub":"s","aud":"a"}"#), no("iss"));
    assert_eq!(parse(r#"{"iss":"https://x","sub":"","aud":"a"}"#), no("sub"));
    assert_eq!(parse(r#"{"iss":"https://x","sub":7,"aud":"a"}"#), no("sub"));
    for odd in [r"a\nb", r"\u202egp", r"\u001b[31m", r"zero\u200b"] {
        assert_eq!(
            parse(&format!(r#"{{"iss":"https://x","sub":"{odd}","aud":"a"}}"#)),
            TrustError::Odd("sub".into()),
            "{odd}"
        );
    }
}

#[test]
fn what_a_rule_admits() {
    let rule = under(REPOSITORY);
    let cases = [
        (REPOSITORY, true),
        ("https://github.com/acme/shop/tree/main", true),
        ("https://github.com/acme/shop2", false),
        ("https://github.com/acme/sho", false),
        ("https://github.com/acme", false),
        ("https://github.com/Acme/shop", false),
    ];
    for (subject, expected) in cases {
        assert_eq!(rule.admits(&claims(subject, None)), expected, "{subject}");
    }
    let owner = Rule::Below { claim: "sub", prefix: "https://github.com/acme/".into() };
    assert!(owner.admits(&claims(REPOSITORY, None)));
    assert!(!owner.admits(&claims("https://github.com/acme2/shop", None)));
    assert!(!owner.admits(&claims("https://github.com/acme", None)));
}

/// Texts that mean something to one of the languages, and others.
fn odd_path() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z*?${}%'\"\\\\,;:.@ #~^&=+()\\[\\]-]{1,24}",
        "[a-z]{1,8}\\$\\{[a-z*?$:]{0,6}\\}[a-z]{0,3}",
        "[a-zA-Z0-9ü字🦀*$]{1,12}",
    ]
}

/// A workspace on an odd repository, and another one that may or may not be meant too.
fn two_workspaces() -> impl Strategy<Value = (Identity, Json)> {
    (odd_path(), odd_path(), prop_oneof![Just(""), Just("/tree/x"), Just("2"), Just("/")]).prop_map(
        |(path, other, tail)| {
            let base = format!("https://x.example/a/{path}");
            let mine = identity(&format!("{base}/tree/x"), Some(&format!("{base}.git")));
            let theirs = if tail.is_empty() {
                format!("https://x.example/a/{other}")
            } else {
                format!("{base}{tail}")
            };
            (mine, claims(&theirs, None))
        },
    )
}

/// Who is meant, and a token of somebody else.
fn whom() -> impl Strategy<Value = Whom> {
    prop_oneof![Just(Whom::ThisRepository), Just(Whom::ThisOwner), Just(Whom::ThisUser), Just(Whom::Any)]
}

proptest! {
    /// Who gets into the role is whom the rule means, by the rules of IAM.
    #[test]
    fn iam_admits_whom_the_rule_admits((mine, theirs) in two_workspaces(), whom in whom()) {
        let role = RoleArn::parse("arn:aws:iam::123456789012:role/deploy").unwrap();
        let rule = mine.rule(whom, aws::USER).unwrap();
        let policy = aws::SetUp::new(&mine, &rule, &role).unwrap().policy().compact();
        let accepts = |identity: &Identity| {
            let named = check_aws::Named { by_flag: Some(&role), by_environment: None };
            check_aws::check(&policy, identity, named).unwrap().answer == Answer::Accepted
        };
        prop_assert!(accepts(&mine), "{policy}");
        let theirs = Identity::of(theirs).unwrap();
        prop_assert_eq!(accepts(&theirs), rule.admits(theirs.claims()), "{} {}", policy, theirs.subject);
    }

    /// And by those of Vault, unless its globs cannot say it.
    #[test]
    fn vault_admits_whom_the_rule_admits((mine, theirs) in two_workspaces(), whom in whom()) {
        let rule = mine.rule(whom, vault::USER).unwrap();
        let settings = vault::Settings {
            cli: "vault", mount: "jwt".into(), role: "r".into(), policies: Vec::new(), ttl: 60,
        };
        let Ok(set_up) = vault::SetUp::new(&mine, &rule, &settings) else {
            prop_assert!(mine.subject.contains('*'));
            return Ok(());
        };
        let role = set_up.role().compact();
        let accepts = |identity: &Identity| {
            check_vault::check(&role, identity, jiff::Timestamp::UNIX_EPOCH).unwrap().answer == Answer::Accepted
        };
        prop_assert!(accepts(&mine), "{role}");
        let theirs = Identity::of(theirs).unwrap();
        prop_assert_eq!(accepts(&theirs), rule.admits(theirs.claims()), "{} {}", role, theirs.subject);
    }

    /// A string between double quotes comes back from the escapes that CEL, YAML and HCL have in common with JSON.
    #[test]
    fn quoted_strings_come_back(text in any::<String>()) {
        let quoted = quote::double_quoted(&text);
        prop_assert!(quoted.chars().all(|c| !c.is_control()));
        prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
    }

    /// No claim ends a comment or a here-document.
    #[test]
    fn comments_are_comments(text in any::<String>()) {
        prop_assert!(script::comment(&text).trim_end().lines().all(|line| line.is_empty() || line.starts_with("# ")));
    }
}

#[test]
fn a_policy_that_iam_would_not_take_is_none() {
    let long = format!("https://x.example/a/{}", "x".repeat(1500));
    let mine = identity(&long, Some(&long));
    let role = RoleArn::parse("arn:aws:iam::123456789012:role/deploy").unwrap();
    let meant = mine.rule(Whom::ThisRepository, aws::USER).unwrap();
    let error = aws::SetUp::new(&mine, &meant, &role).unwrap_err().to_string();
    assert!(error.starts_with("the trust policy has 3"), "{error}");
    let meant = mine.rule(Whom::Any, aws::USER).unwrap();
    assert!(aws::SetUp::new(&mine, &meant, &role).is_ok());
}

#[test]
fn several_audiences_are_one_to_iam_when_azp_names_it() {
    let role = RoleArn::parse("arn:aws:iam::123456789012:role/deploy").unwrap();
    let policy = |claims: &str| {
        let identity = Identity::of(Json::parse(claims).unwrap()).unwrap();
        aws::SetUp::new(&identity, &Rule::Any, &role)
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

#[test]
fn googles_subject_fits_into_127_bytes() {
    let settings = gcp::Settings {
        project_number: "1".into(),
        pool: "workspaces".into(),
        provider: "gitpod".into(),
        service_account: None,
    };
    let long = format!("https://github.com/acme/{}", "ü".repeat(60));
    let subject = |claims: Json, whom| {
        let identity = Identity::of(claims).unwrap();
        let rule = identity.rule(whom, gcp::USER).unwrap();
        let text = gcp::SetUp::new(&identity, &rule, &settings).map(|set_up| set_up.commands(&[]));
        text.map(|text| {
            text.split("google.subject=assertion.").nth(1).unwrap().split(',').next().unwrap().to_owned()
        })
    };
    let cases = [
        (claims(REPOSITORY, None), Whom::ThisRepository, "sub"),
        (claims(REPOSITORY, Some(REPOSITORY)), Whom::ThisRepository, "workspace_id"),
        (claims(&long, None), Whom::ThisRepository, "workspace_id"),
        (claims(REPOSITORY, None), Whom::ThisUser, "user_id"),
        (claims(REPOSITORY, None), Whom::Any, "workspace_id"),
    ];
    for (claims, whom, expected) in cases {
        assert_eq!(subject(claims, whom).unwrap(), expected, "{whom:?}");
    }
    let bare = Json::parse(&format!(r#"{{"iss":"https://x","aud":"a","sub":"{long}"}}"#)).unwrap();
    let error = subject(bare, Whom::ThisRepository).unwrap_err().to_string();
    assert!(error.starts_with("`sub` has 144 bytes and `google.subject` takes 127"), "{error}");
    let short = Json::parse(r#"{"iss":"https://x","aud":"a","sub":"s"}"#).unwrap();
    assert_eq!(subject(short, Whom::Any).unwrap(), "sub");
}

#[test]
fn what_a_target_cannot_express_is_refused() {
    let star = identity("https://x.example/a/b*", Some("https://x.example/a/b*.git"));
    let settings =
        vault::Settings { cli: "bao", mount: "jwt".into(), role: "r".into(), policies: Vec::new(), ttl: 60 };
    let rule = star.rule(Whom::ThisRepository, vault::USER).unwrap();
    let error = vault::SetUp::new(&star, &rule, &settings).unwrap_err().to_string();
    assert_eq!(error, "https://x.example/a/b* has an asterisk, which is always a wildcard in Vault's globs");

    let comma = identity("https://x.example/a/b,c", Some("https://x.example/a/b,c.git"));
    let rule = comma.rule(Whom::ThisRepository, vault::USER).unwrap();
    let set_up = vault::SetUp::new(&comma, &rule, &settings).unwrap();
    assert!(set_up.terraform(&[]).is_err());
    assert!(set_up.commands(&[]).contains("b,c/*"));

    for whom in [Whom::ThisOwner, Whom::ThisUser, Whom::Any] {
        assert!(azure::rule(&comma, whom).is_err());
    }
    let long = identity(&format!("https://x.example/{}", "x".repeat(600)), None);
    let settings = azure::Settings { app_id: "a".into(), name: "n".into() };
    assert!(azure::SetUp::new(&long, &settings).is_err());
}
