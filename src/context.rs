//! What the process was given: environment, clock, streams.
//!
//! The one reader of process state. Everything else takes a [`Context`], so a test can run any command
//! with an environment and a time of its own, beside others.

mod folders;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, IsTerminal};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::exit::{Exit, Explain};
use crate::output::{Output, Streams};
use crate::time;

/// The folder of the link that `gp idp dev` puts on `PATH`.
pub(crate) const DEV_FOLDER: &str = "GP_DEV_FOLDER";

pub use folders::NoFolder;

/// What time it is.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The system's clock and its time zone.
    System,
    /// Always this instant, in UTC.
    Fixed(Timestamp),
}

impl Clock {
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Fixed(at) => *at,
        }
    }
}

/// A program that runs this one with a command line from a configuration file. To add a flag, the user must edit that
/// file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// `kubectl` and other clients of Kubernetes, for which this is a credential plugin.
    Kubectl,
    /// Google's SDKs.
    GoogleAuth,
    /// The SDKs of AWS, for which this is a credential process.
    Aws,
}

impl Caller {
    /// Where the command line stands.
    pub(crate) fn place(self) -> &'static str {
        match self {
            Self::Kubectl => "`exec.args` of the user in the kubeconfig",
            Self::GoogleAuth => "`credential_source.executable.command` of the configuration",
            Self::Aws => "`credential_process` of the profile",
        }
    }

    /// How long the caller waits, minus some time for the answer. Zero if `--timeout` cannot change how long the caller
    /// waits.
    pub(crate) fn most(self) -> Duration {
        match self {
            // `kubectl` runs a plugin again and again, and a configuration says how long Google's SDKs wait.
            Self::Kubectl | Self::GoogleAuth => Duration::ZERO,
            // The SDK for Go kills it after a minute.
            Self::Aws => Duration::from_secs(55),
        }
    }
}

/// Environment, clock and streams of one run.
pub struct Context {
    env: BTreeMap<OsString, OsString>,
    clock: Clock,
    exe: Option<PathBuf>,
    /// The home folder of the password file, for a process without `HOME`.
    password_home: Option<PathBuf>,
    /// Where a supervisor is without `SUPERVISOR_ADDR`, in place of the usual address.
    default_supervisor: Option<String>,
    parent: Option<rustix::process::Pid>,
    command_line: Vec<String>,
    /// The name that the program was called by.
    program: String,
    /// The first word of the command line as it came.
    invoked: Option<OsString>,
    /// The command below `gp idp`, in one spelling: `login aws`.
    command: Option<String>,
    /// The service that the command is for.
    target: Option<&'static str>,
    pub out: Arc<Output>,
}

/// An environment variable that is set to something unusable.
#[derive(Debug, thiserror::Error)]
pub enum EnvError {
    #[error("the environment variable `{0}` is not UTF-8 text")]
    NotText(String),
}

impl Explain for EnvError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// The path of the running program is of no use for a command line.
#[derive(Debug, thiserror::Error)]
#[error("the path of the running program is not known, or is not UTF-8 text")]
pub struct NoPath;

impl Explain for NoPath {
    fn exit(&self) -> Exit {
        Exit::Failed
    }
}

/// Whether this process was started with a signal ignored, as `nohup` and a shell's `&` do; known on Linux only.
pub fn ignores(signal: rustix::process::Signal) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal.as_raw() - 1) & 1 == 1
}

