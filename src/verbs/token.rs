//! `gp idp token`

use std::path::Path;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::args::token::{TokenArgs, TokenFormat};
use crate::audit::{HandOver, Recipient};
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exit::Bug;
use crate::jwt::{Decoded, IdToken};
use crate::renew::{Keeper, Reader, warn_of_clock};
use crate::session::Session;
use crate::sink;
use crate::source::TokenRequest;
use crate::target::gcp;
use crate::target::kubernetes::exec_credential::{ApiVersion, exec_credential};
use crate::target::kubernetes::plugin;
use crate::time;

/// Prints a token, or writes it to a file.
pub(super) async fn run(args: &TokenArgs, ctx: &Context) -> Result<(), Failure> {
    let wanted = TokenRequest { audiences: args.audience.clone(), scope: args.scope.get() };
    if args.format == TokenFormat::Gcloud && !args.keep_fresh {
        return gcp::executable::run_as_format(wanted, &args.session, args.output.as_deref(), ctx).await;
    }
    let action = || wanted.action();
    let version = version(args, ctx).could_not(action)?;
    let session = Session::open(ctx, &args.session.options()).could_not(action)?;
    if let (Some(path), true) = (&args.output, args.keep_fresh) {
        return keep_fresh(args, path, version, &session, &wanted).await;
    }
    let token = match (args.format, &args.output) {
        (TokenFormat::Kubernetes, None) => plugin::obtain(args.no_cache, &session, &wanted).await?,
        _ => session.id_token(&wanted).await?,
    };
    let text = Zeroizing::new(render(args, version, &token)?);
    let life = || lifetime_text(&token, ctx);
    // The decoded claims are not a token, so there is no hand-over.
    let hand_over = if args.decode {
        HandOver::default()
    } else {
        warn_of_clock(&token, ctx);
        session.hand_over_token(&token)
    };
    match &args.output {
        None => {
            let print = async {
                match args.format {
                    TokenFormat::Jwt | TokenFormat::Header if !args.decode => ctx.out.lines(&text),
                    _ => ctx.out.json_text(&text),
                }
            };
            hand_over.to(Recipient::Stdout, print).await?;
            ctx.out.note_on_terminal(life);
        }
        Some(path) => {
            let write = sink::write_private(path, file_text(args, &text).as_bytes(), session.deadline());
            let action = || format!("write the token to {} (`--output`)", path.display());
            let receipt = hand_over.to(Recipient::File(path), write).await.could_not(action)?;
            ctx.out.note_on_terminal(|| format!("wrote {} · {}", receipt.path.display(), life()));
        }
    }
    Ok(())
}

/// The `apiVersion` that kubectl requests, or the default.
fn version(args: &TokenArgs, ctx: &Context) -> Result<ApiVersion, Failure> {
    if args.format != TokenFormat::Kubernetes {
        return Ok(ApiVersion::default());
    }
    Ok(ApiVersion::requested(ctx.var("KUBERNETES_EXEC_INFO")?)?)
}

fn render(args: &TokenArgs, version: ApiVersion, token: &IdToken) -> Result<String, Failure> {
    Ok(match (args.decode, args.format) {
        (true, _) => format!("{}\n", Decoded::parse(token.reveal())?.to_json().pretty()),
        (false, TokenFormat::Jwt) => format!("{}\n", token.reveal()),
        (false, TokenFormat::Header) => format!("Authorization: Bearer {}\n", token.reveal()),
        (false, TokenFormat::Kubernetes) => exec_credential(token, version)?,
        (false, TokenFormat::Gcloud) => gcp::executable::success(token)?,
        (false, TokenFormat::Json) => {
            serde_json::to_string_pretty(&TokenJson::of(token)).map_err(Bug::new)? + "\n"
        }
    })
}

/// The text for a file. A JWT has no line break at its end, because SDKs send the content of a
/// token file unchanged.
fn file_text<'a>(args: &TokenArgs, text: &'a str) -> &'a str {
    let bare = !args.decode && args.format == TokenFormat::Jwt;
    if bare { text.trim_end() } else { text }
}

/// Writes the file, and writes it again before each token expires.
async fn keep_fresh(
    args: &TokenArgs,
    path: &Path,
    version: ApiVersion,
    session: &Session<'_>,
    wanted: &TokenRequest,
) -> Result<(), Failure> {
    let content = |token: &IdToken| Ok(file_text(args, &render(args, version, token)?).to_owned());
    let reader = Reader::of(&args.audience);
    if let Some(keeper) = Keeper::start(session, wanted, path, reader, content).await? {
        keeper.keep_for_parent(content).await?;
    }
    Ok(())
}

/// The output of `--format json`. Absent claims are left out.
#[derive(Serialize)]
struct TokenJson<'a> {
    id_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    audience: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

impl<'a> TokenJson<'a> {
    fn of(token: &'a IdToken) -> Self {
        let claims = token.claims().as_claimed();
        Self {
            id_token: token.reveal(),
            issuer: claims.issuer.as_deref(),
            subject: claims.subject.as_deref(),
            audience: &claims.audience,
            issued_at: claims.issued_at.map(|at| at.to_string()),
            expires_at: claims.expires_at.map(|at| at.to_string()),
        }
    }
}

/// `expires in 59 min · issuer https://…`
fn lifetime_text(token: &IdToken, ctx: &Context) -> String {
    let claims = token.claims().as_claimed();
    let issuer = claims.issuer.as_deref().map_or(String::new(), |issuer| format!(" · issuer {issuer}"));
    time::expiry(claims.expires_at, ctx.now()) + &issuer
}
