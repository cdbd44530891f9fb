//! Whether a token may log in, in the order of the real server: role, signature, issuer, subject, audience, times,
//! user, groups, claims.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

use super::options::VaultOptions;
use super::refusal::Refusal;
use super::role::VaultRole;
use crate::json::Json;
use crate::jwt::{Claims, Decoded, IdToken, crypto};

/// What the times of a token may be off by, in seconds, unless the role says otherwise.
const LEEWAY: i64 = 60;

/// What the mount was configured with.
pub(super) struct Trusted<'a> {
    pub(super) issuer: &'a str,
    pub(super) jwks: &'a Value,
}

/// What a login was asked with.
pub(super) struct Asked<'a> {
    pub(super) role: Option<&'a str>,
    pub(super) token: Option<&'a str>,
}

/// What it may have.
pub(super) struct Granted<'a> {
    pub(super) role: &'a VaultRole,
}

pub(super) fn judge<'a>(
    options: &'a VaultOptions,
    trusted: &Trusted<'_>,
    asked: &Asked<'_>,
    now: i64,
) -> Result<Granted<'a>, Refusal> {
    let name = asked.role.or(options.default_role.as_deref()).ok_or_else(|| Refusal::bad("missing role"))?;
    let role = options.roles.iter().find(|role| role.name == name.to_lowercase());
    let role = role.ok_or_else(|| Refusal::bad(format!("role \"{name}\" could not be found")))?;
    if role.role_type == "oidc" {
        return Err(Refusal::bad("role with oidc role_type is not allowed"));
    }
    let token = asked.token.ok_or_else(|| Refusal::bad("missing token"))?;
    let malformed = |_| Refusal::token("error verifying token signature: oidc: malformed jwt");
    let decoded = Decoded::parse(token).map_err(malformed)?;
    check_signature(token, trusted.jwks)?;
    let parsed = IdToken::parse(token).map_err(malformed)?;
    let claims = parsed.claims().as_claimed();
    let issuer = options.bound_issuer.as_deref().unwrap_or(trusted.issuer);
    if claims.issuer.as_deref() != Some(issuer) {
        return Err(Refusal::token("invalid issuer (iss) claim"));
    }
    if !role.bound_subject.is_empty() && claims.subject.as_deref() != Some(&role.bound_subject) {
        return Err(Refusal::token("invalid subject (sub) claim"));
    }
    let bound = &role.bound_audiences;
    if !bound.is_empty() && !claims.audience.iter().any(|audience| bound.contains(audience)) {
        return Err(Refusal::token(
            "invalid audience (aud) claim: audience claim does not match any expected audience",
        ));
    }
    check_times(claims, now)?;
    if bound.is_empty() && !claims.audience.is_empty() {
        return Err(Refusal::bad("audience claim found in JWT but no audiences bound to the role"));
    }
    check_identity(role, &decoded.payload)?;
    check_bound_claims(role, &decoded.payload)?;
    Ok(Granted { role })
}

fn check_signature(token: &str, jwks: &Value) -> Result<(), Refusal> {
    crypto::install();
    let failed = |reason: &str| Refusal::token(&format!("error verifying token signature: {reason}"));
    let header = jsonwebtoken::decode_header(token).map_err(|_| failed("oidc: malformed jwt"))?;
    let allowed = [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::ES256, Algorithm::ES384];
    if !allowed.contains(&header.alg) {
        return Err(failed("oidc: id token signed with unsupported algorithm"));
    }
    let keys: JwkSet =
        serde_json::from_value(jwks.clone()).map_err(|_| failed("fetching keys oidc: get keys failed"))?;
    let key = header.kid.and_then(|id| keys.find(&id).map(DecodingKey::from_jwk));
    let Some(Ok(key)) = key else { return Err(failed("failed to verify id token signature")) };
    let mut validation = Validation::new(header.alg);
    // Claims are checked by the caller, in the order and the words of the real server.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    jsonwebtoken::decode::<Value>(token, &key, &validation)
        .map_err(|_| failed("failed to verify id token signature"))?;
    Ok(())
}

fn check_times(claims: &Claims, now: i64) -> Result<(), Refusal> {
    let seconds = |at: Option<jiff::Timestamp>| at.map(jiff::Timestamp::as_second);
    let (issued, expires) = (seconds(claims.issued_at), seconds(claims.expires_at));
    if issued.is_none() && expires.is_none() {
        return Err(Refusal::token(
            "no issued at (iat), not before (nbf), or expiration time (exp) claims in token",
        ));
    }
    if expires.is_some_and(|expires| now >= expires.saturating_add(LEEWAY)) {
        return Err(Refusal::token("invalid expiration time (exp) claim: token is expired"));
    }
    // Without `nbf`, `iat` stands for it.
    if issued.is_some_and(|issued| now < issued.saturating_sub(LEEWAY)) {
        return Err(Refusal::token("invalid not before (nbf) claim: token not yet valid"));
    }
    Ok(())
}

fn check_identity(role: &VaultRole, payload: &Json) -> Result<(), Refusal> {
    let name = &role.user_claim;
    let user =
        claim(payload, name).ok_or_else(|| Refusal::bad(format!("claim \"{name}\" not found in token")))?;
    if user.as_str().is_none() {
        return Err(Refusal::bad(format!("claim \"{name}\" could not be converted to string")));
    }
    let name = &role.groups_claim;
    if name.is_empty() {
        return Ok(());
    }
    let groups = claim(payload, name).ok_or_else(|| {
        Refusal::bad(format!("failed to fetch groups: \"{name}\" claim not found in token"))
    })?;
    if groups.as_strings().is_some() {
        return Ok(());
    }
    let value = groups.compact();
    Err(Refusal::bad(format!("value {value} in groups claim could not be parsed as string")))
}

fn check_bound_claims(role: &VaultRole, payload: &Json) -> Result<(), Refusal> {
    for (name, allowed) in &role.bound_claims {
        let found = claim(payload, name).ok_or_else(|| Refusal::claims(name, "is missing"))?;
        let found: Vec<String> = match found {
            Json::Array(items) => items.iter().map(plain).collect(),
            other => vec![plain(other)],
        };
        let allowed: Vec<String> = match allowed {
            Value::Array(items) => items.iter().map(plain_value).collect(),
            other => vec![plain_value(other)],
        };
        let glob = role.bound_claims_type == "glob";
        let fits = |value: &String| {
            allowed.iter().any(|allowed| if glob { matches(allowed, value) } else { allowed == value })
        };
        if !found.iter().any(fits) {
            return Err(Refusal::claims(name, "does not match any associated bound claim values"));
        }
    }
    Ok(())
}

/// A claim by its name, or by a JSON pointer such as `/a/b`.
fn claim<'a>(payload: &'a Json, name: &str) -> Option<&'a Json> {
    match name.strip_prefix('/') {
        Some(path) => path.split('/').try_fold(payload, |json, part| json.get(part)),
        None => payload.get(name),
    }
}

fn plain(value: &Json) -> String {
    value.as_str().unwrap_or_else(|| value.compact())
}

fn plain_value(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `*` stands for any text, also for none.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        let cases = [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("a*", "ab", true),
            ("*b", "ab", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abde", false),
            ("https://github.com/acme/*", "https://github.com/acme/shop", true),
            ("https://github.com/acme/*", "https://github.com/acme", false),
            ("a*a", "a", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
