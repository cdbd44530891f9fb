//! Functions that all `gp idp trust` commands share.

use std::path::Path;

use zeroize::Zeroizing;

use super::args::{For, TrustArgs, TrustFormat};
use super::check::{CheckResult, Report};
use super::{Identity, Whom};
use crate::context::Context;
use crate::error::{CouldNot, Failure, UsageError};
use crate::exit::Exit;
use crate::files::{self, MAX_FILE};
use crate::json::Json;
use crate::jwt::Decoded;
use crate::session::Session;
use crate::source::TokenRequest;

/// Mints a token and reads its claims.
pub(crate) async fn mint_identity(
    audiences: Vec<String>,
    args: &TrustArgs,
    ctx: &Context,
) -> Result<Identity, Failure> {
    let action = || "learn this workspace's claims".to_owned();
    let session = Session::open(ctx, &args.session.options()).could_not(action)?;
    let wanted = TokenRequest { audiences, scope: args.scope.get() };
    let token = session.id_token(&wanted).await?;
    let decoded = Decoded::parse(token.reveal()).could_not(action)?;
    let identity = Identity::of(decoded.payload).could_not(action)?;
    Ok(Identity { workload: token.workload().map(str::to_owned), ..identity })
}

pub(crate) fn whom(whom: For) -> Whom {
    match whom {
        For::ThisSubject => Whom::ThisSubject,
        For::ThisRepository => Whom::ThisRepository,
        For::ThisOwner => Whom::ThisOwner,
        For::ThisUser => Whom::ThisUser,
        For::Any => Whom::Any,
    }
}

pub(crate) fn json(json: &Json) -> String {
    format!("{}\n", json.pretty())
}

pub(crate) fn set_up_format(format: Option<TrustFormat>) -> Result<TrustFormat, UsageError> {
    match format {
        Some(TrustFormat::Text) => {
            Err(UsageError { message: "`--format text` needs `--check`".into(), hint: None })
        }
        Some(format) => Ok(format),
        None => Ok(TrustFormat::Commands),
    }
}

pub(crate) fn warn_of_issuer(identity: &Identity, ctx: &Context) {
    if let Some(what) = identity.https_warning() {
        ctx.out.warn(what);
    }
}

/// The maximum size of standard input, in bytes.
const MAX_STDIN: usize = 1024 * 1024;

/// Prints the report. The command succeeds only if the token is accepted.
pub(crate) fn print(report: &Report, format: Option<TrustFormat>, ctx: &Context) -> Result<Exit, Failure> {
    match format {
        Some(TrustFormat::Json) => ctx.out.json_text(&json(&report.json()))?,
        _ => ctx.out.report(&report.text(ctx.out.paint()))?,
    }
    Ok(if report.answer == CheckResult::Accepted { Exit::Done } else { Exit::Failed })
}

pub(crate) fn check_format(format: Option<TrustFormat>) -> Result<(), UsageError> {
    match format {
        None | Some(TrustFormat::Text | TrustFormat::Json) => Ok(()),
        Some(_) => {
            Err(UsageError { message: "with `--check`, `--format` is text or json".into(), hint: None })
        }
    }
}

/// The text of a file, or of standard input for `-`.
pub(crate) fn read(place: &str, ctx: &Context) -> Result<Zeroizing<String>, Failure> {
    if place == "-" {
        return Ok(Zeroizing::new(ctx.out.read_stdin(MAX_STDIN)?));
    }
    Ok(files::read_text(Path::new(place), MAX_FILE)?)
}
