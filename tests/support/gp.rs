//! Runs `gp` independently of the developer's machine: with a clean environment, its own home and
//! its own workspace. Every run is checked for hanging, and for secrets on stderr and in the audit
//! log.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, thread};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gp_idp::context::Clock;
use gp_idp::dev::Options;
use gp_idp::output::Streams;
use snapbox::IntoData;
use tempfile::TempDir;
use url::form_urlencoded;

use super::{Running, default_supervisor_port};

/// Far above the time of any command, so only a hang takes this long.
const HANG_TIMEOUT: Duration = Duration::from_secs(90);

/// The supervisor's default address in these runs. Nothing listens there.
const UNREACHABLE: &str = "127.0.0.1:1";

/// One way to call `gp`; may be run several times.
#[must_use]
pub(crate) struct Gp {
    home: TempDir,
    /// Holds the audit log of every run.
    log: TempDir,
    workspace: Option<Running>,
    /// Holds the port of the stopped supervisor, so that no other test gets it.
    taken: Option<rustix::fd::OwnedFd>,
    args: Vec<OsString>,
    env: BTreeMap<OsString, OsString>,
    stdin: Vec<u8>,
    clock: Option<jiff::Timestamp>,
    terminal: bool,
    columns: Option<usize>,
    /// Texts that must not be on stderr.
    secrets: Vec<String>,
    /// Texts that differ in every run, and their placeholders in snapshots.
    names: Vec<(String, &'static str)>,
}

/// The result of a run.
#[derive(Default)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The values that a GitHub Actions runner was asked to mask.
    pub(crate) masked: Vec<String>,
}

impl Gp {
    /// Outside of any workspace.
    pub(crate) fn new() -> Self {
        default_supervisor_port::watch();
        let (home, log) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let env = [
            ("HOME", home.path().as_os_str().to_owned()),
            ("PATH", env::var_os("PATH").unwrap_or_default()),
            ("TMPDIR", home.path().as_os_str().to_owned()),
            ("IDP_AUDIT_LOG", log.path().join("audit").into_os_string()),
        ];
        let names = vec![(home.path().display().to_string(), "[HOME]")];
        Self {
            env: env.into_iter().map(|(name, value)| (name.into(), value)).collect(),
            home,
            log,
            workspace: None,
            taken: None,
            args: Vec::new(),
            stdin: Vec::new(),
            clock: None,
            terminal: false,
            columns: None,
            secrets: Vec::new(),
            names,
        }
    }

    /// In a local workspace.
    pub(crate) fn in_workspace() -> Self {
        Self::in_workspace_of(Options::default())
    }

    /// In a local workspace with these options.
    pub(crate) fn in_workspace_of(options: Options) -> Self {
        let workspace = Running::start(options);
        let mut gp = Self::new();
        for (name, value) in workspace.environment() {
            gp = gp.env(name, value);
        }
        gp.secrets.push(workspace.api_token().reveal().to_owned());
        gp.names.push((workspace.supervisor_address(), "[SUPERVISOR]"));
        gp.names.push((workspace.api_url(), "[API]"));
        gp.workspace = Some(workspace);
        gp
    }

    pub(crate) fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// A command line, split at spaces.
    pub(crate) fn line(mut self, line: &str) -> Self {
        self.args.extend(line.split_whitespace().map(OsString::from));
        self
    }

    /// Another command line in the same home and workspace.
    pub(crate) fn with_line(mut self, line: &str) -> Self {
        self.args.clear();
        self.line(line)
    }

    /// From now on no supervisor, API or STS answers.
    pub(crate) fn stop_workspace(mut self) -> Self {
        use rustix::net::{AddressFamily, SocketType, bind, socket, sockopt};
        self.workspace = None;
        let address =
            self.env[&OsString::from("SUPERVISOR_ADDR")].to_str().unwrap().replace("localhost", "127.0.0.1");
        // A bound socket that does not listen refuses connections. Without address reuse, no other
        // socket can be bound there.
        let taken = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        sockopt::set_socket_reuseaddr(&taken, true).unwrap();
        if bind(&taken, &address.parse::<std::net::SocketAddr>().unwrap()).is_ok() {
            sockopt::set_socket_reuseaddr(&taken, false).unwrap();
            self.taken = Some(taken);
        }
        self
    }

