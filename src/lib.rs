//! Mints OIDC ID tokens for a workspace and exchanges them for short-lived credentials.
//!
//! How a command line is run:
//!
//! ```text
//! argv ── cli ── target::<name>::args ── Target::request ──┐
//!                                                          ▼
//! env, files, clock ── context ── source ── session ── Session::obtain ── sink, exec, stdout
//!                                   │                      │
//!                                   └── ID token ── Target::exchange
//!                                                          │
//!                                                    exchange::ask ── http ── the wire
//! ```
//!
//! - [`source`] mints an ID token for the audience that the request names.
//! - [`target`] has one folder for each service, called a target folder. Everything about AWS is in
//!   `target/aws`. Target folders do not import each other. The core does not import them: only the
//!   command tree and the code that runs it do. The `exchange` module of a target imports only the
//!   request of that target and the core's `exchange`, `http`, `jwt`, `json`, `secret`, `settings`,
//!   `shell`, `time` and errors: no arguments, no files, no session.
//! - Everything else is the core. It implements each mechanism once (settings, URLs, deadlines,
//!   retries, refusals, files, locks, renewal, child processes, output).
//! - `verbs` holds the commands that belong to no target. [`doctor`] and [`trust`] hold the code
//!   that their commands share.
//! - [`dev`] is a workspace on loopback, for people and for tests. It checks tokens with its own
//!   code, except for the rules of IAM and of Vault's roles, which are tested against moto and
//!   OpenBao.
//!
//! [`Context`] holds the environment, clock and streams of the process, so a test can run any
//! command with its own. `tests/layout.rs` checks the imports.
//!
//! # Example
//!
//! Mint a token in a local workspace and assume an AWS role with it:
//!
//! ```
//! use gp_idp::dev::{DEV_ROLE, Options, SigningKey, Workspace};
//! use gp_idp::error::Failure;
//! use gp_idp::session::Session;
//! use gp_idp::settings::SessionOptions;
//! use gp_idp::source::TokenRequest;
//! use gp_idp::target::{Target, aws::Aws};
//! use gp_idp::{Context, args};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Failure> {
//! let workspace = Workspace::start(Options::default(), SigningKey::generate()?).await?;
//! let home = ["HOME", "/home/you"].map(str::to_owned).into();
//! let ctx = Context::silent(workspace.environment().into_iter().chain([home]));
//!
//! let session = Session::open(&ctx, &SessionOptions::default())?;
//! let token = session.id_token(&TokenRequest::for_audience("https://api.example.org")).await?;
//! assert_eq!(token.claims().for_messages().audience, ["https://api.example.org"]);
//!
//! let request = Aws::request(&args::parse(&["--role-arn", DEV_ROLE])?, &ctx)?;
//! let session = Session::for_target::<Aws>(&ctx, &request)?;
//! let credential = session.obtain::<Aws>(&request).await?.credential;
//! assert!(credential.access_key_id.starts_with("ASIA"));
//! # Ok(())
//! # }
//! ```

pub mod args;
pub mod audit;
pub mod cli;
pub mod context;
#[cfg(feature = "dev")]
pub mod dev;
mod doctor;
pub mod error;
pub mod exchange;
mod exec;
pub mod exit;
mod files;
#[cfg(fuzzing)]
pub mod fuzz;
mod glob;
pub mod hardening;
pub mod http;
mod json;
pub mod jwt;
mod listener;
mod mask;
pub mod output;
mod redact;
mod renew;
mod report;
pub mod secret;
pub mod session;
pub mod settings;
mod shell;
mod single_flight;
mod sink;
pub mod source;
pub mod target;
mod time;
mod trust;
mod verbs;
mod yaml;

use std::ffi::OsString;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches};

pub use context::Context;
pub use exit::Exit;

use error::Failure;
use output::Verbosity;

