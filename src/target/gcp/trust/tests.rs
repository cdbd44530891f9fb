use super::set_up::{SetUp, Settings, USER};
use crate::json::Json;
use crate::trust::tests::{REPOSITORY, claims};
use crate::trust::{Identity, Whom};

#[test]
fn googles_subject_fits_into_127_bytes() {
    let settings = Settings {
        project_number: "1".into(),
        pool: "workspaces".into(),
        provider: "gitpod".into(),
        service_account: None,
    };
    let long = format!("https://github.com/acme/{}", "ü".repeat(60));
    let subject = |claims: Json, whom| {
        let identity = Identity::of(claims).unwrap();
        let rule = identity.rule(whom, USER).unwrap();
        let text = SetUp::new(&identity, &rule, &settings).map(|set_up| set_up.commands(&[]));
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
    assert!(error.starts_with("`sub` has 144 bytes and `google.subject` accepts at most 127"), "{error}");
    let short = Json::parse(r#"{"iss":"https://x","aud":"a","sub":"s"}"#).unwrap();
    assert_eq!(subject(short, Whom::Any).unwrap(), "sub");
}
