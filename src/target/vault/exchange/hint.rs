//! The fix for a refusal, with the values of this login, ready to copy.

use super::cause::Cause;
use super::wire::Refusal;
use crate::exchange::{Refused, discovery};
use crate::shell::posix_quote;
use crate::target::vault::request::LoginRequest;

#[allow(clippy::too_many_lines, reason = "one table of causes")]
pub(super) fn of(
    cause: &Cause<'_>,
    request: &LoginRequest,
    refused: &Refused<'_, Refusal>,
) -> Option<String> {
    let claims = &refused.claims;
    let path = request.mount.as_str();
    let role = request.role.as_deref().unwrap_or("ROLE");
    let issuer = claims.issuer.as_deref().unwrap_or("the token's issuer");
    let namespace = request
        .server
        .namespace
        .as_ref()
        .map_or_else(|| "none".to_owned(), |namespace| format!("`{}`", namespace.as_str()));
    let subject = claims.subject.as_deref().unwrap_or_default();
    let audience = claims.audience.first().map_or("vault.hashicorp.com", String::as_str);
    // A claim may contain anything, and the reader pastes the command into a shell. `vault` does not know a namespace that
    // is set for `gp`.
    let of_namespace = request.server.namespace.as_ref().map_or_else(String::new, |namespace| {
        format!("{} ", posix_quote(&format!("-namespace={}", namespace.as_str())))
    });
    let quoted = |rest: &str| format!("{of_namespace}{}", posix_quote(&format!("auth/{path}/{rest}")));
    let (role_path, config_path) = (quoted(&format!("role/{role}")), quoted("config"));
    let audience_word = posix_quote(audience);
    let see = format!("`vault read {role_path}`");
    let owner = "Vault's administrator";
    let compare = format!(
        "to see each difference, run `vault read -format=json {role_path} | gp idp trust vault --check -` (with a Vault token that may read the role)"
    );
    Some(match cause {
        Cause::Audience => format!(
            "the role does not list `{audience}` in its `bound_audiences`: set `--audience` to an audience that the role lists ({see} prints them)\n\
             if you need this audience, ask {owner} to add `{audience}` to the role's `bound_audiences`"
        ),
        Cause::NoBoundAudiences => format!(
            "the role lists no audience, but the token has one: ask {owner} to add it to the role with `vault write {role_path} role_type=jwt bound_audiences={audience_word}`"
        ),
        Cause::Subject => format!(
            "the role's `bound_subject` is not `{subject}`: ask {owner} to correct it (the comparison is case-sensitive)\n\
             {compare}"
        ),
        Cause::Issuer => format!(
            "the mount expects another issuer: ask {owner} to set `bound_issuer` to exactly `{issuer}` (a final slash matters)\n\
             to see the current value, run `vault read {config_path}`"
        ),
        Cause::Claim(name) => format!(
            "the role's `bound_claims` require another value for `{name}` than the one above: ask {owner} to correct the role\n\
             if the value in the role contains a `*`, ask {owner} to also set `bound_claims_type=glob`\n\
             {compare}"
        ),
        Cause::NoClaim(name) => format!(
            "no token of this workspace has the claim `{name}`: ask {owner} to remove it from the role's `bound_claims`\n\
             if the role must bind a claim, ask {owner} to bind one that `gp idp token --audience {audience_word} --decode` shows"
        ),
        Cause::NoUser(name) | Cause::UserNotString(name) => format!(
            "the role's `user_claim` is `{name}`, but the token has no string claim with this name: ask {owner} to write the role again with `user_claim=sub`, which always works"
        ),
        Cause::NoGroups(name) => format!(
            "the role's `groups_claim` is `{name}`, but the token has no list of strings with this name: ask {owner} to remove `groups_claim` from the role"
        ),
        Cause::GroupsNotStrings => format!(
            "the role's `groups_claim` names a claim that is not a list of strings in this token: ask {owner} to remove `groups_claim` from the role\n\
             to see which claim it names, run {see}"
        ),
        Cause::Expired | Cause::NotYet if refused.clocks.issuer.is_some() => format!(
            "{}\n\
             until then, {owner} can raise `clock_skew_leeway` of the role",
            if refused.clocks.local.is_some() {
                format!("the server's clock differs from the clocks of the issuer and of this machine, so most likely it is wrong: ask {owner} to set it right")
            } else {
                format!("the issuer's clock differs from the clocks of the server and of this machine, so most likely it is wrong: ask whoever runs {issuer} to set it right")
            }
        ),
        Cause::Expired | Cause::NotYet => format!(
            "the token is fresh, so the clock of the issuer or of the server is wrong: ask {owner} to compare both clocks with `date -u`\n\
             until the clocks are correct, {owner} can raise `clock_skew_leeway` of the role"
        ),
        Cause::NoTimeClaims => format!(
            "{issuer} issues tokens without `iat`, `nbf` and `exp`: report this to the issuer's operator"
        ),
        Cause::Signature => format!(
            "the mount does not use the keys of {issuer}: ask {owner} to set `oidc_discovery_url={}` in the mount's configuration\n\
             to see which keys the mount uses instead, run `vault read {config_path}`, and compare `oidc_discovery_url` or `jwks_url` with {}",
            posix_quote(issuer),
            discovery(issuer)
        ),
        Cause::Keys => format!(
            "the server cannot fetch the keys of {issuer}, for the reason above: ask {owner} to let the server reach the issuer's discovery document and keys\n\
             if the reason is a certificate, ask {owner} to make the server trust the issuer's certificate"
        ),
        Cause::Discovery => format!(
            "the server cannot read the issuer's discovery document, for the reason above: ask {owner} to check with `vault read {config_path}` that `oidc_discovery_url` is `{issuer}`\n\
             if the value is correct, ask {owner} to let the server reach {}\n\
             if the reason above is a certificate, ask {owner} to make the server trust the issuer's certificate\n\
             Vault reads this address again after each restart, so it must stay reachable",
            discovery(issuer)
        ),
        Cause::NoSuchRole => format!(
            "most likely `--role` is misspelled: correct it (`vault list {}` prints the roles of the mount `{path}`)\n\
             if the role is in another namespace, set `--namespace` ({namespace} is set now)\n\
             if the role is at another mount, set `--mount`",
            quoted("role")
        ),
        Cause::NoRole => "no role was given, and the mount has no default role: name one with `--role NAME`, or set `IDP_VAULT_ROLE`".into(),
        Cause::OidcRole => format!(
            "the role has `role_type=oidc`, for logins with a browser, but an ID token needs `role_type=jwt`: ask {owner} to run `vault write {role_path} role_type=jwt user_claim=sub bound_audiences={audience_word}` with the role's other settings\n\
             if browsers need this role, choose another role with `--role`"
        ),
        Cause::NotConfigured => format!(
            "the mount has no issuer yet: ask {owner} to set it with `vault write {config_path} oidc_discovery_url={issuer} bound_issuer={issuer}`",
            issuer = posix_quote(issuer)
        ),
        Cause::OtherMethod => format!(
            "the mount `{path}` has another auth method: choose a mount of type jwt with `--mount`\n\
             to see all mounts, run `vault auth list`"
        ),
        // The server gives the same reply for all three, so that nobody can find out its mounts.
        Cause::Denied => format!(
            "most likely there is no mount `{path}`: correct `--mount` (the server does not name the cause)\n\
             if the mount is in another namespace, set `--namespace` ({namespace} is set now)\n\
             if the role's `token_bound_cidrs` do not allow this machine's address, ask {owner} to add the address\n\
             to find the cause, ask {owner} to run `vault auth list` and {see}"
        ),
        Cause::Namespace => format!(
            "the server has no namespace {namespace}: correct `{}`\n\
             to see the namespaces of the root, run `VAULT_NAMESPACE= vault namespace list`",
            request.server.namespace_from
        ),
        Cause::Path => format!(
            "{} has no path `/v1/auth/{path}/login`. Most likely `{}` is wrong: give the server's address without `/v1` and `/ui`",
            request.server.address,
            request.server.address_from
        ),
        Cause::Other => return None,
    })
}
