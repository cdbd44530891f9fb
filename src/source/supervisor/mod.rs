//! The workspace's supervisor and, with the API token from it, the installation's public API.
//!
//! Three requests in sequence:
//! 1. `GET /_supervisor/v1/info/workspace` on `SUPERVISOR_ADDR` (`host:port`, default `127.0.0.1:22999`):
//!    the workspace id and the host of the API.
//! 2. `GET /_supervisor/v1/token/gitpod/{host}/function:getWorkspace`: the workspace's API token.
//! 3. `POST https://api.{host}/gitpod.experimental.v1.IdentityProviderService/GetIDToken`, the Connect
//!    protocol's unary JSON form: the ID token. `IDP_API_URL` overrides `https://api.{host}`. A
//!    file in a checkout may set it, so the API token goes to another host only if that host is on
//!    loopback or allowed by a flag.

mod error;
mod refusal;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::error::{NamedBy, SourceError};
use super::api_host::{self, host_and_port};
use super::{Audiences, Presence, TokenRequest, TokenSource};
use crate::context::{Caller, Context};
use crate::error::Failure;
use crate::exit::{Exit, Explain};
use crate::http::{Call, Http, Reply, RetryPolicy, SecureUrl, UnexpectedReply, UrlError, shown_url};
use crate::jwt::IdToken;
use crate::report::Report;
use crate::secret::Secret;
use crate::settings::SourceOptions;
use crate::shell;

/// The default of `SUPERVISOR_ADDR`.
const DEFAULT_ADDRESS: &str = "127.0.0.1:22999";
/// How long a plugin of `kubectl` waits for a starting supervisor: `kubectl` runs a plugin up to
/// five times in a row.
const PLUGIN_TIMEOUT: Duration = Duration::from_secs(2);
/// The scope that the original `gp` requests. The returned token is the workspace's own and may
/// have more rights.
const SCOPE: &str = "function:getWorkspace";
const MINT: &str = "gitpod.experimental.v1.IdentityProviderService/GetIDToken";

#[derive(Debug)]
pub(crate) struct Supervisor {
    base: SecureUrl,
    api: Option<SecureUrl>,
    /// An additional host that may get the API token.
    allow_api_host: Option<String>,
    /// `GITPOD_WORKSPACE_ID`, for the fingerprint: several workspaces may share a home folder.
    workspace_id: Option<String>,
    place: SupervisorSetting,
}

/// How the environment names the supervisor.
#[derive(Debug, Clone)]
pub(crate) enum SupervisorSetting {
    /// `SUPERVISOR_ADDR` is set to this address.
    Named(String),
    /// Only `GITPOD_WORKSPACE_ID` is set.
    Workspace,
    /// Neither variable is set. `command` is this command line, for the hint to run it in a local
    /// workspace.
    Nowhere { command: String },
}

/// A workspace, as its supervisor describes it.
struct Workspace {
    id: String,
    /// The host that API tokens are for.
    host: String,
    /// The base URL of the API.
    api: SecureUrl,
}

/// `GET /_supervisor/v1/info/workspace`, the fields that are used.
#[derive(Deserialize)]
struct WorkspaceInfo {
    #[serde(rename = "workspaceId", default)]
    id: String,
    #[serde(rename = "gitpodApi", default)]
    api: Option<ApiEndpoint>,
}

#[derive(Deserialize)]
struct ApiEndpoint {
    #[serde(default)]
    host: String,
}

/// `GET /_supervisor/v1/token/…`, the field that is used.
#[derive(Deserialize)]
struct ApiToken {
    token: Secret,
}

/// The body of `GetIDToken`.
#[derive(Serialize)]
struct Mint<'a> {
    #[serde(rename = "workspaceId")]
    workspace_id: &'a str,
    audience: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
}

/// The reply of `GetIDToken`.
#[derive(Deserialize)]
struct Minted {
    token: Secret,
}

impl Workspace {
    /// The issuer of its ID tokens.
    fn issuer(&self) -> String {
        format!("{}/idp", self.api.as_str().trim_end_matches('/'))
    }
}

