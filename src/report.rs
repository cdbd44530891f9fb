//! The report of `doctor`: one line per check, in the order of their dependencies.

use std::fmt::Write as _;

use serde::Serialize;

use crate::error::Failure;
use crate::error::shortened;
use crate::exit::Exit;
use crate::output::{Mark, Output, Paint, sanitise};

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Pass,
    /// It works, but perhaps not for long or not for everyone.
    Warn,
    Fail,
    /// There is nothing to check, or it could not be checked.
    Skip,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// The name of the check, one or two words.
    #[serde(rename = "check")]
    pub name: &'static str,
    pub state: State,
    /// One line: the finding, or what is wrong and why.
    pub message: String,
    /// The values that were checked, such as the claims of a refused token.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub judged: Vec<(&'static str, String)>,
    /// The command or setting that fixes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether it was skipped because an earlier check failed. All such checks share one line.
    #[serde(skip)]
    pub blocked: bool,
}

/// All checks, and the exit code of the first failed one.
///
/// Users paste reports into public issues, so secrets are removed ([`Report::redacted`]).
#[derive(Debug, Default)]
pub(crate) struct Report {
    checks: Vec<Check>,
    exit: Option<Exit>,
}

impl Report {
    pub(crate) fn pass(&mut self, check: &'static str, message: impl Into<String>) {
        self.add(check, State::Pass, &message.into(), None);
    }

    pub(crate) fn warn(&mut self, check: &'static str, message: impl Into<String>, hint: Option<&str>) {
        self.add(check, State::Warn, &message.into(), hint.map(str::to_owned));
    }

    /// There is nothing to check.
    pub(crate) fn skip(&mut self, check: &'static str, why: impl Into<String>) {
        self.add(check, State::Skip, &why.into(), None);
    }

    /// It could not be checked, because an earlier check failed.
    pub(crate) fn blocked(&mut self, check: &'static str, why: impl Into<String>) {
        self.skip(check, why);
        self.checks.iter_mut().next_back().into_iter().for_each(|check| check.blocked = true);
    }

    /// Adds a failure, and its exit code if it is the first one.
    pub(crate) fn fail(&mut self, check: &'static str, failure: impl Into<Failure>) {
        let failure = failure.into();
        self.exit.get_or_insert(failure.exit());
        self.add(check, State::Fail, &failure.causes().join(": "), failure.hint());
        if let Some(check) = self.checks.last_mut() {
            check.judged =
                failure.details().into_iter().map(|(name, value)| (name, sanitise(&value))).collect();
        }
    }

