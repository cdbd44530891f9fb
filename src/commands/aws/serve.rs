//! `gp idp serve aws`

use super::keep_fresh::keep_fresh;
use super::{obtain, settings};
use crate::cli::ServeAwsArgs;
use crate::context::Context;
use crate::error::{CouldNot, Exit, Failure};
use crate::sink::child::Signals;
use crate::sink::endpoint::Endpoint;
use crate::sink::formats::{ShellFormat, shell_lines};

/// Serves until interrupted. The address is printed when there is something to be had at it.
pub(in crate::commands) async fn run(args: &ServeAwsArgs, ctx: &Context) -> Result<u8, Failure> {
    let request = settings::assume_role(&args.aws, ctx)?;
    let mut signals = Signals::listen()?;
    let serve = async {
        let credentials = obtain(&args.aws, &request, ctx).await?;
        let endpoint = Endpoint::open(args.port, credentials.clone(), ctx.clock()).await;
        let endpoint = endpoint.could_not(|| "serve AWS credentials".to_owned())?;
        let variables = endpoint.environment(request.endpoint.named_region.as_deref());
        ctx.out.data(&shell_lines(&variables, ShellFormat::Env))?;
        ctx.out.note(format!("serving {} until interrupted", credentials.assumed_role_arn));
        match keep_fresh(credentials, &endpoint, &args.aws, &request, ctx).await {}
    };
    tokio::select! {
        outcome = serve => outcome,
        _ = signals.next() => Ok(Exit::Done as u8),
    }
}
