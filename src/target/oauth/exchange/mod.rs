//! Any OAuth token endpoint that accepts an ID token of another issuer: token exchange (RFC 8693),
//! the JWT bearer grant (RFC 7523 section 2.1), and client credentials with the token in place of
//! a secret (section 2.2).

pub mod discovery;
mod member;
mod refusal;
mod wire;

use std::time::Duration;

use jiff::Timestamp;

use self::wire::Refusal;
use super::request::{ClientAuth, TokenCall};
use crate::exchange::{
    AddressSettings, Answer, ErrorText, Explanation, Issued, Refused, Service, state_of, unavailable_hint,
};
use crate::http::{Call, HttpError, Reply, UnexpectedReply, is_overloaded};
use crate::jwt::IdToken;
use crate::secret::Secret;

/// The default `subject_token_type` (RFC 8693 section 3).
pub const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// The token that the service issued.
#[derive(Debug, Clone)]
pub struct OauthCredential {
    /// `access_token`, whatever kind of token it holds.
    pub access_token: Secret,
    pub issued_token_type: Option<String>,
    pub token_type: Option<String>,
    /// The expiry time, if the service reports one.
    pub expires_at: Option<Timestamp>,
    pub scope: Option<String>,
    pub refresh_token: Option<Secret>,
}

impl OauthCredential {
    /// Whether an `Authorization: Bearer` line can carry the token. Other types need a proof in
    /// addition to the token. `N_A` is the type of a token that is not an access token (RFC 8693
    /// section 2.2.1).
    pub fn is_bearer(&self) -> bool {
        let named =
            |name: &str| self.token_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case(name));
        self.token_type.is_none() || named("Bearer") || named("N_A")
    }

    /// The requested scopes that are missing in the `scope` of the reply (RFC 6749 section 5.1).
    pub fn missing_scopes<'a>(&self, wanted: &'a str) -> Vec<&'a str> {
        let Some(given) = &self.scope else { return Vec::new() };
        wanted.split_whitespace().filter(|scope| !given.split_whitespace().any(|one| one == *scope)).collect()
    }
}

impl Issued for OauthCredential {
    fn secrets(&self) -> Vec<(&'static str, &Secret)> {
        let refresh = self.refresh_token.as_ref().map(|token| ("refresh_token", token));
        [("access_token", &self.access_token)].into_iter().chain(refresh).collect()
    }
}

pub(super) struct TokenEndpoint<'a>(pub(super) &'a TokenCall);

impl TokenEndpoint<'_> {
    pub(super) fn call(&self, token: &IdToken) -> Result<Call, HttpError> {
        let call = Call::post_form(self.0.endpoint().clone(), &mut wire::form(self.0, token))
            .header("accept", "application/json");
        let call = match &self.0.actor {
            Some((actor, _)) => call.with_secret(actor),
            None => call,
        };
        match &self.0.client {
            ClientAuth::Basic(id, secret) => call.basic(id, secret),
            ClientAuth::Post(_, secret) => Ok(call.with_secret(secret)),
            _ => Ok(call),
        }
    }
}

impl Service for TokenEndpoint<'_> {
    type Issued = OauthCredential;
    type Refusal = Refusal;

    fn name(&self) -> String {
        format!("the token endpoint at {}", self.0.endpoint().origin())
    }

    fn address_settings(&self) -> AddressSettings {
        AddressSettings::in_use(self.0.endpoint_from, None)
    }

    fn read(
        &self,
        reply: &Reply,
        now: Timestamp,
    ) -> Result<Answer<OauthCredential, Refusal>, UnexpectedReply> {
        wire::read(reply, now)
    }

    /// Retries the statuses and errors that the HTTP client does not retry (`http::RetryPolicy`).
    fn is_transient(&self, refusal: &Refusal, status: u16) -> bool {
        let retried_by_http = matches!(status, 429 | 502..=504);
        matches!(status, 408 | 500) || (refusal.is_temporary() && !retried_by_http)
    }

    fn is_unavailable(&self, refusal: &Refusal, status: u16) -> bool {
        is_overloaded(status) || refusal.is_temporary() || refusal.is_blocked()
    }

    fn unavailable(&self, refusal: &Refusal, status: u16, asked: Option<Duration>) -> (&'static str, String) {
        if refusal.is_blocked() {
            let hint = "1. stop the program that repeats the command, because the service refused too many tokens from this address\n\
                        2. wait some minutes, because the service accepts no token from this address for a while\n\
                        3. try once, and read the error";
            return ("blocks this address", hint.to_owned());
        }
        (state_of(status), unavailable_hint(status, asked))
    }

    fn words(&self, refusal: &Refusal) -> ErrorText {
        let codes = [Some(refusal.error.clone()), refusal.uri.clone()];
        ErrorText { message: refusal.description.clone(), codes: codes.into_iter().flatten().collect() }
    }

    fn explain(&self, refused: &Refused<'_, Refusal>) -> Explanation {
        let call = self.0;
        let client = match &call.client {
            ClientAuth::None(id) | ClientAuth::Jwt(id) => id.as_deref(),
            ClientAuth::Basic(id, _) | ClientAuth::Post(id, _) => Some(id.as_str()),
        };
        let asked = [
            ("client", client.map(str::to_owned)),
            ("scope", call.scope.clone()),
            ("target", (!call.audiences.is_empty()).then(|| call.audiences.join(", "))),
            ("resource", (!call.resources.is_empty()).then(|| call.resources.join(", "))),
        ];
        Explanation {
            checked_values: asked.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            hint: refusal::hint(call, refused.refusal, &refused.claims),
            needs_new_token: refusal::is_expired_or_replayed(refused.refusal),
        }
    }
}
