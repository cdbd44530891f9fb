//! The process's streams: data on stdout, everything else on stderr.
//!
//! The one place that writes to either. A closed pipe ends the output, not the command.

mod clean;
mod paint;
mod progress;

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
    /// Also one line for the person on a terminal.
    #[default]
    Normal,
    /// Also a trace of each step.
    Verbose,
}

/// The three streams and what is known of them.
pub struct Streams {
    /// Where `-` is read from.
    pub stdin: Box<dyn Read + Send>,
    pub stdout: Box<dyn Write + Send>,
    /// Where everything else goes.
    pub stderr: Box<dyn Write + Send>,
    /// Whether each is a terminal: stdin, stdout, stderr.
    pub terminal: [bool; 3],
    /// Whether stdin is a device, such as a terminal or `/dev/null`, and so neither pipe nor file.
    pub stdin_is_device: bool,
    /// Whether stderr is a pipe, as a runner of CI jobs reads it.
    pub stderr_is_pipe: bool,
}

/// Could not read stdin or write to stdout.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    #[error("could not read standard input")]
    Read(#[source] io::Error),
    /// More than is allowed came in.
    #[error("standard input holds more than {limit} bytes")]
    TooLong {
        /// The most that is read, in bytes.
        limit: usize,
    },
    /// Bytes that are no text came in.
    #[error("standard input is not UTF-8 text")]
    NotText,
    /// A write failed for another reason than a closed pipe.
    #[error("could not write to standard output")]
    Write(#[source] io::Error),
    /// A value could not be made JSON.
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
                "pipe in the token itself, three parts with dots between them; PowerShell writes UTF-16: convert that with `iconv -f UTF-16 -t UTF-8`".into(),
            ),
            Self::TooLong { .. } => Some(
                "that is more than any token or policy has: pipe in that alone, such as what `gp idp token --audience AUDIENCE` prints".into(),
            ),
            _ => None,
        }
    }
}

/// What a service's reply says, for a program that reads an error.
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

/// Reads and writes the streams, knows terminals and verbosity.
pub struct Output {
    streams: Mutex<Streams>,
    terminal: [bool; 3],
    nobody_pipes: bool,
    stderr_is_pipe: bool,
    paint: [Paint; 2],
    verbosity: OnceLock<Verbosity>,
    redactor: Mutex<Redactor>,
    /// Long words of the command line and of the environment, which messages do not repeat as a whole.
    long_inputs: Mutex<Vec<String>>,
    /// Whether programs read stderr: a JSON object on each line.
    json_lines: AtomicBool,
    reply: Mutex<Option<ReplyFacts>>,
    progress: Mutex<Progress>,
}

