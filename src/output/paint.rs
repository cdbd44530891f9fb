//! The colours and marks of output.

/// The result of a check in the reports of `doctor`, `verify` and `trust --check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Passed,
    /// It passed, but something may be unintended.
    Warned,
    Failed,
    /// It could not be checked.
    Unknown,
    /// There was nothing to check.
    Skipped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint(pub bool);

impl Paint {
    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// The label of an error.
    pub fn error(self, text: &str) -> String {
        self.wrap("1;31", text)
    }

    /// The label of a warning.
    pub fn warning(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// Something correct.
    pub fn good(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// The label of a hint.
    pub fn hint(self, text: &str) -> String {
        self.wrap("36", text)
    }

    pub fn heading(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// The mark at the start of a report line.
    pub(crate) fn mark(self, mark: Mark) -> String {
        match mark {
            Mark::Passed => self.good("✓"),
            Mark::Warned => self.warning("!"),
            Mark::Failed => self.error("✗"),
            Mark::Unknown => self.warning("?"),
            Mark::Skipped => self.dim("–"),
        }
    }

    /// Less important text.
    pub fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }
}
