//! Reads and checks the flags and variables for Google before any request.

use super::args::GcpArgs;
use super::exchange::{
    CLOUD_PLATFORM, Endpoints, FORM, IAM_VARIABLE, Lifetime, Provider, STS_VARIABLE, ServiceAccount,
    check_scope,
};
use crate::context::Context;
use crate::error::{CouldNot, Failure, UsageError};
use crate::settings::SessionOptions;
use crate::settings::{Fallback, Setting, invalid_setting};
use crate::source::TokenRequest;

pub(super) const PROVIDER_VARIABLE: &str = "IDP_GCP_WORKLOAD_IDENTITY_PROVIDER";
pub(super) const ACCOUNT_VARIABLE: &str = "IDP_GCP_SERVICE_ACCOUNT";

/// The tokens to request from Google.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    AccessToken,
    /// An ID token of the service account.
    IdToken,
    Both,
}

/// The checked settings of an exchange with Google.
#[derive(Debug, Clone)]
pub struct Federation {
    /// The URLs of the services.
    pub endpoints: Endpoints,
    /// The provider that checks the ID token.
    pub provider: Provider,
    pub service_account: Option<ServiceAccount>,
    /// The lifetime of the service account's access token. `None` means one hour.
    pub lifetime: Option<Lifetime>,
    /// The scopes of the access token.
    pub scopes: Vec<String>,
    /// The audience of the service account's ID token.
    pub id_token_audience: Option<String>,
    pub wanted: Wanted,
    /// The project for gcloud, Terraform and SDKs.
    pub project: Option<String>,
    /// The request for the workspace's ID token.
    pub token: TokenRequest,
    /// The source of the ID token, and the time limit of the command.
    pub options: SessionOptions,
}

/// The settings that only some commands have.
pub(super) struct TokenOptions<'a> {
    pub(super) scopes: &'a [String],
    pub(super) id_token_audience: Option<&'a str>,
    pub(super) wanted: Wanted,
}

impl TokenOptions<'_> {
    /// An access token with the default scope [`CLOUD_PLATFORM`].
    pub(super) const ACCESS: TokenOptions<'static> =
        TokenOptions { scopes: &[], id_token_audience: None, wanted: Wanted::AccessToken };
}

pub(super) fn read(args: &GcpArgs, purpose: &TokenOptions<'_>, ctx: &Context) -> Result<Federation, Failure> {
    let request = parse(args, purpose, ctx);
    request.could_not(|| "get access to Google Cloud".to_owned())
}

fn parse(args: &GcpArgs, purpose: &TokenOptions<'_>, ctx: &Context) -> Result<Federation, Failure> {
    let name = Setting::flag("--workload-identity-provider", args.workload_identity_provider.as_deref())
        .or_variable(PROVIDER_VARIABLE, ctx)?
        .required(
            "workload identity provider",
            format!("give one with `--workload-identity-provider {FORM}`, or set `{PROVIDER_VARIABLE}`"),
        )?;
    let provider = parse_provider(name)?;
    let service_account = Setting::flag("--service-account", args.service_account.as_deref())
        .or_variable(ACCOUNT_VARIABLE, ctx)?
        .parsed(ServiceAccount::parse)?;
    let lifetime =
        args.lifetime.map(Lifetime::new).transpose().map_err(|error| invalid_setting("--lifetime", error))?;
    for scope in purpose.scopes {
        check_scope(scope).map_err(|error| invalid_setting("--scopes", error))?;
    }
    if service_account.is_none() {
        let odd = [
            ("`--lifetime`", lifetime.is_some()),
            ("Google's ID token", purpose.wanted != Wanted::AccessToken),
        ];
        if let Some((what, _)) = odd.into_iter().find(|(_, given)| *given) {
            let hint = "name one with `--service-account NAME@PROJECT_ID.iam.gserviceaccount.com`";
            return Err(UsageError::new(format!("{what} needs a service account: none is set"), hint).into());
        }
    }
    if purpose.wanted != Wanted::AccessToken && purpose.id_token_audience.is_none() {
        let hint = "give one with `--id-token-audience https://SERVICE_URL`";
        return Err(UsageError::new("an ID token needs an audience", hint).into());
    }
    let project =
        Setting::flag("--project", args.project.as_deref()).or_variable("GOOGLE_CLOUD_PROJECT", ctx)?;
    if let Some(project) = project {
        check_project(project)?;
    }
    let audience = args.audience.clone().unwrap_or_else(|| provider.token_audience());
    let or_default_scope = |scopes: &[String]| match scopes {
        [] => vec![CLOUD_PLATFORM.to_owned()],
        scopes => scopes.to_vec(),
    };
    Ok(Federation {
        endpoints: Endpoints::new(
            Setting::variable(STS_VARIABLE, ctx)?,
            Setting::variable(IAM_VARIABLE, ctx)?,
        )?,
        provider,
        service_account,
        lifetime,
        scopes: or_default_scope(purpose.scopes),
        id_token_audience: purpose.id_token_audience.map(str::to_owned),
        wanted: purpose.wanted,
        project: project.map(|project| project.value.to_owned()),
        token: TokenRequest::for_audience(audience),
        options: args.session.options(),
    })
}

/// Parses a provider's name. The hint of the error has the command that prints the right name.
pub(super) fn parse_provider(name: Setting<'_>) -> Result<Provider, UsageError> {
    Provider::parse(name.value).map_err(|error| UsageError { hint: Some(error.hint()), ..name.wrong(&error) })
}

fn check_project(project: Setting<'_>) -> Result<(), UsageError> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:".contains(&b);
    if project.value.bytes().all(plain) {
        return Ok(());
    }
    let hint =
        "write it like `example-project`\n`gcloud projects list` shows the IDs of your projects".to_owned();
    let error = project.wrong(format!("`{}` is not the ID of a project", project.value));
    Err(UsageError { hint: Some(hint), ..error })
}
