//! Every command at every network step with every fault, generated from the tables below.
//!
//! Each cell runs one command against local servers, one of which fails at one step, and checks
//! that
//! - the command ends in time with the documented exit code,
//! - stderr names the step and the cause, and contains no secret (`Gp::run` checks that),
//! - no file of the home folder changes,
//! - the server gets one request if it refuses, and a bounded number if a retry may help.
//!
//! `cargo test` runs a sample; `tests/faults/run` runs all.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD;
use gp_idp::dev::Options;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::fault::{API_TOKEN, Fault, Faulty, Step, Then};
use crate::support::{Gp, Ran, Running};
use crate::tls::{Api, Certificate, proxy_that_hangs, proxy_with_reply};

/// The `--timeout` of a command that has to reach it.
const LIMIT: Duration = Duration::from_secs(2);
/// The `--timeout` of other commands, which must not reach it on a busy machine.
const AMPLE: Duration = Duration::from_secs(20);
/// The time that a command may take beyond its `--timeout`, because many run in parallel.
const SLACK: Duration = Duration::from_secs(4);
/// The number of cells that run in parallel. They spend most of the time waiting.
const AT_ONCE: usize = 24;
/// The statuses for a step that an earlier command has tested with all of them: the code that
/// reads the reply is the same.
const SOME_STATUSES: [u16; 5] = [400, 403, 429, 500, 503];
/// `cargo test` runs one cell of so many. A prime, so that the sample has cells of each row and
/// column.
const SAMPLE: usize = 47;
/// The error message in a service's refusal.
const WORDS: &str = "so says the service";

const STATUSES: [u16; 22] = [
    400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 412, 413, 415, 422, 429, 451, 500, 501, 502, 503, 504,
    511,
];

/// A network step that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Info,
    ApiToken,
    Mint,
    GitHub,
    Buildkite,
    AzureDevOps,
    Codefresh,
    Ona,
    Sts,
    Vault,
    GoogleSts,
    Impersonation,
    Entra,
    TokenEndpoint,
    /// The discovery document of a token endpoint.
    Metadata,
    /// The discovery document of an issuer.
    Discovery,
    Keys,
}

/// The format of a service's replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Xml,
}

