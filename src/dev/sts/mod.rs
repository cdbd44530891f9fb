//! The Security Token Service, with the actions `AssumeRoleWithWebIdentity` and
//! `GetCallerIdentity`. It verifies the ID token, looks up the role, evaluates its trust policy as
//! IAM does, and answers in the words of the real service.
//!
//! Source: the STS API reference, "AssumeRoleWithWebIdentity", and the publicly known error texts.
//! The credentials have the form of real ones, but work only for `GetCallerIdentity` here.

mod arn;
mod authorize;
mod caller;
mod fault;
mod form;
mod options;
mod refusal;
mod reply;
mod token;

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::post;

use super::State;
use super::token::Token;
use caller::Signed;
use fault::{FaultContext, Kind};
use form::{Form, Parameters};
use reply::{Answer, Session};

pub(crate) use arn::is_role_arn;
pub use fault::AwsFault;
pub use options::{AwsOptions, AwsRole, DEV_ROLE, DOCS_ROLE};

/// One recorded `AssumeRoleWithWebIdentity` request, without tokens and keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StsRequest {
    /// `RoleArn`
    pub role: String,
    /// `RoleSessionName`
    pub session_name: String,
    /// `DurationSeconds`
    pub duration: String,
    /// `aud` of the token
    pub audience: Vec<String>,
    /// The number of its ID token, from 1; the same token has the same number
    pub token: usize,
    /// The HTTP status it got
    pub status: u16,
    /// The error code it got, if any
    pub code: Option<&'static str>,
}

/// The state of the STS.
#[derive(Default)]
pub(super) struct Sts {
    memory: Mutex<Memory>,
    /// Tokens are compared by their hashes.
    hasher: RandomState,
}

#[derive(Default)]
struct Memory {
    faults: Vec<AwsFault>,
    tokens: Vec<u64>,
    requests: Vec<StsRequest>,
    sessions: Vec<Session>,
}

impl Sts {
    pub(super) fn new(options: &AwsOptions) -> Self {
        let memory = Memory { faults: options.faults.clone(), ..Memory::default() };
        Self { memory: Mutex::new(memory), hasher: RandomState::new() }
    }

    pub(super) fn requests(&self) -> Vec<StsRequest> {
        self.memory(|memory| memory.requests.clone())
    }

    fn next_fault(&self) -> Option<Kind> {
        self.memory(|memory| memory.faults.iter_mut().find_map(AwsFault::take))
    }

    fn record(&self, form: &Form, response: &Response, code: Option<&'static str>) {
        let parameter = |name| form.get(name).unwrap_or_default();
        let token = parameter("WebIdentityToken");
        let audience = Token::read(token).and_then(|token| token.audience());
        let hash = self.hasher.hash_one(token);
        self.memory(|memory| {
            let known = memory.tokens.iter().position(|other| *other == hash).unwrap_or_else(|| {
                memory.tokens.push(hash);
                memory.tokens.len() - 1
            });
            memory.requests.push(StsRequest {
                role: parameter("RoleArn").to_owned(),
                session_name: parameter("RoleSessionName").to_owned(),
                duration: parameter("DurationSeconds").to_owned(),
                audience: audience.unwrap_or_default(),
                token: known + 1,
                status: response.status().as_u16(),
                code,
            });
        });
    }

    fn memory<T>(&self, with: impl FnOnce(&mut Memory) -> T) -> T {
        with(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// With and without a path: `AWS_ENDPOINT_URL_STS` may have a path, and SDKs append a slash to it.
pub(super) fn routes(state: Arc<State>) -> Router {
    let routes = ["/", "/sts", "/sts/"];
    routes.iter().fold(Router::new(), |router, path| router.route(path, post(answer))).with_state(state)
}

async fn answer(Shared(state): Shared<Arc<State>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let form = Form::parse(&body);
    if form.is_caller_identity() {
        let now = state.options.clock.now();
        let find = |id: &str| {
            state.sts.memory(|memory| memory.sessions.iter().find(|session| session.key_id == id).cloned())
        };
        let caller = Signed { uri: &uri, headers: &headers, body: &body }.caller(find, now);
        return caller.map_or_else(Answer::Refused, Answer::Caller).into_response(None, now);
    }
    assume(&state, &form)
}

fn assume(state: &State, form: &Form) -> Response {
    let checked = form.check();
    let asked = checked.as_ref().ok();
    let answer = match (state.sts.next_fault(), &checked) {
        (Some(kind), _) => kind.answer(&FaultContext {
            issuer: state.issuer.url(),
            account: asked.map_or("", |asked| asked.role.account),
            now: state.options.clock.now().as_second(),
        }),
        (None, Ok(asked)) => authorized(state, asked),
        (None, Err(refusal)) => Answer::Refused(refusal.clone()),
    };
    let code = answer.code();
    let response = answer.into_response(asked, state.options.clock.now());
    state.sts.record(form, &response, code);
    response
}

fn authorized(state: &State, asked: &Parameters<'_>) -> Answer {
    let subject = &state.options.subject();
    let hints = &state.options.hints;
    let workspace =
        authorize::Workspace { issuer: state.issuer.url(), jwks: state.issuer.jwks(), subject, hints };
    let (options, now) = (&state.options.aws, state.options.clock.now());
    match authorize::authorize(options, &workspace, asked, now) {
        Ok(granted) => {
            let session = Session::new(asked, options.longest_session, now);
            state.sts.memory(|memory| memory.sessions.push(session.clone()));
            Answer::Granted(granted, session)
        }
        Err(refusal) => Answer::Refused(refusal),
    }
}

#[cfg(test)]
mod tests;
