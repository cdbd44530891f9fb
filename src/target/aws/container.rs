//! The container credential endpoint of AWS SDKs on loopback (AWS SDK reference, "Container credential provider").
//!
//! The reply to `GET /` has `AccessKeyId`, `SecretAccessKey`, `Token`, `Expiration` and, if known,
//! `AccountId`. The header `Authorization` must be the token alone, without a scheme.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::json;
use tokio::net::TcpListener;

use super::formats::region_variables;
use super::{AssumeRole, Aws, renewal_of};
use crate::audit::{HandOver, Recipient};
use crate::context::Clock;
use crate::exit::{Exit, Explain};
use crate::listener;
use crate::output::Output;
use crate::renew::{self, Renewal, Renewed, SourceEnded};
use crate::secret::Secret;
use crate::session::Session;
use crate::sink::formats::Variable;
use crate::target::aws::exchange::AwsCredentials;

/// The endpoint could not be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum EndpointError {
    #[error("could not listen on 127.0.0.1:{port}")]
    Listen {
        port: u16,
        #[source]
        source: io::Error,
    },
    #[error("the system gives no random numbers for the endpoint's token")]
    Random,
}

impl Explain for EndpointError {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::Listen { .. })
            .then(|| "choose another port with `--port PORT`, or a free one with `--port 0`".into())
    }
}

/// A running endpoint. Its task answers until the runtime stops.
pub(super) struct Endpoint {
    address: SocketAddr,
    token: Secret,
    state: Arc<SharedState>,
    renewal: Renewal,
}

struct SharedState {
    token: Secret,
    credentials: Mutex<(AwsCredentials, HandOver)>,
    /// Why the latest renewal failed.
    reason: Mutex<Option<String>>,
    clock: Clock,
    out: Arc<Output>,
}

impl Endpoint {
    /// Binds 127.0.0.1 and serves `credentials` on the current runtime.
    pub(super) async fn open(
        port: u16,
        credentials: AwsCredentials,
        session: &Session<'_>,
    ) -> Result<Self, EndpointError> {
        let ctx = session.ctx();
        let (renewal, clock) = (renewal_of(&credentials, ctx), ctx.clock());
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).map_err(|_| EndpointError::Random)?;
        let token = Secret::new(URL_SAFE_NO_PAD.encode(bytes));
        let failed = |source| EndpointError::Listen { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let credentials = Mutex::new((credentials, session.hand_over()));
        let state = Arc::new(SharedState {
            token: token.clone(),
            credentials,
            reason: Mutex::default(),
            clock,
            out: ctx.out.clone(),
        });
        let routes = Router::new().route("/", get(answer)).with_state(state.clone());
        tokio::spawn(listener::serve(listener, routes));
        Ok(Self { address, token, state, renewal })
    }

    /// Renews the credentials before they expire. Returns when the source of the ID token has ended
    /// and the last credentials have expired.
    pub(super) async fn keep_fresh(
        &self,
        session: &Session<'_>,
        request: &AssumeRole,
        end: Option<Timestamp>,
    ) -> SourceEnded {
        let ctx = session.ctx();
        let renew = async || {
            let renewed = session.renew::<Aws>(request).await;
            let reason = renewed.as_ref().err().map(|failure| ctx.out.redact(&failure.causes().join(": ")));
            *self.state.reason.lock().unwrap_or_else(PoisonError::into_inner) = reason;
            let new = renewed?.credential;
            let renewal = renewal_of(&new, ctx);
            *self.state.credentials.lock().unwrap_or_else(PoisonError::into_inner) =
                (new, session.hand_over());
            Ok(renewal)
        };
        renew::keep_fresh(Renewed::CREDENTIALS, self.renewal.clone(), end, renew, ctx).await
    }

    /// The variables that make SDKs use this endpoint.
    pub(super) fn environment(&self, region: Option<&str>) -> Vec<Variable> {
        let mut variables = vec![
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", Secret::new(format!("http://{}/", self.address))),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", self.token.clone()),
        ];
        variables.extend(region_variables(region));
        variables
    }
}

async fn answer(State(state): State<Arc<SharedState>>, headers: HeaderMap) -> Response {
    let given = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
    // Compares digests, so that the duration reveals nothing about the token.
    if digest(&SHA256, given).as_ref() != digest(&SHA256, state.token.reveal().as_bytes()).as_ref() {
        let message = "the Authorization header is not AWS_CONTAINER_AUTHORIZATION_TOKEN";
        return (StatusCode::UNAUTHORIZED, Json(json!({"code": "Unauthorized", "message": message})))
            .into_response();
    }
    let (credentials, hand_over) = state.credentials.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if credentials.expires_at <= state.clock.now() {
        let reason = state.reason.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let reason = reason.unwrap_or_else(|| "see the output of gp idp".to_owned());
        let message = format!("the credentials expired and could not be renewed: {reason}");
        let body = Json(json!({"code": "ExpiredToken", "message": message}));
        return (StatusCode::INTERNAL_SERVER_ERROR, body).into_response();
    }
    if let Err(failure) = hand_over.begin(Recipient::Client) {
        state.out.warn(failure.causes().join(": "));
        let message = "the audit log cannot be written: see the output of gp idp";
        let body = Json(json!({"code": "AuditLog", "message": message}));
        return (StatusCode::INTERNAL_SERVER_ERROR, body).into_response();
    }
    let mut body = json!({
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key.reveal(),
        "Token": credentials.session_token.reveal(),
        "Expiration": credentials.expires_at.to_string(),
    });
    if !credentials.account.is_empty() {
        body["AccountId"] = credentials.account.into();
    }
    Json(body).into_response()
}
