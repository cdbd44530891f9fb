//! Tokens that somebody else has made and put somewhere: into a file, a variable, the output of a command.

use serde::Deserialize;

use super::error::SourceError;
use crate::context::Context;
use crate::jwt::{IdToken, MalformedToken};
use crate::secret::Secret;
use crate::time::{self, COMPARE_CLOCK};

/// The members that programs print a token in.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Printed {
    id_token: Option<Secret>,
    token: Option<Secret>,
    value: Option<Secret>,
    #[serde(rename = "oidcToken")]
    oidc_token: Option<Secret>,
}

/// The token that `text` is, or that it has as a member of JSON. `place` is where it stands, for messages; `remedy` is how
/// a newer one gets there.
pub(super) fn read(text: &str, place: String, remedy: &str, ctx: &Context) -> Result<IdToken, SourceError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(SourceError::Missing { what: format!("{place} is empty"), remedy: remedy.to_owned() });
    }
    let token =
        parse(text).map_err(|cause| SourceError::NotAToken { place: place.clone(), cause, minted: false })?;
    let now = ctx.now();
    match token.claims().as_claimed().expires_at {
        // Receivers allow for as much.
        Some(end) if end + time::CLOCK_SKEW <= now => {
            let remedy = format!(
                "{remedy}; if the token is new, {COMPARE_CLOCK}, and set this machine's clock if it is wrong"
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

/// How to get the right audience where the token is made ahead.
pub(super) fn audience_hint(wanted: &str) -> String {
    format!(
        "have the token made for {wanted} where it is set up; or, if the receiver accepts its audience, name that one with `--audience`"
    )
}
