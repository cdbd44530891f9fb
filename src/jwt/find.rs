//! Finds tokens in a text. People often copy or pipe a line of a request, a URL, a setting or a
//! reply.

use std::borrow::Cow;

use super::decode::{BYTE_ORDER_MARK, Decoded, Reader, looks_like_token, unwrap_base64};
use super::error::MalformedToken;
use crate::json::Json;

/// The tokens of a text, read leniently.
#[derive(Debug)]
pub struct Found {
    /// The tokens in the order of the text; at least one.
    pub tokens: Vec<Decoded>,
    /// The kind of text around them, if they were found by a search.
    pub inside: Option<&'static str>,
    /// The faults that a strict reader refuses.
    pub faults: Vec<MalformedToken>,
}

impl Found {
    /// Reads the tokens of a text. They may have faults, and other text around them.
    pub fn read(text: &str) -> Result<Self, MalformedToken> {
        let unmarked = text.trim_start().strip_prefix(BYTE_ORDER_MARK);
        let mut found = Self::read_unmarked(unmarked.unwrap_or(text))?;
        if unmarked.is_some() {
            found.faults.insert(0, MalformedToken::ByteOrderMark("input"));
        }
        Ok(found)
    }

    fn read_unmarked(text: &str) -> Result<Self, MalformedToken> {
        let alone = find(text);
        let fault = match alone.clone().and_then(Self::one) {
            Ok(found) => return Ok(found),
            Err(fault) => fault,
        };
        if alone.is_ok_and(looks_like_token) && !text.trim().contains(char::is_whitespace) {
            return Err(fault);
        }
        let signed = json_serialization(text);
        if !signed.is_empty() {
            return Self::search(&signed.join(" "), "a JWS in its JSON form (RFC 7515 section 7.2)")
                .unwrap_or(Err(fault));
        }
        let inside = kind_of_text(text);
        let none = match (fault, inside) {
            (
                MalformedToken::InJson | MalformedToken::Base64 { .. } | MalformedToken::Parts(_),
                Some(inside),
            ) => MalformedToken::NoneIn(inside),
            (fault, _) => fault,
        };
        Self::search(text, inside.unwrap_or("a longer text")).unwrap_or(Err(none))
    }

    fn one(token: &str) -> Result<Self, MalformedToken> {
        let mut reader = Reader::lenient();
        let decoded = reader.token(token)?;
        Ok(Self { tokens: vec![decoded], inside: None, faults: reader.into_faults() })
    }

    /// All tokens in a text; `None` if nothing in it begins like a token.
    fn search(text: &str, inside: &'static str) -> Option<Result<Self, MalformedToken>> {
        let text = percent_decode(text);
        let mut candidates = candidates(&text);
        if candidates.iter().any(|candidate| candidate.is_bearer) {
            candidates.retain(|candidate| candidate.is_bearer);
        }
        let mut found = Self { tokens: Vec::new(), inside: Some(inside), faults: Vec::new() };
        let mut refused = None;
        for candidate in candidates {
            // The last dot may end a sentence.
            let one = Self::one(&candidate.text)
                .or_else(|fault| Self::one(candidate.text.trim_end_matches('.')).map_err(|_| fault));
            match one {
                Ok(one) if found.tokens.contains(&one.tokens[0]) => {}
                Ok(one) => {
                    found.tokens.extend(one.tokens);
                    let new = one.faults.into_iter().filter(|fault| !found.faults.contains(fault));
                    let new: Vec<MalformedToken> = new.collect();
                    found.faults.extend(new);
                }
                Err(fault) => {
                    refused.get_or_insert(fault);
                }
            }
        }
        if found.tokens.is_empty() { refused.map(Err) } else { Some(Ok(found)) }
    }
}

/// A piece of a text that begins like a token.
struct Candidate<'a> {
    text: Cow<'a, str>,
    /// Whether the word before it is `Bearer`.
    is_bearer: bool,
}

