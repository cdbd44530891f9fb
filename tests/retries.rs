//! Retries of temporary failures, and none of refusals.

use crate::support::fault::{API_TOKEN, Fault, Faulty, Step};
use crate::support::{Gp, Running};

fn gp(server: &Faulty) -> Gp {
    Gp::new()
        .line("idp token --audience x")
        .env("SUPERVISOR_ADDR", server.address())
        .env("IDP_API_URL", format!("http://{}", server.address()))
        .secret(API_TOKEN)
}

#[test]
fn temporary_failures_are_retried_at_every_step() {
    let passing = [
        Fault::ResetAtOnce,
        Fault::ResetInHead,
        Fault::ResetInBody,
        Fault::CloseInBody,
        Fault::reply(429, "Retry-After: 0\r\n", ""),
        Fault::reply(503, "Retry-After: 1\r\n", ""),
        Fault::reply(502, "", ""),
        Fault::reply(504, "", "<html></html>"),
    ];
    for step in Step::ALL {
        for fault in &passing {
            let server = Faulty::first(step, vec![fault.clone()]);
            gp(&server).run().success();
            assert_eq!(server.requests().len(), 4, "{step:?} {fault:?}");
        }
    }
}

#[test]
fn a_refusal_is_not_tried_again() {
    for step in Step::ALL {
        for status in [400, 401, 403, 404, 409, 412, 500, 501] {
            let server = Faulty::always(step, Fault::json(status, "{}"));
            assert_ne!(gp(&server).run().code, 0);
            let expected = 1 + Step::ALL.iter().position(|other| *other == step).unwrap();
            assert_eq!(server.requests().len(), expected, "{step:?} {status}");
        }
    }
}

#[test]
fn a_retry_after_of_any_length_causes_no_panic() {
    let asked = [
        "Retry-After: 18446744073709551615\r\n",
        "Retry-After: 99999999999999999999\r\n",
        "Retry-After: 3600\r\n",
    ];
    for header in asked {
        let fault = Fault::reply(503, header, "");
        let server = Faulty::always(Step::Mint, fault);
        let ran = gp(&server).arg("--timeout").arg("2s").run();
        assert_eq!(ran.code, 6, "{}", ran.stderr);
    }
}

#[test]
fn a_starting_supervisor_with_retry_after_zero_is_not_asked_in_a_tight_loop() {
    let server = Faulty::always(Step::Info, Fault::reply(503, "Retry-After: 0\r\n", ""));
    let ran = gp(&server).arg("--timeout").arg("1s").run();
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(server.requests().len() < 40, "{} requests", server.requests().len());
}

#[test]
fn a_timeout_reports_the_last_reply_of_the_supervisor() {
    for _ in 0..4 {
        let server = Faulty::always(Step::Info, Fault::reply(502, "", "bad gateway"));
        let ran = gp(&server).arg("--timeout").arg("700ms").run();
        assert!(ran.stderr.contains("502"), "{}", ran.stderr);
    }
}

#[test]
fn a_request_has_four_tries_at_most() {
    let server = Faulty::always(Step::Mint, Fault::reply(502, "", ""));
    assert_eq!(gp(&server).run().code, 6);
    assert_eq!(server.requests().len(), 2 + 4);
}

#[test]
fn gp_waits_for_a_supervisor_that_is_still_starting() {
    // Nothing listens on the supervisor's port until the command has begun. The API's port is held
    // until then.
    let [supervisor, api] = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let [supervisor_port, port] = [&supervisor, &api].map(|place| place.local_addr().unwrap().port());
    drop(supervisor);
    let gp = Gp::new()
        .line("idp token --audience x --verbose")
        .env("SUPERVISOR_ADDR", format!("127.0.0.1:{supervisor_port}"))
        .env("IDP_API_URL", format!("http://127.0.0.1:{port}"));
    let mut child = gp
        .command()
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // The first refusal is on stderr before the supervisor comes up.
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("refused the connection") {
        assert_ne!(std::io::BufRead::read_line(&mut stderr, &mut said).unwrap(), 0, "{said}");
    }
    drop(api);
    let _workspace =
        Running::start(gp_idp::dev::Options { supervisor_port, port: Some(port), ..Default::default() });
    std::io::Read::read_to_string(&mut stderr, &mut said).unwrap();
    let done = child.wait_with_output().unwrap();
    gp.check_stderr(&said);
    assert_eq!(done.status.code(), Some(0), "{said}");
    let token = String::from_utf8(done.stdout).unwrap();
    assert_eq!(Gp::new().line("idp decode --claim azp").stdin(token).run().success(), "x\n");
}

#[test]
fn a_terminal_shows_what_gp_waits_for() {
    let waiting = |server: &Faulty| {
        let gp = gp(server)
            .at_time("2026-11-23T12:00:00Z")
            .on_terminal()
            .with_placeholder(server.address(), "[SERVER]");
        gp.run().stderr.lines().filter(|line| line.contains("waiting")).map(str::to_owned).collect::<Vec<_>>()
    };
    let starting = Faulty::first(Step::Info, vec![Fault::reply(502, "", ""), Fault::reply(502, "", "")]);
    assert_eq!(waiting(&starting), ["\u{1b}[2mwaiting for http://[SERVER] to start\u{1b}[0m"]);
    // A retry at the API shows no such line.
    assert!(waiting(&Faulty::first(Step::Mint, vec![Fault::reply(502, "", "")])).is_empty());
}

#[test]
fn each_request_follows_the_protocol() {
    let server = Faulty::first(Step::Mint, vec![]);
    gp(&server).line("--audience y --scope s").run().success();
    let requests = server.requests();
    assert!(requests[0].starts_with("GET /_supervisor/v1/info/workspace HTTP/1.1\r\n"), "{}", requests[0]);
    let token = "GET /_supervisor/v1/token/gitpod/gitpod.example.com/function:getWorkspace HTTP/1.1\r\n";
    assert!(requests[1].starts_with(token), "{}", requests[1]);
    assert!(
        requests[2]
            .starts_with("POST /gitpod.experimental.v1.IdentityProviderService/GetIDToken HTTP/1.1\r\n")
    );
    let lower = requests[2].to_ascii_lowercase();
    for header in [
        "\r\ncontent-type: application/json\r\n",
        "\r\nconnect-protocol-version: 1\r\n",
        concat!("\r\nuser-agent: gp-idp/", env!("CARGO_PKG_VERSION"), "\r\n"),
        &format!("\r\nauthorization: bearer {API_TOKEN}\r\n"),
    ] {
        assert!(lower.contains(header), "{header} in {lower}");
    }
    let body = requests[2].split("\r\n\r\n").nth(1).unwrap();
    assert_eq!(body, r#"{"workspaceId":"w","audience":["x","y"],"scope":"s"}"#);
    for request in &requests[..2] {
        assert!(!request.to_ascii_lowercase().contains("authorization"), "{request}");
    }
}
