//! Google Cloud: Workload Identity Federation.
//!
//! 1. `POST https://sts.googleapis.com/v1/token` (RFC 8693): the ID token for a federated access token. Without
//!    an `Authorization` header, which the service would judge too.
//! 2. `POST https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/ACCOUNT:generateAccessToken` with
//!    the federated token as bearer, where a service account is to be impersonated (AIP-4117).
//! 3. `…:generateIdToken`, where an ID token signed by Google is wanted, for Cloud Run or IAP.

mod endpoints;
mod provider;
mod refusal;
mod settings;
mod wire;

use jiff::Timestamp;

use self::endpoints::Method;
use self::wire::{Lasting, Refusal};
use crate::exchange::{Answer, Exchange, ExchangeError, ask};
use crate::http::{Call, Garbled, Http, Reply};
use crate::jwt::IdToken;
use crate::secret::Secret;

pub use endpoints::{Endpoints, IAM_VARIABLE, STS_VARIABLE};
pub use provider::{FORM, Provider, ProviderError};
pub use settings::{CLOUD_PLATFORM, Lifetime, ServiceAccount, check_scope};
pub use wire::ID_TOKEN_TYPE;

/// What is wanted in the end. Nothing else is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// An access token.
    AccessToken,
    /// An ID token of the service account.
    IdToken,
    /// Both.
    Both,
}

/// Everything that Google is asked for, checked before any request.
#[derive(Debug, Clone)]
pub struct Federation {
    /// Where the services are.
    pub endpoints: Endpoints,
    /// Who judges the token.
    pub provider: Provider,
    /// Whom to impersonate.
    pub service_account: Option<ServiceAccount>,
    /// How long the service account's access token lives; an hour where nothing was said.
    pub lifetime: Option<Lifetime>,
    /// What the access token is good for.
    pub scopes: Vec<String>,
    /// Who the service account's ID token is for.
    pub id_token_audience: Option<String>,
    /// What to ask for.
    pub wanted: Wanted,
}

/// What Google gave.
#[derive(Debug, Clone)]
pub struct GoogleCredential {
    /// An access token, and when it ends.
    pub access_token: Option<(Secret, Timestamp)>,
    /// An ID token that Google signed.
    pub id_token: Option<IdToken>,
}

/// Google's services, for one provider.
pub struct Google<'a> {
    http: &'a Http<'a>,
    request: &'a Federation,
}

impl<'a> Google<'a> {
    /// Nothing is sent yet.
    #[must_use]
    pub fn new(http: &'a Http<'a>, request: &'a Federation) -> Self {
        Self { http, request }
    }

    async fn federate(&self, token: &IdToken) -> Result<Lasting, ExchangeError> {
        let call = Call::post(self.request.endpoints.token_url(), wire::exchange_form(self.request, token))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json");
        let service = refusal::Service::Sts;
        self.ask(&call, service, token, |reply| wire::read_sts(reply, self.http.ctx().now())).await
    }

    /// Calls one method for `account`, as whoever the federated token stands for.
    async fn impersonate<T>(
        &self,
        (account, method): (&ServiceAccount, Method),
        federated: &Secret,
        token: &IdToken,
        read: impl Fn(&Reply) -> Result<Answer<T, Refusal>, Garbled>,
    ) -> Result<T, ExchangeError> {
        let url = self.request.endpoints.method_url(account, method);
        let service = refusal::Service::Iam;
        let call = Call::post(url, wire::impersonation_body(self.request, method))
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .bearer(federated)
            .map_err(|cause| ExchangeError::Unreachable { target: service.name(self.request), cause })?;
        self.ask(&call, service, token, read).await
    }

    async fn ask<T>(
        &self,
        call: &Call,
        service: refusal::Service,
        token: &IdToken,
        read: impl Fn(&Reply) -> Result<Answer<T, Refusal>, Garbled>,
    ) -> Result<T, ExchangeError> {
        let answer = ask(self.http, call, &service.name(self.request), read).await?;
        answer.map_err(|(refusal, reply)| {
            refusal::explain(self.request, service, &refusal, &reply, token, self.http.ctx().now())
        })
    }
}

impl Exchange for Google<'_> {
    type Credential = GoogleCredential;

    fn target(&self) -> String {
        refusal::Service::Sts.name(self.request)
    }

    async fn exchange(&self, token: &IdToken) -> Result<GoogleCredential, ExchangeError> {
        let federated = self.federate(token).await?;
        let mut given = GoogleCredential { access_token: None, id_token: None };
        let wanted = self.request.wanted;
        let Some(account) = &self.request.service_account else {
            given.access_token = Some((federated.token, federated.expires_at));
            return Ok(given);
        };
        if wanted != Wanted::IdToken {
            let method = (account, Method::AccessToken);
            let lasting = self.impersonate(method, &federated.token, token, wire::read_access_token).await?;
            given.access_token = Some((lasting.token, lasting.expires_at));
        }
        if wanted != Wanted::AccessToken {
            let method = (account, Method::IdToken);
            given.id_token =
                Some(self.impersonate(method, &federated.token, token, wire::read_id_token).await?);
        }
        Ok(given)
    }
}
