//! Credentials that are renewed for as long as somebody serves them.

use std::convert::Infallible;

use super::obtain;
use crate::context::Context;
use crate::renew::due::{self, Due};
use crate::target::aws::args::AwsArgs;
use crate::target::aws::container::Endpoint;
use crate::target::aws::exchange::{AssumeRole, AwsCredentials};
use crate::time;

/// Offers new credentials at the endpoint ahead of the old ones' end, for ever. When there are none to be had,
/// the old ones stay, it says so, and tries again until there are.
pub(super) async fn keep_fresh(
    mut current: AwsCredentials,
    endpoint: &Endpoint,
    args: &AwsArgs,
    request: &AssumeRole,
    ctx: &Context,
) -> Infallible {
    let mut due = Due::at(current.renew_at(), ctx);
    loop {
        due.wait(ctx).await;
        match obtain(args, request, ctx).await {
            Ok(new) => {
                ctx.out.trace(|| format!("renewed, expires {}", time::relative(new.expires_at, ctx.now())));
                endpoint.offer(new.clone());
                current = new;
                due = Due::at(current.renew_at(), ctx);
            }
            Err(failure) => {
                let (now, end) = (ctx.now(), current.expires_at);
                let state = if end > now { "the old ones go on and expire" } else { "the old ones expired" };
                let when = time::relative(end, now);
                ctx.out.warn(format!("could not renew the credentials; {state} {when}"));
                failure.report(&ctx.out);
                due::pause(end.duration_since(now).try_into().unwrap_or_default()).await;
            }
        }
    }
}
