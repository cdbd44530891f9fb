//! Request and replies as they stand on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::http::{Garbled, Reply};
use crate::jwt::IdToken;
use crate::secret::Secret;

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    jwt: &'a str,
}

/// The reply of a login, the members that matter.
#[derive(Deserialize)]
pub(super) struct Login {
    #[serde(default)]
    pub(super) auth: Option<Auth>,
    #[serde(default)]
    pub(super) wrap_info: Option<WrapInfo>,
    #[serde(default)]
    pub(super) warnings: Option<Vec<String>>,
    /// Of a refusal that came as a success.
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
    /// By the name of the enforcement.
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

#[derive(Deserialize)]
struct Refusal {
    errors: Vec<String>,
}

/// JSON, because a form is understood by some servers only.
pub(super) fn body(role: Option<&str>, token: &IdToken) -> Vec<u8> {
    // A struct of strings always serialises.
    serde_json::to_vec(&Body { role, jwt: token.reveal() }).unwrap_or_default()
}

/// The reply of a login, and its text.
pub(super) fn read(reply: &Reply) -> Result<(Login, Secret), Garbled> {
    Ok((reply.json()?, reply.secret_text()))
}

/// What a refusal says, or what came instead of one.
pub(super) fn errors(reply: &Reply) -> Result<Vec<String>, Garbled> {
    let Refusal { errors } = reply.json()?;
    Ok(errors)
}
