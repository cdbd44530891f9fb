//! `gp idp trust`: a set-up for this workspace's claims, or a verdict on one that exists.

mod check;
mod set_up;
mod told;

use crate::cli::{For, Trust, TrustArgs, TrustAwsArgs, TrustVaultArgs};
use crate::context::Context;
use crate::diagnose::trust::{Identity, Whom};
use crate::error::{CouldNot, Exit, Failure, UsageError};
use crate::exchange::aws::role::RoleArn;
use crate::http::Http;
use crate::json::Json;
use crate::jwt::Decoded;
use crate::output::sanitise_json;
use crate::source::{Supervisor, TokenRequest, TokenSource};

/// Prints the set-up or the verdict.
pub(super) async fn run(trust: &Trust, ctx: &Context) -> Result<Exit, Failure> {
    match trust {
        Trust::Aws(args @ TrustAwsArgs { check: Some(place), .. }) => check::aws(args, place, ctx).await,
        Trust::Vault(args @ TrustVaultArgs { check: Some(place), .. }) => {
            check::vault(args, place, ctx).await
        }
        Trust::Aws(args) => set_up::aws(args, ctx).await,
        Trust::Vault(args) => set_up::vault(args, ctx).await,
        Trust::Gcp(args) => set_up::gcp(args, ctx).await,
        Trust::Azure(args) => set_up::azure(args, ctx).await,
        Trust::Kubernetes(args) => set_up::kubernetes(args, ctx).await,
    }
}

/// A fresh token's claims.
async fn identity(audiences: &[String], args: &TrustArgs, ctx: &Context) -> Result<Identity, Failure> {
    let action = || "learn this workspace's claims".to_owned();
    let http = Http::new(ctx, args.limits.timeout());
    let source = Supervisor::from_context(&http).could_not(action)?;
    let request = TokenRequest { audiences, scope: args.scope.as_deref() };
    let token = source.id_token(&request).await.could_not(action)?;
    let decoded = Decoded::parse(token.reveal()).could_not(action)?;
    Identity::of(decoded.payload).could_not(action)
}

fn whom(whom: For) -> Whom {
    match whom {
        For::ThisRepository => Whom::ThisRepository,
        For::ThisOwner => Whom::ThisOwner,
        For::ThisUser => Whom::ThisUser,
        For::Any => Whom::Any,
    }
}

fn role_of_flag(args: &TrustAwsArgs) -> Result<Option<RoleArn>, UsageError> {
    args.role_arn.as_deref().map(|arn| parse_role("--role-arn", arn)).transpose()
}

fn role_of_environment(ctx: &Context) -> Result<Option<RoleArn>, Failure> {
    for name in ["IDP_AWS_ROLE_ARN", "AWS_ROLE_ARN"] {
        if let Some(arn) = ctx.var(name)? {
            return Ok(Some(parse_role(name, arn)?));
        }
    }
    Ok(None)
}

fn parse_role(setting: &str, arn: &str) -> Result<RoleArn, UsageError> {
    RoleArn::parse(arn).map_err(|error| usage(&format!("`{setting}`: {error}"), None))
}

fn usage(message: &str, hint: Option<&str>) -> UsageError {
    UsageError { message: message.to_owned(), hint: hint.map(str::to_owned) }
}

fn json(json: &Json, ctx: &Context) -> String {
    let text = format!("{}\n", json.pretty());
    if ctx.out.stdout_is_terminal() { sanitise_json(&text) } else { text }
}
