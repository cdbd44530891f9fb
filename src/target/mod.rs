//! One folder a target: its arguments, its request, its exchange, where its credential goes, `doctor`, `trust`.
//!
//! A wing uses the core and never another wing (`tests/layout.rs` checks it).

pub mod aws;
pub mod azure;
pub mod gcp;
pub mod kubernetes;
pub mod oauth;
pub mod vault;

use std::path::Path;

use crate::audit::Access;
use crate::context::Context;
use crate::error::Failure;
use crate::exchange::ExchangeError;
use crate::http::{Http, HttpError, SecureUrl};
use crate::jwt::IdToken;
use crate::settings::SessionOptions;
use crate::sink::formats::{ShellFormat, Variable, shell_lines};
use crate::source::TokenRequest;

/// A service that takes an ID token and gives a credential.
// The futures are awaited on the one thread of the process: nobody needs them to be `Send`.
#[allow(async_fn_in_trait)]
pub trait Target {
    /// Variables that take precedence over the credential in the tools that read it: `exec` unsets them, `login` and
    /// `doctor` warn about them.
    const SHADOWS: &'static [&'static str];
    /// The arguments of the command line.
    type Args;
    /// Everything that is asked for, checked before any request.
    type Request;
    /// What the service gives.
    type Credential;

    /// Reads arguments, variables and files: the only reader of them.
    fn request(args: &Self::Args, ctx: &Context) -> Result<Self::Request, Failure>;

    /// What an error says after "could not".
    fn action(request: &Self::Request) -> String;

    /// Whom the ID token is for.
    fn token_request(request: &Self::Request) -> &TokenRequest;

    /// The source of the ID token, and the time that everything may take.
    fn options(request: &Self::Request) -> &SessionOptions;

    /// The client for the service, where requests to it differ from others.
    fn client<'a>(_request: &Self::Request, http: &Http<'a>) -> Result<Http<'a>, HttpError> {
        Ok(http.clone())
    }

    /// The variables of [`Target::SHADOWS`] that are set here and that take precedence over what `login` writes.
    fn shadows(_request: &Self::Request, ctx: &Context) -> Vec<&'static str> {
        Self::SHADOWS.iter().copied().filter(|name| ctx.var_os(name).is_some()).collect()
    }

    /// The hosts that get the ID token, or a token that it is exchanged for on the way, and that do not belong to the
    /// maker of the service. A variable or a file of a checkout may have named them. Each has scheme, host and port.
    fn foreign_hosts(request: &Self::Request) -> Vec<String>;

    /// Where the requests of an exchange go: connections are opened there while the ID token is minted.
    fn addresses(request: &Self::Request) -> Vec<SecureUrl>;

    /// What was asked for and given, for the audit log.
    fn access(request: &Self::Request, credential: Option<&Self::Credential>) -> Access;

    /// Warns of what the caller should know before anything is sent. Once a command.
    fn alarm(_request: &Self::Request, _ctx: &Context) {}

    /// One exchange, with the retries that the service's errors allow.
    async fn exchange(
        request: &Self::Request,
        token: &IdToken,
        http: &Http<'_>,
    ) -> Result<Self::Credential, ExchangeError>;
}

/// Says where `login` wrote, and what has to be in the environment of those who read it.
pub(crate) fn note_variables(path: &Path, readers: &str, variables: &[Variable], ctx: &Context) {
    ctx.out.note(format!("wrote {}; {readers} need these variables beside it:", path.display()));
    for line in shell_lines(variables, ShellFormat::Env).lines() {
        ctx.out.note(line);
    }
}

/// Warns about variables that are set and that `readers` prefer to `written`, what `login` wrote.
pub(crate) fn warn_of_shadows(set: &[&str], readers: &str, written: &str, ctx: &Context) {
    if !set.is_empty() {
        let names = set.join(" ");
        ctx.out.warn(format!("{readers} prefer what is in the environment to {written}: unset {names}"));
    }
}
