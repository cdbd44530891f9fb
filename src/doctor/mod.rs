//! The common part of all `gp idp doctor` commands: the steps from the source to a verified ID
//! token, and the order of a target's checks.

mod identity;

use std::path::Path;

use jiff::Timestamp;
use rustix::fs::{Access, access};

use crate::context::Context;
use crate::error::Failure;
use crate::exit::{Exit, Explain};
use crate::files::{self, MAX_FILE};
use crate::jwt::IdToken;
use crate::report::Report;
use crate::session::Session;
use crate::settings::SessionOptions;
use crate::source::TokenRequest;
use crate::target::Target;
use crate::time;

/// A target that `doctor` can check.
// The process has one thread, so the futures need not be `Send`.
#[allow(async_fn_in_trait)]
pub(crate) trait Examine: Target {
    /// The names of the checks of settings, environment and exchange.
    const CHECKS: [&'static str; 3];

    /// The request on one line.
    fn describe(request: &Self::Request) -> String;

    /// Checks the files that the target's tools read.
    fn examine_files(input: &FileCheckInput<'_, Self>, report: &mut Report)
    where
        Self: Sized;

    /// The credential on one line, or a warning as `Err`. Revokes the credential if possible.
    async fn describe_credential(
        request: &Self::Request,
        credential: &Self::Credential,
        session: &Session<'_>,
        now: Timestamp,
    ) -> Result<String, String>;
}

/// The input of [`Examine::examine_files`].
pub(crate) struct FileCheckInput<'a, T: Target> {
    pub(crate) args: &'a T::Args,
    /// `None` if the settings are wrong.
    pub(crate) request: Option<&'a T::Request>,
    pub(crate) ctx: &'a Context,
    /// The current time: the issuer's, if this machine's clock is wrong.
    pub(crate) now: Timestamp,
}

/// Opens a session. If the source lacks something that it needs, adds a line to the report and
/// returns `None`, because other checks do not depend on the source.
pub(crate) fn open<'a>(
    report: &mut Report,
    options: &SessionOptions,
    ctx: &'a Context,
) -> Result<Option<Session<'a>>, Failure> {
    match Session::open(ctx, options) {
        Ok(session) => Ok(Some(session)),
        Err(failure) if failure.exit() == Exit::NoIdentity => {
            report.fail("source", failure);
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

/// Checks the steps to an ID token for `wanted`, and returns the token if there is one.
pub(crate) async fn identity(
    report: &mut Report,
    wanted: &TokenRequest,
    session: Option<&Session<'_>>,
    ctx: &Context,
) -> Option<IdToken> {
    let found = identity::examine(report, session, wanted, ctx).await;
    examine_home(report, ctx);
    found.token
}

/// Checks the home folder, to which most commands write. Adds a line only if something is wrong.
fn examine_home(report: &mut Report, ctx: &Context) {
    const CHECK: &str = "home";
    const HINT: &str = "print instead of writing a file (`--format`), or set `HOME` to a writable folder";
    let home = match ctx.home() {
        Ok(home) => home,
        Err(error) => return report.warn(CHECK, error.to_string(), error.hint().as_deref()),
    };
    let shown = home.display();
    match access(&home, Access::WRITE_OK | Access::EXEC_OK) {
        _ if !home.is_dir() => {
            report.warn(CHECK, format!("{shown} is not an existing folder"), Some(HINT));
        }
        Ok(()) => {}
        Err(error) => {
            let error = std::io::Error::from(error);
            report.warn(CHECK, format!("{shown} is not writable: {error}"), Some(HINT));
        }
    }
}

/// Why a program cannot be executed, as the end of a sentence; `None` if it can.
pub(crate) fn broken_program(path: &Path) -> Option<&'static str> {
    match access(path, Access::EXEC_OK) {
        _ if !path.is_file() => Some("does not exist"),
        Ok(()) => None,
        Err(_) => Some("is not executable"),
    }
}

/// A file from which SDKs read an ID token that they exchange themselves.
pub(crate) struct TokenFile<'a> {
    pub(crate) check: &'static str,
    pub(crate) path: &'a Path,
    /// The audience of the request.
    pub(crate) audience: Option<&'a str>,
    /// The interval in which SDKs read the file, in seconds.
    pub(crate) read_interval: i64,
    /// How to renew the file.
    pub(crate) hint: &'a str,
}

