//! Answers without a judgement, for trying what a caller makes of them.

use std::str::FromStr;

use axum::http::StatusCode;

use super::refusal::Refusal;
use super::reply::Answer;

/// An answer that the STS gives whatever it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AwsFault {
    kind: Kind,
    /// How often; none for always.
    times: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    AccessDenied,
    BadGateway,
    ExpiredToken,
    Html,
    IdpCommunication,
    IdpRejectedClaim,
    Incomplete,
    IncorrectAudience,
    InternalFailure,
    MalformedPolicy,
    MaxSessionDuration,
    MissingClaim,
    NoProvider,
    OtherAccount,
    PackedPolicy,
    RegionDisabled,
    ServiceUnavailable,
    Throttling,
    TokenTooOld,
    TooManyRequests,
    VerificationKey,
}

/// By name, in order.
const KINDS: [(&str, Kind); 21] = [
    ("access-denied", Kind::AccessDenied),
    ("bad-gateway", Kind::BadGateway),
    ("expired-token", Kind::ExpiredToken),
    ("html-page", Kind::Html),
    ("idp-communication-error", Kind::IdpCommunication),
    ("idp-rejected-claim", Kind::IdpRejectedClaim),
    ("incomplete-reply", Kind::Incomplete),
    ("incorrect-audience", Kind::IncorrectAudience),
    ("internal-failure", Kind::InternalFailure),
    ("malformed-policy-document", Kind::MalformedPolicy),
    ("max-session-duration", Kind::MaxSessionDuration),
    ("missing-claim", Kind::MissingClaim),
    ("no-provider", Kind::NoProvider),
    ("other-account", Kind::OtherAccount),
    ("packed-policy-too-large", Kind::PackedPolicy),
    ("region-disabled", Kind::RegionDisabled),
    ("service-unavailable", Kind::ServiceUnavailable),
    ("throttling", Kind::Throttling),
    ("token-too-old", Kind::TokenTooOld),
    ("too-many-requests", Kind::TooManyRequests),
    ("verification-key", Kind::VerificationKey),
];

/// Text that names no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write NAME, or NAME:COUNT with a count from 1, where NAME is one of {}", AwsFault::names().join(", "))]
pub struct AwsFaultError;

impl AwsFault {
    /// All that a fault can be called.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        KINDS.iter().map(|(name, _)| *name).collect()
    }

    /// Takes one use off; none if none was left.
    pub(super) fn take(&mut self) -> Option<Kind> {
        match &mut self.times {
            Some(0) => None,
            Some(times) => {
                *times -= 1;
                Some(self.kind)
            }
            None => Some(self.kind),
        }
    }
}

impl FromStr for AwsFault {
    type Err = AwsFaultError;

    /// `NAME` for always, `NAME:COUNT` for the first COUNT requests.
    fn from_str(text: &str) -> Result<Self, AwsFaultError> {
        let (name, times) = match text.split_once(':') {
            Some((name, count)) => {
                (name, Some(count.parse().ok().filter(|count| *count > 0).ok_or(AwsFaultError)?))
            }
            None => (text, None),
        };
        let (_, kind) = KINDS.iter().find(|(known, _)| *known == name).ok_or(AwsFaultError)?;
        Ok(Self { kind: *kind, times })
    }
}

/// What a fault says of a request: its issuer, the account of its role, and the time in seconds since 1970.
pub(super) struct Subject<'a> {
    pub(super) issuer: &'a str,
    pub(super) account: &'a str,
    pub(super) now: i64,
}

impl Kind {
    pub(super) fn answer(self, subject: &Subject<'_>) -> Answer {
        Answer::Refused(match self {
            Self::AccessDenied => Refusal::access_denied(),
            Self::ExpiredToken => Refusal::expired(subject.now, subject.now - 1),
            Self::IdpCommunication => Refusal::communication(),
            Self::IdpRejectedClaim => Refusal::rejected_claim(),
            Self::IncorrectAudience => Refusal::audience(),
            Self::InternalFailure => Refusal::internal(),
            Self::MalformedPolicy => Refusal::malformed_policy(),
            Self::MaxSessionDuration => Refusal::duration(),
            Self::MissingClaim => Refusal::missing_claim("aud"),
            Self::NoProvider => Refusal::no_provider(subject.issuer),
            Self::PackedPolicy => Refusal::packed_policy(118),
            Self::RegionDisabled => Refusal::region_disabled(subject.account),
            Self::Throttling => Refusal::throttling(),
            Self::TokenTooOld => Refusal::too_old(441_398),
            Self::VerificationKey => Refusal::verification_key(),
            Self::BadGateway => return Answer::Empty(StatusCode::BAD_GATEWAY),
            Self::ServiceUnavailable => return Answer::Empty(StatusCode::SERVICE_UNAVAILABLE),
            Self::TooManyRequests => return Answer::Empty(StatusCode::TOO_MANY_REQUESTS),
            Self::Html => return Answer::Page,
            Self::Incomplete => return Answer::Incomplete,
            Self::OtherAccount => return Answer::OtherAccount,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_named_and_counted() {
        let mut twice: AwsFault = "throttling:2".parse().unwrap();
        assert_eq!(
            [twice.take(), twice.take(), twice.take()],
            [Some(Kind::Throttling), Some(Kind::Throttling), None]
        );
        let mut always: AwsFault = "html-page".parse().unwrap();
        assert!((0..9).all(|_| always.take() == Some(Kind::Html)));
        for text in
            ["", "throttling:", "throttling:0", "throttling:-1", "throttling:x", "Throttling", "nonsense"]
        {
            assert_eq!(text.parse::<AwsFault>(), Err(AwsFaultError), "{text}");
        }
        assert!(KINDS.is_sorted_by_key(|(name, _)| *name));
    }
}
