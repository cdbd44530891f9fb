//! `gp idp exec gcp`

use super::request::{self, Ask};
use super::{config, obtain};
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exec::{self, Environment, Signals};
use crate::sink::{temporary_folder, write_private};
use crate::target::gcp::args::ExecGcpArgs;
use crate::target::gcp::exchange::Federation;
use crate::target::gcp::external_account::{self, TokenSource};

/// What could lead an SDK, gcloud or Terraform past the configuration it is given.
pub(crate) const SHADOWS: [&str; 10] = [
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
pub(crate) async fn run(args: &ExecGcpArgs, ctx: &Context) -> Result<u8, Failure> {
    let request = request::federation(&args.gcp, &Ask::ACCESS, ctx)?;
    let command = config::executable(&args.gcp, ctx).could_not(|| "get access to Google Cloud".to_owned())?;
    beside(args, &request, command, ctx).await
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
        signal = signals.next() => return Ok(exec::code_of_signal(signal)),
    }
    let folder = temporary_folder(ctx)?;
    let path = folder.path().join("google.json");
    let config = external_account::render(request, &TokenSource::Executable(command))?;
    write_private(&path, config.as_bytes())?;
    let project = request::project(&args.gcp, ctx)?;
    let environment = Environment::without(&SHADOWS).with(config::environment(&path, true, true, project));
    Ok(exec::run_beside(&args.command, &environment, &mut signals, ctx).await?)
}
