//! Buildkite: `POST $BUILDKITE_AGENT_ENDPOINT/jobs/<job>/oidc/tokens` with the agent's token of
//! this job, as `buildkite-agent oidc request-token` does.

use serde_json::json;

use super::endpoint::{self, Endpoint, Refusal, required};
use super::{Audiences, TokenRequest, TokenSource, api_host};
use crate::context::Context;
use crate::error::Failure;
use crate::http::{Call, Http, HttpError, SecureUrl};
use crate::jwt::IdToken;
use crate::secret::Secret;
use crate::settings::{Setting, SourceOptions};

const ENDPOINT: &str = "BUILDKITE_AGENT_ENDPOINT";
const DEFAULT_ENDPOINT: &str = "https://agent.buildkite.com/v3";
/// Buildkite's own hosts. Other hosts do not get the agent's token, which can do more than mint.
const OWN_HOSTS: [&str; 2] = ["agent.buildkite.com", "agent-edge.buildkite.com"];
const TOKEN: &str = "BUILDKITE_AGENT_ACCESS_TOKEN";
const JOB: &str = "BUILDKITE_JOB_ID";
const FIX: &str = "the agent sets it in every job: pass `BUILDKITE_AGENT_ACCESS_TOKEN`, `BUILDKITE_JOB_ID` and `BUILDKITE_AGENT_ENDPOINT` on to a container of your own (in the Docker plugin, `environment`)";

/// A job of a pipeline.
#[derive(Debug)]
pub(crate) struct Buildkite {
    url: SecureUrl,
    token: Secret,
}

impl Endpoint for Buildkite {
    const ADDRESS: &'static str = "`BUILDKITE_AGENT_ENDPOINT`";

    fn name(&self) -> String {
        format!("Buildkite's agent API at {}", self.url.origin())
    }

    fn call(&self, wanted: &TokenRequest) -> Result<Call, HttpError> {
        let body = json!({"audience": wanted.first_audience()});
        Call::post_json(self.url.clone(), &body)?.authorization("Token", &self.token)
    }

    fn refused(&self, refusal: &Refusal) -> String {
        match refusal.status {
            401 | 403 => "`BUILDKITE_AGENT_ACCESS_TOKEN` is valid only while its job runs: run the job again\n\
                 if the variable was copied from another job, use the one that the agent sets in this job",
            404 => "check that `BUILDKITE_JOB_ID` is the job that runs, and that `BUILDKITE_AGENT_ENDPOINT` is the address that its agent uses",
            _ => "check the audience, and the status page of Buildkite",
        }
        .into()
    }
}

impl TokenSource for Buildkite {
    const NAME: &'static str = "buildkite";
    const VARIABLES: &'static [&'static str] = &[TOKEN, JOB];
    const FLAG: Option<(&'static str, &'static str)> = Some(("BUILDKITE", "true"));
    const WORKLOAD: Option<&'static str> = Some(JOB);

    fn from_context(_: &str, options: &SourceOptions, ctx: &Context) -> Result<Self, Failure> {
        let (token, job) = (required(TOKEN, FIX, ctx)?, required(JOB, FIX, ctx)?);
        let endpoint =
            Setting::variable(ENDPOINT, ctx)?.unwrap_or(Setting { name: ENDPOINT, value: DEFAULT_ENDPOINT });
        let endpoint = api_host::service_url(endpoint, SecureUrl::base, &OWN_HOSTS, options)?;
        let url = endpoint.below(&format!("jobs/{}/oidc/tokens", job.value));
        Ok(Self { url, token: Secret::new(token.value.to_owned()) })
    }

    fn audiences(&self) -> Audiences {
        Audiences::One
    }

    async fn id_token(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure> {
        Ok(endpoint::mint(self, wanted, http).await?)
    }

    /// The URL has the job's id.
    fn fingerprint(&self, _: &Context) -> Option<Vec<String>> {
        Some(vec![self.url.as_str().to_owned()])
    }

    fn describe(&self) -> String {
        self.name()
    }
}
