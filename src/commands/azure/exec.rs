//! `gp idp exec azure`

use super::{SHADOWS, mint, obtain, settings, variables};
use crate::cli::ExecAzureArgs;
use crate::commands::keep_fresh::{Fresh, Reader, warn_of_short_life};
use crate::commands::wait_for;
use crate::context::Context;
use crate::error::Failure;
use crate::exchange::azure::ClientCredentials;
use crate::jwt::IdToken;
use crate::sink::child::{self, Environment, Signals};
use crate::sink::temporary_folder;

/// Runs the command beside a token file of its own.
pub(in crate::commands) fn run(args: &ExecAzureArgs, ctx: &Context) -> Result<u8, Failure> {
    let request = settings::client_credentials(&args.azure, ctx)?;
    wait_for(beside(args, &request, ctx))?
}

async fn beside(args: &ExecAzureArgs, request: &ClientCredentials, ctx: &Context) -> Result<u8, Failure> {
    let subscription = settings::subscription(&args.azure, ctx)?;
    let mut signals = Signals::listen()?;
    // The command trades the file's token by itself, for as long as it runs; this shows beforehand that it can,
    // in words that no SDK has.
    let (token, _) = tokio::select! {
        checked = obtain(&args.azure, request, ctx) => checked?,
        signal = signals.next() => return Ok(child::code_of_signal(signal)),
    };
    warn_of_short_life(&token, Reader::Azure, ctx);
    let folder = temporary_folder(ctx)?;
    let path = folder.path().join("token.jwt");
    let fresh = Fresh::write(&path, &token, token.reveal(), Reader::Azure, ctx)?;
    let environment = Environment::without(&SHADOWS).with(variables(request, &path, subscription));
    let render = |token: &IdToken| Ok(token.reveal().to_owned());
    tokio::select! {
        code = child::run_beside(&args.command, &environment, &mut signals, ctx) => Ok(code?),
        never = fresh.keep(async || mint(&args.azure, request, ctx).await, render, ctx) => match never {},
    }
}
