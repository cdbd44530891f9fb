//! `gp idp decode`: what it takes it shows as it stands, and nothing that it prints drives a terminal.

#![no_main]

use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gp_idp::Context;
use gp_idp::context::Clock;
use gp_idp::jwt::Decoded;
use gp_idp::output::Streams;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

// A text as it is, and as header and payload, which a line break separates.
fuzz_target!(|text: &str| {
    let plain = Decoded::parse(text);
    let Some((header, payload)) = text.split_once('\n') else {
        let shown = prints(text.as_bytes(), &[]);
        assert_eq!(plain.is_ok(), !shown.is_empty(), "{shown}");
        return;
    };
    let token = format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let decoded = Decoded::parse(&token);
    if let Ok(decoded) = &decoded {
        let line =
            Decoded::parse(&format!("GET / HTTP/1.1\r\nAuthorization: Bearer {token}\r\nX: y\r\n\r\n"));
        assert_eq!(line.as_ref(), Ok(decoded), "in a request");
        for (part, shown) in [(header, &decoded.header), (payload, &decoded.payload)] {
            let (part, shown) =
                (serde_json::from_str::<Value>(part), serde_json::from_str::<Value>(&shown.pretty()));
            // Numbers beyond those of another reader are shown as they stand.
            if let (Ok(part), Ok(shown)) = (part, shown) {
                assert_eq!(part, shown);
            }
        }
    }
    // One form an input, because the command line takes most of the time.
    let forms: [&[&str]; 3] = [&[], &["--format", "text"], &["--claim", "a"]];
    let form = forms[text.len() % forms.len()];
    let shown = prints(token.as_bytes(), form);
    let claim = decoded
        .as_ref()
        .is_ok_and(|decoded| form.len() < 2 || form[0] != "--claim" || decoded.payload.at("a").is_some());
    assert_eq!(claim, !shown.is_empty(), "{shown}");
});

/// What `gp idp decode` with these arguments prints on a terminal.
fn prints(stdin: &[u8], args: &[&str]) -> String {
    let (stdout, stderr) = (Sink::default(), Sink::default());
    let streams = Streams {
        stdin: Box::new(Cursor::new(stdin.to_vec())),
        stdout: Box::new(stdout.clone()),
        stderr: Box::new(stderr.clone()),
        terminal: [false, true, true],
        stdin_is_device: false,
    };
    let clock = Clock::Fixed("2026-11-23T12:00:00Z".parse().unwrap());
    let ctx = Context::new([("NO_COLOR".into(), "1".into())], clock, None, streams);
    gp_idp::run(["gp", "idp", "decode"].iter().chain(args).map(Into::into).collect(), ctx);
    let (stdout, stderr) = (stdout.text(), stderr.text());
    for text in [&stdout, &stderr] {
        let drives = |c: char| {
            c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!text.contains(drives), "{text:?}");
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
