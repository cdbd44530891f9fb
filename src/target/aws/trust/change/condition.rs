//! The change of one condition of a statement.

use super::{Changes, EARLY, LATE, condition_path, quoted};
use crate::json::quote;
use crate::target::aws::exchange::session::RoleSessionName;
use crate::target::aws::iam::{Absence, ConditionReport, Operator, Order, Reason, SESSION_NAME, Test};
use crate::target::aws::trust::set_up::pattern;

impl Changes<'_> {
    pub(super) fn correct_condition(&mut self, index: usize, at: usize, report: &ConditionReport) -> bool {
        let is = |claim: &str| report.key.eq_ignore_ascii_case(&self.provider.key(claim));
        let names_somebody = is("sub") || is("email");
        match (report.reason, report.operator.test) {
            (Reason::Compared, _) if report.key.eq_ignore_ascii_case(SESSION_NAME) => {
                self.rename_session(index, at, true)
            }
            (Reason::Absent(Absence::OtherIssuer), _) if !self.is_for_this_provider_only(index) => false,
            (Reason::Absent(Absence::OtherIssuer | Absence::AuthorizedParty), _) => {
                self.rename_key(index, at, report)
            }
            (Reason::Absent(Absence::NotOfThisCall), _) => {
                self.is_for_this_provider_only(index) && self.replace(index, at, report)
            }
            (Reason::Absent(Absence::NotPassedOn), _) => self.replace(index, at, report),
            // `ForAnyValue` needs a value, so it would exclude callers that are accepted without a
            // value.
            (Reason::SeveralValues, _) if report.operator.negated() || report.operator.if_exists => false,
            (Reason::SeveralValues, _) => {
                let name = format!("ForAnyValue:{}", report.operator);
                let Some(operator) = Operator::parse(&name) else { return false };
                self.condition(index, at).operator = operator;
                self.advise(condition_path(index, report), format!("use {name} for `{}`", report.key));
                true
            }
            (Reason::Compared, Test::Text { negated: false, like, .. }) => {
                self.use_pattern(index, at, report, like) || self.add_values(index, at, report, like)
            }
            (Reason::Compared, Test::Text { negated: true, like, ignore_case }) if names_somebody => {
                self.remove_exclusion(index, at, report, like, ignore_case)
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
            // No token of this provider fulfils this condition, so the statement accepts none of
            // them, and a replacement excludes nobody. A token of another provider has no such key,
            // and so may fulfil the condition.
            (Reason::Compared, Test::Bool) if names_somebody || is("aud") => {
                self.is_for_this_provider_only(index) && self.replace(index, at, report)
            }
            (Reason::Present, Test::Null) if is("sub") || is("aud") => {
                self.is_for_this_provider_only(index) && self.replace(index, at, report)
            }
            _ => false,
        }
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

    /// Makes the values patterns, if the condition then holds and the policy does not become open to everyone.
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
        let change = format!("use {operator} for `{}`, so that `*` is a wildcard", report.key);
        self.advise(condition_path(index, report), change);
        true
    }

    fn add_values(&mut self, index: usize, at: usize, report: &ConditionReport, like: bool) -> bool {
        if report.found.iter().all(String::is_empty) {
            return false;
        }
        let in_pattern = self.policy.variables && like;
        let as_value = |value: &String| if in_pattern { pattern(value) } else { self.escaped(value) };
        let missing: Vec<String> =
            report.found.iter().map(as_value).filter(|value| !report.wanted.contains(value)).collect();
        if missing.is_empty() {
            return false;
        }
        let change = if let [value] = &report.wanted[..] {
            // A single value is usually a string, which has to become a list.
            let all: Vec<&String> = [value].into_iter().chain(&missing).collect();
            format!("set `{}` to [{}]", report.key, quoted(all))
        } else {
            format!("add {} to the values of `{}`", quoted(&missing), report.key)
        };
        self.condition(index, at).values.extend(missing);
        self.advise(condition_path(index, report), change);
        true
    }

    /// Removes this token's own values from the excluded values.
    fn remove_exclusion(
        &mut self,
        index: usize,
        at: usize,
        report: &ConditionReport,
        like: bool,
        ignore_case: bool,
    ) -> bool {
        let own: Vec<String> = report.found.iter().map(|found| self.escaped(found)).collect();
        let is_own = |value: &String| {
            let pattern = like && value.contains(['*', '?']);
            let same = |own: &String| own == value || (ignore_case && own.eq_ignore_ascii_case(value));
            !pattern && own.iter().any(same)
        };
        let (ruled_out, others): (Vec<String>, Vec<String>) = report.wanted.iter().cloned().partition(is_own);
        let Some(first) = ruled_out.first() else { return false };
        let change = if others.is_empty() {
            self.policy.statements[index].conditions.remove(at);
            format!("remove `{}`", report.key)
        } else {
            self.condition(index, at).values = others;
            format!("remove {} from the values of `{}`", quote(first), report.key)
        };
        self.advise(condition_path(index, report), change);
        true
    }

    fn move_time(&mut self, index: usize, at: usize, report: &ConditionReport, order: Order) -> bool {
        let (time, change) = match order {
            Order::Less | Order::LessOrEqual => (LATE, "set a later time, because that time has passed"),
            Order::Greater | Order::GreaterOrEqual => {
                (EARLY, "wait for that time, which is in the future, or set an earlier one")
            }
            Order::Equal => return false,
        };
        self.condition(index, at).values = vec![time.to_owned()];
        self.advise(condition_path(index, report), change.into());
        true
    }

    /// Finds a role session name with which the condition holds, or with which it does not hold if `holds` is false.
    /// The caller of STS chooses this name.
    pub(super) fn rename_session(&mut self, index: usize, at: usize, holds: bool) -> bool {
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

    /// Replaces a condition that no token fulfils with a condition on this subject: the statement
    /// must not accept other callers. If another condition already names subjects, the condition is
    /// only removed.
    fn replace(&mut self, index: usize, at: usize, report: &ConditionReport) -> bool {
        let Some(own) = self.own_subject() else { return false };
        let path = condition_path(index, report);
        let conditions = &mut self.policy.statements[index].conditions;
        let named = conditions.iter().enumerate().any(|(other, condition)| {
            other != at && condition.operator == own.operator && condition.key.eq_ignore_ascii_case(&own.key)
        });
        if named {
            conditions.remove(at);
            self.advise(path, format!("remove `{}`", report.key));
            return true;
        }
        let change = format!(
            "add \"StringEquals\": {{\"{}\": {}}} and remove `{}`",
            own.key,
            quoted(&own.values),
            report.key
        );
        conditions[at] = own;
        self.advise(path, change);
        true
    }
}
