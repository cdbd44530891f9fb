//! Which requests are retried, and how long to wait before a retry.

use std::time::Duration;

use jiff::Timestamp;

use super::{HttpError, Reply};
use crate::time;

/// The shortest wait, even if the server asks for none: no busy loop.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);
/// The default maximum number of tries.
const TRIES: u32 = 4;
/// The same for a throttled request: so many waits fit into the default time limit.
const THROTTLED_TRIES: u32 = 12;
/// The least time that remains for the last try.
const LAST_TRY: Duration = Duration::from_millis(100);

/// How often a request was sent, and how long the command has run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempts {
    pub(crate) tries: u32,
    pub(crate) took: Duration,
}

impl Attempts {
    pub(super) const ONE: Self = Self { tries: 1, took: Duration::ZERO };

    /// `4 tries in 12 s`; `None` for a single try.
    pub(crate) fn shown(self) -> Option<String> {
        let Self { tries, took } = self;
        let whole = Duration::from_secs(took.as_secs());
        // Below two seconds, a second is too coarse.
        let shown = if took < Duration::from_secs(2) { took } else { whole };
        (tries > 1).then(|| format!("{tries} tries in {}", time::limit(shown)))
    }
}

/// Which outcomes are retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RetryPolicy {
    /// 503 (obeying `Retry-After`), 502, 504, resets, DNS failures, timeouts of one try and
    /// temporary proxy failures, at most four tries; 429, at most twelve.
    #[default]
    Standard,
    /// As `Standard`, but refused connections, 502, 503 and 504 until the time limit, for a service
    /// that is starting.
    Starting,
}

impl RetryPolicy {
    /// How long to wait before the next try; `None` if the outcome after `tries` tries is final.
    /// `limit` is the caller's maximum number of tries, if it has one.
    pub(super) fn wait_before_retry(
        self,
        outcome: &Result<Reply, HttpError>,
        tries: u32,
        limit: Option<u32>,
        now: Timestamp,
    ) -> Option<Wait> {
        let starting = self == Self::Starting;
        let again = tries < limit.unwrap_or(TRIES);
        let (again, asked) = match outcome {
            Ok(reply) => match reply.status {
                429 => {
                    let wait = Transient::Throttled.wait(tries, limit);
                    return wait.map(|wait| wait.after(reply.retry_after(now)));
                }
                503 => (starting || again, reply.retry_after(now)),
                502 | 504 => (starting || again, None),
                _ => (false, None),
            },
            Err(HttpError::Refused { .. }) => (starting, None),
            // `TimedOut` is the time limit of one try here. That of the command ends the retries.
            Err(HttpError::Reset { .. } | HttpError::Dns { .. } | HttpError::TimedOut { .. }) => {
                (again, None)
            }
            Err(HttpError::Proxy(fault)) => (fault.is_transient && again, None),
            Err(_) => (false, None),
        };
        again.then(|| Transient::Fault.backoff(tries).after(asked))
    }
}

/// Whether an HTTP status means that the service is overloaded or down.
pub(crate) fn is_overloaded(status: u16) -> bool {
    status >= 500 || matches!(status, 408 | 429)
}

/// How long to wait: what the server asks plus full jitter, because it asks all clients the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wait {
    /// The minimum, as the server asks.
    least: Duration,
    /// The maximum that the jitter adds.
    window: Duration,
    /// The part of `window` that is added, from 0 to 1.
    jitter: f64,
}

impl Wait {
    fn of(window: Duration) -> Self {
        Self { least: SHORTEST_WAIT, window, jitter: time::jitter() }
    }

    /// The same, but at least as long as the server asks.
    fn after(self, asked: Option<Duration>) -> Self {
        Self { least: self.least.max(asked.unwrap_or_default()), ..self }
    }

    /// The wait, if the remaining time is enough for it and another try. A short remaining time
    /// only reduces the jitter, so that the last tries of many clients do not coincide.
    pub(super) fn within(self, left: Duration) -> Option<Duration> {
        let room = left.checked_sub(LAST_TRY).filter(|room| !room.is_zero())?;
        let window = self.window.min(room.saturating_sub(self.least));
        // Without this, the waits of a failing request would shrink to zero near the deadline.
        let is_worth_it = self.least > SHORTEST_WAIT || window >= self.window / 4;
        (self.least < left && is_worth_it).then(|| self.least + window.mul_f64(self.jitter))
    }
}

/// Why a request failed that may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transient {
    /// A failure of the service.
    Fault,
    /// The service gets too many requests.
    Throttled,
}

impl Transient {
    /// The maximum number of tries, the first window and the longest window.
    ///
    /// Many workspaces that start together are throttled together. Their windows double from 1 s to
    /// 8 s. With a server that takes 50 requests a second, 1,000 clients are then served within 1.2
    /// times the shortest possible time, and 200 clients within twice that time. Longer waits save
    /// requests but serve the last clients much later.
    const fn schedule(self) -> (u32, Duration, Duration) {
        match self {
            Self::Fault => (TRIES, Duration::from_millis(200), Duration::from_secs(5)),
            Self::Throttled => (THROTTLED_TRIES, Duration::from_secs(1), Duration::from_secs(8)),
        }
    }

    /// How long to wait after `tries` tries; `None` if `limit` or the default limit is reached.
    pub(super) fn wait(self, tries: u32, limit: Option<u32>) -> Option<Wait> {
        (tries < limit.unwrap_or(self.schedule().0)).then(|| self.backoff(tries))
    }

