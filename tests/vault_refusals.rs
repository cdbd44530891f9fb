//! The refusals of Vault, and the settings that `gp` refuses before it calls Vault. Two snapshot
//! files contain all messages with their exit codes; `vault.txt` also has the number of requests.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::Duration;

use gp_idp::dev::{Options, VaultFault, VaultOptions, VaultRole};

use crate::faults::{faults, without_counts};
use crate::support::Gp;
use crate::support::fault::{Fault, Faulty, Step};

const LOGIN: &str = "idp login vault --format token";

fn login(options: Options) -> Gp {
    let gp = Gp::in_workspace_of(options).line(LOGIN);
    let host = gp.workspace().api_url().replace("http://", "");
    gp.with_placeholder(host, "[HOST]")
}

fn with(vault: VaultOptions) -> Gp {
    login(Options { vault, ..Options::default() })
}

fn usual() -> Gp {
    with(VaultOptions::default())
}

fn faulty(faults: &str) -> Gp {
    let faults = faults.split(' ').map(|fault| fault.parse::<VaultFault>().unwrap()).collect();
    with(VaultOptions { faults, ..VaultOptions::default() })
}

/// In a workspace whose role has these parameters. `role_type` is `jwt` unless they set it.
fn on_role(parameters: &str) -> Gp {
    let role_type = if parameters.contains("role_type") { "" } else { r#""role_type":"jwt","# };
    let roles = vec![VaultRole::parse("demo", &format!("{{{role_type}{parameters}}}")).unwrap()];
    with(VaultOptions { roles, ..VaultOptions::default() })
}

/// The usual role with these additional parameters.
fn on_usual_role(parameters: &str) -> Gp {
    on_role(&format!(
        r#""user_claim":"sub","token_ttl":3600,"bound_audiences":["vault.hashicorp.com"],{parameters}"#
    ))
}

fn with_issuer(clock_offset: i64, lifetime: Duration) -> Gp {
    login(Options { clock_offset, lifetime, ..Options::default() })
}

/// Each refusal that the local server decides, and each fault that it can be set to give.
fn refusals() -> Vec<(String, Gp)> {
    let hour = Duration::from_secs(3600);
    let elsewhere = VaultOptions { namespace: Some("team-a".into()), ..VaultOptions::default() };
    let decided = [
        ("an audience that the role does not have", usual().line("--audience x")),
        (
            "a role without audiences",
            on_role(r#""user_claim":"sub","bound_subject":"https://github.com/gitpod-io/example""#),
        ),
        ("another subject", on_usual_role(r#""bound_subject":"https://github.com/acme/shop""#)),
        (
            "another issuer",
            with(VaultOptions {
                bound_issuer: Some("https://app.gitpod.io".into()),
                ..VaultOptions::default()
            }),
        ),
        (
            "another value of a claim",
            on_usual_role(r#""bound_claims":{"repository":"https://github.com/acme/*"}"#),
        ),
        (
            "a value that fits no glob",
            on_usual_role(
                r#""bound_claims_type":"glob","bound_claims":{"repository":"https://github.com/acme/*"}"#,
            ),
        ),
        ("a claim that does not exist", on_usual_role(r#""bound_claims":{"project":"x"}"#)),
        ("a claim inside another that does not exist", on_usual_role(r#""bound_claims":{"/context/x":"x"}"#)),
        ("no user", on_role(r#""user_claim":"login","bound_audiences":"vault.hashicorp.com""#)),
        ("a user that is a number", on_role(r#""user_claim":"exp","bound_audiences":"vault.hashicorp.com""#)),
        ("no groups", on_usual_role(r#""groups_claim":"groups""#)),
        ("groups that are none", on_usual_role(r#""groups_claim":"email_verified""#)),
        (
            "a role for people",
            on_usual_role(r#""role_type":"oidc","allowed_redirect_uris":"http://127.0.0.1/""#),
        ),
        ("an issuer whose clock is behind", with_issuer(-7200, hour)),
        // Half a minute more than the message shows, because time passes before the check.
        ("an issuer whose clock is ahead", with_issuer(7230, hour)),
        ("no such role", usual().line("--role nope")),
        ("no such role in a namespace", with(elsewhere.clone()).line("--role nope --namespace team-a")),
        ("no role", usual().env("IDP_VAULT_ROLE", "")),
        ("another mount", usual().line("--mount team/jwt")),
        ("the mount is in a namespace", with(elsewhere.clone()).arg("--namespace=")),
        ("no such namespace", usual().line("--namespace team-b")),
        ("another path of the server", {
            let gp = usual();
            let address = format!("{}/elsewhere", gp.workspace().api_url());
            gp.line("--address").arg(address)
        }),
        ("wrapping that is not done", faulty("not-wrapped").line("--wrap-ttl 60s")),
    ];
    // Other tests cover the faults with which a login succeeds.
    let faults = VaultFault::names().into_iter().filter(|name| !matches!(*name, "warning" | "not-wrapped"));
    // A throttled request is retried until the timeout.
    let faults = faults.map(|name| match name {
        "too-many-requests" => (format!("fault: {name}"), faulty(name).line("--timeout 3s")),
        _ => (format!("fault: {name}"), faulty(name)),
    });
    decided.into_iter().map(|(name, gp)| (name.to_owned(), gp)).chain(faults).collect()
}

#[test]
fn each_refusal_is_explained() {
    // In parallel: most of the time is spent waiting between tries.
    let tried: Vec<_> = refusals()
        .into_iter()
        .map(|(name, gp)| {
            let run = thread::spawn(move || {
                let ran = gp.run();
                assert_eq!(ran.stdout, "");
                assert_ne!(ran.code, 0);
                let sent = gp.workspace().vault_requests();
                assert!(sent.iter().all(|request| request.has_client_headers));
                // The number of throttled requests is random.
                let shown = sent.len().min(if ran.stderr.contains("HTTP 429") { 2 } else { 4 });
                format!("exit {}, {shown} requests\n{}", ran.code, ran.stderr)
            });
            (name, run)
        })
        .collect();
    let mut report = String::new();
    for (name, run) in tried {
        writeln!(report, "## {name}\n{}", without_counts_in(&without_times(&run.join().unwrap()))).unwrap();
    }
    assert_report(&report, "vault.txt");
}

fn without_counts_in(text: &str) -> String {
    text.lines().map(|line| without_counts(line) + "\n").collect()
}

/// Replaces the token's expiry time, which differs in every run.
fn without_times(text: &str) -> String {
    match text.split_once("exp = ") {
        Some((before, rest)) => {
            let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{before}exp = [EXP]{rest}")
        }
        None => text.to_owned(),
    }
}

#[track_caller]
fn assert_report(report: &str, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/refusals").join(name);
    snapbox::assert_data_eq!(report, snapbox::Data::read_from(&path, None));
}

#[test]
fn only_temporary_failures_are_retried() {
    let cases = [
        ("sealed:3", true, 4),
        ("sealed:4", false, 4),
        ("bad-gateway:3", true, 4),
        ("too-many-requests:3", true, 4),
        ("internal-error:3", true, 4),
        ("internal-error:4", false, 4),
        ("sealed:1 bad-gateway:1", true, 3),
        // Permanent failures.
        ("permission-denied:1", false, 1),
        ("keys-unreachable:1", false, 1),
        ("signature:1", false, 1),
        ("not-configured:1", false, 1),
        ("mfa-required:1", false, 1),
        ("html-page:1", false, 1),
        ("redirect:1", false, 1),
        ("standby:1", false, 1),
        ("tls-port:1", false, 1),
        ("incomplete-reply:1", false, 1),
        ("wrong-type:1", false, 1),
        ("error-in-success:1", false, 1),
    ];
    let runs = cases.map(|(faults, succeeds, expected)| {
        thread::spawn(move || {
            let gp = faulty(faults);
            let ran = gp.run();
            let sent = gp.workspace().vault_requests().len();
            assert_eq!((ran.code == 0, sent), (succeeds, expected), "{faults}:\n{}", ran.stderr);
        })
    });
    for run in runs {
        run.join().unwrap();
    }
}

/// A login at a server with this fault for every request.
fn login_with_fault(fault: Fault) -> String {
    let server = Faulty::always(Step::Mint, fault);
    let address = format!("http://{}", server.address());
    let gp = Gp::in_workspace()
        .line("idp login vault --role demo --timeout 4s --address")
        .arg(address)
        .with_placeholder(server.address(), "[SERVER]");
    let ran = gp.run();
    assert_eq!((ran.stdout.as_str(), gp.home().join(".vault-token").exists()), ("", false));
    assert_ne!(ran.code, 0);
    format!("exit {}\n{}", ran.code, ran.stderr)
}

#[test]
fn each_fault_of_the_network_is_explained() {
    let tried: Vec<_> = faults()
        .into_iter()
        // `Faulty` refuses a mint only after a request for an API token, which this server does
        // not get.
        .filter(|(_, fault)| !matches!(fault, Fault::Refuse))
        .map(|(name, fault)| (name, thread::spawn(move || login_with_fault(fault))))
        .collect();
    let mut report = String::new();
    for (name, outcome) in tried {
        writeln!(report, "## {name}\n{}", outcome.join().unwrap()).unwrap();
    }
    let report = without_counts_in(&report);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/faults/Vault.txt");
    snapbox::assert_data_eq!(report, snapbox::Data::read_from(&path, None));
}

#[test]
fn a_tls_port_that_resets_a_post_gets_a_request_without_a_body() {
    // Go's server answers and closes the connection without reading the body, so a POST gets a
    // reset.
    let go = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    let nginx = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>The plain HTTP request was sent to HTTPS port</html>";
    let plain = "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    for (answer, hint) in [
        (go, "the address must begin with `https://` instead of `http://`: use https://[SERVER]"),
        (nginx, "the address must begin with `https://` instead of `http://`: use https://[SERVER]"),
        (
            plain,
            "most likely the server speaks TLS on this port: use https://[SERVER]\nhint: otherwise the server is restarting: try again in a minute",
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = vec![0; 4];
                let _ = stream.read_exact(&mut head);
                if head == b"GET " {
                    while !head.ends_with(b"\r\n\r\n") {
                        let mut byte = [0];
                        let _ = stream.read_exact(&mut byte);
                        head.push(byte[0]);
                    }
                    let _ = stream.write_all(answer.as_bytes());
                } else {
                    let _ = rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
                }
            }
        });
        let gp =
            Gp::in_workspace().line("idp login vault --role demo --address").arg(format!("http://{address}"));
        let ran = gp.with_placeholder(address.to_string(), "[SERVER]").run();
        let address = "the address of Vault comes from `--address`";
        let hints = format!("\nhint: {hint}\nhint: {address}\n");
        assert!(ran.code == 6 && ran.stderr.ends_with(&hints), "{}", ran.stderr);
    }
}

#[test]
fn a_server_that_cannot_read_the_discovery_document_after_a_restart() {
    let mut all = String::new();
    for body in [
        r#"{"errors":["1 error occurred:\n\t* keyset configuration error: Get \"https://issuer.example.com/.well-known/openid-configuration\": dial tcp 192.0.2.1:443: connect: connection refused\n\n"]}"#,
        r#"{"errors":["error creating provider: Get \"https://issuer.example.com/.well-known/openid-configuration\": x509: certificate signed by unknown authority"]}"#,
    ] {
        let server = Faulty::always(Step::Mint, Fault::json(500, body));
        let gp = Gp::in_workspace()
            .line("idp login vault --role demo --address")
            .arg(format!("http://{}", server.address()));
        let ran = gp.with_placeholder(server.address(), "[SERVER]").run();
        assert_eq!(ran.code, 5, "{}", ran.stderr);
        all += &ran.stderr;
    }
    snapbox::assert_data_eq!(
        all,
        snapbox::str![[r#"
error: could not log in to Vault at http://[SERVER]
  caused by: Vault (http://[SERVER]) refused: 1 error occurred: * keyset configuration error: Get "https://issuer.example.com/.well-known/openid-configuration": dial tcp 192.0.2.1:443: connect: connection refused (HTTP 500)
    iss    [API]/idp
    aud    vault.hashicorp.com
    azp    vault.hashicorp.com
    sub    https://github.com/gitpod-io/example
    role   demo
    mount  jwt
hint: the server cannot read the issuer's discovery document, for the reason above: ask Vault's administrator to check with `vault read auth/jwt/config` that `oidc_discovery_url` is `[API]/idp`
hint: if the value is correct, ask Vault's administrator to let the server reach [API]/idp/.well-known/openid-configuration
hint: if the reason above is a certificate, ask Vault's administrator to make the server trust the issuer's certificate
hint: Vault reads this address again after each restart, so it must stay reachable
error: could not log in to Vault at http://[SERVER]
  caused by: Vault (http://[SERVER]) refused: error creating provider: Get "https://issuer.example.com/.well-known/openid-configuration": x509: certificate signed by unknown authority (HTTP 500)
    iss    [API]/idp
    aud    vault.hashicorp.com
    azp    vault.hashicorp.com
    sub    https://github.com/gitpod-io/example
    role   demo
    mount  jwt
hint: the server cannot read the issuer's discovery document, for the reason above: ask Vault's administrator to check with `vault read auth/jwt/config` that `oidc_discovery_url` is `[API]/idp`
hint: if the value is correct, ask Vault's administrator to let the server reach [API]/idp/.well-known/openid-configuration
hint: if the reason above is a certificate, ask Vault's administrator to make the server trust the issuer's certificate
hint: Vault reads this address again after each restart, so it must stay reachable

"#]]
    );
}

#[test]
fn roles_that_accept_the_token() {
    for parameters in [
        r#""bound_subject":"https://github.com/gitpod-io/example""#,
        r#""bound_claims":{"repository":["x","https://github.com/gitpod-io/example.git"]}"#,
        r#""bound_claims_type":"glob","bound_claims":{"repository":"https://github.com/gitpod-io/*"}"#,
        r#""bound_claims":{"email_verified":true}"#,
        r#""groups_claim":"aud""#,
    ] {
        on_usual_role(parameters).run().success();
    }
    // The default leeway is one minute.
    with_issuer(-3600 - 40, Duration::from_secs(3600)).run().success();
    with_issuer(50, Duration::from_secs(3600)).run().success();
}

#[test]
fn verbose_shows_no_secret() {
    let gp = faulty("sealed:1").line("--verbose");
    let ran = gp.run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!ran.stderr.contains(ran.stdout.trim_end()), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("POST [API]/vault/v1/auth/jwt/login -> ").count(), 2, "{}", ran.stderr);
}

/// The name of the case, its arguments and its environment.
type Case = (&'static str, &'static [&'static str], &'static [(&'static str, &'static str)]);

/// Settings that are known to fail, so that no request is sent.
const KNOWN_TO_FAIL: &[Case] = &[
    ("no address", &[], &[("VAULT_ADDR", "")]),
    ("no scheme", &[], &[("VAULT_ADDR", "vault.example.com:8200")]),
    ("no scheme before an address", &["--address=127.0.0.1:8200"], &[]),
    ("no URL", &["--address=vault example"], &[]),
    ("plain http", &["--address=http://vault.example.com:8200"], &[]),
    ("a socket without its folder", &[], &[("BAO_ADDR", "unix://bao.sock")]),
    ("another scheme", &[], &[("BAO_ADDR", "ftp://vault.example.com")]),
    ("a password", &["--address=https://ann:hunter2@vault.example.com"], &[]),
    ("the path of the API", &["--address=https://vault.example.com/v1"], &[]),
    ("an Agent without scheme", &[], &[("VAULT_AGENT_ADDR", "127.0.0.1:8100")]),
    ("no mount", &["--mount="], &[]),
    ("nothing but a prefix", &["--mount=auth/"], &[]),
    ("a way out", &["--mount=../sys/seal"], &[]),
    ("an empty part", &["--mount=team//jwt"], &[]),
    ("a namespace with a line break", &["--namespace=a\nb"], &[]),
    ("a namespace in the environment", &[], &[("VAULT_NAMESPACE", "a//b")]),
    ("a namespace for later", &["--use-namespace=ü"], &[]),
    ("a role with a slash", &["--role=team/deploy"], &[]),
    ("a role in the environment", &[], &[("IDP_VAULT_ROLE", "a b")]),
    ("no role at all", &["--role="], &[]),
    ("a time without end", &["--wrap-ttl=0"], &[]),
    ("half a second", &["--wrap-ttl=500ms"], &[]),
    ("a time in words", &["--wrap-ttl=soon"], &[]),
    ("a time in the environment", &[], &[("VAULT_WRAP_TTL", "1h30")]),
    ("a certificate without key", &["--client-cert=cert.pem"], &[]),
    ("a key without certificate", &[], &[("VAULT_CLIENT_KEY", "key.pem")]),
    ("an address for a name", &["--tls-server-name=127.0.0.1"], &[]),
    ("a name with a port", &[], &[("VAULT_TLS_SERVER_NAME", "vault:8200")]),
    ("neither true nor false", &[], &[("VAULT_SKIP_VERIFY", "yes")]),
    ("a certificate without key in a variable", &[], &[("BAO_CLIENT_CERT_BYTES", "x")]),
    (
        "no certificate in a variable",
        &[],
        &[("BAO_CLIENT_CERT_BYTES", "hunter2"), ("VAULT_CLIENT_KEY_BYTES", "hunter2")],
    ),
    ("a limit in words", &[], &[("VAULT_CLIENT_TIMEOUT", "soon")]),
    ("less than no retries", &[], &[("VAULT_MAX_RETRIES", "-1")]),
    ("no such authority", &["--ca-cert=none.pem"], &[]),
    ("an invalid authority", &["--ca-cert=/etc/hostname"], &[]),
    ("no such folder", &[], &[("VAULT_CAPATH", "none")]),
    ("no authority in a variable", &[], &[("VAULT_CACERT_BYTES", "-----BEGIN")]),
    ("no such certificate", &["--client-cert=none.pem", "--client-key=none.pem"], &[]),
    ("no proxy", &[], &[("VAULT_PROXY_ADDR", "http://")]),
];

#[test]
fn settings_that_are_known_to_fail_are_not_sent() {
    let mut report = String::new();
    for (name, args, environment) in KNOWN_TO_FAIL {
        // This server is both the supervisor and the API.
        let server = Faulty::first(Step::Mint, vec![]);
        let mut gp = Gp::new()
            .line("idp login vault")
            .env("SUPERVISOR_ADDR", server.address())
            .env("IDP_API_URL", format!("http://{}", server.address()))
            .env("VAULT_ADDR", "https://vault.example.com:8200")
            .secret("hunter2");
        gp = args.iter().fold(gp, |gp, arg| gp.arg(*arg));
        gp = environment.iter().fold(gp, |gp, (name, value)| gp.env(name, *value));
        let ran = gp.run();
        assert_eq!(ran.stdout, "", "{name}");
        assert_eq!(server.requests(), Vec::<String>::new(), "{name}");
        assert!(!gp.home().join(".vault-token").exists());
        writeln!(report, "## {name}\nexit {}\n{}", ran.code, ran.stderr).unwrap();
    }
    assert_report(&report, "vault-local.txt");
}
