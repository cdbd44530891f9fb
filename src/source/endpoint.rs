//! Shared code for the services that mint a token with one request.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use super::TokenRequest;
use super::error::SourceError;
use crate::context::Context;
use crate::error::Failure;
use crate::exchange::{
    AddressSettings, Answer, ErrorText, ExchangeError, Explanation, Issued, Refused, Service, error_text,
    send, unavailable,
};
use crate::http::{Call, Http, HttpError, Reply, UnexpectedReply, is_overloaded};
use crate::jwt::IdToken;
use crate::secret::Secret;
use crate::settings::Setting;

/// The time limit of one try. These endpoints sometimes hang, and answer the next request at once.
const TRY_TIMEOUT: Duration = Duration::from_secs(10);

/// A service that mints a token for one request.
pub(super) trait Endpoint {
    /// The settings that name its address, for messages.
    const ADDRESS: &'static str;
    /// The member of a reply with the token.
    const MEMBER: &'static str = "token";
    /// The `Accept` header of the request.
    const ACCEPT: &'static str = "application/json";
    /// Whether it refuses with an HTML page or a redirect: some services ask an unknown caller to
    /// sign in.
    const REFUSES_WITH_PAGE: bool = false;

    /// The name of the service for messages, with its address.
    fn name(&self) -> String;

    /// The request for a token.
    fn call(&self, wanted: &TokenRequest) -> Result<Call, HttpError>;

    /// Reads the token from a successful reply.
    fn token(&self, reply: &Reply) -> Result<Secret, UnexpectedReply> {
        reply.member(Self::MEMBER)
    }

    /// The fix for a refusal.
    fn refused(&self, refusal: &Refusal) -> String;

    /// The HTTP client for the service, if it needs its own settings.
    fn client<'a>(&self, http: &Http<'a>) -> Result<Http<'a>, HttpError> {
        Ok(http.clone())
    }
}

/// The content of a refusal.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    /// HTTP status
    pub(super) status: u16,
    /// `code` or `reason`, where it is text.
    pub(super) code: String,
    pub(super) message: String,
}

/// The members of the services' error replies.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    code: serde_json::Value,
    reason: serde_json::Value,
    message: serde_json::Value,
    error: serde_json::Value,
}

impl Refusal {
    fn read(reply: &Reply) -> Result<Self, UnexpectedReply> {
        let status = reply.status;
        let body: ErrorBody = match reply.json() {
            Ok(wire) => wire,
            // A 4xx reply without JSON is a refusal, too.
            Err(UnexpectedReply::ContentType { .. }) if matches!(status, 400..=499) => ErrorBody::default(),
            Err(cause) => return Err(cause),
        };
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let first = |values: [&serde_json::Value; 2]| {
            values.into_iter().map(text).find(|text| !text.is_empty()).unwrap_or_default()
        };
        let (code, message) = (first([&body.code, &body.reason]), first([&body.message, &body.error]));
        Ok(Self { status, code, message })
    }
}

struct Minted(Secret);

impl Issued for Minted {
    /// Empty: the form of the token is checked later, with its own error.
    fn secrets(&self) -> Vec<(&'static str, &Secret)> {
        Vec::new()
    }
}

struct Minting<'a, E>(&'a E);

impl<E: Endpoint> Service for Minting<'_, E> {
    type Issued = Minted;
    type Refusal = Refusal;
    /// A proxy may have answered instead of the service.
    const RETRIES_UNEXPECTED: bool = true;

    fn name(&self) -> String {
        self.0.name()
    }

    fn address_settings(&self) -> AddressSettings {
        AddressSettings::any_of(E::ADDRESS, None)
    }

    fn read(&self, reply: &Reply, _: Timestamp) -> Result<Answer<Minted, Refusal>, UnexpectedReply> {
        let read = if reply.is_success() {
            self.0.token(reply).map(|token| Answer::Issued(Minted(token)))
        } else {
            Refusal::read(reply).map(Answer::Refused)
        };
        match read {
            Err(UnexpectedReply::Html { .. } | UnexpectedReply::Redirect { .. })
                if E::REFUSES_WITH_PAGE && reply.status < 500 =>
            {
                let message = "it asks to sign in".to_owned();
                Ok(Answer::Refused(Refusal { message, ..Refusal::default() }))
            }
            read => read,
        }
    }

    fn is_transient(&self, _: &Refusal, status: u16) -> bool {
        matches!(status, 408 | 500)
    }

    fn words(&self, refusal: &Refusal) -> ErrorText {
        ErrorText { message: refusal.message.clone(), codes: vec![refusal.code.clone()] }
    }

    /// Status 501 is permanent: the server does not support the method.
    fn is_unavailable(&self, _: &Refusal, status: u16) -> bool {
        is_overloaded(status) && status != 501
    }

    fn explain(&self, _: &Refused<'_, Refusal>) -> Explanation {
        Explanation::default()
    }
}

/// A variable that a token request needs. If it is missing, `fix` is the hint.
pub(super) fn required<'a>(
    name: &'static str,
    fix: &'static str,
    ctx: &'a Context,
) -> Result<Setting<'a>, Failure> {
    let missing = || {
        let what = format!("this job cannot request ID tokens: `{name}` is not set");
        SourceError::Missing { what, remedy: fix.into() }
    };
    Ok(Setting::variable(name, ctx)?.ok_or_else(missing)?)
}

/// Mints a token at `endpoint`.
pub(super) async fn mint<E: Endpoint>(
    endpoint: &E,
    wanted: &TokenRequest,
    http: &Http<'_>,
) -> Result<IdToken, SourceError> {
    let minting = Minting(endpoint);
    let service = endpoint.name();
    let unreachable = |cause| {
        let address = Box::new(minting.address_settings());
        ExchangeError::Unreachable { target: service.clone(), address, cause }
    };
    let http = endpoint.client(http).map_err(unreachable)?;
    let limit = TRY_TIMEOUT.min(http.deadline().limit() / 3);
    let call = endpoint.call(wanted).map(|call| call.header("accept", E::ACCEPT).try_limit(limit));
    match send(&minting, call, &http).await? {
        Ok(Minted(token)) => IdToken::parse(token.reveal()).map_err(|cause| SourceError::NotAToken {
            place: format!("the reply of {service}"),
            cause,
            from_reply: true,
        }),
        Err((refusal, reply)) => {
            let now = http.ctx().now();
            if let Some(error) = unavailable(&minting, &refusal, &reply, now) {
                return Err(error.into());
            }
            let said = error_text(minting.words(&refusal), &reply, now);
            let hint = endpoint.refused(&Refusal { status: reply.status, ..refusal });
            Err(SourceError::Refused { service, said, hint })
        }
    }
}
