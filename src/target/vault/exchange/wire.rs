//! The JSON of the request and the replies.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::http::{Reply, UnexpectedReply};
use crate::secret::Secret;

/// The body of a login: JSON, because only some servers accept a form.
#[derive(Serialize)]
pub(super) struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'a str>,
    pub(super) jwt: &'a str,
}

/// The members of a login's reply that matter here.
#[derive(Deserialize)]
pub(super) struct Login {
    #[serde(default)]
    pub(super) auth: Option<Auth>,
    #[serde(default)]
    pub(super) wrap_info: Option<WrapInfo>,
    #[serde(default)]
    pub(super) warnings: Option<Vec<String>>,
    /// The errors of a refusal with a success status.
    #[serde(default)]
    pub(super) errors: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Auth {
    pub(super) client_token: Secret,
    #[serde(default)]
    pub(super) policies: Option<Vec<String>>,
    /// In seconds.
    #[serde(default)]
    pub(super) lease_duration: u64,
    #[serde(default)]
    pub(super) mfa_requirement: Option<MfaRequirement>,
}

#[derive(Deserialize)]
pub(super) struct WrapInfo {
    pub(super) token: Secret,
    /// In seconds.
    #[serde(default)]
    pub(super) ttl: u64,
}

/// A login that is complete only after a second factor.
#[derive(Deserialize)]
pub(super) struct MfaRequirement {
    /// The key is the name of the enforcement.
    #[serde(default)]
    pub(super) mfa_constraints: BTreeMap<String, MfaConstraint>,
}

#[derive(Deserialize)]
pub(super) struct MfaConstraint {
    #[serde(default)]
    pub(super) any: Vec<MfaMethod>,
}

#[derive(Deserialize)]
pub(super) struct MfaMethod {
    /// `totp`, `okta`, `duo`, `pingid`
    #[serde(rename = "type", default)]
    pub(super) kind: String,
}

impl MfaRequirement {
    /// The kinds of methods, as in ` (totp, duo)`; empty if there are none.
    pub(super) fn kinds(&self) -> String {
        let mut kinds: Vec<&str> = Vec::new();
        for method in self.mfa_constraints.values().flat_map(|constraint| &constraint.any) {
            if !kinds.contains(&method.kind.as_str()) {
                kinds.push(&method.kind);
            }
        }
        if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) }
    }

    /// A space and the names, as in `` `everyone`, `ci` ``; empty if there are none.
    pub(super) fn enforcements(&self) -> String {
        let names: Vec<String> = self.mfa_constraints.keys().map(|name| format!("`{name}`")).collect();
        if names.is_empty() { String::new() } else { format!(" {}", names.join(", ")) }
    }
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Refusal {
    pub(super) errors: Vec<String>,
    /// The enforcements that require a second factor, if any.
    #[serde(skip)]
    pub(super) mfa: Option<String>,
}

impl Refusal {
    /// Whether one of the errors has these words.
    pub(super) fn says(&self, words: &str) -> bool {
        self.errors.iter().any(|error| error.contains(words))
    }
}

/// Reads a reply with an error status.
pub(super) fn refusal(reply: &Reply) -> Result<Refusal, UnexpectedReply> {
    reply.json()
}
