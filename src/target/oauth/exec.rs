//! `gp idp exec exchange`

use super::obtain;
use crate::context::Context;
use crate::error::Failure;
use crate::exec::{self, Environment};
use crate::target::oauth::args::ExecExchangeArgs;

/// Becomes the command, with the new token in its environment.
pub(crate) async fn run(args: &ExecExchangeArgs, ctx: &Context) -> Result<u8, Failure> {
    let given = obtain(&args.endpoint, ctx).await?;
    // What the client's secret is for is done.
    let environment =
        Environment::without(&["IDP_CLIENT_SECRET"]).with([(args.variable.as_str(), given.access_token)]);
    Ok(exec::become_command(&args.command, &environment, ctx))
}
