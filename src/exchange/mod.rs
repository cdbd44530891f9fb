//! What every exchange of an ID token shares: one request with its retries, and why there is no credential.

mod ask;
mod clocks;
mod error;
pub(crate) mod expires_in;

pub(crate) use ask::{Answer, Given, Refused, Service, Verdict, Words, ask, said, send};
pub(crate) use clocks::Clocks;
pub use error::{ExchangeError, Judged};
