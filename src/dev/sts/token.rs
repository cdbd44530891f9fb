//! What STS asks of an ID token.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

use super::refusal::Refusal;
use crate::json::Json;
use crate::jwt::{Decoded, crypto};

/// From this age on, in seconds, a token is too old whatever its `exp` says. AWS has such a limit and does not
/// say which.
const MAX_AGE: i64 = 86400;

/// A token that its issuer has signed and that is in time.
pub(super) struct Verified {
    pub(super) claims: Json,
    pub(super) subject: String,
    /// What AWS takes for the audience: `azp`, or all of `aud` where there is no `azp`.
    pub(super) audience: Vec<String>,
}

/// The issuer that an account trusts.
pub(super) struct Issuer<'a> {
    pub(super) url: &'a str,
    pub(super) jwks: &'a Value,
}

/// Checks issuer, signature and times; without a `trusted` issuer, no token will do.
pub(super) fn verify(token: &str, trusted: Option<Issuer<'_>>, now: i64) -> Result<Verified, Refusal> {
    let claims = Decoded::parse(token).map_err(|_| Refusal::not_a_jwt())?.payload;
    let required = |name| claims.get(name).ok_or_else(|| Refusal::missing_claim(name));
    let text = |name| required(name)?.as_str().ok_or_else(|| Refusal::missing_claim(name));
    // AWS takes whole seconds only.
    let seconds = |name| required(name)?.as_i64().ok_or_else(|| Refusal::missing_claim(name));
    let issuer = text("iss")?;
    let Some(trusted) = trusted.filter(|trusted| trusted.url == issuer) else {
        return Err(Refusal::no_provider(&issuer));
    };
    check_signature(token, trusted.jwks)?;
    let (expiry, age) = (seconds("exp")?, now.saturating_sub(seconds("iat")?));
    if expiry <= now {
        return Err(Refusal::expired(now, expiry));
    }
    if age > MAX_AGE {
        return Err(Refusal::too_old(age));
    }
    let subject = text("sub")?;
    let audience = match claims.get("azp").and_then(Json::as_str) {
        Some(azp) => vec![azp],
        None => required("aud")?.as_strings().unwrap_or_default(),
    };
    Ok(Verified { claims, subject, audience })
}

fn check_signature(token: &str, jwks: &Value) -> Result<(), Refusal> {
    crypto::install();
    let header = jsonwebtoken::decode_header(token).map_err(|_| Refusal::not_a_jwt())?;
    let allowed = [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::ES256, Algorithm::ES384];
    if !allowed.contains(&header.alg) {
        return Err(Refusal::not_a_jwt());
    }
    let keys: JwkSet = serde_json::from_value(jwks.clone()).map_err(|_| Refusal::verification_key())?;
    let key = header.kid.and_then(|id| keys.find(&id).map(DecodingKey::from_jwk));
    let Some(Ok(key)) = key else { return Err(Refusal::verification_key()) };
    let mut validation = Validation::new(header.alg);
    // Claims are checked by the caller, in AWS's order and with its words.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    jsonwebtoken::decode::<Value>(token, &key, &validation).map_err(|_| Refusal::signature())?;
    Ok(())
}
