//! Microsoft Entra ID and what trusts it: Azure, Microsoft Graph, Terraform's `azurerm`.

pub mod args;
pub(crate) mod doctor;
pub mod exchange;
pub(crate) mod exec;
pub(crate) mod login;
mod request;
pub(crate) mod trust;

use std::path::Path;

use serde::Serialize;

use self::args::AzureArgs;
use self::exchange::{AzureCredential, Entra};
use crate::audit::Access;
use crate::context::Context;
use crate::error::Failure;
use crate::exchange::{ExchangeError, ask};
use crate::http::{Http, SecureUrl};
use crate::jwt::IdToken;
use crate::secret::Secret;
use crate::settings::SessionOptions;
use crate::sink::formats::Variable;
use crate::source::TokenRequest;
use crate::target::Target;

pub use request::ClientCredentials;

pub struct Azure;

impl Target for Azure {
    const CONFLICTING_VARIABLES: &'static [&'static str] = &[
        "ARM_CLIENT_CERTIFICATE",
        "ARM_CLIENT_CERTIFICATE_PATH",
        "ARM_CLIENT_ID_FILE_PATH",
        "ARM_CLIENT_SECRET",
        "ARM_CLIENT_SECRET_FILE_PATH",
        "ARM_OIDC_TOKEN",
        "AZURE_CLIENT_CERTIFICATE_PATH",
        "AZURE_CLIENT_SECRET",
        "AZURE_PASSWORD",
        "AZURE_TOKEN_CREDENTIALS",
        "AZURE_USERNAME",
    ];
    type Args = AzureArgs;
    type Request = ClientCredentials;
    type Credential = AzureCredential;

    fn request(args: &AzureArgs, ctx: &Context) -> Result<ClientCredentials, Failure> {
        request::read(args, ctx)
    }

    fn action(request: &ClientCredentials) -> String {
        format!("get an access token for `{}`", request.scope.as_str())
    }

    fn token_request(request: &ClientCredentials) -> &TokenRequest {
        &request.token
    }

    fn options(request: &ClientCredentials) -> &SessionOptions {
        &request.options
    }

    /// `AZURE_TOKEN_CREDENTIALS` does not take precedence if it selects a credential that reads
    /// the token file.
    fn conflicting_variables(_: &ClientCredentials, ctx: &Context) -> Vec<&'static str> {
        const READS_THE_FILE: [&str; 2] = ["prod", "WorkloadIdentityCredential"];
        let takes_precedence = |name: &&str| {
            ctx.var_os(name).is_some_and(|value| {
                *name != "AZURE_TOKEN_CREDENTIALS"
                    || !READS_THE_FILE.iter().any(|kind| value.eq_ignore_ascii_case(kind))
            })
        };
        Self::CONFLICTING_VARIABLES.iter().copied().filter(takes_precedence).collect()
    }

    fn foreign_hosts(request: &ClientCredentials) -> Vec<String> {
        let authority = &request.authority;
        if authority.is_microsoft() { Vec::new() } else { vec![authority.origin()] }
    }

    fn urls(request: &ClientCredentials) -> Vec<SecureUrl> {
        vec![request.authority.token_url(&request.tenant)]
    }

    fn access(request: &ClientCredentials, given: Option<&AzureCredential>) -> Access {
        Access {
            provider: Some(format!("{}/{}", request.authority.origin(), request.tenant.as_str())),
            account: Some(request.client.as_str().to_owned()),
            expires_at: given.map(|given| given.expires_at),
            ..Access::default()
        }
    }

    async fn exchange(
        request: &ClientCredentials,
        token: &IdToken,
        http: &Http<'_>,
    ) -> Result<AzureCredential, ExchangeError> {
        ask(&Entra(request), Ok(Entra(request).call(token)), token, http).await
    }
}

/// The output of `--format json`.
#[derive(Serialize)]
struct AccessTokenJson<'a> {
    #[serde(serialize_with = "Secret::serialize_revealed")]
    access_token: &'a Secret,
    token_type: &'static str,
    expires_at: String,
    scope: &'a str,
    client_id: &'a str,
    tenant_id: &'a str,
    authority_host: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription_id: Option<&'a str>,
}

impl ClientCredentials {
    /// The variables that name the token file to Azure's SDKs (`AZURE_…`) and Terraform (`ARM_…`).
    fn variables(&self, file: &Path) -> Vec<Variable> {
        let file = file.display().to_string();
        let (client, tenant) = (self.client.as_str(), self.tenant.as_str());
        let mut pairs = vec![
            ("AZURE_CLIENT_ID", client),
            ("AZURE_TENANT_ID", tenant),
            ("AZURE_AUTHORITY_HOST", self.authority.as_str()),
            ("AZURE_FEDERATED_TOKEN_FILE", &file),
            ("ARM_CLIENT_ID", client),
            ("ARM_TENANT_ID", tenant),
            ("ARM_ENVIRONMENT", self.authority.cloud().environment()),
            ("ARM_USE_OIDC", "true"),
            ("ARM_OIDC_TOKEN_FILE_PATH", &file),
        ];
        pairs.extend(self.subscription.as_deref().map(|id| ("ARM_SUBSCRIPTION_ID", id)));
        pairs.into_iter().map(|(name, value)| (name, Secret::new(value.to_owned()))).collect()
    }

    fn describe<'a>(&'a self, credential: &'a AzureCredential) -> AccessTokenJson<'a> {
        AccessTokenJson {
            access_token: &credential.access_token,
            token_type: "Bearer",
            expires_at: credential.expires_at.to_string(),
            scope: self.scope.as_str(),
            client_id: self.client.as_str(),
            tenant_id: self.tenant.as_str(),
            authority_host: self.authority.as_str(),
            subscription_id: self.subscription.as_deref(),
        }
    }
}