impl At {
    /// Its name in messages.
    fn name(self) -> &'static str {
        match self {
            Self::Info | Self::ApiToken => "supervisor",
            Self::Mint => "the API that mints ID tokens",
            Self::GitHub => "GitHub",
            Self::Buildkite => "Buildkite's agent API",
            Self::AzureDevOps => "Azure DevOps",
            Self::Codefresh => "Codefresh",
            Self::Ona => "Ona's API",
            Self::Sts => "AWS STS",
            Self::Vault => "Vault",
            Self::GoogleSts => "Google STS",
            Self::Impersonation => "Google IAM",
            Self::Entra => "Microsoft Entra ID",
            Self::TokenEndpoint => "the token endpoint",
            Self::Metadata => "the issuer",
            Self::Discovery => "discovery",
            Self::Keys => "keys",
        }
    }

    /// The exit code if it cannot be reached, is down, or something else answers.
    fn fails(self) -> i32 {
        if self.is_supervisor() { 3 } else { 6 }
    }

    /// The exit code if it refuses.
    fn refuses(self) -> i32 {
        match self {
            Self::Info | Self::ApiToken => 3,
            Self::Mint | Self::GitHub | Self::Buildkite | Self::AzureDevOps | Self::Codefresh | Self::Ona => {
                4
            }
            Self::Metadata | Self::Discovery | Self::Keys => 6,
            _ => 5,
        }
    }

    fn is_supervisor(self) -> bool {
        matches!(self, Self::Info | Self::ApiToken)
    }

    /// Whether it is a service that gives tokens to CI jobs.
    fn is_job(self) -> bool {
        self.refuses() == 4 && self != Self::Mint
    }

    fn format(self) -> Format {
        if self == Self::Sts { Format::Xml } else { Format::Json }
    }

    /// Adds the settings that make `url` its address.
    fn settings(self, gp: Gp, url: &str) -> Gp {
        let gp = match self {
            Self::Info | Self::ApiToken => {
                return gp.env("SUPERVISOR_ADDR", url.trim_start_matches("http://"));
            }
            Self::Mint => return gp.env("IDP_API_URL", url),
            Self::Sts => return gp.env("AWS_ENDPOINT_URL_STS", url),
            Self::Vault => return gp.env("VAULT_ADDR", url).env("BAO_ADDR", url),
            Self::GoogleSts => return gp.env("CLOUDSDK_API_ENDPOINT_OVERRIDES_STS", url),
            Self::Impersonation => {
                return gp
                    .env("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS", url)
                    .env("IDP_GCP_SERVICE_ACCOUNT", "deploy@example-project.iam.gserviceaccount.com");
            }
            Self::Entra => return gp.env("AZURE_AUTHORITY_HOST", url),
            Self::TokenEndpoint => return gp.env("IDP_TOKEN_ENDPOINT", url),
            // These URLs are on the command line.
            Self::Metadata | Self::Discovery | Self::Keys => return gp.secret(JOB_SECRET),
            // `auto` does not find these in a workspace.
            _ => gp.env("IDP_TOKEN_SOURCE", self.source()).secret(JOB_SECRET),
        };
        match self {
            Self::GitHub => gp
                .env("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{url}/token?api-version=2.0"))
                .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", JOB_SECRET),
            Self::Buildkite => gp
                .env("BUILDKITE_AGENT_ENDPOINT", format!("{url}/v3"))
                .env("BUILDKITE_AGENT_ACCESS_TOKEN", JOB_SECRET)
                .env("BUILDKITE_JOB_ID", "job-1"),
            Self::AzureDevOps => gp.env("SYSTEM_OIDCREQUESTURI", url).env("SYSTEM_ACCESSTOKEN", JOB_SECRET),
            Self::Codefresh => gp.env("CF_OIDC_REQUEST_URL", url).env("CF_OIDC_REQUEST_TOKEN", JOB_SECRET),
            _ => {
                let file = gp.home().join("ona-token");
                fs::write(&file, JOB_SECRET).unwrap();
                gp.env("GITPOD_ENVIRONMENT_ID", "0195c0a0-0000-7000-8000-00000000e2e1")
                    .env("ONA_TOKEN_FILE", file)
                    .env("ONA_BASE_URL", format!("{url}/api"))
            }
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::Buildkite => "buildkite",
            Self::AzureDevOps => "azure-devops",
            Self::Codefresh => "codefresh",
            _ => "ona",
        }
    }

    /// A refusal in its own format.
    fn refusal(self, status: u16) -> Fault {
        let code = match status {
            400 => "invalid_argument",
            401 => "unauthenticated",
            403 => "permission_denied",
            404 => "not_found",
            429 => "resource_exhausted",
            503 => "unavailable",
            _ => "unknown",
        };
        let body = match self {
            Self::Sts => {
                let error = format!("<Type>Sender</Type><Code>SomeCode</Code><Message>{WORDS}</Message>");
                let space = "https://sts.amazonaws.com/doc/2011-06-15/";
                let body = format!(
                    r#"<ErrorResponse xmlns="{space}"><Error>{error}</Error><RequestId>r-1</RequestId></ErrorResponse>"#
                );
                return Fault::reply(status, "Content-Type: text/xml\r\n", body);
            }
            Self::Vault => json!({"errors": [WORDS]}),
            Self::GoogleSts | Self::TokenEndpoint => {
                json!({"error": "invalid_target", "error_description": WORDS})
            }
            Self::Impersonation => {
                json!({"error": {"code": status, "message": WORDS, "status": "SOME_STATUS"}})
            }
            Self::Entra => {
                json!({"error": "invalid_client", "error_description": WORDS, "error_codes": [1]})
            }
            Self::Metadata | Self::Discovery | Self::Keys => json!({"error": WORDS}),
            _ => json!({"code": code, "message": WORDS}),
        };
        Fault::json(status, &body.to_string())
    }

    /// A successful reply with only its required members.
    fn good(self) -> Value {
        let jwt = format!("eyJhbGciOiJub25lIn0.{}.", URL_SAFE_NO_PAD.encode(r#"{"aud":["x"]}"#));
        match self {
            Self::Info => json!({"workspaceId": "w", "gitpodApi": {"host": "gitpod.example.com"}}),
            Self::ApiToken => json!({"token": API_TOKEN}),
            Self::GitHub => json!({"value": jwt}),
            Self::AzureDevOps => json!({"oidcToken": jwt}),
            Self::Codefresh => json!({"id_token": jwt}),
            Self::Mint | Self::Buildkite | Self::Ona => json!({"token": jwt}),
            Self::Vault => json!({"auth": {"client_token": "hvs.s3cret-of-vault"}}),
            Self::GoogleSts => json!({"access_token": "s3cret-of-google", "expires_in": 3600}),
            Self::Impersonation => {
                json!({"accessToken": "s3cret-of-google", "expireTime": "2099-01-01T00:00:00Z"})
            }
            Self::Entra => json!({"access_token": "s3cret-of-entra", "expires_in": 3600}),
            Self::TokenEndpoint => json!({"access_token": "s3cret-of-oauth"}),
            Self::Keys => json!({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}),
            // STS sends XML. The other two name the address of the server, which is not known
            // here.
            Self::Sts | Self::Metadata | Self::Discovery => Value::Null,
        }
    }
}

/// The secret with which a job requests tokens.
const JOB_SECRET: &str = "what-the-job-asks-with";

/// A command line, with `@` for the options, and its network steps.
struct Command {
    line: &'static str,
    takes: &'static [At],
}

const WORKSPACE: &[At] = &[At::Info, At::ApiToken, At::Mint];
const JOBS: &[At] =
    &[At::Info, At::ApiToken, At::Mint, At::GitHub, At::Buildkite, At::AzureDevOps, At::Codefresh, At::Ona];
const AWS: &[At] = &[At::Info, At::ApiToken, At::Mint, At::Sts];
const VAULT: &[At] = &[At::Info, At::ApiToken, At::Mint, At::Vault];
const GOOGLE: &[At] = &[At::Info, At::ApiToken, At::Mint, At::GoogleSts, At::Impersonation];
const ENTRA: &[At] = &[At::Info, At::ApiToken, At::Mint, At::Entra];
const OAUTH: &[At] = &[At::Info, At::ApiToken, At::Mint, At::TokenEndpoint];

const COMMANDS: &[Command] = &[
    Command { line: "token @ --audience api://AzureADTokenExchange", takes: JOBS },
    Command { line: "token @ --audience x --format kubernetes", takes: WORKSPACE },
    Command { line: "token @ --audience x --output token", takes: WORKSPACE },
    Command { line: "token @ --audience x --output token --keep-fresh", takes: WORKSPACE },
    Command { line: "exec token @ --audience x --env X -- touch ran", takes: WORKSPACE },
    Command { line: "login aws @", takes: AWS },
    Command { line: "login aws @ --format json", takes: AWS },
    Command { line: "login aws @ --format process", takes: AWS },
    Command { line: "exec aws @ -- touch ran", takes: AWS },
    Command { line: "serve aws @", takes: AWS },
    Command { line: "login vault @", takes: VAULT },
    Command { line: "login vault @ --format json", takes: VAULT },
    Command { line: "exec vault @ -- touch ran", takes: VAULT },
    Command { line: "login gcp @", takes: GOOGLE },
    Command { line: "login gcp @ --format access-token", takes: GOOGLE },
    Command { line: "exec gcp @ -- touch ran", takes: GOOGLE },
    Command { line: "login azure @", takes: WORKSPACE },
    Command { line: "login azure @ --format access-token", takes: ENTRA },
    Command { line: "exec azure @ -- touch ran", takes: ENTRA },
    Command { line: "exchange @ --audience oauth", takes: OAUTH },
    Command { line: "exchange @ --audience oauth --issuer URL", takes: &[At::Metadata] },
    Command { line: "exec exchange @ --audience oauth -- touch ran", takes: OAUTH },
    Command { line: "login kubernetes @ --audience k --cluster prod", takes: WORKSPACE },
    Command { line: "trust aws @ --audience x", takes: WORKSPACE },
    Command { line: "doctor @ --audience x", takes: WORKSPACE },
    Command { line: "doctor aws @", takes: &[At::Sts] },
    Command { line: "doctor vault @", takes: &[At::Vault] },
    Command { line: "doctor gcp @", takes: &[At::GoogleSts, At::Impersonation] },
    Command { line: "doctor azure @", takes: &[At::Entra] },
    Command { line: "verify @ --audience x --issuer URL", takes: &[At::Discovery] },
    Command { line: "verify @ --audience x --jwks URL", takes: &[At::Keys] },
];

/// The kind of a failure, which decides the exit code and the number of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// There is no reply, and a retry may help.
    Passing,
    /// There is no reply, and a retry does not help.
    Lasting,
    /// The reply comes from something else than the service.
    Foreign,
    /// The reply comes from the service, without the requested value.
    Lacking,
    /// The service refuses.
    Refusal,
    /// A refusal without a message that identifies the service.
    Wordless,
    /// The service is overloaded or down.
    Down,
}

