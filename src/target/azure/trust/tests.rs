use super::set_up::{self, SetUp};
use crate::trust::Whom;
use crate::trust::tests::identity;

#[test]
fn rules_that_entra_cannot_express_are_refused() {
    let comma = identity("https://x.example/a/b,c", Some("https://x.example/a/b,c.git"));
    for whom in [Whom::ThisOwner, Whom::ThisUser, Whom::Any] {
        assert!(set_up::rule(&comma, whom).is_err());
    }
    let long = identity(&format!("https://x.example/{}", "x".repeat(600)), None);
    let settings = set_up::Settings { app_id: "a".into(), name: "n".into() };
    assert!(SetUp::new(&long, &settings).is_err());
}
