//! The process state: environment, clock, streams.
//!
//! Only this module reads it. All other code takes a [`Context`], so tests can run any command in
//! parallel with their own environment and time.

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
use rustix::termios::tcgetwinsize;

use crate::exit::{Exit, Explain};
use crate::output::{Output, Streams};
use crate::shell;
use crate::time;

/// The variable with the folder of the `gp` link that `gp idp dev` puts on `PATH`.
pub(crate) const DEV_FOLDER: &str = "GP_DEV_FOLDER";

pub use folders::NoFolder;

/// The source of the current time.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The system's clock and its time zone.
    System,
    /// A fixed instant, in UTC.
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
    /// The setting that holds the command line.
    pub(crate) fn command_line_setting(self) -> &'static str {
        match self {
            Self::Kubectl => "`exec.args` of the user in the kubeconfig",
            Self::GoogleAuth => "`credential_source.executable.command` of the configuration",
            Self::Aws => "`credential_process` of the profile",
        }
    }

    /// The longest useful `--timeout`: how long the caller waits, minus a margin. Zero if a longer
    /// `--timeout` does not help.
    pub(crate) fn longest_timeout(self) -> Duration {
        match self {
            // `kubectl` runs a plugin repeatedly. Google's SDKs have a time limit of their own.
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
    /// The home folder of the user database, for a process without `HOME`.
    password_home: Option<PathBuf>,
    /// The default address of the supervisor without `SUPERVISOR_ADDR`, for tests.
    default_supervisor: Option<String>,
    parent: Option<rustix::process::Pid>,
    command_line: Vec<String>,
    /// See [`Context::program`].
    program: String,
    /// The original `args[0]`.
    invoked: Option<OsString>,
    /// See [`Context::command`].
    command: Option<String>,
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

/// The path of the running program cannot be written into a command line.
#[derive(Debug, thiserror::Error)]
#[error("the path of the running program is not known, or is not UTF-8 text")]
pub struct NoPath;

impl Explain for NoPath {
    fn exit(&self) -> Exit {
        Exit::Failed
    }
}

/// Whether this process ignored a signal at its start, as with `nohup` or a shell's `&`. Always
/// false on other systems than Linux.
pub fn ignores(signal: rustix::process::Signal) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal.as_raw() - 1) & 1 == 1
}

/// The width of the terminal that stderr or stdout is. Some terminals report 0.
fn columns(terminal: [bool; 3]) -> Option<usize> {
    let size = match terminal {
        [_, _, true] => tcgetwinsize(io::stderr()),
        [_, true, _] => tcgetwinsize(io::stdout()),
        _ => return None,
    };
    size.ok().map(|size| size.ws_col.into()).filter(|columns| *columns > 0)
}

impl Context {
    /// A context from its parts. Colours follow `NO_COLOR`, `CLICOLOR_FORCE` and `TERM`.
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

    /// A context with only these variables, an empty stdin and no output, for library users.
    pub fn silent(env: impl IntoIterator<Item = (impl Into<OsString>, impl Into<OsString>)>) -> Self {
        let streams = Streams {
            stdin: Box::new(io::empty()),
            stdout: Box::new(io::sink()),
            stderr: Box::new(io::sink()),
            terminal: [false; 3],
            columns: None,
            stdin_is_device: false,
            stderr_is_pipe: false,
        };
        let env = env.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self::new(env, Clock::System, None, streams)
    }

    /// The context of this process.
    pub fn from_process() -> Self {
        let terminal = [io::stdin().is_terminal(), io::stdout().is_terminal(), io::stderr().is_terminal()];
        let streams = Streams {
            stdin: Box::new(io::stdin()),
            stdout: Box::new(io::stdout()),
            stderr: Box::new(io::stderr()),
            terminal,
            columns: columns(terminal),
            stdin_is_device: fs::metadata("/dev/stdin").is_ok_and(|found| found.file_type().is_char_device()),
            stderr_is_pipe: fs::metadata("/dev/stderr").is_ok_and(|found| found.file_type().is_fifo()),
        };
        let ctx = Self::new(env::vars_os(), Clock::System, env::current_exe().ok(), streams);
        // Read only if `HOME` is unset, because the password database may be on a network.
        let password_home = if ctx.var_os("HOME").is_none() {
            env::home_dir().filter(|home| home.is_absolute())
        } else {
            None
        };
        ctx.with_password_home(password_home)
    }

    /// The same context, with the user's home folder from the user database.
    pub fn with_password_home(self, password_home: Option<PathBuf>) -> Self {
        Self { password_home, ..self }
    }

    /// The same context, with `address` as the default address of the supervisor. A test may run in
    /// a workspace, and must not use that workspace's supervisor.
    pub fn with_default_supervisor(self, address: impl Into<String>) -> Self {
        Self { default_supervisor: Some(address.into()), ..self }
    }

    /// See [`Context::with_default_supervisor`].
    pub(crate) fn default_supervisor(&self) -> Option<&str> {
        self.default_supervisor.as_deref()
    }

