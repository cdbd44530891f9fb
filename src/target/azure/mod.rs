//! `gp idp login azure`, `gp idp exec azure`

pub mod args;
pub(crate) mod doctor;
pub mod exchange;
pub(crate) mod exec;
pub(crate) mod login;
pub(crate) mod request;
pub mod trust;

use std::path::Path;

use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exchange::trade::trade;
use crate::http::Http;
use crate::jwt::IdToken;
use crate::secret::Secret;
use crate::sink::formats::Variable;
use crate::source::{Supervisor, TokenRequest, TokenSource};
use crate::target::azure::args::AzureArgs;
use crate::target::azure::exchange::{AzureCredential, ClientCredentials, Entra};

/// What Azure's SDKs and Terraform prefer to a token file.
pub(super) const SHADOWS: [&str; 9] = [
    "ARM_CLIENT_CERTIFICATE",
    "ARM_CLIENT_CERTIFICATE_PATH",
    "ARM_CLIENT_SECRET",
    "ARM_OIDC_TOKEN",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_SECRET",
    "AZURE_PASSWORD",
    "AZURE_TOKEN_CREDENTIALS",
    "AZURE_USERNAME",
];

/// Mints an ID token and trades it; gives both.
pub(super) async fn obtain(
    args: &AzureArgs,
    request: &ClientCredentials,
    ctx: &Context,
) -> Result<(IdToken, AzureCredential), Failure> {
    let action = || format!("get an access token for `{}`", request.scope.as_str());
    let http = Http::new(ctx, args.limits.timeout());
    let source = Supervisor::from_context(&http).could_not(action)?;
    let audiences = [request::audience(args, request)];
    let wanted = TokenRequest { audiences: &audiences, scope: None };
    trade(&source, &wanted, &Entra::new(&http, request), ctx).await.could_not(action)
}

/// Mints an ID token for whoever trades it.
async fn mint(args: &AzureArgs, request: &ClientCredentials, ctx: &Context) -> Result<IdToken, Failure> {
    let audiences = [request::audience(args, request)];
    let action = || format!("mint an ID token for `{}`", audiences[0]);
    let http = Http::new(ctx, args.limits.timeout());
    let source = Supervisor::from_context(&http).could_not(action)?;
    source.id_token(&TokenRequest { audiences: &audiences, scope: None }).await.could_not(action)
}

/// What leads Azure's SDKs (`AZURE_…`) and Terraform (`ARM_…`) to the token file.
fn variables(request: &ClientCredentials, file: &Path, subscription: Option<&str>) -> Vec<Variable> {
    let file = file.display().to_string();
    let (client, tenant) = (request.client.as_str(), request.tenant.to_string());
    let mut pairs = vec![
        ("AZURE_CLIENT_ID", client),
        ("AZURE_TENANT_ID", &tenant),
        ("AZURE_AUTHORITY_HOST", request.authority.as_str()),
        ("AZURE_FEDERATED_TOKEN_FILE", &file),
        ("ARM_CLIENT_ID", client),
        ("ARM_TENANT_ID", &tenant),
        ("ARM_ENVIRONMENT", request.authority.cloud().environment()),
        ("ARM_USE_OIDC", "true"),
        ("ARM_OIDC_TOKEN_FILE_PATH", &file),
    ];
    pairs.extend(subscription.map(|id| ("ARM_SUBSCRIPTION_ID", id)));
    pairs.into_iter().map(|(name, value)| (name, Secret::new(value.to_owned()))).collect()
}
