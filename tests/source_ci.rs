//! Sources that mint a token per request: the request of each source, its reply, and its errors.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::thread;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use snapbox::str;

use crate::support::fault::{Fault, Faulty, Step};
use crate::support::{Gp, program};
use crate::vault_tls::{authority, signed};

/// The secret with which a job requests tokens.
const JOB_SECRET: &str = "job-request-secret";
const AZURE_AUDIENCE: &str = "api://AzureADTokenExchange";

fn jwt(claims: &Value) -> String {
    format!("eyJhbGciOiJub25lIn0.{}.", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn for_audience(audience: &str) -> String {
    jwt(&json!({"aud": audience}))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ci {
    AzureDevOps,
    Buildkite,
    Codefresh,
    Fly,
    Gcp,
    GitHub,
    Kubernetes,
}

use Ci::{AzureDevOps, Buildkite, Codefresh, Fly, Gcp, GitHub, Kubernetes};

const ALL: [Ci; 7] = [AzureDevOps, Buildkite, Codefresh, Fly, Gcp, GitHub, Kubernetes];

impl Ci {
    /// A job whose service is `server`, without arguments.
    fn job(self, server: &Faulty) -> Gp {
        let url = format!("http://{}/mint?v=1", server.address());
        let gp = Gp::new().secret(JOB_SECRET).with_placeholder(server.address(), "[SERVER]");
        match self {
            AzureDevOps => gp.env("SYSTEM_OIDCREQUESTURI", url).env("SYSTEM_ACCESSTOKEN", JOB_SECRET),
            Buildkite => gp
                .env("BUILDKITE_AGENT_ENDPOINT", format!("http://{}/v3", server.address()))
                .env("BUILDKITE_AGENT_ACCESS_TOKEN", JOB_SECRET)
                .env("BUILDKITE_JOB_ID", "job-1"),
            GitHub => {
                gp.env("ACTIONS_ID_TOKEN_REQUEST_URL", url).env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", JOB_SECRET)
            }
            Codefresh => gp.env("CF_OIDC_REQUEST_URL", url).env("CF_OIDC_REQUEST_TOKEN", JOB_SECRET),
            Fly => {
                let socket = gp.home().join("api");
                forward_socket(UnixListener::bind(&socket).unwrap(), server.address());
                gp.env("IDP_TOKEN_SOURCE", format!("fly:{}", socket.display()))
            }
            // The metadata service is link-local, so no proxy is used.
            Gcp => gp
                .env("IDP_TOKEN_SOURCE", "gcp")
                .env("GCE_METADATA_HOST", server.address())
                .env("HTTPS_PROXY", "http://127.0.0.1:1")
                .env("ALL_PROXY", "http://127.0.0.1:1"),
            Kubernetes => pod(gp, server),
        }
    }

    /// The command that requests a token.
    fn mint(self, server: &Faulty) -> Gp {
        self.job(server).line("idp token --audience").arg(self.audience())
    }

    fn audience(self) -> &'static str {
        if self == AzureDevOps { AZURE_AUDIENCE } else { "x" }
    }

    /// A reply with a token.
    fn reply(self, token: &str) -> Fault {
        self.reply_with(&json!(token))
    }

    fn reply_with(self, token: &Value) -> Fault {
        let text = token.as_str().map_or_else(|| token.to_string(), str::to_owned);
        let body = match self {
            AzureDevOps => json!({"oidcToken": token}),
            Buildkite => json!({"token": token}),
            GitHub => json!({"value": token, "count": 1}),
            Codefresh => json!({"id_token": token}),
            Kubernetes => {
                json!({"kind": "TokenRequest", "status": {"token": token, "expirationTimestamp": "2026-01-01T00:00:00Z"}})
            }
            Fly => return Fault::reply(200, "Content-Type: text/plain\r\n", text),
            // With the content type of a page, although it is a token.
            Gcp => return Fault::reply(200, "Content-Type: text/html\r\n", format!("{text}\n")),
        };
        Fault::json(if self == Kubernetes { 201 } else { 200 }, &body.to_string())
    }

    /// The credential that its requests carry.
    fn secret(self) -> Option<String> {
        match self {
            AzureDevOps | Buildkite | Codefresh | GitHub => Some(JOB_SECRET.to_owned()),
            Kubernetes => Some(account_token()),
            Fly | Gcp => None,
        }
    }

    fn has_no_json(self) -> bool {
        matches!(self, Fly | Gcp)
    }
}

/// Forwards the requests at a Unix socket to `address`.
fn forward_socket(listener: UnixListener, address: String) {
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(&address) else { continue };
            thread::spawn(move || {
                let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || std::io::copy(&mut from, &mut to));
                let _ = std::io::copy(&mut &server, &mut client);
                let _ = client.shutdown(Shutdown::Both);
            });
        }
    });
}

