//! `gp idp exec vault`

use super::{LoginSettings, obtain};
use crate::cli::ExecVaultArgs;
use crate::commands::wait_for;
use crate::context::Context;
use crate::error::Failure;
use crate::sink::child;

/// Becomes the command, with a token in its environment.
pub(in crate::commands) fn run(args: &ExecVaultArgs, ctx: &Context) -> Result<u8, Failure> {
    let settings = LoginSettings::read(&args.vault, ctx)?;
    let login = wait_for(obtain(&args.vault, &settings, ctx))??;
    let environment = settings.server.environment(&login.token, settings.later.as_ref(), ctx);
    Ok(child::become_command(&args.command, &environment, ctx))
}
