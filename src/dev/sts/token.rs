//! What STS asks of an ID token.

use jsonwebtoken::Algorithm;
use serde_json::Value;

use super::refusal::Refusal;
use crate::dev::token::{Flaw, Token};
use crate::json::Json;

/// What AWS takes, of those that can be verified here.
const ALGORITHMS: &[Algorithm] =
    &[Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::ES256, Algorithm::ES384];

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
    let token = Token::read(token).ok_or_else(Refusal::not_a_jwt)?;
    let text = |name| token.string(name).ok_or_else(|| Refusal::missing_claim(name));
    // AWS takes whole seconds only.
    let seconds = |name| token.seconds(name).ok_or_else(|| Refusal::missing_claim(name));
    let issuer = text("iss")?;
    let Some(trusted) = trusted.filter(|trusted| trusted.url == issuer) else {
        return Err(Refusal::no_provider(&issuer));
    };
    token.verify(trusted.jwks, ALGORITHMS).map_err(|flaw| match flaw {
        Flaw::Header | Flaw::Algorithm => Refusal::not_a_jwt(),
        Flaw::Key => Refusal::verification_key(),
        Flaw::Signature => Refusal::signature(),
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
