//! Sends one request to a service, with retries, and explains a refusal.

use std::time::Duration;

use jiff::Timestamp;

use super::{AddressSettings, CheckedValues, Clocks, ExchangeError, state_of, unavailable_hint};
use crate::http::{Call, Http, HttpError, Reply, Transient, UnexpectedReply, is_overloaded};
use crate::jwt::{Claims, IdToken};
use crate::secret::Secret;

/// The answer of a service.
pub(crate) enum Answer<G, R> {
    /// The requested credential.
    Issued(G),
    /// A refusal in the service's own terms.
    Refused(R),
}

/// A credential that a service issues for a token.
pub(crate) trait Issued {
    /// The secrets of a credential, and what the service calls them.
    fn secrets(&self) -> Vec<(&'static str, &Secret)>;
}

/// The reply of a service that only confirms the request.
impl Issued for () {
    fn secrets(&self) -> Vec<(&'static str, &Secret)> {
        Vec::new()
    }
}

/// The text and codes of a refusal, for messages.
#[derive(Debug, Default)]
pub(crate) struct ErrorText {
    /// The message of the service. Empty if there is none.
    pub(crate) message: String,
    /// Its codes, request ids and addresses. The HTTP status is added.
    pub(crate) codes: Vec<String>,
}

/// The explanation of a refused token.
#[derive(Debug, Default)]
pub(crate) struct Explanation {
    /// The values that the service checked, in addition to the claims and the clocks.
    pub(crate) checked_values: Vec<(&'static str, String)>,
    pub(crate) hint: Option<String>,
    /// Whether the service may accept a newer ID token.
    pub(crate) needs_new_token: bool,
}

/// A refusal with all facts that help to explain it.
pub(crate) struct Refused<'a, R> {
    pub(crate) refusal: &'a R,
    pub(crate) reply: &'a Reply,
    pub(crate) token: &'a IdToken,
    /// The claims of the token, for messages.
    pub(crate) claims: Claims,
    pub(crate) clocks: Clocks,
}

/// One endpoint of a service: reads its replies and explains its refusals.
pub(crate) trait Service {
    type Issued: Issued;
    /// The error of the service. The default is empty: it is used if a load balancer answers for
    /// the service.
    type Refusal: Default;
    /// The short name of the service in messages, such as `AWS` or `the server`.
    const SHORT_NAME: &'static str = "the service";
    /// Whether to retry after a reply that cannot be read.
    const RETRIES_UNEXPECTED: bool = false;
    /// The format of the replies.
    const FORMAT: &'static str = "JSON";

    /// The name of the service with its address, for messages.
    fn name(&self) -> String;

    fn address_settings(&self) -> AddressSettings;

    /// Reads a reply of any status.
    fn read(
        &self,
        reply: &Reply,
        now: Timestamp,
    ) -> Result<Answer<Self::Issued, Self::Refusal>, UnexpectedReply>;

    /// Whether the same request may succeed a moment later. Returns false for failures that [`Http::send`] already
    /// retries.
    fn is_transient(&self, refusal: &Self::Refusal, status: u16) -> bool;

    /// Whether the service refuses because it gets too many requests, and says so without status 429.
    fn is_throttled(&self, _refusal: &Self::Refusal) -> bool {
        false
    }

    /// The text and codes of the refusal.
    fn words(&self, refusal: &Self::Refusal) -> ErrorText;

    /// Whether the service cannot answer because of its own state, and not because of the request.
    fn is_unavailable(&self, refusal: &Self::Refusal, status: u16) -> bool {
        is_overloaded(status) || self.is_transient(refusal, status)
    }

    /// The state of an unavailable service, and the fix. `requested_wait` is how long the service asks to wait.
    fn unavailable(
        &self,
        _refusal: &Self::Refusal,
        status: u16,
        requested_wait: Option<Duration>,
    ) -> (&'static str, String) {
        (state_of(status), unavailable_hint(status, requested_wait))
    }

