//! The checks of the claims (OpenID Connect Core sections 2 and 3.1.3.7, RFC 7519 section 4.1).

use jiff::Timestamp;

use super::report::Step;
use super::{Checks, Issuer, Keys};
use crate::json::Json;
use crate::shell::posix_quote;
use crate::time::{self, COMPARE_CLOCK};

/// `iss`, equal in every character (OpenID Connect Core section 3.1.3.7, rule 2).
pub(super) fn issuer(payload: &Json, checks: &Checks<'_>) -> Step {
    let Some(found) = text(payload, "iss") else { return missing("iss", "a string") };
    let (wanted, whose) = match &checks.issuer {
        Issuer::Pinned(wanted) => (wanted, "as `--issuer` says"),
        Issuer::Workspace(wanted) => (wanted, "the issuer of this workspace"),
        Issuer::FromToken => {
            let caution = match checks.keys {
                Keys::Discovered => {
                    "as the token itself says: this shows only that the token is consistent, not that you can trust it"
                }
                _ => "which is not compared with an expected issuer",
            };
            return Step::warned("iss", format!("{found}, {caution}"))
                .hint("name the issuer that you trust with `--issuer`");
        }
    };
    if found == *wanted {
        return Step::passed("iss", format!("{found}, {whose}"));
    }
    let difference = difference(&found, wanted);
    Step::failed("iss", format!("the token says `{found}`, and `{wanted}` is expected, {whose}{difference}"))
        .hint(format!(
            "if you trust `{found}` as an issuer, accept it with `--issuer {}`\notherwise do not use this token",
            posix_quote(&found)
        ))
}

/// A note for a message, if two names differ only in a slash at the end or in letter case.
pub(super) fn difference(found: &str, wanted: &str) -> &'static str {
    if found.trim_end_matches('/') == wanted.trim_end_matches('/') {
        " (they differ only in a slash at the end)"
    } else if found.eq_ignore_ascii_case(wanted) {
        " (they differ only in upper and lower case)"
    } else {
        ""
    }
}

pub(super) fn all_but_issuer(payload: &Json, checks: &Checks<'_>) -> Vec<Step> {
    vec![
        subject(payload),
        audience(payload, checks.audiences),
        authorized_party(payload, checks.audiences),
        expiry(payload, checks),
        not_before(payload, checks),
        issued_at(payload, checks),
    ]
}

fn subject(payload: &Json) -> Step {
    text(payload, "sub").map_or_else(|| missing("sub", "a string"), |subject| Step::passed("sub", subject))
}

/// Rule 3.
fn audience(payload: &Json, wanted: &[String]) -> Step {
    let Some(found) = payload.get("aud").and_then(Json::as_strings) else {
        return missing("aud", "a string or a list of strings");
    };
    let listed = found.join(", ");
    if !found.iter().any(|audience| wanted.contains(audience)) {
        let difference = match (found.as_slice(), wanted) {
            ([found], [wanted]) => difference(found, wanted),
            _ => "",
        };
        let expected = wanted.iter().map(|wanted| format!("`{wanted}`")).collect::<Vec<_>>().join(" or ");
        return Step::failed("aud", format!("the token is for `{listed}`, not for {expected}{difference}"))
            .hint(format!(
                "mint one for that audience: `gp idp token --audience {}`",
                posix_quote(first(wanted))
            ));
    }
    if found.iter().any(|audience| !wanted.contains(audience)) {
        return Step::warned(
            "aud",
            format!("{listed}: the token has other audiences too, and a strict receiver refuses it"),
        );
    }
    Step::passed("aud", listed)
}

/// Rules 4 and 5. Their use is left to the receiver, so a mismatch is only a warning.
fn authorized_party(payload: &Json, wanted: &[String]) -> Step {
    match (payload.get("azp"), text(payload, "azp")) {
        (None, _) => Step::skipped("azp", "the token has none"),
        (Some(_), None) => missing("azp", "a string"),
        (Some(_), Some(party)) if wanted.contains(&party) => Step::passed("azp", party),
        (Some(_), Some(party)) => Step::warned(
            "azp",
            format!(
                "{party}: a receiver that checks `azp`, as AWS does, refuses the token for `{}`",
                first(wanted)
            ),
        ),
    }
}

/// Rule 9.
fn expiry(payload: &Json, checks: &Checks<'_>) -> Step {
    let Some(at) = seconds(payload, "exp") else { return missing("exp", "a number of seconds") };
    let (now, shown) = (seconds_of(checks.now), show(at, checks.now));
    if at <= now - checks.leeway.as_secs_f64() {
        return Step::failed("exp", format!("expired at {shown}")).hint(format!(
            "mint a new token\nif a new token fails as well, {COMPARE_CLOCK}, and set this machine's clock if it is wrong"
        ));
    }
    if at <= now {
        return Step::warned("exp", format!("{shown}, within the leeway of {}", time::limit(checks.leeway)));
    }
    Step::passed("exp", shown)
}

fn not_before(payload: &Json, checks: &Checks<'_>) -> Step {
    if payload.get("nbf").is_none() {
        return Step::skipped("nbf", "the token has none");
    }
    let Some(at) = seconds(payload, "nbf") else { return missing("nbf", "a number of seconds") };
    let shown = show(at, checks.now);
    if at > seconds_of(checks.now) + checks.leeway.as_secs_f64() {
        return Step::failed("nbf", format!("it is not valid yet: {shown}")).hint(clock());
    }
    Step::passed("nbf", shown)
}

/// Rule 10.
fn issued_at(payload: &Json, checks: &Checks<'_>) -> Step {
    let Some(at) = seconds(payload, "iat") else { return missing("iat", "a number of seconds") };
    let shown = show(at, checks.now);
    if at > seconds_of(checks.now) + checks.leeway.as_secs_f64() {
        return Step::failed("iat", format!("it is in the future: {shown}")).hint(clock());
    }
    Step::passed("iat", shown)
}

/// The hint for a token from the future.
fn clock() -> String {
    format!(
        "{COMPARE_CLOCK}\n\
         if this machine's clock is behind, set it with `sudo timedatectl set-ntp true` (for a container, on its host)\n\
         if this machine's clock is right, the issuer's clock is ahead: wait until the time above, and tell whoever runs the issuer"
    )
}

fn missing(name: &'static str, kind: &str) -> Step {
    Step::failed(name, format!("the token has no `{name}` that is {kind}"))
}

fn text(payload: &Json, name: &str) -> Option<String> {
    payload.get(name).and_then(Json::as_str)
}

fn first(wanted: &[String]) -> &str {
    wanted.first().map_or("", String::as_str)
}

/// A NumericDate, in seconds since 1970. It may be outside the range of [`Timestamp`].
fn seconds(payload: &Json, name: &str) -> Option<f64> {
    match payload.get(name)? {
        Json::Scalar(text) => text.parse::<f64>().ok().filter(|seconds| seconds.is_finite()),
        _ => None,
    }
}

fn seconds_of(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}

fn show(seconds: f64, now: Timestamp) -> String {
    // The bounds of Timestamp lie within ±4e11 s, which i64 holds: the cast cannot wrap.
    #[allow(clippy::cast_possible_truncation)]
    let at = (seconds.abs() < 4e11).then(|| Timestamp::from_second(seconds as i64).ok()).flatten();
    at.map_or_else(|| format!("{seconds} s"), |at| format!("{at} ({})", time::relative(at, now)))
}
