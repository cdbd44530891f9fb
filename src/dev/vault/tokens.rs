//! The tokens that the server issued.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::super::keys::random_base64url;
use super::options::VaultRole;
use super::refusal::Refusal;

#[derive(Default)]
pub(super) struct Tokens(HashMap<String, StoredToken>);

enum StoredToken {
    /// A token of a role. `expires` is in seconds since 1970.
    Service { expires: i64, role: String, policies: Vec<String>, batch: bool },
    /// The reply that a wrapping token returns. `expires` is in seconds since 1970.
    Wrapped { expires: i64, reply: Value },
}

impl Tokens {
    /// A new token and its accessor.
    pub(super) fn add(&mut self, role: &VaultRole, now: i64) -> (String, String) {
        let batch = role.rules.token.is_batch;
        let token = format!("{}.{}", if batch { 'b' } else { 's' }, random_base64url());
        let held = StoredToken::Service {
            expires: now.saturating_add_unsigned(role.ttl()),
            role: role.name.clone(),
            policies: role.policies(),
            batch,
        };
        self.0.insert(token.clone(), held);
        (token, if batch { String::new() } else { random_base64url() })
    }

    /// A wrapping token, which returns `reply` once, and its accessor. `ttl` is in seconds.
    pub(super) fn wrap(&mut self, reply: Value, ttl: u64, now: i64) -> (String, String) {
        let token = format!("s.{}", random_base64url());
        self.0
            .insert(token.clone(), StoredToken::Wrapped { expires: now.saturating_add_unsigned(ttl), reply });
        (token, random_base64url())
    }

    pub(super) fn unwrap(&mut self, token: &str, now: i64) -> Result<Value, Refusal> {
        match self.0.remove(token) {
            Some(StoredToken::Wrapped { expires, reply }) if now < expires => Ok(reply),
            _ => Err(Refusal::bad("wrapping token is not valid or does not exist")),
        }
    }

    pub(super) fn revoke(&mut self, token: &str, now: i64) -> Result<(), Refusal> {
        match self.0.get(token) {
            Some(StoredToken::Service { batch: true, .. }) => {
                Err(Refusal::bad("batch tokens cannot be revoked"))
            }
            Some(StoredToken::Service { expires, .. } | StoredToken::Wrapped { expires, .. })
                if now < *expires =>
            {
                self.0.remove(token);
                Ok(())
            }
            _ => Err(Refusal::denied()),
        }
    }

    pub(super) fn look_up(&self, token: &str, now: i64) -> Result<Value, Refusal> {
        match self.0.get(token) {
            Some(StoredToken::Service { expires, role, policies, .. }) if now < *expires => {
                Ok(json!({"id": token, "meta": {"role": role}, "policies": policies, "ttl": expires - now}))
            }
            _ => Err(Refusal::denied()),
        }
    }
}

/// The reply that holds the wrapping token instead of the wrapped reply.
pub(super) fn wrap_info_reply(token: &str, accessor: &str, ttl: u64, created: &str, path: &str) -> Value {
    json!({
        "request_id": "",
        "lease_id": "",
        "renewable": false,
        "lease_duration": 0,
        "data": null,
        "wrap_info": {
            "token": token,
            "accessor": accessor,
            "ttl": ttl,
            "creation_time": created,
            "creation_path": path,
            "wrapped_accessor": "",
        },
        "warnings": null,
        "auth": null,
    })
}
