//! An HTTP reply and its parsing.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use quick_xml::NsReader;
use quick_xml::events::Event;
use quick_xml::name::ResolveResult;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use zeroize::Zeroizing;

use super::retry::Attempts;
use crate::output::ReplyFacts;
use crate::secret::Secret;

/// The value of a JSON member: a string, or anything else.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Is(Secret),
    Not(IgnoredAny),
}

/// A whole reply. Its body may hold a secret, so it has no `Debug`.
pub struct Reply {
    /// Scheme, host and port of the server.
    pub origin: String,
    pub status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Zeroizing<Vec<u8>>,
    /// The tries and the time that the request took.
    pub(crate) attempts: Attempts,
}

/// A reply of the wrong type or form. The message never repeats the body, which may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnexpectedReply {
    #[error("{origin} answered with an HTML page{title} (HTTP {status})")]
    Html {
        origin: String,
        /// ` titled "…"`, or nothing.
        title: String,
        status: u16,
    },
    /// The content type is not the expected one.
    #[error("{origin} answered with {found} where {expected} was expected (HTTP {status})")]
    ContentType {
        origin: String,
        /// `JSON` or `XML`.
        expected: &'static str,
        /// The content type, or that there is none.
        found: String,
        status: u16,
    },
    /// A redirect, which a request that carries a secret does not follow.
    #[error("{origin} redirects {} (HTTP {status})", .location.as_ref().map_or("without a `Location` header".to_owned(), |url| format!("to {url}")))]
    Redirect { origin: String, location: Option<String>, status: u16 },
    /// The body does not match the content type, or lacks expected content.
    #[error("{origin} answered with unexpected {expected}: {reason} (HTTP {status})")]
    Content {
        origin: String,
        /// `JSON` or `XML`.
        expected: &'static str,
        reason: String,
        status: u16,
    },
}

impl UnexpectedReply {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Html { status, .. }
            | Self::ContentType { status, .. }
            | Self::Redirect { status, .. }
            | Self::Content { status, .. } => *status,
        }
    }

    /// Scheme, host and port of the server.
    pub fn origin(&self) -> &str {
        match self {
            Self::Html { origin, .. }
            | Self::ContentType { origin, .. }
            | Self::Redirect { origin, .. }
            | Self::Content { origin, .. } => origin,
        }
    }

    /// Whether it comes from loopback.
    pub fn is_from_loopback(&self) -> bool {
        super::SecureUrl::parse(self.origin()).is_ok_and(|url| url.is_loopback())
    }

    /// Whether it is meant for a browser, such as a login page.
    pub fn is_for_browsers(&self) -> bool {
        matches!(self, Self::Html { .. } | Self::Redirect { .. })
    }
}

impl Reply {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The whole body as text. Invalid UTF-8 is replaced.
    pub fn secret_text(&self) -> Secret {
        Secret::new(String::from_utf8_lossy(&self.body).into_owned())
    }

    /// Whether the body contains `words`.
    pub fn body_contains(&self, words: &str) -> bool {
        String::from_utf8_lossy(&self.body).contains(words)
    }

    /// Whether the body is Go's or nginx's message about plain http on a port for TLS.
    pub fn wants_tls(&self) -> bool {
        self.body_contains("HTTP request to an HTTPS server")
            || self.body_contains("plain HTTP request was sent to HTTPS port")
    }

    /// The body as it is, unless it is HTML or a redirect. The content type is ignored, because
    /// services send a bare token with any type.
    pub fn bare_text(&self) -> Result<Secret, UnexpectedReply> {
        self.refuse_redirect()?;
        self.refuse_page("")?;
        Ok(self.secret_text())
    }

