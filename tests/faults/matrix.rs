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

use crate::support::fault::{API_TOKEN, After, Fault, Faulty, Step};
use crate::support::{Gp, Ran, Running};
use crate::tls::{Api, Certificate, proxy_that_hangs, proxy_with_reply};

/// The `--timeout` of a command that has to reach it.
const LIMIT: Duration = Duration::from_secs(2);
/// The `--timeout` of other commands, which must not reach it on a busy machine.
const LONG_LIMIT: Duration = Duration::from_secs(20);
/// The time that a command may take beyond its `--timeout`, because many run in parallel.
const SLACK: Duration = Duration::from_secs(4);
/// The number of cells that run in parallel. They spend most of the time waiting.
const PARALLEL_CELLS: usize = 24;
/// The statuses for a step that an earlier command has tested with all of them: the code that
/// reads the reply is the same.
const SOME_STATUSES: [u16; 5] = [400, 403, 429, 500, 503];
/// `cargo test` runs one cell of so many. A prime, so that the sample has cells of each row and
/// column.
const SAMPLE: usize = 47;
/// The error message in a service's refusal.
const MESSAGE: &str = "message of the service";

const STATUSES: [u16; 22] = [
    400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 412, 413, 415, 422, 429, 451, 500, 501, 502, 503, 504,
    511,
];

/// A network step that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NetworkStep {
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

impl NetworkStep {
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
                let error = format!("<Type>Sender</Type><Code>SomeCode</Code><Message>{MESSAGE}</Message>");
                let space = "https://sts.amazonaws.com/doc/2011-06-15/";
                let body = format!(
                    r#"<ErrorResponse xmlns="{space}"><Error>{error}</Error><RequestId>r-1</RequestId></ErrorResponse>"#
                );
                return Fault::reply(status, "Content-Type: text/xml\r\n", body);
            }
            Self::Vault => json!({"errors": [MESSAGE]}),
            Self::GoogleSts | Self::TokenEndpoint => {
                json!({"error": "invalid_target", "error_description": MESSAGE})
            }
            Self::Impersonation => {
                json!({"error": {"code": status, "message": MESSAGE, "status": "SOME_STATUS"}})
            }
            Self::Entra => {
                json!({"error": "invalid_client", "error_description": MESSAGE, "error_codes": [1]})
            }
            Self::Metadata | Self::Discovery | Self::Keys => json!({"error": MESSAGE}),
            _ => json!({"code": code, "message": MESSAGE}),
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
const JOB_SECRET: &str = "job-request-secret";

/// A command line, with `@` for the options, and its network steps.
struct Command {
    line: &'static str,
    steps: &'static [NetworkStep],
}

const WORKSPACE: &[NetworkStep] = &[NetworkStep::Info, NetworkStep::ApiToken, NetworkStep::Mint];
const JOBS: &[NetworkStep] = &[
    NetworkStep::Info,
    NetworkStep::ApiToken,
    NetworkStep::Mint,
    NetworkStep::GitHub,
    NetworkStep::Buildkite,
    NetworkStep::AzureDevOps,
    NetworkStep::Codefresh,
    NetworkStep::Ona,
];
const AWS: &[NetworkStep] = &[NetworkStep::Info, NetworkStep::ApiToken, NetworkStep::Mint, NetworkStep::Sts];
const VAULT: &[NetworkStep] =
    &[NetworkStep::Info, NetworkStep::ApiToken, NetworkStep::Mint, NetworkStep::Vault];
const GOOGLE: &[NetworkStep] = &[
    NetworkStep::Info,
    NetworkStep::ApiToken,
    NetworkStep::Mint,
    NetworkStep::GoogleSts,
    NetworkStep::Impersonation,
];
const ENTRA: &[NetworkStep] =
    &[NetworkStep::Info, NetworkStep::ApiToken, NetworkStep::Mint, NetworkStep::Entra];
const OAUTH: &[NetworkStep] =
    &[NetworkStep::Info, NetworkStep::ApiToken, NetworkStep::Mint, NetworkStep::TokenEndpoint];

