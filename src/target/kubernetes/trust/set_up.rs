//! Kubernetes: kube-apiserver's AuthenticationConfiguration, and a role binding.
//!
//! Kubernetes documentation, "Authenticating", "Using Authentication Configuration" (`v1beta1`
//! since 1.30; 1.34 adds `v1` and still accepts `v1beta1`), and "Using RBAC Authorization".

use std::fmt::Write as _;

use ring::digest::{SHA256, digest};

use crate::shell;
use crate::trust::quote::{cel, double_quoted};
use crate::trust::script::{Script, comments};
use crate::trust::{Identity, Rule};

/// The claim that identifies a user.
pub(crate) const USER: &str = "user_id";

/// Values that only the administrator knows.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub role: RoleRef,
    /// The namespace in which the role is granted; `None` for all namespaces.
    pub namespace: Option<String>,
    /// The group of all users with an accepted token.
    pub group: String,
    /// The prefix of the user names.
    pub prefix: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RoleRef {
    Role(String),
    ClusterRole(String),
}

/// Which tokens the API server accepts, and what their users may do.
#[derive(Debug)]
pub(crate) struct SetUp<'a> {
    identity: &'a Identity,
    settings: &'a Settings,
    user_claim: &'static str,
    rule: Option<String>,
}

impl<'a> SetUp<'a> {
    /// The setup for a role that already exists.
    pub(crate) fn new(identity: &'a Identity, rule: &Rule, settings: &'a Settings) -> Self {
        let user_claim = if rule.is_about(USER) { USER } else { "sub" };
        Self { identity, settings, user_claim, rule: cel(rule, "claims") }
    }

    /// The file of `--authentication-config`.
    pub(crate) fn authentication(&self, head: &[String]) -> String {
        let quoted = double_quoted;
        let mut out = comments(head);
        let _ = write!(
            out,
            "apiVersion: apiserver.config.k8s.io/v1beta1\n\
             kind: AuthenticationConfiguration\n\
             jwt:\n  \
               - issuer:\n      \
                   url: {}\n      \
                   audiences:\n",
            quoted(&self.identity.issuer)
        );
        // kube-apiserver does not start if an audience is listed twice.
        let mut audiences: Vec<&str> = Vec::new();
        for audience in &self.identity.audiences {
            if !audiences.contains(&audience.as_str()) {
                audiences.push(audience);
            }
        }
        for audience in &audiences {
            let _ = writeln!(out, "        - {}", quoted(audience));
        }
        if audiences.len() > 1 {
            out.push_str("      audienceMatchPolicy: MatchAny\n");
        }
        if let Some(rule) = &self.rule {
            let _ = write!(
                out,
                "    claimValidationRules:\n      \
                   - expression: {}\n        \
                     message: {}\n",
                quoted(rule),
                quoted("the token does not match the claim rule of this cluster")
            );
        }
        let _ = write!(
            out,
            "    claimMappings:\n      \
               username:\n        \
                 claim: {}\n        \
                 prefix: {}\n      \
               groups:\n        \
                 expression: {}\n",
            quoted(self.user_claim),
            quoted(&self.settings.prefix),
            quoted(&format!("[{}]", quoted(&self.settings.group)))
        );
        out
    }

    /// A RoleBinding or a ClusterRoleBinding.
    pub(crate) fn rbac(&self, head: &[String]) -> String {
        let quoted = double_quoted;
        let mut out = comments(head);
        let kind = if self.settings.namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" };
        let (role_kind, role) = self.settings.role.parts();
        let _ = write!(
            out,
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: {}\n",
            quoted(&binding_name(&self.settings.group, &self.settings.role))
        );
        if let Some(namespace) = &self.settings.namespace {
            let _ = writeln!(out, "  namespace: {}", quoted(namespace));
        }
        let _ = write!(
            out,
            "roleRef:\n  \
               apiGroup: rbac.authorization.k8s.io\n  \
               kind: {role_kind}\n  \
               name: {}\n\
             subjects:\n  \
               - apiGroup: rbac.authorization.k8s.io\n    \
                 kind: Group\n    \
                 name: {}\n",
            quoted(role),
            quoted(&self.settings.group)
        );
        out
    }

    /// Shell commands that write the authentication file and create the binding.
    pub(crate) fn commands(&self, head: &[String]) -> String {
        let name = binding_name(&self.settings.group, &self.settings.role);
        let mut find = vec!["kubectl", "get"];
        match &self.settings.namespace {
            Some(namespace) => find.extend(["rolebinding", "--namespace", namespace]),
            None => find.push("clusterrolebinding"),
        }
        find.push(&name);
        Script::with_header(head)
            .comment(
                "On the machines of the control plane: which tokens are accepted. kube-apiserver reads the file that \
                 `--authentication-config` names, and reads it again when it changes. Each issuer may be listed only \
                 once. If the issuer is already listed, join this expression to the existing one with `||`: a token \
                 must match all rules of an issuer. If a private authority signs the issuer's certificate, set \
                 `certificateAuthority` below `issuer`, or start kube-apiserver with `--oidc-ca-file`.",
            )
            .write_file("authentication.yaml", &self.authentication(&[]))
            .blank_line()
            .comment("The permissions of these users: a role binding.")
            .unless_exists(&find)
            .command_reading(&["kubectl", "create", "-f", "-"], &self.rbac(&[]))
            .or_print(&format!(
                "the binding {name} already exists and was not changed; to check its role and its group, run: {} --output yaml",
                shell::command(&find)
            ))
            .end()
            .finish()
    }
}

impl RoleRef {
    /// The kind and the name.
    fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Role(name) => ("Role", name),
            Self::ClusterRole(name) => ("ClusterRole", name),
        }
    }
}

/// A binding name that is unique for the group and the role. The role of a binding cannot be
/// changed, so a Role and a ClusterRole with the same name need two bindings. The name has no `/`
/// and no `%`.
fn binding_name(group: &str, role: &RoleRef) -> String {
    let (kind, role) = role.parts();
    let name = format!("{group}-{}-{role}", kind.to_ascii_lowercase());
    let is_distinct = [group, role].iter().all(|part| !part.contains(['/', '%']) && !part.contains("role-"));
    if is_distinct {
        return name;
    }
    let digest = digest(&SHA256, format!("{group}%{kind}%{role}").as_bytes());
    let suffix = digest.as_ref().iter().take(4).fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte));
    format!("{}-{suffix:08x}", name.replace(['/', '%'], "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bindings_of_different_groups_and_roles_have_different_names() {
        let cluster_role = |name: &str| RoleRef::ClusterRole(name.into());
        assert_eq!(binding_name("ci:all", &cluster_role("view")), "ci:all-clusterrole-view");
        let names = [
            binding_name("a/b", &cluster_role("c")),
            binding_name("a%b", &cluster_role("c")),
            binding_name("a-b", &cluster_role("c")),
            binding_name("a-b", &RoleRef::Role("c".into())),
            binding_name("x-clusterrole-y", &cluster_role("z")),
            binding_name("x", &cluster_role("y-clusterrole-z")),
        ];
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
        assert!(names.iter().all(|name| !name.contains(['/', '%'])), "{names:?}");
    }
}
