//! The workspace's supervisor and, with the API token it hands out, the installation's public API.
//!
//! Three requests in sequence:
//! 1. `GET /_supervisor/v1/info/workspace` on `SUPERVISOR_ADDR` (`host:port`, default `127.0.0.1:22999`):
//!    the workspace id and the host of the API.
//! 2. `GET /_supervisor/v1/token/gitpod/{host}/function:getWorkspace`: the workspace's API token.
//! 3. `POST https://api.{host}/gitpod.experimental.v1.IdentityProviderService/GetIDToken`, the Connect
//!    protocol's unary JSON form: the ID token. `IDP_API_URL` overrides `https://api.{host}`.

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::refusal::{self, SourceError};
use super::{TokenRequest, TokenSource};
use crate::context::Context;
use crate::error::Failure;
use crate::http::{Call, Http, Patience, Reply};
use crate::jwt::IdToken;
use crate::secret::Secret;

/// The default of `SUPERVISOR_ADDR`.
const DEFAULT_ADDRESS: &str = "127.0.0.1:22999";
/// What the original asks for. The token that comes back is the workspace's own and may do more.
const SCOPE: &str = "function:getWorkspace";
const MINT: &str = "gitpod.experimental.v1.IdentityProviderService/GetIDToken";

/// A workspace's supervisor.
pub struct Supervisor<'a> {
    http: &'a Http<'a>,
    base: Url,
    api: Option<Url>,
    /// Whether the environment says that this is a workspace, so that a refusal means "not yet".
    in_workspace: bool,
}

/// A workspace, as its supervisor tells it.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Its id.
    pub id: String,
    /// The host that API tokens are for.
    host: String,
    /// Where the API is.
    pub api: Url,
}

/// `GET /_supervisor/v1/info/workspace`, the fields that matter.
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

/// `GET /_supervisor/v1/token/…`, the field that matters.
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
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("{}/idp", self.api.as_str().trim_end_matches('/'))
    }
}

impl<'a> Supervisor<'a> {
    /// Reads `SUPERVISOR_ADDR`, `GITPOD_WORKSPACE_ID` and `IDP_API_URL`; no request yet.
    pub fn from_context(http: &'a Http<'a>) -> Result<Self, Failure> {
        let ctx = http.ctx();
        let address = ctx.var("SUPERVISOR_ADDR")?;
        let base = supervisor_url(address.unwrap_or(DEFAULT_ADDRESS))?;
        let in_workspace = address.is_some() || ctx.var("GITPOD_WORKSPACE_ID")?.is_some();
        Ok(Self { http, base, api: api_override(ctx)?, in_workspace })
    }

    /// Where it is, for messages.
    #[must_use]
    pub fn origin(&self) -> String {
        crate::http::origin(&self.base)
    }

    /// The issuer of this workspace's ID tokens; `None` where the environment does not say that this is one.
    ///
    /// # Errors
    /// As for a token.
    pub async fn issuer(&self) -> Result<Option<String>, SourceError> {
        if !self.in_workspace {
            return Ok(None);
        }
        let workspace = self.workspace().await?;
        Ok(Some(workspace.issuer()))
    }

    /// What workspace this is.
    pub async fn workspace(&self) -> Result<Workspace, SourceError> {
        let patience = if self.in_workspace { Patience::Starting } else { Patience::Usual };
        let url = self.url("_supervisor/v1/info/workspace")?;
        let reply = self.ask(&Call::get(url).patience(patience)).await?;
        if !reply.is_success() {
            return Err(refusal::of_info(&reply, self.http.ctx().now()));
        }
        let mut info: WorkspaceInfo = reply.json().map_err(|cause| SourceError::NotASupervisor { cause })?;
        let host = info.api.take().map(|api| api.host).unwrap_or_default();
        if info.id.is_empty() {
            return Err(SourceError::InfoLacks { field: "workspaceId" });
        }
        if host.is_empty() {
            return Err(SourceError::InfoLacks { field: "gitpodApi.host" });
        }
        let api = match &self.api {
            Some(url) => url.clone(),
            None => api_url(&host)?,
        };
        Ok(Workspace { id: info.id, host, api })
    }

