//! Runs the command. Each verb that belongs to no target has a file here. All others are in the
//! folder of their target.

mod completion;
mod decode;
#[cfg(feature = "dev")]
mod dev;
mod doctor;
mod exec_token;
pub(crate) mod pass_through;
mod token;
mod verify;

use std::path::Path;

use crate::cli::{Cli, Command, Exec, Login, Logout, Serve, Trust, Verb};
use crate::context::Context;
use crate::error::{Failure, UsageError};
use crate::exit::Exit;
use crate::jwt::decode::MAX_TOKEN;
use crate::secret::Secret;
use crate::shell::posix_quote;
use crate::target::{aws, azure, gcp, kubernetes, oauth, vault};

/// The maximum size of the input in bytes: a token, the header lines around it and white space.
const MAX_INPUT: usize = MAX_TOKEN + 4096;

/// Reads a token from the argument `given`. For `-` or no argument, reads stdin. The token may
/// have other text around it. `command` is the command to show in a hint.
fn token_text(given: Option<&str>, command: &str, ctx: &Context) -> Result<Secret, Failure> {
    match given {
        Some(text) if text != "-" => {
            refuse_file_name(text, command)?;
            Ok(Secret::new(text.to_owned()))
        }
        _ => Ok(Secret::new(ctx.out.read_stdin(MAX_INPUT)?)),
    }
}

/// Refuses an argument that is the name of a file, or `@FILE` as for curl. Other text is not
/// repeated in the error, because it may be a secret.
fn refuse_file_name(text: &str, command: &str) -> Result<(), UsageError> {
    let name = text.strip_prefix('@').unwrap_or(text);
    if Path::new(name).metadata().is_ok_and(|found| !found.is_dir()) {
        return Err(UsageError {
            message: "this is a file, not a token".into(),
            hint: Some(format!("give its content: `{command} < {}`", posix_quote(name))),
        });
    }
    if ["/", "./", "../", "~/"].iter().any(|start| name.starts_with(start)) {
        return Err(UsageError {
            message: "this is not a token: it looks like the path of a file, and there is no such file"
                .into(),
            hint: Some(format!("correct the path, and give the content of the file: `{command} < FILE`")),
        });
    }
    Ok(())
}

/// Runs the command. Returns the exit code of this program, or that of a child process.
pub(crate) async fn run(cli: Cli, ctx: &Context) -> Result<u8, Failure> {
    let done = |()| Exit::Done;
    let exit = match cli.into_command() {
        Command::Idp(idp) => match idp.into_verb() {
            Verb::Token(args) => token::run(&args, ctx).await.map(done)?,
            Verb::Decode(args) => decode::run(&args, ctx).map(done)?,
            Verb::Verify(args) => verify::run(&args, ctx).await.map(done)?,
            Verb::Login(Login::Aws(args)) | Verb::LoginAws(args) => {
                aws::login::run(&args, ctx).await.map(done)?
            }
            Verb::Login(Login::Kubernetes(args)) | Verb::LoginKubernetes(args) => {
                return kubernetes::login::run(&args, ctx).await;
            }
            Verb::Login(Login::Gcp(args)) | Verb::LoginGcp(args) => {
                gcp::login::run(&args, ctx).await.map(done)?
            }
            Verb::Login(Login::Azure(args)) | Verb::LoginAzure(args) => {
                azure::login::run(&args, ctx).await.map(done)?
            }
            Verb::Login(Login::Vault(args)) | Verb::LoginVault(args) => {
                vault::login::run(&args, ctx).await.map(done)?
            }
            Verb::GcloudToken(args) => gcp::executable::run(&args, ctx).await.map(done)?,
            Verb::Exchange(args) => oauth::run(&args, ctx).await.map(done)?,
            Verb::Logout(Logout::Vault(args)) => vault::logout::run(&args, ctx).await.map(done)?,
            Verb::Exec(Exec::Aws(args)) => return aws::exec::run(&args, ctx).await,
            Verb::Exec(Exec::Azure(args)) => return azure::exec::run(&args, ctx).await,
            Verb::Exec(Exec::Gcp(args)) => return gcp::exec::run(&args, ctx).await,
            Verb::Exec(Exec::Exchange(args)) => return oauth::exec::run(&args, ctx).await,
            Verb::Exec(Exec::Token(args)) => return exec_token::run(&args, ctx).await,
            Verb::Exec(Exec::Vault(args)) => return vault::exec::run(&args, ctx).await,
            Verb::Serve(Serve::Aws(args)) => return Box::pin(aws::serve::run(&args, ctx)).await,
            Verb::Doctor(args) => doctor::run(&args, ctx).await?,
            Verb::Trust(Trust::Aws(args)) => aws::trust::run(&args, ctx).await?,
            Verb::Trust(Trust::Vault(args)) => vault::trust::run(&args, ctx).await?,
            Verb::Trust(Trust::Gcp(args)) => gcp::trust::run(&args, ctx).await?,
            Verb::Trust(Trust::Azure(args)) => azure::trust::run(&args, ctx).await?,
            Verb::Trust(Trust::Kubernetes(args)) => kubernetes::trust::run(&args, ctx).await?,
            #[cfg(feature = "dev")]
            Verb::Dev(args) => return dev::run(args.0, ctx).await,
        },
        Command::Completion { shell } => completion::run(shell, ctx).map(done)?,
        Command::Other(args) => return pass_through::run(&args, ctx),
    };
    Ok(exit as u8)
}
