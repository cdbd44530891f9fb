//! An environment of Ona: its token in a file, and the API's `GetIDToken` by the Connect protocol's unary form, in JSON
//! and in protobuf, which is what Ona's own SDK sends.
//!
//! The claims follow Ona's documentation ("OIDC") for version 2 and for the default of version 3. If a request names no
//! version, version 3 applies here as the organisation's setting. Version 1 is not documented, so it has the claims of
//! version 2.

use std::io::{self, Write as _};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::{Options, State};
use crate::secret::Secret;

const ENVIRONMENT_ID: &str = "00000000-0000-4000-8000-000000000004";
const PROJECT_ID: &str = "00000000-0000-4000-8000-000000000005";
const RUNNER_ID: &str = "00000000-0000-4000-8000-000000000006";
/// The API's base below the host.
const BASE: &str = "/api";

pub(super) fn routes(state: Arc<State>) -> Router {
    Router::new()
        .route(&format!("{BASE}/gitpod.v1.IdentityService/GetIDToken"), post(get_id_token))
        .with_state(state)
}

/// The file with the environment's token. It is deleted when the value is dropped.
pub(super) fn token_file(options: &Options, token: &Secret) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("gp-dev-ona-").tempfile_in(&options.temp_dir)?;
    file.write_all(token.reveal().as_bytes())?;
    Ok(file)
}

/// The environment variables of a process in an Ona environment.
pub(super) fn variables(state: &State) -> [(&'static str, String); 3] {
    let file = state.token_file.as_ref().map(|file| file.path().display().to_string());
    [
        ("GITPOD_ENVIRONMENT_ID", ENVIRONMENT_ID.to_owned()),
        ("ONA_TOKEN_FILE", file.unwrap_or_default()),
        ("ONA_BASE_URL", format!("http://{}{BASE}", state.api_host)),
    ]
}

/// The `sub` of version 3, if no administrator has added claims to it.
pub(super) fn subject(options: &Options) -> String {
    format!("organization_id:{}:project_id:{PROJECT_ID}", options.org_id)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// Version 2, and version 1.
    Older,
    /// The request names no version, so the organisation's setting applies.
    Default,
}

/// `GetIDTokenRequest`
#[derive(Debug, PartialEq, Eq)]
struct Request {
    audience: Vec<String>,
    version: Version,
}

#[derive(Deserialize)]
struct JsonRequest {
    #[serde(default)]
    audience: Vec<String>,
    #[serde(default)]
    version: Value,
}

impl Request {
    fn of_json(body: &[u8]) -> Result<Self, String> {
        let wrong = |error: &dyn std::fmt::Display| format!("unmarshal message: {error}");
        let JsonRequest { audience, version } =
            serde_json::from_slice(body).map_err(|error| wrong(&error))?;
        let number = match &version {
            Value::Null => Some(0),
            Value::String(name) => {
                let names = ["ID_TOKEN_VERSION_UNSPECIFIED", "ID_TOKEN_VERSION_V1", "ID_TOKEN_VERSION_V2"];
                names.iter().position(|known| known == name).map(|at| at as u64)
            }
            other => other.as_u64(),
        };
        let number =
            number.ok_or_else(|| wrong(&format_args!("invalid value for enum field version: {version}")))?;
        Self::of(audience, number)
    }

    /// Reads the fields 1 (`audience`) and 2 (`version`). Other fields are skipped, as protobuf
    /// requires.
    fn of_protobuf(mut body: &[u8]) -> Result<Self, String> {
        let (mut audience, mut version) = (Vec::new(), 0);
        while !body.is_empty() {
            let field = read_field(&mut body)
                .ok_or("unmarshal message: proto: cannot parse invalid wire-format data")?;
            match field {
                (1, Content::Bytes(text)) => audience.push(
                    String::from_utf8(text.to_vec())
                        .map_err(|_| "unmarshal message: proto: field audience contains invalid UTF-8")?,
                ),
                (2, Content::Number(number)) => version = number,
                _ => {}
            }
        }
        Self::of(audience, version)
    }

    fn of(audience: Vec<String>, version: u64) -> Result<Self, String> {
        if audience.is_empty() {
            return Err("validation error: audience: value must contain at least 1 item(s)".to_owned());
        }
        let version = match version {
            0 => Version::Default,
            1 | 2 => Version::Older,
            _ => {
                return Err(
                    "validation error: version: value must be one of the defined enum values".to_owned()
                );
            }
        };
        Ok(Self { audience, version })
    }
}

/// The content of a field (Protocol Buffers, "Encoding").
#[derive(Debug)]
enum Content<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// 4 or 8 bytes. No known field of the message has this type.
    Fixed,
}