/// A pod whose API server is `server` behind TLS.
fn pod(gp: Gp, server: &Faulty) -> Gp {
    let authority = authority("cluster");
    let (certificate, key) = signed("127.0.0.1", &authority);
    let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], der);
    let (config, address) = (Arc::new(config.unwrap()), server.address());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (config, address) = (config.clone(), address.clone());
            thread::spawn(move || terminate(config, client, &address));
        }
    });
    let folder = gp.home().join("serviceaccount");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("ca.crt"), authority.pem()).unwrap();
    fs::write(folder.join("token"), account_token()).unwrap();
    gp.env("IDP_TOKEN_SOURCE", format!("kubernetes:{}", folder.display()))
        .env("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        .env("KUBERNETES_SERVICE_PORT", port.to_string())
        .with_placeholder(format!("127.0.0.1:{port}"), "[SERVER]")
}

fn account_token() -> String {
    jwt(&json!({"sub": "system:serviceaccount:apps:deploy"}))
}

/// Forwards one request over TLS, and its reply.
fn terminate(config: Arc<ServerConfig>, client: TcpStream, address: &str) {
    let mut client = StreamOwned::new(ServerConnection::new(config).unwrap(), client);
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"}}") {
        match client.read(&mut byte) {
            Ok(1) => request.push(byte[0]),
            _ => return,
        }
    }
    let Ok(mut server) = TcpStream::connect(address) else { return };
    let mut reply = Vec::new();
    let _ = server.write_all(&request).and_then(|()| server.read_to_end(&mut reply));
    let _ = client.write_all(&reply);
    client.conn.send_close_notify();
    let _ = client.flush();
}

/// A server with this fault for every request.
fn answering(fault: Fault) -> Faulty {
    Faulty::always(Step::Mint, fault)
}

/// The head and the body of the only request of a run, which has to get a token.
fn request(ci: Ci, gp: impl FnOnce(&Faulty) -> Gp) -> (String, String) {
    let token = for_audience(ci.audience());
    let server = answering(ci.reply(&token));
    let gp = gp(&server);
    assert_eq!(gp.run().success(), format!("{token}\n"), "{ci:?}");
    let [request] = &server.requests()[..] else { panic!("{ci:?} {:?}", server.requests()) };
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    (format!("{head}\r\n"), body.to_owned())
}

