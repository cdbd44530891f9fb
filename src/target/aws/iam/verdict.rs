//! The result of an evaluation, for each statement and condition.

use crate::trust::check::Outcome;
use std::fmt;

use serde::Serialize;

use super::context::Absence;
use super::operator::Operator;
use super::policy::Effect;

/// The decision of IAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "decision", content = "statement")]
pub enum Decision {
    /// Allowed by the statement with this index.
    Allowed(usize),
    /// Denied by the statement with this index, even if others allow.
    Denied(usize),
    /// Not allowed, because no statement allows it.
    NotAllowed,
    /// The statement with this index depends on something that is not known here.
    Undecided(usize),
}

/// The result for every statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// In the order of the policy.
    pub statements: Vec<StatementReport>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatementReport {
    pub sid: Option<String>,
    /// The effect if everything in the statement matches.
    pub effect: Effect,
    /// Whether the statement applies to this caller.
    pub principal: PrincipalReport,
    /// Whether the statement applies to this action.
    pub action: ActionReport,
    /// Whether each of its conditions holds.
    pub conditions: Vec<ConditionReport>,
}

/// The principals of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrincipalReport {
    /// The principals in the policy, as `*` or as kind and id.
    pub wanted: Vec<String>,
    /// Whether one of them is the caller.
    pub matched: bool,
}

/// The actions of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActionReport {
    /// The actions in the policy.
    pub wanted: Vec<String>,
    /// Whether the policy lists them in `NotAction`.
    pub all_but: bool,
    /// Whether the statement applies to the requested action.
    pub matched: bool,
}

/// One key under one operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConditionReport {
    pub operator: Operator,
    /// The condition key, as the policy writes it.
    pub key: String,
    pub wanted: Vec<String>,
    /// The request's values; empty if the key is missing.
    pub found: Vec<String>,
    /// Whether the condition holds.
    pub outcome: Outcome,
    /// The reason for the outcome.
    pub reason: Reason,
}

/// The reason for an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Compared,
    /// The key is present. Its value does not matter.
    Present,
    /// The key is missing.
    Absent(Absence),
    /// The key has several values, but the operator compares only one.
    SeveralValues,
    /// The operator or a value is not evaluated here.
    NotEvaluated,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Compared => "the values were compared",
            Self::Present => "the key is there",
            Self::Absent(absence) => return absence.fmt(f),
            Self::SeveralValues => {
                "the key has several values, so the operator needs `ForAnyValue:` or `ForAllValues:`"
            }
            Self::NotEvaluated => "this operator or its value is not evaluated here",
        })
    }
}

impl Verdict {
    /// Whether IAM would allow the request. False if the decision is undecided.
    pub fn allowed(&self) -> bool {
        matches!(self.decision(), Decision::Allowed(_))
    }

    /// The decision of IAM, with the statement that decides.
    pub fn decision(&self) -> Decision {
        let find = |effect, outcome| {
            self.statements.iter().position(|s| s.effect == effect && s.outcome() == outcome)
        };
        if let Some(index) = find(Effect::Deny, Outcome::Matched) {
            return Decision::Denied(index);
        }
        let maybe_denied = find(Effect::Deny, Outcome::Undecided);
        match (find(Effect::Allow, Outcome::Matched), find(Effect::Allow, Outcome::Undecided)) {
            (Some(index), _) => maybe_denied.map_or(Decision::Allowed(index), Decision::Undecided),
            (None, Some(index)) => Decision::Undecided(index),
            (None, None) => Decision::NotAllowed,
        }
    }
}

impl StatementReport {
    /// Whether the principal, the action and all conditions matched.
    pub fn outcome(&self) -> Outcome {
        let any = |outcome| self.conditions.iter().any(|condition| condition.outcome == outcome);
        if !self.principal.matched || !self.action.matched || any(Outcome::NotMatched) {
            Outcome::NotMatched
        } else if any(Outcome::Undecided) {
            Outcome::Undecided
        } else {
            Outcome::Matched
        }
    }
}
