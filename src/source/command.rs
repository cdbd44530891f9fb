//! `command:CMD`: a token that a program prints, such as a vendor's own tool.
//!
//! CMD is a list of words, quoted as for a POSIX shell, but no shell runs it. The audience
//! replaces `{audience}` in a word.

use std::ffi::OsString;
use std::io;
use std::path::absolute;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process;
use zeroize::Zeroizing;

use super::{Argument, Audiences, TokenRequest, TokenSource, existing_token};
use crate::context::Context;
use crate::error::{Failure, UsageError};
use crate::exec::{Environment, how_it_ended};
use crate::exit::{Exit, Explain};
use crate::files::MAX_FILE;
use crate::http::Http;
use crate::jwt::IdToken;
use crate::settings::SourceOptions;
use crate::shell;
use crate::time;

const AUDIENCE: &str = "{audience}";
/// How long to wait for the last lines of stderr after the program has ended.
const STDERR_GRACE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(crate) struct Command(Vec<String>);

#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error("could not start `{program}`")]
    NotStarted {
        program: String,
        #[source]
        cause: io::Error,
    },
    #[error("`{program}` failed: {how}")]
    Failed { program: String, how: String },
    #[error("`{program}` did not end within {limit}")]
    TimedOut { program: String, limit: String },
    #[error("`{program}` printed more than {MAX_FILE} bytes")]
    TooLong { program: String },
    #[error("`{program}` printed something that is not UTF-8 text")]
    NotText { program: String },
}

impl Explain for CommandError {
    fn exit(&self) -> Exit {
        Exit::NoIdentity
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotStarted { .. } => {
                "check the name and `PATH`\nif the command needs a shell, write `command:sh -c '…'`".into()
            }
            Self::Failed { .. } => "run the program: it must print a token and exit with code 0".into(),
            Self::TimedOut { .. } => {
                "give it more time with `--timeout 2m`\nif it fails again, run the program alone to see what it waits for".into()
            }
            Self::TooLong { .. } | Self::NotText { .. } => "the program has to print a token and nothing else".into(),
        })
    }
}

impl Command {
    fn program(&self) -> String {
        self.0.first().cloned().unwrap_or_default()
    }

    /// Runs the program and returns its stdout. `IDP_AUDIENCE` also holds the audience, for a
    /// shell to expand.
    async fn run(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<String, CommandError> {
        let program = self.program();
        let words: Vec<OsString> =
            self.0.iter().map(|word| word.replace(AUDIENCE, wanted.first_audience()).into()).collect();
        let (name, arguments) = words.split_at(1);
        // `IDP_TOKEN_SOURCE` may have chosen this source. With it, a `gp` in the command would run
        // the command again, without end.
        let environment =
            Environment::without(&["IDP_TOKEN_SOURCE"]).with_plain("IDP_AUDIENCE", wanted.first_audience());
        let not_started = |cause| CommandError::NotStarted { program: program.clone(), cause };
        let mut child = process::Command::from(environment.command(&name[0], arguments))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(not_started)?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let mut printed = Zeroizing::new(Vec::new());
        let work = async {
            if let Some(stdout) = stdout {
                stdout.take(MAX_FILE + 1).read_to_end(&mut printed).await?;
            }
            child.wait().await
        };
        let mut said = String::new();
        let relay = relay(stderr, &mut said, http.ctx());
        let limit = http.deadline().at().into();
        let ended = {
            tokio::pin!(work, relay);
            // Child processes of the program may keep stderr open. `gp` does not wait for them.
            let both = async {
                tokio::select! {
                    status = &mut work => {
                        let _ = tokio::time::timeout(STDERR_GRACE, &mut relay).await;
                        status
                    }
                    () = &mut relay => work.await,
                }
            };
            tokio::time::timeout_at(limit, both).await
        };
        let Ok(status) = ended else {
            return Err(CommandError::TimedOut { program, limit: time::limit(http.deadline().limit()) });
        };
        let status = status.map_err(not_started)?;
        if printed.len() as u64 > MAX_FILE {
            return Err(CommandError::TooLong { program });
        }
        if !status.success() {
            let how = how_it_ended(status);
            let said = if said.is_empty() { said } else { format!(", and it says `{said}`") };
            return Err(CommandError::Failed { program, how: how + &said });
        }
        String::from_utf8(std::mem::take(&mut *printed)).map_err(|_| CommandError::NotText { program })
    }
}

/// The same command with an absolute path of the program, if the program is a path.
pub(super) fn absolute_program(command: &str) -> String {
    let words = shlex::split(command).filter(|words| words.first().is_some_and(|first| first.contains('/')));
    let whole = words.and_then(|mut words| {
        words[0] = absolute(&words[0]).ok()?.into_os_string().into_string().ok()?;
        Some(shell::command(&words))
    });
    whole.unwrap_or_else(|| command.to_owned())
}

/// Passes on a command's stderr line by line, and keeps the last line. The command gets a pipe and not this process's
/// stderr. Otherwise, a process that the command leaves behind would keep this stderr open for its reader.
async fn relay(stderr: Option<process::ChildStderr>, last: &mut String, ctx: &Context) {
    let Some(stderr) = stderr else { return };
    let mut lines = BufReader::new(stderr);
    let mut line = Vec::new();
    while (&mut lines).take(MAX_FILE).read_until(b'\n', &mut line).await.is_ok_and(|count| count > 0) {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        ctx.out.note(&text);
        if !text.is_empty() {
            *last = text;
        }
        line.clear();
    }
}

impl TokenSource for Command {
    const NAME: &'static str = "command";
    const MINTS: bool = false;
    const IS_FOUND: bool = false;
    const ARGUMENT: Argument = Argument::Required("CMD");

    fn from_context(argument: &str, _: &SourceOptions, _: &Context) -> Result<Self, Failure> {
        match shlex::split(argument) {
            Some(words) if !words.is_empty() => Ok(Self(words)),
            _ => Err(UsageError {
                message: "the command of `--source command:CMD` ends inside quotes".into(),
                hint: Some("close the quotes, or put a `\\` before a literal quote".into()),
            }
            .into()),
        }
    }

    fn audiences(&self) -> Audiences {
        let can_choose = self.0.iter().any(|word| word.contains(AUDIENCE));
        if can_choose { Audiences::One } else { Audiences::Fixed }
    }

    async fn id_token(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure> {
        // Boxed, because it would make the futures of all commands larger.
        let printed = Zeroizing::new(Box::pin(self.run(wanted, http)).await?);
        let remedy = "the command has to print a new token";
        Ok(existing_token::read(&printed, self.describe(), remedy, http.ctx())?)
    }

    fn fingerprint(&self, _: &Context) -> Option<Vec<String>> {
        None
    }

    fn audience_hint(&self, wanted: &TokenRequest) -> String {
        match self.audiences() {
            Audiences::Fixed => {
                format!("pass the audience to the command: write `{AUDIENCE}` at its place in the command")
            }
            _ => existing_token::audience_hint(&wanted.listed()),
        }
    }

    fn describe(&self) -> String {
        format!("the output of `{}`", self.program())
    }
}
