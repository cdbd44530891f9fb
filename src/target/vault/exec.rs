//! `gp idp exec vault`

use super::args::ExecVaultArgs;
use super::{Vault, warn_about};
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
    warn_about(&login, &request, ctx);
    let variables =
        request.server.variables_of_vault_and_bao(&login.token, request.namespace_after_login.as_ref(), ctx);
    let environment = Environment::without(Vault::CONFLICTING_VARIABLES)
        .unset(session.dropped(args.child.drop_source))
        .with(variables);
    exec::exec_command(&args.child.command, &environment, &session.hand_over(), ctx)
}