    /// The values that the service checked, and the fix.
    fn explain(&self, refused: &Refused<'_, Self::Refusal>) -> Explanation;

    /// Changes the error of a failed connection, if the service has its own explanation.
    fn unreachable(&self, cause: HttpError) -> HttpError {
        cause
    }

    /// The error for a reply that is not from the service.
    fn unexpected(&self, _reply: &Reply, cause: UnexpectedReply) -> ExchangeError {
        ExchangeError::UnexpectedReply {
            target: self.name(),
            address: Box::new(self.address_settings()),
            cause,
        }
    }
}

/// Sends `call`, which contains `token`. Retries if the refusal is transient. Returns the
/// credential, or an error that explains the refusal.
pub(crate) async fn ask<S: Service>(
    service: &S,
    call: Result<Call, HttpError>,
    token: &IdToken,
    http: &Http<'_>,
) -> Result<S::Issued, ExchangeError> {
    let call = call.map(|call| call.with_secret(token.secret()));
    let (refusal, reply) = match send(service, call, http).await? {
        Ok(given) => return Ok(given),
        Err(refused) => refused,
    };
    let now = http.ctx().now();
    if let Some(error) = unavailable(service, &refusal, &reply, now) {
        return Err(error);
    }
    let error_text = error_text(service.words(&refusal), &reply, now);
    let clocks = Clocks::compare(&reply, now, token);
    let lines = clocks.lines(S::SHORT_NAME);
    let claims = token.claims().for_messages();
    let explanation = service.explain(&Refused { refusal: &refusal, reply: &reply, token, claims, clocks });
    let compared =
        explanation.checked_values.into_iter().chain(lines.into_iter().map(|line| ("clock", line)));
    let checked_values =
        compared.fold(CheckedValues::of(token), |values, (name, value)| values.with(name, value));
    Err(ExchangeError::Rejected {
        target: service.name(),
        error_text,
        checked_values: Box::new(checked_values),
        hint: explanation.hint,
        stale: explanation.needs_new_token,
    })
}

/// The credential, or the refusal and its reply.
type Outcome<S> = Result<Result<<S as Service>::Issued, (<S as Service>::Refusal, Reply)>, ExchangeError>;

/// As [`ask`], for a request without an ID token. Returns the refusal without an explanation.
pub(crate) async fn send<S: Service>(
    service: &S,
    call: Result<Call, HttpError>,
    http: &Http<'_>,
) -> Outcome<S> {
    let unreachable = |cause| ExchangeError::Unreachable {
        target: service.name(),
        address: Box::new(service.address_settings()),
        cause: service.unreachable(cause),
    };
    let call = call.map_err(unreachable)?;
    let mut tries = 0;
    let mut sent = 0;
    // The outcome of the previous try. If this try times out, it is returned, because it says
    // more.
    let mut previous: Option<Outcome<S>> = None;
    loop {
        tries += 1;
        let mut reply = match (http.send(&call).await, previous.take()) {
            (Err(HttpError::TimedOut { .. }), Some(before)) => return before,
            (outcome, _) => outcome.map_err(unreachable)?,
        };
        sent += reply.attempts.tries;
        reply.attempts.tries = sent;
        let refusal = match service.read(&reply, http.ctx().now()) {
            Ok(Answer::Issued(given)) => match check_secrets(&given, http) {
                Ok(()) => return Ok(Ok(given)),
                Err(reason) => return Err(service.unexpected(&reply, reply.unexpected(S::FORMAT, reason))),
            },
            Ok(Answer::Refused(refusal)) => refusal,
            // If a service is down, a load balancer answers with its own page.
            Err(_) if is_overloaded(reply.status) => S::Refusal::default(),
            Err(cause) if S::RETRIES_UNEXPECTED && http.pause_before_retry(Transient::Fault, tries).await => {
                previous = Some(Err(service.unexpected(&reply, cause)));
                continue;
            }
            Err(cause) => return Err(service.unexpected(&reply, cause)),
        };
        let again = service.is_transient(&refusal, reply.status);
        let why = if service.is_throttled(&refusal) { Transient::Throttled } else { Transient::Fault };
        if !(again && http.pause_before_retry(why, tries).await) {
            return Ok(Err((refusal, reply)));
        }
        previous = Some(Ok(Err((refusal, reply))));
    }
}

/// Checks that each secret has only the characters of a token (RFC 6749 appendix A.12): a line
/// break would add a header, or a line in a file.
fn check_secrets(given: &impl Issued, http: &Http<'_>) -> Result<(), String> {
    for (name, secret) in given.secrets() {
        http.ctx().out.add_secret(secret);
        if secret.reveal().is_empty() {
            return Err(format!("`{name}` is empty"));
        }
        if !secret.reveal().bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
            return Err(format!("`{name}` has characters that are not allowed in a token"));
        }
    }
    Ok(())
}

/// The error of a service that cannot answer because of its own state. `None` if the refusal is
/// about the request.
pub(crate) fn unavailable<S: Service>(
    service: &S,
    refusal: &S::Refusal,
    reply: &Reply,
    now: Timestamp,
) -> Option<ExchangeError> {
    let status = reply.status;
    service.is_unavailable(refusal, status).then(|| {
        let (state, hint) = service.unavailable(refusal, status, reply.retry_after(now));
        let error_text = with_effort(error_text(service.words(refusal), reply, now), reply);
        ExchangeError::Unavailable { target: service.name(), state, error_text, hint }
    })
}

/// Adds the number of tries, if there was more than one.
pub(crate) fn with_effort(error_text: String, reply: &Reply) -> String {
    match reply.attempts.shown() {
        Some(attempts) => format!("{error_text} ({attempts})"),
        None => error_text,
    }
}

/// `message (code, HTTP 400); it asks to wait 30 s`, without the parts that the reply lacks.
pub(crate) fn error_text(words: ErrorText, reply: &Reply, now: Timestamp) -> String {
    let mut details = words.codes;
    details.insert(details.len().min(1), format!("HTTP {}", reply.status));
    details.retain(|detail| !detail.is_empty());
    let details = details.join(", ");
    // Line breaks and runs of spaces in the message have no meaning.
    let message: Vec<&str> = words.message.split_whitespace().collect();
    let message = message.join(" ");
    let message = message.trim_end_matches('.');
    let wait = reply.retry_after(now).filter(|wait| !wait.is_zero());
    let wait = wait.map_or(String::new(), |wait| format!("; it asks to wait {}", crate::time::limit(wait)));
    let said = if message.is_empty() { details } else { format!("{message} ({details})") };
    said + &wait
}
