//! The fix for a refusal, with the values of this login in it, ready to be copied.

use super::cause::Cause;
use super::wire::Refusal;
use crate::exchange::{Refused, discovery};
use crate::shell::posix_quote;
use crate::target::vault::request::LoginRequest;

pub(super) fn of(
    cause: &Cause<'_>,
    request: &LoginRequest,
    refused: &Refused<'_, Refusal>,
) -> Option<String> {
    let skewed = refused.clocks.differ();
    let claims = &refused.claims;
    let path = request.mount.as_str();
    let role = request.role.as_deref().unwrap_or("ROLE");
    let issuer = claims.issuer.as_deref().unwrap_or("the token's issuer");
    let namespace = request.server.namespace.as_ref().map_or("none", |namespace| namespace.as_str());
    let subject = claims.subject.as_deref().unwrap_or_default();
    let audience = claims.audience.first().map_or("vault.hashicorp.com", String::as_str);
    // A claim may hold anything, and whoever reads this will paste it into a shell.
    let role_path = posix_quote(&format!("auth/{path}/role/{role}"));
    let config_path = posix_quote(&format!("auth/{path}/config"));
    let audience_word = posix_quote(audience);
    let see = format!("`vault read {role_path}`");
    let compare =
        format!("`vault read -format=json {role_path} | gp idp trust vault --check -` shows each difference");
    Some(match cause {
        Cause::Audience => format!(
            "ask for one of the role's `bound_audiences` with `--audience`, or add `{audience}` to them; {see} shows them"
        ),
        Cause::NoBoundAudiences => format!(
            "the role needs an audience: `vault write {role_path} role_type=jwt bound_audiences={audience_word}`"
        ),
        Cause::Subject => format!(
            "compare `bound_subject` of the role with `{subject}`: upper and lower case count; {compare}"
        ),
        Cause::Issuer => format!(
            "`bound_issuer` of the mount has to be exactly `{issuer}`, a final slash counts: `vault read {config_path}`"
        ),
        Cause::Claim(name) => format!(
            "compare `bound_claims` of the role with `claim` above; `bound_claims_type=glob` allows `*` in `{name}`; {compare}"
        ),
        Cause::NoClaim(name) => format!(
            "no token of this workspace has the claim `{name}`: take it out of the role's `bound_claims`, or use one of those that `gp idp token --audience {audience_word} --decode` shows"
        ),
        Cause::NoUser(name) | Cause::OddUser(name) => format!(
            "the role's `user_claim` `{name}` has to be a claim with text: `user_claim=sub` always works"
        ),
        Cause::NoGroups(name) => format!(
            "the role's `groups_claim` `{name}` has to be a list of texts in the token: take it out of the role"
        ),
        Cause::OddGroups => {
            format!("`groups_claim` of the role has to name a list of texts in the token; {see} shows it")
        }
        Cause::Expired | Cause::NotYet if skewed => {
            "the token is fresh, so a clock is wrong: set the one named above, or raise `clock_skew_leeway` of the role".into()
        }
        Cause::Expired | Cause::NotYet => {
            "the token is fresh, so compare the clocks of issuer and server; `clock_skew_leeway` of the role allows for a difference".into()
        }
        Cause::NoTimes => format!("{issuer} issues tokens without `iat`, `nbf` and `exp`: report it to whoever runs it"),
        Cause::Signature => format!(
            "the mount verifies with other keys than those of {issuer}: compare `vault read {config_path}` with {}",
            discovery(issuer)
        ),
        Cause::Keys => format!(
            "the server itself has to reach {issuer}: its discovery and JWKS, from where it runs and with a certificate that it trusts"
        ),
        Cause::Discovery => format!(
            "the server itself has to reach {}, which it reads again after each restart, with a certificate that it trusts: `vault read {config_path}` shows the address that it uses",
            discovery(issuer)
        ),
        Cause::NoSuchRole => format!(
            "choose another with `--role`, or the namespace that has this one with `--namespace` ({namespace} now); `vault list {}` shows the roles here",
            posix_quote(&format!("auth/{path}/role"))
        ),
        Cause::NoRole => "name one with `--role`, or set `IDP_VAULT_ROLE`: the mount has no default".into(),
        Cause::OidcRole => "the role is for people with a browser: one for workspaces has `role_type=jwt`".into(),
        Cause::NotConfigured => format!(
            "the mount knows no issuer yet: `vault write {config_path} oidc_discovery_url={issuer} bound_issuer={issuer}`",
            issuer = posix_quote(issuer)
        ),
        Cause::OtherMethod => format!(
            "`{path}` is a mount of another auth method: choose one of type jwt with `--mount`; `vault auth list` shows all"
        ),
        // The server says the same of all three, so that nobody can find out which mounts there are.
        Cause::Denied => format!(
            "check `--mount` ({path}) and `--namespace` ({namespace}) first: the server says the same where no such mount is; then the role's `token_bound_cidrs`"
        ),
        Cause::Namespace => "check `--namespace` or `VAULT_NAMESPACE`; `vault namespace list` shows those below".into(),
        Cause::Path => format!(
            "check the address: {} is asked for `/v1/auth/{path}/login`",
            request.server.address
        ),
        Cause::Other => return None,
    })
}
