//! Verdicts on set-ups that exist.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{identity, json, role_of_environment, role_of_flag, usage};
use crate::cli::{TrustAwsArgs, TrustFormat, TrustVaultArgs};
use crate::context::Context;
use crate::diagnose::trust::check::{self, Answer, Report};
use crate::error::{CouldNot, Exit, Explain, Failure, UsageError};

/// The longest file that is checked, in bytes.
const MAX_FILE: usize = 1024 * 1024;

/// A role's trust policy.
pub(super) async fn aws(args: &TrustAwsArgs, place: &str, ctx: &Context) -> Result<Exit, Failure> {
    let action = || "check the trust policy".to_owned();
    check_format(args.format).could_not(action)?;
    let flag = role_of_flag(args).could_not(action)?;
    let environment = role_of_environment(ctx).could_not(action)?;
    let text = read(place, ctx).could_not(action)?;
    let identity = identity(&args.audience, &args.trust, ctx).await?;
    let named = check::aws::Named { by_flag: flag.as_ref(), by_environment: environment.as_ref() };
    print(&check::aws::check(&text, &identity, named).could_not(action)?, args.format, ctx)
}

/// A role of Vault.
pub(super) async fn vault(args: &TrustVaultArgs, place: &str, ctx: &Context) -> Result<Exit, Failure> {
    let action = || "check the Vault role".to_owned();
    check_format(args.format).could_not(action)?;
    let text = read(place, ctx).could_not(action)?;
    let identity = identity(&args.audience, &args.trust, ctx).await?;
    print(&check::vault::check(&text, &identity, ctx.now()).could_not(action)?, args.format, ctx)
}

/// Prints what was found; only what is accepted is a success.
fn print(report: &Report, format: Option<TrustFormat>, ctx: &Context) -> Result<Exit, Failure> {
    let text = match format {
        Some(TrustFormat::Json) => json(&report.json(), ctx),
        _ => report.text(ctx.out.paint()),
    };
    ctx.out.data(&text)?;
    Ok(if report.answer == Answer::Accepted { Exit::Done } else { Exit::Failed })
}

fn check_format(format: Option<TrustFormat>) -> Result<(), UsageError> {
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

fn read(place: &str, ctx: &Context) -> Result<String, Failure> {
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
