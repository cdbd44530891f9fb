//! What the process was given: environment, clock, streams.
//!
//! The one reader of process state. Everything else takes a [`Context`], so a test can run any command
//! with an environment and a time of its own, beside others.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, IsTerminal};
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::exit::{Exit, Explain};
use crate::output::{Output, Streams};

/// What time it is.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The system's clock and its time zone.
    System,
    /// Always this instant, in UTC.
    Fixed(Timestamp),
}

impl Clock {
    /// The current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Fixed(at) => *at,
        }
    }
}

/// Environment, clock and streams of one run.
pub struct Context {
    env: BTreeMap<OsString, OsString>,
    clock: Clock,
    exe: Option<PathBuf>,
    parent: Option<rustix::process::Pid>,
    /// Where to write.
    pub out: Output,
}

/// An environment variable that is set to something unusable.
#[derive(Debug, thiserror::Error)]
pub enum EnvError {
    /// Not text.
    #[error("the environment variable `{0}` is not UTF-8 text")]
    NotText(String),
}

impl Explain for EnvError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// Whether this process was started with a signal ignored, as `nohup` and a shell's `&` do; known on Linux only.
#[must_use]
pub fn ignores(signal: rustix::process::Signal) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal.as_raw() - 1) & 1 == 1
}

impl Context {
    /// A context from its parts.
    #[must_use]
    pub fn new(
        env: impl IntoIterator<Item = (OsString, OsString)>,
        clock: Clock,
        exe: Option<PathBuf>,
        streams: Streams,
    ) -> Self {
        let env: BTreeMap<_, _> = env.into_iter().collect();
        let set = |name: &str| env.get(OsStr::new(name)).filter(|value| !value.is_empty());
        let dumb = set("TERM").is_some_and(|term| term == "dumb");
        let never = set("NO_COLOR").is_some();
        let always = set("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let out = Output::new(streams, |terminal| !never && (always || (terminal && !dumb)));
        Self { env, clock, exe, parent: rustix::process::getppid(), out }
    }

    /// The context of this process.
    #[must_use]
    pub fn from_process() -> Self {
        let streams = Streams {
            stdin: Box::new(io::stdin()),
            stdout: Box::new(io::stdout()),
            stderr: Box::new(io::stderr()),
            terminal: [io::stdin().is_terminal(), io::stdout().is_terminal(), io::stderr().is_terminal()],
            stdin_is_device: fs::metadata("/dev/stdin").is_ok_and(|found| found.file_type().is_char_device()),
        };
        Self::new(env::vars_os(), Clock::System, env::current_exe().ok(), streams)
    }

    /// The value of an environment variable; empty counts as not set.
    pub fn var(&self, name: &str) -> Result<Option<&str>, EnvError> {
        match self.var_os(name) {
            None => Ok(None),
            Some(value) => value.to_str().map(Some).ok_or_else(|| EnvError::NotText(name.to_owned())),
        }
    }

    /// As [`Context::var`], for paths.
    #[must_use]
    pub fn var_os(&self, name: &str) -> Option<&OsStr> {
        self.env.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// Whether an environment variable is set, be it to nothing.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        self.env.contains_key(OsStr::new(name))
    }

    /// The path of the running program, symlinks followed where the system does so.
    #[must_use]
    pub fn exe(&self) -> Option<&PathBuf> {
        self.exe.as_ref()
    }

    /// Whether the process that started this one has ended.
    #[must_use]
    pub fn parent_has_ended(&self) -> bool {
        rustix::process::getppid() != self.parent
    }

    /// Where files go that nobody is to find later.
    #[must_use]
    pub fn temp_dir(&self) -> PathBuf {
        self.var_os("TMPDIR").map_or_else(|| "/tmp".into(), PathBuf::from)
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What tells it, for whoever outlives this.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// The zone that people read times in.
    #[must_use]
    pub fn time_zone(&self) -> TimeZone {
        match self.clock {
            Clock::System => TimeZone::system(),
            Clock::Fixed(_) => TimeZone::UTC,
        }
    }
}
