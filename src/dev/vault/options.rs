//! The configuration of the server.

use super::VaultFault;
use crate::target::vault::role::{Role, RoleError, TokenSettings};

/// The system's maximum TTL, in seconds: 32 days. Tokens of a role without `token_ttl` get it.
const SYSTEM_TTL: u64 = 2_764_800;

/// The default roles. The README and docs/ use `deploy`.
pub const DEV_VAULT_ROLES: [&str; 2] = ["demo", "deploy"];

/// The server of a local workspace.
#[derive(Debug, Clone)]
pub struct VaultOptions {
    /// Where the JWT auth method is mounted.
    pub mount: String,
    /// The only namespace besides the root. If there is one, it holds the mount.
    pub namespace: Option<String>,
    /// The roles of the mount.
    pub roles: Vec<VaultRole>,
    /// The role of a login without `role`.
    pub default_role: Option<String>,
    /// The mount's `bound_issuer`; `None`: the workspace's issuer.
    pub bound_issuer: Option<String>,
    /// The faults to simulate: the first until its count is used up, then the next.
    pub faults: Vec<VaultFault>,
}

impl VaultOptions {
    /// The audiences that its roles are bound to.
    pub(in crate::dev) fn audiences(&self) -> Vec<String> {
        self.roles.iter().flat_map(|role| role.rules.bound_audiences.iter().cloned()).collect()
    }

    /// The namespace of the mount; empty for the root.
    pub(super) fn namespace(&self) -> String {
        self.namespace.clone().unwrap_or_default()
    }
}

impl Default for VaultOptions {
    fn default() -> Self {
        Self {
            mount: "jwt".into(),
            namespace: None,
            roles: DEV_VAULT_ROLES.map(VaultRole::named).into(),
            default_role: None,
            bound_issuer: None,
            faults: Vec::new(),
        }
    }
}

/// A role of the mount.
#[derive(Debug, Clone)]
pub struct VaultRole {
    /// Its name, in lower case.
    pub(in crate::dev) name: String,
    pub(super) rules: Role,
}

impl VaultRole {
    /// A role for workspaces with the usual audience; its tokens live for an hour.
    pub fn named(name: &str) -> Self {
        let rules = Role {
            kind: Some("jwt".into()),
            user_claim: "sub".into(),
            bound_audiences: vec!["vault.hashicorp.com".into()],
            token: TokenSettings { ttl: 3600, ..TokenSettings::default() },
            ..Role::default()
        };
        Self { name: name.to_lowercase(), rules }
    }

    /// Reads the parameters of a role, or what `vault read -format=json auth/jwt/role/NAME` prints.
    pub fn parse(name: &str, text: &str) -> Result<Self, RoleError> {
        let rules = Role::parse(text)?;
        let refused = |reason: &str| Err(RoleError::Refused(reason.to_owned()));
        if rules.kind() == "oidc" && !rules.has_redirects {
            return refused("'allowed_redirect_uris' must be set if 'role_type' is 'oidc' or unspecified.");
        }
        if rules.bound_audiences.is_empty() && rules.bound_cidrs.is_empty() && !rules.is_bound() {
            return refused("must have at least one bound constraint when creating/updating a role");
        }
        if !rules.policy_templates.is_empty() {
            return Err(RoleError::WrongForm {
                member: "token_policies_template_claims".into(),
                form: "false: the local server does not derive policy names from claims",
            });
        }
        Ok(Self { name: name.to_lowercase(), rules })
    }

    /// The same role, with tokens that live for this many seconds at most.
    pub fn limited_to(mut self, seconds: u64) -> Self {
        self.rules.token.ttl = self.ttl().min(seconds);
        self
    }

    /// How long its tokens live, in seconds.
    pub(super) fn ttl(&self) -> u64 {
        match self.rules.token.ttl {
            0 => SYSTEM_TTL,
            ttl => ttl,
        }
    }

    pub(super) fn policies(&self) -> Vec<String> {
        let policies = self.rules.token_policies.iter().map(|policy| policy.to_lowercase());
        let default = (!self.rules.token.no_default_policy).then(|| "default".to_owned());
        let mut policies: Vec<String> = policies.filter(|policy| !policy.is_empty()).chain(default).collect();
        policies.sort();
        policies.dedup();
        policies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ttl_and_policies_of_a_role() {
        let role = |members: &str| {
            let text = format!(r#"{{"role_type":"jwt","user_claim":"sub","bound_audiences":"a"{members}}}"#);
            VaultRole::parse("Demo", &text).map(|role| (role.ttl(), role.policies().join(" "), role.name))
        };
        let cases = [
            ("", (SYSTEM_TTL, "default")),
            (r#","token_ttl":"1h","token_policies":["b","A","b"]"#, (3600, "a b default")),
            (r#","token_ttl":0,"token_policies":null,"token_no_default_policy":true"#, (SYSTEM_TTL, "")),
        ];
        for (members, (ttl, policies)) in cases {
            assert_eq!(role(members), Ok((ttl, policies.to_owned(), "demo".to_owned())), "{members}");
        }
    }

    #[test]
    fn invalid_roles_are_refused() {
        let cases = [
            (r#"{"user_claim":"sub","bound_audiences":"a"}"#, "'allowed_redirect_uris' must be set"),
            (
                r#"{"role_type":"jwt","user_claim":"sub","bound_audiences":[]}"#,
                "at least one bound constraint",
            ),
            (
                r#"{"role_type":"jwt","user_claim":"sub","bound_audiences":"a","token_policies":"a-{{.email}}","token_policies_template_claims":true}"#,
                "the local server does not derive policy names",
            ),
        ];
        for (text, expected) in cases {
            let error = VaultRole::parse("demo", text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
