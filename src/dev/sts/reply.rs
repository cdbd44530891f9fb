//! The HTTP and XML form of the replies.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;

use super::form::Parameters;
use super::refusal::Refusal;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// An account without a role.
const OTHER_ACCOUNT: &str = "999999999999";

/// Issued credentials, and their identity.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) key_id: String,
    pub(super) secret: String,
    pub(super) token: String,
    pub(super) expires: Timestamp,
    pub(super) arn: String,
    pub(super) user_id: String,
    pub(super) account: String,
}

/// The answer to a request.
pub(super) enum Answer {
    Granted(Granted, Session),
    /// The session that signed a `GetCallerIdentity` request.
    Caller(Session),
    Refused(Refusal),
    /// A grant without the secret access key.
    Incomplete,
    /// A grant for another account than the role's.
    OtherAccount,
    /// A captive portal's page.
    Page,
    /// A status without a body, as a load balancer sends it.
    Empty(StatusCode),
}

impl Session {
    /// New credentials for a role, with a lifetime of at most `longest` seconds.
    pub(super) fn new(asked: &Parameters<'_>, longest: Option<i64>, now: Timestamp) -> Self {
        Self::in_account(asked.role.account, asked, longest, now)
    }

    fn in_account(account: &str, asked: &Parameters<'_>, longest: Option<i64>, now: Timestamp) -> Self {
        let (role, name) = (&asked.role, asked.session_name);
        let life = SignedDuration::from_secs(longest.map_or(asked.duration, |most| asked.duration.min(most)));
        Self {
            key_id: format!("ASIA{}", random(BASE32, 16)),
            secret: random(BASE64, 40),
            token: random(BASE64, asked.session_token_size.max(360)),
            expires: now.saturating_add(life).unwrap_or(Timestamp::MAX),
            arn: format!("arn:{}:sts::{account}:assumed-role/{}/{name}", role.partition, role.name),
            user_id: format!("{}:{name}", role_id(role.text)),
            account: account.to_owned(),
        }
    }
}

/// The values of a grant that are not in its request.
#[derive(Default)]
pub(super) struct Granted {
    pub(super) subject: String,
    pub(super) provider: String,
    pub(super) audience: String,
}

#[derive(Serialize)]
#[serde(rename = "AssumeRoleWithWebIdentityResponse")]
struct GrantedBody<'a> {
    #[serde(rename = "@xmlns")]
    xmlns: &'static str,
    #[serde(rename = "AssumeRoleWithWebIdentityResult")]
    result: Outcome<'a>,
    #[serde(rename = "ResponseMetadata")]
    metadata: Metadata<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Outcome<'a> {
    subject_from_web_identity_token: &'a str,
    audience: &'a str,
    assumed_role_user: User<'a>,
    credentials: Credentials<'a>,
    provider: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    packed_policy_size: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct User<'a> {
    arn: &'a str,
    assumed_role_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials<'a> {
    session_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_access_key: Option<&'a str>,
    expiration: String,
    access_key_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata<'a> {
    request_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename = "GetCallerIdentityResponse")]
struct CallerBody<'a> {
    #[serde(rename = "@xmlns")]
    xmlns: &'static str,
    #[serde(rename = "GetCallerIdentityResult")]
    result: Caller<'a>,
    #[serde(rename = "ResponseMetadata")]
    metadata: Metadata<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Caller<'a> {
    arn: &'a str,
    user_id: &'a str,
    account: &'a str,
}

#[derive(Serialize)]
#[serde(rename = "ErrorResponse", rename_all = "PascalCase")]
struct ErrorBody<'a> {
    #[serde(rename = "@xmlns")]
    xmlns: &'static str,
    error: Problem<'a>,
    request_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Problem<'a> {
    r#type: &'static str,
    code: &'static str,
    message: &'a str,
}