    /// Set once, to the original `args[0]`.
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
        // The link of a local workspace is removed when the workspace ends.
        let is_temporary =
            self.var_os(DEV_FOLDER).is_some_and(|folder| found.parent() == Some(Path::new(folder)));
        let leads_here = found.is_symlink() && fs::canonicalize(&found).is_ok_and(|target| target == own);
        (leads_here && !is_temporary).then_some(found)
    }

    /// Set once, by [`crate::run`].
    pub(crate) fn set_command_line(&mut self, args: &[OsString]) {
        let name = args.first().and_then(|path| Path::new(path).file_name()?.to_str());
        // A downloaded file may have a longer name that starts with `gp`.
        if let Some(name) = name.filter(|name| !name.starts_with("gp")) {
            name.clone_into(&mut self.program);
        }
        let words = args.iter().skip(1).map(|word| word.to_string_lossy().into_owned());
        self.command_line = std::iter::once("gp".to_owned()).chain(words).collect();
    }

    /// From now on, messages abridge the arguments and variables of this process.
    pub(crate) fn shorten_input(&self) {
        let values = self.env.values().map(|value| value.to_string_lossy());
        // `--audience=VALUE`
        let words =
            self.command_line.iter().map(|word| word.split_once('=').map_or(&**word, |(_, value)| value));
        let whole = self.command_line.iter().map(|word| Cow::Borrowed(&**word));
        self.out.note_inputs(values.chain(whole).chain(words.map(Cow::Borrowed)));
    }

    /// Set once, when the command line is parsed.
    pub(crate) fn set_command(&mut self, command: Option<String>, target: Option<&'static str>) {
        (self.command, self.target) = (command, target);
    }

    /// The name of the running program: `gp`, or the name of a link to it.
    pub(crate) fn program(&self) -> &str {
        &self.program
    }

    /// The command below `gp idp`, in its canonical spelling: `login aws`.
    pub(crate) fn command(&self) -> Option<&str> {
        self.command.as_deref()
    }

    /// The service that the command is for.
    pub(crate) fn target(&self) -> Option<&'static str> {
        self.target
    }

    /// The name of the parent process; known on Linux only.
    pub(crate) fn parent_command(&self) -> Option<String> {
        let id = self.parent?.as_raw_nonzero();
        let name = fs::read_to_string(format!("/proc/{id}/comm")).ok()?;
        Some(name.trim_end().to_owned())
    }

    /// The ID of the parent process.
    pub(crate) fn parent_id(&self) -> Option<i32> {
        self.parent.map(rustix::process::Pid::as_raw_nonzero).map(i32::from)
    }

    /// The command line for a hint: `gp`, for any program path, and its arguments. The command
    /// behind `--` is replaced by `COMMAND`, because its arguments may hold anything.
    pub(crate) fn command_line(&self) -> Vec<&str> {
        let (own, behind) = self.command_line.split_at(self.words_before_dashes());
        let rest = if behind.is_empty() { [].as_slice() } else { &["--", "COMMAND"] };
        own.iter().map(String::as_str).chain(rest.iter().copied()).collect()
    }

    /// The number of words before `--`. The words behind `--` belong to another program.
    fn words_before_dashes(&self) -> usize {
        self.command_line.iter().position(|word| word == "--").unwrap_or(self.command_line.len())
    }

    /// The program that runs this one; `None` for a person or a script.
    pub(crate) fn caller(&self) -> Option<Caller> {
        let words = &self.command_line[..self.words_before_dashes()];
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

    /// The value of `--timeout` on the command line.
    pub(crate) fn given_timeout(&self) -> Option<Duration> {
        let words = self.command_line[..self.words_before_dashes()].iter();
        let words: Vec<&str> = words.map(String::as_str).collect();
        shell::last_value(&words, "--timeout").and_then(|text| time::parse_time_limit(text).ok())
    }

    /// The value of an environment variable. An empty value is treated as unset.
    pub fn var(&self, name: &str) -> Result<Option<&str>, EnvError> {
        match self.var_os(name) {
            None => Ok(None),
            Some(value) => value.to_str().map(Some).ok_or_else(|| EnvError::NotText(name.to_owned())),
        }
    }

    /// As [`Context::var`], for values that need not be UTF-8, such as paths.
    pub fn var_os(&self, name: &str) -> Option<&OsStr> {
        self.env.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// All variables whose name and value are UTF-8.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.env.iter().filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)))
    }

    /// Whether an environment variable is set, even to an empty value.
    pub fn is_set(&self, name: &str) -> bool {
        self.env.contains_key(OsStr::new(name))
    }

    /// The path of the running program. Some systems resolve symlinks in it.
    pub fn exe(&self) -> Option<&PathBuf> {
        self.exe.as_ref()
    }

    /// As [`Context::exe`], for a command line in a configuration file. A symlink is not resolved,
    /// so that the file still works after an update moves the link's target.
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

    /// A copy of the clock, for code that outlives the context.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// The time zone for times that people read.
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
