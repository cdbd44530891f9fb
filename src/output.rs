//! The process's streams: data on stdout, everything else on stderr.
//!
//! Only this module writes to them. A closed pipe ends the output, not the command.

mod clean;
mod paint;
mod progress;
mod wrap;

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde::Serialize;
use zeroize::Zeroizing;

use clean::{LONGEST_INPUT, abridged};
pub use clean::{sanitise, sanitise_json};
pub(crate) use paint::Mark;
pub use paint::Paint;
use progress::Progress;
pub(crate) use progress::Waiting;

use crate::exit::{Bug, Exit, Explain};
use crate::redact::Redactor;
use crate::secret::Secret;

/// How much goes to stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verbosity {
    /// Errors and alarms only.
    Quiet,
    /// Also notes and warnings, and on a terminal a line about the result.
    #[default]
    Normal,
    /// Also a trace of each step.
    Verbose,
}

/// The three streams and their properties.
pub struct Streams {
    pub stdin: Box<dyn Read + Send>,
    pub stdout: Box<dyn Write + Send>,
    pub stderr: Box<dyn Write + Send>,
    /// Whether stdin, stdout and stderr are terminals, in this order.
    pub terminal: [bool; 3],
    /// The width of the terminal, in characters; `None` if it is unknown.
    pub columns: Option<usize>,
    /// Whether stdin is a device, such as a terminal or `/dev/null`, and not a pipe or a file.
    pub stdin_is_device: bool,
    /// Whether stderr is a pipe, as in a CI job.
    pub stderr_is_pipe: bool,
}

/// Could not read stdin or write to stdout.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    #[error("could not read standard input")]
    Read(#[source] io::Error),
    #[error("standard input holds more than {limit} bytes")]
    TooLong {
        /// In bytes.
        limit: usize,
    },
    #[error("standard input is not UTF-8 text")]
    NotText,
    /// A write failed, and not because of a closed pipe.
    #[error("could not write to standard output")]
    Write(#[source] io::Error),
    /// A value could not be serialized as JSON.
    #[error(transparent)]
    Json(#[from] Bug),
}

impl Explain for StreamError {
    fn exit(&self) -> Exit {
        match self {
            Self::Read(_) | Self::Write(_) => Exit::LocalFile,
            Self::TooLong { .. } | Self::NotText => Exit::Failed,
            Self::Json(bug) => bug.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Write(error) if error.kind() == io::ErrorKind::StorageFull => {
                Some("free some space, or send the output to another place".into())
            }
            Self::NotText => Some(
                "pipe in the token itself, which is 3 parts separated by dots\n\
                 if PowerShell wrote the text, it is UTF-16: convert it with `iconv -f UTF-16 -t UTF-8`"
                    .into(),
            ),
            Self::TooLong { .. } => {
                Some("the input is too long for a token or a policy: pipe in nothing else".into())
            }
            _ => None,
        }
    }
}

/// The facts about a service's reply that an error in JSON repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReplyFacts {
    pub(crate) status: u16,
    pub(crate) request_id: Option<String>,
}

#[derive(Serialize)]
struct Message<'a> {
    level: &'static str,
    message: &'a str,
}

/// Reads and writes the streams according to terminals and verbosity.
pub struct Output {
    streams: Mutex<Streams>,
    terminal: [bool; 3],
    stdin_has_no_input: bool,
    columns: Option<usize>,
    stderr_is_pipe: bool,
    paint: [Paint; 2],
    verbosity: OnceLock<Verbosity>,
    redactor: Mutex<Redactor>,
    /// Long words of the command line and long values of variables. Messages abridge them.
    long_inputs: Mutex<Vec<String>>,
    /// Whether each line on stderr is a JSON object.
    json_lines: AtomicBool,
    reply: Mutex<Option<ReplyFacts>>,
    progress: Mutex<Progress>,
}

impl Output {
    /// `colour` takes whether a stream is a terminal, and returns whether it gets colours.
    pub fn new(streams: Streams, colour: impl Fn(bool) -> bool) -> Self {
        let terminal = streams.terminal;
        let stdin_has_no_input = terminal[0] || streams.stdin_is_device;
        let (stderr_is_pipe, columns) = (streams.stderr_is_pipe, streams.columns);
        let paint = [Paint(colour(terminal[1])), Paint(colour(terminal[2]))];
        let (verbosity, redactor) = (OnceLock::new(), Mutex::default());
        let (json_lines, reply, streams) = (AtomicBool::new(false), Mutex::default(), Mutex::new(streams));
        let (long_inputs, progress) = (Mutex::default(), Mutex::default());
        Self {
            streams,
            terminal,
            stdin_has_no_input,
            columns,
            stderr_is_pipe,
            paint,
            verbosity,
            redactor,
            long_inputs,
            json_lines,
            reply,
            progress,
        }
    }

