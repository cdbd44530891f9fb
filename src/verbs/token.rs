//! `gp idp token`

use std::path::Path;

use zeroize::Zeroizing;

use super::token_args::{TokenArgs, TokenFormat};
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exec::Signals;
use crate::http::Http;
use crate::json::{Json, quote};
use crate::jwt::{Decoded, IdToken};
use crate::output::sanitise_json;
use crate::renew::{Fresh, Reader, warn_of_short_life};
use crate::sink;
use crate::sink::kept::KeptFile;
use crate::source::{Supervisor, TokenRequest, TokenSource};
use crate::target::gcp;
use crate::target::kubernetes::exec_credential::{ApiVersion, exec_credential};
use crate::time;

pub(super) async fn run(args: &TokenArgs, ctx: &Context) -> Result<(), Failure> {
    if args.format == TokenFormat::Gcloud && !args.keep_fresh {
        return gcp::executable::run_as_format(
            args.audience.clone(),
            args.scope.as_deref(),
            args.limits.timeout,
            args.output.as_deref(),
            ctx,
        )
        .await;
    }
    let plugin = plugin(args, ctx)?;
    if let (Some(path), true) = (&args.output, args.keep_fresh) {
        return keep(args, path, plugin, ctx).await;
    }
    let token = mint(args, ctx).await?;
    let on_terminal = ctx.out.stdout_is_terminal() && args.output.is_none();
    let text = Zeroizing::new(render(args, plugin, on_terminal, &token)?);
    let life = || life_of(&token, ctx);
    match &args.output {
        None => {
            ctx.out.data(&text)?;
            ctx.out.tell(life);
        }
        Some(path) => {
            let receipt = sink::write_private(path, in_a_file(args, &text).as_bytes())?;
            ctx.out.tell(|| format!("wrote {} · {}", receipt.path.display(), life()));
        }
    }
    Ok(())
}

async fn mint(args: &TokenArgs, ctx: &Context) -> Result<IdToken, Failure> {
    let action = || format!("mint an ID token for {}", list(&args.audience));
    let http = Http::new(ctx, args.limits.timeout());
    let source = Supervisor::from_context(&http).could_not(action)?;
    let request = TokenRequest { audiences: &args.audience, scope: args.scope.as_deref() };
    source.id_token(&request).await.could_not(action)
}

/// The version that kubectl asked for, where it is kubectl that asks.
fn plugin(args: &TokenArgs, ctx: &Context) -> Result<ApiVersion, Failure> {
    let action = || format!("mint an ID token for {}", list(&args.audience));
    if args.format != TokenFormat::Kubernetes {
        return Ok(ApiVersion::default());
    }
    ApiVersion::asked_for(ctx.var("KUBERNETES_EXEC_INFO")?).could_not(action)
}

fn render(
    args: &TokenArgs,
    plugin: ApiVersion,
    on_terminal: bool,
    token: &IdToken,
) -> Result<String, Failure> {
    Ok(match (args.decode, args.format) {
        (true, _) => {
            let text = format!("{}\n", Decoded::parse(token.reveal())?.to_json().pretty());
            if on_terminal { sanitise_json(&text) } else { text }
        }
        (false, TokenFormat::Jwt) => format!("{}\n", token.reveal()),
        (false, TokenFormat::Header) => format!("Authorization: Bearer {}\n", token.reveal()),
        (false, TokenFormat::Kubernetes) => format!("{}\n", exec_credential(token, plugin).compact()),
        (false, TokenFormat::Gcloud) => gcp::executable::success(token)?,
        (false, TokenFormat::Json) => format!("{}\n", describe(token).pretty()),
    })
}

/// What goes into a file: SDKs send the content of a token file as it is, line break included.
fn in_a_file<'a>(args: &TokenArgs, text: &'a str) -> &'a str {
    let bare = !args.decode && args.format == TokenFormat::Jwt;
    if bare { text.trim_end() } else { text }
}

/// Writes the file, and writes it again ahead of each token's end.
async fn keep(args: &TokenArgs, path: &Path, plugin: ApiVersion, ctx: &Context) -> Result<(), Failure> {
    KeptFile::check(path)?;
    let content = |token: &IdToken| Ok(in_a_file(args, &render(args, plugin, false, token)?).to_owned());
    let reader = Reader::of(&args.audience);
    let token = mint(args, ctx).await?;
    warn_of_short_life(&token, reader, ctx);
    let signals = Signals::listen()?;
    let fresh = Fresh::write(path, &token, &content(&token)?, reader, ctx)?;
    fresh.keep_for_parent(signals, async || mint(args, ctx).await, content, ctx).await
}

/// The token and what it says of itself, absent claims left out.
fn describe(token: &IdToken) -> Json {
    let claims = token.claims().as_claimed();
    let string = |text: &str| Json::Scalar(quote(text));
    let time = |at: jiff::Timestamp| string(&at.to_string());
    let mut members = vec![("id_token".to_owned(), string(token.reveal()))];
    let mut add =
        |name: &str, value: Option<Json>| members.extend(value.map(|value| (name.to_owned(), value)));
    add("issuer", claims.issuer.as_deref().map(string));
    add("subject", claims.subject.as_deref().map(string));
    add("audience", Some(Json::Array(claims.audience.iter().map(|audience| string(audience)).collect())));
    add("issued_at", claims.issued_at.map(time));
    add("expires_at", claims.expires_at.map(time));
    Json::Object(members)
}

/// `expires in 59 min · issuer https://…`
fn life_of(token: &IdToken, ctx: &Context) -> String {
    let claims = token.claims().as_claimed();
    let expiry = claims
        .expires_at
        .map_or("never expires".to_owned(), |at| format!("expires {}", time::relative(at, ctx.now())));
    let issuer = claims.issuer.as_deref().map_or(String::new(), |issuer| format!(" · issuer {issuer}"));
    expiry + &issuer
}

fn list(audiences: &[String]) -> String {
    audiences.iter().map(|audience| format!("`{audience}`")).collect::<Vec<_>>().join(", ")
}
