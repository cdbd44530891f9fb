//! Verifies a token, and reports each step.
//!
//! The rules are those for ID tokens, OpenID Connect Core section 3.1.3.7, with the hardening of RFC 8725:
//!
//! 1. `alg` must use a public key: `none` and shared secrets are refused. A `crit` header, a `b64`
//!    header other than `true` and a `kid` that is not a string are refused, too. ES512, ES256K and
//!    Ed448, which ring does not support, are undecided. A `typ` other than `JWT` is a warning.
//! 2. `iss` must be the expected issuer, which determines the origin of the keys. Without an
//!    expected issuer, the issuer in the token is used, and the report says that this proves only
//!    consistency.
//! 3. The discovery document must name this issuer. It has the address of the keys.
//! 4. The key must be the one that `kid` names. If it is missing, the keys are fetched once more.
//!    Its type, `alg`, `use` and `key_ops` must fit the algorithm, and an RSA key must have 2048
//!    to 8192 bits. A published private key is a warning.
//! 5. The signature must be made with this key.
//! 6. `sub`, `aud`, `azp`, `exp`, `nbf` and `iat` must be valid.
//!
//! Each step that can be checked is checked, even after a failed step.

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

use super::find::find;
use super::{Decoded, MalformedToken};
use crate::exit::Explain as _;
use crate::http::Http;

pub use key::{KeySet, KeySetError};
pub use report::{Report, Status, Step, Verdict};
use signature::TokenSignature;

/// The requirements for a token.
#[derive(Debug, Clone)]
pub struct Checks<'a> {
    /// The accepted audiences: `aud` must contain one of them.
    pub audiences: &'a [String],
    /// The expected issuer.
    pub issuer: Issuer,
    /// The origin of the keys.
    pub keys: Keys,
    /// How much clocks may differ.
    pub leeway: Duration,
    pub now: Timestamp,
}

/// The issuer that the token must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issuer {
    /// The issuer that the caller names.
    Pinned(String),
    /// The issuer of the workspace.
    Workspace(String),
    /// The issuer that the token names.
    FromToken,
}

/// The origin of keys.
#[derive(Debug, Clone)]
pub enum Keys {
    /// The address in the issuer's discovery document.
    Discovered,
    At(String),
    /// These keys, with the name of their origin.
    Given(String, KeySet),
}

/// Whether `text` holds a token that is not damaged.
pub fn is_readable(text: &str) -> bool {
    parse(text).is_ok()
}

fn parse(text: &str) -> Result<(&str, Decoded), MalformedToken> {
    let token = find(text)?;
    Ok((token, Decoded::parse_compact(token)?))
}

/// Verifies a token, or the one in the `Authorization: Bearer …` line of a request.
pub async fn verify(text: &str, checks: &Checks<'_>, http: &Http<'_>) -> Report {
    let mut report = Report::default();
    let (token, decoded) = match parse(text) {
        Ok(found) => found,
        Err(error) => {
            report.add(Step { hint: error.hint(), ..Step::failed("token", error.to_string()) });
            return report;
        }
    };
    let signed = match TokenSignature::from_header(&decoded.header, token) {
        Ok((signed, step)) => {
            report.add(step);
            Some(signed)
        }
        Err(step) => {
            report.add(step);
            None
        }
    };
    report.steps.extend(signature::check_typ(&decoded.header));
    report.add(claims::issuer(&decoded.payload, checks));
    if let Some(signed) = signed {
        let named = decoded.payload.get("iss").and_then(crate::json::Json::as_str);
        judge_signature(&mut report, &signed, named.as_deref(), checks, http).await;
    } else {
        report.add(Step::skipped("signature", HEADER_UNUSABLE));
    }
    report.steps.extend(claims::all_but_issuer(&decoded.payload, checks));
    report.claims = Some(decoded.payload);
    report
}

const HEADER_UNUSABLE: &str = "not checked, because the header cannot be used";
const NO_KEYS: &str = "not checked, because there are no keys";
const NO_KEY: &str = "not checked, because no key fits";

/// Finds the keys, selects the key, and verifies the signature.
async fn judge_signature(
    report: &mut Report,
    signed: &TokenSignature<'_>,
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
        // A cache may have returned old keys.
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
    signed: &TokenSignature<'_>,
    named: Option<&str>,
    checks: &Checks<'_>,
    http: &Http<'_>,
) -> Option<String> {
    let issuer = match &checks.issuer {
        Issuer::Pinned(issuer) | Issuer::Workspace(issuer) => issuer.as_str(),
        // Without `iss` there is no address, and the step for `iss` has failed already.
        Issuer::FromToken => named?,
    };
    match issuer::discover(http, issuer).await {
        Ok((found, mut step)) => {
            if !found.algorithms.is_empty() && !found.algorithms.contains(&signed.name) {
                let listed = found.algorithms.join(", ");
                step.status = Status::Warned;
                step.value = format!("{}, whose algorithms are {listed}, not {}", step.value, signed.name);
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
