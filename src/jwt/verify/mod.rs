//! Whether a token is genuine and for whom it should be, and which step it fails at.
//!
//! The rules are those for ID tokens, OpenID Connect Core section 3.1.3.7, with the hardening of RFC 8725:
//!
//! 1. `alg` is one with a public key; `none` and shared secrets are refused, as are a `crit` header, a `b64` header
//!    that changes what is signed and a `kid` that is no string. Algorithms that ring has not are undecided. A `typ`
//!    of other tokens than ID tokens is a warning.
//! 2. `iss` is the expected issuer, which decides where keys come from. Without an expected one it is taken from
//!    the token, and the report says that this proves consistency only.
//! 3. The discovery document is the issuer's own, and names the keys.
//! 4. The key is the one that `kid` names (asked for once more when it is not there), of the type, `alg`, `use` and
//!    `key_ops` that the algorithm takes; RSA has at least 2048 bits. Private keys among the published ones are a
//!    warning.
//! 5. The signature is made by it.
//! 6. `sub`, `aud`, `azp`, `exp`, `nbf`, `iat`.
//!
//! Every step that can be judged is judged, whatever the ones before it said.

mod claims;
mod issuer;
mod key;
mod report;
mod signature;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wycheproof;

use std::time::Duration;

use jiff::Timestamp;

use super::Decoded;
use super::find::find;
use crate::http::Http;

pub use key::{KeySet, KeySetError};
pub use report::{Report, Status, Step, Verdict};
use signature::Signed;

/// What is expected of a token.
#[derive(Debug, Clone)]
pub struct Checks<'a> {
    /// Who it may be for: one of these has to be in `aud`.
    pub audiences: &'a [String],
    /// The expected issuer.
    pub issuer: Issuer,
    /// Where the keys come from.
    pub keys: Keys,
    /// How far clocks may differ.
    pub leeway: Duration,
    pub now: Timestamp,
}

/// Who has to have issued the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issuer {
    /// This one, named by who asks.
    Pinned(String),
    /// That of the workspace.
    Workspace(String),
    /// Whoever the token names.
    OfTheToken,
}

/// Where keys come from.
#[derive(Debug, Clone)]
pub enum Keys {
    /// From where the issuer's discovery document says.
    Discovered,
    At(String),
    /// These, by the name of where they were read from.
    Given(String, KeySet),
}

/// Judges a token, or the one in the `Authorization: Bearer …` line of a request.
pub async fn verify(text: &str, checks: &Checks<'_>, http: &Http<'_>) -> Report {
    let mut report = Report::default();
    let found = find(text).and_then(|token| Ok((token, Decoded::parse_compact(token)?)));
    let (token, decoded) = match found {
        Ok(found) => found,
        Err(error) => {
            report.add(Step::failed("token", error.to_string()));
            return report;
        }
    };
    let signed = match Signed::from_header(&decoded.header, token) {
        Ok((signed, step)) => {
            report.add(step);
            Some(signed)
        }
        Err(step) => {
            report.add(step);
            None
        }
    };
    report.steps.extend(signature::kind(&decoded.header));
    report.add(claims::issuer(&decoded.payload, checks));
    if let Some(signed) = signed {
        let named = decoded.payload.get("iss").and_then(crate::json::Json::as_str);
        judge_signature(&mut report, &signed, named.as_deref(), checks, http).await;
    } else {
        report.add(Step::skipped("signature", NOT_READ));
    }
    report.steps.extend(claims::others(&decoded.payload, checks));
    report.claims = Some(decoded.payload);
    report
}

const NOT_READ: &str = "the header leaves nothing to judge it by";
const NO_KEYS: &str = "there are no keys to judge it by";
const NO_KEY: &str = "there is no key to judge it by";

/// Finds the keys, the key and the maker of the signature.
async fn judge_signature(
    report: &mut Report,
    signed: &Signed<'_>,
    named: Option<&str>,
    checks: &Checks<'_>,
    http: &Http<'_>,
) {
    let place = match &checks.keys {
        Keys::Given(..) => None,
        Keys::At(place) => Some(place.clone()),
        Keys::Discovered => {
            let found = discover(report, signed, named, checks, http).await;
            if found.is_none() {
                report.add(Step::skipped("signature", NO_KEYS));
                return;
            }
            found
        }
    };
    let fetched = match (&checks.keys, &place) {
        (Keys::Given(name, set), _) => Ok((set.clone(), issuer::found(set, &format!("in {name}")))),
        (_, Some(place)) => issuer::keys(http, place).await,
        (_, None) => return,
    };
    let mut set = match fetched {
        Ok((set, step)) => {
            report.add(step);
            set
        }
        Err(step) => {
            report.add(step);
            report.add(Step::skipped("signature", NO_KEYS));
            return;
        }
    };
    let mut again = false;
    if let (None, Some(place)) = (signed.candidates(&set), &place) {
        // The issuer may have changed its keys since a cache on the way last asked.
        if let Ok((newer, _)) = issuer::keys(http, place).await {
            (set, again) = (newer, true);
        }
    }
    match signed.candidates(&set).unwrap_or_else(|| Err(signed.no_such_key(&set, again))) {
        Ok((keys, step)) => {
            report.add(step);
            report.add(signed.verify(&keys));
        }
        Err(step) => {
            report.add(step);
            report.add(Step::skipped("signature", NO_KEY));
        }
    }
}

/// The address of the keys.
async fn discover(
    report: &mut Report,
    signed: &Signed<'_>,
    named: Option<&str>,
    checks: &Checks<'_>,
    http: &Http<'_>,
) -> Option<String> {
    let issuer = match &checks.issuer {
        Issuer::Pinned(issuer) | Issuer::Workspace(issuer) => issuer.as_str(),
        // Without `iss` there is nowhere to look; that step has failed already.
        Issuer::OfTheToken => named?,
    };
    match issuer::discover(http, issuer).await {
        Ok((found, mut step)) => {
            if !found.algorithms.is_empty() && !found.algorithms.contains(&signed.name) {
                let listed = found.algorithms.join(", ");
                step.status = Status::Warned;
                step.value = format!("{}, which lists {listed} and not {}", step.value, signed.name);
            }
            report.add(step);
            Some(found.jwks_uri)
        }
        Err(step) => {
            report.add(step);
            None
        }
    }
}
