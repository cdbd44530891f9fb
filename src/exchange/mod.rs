//! What an ID token is traded for.

mod ask;
pub mod aws;
pub mod azure;
mod expires_in;
pub mod gcp;
pub mod oauth;
mod rejection;
pub mod vault;

use crate::jwt::IdToken;

use ask::{Answer, MayPass, ask};
use rejection::skew;
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
