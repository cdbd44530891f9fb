//! Status and headers of a reply: no header makes a client wait past its time limit, and no
//! message repeats a possible secret.

#![no_main]

use std::time::Duration;

use gp_idp::fuzz;
use gp_idp::http::{Reply, UnexpectedReply};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

// The input: the status in the first line, headers up to an empty line, then the body.
fuzz_target!(|bytes: &[u8]| {
    let (head, body) = split(bytes, b"\n\n").unwrap_or((bytes, b""));
    let (status, headers) = split(head, b"\n").unwrap_or((head, b""));
    let status = std::str::from_utf8(status).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(200);
    let headers: Vec<(&[u8], &[u8])> =
        headers.split(|byte| *byte == b'\n').filter_map(|line| split(line, b":")).collect();
    let reply = || fuzz::reply(status, &headers, body);

    let now = "2026-11-23T12:00:00Z".parse().unwrap();
    for left in [Duration::ZERO, Duration::from_millis(150), Duration::from_secs(30), Duration::MAX] {
        if let Some(wait) = fuzz::wait_after(reply(), now, left) {
            assert!(wait <= left, "{wait:?} of {left:?}");
            assert!(matches!(status, 429 | 502..=504), "HTTP {status} is asked again");
        }
    }
    let reply = reply();
    let _ = (reply.date(), reply.challenge());
    if let Err(error) = reply.json::<Value>() {
        check_no_secret(&error, &reply, body, &headers);
    }
    if let Err(error) = reply.json::<std::collections::BTreeMap<String, u8>>() {
        check_no_secret(&error, &reply, body, &headers);
    }
});

fn check_no_secret(error: &UnexpectedReply, reply: &Reply, body: &[u8], headers: &[(&[u8], &[u8])]) {
    let text = error.to_string();
    match error {
        UnexpectedReply::Html { .. } | UnexpectedReply::ContentType { .. } => {}
        UnexpectedReply::Content { reason, .. } => {
            let body = String::from_utf8_lossy(body);
            let secret = body.split('"').filter(|part| part.len() >= 12 && !part.contains(' '));
            for secret in secret {
                assert!(!reason.contains(secret), "{text} repeats the body {body}");
            }
        }
        UnexpectedReply::Redirect { location, .. } => {
            assert!((300..400).contains(&reply.status));
            let named = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(b"location"));
            let sent =
                named.and_then(|(_, value)| url::Url::parse(std::str::from_utf8(value).ok()?.trim()).ok());
            for secret in
                sent.iter().flat_map(|sent| [sent.password(), sent.query(), sent.fragment()]).flatten()
            {
                // The same characters may also be in the part that is shown.
                let elsewhere = sent.as_ref().is_some_and(|sent| public_part(sent).contains(secret));
                let shown = location.as_ref().is_some_and(|location| location.contains(secret));
                assert!(secret.len() < 6 || elsewhere || !shown, "{text}");
            }
        }
    }
}

/// The URL without user name, password, query and fragment.
fn public_part(url: &url::Url) -> String {
    let mut url = url.clone();
    let _ = (url.set_username(""), url.set_password(None));
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

fn split<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let position = bytes.windows(at.len()).position(|window| window == at)?;
    Some((&bytes[..position], &bytes[position + at.len()..]))
}
