//! Selects the key and verifies the signature (RFC 7515 section 5.2, OpenID Connect Core section
//! 10.1).

use jsonwebtoken::Algorithm;

use super::key::{Key, KeySet};
use super::report::Step;
use crate::json::Json;
use crate::jwt::crypto;

/// The maximum number of keys that are tried for a token without `kid`.
const MAX_TRIED_KEYS: usize = 16;

/// The signature of a token, and what the header says about it.
pub(super) struct TokenSignature<'a> {
    /// `alg`, as the token spells it.
    pub(super) name: String,
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    /// The two signed parts, as in the token.
    pub(super) message: &'a str,
    /// In base64url.
    pub(super) signature: &'a str,
}

/// The algorithms with a public key that ring verifies.
pub(super) fn algorithm(name: &str) -> Option<Algorithm> {
    Some(match name {
        "RS256" => Algorithm::RS256,
        "RS384" => Algorithm::RS384,
        "RS512" => Algorithm::RS512,
        "PS256" => Algorithm::PS256,
        "PS384" => Algorithm::PS384,
        "PS512" => Algorithm::PS512,
        "ES256" => Algorithm::ES256,
        "ES384" => Algorithm::ES384,
        // RFC 9864 gives EdDSA with this curve its own name.
        "EdDSA" | "Ed25519" => Algorithm::EdDSA,
        _ => return None,
    })
}

/// Algorithms with a public key that ring does not support (RFC 7518, RFC 8812, RFC 9864).
const UNSUPPORTED: [&str; 3] = ["ES512", "ES256K", "Ed448"];

/// A warning if `typ` names another type than a plain JWT. Explicit types keep a token of one kind from being accepted
/// as another kind (RFC 8725 section 3.11), but no type is registered for ID tokens.
pub(super) fn check_typ(header: &Json) -> Option<Step> {
    let typ = header.get("typ")?;
    let Some(name) = typ.as_str() else {
        return Some(Step::warned("typ", "it is not a string, and a strict receiver refuses it"));
    };
    // It is a media type. The prefix `application/` is optional (RFC 7515 section 4.1.9).
    let lower = name.to_ascii_lowercase();
    let kind = match lower.strip_prefix("application/").unwrap_or(&lower) {
        "jwt" => return None,
        "at+jwt" => "an access token (RFC 9068)",
        "logout+jwt" => "a logout token (OpenID Connect Back-Channel Logout)",
        "secevent+jwt" => "a security event (RFC 8417)",
        "dpop+jwt" => "a proof of possession (RFC 9449)",
        "oauth-authz-req+jwt" => "an authorization request (RFC 9101)",
        "token-introspection+jwt" => "a reply about a token (RFC 9701)",
        _ => "another kind of token",
    };
    let value = format!("{name}: {kind}, which a receiver of ID tokens that checks `typ` refuses");
    Some(Step::warned("typ", value))
}

impl<'a> TokenSignature<'a> {
    /// Reads the header, and checks `alg`, `crit`, `b64` and `kid`.
    pub(super) fn from_header(header: &Json, token: &'a str) -> Result<(Self, Step), Step> {
        let Some(name) = header.get("alg").and_then(Json::as_str) else {
            return Err(Step::failed("alg", "the header names no algorithm"));
        };
        if let Some(crit) = header.get("crit") {
            let names = crit.as_strings().map_or_else(|| crit.compact(), |names| names.join(", "));
            return Err(Step::failed(
                "crit",
                format!(
                    "the header requires `{names}`, which is not supported here (RFC 7515 section 4.1.11)"
                ),
            ));
        }
        if header.get("b64").is_some_and(|encoded| encoded.compact() != "true") {
            return Err(Step::failed(
                "b64",
                "the header says that the payload is signed unencoded, which is not allowed in a JWT (RFC 7797 section 7)",
            ));
        }
        let Some(algorithm) = algorithm(&name) else {
            if UNSUPPORTED.contains(&name.as_str()) {
                return Err(Step::unknown("alg", format!("`{name}` is not supported here"))
                    .hint("verify it with a library that has this algorithm"));
            }
            let reason = if name.eq_ignore_ascii_case("none") {
                "the token is not signed at all".to_owned()
            } else if name.starts_with("HS") {
                "it uses a shared secret: each verifier could also forge tokens, so issuers publish no such key"
                    .to_owned()
            } else {
                "it is not supported here".to_owned()
            };
            return Err(Step::failed("alg", format!("`{name}`: {reason}")));
        };
        let (message, signature) = token.rsplit_once('.').unwrap_or((token, ""));
        let kid = match header.get("kid") {
            None => None,
            Some(kid) => Some(kid.as_str().ok_or_else(|| {
                Step::failed("kid", "`kid` in the header is not a string (RFC 7515 section 4.1.4)")
            })?),
        };
        Ok((Self { name: name.clone(), algorithm, kid, message, signature }, Step::passed("alg", name)))
    }

