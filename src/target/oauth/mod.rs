//! `gp idp exchange`, `gp idp exec exchange`: the ID token for whatever a token endpoint gives.

pub mod args;
pub mod exchange;
pub(crate) mod exec;
mod request;

use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exchange::trade::trade;
use crate::exit::{Exit, Explain};
use crate::http::Http;
use crate::json::{Json, quote};
use crate::sink::formats::{ShellFormat, shell_lines};
use crate::source::{Supervisor, TokenRequest};
use crate::target::oauth::args::{ExchangeArgs, ExchangeFormat, TokenEndpointArgs};
use crate::target::oauth::exchange::{OauthCredential, TokenEndpoint};
use crate::time;

/// A type that wants more than a header.
#[derive(Debug, thiserror::Error)]
#[error("the service gave a token of the type `{kind}`, which an `Authorization: Bearer` line cannot carry")]
struct NotBearer {
    kind: String,
}

impl Explain for NotBearer {
    fn exit(&self) -> Exit {
        Exit::TargetRefused
    }

    fn hint(&self) -> Option<String> {
        Some(
            "let the service give this client bearer tokens, or print the token alone with `--format token`"
                .into(),
        )
    }
}

/// Prints the new token.
pub(crate) async fn run(args: &ExchangeArgs, ctx: &Context) -> Result<(), Failure> {
    let given = obtain(&args.endpoint, ctx).await?;
    let token = given.access_token.reveal();
    let text = match args.format {
        ExchangeFormat::Token => format!("{token}\n"),
        ExchangeFormat::Header if !given.is_bearer() => {
            let kind = given.token_type.clone().unwrap_or_default();
            return Err(NotBearer { kind }).could_not(|| "print a header".to_owned());
        }
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
    let settings = request::read(args, ctx).could_not(action)?;
    let http = Http::new(ctx, args.limits.timeout());
    let source = Supervisor::from_context(&http).could_not(action)?;
    let (audiences, call) = settings.resolve(&http).await.could_not(action)?;
    let wanted = TokenRequest { audiences: &audiences, scope: None };
    let endpoint = TokenEndpoint::new(&http, &call);
    let (_, given) = trade(&source, &wanted, &endpoint, ctx).await.could_not(action)?;
    let missing = given.missing_scopes(call.scope.as_deref().unwrap_or_default());
    if !missing.is_empty() {
        ctx.out.warn(format!("the new token comes without the scopes `{}`", missing.join("`, `")));
    }
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