/// How a fault is produced.
#[derive(Debug, Clone)]
enum How {
    Wire(Fault),
    Tls(Certificate),
    /// A proxy that gives this reply to each CONNECT. With `None`, it hangs.
    Proxy(Option<&'static str>),
    NoProxy,
    /// The URL has this host name.
    Name(&'static str),
}

struct Trouble {
    name: String,
    how: How,
    kind: Kind,
    /// The output contains one of these.
    says: Vec<String>,
}

fn trouble(name: impl Into<String>, how: How, kind: Kind, says: &[&str]) -> Trouble {
    Trouble { name: name.into(), how, kind, says: says.iter().map(|&text| text.to_owned()).collect() }
}

const HEAD: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 100\r\n";
const PAGE: &str = "<!DOCTYPE html><html><title>Log in</title></html>";

/// Faults of the connection and of HTTP.
fn of_the_wire() -> Vec<Trouble> {
    use Kind::{Foreign, Lasting, Passing};
    const CUT: &[&str] = &["closed the connection before its reply was complete", "speaks https"];
    // For a job's service, each try has a limit too.
    const LATE: &[&str] =
        &["did not answer within 2 s", "did not answer within 666 ms", "did not accept a connection within"];
    const ODD: &[&str] = &["failed: ", "closed the connection before its reply was complete"];
    let raw = |bytes: String, then| How::Wire(Fault::raw(bytes, then));
    let chunked = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let within = &HEAD[..30];
    let after = &format!("{HEAD}\r\n");
    let body = &format!("{HEAD}\r\n{{\"tok");
    let mut all = vec![
        trouble("refused", How::Wire(Fault::Refuse), Lasting, &["refused the connection"]),
        trouble("never accepted", How::Wire(Fault::NeverAccept), Lasting, LATE),
        trouble("no room for a connection", How::Wire(Fault::NoRoom), Lasting, LATE),
        trouble("drip", How::Wire(Fault::Drip), Lasting, LATE),
    ];
    for (place, bytes) in
        [("before the head", ""), ("in the head", within), ("after the head", after), ("in the body", body)]
    {
        all.push(trouble(format!("reset {place}"), raw(bytes.to_owned(), Then::Reset), Passing, CUT));
        all.push(trouble(format!("close {place}"), raw(bytes.to_owned(), Then::Close), Passing, CUT));
        all.push(trouble(format!("stall {place}"), raw(bytes.to_owned(), Then::Stall), Lasting, LATE));
    }
    all.extend([
        trouble("truncated chunk", raw(format!("{chunked}40\r\n{{\"tok"), Then::Close), Passing, CUT),
        trouble("no last chunk", raw(format!("{chunked}5\r\n{{\"tok\r\n"), Then::Close), Passing, CUT),
        trouble(
            "wrong chunk size",
            raw(format!("{chunked}zz\r\n{{\"tok\r\n0\r\n\r\n"), Then::Close),
            Lasting,
            ODD,
        ),
        trouble(
            "length too small",
            raw(HEAD.replace("100", "5") + "\r\n{\"token\":\"x\"}", Then::Close),
            Foreign,
            &["it is cut off", "it is not well-formed", "content type"],
        ),
        trouble(
            "length that is no number",
            raw(HEAD.replace("100", "many") + "\r\n{}", Then::Close),
            Lasting,
            ODD,
        ),
        trouble(
            "two lengths",
            raw(format!("{HEAD}Content-Length: 7\r\n\r\n{{}}"), Then::Close),
            Lasting,
            ODD,
        ),
        trouble("no HTTP", raw("SSH-2.0-OpenSSH_9.2p1\r\n".to_owned(), Then::Close), Lasting, ODD),
        trouble(
            "a head without end",
            raw(format!("{HEAD}X: {}", "x".repeat(1 << 20)), Then::Close),
            Lasting,
            ODD,
        ),
        trouble(
            "more than the limit",
            How::Wire(Fault::reply(200, "Content-Type: application/json\r\n", vec![b' '; (1 << 20) + 1])),
            Foreign,
            &["sent more than 1 MiB"],
        ),
        trouble(
            "gzip that is none",
            How::Wire(Fault::reply(
                200,
                "Content-Type: application/json\r\nContent-Encoding: gzip\r\n",
                b"\x1f\x8b\x08\0\xff\xfe garbage".to_vec(),
            )),
            Foreign,
            &["it is not UTF-8 text", "it is not well-formed", "content type", "gzip"],
        ),
    ]);
    all
}

/// Faults of the content.
fn of_the_content(at: At, in_full: bool) -> Vec<Trouble> {
    use Kind::{Foreign, Lacking};
    const ANY: &[&str] = &[
        "answered with unexpected",
        "content type",
        "is missing",
        "has no `",
        "empty",
        "is not an ID token",
        "neither a JWK Set",
    ];
    // Azure DevOps sends a page or a redirect to ask for a sign-in.
    let page: &[&str] =
        if at == At::AzureDevOps { &["it asks to sign in"] } else { &["an HTML page titled \"Log in\""] };
    let redirect: &[&str] = if at == At::AzureDevOps { &["it asks to sign in"] } else { &["redirects to"] };
    let kind = match at.format() {
        Format::Json => "Content-Type: application/json\r\n",
        Format::Xml => "Content-Type: text/xml\r\n",
    };
    let reply = |body: &[u8]| How::Wire(Fault::reply(200, kind, body));
    let mut all = vec![
        trouble("empty 200", reply(b""), Foreign, ANY),
        trouble("empty 200 without a type", How::Wire(Fault::reply(200, "", "")), Foreign, ANY),
        trouble("204", How::Wire(Fault::reply(204, "", "")), Foreign, ANY),
        trouble("a page", How::Wire(Fault::reply(200, "Content-Type: text/html\r\n", PAGE)), Foreign, page),
        trouble("a page of the right type", reply(PAGE.as_bytes()), Foreign, page),
        trouble("text", How::Wire(Fault::reply(200, "Content-Type: text/plain\r\n", "hello")), Foreign, ANY),
        trouble("invalid UTF-8", reply(b"{\"token\": \"\xff\"}"), Foreign, &["it is not UTF-8 text"]),
        trouble("half of a document", reply(b"{\"token\": "), Foreign, ANY),
        trouble("garbage", reply(b"\x01\x02}{]["), Foreign, ANY),
        trouble("deep", reply("[".repeat(100_000).as_bytes()), Foreign, ANY),
        trouble("another document", reply(b"<other/>"), Foreign, ANY),
    ];
    for (name, location) in [
        ("another host", "https://login.example.com/?x=1"),
        ("http", "http://login.example.com/"),
        ("itself", "/"),
        ("nowhere", ""),
    ] {
        for status in [301, 302, 303, 307, 308] {
            if !in_full && status != 302 {
                continue;
            }
            let header = format!("Location: {location}\r\n");
            let how = How::Wire(Fault::reply(status, header, ""));
            all.push(trouble(format!("{status} to {name}"), how, Foreign, redirect));
        }
    }
    if at.format() == Format::Json {
        for (name, text) in [
            ("an array", "[]"),
            ("null", "null"),
            ("a number", "42"),
            ("a string", "\"x\""),
            ("true", "true"),
        ] {
            all.push(trouble(name, reply(text.as_bytes()), Foreign, ANY));
        }
        let good = at.good();
        for pointer in members(&good, "") {
            for (name, value) in [
                ("missing", None),
                ("a number", Some(json!(-7))),
                ("empty", Some(json!(""))),
                ("null", Some(Value::Null)),
                ("true", Some(json!(true))),
                ("an array", Some(json!([[]]))),
                ("an object", Some(json!({"a": 1}))),
            ]
            .into_iter()
            .take(if in_full { 7 } else { 3 })
            {
                // This is a valid key set without a usable key, so `gp` requests the keys once
                // more.
                if at == At::Keys && name == "an array" {
                    continue;
                }
                let mut bad = good.clone();
                replace(&mut bad, &pointer, value);
                let how = reply(bad.to_string().as_bytes());
                all.push(trouble(format!("{pointer} is {name}"), how, Lacking, ANY));
            }
        }
    }
    all
}

/// JSON pointers to all members of objects.
fn members(value: &Value, at: &str) -> Vec<String> {
    let Value::Object(map) = value else { return Vec::new() };
    let inner = |(name, value): (&String, &Value)| {
        let pointer = format!("{at}/{name}");
        let mut all = members(value, &pointer);
        all.push(pointer);
        all
    };
    map.iter().flat_map(inner).collect()
}

fn replace(document: &mut Value, pointer: &str, value: Option<Value>) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => parent.insert(name.to_owned(), value),
        None => parent.remove(name),
    };
}

