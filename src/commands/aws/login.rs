//! `gp idp login aws`

use super::{obtain, process, profile, settings};
use crate::cli::{AwsFormat, LoginAwsArgs};
use crate::commands::wait_for;
use crate::context::Context;
use crate::error::Failure;
use crate::exchange::aws::AwsCredentials;
use crate::exchange::aws::session::SessionDuration;
use crate::sink::formats::{ShellFormat, aws_environment, aws_json, aws_process_json, shell_lines};

/// Below this many seconds, SDKs ask for new credentials at every call: they renew 15 minutes ahead, and a
/// cache needs some room above that.
const TOO_SHORT: u64 = 1200;

pub(in crate::commands) fn run(args: &LoginAwsArgs, ctx: &Context) -> Result<(), Failure> {
    let request = settings::assume_role(&args.aws, ctx)?;
    let get = || wait_for(obtain(&args.aws, &request, ctx))?;
    if args.credential_process || args.format == Some(AwsFormat::Process) {
        warn_of_short_life(request.duration, ctx);
    }
    if args.credential_process {
        return profile::install_process(args, &request, ctx);
    }
    let region = request.endpoint.named_region.as_deref();
    let text = match args.format {
        None => return profile::write(args, get, ctx),
        Some(AwsFormat::Process) => {
            let cache = if args.no_cache { None } else { process::open(&args.aws, &request, ctx) };
            let credentials = match cache {
                None => get()?,
                Some(cache) => cache.or_obtain(get)?,
            };
            format!("{}\n", aws_process_json(&credentials).pretty())
        }
        Some(AwsFormat::Json) => format!("{}\n", aws_json(&get()?, region).pretty()),
        Some(AwsFormat::Env) => lines(&get()?, region, ShellFormat::Env),
        Some(AwsFormat::EnvNoExport) => lines(&get()?, region, ShellFormat::EnvNoExport),
        Some(AwsFormat::Fish) => lines(&get()?, region, ShellFormat::Fish),
        Some(AwsFormat::Powershell) => lines(&get()?, region, ShellFormat::PowerShell),
    };
    Ok(ctx.out.data(&text)?)
}

fn lines(credentials: &AwsCredentials, region: Option<&str>, format: ShellFormat) -> String {
    shell_lines(&aws_environment(credentials, region), format)
}

fn warn_of_short_life(duration: SessionDuration, ctx: &Context) {
    if duration.seconds() < TOO_SHORT {
        ctx.out.warn(format!(
            "SDKs renew what has less than 15 minutes left, so with {} s they call this again for every request: \
             give --duration-seconds 3600",
            duration.seconds()
        ));
    }
}