    /// Set once, when the command line is known.
    pub fn set_verbosity(&self, verbosity: Verbosity) {
        let _ = self.verbosity.set(verbosity);
    }

    /// Prints JSON lines on stderr. Set once, when the command line is known.
    pub(crate) fn set_json_lines(&self) {
        self.json_lines.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_json_lines(&self) -> bool {
        self.json_lines.load(Ordering::Relaxed)
    }

    /// Records the latest reply; `None` while a request waits for its reply.
    pub(crate) fn note_reply(&self, reply: Option<ReplyFacts>) {
        *self.reply.lock().unwrap_or_else(PoisonError::into_inner) = reply;
    }

    pub(crate) fn latest_reply(&self) -> Option<ReplyFacts> {
        self.reply.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn verbosity(&self) -> Verbosity {
        self.verbosity.get().copied().unwrap_or_default()
    }

    /// From now on, removes `secret` from all text for people. Code that receives or sends a secret
    /// must call this function.
    pub fn add_secret(&self, secret: &Secret) {
        self.redactor.lock().unwrap_or_else(PoisonError::into_inner).add_secret(secret);
    }

    /// `text` without the secrets of this run and without tokens, for text that is shortened later
    /// or is not printed on stderr.
    pub fn redact(&self, text: &str) -> String {
        self.redactor.lock().unwrap_or_else(PoisonError::into_inner).redact(text)
    }

    /// Records the user's input, so that messages repeat only its beginning.
    pub(crate) fn note_inputs<'a>(&self, inputs: impl Iterator<Item = Cow<'a, str>>) {
        // This counts bytes. A character has at least one.
        let long = inputs.filter(|input| input.len() > LONGEST_INPUT).map(|input| sanitise(&input));
        self.long_inputs.lock().unwrap_or_else(PoisonError::into_inner).extend(long);
    }

    /// `text` for stderr: redacted as by [`Output::redact`], and with long inputs abridged.
    pub(crate) fn for_people(&self, text: &str) -> String {
        let inputs = self.long_inputs.lock().unwrap_or_else(PoisonError::into_inner);
        inputs.iter().fold(self.redact(text), |text, input| abridged(&text, input))
    }

    /// The secrets that were added since the last call.
    pub(crate) fn take_unmasked_secrets(&self) -> Vec<Secret> {
        self.redactor.lock().unwrap_or_else(PoisonError::into_inner).take_new()
    }

    pub(crate) fn stderr_is_pipe(&self) -> bool {
        self.stderr_is_pipe
    }

    /// Whether stdin is a terminal, so that reading it would wait for a person.
    pub fn stdin_is_terminal(&self) -> bool {
        self.terminal[0]
    }

    /// Whether stdin is neither a pipe nor a file, so that it holds no intended input.
    pub fn stdin_has_no_input(&self) -> bool {
        self.stdin_has_no_input
    }

    pub fn stderr_is_terminal(&self) -> bool {
        self.terminal[2]
    }

    pub fn stdout_is_terminal(&self) -> bool {
        self.terminal[1]
    }

    pub fn paint(&self) -> Paint {
        self.paint[0]
    }

    pub fn paint_stderr(&self) -> Paint {
        self.paint[1]
    }

    /// Writes data to stdout. On a terminal, control characters are escaped.
    pub fn lines(&self, text: &str) -> Result<(), StreamError> {
        if !self.stdout_is_terminal() {
            return self.data(text);
        }
        let clean = |line: &str| match line.strip_suffix('\n') {
            Some(line) => sanitise(line) + "\n",
            None => sanitise(line),
        };
        self.data(&Zeroizing::new(text.split_inclusive('\n').map(clean).collect::<String>()))
    }

    /// Writes to stdout without any change: the caller has sanitised the text, or it is our own.
    pub fn data(&self, text: &str) -> Result<(), StreamError> {
        self.clear_progress();
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let written = streams.stdout.write_all(text.as_bytes()).and_then(|()| streams.stdout.flush());
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(StreamError::Write(error)),
            _ => Ok(()),
        }
    }

