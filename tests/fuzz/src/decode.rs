//! `gp idp decode`: it shows an accepted token unchanged, with a warning about each fault, and
//! prints nothing that controls a terminal.

#![no_main]

use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gp_idp::Context;
use gp_idp::context::Clock;
use gp_idp::jwt::{Decoded, Found, MalformedToken};
use gp_idp::output::Streams;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

// The text as it is, and as header and payload, separated by a line break.
fuzz_target!(|text: &str| {
    let strict = Decoded::parse(text);
    let found = Found::read(text);
    if let Ok(decoded) = strict {
        let found = found.expect("a token that the strict parser accepts was refused");
        assert_eq!((found.tokens, found.inside, found.faults), (vec![decoded], None, vec![]));
    } else if let Ok(found) = found {
        assert!(
            found.inside.is_some() || !found.faults.is_empty(),
            "no fault is reported for a token that the strict parser refuses"
        );
    }
    run_decode(text.as_bytes(), &["--format", "text"]);
    let Some((header, payload)) = text.split_once('\n') else { return };
    let token = format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let found = Found::read(&token);
    if let Ok(found) = &found {
        let [decoded] = &found.tokens[..] else { panic!("{} tokens in one", found.tokens.len()) };
        for around in [
            format!("GET / HTTP/1.1\r\nAuthorization: Bearer {token}\r\nX: y\r\n\r\n"),
            format!("ID_TOKEN={token}"),
            format!("[\"{token}\"]"),
        ] {
            let inside = Found::read(&around).expect("a token in other text was not found");
            assert_eq!(inside.tokens, found.tokens, "{around}");
        }
        for (part, shown) in [(header, &decoded.header), (payload, &decoded.payload)] {
            let (part, shown) =
                (serde_json::from_str::<Value>(part), serde_json::from_str::<Value>(&shown.pretty()));
            // `gp` shows numbers unchanged that serde_json cannot read, and does not decode a
            // payload that the header calls unencoded.
            let as_it_stands = decoded.nested.is_none() && !found.faults.contains(&MalformedToken::Unencoded);
            if let (Ok(part), Ok(shown), true) = (part, shown, as_it_stands) {
                assert_eq!(part, shown);
            }
        }
    }
    let shown = run_decode(token.as_bytes(), &[]);
    assert_eq!(found.is_ok(), !shown.is_empty(), "{shown}");
    run_decode(token.as_bytes(), &["--format", "text"]);
    run_decode(token.as_bytes(), &["--claim", "a"]);
});

/// Runs `gp idp decode` with these arguments on a terminal, checks its output and returns stdout.
fn run_decode(stdin: &[u8], args: &[&str]) -> String {
    let (stdout, stderr) = (Sink::default(), Sink::default());
    let streams = Streams {
        stdin: Box::new(Cursor::new(stdin.to_vec())),
        stdout: Box::new(stdout.clone()),
        stderr: Box::new(stderr.clone()),
        terminal: [false, true, true],
        columns: Some(80),
        stdin_is_device: false,
        stderr_is_pipe: false,
    };
    let clock = Clock::Fixed("2026-11-23T12:00:00Z".parse().unwrap());
    let ctx = Context::new([("NO_COLOR".into(), "1".into())], clock, None, streams);
    gp_idp::run(["gp", "idp", "decode"].iter().chain(args).map(Into::into).collect(), ctx);
    let (stdout, stderr) = (stdout.text(), stderr.text());
    for text in [&stdout, &stderr] {
        let is_unsafe = |c: char| {
            c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!text.contains(is_unsafe), "{text:?}");
    }
    stdout
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).expect("the output is text")
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
