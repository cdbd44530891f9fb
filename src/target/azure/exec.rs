//! `gp idp exec azure`

use super::{SHADOWS, mint, obtain, request, variables};
use crate::context::Context;
use crate::error::Failure;
use crate::exec::{self, Environment, Signals};
use crate::jwt::IdToken;
use crate::renew::{Fresh, Reader, warn_of_short_life};
use crate::sink::temporary_folder;
use crate::target::azure::args::ExecAzureArgs;
use crate::target::azure::exchange::ClientCredentials;

/// Runs the command beside a token file of its own.
pub(crate) async fn run(args: &ExecAzureArgs, ctx: &Context) -> Result<u8, Failure> {
    let request = request::client_credentials(&args.azure, ctx)?;
    beside(args, &request, ctx).await
}

async fn beside(args: &ExecAzureArgs, request: &ClientCredentials, ctx: &Context) -> Result<u8, Failure> {
    let subscription = request::subscription(&args.azure, ctx)?;
    let mut signals = Signals::listen()?;
    // The command trades the file's token by itself, for as long as it runs; this shows beforehand that it can,
    // in words that no SDK has.
    let (token, _) = tokio::select! {
        checked = obtain(&args.azure, request, ctx) => checked?,
        signal = signals.next() => return Ok(exec::code_of_signal(signal)),
    };
    warn_of_short_life(&token, Reader::Azure, ctx);
    let folder = temporary_folder(ctx)?;
    let path = folder.path().join("token.jwt");
    let fresh = Fresh::write(&path, &token, token.reveal(), Reader::Azure, ctx)?;
    let environment = Environment::without(&SHADOWS).with(variables(request, &path, subscription));
    let render = |token: &IdToken| Ok(token.reveal().to_owned());
    tokio::select! {
        code = exec::run_beside(&args.command, &environment, &mut signals, ctx) => Ok(code?),
        never = fresh.keep(async || mint(&args.azure, request, ctx).await, render, ctx) => match never {},
    }
}
