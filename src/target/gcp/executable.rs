//! `gp idp gcloud-token` and `gp idp token --format gcloud`: the executable-sourced credentials of AIP-4117.
//!
//! SDKs read the output in different ways, so the command does what all of them accept. It prints one JSON object to
//! stdout and nothing to stderr (some SDKs read both as one). `expiration_time` is always there and is a whole number;
//! `code` is a string. The exit code is 0 for a failure too: with another exit code, most SDKs print the object raw or
//! not at all. The command ends before any SDK gives up.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::args::GcloudTokenArgs;
use super::exchange::ID_TOKEN_TYPE;
use crate::args::SessionArgs;
use crate::audit::{HandOver, Recipient};
use crate::context::Context;
use crate::error::{CouldNot, Failure, UsageError};
use crate::exit::{Bug, Exit};
use crate::http::Deadline;
use crate::jwt::IdToken;
use crate::session::Session;
use crate::settings::SessionOptions;
use crate::sink::{FileError, check_content, write_private};
use crate::source::TokenRequest;

/// The variables that SDKs set for the executable and people do not. People set
/// `…_ALLOW_EXECUTABLES`, so this list does not contain it.
const SET_BY_SDKS: [&str; 3] = [
    "GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE",
    "GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE",
    "GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE",
];
/// The default of `--timeout`: SDKs wait for at least 5 s.
const DEFAULT_TIMEOUT: Duration = Duration::from_millis(4500);

/// Whether a Google SDK runs this command line. If so, stderr stays empty, and every answer is
/// JSON.
pub(crate) fn is_for_sdk(args: &[OsString], ctx: &Context) -> bool {
    let is_sdk_command = |word: &OsString| {
        word.to_str().is_some_and(|word| matches!(word, "gcloud-token" | "gcloud" | "--format=gcloud"))
    };
    args.iter().any(is_sdk_command) && set_by_sdk(ctx)
}

fn set_by_sdk(ctx: &Context) -> bool {
    SET_BY_SDKS.iter().any(|name| ctx.var_os(name).is_some())
}

/// Prints the JSON error for a command line that cannot be parsed.
pub(crate) fn refuse(message: &str, ctx: &Context) -> Result<(), Failure> {
    let message = message.trim_start_matches("error: ").to_owned();
    ctx.out.json_text(&refusal(&UsageError { message, hint: None }.into(), ctx)?)?;
    Ok(())
}

/// `gp idp gcloud-token`
pub(crate) async fn run(args: &GcloudTokenArgs, ctx: &Context) -> Result<(), Failure> {
    let named = match &args.audience[..] {
        [] => ctx.var("GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE").map(|named| named.map(str::to_owned)),
        _ => Ok(None),
    };
    let wanted = named.map_err(Failure::from).and_then(|named| {
        let audiences: Vec<String> = args.audience.iter().cloned().chain(named).collect();
        if audiences.is_empty() {
            let hint = "give one with `--audience //iam.googleapis.com/projects/…`, or set `GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE`";
            return Err(UsageError::new("no audience is set", hint).into());
        }
        Ok(TokenRequest { audiences, scope: None })
    });
    let options = args.source.options(args.timeout);
    answer(wanted, &options, None, ctx).await
}

/// `gp idp token --format gcloud`
pub(crate) async fn run_as_format(
    wanted: TokenRequest,
    args: &SessionArgs,
    output: Option<&Path>,
    ctx: &Context,
) -> Result<(), Failure> {
    let timeout = args.limits.timeout.unwrap_or(DEFAULT_TIMEOUT);
    let options = SessionOptions { timeout, ..args.options() };
    answer(Ok(wanted), &options, output, ctx).await
}

