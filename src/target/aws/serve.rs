//! `gp idp serve aws`

use std::fs;
use std::io;
use std::path::Path;
use std::process::{self, Stdio};

use rustix::process::Signal;
use rustix::stdio::{dup2_stderr, dup2_stdout};
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::args::ServeAwsArgs;
use super::container::Endpoint;
use super::install::warn_of_rivals;
use super::profile::{FileKind, Source, Store};
use super::{AssumeRole, Aws};
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exec::{self, Signals};
use crate::exit::{Exit, Explain};
use crate::files;
use crate::renew::{SourceEnded, for_parent};
use crate::secret::Secret;
use crate::session::Session;
use crate::sink::formats::{ShellFormat, Variable, shell_lines};
use crate::sink::{KeepFreshLock, write_private};
use crate::target::{Target, warn_of_conflicts};

/// The variable with the id of the process to stop, like `SSH_AGENT_PID`.
const PID_VARIABLE: &str = "IDP_SERVE_PID";

/// Set for the background process, which has the same command line.
const DETACHED: &str = "GP_DETACHED";

/// The background process prints this on stdout when it has written the file.
const READY: &str = "ready\n";

#[derive(Debug, thiserror::Error)]
#[error("a system call for the background process failed")]
struct DetachError(#[source] io::Error);

impl Explain for DetachError {
    fn exit(&self) -> Exit {
        Exit::Failed
    }
}

/// Serves until interrupted. Prints or writes the address as soon as the endpoint has credentials.
pub(crate) async fn run(args: &ServeAwsArgs, ctx: &Context) -> Result<u8, Failure> {
    let detached = args.detach && ctx.is_set(DETACHED);
    if args.detach && !detached {
        return detach(ctx).await;
    }
    let request = Aws::request(&args.aws, ctx)?;
    let mut signals = Signals::listen()?;
    // The file is claimed before credentials are requested. If another process already keeps this
    // file, no request is sent.
    let action = || "write the address of the endpoint".to_owned();
    let file = match &args.output {
        Some(path) => Some(KeepFreshLock::take(path).await.could_not(action)?),
        None => None,
    };
    let session = Session::for_target::<Aws>(ctx, &request)?;
    let begin = async {
        let end = session.source_end(&request.token).await?;
        let credentials = session.obtain::<Aws>(&request).await?.credential;
        let arn = credentials.assumed_role_arn.clone();
        let endpoint = Endpoint::open(args.port, credentials, &session).await;
        let endpoint = endpoint.could_not(|| "serve AWS credentials".to_owned())?;
        let mut variables = endpoint.environment(request.endpoint.named_region.as_deref());
        if let Some(file) = &file {
            variables.push((PID_VARIABLE, Secret::new(process::id().to_string())));
            let lines = shell_lines(&variables, ShellFormat::Env);
            write_private(file.path(), lines.as_bytes(), session.deadline()).await.could_not(action)?;
        } else {
            ctx.out.lines(&shell_lines(&variables, ShellFormat::Env))?;
        }
        warn_of_preferred_credentials(&request, ctx)?;
        if args.detach {
            ctx.out.note(format!("serving {arn} until `kill {}`", process::id()));
        } else {
            ctx.out.note(format!("serving {arn} until interrupted"));
        }
        if detached {
            ctx.out.lines(READY)?;
            redirect_output_to_null().could_not(|| "continue in the background".to_owned())?;
        }
        Ok::<_, Failure>((endpoint, variables, end))
    };
    // A signal is the usual way to stop this command, so it is no error.
    let Ok(begun) = signals.or_interrupted(begin).await else { return Ok(0) };
    let (endpoint, variables, end) = begun?;
    let keep = endpoint.keep_fresh(&session, &request, end);
    let ended = match file {
        Some(_) if !args.detach => for_parent(signals, keep, ctx).await,
        _ => Box::pin(until_interrupted(signals, keep)).await,
    };
    if let Some(file) = file {
        remove(file.path(), &variables);
    }
    ended.map(|()| 0)
}

/// Redirects stdout and stderr to /dev/null, so that their readers get the end of the output.
fn redirect_output_to_null() -> Result<(), DetachError> {
    let dev_null = fs::OpenOptions::new().write(true).open("/dev/null");
    dev_null
        .and_then(|dev_null| Ok(dup2_stderr(&dev_null).and_then(|()| dup2_stdout(&dev_null))?))
        .map_err(DetachError)
}

async fn until_interrupted(
    mut signals: Signals,
    keep: impl Future<Output = SourceEnded>,
) -> Result<(), Failure> {
    signals.or_interrupted(keep).await.map_or(Ok(()), |ended| Err(ended.into()))
}

/// Removes the file if its content is unchanged: the endpoint in it no longer exists.
fn remove(path: &Path, variables: &[Variable]) {
    let written = shell_lines(variables, ShellFormat::Env);
    let is_ours = files::read_text(path, files::MAX_FILE).is_ok_and(|text| *text == written);
    if is_ours && let Ok(path) = fs::canonicalize(path) {
        // If this fails, the file names an address that refuses connections.
        let _ = fs::remove_file(path);
    }
}

/// Warns about all credential settings that SDKs prefer to an endpoint.
fn warn_of_preferred_credentials(request: &AssumeRole, ctx: &Context) -> Result<(), Failure> {
    // The printed lines set the first variable, and the second one has no effect without a token file.
    let harmless = ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_ROLE_ARN"];
    let set = Aws::CONFLICTING_VARIABLES.iter().copied();
    let set: Vec<_> = set.filter(|name| ctx.is_set(name) && !harmless.contains(name)).collect();
    warn_of_conflicts(&set, "SDKs", "this endpoint", ctx);
    for kind in [FileKind::Config, FileKind::Credentials] {
        let store = Store::find(kind, ctx)?;
        let read = store.read().could_not(|| "look for other credentials".to_owned())?;
        warn_of_rivals(&read.rivals(&request.profile, Source::Endpoint), &store, "this endpoint", ctx);
    }
    Ok(())
}

/// Runs the same command in the background. Returns 0 as soon as the background process has written
/// the file, or the exit code of that process if it ends before.
async fn detach(ctx: &Context) -> Result<u8, Failure> {
    let action = || "serve AWS credentials in the background".to_owned();
    let mut command = process::Command::new(ctx.own_path()?);
    // A process group of its own, so that Ctrl-C in the terminal does not reach it.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.args(&ctx.command_line()[1..]).env(DETACHED, "1").stdin(Stdio::null()).stdout(Stdio::piped());
    let mut signals = Signals::listen()?;
    let mut child = Command::from(command).spawn().map_err(DetachError).could_not(action)?;
    let pid = child.id();
    let ready = async {
        let mut output = String::new();
        if let Some(mut stdout) = child.stdout.take() {
            stdout.read_to_string(&mut output).await?;
        }
        if output == READY { Ok(0) } else { child.wait().await.map(exec::code_of) }
    };
    match signals.or_interrupted(ready).await {
        Ok(code) => code.map_err(DetachError).could_not(action),
        // An interrupt also stops the background process, which then removes its file.
        Err(code) => {
            exec::send(Signal::TERM, pid);
            Ok(code)
        }
    }
}
