//! `gp idp exec exchange`

use super::args::ExecExchangeArgs;
use super::{Oauth, obtain};
use crate::context::Context;
use crate::error::Failure;
use crate::exec::{self, Environment};
use crate::target::Target;

/// Replaces this process with the command, with the new token in its environment.
pub(crate) async fn run(args: &ExecExchangeArgs, ctx: &Context) -> Result<u8, Failure> {
    let (given, session) = obtain(&args.endpoint, ctx).await?;
    let environment = Environment::without(Oauth::CONFLICTING_VARIABLES)
        .unset(session.dropped(args.child.drop_source))
        .with([(args.variable.as_str(), given.access_token)]);
    exec::exec_command(&args.child.command, &environment, &session.hand_over(), ctx)
}
