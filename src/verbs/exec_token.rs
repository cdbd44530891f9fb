//! `gp idp exec token`

use super::token_args::ExecTokenArgs;
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exec::{self, Environment};
use crate::http::Http;
use crate::secret::Secret;
use crate::source::{Supervisor, TokenRequest, TokenSource};

/// Becomes the command, with a fresh ID token in its environment.
pub(super) async fn run(args: &ExecTokenArgs, ctx: &Context) -> Result<u8, Failure> {
    let token = mint(args, ctx).await?;
    let environment = Environment::default().with([(args.variable.as_str(), token)]);
    Ok(exec::become_command(&args.command, &environment, ctx))
}

async fn mint(args: &ExecTokenArgs, ctx: &Context) -> Result<Secret, Failure> {
    let action = || format!("mint an ID token for {}", args.audience.join(", "));
    let http = Http::new(ctx, args.limits.timeout());
    let source = Supervisor::from_context(&http).could_not(action)?;
    let request = TokenRequest { audiences: &args.audience, scope: args.scope.as_deref() };
    let token = source.id_token(&request).await.could_not(action)?;
    Ok(Secret::new(token.reveal().to_owned()))
}
