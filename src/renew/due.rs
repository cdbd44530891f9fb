//! When something that expires is renewed, and how long to wait after a failure.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::context::Context;
use crate::time;

/// The shortest wait. Without it, renewals could follow each other without a pause.
const MIN_WAIT: Duration = Duration::from_secs(1);

/// How often to check the wall clock. A timer alone stops while the machine sleeps.
const CLOCK_INTERVAL: Duration = Duration::from_secs(15);

/// With less time left, a third of it would be about [`MIN_WAIT`] or less, and the tries would follow each other closely.
const LAST_SECONDS: Duration = Duration::from_secs(4);

/// The moment for a renewal, by two clocks. The wall clock continues while the machine sleeps. The
/// monotonic clock does not change when somebody sets the time. The renewal is due when one of
/// them reaches the moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    since: Timestamp,
    started: Instant,
    after: Duration,
}

impl Due {
    /// A renewal after this time from now.
    pub(crate) fn after(after: Duration, ctx: &Context) -> Self {
        Self { since: ctx.now(), started: Instant::now(), after }
    }

    /// A renewal at this time, which may be in the past.
    pub(crate) fn at(at: Timestamp, ctx: &Context) -> Self {
        Self::after(at.duration_since(ctx.now()).try_into().unwrap_or_default(), ctx)
    }

    /// The time until the renewal.
    fn remaining(&self, now: Timestamp, running: Duration) -> Duration {
        let on_the_wall = Duration::try_from(now.duration_since(self.since)).unwrap_or_default();
        self.after.saturating_sub(on_the_wall.max(running))
    }

    /// Whether the renewal is due now, or in less than a second.
    pub(super) fn is_now(&self, ctx: &Context) -> bool {
        self.remaining(ctx.now(), self.started.elapsed()) < MIN_WAIT
    }

    pub(crate) async fn wait(self, ctx: &Context) {
        loop {
            let remaining = self.remaining(ctx.now(), self.started.elapsed());
            if remaining.is_zero() {
                return;
            }
            tokio::time::sleep(remaining.min(CLOCK_INTERVAL)).await;
        }
    }
}

/// Waits after a failure. `failure` counts the failures in a row, from 0. `left` is the time until the current token or
/// credential expires.
pub(super) async fn pause(left: Duration, failure: u32) {
    let wait = shortest_pause(left, failure);
    tokio::time::sleep(wait + wait.mul_f64(time::jitter())).await;
}

/// The shortest pause after a failure. It doubles with each failure, up to 15 s. It is at most a third of `left`: jitter
/// makes it two thirds, and another try comes before the expiry. In the last seconds, only the doubling counts.
fn shortest_pause(left: Duration, failure: u32) -> Duration {
    let doubled = MIN_WAIT * 2_u32.saturating_pow(failure);
    let wait = (left / 4).max(doubled).min(CLOCK_INTERVAL);
    if left < LAST_SECONDS { wait } else { wait.min(left / 3) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_15_seconds() {
        let seconds = |left: u64| {
            let pauses = [0, 1, 2, 3, 4, 5, 99];
            pauses.map(|failure| shortest_pause(Duration::from_secs(left), failure).as_secs())
        };
        assert_eq!(seconds(0), [1, 2, 4, 8, 15, 15, 15]);
        assert_eq!(seconds(20), [5, 5, 5, 6, 6, 6, 6]);
        assert_eq!(seconds(3600), [15; 7]);
    }

    #[test]
    fn another_try_comes_before_the_expiry() {
        for left in (4..=3600).map(Duration::from_secs) {
            for failure in 0..10 {
                // Jitter is less than 1.
                assert!(shortest_pause(left, failure) * 2 <= left, "{left:?} {failure}");
            }
        }
    }

    #[test]
    fn sleep_and_a_changed_clock_do_not_delay_a_renewal() {
        let since: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let due = Due { since, started: Instant::now(), after: Duration::from_secs(2400) };
        let seconds = |wall: i64, running: u64| {
            let now = Timestamp::from_second(since.as_second() + wall).unwrap();
            due.remaining(now, Duration::from_secs(running)).as_secs()
        };
        let cases = [
            (600, 600, 1800),
            // The machine slept for half an hour.
            (2400, 600, 0),
            (90_000, 1, 0),
            // Somebody set the clock back, by a minute and by a year.
            (540, 600, 1800),
            (-31_536_000, 600, 1800),
            (-31_536_000, 2400, 0),
        ];
        for (wall, running, left) in cases {
            assert_eq!(seconds(wall, running), left, "{wall} {running}");
        }
    }
}
