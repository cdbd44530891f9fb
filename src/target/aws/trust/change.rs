//! The smallest change of a trust policy after which a token is accepted.
//!
//! It is found by making it: each step mends the first thing that stands in the way, and the policy is judged
//! again. So what is advised is known to work.

use crate::target::aws::iam::{
    Absence, Actions, Condition, ConditionReport, Context, Decision, Effect, OidcProvider, Operator,
    Principal, Quantifier, Reason, Request, Statement, StatementReport, Test, TrustPolicy,
};
use crate::target::aws::trust::set_up::{literal, pattern};
use crate::trust::check::{Advice, Outcome};

/// More steps than any sensible policy needs.
const STEPS: usize = 40;

/// What there is to say of a policy that does not let a token in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) advice: Vec<Advice>,
    /// The policy with the changes made.
    pub(super) policy: TrustPolicy,
}

/// Changes a policy until it allows all of `actions`.
///
/// With several statements that could be changed, it is the one that needs the fewest steps. A statement about
/// somebody else is none of them: opened to this token, it would have no conditions, or those of others.
pub(super) fn smallest(
    policy: &TrustPolicy,
    provider: &OidcProvider,
    context: &Context,
    actions: &[&str],
) -> Option<Changes> {
    let allows: Vec<usize> = (0..policy.statements.len())
        .filter(|&index| {
            let statement = &policy.statements[index];
            statement.effect == Effect::Allow && is_about(&statement.principal, provider)
        })
        .collect();
    let ways = allows.into_iter().filter_map(|allow| {
        let mut changes = Changes { advice: Vec::new(), policy: policy.clone() };
        actions
            .iter()
            .all(|action| changes.until_allowed(&Request { provider, action, context }, allow))
            .then_some(changes)
    });
    ways.min_by_key(|changes| changes.advice.len())
}

/// Whether a principal names the provider, or means it.
fn is_about(principal: &Principal, provider: &OidcProvider) -> bool {
    match principal {
        Principal::Anyone => true,
        Principal::Named(named) => named.iter().any(|(kind, id)| match kind.as_str() {
            "Federated" => is_near(id, provider),
            "AWS" => id == "*",
            _ => false,
        }),
    }
}

/// Whether this is the provider's ARN, in any account, or a way in which it is written by mistake.
fn is_near(id: &str, provider: &OidcProvider) -> bool {
    let name = id.split_once("oidc-provider/").map_or(id, |(_, name)| name);
    let name = name.split_once("://").map_or(name, |(_, name)| name);
    name.trim_end_matches('/').eq_ignore_ascii_case(provider.name().trim_end_matches('/'))
}

/// Whether a statement lets in whatever token the provider's issuer signs for the audience.
pub(super) fn is_open(statement: &Statement, provider: &OidcProvider) -> bool {
    let names_somebody = |condition: &Condition| {
        let about =
            ["sub", "email"].iter().any(|claim| condition.key.eq_ignore_ascii_case(&provider.key(claim)));
        let Test::Text { negated: false, like, .. } = condition.operator.test else { return false };
        let always =
            condition.operator.if_exists || condition.operator.quantifier == Some(Quantifier::ForAllValues);
        about && !always && !(like && condition.values.iter().any(|value| is_anything(value)))
    };
    !statement.conditions.iter().any(names_somebody)
}

/// Whether a pattern matches every text.
fn is_anything(pattern: &str) -> bool {
    !pattern.is_empty() && pattern.bytes().all(|b| b == b'*')
}

impl Changes {
    /// Changes statement `allow`, and what denies, until the request is allowed; `false` if that does not help.
    fn until_allowed(&mut self, request: &Request<'_>, allow: usize) -> bool {
        for _ in 0..STEPS {
            let verdict = self.policy.evaluate(request);
            match verdict.decision() {
                Decision::Allowed(_) => return true,
                Decision::Denied(index) => self.exempt(index, request),
                Decision::Undecided(index) if verdict.statements[index].effect == Effect::Deny => {
                    return false;
                }
                Decision::Undecided(_) | Decision::NotAllowed => {
                    let report = &verdict.statements[allow];
                    match report.outcome() {
                        // What is left cannot be judged here, and so cannot be mended either.
                        Outcome::Undecided => return true,
                        Outcome::Matched => return false,
                        Outcome::NotMatched => {
                            if !self.mend(allow, report, request) {
                                return false;
                            }
                        }
                    }
                }
            }
        }
        false
    }

