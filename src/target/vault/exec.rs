//! `gp idp exec vault`

use super::args::ExecVaultArgs;
use super::{Vault, warn_of};
use crate::context::Context;
use crate::error::Failure;
use crate::exec::{self, Environment};
use crate::session::Session;
use crate::target::Target;

/// Replaces this process with the command, which has a token in its environment.
pub(crate) async fn run(args: &ExecVaultArgs, ctx: &Context) -> Result<u8, Failure> {
    let request = Vault::request(&args.vault, ctx)?;
    let session = Session::for_target::<Vault>(ctx, &request)?;
    let login = session.obtain::<Vault>(&request).await?.credential;
    warn_of(&login, &request, ctx);
    let variables = request.server.in_both_spellings(&login.token, request.later.as_ref(), ctx);
    let environment = Environment::without(Vault::CONFLICTING_VARIABLES)
        .unset(session.dropped(args.child.drop_source))
        .with(variables);
    exec::become_command(&args.child.command, &environment, &session.hand_over(), ctx)
}