/// Each status with each body.
fn of_the_status(at: At, statuses: &[u16]) -> Vec<Trouble> {
    use Kind::{Down, Foreign, Refusal, Wordless};
    let mut all = Vec::new();
    for &status in statuses {
        let shown = format!("HTTP {status}");
        // A request for a document has no credential to refuse, so the status alone is enough.
        let said = [WORDS, shown.as_str()];
        let is_behind = at == At::Vault && status == 412;
        let is_down = status >= 500 || matches!(status, 408 | 429) || is_behind;
        let with = |name: &str, how, kind, says: &[&str]| {
            trouble(format!("{status} {name}"), How::Wire(how), kind, says)
        };
        let own = if is_down { Down } else { Refusal };
        let other = if is_down { Down } else { Foreign };
        let wordless = if is_down { Down } else { Wordless };
        all.extend([
            with("of the service", at.refusal(status), own, if at.refuses() == 6 { &said } else { &[WORDS] }),
            with("as a page", Fault::reply(status, "Content-Type: text/html\r\n", PAGE), other, &[&shown]),
            with("empty", Fault::reply(status, "", ""), wordless, &[&shown]),
            with(
                "as another's XML",
                Fault::reply(status, "Content-Type: application/xml\r\n", "<E><M>no</M></E>"),
                wordless,
                &[&shown],
            ),
            with(
                "as garbage",
                Fault::reply(status, "Content-Type: application/json\r\n", b"\xff{[".to_vec()),
                other,
                &[&shown],
            ),
        ]);
    }
    all
}

