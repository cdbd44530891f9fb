//! `gp idp serve aws`

use super::Aws;
use super::args::ServeAwsArgs;
use super::container::Endpoint;
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exec::Signals;
use crate::session::Session;
use crate::sink::formats::{ShellFormat, shell_lines};
use crate::target::Target;

/// Serves until interrupted. The address is printed when there are credentials at it.
pub(crate) async fn run(args: &ServeAwsArgs, ctx: &Context) -> Result<(), Failure> {
    let request = Aws::request(&args.aws, ctx)?;
    let mut signals = Signals::listen()?;
    let session = Session::for_target::<Aws>(ctx, &request)?;
    let serve = async {
        let end = session.source_end(&request.token).await?;
        let credentials = session.obtain::<Aws>(&request).await?.credential;
        let arn = credentials.assumed_role_arn.clone();
        let endpoint = Endpoint::open(args.port, credentials, &session).await;
        let endpoint = endpoint.could_not(|| "serve AWS credentials".to_owned())?;
        let variables = endpoint.environment(request.endpoint.named_region.as_deref());
        ctx.out.lines(&shell_lines(&variables, ShellFormat::Env))?;
        ctx.out.note(format!("serving {arn} until interrupted"));
        Err(endpoint.keep_fresh(&session, &request, end).await.into())
    };
    // A signal is the usual end.
    signals.or_interrupted(serve).await.unwrap_or(Ok(()))
}