impl Supervisor {
    /// Asks the supervisor for the workspace and its API.
    async fn workspace(&self, http: &Http<'_>) -> Result<Workspace, SourceError> {
        let retries = if self.is_in_workspace() { RetryPolicy::Starting } else { RetryPolicy::Standard };
        let url = self.base.below("_supervisor/v1/info/workspace");
        let hurried = http.until(http.deadline().within(PLUGIN_TIMEOUT));
        let is_plugin = http.ctx().caller() == Some(Caller::Kubectl);
        let reply =
            self.ask(&Call::get(url).retries(retries), if is_plugin { &hurried } else { http }).await?;
        if !reply.is_success() {
            return Err(refusal::of_info(&reply, &self.place, http.ctx().now()));
        }
        let mut info: WorkspaceInfo = reply.json().map_err(|cause| self.not_a_supervisor(cause))?;
        let host = info.api.take().map(|api| api.host).unwrap_or_default();
        if info.id.is_empty() {
            return Err(SourceError::InfoLacks { field: "workspaceId" });
        }
        if host.is_empty() {
            return Err(SourceError::InfoLacks { field: "gitpodApi.host" });
        }
        let api = match (&self.api, api_url(&host)) {
            (None, own) => own?,
            (Some(url), _) if api_host::is_allowed(url, self.allow_api_host.as_deref()) => url.clone(),
            (Some(url), Ok(own)) if host_and_port(url) == host_and_port(&own) => url.clone(),
            (Some(url), _) => {
                return Err(SourceError::ForeignApi {
                    named: host_and_port(url),
                    own: format!("api.{host}"),
                });
            }
        };
        Ok(Workspace { id: info.id, host, api })
    }

    /// Asks the supervisor for the token for the workspace's API.
    async fn api_token(&self, workspace: &Workspace, http: &Http<'_>) -> Result<Secret, SourceError> {
        let host = workspace.host.as_str();
        let url = self.base.below(&format!("_supervisor/v1/token/gitpod/{host}/{SCOPE}"));
        let reply = self.ask(&Call::get(url), http).await?;
        if !reply.is_success() {
            return Err(refusal::of_api_token(&reply, host, SCOPE, &self.place, http.ctx().now()));
        }
        let ApiToken { token } = reply.json().map_err(|cause| self.not_a_supervisor(cause))?;
        if token.reveal().is_empty() {
            return Err(SourceError::EmptyToken {
                service: "the workspace's supervisor",
                origin: reply.origin,
            });
        }
        Ok(token)
    }

    /// Asks the workspace's API for an ID token.
    async fn mint(
        &self,
        workspace: &Workspace,
        token: &Secret,
        wanted: &TokenRequest,
        http: &Http<'_>,
    ) -> Result<IdToken, SourceError> {
        let named_by = if self.api.is_some() { NamedBy::Variable } else { NamedBy::Supervisor };
        let unreachable = |cause| SourceError::Api { named_by, cause };
        let url = workspace.api.below(MINT);
        let body =
            Mint { workspace_id: &workspace.id, audience: &wanted.audiences, scope: wanted.scope.as_deref() };
        let call = Call::post_json(url, &body)
            .and_then(|call| call.header("connect-protocol-version", "1").bearer(token))
            .map_err(unreachable)?;
        let reply = http.send(&call).await.map_err(unreachable)?;
        if !reply.is_success() {
            return Err(refusal::of_mint(&reply, named_by, http.ctx().now()));
        }
        let Minted { token } = reply.json().map_err(|cause| SourceError::NotTheApi { named_by, cause })?;
        if token.reveal().is_empty() {
            return Err(SourceError::EmptyToken { service: error::API, origin: reply.origin });
        }
        IdToken::parse(token.reveal()).map_err(|cause| SourceError::NotAToken { origin: reply.origin, cause })
    }

    fn not_a_supervisor(&self, cause: UnexpectedReply) -> SourceError {
        SourceError::NotASupervisor { place: self.place.clone(), cause }
    }

    async fn ask(&self, call: &Call, http: &Http<'_>) -> Result<Reply, SourceError> {
        http.send(call).await.map_err(|cause| SourceError::Supervisor { place: self.place.clone(), cause })
    }