/// Faults of names, proxies and TLS on the way to an https URL.
fn of_the_way() -> Vec<Trouble> {
    use Kind::{Lasting, Passing};
    const NAME: &[&str] = &["could not be resolved"];
    let said = |reply| How::Proxy(Some(reply));
    vec![
        trouble(
            "expired certificate",
            How::Tls(Certificate::Expired),
            Lasting,
            &["its certificate expired on"],
        ),
        trouble(
            "certificate of tomorrow",
            How::Tls(Certificate::NotYetValid),
            Lasting,
            &["its certificate is valid only from"],
        ),
        trouble(
            "certificate of another",
            How::Tls(Certificate::OtherName),
            Lasting,
            &["its certificate is for"],
        ),
        trouble("self-signed certificate", How::Tls(Certificate::SelfSigned), Lasting, &["authority"]),
        trouble(
            "unknown authority",
            How::Tls(Certificate::UnknownAuthority),
            Lasting,
            &["signed by an authority that is not trusted here"],
        ),
        trouble("TLS 1.1", How::Tls(Certificate::OldProtocol), Lasting, &["no trusted TLS connection to"]),
        trouble("plain http", How::Tls(Certificate::None), Lasting, &["the server does not speak TLS"]),
        trouble("no such name", How::Name("nobody.invalid"), Passing, NAME),
        trouble("resolver without an answer for now", How::Name("unsure.invalid"), Passing, NAME),
        trouble(
            "silent resolver",
            How::Name("silent.invalid"),
            Lasting,
            &["did not answer within", "could not be resolved"],
        ),
        trouble("unroutable", How::Name("unroutable.invalid"), Lasting, &["failed: ", "No route"]),
        trouble("no proxy there", How::NoProxy, Lasting, &["refused the connection"]),
        trouble("proxy that hangs", How::Proxy(None), Lasting, &["proxy"]),
        trouble("proxy that hangs up", said(""), Passing, &["proxy"]),
        trouble(
            "proxy with 407",
            said("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"),
            Lasting,
            &["proxy"],
        ),
        trouble("proxy with 403", said("HTTP/1.1 403 Forbidden\r\n\r\n"), Lasting, &["proxy"]),
        trouble("proxy with 502", said("HTTP/1.1 502 Bad Gateway\r\n\r\n"), Passing, &["proxy"]),
        trouble("proxy with 503", said("HTTP/1.1 503 Service Unavailable\r\n\r\n"), Passing, &["proxy"]),
        trouble(
            "proxy with a page",
            said("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><title>Log in</title></html>"),
            Lasting,
            &["proxy"],
        ),
        trouble("proxy without HTTP", said("220 mail ready\r\n"), Lasting, &["proxy"]),
    ]
}

