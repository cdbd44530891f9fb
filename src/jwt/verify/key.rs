//! Public keys as issuers publish them (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Clone, Default)]
pub struct KeySet {
    pub(super) keys: Vec<Key>,
    /// How many entries are left out: their type is not supported, or they are malformed (RFC 7517
    /// section 5).
    pub(super) left_out: usize,
    /// How many entries have members of a private or shared key, including those that are left
    /// out.
    pub(super) private: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) id: Option<String>,
    algorithm: Option<String>,
    usage: Option<String>,
    operations: Option<Vec<String>>,
    material: Material,
}

#[derive(Debug, Clone)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    Ec { curve: Curve, point: Vec<u8> },
    Ed25519(Vec<u8>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Curve {
    P256,
    P384,
}

/// The text is not a JWK Set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    #[error("it is not JSON: {0}")]
    NotJson(String),
    /// Neither `keys` nor `kty`.
    #[error("it is neither a JWK Set, which has `keys`, nor a JWK, which has `kty`")]
    NotKeys,
}

/// The members of a private or shared key (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1, RFC 8037 section 2).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The members of a JWK that are used.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads a JWK Set, or one JWK.
    ///
    /// # Errors
    /// [`KeySetError`]. A single key that cannot be used is left out; this is not an error.
    pub fn parse(text: &str) -> Result<Self, KeySetError> {
        let value = serde_json::from_str(text).map_err(|error| KeySetError::NotJson(error.to_string()))?;
        Self::from_json(value)
    }

    pub(super) fn from_json(mut value: Value) -> Result<Self, KeySetError> {
        let entries = match value.get_mut("keys").map(Value::take) {
            Some(Value::Array(entries)) => entries,
            None if value.get("kty").is_some() => vec![value],
            _ => return Err(KeySetError::NotKeys),
        };
        let count = entries.len();
        let is_private = |entry: &&Value| PRIVATE.iter().any(|name| entry.get(name).is_some());
        let private = entries.iter().filter(is_private).count();
        let keys: Vec<Key> = entries.into_iter().filter_map(Key::from_json).collect();
        Ok(Self { left_out: count - keys.len(), private, keys })
    }
}

impl Key {
    fn from_json(value: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
        let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => Material::Rsa {
                n: strip_leading_zeros(bytes(&jwk.n)?),
                e: strip_leading_zeros(bytes(&jwk.e)?),
            },
            ("EC", Some(curve)) => {
                let (curve, length) = match curve {
                    "P-256" => (Curve::P256, 32),
                    "P-384" => (Curve::P384, 48),
                    _ => return None,
                };
                let (x, y) = (bytes(&jwk.x)?, bytes(&jwk.y)?);
                if (x.len(), y.len()) != (length, length) {
                    return None;
                }
                // SEC 1 section 2.3.3, uncompressed.
                Material::Ec { curve, point: [vec![4], x, y].concat() }
            }
            ("OKP", Some("Ed25519")) => Material::Ed25519(bytes(&jwk.x)?),
            _ => return None,
        };
        Some(Self { id: jwk.kid, algorithm: jwk.alg, usage: jwk.usage, operations: jwk.key_ops, material })
    }

    /// Its type and size.
    pub(super) fn describe(&self) -> String {
        match &self.material {
            Material::Rsa { n, .. } => format!("RSA, {} bits", bits(n)),
            Material::Ec { curve: Curve::P256, .. } => "EC, P-256".into(),
            Material::Ec { curve: Curve::P384, .. } => "EC, P-384".into(),
            Material::Ed25519(_) => "OKP, Ed25519".into(),
        }
    }

    /// Why this key must not verify signatures of this algorithm; `None` if it may. The key
    /// decides, never the token alone (RFC 8725 section 3.1).
    pub(super) fn refusal(&self, algorithm: Algorithm, name: &str) -> Option<String> {
        use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        let fits = match &self.material {
            Material::Rsa { .. } => matches!(algorithm, RS256 | RS384 | RS512 | PS256 | PS384 | PS512),
            Material::Ec { curve: Curve::P256, .. } => algorithm == ES256,
            Material::Ec { curve: Curve::P384, .. } => algorithm == ES384,
            Material::Ed25519(_) => algorithm == EdDSA,
        };
        if !fits {
            return Some(format!("its type ({}) does not fit {name}", self.describe()));
        }
        if let Some(own) =
            self.algorithm.as_deref().filter(|own| super::signature::algorithm(own) != Some(algorithm))
        {
            return Some(format!("it is only for {own}, but the token says {name}"));
        }
        if let Some(usage) = self.usage.as_deref().filter(|usage| *usage != "sig") {
            return Some(format!("it is not for signatures: its `use` is `{usage}`"));
        }
        if self.operations.as_ref().is_some_and(|all| !all.iter().any(|operation| operation == "verify")) {
            return Some("it is not for verifying: its `key_ops` lack `verify`".into());
        }
        match &self.material {
            Material::Rsa { n, .. } if bits(n) < 2048 => Some(format!(
                "it has {} bits, but a signature needs at least 2048 (RFC 7518 section 3.3)",
                bits(n)
            )),
            Material::Rsa { n, .. } if bits(n) > 8192 => {
                Some(format!("it has {} bits, and more than 8192 are not supported", bits(n)))
            }
            Material::Rsa { e, .. } if matches!(e[..], [] | [1]) || e.ends_with(&[0]) => {
                Some("its exponent is not valid for signatures (RFC 8017 section 3.1)".into())
            }
            Material::Rsa { n, .. } if has_roca_form(n) => {
                Some("its private part can be computed (ROCA, CVE-2017-15361)".into())
            }
            _ => None,
        }
    }

    /// The key in the form that `jsonwebtoken` takes.
    pub(super) fn decoding_key(&self) -> DecodingKey {
        match &self.material {
            Material::Rsa { n, e } => DecodingKey::from_rsa_raw_components(n, e),
            Material::Ec { point, .. } => DecodingKey::from_ec_der(point),
            Material::Ed25519(x) => DecodingKey::from_ed_der(x),
        }
    }
}

/// Removes leading zero bytes: some issuers write one before a modulus, as in DER.
fn strip_leading_zeros(mut number: Vec<u8>) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.drain(..zeros);
    number
}

/// Whether the modulus has the form of ROCA: modulo every small prime, it is a power of 65537. One in 2^28 other moduli
/// has this form too (Nemec and others, "The Return of Coppersmith's Attack", 2017, section 2.3).
fn has_roca_form(modulus: &[u8]) -> bool {
    const PRIMES: [u32; 38] = [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101,
        103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ];
    PRIMES.iter().all(|prime| {
        let rest = modulus.iter().fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
        let powers = std::iter::successors(Some(1), |power| Some(power * 65537 % prime));
        powers.take(*prime as usize).any(|power| power == rest)
    })
}

fn bits(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}
