//! When a request is worth a second try, and how long to wait before it.

use std::ops::Range;
use std::time::Duration;

use jiff::Timestamp;

use super::{HttpError, Reply};
use crate::time;

const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How often a request is sent at most, unless the caller says otherwise.
pub(super) const TRIES: u32 = 4;
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
    /// 429 and 503 (obeying `Retry-After`), 502, 504, resets and DNS failures, at most four tries.
    #[default]
    Usual,
    /// Also refused connections and 503, until the time limit: the other side is known to be starting.
    Starting,
}

impl Patience {
    /// How long to wait before sending again, after the first of `tries` and before the second, or `None` when the outcome stands.
    pub(super) fn wait_before_retry(
        self,
        outcome: &Result<Reply, HttpError>,
        tries: Range<u32>,
        now: Timestamp,
    ) -> Option<Wait> {
        let starting = self == Self::Starting;
        let again = !tries.is_empty();
        let (again, asked) = match outcome {
            Ok(reply) => match reply.status {
                429 | 503 => (starting || again, reply.retry_after(now)),
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
        let ours = backoff(tries.start, time::jitter());
        // Never sooner than without being asked: a server that says "at once" is not to be asked without end.
        again.then(|| asked.map_or(Wait::Ours(ours), |asked| Wait::Asked(asked.max(ours))))
    }
}

/// Whether a status says that a service is overloaded or down.
pub(crate) fn is_overloaded(status: u16) -> bool {
    status >= 500 || matches!(status, 408 | 429)
}

/// How long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// As the server asks: sooner is of no use.
    Asked(Duration),
    /// As seems right: sooner is as good.
    Ours(Duration),
}

impl Wait {
    /// The wait, if a try still fits into the time that is left after it.
    pub(super) fn within(self, left: Duration) -> Option<Duration> {
        let room = left.checked_sub(LAST_TRY).filter(|room| !room.is_zero())?;
        match self {
            Self::Asked(wait) => (wait < left).then_some(wait),
            Self::Ours(wait) => Some(wait.min(room)),
        }
    }
}

/// How long to wait after the first number of tries, or `None` if that is all there are to be.
pub(super) fn pause(tries: Range<u32>) -> Option<Duration> {
    (!tries.is_empty()).then(|| backoff(tries.start, time::jitter()))
}

/// Exponential with full jitter: anything from zero to the doubled wait (but never a busy loop).
fn backoff(tries: u32, jitter: f64) -> Duration {
    let ceiling = FIRST_WAIT.saturating_mul(1 << tries.saturating_sub(1).min(10)).min(LONGEST_WAIT);
    Duration::from_millis(10) + ceiling.mul_f64(jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_leaves_room_for_a_try() {
        let ms = Duration::from_millis;
        let cases = [
            (Wait::Ours(ms(500)), 5000, Some(500)),
            (Wait::Ours(ms(500)), 300, Some(200)),
            (Wait::Ours(ms(500)), 100, None),
            (Wait::Asked(ms(500)), 5000, Some(500)),
            (Wait::Asked(ms(500)), 400, None),
            (Wait::Asked(Duration::MAX), 5000, None),
        ];
        for (wait, left, expected) in cases {
            assert_eq!(wait.within(ms(left)), expected.map(ms), "{wait:?} {left}");
        }
    }

    #[test]
    fn backoff_grows_to_its_limit_and_never_spins() {
        for tries in 1..60 {
            let ceiling = 200 << (tries - 1).min(5);
            for jitter in [0.0, 0.5, 0.999] {
                let wait = backoff(tries, jitter);
                assert!(wait >= Duration::from_millis(10), "{tries} {wait:?}");
                assert!(wait <= Duration::from_millis(ceiling.min(5000) + 10), "{tries} {wait:?}");
            }
        }
    }
}
