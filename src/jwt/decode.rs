//! Reading a JWT without verifying it (RFC 7519 section 7.2, RFC 7515 section 7.1).
//!
//! This module does not use a JWT library, because users often want to inspect exactly the tokens that a library
//! refuses: an unknown `alg`, `none`, a `crit` header. One [`Reader`] serves both kinds of callers: strict callers,
//! which must refuse a token with a fault, and lenient callers, which only show it.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{NO_PAD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose};

use super::error::MalformedToken;
use super::find::find;
use crate::json::{Json, JsonError, quote};

/// The maximum length of a token, in bytes.
pub const MAX_TOKEN: usize = 64 * 1024;

/// The maximum nesting of tokens inside a token.
pub(super) const MAX_NESTING: usize = 8;

pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// The maximum number of duplicate members that are reported.
const MAX_DUPLICATES: usize = 5;

/// Base64url that may have padding, or unused bits that are set.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    NO_PAD.with_decode_allow_trailing_bits(true).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Header and payload of a JWT. The signature is not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The JOSE header, an object.
    pub header: Json,
    /// The claims, an object. A lenient reader also puts other values here: `null` for a detached
    /// payload, a string for a payload that is not JSON, header and payload of the inner token for
    /// a nested one.
    pub payload: Json,
    /// The inner token, if the payload is a token.
    pub nested: Option<Box<Decoded>>,
    /// The disclosures of an SD-JWT: `[salt, name, value]`, or `[salt, value]` for an item of an
    /// array.
    pub disclosures: Vec<Json>,
    /// The key binding token at the end of an SD-JWT: the holder's proof of possession of a key.
    pub key_binding: Option<Box<Decoded>>,
}

impl Decoded {
    /// Reads the token that [`find`] finds. Any fault is an error.
    pub fn parse(text: &str) -> Result<Self, MalformedToken> {
        Self::parse_compact(find(text)?)
    }

    /// Reads a token without text around it, as an issuer must return it. Any fault is an error.
    pub fn parse_compact(token: &str) -> Result<Self, MalformedToken> {
        Reader::strict().token(token)
    }

    /// The claims: the payload, or the payload of the innermost token.
    pub fn claims(&self) -> &Json {
        self.nested.as_ref().map_or(&self.payload, |nested| nested.claims())
    }

    /// The claims that an SD-JWT discloses, by name.
    pub fn disclosed(&self) -> Json {
        let claim = |disclosure: &Json| match disclosure {
            Json::Array(items) => match &items[..] {
                [_, name, value] => Some((name.as_str()?, value.clone())),
                _ => None,
            },
            _ => None,
        };
        Json::Object(self.disclosures.iter().filter_map(claim).collect())
    }

    /// `{"Header": …, "Payload": …}`, the form of the original `gp idp token --decode`. An SD-JWT
    /// also has `Disclosures` and, if it is bound to a key, `KeyBinding`.
    pub fn to_json(&self) -> Json {
        let mut members =
            vec![("Header".to_owned(), self.header.clone()), ("Payload".to_owned(), self.payload.clone())];
        if !self.disclosures.is_empty() {
            members.push(("Disclosures".into(), Json::Array(self.disclosures.clone())));
        }
        members.extend(self.key_binding.as_ref().map(|token| ("KeyBinding".into(), token.to_json())));
        Json::Object(members)
    }
}

/// Whether a text begins like a token: with an object in base64url, and a dot.
pub(super) fn looks_like_token(text: &str) -> bool {
    let Some((header, _)) = text.split_once('.') else { return false };
    // Do this cheap check first: the caller may try one beginning for each `=` of a text.
    let is_padded_within = header.trim_end_matches('=').contains('=');
    !is_padded_within && Reader::lenient().object("header", header).is_ok()
}

/// The text in a piece of base64, such as that of a `data:` URL or of a Kubernetes Secret.
pub(super) fn unwrap_base64(text: &str) -> Option<String> {
    String::from_utf8(LENIENT.decode(text.trim_end_matches('=')).ok()?).ok()
}

/// Reads tokens. A strict reader refuses a token with a fault (RFC 7515 section 5.2). A lenient
/// reader tolerates and records the fault.
pub(super) struct Reader {
    /// The tolerated faults so far; `None` in a strict reader.
    tolerated: Option<Vec<MalformedToken>>,
    depth: usize,
}

