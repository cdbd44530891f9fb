//! Renews tokens and credentials before they expire, for as long as somebody needs them.

mod due;
mod token_file;

use std::fmt::{self, Display};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::context::Context;
use crate::error::Failure;
use crate::exec::Signals;
use crate::exit::{Exit, Explain};
use crate::time::{self, COMPARE_CLOCK, ClockDifference};

pub(crate) use due::Due;
pub(crate) use token_file::{Keeper, Reader, TokenFile, bare, warn_of_clock, warn_of_short_life};

/// How often to check whether the parent process still runs.
const PARENT_INTERVAL: Duration = Duration::from_secs(1);

/// When to renew a token or credential, and when it expires.
#[derive(Debug, Clone)]
pub(crate) struct Renewal {
    /// The moment for a renewal.
    pub(crate) due: Due,
    pub(crate) expires_at: Timestamp,
    /// The difference between the clock of this machine and the clock of the issuer or service, if it is known and
    /// large enough to report.
    pub(crate) clock: Option<WrongClock>,
    /// Whether the reply shows that the clock of this machine is right. A short life is then what the service gives.
    pub(crate) clock_is_right: bool,
}

/// The difference between the clock of this machine and that of a service: `2 h ahead of AWS`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WrongClock {
    pub(crate) difference: ClockDifference,
    pub(crate) service: &'static str,
}

impl Display for WrongClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.difference, self.service)
    }
}

/// By the clock of this machine, a new token or credential has expired or is about to expire.
#[derive(Debug, thiserror::Error)]
#[error("by this machine's clock{}, {what} {expiry}", clock.map_or(String::new(), |clock| format!(", which is {clock}")))]
pub(crate) struct AlreadyExpiring {
    what: &'static str,
    expiry: String,
    clock: Option<WrongClock>,
}

impl Explain for AlreadyExpiring {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        Some(match self.clock {
            Some(_) => "set this machine's clock, for example with `sudo timedatectl set-ntp true`".into(),
            None => {
                format!("{COMPARE_CLOCK}, and set this machine's clock if it is wrong")
            }
        })
    }
}

impl Renewal {
    fn not_fresh(&self, what: Renewed, ctx: &Context) -> AlreadyExpiring {
        let expiry = what.expiry(self.expires_at, ctx.now());
        AlreadyExpiring { what: what.new, expiry, clock: self.clock }
    }

    /// Fails if the next renewal is already due.
    fn check(&self, what: Renewed, ctx: &Context) -> Result<(), AlreadyExpiring> {
        if self.due.is_now(ctx) { Err(self.not_fresh(what, ctx)) } else { Ok(()) }
    }

    /// Warns if a wrong clock makes readers misjudge when the token or credential expires.
    pub(crate) fn warn_of_end(&self, what: Renewed, ctx: &Context) {
        if self.clock_is_right && self.expires_at > ctx.now() {
            return;
        }
        if self.expires_at.duration_since(ctx.now()) <= what.min_life {
            let not_fresh = self.not_fresh(what, ctx);
            let hint = not_fresh.hint().unwrap_or_default();
            ctx.out.warn(format!("{not_fresh}: {hint}"));
        } else if let Some(clock) = &self.clock {
            let effect = if clock.difference.is_ahead() {
                format!("stop using {} too early", what.new)
            } else {
                format!("use {} for too long", what.new)
            };
            ctx.out.warn(format!(
                "the clock of this machine is {clock}, so tools will {effect}: correct the clock"
            ));
        }
    }
}

/// The token or credential that is renewed, in the words of a warning.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Renewed {
    name: &'static str,
    new: &'static str,
    old: &'static str,
    /// `expires` or `expire`.
    expires: &'static str,
    /// A new one with this much time left or less shows that a clock is wrong.
    min_life: SignedDuration,
}

