//! Secrets in the log of a CI job: which ones `gp` asks the runner to mask.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixListener;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use gp_idp::dev::{Options, Platform};
use serde_json::Value;

use crate::support::Gp;

/// The `KUBERNETES_EXEC_INFO` that kubectl gives its plugin.
const EXEC_INFO: &str = r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"interactive":false}}"#;

/// A step of a job that may request ID tokens.
fn step(line: &str) -> Gp {
    Gp::in_workspace_of(Options::of(Platform::Github)).line(line)
}

#[test]
fn the_github_runner_masks_printed_secrets() {
    let ran = step("idp token --audience x").run();
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.masked.contains(&ran.stdout.trim().to_owned()), "{} masks", ran.masked.len());
    // A credential is masked too.
    let ran = step("idp login aws --format json").run();
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let keys: Value = serde_json::from_str(&ran.stdout).unwrap();
    for member in ["SecretAccessKey", "SessionToken"] {
        let key = keys[member].as_str().unwrap_or_else(|| panic!("{member} in {}", ran.stdout));
        assert!(ran.masked.iter().any(|masked| masked == key), "{member}");
    }
    // Each value is masked once.
    let mut once = ran.masked.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), ran.masked.len());
}

#[test]
fn no_mask_is_requested_where_it_would_leak_the_token() {
    let masked = |gp: Gp| {
        let ran = gp.run();
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.masked
    };
    assert!(masked(step("idp token --audience x --no-mask")).is_empty());
    // In a workspace, `GITHUB_ACTIONS` is a variable of the user.
    let workspace = Gp::in_workspace().env("GITHUB_ACTIONS", "true").line("idp token --audience x");
    assert!(masked(workspace).is_empty());
    // kubectl shows stderr to its user.
    let plugin = step("idp token --audience x --format kubernetes").env("KUBERNETES_EXEC_INFO", EXEC_INFO);
    assert!(masked(plugin).is_empty());
    // If stderr is a file, no runner reads it.
    let gp = step("idp token --audience x");
    let log = fs::File::create(gp.home().join("log")).unwrap();
    let status = gp.command().stdout(Stdio::null()).stderr(log).status().unwrap();
    assert!(status.success());
    assert_eq!(fs::read_to_string(gp.home().join("log")).unwrap(), "");
}

/// An agent's job API that answers with `status`. Returns the heads and bodies that it receives.
fn agent(gp: &Gp, status: u16) -> Receiver<(String, Value)> {
    let listener = UnixListener::bind(gp.home().join("socket")).unwrap();
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if reader.read_line(&mut head).unwrap() == 0 {
                    break;
                }
            }
            let lower = head.to_lowercase();
            let Some(length) = lower.split("content-length: ").nth(1) else { continue };
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let reply = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(reply.as_bytes()).unwrap();
            if sender.send((head, serde_json::from_slice(&body).unwrap())).is_err() {
                return;
            }
        }
    });
    receiver
}

fn buildkite_job() -> Gp {
    let gp = Gp::in_workspace_of(Options::of(Platform::Buildkite)).line("idp token --audience x");
    let socket = gp.home().join("socket");
    gp.env("BUILDKITE_AGENT_JOB_API_SOCKET", socket)
        .env("BUILDKITE_AGENT_JOB_API_TOKEN", "job-api-token")
        .secret("job-api-token")
}

#[test]
fn the_buildkite_agent_masks_printed_secrets() {
    let gp = buildkite_job();
    let asked = agent(&gp, 201);
    let token = gp.run().success();
    let asked: Vec<_> = asked.try_iter().collect();
    assert!(asked.iter().any(|(_, body)| body["redact"] == token.trim()), "{asked:?}");
    let head = &asked[0].0;
    assert!(head.starts_with("POST /api/current-job/v0/redactions HTTP/1.1\r\n"), "{head}");
    assert!(head.to_lowercase().contains("authorization: bearer job-api-token\r\n"), "{head}");
}

#[test]
fn an_agent_that_does_not_mask_causes_a_warning() {
    let gp = buildkite_job();
    let ran = gp.run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.starts_with("warning: Buildkite's agent does not hide this run's secrets"),
        "{}",
        ran.stderr
    );
    let gp = buildkite_job();
    let _asked = agent(&gp, 500);
    let ran = gp.run();
    assert!(ran.stderr.contains("HTTP 500"), "{}", ran.stderr);
    assert_eq!(ran.code, 0);
}
