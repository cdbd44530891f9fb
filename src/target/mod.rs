//! Each target has one folder: its arguments, its request, its exchange, the output of its
//! credential, `doctor`, `trust`.
//!
//! A target's folder imports only the core, and never another target's folder.
//! `tests/layout.rs` checks this.

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

/// A service that accepts an ID token and issues a credential.
// The process has a single thread, so the futures need not be `Send`.
#[allow(async_fn_in_trait)]
pub trait Target {
    /// Variables that take precedence over the credential in the tools that read it: `exec` unsets them, `login` and
    /// `doctor` warn about them.
    const CONFLICTING_VARIABLES: &'static [&'static str];
    /// The arguments of the command line.
    type Args;
    /// The checked settings of an exchange.
    type Request;
    /// The credential that the service issues.
    type Credential;

    /// Reads and checks arguments, variables and files.
    fn request(args: &Self::Args, ctx: &Context) -> Result<Self::Request, Failure>;

    /// The text after "could not" in an error.
    fn action(request: &Self::Request) -> String;

    /// The request for the ID token.
    fn token_request(request: &Self::Request) -> &TokenRequest;

    /// The source of the ID token, and the time limit of the command.
    fn options(request: &Self::Request) -> &SessionOptions;

    /// The HTTP client for the service, for a target that needs its own.
    fn client<'a>(_request: &Self::Request, http: &Http<'a>) -> Result<Http<'a>, HttpError> {
        Ok(http.clone())
    }

    /// The variables of [`Target::CONFLICTING_VARIABLES`] that are set here and that take precedence over what `login` writes.
    fn conflicting_variables(_request: &Self::Request, ctx: &Context) -> Vec<&'static str> {
        Self::CONFLICTING_VARIABLES.iter().copied().filter(|name| ctx.var_os(name).is_some()).collect()
    }

    /// The origins (scheme, host and port) that get the ID token or an intermediate token and do
    /// not belong to the service's vendor. A variable or a file of a checkout may have named them.
    fn foreign_hosts(request: &Self::Request) -> Vec<String>;

    /// The URLs of an exchange. Their connections are opened while the ID token is minted.
    fn urls(request: &Self::Request) -> Vec<SecureUrl>;

    /// The requested access and the issued credential, for the audit log.
    fn access(request: &Self::Request, credential: Option<&Self::Credential>) -> Access;

    /// Prints warnings before anything is sent, once for each command.
    fn warn_before_sending(_request: &Self::Request, _ctx: &Context) {}

    /// One exchange, with the retries that the service's errors allow.
    async fn exchange(
        request: &Self::Request,
        token: &IdToken,
        http: &Http<'_>,
    ) -> Result<Self::Credential, ExchangeError>;
}

/// Prints the path that `login` wrote, and the variables that its readers need.
pub(crate) fn note_variables(path: &Path, readers: &str, variables: &[Variable], ctx: &Context) {
    ctx.out.note(format!("wrote {}; {readers} need these variables:", path.display()));
    for line in shell_lines(variables, ShellFormat::Env).lines() {
        ctx.out.note_to_copy(line);
    }
}

/// Warns about variables that `readers` prefer to `written`, the output of `login`.
pub(crate) fn warn_of_conflicts(set: &[&str], readers: &str, written: &str, ctx: &Context) {
    if !set.is_empty() {
        let (listed, names) = (set.join(", "), set.join(" "));
        ctx.out.warn(format!("{readers} use {listed} instead of {written}: `unset {names}`"));
    }
}
