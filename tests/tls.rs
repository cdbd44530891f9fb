//! Connections to the API: trusted authorities, host names, proxies.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use snapbox::str;

use crate::support::Gp;
use crate::support::fault::{API_TOKEN, Faulty, ID_TOKEN, Step};

/// No resolver knows this name (RFC 2606), so it is reachable only through a proxy.
const HOST: &str = "gitpod.invalid";

/// An API with TLS and its own certificate authority.
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    pub(crate) ca: String,
    pub(crate) seen: Arc<ServerLog>,
}

/// The connections and requests that a server got.
#[derive(Default)]
pub(crate) struct ServerLog {
    pub(crate) connections: AtomicUsize,
    pub(crate) handshakes: AtomicUsize,
    /// The first line of each request.
    pub(crate) requests: Mutex<Vec<String>>,
    /// The number of connections that the server drops before the handshake.
    pub(crate) resets: AtomicUsize,
}

/// The TLS fault of a server at 127.0.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certificate {
    Expired,
    NotYetValid,
    OtherName,
    SelfSigned,
    UnknownAuthority,
    /// The server knows no newer protocol than TLS 1.1.
    OldProtocol,
    /// The server speaks plain http.
    None,
}

impl Api {
    fn start(name: &str, expired: bool) -> Self {
        Self::with(name, expired, token_reply())
    }

    /// An API that gives the same reply to every request.
    pub(crate) fn answering(name: &str, status: u16, kind: &str, body: &str) -> Self {
        Self::with(name, false, reply(status, kind, body))
    }

    fn with(name: &str, expired: bool, reply: String) -> Self {
        Self::signed(name, reply, |server| {
            if expired {
                server.not_after = rcgen::date_time_ymd(2020, 1, 1);
            }
        })
    }

    /// An API with this fault. `ca` is the authority to trust.
    pub(crate) fn certified(fault: Certificate) -> Self {
        const HERE: &str = "127.0.0.1";
        let alert = |bytes: &'static [u8]| Self {
            address: answering_any(bytes),
            ca: Self::start(HERE, false).ca,
            seen: Arc::default(),
        };
        match fault {
            Certificate::Expired => Self::start(HERE, true),
            Certificate::NotYetValid => Self::signed(HERE, token_reply(), |server| {
                server.not_before = rcgen::date_time_ymd(2090, 1, 1);
            }),
            Certificate::OtherName => Self::start("elsewhere.example.com", false),
            Certificate::SelfSigned => Self::self_signed(),
            Certificate::UnknownAuthority => {
                Self { ca: Self::start(HERE, false).ca, ..Self::start(HERE, false) }
            }
            // The fatal alert `protocol_version`.
            Certificate::OldProtocol => alert(b"\x15\x03\x02\0\x02\x02\x46"),
            Certificate::None => alert(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        }
    }

    fn self_signed() -> Self {
        let mut own = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = own.self_signed(&key).unwrap();
        Self::serve(certificate.der().clone(), &key, certificate.pem(), token_reply())
    }

    fn signed(name: &str, reply: String, change: impl FnOnce(&mut CertificateParams)) -> Self {
        static COUNT: AtomicU8 = AtomicU8::new(0);
        let mut authority = CertificateParams::default();
        // Two authorities with the same name would differ only in their signature.
        authority
            .distinguished_name
            .push(DnType::CommonName, format!("authority {}", COUNT.fetch_add(1, Ordering::Relaxed)));
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut server = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut server);
        let certificate = server.signed_by(&key, &authority).unwrap();
        Self::serve(certificate.der().clone(), &key, authority.pem(), reply)
    }

    fn serve(certificate: CertificateDer<'static>, key: &KeyPair, ca: String, reply: String) -> Self {
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(ServerLog::default());
        let log = seen.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, reply, seen) = (config.clone(), reply.clone(), log.clone());
                seen.connections.fetch_add(1, Ordering::SeqCst);
                if seen
                    .resets
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                    .is_ok()
                {
                    continue;
                }
                thread::spawn(move || {
                    let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
                    if stream.conn.complete_io(&mut stream.sock).is_ok() {
                        seen.handshakes.fetch_add(1, Ordering::SeqCst);
                        while answer(&mut stream, &reply, &seen).is_ok() {}
                    }
                });
            }
        });
        Self { address, ca, seen }
    }
}

/// A server that answers every connection with these bytes.
fn answering_any(bytes: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 1]).and_then(|_| stream.write_all(bytes));
        }
    });
    address
}

