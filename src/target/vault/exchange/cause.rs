//! The cause of a refusal, from the error texts of a real server. The status says little, because
//! nearly every refusal is a 400.

/// Why a login was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause<'a> {
    /// `aud` is not in the role's `bound_audiences`.
    Audience,
    /// The role has no `bound_audiences`, and the token has an audience.
    NoBoundAudiences,
    Subject,
    Issuer,
    /// A claim has another value.
    Claim(&'a str),
    /// A bound claim is missing.
    NoClaim(&'a str),
    /// The role's `user_claim` is missing.
    NoUser(&'a str),
    /// The role's `user_claim` is not a string.
    UserNotString(&'a str),
    NoGroups(&'a str),
    GroupsNotStrings,
    Expired,
    NotYet,
    NoTimeClaims,
    Signature,
    /// The server cannot fetch the keys.
    Keys,
    /// The server has not read the issuer's discovery document since its start, and cannot read it
    /// now.
    Discovery,
    NoSuchRole,
    NoRole,
    /// The role is for logins with a browser.
    OidcRole,
    NotConfigured,
    /// Another auth method answers.
    OtherMethod,
    /// A missing mount, a mount in another namespace, or a client address that the role does not
    /// allow.
    Denied,
    Namespace,
    Path,
    Other,
}

pub(super) fn of(status: u16, errors: &[String]) -> Cause<'_> {
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
    let words: [(&str, Cause<'_>); 27] = [
        ("keyset configuration error", Cause::Discovery),
        ("/.well-known/openid-configuration", Cause::Discovery),
        ("no audiences bound to the role", Cause::NoBoundAudiences),
        ("invalid audience (aud) claim", Cause::Audience),
        ("invalid subject (sub) claim", Cause::Subject),
        ("invalid issuer (iss) claim", Cause::Issuer),
        ("does not match any associated bound claim values", Cause::Claim(quoted())),
        ("error validating claims", Cause::NoClaim(quoted())),
        ("failed to fetch groups", Cause::NoGroups(quoted())),
        ("groups claim could not be parsed", Cause::GroupsNotStrings),
        ("could not be converted to string", Cause::UserNotString(quoted())),
        ("not found in token", Cause::NoUser(quoted())),
        ("no issued at (iat), not before (nbf), or expiration time (exp)", Cause::NoTimeClaims),
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
            (400, "claim \"exp\" could not be converted to string", Cause::UserNotString("exp")),
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
            (
                500,
                "1 error occurred:\n\t* keyset configuration error: Get \"https://issuer.example.com/.well-known/openid-configuration\": dial tcp 192.0.2.1:443: connect: connection refused\n\n",
                Cause::Discovery,
            ),
            (
                400,
                "error creating provider: Get \"https://issuer.example.com/.well-known/openid-configuration\": x509: certificate signed by unknown authority",
                Cause::Discovery,
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
            assert_eq!(of(status, &errors), expected, "{words}");
        }
        assert_eq!(of(404, &[]), Cause::Path);
    }
}
