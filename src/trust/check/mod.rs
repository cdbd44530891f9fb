//! Compares an existing setup with the claims of a token: what matches, what does not, and the
//! smallest change after which the token is accepted.

pub(crate) mod difference;

use std::fmt::Write as _;

use serde::Serialize;

use crate::json::Json;
use crate::output::{Mark, Paint, sanitise};
use crate::shell::posix_quote;

use super::{object, string, strings};

/// The result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CheckResult {
    /// The token would be accepted.
    Accepted,
    Refused,
    /// The result depends on facts that `gp` does not know.
    Undecided,
}

/// Whether something matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Matched,
    NotMatched,
    /// The result depends on facts that `gp` does not know.
    Undecided,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Whether it matched.
    pub outcome: Outcome,
    /// The name of the comparison, in the words of the setup.
    pub name: String,
    /// The values that the setup wants.
    pub wanted: Vec<String>,
    /// The values that the token has.
    pub found: Vec<String>,
    /// Why it did not match, or cannot be judged.
    pub reason: Option<String>,
}

/// A group of comparisons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    /// The heading of the group.
    pub title: String,
    /// In the order of the setup.
    pub lines: Vec<Line>,
}

/// A change of the setup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Advice {
    /// The place of the change, such as `Statement[0].Condition.StringEquals`.
    pub path: String,
    /// The change itself.
    pub change: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    /// The compared objects: names and values.
    pub about: Vec<(&'static str, String)>,
    pub sections: Vec<Section>,
    /// The result.
    pub answer: CheckResult,
    /// The reason, in one sentence.
    pub reason: String,
    /// The smallest change after which the token is accepted; all of it is needed.
    pub changes: Vec<Advice>,
    /// The conditions that remain after the change.
    pub remaining_condition: Option<String>,
    /// An alternative to a part of the change.
    pub alternative: Option<String>,
    /// The warning if every token is accepted, not only this one.
    pub warning: Option<String>,
}

impl CheckResult {
    fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "not accepted",
            Self::Undecided => "undecided",
        }
    }
}

impl Report {
    /// The report as text.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let mut out = String::new();
        let width = self.about.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in &self.about {
            let _ = writeln!(out, "{name:width$}  {}", sanitise(value));
        }
        for section in &self.sections {
            let _ = writeln!(out, "{}", paint.heading(&sanitise(&section.title)));
            for line in &section.lines {
                line.write(&mut out, paint);
            }
        }
        let _ = writeln!(out, "{}: {}", paint.heading(self.answer.name()), sanitise(&self.reason));
        for advice in &self.changes {
            let _ = writeln!(
                out,
                "{} {}: {}",
                paint.hint("change:"),
                sanitise(&advice.path),
                sanitise(&advice.change)
            );
        }
        for (label, text) in [("then:", &self.remaining_condition), ("or:", &self.alternative)] {
            if let Some(text) = text {
                let _ = writeln!(out, "{} {}", paint.hint(label), sanitise(text));
            }
        }
        if let Some(caution) = &self.warning {
            let _ = writeln!(out, "{} {}", paint.warning("warning:"), sanitise(caution));
        }
        out
    }

    pub(crate) fn json(&self) -> Json {
        let about = self.about.iter().map(|(name, value)| ((*name).to_owned(), string(value))).collect();
        let sections = self.sections.iter().map(|section| {
            let lines = section.lines.iter().map(Line::json).collect();
            object([("title", string(&section.title)), ("lines", Json::Array(lines))])
        });
        let changes = self
            .changes
            .iter()
            .map(|advice| object([("path", string(&advice.path)), ("change", string(&advice.change))]));
        let null = || Json::Scalar("null".into());
        object([
            ("answer", string(&self.answer.name().replace(' ', "_"))),
            ("because", string(&self.reason)),
            ("about", Json::Object(about)),
            ("sections", Json::Array(sections.collect())),
            ("changes", Json::Array(changes.collect())),
            ("then", self.remaining_condition.as_deref().map_or_else(null, string)),
            ("instead", self.alternative.as_deref().map_or_else(null, string)),
            ("warning", self.warning.as_deref().map_or_else(null, string)),
        ])
    }
}

impl Line {
    fn write(&self, out: &mut String, paint: Paint) {
        let list = |values: &[String]| match values {
            [] => "nothing".to_owned(),
            values => values.iter().map(|value| sanitise(value)).collect::<Vec<_>>().join(", "),
        };
        let name = sanitise(&self.name);
        if self.outcome == Outcome::Matched {
            let shown = if self.found.is_empty() { &self.wanted } else { &self.found };
            let _ = writeln!(out, "  {} {name}  {}", paint.mark(Mark::Passed), list(shown));
            return;
        }
        let mark = if self.outcome == Outcome::Undecided { Mark::Unknown } else { Mark::Failed };
        let _ = writeln!(out, "  {} {name}", paint.mark(mark));
        let _ = writeln!(out, "      wanted  {}", list(&self.wanted));
        let _ = writeln!(out, "      found   {}", list(&self.found));
        if let Some(reason) = &self.reason {
            let _ = writeln!(out, "      why     {}", sanitise(reason));
        }
    }

    fn json(&self) -> Json {
        let outcome = match self.outcome {
            Outcome::Matched => "matched",
            Outcome::NotMatched => "not_matched",
            Outcome::Undecided => "undecided",
        };
        let reason = self.reason.as_deref().map_or_else(|| Json::Scalar("null".into()), string);
        object([
            ("outcome", string(outcome)),
            ("name", string(&self.name)),
            ("wanted", strings(&self.wanted)),
            ("found", strings(&self.found)),
            ("reason", reason),
        ])
    }
}

/// The alternative to a change of the accepted audience: mint a token for the accepted one.
pub(crate) fn mint_hint(audience: &str) -> String {
    format!("keep the audience there, and mint the token for it with `--audience {}`", posix_quote(audience))
}
