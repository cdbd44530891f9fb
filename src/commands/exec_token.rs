//! `gp idp exec token`

use crate::cli::ExecTokenArgs;
use crate::commands::wait_for;
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::http::Http;
use crate::secret::Secret;
use crate::sink::child::{self, Environment};
use crate::source::{Supervisor, TokenRequest, TokenSource};

/// Becomes the command, with a fresh ID token in its environment.
pub(super) fn run(args: &ExecTokenArgs, ctx: &Context) -> Result<u8, Failure> {
    let token = wait_for(mint(args, ctx))??;
    let environment = Environment::default().with([(args.variable.as_str(), token)]);
    Ok(child::become_command(&args.command, &environment, ctx))
}

async fn mint(args: &ExecTokenArgs, ctx: &Context) -> Result<Secret, Failure> {
    let action = || format!("mint an ID token for {}", args.audience.join(", "));
    let http = Http::new(ctx, args.limits.timeout());
    let source = Supervisor::from_context(&http).could_not(action)?;
    let request = TokenRequest { audiences: &args.audience, scope: args.scope.as_deref() };
    let token = source.id_token(&request).await.could_not(action)?;
    Ok(Secret::new(token.reveal().to_owned()))
}
