//! The checks of STS on an ID token.

use jsonwebtoken::Algorithm;
use serde_json::Value;

use super::refusal::Refusal;
use crate::dev::token::{Token, VerifyError};
use crate::json::Json;

/// The algorithms that AWS accepts, except those that cannot be verified here.
const ALGORITHMS: &[Algorithm] =
    &[Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::ES256, Algorithm::ES384];

/// The maximum age of a token, in seconds: an older token is refused even before its `exp`. AWS
/// has such a limit, but does not document its value.
const MAX_AGE: i64 = 86400;

/// The claims of a token with a valid signature and valid times.
pub(super) struct Verified {
    pub(super) claims: Json,
    pub(super) subject: String,
    /// The audience for AWS: `azp`, or all of `aud` if there is no `azp`.
    pub(super) audience: Vec<String>,
}

/// The issuer that an account trusts.
pub(super) struct Issuer<'a> {
    pub(super) url: &'a str,
    pub(super) jwks: &'a Value,
}

/// Checks issuer, signature and times. Without a `trusted` issuer, every token is refused.
pub(super) fn verify(token: &str, trusted: Option<Issuer<'_>>, now: i64) -> Result<Verified, Refusal> {
    let token = Token::read(token).ok_or_else(Refusal::not_a_jwt)?;
    let text = |name| token.string(name).ok_or_else(|| Refusal::missing_claim(name));
    // AWS accepts only whole seconds.
    let seconds = |name| token.seconds(name).ok_or_else(|| Refusal::missing_claim(name));
    let issuer = text("iss")?;
    let Some(trusted) = trusted.filter(|trusted| trusted.url == issuer) else {
        return Err(Refusal::no_provider(&issuer));
    };
    token.verify(trusted.jwks, ALGORITHMS).map_err(|error| match error {
        VerifyError::Header | VerifyError::Algorithm => Refusal::not_a_jwt(),
        VerifyError::Key => Refusal::verification_key(),
        VerifyError::Signature => Refusal::signature(),
    })?;
    let (expiry, age) = (seconds("exp")?, now.saturating_sub(seconds("iat")?));
    if expiry <= now {
        return Err(Refusal::expired(now, expiry));
    }
    if age > MAX_AGE {
        return Err(Refusal::too_old(age));
    }
    let subject = text("sub")?;
    let audience = match token.string("azp") {
        Some(azp) => vec![azp],
        None if token.claims.get("aud").is_none() => return Err(Refusal::missing_claim("aud")),
        None => token.audience().unwrap_or_default(),
    };
    Ok(Verified { claims: token.claims, subject, audience })
}
