//! `GetCallerIdentity`: the identity of credentials that this STS issued. The request must be
//! signed with them.
//!
//! Source: the STS API reference, "GetCallerIdentity", and "Create a signed AWS API request" (Signature Version 4).

use axum::http::{HeaderMap, Uri};
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use ring::hmac;

use super::refusal::Refusal;
use super::reply::Session;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The parts of a request that its signature covers.
pub(super) struct Signed<'a> {
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

/// The parts of an `Authorization` header.
struct Authorization<'a> {
    key_id: &'a str,
    /// Date, region, service and `aws4_request`, with slashes.
    scope: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let parts = text.strip_prefix(ALGORITHM)?.split(',').map(str::trim);
        let parts: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
        let part = |name| parts.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let (key_id, scope) = part("Credential")?.split_once('/')?;
        Some(Self { key_id, scope, signed_headers: part("SignedHeaders")?, signature: part("Signature")? })
    }
}

impl Signed<'_> {
    /// The session whose credentials signed this request. `find` looks a session up by its access
    /// key id.
    pub(super) fn caller(
        &self,
        find: impl FnOnce(&str) -> Option<Session>,
        now: Timestamp,
    ) -> Result<Session, Refusal> {
        let text = self.header("authorization");
        let authorization = Authorization::parse(&text).ok_or_else(Refusal::missing_authentication)?;
        let session = find(authorization.key_id);
        let session = session.filter(|session| session.token == self.header("x-amz-security-token"));
        let session = session.ok_or_else(Refusal::invalid_client_token)?;
        if !self.is_signed_by(&session.secret, &authorization) {
            return Err(Refusal::signature_does_not_match());
        }
        if session.expires <= now {
            return Err(Refusal::expired_credentials());
        }
        Ok(session)
    }

    fn is_signed_by(&self, secret: &str, authorization: &Authorization<'_>) -> bool {
        let headers = authorization.signed_headers.split(';');
        let headers: Vec<String> = headers.map(|name| format!("{name}:{}\n", self.header(name))).collect();
        let headers = headers.concat();
        let request = format!(
            "POST\n{}\n{}\n{headers}\n{}\n{}",
            self.uri.path(),
            self.uri.query().unwrap_or_default(),
            authorization.signed_headers,
            hex(digest(&SHA256, self.body).as_ref()),
        );
        let text = format!(
            "{ALGORITHM}\n{}\n{}\n{}",
            self.header("x-amz-date"),
            authorization.scope,
            hex(digest(&SHA256, request.as_bytes()).as_ref()),
        );
        let key = authorization.scope.split('/').fold(format!("AWS4{secret}").into_bytes(), |key, part| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec()
        });
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), text.as_bytes());
        hex(signature.as_ref()) == authorization.signature
    }

    /// The values of a header, joined, with single spaces.
    fn header(&self, name: &str) -> String {
        let values = self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        let values = values.map(|value| value.split_whitespace().collect::<Vec<_>>().join(" "));
        values.collect::<Vec<_>>().join(",")
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}
