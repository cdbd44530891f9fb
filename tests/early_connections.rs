//! Connections that `gp` opens while it waits for something else. The next request uses them, and
//! no extra request is sent.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use crate::support::Gp;
use crate::support::fault::ID_TOKEN;
use crate::tls::Api;

const GIVEN: &str = r#"{"access_token":"opaque-access-token","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":60}"#;

fn token_endpoint() -> Api {
    Api::answering("127.0.0.1", 200, "application/json", GIVEN)
}

/// `gp idp exchange` with this endpoint. Its source gives the ID token once the returned file
/// exists.
fn exchange(api: &Api) -> (Gp, PathBuf) {
    let gp = Gp::new().line("idp exchange --audience x");
    let gp = gp.env("IDP_TOKEN_ENDPOINT", format!("https://{}/token", api.address));
    let ready = gp.home().join("ready");
    let script = format!("until [ -e '{}' ]; do sleep 0.01; done; echo {ID_TOKEN}", ready.display());
    let (mint, ca) = (gp.home().join("mint"), gp.home().join("ca.pem"));
    fs::write(&mint, script).unwrap();
    fs::write(&ca, &api.ca).unwrap();
    let gp = gp.arg(format!("--source=command:sh {}", mint.display())).env("SSL_CERT_FILE", ca);
    (gp.secret("opaque-access-token").with_placeholder(api.address.to_string(), "[API]"), ready)
}

#[test]
fn gp_connects_to_the_target_while_the_token_is_minted() {
    let api = token_endpoint();
    let (gp, ready) = exchange(&api);
    let seen = api.seen.clone();
    // The source waits for the target's handshake, so a sequential client would never finish.
    thread::spawn(move || {
        while seen.handshakes.load(Ordering::SeqCst) == 0 {
            thread::sleep(Duration::from_millis(5));
        }
        fs::write(ready, "").unwrap();
    });
    assert_eq!(gp.run().success(), "opaque-access-token\n");
    assert_eq!(api.seen.handshakes.load(Ordering::SeqCst), 1);
    assert_eq!(*api.seen.requests.lock().unwrap(), ["post /token http/1.1"]);
}

#[test]
fn a_failed_early_connection_is_silent() {
    let api = token_endpoint();
    let (gp, ready) = exchange(&api);
    fs::write(ready, "").unwrap();
    let quiet = gp.run();
    assert_eq!(quiet.code, 0, "{}", quiet.stderr);
    api.seen.resets.store(1, Ordering::SeqCst);
    let reset = gp.run();
    assert_eq!(api.seen.resets.load(Ordering::SeqCst), 0);
    assert_eq!(reset.stderr, quiet.stderr);
    assert_eq!(reset.success(), "opaque-access-token\n");
    assert_eq!(api.seen.requests.lock().unwrap().len(), 2);
}

#[test]
fn nothing_connects_before_the_settings_are_checked() {
    let api = token_endpoint();
    let gp = Gp::new();
    let gp = gp.env("IDP_TOKEN_ENDPOINT", format!("https://{}/token", api.address));
    // GitHub supports only one audience per token.
    let gp = gp.line("idp exchange --audience x --audience y --source github");
    let gp = gp.env("ACTIONS_ID_TOKEN_REQUEST_URL", "http://127.0.0.1:1/token");
    let ran = gp.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request-token").secret("request-token").run();
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert_eq!(api.seen.handshakes.load(Ordering::SeqCst), 0);
}

#[test]
fn the_connection_to_the_api_is_opened_before_the_supervisor_request() {
    let gp = Gp::in_workspace().line("idp token --audience x --verbose");
    // The local API has no TLS, so this server takes its place.
    let api = token_endpoint();
    let ca = gp.home().join("ca.pem");
    fs::write(&ca, &api.ca).unwrap();
    let gp = gp.env("SSL_CERT_FILE", ca).env("IDP_API_URL", format!("https://{}", api.address));
    let gp = gp.with_placeholder(api.address.to_string(), "[TLS]");
    let ran = gp.run();
    let at = |text: &str| ran.stderr.find(text).unwrap_or_else(|| panic!("no {text} in {}", ran.stderr));
    let opened = at("opening a connection to https://[TLS] for a later request");
    assert!(opened < at("GET http://[SUPERVISOR]/_supervisor/v1/info/workspace"), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("opening a connection").count(), 1, "{}", ran.stderr);
    assert_eq!(api.seen.handshakes.load(Ordering::SeqCst), 1);
    assert_eq!(api.seen.requests.lock().unwrap().len(), 1);
}
