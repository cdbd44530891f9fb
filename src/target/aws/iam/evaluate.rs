//! Evaluates a policy for a request.

use super::context::{Absence, Context, OidcProvider};
use super::date;
use super::operator::{Order, Quantifier, Test};
use super::pattern::{self, Syntax};
use super::policy::{Actions, Condition, Principal, Statement, TrustPolicy};
use super::verdict::{ActionReport, ConditionReport, PrincipalReport, Reason, StatementReport, Verdict};
use crate::glob;
use crate::trust::check::Outcome;

/// The action that exchanges a token.
pub const ASSUME_ROLE_WITH_WEB_IDENTITY: &str = "sts:AssumeRoleWithWebIdentity";
/// The action that a token with the claim `https://aws.amazon.com/tags` needs as well.
pub const TAG_SESSION: &str = "sts:TagSession";

#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The provider of the token's issuer, in the role's account.
    pub provider: &'a OidcProvider,
    /// The requested action, usually [`ASSUME_ROLE_WITH_WEB_IDENTITY`].
    pub action: &'a str,
    /// The condition keys of the request.
    pub context: &'a Context,
}

impl TrustPolicy {
    /// Evaluates every statement as IAM does, with the reasons.
    pub fn evaluate(&self, request: &Request<'_>) -> Verdict {
        let variables = self.variables.then_some(request.context);
        let report = |statement: &Statement| StatementReport {
            sid: statement.sid.clone(),
            effect: statement.effect,
            principal: statement.principal.evaluate(request.provider),
            action: statement.actions.evaluate(request.action),
            conditions: statement
                .conditions
                .iter()
                .map(|condition| condition.evaluate(request.context, variables))
                .collect(),
        };
        Verdict { statements: self.statements.iter().map(report).collect() }
    }
}

impl Principal {
    fn evaluate(&self, provider: &OidcProvider) -> PrincipalReport {
        let Self::Named(named) = self else {
            return PrincipalReport { wanted: vec!["*".to_owned()], matched: true };
        };
        PrincipalReport {
            wanted: named.iter().map(|(kind, id)| format!("{kind} {id}")).collect(),
            // IAM has no wildcards in the ARN of a principal: `*` is a literal character there.
            matched: named.iter().any(|(kind, id)| match kind.as_str() {
                "Federated" => id == provider.arn(),
                "AWS" => id == "*",
                _ => false,
            }),
        }
    }
}

impl Actions {
    fn evaluate(&self, action: &str) -> ActionReport {
        let (wanted, all_but) = match self {
            Self::OneOf(actions) => (actions, false),
            Self::AllBut(actions) => (actions, true),
        };
        let lower = action.to_ascii_lowercase();
        let named = wanted.iter().any(|wanted| glob::glob(&wanted.to_ascii_lowercase(), &lower));
        ActionReport { wanted: wanted.clone(), all_but, matched: named != all_but }
    }
}

impl Condition {
    fn evaluate(&self, context: &Context, variables: Option<&Context>) -> ConditionReport {
        let found = context.get(&self.key);
        let (outcome, reason) = match found {
            None => self.without_key(context.absence(&self.key)),
            Some(values) => self.with_values(values, variables),
        };
        ConditionReport {
            operator: self.operator.clone(),
            key: self.key.clone(),
            wanted: self.values.clone(),
            found: found.unwrap_or_default().to_vec(),
            outcome,
            reason,
        }
    }

    fn without_key(&self, absence: Absence) -> (Outcome, Reason) {
        let outcome = if absence == Absence::NotKnownHere {
            Outcome::Undecided
        } else if self.operator.test == Test::Null {
            outcome_of(self.lists_boolean("true"))
        } else {
            outcome_of(match self.operator.quantifier {
                // `ForAnyValue` needs a value that matches. Without a value it does not hold, even with `IfExists`.
                Some(Quantifier::ForAnyValue) => false,
                Some(Quantifier::ForAllValues) => true,
                None => self.operator.if_exists || self.operator.negated(),
            })
        };
        (outcome, Reason::Absent(absence))
    }

    fn with_values(&self, values: &[String], variables: Option<&Context>) -> (Outcome, Reason) {
        match self.operator.test {
            Test::Null => return (outcome_of(self.lists_boolean("false")), Reason::Present),
            Test::Other { .. } => return (Outcome::Undecided, Reason::NotEvaluated),
            Test::Date { .. }
                if !values.iter().chain(&self.values).all(|text| date::parse(text).is_some()) =>
            {
                return (Outcome::Undecided, Reason::NotEvaluated);
            }
            Test::Text { .. } | Test::Bool | Test::Date { .. } => (),
        }
        let holds = |value: &String| self.holds(value, variables);
        // In a list, an empty string is ignored.
        let mut listed = values.iter().filter(|value| !value.is_empty());
        let holds = match (self.operator.quantifier, values) {
            (Some(Quantifier::ForAnyValue), _) => listed.any(holds),
            (Some(Quantifier::ForAllValues), _) => listed.all(holds),
            (None, [value]) => holds(value),
            (None, _) => return (Outcome::NotMatched, Reason::SeveralValues),
        };
        (outcome_of(holds), Reason::Compared)
    }

    /// Whether one value of the request fulfils the condition.
    fn holds(&self, value: &str, variables: Option<&Context>) -> bool {
        let (like, ignore_case, negated) = match self.operator.test {
            Test::Text { like, ignore_case, negated } => (like, ignore_case, negated),
            Test::Date { order, negated } => return self.compares_to_a_date(value, order) != negated,
            Test::Bool | Test::Null | Test::Other { .. } => return self.lists_boolean(value),
        };
        let syntax = Syntax { wildcards: like, variables };
        let equal = self.values.iter().any(|wanted| {
            pattern::pieces(wanted, syntax).is_some_and(|pieces| glob::matches(&pieces, value, ignore_case))
        });
        equal != negated
    }

    /// Whether the time `value` has this order to one of the policy's times.
    fn compares_to_a_date(&self, value: &str, order: Order) -> bool {
        let found = date::parse(value);
        self.values.iter().any(|wanted| {
            found.zip(date::parse(wanted)).is_some_and(|(found, wanted)| order.is(found.cmp(&wanted)))
        })
    }

    /// Whether `word` is `true` or `false` and among the policy's values.
    fn lists_boolean(&self, word: &str) -> bool {
        let boolean = ["true", "false"].iter().any(|boolean| boolean.eq_ignore_ascii_case(word));
        boolean && self.values.iter().any(|wanted| wanted.eq_ignore_ascii_case(word))
    }
}

fn outcome_of(yes: bool) -> Outcome {
    if yes { Outcome::Matched } else { Outcome::NotMatched }
}
