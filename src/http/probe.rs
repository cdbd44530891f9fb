//! Asks a proxy once more, to see its reply to `CONNECT`. The HTTP client only reports that there
//! is no tunnel.

use std::time::Duration;

use hyper_util::client::proxy::matcher::Intercept;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::reply::title;
use super::{SecureUrl, shown_url};

/// The time limit of each step.
const STEP_LIMIT: Duration = Duration::from_secs(1);
/// The time limit for the page that some proxies send after the head of their reply.
const PAGE_LIMIT: Duration = Duration::from_millis(300);
const MAX_BYTES: usize = 8192;

/// How a proxy reacts to `CONNECT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ConnectOutcome {
    /// It does not accept the connection.
    NotAccepted,
    /// It accepts the connection but does not reply.
    Silence,
    Reply {
        status: u16,
        /// For an HTML page, ` titled "…"` or an empty string.
        page: Option<String>,
        /// The target of a redirect.
        location: Option<String>,
    },
}

/// Asks a proxy to connect to `url`; `None` without a readable reply. A proxy with an https address
/// is not asked.
pub(super) async fn ask(proxy: &Intercept, url: &SecureUrl) -> Option<ConnectOutcome> {
    let address = proxy.uri();
    if address.scheme_str() != Some("http") {
        return None;
    }
    let place = (address.host()?.trim_matches(['[', ']']), address.port_u16().unwrap_or(80));
    let target = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
    let Ok(Ok(mut stream)) = timeout(STEP_LIMIT, TcpStream::connect(place)).await else {
        return Some(ConnectOutcome::NotAccepted);
    };
    let mut head = Zeroizing::new(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"));
    if let Some(password) = proxy.basic_auth().and_then(|value| value.to_str().ok()) {
        head.extend(["Proxy-Authorization: ", password, "\r\n"]);
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await.ok()?;
    let mut bytes = Vec::new();
    let mut limit = STEP_LIMIT;
    while bytes.len() < MAX_BYTES {
        let mut part = [0; 1024];
        match timeout(limit, stream.read(&mut part)).await {
            Ok(Ok(read @ 1..)) => bytes.extend_from_slice(&part[..read]),
            Err(_) if bytes.is_empty() => return Some(ConnectOutcome::Silence),
            _ => break,
        }
        if has_head(&bytes) {
            limit = PAGE_LIMIT;
        }
    }
    read(&bytes)
}

fn has_head(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|window| window == b"\r\n\r\n")
}

fn read(bytes: &[u8]) -> Option<ConnectOutcome> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/"))?;
    let status = words.next()?.parse().ok()?;
    let headers: Vec<_> = lines.filter_map(|line| line.split_once(':')).collect();
    let header = |name: &str| headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
    let is_html = header("content-type").is_some_and(|(_, kind)| kind.trim().starts_with("text/html"));
    let page = (is_html || body.trim_start().starts_with('<')).then(|| title(body));
    let location = header("location").map(|(_, location)| shown_url(location.trim()));
    Some(ConnectOutcome::Reply { status, page, location })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies() {
        let reply = |status, page: Option<&str>, location: Option<&str>| {
            let [page, location] = [page, location].map(|text| text.map(str::to_owned));
            Some(ConnectOutcome::Reply { status, page, location })
        };
        for (text, expected) in [
            ("HTTP/1.1 503 Service Unavailable\r\n\r\n", reply(503, None, None)),
            ("HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n", reply(200, Some(""), None)),
            (
                "HTTP/1.1 200 OK\r\n\r\n <html><title>Log in</title>",
                reply(200, Some(" titled \"Log in\""), None),
            ),
            ("HTTP/1.1 200 Connection established\r\n\r\n", reply(200, None, None)),
            (
                "HTTP/1.1 302 Found\r\nlocation: https://me:x@sso.example.com/?secret=1\r\n\r\n",
                reply(302, None, Some("https://sso.example.com/")),
            ),
            ("HTTP/1.1 502", reply(502, None, None)),
            ("HTTP/1.1 nonsense\r\n\r\n", None),
            ("SSH-2.0-OpenSSH_9.9 200\r\n", None),
            ("", None),
        ] {
            assert_eq!(read(text.as_bytes()), expected, "{text}");
        }
    }
}
