//! The cryptography of `jsonwebtoken`, implemented with ring, which TLS needs anyway.
//!
//! Compared with its `rust_crypto` backend, in a program that signs and verifies one RS256 token:
//! 674 kB instead of 1162 kB of stripped binary, 11 instead of 28 million instructions, and 71
//! instead of 103 s of clean build. There is also one library less whose timing matters
//! (RUSTSEC-2023-0071 concerns private keys of the `rsa` crate, which here only generates the
//! local workspace's temporary key).

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{Error as SignatureError, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::signature::{self as algorithms, RsaPublicKeyComponents, UnparsedPublicKey};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes ring the library's backend; a second call changes nothing.
pub fn install() {
    let _ = PROVIDER.install_default();
}

/// Only the local workspace signs anything.
#[cfg(not(feature = "dev"))]
#[allow(clippy::trivially_copy_pass_by_ref)]
fn signer(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    Err(ErrorKind::InvalidAlgorithm.into())
}

#[cfg(feature = "dev")]
use rs256::signer;

/// RS256, the only algorithm of a Gitpod issuer.
#[cfg(feature = "dev")]
mod rs256 {
    use jsonwebtoken::signature::Signer;
    use ring::rand::SystemRandom;
    use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};

    use super::{Algorithm, AlgorithmFamily, EncodingKey, Error, ErrorKind, JwtSigner, SignatureError};

    struct Rs256(EncodingKey);

    impl Signer<Vec<u8>> for Rs256 {
        fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
            let key = RsaKeyPair::from_der(self.0.as_bytes()).map_err(|_| SignatureError::new())?;
            let mut signature = vec![0; key.public().modulus_len()];
            key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                .map_err(|_| SignatureError::new())?;
            Ok(signature)
        }
    }

    impl JwtSigner for Rs256 {
        fn algorithm(&self) -> Algorithm {
            Algorithm::RS256
        }
    }

    // The library's type of this field takes references.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub(super) fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
        if *algorithm != Algorithm::RS256 || key.family() != AlgorithmFamily::Rsa {
            return Err(ErrorKind::InvalidAlgorithm.into());
        }
        Ok(Box::new(Rs256(key.clone())))
    }
}

/// Verifies every algorithm with a public key; RSA keys under 2048 bits are refused.
struct Asymmetric(Algorithm, DecodingKey);

impl Verifier<Vec<u8>> for Asymmetric {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        let verified = match self.1.kind() {
            DecodingKeyKind::RsaModulusExponent { n, e } => {
                let algorithm = match self.0 {
                    Algorithm::RS256 => &algorithms::RSA_PKCS1_2048_8192_SHA256,
                    Algorithm::RS384 => &algorithms::RSA_PKCS1_2048_8192_SHA384,
                    Algorithm::RS512 => &algorithms::RSA_PKCS1_2048_8192_SHA512,
                    Algorithm::PS256 => &algorithms::RSA_PSS_2048_8192_SHA256,
                    Algorithm::PS384 => &algorithms::RSA_PSS_2048_8192_SHA384,
                    Algorithm::PS512 => &algorithms::RSA_PSS_2048_8192_SHA512,
                    _ => return Err(SignatureError::new()),
                };
                RsaPublicKeyComponents { n, e }.verify(algorithm, message, signature)
            }
            DecodingKeyKind::SecretOrDer(key) => {
                let algorithm: &dyn algorithms::VerificationAlgorithm = match self.0 {
                    Algorithm::ES256 => &algorithms::ECDSA_P256_SHA256_FIXED,
                    Algorithm::ES384 => &algorithms::ECDSA_P384_SHA384_FIXED,
                    Algorithm::EdDSA => &algorithms::ED25519,
                    _ => return Err(SignatureError::new()),
                };
                UnparsedPublicKey::new(algorithm, key).verify(message, signature)
            }
        };
        verified.map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for Asymmetric {
    fn algorithm(&self) -> Algorithm {
        self.0
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    // A public key used as the secret of an HMAC is the classic forgery (RFC 8725 section 2.1).
    if algorithm.family() == AlgorithmFamily::Hmac || algorithm.family() != key.family() {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    Ok(Box::new(Asymmetric(*algorithm, key.clone())))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation, decode};
    use serde_json::Value;

    use super::*;

    /// RFC 8037 appendix A.4. Its payload is not JSON, so only the signature is verified.
    #[test]
    fn the_ed25519_example_of_rfc_8037_verifies() {
        install();
        let key = DecodingKey::from_ed_components("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        let signature =
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let verify =
            |message: &[u8], algorithm| jsonwebtoken::crypto::verify(signature, message, &key, algorithm);
        assert!(verify(message, Algorithm::EdDSA).unwrap());
        assert!(!verify(b"another message", Algorithm::EdDSA).unwrap());
        assert!(verify(message, Algorithm::HS256).is_err());
        assert!(verify(message, Algorithm::RS256).is_err());
    }

    /// RFC 7515 appendix A.2 and A.3: RS256 and ES256 over the same payload.
    #[test]
    fn the_rs256_and_es256_examples_of_rfc_7515_verify() {
        install();
        let rsa = DecodingKey::from_rsa_components(
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-\
             yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-\
             KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9\
             iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
            "AQAB",
        )
        .unwrap();
        let payload =
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let rs256 = format!(
            "eyJhbGciOiJSUzI1NiJ9.{payload}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHI\
             m4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLI\
             ARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeY\
             I2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
        );
        let ec = DecodingKey::from_ec_components(
            "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        )
        .unwrap();
        let es256 = format!(
            "eyJhbGciOiJFUzI1NiJ9.{payload}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQx\
             fKTUJqPP3-Kg6NU1Q"
        );
        for (token, key, algorithm) in [(rs256, rsa, Algorithm::RS256), (es256, ec, Algorithm::ES256)] {
            let mut validation = Validation::new(algorithm);
            validation.validate_exp = false;
            assert_eq!(decode::<Value>(&token, &key, &validation).unwrap().claims["iss"], "joe");
            let forged = token.replacen("eyJpc3MiOiJqb2UiLA", "eyJpc3MiOiJKb2UiLA", 1);
            assert!(decode::<Value>(&forged, &key, &validation).is_err());
        }
    }
}
