//! A local workspace on loopback: its supervisor, the installation's public API and its issuer.
//!
//! There are two listeners, as in a real workspace. One is the [`supervisor`], which serves the
//! editor's page at all other paths. The other is the API with the [`issuer`] and the services
//! that trust the issuer: AWS STS ([`sts`]), Google ([`gcp`]), Entra ([`azure`]), a token endpoint
//! ([`oauth`]) and a Vault server ([`vault`]). The signing key exists only while the process runs,
//! so no other service accepts a token from here. The local workspace can also imitate a CI job or
//! an Ona environment ([`platform`]). The tests use it as their fixture.

mod api;
pub(crate) mod args;
mod azure;
mod buildkite;
mod fault;
mod gcp;
mod github;
mod gitlab;
mod hints;
mod issuer;
mod keys;
mod oauth;
mod ona;
mod platform;
mod relying_party;
mod sts;
mod supervisor;
mod token;
mod vault;
mod whoami;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::context::Clock;
use crate::exit::{Exit, Explain};
use crate::secret::Secret;

pub use azure::AzureOptions;
pub use fault::{Fault, FaultError, FaultKind};
pub use gcp::GcpOptions;
pub use hints::Hints;
pub use keys::SigningKey;
pub use oauth::OauthOptions;
pub use platform::Platform;
pub use relying_party::{PreparedReply, RecordedRequest};
pub(crate) use sts::is_role_arn;
pub use sts::{AwsFault, AwsOptions, AwsRole, DEV_ROLE, DOCS_ROLE, StsRequest};
pub use vault::{DEV_VAULT_ROLES, VaultFault, VaultOptions, VaultRequest, VaultRole};

/// The default port of API and issuer. It is fixed, so that the issuer has the same URL in each
/// run.
pub const DEV_PORT: u16 = 22990;
/// The default of [`Options::workspace_id`].
pub const DEV_WORKSPACE_ID: &str = "gitpodio-example-0123456789a";
/// The default of [`Options::context_url`].
pub const DEV_CONTEXT_URL: &str = "https://github.com/gitpod-io/example";
/// The default of [`Options::user_id`].
pub const DEV_USER_ID: &str = "00000000-0000-4000-8000-000000000001";
/// The default of [`Options::org_id`].
pub const DEV_ORG_ID: &str = "00000000-0000-4000-8000-000000000002";
/// The default of [`Options::name`].
pub const DEV_NAME: &str = "Local Developer";
/// The default of [`Options::email`].
pub const DEV_EMAIL: &str = "developer@example.com";
/// The default of [`Options::token_scopes`].
pub const DEV_TOKEN_SCOPES: [&str; 2] = ["function:getWorkspace", "function:getIDToken"];

/// The identity of the workspace, and the behaviour of its services.
#[derive(Debug, Clone)]
pub struct Options {
    /// The platform whose environment and claims it has.
    pub platform: Platform,
    /// Port of API and issuer. 0: a free port. `None`: [`DEV_PORT`], or a free port if it is
    /// taken.
    pub port: Option<u16>,
    /// Port of the supervisor. 0: a free port.
    pub supervisor_port: u16,
    pub workspace_id: String,
    /// The context URL of the workspace, or the repository URL of the job. It may be empty.
    pub context_url: String,
    /// `sub`, if it differs from the one that the platform derives from the context URL.
    pub subject: Option<String>,
    pub user_id: String,
    pub org_id: String,
    pub name: String,
    /// The owner's e-mail address.
    pub email: String,
    /// How long an ID token lives.
    pub lifetime: Duration,
    /// How far the issuer's clock is ahead, in seconds; negative if it is behind.
    pub clock_offset: i64,
    /// The scopes of the workspace's API token.
    pub token_scopes: Vec<String>,
    /// The tokens that a job of GitLab CI declares, by variable and audience. If the list is empty, the job declares
    /// one token for each local service.
    pub id_tokens: Vec<(String, String)>,
    /// The clock of all services. The issuer's clock adds `clock_offset`.
    pub clock: Clock,
    /// The folder for the platform's token file.
    pub temp_dir: PathBuf,
    /// The configuration of the local Google Cloud.
    pub gcp: GcpOptions,
    /// The configuration of the local Microsoft Entra ID.
    pub azure: AzureOptions,
    /// The configuration of the local OAuth token endpoint.
    pub oauth: OauthOptions,
    /// The receiver of hints that no real service gives.
    pub hints: Hints,
    /// The configuration of the local AWS STS.
    pub aws: AwsOptions,
    /// The configuration of the local Vault server.
    pub vault: VaultOptions,
}

