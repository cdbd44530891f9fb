//! `gp idp trust aws`

pub(crate) mod args;
mod change;
pub(crate) mod check;
mod local_issuer;
mod open;
pub(crate) mod set_up;
#[cfg(test)]
mod tests;

use self::args::TrustAwsArgs;
use crate::context::Context;
use crate::error::{CouldNot, Failure, UsageError};
use crate::exit::Exit;
use crate::json::Json;
use crate::settings::{Fallback, Setting};
use crate::target::aws::exchange::role::RoleArn;
use crate::target::aws::exchange::session::RoleSessionName;
use crate::target::aws::iam;
use crate::trust::args::TrustFormat;
use crate::trust::run::{self, mint_identity, set_up_format, warn_of_issuer, whom};
use crate::trust::{AccessSummary, Identity, LoginCommand};

/// Prints the setup or the verdict.
pub(crate) async fn run(args: &TrustAwsArgs, ctx: &Context) -> Result<Exit, Failure> {
    match &args.check {
        Some(place) => verdict(args, place, ctx).await,
        None => set_up(args, ctx).await,
    }
}

async fn set_up(args: &TrustAwsArgs, ctx: &Context) -> Result<Exit, Failure> {
    let action = || "print a trust policy".to_owned();
    let format = set_up_format(args.format).could_not(action)?;
    let role = match role_of_flag(args).could_not(action)? {
        Some(role) => Some(role),
        None => role_of_environment(ctx).could_not(action)?,
    };
    let Some(role) = role else {
        let hint = "name it with `--role-arn arn:aws:iam::123456789012:role/NAME`: it need not exist yet";
        return Err(UsageError::new("no role is set", hint)).could_not(action);
    };
    let identity = mint_identity(args.audience.clone(), &args.trust, ctx).await?;
    let rule = identity.rule(whom(args.trust.whom), set_up::USER).could_not(action)?;
    let set_up = set_up::SetUp::new(&identity, &rule, &role).could_not(action)?;
    if rule.is_about(set_up::USER) {
        warn_of_email(&identity, ctx);
    }
    warn_of_issuer(&identity, ctx);
    let login = LoginCommand::new("aws").option("--role-arn", &role.to_string());
    let login = login.audiences(&args.audience, "sts.amazonaws.com");
    let summary = AccessSummary::new(&identity, &rule, &format!("the role {role}"), &login);
    match format {
        TrustFormat::Json => summary.print_with_notes(&run::json(set_up.policy()), ctx),
        TrustFormat::Terraform => summary.print_with_comments(|head| set_up.terraform(head), ctx),
        TrustFormat::Commands | TrustFormat::Text => {
            summary.print_with_comments(|head| set_up.commands(head), ctx)
        }
    }
}

/// Checks a role's trust policy and prints the report.
async fn verdict(args: &TrustAwsArgs, place: &str, ctx: &Context) -> Result<Exit, Failure> {
    let action = || "check the trust policy".to_owned();
    run::check_format(args.format).could_not(action)?;
    let flag = role_of_flag(args).could_not(action)?;
    let environment = role_of_environment(ctx).could_not(action)?;
    let chosen = Setting::flag("--role-session-name", args.role_session_name.as_deref())
        .or_variable("AWS_ROLE_SESSION_NAME", ctx)
        .could_not(action)?
        .parsed(RoleSessionName::parse)
        .could_not(action)?;
    let text = run::read(place, ctx).could_not(action)?;
    let identity = mint_identity(args.audience.clone(), &args.trust, ctx).await?;
    let named = check::Named { by_flag: flag.as_ref(), by_environment: environment.as_ref() };
    let login = check::Login { session_name: session_name(chosen, &identity, ctx), now: ctx.now() };
    let report = check::check(&text, &identity, named, &login).could_not(action)?;
    if iam::is_yaml(&text) {
        ctx.out.note(
            "note: this was read as YAML; if a value looks wrong, check what `aws iam get-role --output json` prints",
        );
    }
    run::print(&report, args.format, ctx)
}

/// The role session name that a login would use.
fn session_name(chosen: Option<RoleSessionName>, identity: &Identity, ctx: &Context) -> RoleSessionName {
    chosen.unwrap_or_else(|| RoleSessionName::of_workload(identity.workload.as_deref(), ctx.now()))
}

fn role_of_flag(args: &TrustAwsArgs) -> Result<Option<RoleArn>, UsageError> {
    Setting::flag("--role-arn", args.role_arn.as_deref()).parsed(RoleArn::parse)
}

fn role_of_environment(ctx: &Context) -> Result<Option<RoleArn>, Failure> {
    let named = Setting::variable("IDP_AWS_ROLE_ARN", ctx)?.or_variable("AWS_ROLE_ARN", ctx)?;
    Ok(named.parsed(RoleArn::parse)?)
}

fn warn_of_email(identity: &Identity, ctx: &Context) {
    let verified = identity.claims().get("email_verified").map(Json::compact);
    if verified.as_deref() != Some("true") {
        ctx.out
            .warn("the issuer has not verified the token's `email`: anyone who can change their own email may get access");
    }
}
