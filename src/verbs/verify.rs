//! `gp idp verify`

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::args::verify::{VerifyArgs, VerifyFormat};
use crate::context::Context;
use crate::error::{CouldNot, Failure, UsageError};
use crate::exit::{Exit, Explain};
use crate::files::{self, MAX_FILE};
use crate::http::SecureUrl;
use crate::json::{Json, quote};
use crate::jwt::bare_token;
use crate::jwt::verify::{
    Checks, Issuer, KeySet, KeySetError, Keys, Report, Status, Verdict, is_readable, verify,
};
use crate::output::{Mark, Paint, sanitise};
use crate::secret::Secret;
use crate::session::Session;
use crate::settings::Setting;
use crate::source::TokenRequest;

#[derive(Debug, thiserror::Error)]
enum VerifyError {
    #[error("{} holds no keys", path.display())]
    Keys {
        path: PathBuf,
        #[source]
        source: KeySetError,
    },
    #[error("{step}: {reason}")]
    NotValid { step: &'static str, reason: String, hint: Option<String>, exit: Exit },
}

impl Explain for VerifyError {
    fn exit(&self) -> Exit {
        match self {
            Self::Keys { .. } => Exit::LocalFile,
            Self::NotValid { exit, .. } => *exit,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotValid { hint, .. } => hint.clone(),
            Self::Keys { .. } => Some("the file of `--jwks` has to contain the JSON of the issuer's `jwks_uri`: download it again, for example with `curl -o FILE URL`".into()),
        }
    }
}

/// Prints the report. If the token is not valid, the error names the step.
pub(super) async fn run(args: &VerifyArgs, ctx: &Context) -> Result<(), Failure> {
    let action = || "verify the token".to_owned();
    let keys = keys(args).could_not(action)?;
    check_issuer(args).could_not(action)?;
    let given = given_token(args, ctx).could_not(action)?;
    let session = Session::open(ctx, &args.session.options()).could_not(action)?;
    let http = session.http();
    let token = match given {
        Some(token) => token,
        None => mint(args, &session).await?,
    };
    // The text around the token, such as other lines of a request, is not secret.
    if let Ok(bare) = bare_token(token.reveal()) {
        ctx.out.add_secret(&Secret::new(bare.to_owned()));
    }
    let issuer = issuer(args, &token, &session).await.could_not(action)?;
    let checks = Checks { audiences: &args.audience, issuer, keys, leeway: args.leeway, now: ctx.now() };
    let report = verify(token.reveal(), &checks, http).await;
    match args.format {
        VerifyFormat::Text => ctx.out.report(&ctx.out.redact(&lines(&report, ctx.out.paint())))?,
        VerifyFormat::Json => ctx.out.json_text(&format!("{}\n", json(&report).pretty()))?,
    }
    let Some(step) = report.failed_step() else { return Ok(()) };
    let exit = if report.verdict() == Verdict::Undecided { Exit::Network } else { Exit::Failed };
    let (reason, hint) = (step.value.clone(), step.hint.clone());
    Err(VerifyError::NotValid { step: step.name, reason, hint, exit }).could_not(action)
}

fn keys(args: &VerifyArgs) -> Result<Keys, Failure> {
    let Some(place) = &args.jwks else { return Ok(Keys::Discovered) };
    if place.contains("://") || place.starts_with("https:") || place.starts_with("http:") {
        return Ok(Keys::At(place.clone()));
    }
    let path = PathBuf::from(place);
    let text = files::read_text(&path, MAX_FILE).could_not(|| "read the keys of `--jwks`".to_owned())?;
    let set = KeySet::parse(&text).map_err(|source| VerifyError::Keys { path, source })?;
    Ok(Keys::Given(place.clone(), set))
}

/// The token from the argument or stdin. `None` if stdin is neither a pipe nor a file. An empty
/// pipe is an error, because a minted token must not be verified in its place.
fn given_token(args: &VerifyArgs, ctx: &Context) -> Result<Option<Secret>, Failure> {
    let given = args.token.as_deref();
    if given.is_none() && ctx.out.stdin_has_no_input() {
        return Ok(None);
    }
    let text = super::token_text(given, "gp idp verify …", ctx)?;
    if given.is_none_or(|given| given == "-") && text.reveal().trim().is_empty() {
        return Err(UsageError {
            message: "standard input holds no token".into(),
            hint: Some(
                "run the command in front of the pipe on its own, to see why it prints nothing".into(),
            ),
        }
        .into());
    }
    Ok(Some(text))
}

async fn mint(args: &VerifyArgs, session: &Session<'_>) -> Result<Secret, Failure> {
    let wanted = TokenRequest { audiences: args.audience.clone(), scope: None };
    let token = session.id_token(&wanted).await?;
    Ok(Secret::new(token.reveal().to_owned()))
}

async fn issuer(args: &VerifyArgs, token: &Secret, session: &Session<'_>) -> Result<Issuer, Failure> {
    match &args.issuer {
        Some(issuer) => Ok(Issuer::Pinned(issuer.clone())),
        // The workspace's issuer is not needed with the keys of `--jwks`, nor for a damaged token.
        None if args.jwks.is_some() || !is_readable(token.reveal()) => Ok(Issuer::FromToken),
        None => {
            let issuer = session.source().issuer(session.http()).await?;
            Ok(issuer.map_or(Issuer::FromToken, Issuer::Workspace))
        }
    }
}

/// Checks the URL of `--issuer`. The keys are fetched from there, unless `--jwks` is given.
fn check_issuer(args: &VerifyArgs) -> Result<(), UsageError> {
    let (Some(issuer), None) = (&args.issuer, &args.jwks) else { return Ok(()) };
    Setting { name: "--issuer", value: issuer }.parse(SecureUrl::base).map(drop)
}

fn lines(report: &Report, paint: Paint) -> String {
    let width = report.steps.iter().map(|step| step.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for step in &report.steps {
        let mark = paint.mark(match step.status {
            Status::Passed => Mark::Passed,
            Status::Warned => Mark::Warned,
            Status::Failed => Mark::Failed,
            Status::Unknown => Mark::Unknown,
            Status::Skipped => Mark::Skipped,
        });
        let _ = writeln!(out, "{mark} {:width$}  {}", step.name, sanitise(&step.value));
        // The error that ends the command has the hint of the step that failed.
        let hint = step.hint.iter().filter(|_| report.failed_step() != Some(step));
        for line in hint.flat_map(|hint| hint.lines()) {
            let _ = writeln!(out, "  {:width$}  {} {}", "", paint.hint("hint:"), sanitise(line));
        }
    }
    let verdict = match (report.verdict(), report.failed_step()) {
        (Verdict::Undecided, Some(step)) => format!("undecided: {} could not be judged", step.name),
        (_, Some(step)) => format!("not valid: it fails at {}", step.name),
        (_, None) => "valid".to_owned(),
    };
    let _ = writeln!(out, "{}", paint.heading(&verdict));
    out
}

fn json(report: &Report) -> Json {
    let string = |text: &str| Json::Scalar(quote(text));
    let member = |name: &str, value: Json| (name.to_owned(), value);
    let verdict = match report.verdict() {
        Verdict::Valid => "valid",
        Verdict::Invalid => "invalid",
        Verdict::Undecided => "undecided",
    };
    let steps = report.steps.iter().map(|step| {
        let status = match step.status {
            Status::Passed => "passed",
            Status::Warned => "warned",
            Status::Failed => "failed",
            Status::Unknown => "unknown",
            Status::Skipped => "skipped",
        };
        let members = [
            member("name", string(step.name)),
            member("status", string(status)),
            member("value", string(&step.value)),
        ];
        let hint = step.hint.as_deref().map(|hint| member("hint", string(hint)));
        Json::Object(members.into_iter().chain(hint).collect())
    });
    let culprit = report.failed_step().map_or(Json::Scalar("null".into()), |step| string(step.name));
    let mut members = vec![
        member("verdict", string(verdict)),
        member("failed", culprit),
        member("steps", Json::Array(steps.collect())),
    ];
    members.extend(report.claims().map(|claims| member("claims", claims.clone())));
    Json::Object(members)
}