const COMMANDS: &[Command] = &[
    Command { line: "token @ --audience api://AzureADTokenExchange", steps: JOBS },
    Command { line: "token @ --audience x --format kubernetes", steps: WORKSPACE },
    Command { line: "token @ --audience x --output token", steps: WORKSPACE },
    Command { line: "token @ --audience x --output token --keep-fresh", steps: WORKSPACE },
    Command { line: "exec token @ --audience x --env X -- touch ran", steps: WORKSPACE },
    Command { line: "login aws @", steps: AWS },
    Command { line: "login aws @ --format json", steps: AWS },
    Command { line: "login aws @ --format process", steps: AWS },
    Command { line: "exec aws @ -- touch ran", steps: AWS },
    Command { line: "serve aws @", steps: AWS },
    Command { line: "login vault @", steps: VAULT },
    Command { line: "login vault @ --format json", steps: VAULT },
    Command { line: "exec vault @ -- touch ran", steps: VAULT },
    Command { line: "login gcp @", steps: GOOGLE },
    Command { line: "login gcp @ --format access-token", steps: GOOGLE },
    Command { line: "exec gcp @ -- touch ran", steps: GOOGLE },
    Command { line: "login azure @", steps: WORKSPACE },
    Command { line: "login azure @ --format access-token", steps: ENTRA },
    Command { line: "exec azure @ -- touch ran", steps: ENTRA },
    Command { line: "exchange @ --audience oauth", steps: OAUTH },
    Command { line: "exchange @ --audience oauth --issuer URL", steps: &[NetworkStep::Metadata] },
    Command { line: "exec exchange @ --audience oauth -- touch ran", steps: OAUTH },
    Command { line: "login kubernetes @ --audience k --cluster prod", steps: WORKSPACE },
    Command { line: "trust aws @ --audience x", steps: WORKSPACE },
    Command { line: "doctor @ --audience x", steps: WORKSPACE },
    Command { line: "doctor aws @", steps: &[NetworkStep::Sts] },
    Command { line: "doctor vault @", steps: &[NetworkStep::Vault] },
    Command { line: "doctor gcp @", steps: &[NetworkStep::GoogleSts, NetworkStep::Impersonation] },
    Command { line: "doctor azure @", steps: &[NetworkStep::Entra] },
    Command { line: "verify @ --audience x --issuer URL", steps: &[NetworkStep::Discovery] },
    Command { line: "verify @ --audience x --jwks URL", steps: &[NetworkStep::Keys] },
];

/// The kind of a failure, which decides the exit code and the number of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// There is no reply, and a retry may help.
    Transient,
    /// There is no reply, and a retry does not help.
    Permanent,
    /// The reply comes from something else than the service.
    NotTheService,
    /// The reply comes from the service, without the requested value.
    MissingValue,
    /// The service refuses.
    Refusal,
    /// A refusal without a message that identifies the service.
    WithoutMessage,
    /// The service is overloaded or down.
    Down,
}

