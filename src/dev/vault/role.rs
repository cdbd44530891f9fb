//! A role of the JWT auth method (`auth/<mount>/role/<name>`).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::time::parse_duration;

/// The system's longest life, which a role without `token_ttl` gives: 32 days.
const SYSTEM_TTL: u64 = 2_764_800;

/// A role, as far as it judges workspaces.
#[derive(Debug, Clone, Deserialize)]
pub struct VaultRole {
    /// Its name, in lower case.
    #[serde(skip)]
    pub name: String,
    /// `jwt`, or `oidc` for people with a browser
    #[serde(default = "jwt")]
    pub role_type: String,
    /// The claim that names the user.
    pub user_claim: String,
    /// One of them has to be in `aud`.
    #[serde(default, deserialize_with = "texts")]
    pub bound_audiences: Vec<String>,
    /// What `sub` has to be; empty for anything.
    #[serde(default, deserialize_with = "text")]
    pub bound_subject: String,
    /// Claims, and the values that they may have.
    #[serde(default, deserialize_with = "or_default")]
    pub bound_claims: BTreeMap<String, Value>,
    /// `string`, or `glob` for values with `*`
    #[serde(default, deserialize_with = "text")]
    pub bound_claims_type: String,
    /// The claim that lists groups; empty for none.
    #[serde(default, deserialize_with = "text")]
    pub groups_claim: String,
    /// How long its tokens live, in seconds.
    #[serde(default = "system_ttl", deserialize_with = "seconds")]
    pub token_ttl: u64,
    /// `batch`, or anything else for service tokens
    #[serde(default, deserialize_with = "text")]
    pub token_type: String,
    /// Policies besides `default`.
    #[serde(default, deserialize_with = "texts")]
    pub token_policies: Vec<String>,
    /// How often its tokens can be used; 0 for always.
    #[serde(default)]
    pub token_num_uses: u64,
}

/// Why a text is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is not a role as JSON: {0}")]
pub struct VaultRoleError(String);

impl VaultRole {
    /// A role for workspaces with the usual audience; its tokens live for an hour.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_lowercase(),
            role_type: jwt(),
            user_claim: "sub".into(),
            bound_audiences: vec!["vault.hashicorp.com".into()],
            bound_subject: String::new(),
            bound_claims: BTreeMap::new(),
            bound_claims_type: String::new(),
            groups_claim: String::new(),
            token_ttl: 3600,
            token_type: String::new(),
            token_policies: Vec::new(),
            token_num_uses: 0,
        }
    }

    /// Reads the parameters of a role, or what `vault read -format=json auth/jwt/role/NAME` prints.
    pub fn parse(name: &str, text: &str) -> Result<Self, VaultRoleError> {
        let failed = |error: serde_json::Error| VaultRoleError(error.to_string());
        let json: Value = serde_json::from_str(text).map_err(failed)?;
        let role = json.get("data").filter(|data| data.is_object()).unwrap_or(&json);
        let role: Self = serde_json::from_value(role.clone()).map_err(failed)?;
        Ok(Self { name: name.to_lowercase(), ..role })
    }

    pub(super) fn is_batch(&self) -> bool {
        self.token_type == "batch"
    }

    pub(super) fn policies(&self) -> Vec<String> {
        let mut policies: Vec<String> = self.token_policies.clone();
        policies.push("default".into());
        policies.sort();
        policies.dedup();
        policies
    }
}

fn jwt() -> String {
    "jwt".into()
}

fn system_ttl() -> u64 {
    SYSTEM_TTL
}

/// The server prints `null` for what is not set.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    or_default(from)
}

/// A list, or one text with commas.
fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Ok(match or_default(from)? {
        Value::String(text) => text.split(',').map(|part| part.trim().to_owned()).collect(),
        Value::Array(items) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    })
}

/// A number, or a text such as `1h`; 0 stands for the system's.
fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let seconds = match or_default(from)? {
        Value::String(text) => parse_duration(&text)
            .map_err(|reason| serde::de::Error::custom(format!("token_ttl: {reason}")))?
            .as_secs(),
        other => other.as_u64().unwrap_or_default(),
    };
    Ok(if seconds == 0 { SYSTEM_TTL } else { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_as_they_are_written_and_as_they_are_read() {
        let written = r#"{"user_claim": "sub", "bound_audiences": "a, b", "token_ttl": "1h", "bound_claims": {"repository": ["x"]}}"#;
        let role = VaultRole::parse("Demo", written).unwrap();
        assert_eq!((role.name.as_str(), role.token_ttl), ("demo", 3600));
        assert_eq!(role.bound_audiences, ["a", "b"]);
        let read = r#"{"data": {"user_claim": "sub", "bound_audiences": ["a"], "bound_claims": null, "token_ttl": 0, "token_policies": []}}"#;
        let role = VaultRole::parse("demo", read).unwrap();
        assert_eq!((role.token_ttl, role.policies()), (SYSTEM_TTL, vec!["default".to_owned()]));
        for text in ["", "[]", "{}", r#"{"user_claim": 1}"#, r#"{"user_claim": "sub", "token_ttl": "soon"}"#]
        {
            assert!(VaultRole::parse("demo", text).is_err(), "{text}");
        }
    }
}
