//! One comparison of a token with a role, and a refusal with the error text of a server.

use crate::trust::check::{Advice, Line, Outcome};

/// One comparison that a server makes.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) line: Line,
    /// The server's refusal, if the line does not match.
    pub(crate) refusal: Option<Refusal>,
}

/// A refusal with the error text of a server.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) error: String,
    /// What to change so that the line matches.
    pub(crate) change: Option<Advice>,
}

impl Refusal {
    pub(super) fn bad(error: impl Into<String>) -> Self {
        Self { status: 400, error: error.into(), change: None }
    }

    /// The refusal of a token that is not valid for the role.
    pub(super) fn token(reason: &str) -> Self {
        Self::bad(format!("error validating token: {reason}"))
    }

    pub(super) fn claims(reason: &str) -> Self {
        Self::bad(format!("error validating claims: {reason}"))
    }

    pub(super) fn advising(self, path: &str, change: impl Into<String>) -> Self {
        Self { change: Some(Advice { path: path.to_owned(), change: change.into() }), ..self }
    }
}

impl Comparison {
    pub(super) fn new(name: &str, wanted: Vec<String>, found: Vec<String>, refusal: Option<Refusal>) -> Self {
        let outcome = if refusal.is_some() { Outcome::NotMatched } else { Outcome::Matched };
        Self { line: Line { outcome, name: name.to_owned(), wanted, found, reason: None }, refusal }
    }

    pub(super) fn undecided(name: &str, wanted: Vec<String>, reason: &str) -> Self {
        let mut comparison = Self::new(name, wanted, Vec::new(), None).because(Some(reason));
        comparison.line.outcome = Outcome::Undecided;
        comparison
    }

    pub(super) fn because(mut self, reason: Option<impl Into<String>>) -> Self {
        self.line.reason = reason.map(Into::into);
        self
    }
}
