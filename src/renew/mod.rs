//! Keeping something fresh: what expires is replaced ahead of its end, for as long as somebody needs it.

mod due;
mod token_file;

use std::convert::Infallible;
use std::time::Duration;

use jiff::Timestamp;

use crate::context::Context;
use crate::error::Failure;
use crate::exec::Signals;
use crate::time;

pub(crate) use due::Due;
pub(crate) use token_file::{Keeper, Reader, TokenFile, bare, warn_of_short_life};

/// How often it is checked whether the parent is still there.
const PARENT: Duration = Duration::from_secs(1);

/// When something is to be renewed, and when it ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lease {
    /// The moment for a renewal.
    pub(crate) due: Due,
    pub(crate) ends: Timestamp,
}

/// What is renewed, in the words of a warning.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Renewed {
    name: &'static str,
    expires: &'static str,
    expired: &'static str,
}

impl Renewed {
    pub(crate) const TOKEN: Self =
        Self { name: "the token", expires: "the old one expires", expired: "the old one expired" };
    /// Keys that belong together.
    pub(crate) const CREDENTIALS: Self =
        Self { name: "the credentials", expires: "the old ones expire", expired: "the old ones expired" };
}

/// Renews `what` ahead of each end, for ever. `renew` gets a new one, hands it over and gives its lease. If that fails,
/// the old one stays where it is, a warning says so, and it is tried again.
pub(crate) async fn keep_fresh(
    what: Renewed,
    mut lease: Lease,
    mut renew: impl AsyncFnMut() -> Result<Lease, Failure>,
    ctx: &Context,
) -> Infallible {
    loop {
        lease.due.wait(ctx).await;
        match renew().await {
            Ok(new) => {
                lease = new;
                ctx.out.trace(|| format!("renewed, expires {}", time::relative(new.ends, ctx.now())));
            }
            Err(failure) => {
                let (now, ends) = (ctx.now(), lease.ends);
                let state = if ends > now { what.expires } else { what.expired };
                let when = time::relative(ends, now);
                ctx.out.warn(format!("could not renew {}; {state} {when}", what.name));
                failure.report(&ctx.out);
                due::pause(ends.duration_since(now).try_into().unwrap_or_default()).await;
            }
        }
    }
}

/// Runs `keep` until the parent ends or a signal comes: one of those that are listened for since before there was
/// anything to keep.
pub(crate) async fn for_parent(mut signals: Signals, keep: impl Future<Output = Infallible>, ctx: &Context) {
    let orphaned = async {
        while !ctx.parent_has_ended() {
            tokio::time::sleep(PARENT).await;
        }
    };
    tokio::select! {
        never = keep => match never {},
        _ = signals.next() => {}
        () = orphaned => ctx.out.trace(|| "the parent process ended".to_owned()),
    }
}
