//! `gp idp serve aws`

use super::keep_fresh::keep_fresh;
use super::{obtain, request};
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exec::Signals;
use crate::sink::formats::{ShellFormat, shell_lines};
use crate::target::aws::args::ServeAwsArgs;
use crate::target::aws::container::Endpoint;

/// Serves until interrupted. The address is printed when there is something to be had at it.
pub(crate) async fn run(args: &ServeAwsArgs, ctx: &Context) -> Result<(), Failure> {
    let request = request::assume_role(&args.aws, ctx)?;
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
        _ = signals.next() => Ok(()),
    }
}