    /// The body as a JSON object, if its content type is JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, UnexpectedReply> {
        let text = self.text("JSON", |media| media == "application/json" || media.ends_with("+json"))?;
        // serde would read an array as a struct, item by item.
        if text.trim_start().starts_with('[') {
            return Err(self.unexpected("JSON", "it is an array and not an object".to_owned()));
        }
        let mut json = serde_json::Deserializer::from_str(text);
        let value = serde_path_to_error::deserialize(&mut json)
            .map_err(|error| self.unexpected("JSON", describe(&error) + &self.error_message()))?;
        json.end().map_err(|_| self.unexpected("JSON", "there is text after the object".to_owned()))?;
        Ok(value)
    }

    /// A string member of the JSON object, which is a secret.
    pub(crate) fn member(&self, name: &str) -> Result<Secret, UnexpectedReply> {
        let mut members: HashMap<String, Option<Text>> = self.json()?;
        match members.remove(name).flatten() {
            Some(Text::Is(secret)) => Ok(secret),
            Some(Text::Not(_)) => Err(self.unexpected_json(format!("`{name}` is not text"))),
            None => Err(self.missing_member(name)),
        }
    }

    /// The message in an error reply with unexpected JSON. Nothing for a success, whose members may
    /// be secrets.
    fn error_message(&self) -> String {
        let body: Option<serde_json::Value> =
            if self.is_success() { None } else { serde_json::from_slice(&self.body).ok() };
        let words = ["message", "error_description", "detail", "error"];
        let words = body.as_ref().and_then(|body| words.iter().find_map(|name| body.get(name)?.as_str()));
        words.map_or(String::new(), |words| format!("; the reply says \"{words}\""))
    }

    /// The body as XML, if its content type is XML: one element `root`, in `namespace` or in none.
    pub fn xml<T: DeserializeOwned>(&self, root: &str, namespace: &str) -> Result<T, UnexpectedReply> {
        let text = self
            .text("XML", |media| media == "text/xml" || media.ends_with("/xml") || media.ends_with("+xml"))?;
        if !has_one_root(text, root, namespace) {
            return Err(
                self.unexpected("XML", format!("it is not exactly one `{root}` element in {namespace}"))
            );
        }
        // The library's messages may quote the document, which may hold secrets.
        quick_xml::de::from_str(text).map_err(|error| {
            let reason = missing_in(&error.to_string()).map_or_else(
                || "an element has the wrong form, or it is not well-formed".to_owned(),
                |name| format!("the element `{name}` is missing"),
            );
            self.unexpected("XML", reason)
        })
    }

    /// The body as text, if `accepts` accepts its media type.
    fn text(&self, expected: &'static str, accepts: impl Fn(&str) -> bool) -> Result<&str, UnexpectedReply> {
        self.refuse_redirect()?;
        let content_type = self.header(CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
        self.refuse_page(&content_type)?;
        if !accepts(content_type.split(';').next().unwrap_or_default().trim()) {
            let found = if content_type.is_empty() {
                "no content type".to_owned()
            } else {
                format!("content type `{content_type}`")
            };
            let (origin, status) = (self.origin.clone(), self.status);
            return Err(UnexpectedReply::ContentType { origin, expected, found, status });
        }
        std::str::from_utf8(&self.body)
            .map_err(|_| self.unexpected(expected, "it is not UTF-8 text".to_owned()))
    }

    fn refuse_redirect(&self) -> Result<(), UnexpectedReply> {
        if !(300..400).contains(&self.status) {
            return Ok(());
        }
        let location = self.header(LOCATION).map(super::shown_url);
        Err(UnexpectedReply::Redirect { origin: self.origin.clone(), location, status: self.status })
    }

    /// Refuses HTML, recognised by the content type or by the start of the body.
    fn refuse_page(&self, content_type: &str) -> Result<(), UnexpectedReply> {
        let body = String::from_utf8_lossy(&self.body);
        let start = body.trim_start().get(..5).unwrap_or_default().to_ascii_lowercase();
        if !content_type.starts_with("text/html") && !start.starts_with("<!") && start != "<html" {
            return Ok(());
        }
        Err(UnexpectedReply::Html { origin: self.origin.clone(), title: title(&body), status: self.status })
    }

    /// The error that the content, `JSON` or `XML`, is wrong because of `reason`.
    pub(crate) fn unexpected(&self, expected: &'static str, reason: String) -> UnexpectedReply {
        UnexpectedReply::Content { origin: self.origin.clone(), expected, reason, status: self.status }
    }

    /// The error that the JSON lacks a member.
    pub fn missing_member(&self, member: &str) -> UnexpectedReply {
        self.unexpected_json(format!("`{member}` is missing"))
    }

    /// The error that the JSON is wrong because of `reason`.
    pub fn unexpected_json(&self, reason: impl Into<String>) -> UnexpectedReply {
        self.unexpected("JSON", reason.into())
    }

    /// The server's time, from the `Date` header (RFC 9110 section 6.6.1).
    pub fn date(&self) -> Option<Timestamp> {
        let date = jiff::fmt::rfc2822::parse(self.header(DATE)?).ok()?;
        Some(date.timestamp())
    }

    /// How long the server asks to wait: `Retry-After` in seconds or as a date (RFC 9110, 10.2.3).
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let value = self.header(RETRY_AFTER)?.trim();
        if let Ok(seconds) = value.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let at = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
        Some(at.duration_since(now).try_into().unwrap_or(Duration::ZERO))
    }

    /// The facts about the reply that an error in JSON repeats.
    pub(super) fn facts(&self) -> ReplyFacts {
        // Sent by AWS, by many services, by Microsoft, by GitHub.
        const NAMES: [&str; 4] =
            ["x-amzn-requestid", "x-request-id", "x-ms-request-id", "x-github-request-id"];
        let id = NAMES.iter().find_map(|name| self.headers.get(*name)?.to_str().ok());
        ReplyFacts { status: self.status, request_id: id.map(str::to_owned) }
    }

    /// `WWW-Authenticate`: the required authentication, and why the server refused the given one.
    pub fn challenge(&self) -> Option<&str> {
        self.header(WWW_AUTHENTICATE)
    }

    fn header(&self, name: reqwest::header::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Whether the XML is exactly one element of this name, in this namespace or in none, with no other content. The
/// deserializer does not check this: it accepts any element and any content after it.
fn has_one_root(text: &str, root: &str, namespace: &str) -> bool {
    let mut reader = NsReader::from_str(text);
    let (mut depth, mut roots) = (0_usize, 0_usize);
    loop {
        let Ok((found, event)) = reader.read_resolved_event() else { return false };
        let element = match &event {
            Event::Start(element) | Event::Empty(element) if depth == 0 => Some(element),
            _ => None,
        };
        if let Some(element) = element {
            let known = match found {
                ResolveResult::Bound(found) => found.0 == namespace,
                ResolveResult::Unbound => true,
                ResolveResult::Unknown(_) => false,
            };
            roots += 1;
            if !known || element.local_name().as_ref() != root {
                return false;
            }
        }
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Eof => return depth == 0 && roots == 1,
            Event::Text(text) if depth == 0 && !text.trim_ascii().is_empty() => return false,
            Event::CData(_) | Event::GeneralRef(_) if depth == 0 => return false,
            Event::DocType(_) => return false,
            _ => {}
        }
    }
}

