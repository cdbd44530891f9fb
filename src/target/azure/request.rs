//! Reads and checks the flags and variables for Entra before any request.

use std::path::{Path, PathBuf, absolute};

use super::args::AzureArgs;
use super::exchange::{Authority, ClientId, Scope, TenantId, is_guid};
use crate::context::{Context, NoFolder};
use crate::error::{CouldNot, Failure, UsageError};
use crate::settings::SessionOptions;
use crate::settings::{Fallback, Setting};
use crate::sink::{TentativeFolder, private_folder_path};
use crate::source::TokenRequest;

/// The checked settings of an exchange with Entra.
#[derive(Debug, Clone)]
pub struct ClientCredentials {
    pub authority: Authority,
    /// The setting that names the authority; `None` for the default.
    pub(super) authority_from: Option<&'static str>,
    pub tenant: TenantId,
    pub client: ClientId,
    pub scope: Scope,
    /// The subscription. Only Terraform reads it.
    pub subscription: Option<String>,
    /// The request for the ID token.
    pub token: TokenRequest,
    /// The source of the ID token, and the time limit of the command.
    pub options: SessionOptions,
}

pub(super) fn read(args: &AzureArgs, ctx: &Context) -> Result<ClientCredentials, Failure> {
    parse(args, ctx).could_not(|| "get access to Azure".to_owned())
}

fn parse(args: &AzureArgs, ctx: &Context) -> Result<ClientCredentials, Failure> {
    let client = Setting::flag("--client-id", args.client_id.as_deref())
        .or_variable("AZURE_CLIENT_ID", ctx)?
        .required("application", "give one with `--client-id ID`, or set `AZURE_CLIENT_ID`")?
        .parse(ClientId::parse)?;
    let tenant = Setting::flag("--tenant-id", args.tenant_id.as_deref())
        .or_variable("AZURE_TENANT_ID", ctx)?
        .required("tenant", "give one with `--tenant-id ID`, or set `AZURE_TENANT_ID`")?
        .parse(TenantId::parse)?;
    let (authority, authority_from) = authority(args.authority_host.as_deref(), ctx)?;
    let scope = match Setting::flag("--scope-uri", args.scope_uri.as_deref()) {
        Some(scope) => scope.parse(Scope::parse)?,
        None => Setting {
            name: "--resource",
            value: args.resource.as_deref().unwrap_or(authority.cloud().management()),
        }
        .parse(Scope::of_resource)?,
    };
    let subscription = Setting::flag("--subscription-id", args.subscription_id.as_deref())
        .or_variable("ARM_SUBSCRIPTION_ID", ctx)?
        .or_variable("AZURE_SUBSCRIPTION_ID", ctx)?;
    if let Some(setting) = subscription.filter(|setting| !is_guid(setting.value)) {
        let error = setting.wrong(format!("`{}` is not the ID of a subscription", setting.value));
        return Err(UsageError { hint: Some("`az account show --query id` shows it".into()), ..error }.into());
    }
    let audience = args.audience.as_deref().unwrap_or(authority.cloud().audience());
    Ok(ClientCredentials {
        token: TokenRequest::for_audience(audience),
        authority,
        authority_from,
        tenant,
        client,
        scope,
        subscription: subscription.map(|setting| setting.value.to_owned()),
        options: args.session.options(),
    })
}

/// The authority host from a flag, `AZURE_AUTHORITY_HOST` or the default, and the setting that names it.
pub(super) fn authority(
    flag: Option<&str>,
    ctx: &Context,
) -> Result<(Authority, Option<&'static str>), Failure> {
    let set = Setting::flag("--authority-host", flag).or_variable("AZURE_AUTHORITY_HOST", ctx)?;
    let setting = set.unwrap_or(Setting { name: "--authority-host", value: Authority::DEFAULT });
    Ok((setting.parse(Authority::parse)?, set.map(|set| set.name)))
}

/// The path of the token file. All applications share the default file, because they need the same
/// audience. For the default file, this also returns the folder that was created for it.
pub(super) fn token_file(
    output: Option<&Path>,
    audience: &str,
    ctx: &Context,
) -> Result<(PathBuf, Option<TentativeFolder>), Failure> {
    let named =
        output.map(Path::to_owned).or_else(|| ctx.var_os("AZURE_FEDERATED_TOKEN_FILE").map(PathBuf::from));
    let (path, folder) = match named {
        Some(path) => (path, None),
        None => (default_token_file(audience, ctx)?, Some(TentativeFolder::make(ctx)?)),
    };
    let path = absolute(&path).map_err(|error| {
        UsageError::new(
            format!("{} is not a path: {error}", path.display()),
            "name a file with `--output FILE`",
        )
    })?;
    Ok((path, folder))
}

/// The default path of the token file. Its name comes from the audience.
pub(super) fn default_token_file(audience: &str, ctx: &Context) -> Result<PathBuf, NoFolder> {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = audience.trim_start_matches("api://").chars().map(plain).take(64).collect();
    Ok(private_folder_path(ctx)?.join(format!("{name}.jwt")))
}
