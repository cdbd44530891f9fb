//! Whose clock is off, by the `Date` of a reply.

use jiff::Timestamp;

use crate::http::Reply;
use crate::jwt::IdToken;
use crate::time::{ClockDifference, clock_difference};

/// How far clocks are from that of a service, where that is worth a word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Clocks {
    /// The issuer's, by the token that it issued a moment before.
    pub(crate) issuer: Option<ClockDifference>,
    pub(crate) here: Option<ClockDifference>,
}

impl Clocks {
    /// Compares them by a reply to `token`.
    pub(crate) fn compare(reply: &Reply, now: Timestamp, token: &IdToken) -> Self {
        let Some(date) = reply.date() else { return Self::default() };
        let issued_at = token.issued_now(date);
        Self {
            issuer: issued_at.and_then(|at| clock_difference(at, date)),
            here: clock_difference(now, date),
        }
    }

    /// Whether one of them is off.
    pub(crate) fn differ(&self) -> bool {
        *self != Self::default()
    }

    /// `this machine is 2 h ahead of AWS`
    pub(crate) fn lines(&self, service: &str) -> Vec<String> {
        let line = |who: &str, difference: Option<ClockDifference>| {
            difference.map(|difference| format!("{who} is {difference} {service}"))
        };
        [line("the issuer", self.issuer), line("this machine", self.here)].into_iter().flatten().collect()
    }
}
