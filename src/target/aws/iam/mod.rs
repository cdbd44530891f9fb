//! Evaluates role trust policies for a token as IAM does: who may assume the role, and on what
//! conditions.
//!
//! A verdict shows for every statement and every condition whether it matched and why. IAM itself
//! answers only `AccessDenied`.
//!
//! The rules are those of the IAM User Guide ("Condition operators", "Single-valued vs. multivalued
//! context keys", "Variables and tags", "Available keys for AWS OIDC federation"). An operator that
//! is not evaluated here, such as one on addresses, and a key that AWS fills from the connection
//! stay undecided. They are never guessed.

mod context;
mod date;
mod document;
mod error;
mod evaluate;
mod operator;
mod pattern;
mod policy;
mod verdict;

pub use context::{Absence, Context, IssuerError, OidcProvider, SESSION_NAME};
pub(crate) use document::{is_yaml, read};
pub use error::PolicyError;
pub use evaluate::{ASSUME_ROLE_WITH_WEB_IDENTITY, Request, TAG_SESSION};
pub use operator::{Operator, Order, Quantifier, Test};
pub use policy::{Actions, Condition, Effect, Principal, Statement, TrustPolicy};
pub use verdict::{
    ActionReport, ConditionReport, Decision, PrincipalReport, Reason, StatementReport, Verdict,
};

#[cfg(test)]
mod tests;
