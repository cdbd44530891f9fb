//! Hints of the local services. Their replies have only the words of the real services.

use std::fmt;
use std::sync::Arc;

/// The receiver of hints: the stderr of `gp idp dev`, or nothing.
#[derive(Clone, Default)]
pub struct Hints(Option<Arc<dyn Fn(String) + Send + Sync>>);

impl Hints {
    pub(crate) fn to(say: impl Fn(String) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(say)))
    }

    /// Lists what a local service knows of a kind (roles, audiences), after a request for something else. `flag` adds it.
    pub(super) fn on_unknown(&self, service: &str, kind: &str, asked: &str, known: &[&str], flag: &str) {
        let Some(say) = &self.0 else { return };
        let known = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        say(format!(
            "note: the local {service} has no {kind} `{asked}`. It has {known}. To use that {kind}, start the local workspace with `{flag}`"
        ));
    }

    /// Names the command that explains a refusal by the policy of `--aws-trust-policy`.
    pub(super) fn on_trust_policy(&self) {
        let Some(say) = &self.0 else { return };
        say("note: the policy of `--aws-trust-policy` refuses the token: `gp idp trust aws --check FILE` shows the difference".to_owned());
    }
}

impl fmt::Debug for Hints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hints").field(&self.0.is_some()).finish()
    }
}