    /// The token for the workspace's API, as the supervisor hands it out.
    pub async fn api_token(&self, workspace: &Workspace) -> Result<Secret, SourceError> {
        let host = workspace.host.as_str();
        let mut url = self.url("_supervisor/v1/token/gitpod")?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.push(host).push(SCOPE);
        }
        let reply = self.ask(&Call::get(url)).await?;
        if !reply.is_success() {
            return Err(refusal::of_api_token(&reply, host, SCOPE, self.http.ctx().now()));
        }
        let ApiToken { token } = reply.json().map_err(|cause| SourceError::NotASupervisor { cause })?;
        if token.reveal().is_empty() {
            return Err(SourceError::EmptyToken { what: "API token", origin: reply.origin });
        }
        Ok(token)
    }

    /// An ID token from the workspace's API.
    pub async fn mint(
        &self,
        workspace: &Workspace,
        token: &Secret,
        request: &TokenRequest<'_>,
    ) -> Result<IdToken, SourceError> {
        let url = join(&workspace.api, MINT)?;
        let body = Mint { workspace_id: &workspace.id, audience: request.audiences, scope: request.scope };
        // A struct of strings always serialises.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let call = Call::post(url, body)
            .header("content-type", "application/json")
            .header("connect-protocol-version", "1")
            .bearer(token)
            .map_err(|cause| SourceError::Api { cause })?;
        let reply = self.http.send(&call).await.map_err(|cause| SourceError::Api { cause })?;
        if !reply.is_success() {
            return Err(refusal::of_mint(&reply, self.http.ctx().now()));
        }
        let Minted { token } = reply.json().map_err(|cause| SourceError::NotTheApi { cause })?;
        if token.reveal().is_empty() {
            return Err(SourceError::EmptyToken { what: "ID token", origin: reply.origin });
        }
        IdToken::parse(token.reveal()).map_err(|cause| SourceError::NotAToken { origin: reply.origin, cause })
    }

    async fn ask(&self, call: &Call) -> Result<Reply, SourceError> {
        self.http
            .send(call)
            .await
            .map_err(|cause| SourceError::Supervisor { in_workspace: self.in_workspace, cause })
    }

    fn url(&self, path: &str) -> Result<Url, SourceError> {
        join(&self.base, path)
    }
}

impl TokenSource for Supervisor<'_> {
    fn name(&self) -> &'static str {
        "workspace"
    }

    async fn id_token(&self, request: &TokenRequest<'_>) -> Result<IdToken, SourceError> {
        let workspace = self.workspace().await?;
        let token = self.api_token(&workspace).await?;
        self.mint(&workspace, &token, request).await
    }
}

/// `host:port` without a scheme, as workspaces set it.
fn supervisor_url(address: &str) -> Result<Url, SourceError> {
    let bad =
        |reason| SourceError::BadAddress { variable: "SUPERVISOR_ADDR", value: address.to_owned(), reason };
    let host_and_port = address.strip_prefix("http://").unwrap_or(address).trim_end_matches('/');
    let port = host_and_port.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    let url = Url::parse(&format!("http://{host_and_port}/")).ok().filter(|_| port.is_some());
    let url = url.ok_or_else(|| bad("it is not `host:port`"))?;
    if url.path() != "/" || url.query().is_some() || !url.username().is_empty() {
        return Err(bad("it is not `host:port`"));
    }
    if !crate::http::is_loopback(&url) {
        return Err(bad("the supervisor speaks plain http, so only loopback is safe"));
    }
    Ok(url)
}

/// `https://api.{host}`, where host may have a port.
fn api_url(host: &str) -> Result<Url, SourceError> {
    Url::parse(&format!("https://api.{host}/"))
        .ok()
        .filter(|url| url.path() == "/" && url.username().is_empty() && url.query().is_none())
        .ok_or_else(|| SourceError::BadHost { host: host.to_owned() })
}

fn api_override(ctx: &Context) -> Result<Option<Url>, Failure> {
    let Some(value) = ctx.var("IDP_API_URL")? else { return Ok(None) };
    let bad = |reason| SourceError::BadAddress { variable: "IDP_API_URL", value: value.to_owned(), reason };
    let url = Url::parse(value).map_err(|_| bad("it is not a URL"))?;
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        // The value is not repeated: what is too much in it may be a secret.
        let value = crate::http::origin(&url);
        let reason = "a user name, a password, or a part after `?` or `#` does not belong there";
        return Err(SourceError::BadAddress { variable: "IDP_API_URL", value, reason }.into());
    }
    match url.scheme() {
        "https" => Ok(Some(url)),
        "http" if crate::http::is_loopback(&url) => Ok(Some(url)),
        "http" => Err(bad("a token is sent there, so it must be https, or http to loopback").into()),
        _ => Err(bad("it must be https, or http to loopback").into()),
    }
}

fn join(base: &Url, path: &str) -> Result<Url, SourceError> {
    let mut url = base.clone();
    match url.path_segments_mut() {
        Ok(mut segments) => {
            segments.pop_if_empty().extend(path.split('/'));
        }
        Err(()) => return Err(SourceError::BadHost { host: base.to_string() }),
    }
    Ok(url)
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
            assert_eq!(supervisor_url(address).ok().as_ref().map(Url::as_str), expected, "{address}");
        }
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
            assert_eq!(api_url(host).ok().as_ref().map(Url::as_str), expected, "{host}");
        }
    }

    #[test]
    fn a_path_in_the_api_url_is_kept() {
        for base in ["https://x.example.com/api", "https://x.example.com/api/"] {
            let url = join(&Url::parse(base).unwrap(), MINT).unwrap();
            assert_eq!(url.path(), format!("/api/{MINT}"));
        }
    }
}
