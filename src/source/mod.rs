//! Where an ID token comes from.

mod refusal;
mod supervisor;

use crate::jwt::IdToken;

pub use refusal::SourceError;
pub use supervisor::{Supervisor, Workspace};

/// What an ID token is asked for.
#[derive(Debug, Clone, Copy)]
pub struct TokenRequest<'a> {
    /// The audiences, at least one, in the order in which `aud` lists them.
    pub audiences: &'a [String],
    /// The scope, for sources that know one.
    pub scope: Option<&'a str>,
}

/// A place that mints ID tokens.
pub trait TokenSource {
    /// How messages call it.
    fn name(&self) -> &'static str;

    /// A fresh token. Nothing here is cached: a token that lies around can be stolen.
    fn id_token(&self, request: &TokenRequest<'_>) -> impl Future<Output = Result<IdToken, SourceError>>;
}