/// Names the wrong member. serde_json's own messages may quote strings of the document, which may
/// be tokens.
fn describe(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let path = error.path().to_string();
    let (at, error) = (error.path(), error.inner());
    match error.classify() {
        serde_json::error::Category::Data => {}
        serde_json::error::Category::Eof => return "it is truncated".to_owned(),
        _ => return format!("it is not well-formed at line {} column {}", error.line(), error.column()),
    }
    let text = error.to_string();
    let twice = text.strip_prefix("duplicate field `").and_then(|rest| rest.split('`').next());
    if let Some(name) = twice {
        return format!("`{name}` appears twice");
    }
    // The path does not include the missing member.
    match (missing_in(&text), at.iter().next()) {
        (Some(name), None) => format!("`{name}` is missing"),
        (Some(name), Some(_)) => format!("`{path}.{name}` is missing"),
        (None, None) => "it is not an object".to_owned(),
        (None, Some(_)) => format!("`{path}` has a value of the wrong type or form"),
    }
}

/// The name of the missing member in serde's message.
fn missing_in(text: &str) -> Option<&str> {
    text.strip_prefix("missing field `")?.split('`').next()
}

/// ` titled "…"`, or nothing.
pub(super) fn title(html: &str) -> String {
    let found = html.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    match found.map(|(title, _)| title.trim()) {
        Some(title) if !title.is_empty() => {
            // Not shortened here, because redaction does not recognise a part of a secret.
            format!(" titled \"{title}\"")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, headers: &[(&'static str, &str)], body: &str) -> Reply {
        let headers = headers
            .iter()
            .map(|(name, value)| (reqwest::header::HeaderName::from_static(name), value.parse().unwrap()));
        Reply {
            origin: "https://api.example.com".into(),
            status,
            headers: headers.collect(),
            body: Zeroizing::new(body.as_bytes().to_vec()),
            attempts: Attempts::ONE,
        }
    }

    #[test]
    fn unexpected_json_is_quoted_only_from_an_error() {
        #[derive(Debug, serde::Deserialize)]
        struct Wanted {
            #[serde(rename = "errors")]
            _errors: Vec<String>,
        }
        let said = |status, body: &str| {
            let reply = reply(status, &[("content-type", "application/json")], body);
            reply.json::<Wanted>().unwrap_err().to_string()
        };
        let start = "https://api.example.com answered with unexpected JSON: `errors` is missing";
        for (body, words) in [
            (r#"{"message":"no such path","error":"x"}"#, "; the reply says \"no such path\""),
            (r#"{"error":"invalid","error_description":"not here"}"#, "; the reply says \"not here\""),
            (r#"{"error":{"code":1}}"#, ""),
        ] {
            assert_eq!(said(404, body), format!("{start}{words} (HTTP 404)"), "{body}");
        }
        assert_eq!(said(200, r#"{"message":"a-secret"}"#), format!("{start} (HTTP 200)"));
    }

    #[test]
    fn a_reply_that_is_not_json_is_described() {
        const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");
        type Headers = &'static [(&'static str, &'static str)];
        let cases: &[(u16, Headers, &str, &str)] = &[
            (
                200,
                &[("content-type", "text/html")],
                "<html><title> Log in </title>",
                "https://api.example.com answered with an HTML page titled \"Log in\" (HTTP 200)",
            ),
            (
                200,
                &[JSON],
                "<!DOCTYPE html>",
                "https://api.example.com answered with an HTML page (HTTP 200)",
            ),
            (
                502,
                &[("content-type", "text/plain")],
                "bad gateway",
                "https://api.example.com answered with content type `text/plain` where JSON was expected (HTTP 502)",
            ),
            (
                200,
                &[],
                "{}",
                "https://api.example.com answered with no content type where JSON was expected (HTTP 200)",
            ),
            (
                302,
                &[("location", "https://sso.example.com/login?state=s3cret")],
                "",
                "https://api.example.com redirects to https://sso.example.com/login (HTTP 302)",
            ),
            (
                302,
                &[("location", "https://me:s3cret@sso.example.com/@login/?u=a@b#c")],
                "",
                "https://api.example.com redirects to https://sso.example.com/@login/ (HTTP 302)",
            ),
            (302, &[("location", "/a@b")], "", "https://api.example.com redirects to /a@b (HTTP 302)"),
            (
                200,
                &[JSON],
                "{\"a\":",
                "https://api.example.com answered with unexpected JSON: it is truncated (HTTP 200)",
            ),
            (
                200,
                &[JSON],
                "\"eyJhbGciOiJub25lIn0\"",
                "https://api.example.com answered with unexpected JSON: it is not an object (HTTP 200)",
            ),
        ];
        for (status, headers, body, expected) in cases {
            let error = reply(*status, headers, body).json::<std::collections::BTreeMap<String, String>>();
            assert_eq!(error.unwrap_err().to_string(), *expected);
        }
    }

    #[test]
    fn xml_is_one_element_of_the_right_name_and_namespace() {
        let cases = [
            (r#"<?xml version="1.0"?> <R xmlns="urn:a"><x>1</x></R> <!-- end -->"#, true),
            ("<R><x>1</x></R>", true),
            (r#"<a:R xmlns:a="urn:a"><x>1</x></a:R>"#, true),
            (r#"<R xmlns="urn:b"><x>1</x></R>"#, false),
            (r#"<a:R xmlns:a="urn:b"><x>1</x></a:R>"#, false),
            ("<a:R><x>1</x></a:R>", false),
            ("<Q><x>1</x></Q>", false),
            ("<R><x>1</x></R><R><x>2</x></R>", false),
            ("<R><x>1</x></R><Q/>", false),
            ("<R><x>1</x></R>2", false),
            ("1<R><x>1</x></R>", false),
            (r#"<!DOCTYPE R [<!ENTITY e "1">]><R><x>&e;</x></R>"#, false),
            ("<R><x>1</x>", false),
            ("<R><x>1</R></x>", false),
            ("", false),
        ];
        for (text, good) in cases {
            let reply = reply(200, &[("content-type", "text/xml")], text);
            let found = reply.xml::<std::collections::BTreeMap<String, String>>("R", "urn:a");
            assert_eq!(found.is_ok(), good, "{text}: {:?}", found.err());
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let cases = [
            ("7", Some(7)),
            ("Mon, 23 Nov 2026 12:00:30 GMT", Some(30)),
            ("Mon, 23 Nov 2026 11:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ];
        for (value, seconds) in cases {
            let found = reply(429, &[("retry-after", value)], "").retry_after(now);
            assert_eq!(found, seconds.map(Duration::from_secs), "{value}");
        }
    }
}
