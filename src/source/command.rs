//! `command:CMD`: a token that a program prints, such as a vendor's own tool.
//!
//! CMD is a list of words, quoted as for a POSIX shell, and no shell runs it. `{audience}` in a word becomes the audience.

use std::io;
use std::process::Stdio;

use tokio::io::AsyncReadExt;
use tokio::process;

use super::{Argument, Audiences, TokenRequest, TokenSource, given};
use crate::context::Context;
use crate::error::{Failure, UsageError};
use crate::exec::Environment;
use crate::exit::{Exit, Explain};
use crate::files::MAX_FILE;
use crate::http::Http;
use crate::jwt::IdToken;
use crate::settings::SourceOptions;
use crate::time;

const AUDIENCE: &str = "{audience}";

#[derive(Debug)]
pub(crate) struct Command(Vec<String>);

#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error("could not run `{program}`")]
    NotRun {
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
            Self::NotRun { .. } => {
                "check the name and PATH; for what only a shell can do write `command:sh -c '…'`".into()
            }
            Self::Failed { .. } => "what it says stands above: run it alone to see the same".into(),
            Self::TimedOut { .. } => {
                "give it more time with `--timeout 2m`, or run it alone to see what it waits for".into()
            }
            Self::TooLong { .. } | Self::NotText { .. } => "it has to print a token and nothing else".into(),
        })
    }
}

impl Command {
    fn program(&self) -> String {
        self.0.first().cloned().unwrap_or_default()
    }

    async fn run(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<String, CommandError> {
        let program = self.program();
        let words =
            self.0.iter().map(|word| word.replace(AUDIENCE, wanted.first()).into()).collect::<Vec<_>>();
        let not_run = |cause| CommandError::NotRun { program: program.clone(), cause };
        let command =
            Environment::without(&[]).command((&words[0] as &std::ffi::OsString).as_ref(), &words[1..]);
        let mut child = process::Command::from(command)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(not_run)?;
        let mut printed = Vec::new();
        let stdout = child.stdout.take();
        let work = async {
            if let Some(stdout) = stdout {
                stdout.take(MAX_FILE + 1).read_to_end(&mut printed).await?;
            }
            child.wait().await
        };
        let ended = tokio::time::timeout_at(http.deadline().at().into(), work).await;
        let Ok(status) = ended else {
            let limit = time::limit(http.deadline().limit());
            return Err(CommandError::TimedOut { program, limit });
        };
        let status = status.map_err(not_run)?;
        if printed.len() as u64 > MAX_FILE {
            return Err(CommandError::TooLong { program });
        }
        if !status.success() {
            return Err(CommandError::Failed { program, how: status.to_string() });
        }
        String::from_utf8(printed).map_err(|_| CommandError::NotText { program })
    }
}

impl TokenSource for Command {
    const NAME: &'static str = "command";
    const ARGUMENT: Argument = Argument::Required("CMD");

    fn from_context(argument: &str, _: &SourceOptions, _: &Context) -> Result<Self, Failure> {
        match shlex::split(argument) {
            Some(words) if !words.is_empty() => Ok(Self(words)),
            _ => Err(UsageError {
                message: "the command of `--source command:CMD` ends inside quotes".into(),
                hint: Some("close the quotes, or put a `\\` before a quote that is meant as it is".into()),
            }
            .into()),
        }
    }

    fn audiences(&self) -> Audiences {
        let can_choose = self.0.iter().any(|word| word.contains(AUDIENCE));
        if can_choose { Audiences::One } else { Audiences::Fixed }
    }

    async fn id_token(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure> {
        let printed = zeroize::Zeroizing::new(self.run(wanted, http).await?);
        let remedy = "the command has to print a token that was made just now";
        Ok(given::read(&printed, self.describe(), remedy, http.ctx())?)
    }

    fn fingerprint(&self, _: &Context) -> Vec<String> {
        self.0.clone()
    }

    fn audience_hint(&self, wanted: &TokenRequest) -> String {
        match self.audiences() {
            Audiences::Fixed => format!("give the command the audience: write `{AUDIENCE}` where it belongs"),
            _ => given::audience_hint(&wanted.listed()),
        }
    }

    fn describe(&self) -> String {
        format!("the output of `{}`", self.program())
    }
}