async fn answer(
    wanted: Result<TokenRequest, Failure>,
    options: &SessionOptions,
    output: Option<&Path>,
    ctx: &Context,
) -> Result<(), Failure> {
    let for_sdk = set_by_sdk(ctx);
    let deadline = Deadline::after(options.timeout);
    let minted = match wanted {
        Ok(wanted) => mint(&wanted, options, ctx).await,
        Err(failure) => Err(failure),
    };
    match minted.and_then(|(token, hand_over)| Ok((success(&token)?, hand_over))) {
        Ok((text, hand_over)) => {
            match output {
                None => hand_over.to(Recipient::Stdout, async { ctx.out.json_text(&text) }).await?,
                Some(path) => {
                    let write = write_private(path, text.as_bytes(), deadline);
                    let action = || format!("write the token to {} (`--output`)", path.display());
                    hand_over.to(Recipient::File(path), write).await.could_not(action)?;
                }
            }
            if let Some(path) = ctx.var_os("GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE") {
                // SDKs read this file before they call again. If the file cannot be written, an SDK has to call again,
                // but this answer is not lost.
                let path = Path::new(path);
                let write = write_answer(path, &text, deadline);
                let written = hand_over.to(Recipient::File(path), write).await;
                if let (Err(failure), false) = (written, for_sdk) {
                    ctx.out.warn(failure.causes().join(": "));
                }
            }
            Ok(())
        }
        Err(failure) => {
            ctx.out.json_text(&refusal(&failure, ctx)?)?;
            if for_sdk { Ok(()) } else { Err(failure) }
        }
    }
}

/// Replaces only the answer of an earlier call, because a variable names the file.
async fn write_answer(path: &Path, text: &str, deadline: Deadline) -> Result<(), FileError> {
    check_content(path, "an answer of this program", |text| text.starts_with("{\"version\":"))?;
    write_private(path, text.as_bytes(), deadline).await.map(drop)
}

async fn mint(
    wanted: &TokenRequest,
    options: &SessionOptions,
    ctx: &Context,
) -> Result<(IdToken, HandOver), Failure> {
    let action = || wanted.action();
    match ctx.var("GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE").could_not(action)? {
        Some(kind) if !kind.ends_with(":id_token") && !kind.ends_with(":jwt") => {
            let message = format!("the SDK requests a token of type `{kind}`, but `gp` has only ID tokens");
            let hint = Some(format!("set `subject_token_type` to `{ID_TOKEN_TYPE}` in the configuration"));
            return Err(UsageError { message, hint }).could_not(action);
        }
        _ => {}
    }
    let session = Session::open(ctx, options).could_not(action)?;
    let token = session.id_token(wanted).await?;
    Ok((token, session.hand_over()))
}

/// The answer of the executable. The names and their order are those of the original `gp`.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer<'a> {
    Token { version: u8, success: bool, token_type: &'static str, id_token: &'a str, expiration_time: i64 },
    Refusal { version: u8, success: bool, code: &'static str, message: String },
}

impl Answer<'_> {
    fn line(&self) -> Result<String, Failure> {
        Ok(serde_json::to_string(self).map_err(Bug::new)? + "\n")
    }
}

/// The answer with a token.
pub(crate) fn success(token: &IdToken) -> Result<String, Failure> {
    let Some(end) = token.claims().as_claimed().expires_at else {
        let message = "the ID token has no `exp`, and SDKs accept no token without an expiry time".to_owned();
        return Err(UsageError { message, hint: None }.into());
    };
    Answer::Token {
        version: 1,
        success: true,
        token_type: ID_TOKEN_TYPE,
        id_token: token.reveal(),
        expiration_time: end.as_second(),
    }
    .line()
}

/// The answer with an error in place of a token.
fn refusal(failure: &Failure, ctx: &Context) -> Result<String, Failure> {
    // HTTP status codes. SDKs only display them.
    let code = match failure.exit() {
        Exit::Usage => "400",
        Exit::MintRefused | Exit::TargetRefused => "401",
        Exit::NoIdentity | Exit::Network => "503",
        Exit::Done | Exit::Failed | Exit::LocalFile => "500",
    };
    let message = failure.on_one_line(ctx);
    Answer::Refusal { version: 1, success: false, code, message }.line()
}
