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

/// Runs the command beside a token file of its own.
pub(crate) async fn run(args: &ExecAzureArgs, ctx: &Context) -> Result<u8, Failure> {
    let mut request = Azure::request(&args.azure, ctx)?;
    // The command may well end before the token does.
    request.options.source.until_expiry = true;
    let mut signals = Signals::listen()?;
    let session = Session::for_target::<Azure>(ctx, &request)?;
    // The command exchanges the file's token by itself, for as long as it runs. This shows beforehand that it can, in
    // words that no SDK has.
    let token = match signals.or_interrupted(session.obtain::<Azure>(&request)).await {
        Ok(obtained) => obtained?.token,
        Err(code) => return Ok(code),
    };
    warn_of_short_life(&token, Reader::Azure, ctx);
    let folder = TemporaryFolder::make(ctx)?;
    let path = folder.path().join("token.jwt");
    let file = TokenFile::claim(&session, &request.token, &path, Reader::Azure).await?;
    let lease = file.write(&token, bare).await?;
    let environment = Environment::without(Azure::SHADOWS)
        .unset(session.dropped(args.child.drop_source))
        .with(request.variables(&path));
    let keep = file.keep(lease, bare);
    // The command gets the token from the file, which has a line each time it is written.
    let given = HandOver::default();
    exec::run_beside_keeping(&args.child.command, &environment, &given, &mut signals, keep, ctx).await
}
