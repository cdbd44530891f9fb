//! `gp idp gcloud-token` and `gp idp token --format gcloud`: the executable-sourced credentials of AIP-4117.
//!
//! What SDKs make of it differs, so it keeps to what suits all: one JSON object on stdout and nothing on stderr
//! (some read both as one); `expiration_time` always, a whole number; `code` a string; for a failure exit code 0
//! as well, since with another one most print the object raw or not at all. Done before any SDK gives up.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use crate::context::Context;
use crate::error::{CouldNot, Failure, UsageError};
use crate::exit::Exit;
use crate::http::Http;
use crate::json::{Json, quote};
use crate::jwt::IdToken;
use crate::output::Paint;
use crate::sink::write_private;
use crate::source::{Supervisor, TokenRequest, TokenSource};
use crate::target::gcp::args::GcloudTokenArgs;
use crate::target::gcp::exchange::ID_TOKEN_TYPE;

/// What SDKs set for the executable, and people do not. `…_ALLOW_EXECUTABLES` is not among them.
const SET_BY_SDKS: [&str; 3] = [
    "GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE",
    "GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE",
    "GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE",
];
/// What `--timeout` is unless it is given: SDKs wait for 5 s.
const OWN_LIMIT: Duration = Duration::from_millis(4500);

/// Whether an SDK of Google's runs this command line: nothing may then be on stderr, and every answer is JSON.
pub(crate) fn is_for_sdk(args: &[OsString], ctx: &Context) -> bool {
    let asks = |word: &OsString| {
        word.to_str().is_some_and(|word| matches!(word, "gcloud-token" | "gcloud" | "--format=gcloud"))
    };
    args.iter().any(asks) && set_by_sdk(ctx)
}

fn set_by_sdk(ctx: &Context) -> bool {
    SET_BY_SDKS.iter().any(|name| ctx.var_os(name).is_some())
}

/// The answer to a command line that cannot be read.
pub(crate) fn refuse(message: &str, ctx: &Context) -> Result<(), Failure> {
    let message = message.trim_start_matches("error: ").to_owned();
    ctx.out.data(&refusal(&UsageError { message, hint: None }.into()))?;
    Ok(())
}

/// `gp idp gcloud-token`
pub(crate) async fn run(args: &GcloudTokenArgs, ctx: &Context) -> Result<(), Failure> {
    let audiences = if args.audience.is_empty() {
        ctx.var("GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE")
            .map(|named| named.map(str::to_owned).into_iter().collect())
    } else {
        Ok(args.audience.clone())
    };
    answer(audiences.map_err(Failure::from), None, args.timeout, None, ctx).await
}

/// `gp idp token --format gcloud`
pub(crate) async fn run_as_format(
    audiences: Vec<String>,
    scope: Option<&str>,
    limit: Option<Duration>,
    output: Option<&Path>,
    ctx: &Context,
) -> Result<(), Failure> {
    answer(Ok(audiences), scope, limit.unwrap_or(OWN_LIMIT), output, ctx).await
}

async fn answer(
    audiences: Result<Vec<String>, Failure>,
    scope: Option<&str>,
    limit: Duration,
    output: Option<&Path>,
    ctx: &Context,
) -> Result<(), Failure> {
    let for_sdk = set_by_sdk(ctx);
    let minted = match audiences {
        Ok(audiences) => mint(&audiences, scope, limit, ctx).await,
        Err(failure) => Err(failure),
    };
    match minted.and_then(|token| success(&token)) {
        Ok(text) => {
            match output {
                None => ctx.out.data(&text)?,
                Some(path) => drop(write_private(path, text.as_bytes())?),
            }
            if let Some(path) = ctx.var_os("GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE") {
                // SDKs read it before they call again. One that cannot be written costs a call, not this answer.
                let written = write_private(Path::new(path), text.as_bytes());
                if let (Err(error), false) = (written, for_sdk) {
                    ctx.out.warn(error);
                }
            }
            Ok(())
        }
        Err(failure) => {
            ctx.out.data(&refusal(&failure))?;
            if for_sdk { Ok(()) } else { Err(failure) }
        }
    }
}

async fn mint(
    audiences: &[String],
    scope: Option<&str>,
    limit: Duration,
    ctx: &Context,
) -> Result<IdToken, Failure> {
    let Some(first) = audiences.first() else {
        let hint = Some("give one with `--audience //iam.googleapis.com/projects/…`, or set `GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE`".into());
        let message = "no audience is named".to_owned();
        return Err(UsageError { message, hint }.into());
    };
    let action = || format!("mint an ID token for `{first}`");
    match ctx.var("GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE").could_not(action)? {
        Some(kind) if !kind.ends_with(":id_token") && !kind.ends_with(":jwt") => {
            let message = format!("a token of type `{kind}` was asked for, and there are only ID tokens");
            let hint = Some(format!("set `subject_token_type` to `{ID_TOKEN_TYPE}` in the configuration"));
            return Err(UsageError { message, hint }).could_not(action);
        }
        _ => {}
    }
    let http = Http::new(ctx, limit);
    let source = Supervisor::from_context(&http).could_not(action)?;
    source.id_token(&TokenRequest { audiences, scope }).await.could_not(action)
}

/// The answer with a token. The names and their order are the original's.
pub(crate) fn success(token: &IdToken) -> Result<String, Failure> {
    let Some(end) = token.claims().as_claimed().expires_at else {
        let message = "the ID token has no `exp`, and SDKs take none without an end".to_owned();
        return Err(UsageError { message, hint: None }.into());
    };
    let members = vec![
        ("version".to_owned(), Json::Scalar("1".into())),
        ("success".to_owned(), Json::Scalar("true".into())),
        ("token_type".to_owned(), Json::Scalar(quote(ID_TOKEN_TYPE))),
        ("id_token".to_owned(), Json::Scalar(quote(token.reveal()))),
        ("expiration_time".to_owned(), Json::Scalar(end.as_second().to_string())),
    ];
    Ok(format!("{}\n", Json::Object(members).compact()))
}

/// The answer without one.
fn refusal(failure: &Failure) -> String {
    // Codes as HTTP has them, which SDKs only show.
    let code = match failure.exit() {
        Exit::Usage => "400",
        Exit::MintRefused | Exit::TargetRefused => "401",
        Exit::NoIdentity | Exit::Network => "503",
        Exit::Done | Exit::Failed | Exit::LocalFile => "500",
    };
    let text = failure.render(Paint(false));
    let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
    let text = text.replace("\n  caused by: ", ": ").replace("\nhint: ", "; hint: ");
    let message = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let members = vec![
        ("version".to_owned(), Json::Scalar("1".into())),
        ("success".to_owned(), Json::Scalar("false".into())),
        ("code".to_owned(), Json::Scalar(quote(code))),
        ("message".to_owned(), Json::Scalar(quote(&message))),
    ];
    format!("{}\n", Json::Object(members).compact())
}
