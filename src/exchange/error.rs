//! Why there is no credential, in the four kinds that differ in what their user does about it.

use crate::error::shortened;
use crate::exit::{Exit, Explain};
use crate::http::{HttpError, UnexpectedReply};
use crate::jwt::{Claims, IdToken};

/// An exchange that gave no credential.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    #[error("{target} {}", cause.verb())]
    Unreachable {
        target: String,
        #[source]
        cause: HttpError,
    },
    /// A reply of something else.
    #[error("what answers is not {target}")]
    UnexpectedReply {
        target: String,
        /// What it said instead.
        #[source]
        cause: UnexpectedReply,
    },
    /// Overloaded or down for a moment.
    #[error("{target} is not available now: {said}")]
    Unavailable { target: String, said: String, hint: String },
    /// The service said no.
    #[error("{target} refused: {said}")]
    Rejected {
        target: String,
        said: String,
        judged: Box<Judged>,
        hint: Option<String>,
        /// Whether the service may take a newer token.
        stale: bool,
    },
    /// A credential, but not the one that was asked for. It is not kept.
    #[error("{target} gave {what}")]
    WrongCredential {
        target: String,
        /// What it gave, and that it was not kept.
        what: String,
        judged: Box<Judged>,
        hint: String,
    },
}

impl ExchangeError {
    /// Whether one fresh ID token is worth another try.
    pub fn wants_a_fresh_token(&self) -> bool {
        matches!(self, Self::Rejected { stale: true, .. })
    }
}

/// The claims that a service judges, and whatever else was compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged {
    claims: Claims,
    more: Vec<(&'static str, String)>,
}

impl Judged {
    /// The claims of this token.
    pub fn of(token: &IdToken) -> Self {
        Self { claims: token.claims().as_claimed().clone(), more: Vec::new() }
    }

    /// Something else that was compared.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.more.push((name, value.into()));
        self
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let absent = || "(none)".to_owned();
        let claims = &self.claims;
        // No token was judged.
        if *claims == Claims::default() {
            return self.more.clone();
        }
        let mut lines = vec![("iss", claims.issuer.clone().unwrap_or_else(absent))];
        lines.push(("aud", if claims.audience.is_empty() { absent() } else { claims.audience.join(", ") }));
        lines.extend(claims.authorized_party.clone().map(|party| ("azp", party)));
        lines.push(("sub", claims.subject.clone().unwrap_or_else(absent)));
        lines.extend(self.more.iter().cloned());
        lines
    }
}

impl Explain for ExchangeError {
    fn exit(&self) -> Exit {
        match self {
            Self::Unreachable { cause, .. } => cause.exit(),
            Self::UnexpectedReply { .. } | Self::Unavailable { .. } => Exit::Network,
            Self::Rejected { .. } | Self::WrongCredential { .. } => Exit::TargetRefused,
        }
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Rejected { judged, .. } | Self::WrongCredential { judged, .. } => judged.lines(),
            _ => Vec::new(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unreachable { cause, .. } => cause.hint(),
            Self::UnexpectedReply { cause: UnexpectedReply::Html { .. } | UnexpectedReply::Redirect { .. }, .. } => Some(
                "another service, a proxy or a login page answers: check the address, open it in a browser, or set `HTTPS_PROXY`/`NO_PROXY`"
                    .into(),
            ),
            Self::UnexpectedReply { .. } => Some("check the address with `--verbose`".into()),
            Self::Unavailable { hint, .. }
            | Self::WrongCredential { hint, .. }
            | Self::Rejected { hint: Some(hint), .. } => Some(hint.clone()),
            // The last line is all that some callers show, so it has the cause.
            Self::Rejected { target, said, .. } => Some(format!(
                "compare the claims above with what {target} takes: it says no more than `{}`",
                shortened(said)
            )),
        }
    }
}