impl Reader {
    pub(super) fn strict() -> Self {
        Self { tolerated: None, depth: 0 }
    }

    pub(super) fn lenient() -> Self {
        Self { tolerated: Some(Vec::new()), depth: 0 }
    }

    /// The faults that a strict reader would have refused.
    pub(super) fn into_faults(self) -> Vec<MalformedToken> {
        self.tolerated.unwrap_or_default()
    }

    fn tolerate(&mut self, fault: MalformedToken) -> Result<(), MalformedToken> {
        let Some(overlooked) = &mut self.tolerated else { return Err(fault) };
        if !overlooked.contains(&fault) {
            overlooked.push(fault);
        }
        Ok(())
    }

    pub(super) fn token(&mut self, token: &str) -> Result<Decoded, MalformedToken> {
        if token.is_empty() {
            return Err(MalformedToken::Empty);
        }
        if token.len() > MAX_TOKEN {
            return Err(MalformedToken::TooLong(token.len()));
        }
        if let Some(at) = token.find(char::is_whitespace) {
            self.tolerate(MalformedToken::WhiteSpace(at))?;
        }
        let (token, behind) = match token.split_once('~') {
            Some((token, behind)) if token.split('.').count() == 3 => {
                self.tolerate(MalformedToken::Disclosures)?;
                (token, behind)
            }
            _ => (token, ""),
        };
        let parts: Vec<&str> = token.split('.').collect();
        let (header, payload, signature) = match parts[..] {
            [header, payload, signature] => (header, payload, signature),
            // An unencoded payload may have dots.
            [header, _, .., signature] if self.tolerated.is_some() && is_unencoded(header) => {
                (header, &token[header.len() + 1..token.len() - signature.len() - 1], signature)
            }
            [_, _, _, _, _] => return Err(MalformedToken::Encrypted),
            _ => return Err(MalformedToken::Parts(parts.len())),
        };
        let header = self.object("header", header)?;
        let (payload, nested) = self.payload(&header, payload)?;
        if let Err(fault) = self.base64url("signature", signature) {
            self.tolerate(fault)?;
        }
        let mut decoded = Decoded { header, payload, nested, disclosures: Vec::new(), key_binding: None };
        for part in behind.split('~').filter(|part| !part.is_empty()) {
            if part.contains('.') {
                decoded.key_binding = self.inner("key binding", part)?;
            } else {
                let disclosure = self.json("disclosure", part).or_else(|fault| {
                    self.tolerate(fault)?;
                    Ok(Json::Scalar(quote(part)))
                })?;
                decoded.disclosures.push(disclosure);
            }
        }
        Ok(decoded)
    }

    /// Reads an inner token. An inner token that cannot be read is a fault of the outer one.
    fn inner(&mut self, part: &'static str, token: &str) -> Result<Option<Box<Decoded>>, MalformedToken> {
        self.depth += 1;
        let read = if self.depth > MAX_NESTING { Err(MalformedToken::TooDeep) } else { self.token(token) };
        self.depth -= 1;
        match read {
            Ok(decoded) => Ok(Some(Box::new(decoded))),
            Err(fault) => {
                self.tolerate(MalformedToken::Inner { part, fault: Box::new(fault) })?;
                Ok(None)
            }
        }
    }

    fn payload(&mut self, header: &Json, text: &str) -> Result<(Json, Option<Box<Decoded>>), MalformedToken> {
        const PART: &str = "payload";
        if text.is_empty() {
            self.tolerate(MalformedToken::Detached)?;
            return Ok((Json::Scalar("null".into()), None));
        }
        let unencoded = self.tolerated.is_some()
            && says_unencoded(header)
            // Some issuers set `b64` to false, but still encode the payload.
            && Self::strict().object(PART, text).is_err();
        let text = if unencoded {
            self.tolerate(MalformedToken::Unencoded)?;
            text.to_owned()
        } else {
            self.text(PART, text)?
        };
        // Some libraries write the inner token as a JSON string.
        let inside = text.trim().trim_matches('"');
        if looks_like_token(inside) {
            self.tolerate(MalformedToken::Nested)?;
            let nested = self.inner(PART, inside)?;
            let shown =
                nested.as_ref().map_or_else(|| Json::Scalar(quote(inside)), |nested| nested.to_json());
            return Ok((shown, nested));
        }
        match self.parse(PART, &text) {
            Ok(json) => {
                if !matches!(json, Json::Object(_)) {
                    self.tolerate(MalformedToken::NotAnObject(PART))?;
                }
                Ok((json, None))
            }
            Err(_) if unencoded => Ok((Json::Scalar(quote(&text)), None)),
            Err(fault) => Err(fault),
        }
    }

