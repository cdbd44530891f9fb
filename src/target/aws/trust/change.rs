//! The smallest change after which a trust policy accepts a token.
//!
//! The change is found step by step: each step corrects the first mismatch, and then the policy is
//! evaluated again. So the advice is known to work. No step excludes a caller whom the policy
//! accepts. If a statement cannot be corrected in this way, the advice is to add a statement.

mod condition;

use crate::json::quote;
use crate::target::aws::iam::{
    Actions, Condition, ConditionReport, Context, Decision, Effect, OidcProvider, Operator, Principal,
    Request, SESSION_NAME, Statement, StatementReport, TrustPolicy,
};
use crate::target::aws::trust::open::InventedWorkspaces;
use crate::target::aws::trust::set_up::literal;
use crate::trust::check::{Advice, Outcome};

/// More steps than any sensible policy needs.
const STEPS: usize = 40;

/// Times that are later and earlier than those in any sensible policy.
const LATE: &str = "9999-01-01T00:00:00Z";
const EARLY: &str = "1970-01-01T00:00:00Z";

/// The advice for a policy that does not accept a token.
#[derive(Debug, Clone)]
pub(super) struct Changes<'a> {
    pub(super) advice: Vec<Advice>,
    /// The policy with the changes made.
    pub(super) policy: TrustPolicy,
    /// The request, with another role session name if one is advised.
    pub(super) context: Context,
    provider: &'a OidcProvider,
    invented: &'a InventedWorkspaces,
}

/// Changes a policy until it allows all of `actions`.
///
/// If several statements could be changed, the one that needs the fewest steps is chosen. A
/// statement about another principal is never changed: for this token, it would have no conditions,
/// or conditions that are meant for that principal.
pub(super) fn smallest_change<'a>(
    policy: &TrustPolicy,
    provider: &'a OidcProvider,
    context: &Context,
    invented: &'a InventedWorkspaces,
    actions: &[&str],
) -> Option<Changes<'a>> {
    let start = || Changes {
        advice: Vec::new(),
        policy: policy.clone(),
        context: context.clone(),
        provider,
        invented,
    };
    let corrected = |mut changes: Changes<'a>, allow| {
        let done = actions.iter().all(|action| changes.change_until_allowed(action, allow));
        done.then_some(changes)
    };
    let candidates = policy.statements.iter().enumerate().filter(|(_, statement)| {
        statement.effect == Effect::Allow && is_about(&statement.principal, provider)
    });
    let ways = candidates.filter_map(|(allow, _)| corrected(start(), allow));
    ways.min_by_key(|changes| changes.advice.len()).or_else(|| {
        let mut changes = start();
        let allow = changes.add_statement(actions)?;
        corrected(changes, allow)
    })
}

/// Whether a principal names the provider, even with a mistake in its ARN.
fn is_about(principal: &Principal, provider: &OidcProvider) -> bool {
    match principal {
        Principal::Anyone => true,
        Principal::Named(named) => named.iter().any(|(kind, id)| match kind.as_str() {
            "Federated" => is_provider_or_typo(id, provider),
            "AWS" => id == "*",
            _ => false,
        }),
    }
}

/// Whether a principal names only the provider, even with a mistake in its ARN.
fn is_about_nobody_else(principal: &Principal, provider: &OidcProvider) -> bool {
    match principal {
        Principal::Anyone => false,
        Principal::Named(named) => {
            named.iter().all(|(kind, id)| kind == "Federated" && is_provider_or_typo(id, provider))
        }
    }
}

/// Whether this is the provider's ARN, in any account, or a common mistake for it.
fn is_provider_or_typo(id: &str, provider: &OidcProvider) -> bool {
    let name = id.split_once("oidc-provider/").map_or(id, |(_, name)| name);
    let name = name.split_once("://").map_or(name, |(_, name)| name);
    name.trim_end_matches('/').eq_ignore_ascii_case(provider.name().trim_end_matches('/'))
}

