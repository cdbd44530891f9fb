//! The time limit of a command.

use std::time::{Duration, Instant};

/// The time limit of a command (`--timeout`) from its start, for all requests, locks and helpers.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    started: Instant,
    limit: Duration,
}

impl Deadline {
    /// A deadline `limit` from now.
    pub fn after(limit: Duration) -> Self {
        Self { started: Instant::now(), limit }
    }

    pub fn limit(self) -> Duration {
        self.limit
    }

    /// How long the command has run.
    pub fn elapsed(self) -> Duration {
        self.started.elapsed()
    }

    /// The remaining time; zero after the deadline.
    pub fn left(self) -> Duration {
        self.limit.saturating_sub(self.elapsed())
    }

    pub fn at(self) -> Instant {
        self.started + self.limit
    }

    /// The earlier of this deadline and `limit` from now.
    pub fn within(self, limit: Duration) -> Self {
        Self { limit: self.limit.min(self.elapsed() + limit), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_deadline_is_never_later() {
        let deadline = Deadline::after(Duration::from_secs(30));
        assert!(deadline.left() <= Duration::from_secs(30));
        let sooner = deadline.within(Duration::from_secs(5));
        assert!(sooner.at() < deadline.at());
        assert!(deadline.within(Duration::from_secs(60)).at() <= deadline.at());
        assert_eq!(Deadline::after(Duration::ZERO).left(), Duration::ZERO);
    }
}
