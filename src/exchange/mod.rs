//! The code that all exchanges of an ID token share: one request with its retries, and the errors.

mod ask;
mod clocks;
mod error;
pub(crate) mod expires_in;

pub(crate) use ask::{
    Answer, ErrorText, Explanation, Issued, Refused, Service, ask, error_text, send, unavailable, with_effort,
};
pub(crate) use clocks::Clocks;
pub use error::{AddressSettings, CheckedValues, ExchangeError};
pub(crate) use error::{login_page_hint, retry_hint, state_of, unavailable_hint};

/// The discovery document of an issuer (OpenID Connect Discovery section 4), for messages.
pub(crate) fn discovery(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discovery_documents() {
        for issuer in ["https://x.example/idp", "https://x.example/idp/"] {
            assert_eq!(discovery(issuer), "https://x.example/idp/.well-known/openid-configuration");
        }
    }
}
