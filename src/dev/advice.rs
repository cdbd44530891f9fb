//! What the services here say beside their answers, which have the words of the real ones.

use std::fmt;
use std::sync::Arc;

/// Where advice goes: to the stderr of `gp idp dev`, or nowhere.
#[derive(Clone, Default)]
pub struct Advice(Option<Arc<dyn Fn(String) + Send + Sync>>);

impl Advice {
    pub(crate) fn to(say: impl Fn(String) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(say)))
    }

    /// Says which roles a local service has, after it was asked for another one.
    pub(super) fn on_unknown_role(&self, service: &str, asked: &str, known: &[&str], flag: &str) {
        let Some(say) = &self.0 else { return };
        let known = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        say(format!(
            "note: the local {service} has no role `{asked}`. It has {known}. `gp idp dev {flag} {asked}` starts one with that role"
        ));
    }
}

impl fmt::Debug for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Advice").field(&self.0.is_some()).finish()
    }
}
