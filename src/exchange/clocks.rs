//! Finds a wrong clock with the `Date` of a reply.

use jiff::Timestamp;

use crate::http::Reply;
use crate::jwt::IdToken;
use crate::time::{ClockDifference, clock_difference};

/// The differences from the clock of a service. `None` if the difference is unknown or small.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Clocks {
    /// The clock of the issuer, from the `iat` of a token that it issued just now.
    pub(crate) issuer: Option<ClockDifference>,
    pub(crate) local: Option<ClockDifference>,
}

impl Clocks {
    /// Compares the clocks with the `Date` of the reply to `token`.
    pub(crate) fn compare(reply: &Reply, now: Timestamp, token: &IdToken) -> Self {
        let Some(date) = reply.date() else { return Self::default() };
        let issued_at = token.issued_now(date);
        Self {
            issuer: issued_at.and_then(|at| clock_difference(at, date)),
            local: clock_difference(now, date),
        }
    }

    /// Whether one of the clocks is wrong.
    pub(crate) fn are_wrong(&self) -> bool {
        *self != Self::default()
    }

    /// `this machine is 2 h ahead of AWS`
    pub(crate) fn lines(&self, service: &str) -> Vec<String> {
        let line = |who: &str, difference: Option<ClockDifference>| {
            difference.map(|difference| format!("{who} is {difference} {service}"))
        };
        [line("the issuer", self.issuer), line("this machine", self.local)].into_iter().flatten().collect()
    }
}