    pub(crate) fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    pub(crate) fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = text.into();
        self
    }

    /// Outside of a workspace, for tests whose result depends on that: the binary would find the
    /// supervisor of a workspace in which the tests run.
    pub(crate) fn without_supervisor() -> Self {
        Self::new().at_time("2030-01-01T00:00:00Z")
    }

    /// Fixes the clock. The binary's clock cannot be set, so this runs the library in this
    /// process.
    pub(crate) fn at_time(mut self, now: &str) -> Self {
        self.clock = Some(now.parse().unwrap());
        self
    }

    /// Runs on a terminal. Requires [`Gp::at_time`].
    pub(crate) fn on_terminal(mut self) -> Self {
        self.terminal = true;
        self
    }

    /// Runs on a terminal of this width. Requires [`Gp::at_time`].
    pub(crate) fn columns(mut self, columns: usize) -> Self {
        self.columns = Some(columns);
        self.on_terminal()
    }

    /// Adds a text that must not be on stderr.
    pub(crate) fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// Shows `text` as `name` in [`Ran`].
    pub(crate) fn with_placeholder(mut self, text: impl Into<String>, name: &'static str) -> Self {
        self.names.push((text.into(), name));
        self
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The lines of the audit log. Checks that they contain no secret.
    #[track_caller]
    pub(crate) fn audit_log(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.log.path().join("audit")).unwrap_or_default();
        self.check_text("the audit log", &text);
        assert!(text.is_empty() || text.ends_with('\n'), "{text}");
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn workspace(&self) -> &Running {
        self.workspace.as_ref().unwrap()
    }

    /// The binary under test.
    pub(crate) fn binary() -> PathBuf {
        env!("CARGO_BIN_EXE_gp").into()
    }

    /// A process with this environment and these arguments, for tests that need more than [`Gp::run`].
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(Self::binary());
        command.env_clear().envs(&self.env).args(&self.args).current_dir(self.home());
        command
    }

    /// A shell that runs `script` with the binary as `$0` and the arguments as `$@`, otherwise as [`Gp::command`].
    pub(crate) fn in_shell(&self, mut shell: Command, script: &str) -> Command {
        shell.env_clear().envs(&self.env).current_dir(self.home());
        shell.arg("-c").arg(script).arg(Self::binary()).args(&self.args);
        shell
    }

    /// Runs `gp` to its end and checks the output for secrets.
    #[track_caller]
    pub(crate) fn run(&self) -> Ran {
        assert!(!self.terminal || self.clock.is_some(), "`on_terminal` needs `at_time`");
        let raw = if self.clock.is_some() { self.run_here() } else { self.run_process(self.command()) };
        default_supervisor_port::check(&self.args);
        let raw = raw.without_masks();
        self.check_for_leaks(&raw);
        let named = |text: &str| {
            self.names
                .iter()
                .fold(text.to_owned(), |text, (actual, name)| text.replace(actual.as_str(), name))
        };
        Ran { stdout: named(&raw.stdout), stderr: named(&raw.stderr), ..raw }
    }

    #[track_caller]
    fn run_process(&self, mut command: Command) -> Ran {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = self.stdin.clone();
        // A command that reads nothing closes the pipe, which is no error.
        thread::spawn(move || stdin.write_all(&input));
        let read = |mut stream: Box<dyn Read + Send>| {
            thread::spawn(move || {
                let mut bytes = Vec::new();
                stream.read_to_end(&mut bytes).map(|_| bytes)
            })
        };
        let stdout = read(Box::new(child.stdout.take().unwrap()));
        let stderr = read(Box::new(child.stderr.take().unwrap()));
        let started = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if started.elapsed() > HANG_TIMEOUT {
                child.kill().unwrap();
                panic!("{:?} did not end within {HANG_TIMEOUT:?}", self.args);
            }
            thread::sleep(Duration::from_millis(2));
        };
        let text = |reader: thread::JoinHandle<std::io::Result<Vec<u8>>>| {
            String::from_utf8(reader.join().unwrap().unwrap()).unwrap()
        };
        Ran {
            code: status.code().unwrap_or(-1),
            stdout: text(stdout),
            stderr: text(stderr),
            masked: Vec::new(),
        }
    }

    fn run_here(&self) -> Ran {
        let (stdout, stderr) = (Captured::default(), Captured::default());
        let streams = Streams {
            stdin: Box::new(Cursor::new(self.stdin.clone())),
            stdout: Box::new(stdout.clone()),
            stderr: Box::new(stderr.clone()),
            terminal: [self.terminal; 3],
            columns: self.columns,
            stdin_is_device: false,
            stderr_is_pipe: false,
        };
        let context = gp_idp::Context::new(
            self.env.clone(),
            Clock::Fixed(self.clock.unwrap()),
            Some(Self::binary()),
            streams,
        )
        .with_default_supervisor(UNREACHABLE);
        let args = std::iter::once("gp".into()).chain(self.args.iter().cloned()).collect();
        let code = gp_idp::run(args, context);
        Ran { code: code.into(), stdout: stdout.text(), stderr: stderr.text(), masked: Vec::new() }
    }

    /// Does the checks of [`Gp::run`], for a test that started [`Gp::command`] itself.
    #[track_caller]
    pub(crate) fn check_stderr(&self, stderr: &str) {
        self.check_for_leaks(&Ran { stderr: stderr.to_owned(), ..Ran::default() });
    }

    /// Fails if stderr or the audit log contains a secret in any encoding: the workspace's API
    /// token, a text of [`Gp::secret`], or any JWT.
    #[track_caller]
    fn check_for_leaks(&self, ran: &Ran) {
        self.check_text("stderr", &ran.stderr);
        // SDKs show only the last line, so it has all hints.
        let by_an_sdk = self.args.iter().any(|arg| arg == "process" || arg == "--format=process")
            || self.env.contains_key(OsStr::new("GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE"))
            || self.env.contains_key(OsStr::new("KUBERNETES_EXEC_INFO"));
        if !by_an_sdk {
            check_hints(&ran.stderr);
        }
        self.audit_log();
    }

    #[track_caller]
    fn check_text(&self, place: &str, text: &str) {
        let said = format!("{text} {}", percent_decoded(text)).to_lowercase();
        for secret in &self.secrets {
            for spelling in spellings(secret) {
                assert!(!said.contains(&spelling), "`{spelling}` of a secret is in {place}:\n{text}");
            }
        }
        // The header and the payload of every JWT begin like this.
        assert!(!text.contains("eyJ"), "a token is in {place}:\n{text}");
    }
}

