//! Faults of the local STS, to test how a caller handles them.

use axum::http::StatusCode;

use super::super::fault::{Fault, FaultKind};
use super::refusal::Refusal;
use super::reply::Answer;

/// A fault of the STS: the answer to any `AssumeRoleWithWebIdentity` request.
pub type AwsFault = Fault<Kind>;

/// The kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
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

impl FaultKind for Kind {
    const KINDS: &'static [(&'static str, Self)] = &[
        ("access-denied", Self::AccessDenied),
        ("bad-gateway", Self::BadGateway),
        ("expired-token", Self::ExpiredToken),
        ("html-page", Self::Html),
        ("idp-communication-error", Self::IdpCommunication),
        ("idp-rejected-claim", Self::IdpRejectedClaim),
        ("incomplete-reply", Self::Incomplete),
        ("incorrect-audience", Self::IncorrectAudience),
        ("internal-failure", Self::InternalFailure),
        ("malformed-policy-document", Self::MalformedPolicy),
        ("max-session-duration", Self::MaxSessionDuration),
        ("missing-claim", Self::MissingClaim),
        ("no-provider", Self::NoProvider),
        ("other-account", Self::OtherAccount),
        ("packed-policy-too-large", Self::PackedPolicy),
        ("region-disabled", Self::RegionDisabled),
        ("service-unavailable", Self::ServiceUnavailable),
        ("throttling", Self::Throttling),
        ("token-too-old", Self::TokenTooOld),
        ("too-many-requests", Self::TooManyRequests),
        ("verification-key", Self::VerificationKey),
    ];
}

/// Values for the error texts: the issuer, the account of the role, and the time in seconds since
/// 1970.
pub(super) struct FaultContext<'a> {
    pub(super) issuer: &'a str,
    pub(super) account: &'a str,
    pub(super) now: i64,
}

impl Kind {
    pub(super) fn answer(self, subject: &FaultContext<'_>) -> Answer {
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
