//! `gp idp login aws`

use super::args::{AwsFormat, LoginAwsArgs};
use super::exchange::session::SessionDuration;
use super::formats::{CredentialsJson, ProcessJson, environment};
use super::{Aws, install, obtain, process};
use crate::args::Format;
use crate::audit::Recipient;
use crate::context::Context;
use crate::error::Failure;
use crate::session::Session;
use crate::sink::formats::shell_lines;
use crate::target::{Target, warn_of_conflicts};

/// In seconds. boto3 renews credentials that expire in less than 15 minutes. The cache renews them
/// when half of their lifetime is left, or later. So with a shorter lifetime, boto3 calls the command for
/// every request until the cache renews.
const TOO_SHORT: u64 = 1800;

/// Writes the profile, or prints credentials.
pub(crate) async fn run(args: &LoginAwsArgs, ctx: &Context) -> Result<(), Failure> {
    let request = Aws::request(&args.aws, ctx)?;
    let process = Some(Format::Own(AwsFormat::Process));
    if args.credential_process || args.format == process {
        warn_of_short_life(request.duration, ctx);
    }
    let session = Session::for_target::<Aws>(ctx, &request)?;
    if args.credential_process {
        return install::process(args, &session, &request).await;
    }
    let Some(format) = args.format else {
        return install::keys(args, &session, &request).await;
    };
    let region = request.endpoint.named_region.as_deref();
    let credentials = match format {
        Format::Own(AwsFormat::Process) => process::obtain(args.no_cache, &session, &request).await?,
        Format::Own(AwsFormat::Json) | Format::Shell(_) => obtain(&session, &request).await?,
    };
    let print = async {
        match format {
            Format::Own(AwsFormat::Process) => ctx.out.json(&ProcessJson::of(&credentials)),
            Format::Own(AwsFormat::Json) => ctx.out.json(&CredentialsJson::of(&credentials, region)),
            Format::Shell(format) => ctx.out.lines(&shell_lines(&environment(&credentials, region), format)),
        }
    };
    session.hand_over().to(Recipient::Stdout, print).await?;
    if matches!(format, Format::Shell(_)) {
        // The SDK for Node prefers a profile to the variables.
        if ctx.is_set("AWS_PROFILE") {
            warn_of_conflicts(&["AWS_PROFILE"], "some SDKs", "these variables", ctx);
        }
        // The SDKs for Node and Python combine the account of `AWS_ACCOUNT_ID` with any keys.
        let account = ctx.var("AWS_ACCOUNT_ID").ok().flatten();
        if account.is_some_and(|account| account != credentials.account) {
            ctx.out.warn(
                "some SDKs use these credentials with `AWS_ACCOUNT_ID`, which names another account: `unset AWS_ACCOUNT_ID`",
            );
        }
    }
    Ok(())
}

fn warn_of_short_life(duration: SessionDuration, ctx: &Context) {
    if duration.seconds() < TOO_SHORT {
        ctx.out.warn(format!(
            "if the credentials live for {} s, boto3 and the AWS CLI call this command for every request \
             during a part of this time, because they renew credentials that expire in less than 15 minutes: use `--duration-seconds 3600`",
            duration.seconds()
        ));
    }
}
