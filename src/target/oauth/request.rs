//! Reads and checks the flags, files and variables for a token endpoint before any request.

use std::path::Path;

use url::Url;

use super::args::{ClientAuthName, GrantName, TokenEndpointArgs};
use super::exchange::JWT;
use super::exchange::discovery::{self, DiscoveryError};
use crate::context::Context;
use crate::error::{CouldNot, Failure, UsageError};
use crate::exec::CLIENT_SECRET;
use crate::files::{self, MAX_FILE};
use crate::http::{Http, SecureUrl, UrlError};
use crate::secret::{Secret, redact_jwts};
use crate::settings::SessionOptions;
use crate::settings::{Fallback, Setting};
use crate::source::TokenRequest;

/// The parameters that have their own flag.
const RESERVED_PARAMETERS: [&str; 14] = [
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

/// How the ID token is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// RFC 8693: the ID token is the subject token.
    TokenExchange,
    /// RFC 7523 section 2.1: the ID token is the assertion.
    JwtBearer,
    /// RFC 6749 section 4.4, with the ID token as the client's assertion.
    ClientCredentials,
}

/// The client, and how it authenticates.
#[derive(Debug, Clone)]
pub enum ClientAuth {
    /// No client, or a public client with this id.
    None(Option<String>),
    /// RFC 6749 section 2.3.1, in the `Authorization` header.
    Basic(String, Secret),
    /// RFC 6749 section 2.3.1, in the body.
    Post(String, Secret),
    /// RFC 7523 section 2.2: the ID token is the client's assertion.
    Jwt(Option<String>),
}

impl ClientAuth {
    pub(super) fn id(&self) -> Option<&str> {
        match self {
            Self::None(id) | Self::Jwt(id) => id.as_deref(),
            Self::Basic(id, _) | Self::Post(id, _) => Some(id),
        }
    }
}

/// The checked settings of a request to a token endpoint.
#[derive(Debug, Clone)]
pub struct TokenCall {
    place: Location,
    /// The setting that names the token endpoint or the issuer.
    pub(super) endpoint_from: &'static str,
    /// How the ID token is used.
    pub grant: Grant,
    pub subject_token_type: String,
    pub requested_token_type: Option<String>,
    /// The `audience` parameters.
    pub audiences: Vec<String>,
    /// The `resource` parameters.
    pub resources: Vec<String>,
    pub scope: Option<String>,
    /// The `actor_token` and its `actor_token_type`.
    pub actor: Option<(Secret, String)>,
    pub client: ClientAuth,
    /// The parameters of `--param`.
    pub extra_parameters: Vec<(String, String)>,
    /// The request for the ID token.
    pub token: TokenRequest,
    /// The source of the ID token, and the time limit of the command.
    pub options: SessionOptions,
}

/// The token endpoint, or the issuer whose metadata names it.
#[derive(Debug, Clone)]
enum Location {
    Endpoint(SecureUrl),
    Issuer(SecureUrl),
}

impl TokenCall {
    /// The token endpoint, or the issuer if its metadata has not been fetched yet.
    pub(super) fn endpoint(&self) -> &SecureUrl {
        let (Location::Endpoint(url) | Location::Issuer(url)) = &self.place;
        url
    }

    /// If `--issuer` is given, fetches the token endpoint from the issuer's metadata. If no
    /// audience is given, the audience of the ID token is the service itself (RFC 7523 section 3).
    pub(super) async fn discovered(mut self, http: &Http<'_>) -> Result<Self, DiscoveryError> {
        let name = match &self.place {
            Location::Endpoint(url) => url.as_str().to_owned(),
            Location::Issuer(issuer) => {
                let found = discovery::discover(http, issuer).await?;
                self.place = Location::Endpoint(found.token_endpoint);
                found.issuer
            }
        };
        if self.token.audiences.is_empty() {
            self.token.audiences.push(name);
        }
        Ok(self)
    }
}