#[test]
fn the_azure_devops_request_has_an_empty_body_and_keeps_the_query() {
    let (head, body) = request(AzureDevOps, |server| {
        AzureDevOps.mint(server).env("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "a&b")
    });
    let first = "POST /mint?v=1&api-version=7.1&serviceConnectionId=a%26b HTTP/1.1\r\n";
    assert!(head.starts_with(first), "{head}");
    assert!(head.contains(&format!("authorization: Bearer {JOB_SECRET}\r\n")), "{head}");
    assert_eq!(head.matches("content-length: 0\r\n").count(), 1, "{head}");
    assert_eq!((body.as_str(), head.matches("content-length").count()), ("", 1), "{head}");
    let (head, _) = request(AzureDevOps, |server| AzureDevOps.mint(server));
    assert!(head.starts_with("POST /mint?v=1&api-version=7.1 HTTP/1.1\r\n"), "{head}");
}

#[test]
fn the_buildkite_request_has_the_token_scheme() {
    let (head, body) = request(Buildkite, |server| Buildkite.mint(server));
    assert!(head.starts_with("POST /v3/jobs/job-1/oidc/tokens HTTP/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("authorization: Token {JOB_SECRET}\r\n")), "{head}");
    assert!(head.contains("content-type: application/json\r\n"), "{head}");
    assert_eq!(body, r#"{"audience":"x"}"#);
}

#[test]
fn the_codefresh_request_has_no_authorization_scheme() {
    let (head, body) = request(Codefresh, |server| Codefresh.mint(server));
    assert!(head.starts_with("GET /mint?v=1&audience=x HTTP/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("authorization: {JOB_SECRET}\r\n")), "{head}");
    assert_eq!(body, "");
}

#[test]
fn the_fly_request_uses_its_socket() {
    let (head, body) = request(Fly, |server| Fly.mint(server));
    assert!(head.starts_with("POST /v1/tokens/oidc HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("host: localhost\r\n"), "{head}");
    assert!(!head.contains("authorization"), "{head}");
    assert_eq!(body, r#"{"aud":"x"}"#);
}

#[test]
fn the_google_request_has_the_metadata_header_and_no_proxy() {
    let (head, _) = request(Gcp, |server| Gcp.mint(server));
    let path =
        "/computeMetadata/v1/instance/service-accounts/default/identity?audience=x&format=full HTTP/1.1\r\n";
    assert!(head.starts_with(&format!("GET {path}")), "{head}");
    assert!(head.contains("metadata-flavor: Google\r\n"), "{head}");
    assert!(!head.contains("authorization"), "{head}");
}

#[test]
fn kubernetes_mints_a_token_for_the_pods_service_account_and_several_audiences() {
    let server = answering(Kubernetes.reply(&jwt(&json!({"aud": ["x", "y"]}))));
    Kubernetes.mint(&server).line("--audience y").run().success();
    let request = &server.requests()[0];
    let path = "/api/v1/namespaces/apps/serviceaccounts/deploy/token";
    assert!(request.starts_with(&format!("POST {path} HTTP/1.1\r\n")), "{request}");
    assert!(request.contains(&format!("authorization: Bearer {}\r\n", account_token())), "{request}");
    let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    let expected = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": ["x", "y"]},
    });
    assert_eq!(body, expected);
}

#[test]
fn each_source_is_found_and_named() {
    let found = [
        (AzureDevOps, "azure-devops"),
        (Buildkite, "buildkite"),
        (Codefresh, "codefresh"),
        (GitHub, "github"),
    ];
    for (ci, name) in found {
        let server = answering(ci.reply(&for_audience(ci.audience())));
        let ran = ci.mint(&server).line("--verbose").run();
        assert_eq!(ran.code, 0, "{ci:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("the source `{name}`")), "{ci:?}: {}", ran.stderr);
        // An error names it too.
        let server = answering(ci.reply(""));
        let ran = ci.mint(&server).run();
        assert!(ran.stderr.contains(&format!("`{name}`, which `auto` found")), "{ci:?}: {}", ran.stderr);
    }
    for ci in ALL {
        let server = answering(ci.reply(&for_audience(ci.audience())));
        let ran = ci.job(&server).line("idp doctor --audience").arg(ci.audience()).run();
        assert!(ran.stdout.contains("an ID token for"), "{ci:?}: {}{}", ran.stdout, ran.stderr);
        assert!(!ran.stdout.contains("supervisor"), "{ci:?}: {}", ran.stdout);
    }
}

#[test]
fn a_reply_without_a_valid_token_is_an_error() {
    // In parallel: most of the time is spent in pauses between tries.
    thread::scope(|scope| {
        ALL.map(|ci| scope.spawn(move || check_invalid_replies(ci))).map(|ran| ran.join().unwrap())
    });
}

fn check_invalid_replies(ci: Ci) {
    let html = "<!DOCTYPE html><title>Sign in</title>";
    let page = |status| Fault::reply(status, "Content-Type: text/html\r\n", html);
    let moved = Fault::reply(302, "Location: https://login.example.com/?secret\r\n", "");
    let (page_code, page_said) =
        if ci == AzureDevOps { (4, "it asks to sign in (HTTP") } else { (6, "titled \"Sign in\"") };
    let moved_said = if ci == AzureDevOps { page_said } else { "redirects to https://login.example.com/ " };
    let (odd_code, odd_said) = if ci.has_no_json() {
        (4, "does not contain an ID token")
    } else {
        (6, "the server that answered is not")
    };
    let refused = Fault::json(404, r#"{"message":"there is no such job"}"#);
    // A service may repeat what it was sent.
    let sent = ci.secret().unwrap_or_else(|| "[redacted]".to_owned());
    let repeats = Fault::json(400, &format!(r#"{{"message":"{sent} is odd"}}"#));
    let cases = [
        (ci.reply(""), 4, "does not contain an ID token"),
        (ci.reply("a.b"), 4, "does not contain an ID token"),
        (ci.reply(&for_audience("y")), 4, "for `y`, not for `"),
        (ci.reply(&jwt(&json!({}))), 4, "for nobody, not for `"),
        (ci.reply_with(&json!(1)), odd_code, odd_said),
        (ci.reply_with(&json!([for_audience(ci.audience())])), odd_code, odd_said),
        (page(200), page_code, page_said),
        (page(203), page_code, page_said),
        (moved, page_code, moved_said),
        (Fault::json(200, r#"{"tok"#), odd_code, odd_said),
        (Fault::json(200, "{}"), odd_code, odd_said),
        (Fault::json(200, "[]"), odd_code, odd_said),
        (refused, 4, "refused: there is no such job (HTTP 404)"),
        (repeats, 4, "refused: [redacted] is odd (HTTP 400)"),
        (Fault::reply(403, "", ""), 4, "refused: HTTP 403"),
        (Fault::json(500, r#"{"message":"oops"}"#), 6, "had an internal error: oops (HTTP 500)"),
        (Fault::reply(503, "Retry-After: 600\r\n", ""), 6, "asks to wait"),
        (Fault::ResetInBody, 6, "before its reply was complete"),
    ];
    for (fault, code, said) in cases {
        let server = answering(fault.clone());
        let gp = ci.mint(&server).line("--output out/token");
        let ran = gp.run();
        assert_eq!(ran.code, code, "{ci:?} {fault:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{ci:?} {fault:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("\nhint: "), "{ci:?} {fault:?}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{ci:?} {fault:?}");
        assert!(!gp.home().join("out").exists(), "{ci:?} {fault:?}");
    }
}

#[test]
fn a_new_token_that_has_expired_comes_with_a_warning() {
    for ci in ALL {
        let token = jwt(&json!({"aud": ci.audience(), "iat": 1_795_435_200, "exp": 1_795_435_500}));
        let server = answering(ci.reply(&token));
        let ran = ci.mint(&server).at_time("2026-11-23T14:00:00Z").run();
        assert_eq!((ran.code, ran.stdout.trim_end()), (0, &*token), "{ci:?}: {}", ran.stderr);
        let said = "warning: by this machine's clock, which is 2 h ahead of the issuer, the new token expired 115 min ago: ";
        assert!(ran.stderr.contains(said), "{ci:?}: {}", ran.stderr);
    }
}

#[test]
fn temporary_failures_are_retried() {
    for ci in ALL {
        let token = for_audience(ci.audience());
        let well = ci.reply(&token);
        let busy = Fault::json(429, r#"{"message":"slow down"}"#);
        let page = Fault::reply(502, "Content-Type: text/html\r\n", "<html>");
        let mut faults = vec![busy, page, Fault::json(500, "{}")];
        if !ci.has_no_json() {
            faults[0] = Fault::json(200, r#"{"tok"#);
        }
        faults.push(well.clone());
        let server = Faulty::first(Step::Mint, faults);
        assert_eq!(ci.mint(&server).run().success(), format!("{token}\n"), "{ci:?}");
        assert_eq!(server.requests().len(), 4, "{ci:?}");
        // A try that hangs leaves time for another.
        let server = Faulty::first(Step::Mint, vec![Fault::Stall, well]);
        assert_eq!(ci.mint(&server).line("--timeout 6s").run().success(), format!("{token}\n"), "{ci:?}");
        let ran = ci.mint(&answering(Fault::Stall)).line("--timeout 900ms").run();
        assert_eq!(ran.code, 6, "{ci:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("did not answer within"), "{ci:?}: {}", ran.stderr);
    }
}

#[test]
fn an_unreachable_service_is_an_error() {
    for ci in ALL {
        let server = Faulty::always(Step::Info, Fault::Refuse);
        let ran = ci.mint(&server).line("--timeout 3s").run();
        // Every Google Cloud machine has the metadata service, so this is not one.
        assert_eq!(ran.code, if ci == Gcp { 3 } else { 6 }, "{ci:?}: {}", ran.stderr);
    }
}

#[test]
fn scopes_and_unsupported_audiences_are_refused() {
    for ci in ALL {
        let server = answering(ci.reply(&for_audience(ci.audience())));
        let ran = ci.mint(&server).line("--scope s").run();
        assert_eq!(ran.code, 2, "{ci:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("does not support a scope"), "{ci:?}: {}", ran.stderr);
        assert_eq!(server.requests().len(), 0, "{ci:?}");
        let ran = ci.mint(&server).line("--audience y").run();
        let (code, said) = match ci {
            AzureDevOps | Kubernetes => (4, ", not for `"),
            _ => (2, "one audience per token"),
        };
        assert_eq!(ran.code, code, "{ci:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{ci:?}: {}", ran.stderr);
    }
}

#[test]
fn another_audience_than_azures_is_refused_with_a_hint() {
    let server = answering(AzureDevOps.reply(&for_audience(AZURE_AUDIENCE)));
    AzureDevOps.job(&server).line("idp token --audience x").run().failure(4, str![[r#"
error: could not mint an ID token for `x`
  caused by: Azure DevOps at http://[SERVER] gave a token for `api://AzureADTokenExchange`, not for `x`
    source  `azure-devops`, which `auto` found
hint: Azure DevOps mints tokens only for `api://AzureADTokenExchange`: use `--audience api://AzureADTokenExchange`
hint: the receiver must accept tokens for this audience

"#]]);
}

type Variables<'a> = &'a [(&'a str, &'a str)];

#[test]
fn missing_settings_are_named_with_the_fix() {
    let job = |named: &str, variables: Variables<'_>| {
        let gp = Gp::new().line("idp token --audience x").secret(JOB_SECRET);
        let gp = if named.is_empty() { gp } else { gp.line("--source").arg(named) };
        variables.iter().fold(gp, |gp, (name, value)| gp.env(name, *value))
    };
    let uri = ("SYSTEM_OIDCREQUESTURI", "http://127.0.0.1:1/");
    let cases: &[(&str, Variables<'_>, &str, &str)] = &[
        (
            "",
            &[("TF_BUILD", "True"), uri],
            "`SYSTEM_ACCESSTOKEN` is not set",
            "SYSTEM_ACCESSTOKEN: $(System.AccessToken)",
        ),
        (
            "",
            &[("TF_BUILD", "True"), uri, ("SYSTEM_ACCESSTOKEN", "")],
            "`SYSTEM_ACCESSTOKEN` is not set",
            "$(System.AccessToken)",
        ),
        ("azure-devops", &[], "`SYSTEM_OIDCREQUESTURI` is not set", "pass it on to a container"),
        (
            "",
            &[("BUILDKITE", "true")],
            "`BUILDKITE_AGENT_ACCESS_TOKEN` is not set",
            "pass `BUILDKITE_AGENT_ACCESS_TOKEN`",
        ),
        (
            "buildkite",
            &[("BUILDKITE_AGENT_ACCESS_TOKEN", JOB_SECRET)],
            "`BUILDKITE_JOB_ID` is not set",
            "in the Docker plugin",
        ),
        (
            "",
            &[("CIRCLECI", "true")],
            "neither `CIRCLE_OIDC_TOKEN_V2` nor `CIRCLE_OIDC_TOKEN` is set",
            "the job is of a fork",
        ),
        ("circleci", &[], "neither `CIRCLE_OIDC_TOKEN_V2`", "air-gapped"),
        ("codefresh", &[], "`CF_OIDC_REQUEST_URL` is not set", "pass both on"),
        (
            "codefresh",
            &[("CF_OIDC_REQUEST_URL", "http://127.0.0.1:1/")],
            "`CF_OIDC_REQUEST_TOKEN` is not set",
            "pass both on",
        ),
        (
            "fly:/dev/null",
            &[("FLY_APP_NAME", "app")],
            "there is no socket /dev/null",
            "`--source fly:SOCKET`",
        ),
        ("fly:/nowhere/api", &[], "there is no socket /nowhere/api", "in a Fly Machine"),
        ("kubernetes", &[], "this is not a pod", "run `gp` in a pod"),
        ("kubernetes", &[("KUBERNETES_SERVICE_HOST", "127.0.0.1")], "are not both set", "run `gp` in a pod"),
    ];
    for (named, variables, said, fix) in cases {
        let ran = job(named, variables).run();
        assert_eq!(ran.code, 3, "{named} {variables:?}: {}", ran.stderr);
        let (error, hint) = ran.stderr.split_once("\nhint: ").unwrap();
        assert!(error.contains(said), "{named} {variables:?}: {}", ran.stderr);
        assert!(hint.contains(fix), "{named} {variables:?}: {}", ran.stderr);
    }
}

#[test]
fn unusable_settings_are_usage_errors() {
    let server = answering(Fault::Stall);
    let cases = [
        (AzureDevOps, "SYSTEM_OIDCREQUESTURI", "http://example.com/"),
        (AzureDevOps, "SYSTEM_OIDCREQUESTURI", "$(System.OidcRequestUri)"),
        (Buildkite, "BUILDKITE_AGENT_ENDPOINT", "http://example.com/v3"),
        (Codefresh, "CF_OIDC_REQUEST_URL", "ftp://example.com"),
        (GitHub, "ACTIONS_ID_TOKEN_REQUEST_URL", "http://example.com/"),
        (Gcp, "GCE_METADATA_HOST", "metadata.example.com"),
        (Gcp, "GCE_METADATA_HOST", "169.254.169.254@example.com"),
        (Kubernetes, "KUBERNETES_SERVICE_HOST", "a b"),
    ];
    for (ci, variable, value) in cases {
        let ran = ci.mint(&server).env(variable, value).run();
        assert_eq!(ran.code, 2, "{variable}={value}: {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("`{variable}`: ")), "{variable}={value}: {}", ran.stderr);
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn each_refusal_has_its_fix() {
    let cases = [
        (AzureDevOps, 401, "SYSTEM_ACCESSTOKEN: $(System.AccessToken)"),
        (AzureDevOps, 400, "the job has to reference that service connection"),
        (Buildkite, 401, "run the job again"),
        (Buildkite, 404, "check that `BUILDKITE_JOB_ID` is the job that runs"),
        (Buildkite, 422, "check the audience"),
        (Codefresh, 401, "run the pipeline again"),
        (GitHub, 401, "run it again: `ACTIONS_ID_TOKEN_REQUEST_TOKEN` has expired"),
        (GitHub, 400, "check the audience"),
        (Gcp, 404, "the machine has no service account"),
        (Kubernetes, 401, "restart the pod"),
        (Kubernetes, 404, "the service account still exists"),
    ];
    for (ci, status, fix) in cases {
        let ran = ci.mint(&answering(Fault::json(status, "{}"))).run();
        assert_eq!(ran.code, 4, "{ci:?} {status}: {}", ran.stderr);
        assert!(ran.stderr.contains(fix), "{ci:?} {status}: {}", ran.stderr);
    }
}

#[test]
fn a_pod_that_may_not_mint_gets_the_role_and_binding_it_needs() {
    let said = r#"{"kind":"Status","message":"serviceaccounts \"deploy\" is forbidden","reason":"Forbidden","code":403}"#;
    let gp = Kubernetes.mint(&answering(Fault::json(403, said)));
    let folder = gp.home().join("serviceaccount").display().to_string();
    gp.with_placeholder(folder, "[FOLDER]").run().failure(4, str![[r#"
error: could not mint an ID token for `x`
  caused by: the API server at https://[SERVER] refused: serviceaccounts "deploy" is forbidden (Forbidden, HTTP 403)
    source  `kubernetes`, set by `IDP_TOKEN_SOURCE`
hint: an administrator has to allow the service account to create its own tokens: `kubectl create role gp-idp --namespace apps --verb=create --resource=serviceaccounts/token --resource-name deploy`, then `kubectl create rolebinding gp-idp --namespace apps --role=gp-idp --serviceaccount apps:deploy`

"#]]);
}

#[test]
fn the_folder_of_a_service_account_is_read_and_checked_at_each_use() {
    let server = answering(Kubernetes.reply(&for_audience("x")));
    let gp = Kubernetes.mint(&server);
    let token = gp.home().join("serviceaccount/token");
    let expired = jwt(&json!({"sub": "system:serviceaccount:apps:deploy", "exp": 1}));
    let person = jwt(&json!({"sub": "me"}));
    let cases = [
        ("", 3, "is empty"),
        ("nonsense", 3, "does not contain an ID token"),
        (&*expired, 3, "expired"),
        (&*person, 3, "names no service account"),
    ];
    for (text, code, said) in cases {
        fs::write(&token, text).unwrap();
        let ran = gp.run();
        assert_eq!(ran.code, code, "{text}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{text}: {}", ran.stderr);
    }
    fs::remove_file(&token).unwrap();
    let ran = gp.run();
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("automountServiceAccountToken"), "{}", ran.stderr);
    assert_eq!(server.requests().len(), 0);
    // Another service account at the next use.
    fs::write(&token, jwt(&json!({"sub": "system:serviceaccount:other:account"}))).unwrap();
    gp.run().success();
    assert!(server.requests()[0].contains("/namespaces/other/serviceaccounts/account/token"));
    // Only the authority of the cluster is trusted.
    fs::write(gp.home().join("serviceaccount/ca.crt"), authority("another").pem()).unwrap();
    let ran = gp.run();
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    assert!(ran.stderr.contains("signed by an authority that is not trusted here"), "{}", ran.stderr);
}

#[test]
fn the_newer_circleci_token_takes_precedence() {
    let older = jwt(&json!({"aud": "org", "sub": "older"}));
    let newer = jwt(&json!({"aud": "org", "sub": "newer"}));
    let job = Gp::new().env("CIRCLECI", "true").line("idp token --audience org");
    let job = job.env("CIRCLE_OIDC_TOKEN", &older);
    assert_eq!(job.run().success(), format!("{older}\n"));
    let job = job.env("CIRCLE_OIDC_TOKEN_V2", &newer);
    assert_eq!(job.run().success(), format!("{newer}\n"));
    let expired = jwt(&json!({"aud": "org", "exp": 1}));
    for (value, said) in
        [("nonsense", "does not contain an ID token"), (&*expired, "expired"), (" ", "is empty")]
    {
        let ran = Gp::new().env("CIRCLE_OIDC_TOKEN_V2", value).line("idp token --audience org").run();
        assert_eq!(ran.code, 3, "{value}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{value}: {}", ran.stderr);
        assert!(ran.stderr.contains("`CIRCLE_OIDC_TOKEN_V2`"), "{value}: {}", ran.stderr);
    }
}

#[test]
fn another_audience_on_circleci_has_a_command_to_copy() {
    let job = Gp::new().env("CIRCLE_OIDC_TOKEN_V2", jwt(&json!({"aud": "org"})));
    let job = job.line("idp token --audience x");
    let ran = job.run();
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("gave a token for `org`, not for `x`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`https://oidc.circleci.com`"), "{}", ran.stderr);
    let words = ran.stderr.split("every job has: ").nth(1).unwrap().split("; if the").next().unwrap();
    assert!(words.starts_with("--source "), "{words}");
    // A shell reads it, and CircleCI's program gets what it expects.
    let token = for_audience("x");
    let folder = job.home().join("bin");
    fs::create_dir(&folder).unwrap();
    let script = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$HOME/arguments\"\necho {token}\n");
    program(&folder.join("circleci"), script);
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let job = job.env("PATH", path);
    let mut shell = job.in_shell(std::process::Command::new("sh"), &format!("exec \"$0\" \"$@\" {words}"));
    let ran = shell.output().unwrap();
    assert_eq!(String::from_utf8(ran.stdout).unwrap(), format!("{token}\n"));
    let arguments = fs::read_to_string(job.home().join("arguments")).unwrap();
    assert_eq!(arguments, "run\noidc\nget\n--claims\n{\"aud\":\"x\"}\n");
}

#[test]
fn the_aws_session_name_has_the_job() {
    let token = for_audience("sts.amazonaws.com");
    let server = answering(Buildkite.reply(&token));
    let gp = Gp::in_workspace().line("idp login aws --format json --source buildkite");
    let gp = gp
        .env("BUILDKITE_AGENT_ENDPOINT", format!("http://{}", server.address()))
        .env("BUILDKITE_AGENT_ACCESS_TOKEN", JOB_SECRET)
        .env("BUILDKITE_JOB_ID", "job 1");
    // The local STS refuses the token of another issuer.
    assert_eq!(gp.run().code, 5);
    let name = gp.workspace().sts_requests()[0].session_name.clone();
    assert!(name.starts_with("buildkite-job-1-"), "{name}");
}

#[test]
fn the_token_of_a_job_is_not_sent_to_a_foreign_host() {
    let cases = [
        (AzureDevOps, "SYSTEM_OIDCREQUESTURI", "https://collect.example/x"),
        (AzureDevOps, "SYSTEM_OIDCREQUESTURI", "https://visualstudio.com.example/x"),
        (Buildkite, "BUILDKITE_AGENT_ENDPOINT", "https://agent.buildkite.com.example/v3"),
    ];
    let server = answering(Fault::json(500, "{}"));
    for (ci, variable, url) in cases {
        let ran = ci.mint(&server).env(variable, url).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{url}: {}", ran.stderr);
        assert!(ran.stderr.contains("no token is sent there"), "{url}: {}", ran.stderr);
        assert!(ran.stderr.contains("`--allow-api-host "), "{url}: {}", ran.stderr);
    }
    assert_eq!(server.requests().len(), 0);
}
