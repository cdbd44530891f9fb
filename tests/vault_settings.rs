//! Other variables of `vault`: sockets, timeouts, retries.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::thread::{self, JoinHandle};

use gp_idp::dev::{Options, VaultOptions};
use snapbox::str;

use crate::support::Gp;
use crate::support::fault::{Fault, Faulty, Step};

const LOGIN: &str = "idp login vault --format token";

/// Answers one login at a socket. The thread returns the request.
fn one_login(socket: &Path) -> JoinHandle<String> {
    let listener = UnixListener::bind(socket).unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"}") && stream.read(&mut byte).unwrap_or(0) == 1 {
            request.push(byte[0]);
        }
        let reply = r#"{"auth":{"client_token":"s.by-socket","lease_duration":60,"policies":[]}}"#;
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
        write!(stream, "{head}Content-Length: {}\r\n\r\n{reply}", reply.len()).unwrap();
        String::from_utf8(request).unwrap()
    })
}

#[test]
fn a_socket_is_used_despite_a_proxy() {
    for (variable, other) in [("VAULT_AGENT_ADDR", "VAULT_ADDR"), ("BAO_ADDR", "VAULT_ADDR")] {
        let gp = Gp::in_workspace().line(LOGIN);
        let socket = gp.home().join("agent.sock");
        let served = one_login(&socket);
        let gp = gp
            .env(variable, format!("unix://{}", socket.display()))
            .env(other, "https://vault.invalid")
            .env("VAULT_PROXY_ADDR", "http://127.0.0.1:1")
            .env("HTTPS_PROXY", "http://127.0.0.1:1");
        assert_eq!(gp.run().success(), "s.by-socket\n");
        let request = served.join().unwrap();
        assert!(request.starts_with("POST /v1/auth/jwt/login HTTP/1.1\r\n"), "{request}");
        assert!(request.to_ascii_lowercase().contains("\r\nhost: localhost\r\n"), "{request}");
    }
    let gp = Gp::in_workspace().with_line("idp exec vault -- sh -c").arg("echo $VAULT_TOKEN $VAULT_ADDR");
    let socket = gp.home().join("agent.sock");
    let served = one_login(&socket);
    let gp = gp.env("BAO_ADDR", format!("unix://{}", socket.display()));
    assert_eq!(gp.run().success(), "s.by-socket unix://[HOME]/agent.sock\n");
    served.join().unwrap();
}

#[test]
fn a_socket_that_is_missing_or_not_served_is_named() {
    let gp = Gp::in_workspace().line(LOGIN);
    let address = format!("unix://{}/agent.sock", gp.home().display());
    let gp = gp.env("VAULT_AGENT_ADDR", address);
    gp.run().failure(
        6,
        str![[r#"
error: could not log in to Vault at unix://[HOME]/agent.sock
  caused by: Vault cannot be reached
  caused by: unix://[HOME]/agent.sock cannot be opened: No such file or directory (os error 2)
hint: most likely the program that creates this socket is not running: start it
hint: if the program is running, correct the path of the socket
hint: the address of Vault comes from `VAULT_AGENT_ADDR`

"#]],
    );
    drop(UnixListener::bind(gp.home().join("agent.sock")).unwrap());
    gp.run().failure(
        6,
        str![[r#"
error: could not log in to Vault at unix://[HOME]/agent.sock
  caused by: Vault cannot be reached
  caused by: unix://[HOME]/agent.sock refused the connection
hint: most likely the program that created this socket has ended: start it again
hint: if the program is running, correct the path of the socket
hint: the address of Vault comes from `VAULT_AGENT_ADDR`

"#]],
    );
}

#[test]
fn the_number_of_retries_can_be_set() {
    let cases: [(&[(&str, &str)], usize); 4] = [
        (&[], 4),
        (&[("VAULT_MAX_RETRIES", "0")], 1),
        (&[("VAULT_MAX_RETRIES", "9"), ("BAO_MAX_RETRIES", "1")], 2),
        (&[("VAULT_MAX_RETRIES", "0"), ("BAO_MAX_RETRIES", "")], 4),
    ];
    for (environment, expected) in cases {
        // The HTTP client of all targets retries after 503, the Vault client after 500.
        for faults in ["sealed:9", "internal-error:9"] {
            let vault = VaultOptions { faults: vec![faults.parse().unwrap()], ..VaultOptions::default() };
            let gp = Gp::in_workspace_of(Options { vault, ..Options::default() }).line(LOGIN);
            let gp = environment.iter().fold(gp, |gp, (name, value)| gp.env(name, *value));
            let ran = gp.run();
            assert_ne!(ran.code, 0);
            assert_eq!(gp.workspace().vault_requests().len(), expected, "{environment:?} {faults}");
        }
    }
}

#[test]
fn a_timeout_in_the_environment_applies_without_the_flag() {
    let server = Faulty::always(Step::Mint, Fault::Stall);
    let cases = [
        ("", vec![("VAULT_CLIENT_TIMEOUT", "1")], "1 s"),
        ("", vec![("VAULT_CLIENT_TIMEOUT", "1h"), ("BAO_CLIENT_TIMEOUT", "0m1.2s")], "1200 ms"),
        ("--timeout=700ms", vec![("VAULT_CLIENT_TIMEOUT", "1h")], "700 ms"),
        ("--timeout=800ms", vec![("VAULT_CLIENT_TIMEOUT", "0")], "800 ms"),
    ];
    for (flag, environment, shown) in cases {
        let gp = Gp::in_workspace().line(LOGIN).arg(format!("--address=http://{}", server.address()));
        let gp = environment.iter().fold(gp.line(flag), |gp, (name, value)| gp.env(name, *value));
        let ran = gp.run();
        assert_eq!(ran.code, 6, "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("did not answer within {shown}\n")), "{}", ran.stderr);
    }
}

#[test]
fn srv_lookups_are_refused_only_if_they_would_apply() {
    let gp = |address: &str| {
        Gp::in_workspace()
            .line(LOGIN)
            .line("--timeout 1s")
            .env("VAULT_SRV_LOOKUP", "true")
            .arg("--address")
            .arg(address)
    };
    gp("https://vault.invalid").run().failure(
        2,
        str![[r#"
error: could not log in to Vault
  caused by: `VAULT_SRV_LOOKUP`: `gp` does not look up SRV records; write host and port in the address, as in `https://vault.example.com:8200`

"#]],
    );
    for address in ["https://vault.invalid:443", "https://vault.invalid:8200/p", "unix:///none"] {
        assert_eq!(gp(address).run().code, 6, "{address}");
    }
    let set = |value: &str| Gp::in_workspace().line(LOGIN).env("VAULT_SRV_LOOKUP", value).run();
    assert_eq!(set("0").success().lines().count(), 1);
    assert_eq!(set("maybe").code, 2);
}