fn candidates(text: &str) -> Vec<Candidate<'_>> {
    let is_delimiter = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '='));
    let mut found = Vec::new();
    let mut at = 0;
    for piece in text.split_inclusive(is_delimiter) {
        let run = piece.trim_end_matches(is_delimiter);
        // An `=` is padding, or follows a name.
        let begins = [0].into_iter().chain(run.match_indices('=').map(|(equals, _)| equals + 1));
        let plain = begins.map(|begin| &run[begin..]).find(|rest| looks_like_token(rest)).map(Cow::Borrowed);
        let wrapped = || unwrap_base64(run).filter(|inside| looks_like_token(inside)).map(Cow::Owned);
        if let Some(token) = plain.or_else(wrapped) {
            let is_bearer = last_word(&text[..at]).eq_ignore_ascii_case("bearer");
            found.push(Candidate { text: token, is_bearer });
        }
        at += piece.len();
    }
    found
}

fn last_word(text: &str) -> &str {
    let text = text.trim_end();
    text.rsplit(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or(text)
}

/// The compact form of each signature of a JWS in JSON form.
fn json_serialization(text: &str) -> Vec<String> {
    let Ok(json) = Json::parse(text.trim()) else { return Vec::new() };
    let signatures = match json.get("signatures") {
        Some(Json::Array(signatures)) => &signatures[..],
        _ => std::slice::from_ref(&json),
    };
    let compact = |signed: &Json| {
        let member = |of: &Json, name: &str| of.get(name)?.as_str();
        let (header, payload) = (member(signed, "protected")?, member(&json, "payload")?);
        Some(format!("{header}.{payload}.{}", member(signed, "signature")?))
    };
    signatures.iter().filter_map(compact).collect()
}

/// Decodes percent-encoding, as in parameters of a URL and in cookies. A token itself has no `%`.
fn percent_decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let pairs = url::form_urlencoded::parse(text.as_bytes());
    let joined = pairs.flat_map(|(name, value)| {
        let between = if value.is_empty() { " " } else { "=" };
        [name, between.into(), value, "&".into()]
    });
    Cow::Owned(joined.collect())
}

/// The kind of a text that is not only a token.
fn kind_of_text(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let begins = |start: &str| text.get(..start.len()).is_some_and(|it| it.eq_ignore_ascii_case(start));
    let word = text.split_whitespace().next().unwrap_or_default();
    let setting = text.strip_prefix("export ").unwrap_or(text);
    let behind_name = setting.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let has_name = behind_name.len() < setting.len();
    Some(match () {
        () if begins("{") || begins("[") => "JSON",
        () if begins("<") => "XML or HTML",
        () if begins("-----BEGIN") => "a PEM block",
        () if begins("data:") => "a `data:` URL",
        () if word == "curl" => "a curl command",
        () if text.lines().count() > 1 => "a text of several lines",
        () if word.contains("://") => "a URL",
        () if has_name && behind_name.starts_with('=') => "an assignment (`NAME=…`)",
        () if has_name && behind_name.starts_with(':') => "a header line",
        () => return None,
    })
}

/// The token in a text: alone, after `Bearer`, or in an `Authorization: Bearer …` line, which may
/// be one line of a request.
pub(crate) fn find(text: &str) -> Result<&str, MalformedToken> {
    if text.trim_start().starts_with('{') {
        return Err(MalformedToken::InJson);
    }
    let is_header = |line: &&str| {
        line.trim_start().get(..14).is_some_and(|start| start.eq_ignore_ascii_case("authorization:"))
    };
    if text.trim().lines().count() > 1 && text.contains(':') {
        return text.lines().find(is_header).map(strip_header).ok_or(MalformedToken::Lines);
    }
    Ok(strip_header(text))
}

/// The token in a line of a request: removes `Authorization:`, `Bearer` and quotes.
fn strip_header(text: &str) -> &str {
    let mut rest = text.trim().trim_matches(['"', '\'']);
    for word in ["authorization:", "bearer"] {
        match rest.get(..word.len()) {
            Some(start) if start.eq_ignore_ascii_case(word) => rest = rest[word.len()..].trim_start(),
            _ => {}
        }
    }
    rest.trim_end()
}
