//! `gp idp exec aws`

use crate::cli::ExecAwsArgs;
use crate::commands::wait_for;
use crate::context::Context;
use crate::error::Failure;
use crate::sink::child::{self, Environment, Signals};
use crate::sink::formats::aws_environment;

/// What could lead an SDK past the credentials it is given (README, "AWS").
const SHADOWS: [&str; 8] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_CREDENTIAL_FILE",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
];

/// Becomes the command, or runs beside it with `--serve`.
pub(in crate::commands) fn run(args: &ExecAwsArgs, ctx: &Context) -> Result<u8, Failure> {
    let plan = super::plan(&args.aws, ctx)?;
    if args.serve {
        return wait_for(super::serve::beside(args, &plan, ctx))?;
    }
    let credentials = wait_for(super::obtain(&args.aws, &plan, ctx))??;
    let environment = Environment::without(&SHADOWS).with(aws_environment(&credentials, plan.region()));
    Ok(child::become_command(&args.command, &environment, ctx))
}