    /// As [`Report::fail`], and the checks `later` are blocked. Always returns `None`.
    pub(crate) fn fail_and_block<T>(
        &mut self,
        check: &'static str,
        failure: impl Into<Failure>,
        later: &[&'static str],
    ) -> Option<T> {
        self.fail(check, failure);
        for step in later {
            self.blocked(step, format!("`{check}` must pass first"));
        }
        None
    }

    /// As [`Report::fail`], without a [`Failure`].
    pub(crate) fn fail_with(
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
        let message = sanitise(message);
        self.checks.push(Check { name: check, state, message, judged: Vec::new(), hint, blocked: false });
    }

    /// A line about the variables in `set`, which take precedence over these settings.
    pub(crate) fn shadows(&mut self, check: &'static str, set: &[&str]) {
        if set.is_empty() {
            return self.skip(check, "no variable overrides the settings");
        }
        let hint = format!("`unset {}`", set.join(" "));
        self.warn(check, format!("these variables take precedence: {}", set.join(", ")), Some(&hint));
    }

    /// The same report without the secrets of this run.
    pub(crate) fn redacted(mut self, out: &Output) -> Self {
        for check in &mut self.checks {
            let judged = check.judged.iter_mut().map(|(_, value)| value);
            for text in [&mut check.message].into_iter().chain(judged).chain(&mut check.hint) {
                *text =
                    text.lines().map(|line| shortened(&out.for_people(line))).collect::<Vec<_>>().join("\n");
            }
        }
        self
    }

    pub(crate) fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The exit code of the first failed check, else [`Exit::Done`].
    pub(crate) fn exit(&self) -> Exit {
        self.exit.unwrap_or(Exit::Done)
    }

    /// The report as text for people.
    pub(crate) fn text(&self, paint: Paint) -> String {
        const BLOCKED: &str = "not checked";
        let (blocked, checks): (Vec<_>, Vec<_>) = self.checks.iter().partition(|check| check.blocked);
        let names = checks.iter().map(|check| check.name).chain(blocked.first().map(|_| BLOCKED));
        let width = names.map(str::len).max().unwrap_or(0);
        let mut out = String::new();
        for check in checks {
            let mark = paint.mark(match check.state {
                State::Pass => Mark::Passed,
                State::Warn => Mark::Warned,
                State::Fail => Mark::Failed,
                State::Skip => Mark::Skipped,
            });
            let _ = writeln!(out, "{mark} {:width$}  {}", check.name, check.message);
            let names = check.judged.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
            for (name, value) in &check.judged {
                let _ = writeln!(out, "  {:width$}    {name:names$}  {value}", "");
            }
            for line in check.hint.iter().flat_map(|hint| hint.lines()) {
                let _ = writeln!(out, "  {:width$}  {} {line}", "", paint.hint("hint:"));
            }
        }
        if !blocked.is_empty() {
            let blocked: Vec<&str> = blocked.iter().map(|check| check.name).collect();
            let _ = writeln!(out, "{} {BLOCKED:width$}  {}", paint.mark(Mark::Skipped), blocked.join(", "));
        }
        out + &paint.heading(&self.summary()) + "\n"
    }

    /// `1 of 15 checks failed: AWS exchange; 1 warning: AWS environment; 2 not checked`
    fn summary(&self) -> String {
        let names = |of: fn(&Check) -> bool| {
            let mut names: Vec<&str> = Vec::new();
            for check in self.checks.iter().filter(|check| of(check)) {
                if !names.contains(&check.name) {
                    names.push(check.name);
                }
            }
            names
        };
        let all = names(|_| true).len();
        let failed = names(|check| check.state == State::Fail);
        let warned = names(|check| check.state == State::Warn);
        let blocked = names(|check| check.blocked).len();
        let failed = match failed.len() {
            0 => format!("none of {all} checks failed"),
            count => format!("{count} of {all} checks failed: {}", failed.join(", ")),
        };
        // This counts warnings, not checks.
        let warned = match self.checks.iter().filter(|check| check.state == State::Warn).count() {
            0 => String::new(),
            1 => format!("; 1 warning: {}", warned.join(", ")),
            count => format!("; {count} warnings: {}", warned.join(", ")),
        };
        let blocked = if blocked == 0 { String::new() } else { format!("; {blocked} not checked") };
        failed + &warned + &blocked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Context;
    use crate::error::UsageError;
    use crate::exchange::{CheckedValues, ExchangeError};

    fn out() -> std::sync::Arc<Output> {
        Context::silent([("", ""); 0]).out
    }

    #[test]
    fn judged_values_are_clean_in_every_form() {
        let mut report = Report::default();
        let judged = CheckedValues::default().with("sub", "a\u{1b}[2J eyJhbGciOiJub25lIn0.e30.x");
        let (target, error_text) = ("AWS".to_owned(), "no".to_owned());
        let checked_values = Box::new(judged);
        report.fail(
            "login",
            ExchangeError::Rejected { target, error_text, checked_values, hint: None, stale: false },
        );
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
    fn the_last_line_sums_up() {
        let mut report = Report::default();
        report.pass("a", "x");
        report.skip("b", "it does not exist");
        assert!(report.text(Paint(false)).ends_with("\nnone of 2 checks failed\n"));
        report.warn("c", "x", None);
        assert!(report.text(Paint(false)).ends_with("\nnone of 3 checks failed; 1 warning: c\n"));
        // Two findings of one check are one check and two warnings.
        report.warn("c", "y", None);
        report.warn("d", "y", None);
        report.fail_with("e", Exit::Failed, "x", None);
        report.blocked("f", "`e` must pass first");
        report.blocked("g", "`e` must pass first");
        assert_eq!(
            report.text(Paint(false)),
            "✓ a            x\n– b            it does not exist\n! c            x\n! c            y\n! d            y\n\
             ✗ e            x\n– not checked  f, g\n1 of 7 checks failed: e; 3 warnings: c, d; 2 not checked\n"
        );
    }

    #[test]
    fn a_report_contains_no_token() {
        let mut report = Report::default();
        let token = "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.";
        report.fail("a", UsageError { message: format!("said {token}"), hint: Some(format!("try {token}")) });
        report.pass("b", token);
        let report = report.redacted(&out());
        assert!(!report.text(Paint(false)).contains("eyJ"));
        assert!(!serde_json::to_string(report.checks()).unwrap().contains("eyJ"));
    }
}
