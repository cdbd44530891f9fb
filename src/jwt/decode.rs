//! Reading a JWT without verifying it (RFC 7519 section 7.2, RFC 7515 section 7.1).
//!
//! By hand, because what someone wants to look at is often just the token that a library refuses: an unknown
//! `alg`, `none`, a `crit` header.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::exit::{Exit, Explain};
use crate::json::{Json, JsonError};

/// The longest token that is read, in bytes.
pub const MAX_TOKEN: usize = 64 * 1024;

/// Header and payload of a JWT whose signature nobody has checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The JOSE header, an object.
    pub header: Json,
    /// The claims, an object.
    pub payload: Json,
}

/// Why a text is not a JWT. Never quotes the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedToken {
    /// Nothing but white space.
    #[error("there is no token: the input is empty")]
    Empty,
    /// Longer than [`MAX_TOKEN`].
    #[error("the input has {0} bytes, more than the 65536 that a token may have")]
    TooLong(usize),
    #[error("the token has white space at byte {0}")]
    WhiteSpace(usize),
    /// JSON, such as a reply with a token in it.
    #[error("this is JSON, and the token is a string in it")]
    InJson,
    /// Several lines, as of a request.
    #[error("this has several lines, and no `Authorization: Bearer …` among them")]
    Lines,
    #[error("this is an encrypted token (JWE, five parts): only its recipient's key opens it")]
    Encrypted,
    /// Another number of parts than three.
    #[error("a JWT has three parts separated by dots, this has {0}")]
    Parts(usize),
    #[error("the {part} is not base64url: {reason}")]
    Base64 {
        /// `header`, `payload` or `signature`.
        part: &'static str,
        reason: String,
    },
    #[error("the {0} is not UTF-8 text")]
    NotText(&'static str),
    #[error("the {part} is not valid JSON: {reason}")]
    Json {
        /// `header` or `payload`.
        part: &'static str,
        reason: JsonError,
    },
    /// JSON, but no object.
    #[error("the {0} is not a JSON object")]
    NotAnObject(&'static str),
}

impl Explain for MalformedToken {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Empty => Some("give the token as an argument, or pipe it in: `gp idp token --audience example.org | gp idp decode`".into()),
            Self::WhiteSpace(_) => Some("a token stands on one line: it may have been wrapped when it was copied, or two were given".into()),
            Self::InJson => Some("take it out first: `… | jq -r .id_token | gp idp decode`".into()),
            Self::Lines => Some("give the line with the token alone".into()),
            Self::Parts(_) | Self::Base64 { .. } => Some("it may be cut off, or be an opaque token, which has nothing to decode".into()),
            _ => None,
        }
    }
}

impl Decoded {
    /// Reads the token that [`find`] finds.
    pub fn parse(text: &str) -> Result<Self, MalformedToken> {
        Self::parse_compact(find(text)?)
    }

    /// Reads a token and nothing around it, as an issuer has to return it.
    pub fn parse_compact(token: &str) -> Result<Self, MalformedToken> {
        if token.is_empty() {
            return Err(MalformedToken::Empty);
        }
        if token.len() > MAX_TOKEN {
            return Err(MalformedToken::TooLong(token.len()));
        }
        if let Some(at) = token.find(char::is_whitespace) {
            return Err(MalformedToken::WhiteSpace(at));
        }
        let parts: Vec<&str> = token.split('.').collect();
        let [header, payload, signature] = parts[..] else {
            return Err(if parts.len() == 5 {
                MalformedToken::Encrypted
            } else {
                MalformedToken::Parts(parts.len())
            });
        };
        let decoded = Self { header: object("header", header)?, payload: object("payload", payload)? };
        base64url("signature", signature)?;
        Ok(decoded)
    }

    /// `{"Header": …, "Payload": …}`, the form of the original `gp idp token --decode`.
    pub fn to_json(&self) -> Json {
        Json::Object(vec![("Header".into(), self.header.clone()), ("Payload".into(), self.payload.clone())])
    }
}

/// The token in a text: alone, in a `Bearer …`, in an `Authorization: Bearer …` line, or in that line among the others
/// of a request.
pub(super) fn find(text: &str) -> Result<&str, MalformedToken> {
    if text.trim_start().starts_with('{') {
        return Err(MalformedToken::InJson);
    }
    let is_header = |line: &&str| {
        line.trim_start().get(..14).is_some_and(|start| start.eq_ignore_ascii_case("authorization:"))
    };
    if text.trim().lines().count() > 1 && text.contains(':') {
        return text.lines().find(is_header).map(bare).ok_or(MalformedToken::Lines);
    }
    Ok(bare(text))
}

/// The token in a line that people copy from a request: without `Authorization:`, `Bearer` and quotes.
fn bare(text: &str) -> &str {
    let mut rest = text.trim().trim_matches(['"', '\'']);
    for word in ["authorization:", "bearer"] {
        match rest.get(..word.len()) {
            Some(start) if start.eq_ignore_ascii_case(word) => rest = rest[word.len()..].trim_start(),
            _ => {}
        }
    }
    rest.trim_end()
}

fn object(part: &'static str, text: &str) -> Result<Json, MalformedToken> {
    let bytes = base64url(part, text)?;
    let text = String::from_utf8(bytes).map_err(|_| MalformedToken::NotText(part))?;
    match Json::parse(&text).map_err(|reason| MalformedToken::Json { part, reason })? {
        json @ Json::Object(_) => Ok(json),
        _ => Err(MalformedToken::NotAnObject(part)),
    }
}

