//! The key that a local issuer signs with.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use ring::rand::{SecureRandom, SystemRandom};
use rsa::PrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::rand_core::UnwrapErr;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

use super::DevError;
use crate::jwt::crypto;

/// An RSA key of 2048 bits and its public half as a JWK. ring makes no RSA keys, so the `rsa` crate does.
#[derive(Clone)]
pub struct SigningKey {
    id: String,
    private: EncodingKey,
    modulus: String,
    exponent: String,
}

impl SigningKey {
    /// A new key with a random `kid`.
    pub fn generate() -> Result<Self, DevError> {
        crypto::install();
        let mut random = UnwrapErr(getrandom::SysRng);
        let key = PrivateKey::new(&mut random, 2048).map_err(|error| DevError::Key(error.to_string()))?;
        let der = key.to_pkcs1_der().map_err(|error| DevError::Key(error.to_string()))?;
        Ok(Self {
            id: random_base64url(),
            private: EncodingKey::from_rsa_der(der.as_bytes()),
            modulus: URL_SAFE_NO_PAD.encode(key.n().to_be_bytes_trimmed_vartime()),
            exponent: URL_SAFE_NO_PAD.encode(key.e().to_be_bytes_trimmed_vartime()),
        })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn private(&self) -> &EncodingKey {
        &self.private
    }

    /// The public half (RFC 7517 section 4, RFC 7518 section 6.3).
    pub(super) fn jwk(&self) -> Value {
        json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id, "n": self.modulus, "e": self.exponent})
    }
}

/// 16 random bytes as base64url.
pub(super) fn random_base64url() -> String {
    let mut bytes = [0; 16];
    // ring fails here only if the system has no random numbers; then `generate` has failed before.
    let _ = SystemRandom::new().fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
