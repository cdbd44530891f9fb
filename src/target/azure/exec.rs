//! `gp idp exec azure`

use super::Azure;
use super::args::ExecAzureArgs;
use crate::audit::HandOver;
use crate::context::Context;
use crate::error::Failure;
use crate::exec::{self, Environment, Signals};
use crate::renew::{Reader, TokenFile, bare, warn_of_short_life};
use crate::session::Session;
use crate::sink::TemporaryFolder;
use crate::target::Target;

/// Runs the command with a temporary token file.
pub(crate) async fn run(args: &ExecAzureArgs, ctx: &Context) -> Result<u8, Failure> {
    let mut request = Azure::request(&args.azure, ctx)?;
    // Accept a source with a single token: the command may end before the token expires.
    request.options.source.until_expiry = true;
    let mut signals = Signals::listen()?;
    let session = Session::for_target::<Azure>(ctx, &request)?;
    // The command later exchanges the file's token itself. Try the exchange first, because the
    // error messages of `gp` are clearer than those of SDKs.
    let token = match signals.or_interrupted(session.obtain::<Azure>(&request)).await {
        Ok(obtained) => obtained?.token,
        Err(code) => return Ok(code),
    };
    warn_of_short_life(&token, Reader::Azure, ctx);
    let folder = TemporaryFolder::make(ctx)?;
    let path = folder.path().join("token.jwt");
    let file = TokenFile::lock(&session, &request.token, &path, Reader::Azure).await?;
    let renewal = file.write(&token, bare).await?;
    let environment = Environment::without(Azure::CONFLICTING_VARIABLES)
        .unset(session.dropped(args.child.drop_source))
        .with(request.variables(&path));
    let keep = file.keep(renewal, bare);
    // The hand-over is empty: the command gets the token from the file, and each write of the file
    // has its own line in the audit log.
    let hand_over = HandOver::default();
    exec::run_child_with_renewal(&args.child.command, &environment, &hand_over, &mut signals, keep, ctx).await
}
