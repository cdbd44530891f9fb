//! ID tokens as the local services read and verify them. The token parser is not the client's, so
//! that a bug in the client's parser is noticed. JSON parser and cryptography are the client's.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

use crate::json::Json;
use crate::jwt::crypto;

/// A token in compact form, and its claims.
pub(super) struct Token<'a> {
    text: &'a str,
    pub(super) claims: Json,
}

/// Why the verification of a token failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VerifyError {
    /// The header cannot be read.
    Header,
    /// The algorithm is not allowed.
    Algorithm,
    /// The JWKS has no usable key with the `kid` of the header.
    Key,
    Signature,
}

impl<'a> Token<'a> {
    /// Reads three parts in base64url. The second part must be a JSON object.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let parts = text.split('.').map(|part| URL_SAFE_NO_PAD.decode(part));
        let [_, payload, _] = parts.collect::<Result<Vec<_>, _>>().ok()?.try_into().ok()?;
        let claims = Json::parse(&String::from_utf8(payload).ok()?).ok();
        let claims = claims.filter(|claims| matches!(claims, Json::Object(_)))?;
        Some(Self { text, claims })
    }

    pub(super) fn string(&self, claim: &str) -> Option<String> {
        self.claims.get(claim)?.as_str()
    }

    pub(super) fn seconds(&self, claim: &str) -> Option<i64> {
        self.claims.get(claim)?.as_i64()
    }

    /// `aud`, which may be one string or a list.
    pub(super) fn audience(&self) -> Option<Vec<String>> {
        self.claims.get("aud")?.as_strings()
    }

    /// Checks the signature with the key that the header names. The caller must check the claims,
    /// including the times.
    pub(super) fn verify(&self, jwks: &Value, allowed: &[Algorithm]) -> Result<(), VerifyError> {
        crypto::install();
        let header = jsonwebtoken::decode_header(self.text).map_err(|_| VerifyError::Header)?;
        if !allowed.contains(&header.alg) {
            return Err(VerifyError::Algorithm);
        }
        let keys: JwkSet = serde_json::from_value(jwks.clone()).map_err(|_| VerifyError::Key)?;
        let key = header.kid.and_then(|id| keys.find(&id).map(DecodingKey::from_jwk));
        let Some(Ok(key)) = key else { return Err(VerifyError::Key) };
        let mut validation = Validation::new(header.alg);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        jsonwebtoken::decode::<Value>(self.text, &key, &validation).map_err(|_| VerifyError::Signature)?;
        Ok(())
    }
}
