//! The result of a verification, step by step.

use crate::json::Json;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The requirement is met.
    Passed,
    /// Valid, but some receivers refuse it.
    Warned,
    /// The token must not be accepted.
    Failed,
    /// Undecided: the issuer could not be reached, or the algorithm is not supported.
    Unknown,
    /// Not checked: the claim is absent, or an earlier step failed.
    Skipped,
}

/// One step: its name, its status, and what was found or is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The name of the claim, header parameter or other subject.
    pub name: &'static str,
    pub status: Status,
    /// What was found, or what is wrong. It may quote claims and header, but never the whole
    /// token.
    pub value: String,
    pub hint: Option<String>,
}

impl Step {
    pub(super) fn passed(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, status: Status::Passed, value: value.into(), hint: None }
    }

    pub(super) fn warned(name: &'static str, value: impl Into<String>) -> Self {
        Self { status: Status::Warned, ..Self::passed(name, value) }
    }

    pub(super) fn failed(name: &'static str, value: impl Into<String>) -> Self {
        Self { status: Status::Failed, ..Self::passed(name, value) }
    }

    pub(super) fn unknown(name: &'static str, value: impl Into<String>) -> Self {
        Self { status: Status::Unknown, ..Self::passed(name, value) }
    }

    pub(super) fn skipped(name: &'static str, value: impl Into<String>) -> Self {
        Self { status: Status::Skipped, ..Self::passed(name, value) }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The result of all steps together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Valid,
    Invalid,
    /// No step failed, and at least one is undecided.
    Undecided,
}

/// All steps, in their order.
#[derive(Debug, Clone, Default)]
pub struct Report {
    pub steps: Vec<Step>,
    pub(super) claims: Option<Json>,
}

impl Report {
    /// The result of all steps together.
    pub fn verdict(&self) -> Verdict {
        let any = |status| self.steps.iter().any(|step| step.status == status);
        if any(Status::Failed) {
            Verdict::Invalid
        } else if any(Status::Unknown) {
            Verdict::Undecided
        } else {
            Verdict::Valid
        }
    }

    /// The first step that failed. If none failed, the first one that is undecided.
    pub fn failed_step(&self) -> Option<&Step> {
        let first = |status| self.steps.iter().find(|step| step.status == status);
        first(Status::Failed).or_else(|| first(Status::Unknown))
    }

    /// The claims, if the token is valid.
    pub fn claims(&self) -> Option<&Json> {
        self.claims.as_ref().filter(|_| self.verdict() == Verdict::Valid)
    }

    pub(super) fn add(&mut self, step: Step) {
        self.steps.push(step);
    }
}
