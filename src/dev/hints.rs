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

    /// Lists the roles of a local service, after a request for an unknown role.
    pub(super) fn on_unknown_role(&self, service: &str, asked: &str, known: &[&str], flag: &str) {
        let Some(say) = &self.0 else { return };
        let known = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        say(format!(
            "note: the local {service} has no role `{asked}`. It has {known}. `gp idp dev {flag} {asked}` starts a local workspace with that role"
        ));
    }
}

impl fmt::Debug for Hints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hints").field(&self.0.is_some()).finish()
    }
}