fn reply(status: u16, kind: &str, body: &str) -> String {
    let head = format!("HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n");
    format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn token_reply() -> String {
    reply(200, "application/json", &format!("{{\"token\":\"{ID_TOKEN}\"}}"))
}

/// Reads one request and sends the reply.
fn answer(
    stream: &mut StreamOwned<ServerConnection, TcpStream>,
    reply: &str,
    seen: &ServerLog,
) -> io::Result<()> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    let head = String::from_utf8(request).unwrap().to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    stream.read_exact(&mut vec![0; length.map_or(0, |length| length.parse().unwrap())])?;
    seen.requests.lock().unwrap().push(head.lines().next().unwrap_or_default().to_owned());
    write!(stream, "{reply}")?;
    stream.flush()
}

/// An HTTP proxy that connects every CONNECT to one address, and records the requests.
struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).unwrap_or(0) == 1 {
                    head.push(byte[0]);
                }
                log.lock().unwrap().push(String::from_utf8(head).unwrap());
                client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
                let mut server = TcpStream::connect(target).unwrap();
                let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || std::io::copy(&mut from, &mut to));
                thread::spawn(move || std::io::copy(&mut server, &mut client));
            }
        });
        Self { address, asked }
    }
}

/// `gp idp token` in a workspace of the installation [`HOST`].
fn token() -> (Faulty, Gp) {
    let server = Faulty::first(Step::Info, vec![]).for_host(HOST);
    let gp = Gp::new().line("idp token --audience x").env("SUPERVISOR_ADDR", server.address());
    (server, gp.secret(API_TOKEN))
}

/// The same with this API, and `ca` as the trusted authority.
fn token_from(api: &Api, ca: &str) -> (Faulty, Gp) {
    let (server, gp) = token();
    fs::write(gp.home().join("ca.pem"), ca).unwrap();
    let file = gp.home().join("ca.pem");
    let gp = gp.env("SSL_CERT_FILE", file).env("IDP_API_URL", format!("https://{}", api.address));
    (server, gp.with_placeholder(api.address.to_string(), "[API]"))
}

#[test]
fn the_authority_in_ssl_cert_file_is_trusted() {
    let api = Api::start("127.0.0.1", false);
    let (_server, gp) = token_from(&api, &api.ca);
    assert_eq!(gp.run().success(), format!("{ID_TOKEN}\n"));
}

