//! Runs a command with credentials in its environment. The command replaces this process, or it
//! runs as a child: this process forwards signals to it and returns its exit code.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{self, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;
use tokio::signal::unix::{self, SignalKind};

use crate::audit::{HandOver, Recipient};
use crate::context::{self, Context};
use crate::error::Failure;
use crate::exit::{Exit, Explain};
use crate::hardening::with_original_limit;
use crate::secret::Secret;
use crate::shell;

/// The exit code of shells for a program that cannot be executed.
const CANNOT_RUN: u8 = 126;
/// The exit code of shells for a program that does not exist.
const NOT_FOUND: u8 = 127;

/// The variable with the secret of an OAuth client. Only this program needs it, no command does.
pub(crate) const CLIENT_SECRET: &str = "IDP_CLIENT_SECRET";

/// The signals or the exit of a child could not be observed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChildError {
    #[error("could not listen for signals")]
    Signals(#[source] io::Error),
    #[error("could not wait for `{program}`")]
    Wait {
        program: String,
        #[source]
        source: io::Error,
    },
}

impl Explain for ChildError {
    fn exit(&self) -> Exit {
        Exit::Failed
    }
}

/// The program could not be started.
#[derive(Debug, thiserror::Error)]
#[error("could not start `{program}`")]
struct NotStarted {
    program: String,
    #[source]
    source: io::Error,
}

impl Explain for NotStarted {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        match self.source.kind() {
            io::ErrorKind::NotFound if self.program.contains('/') => Some("check the path".into()),
            io::ErrorKind::NotFound => {
                Some("check the name and PATH\nif it is a shell built-in, run it with `-- sh -c '…'`".into())
            }
            io::ErrorKind::PermissionDenied => {
                Some(format!("make it executable: `{}`", shell::command(&["chmod", "+x", &self.program])))
            }
            _ => Some(
                "most likely the program is for another platform, or its first line (`#!`) names a missing interpreter: run it without `gp` to check"
                    .into(),
            ),
        }
    }
}

/// Catches the signals that people, shells and init systems use to end a command.
pub(crate) struct Signals(Vec<(Signal, unix::Signal)>);

impl Signals {
    /// Starts catching SIGINT, SIGTERM, SIGHUP and SIGQUIT. Signals that this process already ignored when it started
    /// stay ignored, here and in children.
    pub(crate) fn listen() -> Result<Self, ChildError> {
        let kinds = [
            (Signal::INT, SignalKind::interrupt()),
            (Signal::TERM, SignalKind::terminate()),
            (Signal::HUP, SignalKind::hangup()),
            (Signal::QUIT, SignalKind::quit()),
        ];
        let heeded = kinds.into_iter().filter(|(signal, _)| !context::ignores(*signal));
        let caught = heeded.map(|(signal, kind)| Ok((signal, unix::signal(kind)?)));
        caught.collect::<io::Result<_>>().map(Self).map_err(ChildError::Signals)
    }

    /// A signal that has arrived since [`Signals::listen`], if any.
    async fn pending(&mut self) -> Option<Signal> {
        // A delivered signal reaches the streams only after the runtime has polled for I/O.
        tokio::time::timeout(Duration::from_millis(1), self.next()).await.ok()
    }

    /// The result of `work`, or the exit code for a signal that arrives before it completes.
    pub(crate) async fn or_interrupted<T>(&mut self, work: impl Future<Output = T>) -> Result<T, u8> {
        tokio::select! {
            result = work => Ok(result),
            signal = self.next() => Err(code_of_signal(signal)),
        }
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&mut self) -> Signal {
        std::future::poll_fn(|cx| {
            for (signal, caught) in &mut self.0 {
                if caught.poll_recv(cx).is_ready() {
                    return std::task::Poll::Ready(*signal);
                }
            }
            std::task::Poll::Pending
        })
        .await
    }
}

/// Sends a signal to a child. Ignores errors: whoever waits for the child sees its exit.
pub(crate) fn send(signal: Signal, child: Option<u32>) {
    if let Some(id) = child.and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
        let _ = kill_process(id, signal);
    }
}

/// How a command's environment differs from that of this process. The default changes nothing.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    without: Vec<String>,
    with: Vec<(String, Secret)>,
    plain: Vec<(&'static str, OsString)>,
}

impl Environment {
    /// Removes these variables and [`CLIENT_SECRET`].
    pub(crate) fn without(names: &[&'static str]) -> Self {
        Self::default().unset([CLIENT_SECRET]).unset(names.iter().copied())
    }

    /// Removes these variables too.
    pub(crate) fn unset<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.without.extend(names.into_iter().map(Into::into));
        self
    }

    /// Sets these variables, which hold secrets. They replace existing values.
    pub(crate) fn with<N: Into<String>>(mut self, variables: impl IntoIterator<Item = (N, Secret)>) -> Self {
        self.with.extend(variables.into_iter().map(|(name, value)| (name.into(), value)));
        self
    }

    /// Sets a variable that holds no secret.
    pub(crate) fn with_plain(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.plain.push((name, value.into()));
        self
    }

    pub(crate) fn command(&self, program: &OsStr, arguments: &[OsString]) -> process::Command {
        let mut command = process::Command::new(program);
        command.args(arguments);
        for name in &self.without {
            command.env_remove(name);
        }
        command.envs(self.plain.iter().map(|(name, value)| (name, value)));
        command.envs(self.with.iter().map(|(name, value)| (name, value.reveal())));
        command
    }
}

