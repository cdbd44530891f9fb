//! What an ID token is traded for.

mod ask;
pub(crate) mod expires_in;
mod rejection;
pub(crate) mod trade;

use crate::jwt::IdToken;

pub(crate) use ask::{Answer, MayPass, ask};
pub(crate) use rejection::skew;
pub use rejection::{ExchangeError, Judged};

/// A service that takes an ID token and gives a credential.
pub trait Exchange {
    /// What it gives.
    type Credential;

    /// How messages call the service.
    fn target(&self) -> String;

    /// One trade, with the retries that the service's errors allow.
    fn exchange(&self, token: &IdToken) -> impl Future<Output = Result<Self::Credential, ExchangeError>>;
}