    fn object(&mut self, part: &'static str, text: &str) -> Result<Json, MalformedToken> {
        match self.json(part, text)? {
            json @ Json::Object(_) => Ok(json),
            _ => Err(MalformedToken::NotAnObject(part)),
        }
    }

    fn json(&mut self, part: &'static str, text: &str) -> Result<Json, MalformedToken> {
        let text = self.text(part, text)?;
        self.parse(part, &text)
    }

    fn parse(&mut self, part: &'static str, text: &str) -> Result<Json, MalformedToken> {
        let fault = |reason| MalformedToken::Json { part, reason };
        let unmarked = text.strip_prefix(BYTE_ORDER_MARK);
        if unmarked.is_some() {
            self.tolerate(MalformedToken::ByteOrderMark(part))?;
        }
        let (json, repeated) = Json::parse_repeated(unmarked.unwrap_or(text)).map_err(fault)?;
        for name in repeated.into_iter().take(MAX_DUPLICATES) {
            self.tolerate(fault(JsonError::Duplicate(name)))?;
        }
        Ok(json)
    }

    fn text(&mut self, part: &'static str, text: &str) -> Result<String, MalformedToken> {
        String::from_utf8(self.base64url(part, text)?).map_err(|_| MalformedToken::NotText(part))
    }

    fn base64url(&mut self, part: &'static str, text: &str) -> Result<Vec<u8>, MalformedToken> {
        // White space is a fault of the whole token: a strict reader has refused it before.
        let text: String = text.split_whitespace().collect();
        let reason = match text.bytes().position(|b| !(b.is_ascii_alphanumeric() || b == b'-' || b == b'_')) {
            Some(at) if text[at..].bytes().all(|b| b == b'=') => "it is padded with `=`".to_owned(),
            Some(at) if matches!(text.as_bytes()[at], b'+' | b'/') => {
                format!("a `+` or `/` of plain base64 at character {}", at + 1)
            }
            Some(at) => format!("character {} is not allowed", at + 1),
            None => match URL_SAFE_NO_PAD.decode(&text) {
                Ok(bytes) => return Ok(bytes),
                Err(_) if text.len() % 4 == 1 => {
                    format!("no base64url has a length of {}", text.len())
                }
                Err(_) => "its last character has unused bits that are not zero".to_owned(),
            },
        };
        let fault = MalformedToken::Base64 { part, reason };
        match LENIENT.decode(text.trim_end_matches('=').replace('+', "-").replace('/', "_")) {
            Ok(bytes) => self.tolerate(fault).map(|()| bytes),
            Err(_) => Err(fault),
        }
    }
}

/// Whether an encoded header says that the payload is not encoded.
fn is_unencoded(header: &str) -> bool {
    Reader::lenient().object("header", header).is_ok_and(|header| says_unencoded(&header))
}

