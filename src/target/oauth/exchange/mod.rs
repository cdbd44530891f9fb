//! Any OAuth token endpoint that takes an ID token of somebody else's: token exchange (RFC 8693), the JWT bearer
//! grant (RFC 7523 section 2.1), and client credentials with the token in place of a secret (section 2.2).

pub mod discovery;
mod member;
mod refusal;
mod wire;

use jiff::Timestamp;
use reqwest::Url;

use crate::exchange::{Exchange, ExchangeError, ask};
use crate::http::{Call, Http, HttpError};
use crate::jwt::IdToken;
use crate::secret::Secret;

/// The type of token that the ID token is handed in as (RFC 8693 section 3).
pub const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

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

/// Who the client is to the service, and how it shows that.
#[derive(Debug, Clone)]
pub enum ClientAuth {
    /// Nobody, or a public client with this id.
    None(Option<String>),
    /// RFC 6749 section 2.3.1, in the `Authorization` header.
    Basic(String, Secret),
    /// RFC 6749 section 2.3.1, in the body.
    Post(String, Secret),
    /// RFC 7523 section 2.2: the ID token is the client's assertion.
    Jwt(Option<String>),
}

/// Everything that the service is asked for, checked before any request.
#[derive(Debug, Clone)]
pub struct TokenCall {
    /// The token endpoint.
    pub endpoint: Url,
    /// How the ID token is used.
    pub grant: Grant,
    /// `subject_token_type`
    pub subject_token_type: String,
    /// `requested_token_type`
    pub requested_token_type: Option<String>,
    /// `audience`, as often as there are some.
    pub audiences: Vec<String>,
    /// `resource`, as often as there are some.
    pub resources: Vec<String>,
    /// `scope`
    pub scope: Option<String>,
    /// `actor_token` and `actor_token_type`
    pub actor: Option<(Secret, String)>,
    /// Who asks.
    pub client: ClientAuth,
    /// What the service wants besides.
    pub more: Vec<(String, String)>,
}

/// What the service gave.
#[derive(Debug, Clone)]
pub struct OauthCredential {
    /// `access_token`, whatever kind of token it holds.
    pub access_token: Secret,
    /// `issued_token_type`
    pub issued_token_type: Option<String>,
    /// `token_type`
    pub token_type: Option<String>,
    /// When it ends, where the service says so.
    pub expires_at: Option<Timestamp>,
    /// `scope`
    pub scope: Option<String>,
    /// `refresh_token`
    pub refresh_token: Option<Secret>,
}

/// One token endpoint.
pub struct TokenEndpoint<'a> {
    http: &'a Http<'a>,
    call: &'a TokenCall,
}

impl OauthCredential {
    /// Whether an `Authorization: Bearer` line can carry it: other types want a proof beside the token. `N_A` is
    /// the type of a token that is no access token (RFC 8693 section 2.2.1).
    #[must_use]
    pub fn is_bearer(&self) -> bool {
        let named =
            |name: &str| self.token_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case(name));
        self.token_type.is_none() || named("Bearer") || named("N_A")
    }

    /// Those of the wanted scopes that the service says it left out (RFC 6749 section 5.1).
    #[must_use]
    pub fn missing_scopes<'a>(&self, wanted: &'a str) -> Vec<&'a str> {
        let Some(given) = &self.scope else { return Vec::new() };
        wanted.split_whitespace().filter(|scope| !given.split_whitespace().any(|one| one == *scope)).collect()
    }
}

impl<'a> TokenEndpoint<'a> {
    /// Nothing is sent yet.
    #[must_use]
    pub fn new(http: &'a Http<'a>, call: &'a TokenCall) -> Self {
        Self { http, call }
    }

    fn post(&self, token: &IdToken) -> Result<Call, HttpError> {
        let call = Call::post(self.call.endpoint.clone(), wire::form(self.call, token))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json");
        match &self.call.client {
            ClientAuth::Basic(id, secret) => call.basic(id, secret),
            _ => Ok(call),
        }
    }
}

impl Exchange for TokenEndpoint<'_> {
    type Credential = OauthCredential;

    fn target(&self) -> String {
        format!("the token endpoint at {}", crate::http::origin(&self.call.endpoint))
    }

    async fn exchange(&self, token: &IdToken) -> Result<OauthCredential, ExchangeError> {
        let unreachable = |cause| ExchangeError::Unreachable { target: self.target(), cause };
        let call = self.post(token).map_err(unreachable)?;
        let now = || self.http.ctx().now();
        let answer = ask(self.http, &call, &self.target(), |reply| wire::read(reply, now())).await?;
        answer
            .map(|credential| *credential)
            .map_err(|(refusal, reply)| refusal::explain(self, &refusal, &reply, token, now()))
    }
}