impl Renewed {
    pub(crate) const TOKEN: Self = Self {
        name: "the token",
        new: "the new token",
        old: "the old one",
        expires: "expires",
        min_life: SignedDuration::ZERO,
    };
    /// The credentials of AWS, which live for at least 15 minutes.
    pub(crate) const CREDENTIALS: Self = Self {
        name: "the credentials",
        new: "the new credentials",
        old: "the old ones",
        expires: "expire",
        min_life: SignedDuration::from_mins(5),
    };

    /// `expires in 59 min` or `expired 3 h ago`
    fn expiry(self, ends: Timestamp, now: Timestamp) -> String {
        let verb = if ends > now { self.expires } else { "expired" };
        format!("{verb} {}", time::relative(ends, now))
    }
}

/// The last token or credential expired, and the source gives no more ID tokens.
#[derive(Debug, thiserror::Error)]
#[error("{0} expired, and the source has no more ID tokens")]
pub(crate) struct SourceEnded(&'static str);

impl Explain for SourceEnded {
    fn exit(&self) -> Exit {
        Exit::NoIdentity
    }

    fn hint(&self) -> Option<String> {
        Some("start the job again, or use a source that mints for longer: `gp idp doctor` names the current source".into())
    }
}

/// Renews `what` each time before it expires. `renew` gets a new token or credential, hands it over and returns its
/// lease. If `renew` fails, the old one stays in place, a warning reports the failure, and the next try follows. A new
/// one that needs a renewal at once counts as a failure too, so a wrong clock cannot make this loop spin. If the source
/// gives no tokens after `end`, the function returns when the last token or credential expires.
pub(crate) async fn keep_fresh(
    what: Renewed,
    mut renewal: Renewal,
    end: Option<Timestamp>,
    mut renew: impl AsyncFnMut() -> Result<Renewal, Failure>,
    ctx: &Context,
) -> SourceEnded {
    let mut failures = 0;
    renewal.warn_of_end(what, ctx);
    if renewal.check(what, ctx).is_err() {
        due::pause(Duration::ZERO, failures).await;
        failures += 1;
    }
    loop {
        // A token or credential that lives until the source ends cannot be extended.
        let is_last = end.is_some_and(|end| renewal.expires_at >= end);
        let due = if is_last { Due::at(renewal.expires_at, ctx) } else { renewal.due };
        due.wait(ctx).await;
        let renewed = match renew().await {
            Ok(new) => {
                renewal = new;
                renewal.check(what, ctx).map_err(Failure::from)
            }
            Err(failure) => Err(failure),
        };
        match renewed {
            Ok(()) => {
                failures = 0;
                ctx.out
                    .trace(|| format!("renewed, expires {}", time::relative(renewal.expires_at, ctx.now())));
                renewal.warn_of_end(what, ctx);
            }
            Err(_) if is_last && renewal.expires_at <= ctx.now() => return SourceEnded(what.name),
            Err(failure) => {
                let (now, ends) = (ctx.now(), renewal.expires_at);
                let expiry = what.expiry(ends, now);
                ctx.out.warn(format!("could not renew {}; {} {expiry}", what.name, what.old));
                failure.report(ctx);
                due::pause(ends.duration_since(now).try_into().unwrap_or_default(), failures).await;
                failures = failures.saturating_add(1);
            }
        }
    }
}

/// Runs `keep` until the parent process ends or one of `signals` arrives. The caller listens for `signals` before there
/// is anything to keep. Fails if `keep` ends first.
pub(crate) async fn for_parent(
    mut signals: Signals,
    keep: impl Future<Output = SourceEnded>,
    ctx: &Context,
) -> Result<(), Failure> {
    let orphaned = async {
        while !ctx.parent_has_ended() {
            tokio::time::sleep(PARENT_INTERVAL).await;
        }
    };
    tokio::select! {
        ended = keep => return Err(ended.into()),
        _ = signals.next() => {}
        () = orphaned => ctx.out.trace(|| "the parent process ended".to_owned()),
    }
    Ok(())
}
