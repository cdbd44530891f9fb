//! Azure DevOps pipelines: `POST $SYSTEM_OIDCREQUESTURI?api-version=7.1` with the job's access token as bearer; the token is
//! the member `oidcToken` of the reply.
//!
//! Its subject is the pipeline, or the service connection of
//! `AZURESUBSCRIPTION_SERVICE_CONNECTION_ID`, a variable that Azure's tasks and SDKs
//! (`AzurePipelinesCredential`) also use. The audience cannot be chosen.

use super::endpoint::{self, Endpoint, Refusal, required};
use super::{Audiences, TokenRequest, TokenSource, api_host};
use crate::context::Context;
use crate::error::Failure;
use crate::http::{Call, Http, HttpError, SecureUrl};
use crate::jwt::IdToken;
use crate::secret::Secret;
use crate::settings::SourceOptions;

const URL: &str = "SYSTEM_OIDCREQUESTURI";
const TOKEN: &str = "SYSTEM_ACCESSTOKEN";
/// The service's own hosts. Other hosts do not get the job's access token, which can do more than
/// mint.
const OWN_HOSTS: [&str; 2] = ["dev.azure.com", ".visualstudio.com"];
const CONNECTION: &str = "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID";
const AUDIENCE: &str = "api://AzureADTokenExchange";
const FIX: &str = "a step gets the job's access token only through its `env`: add `SYSTEM_ACCESSTOKEN: $(System.AccessToken)` there";

/// A job of a pipeline.
#[derive(Debug)]
pub(crate) struct AzureDevOps {
    url: SecureUrl,
    token: Secret,
}

impl Endpoint for AzureDevOps {
    const ADDRESS: &'static str = "`SYSTEM_OIDCREQUESTURI`";
    const MEMBER: &'static str = "oidcToken";
    const REFUSES_WITH_PAGE: bool = true;

    fn name(&self) -> String {
        format!("Azure DevOps at {}", self.url.origin())
    }

    fn call(&self, _: &TokenRequest) -> Result<Call, HttpError> {
        Call::post(self.url.clone(), Vec::new()).header("content-length", "0").bearer(&self.token)
    }

    fn refused(&self, refusal: &Refusal) -> String {
        match refusal.status {
            200..=399 | 401 => format!(
                "`{TOKEN}` is valid only while its job runs: run the job again if the job has ended\n{FIX}"
            ),
            _ => format!(
                "if `{CONNECTION}` is set, the job has to reference that service connection, and may need an approval for it"
            ),
        }
    }
}

impl TokenSource for AzureDevOps {
    const NAME: &'static str = "azure-devops";
    const VARIABLES: &'static [&'static str] = &[URL, TOKEN];
    const FLAG: Option<(&'static str, &'static str)> = Some(("TF_BUILD", "True"));
    const WORKLOAD: Option<&'static str> = Some("BUILD_BUILDID");

    fn from_context(_: &str, options: &SourceOptions, ctx: &Context) -> Result<Self, Failure> {
        let outside = "every Azure DevOps job has this variable: pass it on to a container of your own";
        let url = api_host::service_url(required(URL, outside, ctx)?, SecureUrl::parse, &OWN_HOSTS, options)?
            .with_query("api-version", "7.1");
        let connection = ctx.var(CONNECTION)?;
        let url = connection.map_or(url.clone(), |id| url.with_query("serviceConnectionId", id));
        Ok(Self { url, token: Secret::new(required(TOKEN, FIX, ctx)?.value.to_owned()) })
    }

    fn audiences(&self) -> Audiences {
        Audiences::Fixed
    }

    async fn id_token(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure> {
        Ok(endpoint::mint(self, wanted, http).await?)
    }

    /// The URL belongs to this job only, and has the service connection.
    fn fingerprint(&self, _: &Context) -> Option<Vec<String>> {
        Some(vec![self.url.as_str().to_owned()])
    }

    fn audience_hint(&self, _: &TokenRequest) -> String {
        format!(
            "Azure DevOps mints tokens only for `{AUDIENCE}`: use `--audience {AUDIENCE}`\n\
             the receiver must accept tokens for this audience"
        )
    }

    fn describe(&self) -> String {
        self.name()
    }
}
