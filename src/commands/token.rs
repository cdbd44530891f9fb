//! `gp idp token`

use crate::cli::{TokenArgs, TokenFormat};
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::http::Http;
use crate::json::{Json, quote};
use crate::jwt::{Decoded, IdToken};
use crate::sink;
use crate::sink::exec_credential::{ApiVersion, exec_credential};
use crate::source::{Supervisor, TokenRequest, TokenSource};
use crate::time;

pub(super) async fn run(args: &TokenArgs, ctx: &Context) -> Result<(), Failure> {
    let action = || format!("mint an ID token for {}", list(&args.audience));
    let plugin = match args.format {
        TokenFormat::Kubernetes => {
            Some(ApiVersion::asked_for(ctx.var("KUBERNETES_EXEC_INFO")?).could_not(action)?)
        }
        _ => None,
    };
    let http = Http::new(ctx, args.limits.timeout);
    let source = Supervisor::from_context(&http).could_not(action)?;
    let request = TokenRequest { audiences: &args.audience, scope: args.scope.as_deref() };
    let token = source.id_token(&request).await.could_not(action)?;

    let text = match (args.decode, args.format) {
        (true, _) => format!("{}\n", Decoded::parse(token.reveal())?.to_json().pretty()),
        (false, TokenFormat::Jwt) => format!("{}\n", token.reveal()),
        (false, TokenFormat::Header) => format!("Authorization: Bearer {}\n", token.reveal()),
        (false, TokenFormat::Kubernetes) => {
            format!("{}\n", exec_credential(&token, plugin.unwrap_or_default()).compact())
        }
        (false, TokenFormat::Json) => format!("{}\n", describe(&token).pretty()),
    };
    let life = || life_of(&token, ctx);
    match &args.output {
        None => {
            ctx.out.data(&text)?;
            ctx.out.tell(life);
        }
        Some(path) => {
            // SDKs send the content of a token file as it is, line break included.
            let bare = !args.decode && args.format == TokenFormat::Jwt;
            let content = if bare { text.trim_end() } else { &text };
            let receipt = sink::write_private(path, content.as_bytes())?;
            ctx.out.tell(|| format!("wrote {} · {}", receipt.path.display(), life()));
        }
    }
    Ok(())
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
