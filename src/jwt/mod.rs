//! ID tokens and their claims, decoding without verification ([`decode`]), and verification
//! ([`verify`]).

pub mod crypto;
pub mod decode;
mod error;
mod find;
pub(crate) mod subject;
pub mod verify;

use jiff::Timestamp;

use crate::json::Json;
use crate::output::sanitise;
use crate::secret::Secret;
pub use decode::Decoded;
pub use error::MalformedToken;
pub use find::Found;
pub(crate) use find::find as bare_token;

/// An OIDC ID token in compact form. Its form is checked, its signature is not.
#[derive(Debug, Clone)]
pub struct IdToken {
    text: Secret,
    claims: Unverified<Claims>,
    workload: Option<String>,
    minted_before_request: bool,
}

/// The content of a token whose signature is not verified.
///
/// Use it for messages and for planning a refresh, never for a decision about trust.
#[derive(Debug, Clone)]
pub struct Unverified<T>(T);

impl<T> Unverified<T> {
    /// The unverified content.
    pub fn as_claimed(&self) -> &T {
        &self.0
    }
}

impl Unverified<Claims> {
    /// The content for messages: its texts have no line breaks and cannot control a terminal.
    pub fn for_messages(&self) -> Claims {
        let shown = |text: &Option<String>| text.as_deref().map(sanitise);
        let claims = self.as_claimed();
        Claims {
            issuer: shown(&claims.issuer),
            subject: shown(&claims.subject),
            audience: claims.audience.iter().map(|audience| sanitise(audience)).collect(),
            authorized_party: shown(&claims.authorized_party),
            workspace_id: shown(&claims.workspace_id),
            ..*claims
        }
    }
}

/// The claims that `gp` reads (RFC 7519 section 4.1, OpenID Connect Core section 2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// `iss`
    pub issuer: Option<String>,
    /// `sub`
    pub subject: Option<String>,
    /// `aud`, which is one string or several
    pub audience: Vec<String>,
    /// `azp`
    pub authorized_party: Option<String>,
    /// `iat`
    pub issued_at: Option<Timestamp>,
    /// `exp`
    pub expires_at: Option<Timestamp>,
    /// `workspace_id`, a claim of Gitpod
    pub workspace_id: Option<String>,
}

impl Claims {
    fn from_payload(payload: &Json) -> Self {
        let text = |name: &str| payload.get(name).and_then(Json::as_str);
        Self {
            issuer: text("iss"),
            subject: text("sub"),
            audience: payload.get("aud").and_then(Json::as_strings).unwrap_or_default(),
            authorized_party: text("azp"),
            issued_at: payload.get("iat").and_then(numeric_date),
            expires_at: payload.get("exp").and_then(numeric_date),
            workspace_id: text("workspace_id"),
        }
    }
}

/// A NumericDate: seconds since 1970, possibly with a fraction (RFC 7519 section 2).
pub fn numeric_date(value: &Json) -> Option<Timestamp> {
    let Json::Scalar(text) = value else { return None };
    if let Ok(seconds) = text.parse() {
        return Timestamp::from_second(seconds).ok();
    }
    let seconds: f64 = text.parse().ok()?;
    // The bounds of Timestamp lie within ±4e11 s, which i64 holds: the cast cannot wrap.
    #[allow(clippy::cast_possible_truncation)]
    (seconds.abs() < 4e11).then(|| Timestamp::from_second(seconds as i64).ok()).flatten()
}

impl IdToken {
    /// Parses a token as an issuer returned it.
    pub fn parse(text: &str) -> Result<Self, MalformedToken> {
        let text = text.trim();
        let decoded = Decoded::parse_compact(text)?;
        let claims = Claims::from_payload(&decoded.payload);
        let workload = claims.workspace_id.clone();
        Ok(Self {
            text: Secret::new(text.to_owned()),
            claims: Unverified(claims),
            workload,
            minted_before_request: false,
        })
    }

    /// Sets the workspace or job that the source names, if the token itself names none.
    pub(crate) fn of_workload(self, workload: Option<String>) -> Self {
        Self { workload: self.workload.or(workload), ..self }
    }

    /// Marks the token as minted before it was requested.
    pub(crate) fn minted_before_request(self) -> Self {
        Self { minted_before_request: true, ..self }
    }

    /// A recent time of the issuer's clock: the token's `iat`, if the token was minted on request.
    /// An `iat` later than `now` is returned for any token, because it shows that the clocks
    /// differ.
    pub(crate) fn issued_now(&self, now: Timestamp) -> Option<Timestamp> {
        self.claims.0.issued_at.filter(|at| !self.minted_before_request || *at > now)
    }

    /// The workspace or job of this token, for session names.
    pub(crate) fn workload(&self) -> Option<&str> {
        self.workload.as_deref()
    }

    /// The compact form, for a request body, a header or a sink.
    pub fn reveal(&self) -> &str {
        self.text.reveal()
    }

    /// The compact form, as a [`Secret`].
    pub(crate) fn secret(&self) -> &Secret {
        &self.text
    }

    /// The unverified claims.
    pub fn claims(&self) -> &Unverified<Claims> {
        &self.claims
    }
}