impl Output {
    /// `colour` decides for a stream by whether it is a terminal.
    pub fn new(streams: Streams, colour: impl Fn(bool) -> bool) -> Self {
        let terminal = streams.terminal;
        let nobody_pipes = terminal[0] || streams.stdin_is_device;
        let stderr_is_pipe = streams.stderr_is_pipe;
        let paint = [Paint(colour(terminal[1])), Paint(colour(terminal[2]))];
        let (verbosity, redactor) = (OnceLock::new(), Mutex::default());
        let (json_lines, reply, streams) = (AtomicBool::new(false), Mutex::default(), Mutex::new(streams));
        let (long_inputs, progress) = (Mutex::default(), Mutex::default());
        Self {
            streams,
            terminal,
            nobody_pipes,
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

    /// Has stderr be JSON lines. Set once, when the command line is known.
    pub(crate) fn set_json_lines(&self) {
        self.json_lines.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_json_lines(&self) -> bool {
        self.json_lines.load(Ordering::Relaxed)
    }

    /// Notes the reply that came last; none from when a request is sent until there is one.
    pub(crate) fn note_reply(&self, reply: Option<ReplyFacts>) {
        *self.reply.lock().unwrap_or_else(PoisonError::into_inner) = reply;
    }

    pub(crate) fn latest_reply(&self) -> Option<ReplyFacts> {
        self.reply.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn verbosity(&self) -> Verbosity {
        self.verbosity.get().copied().unwrap_or_default()
    }

    /// From now on, removes `secret` from all text for people. Code that gets or sends a secret must call this
    /// function.
    pub fn hold(&self, secret: &Secret) {
        self.redactor.lock().unwrap_or_else(PoisonError::into_inner).hold(secret);
    }

    /// `text` without the secrets of this run and without tokens: for text that is shortened, or that people get
    /// elsewhere than on stderr.
    pub fn redact(&self, text: &str) -> String {
        self.redactor.lock().unwrap_or_else(PoisonError::into_inner).redact(text)
    }

    /// Notes what the person handed in, so that no message repeats more than its beginning.
    pub(crate) fn note_inputs<'a>(&self, inputs: impl Iterator<Item = Cow<'a, str>>) {
        // A character has a byte at least.
        let long = inputs.filter(|input| input.len() > LONGEST_INPUT).map(|input| sanitise(&input));
        self.long_inputs.lock().unwrap_or_else(PoisonError::into_inner).extend(long);
    }

    /// `text` as a person may see it on stderr: as [`Output::redact`] has it, with no more than the beginning of what was
    /// handed in.
    pub(crate) fn for_people(&self, text: &str) -> String {
        let inputs = self.long_inputs.lock().unwrap_or_else(PoisonError::into_inner);
        inputs.iter().fold(self.redact(text), |text, input| abridged(&text, input))
    }

    /// The secrets that were held since this was asked last.
    pub(crate) fn unmasked(&self) -> Vec<Secret> {
        self.redactor.lock().unwrap_or_else(PoisonError::into_inner).take_new()
    }

    pub(crate) fn stderr_is_pipe(&self) -> bool {
        self.stderr_is_pipe
    }

    /// Whether stdin is a terminal, so that reading it would wait for a person.
    pub fn stdin_is_terminal(&self) -> bool {
        self.terminal[0]
    }

    /// Whether stdin is neither pipe nor file, so that nobody can have meant to hand anything in.
    pub fn nobody_pipes(&self) -> bool {
        self.nobody_pipes
    }

    /// Whether data goes to a terminal.
    pub fn stdout_is_terminal(&self) -> bool {
        self.terminal[1]
    }

    pub fn paint(&self) -> Paint {
        self.paint[0]
    }

    pub fn paint_stderr(&self) -> Paint {
        self.paint[1]
    }

    /// Writes data to stdout; on a terminal, nothing in it can drive that.
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

    /// Writes to stdout, exactly: what has been cleaned where it was made, or is our own.
    pub fn data(&self, text: &str) -> Result<(), StreamError> {
        self.clear_progress();
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let written = streams.stdout.write_all(text.as_bytes()).and_then(|()| streams.stdout.flush());
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(StreamError::Write(error)),
            _ => Ok(()),
        }
    }

    /// Writes a value to stdout as indented JSON; on a terminal, nothing in it can drive that.
    pub fn json(&self, value: &impl Serialize) -> Result<(), StreamError> {
        let text = Zeroizing::new(format!("{}\n", serde_json::to_string_pretty(value).map_err(Bug::new)?));
        self.json_text(&text)
    }

    /// As [`Output::json`], for JSON that is text already.
    pub fn json_text(&self, text: &str) -> Result<(), StreamError> {
        if self.stdout_is_terminal() { self.data(&sanitise_json(text)) } else { self.data(text) }
    }

    /// Reads stdin to its end, at most `limit` bytes.
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

    /// Writes `text` to stderr, whatever the verbosity: errors.
    pub fn error(&self, text: &str) {
        self.record(&self.for_people(text));
    }

    /// Writes `text` to stderr as it is: what has been cleaned where it was made.
    pub(crate) fn record(&self, text: &str) {
        self.clear_progress();
        self.write_stderr(text);
    }

    fn write_stderr(&self, text: &str) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        // Nothing is left to tell anyone when stderr itself is gone.
        let _ = streams.stderr.write_all(text.as_bytes()).and_then(|()| streams.stderr.flush());
    }

    /// One line on stderr unless `--quiet`.
    pub fn note(&self, line: impl Display) {
        if self.verbosity() != Verbosity::Quiet {
            self.say("note", "", &line.to_string(), |_, text| text.to_owned());
        }
    }

    /// As [`Output::note`], for something that may not turn out as expected.
    pub fn warn(&self, line: impl Display) {
        if self.verbosity() != Verbosity::Quiet {
            let label = self.paint_stderr().warning("warning:") + " ";
            self.say("warning", &label, &line.to_string(), |_, text| text.to_owned());
        }
    }

    /// As [`Output::warn`], but about safety: `--quiet` does not silence it.
    pub fn alarm(&self, line: impl Display) {
        let label = self.paint_stderr().error("WARNING:") + " ";
        self.say("alarm", &label, &line.to_string(), |_, text| text.to_owned());
    }

    /// One line for the person who watches: only where both stdout and stderr are a terminal, and not with
    /// `--quiet`.
    pub fn tell(&self, line: impl FnOnce() -> String) {
        if self.terminal[1] && self.terminal[2] && self.verbosity() != Verbosity::Quiet {
            self.say("note", "", &line(), Paint::dim);
        }
    }

    /// One line of `--verbose`.
    pub fn trace(&self, line: impl FnOnce() -> String) {
        if self.verbosity() == Verbosity::Verbose {
            self.say("trace", "", &line(), Paint::dim);
        }
    }

    /// One line for people, or an object with its level.
    fn say(&self, level: &'static str, label: &str, line: &str, paint: fn(Paint, &str) -> String) {
        let line = sanitise(line);
        if self.has_json_lines() {
            let line = self.for_people(&line);
            let message = Message { level, message: line.trim_start() };
            self.record(&format!("{}\n", serde_json::to_string(&message).unwrap_or_default()));
        } else {
            self.error(&format!("{label}{}\n", paint(self.paint_stderr(), &line)));
        }
    }
}
