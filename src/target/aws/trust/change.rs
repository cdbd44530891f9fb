//! The smallest change after which a trust policy accepts a token.
//!
//! It is found by making it: each step corrects the first thing that stands in the way, and the policy is judged
//! again. So what is advised is known to work. No step keeps out anybody whom the policy lets in: where a statement
//! cannot be corrected so, the advice is to add one.

use crate::target::aws::exchange::session::RoleSessionName;
use crate::target::aws::iam::{
    Absence, Actions, Condition, ConditionReport, Context, Decision, Effect, OidcProvider, Operator, Order,
    Principal, Reason, Request, SESSION_NAME, Statement, StatementReport, Test, TrustPolicy,
};
use crate::target::aws::trust::open::Strangers;
use crate::target::aws::trust::set_up::{literal, pattern};
use crate::trust::check::{Advice, Outcome};

/// More steps than any sensible policy needs.
const STEPS: usize = 40;

/// Times that are later and earlier than any that is meant.
const LATE: &str = "9999-01-01T00:00:00Z";
const EARLY: &str = "1970-01-01T00:00:00Z";

/// What there is to say of a policy that does not let a token in.
#[derive(Debug, Clone)]
pub(super) struct Changes<'a> {
    pub(super) advice: Vec<Advice>,
    /// The policy with the changes made.
    pub(super) policy: TrustPolicy,
    /// The request, with another name of its session where that is advised.
    pub(super) context: Context,
    provider: &'a OidcProvider,
    strangers: &'a Strangers,
}

/// Changes a policy until it allows all of `actions`.
///
/// With several statements that could be changed, it is the one that needs the fewest steps. A statement about
/// somebody else is none of them: opened to this token, it would have no conditions, or those of others.
pub(super) fn smallest<'a>(
    policy: &TrustPolicy,
    provider: &'a OidcProvider,
    context: &Context,
    strangers: &'a Strangers,
    actions: &[&str],
) -> Option<Changes<'a>> {
    let start = || Changes {
        advice: Vec::new(),
        policy: policy.clone(),
        context: context.clone(),
        provider,
        strangers,
    };
    let corrected = |mut changes: Changes<'a>, allow| {
        let done = actions.iter().all(|action| changes.until_allowed(action, allow));
        done.then_some(changes)
    };
    let about_us = policy.statements.iter().enumerate().filter(|(_, statement)| {
        statement.effect == Effect::Allow && is_about(&statement.principal, provider)
    });
    let ways = about_us.filter_map(|(allow, _)| corrected(start(), allow));
    ways.min_by_key(|changes| changes.advice.len()).or_else(|| {
        let mut changes = start();
        let allow = changes.add_statement(actions)?;
        corrected(changes, allow)
    })
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

/// Whether a principal names nobody beside the provider.
fn is_about_nobody_else(principal: &Principal, provider: &OidcProvider) -> bool {
    match principal {
        Principal::Anyone => false,
        Principal::Named(named) => {
            named.iter().all(|(kind, id)| kind == "Federated" && is_near(id, provider))
        }
    }
}

/// Whether this is the provider's ARN, in any account, or a way in which it is written by mistake.
fn is_near(id: &str, provider: &OidcProvider) -> bool {
    let name = id.split_once("oidc-provider/").map_or(id, |(_, name)| name);
    let name = name.split_once("://").map_or(name, |(_, name)| name);
    name.trim_end_matches('/').eq_ignore_ascii_case(provider.name().trim_end_matches('/'))
}