#[test]
fn another_authority_is_not_trusted() {
    let api = Api::start("127.0.0.1", false);
    let (_server, gp) = token_from(&api, &Api::start("127.0.0.1", false).ca);
    gp.run().failure(
        6,
        str![[r#"
error: could not mint an ID token for `x`
  caused by: the API that mints ID tokens cannot be reached
  caused by: no trusted TLS connection to https://[API]: its certificate is signed by an authority that is not trusted here
hint: most likely a private CA or an intercepting proxy signed this certificate: if you trust the signer, ask whoever runs it for its CA certificate
hint: then add that certificate to [HOME]/ca.pem: `SSL_CERT_FILE` names this file, so the system's authorities are not used
...

"#]],
    );
}

#[test]
fn the_trust_setting_in_effect_is_named_with_what_it_replaces() {
    let api = Api::start("127.0.0.1", false);
    let other = Api::start("127.0.0.1", false).ca;
    let hint = |gp: &Gp| {
        let ran = gp.run();
        assert_eq!(ran.code, 6, "{}", ran.stderr);
        let last = ran.stderr.lines().last().unwrap();
        last.strip_prefix("hint: then ").unwrap_or(last).to_owned()
    };
    let (_server, gp) = token_from(&api, &other);
    // If nothing is set, the hint keeps the system's authorities.
    let gp = gp.env("SSL_CERT_FILE", "");
    let system = hint(&gp);
    let says_both = system.contains("`SSL_CERT_FILE`") && system.contains("replace");
    assert!(says_both && !system.contains("name its file in"), "{system}");
    let folder = gp.home().join("cas");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("12345678.0"), &other).unwrap();
    assert_eq!(
        hint(&gp.env("SSL_CERT_DIR", &folder)),
        "put that certificate into [HOME]/cas: `SSL_CERT_DIR` names this folder, so the system's authorities are not used"
    );
    let gp = || {
        let line = format!("idp login aws --endpoint-url https://{} --format json", api.address);
        let gp = Gp::in_workspace().line(&line);
        fs::write(gp.home().join("ca.pem"), &other).unwrap();
        gp
    };
    assert_eq!(
        hint(&gp()),
        "set `AWS_CA_BUNDLE` to the file of that certificate. This setting applies only to this service"
    );
    let with_bundle = gp();
    let file = with_bundle.home().join("ca.pem");
    assert_eq!(
        hint(&with_bundle.env("AWS_CA_BUNDLE", file)),
        "add that certificate to [HOME]/ca.pem (`AWS_CA_BUNDLE`): only the authorities in this file are trusted for this service"
    );
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let api = Api::start("elsewhere.example.com", false);
    let (_server, gp) = token_from(&api, &api.ca);
    gp.run().failure(
        6,
        str![[r#"
error: could not mint an ID token for `x`
  caused by: the API that mints ID tokens cannot be reached
  caused by: no trusted TLS connection to https://[API]: its certificate is for elsewhere.example.com, not for 127.0.0.1
hint: most likely `IDP_API_URL` names another service: run `unset IDP_API_URL` to use the API of the workspace
hint: if that does not help, a login page or a proxy is in front of the API: ask whoever runs the network to allow requests to the API

"#]],
    );
}

#[test]
fn a_self_signed_certificate_is_refused_even_if_it_is_trusted() {
    let api = Api::self_signed();
    let (_server, gp) = token_from(&api, &api.ca);
    gp.run().failure(6, str![[r#"
error: could not mint an ID token for `x`
  caused by: the API that mints ID tokens cannot be reached
  caused by: no trusted TLS connection to https://[API]: it presents a CA certificate instead of a server certificate
hint: ask whoever runs the server to install a server certificate that a certificate authority (CA) signed, and to give you the certificate of this CA
hint: then add that certificate to [HOME]/ca.pem: `SSL_CERT_FILE` names this file, so the system's authorities are not used
...

"#]]);
}

#[test]
fn a_port_without_tls_is_named() {
    let api = Api::certified(Certificate::None);
    let (_server, gp) = token_from(&api, &api.ca);
    gp.run().failure(
        6,
        str![[r#"
error: could not mint an ID token for `x`
  caused by: the API that mints ID tokens cannot be reached
  caused by: no trusted TLS connection to https://[API]: the server does not speak TLS
hint: most likely `IDP_API_URL` names another service: run `unset IDP_API_URL` to use the API of the workspace
hint: if that does not help, a login page or a proxy is in front of the API: ask whoever runs the network to allow requests to the API

"#]],
    );
}

#[test]
fn an_expired_certificate_is_refused() {
    let api = Api::start("127.0.0.1", true);
    let (_server, gp) = token_from(&api, &api.ca);
    gp.run().failure(
        6,
        str![[r#"
error: could not mint an ID token for `x`
  caused by: the API that mints ID tokens cannot be reached
  caused by: no trusted TLS connection to https://[API]: its certificate expired on 2020-01-01
hint: compare `date -u` with `curl -sI https://example.com | grep -i ^date`, and set this machine's clock if it is wrong
hint: if the clock is right, ask whoever runs the server to renew its certificate

"#]],
    );
}

#[test]
fn a_missing_or_empty_trust_store_is_named() {
    let api = Api::start("127.0.0.1", false);
    let (_server, gp) = token_from(&api, "");
    gp.run().failure(
        7,
        str![[r#"
error: could not mint an ID token for `x`
  caused by: the API that mints ID tokens cannot be reached
  caused by: found no certificate authorities in `[HOME]/ca.pem`
hint: `SSL_CERT_FILE` must name a file with PEM certificates, and `SSL_CERT_DIR` a folder with such files: correct them, or run `unset SSL_CERT_FILE SSL_CERT_DIR` to use the system's authorities

"#]],
    );
    let (_server, gp) = token_from(&api, "");
    gp.env("SSL_CERT_FILE", "/no/such/file").run().failure(
        7,
        str![[r#"
error: could not mint an ID token for `x`
  caused by: the API that mints ID tokens cannot be reached
  caused by: found no certificate authorities in `/no/such/file`: No such file or directory (os error 2)
hint: `SSL_CERT_FILE` must name a file with PEM certificates, and `SSL_CERT_DIR` a folder with such files: correct them, or run `unset SSL_CERT_FILE SSL_CERT_DIR` to use the system's authorities

"#]],
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named_even_beside_a_good_folder() {
    let api = Api::start("127.0.0.1", false);
    let (_server, gp) = token_from(&api, &api.ca);
    let folder = gp.home().join("cas");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("12345678.0"), &api.ca).unwrap();
    let gp = gp.env("SSL_CERT_FILE", "/no/such/file").env("SSL_CERT_DIR", folder);
    let ran = gp.run();
    assert_eq!(ran.code, 7, "{}", ran.stderr);
    assert!(ran.stderr.contains("no certificate authorities in `/no/such/file`: "), "{}", ran.stderr);
    // `/dev/null` is a common way to use only the folder.
    assert_eq!(gp.env("SSL_CERT_FILE", "/dev/null").run().success(), format!("{ID_TOKEN}\n"));
}

#[test]
fn several_folders_are_separated_as_in_path() {
    let api = Api::start("127.0.0.1", false);
    let (_server, gp) = token_from(&api, &api.ca);
    let folders = ["a", "b"].map(|name| gp.home().join(name));
    for (folder, ca) in folders.iter().zip([&Api::start("127.0.0.1", false).ca, &api.ca]) {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("12345678.0"), ca).unwrap();
    }
    let both = std::env::join_paths(&folders).unwrap();
    let gp = gp.env("SSL_CERT_FILE", "").env("SSL_CERT_DIR", both);
    assert_eq!(gp.run().success(), format!("{ID_TOKEN}\n"));
}

/// A proxy that gives every CONNECT this reply.
pub(crate) fn proxy_with_reply(reply: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).unwrap_or(0) == 1 {
                head.push(byte[0]);
            }
            let _ = client.write_all(reply.as_bytes());
        }
    });
    address
}

/// A server that accepts connections and sends nothing.
pub(crate) fn proxy_that_hangs() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    address
}

#[test]
fn a_proxy_that_hangs_is_named_at_the_timeout() {
    let (_server, gp) = token();
    let address = proxy_that_hangs();
    let gp =
        gp.env("HTTPS_PROXY", format!("http://{address}")).with_placeholder(address.to_string(), "[PROXY]");
    gp.line("--timeout 1s").run().failure(
        6,
        str![[r#"
error: could not mint an ID token for `x`
  caused by: the API that mints ID tokens gave no usable answer
  caused by: https://api.gitpod.invalid through the proxy http://[PROXY] did not answer within 1 s
hint: most likely https://api.gitpod.invalid is overloaded, or the proxy hangs: give it more time with `--timeout 1m`
hint: if it fails again, ask whoever runs the proxy http://[PROXY] why it does not answer

"#]],
    );
}

#[test]
fn an_intercepting_proxy_is_named() {
    let mut report = String::new();
    for (what, name) in
        [("its own authority", format!("api.{HOST}")), ("another name", "login.example.com".into())]
    {
        let api = Api::start(&name, false);
        let ca = if what == "another name" { api.ca.clone() } else { Api::start(&name, false).ca };
        let proxy = Proxy::to(api.address);
        let (_server, gp) = token_from(&api, &ca);
        let gp = gp.env("IDP_API_URL", "").env("HTTPS_PROXY", format!("http://{}", proxy.address));
        let ran = gp.with_placeholder(proxy.address.to_string(), "[PROXY]").run();
        assert_eq!((ran.code, ran.stdout.as_str()), (6, ""), "{what}");
        let _ = writeln!(report, "## {what}\n{}", ran.stderr);
    }
    snapbox::assert_data_eq!(
        report,
        str![[r#"
## its own authority
error: could not mint an ID token for `x`
  caused by: the API that mints ID tokens cannot be reached
  caused by: no trusted TLS connection to https://api.gitpod.invalid: its certificate is signed by an authority that is not trusted here
hint: most likely the proxy http://[PROXY] signed this certificate, or a private CA did: if you trust the signer, ask whoever runs it for its CA certificate
hint: then add that certificate to [HOME]/ca.pem: `SSL_CERT_FILE` names this file, so the system's authorities are not used
...

## another name
error: could not mint an ID token for `x`
  caused by: the API that mints ID tokens cannot be reached
  caused by: no trusted TLS connection to https://api.gitpod.invalid: its certificate is for login.example.com, not for api.gitpod.invalid
hint: the proxy http://[PROXY] connects to another server: ask whoever runs the proxy to let it connect to https://api.gitpod.invalid
hint: if `api.gitpod.invalid` can be reached without a proxy, add it to `NO_PROXY`


"#]]
    );
}

#[test]
fn errors_of_a_proxy_are_not_blamed_on_the_api() {
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let wants_password = proxy_with_reply("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    let refuses = proxy_with_reply("HTTP/1.1 403 Forbidden\r\n\r\n");
    let hangs_up = proxy_with_reply("");
    let login = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><title>Log in</title></html>";
    let page = proxy_with_reply(login);
    let bare_page = proxy_with_reply("HTTP/1.1 200 OK\r\n\r\n<!DOCTYPE html><p>Log in</p>");
    let redirects =
        proxy_with_reply("HTTP/1.1 302 Found\r\nLocation: https://login.example.com/?x=1\r\n\r\n");
    let says = |status: &'static str| format!("http://{}", proxy_with_reply(status));
    let blocked = "HTTP/1.1 403 No\r\nContent-Type: text/html\r\n\r\n<title>Blocked by policy</title>";
    let mut report = String::new();
    for (name, variable, address) in [
        ("nobody there", "HTTPS_PROXY", format!("http://me:pass-phrase@{nobody}")),
        ("without a scheme", "https_proxy", nobody.to_string()),
        ("a name that nobody knows", "HTTPS_PROXY", "http://proxy.invalid:3128".to_owned()),
        ("407", "HTTPS_PROXY", format!("http://{wants_password}")),
        ("407 for all that", "HTTPS_PROXY", format!("http://me:pass-phrase@{wants_password}")),
        ("403", "ALL_PROXY", format!("http://{refuses}")),
        ("403 with a page", "HTTPS_PROXY", says(blocked)),
        ("405", "HTTPS_PROXY", says("HTTP/1.1 405 Method Not Allowed\r\n\r\n")),
        ("429", "HTTPS_PROXY", says("HTTP/1.1 429 Too Many Requests\r\n\r\n")),
        ("502", "HTTPS_PROXY", says("HTTP/1.1 502 Bad Gateway\r\nServer: squid\r\n\r\n")),
        ("503", "HTTPS_PROXY", says("HTTP/1.1 503 Service Unavailable\r\n\r\n")),
        ("504", "HTTPS_PROXY", says("HTTP/1.1 504 Gateway Timeout\r\n\r\n")),
        ("302", "HTTPS_PROXY", format!("http://{redirects}")),
        ("200 with a page", "HTTPS_PROXY", format!("http://{page}")),
        ("200 with a page of no type", "HTTPS_PROXY", format!("http://{bare_page}")),
        ("hangs up", "HTTPS_PROXY", format!("http://{hangs_up}")),
        ("hangs", "HTTPS_PROXY", format!("http://{}", proxy_that_hangs())),
        (
            "connects to what hangs",
            "HTTPS_PROXY",
            format!("http://{}", Proxy::to(proxy_that_hangs()).address),
        ),
        ("SOCKS", "ALL_PROXY", format!("socks5://me:pass-phrase@{nobody}")),
    ] {
        let (_server, gp) = token();
        let at = address.rsplit('@').next().unwrap().trim_start_matches("http://").to_owned();
        let gp = gp.secret("pass-phrase").with_placeholder(at, "[PROXY]").env(variable, address);
        let ran = gp.run();
        assert_eq!((ran.code, ran.stdout.as_str()), (6, ""), "{name}");
        let _ = writeln!(report, "## {name}\n{}", ran.stderr);
    }
    snapbox::assert_data_eq!(report, snapbox::file!["snapshots/faults/Proxy.txt"].raw());
}

#[test]
fn the_api_is_reached_through_the_proxy_and_the_supervisor_is_not() {
    let api = Api::start(&format!("api.{HOST}"), false);
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let proxy = Proxy::to(api.address);
        let (_server, gp) = token_from(&api, &api.ca);
        let gp = gp.env("IDP_API_URL", "").env(variable, format!("http://me:pass-phrase@{}", proxy.address));
        assert_eq!(gp.secret("pass-phrase").run().success(), format!("{ID_TOKEN}\n"));
        let asked = proxy.asked.lock().unwrap();
        assert_eq!(asked.len(), 1);
        assert!(asked[0].starts_with(&format!("CONNECT api.{HOST}:443 HTTP/1.1\r\n")), "{}", asked[0]);
        assert!(asked[0].to_ascii_lowercase().contains("proxy-authorization: basic "), "{}", asked[0]);
    }
}

#[test]
fn no_proxy_skips_the_proxy_for_a_name_that_cannot_be_resolved() {
    let proxy = Proxy::to("127.0.0.1:1".parse().unwrap());
    let (_server, gp) = token();
    let gp = gp.env("HTTPS_PROXY", format!("http://{}", proxy.address)).env("NO_PROXY", HOST);
    gp.run().failure(
        6,
        str![[r#"
error: could not mint an ID token for `x`
  caused by: the API that mints ID tokens cannot be reached
  caused by: the host name of https://api.gitpod.invalid could not be resolved
hint: this network does not know the name of the API: connect to the VPN
hint: if this network needs a proxy, set `HTTPS_PROXY=http://HOST:PORT`
hint: the address of the API comes from the workspace's supervisor, not from your settings

"#]],
    );
    assert!(proxy.asked.lock().unwrap().is_empty());
}