impl Answer {
    /// The error code of a refusal; `None` for all other answers.
    pub(super) fn code(&self) -> Option<&'static str> {
        match self {
            Self::Refused(refusal) => Some(refusal.code),
            _ => None,
        }
    }

    /// The reply at the time `now`. `asked` is `None` if the parameters of the request are
    /// invalid.
    pub(super) fn into_response(self, asked: Option<&Parameters<'_>>, now: Timestamp) -> Response {
        let id = request_id();
        let faulty = |account: Option<&str>, complete: bool| match asked {
            Some(asked) => {
                let session = Session::in_account(account.unwrap_or(asked.role.account), asked, None, now);
                (StatusCode::OK, granted_body(&Granted::default(), &session, Some(asked), complete, &id))
            }
            None => refused_body(&Refusal::internal(), &id),
        };
        let (status, body) = match &self {
            Self::Granted(granted, session) => {
                (StatusCode::OK, granted_body(granted, session, asked, true, &id))
            }
            Self::Incomplete => faulty(None, false),
            Self::OtherAccount => faulty(Some(OTHER_ACCOUNT), true),
            Self::Caller(session) => (StatusCode::OK, caller_body(session, &id)),
            Self::Refused(refusal) => refused_body(refusal, &id),
            Self::Page => {
                return Html("<!DOCTYPE html>\n<html><head><title>Guest Wi-Fi</title></head><body>Log in first</body></html>\n")
                    .into_response();
            }
            Self::Empty(status) => return (*status, dated(now)).into_response(),
        };
        let mut headers = dated(now);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
        if let Ok(id) = HeaderValue::from_str(&id) {
            headers.insert("x-amzn-requestid", id);
        }
        (status, headers, body).into_response()
    }
}

/// The `Date` header, which shows a caller the clock difference (RFC 9110 section 6.6.1).
fn dated(now: Timestamp) -> HeaderMap {
    let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    HeaderValue::from_str(&date).map(|date| (header::DATE, date)).into_iter().collect()
}

fn granted_body(
    granted: &Granted,
    session: &Session,
    asked: Option<&Parameters<'_>>,
    complete: bool,
    id: &str,
) -> String {
    let body = GrantedBody {
        xmlns: NAMESPACE,
        result: Outcome {
            subject_from_web_identity_token: &granted.subject,
            audience: &granted.audience,
            assumed_role_user: User { arn: &session.arn, assumed_role_id: &session.user_id },
            credentials: Credentials {
                session_token: &session.token,
                secret_access_key: complete.then_some(&session.secret),
                expiration: session.expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                access_key_id: &session.key_id,
            },
            provider: &granted.provider,
            packed_policy_size: asked.and_then(|asked| asked.packed_policy_size),
        },
        metadata: Metadata { request_id: id },
    };
    // A struct of strings always serialises.
    quick_xml::se::to_string(&body).unwrap_or_default()
}

fn caller_body(session: &Session, id: &str) -> String {
    let caller = Caller { arn: &session.arn, user_id: &session.user_id, account: &session.account };
    let body = CallerBody { xmlns: NAMESPACE, result: caller, metadata: Metadata { request_id: id } };
    quick_xml::se::to_string(&body).unwrap_or_default()
}

fn refused_body(refusal: &Refusal, id: &str) -> (StatusCode, String) {
    // Messages repeat parameters, which may have characters that XML does not allow (XML 1.0
    // section 2.2).
    let is_xml = |c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    let message: String = refusal.message.chars().map(|c| if is_xml(c) { c } else { '\u{fffd}' }).collect();
    let r#type = if refusal.status.is_server_error() { "Receiver" } else { "Sender" };
    let error = Problem { r#type, code: refusal.code, message: &message };
    let body = ErrorBody { xmlns: NAMESPACE, error, request_id: id };
    (refusal.status, quick_xml::se::to_string(&body).unwrap_or_default())
}

/// The unique id of a role, derived from its ARN.
fn role_id(arn: &str) -> String {
    let hash = digest(&SHA256, arn.as_bytes());
    format!("AROA{}", letters(&hash.as_ref()[..17], BASE32))
}

fn request_id() -> String {
    let hex = random(b"0123456789abcdef", 32);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// Random characters of an alphabet whose size divides 256.
fn random(alphabet: &[u8], length: usize) -> String {
    let mut bytes = vec![0; length];
    // ring fails here only if the system has no random numbers; then no signing key exists either.
    let _ = SystemRandom::new().fill(&mut bytes);
    letters(&bytes, alphabet)
}

fn letters(bytes: &[u8], alphabet: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()])).collect()
}
