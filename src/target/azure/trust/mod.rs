//! `gp idp trust azure`

pub mod args;
pub mod set_up;
#[cfg(test)]
mod tests;

use self::args::{AzureTrustFormat, TrustAzureArgs};
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exit::Exit;
use crate::trust::AccessSummary;
use crate::trust::run::{json, learn_identity, usage, warn_of_issuer, whom};

/// Prints the set-up.
pub(crate) async fn run(args: &TrustAzureArgs, ctx: &Context) -> Result<Exit, Failure> {
    let action = || "make a federated credential".to_owned();
    let app_id = match &args.app_id {
        Some(id) => Some(id.clone()),
        None => ctx.var("AZURE_CLIENT_ID")?.map(str::to_owned),
    };
    let Some(app_id) = app_id else {
        let hint = "name it with `--app-id`, or set `AZURE_CLIENT_ID`";
        return Err(usage("no app is named", Some(hint))).could_not(action);
    };
    let identity = learn_identity(std::slice::from_ref(&args.audience), &args.trust, ctx).await?;
    let meant = set_up::rule(&identity, whom(args.trust.whom)).could_not(action)?;
    let name = args.name.clone().unwrap_or_else(|| set_up::name_for(&identity.subject));
    let settings = set_up::Settings { app_id, name };
    let set_up = set_up::SetUp::new(&identity, &settings).could_not(action)?;
    warn_of_issuer(&identity, ctx);
    let summary = AccessSummary::new(&identity, &meant, &format!("the app {}", settings.app_id));
    match args.format {
        AzureTrustFormat::Commands => summary.within(|head| set_up.commands(head), ctx),
        AzureTrustFormat::Json => summary.beside(&json(&set_up.credential(), ctx), ctx),
        AzureTrustFormat::Terraform => summary.within(|head| set_up.terraform(head), ctx),
    }
}
