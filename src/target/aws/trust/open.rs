//! Whether a trust policy is open to every workspace of the issuer.
//!
//! This is tested with requests of invented workspaces. Conditions on the audience and on the role session name do not
//! stop these requests, because a caller chooses both.

use jiff::Timestamp;

use crate::json::Json;
use crate::target::aws::iam::{
    ASSUME_ROLE_WITH_WEB_IDENTITY, Actions, Context, Decision, Effect, OidcProvider, Request, SESSION_NAME,
    Statement, TrustPolicy,
};
use crate::trust::{Identity, path_of, string};

/// Requests of invented workspaces. They share only the issuer and the form of their subjects.
#[derive(Debug, Clone)]
pub(super) struct InventedWorkspaces {
    /// Two requests for each form of a subject.
    forms: Vec<[Context; 2]>,
}

impl InventedWorkspaces {
    pub(super) fn new(identity: &Identity, provider: &OidcProvider, now: Timestamp) -> Self {
        let request = |subject: String, host: &str| {
            let mut claims = vec![
                ("sub".to_owned(), string(&subject)),
                ("email".to_owned(), string(&format!("stranger@{host}"))),
            ];
            let amr = identity.claims().get("amr").map(|amr| ("amr".to_owned(), amr.clone()));
            claims.extend(amr);
            Context::of_token(provider, &Json::Object(claims)).of_call("stranger", now)
        };
        let (one, other) = ("a81c.example", "git.e7d2.example");
        let mut forms = vec![[
            request(format!("https://{one}/c94f/b03e"), one),
            request(format!("https://{other}/9d/5a/77/-/tree/1c"), other),
        ]];
        if path_of(&identity.subject).is_none() {
            let subject = |value| with_other_values(&identity.subject, value);
            forms.push([request(subject("a81c"), one), request(subject("e7d2"), other)]);
        }
        Self { forms }
    }

    /// The statement that admits every workspace of the issuer, if there is one and no statement
    /// denies it.
    pub(super) fn open_statement(&self, policy: &TrustPolicy, provider: &OidcProvider) -> Option<usize> {
        let policy = without_caller_chosen_conditions(policy, provider);
        let by = |context: &Context| {
            let request = Request { provider, action: ASSUME_ROLE_WITH_WEB_IDENTITY, context };
            match policy.evaluate(&request).decision() {
                Decision::Allowed(index) => Some(index),
                Decision::Denied(_) | Decision::NotAllowed | Decision::Undecided(_) => None,
            }
        };
        self.forms.iter().find_map(|[one, other]| by(one).filter(|_| by(other).is_some()))
    }
}

/// A subject of the same form with other values: `org:x/project:x` for `org:1/project:2`.
fn with_other_values(subject: &str, value: &str) -> String {
    let parts: Vec<&str> = subject.split_inclusive([':', '/']).collect();
    if parts.len() < 2 {
        return value.to_owned();
    }
    let part = |(index, part): (usize, &&str)| {
        let end = part.len() - part.trim_end_matches([':', '/']).len();
        if index % 2 == 0 { (*part).to_owned() } else { format!("{value}{}", &part[part.len() - end..]) }
    };
    parts.iter().enumerate().map(part).collect()
}

/// The policy without conditions on values that a caller chooses, because they exclude nobody.
/// Statements that deny on such conditions have no effect in it.
fn without_caller_chosen_conditions(policy: &TrustPolicy, provider: &OidcProvider) -> TrustPolicy {
    let chosen = [provider.key("aud"), provider.key("oaud"), SESSION_NAME.to_owned()];
    let is_chosen = |key: &str| chosen.iter().any(|one| one.eq_ignore_ascii_case(key));
    let mut policy = policy.clone();
    for Statement { effect, conditions, actions, .. } in &mut policy.statements {
        match effect {
            Effect::Allow => conditions.retain(|condition| !is_chosen(&condition.key)),
            Effect::Deny if conditions.iter().any(|condition| is_chosen(&condition.key)) => {
                *actions = Actions::OneOf(Vec::new());
            }
            Effect::Deny => {}
        }
    }
    policy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_of_the_same_form() {
        for (subject, expected) in [
            ("org:1/prj:2/Env:3", "org:x/prj:x/Env:x"),
            ("org:1:project:2", "org:x:project:x"),
            ("no-context", "x"),
            ("a/b", "a/x"),
            ("", "x"),
        ] {
            assert_eq!(with_other_values(subject, "x"), expected);
        }
    }
}