    fn advise(&mut self, path: String, change: String) {
        self.advice.push(Advice { path, change });
    }

    /// Makes the first thing of a statement match that does not.
    fn mend(&mut self, index: usize, report: &StatementReport, request: &Request<'_>) -> bool {
        let path = format!("Statement[{index}]");
        if !report.principal.matched {
            let arn = request.provider.arn();
            let Principal::Named(named) = &mut self.policy.statements[index].principal else { return false };
            let Some((_, id)) =
                named.iter_mut().find(|(kind, id)| kind == "Federated" && is_near(id, request.provider))
            else {
                return false;
            };
            let wrong = std::mem::replace(id, arn.to_owned());
            self.advise(
                format!("{path}.Principal.Federated"),
                format!("put \"{arn}\" in the place of \"{wrong}\""),
            );
            return true;
        }
        if !report.action.matched {
            self.mend_action(index, request.action);
            return true;
        }
        let Some(at) = report.conditions.iter().position(|one| one.outcome == Outcome::NotMatched) else {
            return false;
        };
        self.mend_condition(index, at, &report.conditions[at], request)
    }

    fn mend_action(&mut self, index: usize, action: &str) {
        let statement = &mut self.policy.statements[index];
        let (member, change) = match &mut statement.actions {
            Actions::OneOf(actions) => {
                actions.push(action.to_owned());
                ("Action", format!("add \"{action}\""))
            }
            Actions::AllBut(_) => {
                statement.actions = Actions::OneOf(vec![action.to_owned()]);
                ("NotAction", format!("put \"Action\": \"{action}\" in its place"))
            }
        };
        self.advise(format!("Statement[{index}].{member}"), change);
    }

    fn mend_condition(
        &mut self,
        index: usize,
        at: usize,
        report: &ConditionReport,
        request: &Request<'_>,
    ) -> bool {
        let subject = request.provider.key("sub");
        let path = format!("Statement[{index}].Condition.{}", report.operator);
        let found = &report.found;
        match (report.reason, report.operator.test) {
            (Reason::Absent(Absence::OtherIssuer), _) => {
                let claim = report.key.rsplit(':').next().unwrap_or_default();
                let key = request.provider.key(claim);
                if self.has(index, &report.operator, &key) {
                    return self.drop(index, at, report, &subject, request);
                }
                self.condition(index, at).key.clone_from(&key);
                self.advise(path, format!("rename the key `{}` to `{key}`", report.key));
                true
            }
            (Reason::SeveralValues, _) => {
                let name = format!("ForAnyValue:{}", report.operator);
                let Some(operator) = Operator::parse(&name) else { return false };
                self.condition(index, at).operator = operator;
                self.advise(path, format!("make it {name} for `{}`", report.key));
                true
            }
            (Reason::Compared, Test::Text { negated: false, like, .. })
                if !found.iter().all(String::is_empty) =>
            {
                let condition = self.condition(index, at);
                let like_now = Operator::parse(&report.operator.to_string().replace("Equals", "Like"));
                let with_like = like_now.filter(|_| !like).map(|operator| {
                    let key = condition.key.clone();
                    Condition { operator, key, values: condition.values.clone() }
                });
                if let Some(better) = with_like.filter(|one| {
                    !one.values.iter().any(|value| is_anything(value)) && self.holds(one, request)
                }) {
                    let name = better.operator.to_string();
                    if !self.has(index, &better.operator, &better.key) {
                        *self.condition(index, at) = better;
                        self.advise(
                            path,
                            format!("make it {name} for `{}`, so that `*` is a wildcard", report.key),
                        );
                        return true;
                    }
                }
                let escape = |value: &String| match (self.policy.variables, like) {
                    (false, _) => value.clone(),
                    (true, true) => pattern(value),
                    (true, false) => literal(value),
                };
                let missing: Vec<String> =
                    found.iter().map(escape).filter(|value| !report.wanted.contains(value)).collect();
                if missing.is_empty() {
                    return self.drop(index, at, report, &subject, request);
                }
                let listed =
                    missing.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(", ");
                self.condition(index, at).values.extend(missing);
                self.advise(path, format!("add {listed} to the values of `{}`", report.key));
                true
            }
            (Reason::Compared, Test::Bool) if found.iter().all(|one| one == "true" || one == "false") => {
                self.condition(index, at).values.clone_from(found);
                self.advise(path, format!("make `{}` {}", report.key, found.join(", ")));
                true
            }
            _ => self.drop(index, at, report, &subject, request),
        }
    }

