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

pub mod cli;
pub mod context;
pub mod diagnose;
pub mod error;
pub mod exchange;
pub mod http;
pub mod iam;
pub mod json;
pub mod jwt;
pub mod output;
pub mod secret;
pub mod shell;
pub mod sink;
pub mod source;
pub mod time;

mod commands;
#[cfg(feature = "dev")]
pub mod dev;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches};

pub use context::Context;
pub use error::Exit;

use output::Verbosity;

/// Runs one command line, `args[0]` included, and returns the exit code.
pub fn run(args: Vec<OsString>, mut ctx: Context) -> u8 {
    let args = cli::as_gp(args);
    let for_sdk = commands::is_for_google_sdk(&args, &ctx);
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
            commands::run(cli, &ctx).unwrap_or_else(|failure| report(&failure, &ctx))
        }
        Err(error) if error.use_stderr() && for_sdk => {
            let message = secret::redact_jwts(&error.render().to_string());
            commands::refuse_google_sdk(&message, &ctx).unwrap_or_else(|failure| report(&failure, &ctx))
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

fn report(failure: &error::Failure, ctx: &Context) -> u8 {
    failure.report(&ctx.out);
    failure.exit() as u8
}