fn troubles(at: At, in_full: bool) -> Vec<Trouble> {
    let statuses: &[u16] = if in_full { &STATUSES } else { &SOME_STATUSES };
    let mut all = of_the_wire();
    all.extend(of_the_content(at, in_full));
    all.extend(of_the_status(at, statuses));
    // The supervisor is on loopback, and without TLS.
    if !at.is_supervisor() {
        all.extend(of_the_way());
    }
    all
}

/// The workspace whose services all work.
static WELL: LazyLock<Running> = LazyLock::new(|| Running::start(Options::default()));

/// The name resolution of [`How::Name`], as a library for `LD_PRELOAD`.
static RESOLVER: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = TempDir::new().unwrap();
    let library = folder.path().join("resolver.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/resolver.c");
    let done =
        Process::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl").status();
    assert!(done.unwrap().success());
    (folder, library)
});

/// Writes files of the user, which the commands would change.
fn furnish(home: &Path) {
    for (name, text) in [
        (".aws/config", "# mine\n[profile other]\nregion = eu-west-1\n\n[default]\nregion = eu-central-1\n"),
        (
            ".aws/credentials",
            "# mine\n[other]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = other\n",
        ),
        (
            ".kube/config",
            "# mine\napiVersion: v1\nkind: Config\nclusters:\n- name: prod\n  cluster: {server: \"https://127.0.0.1:1\"}\n",
        ),
        (".vault-token", "hvs.old"),
        (".config/gcloud/configurations/config_default", "# mine\n[core]\nproject = other\n"),
        ("token", "old"),
    ] {
        let path = home.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
}

/// Each file and folder with its mode and content.
fn picture(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let found = fs::symlink_metadata(&path).unwrap();
        if found.is_dir() {
            all.extend(picture(&path));
        }
        let content = if found.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        all.insert(path, (found.permissions().mode(), content));
    }
    all
}

struct Cell<'a> {
    command: &'static Command,
    at: At,
    trouble: &'a Trouble,
}

