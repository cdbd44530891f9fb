//! Microsoft Entra ID: the ID token as a client assertion.
//!
//! `POST {authority}/{tenant}/oauth2/v2.0/token` with `grant_type=client_credentials`. The ID
//! token replaces the application's secret or certificate ("Microsoft identity platform and the
//! OAuth 2.0 client credentials flow", third case). There is no refresh token: a new access token
//! needs a new assertion.

mod authority;
mod names;
mod refusal;
mod wire;

use jiff::Timestamp;

use self::wire::Refusal;
use super::ClientCredentials;
use crate::exchange::{AddressSettings, Answer, ErrorText, Explanation, Issued, Refused, Service};
use crate::http::{Call, Reply, UnexpectedReply, is_overloaded};
use crate::jwt::IdToken;
use crate::secret::Secret;

pub use authority::{Authority, Cloud};
pub(super) use names::is_guid;
pub use names::{ClientId, Scope, TenantId};

#[derive(Debug, Clone)]
pub struct AzureCredential {
    pub access_token: Secret,
    pub expires_at: Timestamp,
}

impl Issued for AzureCredential {
    fn secrets(&self) -> Vec<(&'static str, &Secret)> {
        vec![("access_token", &self.access_token)]
    }
}

/// The token endpoint of Entra, for one application.
pub(super) struct Entra<'a>(pub(super) &'a ClientCredentials);

impl Entra<'_> {
    pub(super) fn call(&self, token: &IdToken) -> Call {
        let url = self.0.authority.token_url(&self.0.tenant);
        Call::post_form(url, &mut wire::form(self.0, token)).header("accept", "application/json")
    }
}

impl Service for Entra<'_> {
    type Issued = AzureCredential;
    type Refusal = Refusal;

    fn name(&self) -> String {
        format!("Microsoft Entra ID ({})", self.0.authority.origin())
    }

    fn address_settings(&self) -> AddressSettings {
        let default = Some("https://login.microsoftonline.com");
        match self.0.authority_from {
            Some(setting) => AddressSettings::in_use(setting, default),
            None => AddressSettings::any_of("`--authority-host` or `AZURE_AUTHORITY_HOST`", default),
        }
    }

    fn read(
        &self,
        reply: &Reply,
        now: Timestamp,
    ) -> Result<Answer<AzureCredential, Refusal>, UnexpectedReply> {
        wire::read(reply, now)
    }

    /// Retries the statuses that the HTTP client does not retry (`http::RetryPolicy`), and code 70021
    /// alone, which Entra also returns for a new federated credential. The longer codes 70021…
    /// name a mismatch and are final.
    fn is_transient(&self, refusal: &Refusal, status: u16) -> bool {
        let names_what_differs = |code: &u32| *code != 70021 && code.to_string().starts_with("70021");
        let is_propagating = refusal.is(70021) && !refusal.codes.iter().any(names_what_differs);
        let retried_by_http = matches!(status, 429 | 502..=504);
        is_propagating || matches!(status, 408 | 500 | 505..) || (refusal.is_temporary() && !retried_by_http)
    }

    fn is_unavailable(&self, refusal: &Refusal, status: u16) -> bool {
        is_overloaded(status) || refusal.is_temporary()
    }

    fn words(&self, refusal: &Refusal) -> ErrorText {
        // The lines below the first repeat the ids.
        let line = refusal.description.lines().next().unwrap_or_default();
        let mut message = line.split(" Trace ID:").next().unwrap_or_default().to_owned();
        if let Some(code) = refusal.codes.first().filter(|_| message.is_empty()) {
            message = format!("AADSTS{code}");
        }
        ErrorText { message, codes: vec![refusal.error.clone()] }
    }

    fn explain(&self, refused: &Refused<'_, Refusal>) -> Explanation {
        let request = self.0;
        let mut checked_values = vec![
            ("client", request.client.as_str().to_owned()),
            ("tenant", request.tenant.as_str().to_owned()),
            ("scope", request.scope.as_str().to_owned()),
        ];
        let ids = [("trace", &refused.refusal.trace_id), ("correlation", &refused.refusal.correlation_id)];
        checked_values
            .extend(ids.into_iter().filter(|(_, id)| !id.is_empty()).map(|(name, id)| (name, id.clone())));
        Explanation {
            checked_values,
            hint: refusal::hint(request, refused),
            needs_new_token: refused.refusal.is(700_024),
        }
    }
}
