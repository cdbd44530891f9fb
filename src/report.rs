//! What `doctor` found: one line a check, in the order in which they depend on each other.

use std::fmt::Write as _;

use serde::Serialize;

use crate::error::Failure;
use crate::error::shortened;
use crate::exit::Exit;
use crate::output::{Output, Paint, sanitise};

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// As it should be.
    Pass,
    /// It works, and may not for long or not for everyone.
    Warn,
    /// It does not work.
    Fail,
    /// It could not be judged.
    Skip,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// What was looked at, one word or two.
    #[serde(rename = "check")]
    pub name: &'static str,
    pub state: State,
    /// One line: what was found, or what is wrong and why.
    pub message: String,
    /// What was judged, such as the claims of a refused token.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub judged: Vec<(&'static str, String)>,
    /// The command or setting that fixes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// All checks, and the exit code of the first that failed.
///
/// It is to be pasted into public issues, so it is printed without secrets ([`Report::redacted`]).
#[derive(Debug, Default)]
pub(crate) struct Report {
    checks: Vec<Check>,
    exit: Option<Exit>,
}

impl Report {
    /// It is as it should be.
    pub(crate) fn pass(&mut self, check: &'static str, message: impl Into<String>) {
        self.add(check, State::Pass, &message.into(), None);
    }

    pub(crate) fn warn(&mut self, check: &'static str, message: impl Into<String>, hint: Option<&str>) {
        self.add(check, State::Warn, &message.into(), hint.map(str::to_owned));
    }

    /// It could not be judged, because of something above it.
    pub(crate) fn skip(&mut self, check: &'static str, why: impl Into<String>) {
        self.add(check, State::Skip, &why.into(), None);
    }

    /// It does not work.
    pub(crate) fn fail(&mut self, check: &'static str, failure: impl Into<Failure>) {
        let failure = failure.into();
        self.exit.get_or_insert(failure.exit());
        self.add(check, State::Fail, &failure.causes().join(": "), failure.hint());
        if let Some(check) = self.checks.last_mut() {
            check.judged =
                failure.details().into_iter().map(|(name, value)| (name, sanitise(&value))).collect();
        }
    }

    /// As [`Report::fail`], for a step without which the `later` ones cannot be judged.
    pub(crate) fn stopped<T>(
        &mut self,
        check: &'static str,
        failure: impl Into<Failure>,
        later: &[&'static str],
    ) -> Option<T> {
        self.fail(check, failure);
        for step in later {
            self.skip(step, format!("`{check}` has to work first"));
        }
        None
    }

    /// As [`Report::fail`], for what is no error of its own.
    pub(crate) fn fault(
        &mut self,
        check: &'static str,
        exit: Exit,
        message: impl Into<String>,
        hint: Option<&str>,
    ) {
        self.exit.get_or_insert(exit);
        self.add(check, State::Fail, &message.into(), hint.map(str::to_owned));
    }

    fn add(&mut self, check: &'static str, state: State, message: &str, hint: Option<String>) {
        let hint = hint.map(|hint| hint.lines().map(sanitise).collect::<Vec<_>>().join("\n"));
        self.checks.push(Check { name: check, state, message: sanitise(message), judged: Vec::new(), hint });
    }

    /// A line for variables that take precedence over what is set up here.
    pub(crate) fn shadows(&mut self, check: &'static str, set: &[&str]) {
        if set.is_empty() {
            return self.pass(check, "no variable leads past it");
        }
        let hint = format!("unset {}", set.join(" "));
        self.warn(check, format!("{} leads past what is set up here", set.join(", ")), Some(&hint));
    }

    /// The same without the secrets of this run.
    pub(crate) fn redacted(mut self, out: &Output) -> Self {
        for check in &mut self.checks {
            let judged = check.judged.iter_mut().map(|(_, value)| value);
            for text in [&mut check.message].into_iter().chain(judged).chain(&mut check.hint) {
                *text = text.lines().map(|line| shortened(&out.redact(line))).collect::<Vec<_>>().join("\n");
            }
        }
        self
    }

    /// What was found so far.
    pub(crate) fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The exit code of the first check that failed.
    pub(crate) fn exit(&self) -> Exit {
        self.exit.unwrap_or(Exit::Done)
    }

    /// For people.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
        let mut out = String::new();
        for check in &self.checks {
            let mark = match check.state {
                State::Pass => paint.good("✓"),
                State::Warn => paint.warning("!"),
                State::Fail => paint.error("✗"),
                State::Skip => paint.dim("-"),
            };
            let _ = writeln!(out, "{mark} {:width$}  {}", check.name, check.message);
            for (name, value) in &check.judged {
                let _ = writeln!(out, "  {:width$}    {name}: {value}", "");
            }
            for line in check.hint.iter().flat_map(|hint| hint.lines()) {
                let _ = writeln!(out, "  {:width$}  {} {line}", "", paint.hint("hint:"));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Context;
    use crate::error::UsageError;
    use crate::exchange::{ExchangeError, Judged};

    fn out() -> std::sync::Arc<Output> {
        Context::silent([("", ""); 0]).out
    }

    #[test]
    fn judged_values_are_clean_in_every_form() {
        let mut report = Report::default();
        let judged = Judged::default().with("sub", "a\u{1b}[2J eyJhbGciOiJub25lIn0.e30.x");
        let (target, said) = ("AWS".to_owned(), "no".to_owned());
        let judged = Box::new(judged);
        report.fail("login", ExchangeError::Rejected { target, said, judged, hint: None, stale: false });
        let report = report.redacted(&out());
        let json = serde_json::to_string(report.checks()).unwrap();
        for text in [json, report.text(Paint(false))] {
            assert!(!text.contains("eyJ") && !text.contains('\u{1b}') && !text.contains("u001b"), "{text}");
        }
    }

    #[test]
    fn the_first_failure_gives_the_exit_code() {
        let mut report = Report::default();
        assert_eq!(report.exit(), Exit::Done);
        report.warn("a", "b", None);
        assert_eq!(report.exit(), Exit::Done);
        report.fail("a", UsageError { message: "x".into(), hint: None });
        assert_eq!(report.exit(), Exit::Usage);
        report.fail("b", crate::output::StreamError::NotText);
        assert_eq!(report.exit(), Exit::Usage);
    }

    #[test]
    fn nothing_that_looks_like_a_token_is_in_it() {
        let mut report = Report::default();
        let token = "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.";
        report.fail("a", UsageError { message: format!("said {token}"), hint: Some(format!("try {token}")) });
        report.pass("b", token);
        let report = report.redacted(&out());
        assert!(!report.text(Paint(false)).contains("eyJ"));
        assert!(!serde_json::to_string(report.checks()).unwrap().contains("eyJ"));
    }
}
