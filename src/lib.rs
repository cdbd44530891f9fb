//! A workspace's identity as an OIDC ID token, and that token as short-lived credentials.
//!
//! A [source](source) gives an ID token for an audience; a [sink](sink) puts it somewhere and returns a
//! receipt:
//!
//! ```text
//! arguments -> (token source, audience) -> ID token -> sink -> receipt
//! ```
//!
//! Imports point downwards: `commands` -> `sink`, `source`, `dev` -> `jwt`, `http` -> `context`, `output`,
//! `error`. Everything that the process was given is in [`Context`], so any command can be run by a test
//! with an environment, a clock and streams of its own.

pub mod args;
pub mod cli;
pub mod context;
#[cfg(feature = "dev")]
pub mod dev;
pub mod doctor;
pub mod error;
pub mod exchange;
pub mod exec;
pub mod exit;
pub mod files;
mod glob;
pub mod http;
pub mod json;
pub mod jwt;
pub mod output;
pub mod renew;
pub mod secret;
pub mod session;
pub mod settings;
pub mod shell;
pub mod sink;
pub mod source;
pub mod target;
pub mod time;
pub mod trust;
mod verbs;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches};

pub use context::Context;
pub use exit::Exit;

use error::Failure;
use output::Verbosity;

/// Runs one command line, `args[0]` included, and returns the exit code.
pub fn run(args: Vec<OsString>, mut ctx: Context) -> u8 {
    let args = cli::as_gp(args);
    let for_sdk = target::gcp::executable::is_for_sdk(&args, &ctx);
    // The colours are decided below, for each stream by what it is.
    let parsed = cli::Cli::command()
        .color(clap::ColorChoice::Always)
        .try_get_matches_from(args)
        .and_then(|matches| cli::Cli::from_arg_matches(&matches));
    let text = |rendered: clap::builder::StyledStr, paint: output::Paint| {
        if paint.0 { rendered.ansi().to_string() } else { rendered.to_string() }
    };
    match parsed {
        Ok(cli) => {
            ctx.out.set_verbosity(if for_sdk { Verbosity::Quiet } else { cli.verbosity() });
            wait_for(verbs::run(cli, &ctx)).unwrap_or_else(|failure| report(&failure, &ctx))
        }
        Err(error) if error.use_stderr() && for_sdk => {
            let message = secret::redact_jwts(&error.render().to_string());
            match target::gcp::executable::refuse(&message, &ctx) {
                Ok(()) => Exit::Done as u8,
                Err(failure) => report(&failure, &ctx),
            }
        }
        Err(error) if error.use_stderr() => {
            // clap repeats what was typed, and that may be a token at the wrong place.
            ctx.out.error(&secret::redact_jwts(&text(error.render(), ctx.out.paint_stderr())));
            Exit::Usage as u8
        }
        Err(help) => match ctx.out.data(&text(help.render(), ctx.out.paint())) {
            Ok(()) => Exit::Done as u8,
            Err(error) => report(&error.into(), &ctx),
        },
    }
}

/// Runs the command on this thread: the one async runtime of the process.
fn wait_for(command: impl Future<Output = Result<u8, Failure>>) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(RuntimeError)?;
    let result = runtime.block_on(command);
    // A name that is still being resolved must not delay the exit.
    runtime.shutdown_background();
    result
}

#[derive(Debug, thiserror::Error)]
#[error("the system gives no resources for network input and output")]
struct RuntimeError(#[source] std::io::Error);

impl exit::Explain for RuntimeError {
    fn exit(&self) -> Exit {
        Exit::Failed
    }
}

fn report(failure: &Failure, ctx: &Context) -> u8 {
    failure.report(&ctx.out);
    failure.exit() as u8
}