impl Options {
    /// The defaults for a platform.
    pub fn of(platform: Platform) -> Self {
        Self { platform, lifetime: platform.lifetime(), ..Self::default() }
    }

    /// The `sub` of the workspace's tokens.
    fn subject(&self) -> String {
        self.subject.clone().unwrap_or_else(|| self.platform.subject(self))
    }

    /// The issuer's clock, in seconds since 1970.
    fn issuer_time(&self) -> i64 {
        self.clock.now().as_second() + self.clock_offset
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            platform: Platform::Gitpod,
            port: Some(0),
            supervisor_port: 0,
            workspace_id: DEV_WORKSPACE_ID.into(),
            context_url: DEV_CONTEXT_URL.into(),
            subject: None,
            user_id: DEV_USER_ID.into(),
            org_id: DEV_ORG_ID.into(),
            name: DEV_NAME.into(),
            email: DEV_EMAIL.into(),
            lifetime: Platform::Gitpod.lifetime(),
            clock_offset: 0,
            token_scopes: DEV_TOKEN_SCOPES.map(Into::into).into(),
            id_tokens: Vec::new(),
            clock: Clock::System,
            temp_dir: "/tmp".into(),
            gcp: GcpOptions::default(),
            azure: AzureOptions::default(),
            oauth: OauthOptions::default(),
            hints: Hints::default(),
            aws: AwsOptions::default(),
            vault: VaultOptions::default(),
        }
    }
}

/// The local workspace could not be started.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// A port is taken.
    #[error("could not listen on 127.0.0.1:{port}")]
    Listen {
        port: u16,
        #[source]
        source: io::Error,
    },
    /// The signing key could not be generated.
    #[error("could not make a signing key: {0}")]
    Key(String),
    /// The platform's token file could not be written.
    #[error("could not write a file with the token of the environment")]
    TokenFile(#[source] io::Error),
    /// A token could not be signed.
    #[error("could not sign a token: {0}")]
    Token(String),
}

impl Explain for DevError {
    fn exit(&self) -> Exit {
        match self {
            Self::Listen { .. } | Self::Key(_) | Self::Token(_) => Exit::Failed,
            Self::TokenFile(_) => Exit::LocalFile,
        }
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::Listen { .. })
            .then(|| "choose another port with `--port PORT`, or a free one with `--port 0`".into())
    }
}

/// The state that all handlers share.
struct State {
    options: Options,
    issuer: issuer::Issuer,
    /// `host:port` of the API, as the supervisor reports it.
    api_host: String,
    api_token: Secret,
    token_file: Option<NamedTempFile>,
    google: gcp::Google,
    entra: azure::Entra,
    oauth: oauth::Oauth,
    sts: sts::Sts,
    vault: vault::Vault,
}

/// A running local workspace. It stops when it is dropped.
pub struct Workspace {
    state: Arc<State>,
    supervisor: SocketAddr,
    api: SocketAddr,
    /// The environment variables that the platform sets.
    variables: platform::Variables,
    _servers: JoinSet<()>,
}

impl Workspace {
    /// Binds both listeners and serves on the current runtime.
    pub async fn start(options: Options, key: SigningKey) -> Result<Self, DevError> {
        let (supervisor_listener, supervisor) = listen(options.supervisor_port).await?;
        let (api_listener, api) = match options.port {
            Some(port) => listen(port).await?,
            None => match listen(DEV_PORT).await {
                Ok(bound) => bound,
                Err(_) => listen(0).await?,
            },
        };
        let api_host = api.to_string();
        let issuer = issuer::Issuer::new(format!("http://{api_host}/idp"), key);
        let platform = options.platform;
        let api_token = platform.request_token(&options, &issuer).map_err(DevError::Token)?;
        let token_file = platform.token_file(&options, &api_token).map_err(DevError::TokenFile)?;
        let sts = sts::Sts::new(&options.aws);
        let (google, entra) = (gcp::Google::new(&options.gcp), azure::Entra::new(&options.azure));
        let (oauth, vault) = (oauth::Oauth::new(&options.oauth), vault::Vault::new(&options.vault));
        let state =
            State { options, issuer, api_host, api_token, token_file, google, entra, oauth, sts, vault };
        let state = Arc::new(state);

        let mut servers = JoinSet::new();
        serve(&mut servers, supervisor_listener, supervisor::routes(state.clone()));
        let routes = platform
            .routes(state.clone())
            .merge(issuer::routes(&state))
            .merge(whoami::routes(state.clone()))
            .merge(sts::routes(state.clone()))
            .merge(vault::routes(state.clone()))
            .merge(oauth::routes(state.clone()))
            .merge(gcp::routes(state.clone()))
            .merge(azure::routes(state.clone()));
        serve(&mut servers, api_listener, routes);
        let variables = platform.variables(&state, &supervisor.to_string()).map_err(DevError::Token)?;
        Ok(Self { state, supervisor, api, variables, _servers: servers })
    }