impl Context {
    /// A context from its parts.
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
        let parent = rustix::process::getppid();
        let (command_line, out) = (Vec::new(), Arc::new(out));
        Self {
            env,
            clock,
            exe,
            password_home: None,
            default_supervisor: None,
            parent,
            command_line,
            program: "gp".to_owned(),
            invoked: None,
            command: None,
            target: None,
            out,
        }
    }

    /// A context with these variables alone. It reads nothing from stdin and writes to nobody: for a library's caller.
    pub fn silent(env: impl IntoIterator<Item = (impl Into<OsString>, impl Into<OsString>)>) -> Self {
        let streams = Streams {
            stdin: Box::new(io::empty()),
            stdout: Box::new(io::sink()),
            stderr: Box::new(io::sink()),
            terminal: [false; 3],
            stdin_is_device: false,
            stderr_is_pipe: false,
        };
        let env = env.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self::new(env, Clock::System, None, streams)
    }

    /// The context of this process.
    pub fn from_process() -> Self {
        let streams = Streams {
            stdin: Box::new(io::stdin()),
            stdout: Box::new(io::stdout()),
            stderr: Box::new(io::stderr()),
            terminal: [io::stdin().is_terminal(), io::stdout().is_terminal(), io::stderr().is_terminal()],
            stdin_is_device: fs::metadata("/dev/stdin").is_ok_and(|found| found.file_type().is_char_device()),
            stderr_is_pipe: fs::metadata("/dev/stderr").is_ok_and(|found| found.file_type().is_fifo()),
        };
        let ctx = Self::new(env::vars_os(), Clock::System, env::current_exe().ok(), streams);
        // Asked only where it counts: the password file may be on a network.
        let password_home = if ctx.var_os("HOME").is_none() {
            env::home_dir().filter(|home| home.is_absolute())
        } else {
            None
        };
        ctx.with_password_home(password_home)
    }

    /// The same context, with the home folder that the password file has for this user.
    pub fn with_password_home(self, password_home: Option<PathBuf>) -> Self {
        Self { password_home, ..self }
    }

    /// The same context, with a supervisor at `address` where `SUPERVISOR_ADDR` is not set: a test may itself run in a
    /// workspace, whose supervisor it must not ask.
    pub fn with_default_supervisor(self, address: impl Into<String>) -> Self {
        Self { default_supervisor: Some(address.into()), ..self }
    }

    /// As [`Context::with_default_supervisor`] set it.
    pub(crate) fn default_supervisor(&self) -> Option<&str> {
        self.default_supervisor.as_deref()
    }

    /// Set once, to the first word of the command line as it came.
    pub(crate) fn set_invoked(&mut self, word: Option<&OsString>) {
        self.invoked = word.cloned();
    }

    /// The symlink that the program was called through, by its path or on `PATH`.
    fn link_to_self(&self) -> Option<PathBuf> {
        let invoked = Path::new(self.invoked.as_ref()?);
        let own = fs::canonicalize(self.exe()?).ok()?;
        let found = if invoked.components().count() > 1 {
            absolute(invoked).ok()?
        } else {
            let folders = env::split_paths(self.var_os("PATH")?).filter(|folder| folder.is_absolute());
            folders.map(|folder| folder.join(invoked)).find(|path| path.is_file())?
        };
        // The link of a local workspace is gone when that ends.
        let passes = self.var_os(DEV_FOLDER).is_some_and(|folder| found.parent() == Some(Path::new(folder)));
        let leads_here = found.is_symlink() && fs::canonicalize(&found).is_ok_and(|target| target == own);
        (leads_here && !passes).then_some(found)
    }

    /// Set once, by what runs the command line.
    pub(crate) fn set_command_line(&mut self, args: &[OsString]) {
        let name = args.first().and_then(|path| Path::new(path).file_name()?.to_str());
        // A file as it was downloaded has more in its name.
        if let Some(name) = name.filter(|name| !name.starts_with("gp")) {
            name.clone_into(&mut self.program);
        }
        let words = args.iter().skip(1).map(|word| word.to_string_lossy().into_owned());
        self.command_line = std::iter::once("gp".to_owned()).chain(words).collect();
    }

    /// Has messages repeat no more than the beginning of what this process was given.
    pub(crate) fn shorten_input(&self) {
        let values = self.env.values().map(|value| value.to_string_lossy());
        // `--audience=VALUE`
        let words =
            self.command_line.iter().map(|word| word.split_once('=').map_or(&**word, |(_, value)| value));
        let whole = self.command_line.iter().map(|word| Cow::Borrowed(&**word));
        self.out.note_inputs(values.chain(whole).chain(words.map(Cow::Borrowed)));
    }

    /// Set once, when the command line is read.
    pub(crate) fn set_command(&mut self, command: Option<String>, target: Option<&'static str>) {
        (self.command, self.target) = (command, target);
    }

    /// The name that the program was called by: `gp`, or that of a link to it.
    pub(crate) fn program(&self) -> &str {
        &self.program
    }

    /// The command below `gp idp`, in one spelling: `login aws`.
    pub(crate) fn command(&self) -> Option<&str> {
        self.command.as_deref()
    }

    /// The service that the command is for.
    pub(crate) fn target(&self) -> Option<&'static str> {
        self.target
    }

    /// The name of the program that started this one; known on Linux only.
    pub(crate) fn parent_command(&self) -> Option<String> {
        let id = self.parent?.as_raw_nonzero();
        let name = fs::read_to_string(format!("/proc/{id}/comm")).ok()?;
        Some(name.trim_end().to_owned())
    }

    /// The process that started this one.
    pub(crate) fn parent_id(&self) -> Option<i32> {
        self.parent.map(rustix::process::Pid::as_raw_nonzero).map(i32::from)
    }

    /// The command that was typed, to be repeated in a hint: `gp`, whatever the program's path, and its arguments.
    /// Those of another program behind `--` are left out, because nobody knows what they hold.
    pub(crate) fn command_line(&self) -> Vec<&str> {
        let (own, behind) = self.command_line.split_at(self.own_words());
        let rest = if behind.is_empty() { [].as_slice() } else { &["--", "COMMAND"] };
        own.iter().map(String::as_str).chain(rest.iter().copied()).collect()
    }

    /// How many words of the command line come before `--`, behind which another program has its own.
    fn own_words(&self) -> usize {
        self.command_line.iter().position(|word| word == "--").unwrap_or(self.command_line.len())
    }

    /// Who runs this; `None` for a person or a script.
    pub(crate) fn caller(&self) -> Option<Caller> {
        let words = &self.command_line[..self.own_words()];
        let is_process = words.iter().any(|word| word == "--format=process")
            || words.windows(2).any(|pair| pair == ["--format", "process"]);
        if self.var_os("KUBERNETES_EXEC_INFO").is_some() {
            Some(Caller::Kubectl)
        } else if self.var_os("GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE").is_some() {
            Some(Caller::GoogleAuth)
        } else {
            is_process.then_some(Caller::Aws)
        }
    }

    /// What `--timeout` says on the command line.
    pub(crate) fn given_timeout(&self) -> Option<Duration> {
        let words = &self.command_line[..self.own_words()];
        let joined = words.iter().filter_map(|word| word.strip_prefix("--timeout="));
        let apart = words.windows(2).filter(|pair| pair[0] == "--timeout").map(|pair| pair[1].as_str());
        joined.chain(apart).last().and_then(|text| time::parse_time_limit(text).ok())
    }

    /// The value of an environment variable; empty counts as not set.
    pub fn var(&self, name: &str) -> Result<Option<&str>, EnvError> {
        match self.var_os(name) {
            None => Ok(None),
            Some(value) => value.to_str().map(Some).ok_or_else(|| EnvError::NotText(name.to_owned())),
        }
    }

    /// As [`Context::var`], for paths.
    pub fn var_os(&self, name: &str) -> Option<&OsStr> {
        self.env.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// All variables that are text.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.env.iter().filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)))
    }

    /// Whether an environment variable is set, be it to nothing.
    pub fn is_set(&self, name: &str) -> bool {
        self.env.contains_key(OsStr::new(name))
    }

    /// The path of the running program, symlinks followed where the system does so.
    pub fn exe(&self) -> Option<&PathBuf> {
        self.exe.as_ref()
    }

    /// As [`Context::exe`], for a command line that is written into a file: a link stays one, so that an update which moves
    /// what it leads to breaks nothing.
    pub fn own_path(&self) -> Result<String, NoPath> {
        let path = self.link_to_self().or_else(|| self.exe().cloned());
        path.and_then(|path| path.into_os_string().into_string().ok()).ok_or(NoPath)
    }

    /// Whether the process that started this one has ended.
    pub fn parent_has_ended(&self) -> bool {
        rustix::process::getppid() != self.parent
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What tells it, for whoever outlives this.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// The zone that people read times in.
    pub fn time_zone(&self) -> TimeZone {
        match self.clock {
            Clock::System => TimeZone::system(),
            Clock::Fixed(_) => TimeZone::UTC,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_behind_two_dashes_belong_to_another_program() {
        let caller = |line: &str| {
            let mut ctx = Context::silent([("", ""); 0]);
            ctx.set_command_line(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
            ctx.caller()
        };
        for own in ["gp idp login aws --format process", "gp idp login aws --format=process -- x"] {
            assert_eq!(caller(own), Some(Caller::Aws), "{own}");
        }
        for other in ["gp idp exec aws -- x --format process", "gp idp exec aws --format -- process"] {
            assert_eq!(caller(other), None, "{other}");
        }
    }
}
