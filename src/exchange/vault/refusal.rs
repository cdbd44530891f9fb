//! Each refusal as its cause and the one thing that mends it. The words are those of the JWT auth method and of
//! the server around it; the statuses say little, because nearly everything is a 400.

use super::wire::{self, MfaRequirement};
use super::{Vault, VaultMount};
use crate::exchange::{Exchange, ExchangeError};
use crate::http::{Garbled, HttpError, Reply};
use crate::json::Json;
use crate::jwt::{Decoded, IdToken};
use crate::time;

/// Up to this many seconds, a difference of clocks may be the time that the requests took.
const SKEW: i64 = 30;

/// An answer that is no success, read.
pub(super) struct Refused<'a> {
    vault: &'a Vault<'a>,
    errors: Vec<String>,
    reply: &'a Reply,
}

/// Why a login was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cause<'a> {
    /// `aud` is none of the role's.
    Audience,
    /// The role has no audiences.
    NoBoundAudiences,
    Subject,
    Issuer,
    /// A claim has another value.
    Claim(&'a str),
    /// A claim that has to be there is not.
    NoClaim(&'a str),
    /// The claim that names the user is not there.
    NoUser(&'a str),
    /// Or is neither text nor a number that could stand for a name.
    OddUser(&'a str),
    NoGroups(&'a str),
    OddGroups,
    Expired,
    NotYet,
    NoTimes,
    Signature,
    /// The server cannot fetch the keys.
    Keys,
    NoSuchRole,
    NoRole,
    /// The role is for people with a browser.
    OidcRole,
    NotConfigured,
    /// Another auth method answers.
    OtherMethod,
    /// No such mount, no such namespace here, or an address that the role does not allow.
    Denied,
    Namespace,
    /// No such path.
    Path,
    Other,
}

impl<'a> Refused<'a> {
    pub(super) fn new(vault: &'a Vault<'a>, errors: Vec<String>, reply: &'a Reply) -> Self {
        Self { vault, errors, reply }
    }

    /// Reads an answer; one that is none of Vault's is an error of its own.
    pub(super) fn read(vault: &'a Vault<'a>, reply: &'a Reply) -> Result<Self, ExchangeError> {
        match wire::errors(reply) {
            Ok(errors) => Ok(Self::new(vault, errors, reply)),
            // A load balancer answers for a server that is down, with a page of its own.
            Err(_) if reply.status == 429 || reply.status >= 500 => Ok(Self::new(vault, Vec::new(), reply)),
            Err(_) if reply.says("HTTP request to an HTTPS server") => {
                let cause = HttpError::WantsTls { origin: reply.origin.clone() };
                Err(ExchangeError::Unreachable { target: vault.name(), cause })
            }
            // A standby node names the active one; the ID token is not sent there unasked.
            Err(Garbled::Redirect { location, status, .. }) if location.contains("/v1/") => {
                let (address, _) = location.split_once("/v1/").unwrap_or_default();
                Err(ExchangeError::Unavailable {
                    target: vault.name(),
                    said: format!("it redirects to {address} (HTTP {status})"),
                    hint: format!("if that is its active node, set `VAULT_ADDR={address}`"),
                })
            }
            Err(cause) => Err(ExchangeError::Garbled { target: vault.name(), cause }),
        }
    }

    pub(super) fn says(&self, words: &str) -> bool {
        self.errors.iter().any(|error| error.contains(words))
    }

    /// The words of the server, and its status.
    fn said(&self) -> String {
        let errors: Vec<&str> = self.errors.iter().map(|error| error.trim()).collect();
        match errors.join("; ") {
            words if words.is_empty() => format!("HTTP {}", self.reply.status),
            words => format!("{words} (HTTP {})", self.reply.status),
        }
    }

    /// The server's own state, which has nothing to do with what it was asked.
    fn unavailable(&self) -> Option<ExchangeError> {
        let status = self.reply.status;
        let hint = if self.says("is sealed") {
            "somebody with its keys has to unseal it: `vault operator unseal`"
        } else if status == 429 || status == 412 || status >= 500 {
            "try again later, or give it more time with `--timeout 2m`"
        } else {
            return None;
        };
        let said = self.said();
        Some(ExchangeError::Unavailable { target: self.vault.name(), said, hint: hint.into() })
    }

    /// A refusal of something that no ID token was sent for.
    pub(super) fn without_token(self) -> ExchangeError {
        self.unavailable().unwrap_or_else(|| ExchangeError::Rejected {
            target: self.vault.name(),
            said: self.said(),
            judged: Box::default(),
            hint: Some("check `VAULT_ADDR` and `VAULT_NAMESPACE`".into()),
            stale: false,
        })
    }

    /// A refusal of a login with this token.
    pub(super) fn explain(self, mount: &VaultMount<'_>, token: &IdToken) -> ExchangeError {
        let cause = cause(self.reply.status, &self.errors);
        // Some mistakes of the caller come as an error of the server, too.
        if let Some(unavailable) = self.unavailable().filter(|_| cause == Cause::Other) {
            return unavailable;
        }
        let mut judged = mount.judged(token);
        let claim = match cause {
            Cause::Claim(name)
            | Cause::NoClaim(name)
            | Cause::NoUser(name)
            | Cause::OddUser(name)
            | Cause::NoGroups(name) => Some(name),
            _ => None,
        };
        if let Some(name) = claim {
            judged = judged.with("claim", format!("{name} = {}", claim_of(token, name)));
        }
        let clocks = self.clocks(token);
        if matches!(cause, Cause::Expired | Cause::NotYet) {
            judged = clocks.iter().fold(judged, |judged, line| judged.with("clock", line));
        }
        let hint = hint(&cause, mount, token, !clocks.is_empty());
        ExchangeError::Rejected {
            target: mount.target(),
            said: self.said(),
            judged: Box::new(judged),
            hint,
            // An ID token is minted for each login: another one would say the same.
            stale: false,
        }
    }

    /// Whose clock is off by more than a moment, by the `Date` of the answer and the token that has just been
    /// issued.
    fn clocks(&self, token: &IdToken) -> Vec<String> {
        let Some(date) = self.reply.date() else { return Vec::new() };
        let line = |who: &str, of: jiff::Timestamp| {
            let seconds = of.as_second().saturating_sub(date.as_second());
            let side = if seconds > 0 { "ahead of" } else { "behind" };
            (seconds.abs() > SKEW)
                .then(|| format!("{who} is {} {side} the server", time::span(seconds.unsigned_abs())))
        };
        let issued = token.claims().as_claimed().issued_at.and_then(|at| line("the issuer", at));
        issued.into_iter().chain(line("this machine", self.vault.http.ctx().now())).collect()
    }
}

/// A login that wants more than a token.
pub(super) fn of_mfa(mount: &VaultMount<'_>, requirement: &MfaRequirement, token: &IdToken) -> ExchangeError {
    let enforcements: Vec<&str> = requirement.mfa_constraints.keys().map(String::as_str).collect();
    let mut kinds: Vec<&str> = Vec::new();
    for method in requirement.mfa_constraints.values().flat_map(|constraint| &constraint.any) {
        if !kinds.contains(&method.kind.as_str()) {
            kinds.push(&method.kind);
        }
    }
    let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
    let named =
        if enforcements.is_empty() { String::new() } else { format!(" `{}`", enforcements.join("`, `")) };
    ExchangeError::Rejected {
        target: mount.target(),
        said: format!("the login needs a second factor{kinds} that a workspace does not have"),
        judged: Box::new(mount.judged(token)),
        hint: Some(format!(
            "ask whoever runs the server to leave the mount `{}` out of the MFA login enforcement{named}",
            mount.login.mount.as_str()
        )),
        stale: false,
    }
}

fn cause<'a>(status: u16, errors: &'a [String]) -> Cause<'a> {
    let says = |words: &str| errors.iter().any(|error| error.contains(words));
    // `claim "repository" is missing`
    let quoted = || {
        let mut texts = errors.iter();
        texts.find_map(|error| error.split('"').nth(1)).unwrap_or_default()
    };
    match status {
        404 if says("namespace not found") => return Cause::Namespace,
        404 | 405 => return Cause::Path,
        403 => return Cause::Denied,
        _ => {}
    }
    let words: [(&str, Cause<'a>); 25] = [
        ("no audiences bound to the role", Cause::NoBoundAudiences),
        ("invalid audience (aud) claim", Cause::Audience),
        ("invalid subject (sub) claim", Cause::Subject),
        ("invalid issuer (iss) claim", Cause::Issuer),
        ("does not match any associated bound claim values", Cause::Claim(quoted())),
        ("error validating claims", Cause::NoClaim(quoted())),
        ("failed to fetch groups", Cause::NoGroups(quoted())),
        ("groups claim could not be parsed", Cause::OddGroups),
        ("could not be converted to string", Cause::OddUser(quoted())),
        ("not found in token", Cause::NoUser(quoted())),
        ("no issued at (iat), not before (nbf), or expiration time (exp)", Cause::NoTimes),
        ("invalid expiration time (exp) claim", Cause::Expired),
        ("invalid issued at (iat) claim", Cause::NotYet),
        ("invalid not before (nbf) claim", Cause::NotYet),
        ("fetching keys", Cause::Keys),
        ("error checking jwks", Cause::Keys),
        ("failed to verify id token signature", Cause::Signature),
        ("error verifying token signature", Cause::Signature),
        ("could not be found", Cause::NoSuchRole),
        ("missing role_id", Cause::OtherMethod),
        ("invalid role name", Cause::OtherMethod),
        ("missing role", Cause::NoRole),
        ("oidc role_type is not allowed", Cause::OidcRole),
        ("could not load configuration", Cause::NotConfigured),
        ("unsupported path", Cause::OtherMethod),
    ];
    words.into_iter().find(|(words, _)| says(words)).map_or(Cause::Other, |(_, cause)| cause)
}

/// What the token says under the name that Vault has for a claim: `repository`, or a pointer such as `/a/b`.
fn claim_of(token: &IdToken, name: &str) -> String {
    let payload = Decoded::parse(token.reveal()).map(|decoded| decoded.payload);
    let path = name.strip_prefix('/').map(|path| path.replace('/', "."));
    let value =
        payload.ok().and_then(|payload| payload.at(path.as_deref().unwrap_or(name)).map(Json::compact));
    value.unwrap_or_else(|| "(none)".into())
}

fn hint(cause: &Cause<'_>, mount: &VaultMount<'_>, token: &IdToken, skewed: bool) -> Option<String> {
    let claims = token.claims().as_claimed();
    let path = mount.login.mount.as_str();
    let role = mount.login.role.as_deref().unwrap_or("ROLE");
    let issuer = claims.issuer.as_deref().unwrap_or("the token's issuer");
    let subject = claims.subject.as_deref().unwrap_or_default();
    let audience = claims.audience.first().map_or("vault.hashicorp.com", String::as_str);
    let see = format!("`vault read auth/{path}/role/{role}`");
    Some(match cause {
        Cause::Audience => format!(
            "ask for one of the role's `bound_audiences` with `--audience`, or add `{audience}` to them; {see} shows them"
        ),
        Cause::NoBoundAudiences => format!(
            "the role needs an audience: `vault write auth/{path}/role/{role} role_type=jwt bound_audiences={audience}`"
        ),
        Cause::Subject => format!(
            "compare `bound_subject` of the role with `{subject}`: upper and lower case count; {see} shows it"
        ),
        Cause::Issuer => format!(
            "`bound_issuer` of the mount has to be exactly `{issuer}`, a final slash counts: `vault read auth/{path}/config`"
        ),
        Cause::Claim(name) => format!(
            "compare `bound_claims` of the role with `claim` above; `bound_claims_type=glob` allows `*` in `{name}`; {see} shows them"
        ),
        Cause::NoClaim(name) => format!(
            "no token of this workspace has the claim `{name}`: take it out of the role's `bound_claims`, or use one of those that `gp idp token --audience {audience} --decode` shows"
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
            "the mount verifies with other keys than those of {issuer}: compare `vault read auth/{path}/config` with {issuer}/.well-known/openid-configuration"
        ),
        Cause::Keys => format!(
            "the server itself has to reach {issuer}: its discovery and JWKS, from where it runs and with a certificate that it trusts"
        ),
        Cause::NoSuchRole => format!("choose another with `--role`; `vault list auth/{path}/role` shows all"),
        Cause::NoRole => "name one with `--role`, or set `IDP_VAULT_ROLE`: the mount has no default".into(),
        Cause::OidcRole => "the role is for people with a browser: one for workspaces has `role_type=jwt`".into(),
        Cause::NotConfigured => format!(
            "the mount knows no issuer yet: `vault write auth/{path}/config oidc_discovery_url={issuer} bound_issuer={issuer}`"
        ),
        Cause::OtherMethod => format!(
            "`{path}` is a mount of another auth method: choose one of type jwt with `--mount`; `vault auth list` shows all"
        ),
        // The server says the same of all three, so that nobody can find out which mounts there are.
        Cause::Denied => format!(
            "check `--mount` ({path}) and `--namespace` ({}) first: the server says the same where no such mount is; then the role's `token_bound_cidrs`",
            mount.login.server.namespace.as_ref().map_or("none", |namespace| namespace.as_str())
        ),
        Cause::Namespace => "check `--namespace` or `VAULT_NAMESPACE`; `vault namespace list` shows those below".into(),
        Cause::Path => format!(
            "check the address: {} is asked for `/v1/auth/{path}/login`",
            mount.login.server.address
        ),
        Cause::Other => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_by_the_words_of_a_real_server() {
        let cases = [
            (
                400,
                "error validating token: invalid audience (aud) claim: audience claim does not match any expected audience",
                Cause::Audience,
            ),
            (400, "audience claim found in JWT but no audiences bound to the role", Cause::NoBoundAudiences),
            (400, "error validating token: invalid subject (sub) claim", Cause::Subject),
            (400, "error validating token: invalid issuer (iss) claim", Cause::Issuer),
            (
                400,
                "error validating claims: claim \"repo\" does not match any associated bound claim values",
                Cause::Claim("repo"),
            ),
            (400, "error validating claims: claim \"repo\" is missing", Cause::NoClaim("repo")),
            (400, "claim \"email\" not found in token", Cause::NoUser("email")),
            (400, "claim \"exp\" could not be converted to string", Cause::OddUser("exp")),
            (400, "failed to fetch groups: \"groups\" claim not found in token", Cause::NoGroups("groups")),
            (
                400,
                "error validating token: invalid expiration time (exp) claim: token is expired",
                Cause::Expired,
            ),
            (
                400,
                "error validating token: invalid not before (nbf) claim: token not yet valid",
                Cause::NotYet,
            ),
            (
                400,
                "error validating token: error verifying token signature: failed to verify id token signature",
                Cause::Signature,
            ),
            (
                400,
                "error validating token: error verifying token signature: fetching keys oidc: get keys failed Get \"http://127.0.0.1:1/jwks\": dial tcp 127.0.0.1:1: connect: connection refused",
                Cause::Keys,
            ),
            (400, "role \"nope\" could not be found", Cause::NoSuchRole),
            (400, "missing role", Cause::NoRole),
            (500, "missing role_id", Cause::OtherMethod),
            (400, "role with oidc role_type is not allowed", Cause::OidcRole),
            (400, "could not load configuration", Cause::NotConfigured),
            (403, "permission denied", Cause::Denied),
            (404, "namespace not found", Cause::Namespace),
            (400, "relative paths not supported", Cause::Other),
        ];
        for (status, words, expected) in cases {
            let errors = [words.to_owned()];
            assert_eq!(cause(status, &errors), expected, "{words}");
        }
        assert_eq!(cause(404, &[]), Cause::Path);
    }
}
