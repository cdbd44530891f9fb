//! `gp idp login aws`, `exec aws` and `serve aws`: one way to credentials, several ways to use them.

pub mod args;
mod container;
pub(crate) mod doctor;
pub mod exchange;
pub(crate) mod exec;
mod formats;
pub mod iam;
mod install;
mod keep_fresh;
pub(crate) mod login;
mod process;
pub mod profile;
pub(crate) mod request;
pub(crate) mod serve;
pub mod trust;

use std::path::Path;

use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exchange::Exchange;
use crate::http::{CaFile, Http};
use crate::source::{Supervisor, TokenRequest, TokenSource};
use crate::target::aws::args::AwsArgs;
use crate::target::aws::exchange::{AssumeRole, AwsCredentials, Sts};

/// Mints an ID token and assumes the role with it; once more with a fresh token where STS asks for one.
pub(super) async fn obtain(
    args: &AwsArgs,
    request: &AssumeRole,
    ctx: &Context,
) -> Result<AwsCredentials, Failure> {
    let action = || format!("assume the AWS role {}", request.role);
    let http = Http::new(ctx, args.limits.timeout());
    let bundle = ctx.var_os("AWS_CA_BUNDLE").map(Path::new);
    let sts = http
        .trusting(bundle.map(|path| CaFile { setting: "AWS_CA_BUNDLE", path }))
        .at_most(request.max_attempts);
    let source = Supervisor::from_context(&http).could_not(action)?;
    let wanted = TokenRequest { audiences: &args.audience, scope: args.scope.as_deref() };
    let mut again = false;
    loop {
        let token = source.id_token(&wanted).await.could_not(action)?;
        match Sts::new(&sts, request).exchange(&token).await {
            Err(error) if error.wants_a_fresh_token() && !again => {
                ctx.out.trace(|| "  trying again with a fresh ID token".to_owned());
                again = true;
            }
            outcome => return outcome.could_not(action),
        }
    }
}