pub(super) fn read(args: &TokenEndpointArgs, ctx: &Context) -> Result<TokenCall, Failure> {
    let (endpoint_from, place) = place(args, ctx)?;
    let grant = match args.grant {
        GrantName::TokenExchange => Grant::TokenExchange,
        GrantName::JwtBearer => Grant::JwtBearer,
        GrantName::ClientCredentials => Grant::ClientCredentials,
    };
    check_grant_flags(args)?;
    let actor = match &args.actor_token_file {
        None => None,
        Some(path) => Some((
            secret_file("--actor-token-file", path)?,
            token_type("--actor-token-type", &args.actor_token_type)?,
        )),
    };
    let requested = args.requested_token_type.as_deref();
    Ok(TokenCall {
        place,
        endpoint_from,
        grant,
        subject_token_type: token_type("--subject-token-type", &args.subject_token_type)?,
        requested_token_type: requested.map(|kind| token_type("--requested-token-type", kind)).transpose()?,
        audiences: args.target_audience.clone(),
        resources: args.resource.iter().map(|text| resource(text)).collect::<Result<_, _>>()?,
        scope: args.scope.clone(),
        actor,
        client: client(args, ctx)?,
        extra_parameters: args.param.iter().map(|text| param(text)).collect::<Result<_, _>>()?,
        token: TokenRequest { audiences: args.audience.clone(), scope: None },
        options: args.session.options(),
    })
}

/// The setting that names the place, and the place.
fn place(args: &TokenEndpointArgs, ctx: &Context) -> Result<(&'static str, Location), Failure> {
    if let Some(issuer) = Setting::flag("--issuer", args.issuer.as_deref()) {
        let url = issuer.parse(SecureUrl::parse)?;
        if url.query().is_some() {
            return Err(issuer.wrong(UrlError::Query).into());
        }
        return Ok((issuer.name, Location::Issuer(url)));
    }
    let endpoint = Setting::flag("--token-endpoint", args.token_endpoint.as_deref())
        .or_variable("IDP_TOKEN_ENDPOINT", ctx)?
        .required(
            "token endpoint",
            "give `--token-endpoint https://…`, or the issuer as `--issuer https://…`",
        )?;
    Ok((endpoint.name, Location::Endpoint(endpoint.parse(SecureUrl::parse)?)))
}

/// Refuses flags that have no effect with this grant.
fn check_grant_flags(args: &TokenEndpointArgs) -> Result<(), UsageError> {
    let exchange = args.grant == GrantName::TokenExchange;
    let exchange_only = [
        ("--requested-token-type", args.requested_token_type.is_some()),
        ("--actor-token-file", args.actor_token_file.is_some()),
        ("--subject-token-type", args.subject_token_type != "jwt"),
    ];
    if let Some((flag, _)) = exchange_only.iter().find(|(_, given)| *given && !exchange) {
        return Err(UsageError::new(
            format!("`{flag}` is for `--grant token-exchange` only"),
            format!("leave out `--grant` or `{flag}`"),
        ));
    }
    if args.grant == GrantName::ClientCredentials
        && !matches!(args.client_auth, None | Some(ClientAuthName::Jwt))
    {
        return Err(UsageError::new(
            "`--grant client-credentials` takes the ID token as the client's assertion",
            "leave out `--client-auth`, or set it to `jwt`",
        ));
    }
    Ok(())
}

/// Expands a short name of RFC 8693 section 3. A URI is left unchanged.
fn token_type(setting: &str, text: &str) -> Result<String, UsageError> {
    match text {
        "jwt" => Ok(JWT.to_owned()),
        "access_token" | "refresh_token" | "id_token" | "saml1" | "saml2" => {
            Ok(format!("urn:ietf:params:oauth:token-type:{text}"))
        }
        uri if Url::parse(uri).is_ok() => Ok(uri.to_owned()),
        other => Err(UsageError::new(
            format!("`{setting} {other}` is neither a known name nor a URI"),
            "write jwt, id_token, access_token, refresh_token, or a URI such as `urn:example:token`",
        )),
    }
}