impl Changes<'_> {
    /// Changes statement `allow`, and what denies, until the action is allowed; `false` if that does not help.
    fn until_allowed(&mut self, action: &str, allow: usize) -> bool {
        for _ in 0..STEPS {
            let request = Request { provider: self.provider, action, context: &self.context };
            let verdict = self.policy.evaluate(&request);
            let corrected = match verdict.decision() {
                Decision::Allowed(_) => return true,
                Decision::Denied(index) => self.exempt(index, &verdict.statements[index]),
                // What is left cannot be judged here, and so cannot be corrected either.
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

    /// Adds a statement for this subject; none where the token has none.
    fn add_statement(&mut self, actions: &[&str]) -> Option<usize> {
        let condition = self.own_subject()?;
        self.policy.statements.push(Statement {
            sid: None,
            effect: Effect::Allow,
            principal: Principal::Named(vec![("Federated".into(), self.provider.arn().to_owned())]),
            actions: Actions::OneOf(actions.iter().map(|&action| action.to_owned()).collect()),
            conditions: vec![condition],
        });
        let change = "add one for this provider: `gp idp trust aws --format json` prints it";
        self.advise("Statement".into(), change.into());
        Some(self.policy.statements.len() - 1)
    }

    /// The condition that lets in this subject alone.
    fn own_subject(&self) -> Option<Condition> {
        let key = self.provider.key("sub");
        let sub = self.context.get(&key)?.first()?;
        let value = self.written(sub);
        Some(Condition { operator: Operator::parse("StringEquals")?, key, values: vec![value] })
    }

    /// A text as the policy has to write it, so that nothing in it is a variable.
    fn written(&self, text: &str) -> String {
        if self.policy.variables { literal(text) } else { text.to_owned() }
    }

    /// Makes the first thing of a statement match that does not.
    fn correct(&mut self, index: usize, report: &StatementReport, action: &str) -> bool {
        let path = format!("Statement[{index}]");
        if !report.principal.matched {
            let arn = self.provider.arn();
            let Principal::Named(named) = &mut self.policy.statements[index].principal else { return false };
            let Some((_, id)) =
                named.iter_mut().find(|(kind, id)| kind == "Federated" && is_near(id, self.provider))
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
            // Without its `NotAction`, a statement would keep out who gets in by other actions.
            let Actions::OneOf(actions) = &mut self.policy.statements[index].actions else { return false };
            actions.push(action.to_owned());
            self.advise(format!("{path}.Action"), format!("add \"{action}\""));
            return true;
        }
        let Some(at) = report.conditions.iter().position(|one| one.outcome == Outcome::NotMatched) else {
            return false;
        };
        self.correct_condition(index, at, &report.conditions[at])
    }

    fn correct_condition(&mut self, index: usize, at: usize, report: &ConditionReport) -> bool {
        let is = |claim: &str| report.key.eq_ignore_ascii_case(&self.provider.key(claim));
        let names_somebody = is("sub") || is("email");
        match (report.reason, report.operator.test) {
            (Reason::Compared, _) if report.key.eq_ignore_ascii_case(SESSION_NAME) => {
                self.rename_session(index, at, true)
            }
            (Reason::Absent(Absence::OtherIssuer), _) if !self.is_for_us_alone(index) => false,
            (Reason::Absent(Absence::OtherIssuer | Absence::AuthorizedParty), _) => {
                self.rename_key(index, at, report)
            }
            (Reason::Absent(Absence::NotOfThisCall), _) => {
                self.is_for_us_alone(index) && self.replace(index, at, report)
            }
            (Reason::Absent(Absence::NotPassedOn), _) => self.replace(index, at, report),
            // `ForAnyValue` wants a value, and so would keep out who gets in without one.
            (Reason::SeveralValues, _) if report.operator.negated() || report.operator.if_exists => false,
            (Reason::SeveralValues, _) => {
                let name = format!("ForAnyValue:{}", report.operator);
                let Some(operator) = Operator::parse(&name) else { return false };
                self.condition(index, at).operator = operator;
                self.advise(condition_path(index, report), format!("make it {name} for `{}`", report.key));
                true
            }
            (Reason::Compared, Test::Text { negated: false, like, .. }) => {
                self.use_pattern(index, at, report, like) || self.add_values(index, at, report, like)
            }
            (Reason::Compared, Test::Text { negated: true, like, ignore_case }) if names_somebody => {
                self.no_longer_rule_out(index, at, report, like, ignore_case)
            }
            (Reason::Compared, Test::Date { order, negated: false }) => {
                self.move_time(index, at, report, order)
            }
            (Reason::Compared, Test::Bool) if report.key.eq_ignore_ascii_case("aws:SecureTransport") => {
                self.condition(index, at).values.clone_from(&report.found);
                let change = format!("make `{}` {}", report.key, report.found.join(", "));
                self.advise(condition_path(index, report), change);
                true
            }
            // What no token of this provider fulfils lets nobody in, so that nobody is kept out without it. A token of
            // another provider has no such key, and so may fulfil it.
            (Reason::Compared, Test::Bool) if names_somebody || is("aud") => {
                self.is_for_us_alone(index) && self.replace(index, at, report)
            }
            (Reason::Present, Test::Null) if is("sub") || is("aud") => {
                self.is_for_us_alone(index) && self.replace(index, at, report)
            }
            _ => false,
        }
    }

    /// Whether nobody but this provider's tokens can fulfil a statement.
    fn is_for_us_alone(&self, index: usize) -> bool {
        is_about_nobody_else(&self.policy.statements[index].principal, self.provider)
    }

    fn rename_key(&mut self, index: usize, at: usize, report: &ConditionReport) -> bool {
        let claim = report.key.rsplit(':').next().unwrap_or_default();
        // IAM fills `aud` from the claim `azp`.
        let claim = if claim.eq_ignore_ascii_case("azp") { "aud" } else { claim };
        let key = self.provider.key(claim);
        if self.has(index, &report.operator, &key) {
            return self.replace(index, at, report);
        }
        self.condition(index, at).key.clone_from(&key);
        self.advise(condition_path(index, report), format!("rename the key `{}` to `{key}`", report.key));
        true
    }

    /// Takes the values for patterns, where that is enough and does not let in everyone.
    fn use_pattern(&mut self, index: usize, at: usize, report: &ConditionReport, like: bool) -> bool {
        let operator = Operator::parse(&report.operator.to_string().replace("Equals", "Like"));
        let Some(operator) = operator.filter(|_| !like) else { return false };
        let mut better = self.clone();
        better.condition(index, at).operator = operator.clone();
        let works = better.holds(&better.policy.statements[index].conditions[at]);
        if !works || self.has(index, &operator, &report.key) || (better.is_open() && !self.is_open()) {
            return false;
        }
        *self = better;
        let change = format!("make it {operator} for `{}`, so that `*` is a wildcard", report.key);
        self.advise(condition_path(index, report), change);
        true
    }

    fn add_values(&mut self, index: usize, at: usize, report: &ConditionReport, like: bool) -> bool {
        if report.found.iter().all(String::is_empty) {
            return false;
        }
        let in_pattern = self.policy.variables && like;
        let written = |value: &String| if in_pattern { pattern(value) } else { self.written(value) };
        let missing: Vec<String> =
            report.found.iter().map(written).filter(|value| !report.wanted.contains(value)).collect();
        if missing.is_empty() {
            return false;
        }
        let listed = missing.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(", ");
        self.condition(index, at).values.extend(missing);
        self.advise(condition_path(index, report), format!("add {listed} to the values of `{}`", report.key));
        true
    }

    /// Takes this token's own values out of those that are ruled out.
    fn no_longer_rule_out(
        &mut self,
        index: usize,
        at: usize,
        report: &ConditionReport,
        like: bool,
        ignore_case: bool,
    ) -> bool {
        let own: Vec<String> = report.found.iter().map(|found| self.written(found)).collect();
        let is_own = |value: &String| {
            let pattern = like && value.contains(['*', '?']);
            let same = |own: &String| own == value || (ignore_case && own.eq_ignore_ascii_case(value));
            !pattern && own.iter().any(same)
        };
        let (ruled_out, others): (Vec<String>, Vec<String>) = report.wanted.iter().cloned().partition(is_own);
        let Some(first) = ruled_out.first() else { return false };
        let change = if others.is_empty() {
            self.policy.statements[index].conditions.remove(at);
            format!("take `{}` out", report.key)
        } else {
            self.condition(index, at).values = others;
            format!("take \"{first}\" out of the values of `{}`", report.key)
        };
        self.advise(condition_path(index, report), change);
        true
    }

    fn move_time(&mut self, index: usize, at: usize, report: &ConditionReport, order: Order) -> bool {
        let (time, change) = match order {
            Order::Less | Order::LessOrEqual => (LATE, "that time has passed: set a later one"),
            Order::Greater | Order::GreaterOrEqual => {
                (EARLY, "that time is still to come: wait for it, or set an earlier one")
            }
            Order::Equal => return false,
        };
        self.condition(index, at).values = vec![time.to_owned()];
        self.advise(condition_path(index, report), change.into());
        true
    }

    /// Finds a name of the session with which a condition holds, or does not: the caller chooses it.
    fn rename_session(&mut self, index: usize, at: usize, holds: bool) -> bool {
        let condition = self.policy.statements[index].conditions[at].clone();
        let filled = |any: &str| {
            let any = any.to_owned();
            condition.values.iter().map(move |value| value.replace('*', &any).replace('?', "x"))
        };
        let claims = ["email", "sub"].iter().filter_map(|claim| self.context.get(&self.provider.key(claim)));
        let names = filled("").chain(filled("workspace")).chain(claims.flatten().cloned());
        let fits = |name: &String| {
            let context = self.context.clone().with(SESSION_NAME, &[name]);
            RoleSessionName::parse(name).is_ok()
                && Self { context, ..self.clone() }.holds(&condition) == holds
        };
        let Some(name) = names.chain(["workspace".to_owned()]).find(fits) else { return false };
        self.context = std::mem::take(&mut self.context).with(SESSION_NAME, &[&name]);
        let change = format!("name the session with `--role-session-name {name}`");
        self.advise("gp idp login aws".into(), change);
        true
    }

    /// Replaces a condition that no token fulfils by this subject, unless subjects are named already: the statement
    /// must not suddenly let in others.
    fn replace(&mut self, index: usize, at: usize, report: &ConditionReport) -> bool {
        let Some(own) = self.own_subject() else { return false };
        let path = condition_path(index, report);
        let conditions = &mut self.policy.statements[index].conditions;
        let named = conditions.iter().enumerate().any(|(other, condition)| {
            other != at && condition.operator == own.operator && condition.key.eq_ignore_ascii_case(&own.key)
        });
        if named {
            conditions.remove(at);
            self.advise(path, format!("take `{}` out", report.key));
            return true;
        }
        let change = format!(
            "put \"StringEquals\": {{\"{}\": \"{}\"}} in the place of `{}`",
            own.key,
            own.values.join("\", \""),
            report.key
        );
        conditions[at] = own;
        self.advise(path, change);
        true
    }

    /// Makes an exception in a statement that denies: of the session by another name, or of the subject.
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
            "this statement denies: add \"{}\": \"{}\" to make an exception",
            own.key,
            own.values.join("\", \"")
        );
        match there {
            Some(condition) => condition.values.extend(own.values),
            None => conditions.push(Condition { operator, ..own }),
        }
        self.advise(format!("Statement[{index}].Condition.StringNotEquals"), change);
        true
    }

    fn is_open(&self) -> bool {
        self.strangers.open_statement(&self.policy, self.provider).is_some()
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

fn condition_path(index: usize, report: &ConditionReport) -> String {
    format!("Statement[{index}].Condition.{}", report.operator)
}