impl TokenFile<'_> {
    /// Checks the token in the file. `extract` finds the token in the text.
    pub(crate) fn examine(
        &self,
        report: &mut Report,
        now: Timestamp,
        extract: impl FnOnce(&str) -> Option<String>,
    ) {
        let (check, shown) = (self.check, self.path.display());
        let warn = |report: &mut Report, message: &str| {
            report.warn(check, format!("{shown} {message}"), Some(self.hint));
        };
        let Ok(text) = files::read_text(self.path, MAX_FILE) else {
            return warn(report, "cannot be read");
        };
        let Some(token) = extract(&text).and_then(|text| IdToken::parse(&text).ok()) else {
            return warn(report, "holds no ID token");
        };
        let claims = token.claims().as_claimed();
        if let Some(audience) = self.audience
            && !claims.audience.iter().any(|own| own == audience)
        {
            let found = claims.audience.join(", ");
            return warn(report, &format!("holds a token for {found}, but the settings ask for {audience}"));
        }
        let Some(at) = claims.expires_at else { return warn(report, "holds a token without an expiry") };
        let (left, when) = (at.as_second() - now.as_second(), time::relative(at, now));
        if left <= 0 {
            warn(report, &format!("expired {when}"));
        } else if left <= self.read_interval {
            let again = time::span(self.read_interval.unsigned_abs());
            warn(report, &format!("expires {when}, but SDKs read the file only every {again}"));
        } else {
            report.pass(check, format!("{shown} expires {when}"));
        }
    }
}

/// Checks the steps to an ID token for the target, then the target itself. Makes an exchange and
/// discards the credential. If the target's settings are wrong, requests the token with `fallback`.
pub(crate) async fn target<T: Examine>(
    args: &T::Args,
    fallback: (&TokenRequest, &SessionOptions),
    ctx: &Context,
) -> Result<Report, Failure> {
    let request = T::request(args, ctx);
    let (wanted, options) = match &request {
        Ok(request) => (T::token_request(request), T::options(request)),
        Err(_) => fallback,
    };
    let mut report = Report::default();
    let session = open(&mut report, options, ctx)?;
    let found = identity::examine(&mut report, session.as_ref(), wanted, ctx).await;
    examine_home(&mut report, ctx);

    let [settings, environment, exchange] = T::CHECKS;
    let request = match request {
        Ok(request) => {
            T::warn_before_sending(&request, ctx);
            report.pass(settings, T::describe(&request));
            Some(request)
        }
        Err(failure) => {
            report.fail(settings, failure);
            None
        }
    };
    let input = FileCheckInput { args, request: request.as_ref(), ctx, now: found.now };
    T::examine_files(&input, &mut report);
    let shadows = match &request {
        Some(request) => T::conflicting_variables(request, ctx),
        None => T::CONFLICTING_VARIABLES.iter().copied().filter(|name| ctx.var_os(name).is_some()).collect(),
    };
    report.shadows(environment, &shadows);
    let Some(request) = request else {
        report.blocked(exchange, "the settings must be correct first");
        return Ok(report);
    };
    let Some(session) = session.filter(|_| found.token.is_some()) else {
        report.blocked(exchange, "there is no ID token to exchange");
        return Ok(report);
    };
    match session.obtain::<T>(&request).await {
        Err(failure) => report.fail(exchange, failure),
        Ok(obtained) => {
            match T::describe_credential(&request, &obtained.credential, &session, found.now).await {
                Ok(found) => report.pass(exchange, found),
                Err(found) => report.warn(exchange, found, None),
            }
        }
    }
    Ok(report)
}
