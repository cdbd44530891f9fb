//! Parses and formats durations and instants.

use std::fmt::{self, Display};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The default time limit of a command.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Parses `30` (seconds), `30s`, `1.5s`, `500ms`, `2m`, `1h` or, in Go's form, `1m30s`.
///
/// # Errors
/// A message with the right form, also for more than 366 days.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let bare = !text.ends_with(|c: char| c.is_ascii_alphabetic());
    let read = if bare { seconds(text, "s") } else { parts(text) };
    read.filter(|duration| *duration <= Duration::from_secs(366 * 86400))
        .ok_or_else(|| "write it like `30s`, `2m` or `1h`".to_owned())
}

/// The sum of numbers with units.
fn parts(text: &str) -> Option<Duration> {
    let mut sum = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let unit = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let length = rest[unit..].find(|c: char| !c.is_ascii_alphabetic());
        let end = length.map_or(rest.len(), |length| unit + length);
        sum = sum.checked_add(seconds(&rest[..unit], &rest[unit..end])?)?;
        rest = &rest[end..];
    }
    Some(sum)
}

fn seconds(number: &str, unit: &str) -> Option<Duration> {
    let milliseconds = match unit {
        "ms" => 1.0,
        "s" => 1e3,
        "m" | "min" => 6e4,
        "h" => 3.6e6,
        _ => return None,
    };
    let plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let number = number.parse::<f64>().ok().filter(|_| plain)?;
    Duration::try_from_secs_f64(number * milliseconds / 1e3).ok()
}

/// How to check the clock of this machine, for hints.
pub(crate) const COMPARE_CLOCK: &str =
    "compare `date -u` with `curl -sI https://example.com | grep -i ^date`";

/// As [`parse_duration`], but zero is refused.
pub(crate) fn parse_time_limit(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        Duration::ZERO => Err("the time must be above zero, such as `30s`".to_owned()),
        limit => Ok(limit),
    }
}

/// `59 min`, `3 h`, `2 d`: the largest unit of which there are at least two.
pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        172_800..63_072_000 => format!("{} d", seconds / 86400),
        _ => format!("{} years", seconds / 31_536_000),
    }
}

/// A duration in the form of a flag's value, rounded up to seconds: `2m`, `55s`.
pub(crate) fn flag(limit: Duration) -> String {
    match limit.as_secs() {
        seconds if seconds % 60 == 0 && limit.subsec_nanos() == 0 => format!("{}m", seconds / 60),
        seconds => format!("{}s", seconds.saturating_add(u64::from(limit.subsec_nanos() > 0))),
    }
}

/// A duration for messages: `500 ms`, `30 s`, `2 min`.
pub(crate) fn limit(duration: Duration) -> String {
    if duration.as_secs() < 120 && duration.subsec_millis() != 0 {
        format!("{} ms", duration.as_millis())
    } else {
        span(duration.as_secs())
    }
}

/// `in 59 min` or `3 h ago`.
pub(crate) fn relative(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.as_second().saturating_sub(now.as_second());
    if seconds > 0 {
        format!("in {}", span(seconds.unsigned_abs()))
    } else {
        format!("{} ago", span(seconds.unsigned_abs()))
    }
}

/// `expires in 59 min`, `expired 3 h ago` or `never expires`.
pub(crate) fn expiry(at: Option<Timestamp>, now: Timestamp) -> String {
    match at {
        None => "never expires".to_owned(),
        Some(at) if at > now => format!("expires {}", relative(at, now)),
        Some(at) => format!("expired {}", relative(at, now)),
    }
}

/// A larger difference is reported. A smaller one may be the duration of the requests.
pub(crate) const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// The difference of two clocks, positive if the first is ahead: `2 h ahead of`, `16 min behind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClockDifference(SignedDuration);

impl ClockDifference {
    pub(crate) fn is_ahead(self) -> bool {
        self.0.is_positive()
    }
}

impl Display for ClockDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.is_ahead() { "ahead of" } else { "behind" };
        write!(f, "{} {side}", span(self.0.as_secs().unsigned_abs()))
    }
}

/// The difference between `this` clock and `other`, if it exceeds [`CLOCK_SKEW`].
pub(crate) fn clock_difference(this: Timestamp, other: Timestamp) -> Option<ClockDifference> {
    let difference = this.duration_since(other);
    (difference.abs() > CLOCK_SKEW).then_some(ClockDifference(difference))
}

/// A random number from 0 to below 1, so that many workspaces do not retry at the same moment.
pub(crate) fn jitter() -> f64 {
    // The random seed of the standard library's hash maps is good enough to spread retries.
    let bits = RandomState::new().hash_one(0_u8);
    f64::from(u32::try_from(bits >> 32).unwrap_or_default()) / 4_294_967_296.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let cases = [
            ("30", Some(30_000)),
            ("30s", Some(30_000)),
            ("1.5s", Some(1_500)),
            ("1m30s", Some(90_000)),
            ("1h0.5m1s500ms", Some(3_631_500)),
            ("1m30", None),
            ("m30s", None),
            ("1m-30s", None),
            ("1m 30s", None),
            ("500ms", Some(500)),
            ("2m", Some(120_000)),
            ("1h", Some(3_600_000)),
            ("", None),
            ("s", None),
            ("-1s", None),
            ("1d", None),
            ("nan", None),
            ("inf", None),
            ("1e9s", None),
            ("99999999h", None),
            ("1.2.3s", None),
        ];
        for (text, milliseconds) in cases {
            assert_eq!(parse_duration(text).ok(), milliseconds.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn clock_differences() {
        let cases = [
            (0, None),
            (60, None),
            (-60, None),
            (61, Some((true, "61 s ahead of"))),
            (-61, Some((false, "61 s behind"))),
            (7200, Some((true, "2 h ahead of"))),
        ];
        for (seconds, expected) in cases {
            let this = Timestamp::from_second(1_000_000_000 + seconds).unwrap();
            let found = clock_difference(this, Timestamp::from_second(1_000_000_000).unwrap());
            let shown = found.map(|found| (found.is_ahead(), found.to_string()));
            assert_eq!(shown, expected.map(|(ahead, text)| (ahead, text.to_owned())));
        }
    }

    #[test]
    fn relative_times() {
        let now = Timestamp::from_second(1_000_000_000).unwrap();
        let cases = [
            (0, "0 s ago"),
            (59, "in 59 s"),
            (3599, "in 59 min"),
            (-10_800, "3 h ago"),
            (7 * 86400, "in 7 d"),
            (-40 * 31_536_000, "40 years ago"),
        ];
        for (offset, expected) in cases {
            let at =
                Timestamp::from_second(1_000_000_000_i64.saturating_add(offset)).unwrap_or(Timestamp::MIN);
            assert_eq!(relative(at, now), expected);
        }
    }
}