    fn is_in_workspace(&self) -> bool {
        !matches!(self.place, SupervisorSetting::Nowhere { .. })
    }
}

impl TokenSource for Supervisor {
    const NAME: &'static str = "supervisor";
    const VARIABLES: &'static [&'static str] = &["SUPERVISOR_ADDR", "GITPOD_WORKSPACE_ID"];
    const HAS_SCOPE: bool = true;

    fn presence(ctx: &Context) -> Presence {
        let set = |name| ctx.var_os(name).is_some();
        if set("SUPERVISOR_ADDR") || set("GITPOD_WORKSPACE_ID") { Presence::Strong } else { Presence::Absent }
    }

    /// Reads `SUPERVISOR_ADDR`, `GITPOD_WORKSPACE_ID` and `IDP_API_URL`.
    fn from_context(_: &str, options: &SourceOptions, ctx: &Context) -> Result<Self, Failure> {
        let address = ctx.var("SUPERVISOR_ADDR")?;
        let base = supervisor_url(address.or(ctx.default_supervisor()).unwrap_or(DEFAULT_ADDRESS))?;
        let workspace_id = ctx.var("GITPOD_WORKSPACE_ID")?.map(str::to_owned);
        let place = match (address, &workspace_id) {
            (Some(address), _) => SupervisorSetting::Named(shown_url(address)),
            (None, Some(_)) => SupervisorSetting::Workspace,
            (None, None) => SupervisorSetting::Nowhere { command: shell::command(&ctx.command_line()) },
        };
        let allow_api_host = options.allow_api_host.clone();
        Ok(Self { base, api: api_override(ctx)?, allow_api_host, workspace_id, place })
    }

    async fn id_token(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure> {
        let workspace = self.workspace(http).await?;
        http.connect_early(&workspace.api).await;
        let token = self.api_token(&workspace, http).await?;
        Ok(self.mint(&workspace, &token, wanted, http).await?)
    }

    /// The API in `IDP_API_URL`, if its host is allowed. Without that variable, the API of the
    /// host in `GITPOD_HOST`. The supervisor may name another host, so no request is sent there
    /// yet.
    fn early_address(&self, ctx: &Context) -> Option<SecureUrl> {
        let installation = ctx.var("GITPOD_HOST").ok().flatten();
        let own = installation
            .and_then(|url| SecureUrl::base(url).ok())
            .and_then(|url| api_url(&host_and_port(&url)).ok());
        let Some(named) = &self.api else { return own };
        let is_own = own.is_some_and(|own| host_and_port(&own) == host_and_port(named));
        (is_own || api_host::is_allowed(named, self.allow_api_host.as_deref())).then(|| named.clone())
    }

    async fn issuer(&self, http: &Http<'_>) -> Result<Option<String>, Failure> {
        if !self.is_in_workspace() {
            return Ok(None);
        }
        Ok(Some(self.workspace(http).await?.issuer()))
    }

    fn describe(&self) -> String {
        "the workspace's API".to_owned()
    }

    /// Returns no variables: without them, the supervisor still answers at its default address.
    fn variables(&self, _: &Context) -> Vec<String> {
        Vec::new()
    }

    fn audiences(&self) -> Audiences {
        Audiences::Several
    }

    fn fingerprint(&self, _: &Context) -> Option<Vec<String>> {
        let api = self.api.as_ref().map(ToString::to_string);
        Some(vec![
            self.base.to_string(),
            api.unwrap_or_default(),
            self.workspace_id.clone().unwrap_or_default(),
        ])
    }

    async fn examine(&self, wanted: &TokenRequest, http: &Http<'_>, report: &mut Report) -> Option<IdToken> {
        const STEPS: [&str; 4] = ["supervisor", "API token", "API", "mint"];
        let workspace = match self.workspace(http).await {
            Ok(workspace) => workspace,
            Err(error) => return report.fail_and_block(STEPS[0], error, &STEPS[1..]),
        };
        report.pass(STEPS[0], format!("{} answers: this is workspace {}", self.base.origin(), workspace.id));
        let token = match self.api_token(&workspace, http).await {
            Ok(token) => token,
            Err(error) => return report.fail_and_block(STEPS[1], error, &STEPS[2..]),
        };
        report.pass(STEPS[1], "the supervisor has one for this workspace");
        let reached = format!("{} answers ({})", workspace.api.origin(), http.route(&workspace.api));
        match self.mint(&workspace, &token, wanted, http).await {
            Ok(token) => {
                report.pass(STEPS[2], reached);
                report.pass(STEPS[3], format!("an ID token for {}", wanted.audiences.join(", ")));
                Some(token)
            }
            Err(error) if error.exit() == Exit::Network => {
                report.fail_and_block(STEPS[2], error, &STEPS[3..])
            }
            Err(error) => {
                report.pass(STEPS[2], reached);
                report.fail_and_block(STEPS[3], error, &[])
            }
        }
    }
}

