//! `gp idp exchange`, `gp idp exec exchange`: the ID token for whatever a token endpoint gives.

pub(super) mod exec;
mod settings;

use crate::cli::{ExchangeArgs, ExchangeFormat, TokenEndpointArgs};
use crate::commands::trade::trade;
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exchange::oauth::{OauthCredential, TokenEndpoint};
use crate::http::Http;
use crate::json::{Json, quote};
use crate::sink::formats::{ShellFormat, shell_lines};
use crate::source::{Supervisor, TokenRequest};
use crate::time;

/// Prints the new token.
pub(super) async fn run(args: &ExchangeArgs, ctx: &Context) -> Result<(), Failure> {
    let given = obtain(&args.endpoint, ctx).await?;
    let token = given.access_token.reveal();
    let text = match args.format {
        ExchangeFormat::Token => format!("{token}\n"),
        ExchangeFormat::Header => format!("Authorization: Bearer {token}\n"),
        ExchangeFormat::Json => format!("{}\n", describe(&given).pretty()),
        ExchangeFormat::Env => {
            shell_lines(&[(args.variable.as_str(), given.access_token.clone())], ShellFormat::Env)
        }
    };
    ctx.out.data(&text)?;
    ctx.out.tell(|| match given.expires_at {
        Some(at) => format!("expires {}", time::relative(at, ctx.now())),
        None => "the service does not say when it expires".to_owned(),
    });
    Ok(())
}

/// Mints an ID token and trades it. Everything that can be wrong by itself is found before.
async fn obtain(args: &TokenEndpointArgs, ctx: &Context) -> Result<OauthCredential, Failure> {
    let action = || "exchange an ID token".to_owned();
    let settings = settings::read(args, ctx).could_not(action)?;
    let http = Http::new(ctx, args.limits.timeout);
    let source = Supervisor::from_context(&http).could_not(action)?;
    let call = settings.resolve(&http).await.could_not(action)?;
    let wanted = TokenRequest { audiences: &args.audience, scope: None };
    let endpoint = TokenEndpoint::new(&http, &call);
    let (_, given) = trade(&source, &wanted, &endpoint, ctx).await.could_not(action)?;
    Ok(given)
}

/// All that the service said, absent members left out.
fn describe(given: &OauthCredential) -> Json {
    let string = |text: &str| Json::Scalar(quote(text));
    let members = [
        ("access_token", Some(given.access_token.reveal().to_owned())),
        ("token_type", given.token_type.clone()),
        ("issued_token_type", given.issued_token_type.clone()),
        ("expires_at", given.expires_at.map(|at| at.to_string())),
        ("scope", given.scope.clone()),
        ("refresh_token", given.refresh_token.as_ref().map(|token| token.reveal().to_owned())),
    ];
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), string(&value?))));
    Json::Object(members.collect())
}
