//! `gp idp exec gcp`

use super::settings::{self, Ask};
use super::{config, obtain};
use crate::cli::ExecGcpArgs;
use crate::commands::wait_for;
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exchange::gcp::Federation;
use crate::sink::child::{self, Environment, Signals};
use crate::sink::google_config::{self, TokenSource};
use crate::sink::{temporary_folder, write_private};

/// What could lead an SDK, gcloud or Terraform past the configuration it is given.
pub(in crate::commands) const SHADOWS: [&str; 10] = [
    "CLOUDSDK_AUTH_ACCESS_TOKEN",
    "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE",
    "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT",
    "CLOUDSDK_CORE_ACCOUNT",
    "GCLOUD_KEYFILE_JSON",
    "GOOGLE_CLOUD_KEYFILE_JSON",
    "GOOGLE_CREDENTIALS",
    "GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE",
    "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT",
    "GOOGLE_OAUTH_ACCESS_TOKEN",
];

/// Runs the command beside a configuration of its own.
pub(in crate::commands) fn run(args: &ExecGcpArgs, ctx: &Context) -> Result<u8, Failure> {
    let request = settings::federation(&args.gcp, &Ask::ACCESS, ctx)?;
    let command = config::executable(&args.gcp, ctx).could_not(|| "get access to Google Cloud".to_owned())?;
    wait_for(beside(args, &request, command, ctx))?
}

async fn beside(
    args: &ExecGcpArgs,
    request: &Federation,
    command: String,
    ctx: &Context,
) -> Result<u8, Failure> {
    let mut signals = Signals::listen()?;
    // The command gets its tokens by itself, for as long as it runs; this one shows beforehand that it can, in
    // words that no SDK has.
    tokio::select! {
        checked = obtain(&args.gcp, request, ctx) => drop(checked?),
        signal = signals.next() => return Ok(child::code_of_signal(signal)),
    }
    let folder = temporary_folder(ctx)?;
    let path = folder.path().join("google.json");
    let config = google_config::render(request, &TokenSource::Executable(command))?;
    write_private(&path, config.as_bytes())?;
    let project = settings::project(&args.gcp, ctx)?;
    let environment = Environment::without(&SHADOWS).with(config::environment(&path, true, true, project));
    Ok(child::run_beside(&args.command, &environment, &mut signals, ctx).await?)
}