fn says_unencoded(header: &Json) -> bool {
    header.get("b64").is_some_and(|encoded| encoded.compact() == "false")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::jwt::Found;

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
    fn a_token_in_a_header_line_is_found() {
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
    fn malformed_tokens_are_refused_with_the_reason() {
        let ok = encode("{}");
        let cases = [
            ("  \n".to_owned(), "there is no token: the input is empty"),
            ("Bearer ".to_owned(), "there is no token: the input is empty"),
            ("a".repeat(70_000), "the input has 70000 bytes, more than the 65536 that a token may have"),
            (format!("{ok}.{ok}\n.{ok}"), "the token has white space at byte 7"),
            (
                format!("{ok}.{ok}.{ok}.{ok}.{ok}"),
                "this is an encrypted token (JWE, 5 parts): decrypt it with the key of its recipient, or give a signed token (3 parts)",
            ),
            (format!("{ok}.{ok}"), "a JWT has 3 parts separated by dots, but this has 2"),
            ("s.deadbeef".to_owned(), "a JWT has 3 parts separated by dots, but this has 2"),
            (format!("{ok}.{ok}x!.{ok}"), "the payload is not base64url: character 5 is not allowed"),
            (format!("{ok}.e30=.{ok}"), "the payload is not base64url: it is padded with `=`"),
            (
                format!("{ok}.+30x.{ok}"),
                "the payload is not base64url: a `+` or `/` of plain base64 at character 1",
            ),
            (format!("{ok}.{ok}.a"), "the signature is not base64url: no base64url has a length of 1"),
            (
                format!("{ok}.{}.", encode("{\"a\":1")),
                "cannot parse the payload: EOF while parsing an object at line 1 column 6",
            ),
            (format!("{ok}.{}.", encode("[1]")), "the payload is not a JSON object"),
            (format!("{}.{ok}.", encode("1")), "the header is not a JSON object"),
            (
                format!("{ok}.{}.", URL_SAFE_NO_PAD.encode([b'{', 0xff, b'}'])),
                "the payload is not UTF-8 text",
            ),
            (
                format!("{ok}.{}.", encode(r#"{"sub":"a","sub":"b"}"#)),
                "cannot parse the payload: the member `sub` appears twice, and parsers disagree on which one is used",
            ),
            (
                format!("{ok}..{ok}"),
                "the payload is empty: it is detached from the token (RFC 7515 appendix F)",
            ),
            (
                format!("{ok}.{}.", encode(&format!("{ok}.{ok}."))),
                "the payload is another token (a nested JWT, RFC 7519 section 5.2)",
            ),
            (format!("{ok}.{ok}.~"), "this is an SD-JWT: a token with disclosures after it (RFC 9901)"),
            (format!("{ok}.{}.", encode("\u{feff}{}")), "the payload begins with a byte order mark"),
            (
                format!("{ok}.e31.{ok}"),
                "the payload is not base64url: its last character has unused bits that are not zero",
            ),
            // A strict reader ignores `b64` and always expects an encoded payload.
            (
                format!("{}.{{}}.{ok}", encode(r#"{"b64":false}"#)),
                "the payload is not base64url: character 1 is not allowed",
            ),
            (
                format!("{}.a.b.{ok}", encode(r#"{"b64":false}"#)),
                "a JWT has 3 parts separated by dots, but this has 4",
            ),
            (format!("TOKEN={ok}.{ok}."), "the header is not base64url: character 6 is not allowed"),
            (format!("\u{feff}{ok}.{ok}."), "the header is not base64url: character 1 is not allowed"),
        ];
        for (text, expected) in cases {
            assert_eq!(Decoded::parse(&text).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_lenient_reader_reports_each_fault_that_a_strict_reader_refuses() {
        let ok = encode("{}");
        for token in [
            format!("{ok}.e30=.{ok}"),
            format!("{ok}.e31.{ok}"),
            format!("{ok}.{ok}.a"),
            format!("{ok}. {ok}."),
            format!("{ok}.{}.", encode("[1]")),
            format!("{ok}.{}.", encode(r#"{"sub":"a","sub":"b"}"#)),
            format!("{ok}.{}.", encode("\u{feff}{}")),
            format!("{ok}.{}.", encode(&format!("{ok}.{ok}."))),
            format!("{ok}..{ok}"),
            format!("{ok}.{ok}.~"),
        ] {
            let mut reader = Reader::lenient();
            reader.token(&token).unwrap();
            assert_eq!(
                reader.into_faults().first(),
                Decoded::parse_compact(&token).err().as_ref(),
                "{token}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_input_panics(text in ".{0,200}") {
            let _ = Decoded::parse(&text);
            let _ = Found::read(&text);
        }

        #[test]
        fn a_lenient_reader_reports_no_fault_in_a_strict_token(
            header in "\\{(\"(a|b64|cty)\":(1|true|\"JWT\"))?\\}",
            payload in "\\{(\"[a-c]\":[0-9\\[\\]\"]{1,4})?\\}|[a-z0-9.=~]{0,9}",
            tail in "[A-Za-z0-9_=+/~-]{0,9}",
        ) {
            let token = format!("{}.{}.{tail}", encode(&header), encode(&payload));
            if let Ok(decoded) = Decoded::parse(&token) {
                let found = Found::read(&token).unwrap();
                prop_assert_eq!((found.tokens, found.inside, found.faults), (vec![decoded], None, Vec::new()));
            }
        }

        #[test]
        fn decoding_three_parts_never_panics(header in any::<Vec<u8>>(), payload in any::<Vec<u8>>(), tail in "[A-Za-z0-9_=+/-]{0,9}") {
            let token = format!("{}.{}.{tail}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
            let _ = Decoded::parse(&token);
            let _ = Found::read(&token);
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
