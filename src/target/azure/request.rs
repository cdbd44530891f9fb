//! What flags and environment ask for, checked before any request.

use std::path::{PathBuf, absolute};

use crate::context::Context;
use crate::error::{CouldNot, Failure, UsageError};
use crate::target::azure::args::AzureArgs;
use crate::target::azure::exchange::{Authority, ClientCredentials, ClientId, Scope, TenantId};

/// What Entra is to be asked for.
pub(crate) fn client_credentials(args: &AzureArgs, ctx: &Context) -> Result<ClientCredentials, Failure> {
    checked(args, ctx).could_not(action)
}

fn action() -> String {
    "get access to Azure".to_owned()
}

fn checked(args: &AzureArgs, ctx: &Context) -> Result<ClientCredentials, Failure> {
    let (setting, client) =
        required(args.client_id.as_deref(), ("--client-id", "AZURE_CLIENT_ID", "application"), ctx)?;
    let client = ClientId::parse(client).map_err(|error| wrong(setting, &error))?;
    let (setting, tenant) =
        required(args.tenant_id.as_deref(), ("--tenant-id", "AZURE_TENANT_ID", "tenant"), ctx)?;
    let tenant = TenantId::parse(tenant).map_err(|error| wrong(setting, &error))?;
    let named = match &args.authority_host {
        Some(host) => Some(("--authority-host", host.as_str())),
        None => ctx.var("AZURE_AUTHORITY_HOST")?.map(|host| ("AZURE_AUTHORITY_HOST", host)),
    };
    let (setting, host) = named.unwrap_or(("--authority-host", Authority::DEFAULT));
    let authority = Authority::parse(host).map_err(|error| wrong(setting, &error))?;
    let scope = match (&args.scope_uri, &args.resource) {
        (Some(scope), _) => Scope::parse(scope).map_err(|error| wrong("--scope-uri", &error))?,
        (None, Some(resource)) => {
            Scope::of_resource(resource).map_err(|error| wrong("--resource", &error))?
        }
        (None, None) => {
            Scope::of_resource(authority.cloud().management()).map_err(|error| wrong("--resource", &error))?
        }
    };
    Ok(ClientCredentials { authority, tenant, client, scope })
}

fn required<'a>(
    given: Option<&'a str>,
    (flag, variable, what): (&'static str, &'static str, &str),
    ctx: &'a Context,
) -> Result<(&'static str, &'a str), Failure> {
    match (given, ctx.var(variable)?) {
        (Some(given), _) => Ok((flag, given)),
        (None, Some(given)) => Ok((variable, given)),
        (None, None) => {
            let hint = Some(format!("give one with `{flag} ID`, or set `{variable}`"));
            Err(UsageError { message: format!("no {what} is named"), hint }.into())
        }
    }
}

fn wrong(setting: &str, error: &str) -> Failure {
    UsageError { message: format!("`{setting}`: {error}"), hint: None }.into()
}

/// Who the ID token is for.
pub(crate) fn audience(args: &AzureArgs, request: &ClientCredentials) -> String {
    args.audience.clone().unwrap_or_else(|| request.authority.cloud().audience().to_owned())
}

/// The subscription, which only Terraform wants to know.
pub(super) fn subscription<'a>(args: &'a AzureArgs, ctx: &'a Context) -> Result<Option<&'a str>, Failure> {
    let named = match &args.subscription_id {
        Some(id) => Some(("--subscription-id", id.as_str())),
        None => match ctx.var("ARM_SUBSCRIPTION_ID")? {
            Some(id) => Some(("ARM_SUBSCRIPTION_ID", id)),
            None => ctx.var("AZURE_SUBSCRIPTION_ID")?.map(|id| ("AZURE_SUBSCRIPTION_ID", id)),
        },
    };
    let Some((setting, id)) = named else { return Ok(None) };
    // Both are written alike.
    if ClientId::parse(id).is_err() {
        let message = format!("`{setting}`: `{id}` is not the ID of a subscription");
        let hint = Some("`az account show --query id` shows it".into());
        return Err(UsageError { message, hint }).could_not(action);
    }
    Ok(Some(id))
}

/// Where the token is put: one file for all applications, which want the same audience.
pub(super) fn token_file(
    output: Option<&PathBuf>,
    audience: &str,
    ctx: &Context,
) -> Result<PathBuf, Failure> {
    let folder = |name: &str| ctx.var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let usual = || {
        let base = folder("XDG_RUNTIME_DIR")
            .filter(|folder| folder.is_dir())
            .or_else(|| folder("XDG_CACHE_HOME"))
            .or_else(|| folder("HOME").map(|home| home.join(".cache")))?;
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let name: String = audience.trim_start_matches("api://").chars().map(plain).take(64).collect();
        Some(base.join("gp-idp").join(format!("{name}.jwt")))
    };
    let named = output.cloned().or_else(|| ctx.var_os("AZURE_FEDERATED_TOKEN_FILE").map(PathBuf::from));
    let path = named.or_else(usual).and_then(|path| absolute(path).ok());
    path.ok_or_else(|| {
        let hint = Some("name a file with `--output FILE`".into());
        UsageError { message: "there is no place for the token file: `HOME` is not set".into(), hint }.into()
    })
}