    /// Takes a condition out that cannot hold. This subject takes its place, unless subjects are named already:
    /// the statement must not suddenly let in others.
    fn drop(
        &mut self,
        index: usize,
        at: usize,
        report: &ConditionReport,
        subject: &str,
        request: &Request<'_>,
    ) -> bool {
        let path = format!("Statement[{index}].Condition.{}", report.operator);
        let Some(operator) = Operator::parse("StringEquals") else { return false };
        let conditions = &mut self.policy.statements[index].conditions;
        let named = conditions.iter().enumerate().any(|(other, condition)| {
            other != at && condition.operator == operator && condition.key.eq_ignore_ascii_case(subject)
        });
        let sub = request.context.get(subject).and_then(<[String]>::first).filter(|_| !named);
        let Some(sub) = sub else {
            conditions.remove(at);
            self.advise(path, format!("take `{}` out", report.key));
            return true;
        };
        let value = if self.policy.variables { literal(sub) } else { sub.clone() };
        let change =
            format!("put \"StringEquals\": {{\"{subject}\": \"{value}\"}} in the place of `{}`", report.key);
        *self.condition(index, at) = Condition { operator, key: subject.to_owned(), values: vec![value] };
        self.advise(path, change);
        true
    }

    /// Makes an exception of the subject in a statement that denies.
    fn exempt(&mut self, index: usize, request: &Request<'_>) {
        let key = request.provider.key("sub");
        let sub = request.context.get(&key).and_then(<[String]>::first).cloned().unwrap_or_default();
        let value = if self.policy.variables { literal(&sub) } else { sub };
        let Some(operator) = Operator::parse("StringNotEquals") else { return };
        let there = self.policy.statements[index]
            .conditions
            .iter()
            .position(|one| one.operator == operator && one.key.eq_ignore_ascii_case(&key));
        if let Some(at) = there {
            self.condition(index, at).values.push(value.clone());
        } else {
            let values = vec![value.clone()];
            self.policy.statements[index].conditions.push(Condition { operator, key: key.clone(), values });
        }
        self.advise(
            format!("Statement[{index}].Condition.StringNotEquals"),
            format!("this statement denies: add \"{key}\": \"{value}\" to make an exception"),
        );
    }

    fn condition(&mut self, index: usize, at: usize) -> &mut Condition {
        &mut self.policy.statements[index].conditions[at]
    }

    /// Whether a statement has this key under this operator, beside which the same cannot stand again.
    fn has(&self, index: usize, operator: &Operator, key: &str) -> bool {
        self.policy.statements[index]
            .conditions
            .iter()
            .any(|one| one.operator == *operator && one.key.eq_ignore_ascii_case(key))
    }

    /// Whether a condition alone holds.
    fn holds(&self, condition: &Condition, request: &Request<'_>) -> bool {
        let statement = Statement {
            sid: None,
            effect: Effect::Allow,
            principal: Principal::Anyone,
            actions: Actions::OneOf(vec!["*".into()]),
            conditions: vec![condition.clone()],
        };
        let policy = TrustPolicy { variables: self.policy.variables, statements: vec![statement] };
        policy.evaluate(request).allowed()
    }
}