fn read_field<'a>(body: &mut &'a [u8]) -> Option<(u64, Content<'a>)> {
    let key = read_varint(body)?;
    let content = match key & 7 {
        0 => Content::Number(read_varint(body)?),
        1 => take(body, 8).map(|_| Content::Fixed)?,
        2 => {
            let length = read_varint(body)?;
            Content::Bytes(take(body, length)?)
        }
        5 => take(body, 4).map(|_| Content::Fixed)?,
        _ => return None,
    };
    Some((key >> 3, content))
}

fn take<'a>(body: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (bytes, rest) = body.split_at_checked(usize::try_from(length).ok()?)?;
    *body = rest;
    Some(bytes)
}

/// Reads a varint: seven bits per byte, the lowest bits first.
fn read_varint(body: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = body.split_first()?;
        *body = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// `GetIDTokenResponse`: the token as field 1.
fn protobuf(token: &str) -> Vec<u8> {
    let mut bytes = vec![1 << 3 | 2];
    let mut length = token.len();
    while length >= 0x80 {
        bytes.push(length.to_le_bytes()[0] | 0x80);
        length >>= 7;
    }
    bytes.extend(length.to_le_bytes().first());
    bytes.extend(token.as_bytes());
    bytes
}

/// `aud` of version 2: a string if there is one audience, else a list.
#[derive(Serialize)]
#[serde(untagged)]
enum Audience<'a> {
    One(&'a str),
    Several(&'a [String]),
}

#[derive(Serialize)]
struct Version2<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: Audience<'a>,
    exp: i64,
    iat: i64,
    org: &'a str,
}

#[derive(Serialize)]
struct Version3<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a [String],
    exp: i64,
    iat: i64,
    environment_id: &'a str,
    organization_id: &'a str,
    project_id: &'a str,
    runner_id: &'a str,
    creator_principal: &'a str,
    creator_id: &'a str,
    creator_email: &'a str,
    creator_name: &'a str,
    environment_initializers: Value,
}

