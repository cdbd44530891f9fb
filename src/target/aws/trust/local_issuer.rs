//! A policy in a local workspace: AWS never trusts the issuer of `gp idp dev`, so a provider of the policy replaces it.

use crate::target::aws::iam::{Principal, TrustPolicy};

/// Parts of the names of providers that belong to other services. Their tokens are not those of a workspace.
const OTHER_SERVICE_ISSUERS: [&str; 5] = [
    "token.actions.githubusercontent.com",
    "oidc.eks.",
    "accounts.google.com",
    "gitlab.com",
    "oidc.circleci.com",
];

pub(super) fn is_of_other_service(name: &str) -> bool {
    OTHER_SERVICE_ISSUERS.iter().any(|part| name.contains(part))
}

/// The providers of a policy that replace a local issuer. Empty if the issuer is not local, or if
/// the policy names it.
pub(super) fn replacements<'a>(policy: &'a TrustPolicy, issuer: &str) -> Vec<&'a str> {
    let Some(own) = issuer.strip_prefix("http://").filter(|name| name.starts_with("127.0.0.1:")) else {
        return Vec::new();
    };
    let names_own = policy.statements.iter().any(|statement| {
        let in_principal = match &statement.principal {
            Principal::Anyone => false,
            Principal::Named(named) => named.iter().any(|(_, id)| id.contains(own)),
        };
        in_principal || statement.conditions.iter().any(|condition| condition.key.contains(own))
    });
    if names_own { Vec::new() } else { policy.oidc_providers() }
}

/// The advice for a policy whose keys name another provider than its principals. Only the issuer of the real tokens shows
/// which of them is right, and a local workspace does not know it. `name` is the provider in the principal.
pub(super) fn other_provider_in_keys(policy: &TrustPolicy, name: &str) -> Option<String> {
    let keys = policy.statements.iter().flat_map(|statement| &statement.conditions);
    let providers = keys.filter_map(|condition| Some(condition.key.rsplit_once(':')?.0));
    let is_other = |found: &&str| found.contains('.') && !policy.oidc_providers().contains(found);
    let found = providers.into_iter().find(is_other)?;
    Some(format!(
        "the keys name {found} and the principal names {name}: if the issuer of the real tokens is https://{found}, \
         correct the principal instead of the keys"
    ))
}
