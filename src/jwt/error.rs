//! Why a text is not a JWT.

use super::decode::MAX_NESTING;
use crate::exit::{Exit, Explain};
use crate::json::JsonError;

/// The hint for a token that copying may have damaged.
const COPY_AGAIN: &str =
    "copy the whole token again, or pipe in the output of `gp idp token --audience AUDIENCE`";
/// The hint for a text that may be no JWT at all.
const OPAQUE: &str = "if it is an opaque token, it cannot be decoded";

/// Why a text is not a JWT. The messages never quote the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedToken {
    /// Nothing but white space.
    #[error("there is no token: the input is empty")]
    Empty,
    /// Longer than [`MAX_TOKEN`](super::decode::MAX_TOKEN).
    #[error("the input has {0} bytes, more than the 65536 that a token may have")]
    TooLong(usize),
    #[error("the token has white space at byte {0}")]
    WhiteSpace(usize),
    /// JSON, such as a reply with a token in it.
    #[error("this is JSON: give the token, which is a string in it")]
    InJson,
    /// Another text, such as a URL, without a token in it.
    #[error("this is {0} without a JWT in it")]
    NoneIn(&'static str),
    /// Several lines, such as a request, without an `Authorization` line.
    #[error("this has several lines, but no line `Authorization: Bearer …`")]
    Lines,
    #[error(
        "this is an encrypted token (JWE, 5 parts): decrypt it with the key of its recipient, or give a signed token (3 parts)"
    )]
    Encrypted,
    /// The number of parts is not three.
    #[error("a JWT has 3 parts separated by dots, but this has {0}")]
    Parts(usize),
    #[error("the {part} is not base64url: {reason}")]
    Base64 {
        /// `header`, `payload` or `signature`.
        part: &'static str,
        reason: String,
    },
    #[error("the {0} is not UTF-8 text")]
    NotText(&'static str),
    #[error("cannot parse the {part}: {reason}")]
    Json {
        /// `header` or `payload`.
        part: &'static str,
        reason: JsonError,
    },
    /// JSON, but not an object.
    #[error("the {0} is not a JSON object")]
    NotAnObject(&'static str),
    /// `input`, or a part of the token.
    #[error("the {0} begins with a byte order mark")]
    ByteOrderMark(&'static str),
    #[error("the payload is empty: it is detached from the token (RFC 7515 appendix F)")]
    Detached,
    #[error("the payload is not encoded, as `b64` in the header says (RFC 7797)")]
    Unencoded,
    #[error("the payload is another token (a nested JWT, RFC 7519 section 5.2)")]
    Nested,
    #[error("this is an SD-JWT: a token with disclosures after it (RFC 9901)")]
    Disclosures,
    /// The inner token cannot be read.
    #[error("cannot read the token in the {part}: {fault}")]
    Inner {
        /// `payload` or `key binding`.
        part: &'static str,
        fault: Box<MalformedToken>,
    },
    #[error("it is nested more than {MAX_NESTING} tokens deep")]
    TooDeep,
}

impl MalformedToken {
    /// Whether the token may be correct, although it is not a plain JWT.
    pub fn is_another_kind(&self) -> bool {
        matches!(
            self,
            Self::Detached | Self::Unencoded | Self::Nested | Self::Disclosures | Self::Inner { .. }
        )
    }
}

impl Explain for MalformedToken {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Empty => {
                "give the token as an argument, or pipe in the output of `gp idp token --audience AUDIENCE`"
                    .into()
            }
            Self::NoneIn(_) => "an opaque token cannot be decoded".into(),
            Self::Lines => "give the line with the token alone".into(),
            Self::Json { part, reason: JsonError::Syntax(_) } => {
                format!("most likely copying lost or changed characters of the {part}: {COPY_AGAIN}")
            }
            Self::Parts(0..=2) => format!("if the end of the token was cut off, {COPY_AGAIN}\n{OPAQUE}"),
            Self::Parts(_) => {
                format!(
                    "if there is other text next to the token, {COPY_AGAIN}\notherwise this is not a token"
                )
            }
            Self::Base64 { part, .. } => {
                format!("if copying lost or changed characters of the {part}, {COPY_AGAIN}\n{OPAQUE}")
            }
            Self::WhiteSpace(_) => {
                format!("copying added a line break or a space to the token: {COPY_AGAIN}")
            }
            _ => return None,
        })
    }
}
