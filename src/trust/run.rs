//! What every `gp idp trust` does.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::args::{For, TrustArgs, TrustFormat};
use super::check::{Answer, Report};
use super::{Identity, Whom};
use crate::context::Context;
use crate::error::{CouldNot, Failure, UsageError};
use crate::exit::{Exit, Explain};
use crate::http::Http;
use crate::json::Json;
use crate::jwt::Decoded;
use crate::output::sanitise_json;
use crate::source::{Supervisor, TokenRequest, TokenSource};

/// A fresh token's claims.
pub(crate) async fn learn_identity(
    audiences: &[String],
    args: &TrustArgs,
    ctx: &Context,
) -> Result<Identity, Failure> {
    let action = || "learn this workspace's claims".to_owned();
    let http = Http::new(ctx, args.limits.timeout());
    let source = Supervisor::from_context(&http).could_not(action)?;
    let request = TokenRequest { audiences, scope: args.scope.as_deref() };
    let token = source.id_token(&request).await.could_not(action)?;
    let decoded = Decoded::parse(token.reveal()).could_not(action)?;
    Identity::of(decoded.payload).could_not(action)
}

pub(crate) fn whom(whom: For) -> Whom {
    match whom {
        For::ThisRepository => Whom::ThisRepository,
        For::ThisOwner => Whom::ThisOwner,
        For::ThisUser => Whom::ThisUser,
        For::Any => Whom::Any,
    }
}

pub(crate) fn usage(message: &str, hint: Option<&str>) -> UsageError {
    UsageError { message: message.to_owned(), hint: hint.map(str::to_owned) }
}

pub(crate) fn json(json: &Json, ctx: &Context) -> String {
    let text = format!("{}\n", json.pretty());
    if ctx.out.stdout_is_terminal() { sanitise_json(&text) } else { text }
}

pub(crate) fn set_up_format(format: Option<TrustFormat>) -> Result<TrustFormat, UsageError> {
    match format {
        Some(TrustFormat::Text) => Err(usage("`--format text` goes with `--check`", None)),
        Some(format) => Ok(format),
        None => Ok(TrustFormat::Commands),
    }
}

pub(crate) fn warn_of_issuer(identity: &Identity, ctx: &Context) {
    if let Some(what) = identity.not_public() {
        ctx.out.warn(what);
    }
}

/// The longest file that is checked, in bytes.
const MAX_FILE: usize = 1024 * 1024;

/// Prints what was found; only what is accepted is a success.
pub(crate) fn print(report: &Report, format: Option<TrustFormat>, ctx: &Context) -> Result<Exit, Failure> {
    let text = match format {
        Some(TrustFormat::Json) => json(&report.json(), ctx),
        _ => report.text(ctx.out.paint()),
    };
    ctx.out.data(&text)?;
    Ok(if report.answer == Answer::Accepted { Exit::Done } else { Exit::Failed })
}

pub(crate) fn check_format(format: Option<TrustFormat>) -> Result<(), UsageError> {
    match format {
        None | Some(TrustFormat::Text | TrustFormat::Json) => Ok(()),
        Some(_) => Err(usage("with `--check`, `--format` is text or json", None)),
    }
}

#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("could not read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{} has more than {MAX_FILE} bytes", path.display())]
    TooLong { path: PathBuf },
}

impl Explain for ReadError {
    fn exit(&self) -> Exit {
        Exit::LocalFile
    }
}

pub(crate) fn read(place: &str, ctx: &Context) -> Result<String, Failure> {
    if place == "-" {
        return Ok(ctx.out.read_stdin(MAX_FILE)?);
    }
    let path = Path::new(place);
    let failed = |source| ReadError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let most = u64::try_from(MAX_FILE).unwrap_or(u64::MAX).saturating_add(1);
    fs::File::open(path).map_err(failed)?.take(most).read_to_string(&mut text).map_err(failed)?;
    if text.len() > MAX_FILE {
        return Err(ReadError::TooLong { path: path.to_owned() }.into());
    }
    Ok(text)
}
