//! What flags and environment ask for, checked before any request.

use crate::context::Context;
use crate::error::{CouldNot, Failure, UsageError};
use crate::target::gcp::args::GcpArgs;
use crate::target::gcp::exchange::{
    CLOUD_PLATFORM, Endpoints, FORM, Federation, IAM_VARIABLE, Lifetime, Provider, STS_VARIABLE,
    ServiceAccount, Wanted, check_scope,
};

pub(crate) const PROVIDER_VARIABLE: &str = "IDP_GCP_WORKLOAD_IDENTITY_PROVIDER";
pub(crate) const ACCOUNT_VARIABLE: &str = "IDP_GCP_SERVICE_ACCOUNT";
const PROJECT_VARIABLE: &str = "GOOGLE_CLOUD_PROJECT";

/// What is wanted, beside what every command takes.
pub(crate) struct Ask<'a> {
    pub(super) scopes: &'a [String],
    pub(super) id_token_audience: Option<&'a str>,
    pub(super) wanted: Wanted,
}

impl Ask<'_> {
    /// An access token, good for everything that IAM allows.
    pub(crate) const ACCESS: Ask<'static> =
        Ask { scopes: &[], id_token_audience: None, wanted: Wanted::AccessToken };
}

/// What Google is to be asked for.
pub(crate) fn federation(args: &GcpArgs, ask: &Ask<'_>, ctx: &Context) -> Result<Federation, Failure> {
    checked(args, ask, ctx).could_not(|| "get access to Google Cloud".to_owned())
}

fn checked(args: &GcpArgs, ask: &Ask<'_>, ctx: &Context) -> Result<Federation, Failure> {
    let named = match &args.workload_identity_provider {
        Some(name) => Some(("--workload-identity-provider", name.as_str())),
        None => ctx.var(PROVIDER_VARIABLE)?.map(|name| (PROVIDER_VARIABLE, name)),
    };
    let (setting, name) = named.ok_or_else(|| {
        let hint =
            format!("give one with `--workload-identity-provider {FORM}`, or set `{PROVIDER_VARIABLE}`");
        usage("no workload identity provider is named", Some(hint))
    })?;
    let provider =
        Provider::parse(name).map_err(|error| usage(&format!("`{setting}`: {error}"), Some(error.hint())))?;
    let account = match &args.service_account {
        Some(account) => Some(("--service-account", account.as_str())),
        None => ctx.var(ACCOUNT_VARIABLE)?.map(|account| (ACCOUNT_VARIABLE, account)),
    };
    let service_account = account
        .map(|(setting, account)| {
            ServiceAccount::parse(account).map_err(|error| usage(&format!("`{setting}`: {error}"), None))
        })
        .transpose()?;
    let lifetime = args
        .lifetime
        .map(|lifetime| {
            Lifetime::new(lifetime).map_err(|error| usage(&format!("`--lifetime`: {error}"), None))
        })
        .transpose()?;
    for scope in ask.scopes {
        check_scope(scope).map_err(|error| usage(&format!("`--scopes`: {error}"), None))?;
    }
    if service_account.is_none() {
        let needs = |what: &str| {
            let hint = "name one with `--service-account NAME@PROJECT_ID.iam.gserviceaccount.com`".into();
            usage(&format!("{what} needs a service account, and none is named"), Some(hint))
        };
        if lifetime.is_some() {
            return Err(needs("`--lifetime`"));
        }
        if ask.wanted != Wanted::AccessToken {
            return Err(needs("an ID token"));
        }
    }
    if ask.wanted != Wanted::AccessToken && ask.id_token_audience.is_none() {
        let hint = "say who it is for with `--id-token-audience https://SERVICE_URL`".into();
        return Err(usage("an ID token needs an audience", Some(hint)));
    }
    if let Some(project) = project(args, ctx)? {
        let setting = if args.project.is_some() { "--project" } else { PROJECT_VARIABLE };
        check_project(setting, project)?;
    }
    let endpoints = Endpoints::new(ctx.var(STS_VARIABLE)?, ctx.var(IAM_VARIABLE)?)
        .map_err(|error| usage(&error, None))?;
    let scopes = if ask.scopes.is_empty() { vec![CLOUD_PLATFORM.to_owned()] } else { ask.scopes.to_vec() };
    let id_token_audience = ask.id_token_audience.map(str::to_owned);
    Ok(Federation {
        endpoints,
        provider,
        service_account,
        lifetime,
        scopes,
        id_token_audience,
        wanted: ask.wanted,
    })
}

/// The project that tools work in.
pub(super) fn project<'a>(args: &'a GcpArgs, ctx: &'a Context) -> Result<Option<&'a str>, Failure> {
    match &args.project {
        Some(project) => Ok(Some(project)),
        None => Ok(ctx.var(PROJECT_VARIABLE)?),
    }
}

fn check_project(setting: &str, project: &str) -> Result<(), Failure> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:".contains(&b);
    if project.bytes().all(plain) {
        Ok(())
    } else {
        let message = format!("`{setting}`: `{project}` is not the ID of a project");
        Err(usage(&message, Some("write it like `example-project`; `gcloud projects list` shows it".into())))
    }
}

/// Who the ID token is for.
pub(crate) fn audience(args: &GcpArgs, request: &Federation) -> String {
    args.audience.clone().unwrap_or_else(|| request.provider.token_audience())
}

pub(super) fn usage(message: &str, hint: Option<String>) -> Failure {
    UsageError { message: message.to_owned(), hint }.into()
}
