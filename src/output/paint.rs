//! Colours, and the marks of reports.

/// What a line of a report says of its check. `doctor`, `verify` and `trust --check` have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Passed,
    /// It passed, and something about it may not be as intended.
    Warned,
    Failed,
    /// It cannot be judged.
    Unknown,
    /// There was nothing to judge.
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

    /// Something as it should be.
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

    /// The mark that a line of a report begins with.
    pub(crate) fn mark(self, mark: Mark) -> String {
        match mark {
            Mark::Passed => self.good("✓"),
            Mark::Warned => self.warning("!"),
            Mark::Failed => self.error("✗"),
            Mark::Unknown => self.warning("?"),
            Mark::Skipped => self.dim("–"),
        }
    }

    /// Something said in passing.
    pub fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }
}
