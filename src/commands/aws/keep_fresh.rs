//! Credentials that are renewed for as long as somebody serves them.

use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::obtain;
use crate::cli::AwsArgs;
use crate::context::Context;
use crate::exchange::aws::{AssumeRole, AwsCredentials};
use crate::sink::endpoint::Endpoint;
use crate::time;

/// How often the clock on the wall is looked at: a timer alone would oversleep when the machine does.
const LOOK: Duration = Duration::from_secs(15);

/// Offers new credentials at the endpoint ahead of the old ones' end, for ever. When there are none to be had,
/// the old ones stay, it says so, and tries again until there are.
pub(super) async fn keep_fresh(
    mut current: AwsCredentials,
    endpoint: &Endpoint,
    args: &AwsArgs,
    request: &AssumeRole,
    ctx: &Context,
) -> Infallible {
    loop {
        while ctx.now() < current.renew_at() {
            let left = current.renew_at().duration_since(ctx.now());
            let left = Duration::try_from(left).unwrap_or_default();
            tokio::time::sleep(left.min(LOOK)).await;
        }
        match obtain(args, request, ctx).await {
            Ok(new) => {
                ctx.out.trace(|| format!("renewed, expires {}", time::relative(new.expires_at, ctx.now())));
                endpoint.offer(new.clone());
                current = new;
            }
            Err(failure) => {
                let (now, end) = (ctx.now(), current.expires_at);
                let state = if end > now { "the old ones go on and expire" } else { "the old ones expired" };
                let when = time::relative(end, now);
                ctx.out.warn(format!("could not renew the credentials; {state} {when}"));
                ctx.out.error(&failure.render(ctx.out.paint_stderr()));
                tokio::time::sleep(LOOK + jitter()).await;
            }
        }
    }
}

/// Up to as long again, so that a hundred workspaces do not try at the same moment.
fn jitter() -> Duration {
    let random = RandomState::new().hash_one(0);
    Duration::from_millis(random % 15_000)
}
