//! `gp idp login aws`

use super::formats::{aws_environment, aws_json, aws_process_json};
use super::{install, obtain, process, request};
use crate::context::Context;
use crate::error::Failure;
use crate::sink::formats::{ShellFormat, shell_lines};
use crate::target::aws::args::{AwsFormat, LoginAwsArgs};
use crate::target::aws::exchange::AwsCredentials;
use crate::target::aws::exchange::session::SessionDuration;

/// Below this many seconds, SDKs ask for new credentials at every call: they renew 15 minutes ahead, and a
/// cache needs some room above that.
const TOO_SHORT: u64 = 1200;

pub(crate) async fn run(args: &LoginAwsArgs, ctx: &Context) -> Result<(), Failure> {
    let request = request::assume_role(&args.aws, ctx)?;
    let get = async || obtain(&args.aws, &request, ctx).await;
    if args.credential_process || args.format == Some(AwsFormat::Process) {
        warn_of_short_life(request.duration, ctx);
    }
    if args.credential_process {
        return install::install_process(args, &request, ctx);
    }
    let region = request.endpoint.named_region.as_deref();
    let text = match args.format {
        None => return install::write(args, get, ctx).await,
        Some(AwsFormat::Process) => {
            let cache = if args.no_cache { None } else { process::open(&args.aws, &request, ctx) };
            let credentials = match cache {
                None => get().await?,
                Some(cache) => cache.or_obtain(get).await?,
            };
            format!("{}\n", aws_process_json(&credentials).pretty())
        }
        Some(AwsFormat::Json) => format!("{}\n", aws_json(&get().await?, region).pretty()),
        Some(AwsFormat::Env) => lines(&get().await?, region, ShellFormat::Env),
        Some(AwsFormat::EnvNoExport) => lines(&get().await?, region, ShellFormat::EnvNoExport),
        Some(AwsFormat::Fish) => lines(&get().await?, region, ShellFormat::Fish),
        Some(AwsFormat::Powershell) => lines(&get().await?, region, ShellFormat::PowerShell),
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
