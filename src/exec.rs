//! A command with credentials in its environment: in place of this process, or beside it with signals passed on
//! and its exit code passed back.

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

/// Shells' code for a program that cannot be run.
const CANNOT_RUN: u8 = 126;
/// Shells' code for a program that is not there.
const NOT_FOUND: u8 = 127;

/// The variable with the secret of an OAuth client. It is for this program: no command needs it.
pub(crate) const CLIENT_SECRET: &str = "IDP_CLIENT_SECRET";

/// The child could not be looked after.
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
#[error("could not run `{program}`")]
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
            io::ErrorKind::NotFound => {
                Some("check its name and PATH; a shell's own words need one: `-- sh -c '…'`".into())
            }
            io::ErrorKind::PermissionDenied => {
                Some(format!("make it executable: `{}`", shell::command(&["chmod", "+x", &self.program])))
            }
            _ => Some(
                "most likely it is a program for another system, or its first line (`#!`) names no program: try it without `gp`"
                    .into(),
            ),
        }
    }
}

/// The signals that people, shells and init systems end a command with, caught as long as this lives.
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

    /// The one that came since this began to listen, if any.
    async fn arrived(&mut self) -> Option<Signal> {
        // What the kernel has delivered reaches the streams once the runtime has looked for input.
        tokio::time::timeout(Duration::from_millis(1), self.next()).await.ok()
    }

    /// The result of `work`, or the exit code for a signal that came before.
    pub(crate) async fn or_interrupted<T>(&mut self, work: impl Future<Output = T>) -> Result<T, u8> {
        tokio::select! {
            result = work => Ok(result),
            signal = self.next() => Err(code_of_signal(signal)),
        }
    }

    /// Waits for the next one.
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

/// Sends a signal to a child, if it has not ended: that it has is seen by whoever waits for it.
pub(crate) fn send(signal: Signal, child: Option<u32>) {
    if let Some(id) = child.and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
        let _ = kill_process(id, signal);
    }
}

/// What a command's environment has other than this process's own. The default changes nothing.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    without: Vec<String>,
    with: Vec<(String, Secret)>,
    plain: Vec<(&'static str, OsString)>,
}

impl Environment {
    /// Everything but these variables and [`CLIENT_SECRET`].
    pub(crate) fn without(names: &[&'static str]) -> Self {
        Self::default().unset([CLIENT_SECRET]).unset(names.iter().copied())
    }

    /// None of these, whatever was there before.
    pub(crate) fn unset<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.without.extend(names.into_iter().map(Into::into));
        self
    }

    /// These too, whatever was there before.
    pub(crate) fn with<N: Into<String>>(mut self, variables: impl IntoIterator<Item = (N, Secret)>) -> Self {
        self.with.extend(variables.into_iter().map(|(name, value)| (name.into(), value)));
        self
    }

    /// One that is no secret.
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

/// Becomes the command: nothing of this process is left, so signals and exit code are the command's own. Returns
/// (after a message) only when it cannot be started, with 126 or 127 as a shell would. `given` is what its environment
/// holds.
pub(crate) fn become_command(
    command: &[OsString],
    environment: &Environment,
    given: &HandOver,
    ctx: &Context,
) -> Result<u8, Failure> {
    let Some((program, arguments)) = command.split_first() else { return Ok(Exit::Usage as u8) };
    given.begin(Recipient::Child(program))?;
    let source = with_original_limit(|| environment.command(program, arguments).exec());
    Ok(not_started(program, source, given, ctx))
}

/// Runs a command to its end and returns its exit code as a shell would: 128 + n for a signal, 126 or 127 (after
/// a message) when it cannot be started. A signal that has already come keeps it from being started.
pub(crate) async fn run_beside(
    command: &[OsString],
    environment: &Environment,
    given: &HandOver,
    signals: &mut Signals,
    ctx: &Context,
) -> Result<u8, Failure> {
    let Some((program, arguments)) = command.split_first() else { return Ok(Exit::Usage as u8) };
    if let Some(signal) = signals.arrived().await {
        return Ok(code_of_signal(signal));
    }
    given.begin(Recipient::Child(program))?;
    let mut command = Command::from(environment.command(program, arguments));
    let mut child = match with_original_limit(|| command.spawn()) {
        Ok(child) => child,
        Err(source) => return Ok(not_started(program, source, given, ctx)),
    };
    loop {
        tokio::select! {
            status = child.wait() => {
                let program = program.to_string_lossy().into_owned();
                return Ok(status.map(code_of).map_err(|source| ChildError::Wait { program, source })?);
            }
            signal = signals.next() => {
                // Ctrl-C and Ctrl-\ reach the whole foreground group: the child already has them.
                let from_keyboard = matches!(signal, Signal::INT | Signal::QUIT) && ctx.out.stdin_is_terminal();
                if !from_keyboard {
                    send(signal, child.id());
                }
            }
        }
    }
}

/// As [`run_beside`], while `keep` keeps fresh what the command reads. Where that ends, the command goes on.
pub(crate) async fn run_beside_keeping(
    command: &[OsString],
    environment: &Environment,
    given: &HandOver,
    signals: &mut Signals,
    keep: impl Future<Output = impl Explain>,
    ctx: &Context,
) -> Result<u8, Failure> {
    let keep = async {
        // On the heap: it holds everything that a renewal takes.
        ctx.out.warn(Box::pin(keep).await);
        std::future::pending::<Infallible>().await
    };
    tokio::select! {
        code = run_beside(command, environment, given, signals, ctx) => code,
        never = keep => match never {},
    }
}

fn not_started(program: &OsStr, source: io::Error, given: &HandOver, ctx: &Context) -> u8 {
    let code = if source.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { CANNOT_RUN };
    let failure = Failure::from(NotStarted { program: program.to_string_lossy().into_owned(), source });
    given.failed(Recipient::Child(program), failure.exit());
    failure.report_as(code, ctx);
    code
}

/// What shells make of a signal.
pub(crate) fn code_of_signal(signal: Signal) -> u8 {
    u8::try_from(128 + signal.as_raw()).unwrap_or(Exit::Failed as u8)
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
    fn a_signal_ahead_of_the_command_keeps_it_from_being_started() {
        let streams = Streams {
            stdin: Box::new(io::empty()),
            stdout: Box::new(io::sink()),
            stderr: Box::new(io::sink()),
            terminal: [false; 3],
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
            // Caught from here on, in this process and to its end: no other test sends any.
            kill_process(getpid(), Signal::TERM).unwrap();
            run_beside(&command, &Environment::default(), &HandOver::default(), &mut signals, &ctx)
                .await
                .unwrap()
        });
        assert_eq!((code, marker.exists()), (128 + 15, false));
        // Without one it runs.
        let code = runtime.block_on(async {
            let mut signals = Signals::listen().unwrap();
            run_beside(&command, &Environment::default(), &HandOver::default(), &mut signals, &ctx)
                .await
                .unwrap()
        });
        assert_eq!((code, marker.exists()), (0, true));
    }
}
