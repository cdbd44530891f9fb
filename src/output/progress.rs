//! The line that says what a person waits for: on a terminal, when a command has been silent for two seconds. It is gone
//! before anything else is written there.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::{Output, Verbosity, sanitise};
use crate::time;

/// How long a command may be silent.
const SILENCE: Duration = Duration::from_secs(2);
/// The most characters of the line: one that a terminal wraps could not be cleared.
const WIDTH: usize = 79;

/// What is being waited for.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The outermost step first, then what it waits for.
    steps: Vec<String>,
    /// Since when, and when the command gives up.
    wait: Option<(Instant, Instant)>,
    /// How many characters of the line are on the terminal.
    shown: usize,
}

/// A step that takes as long as this value lives.
pub(crate) struct Waiting<'a>(&'a Output);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.clear_progress();
        let mut progress = self.0.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.steps.pop();
        if progress.steps.is_empty() {
            progress.wait = None;
        }
    }
}

impl Progress {
    fn line(&self) -> Option<String> {
        let (since, end) = self.wait.filter(|(since, _)| since.elapsed() >= SILENCE)?;
        let times = format!(
            " ({}, gives up in {})",
            time::span(since.elapsed().as_secs()),
            time::span(end.saturating_duration_since(Instant::now()).as_secs())
        );
        let room = WIDTH.saturating_sub(times.chars().count());
        let steps = sanitise(&self.steps.join(": "));
        let cut =
            steps.char_indices().nth(room).map(|_| steps.chars().take(room - 1).collect::<String>() + "…");
        Some(cut.unwrap_or(steps) + &times)
    }
}

impl Output {
    /// Whether there is a person who may wonder what a command waits for.
    pub(crate) fn shows_progress(&self) -> bool {
        self.terminal[2] && self.verbosity() == Verbosity::Normal && !self.has_json_lines()
    }

    /// Says what is waited for, until `end` at the latest, while the result lives.
    pub(crate) fn waiting(&self, end: Instant, step: impl FnOnce() -> String) -> Option<Waiting<'_>> {
        if !self.shows_progress() {
            return None;
        }
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.steps.push(step());
        progress.wait.get_or_insert((Instant::now(), end));
        Some(Waiting(self))
    }

    /// Shows the line as it is now, if the command has been silent for long enough.
    pub(crate) fn show_progress(&self) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(line) = progress.line().map(|line| self.for_people(&line)) else { return };
        let length = line.chars().count();
        let rest = " ".repeat(progress.shown.saturating_sub(length));
        progress.shown = length;
        self.write_stderr(&format!("\r{}{rest}", self.paint_stderr().dim(&line)));
    }

    /// Takes the line away.
    pub(super) fn clear_progress(&self) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = std::mem::take(&mut progress.shown);
        if shown > 0 {
            self.write_stderr(&format!("\r{}\r", " ".repeat(shown)));
        }
    }
}
