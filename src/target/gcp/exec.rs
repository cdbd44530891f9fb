//! `gp idp exec gcp`

use super::args::ExecGcpArgs;
use super::external_account::{self, TokenSource};
use super::{Gcp, install};
use crate::audit::HandOver;
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exec::{self, Environment, Signals};
use crate::session::Session;
use crate::sink::TemporaryFolder;
use crate::target::Target;

/// Runs the command beside a configuration of its own.
pub(crate) async fn run(args: &ExecGcpArgs, ctx: &Context) -> Result<u8, Failure> {
    let request = Gcp::request(&args.gcp, ctx)?;
    let action = || Gcp::action(&request);
    let mut signals = Signals::listen()?;
    let session = Session::for_target::<Gcp>(ctx, &request)?;
    let otherwise = "`gp idp login gcp --file-sourced`";
    let command = install::executable(&request, session.source(), otherwise, ctx).could_not(action)?;
    // The command gets its tokens by itself, for as long as it runs. This shows beforehand that it can, in words that
    // no SDK has.
    match signals.or_interrupted(session.obtain::<Gcp>(&request)).await {
        Ok(obtained) => drop(obtained?),
        Err(code) => return Ok(code),
    }
    if request.project.is_none() {
        ctx.out.tell(|| install::NO_PROJECT.to_owned());
    }
    let config = external_account::render(&request, TokenSource::Executable(command))?;
    let folder = TemporaryFolder::make(ctx)?;
    let path = folder.add("google.json", config.as_bytes())?;
    let variables = install::environment(&path, true, true, request.project.as_deref());
    let environment = Environment::without(Gcp::SHADOWS).with(variables);
    // The command gets its tokens from other calls of this program, which have lines of their own.
    exec::run_beside(&args.command, &environment, &HandOver::default(), &mut signals, ctx).await
}