    /// `host:port` of the supervisor.
    pub fn supervisor_address(&self) -> String {
        self.supervisor.to_string()
    }

    /// The base URL of API and issuer.
    pub fn api_url(&self) -> String {
        format!("http://{}", self.api)
    }

    /// The issuer, as in the `iss` of its tokens.
    pub fn issuer(&self) -> &str {
        self.state.issuer.url()
    }

    /// The credential for ID token requests: the API token of the supervisor, or the platform's counterpart.
    pub fn api_token(&self) -> &Secret {
        &self.state.api_token
    }

    /// The requests to Google's services so far.
    pub fn gcp_requests(&self) -> Vec<RecordedRequest> {
        self.state.google.requests()
    }

    /// The requests to Entra so far.
    pub fn azure_requests(&self) -> Vec<RecordedRequest> {
        self.state.entra.requests()
    }

    /// The requests to the OAuth token endpoint so far.
    pub fn oauth_requests(&self) -> Vec<RecordedRequest> {
        self.state.oauth.requests()
    }

    /// The URL of the local AWS STS.
    pub fn sts_url(&self) -> String {
        format!("{}/sts", self.api_url())
    }

    /// The requests to STS so far.
    pub fn sts_requests(&self) -> Vec<StsRequest> {
        self.state.sts.requests()
    }

    /// The URL of the local Vault server.
    pub fn vault_url(&self) -> String {
        format!("{}{}", self.api_url(), vault::PATH)
    }

    /// The requests to the Vault server so far.
    pub fn vault_requests(&self) -> Vec<VaultRequest> {
        self.state.vault.requests()
    }

    /// The environment of a process inside the workspace, with the variables that point to the
    /// local services. The order is stable.
    pub fn environment(&self) -> Vec<(String, String)> {
        let options = &self.state.options;
        let mut services = vec![
            ("IDP_API_URL", self.api_url()),
            ("AWS_ENDPOINT_URL_STS", self.sts_url()),
            ("IDP_GCP_WORKLOAD_IDENTITY_PROVIDER", options.gcp.provider.clone()),
            ("CLOUDSDK_API_ENDPOINT_OVERRIDES_STS", format!("{}{}", self.api_url(), gcp::STS)),
            ("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS", format!("{}{}", self.api_url(), gcp::IAM)),
            ("IDP_TOKEN_ENDPOINT", format!("{}{}/token", self.api_url(), oauth::PATH)),
            ("AZURE_AUTHORITY_HOST", self.api_url()),
            ("AZURE_TENANT_ID", options.azure.tenant_id.clone()),
            ("AZURE_CLIENT_ID", options.azure.client_id.clone()),
        ];
        services.extend(options.aws.roles.first().map(|role| ("IDP_AWS_ROLE_ARN", role.arn.clone())));
        if let Some(region) = &options.aws.region {
            services.extend(["AWS_REGION", "AWS_DEFAULT_REGION"].map(|name| (name, region.clone())));
        }
        // Set both names: otherwise, a variable of the machine's own environment could take
        // precedence.
        for name in ["VAULT_ADDR", "BAO_ADDR"] {
            services.push((name, self.vault_url()));
        }
        if let Some(namespace) = &options.vault.namespace {
            services.extend(["VAULT_NAMESPACE", "BAO_NAMESPACE"].map(|name| (name, namespace.clone())));
        }
        services.extend(options.vault.roles.first().map(|role| ("IDP_VAULT_ROLE", role.name.clone())));
        let services = services.into_iter().map(|(name, value)| (name.to_owned(), value));
        self.variables.iter().cloned().chain(services).collect()
    }
}

async fn listen(port: u16) -> Result<(TcpListener, SocketAddr), DevError> {
    let failed = |source| DevError::Listen { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

fn serve(servers: &mut JoinSet<()>, listener: TcpListener, routes: Router) {
    servers.spawn(async move {
        // `axum::serve` continues after an error; it returns only when the runtime ends.
        let _ = axum::serve(listener, routes).await;
    });
}
