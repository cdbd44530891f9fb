//! One request to a service, until there is an answer that stands.

use super::ExchangeError;
use crate::http::{Call, Garbled, Http, Reply};

/// What a service said.
pub(crate) enum Answer<G, R> {
    Given(G),
    Refused(R),
}

/// A refusal in a service's own terms. The default has no words: it is that of a load balancer in front of it.
pub(crate) trait MayPass: Default {
    /// Whether the same request may succeed a moment later; not what the HTTP client has tried again already.
    fn may_pass(&self, status: u16) -> bool;
}

/// Sends `call`, again where the refusal may pass. In the end there is what `read` finds, or the refusal that stands
/// with the reply that it was found in.
pub(crate) async fn ask<G, R: MayPass>(
    http: &Http<'_>,
    call: &Call,
    target: &str,
    read: impl Fn(&Reply) -> Result<Answer<G, R>, Garbled>,
) -> Result<Result<G, (R, Reply)>, ExchangeError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let reply = http
            .send(call)
            .await
            .map_err(|cause| ExchangeError::Unreachable { target: target.to_owned(), cause })?;
        let refusal = match read(&reply) {
            Ok(Answer::Given(given)) => return Ok(Ok(given)),
            Ok(Answer::Refused(refusal)) => refusal,
            Err(_) if reply.status == 429 || reply.status >= 500 => R::default(),
            Err(cause) => return Err(ExchangeError::Garbled { target: target.to_owned(), cause }),
        };
        if !(refusal.may_pass(reply.status) && http.pause_before_retry(tries).await) {
            return Ok(Err((refusal, reply)));
        }
    }
}
