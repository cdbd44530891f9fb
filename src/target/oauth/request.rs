//! What flags, files and environment ask of a token endpoint, checked before any request.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use reqwest::Url;

use crate::context::Context;
use crate::error::{Failure, UsageError};
use crate::exit::{Exit, Explain};
use crate::http::{Http, is_loopback, origin};
use crate::secret::{Secret, redact_jwts};
use crate::target::oauth::args::{ClientAuthName, GrantName, TokenEndpointArgs};
use crate::target::oauth::exchange::{ClientAuth, Grant, JWT, TokenCall, discovery};

/// Parameters that flags of their own set.
const OURS: [&str; 14] = [
    "actor_token",
    "actor_token_type",
    "assertion",
    "audience",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "grant_type",
    "requested_token_type",
    "resource",
    "scope",
    "subject_token",
    "subject_token_type",
];

#[derive(Debug, thiserror::Error)]
#[error("could not read {}", path.display())]
struct ReadError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl Explain for ReadError {
    fn exit(&self) -> Exit {
        Exit::LocalFile
    }
}

/// Where the token endpoint is, or who says so.
enum Place {
    Endpoint(Url),
    Issuer(Url),
}

/// All but the address that discovery has yet to give.
pub(super) struct Settings {
    place: Place,
    audience: Vec<String>,
    call: TokenCall,
}

impl Settings {
    /// Asks the issuer where its token endpoint is, when it is an issuer that was named. Gives whom the ID token is
    /// for, which is the service itself where nobody says otherwise (RFC 7523 section 3), and what to ask it.
    pub(super) async fn resolve(self, http: &Http<'_>) -> Result<(Vec<String>, TokenCall), Failure> {
        let (name, endpoint) = match self.place {
            Place::Endpoint(url) => (url.to_string(), url),
            Place::Issuer(issuer) => {
                let found = discovery::find(http, &issuer).await?;
                (found.issuer, found.token_endpoint)
            }
        };
        let audience = if self.audience.is_empty() { vec![name] } else { self.audience };
        Ok((audience, TokenCall { endpoint, ..self.call }))
    }
}

pub(super) fn read(args: &TokenEndpointArgs, ctx: &Context) -> Result<Settings, Failure> {
    let place = place(args, ctx)?;
    let grant = match args.grant {
        GrantName::TokenExchange => Grant::TokenExchange,
        GrantName::JwtBearer => Grant::JwtBearer,
        GrantName::ClientCredentials => Grant::ClientCredentials,
    };
    check_fits(args)?;
    let actor = match &args.actor_token_file {
        None => None,
        Some(path) => Some((secret_file(path)?, token_type("--actor-token-type", &args.actor_token_type)?)),
    };
    let requested = args.requested_token_type.as_deref();
    let (Place::Endpoint(url) | Place::Issuer(url)) = &place;
    let call = TokenCall {
        endpoint: url.clone(),
        grant,
        subject_token_type: token_type("--subject-token-type", &args.subject_token_type)?,
        requested_token_type: requested.map(|kind| token_type("--requested-token-type", kind)).transpose()?,
        audiences: args.target_audience.clone(),
        resources: args.resource.iter().map(|text| resource(text)).collect::<Result<_, _>>()?,
        scope: args.scope.clone(),
        actor,
        client: client(args, ctx)?,
        more: args.param.iter().map(|text| param(text)).collect::<Result<_, _>>()?,
    };
    Ok(Settings { place, audience: args.audience.clone(), call })
}

fn usage(message: impl Into<String>, hint: &str) -> UsageError {
    UsageError { message: message.into(), hint: Some(hint.to_owned()) }
}

fn place(args: &TokenEndpointArgs, ctx: &Context) -> Result<Place, Failure> {
    let endpoint = match (&args.token_endpoint, &args.issuer) {
        (Some(endpoint), _) => Some(("--token-endpoint", endpoint.as_str())),
        (None, Some(_)) => None,
        (None, None) => ctx.var("IDP_TOKEN_ENDPOINT")?.map(|endpoint| ("IDP_TOKEN_ENDPOINT", endpoint)),
    };
    match (endpoint, &args.issuer) {
        (Some((setting, endpoint)), _) => Ok(Place::Endpoint(address(setting, endpoint)?)),
        (None, Some(issuer)) => {
            let url = address("--issuer", issuer)?;
            if url.query().is_some() {
                return Err(usage(
                    "`--issuer` has a query, which no issuer has",
                    "write it as its tokens have it in `iss`",
                )
                .into());
            }
            Ok(Place::Issuer(url))
        }
        (None, None) => Err(usage(
            "no token endpoint is named",
            "give one with `--token-endpoint https://…`, or the service with `--issuer https://…`",
        )
        .into()),
    }
}

/// Somewhere that secrets may be sent to. The address is not repeated as a whole: it may hold some.
fn address(setting: &str, text: &str) -> Result<Url, UsageError> {
    const FORM: &str = "write it like `https://login.example.com/oauth/token`";
    let url = Url::parse(text).map_err(|_| usage(format!("`{setting}` is not a URL"), FORM))?;
    if url.host_str().is_none() || !matches!(url.scheme(), "https" | "http") {
        return Err(usage(format!("`{setting}` is not an https URL"), FORM));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        let hint = "leave them out; the client's secret goes into `IDP_CLIENT_SECRET`";
        return Err(usage(format!("`{setting}` holds a user name, a password or a part after `#`"), hint));
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        let message = format!("`{setting}` is {}, and a token may not go over plain http", origin(&url));
        return Err(usage(message, "use an https:// address"));
    }
    Ok(url)
}

