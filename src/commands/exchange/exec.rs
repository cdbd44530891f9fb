//! `gp idp exec exchange`

use super::obtain;
use crate::cli::ExecExchangeArgs;
use crate::commands::wait_for;
use crate::context::Context;
use crate::error::Failure;
use crate::sink::child::{self, Environment};

/// Becomes the command, with the new token in its environment.
pub(in crate::commands) fn run(args: &ExecExchangeArgs, ctx: &Context) -> Result<u8, Failure> {
    let given = wait_for(obtain(&args.endpoint, ctx))??;
    // What the client's secret is for is done.
    let environment =
        Environment::without(&["IDP_CLIENT_SECRET"]).with([(args.variable.as_str(), given.access_token)]);
    Ok(child::become_command(&args.command, &environment, ctx))
}
