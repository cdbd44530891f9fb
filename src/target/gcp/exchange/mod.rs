//! Google Cloud: Workload Identity Federation.
//!
//! 1. `POST https://sts.googleapis.com/v1/token` (RFC 8693) exchanges the ID token for a federated
//!    access token. The request has no `Authorization` header, because the service would check
//!    that too.
//! 2. `POST https://iamcredentials.googleapis.com/v1/NAME:generateAccessToken` with the federated
//!    token as bearer token, if a service account is impersonated (AIP-4117). `NAME` is
//!    `projects/-/serviceAccounts/ACCOUNT`.
//! 3. `…:generateIdToken`, if an ID token signed by Google is requested, for Cloud Run or IAP.

mod endpoints;
pub(super) mod provider;
mod refusal;
mod settings;
mod wire;

use jiff::Timestamp;

use self::endpoints::Method;
use self::wire::Refusal;
use super::{Federation, Wanted};
use crate::exchange::{
    AddressSettings, Answer, ErrorText, ExchangeError, Explanation, Issued, Refused, Service, ask,
};
use crate::http::{Call, Http, Reply, UnexpectedReply, is_overloaded};
use crate::jwt::IdToken;
use crate::secret::Secret;

pub use endpoints::{Endpoints, IAM_VARIABLE, STS_VARIABLE};
pub use provider::{FORM, Provider, ProviderError};
pub use settings::{CLOUD_PLATFORM, Lifetime, ServiceAccount, check_scope};
pub use wire::ID_TOKEN_TYPE;

/// An access token and its expiry time.
#[derive(Debug, Clone)]
pub struct AccessToken {
    pub token: Secret,
    pub expires_at: Timestamp,
}

/// The credentials that Google issued: exactly those that were requested.
#[derive(Debug, Clone)]
pub enum GoogleCredential {
    AccessToken(AccessToken),
    /// An ID token that Google signed.
    IdToken(IdToken),
    Both(AccessToken, IdToken),
}

impl GoogleCredential {
    /// The access token, if one was requested.
    pub fn access_token(&self) -> Option<&AccessToken> {
        match self {
            Self::AccessToken(access) | Self::Both(access, _) => Some(access),
            Self::IdToken(_) => None,
        }
    }

    /// The ID token that Google signed, if one was requested.
    pub fn id_token(&self) -> Option<&IdToken> {
        match self {
            Self::IdToken(token) | Self::Both(_, token) => Some(token),
            Self::AccessToken(_) => None,
        }
    }
}

impl Issued for AccessToken {
    fn secrets(&self) -> Vec<(&'static str, &Secret)> {
        vec![("access_token", &self.token)]
    }
}

impl Issued for IdToken {
    fn secrets(&self) -> Vec<(&'static str, &Secret)> {
        vec![("token", self.secret())]
    }
}

/// One of Google's services, and the function that reads its replies.
struct Google<'a, T> {
    request: &'a Federation,
    kind: refusal::Kind,
    read: Read<T>,
}

type Read<T> = fn(&Reply, Timestamp) -> Result<Answer<T, Refusal>, UnexpectedReply>;

impl<T: Issued> Service for Google<'_, T> {
    type Issued = T;
    type Refusal = Refusal;

    fn name(&self) -> String {
        self.kind.name(self.request)
    }

    fn address_settings(&self) -> AddressSettings {
        let (name, default) = match self.kind {
            refusal::Kind::Sts => (STS_VARIABLE, endpoints::STS),
            refusal::Kind::Iam => (IAM_VARIABLE, endpoints::IAM),
        };
        AddressSettings::any_of(name, Some(default))
    }

    fn read(&self, reply: &Reply, now: Timestamp) -> Result<Answer<T, Refusal>, UnexpectedReply> {
        (self.read)(reply, now)
    }

    /// The HTTP client has already retried the statuses that any server may return for a short time
    /// (`http::RetryPolicy`).
    fn is_transient(&self, refusal: &Refusal, status: u16) -> bool {
        matches!(status, 408 | 500) || (status < 500 && refusal.is_temporary())
    }

    fn is_unavailable(&self, refusal: &Refusal, status: u16) -> bool {
        is_overloaded(status) || refusal.is_temporary()
    }

    fn words(&self, refusal: &Refusal) -> ErrorText {
        ErrorText { message: refusal.message.clone(), codes: vec![refusal.code.clone()] }
    }

    fn explain(&self, refused: &Refused<'_, Refusal>) -> Explanation {
        let mut checked_values = vec![("provider", self.request.provider.to_string())];
        checked_values.extend(
            self.request.service_account.as_ref().map(|account| ("account", account.as_str().to_owned())),
        );
        let refusal = refused.refusal;
        Explanation {
            checked_values,
            hint: refusal::hint(self.request, self.kind, refused),
            needs_new_token: refusal.code == "invalid_grant" && refusal.message.contains("is stale"),
        }
    }
}

/// Exchanges the token, and impersonates the service account if one is named.
pub(super) async fn exchange(
    request: &Federation,
    token: &IdToken,
    http: &Http<'_>,
) -> Result<GoogleCredential, ExchangeError> {
    let call = Call::post_form(request.endpoints.token_url(), &mut wire::exchange_form(request, token))
        .header("accept", "application/json");
    let sts = Google { request, kind: refusal::Kind::Sts, read: wire::read_sts };
    let federated = ask(&sts, Ok(call), token, http).await?;
    let Some(account) = &request.service_account else {
        return Ok(GoogleCredential::AccessToken(federated));
    };
    let call = |method| {
        let url = request.endpoints.method_url(account, method);
        Call::post_json(url, &wire::impersonation_body(request, method))?
            .header("accept", "application/json")
            .bearer(&federated.token)
    };
    let kind = refusal::Kind::Iam;
    let access = Google { request, kind, read: wire::read_access_token };
    let identity = Google { request, kind, read: wire::read_id_token };
    let access_token = async || ask(&access, call(Method::AccessToken), token, http).await;
    let id_token = async || ask(&identity, call(Method::IdToken), token, http).await;
    Ok(match request.wanted {
        Wanted::AccessToken => GoogleCredential::AccessToken(access_token().await?),
        Wanted::IdToken => GoogleCredential::IdToken(id_token().await?),
        Wanted::Both => GoogleCredential::Both(access_token().await?, id_token().await?),
    })
}