    /// The keys that may have made the signature, or the failed step if no key fits. `None` if the
    /// set has no key with this `kid`: a newer set may have it.
    pub(super) fn candidates<'k>(&self, set: &'k KeySet) -> Option<Result<(Vec<&'k Key>, Step), Step>> {
        let suitable = |key: &&Key| key.refusal(self.algorithm, &self.name).is_none();
        let Some(kid) = &self.kid else {
            let fitting: Vec<&Key> = set.keys.iter().filter(suitable).take(MAX_TRIED_KEYS).collect();
            return Some(match fitting.as_slice() {
                [] => Err(Step::failed("key", format!("no key fits {}: {}", self.name, describe_all(set)))),
                [key] => {
                    let step = Step::passed("key", format!("{} ({})", name_of(key), key.describe()));
                    Ok((fitting, step))
                }
                several => {
                    let step = Step::warned(
                        "key",
                        format!(
                            "the token has no `kid`, and {} keys fit: many verifiers refuse such a token (OpenID Connect Core section 10.1)",
                            several.len()
                        ),
                    );
                    Ok((fitting, step))
                }
            });
        };
        let named: Vec<&Key> = set.keys.iter().filter(|key| key.id.as_ref() == Some(kid)).collect();
        let first = named.first()?;
        let fitting: Vec<&Key> = named.iter().copied().filter(|key| suitable(key)).collect();
        Some(match (fitting.first(), first.refusal(self.algorithm, &self.name)) {
            (Some(key), _) => {
                let step = Step::passed("key", format!("{kid} ({})", key.describe()));
                Ok((fitting, step))
            }
            (None, reason) => Err(Step::failed("key", format!("{kid}: {}", reason.unwrap_or_default()))),
        })
    }

    /// The failed step if the set has no key with this `kid`. `again`: the keys were fetched
    /// twice.
    pub(super) fn no_such_key(&self, set: &KeySet, again: bool) -> Step {
        let kid = self.kid.as_deref().unwrap_or_default();
        let when = if again { "; a second request for the keys did not find it either" } else { "" };
        Step::failed("key", format!("the token names the key `{kid}`, but {}{when}", describe_all(set))).hint(
            "another issuer made the token, or this issuer no longer publishes the key: mint a new token\n\
             if a new token fails as well, ask whoever runs the issuer to publish the key",
        )
    }

    /// Whether one of the keys made the signature.
    pub(super) fn verify(&self, keys: &[&Key]) -> Step {
        crypto::install();
        let made_by = keys.iter().find(|key| {
            jsonwebtoken::crypto::verify(
                self.signature,
                self.message.as_bytes(),
                &key.decoding_key(),
                self.algorithm,
            )
            .unwrap_or(false)
        });
        match made_by {
            Some(key) => Step::passed("signature", format!("by {}", name_of(key))),
            None if keys.len() == 1 => {
                Step::failed("signature", "it does not match the key and this content").hint(
                    "if the token was changed or cut off, copy it again or mint a new one\n\
                     otherwise it is signed with another key that has the same `kid`: do not use the token",
                )
            }
            None => Step::failed("signature", "it does not match any of the keys and this content"),
        }
    }
}

fn name_of(key: &Key) -> &str {
    key.id.as_deref().unwrap_or("a key without `kid`")
}

fn describe_all(set: &KeySet) -> String {
    if set.keys.is_empty() {
        return "the issuer publishes none that is supported here".into();
    }
    let each =
        set.keys.iter().take(MAX_TRIED_KEYS).map(|key| format!("`{}` ({})", name_of(key), key.describe()));
    format!("the JWKS has {}", each.collect::<Vec<_>>().join(", "))
}
