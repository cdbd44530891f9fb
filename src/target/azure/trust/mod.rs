//! `gp idp trust azure`

pub(crate) mod args;
pub(crate) mod set_up;
#[cfg(test)]
mod tests;

use self::args::{AzureTrustFormat, TrustAzureArgs};
use super::exchange::Cloud;
use super::request;
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exit::Exit;
use crate::settings::{Fallback, Setting};
use crate::trust::run::{json, mint_identity, warn_of_issuer, whom};
use crate::trust::{AccessSummary, LoginCommand};

pub(crate) async fn run(args: &TrustAzureArgs, ctx: &Context) -> Result<Exit, Failure> {
    let action = || "print the setup of a federated credential".to_owned();
    let app_id = app_id(args, ctx).could_not(action)?;
    let (authority, _) = request::authority(None, ctx).could_not(action)?;
    let default = authority.cloud().audience();
    let audience = args.audience.clone().unwrap_or_else(|| default.to_owned());
    let identity = mint_identity(vec![audience.clone()], &args.trust, ctx).await?;
    let rule = set_up::rule(&identity, whom(args.trust.whom)).could_not(action)?;
    let name = args.name.clone().unwrap_or_else(|| set_up::name_for(&identity.subject));
    let settings = set_up::Settings { app_id, name };
    let set_up = set_up::SetUp::new(&identity, &settings).could_not(action)?;
    warn_of_issuer(&identity, ctx);
    let tenant = ctx.var("AZURE_TENANT_ID")?.unwrap_or("TENANT_ID");
    let login = LoginCommand::new("azure").option("--client-id", &settings.app_id);
    let login = login.option("--tenant-id", tenant);
    let login = login.audiences(&[audience], default);
    let login = match authority.cloud() {
        Cloud::Public => login,
        _ => login.option("--authority-host", authority.as_str()),
    };
    let summary = AccessSummary::new(&identity, &rule, &format!("the app {}", settings.app_id), &login);
    match args.format {
        AzureTrustFormat::Commands => summary.print_with_comments(|head| set_up.commands(head), ctx),
        AzureTrustFormat::Json => summary.print_with_notes(&json(&set_up.credential()), ctx),
        AzureTrustFormat::Terraform => summary.print_with_comments(|head| set_up.terraform(head), ctx),
    }
}

fn app_id(args: &TrustAzureArgs, ctx: &Context) -> Result<String, Failure> {
    let app = Setting::flag("--app-id", args.app_id.as_deref())
        .or_variable("AZURE_CLIENT_ID", ctx)?
        .required("app", "name it with `--app-id`, or set `AZURE_CLIENT_ID`")?;
    Ok(app.value.to_owned())
}
