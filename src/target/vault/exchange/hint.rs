//! The fix for a refusal, with the values of this login, ready to copy.

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
    let skewed = refused.clocks.are_wrong();
    let claims = &refused.claims;
    let path = request.mount.as_str();
    let role = request.role.as_deref().unwrap_or("ROLE");
    let issuer = claims.issuer.as_deref().unwrap_or("the token's issuer");
    let namespace = request.server.namespace.as_ref().map_or("none", |namespace| namespace.as_str());
    let subject = claims.subject.as_deref().unwrap_or_default();
    let audience = claims.audience.first().map_or("vault.hashicorp.com", String::as_str);
    // A claim may contain anything, and the reader pastes the command into a shell.
    let role_path = posix_quote(&format!("auth/{path}/role/{role}"));
    let config_path = posix_quote(&format!("auth/{path}/config"));
    let audience_word = posix_quote(audience);
    let see = format!("`vault read {role_path}`");
    let owner = "Vault's administrator";
    let compare =
        format!("`vault read -format=json {role_path} | gp idp trust vault --check -` shows each difference");
    Some(match cause {
        Cause::Audience => format!(
            "the role does not list `{audience}` in its `bound_audiences`: set `--audience` to one that it lists ({see} prints them), or ask {owner} to add `{audience}` to them"
        ),
        Cause::NoBoundAudiences => format!(
            "the role lists no audience, and the token has one: ask {owner} to set it with `vault write {role_path} role_type=jwt bound_audiences={audience_word}`"
        ),
        Cause::Subject => format!(
            "the role's `bound_subject` is not `{subject}` (the comparison is case-sensitive): ask {owner} to correct it; {compare}"
        ),
        Cause::Issuer => format!(
            "the mount expects another issuer: ask {owner} to set `bound_issuer` to exactly `{issuer}` (a final slash matters); `vault read {config_path}` prints the current value"
        ),
        Cause::Claim(name) => format!(
            "the role's `bound_claims` have another value for `{name}` than the one above: ask {owner} to correct it, and to set `bound_claims_type=glob` if the value contains a `*`; {compare}"
        ),
        Cause::NoClaim(name) => format!(
            "no token of this workspace has the claim `{name}`: ask {owner} to remove it from the role's `bound_claims`, or to bind a claim that `gp idp token --audience {audience_word} --decode` shows"
        ),
        Cause::NoUser(name) | Cause::UserNotString(name) => format!(
            "the role's `user_claim` is `{name}`, and this token has no such string claim: ask {owner} to write the role again with `user_claim=sub`, which always works; {see} prints the current value"
        ),
        Cause::NoGroups(name) => format!(
            "the role's `groups_claim` is `{name}`, and this token has no list of strings under that name: ask {owner} to remove `groups_claim` from the role; {see} prints it"
        ),
        Cause::GroupsNotStrings => {
            format!("the claim in the role's `groups_claim` is not a list of strings in this token: ask {owner} to remove `groups_claim` from the role; {see} prints it")
        }
        Cause::Expired | Cause::NotYet if skewed => {
            format!("the token is fresh, but the clock of the issuer or of the server is wrong: compare both with `date -u` here, and ask for a correction; until then, {owner} can raise `clock_skew_leeway` of the role")
        }
        Cause::Expired | Cause::NotYet => {
            format!("the token is fresh, so the clock of the issuer or of the server is wrong: ask {owner} to compare both with `date -u`; `clock_skew_leeway` of the role allows for a difference")
        }
        Cause::NoTimeClaims => format!("{issuer} issues tokens without `iat`, `nbf` and `exp`: report it to the issuer's operator"),
        Cause::Signature => format!(
            "the mount does not use the keys of {issuer}: ask {owner} to compare {} with `vault read {config_path}`, and to set `oidc_discovery_url={}` there",
            discovery(issuer),
            posix_quote(issuer)
        ),
        Cause::Keys => format!(
            "the server cannot fetch the keys of {issuer}, for the reason above: ask {owner} to let the server reach the discovery document and the keys there, with a certificate that the server trusts"
        ),
        Cause::Discovery => format!(
            "the server cannot read the discovery document of the issuer, for the reason above: ask {owner} (1) to run `vault read {config_path}`: `oidc_discovery_url` has to be `{issuer}`; (2) to make sure that the server can reach {} after each restart, and trusts its certificate",
            discovery(issuer)
        ),
        Cause::NoSuchRole => format!(
            "the mount `{path}` has no such role: most likely `--role` is misspelled (`vault list {}` prints the roles of the mount); or the role is in another namespace (`--namespace`, now {namespace}) or at another mount (`--mount`)",
            posix_quote(&format!("auth/{path}/role"))
        ),
        Cause::NoRole => "no role was given, and the mount has no default: name one with `--role NAME`, or set `IDP_VAULT_ROLE`".into(),
        Cause::OidcRole => format!(
            "the role has `role_type=oidc`, for logins with a browser, and an ID token needs `jwt`: ask {owner} to run `vault write {role_path} role_type=jwt user_claim=sub bound_audiences={audience_word}` with the role's other settings, or choose another role with `--role`"
        ),
        Cause::NotConfigured => format!(
            "the mount has no issuer yet: ask {owner} to set it with `vault write {config_path} oidc_discovery_url={issuer} bound_issuer={issuer}`",
            issuer = posix_quote(issuer)
        ),
        Cause::OtherMethod => format!(
            "the mount `{path}` has another auth method: choose a mount of type jwt with `--mount`; `vault auth list` prints all mounts"
        ),
        // The server gives the same reply for all three, so that nobody can find out its mounts.
        Cause::Denied => format!(
            "the server does not name the cause; possible causes, most likely first: (1) there is no mount `{path}`: correct `--mount`; (2) the mount is in another namespace: set `--namespace` (now {namespace}); (3) the role's `token_bound_cidrs` do not allow this machine's address; {owner} sees all three with `vault auth list` and {see}"
        ),
        Cause::Namespace => format!("the server has no namespace `{namespace}`: correct `--namespace` or `VAULT_NAMESPACE`; `VAULT_NAMESPACE= vault namespace list` prints the namespaces of the root"),
        Cause::Path => format!(
            "most likely `VAULT_ADDR` or `--address` is wrong: {} has no path `/v1/auth/{path}/login`; give the address without `/v1` and `/ui`",
            request.server.address
        ),
        Cause::Other => return None,
    })
}