    /// Exponential backoff with full jitter.
    fn backoff(self, tries: u32) -> Wait {
        let (_, first, longest) = self.schedule();
        Wait::of(first.saturating_mul(1 << tries.saturating_sub(1).min(10)).min(longest))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_wait_leaves_room_for_a_try() {
        let ms = Duration::from_millis;
        let cases = [
            (0, 500, 5000, Some(500)),
            (0, 500, 300, Some(200)),
            (0, 500, 100, None),
            // The remaining time reduces the window: enough of it is left, then too little.
            (0, 2000, 1000, Some(900)),
            (0, 4000, 1000, None),
            (500, 0, 5000, Some(500)),
            (500, 1000, 5000, Some(1500)),
            (500, 1000, 1000, Some(900)),
            (500, 0, 400, None),
        ];
        for (least, window, left, expected) in cases {
            let wait = Wait { least: ms(least), window: ms(window), jitter: 1.0 };
            assert_eq!(wait.within(ms(left)), expected.map(ms), "{wait:?} {left}");
        }
        let forever = Wait { least: Duration::MAX, window: ms(1), jitter: 0.5 };
        assert_eq!(forever.within(ms(5000)), None);
    }

    #[test]
    fn backoff_grows_to_its_limit_and_never_spins() {
        for tries in 1..60 {
            let wait = Transient::Fault.backoff(tries);
            assert_eq!(wait.window, Duration::from_millis((200 << (tries - 1).min(5)).min(5000)), "{tries}");
            assert!(wait.after(Some(Duration::ZERO)).within(Duration::MAX) >= Some(SHORTEST_WAIT), "{tries}");
        }
    }

    /// The result of many clients that start within a second.
    #[derive(Debug, Default)]
    struct Crowd {
        served: usize,
        requests: usize,
        /// When 99 % of the clients were served.
        seconds: f64,
        /// The requests of each second.
        load: Vec<u32>,
    }

    /// Simulates clients of a server that takes `capacity` requests a second, else replies 429.
    fn crowd_of(clients: usize, capacity: f64, retry_after: Option<Duration>) -> Crowd {
        const LIMIT: f64 = 30.0;
        let mut seed = 1_u64;
        let mut random = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(seed >> 32).unwrap()) / f64::from(u32::MAX)
        };
        // Integers, because `f64` has no total order.
        let at = |seconds: f64| Duration::from_secs_f64(seconds).as_nanos();
        let starts: Vec<u128> = (0..clients).map(|_| at(random())).collect();
        let mut due: BTreeSet<(u128, usize)> = starts.iter().copied().zip(0..).collect();
        let mut tries = vec![0; clients];
        let (mut free, mut last, mut crowd) = (capacity, 0, Crowd::default());
        let seconds = |nanoseconds: u128| Duration::from_nanos(nanoseconds.try_into().unwrap()).as_secs_f64();
        while let Some((now, client)) = due.pop_first() {
            free = (free + seconds(now - last) * capacity).min(capacity);
            last = now;
            tries[client] += 1;
            crowd.requests += 1;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some seconds")]
            let second = seconds(now) as usize;
            crowd.load.resize(crowd.load.len().max(second + 1), 0);
            crowd.load[second] += 1;
            if free >= 1.0 {
                free -= 1.0;
                crowd.served += 1;
                if crowd.served <= clients - clients / 100 {
                    crowd.seconds = seconds(now);
                }
            } else if let Some(wait) = Transient::Throttled.wait(tries[client], None) {
                let wait = Wait { jitter: random(), ..wait.after(retry_after) };
                let left = LIMIT - seconds(now - starts[client]);
                if let Some(wait) = wait.within(Duration::from_secs_f64(left.max(0.0))) {
                    due.insert((now + wait.as_nanos(), client));
                }
            }
        }
        crowd
    }

    #[test]
    fn a_throttled_request_has_longer_waits_and_more_tries_than_a_failed_one() {
        let waits = |why: Transient| -> Vec<u64> {
            let waits = (1..).map_while(|tries| why.wait(tries, None));
            waits.map(|wait| wait.window.as_millis().try_into().unwrap()).collect()
        };
        assert_eq!(waits(Transient::Fault), [200, 400, 800]);
        assert_eq!(
            waits(Transient::Throttled),
            [1000, 2000, 4000, 8000, 8000, 8000, 8000, 8000, 8000, 8000, 8000]
        );
        assert_eq!(Transient::Throttled.wait(2, Some(2)), None);
    }

    #[test]
    fn throttled_clients_are_served_soon_and_spread_their_requests() {
        // The server takes a burst of one second's requests.
        for (clients, capacity, longest) in
            [(200, 50.0, 2.0 * 3.0), (1000, 50.0, 1.3 * 19.0), (10_000, 500.0, 1.3 * 19.0)]
        {
            for retry_after in [None, Some(Duration::from_secs(1))] {
                let crowd = crowd_of(clients, capacity, retry_after);
                assert_eq!(crowd.served, clients, "{crowd:?}");
                assert!(crowd.seconds < longest, "{crowd:?}");
                assert!(crowd.requests < 6 * clients, "{crowd:?}");
                // Clients do not synchronise: after the first waits, the load has no peaks.
                for part in crowd.load[3..].windows(3) {
                    let neighbours = f64::from(part[0] + part[2]) / 2.0;
                    assert!(f64::from(part[1]) < 1.5 * neighbours + capacity / 2.0, "{crowd:?}");
                }
            }
        }
    }
}
