//! TLS to Vault: authorities, client certificates, names, no verification, proxies.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use snapbox::str;

use crate::support::Gp;

const LOGIN: &str = "idp login vault --format token --timeout 20s";
type Seen = Arc<Mutex<Vec<(Option<String>, String)>>>;
const REPLY: &str = r#"{"auth":{"client_token":"s.over-tls","lease_duration":60,"policies":[]}}"#;

/// A server with TLS and its own certificate authority.
struct Server {
    address: SocketAddr,
    ca: String,
    /// A client certificate and its key, which the server accepts.
    client: (String, String),
    /// The TLS server name and the `Host` header of each request.
    seen: Seen,
}

impl Server {
    fn start(name: &str, asks_for_certificate: bool) -> Self {
        let authority = authority("servers");
        let (certificate, key) = signed(name, &authority);
        let clients = self::authority("clients");
        let (client, client_key) = signed("client", &clients);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap();
        let config = if asks_for_certificate {
            let mut roots = RootCertStore::empty();
            roots.add(clients.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            config.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            config.with_no_client_auth()
        };
        let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = Arc::new(config.with_single_cert(vec![certificate.der().clone()], der).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, log) = (config.clone(), log.clone());
                thread::spawn(move || {
                    answer(StreamOwned::new(ServerConnection::new(config).unwrap(), stream), &log);
                });
            }
        });
        Self { address, ca: authority.pem(), client: (client.pem(), client_key.serialize_pem()), seen }
    }

    fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.address.port())
    }
}

pub(crate) fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

pub(crate) fn signed(
    name: &str,
    authority: &CertifiedIssuer<'static, KeyPair>,
) -> (rcgen::Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    (certificate, key)
}

/// Answers one request with a token. Returns if the client aborts the handshake.
fn answer(mut stream: StreamOwned<ServerConnection, TcpStream>, log: &Mutex<Vec<(Option<String>, String)>>) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"}") {
        match stream.read(&mut byte) {
            Ok(1) => request.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8(request).unwrap().to_ascii_lowercase();
    let host = head.split("\r\nhost: ").nth(1).unwrap().split('\r').next().unwrap().to_owned();
    log.lock().unwrap().push((stream.conn.server_name().map(str::to_owned), host));
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
    let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{REPLY}", REPLY.len());
    stream.conn.send_close_notify();
    let _ = stream.flush();
}

/// A login at this server, whose authority and client certificate are in files.
fn login(server: &Server) -> Gp {
    let gp = Gp::in_workspace().line(LOGIN).env("VAULT_ADDR", server.url()).env("BAO_ADDR", server.url());
    let write = |name: &str, text: &str| fs::write(gp.home().join(name), text).unwrap();
    write("ca.pem", &server.ca);
    write("client.pem", &server.client.0);
    write("client-key.pem", &server.client.1);
    gp.with_placeholder(server.url(), "[VAULT]")
}

fn path(gp: &Gp, name: &str) -> String {
    gp.home().join(name).display().to_string()
}

#[track_caller]
fn succeeds(gp: &Gp) {
    assert_eq!(gp.run().success(), "s.over-tls\n");
}

#[test]
fn an_authority_may_be_in_a_file_a_folder_or_a_variable() {
    let server = Server::start("127.0.0.1", false);
    let gp = login(&server);
    let ca = path(&gp, "ca.pem");
    succeeds(&gp.line("--ca-cert").arg(&ca));
    for variable in ["VAULT_CACERT", "BAO_CACERT"] {
        let gp = login(&server);
        let ca = path(&gp, "ca.pem");
        succeeds(&gp.env(variable, ca));
    }
    succeeds(&login(&server).env("VAULT_CACERT_BYTES", &server.ca));
    // Files may have any name and be in subfolders. Files without a certificate are ignored.
    let gp = login(&server);
    let folder = gp.home().join("authorities/ours");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("first"), &server.ca).unwrap();
    fs::write(folder.join("README"), "nothing").unwrap();
    succeeds(&gp.env("VAULT_CAPATH", path(&login(&server), "none")).line("--ca-path authorities"));
    // A file takes precedence over a folder, and a flag over a variable.
    let gp = login(&server);
    let ca = path(&gp, "ca.pem");
    succeeds(&gp.env("VAULT_CACERT", ca).env("VAULT_CAPATH", "/none"));
    let gp = login(&server);
    let ca = path(&gp, "ca.pem");
    succeeds(&gp.env("VAULT_CACERT", "/none").line("--ca-cert").arg(ca));
}