type Refusal = (StatusCode, &'static str, String);

async fn get_id_token(Shared(state): Shared<Arc<State>>, headers: HeaderMap, body: Bytes) -> Response {
    let content_type = headers.get(header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let (is_protobuf, read): (_, fn(&[u8]) -> _) = match content_type {
        b"application/proto" => (true, Request::of_protobuf),
        _ if content_type.starts_with(b"application/json") => (false, Request::of_json),
        _ => return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response(),
    };
    let invalid = |reason| (StatusCode::BAD_REQUEST, "invalid_argument", reason);
    let request = authenticate(&state, &headers).and_then(|()| read(&body).map_err(invalid));
    match request.and_then(|request| mint(&state, &request)) {
        Ok(token) if is_protobuf => {
            ([(header::CONTENT_TYPE, "application/proto")], protobuf(&token)).into_response()
        }
        Ok(token) => Json(json!({"token": token})).into_response(),
        // Errors are JSON in either form.
        Err((status, code, message)) => {
            (status, Json(json!({"code": code, "message": message}))).into_response()
        }
    }
}

fn authenticate(state: &State, headers: &HeaderMap) -> Result<(), Refusal> {
    let sent =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    match sent {
        Some(token) if token == state.api_token.reveal() => Ok(()),
        _ => Err((StatusCode::UNAUTHORIZED, "unauthenticated", "invalid token".to_owned())),
    }
}

fn mint(state: &State, request: &Request) -> Result<String, Refusal> {
    let options = &state.options;
    let iss = state.issuer.url();
    let iat = options.issuer_time();
    let exp = iat.saturating_add_unsigned(options.lifetime.as_secs());
    let org = options.org_id.as_str();
    let signed = match request.version {
        Version::Older => {
            let sub = format!("org:{org}/prj:{PROJECT_ID}/env:{ENVIRONMENT_ID}");
            let aud = match request.audience.as_slice() {
                [audience] => Audience::One(audience),
                several => Audience::Several(several),
            };
            let sub = options.subject.as_deref().unwrap_or(&sub);
            state.issuer.sign(&Version2 { iss, sub, aud, exp, iat, org })
        }
        Version::Default => state.issuer.sign(&Version3 {
            iss,
            sub: &options.subject(),
            aud: &request.audience,
            exp,
            iat,
            environment_id: ENVIRONMENT_ID,
            organization_id: org,
            project_id: PROJECT_ID,
            runner_id: RUNNER_ID,
            creator_principal: "user",
            creator_id: &options.user_id,
            creator_email: &options.email,
            creator_name: &options.name,
            environment_initializers: match options.context_url.as_str() {
                "" => json!([]),
                url => json!([{"git": {"remote_uri": url, "context_url": url}}]),
            },
        }),
    };
    signed.map_err(|reason| (StatusCode::INTERNAL_SERVER_ERROR, "internal", reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_protobuf_requests_are_equivalent() {
        let request = |version| Ok(Request { audience: vec!["a".into(), "bc".into()], version });
        for (json, protobuf, version) in [
            (r#"{"audience":["a","bc"]}"#, &b"\x0a\x01a\x0a\x02bc"[..], Version::Default),
            (r#"{"audience":["a","bc"],"version":0}"#, b"\x0a\x01a\x10\x00\x0a\x02bc", Version::Default),
            (
                r#"{"audience":["a","bc"],"version":"ID_TOKEN_VERSION_V1"}"#,
                b"\x10\x01\x0a\x01a\x0a\x02bc",
                Version::Older,
            ),
            // With an unknown field of each wire type.
            (
                r#"{"audience":["a","bc"],"version":"ID_TOKEN_VERSION_V2","x":[]}"#,
                b"\x1d1234\x2112345678\x2a\x01x\x30\x80\x01\x0a\x01a\x0a\x02bc\x10\x02",
                Version::Older,
            ),
        ] {
            assert_eq!(Request::of_json(json.as_bytes()), request(version), "{json}");
            assert_eq!(Request::of_protobuf(protobuf), request(version), "{json}");
        }
    }

    #[test]
    fn invalid_requests_are_refused() {
        for json in [
            "",
            "[]",
            "{}",
            r#"{"audience":[]}"#,
            r#"{"audience":"a"}"#,
            r#"{"audience":["a"],"version":"ID_TOKEN_VERSION_V3"}"#,
            r#"{"audience":["a"],"version":3}"#,
        ] {
            assert!(Request::of_json(json.as_bytes()).is_err(), "{json}");
        }
        for protobuf in [
            &b""[..],
            b"\x10\x02",
            b"\x0a\x02a",
            b"\x0a",
            b"\x0a\x01a\x10",
            b"\x0a\x01\xff",
            b"\x0a\x01a\x10\x03",
            b"\x0a\x01a\x1d12",
            b"\x0a\x01a\x17",
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01a",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert!(Request::of_protobuf(protobuf).is_err(), "{protobuf:?}");
        }
    }

    #[test]
    fn the_length_of_a_token_is_a_varint() {
        assert_eq!(protobuf("ab"), b"\x0a\x02ab");
        let token = "x".repeat(300);
        assert_eq!(protobuf(&token), [b"\x0a\xac\x02", token.as_bytes()].concat());
    }
}