impl Changes<'_> {
    /// Changes the statement `allow` and the statements that deny, until the action is allowed or
    /// undecided. Returns `false` if no change helps.
    fn change_until_allowed(&mut self, action: &str, allow: usize) -> bool {
        for _ in 0..STEPS {
            let request = Request { provider: self.provider, action, context: &self.context };
            let verdict = self.policy.evaluate(&request);
            let corrected = match verdict.decision() {
                Decision::Allowed(_) => return true,
                Decision::Denied(index) => self.exempt(index, &verdict.statements[index]),
                // The remaining conditions cannot be evaluated here, so they cannot be corrected
                // either.
                Decision::Undecided(index) if verdict.statements[index].effect == Effect::Deny => {
                    return true;
                }
                Decision::Undecided(_) | Decision::NotAllowed => {
                    let report = &verdict.statements[allow];
                    match report.outcome() {
                        Outcome::Undecided => return true,
                        Outcome::Matched => false,
                        Outcome::NotMatched => self.correct(allow, report, action),
                    }
                }
            };
            if !corrected {
                return false;
            }
        }
        false
    }

    fn advise(&mut self, path: String, change: String) {
        self.advice.push(Advice { path, change });
    }

    /// Adds a statement for this subject and returns its index; `None` if the token has no subject.
    fn add_statement(&mut self, actions: &[&str]) -> Option<usize> {
        let condition = self.own_subject()?;
        self.policy.statements.push(Statement {
            sid: None,
            effect: Effect::Allow,
            principal: Principal::Named(vec![("Federated".into(), self.provider.arn().to_owned())]),
            actions: Actions::OneOf(actions.iter().map(|&action| action.to_owned()).collect()),
            conditions: vec![condition],
        });
        let account = self.provider.arn().split(":oidc-provider/").next().unwrap_or_default();
        let change = format!(
            "add the statement for {} that `gp idp trust aws --role-arn {account}:role/NAME --format json` prints",
            self.provider.name()
        );
        self.advise("Statement".into(), change);
        Some(self.policy.statements.len() - 1)
    }

    /// The condition that accepts only this subject.
    fn own_subject(&self) -> Option<Condition> {
        let key = self.provider.key("sub");
        let sub = self.context.get(&key)?.first()?;
        let value = self.escaped(sub);
        Some(Condition { operator: Operator::parse("StringEquals")?, key, values: vec![value] })
    }

    /// A text as a value of this policy, with variables escaped.
    fn escaped(&self, text: &str) -> String {
        if self.policy.variables { literal(text) } else { text.to_owned() }
    }

    /// Corrects the first part of a statement that does not match.
    fn correct(&mut self, index: usize, report: &StatementReport, action: &str) -> bool {
        let path = format!("Statement[{index}]");
        if !report.principal.matched {
            let arn = self.provider.arn();
            let Principal::Named(named) = &mut self.policy.statements[index].principal else { return false };
            let Some((_, id)) = named
                .iter_mut()
                .find(|(kind, id)| kind == "Federated" && is_provider_or_typo(id, self.provider))
            else {
                return false;
            };
            let wrong = std::mem::replace(id, arn.to_owned());
            self.advise(
                format!("{path}.Principal.Federated"),
                format!("replace {} by {}", quote(&wrong), quote(arn)),
            );
            return true;
        }
        if !report.action.matched {
            // A statement without its `NotAction` would exclude callers that use other actions.
            let Actions::OneOf(actions) = &mut self.policy.statements[index].actions else { return false };
            actions.push(action.to_owned());
            self.advise(format!("{path}.Action"), format!("add {}", quote(action)));
            return true;
        }
        let Some(at) = report.conditions.iter().position(|one| one.outcome == Outcome::NotMatched) else {
            return false;
        };
        self.correct_condition(index, at, &report.conditions[at])
    }

    /// Whether only tokens of this provider can fulfil a statement.
    fn is_for_this_provider_only(&self, index: usize) -> bool {
        is_about_nobody_else(&self.policy.statements[index].principal, self.provider)
    }

    /// Makes an exception in a statement that denies: by another role session name, or for the
    /// subject.
    fn exempt(&mut self, index: usize, report: &StatementReport) -> bool {
        let of_session = |one: &ConditionReport| one.key.eq_ignore_ascii_case(SESSION_NAME);
        if let Some(at) = report.conditions.iter().position(of_session)
            && self.rename_session(index, at, false)
        {
            return true;
        }
        let (Some(own), Some(operator)) = (self.own_subject(), Operator::parse("StringNotEquals")) else {
            return false;
        };
        let conditions = &mut self.policy.statements[index].conditions;
        let there = conditions
            .iter_mut()
            .find(|one| one.operator == operator && one.key.eq_ignore_ascii_case(&own.key));
        let change = format!(
            "add \"{}\": {} to make an exception, because this statement denies",
            own.key,
            quoted(&own.values)
        );
        match there {
            Some(condition) => condition.values.extend(own.values),
            None => conditions.push(Condition { operator, ..own }),
        }
        self.advise(format!("Statement[{index}].Condition.StringNotEquals"), change);
        true
    }

    fn is_open(&self) -> bool {
        self.invented.open_statement(&self.policy, self.provider).is_some()
    }

    fn condition(&mut self, index: usize, at: usize) -> &mut Condition {
        &mut self.policy.statements[index].conditions[at]
    }

    /// Whether a statement already has this key under this operator. A statement cannot have the same pair twice.
    fn has(&self, index: usize, operator: &Operator, key: &str) -> bool {
        self.policy.statements[index]
            .conditions
            .iter()
            .any(|one| one.operator == *operator && one.key.eq_ignore_ascii_case(key))
    }

    /// Whether a condition alone holds.
    fn holds(&self, condition: &Condition) -> bool {
        let statement = Statement {
            sid: None,
            effect: Effect::Allow,
            principal: Principal::Anyone,
            actions: Actions::OneOf(vec!["*".into()]),
            conditions: vec![condition.clone()],
        };
        let policy = TrustPolicy { variables: self.policy.variables, statements: vec![statement] };
        let request = Request { provider: self.provider, action: "", context: &self.context };
        policy.evaluate(&request).allowed()
    }
}

/// The values as JSON strings, separated by commas.
fn quoted<'a>(values: impl IntoIterator<Item = &'a String>) -> String {
    values.into_iter().map(|value| quote(value)).collect::<Vec<_>>().join(", ")
}

fn condition_path(index: usize, report: &ConditionReport) -> String {
    format!("Statement[{index}].Condition.{}", report.operator)
}
