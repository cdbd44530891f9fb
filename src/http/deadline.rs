//! The time that a whole command may take.

use std::time::{Duration, Instant};

/// When a command has to be done: `--timeout` counts from its start, for every request, lock and helper together.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    started: Instant,
    limit: Duration,
}

impl Deadline {
    /// So long from now.
    pub fn after(limit: Duration) -> Self {
        Self { started: Instant::now(), limit }
    }

    /// The limit, for messages.
    pub fn limit(self) -> Duration {
        self.limit
    }

    /// How long the command has run.
    pub fn elapsed(self) -> Duration {
        self.started.elapsed()
    }

    /// What is left of the limit; zero when it is over.
    pub fn left(self) -> Duration {
        self.limit.saturating_sub(self.elapsed())
    }

    pub fn at(self) -> Instant {
        self.started + self.limit
    }

    /// At the latest so long from now, and not later than this one.
    pub fn within(self, limit: Duration) -> Self {
        Self { limit: self.limit.min(self.elapsed() + limit), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_one_for_everything() {
        let deadline = Deadline::after(Duration::from_secs(30));
        assert!(deadline.left() <= Duration::from_secs(30));
        let sooner = deadline.within(Duration::from_secs(5));
        assert!(sooner.at() < deadline.at());
        assert!(deadline.within(Duration::from_secs(60)).at() <= deadline.at());
        assert_eq!(Deadline::after(Duration::ZERO).left(), Duration::ZERO);
    }
}