#[test]
fn another_authority_is_not_trusted_and_the_right_setting_named() {
    let server = Server::start("127.0.0.1", false);
    let gp = login(&server);
    fs::write(gp.home().join("ca.pem"), Server::start("127.0.0.1", false).ca).unwrap();
    gp.line("--ca-cert ca.pem").run().failure(
        6,
        str![[r#"
error: could not log in to Vault at [VAULT]
  caused by: Vault cannot be reached
  caused by: no trusted TLS connection to [VAULT]: the issuer of its certificate is trusted here, but another key signed the certificate
hint: most likely the authority has a new key, and this machine has the old CA certificate: ask whoever runs [VAULT] for the new CA certificate
hint: then add that certificate to ca.pem (`--ca-cert`): only the authorities in this file are trusted for this service

"#]],
    );
    let other = Server::start("127.0.0.1", false).ca;
    for (variable, value, hint) in [
        (
            "TMP",
            "/",
            "set `VAULT_CACERT` to the file of that certificate. This setting applies only to this service",
        ),
        (
            "BAO_CACERT",
            "other/ca.pem",
            "add that certificate to other/ca.pem (`BAO_CACERT`): only the authorities in this file are trusted for this service",
        ),
        (
            "VAULT_CAPATH",
            "other",
            "put that certificate into other (`VAULT_CAPATH`): only the authorities in this folder are trusted for this service",
        ),
        (
            "VAULT_CACERT_BYTES",
            &other,
            "add that certificate to `VAULT_CACERT_BYTES`: only its authorities are trusted for this service",
        ),
    ] {
        let gp = login(&server);
        fs::create_dir(gp.home().join("other")).unwrap();
        fs::write(gp.home().join("other/ca.pem"), &other).unwrap();
        let ran = gp.env(variable, value).run();
        assert_eq!(ran.code, 6, "{variable}: {}", ran.stderr);
        assert!(ran.stderr.ends_with(&format!("\nhint: then {hint}\n")), "{variable}: {}", ran.stderr);
    }
}

#[test]
fn a_client_certificate_is_sent_if_the_server_requests_it() {
    let server = Server::start("127.0.0.1", true);
    let flags = "--ca-cert ca.pem --client-cert client.pem --client-key client-key.pem";
    succeeds(&login(&server).line(flags));
    let gp = login(&server).line("--ca-cert ca.pem");
    let (certificate, key) = (path(&gp, "client.pem"), path(&gp, "client-key.pem"));
    succeeds(&gp.env("VAULT_CLIENT_CERT", certificate).env("VAULT_CLIENT_KEY", key));

    let (certificate, key) = &server.client;
    let in_variables = || {
        let gp = login(&server).line("--ca-cert ca.pem").secret(key.lines().nth(1).unwrap());
        gp.env("BAO_CLIENT_CERT_BYTES", certificate).env("VAULT_CLIENT_KEY_BYTES", key)
    };
    succeeds(&in_variables());
    // Files take precedence.
    succeeds(
        &in_variables()
            .env("VAULT_CLIENT_KEY_BYTES", "")
            .line("--client-cert client.pem --client-key client-key.pem"),
    );

    let ran = login(&server).line("--ca-cert ca.pem").run();
    assert_eq!(ran.code, 6);
    assert!(
        ran.stderr.contains("it requires a client certificate, but none is configured"),
        "{}",
        ran.stderr
    );
    login(&server).line("--client-cert client.pem --client-key ca.pem").run().failure(
        7,
        str![[r#"
error: could not log in to Vault at [VAULT]
  caused by: the key of the client certificate is unusable: ca.pem contains no private key
hint: correct `--client-key`: it must name a PEM file with the private key of the certificate, without a password

"#]],
    );
}

#[test]
fn another_tls_server_name_is_sent_and_verified() {
    let server = Server::start("vault.example.com", false);
    let gp = login(&server).line("--ca-cert ca.pem");
    let ran = gp.run();
    assert_eq!(ran.code, 6);
    assert!(
        ran.stderr.contains("its certificate is for vault.example.com, not for 127.0.0.1"),
        "{}",
        ran.stderr
    );
    assert!(server.seen.lock().unwrap().is_empty());

    succeeds(&gp.line("--tls-server-name vault.example.com"));
    succeeds(&login(&server).line("--ca-cert ca.pem").env("VAULT_TLS_SERVER_NAME", "vault.example.com"));
    let seen = server.seen.lock().unwrap().clone();
    let expected = (Some("vault.example.com".to_owned()), server.url().replace("https://", ""));
    assert_eq!(seen, [expected.clone(), expected]);
}

#[test]
fn without_verification_there_is_a_warning_even_with_quiet() {
    let server = Server::start("elsewhere.example.com", false);
    for gp in [
        login(&server).line("--tls-skip-verify --quiet"),
        login(&server).env("VAULT_SKIP_VERIFY", "1").line("--quiet"),
    ] {
        let ran = gp.run();
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "s.over-tls\n"));
        assert!(ran.stderr.starts_with("WARNING: `"), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("turns off the verification of the certificate of [VAULT]"),
            "{}",
            ran.stderr
        );
    }
    let ran = login(&server).env("VAULT_SKIP_VERIFY", "false").run();
    assert_eq!(ran.code, 6);
}

#[test]
fn https_to_a_port_without_tls_is_explained() {
    let gp = Gp::in_workspace().line(LOGIN);
    let address = gp.workspace().vault_url().replace("http://", "https://");
    let gp = gp.line("--address").arg(address);
    let ran = gp.run();
    assert_eq!(ran.code, 6);
    assert!(ran.stderr.contains("does not speak TLS"), "{}", ran.stderr);
}

#[test]
fn the_proxy_for_vault_takes_precedence() {
    let server = Server::start("vault.invalid", false);
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = proxy.local_addr().unwrap();
    let target = server.address;
    let asked = thread::spawn(move || {
        let (mut client, _) = proxy.accept().unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).unwrap_or(0) == 1 {
            head.push(byte[0]);
        }
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let mut server = TcpStream::connect(target).unwrap();
        let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        thread::spawn(move || std::io::copy(&mut from, &mut to));
        thread::spawn(move || std::io::copy(&mut server, &mut client));
        String::from_utf8(head).unwrap()
    });
    let gp = login(&server)
        .line("--ca-cert ca.pem --address https://vault.invalid:8200")
        .env("VAULT_PROXY_ADDR", format!("http://{address}"))
        .env("VAULT_HTTP_PROXY", "http://127.0.0.1:1")
        .env("HTTPS_PROXY", "http://127.0.0.1:1");
    succeeds(&gp);
    assert!(asked.join().unwrap().starts_with("CONNECT vault.invalid:8200 HTTP/1.1\r\n"));
}

#[test]
fn a_command_gets_tls_flags_as_variables() {
    let server = Server::start("127.0.0.1", false);
    let gp = login(&server)
        .with_line("idp exec vault --ca-cert ca.pem -- sh -c")
        .arg("echo $VAULT_CACERT $BAO_CACERT");
    let ca = "[HOME]/ca.pem";
    assert_eq!(gp.run().success(), format!("{ca} {ca}\n"));
    assert!(Path::new(&path(&gp, "ca.pem")).is_absolute());
}
