//! Each refusal of STS as its cause, what was judged, and what mends it (facts: the API reference's error list,
//! and what is known of the messages that it does not list).

mod clock;
mod hint;

use super::Sts;
use super::wire::StsError;
use crate::exchange::{Exchange, ExchangeError, Judged};
use crate::http::Reply;
use crate::jwt::IdToken;
use crate::secret::redact_jwts;

/// Puts the refusal into words.
pub(super) fn explain(sts: &Sts<'_>, error: &StsError, reply: &Reply, token: &IdToken) -> ExchangeError {
    let said = words(error, reply.status, token);
    let target = sts.target();
    if error.is_of_sts(reply.status) {
        let hint = "try again later, or give it more time with `--timeout 2m`".into();
        return ExchangeError::Unavailable { target, said, hint };
    }
    let role = &sts.request.role;
    let mut judged = Judged::of(token).with("role", role.as_str()).with("account", role.account());
    let claims = token.claims().for_messages();
    let offsets = clock::Offsets::new(reply.date(), sts.http.ctx().now(), claims.issued_at);
    for line in offsets.lines() {
        judged = judged.with("clock", line);
    }
    let advice = hint::advice(&hint::Refused { sts, error, token, claims: &claims, offsets });
    if let Some(statement) = advice.trust {
        judged = judged.with("trust", statement);
    }
    ExchangeError::Rejected {
        target,
        said,
        judged: Box::new(judged),
        hint: advice.hint,
        stale: error.wants_a_fresh_token(),
    }
}

/// STS's own words. It repeats values that it does not take, and one of them may be the token.
fn words(error: &StsError, status: u16, token: &IdToken) -> String {
    let mut details = vec![error.code.clone(), format!("HTTP {status}")];
    if !error.request_id.is_empty() {
        details.push(format!("request {}", error.request_id));
    }
    details.retain(|detail| !detail.is_empty());
    let details = details.join(", ");
    // Line breaks and runs of spaces in it mean nothing.
    let message: Vec<&str> = error.message.split_whitespace().collect();
    let message = redact_jwts(&message.join(" ").replace(token.reveal(), "[redacted]"));
    if message.is_empty() { details } else { format!("{message} ({details})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_the_message_is_not_shown() {
        let text = "eyJhbGciOiJub25lIn0.eyJhdWQiOlsieCJdfQ.";
        let token = IdToken::parse(text).unwrap();
        let error = StsError {
            code: "ValidationError".into(),
            message: format!("Value '{text}' at\n  'webIdentityToken' is bad"),
            request_id: "1".into(),
        };
        assert_eq!(
            words(&error, 400, &token),
            "Value '[redacted]' at 'webIdentityToken' is bad (ValidationError, HTTP 400, request 1)"
        );
        assert_eq!(words(&StsError::default(), 503, &token), "HTTP 503");
    }
}
