//! The progress line: it says what a command waits for, on a terminal, after two seconds without output.
//! It is cleared before other output.

use std::path::Path;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::{Output, Verbosity, sanitise};
use crate::time;

/// How long a command waits before the line appears.
const SILENCE: Duration = Duration::from_secs(2);
/// The maximum number of characters of the line. A line that the terminal wraps cannot be cleared.
const WIDTH: usize = 79;

/// The steps that the command waits for.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Outermost step first.
    steps: Vec<String>,
    /// When the wait began, and when the command gives up.
    wait: Option<(Instant, Instant)>,
    /// The number of characters that are shown on the terminal.
    shown: usize,
}

/// A step that ends when this value is dropped.
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
    fn line(&self, width: usize) -> Option<String> {
        let (since, end) = self.wait.filter(|(since, _)| since.elapsed() >= SILENCE)?;
        let times = format!(
            " ({}, gives up in {})",
            time::span(since.elapsed().as_secs()),
            time::span(end.saturating_duration_since(Instant::now()).as_secs())
        );
        let room = width.saturating_sub(times.chars().count());
        let steps = sanitise(&self.steps.join(": "));
        let cut = steps
            .char_indices()
            .nth(room)
            .map(|_| steps.chars().take(room.saturating_sub(1)).collect::<String>() + "…");
        Some(cut.unwrap_or(steps) + &times)
    }
}

impl Output {
    /// Whether to show progress: on a terminal, with normal verbosity and text output.
    pub(crate) fn shows_progress(&self) -> bool {
        self.terminal[2] && self.verbosity() == Verbosity::Normal && !self.has_json_lines()
    }

    /// Adds a step to the progress line until the result is dropped. The command gives up at `end`.
    pub(crate) fn waiting(&self, end: Instant, step: impl FnOnce() -> String) -> Option<Waiting<'_>> {
        if !self.shows_progress() {
            return None;
        }
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.steps.push(step());
        progress.wait.get_or_insert((Instant::now(), end));
        Some(Waiting(self))
    }

    /// Says that the command waits until `end` for another process that holds the lock of `path`.
    pub(crate) fn waiting_for_lock(&self, end: Instant, path: &Path) -> Option<Waiting<'_>> {
        self.waiting(end, || format!("waiting for another `gp` to write {}", path.display()))
    }

    /// Shows or updates the line, if the command has waited long enough.
    pub(crate) fn show_progress(&self) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let width = self.columns.map_or(WIDTH, |columns| WIDTH.min(columns.saturating_sub(1)));
        let Some(line) = progress.line(width).map(|line| self.for_people(&line)) else { return };
        let length = line.chars().count();
        let rest = " ".repeat(progress.shown.saturating_sub(length));
        progress.shown = length;
        self.write_stderr(&format!("\r{}{rest}", self.paint_stderr().dim(&line)));
    }

    /// Clears the line.
    pub(super) fn clear_progress(&self) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = std::mem::take(&mut progress.shown);
        if shown > 0 {
            self.write_stderr(&format!("\r{}\r", " ".repeat(shown)));
        }
    }
}
