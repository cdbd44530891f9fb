//! A token endpoint that trusts the issuer: token exchange (RFC 8693), JWT bearer grant and JWT client assertions
//! (RFC 7523), with the errors of RFC 6749 section 5.2.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::State;
use super::keys::random_base64url;
use super::relying_party::{self, PreparedReply, RecordedRequest, Recorder, TokenError};

/// The path of the service, below the API's address.
pub(super) const PATH: &str = "/oauth";
const TYPES: &str = "urn:ietf:params:oauth:token-type:";
const BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The configuration of the service.
#[derive(Debug, Clone)]
pub struct OauthOptions {
    /// The audience it accepts, besides its own issuer and token endpoint.
    pub audience: String,
    /// The id and secret of the only confidential client that the service accepts; `None` accepts every caller.
    pub client: Option<(String, String)>,
    /// The scopes it knows; `None`: any.
    pub scopes: Option<Vec<String>>,
    /// The targets it knows; `None`: any.
    pub targets: Option<Vec<String>>,
    /// How long its tokens live, in seconds.
    pub lifetime: i64,
    /// Prepared replies. Each is returned once, instead of checking the request.
    pub prepared_replies: Vec<PreparedReply>,
}

impl Default for OauthOptions {
    fn default() -> Self {
        Self {
            audience: "oauth".into(),
            client: None,
            scopes: None,
            targets: None,
            lifetime: 3600,
            prepared_replies: Vec::new(),
        }
    }
}

pub(super) struct Oauth(Recorder);

impl Oauth {
    pub(super) fn new(options: &OauthOptions) -> Self {
        Self(Recorder::new(&options.prepared_replies))
    }

    pub(super) fn requests(&self) -> Vec<RecordedRequest> {
        self.0.requests()
    }
}

pub(super) fn routes(state: Arc<State>) -> Router {
    Router::new()
        .route("/oauth/.well-known/openid-configuration", get(metadata))
        .route("/.well-known/oauth-authorization-server/oauth", get(metadata))
        .route("/oauth/token", post(token))
        .with_state(state)
}

fn issuer(state: &State) -> String {
    format!("http://{}{PATH}", state.api_host)
}

async fn metadata(Shared(state): Shared<Arc<State>>, uri: Uri) -> Response {
    let issuer = issuer(&state);
    if let Some(prepared) = state.oauth.0.take(uri.path(), Fields::new()) {
        return prepared;
    }
    Json(json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/token"),
        "response_types_supported": ["token"],
        "grant_types_supported": [
            "urn:ietf:params:oauth:grant-type:token-exchange",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "client_credentials",
        ],
    }))
    .into_response()
}

type Fields = BTreeMap<String, String>;

/// A status, an error code, a description.
struct Refusal(StatusCode, &'static str, String);

fn bad(error: &'static str, text: impl Into<String>) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, error, text.into())
}

async fn token(Shared(state): Shared<Arc<State>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut fields = Fields::new();
    let mut repeated = None;
    for (name, value) in form_urlencoded::parse(&body).into_owned() {
        // Only `audience` and `resource` may be repeated. Their values are joined with spaces.
        if fields.contains_key(&name) && !matches!(name.as_str(), "audience" | "resource") {
            repeated = Some(name.clone());
        }
        fields.entry(name).and_modify(|all| *all = format!("{all} {value}")).or_insert(value);
    }
    if let Some(canned) = state.oauth.0.take("/oauth/token", fields.clone()) {
        return canned;
    }
    let is_form = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let checked = match repeated {
        _ if !is_form => Err(bad("invalid_request", "the body is not a form")),
        Some(name) => Err(bad("invalid_request", format!("{name} is repeated"))),
        None => grant(&state, &headers, &fields),
    };
    let mut response = match checked {
        Ok(reply) => Json(reply).into_response(),
        Err(Refusal(status, error, text)) => {
            (status, Json(json!({"error": error, "error_description": text}))).into_response()
        }
    };
    // RFC 6749 sections 5.1 and 5.2.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if response.status() == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("Basic realm=\"oauth\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    }
    response
}

fn grant(state: &State, headers: &HeaderMap, fields: &Fields) -> Result<Value, Refusal> {
    let options = &state.options.oauth;
    let field = |name: &str| fields.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let required =
        |name: &str| field(name).ok_or_else(|| bad("invalid_request", format!("{name} is missing")));
    check_client(state, headers, fields)?;
    let mut issued = None;
    match required("grant_type")? {
        "urn:ietf:params:oauth:grant-type:token-exchange" => {
            let subject = required("subject_token")?;
            let kind = required("subject_token_type")?;
            if !["jwt", "id_token"].iter().any(|name| kind == format!("{TYPES}{name}")) {
                return Err(bad("invalid_request", format!("subject_token_type {kind} is not supported")));
            }
            if field("actor_token").is_some() != field("actor_token_type").is_some() {
                return Err(bad("invalid_request", "actor_token and actor_token_type must be sent together"));
            }
            check_token(state, subject, "invalid_grant")?;
            let wanted =
                field("requested_token_type").map_or_else(|| format!("{TYPES}access_token"), str::to_owned);
            issued = Some(wanted);
        }
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
            check_token(state, required("assertion")?, "invalid_grant")?;
        }
        "client_credentials" if field("client_assertion").is_some() => {}
        "client_credentials" => {
            return Err(Refusal(
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "client authentication failed".into(),
            ));
        }
        other => return Err(bad("unsupported_grant_type", format!("{other} is not supported"))),
    }
    let known = |all: &Option<Vec<String>>, asked: Option<&str>| match (all, asked) {
        (Some(all), Some(asked)) => asked.split(' ').all(|one| all.iter().any(|known| known == one)),
        _ => true,
    };
    if !known(&options.scopes, field("scope")) {
        return Err(bad("invalid_scope", "a scope is not known"));
    }
    if !known(&options.targets, field("audience")) || !known(&options.targets, field("resource")) {
        return Err(bad("invalid_target", "the target is not known"));
    }
    let mut reply = json!({
        "access_token": format!("dev-access-token-{}", random_base64url()),
        "token_type": "Bearer",
        "expires_in": options.lifetime,
    });
    if let Value::Object(members) = &mut reply {
        members.extend(issued.map(|kind| ("issued_token_type".to_owned(), kind.into())));
        members.extend(field("scope").map(|scope| ("scope".to_owned(), scope.into())));
    }
    Ok(reply)
}

