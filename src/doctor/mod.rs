//! What every `gp idp doctor` shares: the steps from the source to a verified ID token, and the frame of a
//! target's checks.

mod identity;

use crate::context::Context;
use crate::error::Failure;
use crate::report::Report;
use crate::session::Session;
use crate::settings::SessionOptions;
use crate::source::TokenRequest;
use crate::target::Target;

/// A target that `doctor` can look at.
// The futures are awaited on the one thread of the process.
#[allow(async_fn_in_trait)]
pub(crate) trait Examine: Target {
    /// The names of its checks: of the settings, the environment, the exchange.
    const CHECKS: [&'static str; 3];

    /// What the settings ask for, on one line.
    fn describe(request: &Self::Request) -> String;

    /// Looks at the files that its tools read.
    fn examine_files(args: &Self::Args, report: &mut Report, ctx: &Context);

    /// What an exchange gave, on one line. Where a credential can be revoked, it is.
    async fn describe_credential(
        request: &Self::Request,
        credential: &Self::Credential,
        session: &Session<'_>,
    ) -> Result<String, String>;
}

/// Looks at the way to an ID token for `wanted`.
pub(crate) async fn identity(
    wanted: &TokenRequest,
    options: &SessionOptions,
    ctx: &Context,
) -> Result<Report, Failure> {
    let session = Session::open(ctx, options)?;
    let mut report = Report::default();
    identity::examine(&mut report, &session, wanted).await;
    Ok(report)
}

/// Looks at the way to an ID token for the target, then at the target itself. The exchange is done, and what it gives
/// is thrown away. `fallback` is what the token is asked for when the target's settings are wrong.
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
    let session = Session::open(ctx, options)?;
    let mut report = Report::default();
    let has_token = identity::examine(&mut report, &session, wanted).await;

    let [settings, environment, exchange] = T::CHECKS;
    let request = match request {
        Ok(request) => {
            T::alarm(&request, ctx);
            report.pass(settings, T::describe(&request));
            Some(request)
        }
        Err(failure) => {
            report.fail(settings, failure);
            None
        }
    };
    T::examine_files(args, &mut report, ctx);
    let shadows = match &request {
        Some(request) => T::shadows(request, ctx),
        None => T::SHADOWS.iter().copied().filter(|name| ctx.var_os(name).is_some()).collect(),
    };
    report.shadows(environment, &shadows);
    let Some(request) = request else {
        report.skip(exchange, "the settings have to be right first");
        return Ok(report);
    };
    if !has_token {
        report.skip(exchange, "there is no ID token to exchange");
        return Ok(report);
    }
    match session.obtain::<T>(&request).await {
        Err(failure) => report.fail(exchange, failure),
        Ok(obtained) => match T::describe_credential(&request, &obtained.credential, &session).await {
            Ok(found) => report.pass(exchange, found),
            Err(found) => report.warn(exchange, found, None),
        },
    }
    Ok(report)
}
