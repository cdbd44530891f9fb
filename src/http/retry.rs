//! When a request is worth a second try, and how long to wait before it.

use std::time::Duration;

use jiff::Timestamp;

use super::{HttpError, Reply};
use crate::time;

/// Never a busy loop, even if the server asks for it.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);
/// How often a request is sent at most, unless the caller says otherwise.
const TRIES: u32 = 4;
/// The same where the server only wants fewer requests at once: as often as these waits fit into the usual time limit.
const THROTTLED_TRIES: u32 = 12;
/// What the last try has at least.
const LAST_TRY: Duration = Duration::from_millis(100);

/// How often a request was sent, and how long the command has been at it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) tries: u32,
    pub(crate) took: Duration,
}

impl Effort {
    pub(super) const ONE: Self = Self { tries: 1, took: Duration::ZERO };

    /// `4 tries in 12 s`, where there was more than one.
    pub(crate) fn shown(self) -> Option<String> {
        let Self { tries, took } = self;
        let whole = Duration::from_secs(took.as_secs());
        // Below two seconds, a second is too coarse.
        let shown = if took < Duration::from_secs(2) { took } else { whole };
        (tries > 1).then(|| format!("{tries} tries in {}", time::limit(shown)))
    }
}

/// What is worth a second try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patience {
    /// 503 (obeying `Retry-After`), 502, 504, resets and DNS failures, at most four tries; 429, at most twelve.
    #[default]
    Usual,
    /// Also refused connections and 503, until the time limit: the other side is known to be starting.
    Starting,
}

impl Patience {
    /// How long to wait before the request is sent again, or `None` when the outcome of the last of `tries` stands.
    /// `limit` is how often the caller lets it be sent.
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
            // A try that ended before the time limit did: a service with a limit for each try.
            Err(HttpError::Reset { .. } | HttpError::Dns { .. } | HttpError::TimedOut { .. }) => {
                (again, None)
            }
            Err(HttpError::Proxy(fault)) => (fault.passing && again, None),
            Err(_) => (false, None),
        };
        again.then(|| Transient::Fault.backoff(tries).after(asked))
    }
}

/// Whether a status says that a service is overloaded or down.
pub(crate) fn is_overloaded(status: u16) -> bool {
    status >= 500 || matches!(status, 408 | 429)
}

/// How long to wait: full jitter on top of what the server asks for, because it asks all its clients alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wait {
    /// As the server asks: sooner is of no use.
    least: Duration,
    /// What the jitter is a part of.
    window: Duration,
    /// From 0 to 1.
    jitter: f64,
}

impl Wait {
    fn of(window: Duration) -> Self {
        Self { least: SHORTEST_WAIT, window, jitter: time::jitter() }
    }

    /// The same, after what the server asks for.
    fn after(self, asked: Option<Duration>) -> Self {
        Self { least: self.least.max(asked.unwrap_or_default()), ..self }
    }

    /// The wait, if the remaining time is enough for the wait and another try. The jitter uses the remaining time, so
    /// that the last tries of many clients do not come at the same time.
    pub(super) fn within(self, left: Duration) -> Option<Duration> {
        let room = left.checked_sub(LAST_TRY).filter(|room| !room.is_zero())?;
        let window = self.window.min(room.saturating_sub(self.least));
        // Else the waits of a request that goes on failing would shrink to nothing as the time runs out.
        let is_worth_it = self.least > SHORTEST_WAIT || window >= self.window / 4;
        (self.least < left && is_worth_it).then(|| self.least + window.mul_f64(self.jitter))
    }
}

/// Why a service refused a request that may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transient {
    /// A fault of its own.
    Fault,
    /// It gets too many requests.
    Throttled,
}

impl Transient {
    /// How often a request is sent at most, and the windows of the first wait and of the longest.
    ///
    /// Many workspaces that start together are throttled together. From a second on, doubled to 8 s: 1,000 clients of a
    /// server that takes 50 a second are then served within 1.2 times the shortest time, and 200 within twice that time.
    /// Longer waits save requests and serve the last clients much later.
    const fn schedule(self) -> (u32, Duration, Duration) {
        match self {
            Self::Fault => (TRIES, Duration::from_millis(200), Duration::from_secs(5)),
            Self::Throttled => (THROTTLED_TRIES, Duration::from_secs(1), Duration::from_secs(8)),
        }
    }

    /// How long to wait after the first `tries`, or `None` if these are as many as `limit`, or the usual limit, allows.
    pub(super) fn wait(self, tries: u32, limit: Option<u32>) -> Option<Wait> {
        (tries < limit.unwrap_or(self.schedule().0)).then(|| self.backoff(tries))
    }

    /// Exponential with full jitter: anything to the doubled wait.
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
            // A part of the wait is left, and too little of it.
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

    /// What came of many clients that start within a second.
    #[derive(Debug, Default)]
    struct Crowd {
        served: usize,
        requests: usize,
        /// When the last but a hundredth were served.
        seconds: f64,
        /// The requests of each second.
        load: Vec<u32>,
    }

    /// Clients of a server that takes `capacity` requests a second and answers the others with 429: simulated time, the
    /// arithmetic of the client.
    fn crowd_of(clients: usize, capacity: f64, retry_after: Option<Duration>) -> Crowd {
        const LIMIT: f64 = 30.0;
        let mut seed = 1_u64;
        let mut random = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(seed >> 32).unwrap()) / f64::from(u32::MAX)
        };
        // Nanoseconds, so that they have an order.
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
    fn a_crowd_is_served_in_little_more_than_the_shortest_time() {
        // The server takes as many at once as in a second.
        for (clients, capacity, longest) in
            [(200, 50.0, 2.0 * 3.0), (1000, 50.0, 1.3 * 19.0), (10_000, 500.0, 1.3 * 19.0)]
        {
            for retry_after in [None, Some(Duration::from_secs(1))] {
                let crowd = crowd_of(clients, capacity, retry_after);
                assert_eq!(crowd.served, clients, "{crowd:?}");
                assert!(crowd.seconds < longest, "{crowd:?}");
                assert!(crowd.requests < 6 * clients, "{crowd:?}");
                // Nobody comes in step: once the first waits are over, no second stands out from its neighbours.
                for part in crowd.load[3..].windows(3) {
                    let neighbours = f64::from(part[0] + part[2]) / 2.0;
                    assert!(f64::from(part[1]) < 1.5 * neighbours + capacity / 2.0, "{crowd:?}");
                }
            }
        }
    }
}