/// Flags that say nothing with this grant are mistakes.
fn check_fits(args: &TokenEndpointArgs) -> Result<(), UsageError> {
    let exchange = args.grant == GrantName::TokenExchange;
    let odd = [
        ("--requested-token-type", args.requested_token_type.is_some()),
        ("--actor-token-file", args.actor_token_file.is_some()),
        ("--subject-token-type", args.subject_token_type != "jwt"),
    ];
    if let Some((flag, _)) = odd.iter().find(|(_, given)| *given && !exchange) {
        return Err(usage(format!("`{flag}` is for `--grant token-exchange` only"), "leave one of them out"));
    }
    if args.grant == GrantName::ClientCredentials
        && !matches!(args.client_auth, None | Some(ClientAuthName::Jwt))
    {
        return Err(usage(
            "`--grant client-credentials` takes the ID token as the client's assertion",
            "leave out `--client-auth`, or set it to `jwt`",
        ));
    }
    Ok(())
}

/// A short name of RFC 8693 section 3, or a URI as it is.
fn token_type(setting: &str, text: &str) -> Result<String, UsageError> {
    match text {
        "jwt" => Ok(JWT.to_owned()),
        "access_token" | "refresh_token" | "id_token" | "saml1" | "saml2" => {
            Ok(format!("urn:ietf:params:oauth:token-type:{text}"))
        }
        uri if Url::parse(uri).is_ok() => Ok(uri.to_owned()),
        other => Err(usage(
            format!("`{setting} {other}` is neither a known name nor a URI"),
            "write jwt, id_token, access_token, refresh_token, or a URI such as `urn:example:token`",
        )),
    }
}

/// An absolute URI without a fragment (RFC 8693 section 2.1).
fn resource(text: &str) -> Result<String, UsageError> {
    match Url::parse(text) {
        Ok(url) if url.fragment().is_none() => Ok(text.to_owned()),
        _ => Err(usage(
            format!("`--resource {text}` is not an absolute URI without a part after `#`"),
            "write it like `https://api.example.com/`; a name that is no URI goes with `--target-audience`",
        )),
    }
}

fn param(text: &str) -> Result<(String, String), UsageError> {
    let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
        return Err(usage("`--param` is not `NAME=VALUE`", "write it like `--param connection=github`"));
    };
    if OURS.contains(&name) || ["secret", "password"].iter().any(|end| name.ends_with(end)) {
        return Err(usage(
            format!("`--param {name}=…` would set what a flag of its own sets, or what has to stay secret"),
            "see `gp idp exchange --help` for that flag",
        ));
    }
    if redact_jwts(value) != value {
        return Err(usage(
            format!("`--param {name}=…` holds a token, which everyone on this machine can read there"),
            "hand it over with `--actor-token-file FILE`, if that is what it is",
        ));
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn client(args: &TokenEndpointArgs, ctx: &Context) -> Result<ClientAuth, Failure> {
    let secret = match (&args.client_secret_file, ctx.var("IDP_CLIENT_SECRET")?) {
        (Some(path), _) => Some(secret_file(path)?),
        (None, Some(secret)) => Some(Secret::new(secret.to_owned())),
        (None, None) => None,
    };
    let id = args.client_id.clone();
    let way = args.client_auth.unwrap_or(match args.grant {
        GrantName::ClientCredentials => ClientAuthName::Jwt,
        // A secret of the environment is for the client that is named, and for nobody else.
        _ if secret.is_some() && (id.is_some() || args.client_secret_file.is_some()) => ClientAuthName::Basic,
        _ => ClientAuthName::None,
    });
    let both = |id: Option<String>, secret: Option<Secret>| match (id, secret) {
        (Some(id), Some(secret)) => Ok((id, secret)),
        (None, _) => Err(usage("the client has a secret and no id", "give it with `--client-id ID`")),
        (_, None) => Err(usage(
            "the client has no secret",
            "put it into `IDP_CLIENT_SECRET` or a file for `--client-secret-file`, never on the command line",
        )),
    };
    Ok(match way {
        ClientAuthName::None => ClientAuth::None(id),
        ClientAuthName::Jwt => ClientAuth::Jwt(id),
        ClientAuthName::Basic => {
            let (id, secret) = both(id, secret)?;
            ClientAuth::Basic(id, secret)
        }
        ClientAuthName::Post => {
            let (id, secret) = both(id, secret)?;
            ClientAuth::Post(id, secret)
        }
    })
}

/// A secret, without the line break that editors put at the end.
fn secret_file(path: &Path) -> Result<Secret, Failure> {
    let read = |source| ReadError { path: path.to_owned(), source };
    let text = fs::read_to_string(path).map(Secret::new).map_err(read)?;
    let bare = text.reveal().trim_end_matches(['\r', '\n']);
    if bare.is_empty() {
        return Err(usage(format!("{} is empty", path.display()), "put the secret into it").into());
    }
    Ok(Secret::new(bare.to_owned()))
}
