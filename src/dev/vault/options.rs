//! What the server knows.

use super::{VaultFault, VaultRole};

/// The server of a local workspace.
#[derive(Debug, Clone)]
pub struct VaultOptions {
    /// Where the JWT auth method is mounted.
    pub mount: String,
    /// The one namespace besides the root, which then holds the mount.
    pub namespace: Option<String>,
    /// The roles of the mount.
    pub roles: Vec<VaultRole>,
    /// The role of a login that names none.
    pub default_role: Option<String>,
    /// The mount's `bound_issuer`, where it is not the workspace's issuer.
    pub bound_issuer: Option<String>,
    /// What is answered without a judgement: the first until its count is used up, then the next.
    pub faults: Vec<VaultFault>,
}

impl VaultOptions {
    /// Empty for the root.
    pub(super) fn namespace(&self) -> String {
        self.namespace.clone().unwrap_or_default()
    }
}

impl Default for VaultOptions {
    fn default() -> Self {
        Self {
            mount: "jwt".into(),
            namespace: None,
            roles: vec![VaultRole::named("demo")],
            default_role: None,
            bound_issuer: None,
            faults: Vec::new(),
        }
    }
}