fn base64url(part: &'static str, text: &str) -> Result<Vec<u8>, MalformedToken> {
    let reason = match text.bytes().position(|b| !(b.is_ascii_alphanumeric() || b == b'-' || b == b'_')) {
        Some(at) if text[at..].bytes().all(|b| b == b'=') => "it is padded with `=`".to_owned(),
        Some(at) if matches!(text.as_bytes()[at], b'+' | b'/') => {
            format!("a `+` or `/` of plain base64 at character {}", at + 1)
        }
        Some(at) => format!("a character outside of its alphabet at character {}", at + 1),
        None => match URL_SAFE_NO_PAD.decode(text) {
            Ok(bytes) => return Ok(bytes),
            Err(_) if text.len() % 4 == 1 => {
                format!("its {} characters are no whole number of bytes", text.len())
            }
            Err(_) => "its last character has bits that belong to no byte".to_owned(),
        },
    };
    Err(MalformedToken::Base64 { part, reason })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(text: &str) -> String {
        URL_SAFE_NO_PAD.encode(text)
    }

    #[test]
    fn any_header_is_shown() {
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"XY999","crit":["b64"],"b64":false}"#,
            r#"{"typ":"at+jwt"}"#,
            "{}",
        ] {
            let token = format!("{}.{}.", encode(header), encode(r#"{"a":1}"#));
            assert_eq!(Decoded::parse(&token).unwrap().header.compact(), header);
        }
    }

    #[test]
    fn a_token_may_stand_in_a_header_line() {
        let token = format!("{}.{}.c2ln", encode("{}"), encode("{}"));
        for line in [
            format!("Authorization: Bearer {token}\r\n"),
            format!("authorization:bearer   {token}"),
            format!("Bearer {token}"),
            format!("\"{token}\"\n"),
        ] {
            assert!(Decoded::parse(&line).is_ok(), "{line}");
        }
    }

    #[test]
    fn what_is_refused_and_why() {
        let ok = encode("{}");
        let cases = [
            ("  \n".to_owned(), "there is no token: the input is empty"),
            ("Bearer ".to_owned(), "there is no token: the input is empty"),
            ("a".repeat(70_000), "the input has 70000 bytes, more than the 65536 that a token may have"),
            (format!("{ok}.{ok}\n.{ok}"), "the token has white space at byte 7"),
            (
                format!("{ok}.{ok}.{ok}.{ok}.{ok}"),
                "this is an encrypted token (JWE, five parts): only its recipient's key opens it",
            ),
            (format!("{ok}.{ok}"), "a JWT has three parts separated by dots, this has 2"),
            ("s.deadbeef".to_owned(), "a JWT has three parts separated by dots, this has 2"),
            (
                format!("{ok}.{ok}x!.{ok}"),
                "the payload is not base64url: a character outside of its alphabet at character 5",
            ),
            (format!("{ok}.e30=.{ok}"), "the payload is not base64url: it is padded with `=`"),
            (
                format!("{ok}.+30x.{ok}"),
                "the payload is not base64url: a `+` or `/` of plain base64 at character 1",
            ),
            (
                format!("{ok}.{ok}.a"),
                "the signature is not base64url: its 1 characters are no whole number of bytes",
            ),
            (
                format!("{ok}.{}.", encode("{\"a\":1")),
                "the payload is not valid JSON: EOF while parsing an object at line 1 column 6",
            ),
            (format!("{ok}.{}.", encode("[1]")), "the payload is not a JSON object"),
            (format!("{}.{ok}.", encode("1")), "the header is not a JSON object"),
            (
                format!("{ok}.{}.", URL_SAFE_NO_PAD.encode([b'{', 0xff, b'}'])),
                "the payload is not UTF-8 text",
            ),
            (
                format!("{ok}.{}.", encode(r#"{"sub":"a","sub":"b"}"#)),
                "the payload is not valid JSON: the member `sub` appears twice, and parsers disagree on which one is used",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(Decoded::parse(&text).unwrap_err().to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn no_input_panics(text in ".{0,200}") {
            let _ = Decoded::parse(&text);
        }

        #[test]
        fn no_three_parts_panic(header in any::<Vec<u8>>(), payload in any::<Vec<u8>>(), tail in "[A-Za-z0-9_=+/-]{0,9}") {
            let _ = Decoded::parse(&format!("{}.{}.{tail}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload)));
        }

        #[test]
        fn payloads_come_back_unchanged(names in proptest::collection::btree_set("[a-z./:]{1,12}", 0..8), number in any::<f64>()) {
            prop_assume!(number.is_finite());
            let members: Vec<String> = names.iter().map(|name| format!("{}:[{number:?},\"{name}\"]", crate::json::quote(name))).collect();
            let payload = format!("{{{}}}", members.join(","));
            let token = format!("{}.{}.", encode("{}"), encode(&payload));
            let decoded = Decoded::parse(&token).unwrap();
            prop_assert_eq!(decoded.payload.compact(), payload);
            for name in &names {
                prop_assert!(decoded.payload.at(name).is_some());
            }
        }

        #[test]
        fn no_path_panics(path in ".{0,40}") {
            let json = Json::parse(r#"{"a":{"b":[1,{"c":2}]},"":3,".":4}"#).unwrap();
            let _ = json.at(&path);
        }
    }
}
