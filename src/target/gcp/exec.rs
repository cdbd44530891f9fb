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

/// Runs the command with a temporary configuration.
pub(crate) async fn run(args: &ExecGcpArgs, ctx: &Context) -> Result<u8, Failure> {
    let request = Gcp::request(&args.gcp, ctx)?;
    let action = || Gcp::action(&request);
    let mut signals = Signals::listen()?;
    let session = Session::for_target::<Gcp>(ctx, &request)?;
    let alternative = "`gp idp login gcp --file-sourced`";
    let command = install::executable(&request, session.source(), alternative, ctx).could_not(action)?;
    // The command later gets its tokens by calling `gp`. Try the exchange first, because the error
    // messages of `gp` are clearer than those of SDKs.
    match signals.or_interrupted(session.obtain::<Gcp>(&request)).await {
        Ok(obtained) => drop(obtained?),
        Err(code) => return Ok(code),
    }
    if request.project.is_none() {
        ctx.out.note_on_terminal(|| install::NO_PROJECT.to_owned());
    }
    let config = external_account::render(&request, TokenSource::Executable(command))?;
    let folder = TemporaryFolder::make(ctx)?;
    let path = folder.add("google.json", config.as_bytes())?;
    let variables = install::environment(&path, true, true, request.project.as_deref());
    let environment = Environment::without(Gcp::CONFLICTING_VARIABLES).with(variables);
    // The hand-over is empty: other `gp` processes give the command its tokens and write their own
    // lines to the audit log.
    exec::run_child(&args.command, &environment, &HandOver::default(), &mut signals, ctx).await
}
