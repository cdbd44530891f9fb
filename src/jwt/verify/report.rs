//! What a verification found, step by step.

use crate::json::Json;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// As it should be.
    Passed,
    /// Valid, but not everyone will take it so.
    Warned,
    /// The token must not be accepted.
    Failed,
    /// It could not be found out: the issuer could not be reached.
    Unknown,
    /// Nothing to judge, or nothing to judge it by.
    Skipped,
}

/// One step: what was looked at, and what was found or why it fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The name of the claim, header or thing.
    pub name: &'static str,
    pub status: Status,
    /// What was found, or what is wrong. It may repeat text of the token, but never the token.
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

/// What all steps together say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Valid,
    Invalid,
    /// None failed, and at least one could not be judged.
    Undecided,
}

/// All steps, in their order.
#[derive(Debug, Clone, Default)]
pub struct Report {
    pub steps: Vec<Step>,
    pub(super) claims: Option<Json>,
}

impl Report {
    /// What they say together.
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

    /// The first step that failed; where none did, the first that could not be judged.
    pub fn culprit(&self) -> Option<&Step> {
        let first = |status| self.steps.iter().find(|step| step.status == status);
        first(Status::Failed).or_else(|| first(Status::Unknown))
    }

    /// The claims, once they are known to be genuine.
    pub fn claims(&self) -> Option<&Json> {
        self.claims.as_ref().filter(|_| self.verdict() == Verdict::Valid)
    }

    pub(super) fn add(&mut self, step: Step) {
        self.steps.push(step);
    }
}
