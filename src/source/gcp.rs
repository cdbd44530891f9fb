//! Google Cloud's metadata service, which mints a token for the machine's service account. `auto`
//! never chooses it, because the variables of a Google machine do not show an identity.
//!
//! `GET /computeMetadata/v1/instance/service-accounts/default/identity?audience=…&format=full` with
//! `Metadata-Flavor: Google`, without a proxy; the reply is the token and nothing else.

use super::endpoint::{self, Endpoint, Refusal};
use super::error::SourceError;
use super::{Audiences, TokenRequest, TokenSource};
use crate::context::Context;
use crate::error::Failure;
use crate::exchange::ExchangeError;
use crate::http::{Call, Http, HttpError, Reply, SecureUrl, UnexpectedReply};
use crate::jwt::IdToken;
use crate::secret::Secret;
use crate::settings::{Setting, SourceOptions};

const HOST: &str = "GCE_METADATA_HOST";
const DEFAULT_HOST: &str = "metadata.google.internal";
const IDENTITY: &str = "computeMetadata/v1/instance/service-accounts/default/identity";

/// The metadata service.
#[derive(Debug)]
pub(crate) struct Gcp(SecureUrl);

impl Endpoint for Gcp {
    const ADDRESS: &'static str = "`GCE_METADATA_HOST`";
    const ACCEPT: &'static str = "*/*";

    fn name(&self) -> String {
        format!("Google's metadata service at {}", self.0.origin())
    }

    fn call(&self, wanted: &TokenRequest) -> Result<Call, HttpError> {
        let url = self
            .0
            .below(IDENTITY)
            .with_query("audience", wanted.first_audience())
            .with_query("format", "full");
        Ok(Call::get(url).header("metadata-flavor", "Google"))
    }

    fn token(&self, reply: &Reply) -> Result<Secret, UnexpectedReply> {
        reply.bare_text()
    }

    fn refused(&self, refusal: &Refusal) -> String {
        match refusal.status {
            404 => {
                "the machine has no service account: give it one\n\
                 in Cloud Build and Colab, use another source: their metadata service provides no ID tokens"
            }
            _ => "check the audience",
        }
        .into()
    }
}

impl TokenSource for Gcp {
    const NAME: &'static str = "gcp";
    const IS_FOUND: bool = false;

    fn from_context(_: &str, _: &SourceOptions, ctx: &Context) -> Result<Self, Failure> {
        let host = Setting::variable(HOST, ctx)?.unwrap_or(Setting { name: HOST, value: DEFAULT_HOST });
        let other = "it is neither `metadata.google.internal` nor `169.254.169.254`, and plain http to any other host is refused";
        Ok(Self(host.parse(|host| SecureUrl::metadata_service(host).ok_or(other))?))
    }

    fn audiences(&self) -> Audiences {
        Audiences::One
    }

    async fn id_token(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure> {
        use HttpError::{ConnectTimedOut, Dns, Refused};
        Ok(endpoint::mint(self, wanted, http).await.map_err(|error| match error {
            SourceError::Service(ExchangeError::Unreachable {
                cause: cause @ (Dns { .. } | ConnectTimedOut { .. } | Refused { .. }),
                ..
            }) => SourceError::Missing {
                what: format!("Google's metadata service cannot be reached: {cause}"),
                remedy: format!("run `gp` on a Google Cloud machine\nif its metadata service has another host or port, name that in `{HOST}`"),
            },
            error => error,
        })?)
    }

    /// The service has the same address on each machine, and machines can share a home folder.
    fn fingerprint(&self, _: &Context) -> Option<Vec<String>> {
        Some(vec![self.0.to_string(), rustix::system::uname().nodename().to_string_lossy().into_owned()])
    }

    fn describe(&self) -> String {
        self.name()
    }
}