/// Signature, issuer, audience and times (RFC 7523 section 3).
fn check_token(state: &State, token: &str, error: &'static str) -> Result<(), Refusal> {
    let verified =
        relying_party::verify(token, state.issuer.url(), state.issuer.jwks()).map_err(|cause| {
            bad(
                error,
                match cause {
                    TokenError::Malformed => "the token is not a JWT with all required claims".to_owned(),
                    TokenError::Issuer(issuer) => format!("the issuer {issuer} is not trusted"),
                    TokenError::Signature => "the signature is not the issuer's".to_owned(),
                },
            )
        })?;
    let own = issuer(state);
    let endpoint = format!("{own}/token");
    let expected = [state.options.oauth.audience.as_str(), &own, &endpoint];
    if !verified.audience.iter().any(|audience| expected.contains(&audience.as_str())) {
        return Err(bad(error, format!("Invalid claim: 'aud' is {}", verified.audience.join(", "))));
    }
    let now = state.options.clock.now().as_second();
    if verified.expires_at <= now {
        return Err(bad(error, "The token is expired"));
    }
    if verified.issued_at > now + 60 {
        return Err(bad(error, "The token is not yet valid"));
    }
    Ok(())
}

/// RFC 6749 section 2.3 and RFC 7523 section 2.2.
fn check_client(state: &State, headers: &HeaderMap, fields: &Fields) -> Result<(), Refusal> {
    let field = |name: &str| fields.get(name).cloned();
    let failed =
        || Refusal(StatusCode::UNAUTHORIZED, "invalid_client", "client authentication failed".into());
    // A client must not use several authentication methods (RFC 6749 section 2.3).
    let ways = [
        headers.contains_key(header::AUTHORIZATION),
        fields.contains_key("client_secret"),
        fields.contains_key("client_assertion"),
    ];
    if ways.iter().filter(|way| **way).count() > 1 {
        return Err(bad("invalid_request", "the client uses several authentication methods"));
    }
    if let Some(assertion) = field("client_assertion") {
        if field("client_assertion_type").as_deref() != Some(BEARER) {
            return Err(bad("invalid_request", "client_assertion_type is not supported"));
        }
        return check_token(state, &assertion, "invalid_client");
    }
    let Some((id, secret)) = &state.options.oauth.client else { return Ok(()) };
    let basic =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Basic "));
    let given = match basic {
        Some(basic) => decode_basic(basic).ok_or_else(failed)?,
        None => (field("client_id").ok_or_else(failed)?, field("client_secret").ok_or_else(failed)?),
    };
    if given == (id.clone(), secret.clone()) { Ok(()) } else { Err(failed()) }
}

fn decode_basic(text: &str) -> Option<(String, String)> {
    let pair = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let decode = |text: &str| {
        form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
    };
    Some((decode(id), decode(secret)))
}
