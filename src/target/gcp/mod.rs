//! Google Cloud: Workload Identity Federation, and credentials for SDKs, gcloud and Terraform.

pub mod args;
pub(crate) mod doctor;
pub mod exchange;
pub(crate) mod exec;
pub(crate) mod executable;
pub(crate) mod external_account;
mod install;
pub(crate) mod login;
mod request;
pub(crate) mod trust;

use self::args::GcpArgs;
use self::exchange::GoogleCredential;
use crate::audit::Access;
use crate::context::Context;
use crate::error::Failure;
use crate::exchange::ExchangeError;
use crate::http::{Http, SecureUrl};
use crate::jwt::IdToken;
use crate::secret::Secret;
use crate::settings::SessionOptions;
use crate::sink::formats::Variable;
use crate::source::TokenRequest;
use crate::target::Target;

pub use request::{Federation, Wanted};

pub struct Gcp;

impl Target for Gcp {
    const CONFLICTING_VARIABLES: &'static [&'static str] = &[
        "CLOUDSDK_AUTH_ACCESS_TOKEN",
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE",
        "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT",
        "CLOUDSDK_CORE_ACCOUNT",
        "GCLOUD_KEYFILE_JSON",
        "GOOGLE_CLOUD_KEYFILE_JSON",
        "GOOGLE_CREDENTIALS",
        "GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE",
        "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT",
        "GOOGLE_OAUTH_ACCESS_TOKEN",
    ];
    type Args = GcpArgs;
    type Request = Federation;
    type Credential = GoogleCredential;

    fn request(args: &GcpArgs, ctx: &Context) -> Result<Federation, Failure> {
        request::read(args, &request::TokenOptions::ACCESS, ctx)
    }

    fn action(_: &Federation) -> String {
        "get access to Google Cloud".to_owned()
    }

    fn token_request(request: &Federation) -> &TokenRequest {
        &request.token
    }

    fn options(request: &Federation) -> &SessionOptions {
        &request.options
    }

    fn foreign_hosts(request: &Federation) -> Vec<String> {
        request.endpoints.foreign_hosts(request.service_account.is_some())
    }

    fn urls(request: &Federation) -> Vec<SecureUrl> {
        request.endpoints.addresses(request.service_account.as_ref())
    }

    fn access(request: &Federation, given: Option<&GoogleCredential>) -> Access {
        let access = given.and_then(GoogleCredential::access_token).map(|access| access.expires_at);
        let own = given.and_then(GoogleCredential::id_token);
        Access {
            provider: Some(request.provider.to_string()),
            account: request.service_account.as_ref().map(|account| account.as_str().to_owned()),
            expires_at: access.or(own.and_then(|token| token.claims().as_claimed().expires_at)),
            ..Access::default()
        }
    }

    async fn exchange(
        request: &Federation,
        token: &IdToken,
        http: &Http<'_>,
    ) -> Result<GoogleCredential, ExchangeError> {
        exchange::exchange(request, token, http).await
    }
}

/// The project in each variable that tools read it from.
fn project_variables(project: Option<&str>) -> Vec<Variable> {
    const NAMES: [&str; 5] = [
        "CLOUDSDK_CORE_PROJECT",
        "CLOUDSDK_PROJECT",
        "GCLOUD_PROJECT",
        "GCP_PROJECT",
        "GOOGLE_CLOUD_PROJECT",
    ];
    let named = |project: &str| NAMES.map(|name| (name, Secret::new(project.to_owned()))).to_vec();
    project.map(named).unwrap_or_default()
}
