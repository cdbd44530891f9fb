//! `gp idp exec vault`

use super::{LoginSettings, obtain};
use crate::context::Context;
use crate::error::Failure;
use crate::exec;
use crate::target::vault::args::ExecVaultArgs;

/// Becomes the command, with a token in its environment.
pub(crate) async fn run(args: &ExecVaultArgs, ctx: &Context) -> Result<u8, Failure> {
    let settings = LoginSettings::read(&args.vault, ctx)?;
    let login = obtain(&args.vault, &settings, ctx).await?;
    let environment = settings.server.environment(&login.token, settings.later.as_ref(), ctx);
    Ok(exec::become_command(&args.command, &environment, ctx))
}
