//! `gp idp trust gcp`

pub(crate) mod args;
pub(crate) mod set_up;
#[cfg(test)]
mod tests;

use self::args::{GcpTrustFormat, TrustGcpArgs};
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exit::Exit;
use crate::settings::{Fallback, Setting};
use crate::target::gcp::exchange::ServiceAccount;
use crate::target::gcp::request::{ACCOUNT_VARIABLE, PROVIDER_VARIABLE, parse_provider};
use crate::trust::run::{mint_identity, warn_of_issuer, whom};
use crate::trust::{AccessSummary, LoginCommand};

pub(crate) async fn run(args: &TrustGcpArgs, ctx: &Context) -> Result<Exit, Failure> {
    let action = || "print the setup of a workload identity provider".to_owned();
    let settings = gcp_settings(args, ctx).could_not(action)?;
    let mut audiences = args.audience.clone();
    if audiences.is_empty() {
        audiences.push(settings.default_audience());
    }
    let identity = mint_identity(audiences, &args.trust, ctx).await?;
    let rule = identity.rule(whom(args.trust.whom), set_up::USER).could_not(action)?;
    let set_up = set_up::SetUp::new(&identity, &rule, &settings).could_not(action)?;
    warn_of_issuer(&identity, ctx);
    let target = match &settings.service_account {
        Some(account) => format!("the service account {account}"),
        None => format!("the pool {}", settings.pool),
    };
    let mut login = LoginCommand::new("gcp").option("--workload-identity-provider", &settings.resource());
    if let Some(account) = &settings.service_account {
        login = login.option("--service-account", account);
    }
    // The provider accepts each audience. A login requests only one, so this uses the first.
    let login = login.audiences(&identity.audiences[..1], &settings.default_audience());
    let summary = AccessSummary::new(&identity, &rule, &target, &login);
    match args.format {
        GcpTrustFormat::Commands => summary.print_with_comments(|head| set_up.commands(head), ctx),
        GcpTrustFormat::Terraform => summary.print_with_comments(|head| set_up.terraform(head), ctx),
    }
}

fn gcp_settings(args: &TrustGcpArgs, ctx: &Context) -> Result<set_up::Settings, Failure> {
    let service_account = match &args.service_account {
        Some(account) => Some(account.clone()),
        None => Setting::variable(ACCOUNT_VARIABLE, ctx)?.parsed(ServiceAccount::parse)?,
    };
    let service_account = service_account.map(|account| account.to_string());
    let value_or = |given: &Option<String>, other: &str| given.clone().unwrap_or_else(|| other.to_owned());
    if let Some(number) = &args.project_number {
        return Ok(set_up::Settings {
            project_number: number.clone(),
            pool: value_or(&args.pool, "gitpod"),
            provider: value_or(&args.provider, "gitpod"),
            service_account,
        });
    }
    let hint = format!("give its number with `--project-number`, or set `{PROVIDER_VARIABLE}`");
    let name = Setting::variable(PROVIDER_VARIABLE, ctx)?.required("project", hint)?;
    let found = parse_provider(name)?;
    Ok(set_up::Settings {
        project_number: found.project_number().to_owned(),
        pool: value_or(&args.pool, found.pool()),
        provider: value_or(&args.provider, found.id()),
        service_account,
    })
}
