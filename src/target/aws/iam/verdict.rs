//! What an evaluation found, down to each condition.

use crate::trust::check::Outcome;
use std::fmt;

use serde::Serialize;

use super::context::Absence;
use super::operator::Operator;
use super::policy::Effect;

/// What IAM would answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "decision", content = "statement")]
pub enum Decision {
    /// Allowed, by the statement of this index.
    Allowed(usize),
    /// Denied, by the statement of this index, whatever others allow.
    Denied(usize),
    /// Not allowed, because no statement allows it.
    NotAllowed,
    /// It depends on what is not known here, in the statement of this index.
    Undecided(usize),
}

/// Every statement of a policy, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// In the order of the policy.
    pub statements: Vec<StatementReport>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatementReport {
    pub sid: Option<String>,
    /// What it does when everything in it matches.
    pub effect: Effect,
    /// Whether it is about this caller.
    pub principal: PrincipalReport,
    /// Whether it is about this action.
    pub action: ActionReport,
    /// Whether each of its conditions holds.
    pub conditions: Vec<ConditionReport>,
}

/// Whom a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrincipalReport {
    /// Whom the policy names, as `*` or kind and id.
    pub wanted: Vec<String>,
    /// Whether one of them is the caller.
    pub matched: bool,
}

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActionReport {
    /// What the policy names.
    pub wanted: Vec<String>,
    /// Whether it names what it is not about, with `NotAction`.
    pub all_but: bool,
    /// Whether the action is among what it is about.
    pub matched: bool,
}

/// One key under one operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConditionReport {
    /// How it was compared.
    pub operator: Operator,
    /// What was compared, as the policy writes it.
    pub key: String,
    pub wanted: Vec<String>,
    /// The request's values, none if the key is not there.
    pub found: Vec<String>,
    /// Whether it holds.
    pub outcome: Outcome,
    /// What the outcome rests on.
    pub reason: Reason,
}

/// What an outcome rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Compared,
    /// That the key is there, whatever its value.
    Present,
    /// That the key is not there.
    Absent(Absence),
    /// That the key has several values, and the operator is for one.
    SeveralValues,
    /// The operator, which is not evaluated here.
    NotEvaluated,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Compared => "the values were compared",
            Self::Present => "the key is there",
            Self::Absent(absence) => return absence.fmt(f),
            Self::SeveralValues => "the key has several values, which take `ForAnyValue:` or `ForAllValues:`",
            Self::NotEvaluated => "this operator is not evaluated here",
        })
    }
}

impl Verdict {
    /// Whether IAM would allow it; not, if that depends on what is not known here.
    pub fn allowed(&self) -> bool {
        matches!(self.decision(), Decision::Allowed(_))
    }

    /// What IAM would answer, and the statement that decides.
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
    /// Whether everything in it matched.
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