/// How a fault is produced.
#[derive(Debug, Clone)]
enum Injection {
    Wire(Fault),
    Tls(Certificate),
    /// A proxy that gives this reply to each CONNECT. With `None`, it hangs.
    Proxy(Option<&'static str>),
    NoProxy,
    /// The URL has this host name.
    Name(&'static str),
}

struct FaultCase {
    name: String,
    injection: Injection,
    kind: Kind,
    /// The output contains one of these.
    expected: Vec<String>,
}

fn case(name: impl Into<String>, injection: Injection, kind: Kind, expected: &[&str]) -> FaultCase {
    FaultCase {
        name: name.into(),
        injection,
        kind,
        expected: expected.iter().map(|&text| text.to_owned()).collect(),
    }
}

const HEAD: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 100\r\n";
const PAGE: &str = "<!DOCTYPE html><html><title>Log in</title></html>";

/// Faults of the connection and of HTTP.
fn wire_faults() -> Vec<FaultCase> {
    use Kind::{NotTheService, Permanent, Transient};
    const CUT: &[&str] = &["closed the connection before its reply was complete", "expects https"];
    // For a job's service, each try has a limit too.
    const LATE: &[&str] =
        &["did not answer within 2 s", "did not answer within 666 ms", "did not accept a connection within"];
    const ODD: &[&str] = &["failed: ", "closed the connection before its reply was complete"];
    let raw = |bytes: String, then| Injection::Wire(Fault::raw(bytes, then));
    let chunked = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let within = &HEAD[..30];
    let after = &format!("{HEAD}\r\n");
    let body = &format!("{HEAD}\r\n{{\"tok");
    let mut all = vec![
        case("refused", Injection::Wire(Fault::Refuse), Permanent, &["refused the connection"]),
        case("never accepted", Injection::Wire(Fault::NeverAccept), Permanent, LATE),
        case("no room for a connection", Injection::Wire(Fault::QueueFull), Permanent, LATE),
        case("drip", Injection::Wire(Fault::SlowBody), Permanent, LATE),
    ];
    for (place, bytes) in
        [("before the head", ""), ("in the head", within), ("after the head", after), ("in the body", body)]
    {
        all.push(case(format!("reset {place}"), raw(bytes.to_owned(), After::Reset), Transient, CUT));
        all.push(case(format!("close {place}"), raw(bytes.to_owned(), After::Close), Transient, CUT));
        all.push(case(format!("stall {place}"), raw(bytes.to_owned(), After::Stall), Permanent, LATE));
    }
    all.extend([
        case("truncated chunk", raw(format!("{chunked}40\r\n{{\"tok"), After::Close), Transient, CUT),
        case("no last chunk", raw(format!("{chunked}5\r\n{{\"tok\r\n"), After::Close), Transient, CUT),
        case(
            "wrong chunk size",
            raw(format!("{chunked}zz\r\n{{\"tok\r\n0\r\n\r\n"), After::Close),
            Permanent,
            ODD,
        ),
        case(
            "length too small",
            raw(HEAD.replace("100", "5") + "\r\n{\"token\":\"x\"}", After::Close),
            NotTheService,
            &["it is truncated", "it is not well-formed", "content type"],
        ),
        case(
            "length that is no number",
            raw(HEAD.replace("100", "many") + "\r\n{}", After::Close),
            Permanent,
            ODD,
        ),
        case(
            "two lengths",
            raw(format!("{HEAD}Content-Length: 7\r\n\r\n{{}}"), After::Close),
            Permanent,
            ODD,
        ),
        case("no HTTP", raw("SSH-2.0-OpenSSH_9.2p1\r\n".to_owned(), After::Close), Permanent, ODD),
        case(
            "a head without end",
            raw(format!("{HEAD}X: {}", "x".repeat(1 << 20)), After::Close),
            Permanent,
            ODD,
        ),
        case(
            "more than the limit",
            Injection::Wire(Fault::reply(
                200,
                "Content-Type: application/json\r\n",
                vec![b' '; (1 << 20) + 1],
            )),
            NotTheService,
            &["sent more than 1 MiB"],
        ),
        case(
            "invalid gzip",
            Injection::Wire(Fault::reply(
                200,
                "Content-Type: application/json\r\nContent-Encoding: gzip\r\n",
                b"\x1f\x8b\x08\0\xff\xfe garbage".to_vec(),
            )),
            NotTheService,
            &["it is not UTF-8 text", "it is not well-formed", "content type", "gzip"],
        ),
    ]);
    all
}

/// Faults of the content.
fn content_faults(at: NetworkStep, in_full: bool) -> Vec<FaultCase> {
    use Kind::{MissingValue, NotTheService};
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
    let page: &[&str] = if at == NetworkStep::AzureDevOps {
        &["it asks to sign in"]
    } else {
        &["an HTML page titled \"Log in\""]
    };
    let redirect: &[&str] =
        if at == NetworkStep::AzureDevOps { &["it asks to sign in"] } else { &["redirects to"] };
    let kind = match at.format() {
        Format::Json => "Content-Type: application/json\r\n",
        Format::Xml => "Content-Type: text/xml\r\n",
    };
    let reply = |body: &[u8]| Injection::Wire(Fault::reply(200, kind, body));
    let mut all = vec![
        case("empty 200", reply(b""), NotTheService, ANY),
        case("empty 200 without a type", Injection::Wire(Fault::reply(200, "", "")), NotTheService, ANY),
        case("204", Injection::Wire(Fault::reply(204, "", "")), NotTheService, ANY),
        case(
            "a page",
            Injection::Wire(Fault::reply(200, "Content-Type: text/html\r\n", PAGE)),
            NotTheService,
            page,
        ),
        case("a page of the right type", reply(PAGE.as_bytes()), NotTheService, page),
        case(
            "text",
            Injection::Wire(Fault::reply(200, "Content-Type: text/plain\r\n", "hello")),
            NotTheService,
            ANY,
        ),
        case("invalid UTF-8", reply(b"{\"token\": \"\xff\"}"), NotTheService, &["it is not UTF-8 text"]),
        case("half of a document", reply(b"{\"token\": "), NotTheService, ANY),
        case("garbage", reply(b"\x01\x02}{]["), NotTheService, ANY),
        case("deep", reply("[".repeat(100_000).as_bytes()), NotTheService, ANY),
        case("another document", reply(b"<other/>"), NotTheService, ANY),
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
            let how = Injection::Wire(Fault::reply(status, header, ""));
            all.push(case(format!("{status} to {name}"), how, NotTheService, redirect));
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
            all.push(case(name, reply(text.as_bytes()), NotTheService, ANY));
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
                if at == NetworkStep::Keys && name == "an array" {
                    continue;
                }
                let mut bad = good.clone();
                replace(&mut bad, &pointer, value);
                let how = reply(bad.to_string().as_bytes());
                all.push(case(format!("{pointer} is {name}"), how, MissingValue, ANY));
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
fn status_faults(at: NetworkStep, statuses: &[u16]) -> Vec<FaultCase> {
    use Kind::{Down, NotTheService, Refusal, WithoutMessage};
    let mut all = Vec::new();
    for &status in statuses {
        let shown = format!("HTTP {status}");
        // A request for a document has no credential to refuse, so the status alone is enough.
        let said = [MESSAGE, shown.as_str()];
        let is_behind = at == NetworkStep::Vault && status == 412;
        let is_down = status >= 500 || matches!(status, 408 | 429) || is_behind;
        let with = |name: &str, how, kind, says: &[&str]| {
            case(format!("{status} {name}"), Injection::Wire(how), kind, says)
        };
        let own = if is_down { Down } else { Refusal };
        let other = if is_down { Down } else { NotTheService };
        let wordless = if is_down { Down } else { WithoutMessage };
        all.extend([
            with(
                "of the service",
                at.refusal(status),
                own,
                if at.refuses() == 6 { &said } else { &[MESSAGE] },
            ),
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
fn connection_faults() -> Vec<FaultCase> {
    use Kind::{Permanent, Transient};
    const NAME: &[&str] = &["could not be resolved"];
    let said = |reply| Injection::Proxy(Some(reply));
    vec![
        case(
            "expired certificate",
            Injection::Tls(Certificate::Expired),
            Permanent,
            &["its certificate expired on"],
        ),
        case(
            "certificate that is not yet valid",
            Injection::Tls(Certificate::NotYetValid),
            Permanent,
            &["its certificate is valid only from"],
        ),
        case(
            "certificate for another name",
            Injection::Tls(Certificate::OtherName),
            Permanent,
            &["its certificate is for"],
        ),
        case("self-signed certificate", Injection::Tls(Certificate::SelfSigned), Permanent, &["authority"]),
        case(
            "unknown authority",
            Injection::Tls(Certificate::UnknownAuthority),
            Permanent,
            &["signed by an authority that is not trusted here"],
        ),
        case(
            "TLS 1.1",
            Injection::Tls(Certificate::OldProtocol),
            Permanent,
            &["no trusted TLS connection to"],
        ),
        case("plain http", Injection::Tls(Certificate::None), Permanent, &["the server does not speak TLS"]),
        case("no such name", Injection::Name("nobody.invalid"), Transient, NAME),
        case("resolver without an answer for now", Injection::Name("unsure.invalid"), Transient, NAME),
        case(
            "silent resolver",
            Injection::Name("silent.invalid"),
            Permanent,
            &["did not answer within", "could not be resolved"],
        ),
        case("unroutable", Injection::Name("unroutable.invalid"), Permanent, &["failed: ", "No route"]),
        case("no proxy there", Injection::NoProxy, Permanent, &["refused the connection"]),
        case("proxy that hangs", Injection::Proxy(None), Permanent, &["proxy"]),
        case("proxy that hangs up", said(""), Transient, &["proxy"]),
        case(
            "proxy with 407",
            said("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"),
            Permanent,
            &["proxy"],
        ),
        case("proxy with 403", said("HTTP/1.1 403 Forbidden\r\n\r\n"), Permanent, &["proxy"]),
        case("proxy with 502", said("HTTP/1.1 502 Bad Gateway\r\n\r\n"), Transient, &["proxy"]),
        case("proxy with 503", said("HTTP/1.1 503 Service Unavailable\r\n\r\n"), Transient, &["proxy"]),
        case(
            "proxy with a page",
            said("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><title>Log in</title></html>"),
            Permanent,
            &["proxy"],
        ),
        case("proxy without HTTP", said("220 mail ready\r\n"), Permanent, &["proxy"]),
    ]
}

fn fault_cases(at: NetworkStep, in_full: bool) -> Vec<FaultCase> {
    let statuses: &[u16] = if in_full { &STATUSES } else { &SOME_STATUSES };
    let mut all = wire_faults();
    all.extend(content_faults(at, in_full));
    all.extend(status_faults(at, statuses));
    // The supervisor is on loopback, and without TLS.
    if !at.is_supervisor() {
        all.extend(connection_faults());
    }
    all
}

/// The workspace whose services all work.
static HEALTHY_WORKSPACE: LazyLock<Running> = LazyLock::new(|| Running::start(Options::default()));

/// The name resolution of [`Injection::Name`], as a library for `LD_PRELOAD`.
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
fn write_user_files(home: &Path) {
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
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let found = fs::symlink_metadata(&path).unwrap();
        if found.is_dir() {
            all.extend(snapshot(&path));
        }
        let content = if found.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        all.insert(path, (found.permissions().mode(), content));
    }
    all
}

struct Cell<'a> {
    command: &'static Command,
    at: NetworkStep,
    fault_case: &'a FaultCase,
}

impl Cell<'_> {
    /// Runs the command. The error lists what is wrong.
    fn run(&self) -> Result<(), String> {
        let mut gp = Gp::new().secret(API_TOKEN);
        for (name, value) in HEALTHY_WORKSPACE.environment() {
            gp = gp.env(name, value);
        }
        gp = gp.secret(HEALTHY_WORKSPACE.api_token().reveal()).env("LD_PRELOAD", &RESOLVER.1);
        write_user_files(gp.home());
        // These keep the fault active while the command runs.
        let mut server = None;
        let mut connections = None;
        let url;
        match &self.fault_case.injection {
            Injection::Wire(fault) => {
                let step = match self.at {
                    NetworkStep::Info => Step::Info,
                    NetworkStep::ApiToken => Step::ApiToken,
                    _ => Step::Every,
                };
                let faulty = Faulty::always(step, fault.clone());
                url = format!("http://{}", faulty.address());
                if self.at == NetworkStep::ApiToken && matches!(fault, Fault::Refuse) {
                    gp = gp.env("IDP_API_URL", &url);
                }
                server = Some(faulty);
            }
            Injection::Tls(certificate) => {
                let api = Api::certified(*certificate);
                let file = gp.home().join("ca.pem");
                fs::write(&file, &api.ca).unwrap();
                gp = gp.env("SSL_CERT_FILE", file);
                url = format!("https://{}", api.address);
                connections = Some(api.seen);
            }
            Injection::Proxy(reply) => {
                let proxy = reply.map_or_else(proxy_that_hangs, proxy_with_reply);
                gp = gp.env("HTTPS_PROXY", format!("http://{proxy}"));
                url = "https://service.invalid".to_owned();
            }
            Injection::NoProxy => {
                let nobody = Faulty::always(Step::Every, Fault::Refuse);
                gp = gp.env("HTTPS_PROXY", format!("http://{}", nobody.address()));
                server = Some(nobody);
                url = "https://service.invalid".to_owned();
            }
            Injection::Name(name) => url = format!("https://{name}"),
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
        if matches!(self.at, NetworkStep::Discovery | NetworkStep::Keys) {
            let claims =
                json!({"iss": url, "aud": "x", "sub": "s", "iat": 1_700_000_000, "exp": 4_102_444_800_u64});
            let parts = [json!({"alg": "RS256", "kid": "k"}), claims]
                .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
            gp = gp.stdin(format!("{}.{}.AAAA", parts[0], parts[1]));
        }
        let before = self.snapshot(gp.home());
        let begun = Instant::now();
        let ran = catch_unwind(AssertUnwindSafe(|| gp.run()))
            .map_err(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default())?;
        let took = begun.elapsed();
        let mut wrong = self.judge(&ran);
        let after = self.snapshot(gp.home());
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
                NetworkStep::ApiToken => {
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
    fn snapshot(&self, home: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let mut all = snapshot(home);
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
        let stalls = match &self.fault_case.injection {
            Injection::Wire(fault) => matches!(
                fault,
                Fault::NeverAccept
                    | Fault::QueueFull
                    | Fault::SlowBody
                    | Fault::Raw { then: After::Stall, .. }
            ),
            Injection::Proxy(reply) => reply.is_none(),
            Injection::Name(name) => *name == "silent.invalid",
            Injection::Tls(_) | Injection::NoProxy => false,
        };
        // `gp` waits for a starting supervisor until the timeout.
        if stalls || self.at == NetworkStep::Info { LIMIT } else { LONG_LIMIT }
    }

    /// The expected exit code.
    fn code(&self) -> i32 {
        let (at, name) = (self.at, self.fault_case.name.as_str());
        match self.fault_case.kind {
            // A receiver refuses the token of an issuer whose documents are invalid.
            Kind::Refusal | Kind::WithoutMessage | Kind::NotTheService | Kind::MissingValue
                if matches!(at, NetworkStep::Discovery | NetworkStep::Keys) && !self.is_on_the_way() =>
            {
                1
            }
            Kind::Refusal => at.refuses(),
            // For a job's service, every refusal that is not a page is its own.
            Kind::WithoutMessage if at.is_job() => at.refuses(),
            // A server that does not know the path sends the 404 of its framework.
            Kind::WithoutMessage if at == NetworkStep::Mint && name.starts_with("404") => at.refuses(),
            // Azure DevOps asks for a sign-in.
            Kind::NotTheService if at == NetworkStep::AzureDevOps && self.is_page() => at.refuses(),
            // 501: a retry does not help.
            Kind::Down if at.is_job() && name.starts_with("501") => at.refuses(),
            // The API reports an internal error.
            Kind::Down
                if at == NetworkStep::Mint && name.ends_with("of the service") && !self.is_temporary() =>
            {
                at.refuses()
            }
            // The service gave an empty token.
            Kind::MissingValue if at.refuses() == 4 && name.ends_with("empty") => at.refuses(),
            _ => at.fails(),
        }
    }

    /// The number of requests that the server may get.
    fn allowed(&self) -> usize {
        match self.fault_case.kind {
            // Retried, because the service may hang briefly, or a proxy may have answered.
            Kind::Permanent | Kind::NotTheService | Kind::MissingValue if self.at.is_job() => 4,
            // The second request is for the path of RFC 8414.
            Kind::Refusal | Kind::WithoutMessage | Kind::NotTheService
                if self.at == NetworkStep::Metadata =>
            {
                2
            }
            // One connection is opened early.
            Kind::Permanent if matches!(self.fault_case.injection, Injection::Tls(_)) => 2,
            Kind::Refusal
            | Kind::WithoutMessage
            | Kind::Permanent
            | Kind::NotTheService
            | Kind::MissingValue => 1,
            Kind::Transient => 5,
            Kind::Down if self.at == NetworkStep::Info => 40,
            Kind::Down if self.fault_case.name.starts_with("429") => 12,
            Kind::Down => 4,
        }
    }

    fn is_page(&self) -> bool {
        let name = &self.fault_case.name;
        name.contains("page") || name.contains(" to ")
    }

    /// Whether the reply most likely comes from something between `gp` and the issuer.
    fn is_on_the_way(&self) -> bool {
        const NAMES: [&str; 4] = ["text", "204", "empty 200 without a type", "more than the limit"];
        let name = self.fault_case.name.as_str();
        NAMES.contains(&name) || (self.is_page() && !name.starts_with('4'))
    }

    /// Whether the status says that the service is temporarily down.
    fn is_temporary(&self) -> bool {
        ["408", "429", "502", "503", "504"].iter().any(|status| self.fault_case.name.starts_with(status))
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
        let named =
            said.contains(self.at.name()) || (self.at == NetworkStep::Metadata && said.contains("metadata"));
        if !named {
            wrong.push(format!("`{}` is not named", self.at.name()));
        }
        if !self.fault_case.expected.iter().any(|text| said.contains(text)) {
            wrong.push(format!("none of {:?} is said", self.fault_case.expected));
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
    let mut tested_steps = Vec::new();
    let rows: Vec<(&Command, NetworkStep, Vec<FaultCase>)> = COMMANDS
        .iter()
        .flat_map(|command| command.steps.iter().map(move |at| (command, *at)))
        .map(|(command, at)| {
            let in_full = !tested_steps.contains(&at);
            tested_steps.push(at);
            (command, at, fault_cases(at, in_full))
        })
        .collect();
    let cells = rows.iter().flat_map(|(command, at, troubles)| {
        troubles.iter().map(move |fault_case| Cell { command, at: *at, fault_case })
    });
    let only = env::var("FAULTS_ONLY").unwrap_or_default();
    let cells: Vec<Cell> = cells
        .enumerate()
        .filter(|(number, _)| whole || number % SAMPLE == 0)
        .map(|(_, cell)| cell)
        .filter(|cell| {
            format!("{} | {:?} | {}", cell.command.line, cell.at, cell.fault_case.name).contains(&only)
        })
        .collect();
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..PARALLEL_CELLS {
            scope.spawn(|| {
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = cell.run() {
                        let name =
                            format!("{} | {:?} | {}", cell.command.line, cell.at, cell.fault_case.name);
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