/// Replaces this process with the command (execve). Returns only if the command cannot be started:
/// after a message, with the exit code 126 or 127 as a shell does. `hand_over` describes the credential
/// in its environment, for the audit log.
pub(crate) fn exec_command(
    command: &[OsString],
    environment: &Environment,
    hand_over: &HandOver,
    ctx: &Context,
) -> Result<u8, Failure> {
    let Some((program, arguments)) = command.split_first() else { return Ok(Exit::Usage as u8) };
    hand_over.begin(Recipient::Child(program))?;
    let source = with_original_limit(|| environment.command(program, arguments).exec());
    Ok(not_started(program, source, hand_over, ctx))
}

/// Runs a command as a child and returns its exit code as a shell does: 128 + n for a signal, 126
/// or 127 (after a message) if it cannot be started. If a signal has already arrived, the command
/// is not started.
pub(crate) async fn run_child(
    command: &[OsString],
    environment: &Environment,
    hand_over: &HandOver,
    signals: &mut Signals,
    ctx: &Context,
) -> Result<u8, Failure> {
    let Some((program, arguments)) = command.split_first() else { return Ok(Exit::Usage as u8) };
    if let Some(signal) = signals.pending().await {
        return Ok(code_of_signal(signal));
    }
    hand_over.begin(Recipient::Child(program))?;
    let mut command = Command::from(environment.command(program, arguments));
    let mut child = match with_original_limit(|| command.spawn()) {
        Ok(child) => child,
        Err(source) => return Ok(not_started(program, source, hand_over, ctx)),
    };
    loop {
        tokio::select! {
            status = child.wait() => {
                let program = program.to_string_lossy().into_owned();
                return Ok(status.map(code_of).map_err(|source| ChildError::Wait { program, source })?);
            }
            signal = signals.next() => {
                // Ctrl-C and Ctrl-\ reach the foreground process group, so the child has them.
                let from_keyboard = matches!(signal, Signal::INT | Signal::QUIT) && ctx.out.stdin_is_terminal();
                if !from_keyboard {
                    send(signal, child.id());
                }
            }
        }
    }
}

/// As [`run_child`], while `keep` renews what the command reads. If `keep` ends, the command
/// continues, and its result is printed as a warning.
pub(crate) async fn run_child_with_renewal(
    command: &[OsString],
    environment: &Environment,
    hand_over: &HandOver,
    signals: &mut Signals,
    keep: impl Future<Output = impl Explain>,
    ctx: &Context,
) -> Result<u8, Failure> {
    let keep = async {
        // On the heap, because the future of a renewal is large.
        ctx.out.warn(Box::pin(keep).await);
        std::future::pending::<Infallible>().await
    };
    tokio::select! {
        code = run_child(command, environment, hand_over, signals, ctx) => code,
        never = keep => match never {},
    }
}

fn not_started(program: &OsStr, source: io::Error, hand_over: &HandOver, ctx: &Context) -> u8 {
    let code = if source.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { CANNOT_RUN };
    let failure = Failure::from(NotStarted { program: program.to_string_lossy().into_owned(), source });
    hand_over.failed(Recipient::Child(program), failure.exit());
    failure.report_as(code, ctx);
    code
}

/// The exit code of shells for a command that a signal ended: 128 + n.
pub(crate) fn code_of_signal(signal: Signal) -> u8 {
    u8::try_from(128 + signal.as_raw()).unwrap_or(Exit::Failed as u8)
}

/// `exit code 1`, or `signal 9`.
pub(crate) fn how_it_ended(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

pub(crate) fn code_of(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(Exit::Failed as u8)
}

#[cfg(test)]
mod tests {
    use rustix::process::getpid;

    use super::*;
    use crate::context::Clock;
    use crate::output::Streams;

    #[test]
    fn a_command_is_not_started_after_a_signal() {
        let streams = Streams {
            stdin: Box::new(io::empty()),
            stdout: Box::new(io::sink()),
            stderr: Box::new(io::sink()),
            terminal: [false; 3],
            columns: None,
            stdin_is_device: false,
            stderr_is_pipe: false,
        };
        let ctx = Context::new([], Clock::System, None, streams);
        let home = tempfile::tempdir().unwrap();
        let marker = home.path().join("marker");
        let command = ["/usr/bin/env".into(), "touch".into(), marker.clone().into_os_string()];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let code = runtime.block_on(async {
            let mut signals = Signals::listen().unwrap();
            // From here on this process catches signals until its end. No other test sends any.
            let mut witness = Signals::listen().unwrap();
            kill_process(getpid(), Signal::TERM).unwrap();
            // Another thread may get the signal, after `kill` returns.
            assert_eq!(witness.next().await, Signal::TERM);
            run_child(&command, &Environment::default(), &HandOver::default(), &mut signals, &ctx)
                .await
                .unwrap()
        });
        assert_eq!((code, marker.exists()), (128 + 15, false));
        // Without a signal the command runs.
        let code = runtime.block_on(async {
            let mut signals = Signals::listen().unwrap();
            run_child(&command, &Environment::default(), &HandOver::default(), &mut signals, &ctx)
                .await
                .unwrap()
        });
        assert_eq!((code, marker.exists()), (0, true));
    }
}
