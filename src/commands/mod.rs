//! One command a file: they fetch, hand over and report, and leave the work to the modules below.

mod aws;
mod azure;
mod completion;
mod decode;
#[cfg(feature = "dev")]
mod dev;
mod doctor;
mod exchange;
mod exec_token;
mod gcp;
mod keep_fresh;
mod kubernetes;
mod pass_through;
mod renewal;
mod token;
mod trade;
mod trust;
mod vault;
mod verify;

pub(crate) use gcp::executable::{is_for_sdk as is_for_google_sdk, refuse as refuse_google_sdk};

use crate::cli::{Cli, Command, Exec, Login, Logout, Serve, Verb};
use crate::context::Context;
use crate::error::{Exit, Failure};

/// Runs what was asked for and returns the exit code: ours, or that of a child.
pub(crate) fn run(cli: Cli, ctx: &Context) -> Result<u8, Failure> {
    let done = |()| Exit::Done as u8;
    match cli.into_command() {
        Command::Idp(idp) => match idp.into_verb() {
            Verb::Token(args) => wait_for(token::run(&args, ctx))?,
            Verb::Decode(args) => decode::run(&args, ctx).map(done),
            Verb::Verify(args) => wait_for(verify::run(&args, ctx))?.map(done),
            Verb::Login(Login::Aws(args)) | Verb::LoginAws(args) => aws::login::run(&args, ctx).map(done),
            Verb::Login(Login::Kubernetes(args)) | Verb::LoginKubernetes(args) => {
                kubernetes::run(&args, ctx).map(done)
            }
            Verb::Login(Login::Gcp(args)) | Verb::LoginGcp(args) => gcp::login::run(&args, ctx),
            Verb::Login(Login::Azure(args)) | Verb::LoginAzure(args) => azure::login::run(&args, ctx),
            Verb::Exec(Exec::Azure(args)) => azure::exec::run(&args, ctx),
            Verb::GcloudToken(args) => wait_for(gcp::executable::run(&args, ctx))?,
            Verb::Exec(Exec::Gcp(args)) => gcp::exec::run(&args, ctx),
            Verb::Exchange(args) => wait_for(exchange::run(&args, ctx))?.map(done),
            Verb::Exec(Exec::Token(args)) => exec_token::run(&args, ctx),
            Verb::Exec(Exec::Exchange(args)) => exchange::exec::run(&args, ctx),
            Verb::Login(Login::Vault(args)) | Verb::LoginVault(args) => {
                vault::login::run(&args, ctx).map(done)
            }
            Verb::Logout(Logout::Vault(args)) => vault::logout::run(&args, ctx).map(done),
            Verb::Exec(Exec::Vault(args)) => vault::exec::run(&args, ctx),
            Verb::Exec(Exec::Aws(args)) => aws::exec::run(&args, ctx),
            Verb::Serve(Serve::Aws(args)) => wait_for(aws::serve::run(&args, ctx))?,
            Verb::Doctor(args) => wait_for(doctor::run(&args, ctx))?,
            Verb::Trust(trust) => wait_for(trust::run(&trust, ctx))?.map(|exit| exit as u8),
            #[cfg(feature = "dev")]
            Verb::Dev(args) => wait_for(dev::run(args, ctx))?,
        },
        Command::Completion { shell } => completion::run(shell, ctx).map(done),
        Command::Other(args) => pass_through::run(&args, ctx),
    }
}

/// Runs a command that uses the network, on this thread.
fn wait_for<T>(future: impl Future<Output = T>) -> Result<T, RuntimeError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(RuntimeError)?;
    let result = runtime.block_on(future);
    // A name that is still being resolved must not hold up the exit.
    runtime.shutdown_background();
    Ok(result)
}

#[derive(Debug, thiserror::Error)]
#[error("the system gives no resources for network input and output")]
struct RuntimeError(#[source] std::io::Error);

impl crate::error::Explain for RuntimeError {
    fn exit(&self) -> Exit {
        Exit::Failed
    }
}
