//! Existing tokens: in a file, in a variable, or in the output of a command.

use serde::Deserialize;

use super::error::SourceError;
use crate::context::Context;
use crate::jwt::{IdToken, MalformedToken};
use crate::secret::Secret;
use crate::time::{self, COMPARE_CLOCK};

/// The JSON members in which programs print a token.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Printed {
    id_token: Option<Secret>,
    token: Option<Secret>,
    value: Option<Secret>,
    #[serde(rename = "oidcToken")]
    oidc_token: Option<Secret>,
}

/// Reads the token in `text`: the whole text, or a member of a JSON object. `place` is the origin
/// of `text`, for messages. `remedy` is the hint to get a newer token.
pub(super) fn read(text: &str, place: String, remedy: &str, ctx: &Context) -> Result<IdToken, SourceError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(SourceError::Missing { what: format!("{place} is empty"), remedy: remedy.to_owned() });
    }
    let token = parse(text).map_err(|cause| SourceError::NotAToken {
        place: place.clone(),
        cause,
        from_reply: false,
    })?;
    let now = ctx.now();
    match token.claims().as_claimed().expires_at {
        // Receivers tolerate the same clock difference.
        Some(end) if end + time::CLOCK_SKEW <= now => {
            let remedy = format!(
                "{remedy}\nif the token is new, {COMPARE_CLOCK}, and set this machine's clock if it is wrong"
            );
            Err(SourceError::Expired { place, ago: time::relative(end, now), remedy })
        }
        _ => Ok(token),
    }
}

fn parse(text: &str) -> Result<IdToken, MalformedToken> {
    let text = text.trim();
    let printed = if text.starts_with('{') {
        serde_json::from_str(text).unwrap_or_default()
    } else {
        Printed::default()
    };
    let member = printed.id_token.or(printed.token).or(printed.value).or(printed.oidc_token);
    IdToken::parse(member.as_ref().map_or(text, Secret::reveal))
}

/// The issuer and the subject of a token, for cache keys. The token itself is no key, because the credential from its
/// exchange may live longer than the token.
pub(super) fn identity(text: &str) -> Option<Vec<String>> {
    let token = parse(text).ok()?;
    let claims = token.claims().as_claimed();
    Some(vec![claims.issuer.clone()?, claims.subject.clone()?])
}

/// How to get the right audience in an existing token.
pub(super) fn audience_hint(wanted: &str) -> String {
    format!(
        "configure the token for {wanted} where it is created\n\
         if the receiver accepts the token's audience, name that audience with `--audience`"
    )
}
