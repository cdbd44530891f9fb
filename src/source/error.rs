//! The errors that several sources share.

use crate::exchange::ExchangeError;
use crate::exit::{Exit, Explain};
use crate::jwt::MalformedToken;

#[derive(Debug, thiserror::Error)]
pub(super) enum SourceError {
    /// Something that a token request needs is missing, although this environment is the right one.
    #[error("{what}")]
    Missing { what: String, remedy: String },
    #[error("the source `{name}` supports one audience per token, but {count} were requested")]
    TooManyAudiences { name: &'static str, count: usize },
    #[error("the source `{name}` does not support a scope")]
    Scope { name: &'static str },
    /// The service sent no reply, or an unexpected one.
    #[error(transparent)]
    Service(#[from] ExchangeError),
    #[error("{service} refused: {said}")]
    Refused { service: String, said: String, hint: String },
    #[error("{place} does not contain an ID token")]
    NotAToken {
        place: String,
        #[source]
        cause: MalformedToken,
        /// Whether a service returned it for this request; then it is a refusal.
        from_reply: bool,
    },
    #[error("by this machine's clock, the token of {place} expired {ago}")]
    Expired { place: String, ago: String, remedy: String },
    /// The source has only one token.
    #[error("the source `{name}` has only one token, which expires at {ends}")]
    CannotRenew { name: &'static str, ends: String },
    #[error("{place} gave a token for {found}, not for {wanted}")]
    OtherAudience { place: String, found: String, wanted: String, hint: String },
}

impl Explain for SourceError {
    fn exit(&self) -> Exit {
        match self {
            Self::Missing { .. } | Self::Expired { .. } | Self::NotAToken { from_reply: false, .. } => {
                Exit::NoIdentity
            }
            Self::TooManyAudiences { .. } | Self::Scope { .. } | Self::CannotRenew { .. } => Exit::Usage,
            Self::Service(error) => error.exit(),
            Self::Refused { .. } | Self::NotAToken { .. } | Self::OtherAudience { .. } => Exit::MintRefused,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing { remedy: hint, .. }
            | Self::Refused { hint, .. }
            | Self::Expired { remedy: hint, .. }
            | Self::OtherAudience { hint, .. } => hint.clone(),
            Self::TooManyAudiences { .. } => {
                "give `--audience` once, and run the command once for each receiver".into()
            }
            Self::Scope { .. } => {
                "remove `--scope`, and let the receiver check other claims of the token".into()
            }
            Self::CannotRenew { .. } => {
                "add `--until-expiry` if that is long enough\n\
                 otherwise use `login` or `exec` at the start of the job: the credential from the exchange may live longer than the token".into()
            }
            Self::Service(error) => return error.hint(),
            Self::NotAToken { from_reply: true, .. } => "the service has a fault, or another service answers in its place: see each step with `--verbose`, and send this message to whoever runs the service".into(),
            Self::NotAToken { .. } => {
                "a token has 3 parts separated by dots, `HEADER.PAYLOAD.SIGNATURE`\n\
                 the token may also be the member `token` of a JSON object"
                    .into()
            }
        })
    }
}