/// Fails if a hint packs several conditions or fixes into one line: each has a line of its own.
#[track_caller]
fn check_hints(stderr: &str) {
    for line in stderr.lines() {
        let Some(hint) = line.trim_start().strip_prefix("hint: ") else { continue };
        if hint.ends_with("see `--help`") {
            // The last line of a usage error repeats the error.
            continue;
        }
        // Commands and addresses between backticks are not prose.
        let prose: String = hint.split('`').step_by(2).collect();
        let joints = prose.matches(": ").count() + prose.matches("; ").count();
        assert!(joints <= 1 && !prose.contains("(1)"), "more than one instruction in a line: {hint}");
    }
}

fn percent_decoded(text: &str) -> String {
    let form = text.replace('&', "%26").replace('+', "%2B");
    form_urlencoded::parse(format!("={form}").as_bytes()).map(|(_, value)| value).collect()
}

/// A secret in lower case, and in base64 in its three forms, which depend on the length of the
/// text before it.
fn spellings(secret: &str) -> Vec<String> {
    let mut spellings = vec![secret.to_owned()];
    // Base64 of a shorter secret could match by chance.
    for before in ["", "x", "xx"].into_iter().filter(|_| secret.len() >= 8) {
        let encoded = URL_SAFE_NO_PAD.encode(format!("{before}{secret}"));
        // The first characters have bits of the text before, and the last one has bits of the text
        // after.
        let inner = &encoded[(before.len() * 8).div_ceil(6)..encoded.len() - 1];
        spellings.extend([inner.to_owned(), inner.replace('-', "+").replace('_', "/")]);
    }
    spellings.into_iter().map(|spelling| spelling.to_lowercase()).collect()
}

impl Ran {
    /// Moves the `::add-mask::` lines from stderr to `masked`: a GitHub Actions runner reads and
    /// does not show them.
    fn without_masks(self) -> Self {
        let mask = |line: &str| line.strip_prefix("::add-mask::").map(|value| value.trim_end().to_owned());
        let stderr: String = self.stderr.split_inclusive('\n').filter(|line| mask(line).is_none()).collect();
        let masked = self.stderr.lines().filter_map(mask).collect();
        Self { stderr, masked, ..self }
    }

    /// Checks for success with an empty stderr, and returns stdout.
    #[track_caller]
    pub(crate) fn success(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "stdout:\n{}", self.stdout);
        self.stdout
    }

    /// Checks for a failure with `code`, an empty stdout, and `message` on stderr.
    #[track_caller]
    pub(crate) fn failure(self, code: i32, message: impl IntoData) {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "stderr:\n{}", self.stderr);
        snapbox::assert_data_eq!(self.stderr, message);
    }
}

/// An output stream in memory.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