/// Checks for an absolute URI without a fragment (RFC 8693 section 2.1).
fn resource(text: &str) -> Result<String, UsageError> {
    match Url::parse(text) {
        Ok(url) if url.fragment().is_none() => Ok(text.to_owned()),
        _ => Err(UsageError::new(
            format!("`--resource {text}` is not an absolute URI, or has a fragment (a part after `#`)"),
            "write it like `https://api.example.com/`\n\
             if the name of the service is not a URI, give it with `--target-audience`",
        )),
    }
}

fn param(text: &str) -> Result<(String, String), UsageError> {
    let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
        return Err(UsageError::new(
            "`--param` is not `NAME=VALUE`",
            "write it like `--param connection=github`",
        ));
    };
    if RESERVED_PARAMETERS.contains(&name) || ["secret", "password"].iter().any(|end| name.ends_with(end)) {
        return Err(UsageError::new(
            format!(
                "`--param {name}=…` is not allowed: the parameter has its own flag, or its value is secret"
            ),
            "see `gp idp exchange --help` for that flag",
        ));
    }
    if redact_jwts(value) != value {
        return Err(UsageError::new(
            format!("`--param {name}=…` holds a token, which everyone on this machine can read there"),
            "if it is an actor token, use `--actor-token-file FILE`",
        ));
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn client(args: &TokenEndpointArgs, ctx: &Context) -> Result<ClientAuth, Failure> {
    let sends_no_secret = match args.client_auth {
        Some(method) => matches!(method, ClientAuthName::None | ClientAuthName::Jwt),
        None => args.grant == GrantName::ClientCredentials,
    };
    if sends_no_secret && args.client_secret_file.is_some() {
        let message = "`--client-secret-file` has no effect here, because the client sends no secret";
        let hint = match args.grant {
            GrantName::ClientCredentials => {
                "leave it out: with this grant, the ID token identifies the client"
            }
            _ => "leave it out, or set `--client-auth` to `basic` or `post`",
        };
        return Err(UsageError::new(message, hint).into());
    }
    let secret = match (&args.client_secret_file, ctx.var(CLIENT_SECRET)?) {
        (Some(path), _) => Some(secret_file("--client-secret-file", path)?),
        (None, Some(secret)) => Some(Secret::new(secret.to_owned())),
        (None, None) => None,
    };
    let id = args.client_id.clone();
    let method = args.client_auth.unwrap_or(match args.grant {
        GrantName::ClientCredentials => ClientAuthName::Jwt,
        // A secret from the environment is used only if `--client-id` names a client.
        _ if secret.is_some() && (id.is_some() || args.client_secret_file.is_some()) => ClientAuthName::Basic,
        _ => ClientAuthName::None,
    });
    let require_id_and_secret = |id: Option<String>, secret: Option<Secret>| match (id, secret) {
        (Some(id), Some(secret)) => Ok((id, secret)),
        (None, _) => {
            Err(UsageError::new("the client has a secret and no id", "give it with `--client-id ID`"))
        }
        (_, None) => Err(UsageError::new(
            "the client has no secret",
            "put it into `IDP_CLIENT_SECRET` or a file for `--client-secret-file`, never on the command line",
        )),
    };
    Ok(match method {
        ClientAuthName::None => ClientAuth::None(id),
        ClientAuthName::Jwt => ClientAuth::Jwt(id),
        ClientAuthName::Basic => {
            let (id, secret) = require_id_and_secret(id, secret)?;
            ClientAuth::Basic(id, secret)
        }
        ClientAuthName::Post => {
            let (id, secret) = require_id_and_secret(id, secret)?;
            ClientAuth::Post(id, secret)
        }
    })
}

/// Reads a secret without the line break that editors add at the end.
fn secret_file(flag: &str, path: &Path) -> Result<Secret, Failure> {
    let action = || format!("read the file that `{flag}` names");
    let text = files::read_text(path, MAX_FILE).could_not(action)?;
    let bare = text.trim_end_matches(['\r', '\n']);
    if bare.is_empty() {
        return Err(UsageError::new(format!("{} is empty", path.display()), "put the secret into it").into());
    }
    Ok(Secret::new(bare.to_owned()))
}