impl Cell<'_> {
    /// Runs the command. The error lists what is wrong.
    fn run(&self) -> Result<(), String> {
        let mut gp = Gp::new().secret(API_TOKEN);
        for (name, value) in WELL.environment() {
            gp = gp.env(name, value);
        }
        gp = gp.secret(WELL.api_token().reveal()).env("LD_PRELOAD", &RESOLVER.1);
        furnish(gp.home());
        // These keep the fault active while the command runs.
        let mut server = None;
        let mut connections = None;
        let url;
        match &self.trouble.how {
            How::Wire(fault) => {
                let step = match self.at {
                    At::Info => Step::Info,
                    At::ApiToken => Step::ApiToken,
                    _ => Step::Every,
                };
                let faulty = Faulty::always(step, fault.clone());
                url = format!("http://{}", faulty.address());
                if self.at == At::ApiToken && matches!(fault, Fault::Refuse) {
                    gp = gp.env("IDP_API_URL", &url);
                }
                server = Some(faulty);
            }
            How::Tls(certificate) => {
                let api = Api::certified(*certificate);
                let file = gp.home().join("ca.pem");
                fs::write(&file, &api.ca).unwrap();
                gp = gp.env("SSL_CERT_FILE", file);
                url = format!("https://{}", api.address);
                connections = Some(api.seen);
            }
            How::Proxy(reply) => {
                let proxy = reply.map_or_else(proxy_that_hangs, proxy_with_reply);
                gp = gp.env("HTTPS_PROXY", format!("http://{proxy}"));
                url = "https://service.invalid".to_owned();
            }
            How::NoProxy => {
                let nobody = Faulty::always(Step::Every, Fault::Refuse);
                gp = gp.env("HTTPS_PROXY", format!("http://{}", nobody.address()));
                server = Some(nobody);
                url = "https://service.invalid".to_owned();
            }
            How::Name(name) => url = format!("https://{name}"),
        }
        gp = self.at.settings(gp, &url);
        let host = url.split("://").nth(1).unwrap().to_owned();
        gp = gp.arg("idp");
        for word in self.command.line.split(' ') {
            gp = match word {
                "@" => gp
                    .line("--allow-api-host")
                    .arg(&host)
                    .line(&format!("--timeout {}s", self.limit().as_secs())),
                "URL" => gp.arg(&url),
                _ => gp.arg(word),
            };
        }
        if matches!(self.at, At::Discovery | At::Keys) {
            let claims =
                json!({"iss": url, "aud": "x", "sub": "s", "iat": 1_700_000_000, "exp": 4_102_444_800_u64});
            let parts = [json!({"alg": "RS256", "kid": "k"}), claims]
                .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
            gp = gp.stdin(format!("{}.{}.AAAA", parts[0], parts[1]));
        }
        let before = self.picture(gp.home());
        let begun = Instant::now();
        let ran = catch_unwind(AssertUnwindSafe(|| gp.run()))
            .map_err(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default())?;
        let took = begun.elapsed();
        let mut wrong = self.judge(&ran);
        let after = self.picture(gp.home());
        if before != after {
            let names =
                before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name));
            wrong.push(format!("files changed: {:?}", names.collect::<Vec<_>>()));
        }
        if took > self.limit() + SLACK {
            wrong.push(format!("took {took:?}"));
        }
        let asked = server.map(|mut server| {
            server.stop();
            match self.at {
                At::ApiToken => {
                    server.requests().iter().filter(|request| Step::of(request) == Step::ApiToken).count()
                }
                _ => server.requests().len(),
            }
        });
        let asked = asked.or_else(|| connections.map(|seen| seen.connections.load(Ordering::SeqCst)));
        if let Some(asked) = asked.filter(|asked| *asked > self.allowed()) {
            wrong.push(format!("asked {asked} times, allowed are {}", self.allowed()));
        }
        if wrong.is_empty() {
            return Ok(());
        }
        Err(format!("{}\nstdout: {}\nstderr: {}", wrong.join("; "), ran.stdout, ran.stderr))
    }

    /// The home folder, without the cache for a credential helper: `gp` briefly caches a failure
    /// there for processes that wait for the result.
    fn picture(&self, home: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let mut all = picture(home);
        if ["process", "kubernetes"]
            .iter()
            .any(|format| self.command.line.ends_with(&format!("--format {format}")))
        {
            all.retain(|path, _| !path.starts_with(home.join(".cache")));
        }
        all
    }

    /// The `--timeout` of the command.
    fn limit(&self) -> Duration {
        let stalls = match &self.trouble.how {
            How::Wire(fault) => matches!(
                fault,
                Fault::NeverAccept | Fault::NoRoom | Fault::Drip | Fault::Raw { then: Then::Stall, .. }
            ),
            How::Proxy(reply) => reply.is_none(),
            How::Name(name) => *name == "silent.invalid",
            How::Tls(_) | How::NoProxy => false,
        };
        // `gp` waits for a starting supervisor until the timeout.
        if stalls || self.at == At::Info { LIMIT } else { AMPLE }
    }

    /// The expected exit code.
    fn code(&self) -> i32 {
        let (at, name) = (self.at, self.trouble.name.as_str());
        match self.trouble.kind {
            // A receiver refuses the token of an issuer whose documents are invalid.
            Kind::Refusal | Kind::Wordless | Kind::Foreign | Kind::Lacking
                if matches!(at, At::Discovery | At::Keys) && !self.is_on_the_way() =>
            {
                1
            }
            Kind::Refusal => at.refuses(),
            // For a job's service, every refusal that is not a page is its own.
            Kind::Wordless if at.is_job() => at.refuses(),
            // A server that does not know the path sends the 404 of its framework.
            Kind::Wordless if at == At::Mint && name.starts_with("404") => at.refuses(),
            // Azure DevOps asks for a sign-in.
            Kind::Foreign if at == At::AzureDevOps && self.is_page() => at.refuses(),
            // 501: a retry does not help.
            Kind::Down if at.is_job() && name.starts_with("501") => at.refuses(),
            // The API reports an internal error.
            Kind::Down if at == At::Mint && name.ends_with("of the service") && !self.is_temporary() => {
                at.refuses()
            }
            // The service gave an empty token.
            Kind::Lacking if at.refuses() == 4 && name.ends_with("empty") => at.refuses(),
            _ => at.fails(),
        }
    }

    /// The number of requests that the server may get.
    fn allowed(&self) -> usize {
        match self.trouble.kind {
            // Retried, because the service may hang briefly, or a proxy may have answered.
            Kind::Lasting | Kind::Foreign | Kind::Lacking if self.at.is_job() => 4,
            // The second request is for the path of RFC 8414.
            Kind::Refusal | Kind::Wordless | Kind::Foreign if self.at == At::Metadata => 2,
            // One connection is opened early.
            Kind::Lasting if matches!(self.trouble.how, How::Tls(_)) => 2,
            Kind::Refusal | Kind::Wordless | Kind::Lasting | Kind::Foreign | Kind::Lacking => 1,
            Kind::Passing => 5,
            Kind::Down if self.at == At::Info => 40,
            Kind::Down if self.trouble.name.starts_with("429") => 12,
            Kind::Down => 4,
        }
    }

    fn is_page(&self) -> bool {
        let name = &self.trouble.name;
        name.contains("page") || name.contains(" to ")
    }

    /// Whether the reply most likely comes from something between `gp` and the issuer.
    fn is_on_the_way(&self) -> bool {
        const NAMES: [&str; 4] = ["text", "204", "empty 200 without a type", "more than the limit"];
        let name = self.trouble.name.as_str();
        NAMES.contains(&name) || (self.is_page() && !name.starts_with('4'))
    }

    /// Whether the status says that the service is temporarily down.
    fn is_temporary(&self) -> bool {
        ["408", "429", "502", "503", "504"].iter().any(|status| self.trouble.name.starts_with(status))
    }

    fn judge(&self, ran: &Ran) -> Vec<String> {
        let mut wrong = Vec::new();
        if ran.code != self.code() {
            wrong.push(format!("exit code {}, expected {}", ran.code, self.code()));
        }
        // These print their result on stdout.
        let reports = ["verify", "doctor"].iter().any(|verb| self.command.line.starts_with(verb));
        let said = if reports { ran.stdout.clone() + &ran.stderr } else { ran.stderr.clone() };
        if !ran.stdout.is_empty() && !reports {
            wrong.push("something is on stdout".to_owned());
        }
        let named = said.contains(self.at.name()) || (self.at == At::Metadata && said.contains("metadata"));
        if !named {
            wrong.push(format!("`{}` is not named", self.at.name()));
        }
        if !self.trouble.says.iter().any(|text| said.contains(text)) {
            wrong.push(format!("none of {:?} is said", self.trouble.says));
        }
        if ran.stderr.contains("panicked") {
            wrong.push("a panic".to_owned());
        }
        wrong
    }
}

