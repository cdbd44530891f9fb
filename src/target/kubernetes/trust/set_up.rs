//! Kubernetes: kube-apiserver's AuthenticationConfiguration, and a role binding.
//!
//! Kubernetes documentation, "Authenticating", "Using Authentication Configuration" (`v1beta1`
//! since 1.30, and still taken beside `v1` since 1.34), and "Using RBAC Authorization".

use std::fmt::Write as _;

use crate::trust::quote::{cel, double_quoted};
use crate::trust::script::{Script, comments};
use crate::trust::{Identity, Rule};

/// The claim that a user is known by.
pub(crate) const USER: &str = "user_id";

/// What only the administrator knows.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub role: RoleRef,
    /// Where it is granted; everywhere without one.
    pub namespace: Option<String>,
    /// The group that the tokens' owners are put into.
    pub group: String,
    /// What is put in front of the name of a user.
    pub prefix: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RoleRef {
    Role(String),
    ClusterRole(String),
}

/// Who gets in, and what they may do.
#[derive(Debug)]
pub(crate) struct SetUp<'a> {
    identity: &'a Identity,
    settings: &'a Settings,
    user_claim: &'static str,
    rule: Option<String>,
}

impl<'a> SetUp<'a> {
    /// For a role that exists.
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
        // kube-apiserver does not start with one that stands there twice.
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
                quoted("the token is not one of those that are let in")
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
        let (role_kind, role) = match &self.settings.role {
            RoleRef::Role(name) => ("Role", name),
            RoleRef::ClusterRole(name) => ("ClusterRole", name),
        };
        let _ = write!(
            out,
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: {}\n",
            quoted(&binding_name(&self.settings.group, role_kind, role))
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

    /// A file to write and `kubectl` lines.
    pub(crate) fn commands(&self, head: &[String]) -> String {
        let mut script = Script::under(head);
        script
            .gap()
            .comment(
                "On the machines of the control plane: who gets in. kube-apiserver reads the file that \
                 `--authentication-config` names, and reads it again when it changes. An issuer may stand there \
                 once: where it does already, put this rule there, joined with `||` to the expression that is there: of several \
                 rules, a token has to fulfil all. Where the issuer has a certificate of a private authority, give \
                 `certificateAuthority` below `issuer`, or start kube-apiserver with `--oidc-ca-file`.",
            )
            .write_file("authentication.yaml", &self.authentication(&[]))
            .gap()
            .comment("What they may do. A binding of this name that is there already stays as it is.")
            .command_reading(&["kubectl", "create", "-f", "-"], &self.rbac(&[]))
            .finish()
    }
}

/// The name of an object in RBAC may hold anything but `/` and `%`. The kind is in it, because the role of a binding cannot be
/// changed: a Role and a ClusterRole of one name need two bindings.
fn binding_name(group: &str, kind: &str, role: &str) -> String {
    format!("{group}-{}-{role}", kind.to_ascii_lowercase()).replace(['/', '%'], "-")
}