    /// Writes a report for people to stdout. On a terminal, long lines are wrapped.
    pub(crate) fn report(&self, text: &str) -> Result<(), StreamError> {
        self.data(&self.wrapped(1, text))
    }

    /// `text` as the stream shows it: 1 for stdout, 2 for stderr.
    fn wrapped<'a>(&self, stream: usize, text: &'a str) -> Cow<'a, str> {
        match self.columns.filter(|_| self.terminal[stream]) {
            Some(columns) => wrap::wrap(text, columns).into(),
            None => text.into(),
        }
    }

    /// Writes a value to stdout as indented JSON. On a terminal, control characters are escaped.
    pub fn json(&self, value: &impl Serialize) -> Result<(), StreamError> {
        let text = Zeroizing::new(format!("{}\n", serde_json::to_string_pretty(value).map_err(Bug::new)?));
        self.json_text(&text)
    }

    /// As [`Output::json`], for JSON text.
    pub fn json_text(&self, text: &str) -> Result<(), StreamError> {
        if self.stdout_is_terminal() { self.data(&sanitise_json(text)) } else { self.data(text) }
    }

    /// Reads stdin to its end. More than `limit` bytes are an error.
    pub fn read_stdin(&self, limit: usize) -> Result<String, StreamError> {
        let mut bytes = Vec::new();
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        streams.stdin.by_ref().take(most).read_to_end(&mut bytes).map_err(StreamError::Read)?;
        if bytes.len() > limit {
            return Err(StreamError::TooLong { limit });
        }
        String::from_utf8(bytes).map_err(|_| StreamError::NotText)
    }

    /// Writes an error to stderr at every verbosity.
    pub fn error(&self, text: &str) {
        self.write_raw(&self.wrapped(2, &self.for_people(text)));
    }

    /// Writes `text` to stderr without any change: the caller has redacted and sanitised it.
    pub(crate) fn write_raw(&self, text: &str) {
        self.clear_progress();
        self.write_stderr(text);
    }

    fn write_stderr(&self, text: &str) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        // An error on stderr itself cannot be reported.
        let _ = streams.stderr.write_all(text.as_bytes()).and_then(|()| streams.stderr.flush());
    }

    /// Prints one line on stderr, unless `--quiet` is set.
    pub fn note(&self, line: impl Display) {
        if self.verbosity() != Verbosity::Quiet {
            self.write_line("note", "", &line.to_string(), |_, text| text.to_owned());
        }
    }

    /// As [`Output::note`], for a line that the user copies: it is not wrapped.
    pub fn note_to_copy(&self, line: &str) {
        if self.has_json_lines() {
            self.note(line);
        } else if self.verbosity() != Verbosity::Quiet {
            self.write_raw(&format!("{}\n", self.for_people(&sanitise(line))));
        }
    }

    /// As [`Output::note`], for something that may not work as expected.
    pub fn warn(&self, line: impl Display) {
        if self.verbosity() != Verbosity::Quiet {
            let label = self.paint_stderr().warning("warning:") + " ";
            self.write_line("warning", &label, &line.to_string(), |_, text| text.to_owned());
        }
    }

    /// As [`Output::warn`], for security warnings: printed even with `--quiet`.
    pub fn alarm(&self, line: impl Display) {
        let label = self.paint_stderr().error("WARNING:") + " ";
        self.write_line("alarm", &label, &line.to_string(), |_, text| text.to_owned());
    }

    /// Prints one line on stderr, if both stdout and stderr are terminals and `--quiet` is not set.
    pub fn note_on_terminal(&self, line: impl FnOnce() -> String) {
        if self.terminal[1] && self.terminal[2] && self.verbosity() != Verbosity::Quiet {
            self.write_line("note", "", &line(), Paint::dim);
        }
    }

    /// Prints one line on stderr with `--verbose`.
    pub fn trace(&self, line: impl FnOnce() -> String) {
        if self.verbosity() == Verbosity::Verbose {
            self.write_line("trace", "", &line(), Paint::dim);
        }
    }

    /// Prints one line of text, or a JSON object with the level and the line.
    fn write_line(&self, level: &'static str, label: &str, line: &str, paint: fn(Paint, &str) -> String) {
        let line = sanitise(line);
        if self.has_json_lines() {
            let line = self.for_people(&line);
            let message = Message { level, message: line.trim_start() };
            self.write_raw(&format!("{}\n", serde_json::to_string(&message).unwrap_or_default()));
        } else {
            self.error(&format!("{label}{}\n", paint(self.paint_stderr(), &line)));
        }
    }
}