#[test]
#[allow(clippy::print_stderr, reason = "the summary is what a run is for")]
fn every_command_at_every_step_with_every_fault() {
    let whole = env::var_os("FAULTS").is_some_and(|value| value == "all");
    let begun = Instant::now();
    let mut met = Vec::new();
    let rows: Vec<(&Command, At, Vec<Trouble>)> = COMMANDS
        .iter()
        .flat_map(|command| command.takes.iter().map(move |at| (command, *at)))
        .map(|(command, at)| {
            let in_full = !met.contains(&at);
            met.push(at);
            (command, at, troubles(at, in_full))
        })
        .collect();
    let cells = rows.iter().flat_map(|(command, at, troubles)| {
        troubles.iter().map(move |trouble| Cell { command, at: *at, trouble })
    });
    let only = env::var("FAULTS_ONLY").unwrap_or_default();
    let cells: Vec<Cell> = cells
        .enumerate()
        .filter(|(number, _)| whole || number % SAMPLE == 0)
        .map(|(_, cell)| cell)
        .filter(|cell| {
            format!("{} | {:?} | {}", cell.command.line, cell.at, cell.trouble.name).contains(&only)
        })
        .collect();
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = cell.run() {
                        let name = format!("{} | {:?} | {}", cell.command.line, cell.at, cell.trouble.name);
                        // Printed at once, so that an interrupted run shows its failures too.
                        eprintln!("## {name}\n{why}\n");
                        failed.lock().unwrap().push(name);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    let held = cells.len() - failed.len();
    eprintln!("cells run {}, held {held}, in {} s", cells.len(), begun.elapsed().as_secs());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