/// Runs one command line and returns the exit code. `args[0]` is the program's name.
pub fn run(args: Vec<OsString>, mut ctx: Context) -> u8 {
    ctx.set_invoked(args.first());
    let mut args = cli::normalised(args);
    ctx.set_command_line(&args);
    // The text is rendered with or without colours below, depending on the stream.
    let parse = |args: &[OsString]| {
        cli::Cli::command()
            .color(clap::ColorChoice::Always)
            .try_get_matches_from(args)
            .and_then(|matches| Ok((cli::Cli::from_arg_matches(&matches)?, cli::names(&matches))))
    };
    let mut parsed = parse(&args);
    let is_wrong = parsed.as_ref().is_err_and(clap::Error::use_stderr);
    if let Some(rewritten) = is_wrong.then(|| cli::pflag::rewritten(&args)).flatten() {
        args = rewritten;
        parsed = parse(&args);
    }
    let for_sdk = target::gcp::executable::is_for_sdk(&args, &ctx);
    let parsed = parsed.map_err(|mut error| {
        cli::suggestion::suggest(&mut error, &args);
        cli::suggestion::sanitise_error(&mut error, &args);
        error
    });
    let names = match &parsed {
        Ok((_, names)) => names.clone(),
        Err(_) => cli::names_before_error(&args),
    };
    ctx.set_command(cli::command(&names), cli::target(&names));
    match wants_json_errors(&args, &ctx) {
        Ok(true) => ctx.out.set_json_lines(),
        // Only the commands of `gp idp` have this setting.
        Err(error) if ctx.command().is_some() => return report(&error, &ctx),
        Ok(false) | Err(_) => {}
    }
    let text = |rendered: clap::builder::StyledStr, paint: output::Paint| {
        if paint.0 { rendered.ansi().to_string() } else { rendered.to_string() }
    };
    match parsed {
        Ok((cli, _)) => {
            // kubectl shows everything that a plugin writes to stderr, so the plugin writes to stderr only after a
            // failure.
            let quiet = for_sdk || ctx.caller() == Some(context::Caller::Kubectl);
            ctx.out.set_verbosity(match cli.verbosity() {
                Verbosity::Verbose if !for_sdk => Verbosity::Verbose,
                _ if quiet => Verbosity::Quiet,
                verbosity => verbosity,
            });
            run_to_completion(verbs::run(cli, &ctx), &ctx).unwrap_or_else(|failure| report(&failure, &ctx))
        }
        Err(error) if error.use_stderr() && for_sdk => {
            ctx.shorten_input();
            match target::gcp::executable::refuse(&ctx.out.for_people(&error.render().to_string()), &ctx) {
                Ok(()) => Exit::Done as u8,
                Err(failure) => report(&failure, &ctx),
            }
        }
        Err(error) if error.use_stderr() && ctx.out.has_json_lines() => {
            report(&usage(&error.render().to_string()).into(), &ctx)
        }
        Err(error) if error.use_stderr() => {
            // A token may be on the command line by mistake.
            ctx.shorten_input();
            let paint = ctx.out.paint_stderr();
            let shown = text(error.render(), paint);
            ctx.out.error(&if ctx.out.stderr_is_terminal() {
                shown
            } else {
                with_error_in_last_line(&shown, &error.render().to_string(), paint)
            });
            Exit::Usage as u8
        }
        Err(_) if matches!(&args[1..], [word] if word == "--help" || word == "-h") => {
            let help = cli::help_with_next_gp(verbs::pass_through::next(&ctx, &[]).as_deref());
            match ctx.out.data(&text(help, ctx.out.paint())) {
                Ok(()) => Exit::Done as u8,
                Err(error) => report(&error.into(), &ctx),
            }
        }
        Err(help) => match ctx.out.data(&text(help.render(), ctx.out.paint())) {
            Ok(()) => Exit::Done as u8,
            Err(error) => report(&error.into(), &ctx),
        },
    }
}

/// Whether errors are printed as JSON: by `--error-format`, else by `IDP_ERROR_FORMAT`.
fn wants_json_errors(args: &[OsString], ctx: &Context) -> Result<bool, Failure> {
    if let Some(format) = cli::ErrorFormat::of_flag(args) {
        return Ok(format == cli::ErrorFormat::Json);
    }
    match ctx.var("IDP_ERROR_FORMAT")? {
        Some("json") => Ok(true),
        Some("text") | None => Ok(false),
        Some(_) => Err(settings::invalid_setting("IDP_ERROR_FORMAT", "write `json` or `text`").into()),
    }
}

/// clap's message for a wrong command line as an error: the first paragraph is the error, the other
/// paragraphs are hints. If clap printed a help page instead, a command is missing.
fn usage(text: &str) -> error::UsageError {
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    // Each tip is a separate hint.
    let text = text.replace("\n  tip: ", "\n\n  tip: ");
    let mut paragraphs = text.split("\n\n").map(one_line).filter(|paragraph| !paragraph.is_empty());
    let first = paragraphs.next().unwrap_or_default();
    if let Some(message) = first.strip_prefix("error: ") {
        let hint = paragraphs.collect::<Vec<_>>().join("\n");
        return error::UsageError { message: message.to_owned(), hint: Some(hint) };
    }
    let usage = text.lines().find(|line| line.starts_with("Usage:"));
    error::UsageError { message: "no command given".to_owned(), hint: usage.map(str::to_owned) }
}

/// Repeats the error in the last line of `shown`, because some callers show only the last line. `shown` is `plain`
/// with or without colours.
fn with_error_in_last_line(shown: &str, plain: &str, paint: output::Paint) -> String {
    let error::UsageError { message, hint } = usage(plain);
    match shown.rfind("For more information, try") {
        Some(end) if plain.starts_with("error: ") => {
            let tip = hint.iter().flat_map(|hint| hint.lines()).find_map(|line| line.strip_prefix("tip: "));
            let tip = tip.map_or(String::new(), |tip| format!("; {tip}"));
            format!("{}{} {message}{tip}; see `--help`\n", &shown[..end], paint.hint("hint:"))
        }
        _ => shown.to_owned(),
    }
}

/// Runs the command on this thread, in the only async runtime of the process.
fn run_to_completion(
    command: impl Future<Output = Result<u8, Failure>>,
    ctx: &Context,
) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Timers run even if a server sends data without end.
        .event_interval(1)
        .build()
        .map_err(RuntimeError)?;
    let result = runtime.block_on(async {
        if !ctx.out.shows_progress() {
            return command.await;
        }
        let mut command = std::pin::pin!(command);
        loop {
            if let Ok(result) = tokio::time::timeout(Duration::from_secs(1), &mut command).await {
                return result;
            }
            ctx.out.show_progress();
        }
    });
    // A pending DNS lookup must not delay the exit.
    runtime.shutdown_background();
    result
}

#[derive(Debug, thiserror::Error)]
#[error("could not start network I/O")]
struct RuntimeError(#[source] std::io::Error);

impl exit::Explain for RuntimeError {
    fn exit(&self) -> Exit {
        Exit::Failed
    }
}

fn report(failure: &Failure, ctx: &Context) -> u8 {
    failure.report(ctx);
    failure.exit() as u8
}
