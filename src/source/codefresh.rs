//! Codefresh: `GET $CF_OIDC_REQUEST_URL?audience=…` with `$CF_OIDC_REQUEST_TOKEN` as the
//! `Authorization` header, without a scheme; the token is the member `id_token` of the reply.

use super::endpoint::{self, Endpoint, Refusal, required};
use super::{Audiences, TokenRequest, TokenSource};
use crate::context::Context;
use crate::error::Failure;
use crate::http::{Call, Http, HttpError, SecureUrl};
use crate::jwt::IdToken;
use crate::secret::Secret;
use crate::settings::SourceOptions;

const URL: &str = "CF_OIDC_REQUEST_URL";
const TOKEN: &str = "CF_OIDC_REQUEST_TOKEN";
const FIX: &str = "a step of a Codefresh pipeline has `CF_OIDC_REQUEST_URL` and `CF_OIDC_REQUEST_TOKEN`: pass both on to a container of your own";

/// A step of a pipeline.
#[derive(Debug)]
pub(crate) struct Codefresh {
    url: SecureUrl,
    token: Secret,
}

impl Endpoint for Codefresh {
    const ADDRESS: &'static str = "`CF_OIDC_REQUEST_URL`";
    const MEMBER: &'static str = "id_token";

    fn name(&self) -> String {
        format!("Codefresh's token service at {}", self.url.origin())
    }

    fn call(&self, wanted: &TokenRequest) -> Result<Call, HttpError> {
        Call::get(self.url.with_query("audience", wanted.first_audience()))
            .secret_header("authorization", &self.token)
    }

    fn refused(&self, refusal: &Refusal) -> String {
        match refusal.status {
            401 | 403 => {
                "`CF_OIDC_REQUEST_TOKEN` has expired: run the pipeline again\n\
                 if the variable was copied from another step, use the one that Codefresh sets in this step"
            }
            _ => "check the audience, and the status page of Codefresh",
        }
        .into()
    }
}

impl TokenSource for Codefresh {
    const NAME: &'static str = "codefresh";
    const VARIABLES: &'static [&'static str] = &[URL, TOKEN];
    const WORKLOAD: Option<&'static str> = Some("CF_BUILD_ID");

    fn from_context(_: &str, _: &SourceOptions, ctx: &Context) -> Result<Self, Failure> {
        let url = required(URL, FIX, ctx)?.parse(SecureUrl::parse)?;
        Ok(Self { url, token: Secret::new(required(TOKEN, FIX, ctx)?.value.to_owned()) })
    }

    fn audiences(&self) -> Audiences {
        Audiences::One
    }

    async fn id_token(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure> {
        Ok(endpoint::mint(self, wanted, http).await?)
    }

    fn fingerprint(&self, _: &Context) -> Option<Vec<String>> {
        Some(vec![self.url.as_str().to_owned()])
    }

    fn describe(&self) -> String {
        self.name()
    }
}
