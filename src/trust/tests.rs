use proptest::prelude::*;

use super::*;

const ISSUER: &str = "https://api.example.com/idp";
pub(crate) const REPOSITORY: &str = "https://github.com/acme/shop";

/// The claims of a workspace on `subject`, of the repository with this clone URL.
pub(crate) fn claims(subject: &str, repository: Option<&str>) -> Json {
    let mut members = vec![
        ("iss".to_owned(), string(ISSUER)),
        ("sub".to_owned(), string(subject)),
        ("aud".to_owned(), strings(&["x".into()])),
        ("azp".to_owned(), string("x")),
        ("email".to_owned(), string("ann@example.com")),
        ("user_id".to_owned(), string("u-1")),
        ("workspace_id".to_owned(), string("w-1")),
        ("iat".to_owned(), Json::Scalar("1".into())),
    ];
    members.extend(repository.map(|url| ("repository".to_owned(), string(url))));
    Json::Object(members)
}

pub(crate) fn identity(subject: &str, repository: Option<&str>) -> Identity {
    Identity::of(claims(subject, repository)).unwrap()
}

fn under(base: &str) -> Rule {
    Rule::InRepository { claim: "sub", base: base.into() }
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
        // Groups can be nested, so a repository may have three segments.
        ("https://gitlab.com/a/b/c", Some("https://gitlab.com/a/b/c.git"), under("https://gitlab.com/a/b/c")),
        (
            "https://gitlab.com/a/b/c/-/tree/x",
            Some("https://gitlab.com/a/b/c.git"),
            under("https://gitlab.com/a/b/c"),
        ),
        (
            "https://dev.azure.com/acme/web/_git/shop?version=GBmain",
            Some("https://dev.azure.com/acme/web/_git/shop"),
            under("https://dev.azure.com/acme/web/_git/shop"),
        ),
        (
            "https://github.com/acme/shop?x",
            Some("https://github.com/acme/shop.git"),
            exactly("https://github.com/acme/shop?x"),
        ),
        // A subject that begins like the repository's address may still be outside the repository.
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
            under("organization_id:1:project_id:2"),
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
    let below = |prefix: &str| Ok(Rule::HasPrefix { claim: "sub", prefix: prefix.into() });
    let cases = [
        (
            "https://github.com/acme/shop/tree/x",
            Some("https://github.com/acme/shop.git"),
            below("https://github.com/acme/"),
        ),
        ("https://gitlab.com/a/b/c", Some("https://gitlab.com/a/b/c.git"), below("https://gitlab.com/a/b/")),
        // A rule for the whole host would be too wide.
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
fn required_claims_are_checked() {
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
            TrustError::InvisibleCharacters("sub".into()),
            "{odd}"
        );
    }
}

#[test]
fn a_rule_accepts_only_its_subjects() {
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
        assert_eq!(rule.accepts(&claims(subject, None)), expected, "{subject}");
    }
    let owner = Rule::HasPrefix { claim: "sub", prefix: "https://github.com/acme/".into() };
    assert!(owner.accepts(&claims(REPOSITORY, None)));
    assert!(!owner.accepts(&claims("https://github.com/acme2/shop", None)));
    assert!(!owner.accepts(&claims("https://github.com/acme", None)));
}

/// Paths with characters that have a meaning in one of the languages, and other paths.
fn odd_path() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z*?${}%'\"\\\\,;:.@ #~^&=+()\\[\\]-]{1,24}",
        "[a-z]{1,8}\\$\\{[a-z*?$:]{0,6}\\}[a-z]{0,3}",
        "[a-zA-Z0-9ü字🦀*$]{1,12}",
    ]
}

/// A workspace on a repository with an odd path, and a second one that a rule may also accept.
pub(crate) fn two_workspaces() -> impl Strategy<Value = (Identity, Json)> {
    let tail = prop_oneof![Just(""), Just("/tree/x"), Just("2"), Just("/"), Just("?version=x")];
    let owner = prop_oneof![Just("a"), Just("a/_git")];
    (odd_path(), odd_path(), tail, owner).prop_map(|(path, other, tail, owner)| {
        let base = format!("https://x.example/{owner}/{path}");
        let mine = identity(&format!("{base}/tree/x"), Some(&format!("{base}.git")));
        let theirs = if tail.is_empty() {
            format!("https://x.example/{owner}/{other}")
        } else {
            format!("{base}{tail}")
        };
        (mine, claims(&theirs, None))
    })
}

/// Any [`Whom`] except [`Whom::ThisSubject`].
pub(crate) fn whom() -> impl Strategy<Value = Whom> {
    prop_oneof![Just(Whom::ThisRepository), Just(Whom::ThisOwner), Just(Whom::ThisUser), Just(Whom::Any)]
}

proptest! {
    /// JSON reads a quoted string back: CEL, YAML and HCL share its escapes.
    #[test]
    fn quoted_strings_round_trip(text in any::<String>()) {
        let quoted = quote::double_quoted(&text);
        prop_assert!(quoted.chars().all(|c| !c.is_control()));
        prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
    }

    /// No claim ends a comment.
    #[test]
    fn no_text_ends_a_comment(text in any::<String>()) {
        prop_assert!(script::comment(&text).trim_end().lines().all(|line| line.is_empty() || line.starts_with("# ")));
    }
}