/// Parses `host:port`. The prefix `http://` is optional; workspaces set the address without it.
fn supervisor_url(address: &str) -> Result<SecureUrl, SourceError> {
    let bad =
        |reason| SourceError::BadAddress { variable: "SUPERVISOR_ADDR", value: shown_url(address), reason };
    let host_and_port = address.strip_prefix("http://").unwrap_or(address).trim_end_matches('/');
    let has_port = host_and_port.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    match SecureUrl::base(&format!("http://{host_and_port}")) {
        _ if !has_port => Err(bad("it is not `host:port` with a port up to 65535".into())),
        Ok(url) if url.path() == "/" => Ok(url),
        Err(UrlError::PlainHttp { .. }) => {
            Err(bad("the supervisor speaks plain http, so only loopback is safe".into()))
        }
        _ => Err(bad("it is not `host:port`".into())),
    }
}

/// `https://api.{host}`. `host` may have a port.
fn api_url(host: &str) -> Result<SecureUrl, SourceError> {
    SecureUrl::base(&format!("https://api.{host}/"))
        .ok()
        .filter(|url| url.path() == "/")
        .ok_or_else(|| SourceError::BadHost { host: host.to_owned() })
}

fn api_override(ctx: &Context) -> Result<Option<SecureUrl>, Failure> {
    let Some(value) = ctx.var("IDP_API_URL")? else { return Ok(None) };
    let bad = |error: UrlError| SourceError::BadAddress {
        variable: "IDP_API_URL",
        value: shown_url(value),
        reason: error.to_string(),
    };
    Ok(Some(SecureUrl::base(value).map_err(bad)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn supervisor_addresses() {
        let cases = [
            ("localhost:22999", Some("http://localhost:22999/")),
            ("127.0.0.1:1", Some("http://127.0.0.1:1/")),
            ("[::1]:1", Some("http://[::1]:1/")),
            ("http://localhost:1/", Some("http://localhost:1/")),
            ("10.0.0.1:22999", None),
            ("localhost:22999/x", None),
            ("user@localhost:1", None),
            ("localhost:port", None),
            ("localhost", None),
            ("[::1]", None),
            ("localhost:80", Some("http://localhost/")),
        ];
        for (address, expected) in cases {
            assert_eq!(supervisor_url(address).ok().as_ref().map(|url| url.as_str()), expected, "{address}");
        }
    }

    #[test]
    fn the_default_supervisor_address() {
        let base = |ctx: Context| {
            Supervisor::from_context("", &SourceOptions::default(), &ctx).unwrap().base.to_string()
        };
        let without = || Context::silent([("SUPERVISOR_ADDR", "")]);
        assert_eq!(base(without()), "http://127.0.0.1:22999/");
        assert_eq!(base(without().with_default_supervisor("127.0.0.1:1")), "http://127.0.0.1:1/");
        let named = Context::silent([("SUPERVISOR_ADDR", "localhost:2")]);
        assert_eq!(base(named.with_default_supervisor("127.0.0.1:1")), "http://localhost:2/");
    }

    #[test]
    fn api_addresses() {
        let cases = [
            ("example.com", Some("https://api.example.com/")),
            ("example.com:8443", Some("https://api.example.com:8443/")),
            ("example.com/x", None),
            ("me@example.com", None),
            ("exa mple", None),
        ];
        for (host, expected) in cases {
            assert_eq!(api_url(host).ok().as_ref().map(|url| url.as_str()), expected, "{host}");
        }
    }
}
