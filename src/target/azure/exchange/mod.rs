//! Microsoft Entra ID: the ID token as a client assertion.
//!
//! `POST {authority}/{tenant}/oauth2/v2.0/token` with `grant_type=client_credentials` and the token where an
//! application would have its secret or certificate ("Microsoft identity platform and the OAuth 2.0 client
//! credentials flow", third case). There is no refresh token: a new assertion gets a new access token.

mod authority;
mod names;
mod refusal;
mod wire;

use jiff::Timestamp;

use crate::exchange::{Exchange, ExchangeError, ask};
use crate::http::{Call, Http};
use crate::jwt::IdToken;
use crate::secret::Secret;

pub use authority::{Authority, Cloud};
pub use names::{ClientId, Scope, TenantId};

/// Everything that Entra is asked for, checked before any request.
#[derive(Debug, Clone)]
pub struct ClientCredentials {
    /// Who gives tokens.
    pub authority: Authority,
    /// Whose directory.
    pub tenant: TenantId,
    /// Which application.
    pub client: ClientId,
    /// What the token is good for.
    pub scope: Scope,
}

/// What Entra gave.
#[derive(Debug, Clone)]
pub struct AzureCredential {
    /// The access token.
    pub access_token: Secret,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Entra, for one application.
pub struct Entra<'a> {
    http: &'a Http<'a>,
    request: &'a ClientCredentials,
}

impl<'a> Entra<'a> {
    /// Nothing is sent yet.
    #[must_use]
    pub fn new(http: &'a Http<'a>, request: &'a ClientCredentials) -> Self {
        Self { http, request }
    }
}

impl Exchange for Entra<'_> {
    type Credential = AzureCredential;

    fn target(&self) -> String {
        let url = self.request.authority.token_url(&self.request.tenant);
        format!("Microsoft Entra ID ({})", crate::http::origin(&url))
    }

    async fn exchange(&self, token: &IdToken) -> Result<AzureCredential, ExchangeError> {
        let url = self.request.authority.token_url(&self.request.tenant);
        let call = Call::post(url, wire::form(self.request, token))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json");
        let now = || self.http.ctx().now();
        let answer = ask(self.http, &call, &self.target(), |reply| wire::read(reply, now())).await?;
        answer.map_err(|(refusal, reply)| refusal::explain(self, &refusal, &reply, token, now()))
    }
}
