//! Any OAuth token endpoint: exchanges the ID token for the token that the service issues.

pub mod args;
pub mod exchange;
pub(crate) mod exec;
mod request;

use serde::Serialize;

use self::args::{ExchangeArgs, ExchangeFormat, TokenEndpointArgs};
use self::exchange::{OauthCredential, TokenEndpoint};
use crate::args::Format;
use crate::audit::{Access, Recipient};
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exchange::{ExchangeError, ask};
use crate::exit::{Exit, Explain};
use crate::http::{Http, SecureUrl};
use crate::jwt::IdToken;
use crate::secret::Secret;
use crate::session::Session;
use crate::settings::SessionOptions;
use crate::sink::formats::shell_lines;
use crate::source::TokenRequest;
use crate::target::Target;
use crate::time;

pub use request::{ClientAuth, Grant, TokenCall};

pub struct Oauth;

impl Target for Oauth {
    /// The new token goes into a variable of the caller's choice.
    const CONFLICTING_VARIABLES: &'static [&'static str] = &[];
    type Args = TokenEndpointArgs;
    type Request = TokenCall;
    type Credential = OauthCredential;

    fn request(args: &TokenEndpointArgs, ctx: &Context) -> Result<TokenCall, Failure> {
        request::read(args, ctx).could_not(|| ACTION.to_owned())
    }

    fn action(_: &TokenCall) -> String {
        ACTION.to_owned()
    }

    fn token_request(request: &TokenCall) -> &TokenRequest {
        &request.token
    }

    fn options(request: &TokenCall) -> &SessionOptions {
        &request.options
    }

    /// The host is always foreign, because this target has no default service.
    fn foreign_hosts(request: &TokenCall) -> Vec<String> {
        vec![request.endpoint().origin()]
    }

    fn urls(request: &TokenCall) -> Vec<SecureUrl> {
        vec![request.endpoint().clone()]
    }

    fn access(request: &TokenCall, given: Option<&OauthCredential>) -> Access {
        Access {
            provider: Some(request.endpoint().to_string()),
            account: request.client.id().map(str::to_owned),
            expires_at: given.and_then(|given| given.expires_at),
            ..Access::default()
        }
    }

    async fn exchange(
        request: &TokenCall,
        token: &IdToken,
        http: &Http<'_>,
    ) -> Result<OauthCredential, ExchangeError> {
        let endpoint = TokenEndpoint(request);
        ask(&endpoint, endpoint.call(token), token, http).await
    }
}

const ACTION: &str = "exchange an ID token";

/// The type of the token needs more than a header.
#[derive(Debug, thiserror::Error)]
#[error("the service issued a token of type `{kind}`, which an `Authorization: Bearer` line cannot carry")]
struct NotBearer {
    kind: String,
}

impl Explain for NotBearer {
    fn exit(&self) -> Exit {
        Exit::TargetRefused
    }

    fn hint(&self) -> Option<String> {
        Some(
            "print the token alone with `--format token`\n\
             if you need the header, configure the service to issue bearer tokens to this client"
                .into(),
        )
    }
}

/// Prints the new token.
pub(crate) async fn run(args: &ExchangeArgs, ctx: &Context) -> Result<(), Failure> {
    let (given, session) = obtain(&args.endpoint, ctx).await?;
    session.hand_over().to(Recipient::Stdout, async { print(args, &given, ctx) }).await?;
    ctx.out.note_on_terminal(|| match given.expires_at {
        Some(_) => time::expiry(given.expires_at, ctx.now()),
        None => "the service does not say when it expires".to_owned(),
    });
    Ok(())
}

fn print(args: &ExchangeArgs, given: &OauthCredential, ctx: &Context) -> Result<(), Failure> {
    let token = &given.access_token;
    match args.format {
        Format::Own(ExchangeFormat::Token) => ctx.out.lines(&format!("{}\n", token.reveal()))?,
        Format::Own(ExchangeFormat::Header) if !given.is_bearer() => {
            let kind = given.token_type.clone().unwrap_or_default();
            return Err(NotBearer { kind }).could_not(|| "print a header".to_owned());
        }
        Format::Own(ExchangeFormat::Header) => {
            ctx.out.lines(&format!("Authorization: Bearer {}\n", token.reveal()))?;
        }
        Format::Own(ExchangeFormat::Json) => ctx.out.json(&CredentialJson::of(given))?,
        Format::Shell(format) => {
            ctx.out.lines(&shell_lines(&[(args.variable.as_str(), token.clone())], format))?;
        }
    }
    Ok(())
}

/// Mints an ID token and exchanges it. Checks the settings and the issuer's metadata first.
async fn obtain<'a>(
    args: &TokenEndpointArgs,
    ctx: &'a Context,
) -> Result<(OauthCredential, Session<'a>), Failure> {
    let request = Oauth::request(args, ctx)?;
    let session = Session::for_target::<Oauth>(ctx, &request)?;
    session.connect_early().await;
    let request = request.discovered(session.http()).await.could_not(|| ACTION.to_owned())?;
    let given = session.obtain::<Oauth>(&request).await?.credential;
    let missing = given.missing_scopes(request.scope.as_deref().unwrap_or_default());
    if !missing.is_empty() {
        ctx.out.warn(format!("the new token lacks the scopes `{}`", missing.join("`, `")));
    }
    Ok((given, session))
}

/// The output of `--format json`. Absent members are left out.
#[derive(Serialize)]
struct CredentialJson<'a> {
    #[serde(serialize_with = "Secret::serialize_revealed")]
    access_token: &'a Secret,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
}

impl<'a> CredentialJson<'a> {
    fn of(given: &'a OauthCredential) -> Self {
        Self {
            access_token: &given.access_token,
            token_type: given.token_type.as_deref(),
            issued_token_type: given.issued_token_type.as_deref(),
            expires_at: given.expires_at.map(|at| at.to_string()),
            scope: given.scope.as_deref(),
            refresh_token: given.refresh_token.as_ref().map(Secret::reveal),
        }
    }
}
