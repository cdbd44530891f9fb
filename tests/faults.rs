//! Each fault at each of the three requests ends within the time limit, with its exit code and a
//! message that is clear by itself. Each step has a snapshot file with all its messages.

mod matrix;

use std::fmt::Write as _;
use std::path::Path;
use std::thread;

use crate::support::Gp;
use crate::support::fault::{API_TOKEN, Fault, Faulty, Step};

/// The `--timeout` of these commands. `Gp::run` kills a command that hangs.
const LIMIT: &str = "2s";

pub(crate) fn faults() -> Vec<(&'static str, Fault)> {
    const HTML: &str = "Content-Type: text/html\r\n";
    const JSON: &str = "Content-Type: application/json\r\n";
    vec![
        ("nothing listens", Fault::Refuse),
        ("reset at once", Fault::ResetAtOnce),
        ("reset inside the head", Fault::ResetInHead),
        ("reset inside the body", Fault::ResetInBody),
        ("closed inside the body", Fault::CloseInBody),
        ("no answer", Fault::Stall),
        ("a slow drip", Fault::SlowBody),
        ("a page of an editor", Fault::reply(200, HTML, "<!DOCTYPE html><html><title>Editor</title></html>")),
        (
            "a login page behind a redirect",
            Fault::reply(302, "Location: https://sso.example.com/login?x=1\r\n", ""),
        ),
        ("another content type", Fault::reply(200, "Content-Type: text/plain\r\n", "hello")),
        ("no content type", Fault::reply(200, "", "{}")),
        ("more than the limit", Fault::reply(200, JSON, vec![b' '; (1 << 20) + 1])),
        ("invalid JSON", Fault::reply(200, JSON, "{\"token\": ")),
        ("invalid UTF-8", Fault::reply(200, JSON, b"{\"token\": \"\xff\"}".to_vec())),
        ("another type of JSON", Fault::reply(200, JSON, "[]")),
        ("missing fields", Fault::reply(200, JSON, "{}")),
        ("empty fields", Fault::reply(200, JSON, r#"{"workspaceId":"","token":""}"#)),
        (
            "an invalid token",
            Fault::reply(200, JSON, r#"{"workspaceId":"w","gitpodApi":{"host":""},"token":"opaque"}"#),
        ),
        ("an empty 400", Fault::reply(400, "", "")),
        ("401 of a gateway", Fault::json(401, r#"{"code":16,"message":"not signed in","details":[]}"#)),
        ("401 of Connect", Fault::json(401, r#"{"code":"unauthenticated","message":"token expired"}"#)),
        ("403 of Connect", Fault::json(403, r#"{"code":"permission_denied","message":"not yours"}"#)),
        ("403 as a page", Fault::reply(403, HTML, "<html><title>Blocked by policy</title></html>")),
        ("404 of a gateway", Fault::json(404, r#"{"code":5,"message":"no token available","details":[]}"#)),
        ("404 of Connect", Fault::json(404, r#"{"code":"not_found","message":"workspace does not exist"}"#)),
        ("404 as a page", Fault::reply(404, HTML, "<html></html>")),
        ("400 of Connect", Fault::json(400, r#"{"code":"invalid_argument","message":"audience too long"}"#)),
        ("412 of Connect", Fault::json(412, r#"{"code":"failed_precondition","message":"stopping"}"#)),
        ("429", Fault::json(429, r#"{"code":"resource_exhausted","message":"slow down"}"#)),
        (
            "429 that asks for a long wait",
            Fault::reply(
                429,
                "Content-Type: application/json\r\nRetry-After: 120\r\n",
                r#"{"code":"resource_exhausted","message":"slow down"}"#,
            ),
        ),
        ("500 of Connect", Fault::json(500, r#"{"code":"internal","message":"SSO email is empty"}"#)),
        ("500 as a page", Fault::reply(500, HTML, "<html><title>Oops</title></html>")),
        ("502 as a page", Fault::reply(502, HTML, "<html></html>")),
        ("503 that asks for a long wait", Fault::reply(503, "Retry-After: 120\r\n", "")),
        ("504", Fault::reply(504, "", "")),
    ]
}

fn mint_with_fault(step: Step, fault: Fault) -> String {
    let server = Faulty::always(step, fault);
    let gp = Gp::new()
        .line("idp token --audience x --timeout")
        .arg(LIMIT)
        .env("SUPERVISOR_ADDR", server.address())
        .env("IDP_API_URL", format!("http://{}", server.address()))
        .secret(API_TOKEN)
        .with_placeholder(server.address(), "[SERVER]");
    let ran = gp.run();
    assert_eq!(ran.stdout, "");
    assert_ne!(ran.code, 0);
    format!("exit {}\n{}", ran.code, ran.stderr)
}

#[test]
fn each_fault_at_each_step_is_explained() {
    for step in Step::ALL {
        // In parallel: most of the time is spent waiting for the limit.
        let tried: Vec<_> = faults()
            .into_iter()
            // An API token may be any text, so this is no fault at that step.
            .filter(|(name, _)| step != Step::ApiToken || *name != "an invalid token")
            .map(|(name, fault)| (name, thread::spawn(move || mint_with_fault(step, fault))))
            .collect();
        let mut report = String::new();
        for (name, outcome) in tried {
            writeln!(report, "## {name}\n{}", outcome.join().unwrap()).unwrap();
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/snapshots/faults/{step:?}.txt"));
        let report: String = report.lines().map(|line| without_counts(line) + "\n").collect();
        snapbox::assert_data_eq!(report, snapbox::Data::read_from(&path, None));
    }
}

/// Replaces the number of tries and their duration, which are random.
pub(crate) fn without_counts(line: &str) -> String {
    match (line.rfind('('), line.rfind(" tries")) {
        (Some(from), Some(to)) if from < to => {
            let rest = &line[to..];
            let rest =
                rest.split_once(" in ").map_or(rest.to_owned(), |(tries, _)| format!("{tries} in [TIME])"));
            format!("{}[N]{rest}", &line[..=from])
        }
        _ => line.to_owned(),
    }
}
