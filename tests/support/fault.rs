//! A server for the requests to supervisor and API. It fails in a chosen way at a chosen step, and
//! otherwise succeeds.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The three requests of `gp idp token`, and other requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Info,
    ApiToken,
    Mint,
    /// Any other request, for a server that fails only there. Other servers treat it as a mint.
    Other,
    /// Every request.
    Every,
}

impl Step {
    pub(crate) const ALL: [Self; 3] = [Self::Info, Self::ApiToken, Self::Mint];

    pub(crate) fn of(request: &str) -> Self {
        match request.split(' ').nth(1).unwrap_or_default() {
            path if path.starts_with("/_supervisor/v1/info") => Self::Info,
            path if path.starts_with("/_supervisor/v1/token") => Self::ApiToken,
            _ => Self::Mint,
        }
    }
}

/// What the server does to one request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Nothing listens.
    Refuse,
    /// The system accepts the connection, but no program does.
    NeverAccept,
    /// The accept queue of the system is full.
    QueueFull,
    /// The connection is reset before, inside and after the reply's head.
    ResetAtOnce,
    ResetInHead,
    ResetInBody,
    /// The connection is closed normally before the body is complete.
    CloseInBody,
    /// The request is read and never answered.
    Stall,
    /// The body comes one byte at a time, every two seconds.
    SlowBody,
    /// A complete reply.
    Reply {
        status: u16,
        headers: String,
        body: Vec<u8>,
    },
    /// These bytes, whether they are a reply or not.
    Raw {
        bytes: Vec<u8>,
        then: After,
    },
}

/// What the server does after the bytes of [`Fault::Raw`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    Close,
    Reset,
    Stall,
}

impl Fault {
    /// A JSON reply.
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::reply(status, "Content-Type: application/json\r\n", body)
    }

    pub(crate) fn reply(status: u16, headers: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self::Reply { status, headers: headers.into(), body: body.into() }
    }

    pub(crate) fn raw(bytes: impl Into<Vec<u8>>, then: After) -> Self {
        Self::Raw { bytes: bytes.into(), then }
    }
}

pub(crate) const API_TOKEN: &str = "fault-server-api-token";
/// `{"alg":"none"}.{"aud":["x"]}.`
pub(crate) const ID_TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJhdWQiOlsieCJdfQ.";

/// The server. It ends with the test process.
pub(crate) struct Faulty {
    address: SocketAddr,
    listener: TcpListener,
    /// The connections that fill the accept queue.
    held_connections: Vec<TcpStream>,
    log: Arc<Mutex<Vec<String>>>,
    host: Arc<Mutex<String>>,
}

impl Faulty {
    /// Every request of `step` meets `fault`.
    pub(crate) fn always(step: Step, fault: Fault) -> Self {
        Self::start(step, vec![fault], true)
    }

    /// The first requests of `step` meet the `faults`, one each. Later requests succeed.
    pub(crate) fn first(step: Step, faults: Vec<Fault>) -> Self {
        Self::start(step, faults, false)
    }

    fn start(step: Step, mut faults: Vec<Fault>, forever: bool) -> Self {
        let listener = TcpListener::bind((own_address(), 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let host = Arc::new(Mutex::new("gitpod.example.com".to_owned()));
        let named = host.clone();
        faults.reverse();
        let mut server = Self {
            address,
            listener: listener.try_clone().unwrap(),
            held_connections: Vec::new(),
            log,
            host,
        };
        match faults.last() {
            Some(Fault::Refuse) if matches!(step, Step::Info | Step::Every) => {
                refuse(listener);
                return server;
            }
            Some(Fault::NeverAccept) => return server,
            Some(Fault::QueueFull) => {
                server.held_connections = fill_accept_queue(&listener, address);
                return server;
            }
            _ => {}
        }
        let seen = server.log.clone();
        thread::spawn(move || {
            let mut listener = Some(listener);
            while let Some((stream, _)) = listener.as_ref().and_then(|listener| listener.accept().ok()) {
                let Some(request) = read_request(&stream) else { continue };
                seen.lock().unwrap().push(request.clone());
                let at = match Step::of(&request) {
                    _ if step == Step::Every => Step::Every,
                    Step::Mint if step == Step::Other && !request.contains("/GetIDToken ") => Step::Other,
                    at => at,
                };
                let fault = match faults.last() {
                    Some(fault) if at == step => {
                        let fault = fault.clone();
                        if !forever {
                            faults.pop();
                        }
                        Some(fault)
                    }
                    // The listener stops before this reply is sent, so that the next step is
                    // refused.
                    Some(Fault::Refuse) => {
                        if (at, step) == (Step::Info, Step::ApiToken)
                            || (at, step) == (Step::ApiToken, Step::Mint)
                        {
                            refuse(listener.take().unwrap());
                        }
                        None
                    }
                    _ => None,
                };
                // A thread each, so that a stalled connection does not hold up the next one.
                let host = named.lock().unwrap().clone();
                thread::spawn(move || {
                    serve(stream, fault.unwrap_or_else(|| successful_reply(at, &host, &request)));
                });
            }
        });
        server
    }

    /// Gives `host` as the API's host instead of `gitpod.example.com`.
    pub(crate) fn for_host(self, host: &str) -> Self {
        host.clone_into(&mut self.host.lock().unwrap());
        self
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// The heads of all requests so far, and the bodies that followed.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

impl Faulty {
    /// Accepts no more connections.
    pub(crate) fn stop(&mut self) {
        self.held_connections.clear();
        // With [`Fault::Refuse`], the listener is already shut down.
        let _ = rustix::net::shutdown(&self.listener, rustix::net::Shutdown::Both);
    }
}

/// A loopback address for each server: on a shared one, the next server could take the port of a
/// server that refuses connections.
fn own_address() -> Ipv4Addr {
    static COUNT: AtomicU16 = AtomicU16::new(1);
    let [.., high, low] = process::id().to_be_bytes();
    let [page, host] = COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    Ipv4Addr::new(127, high | 1, low.wrapping_add(page), host.clamp(1, 254))
}

/// A token for the audience in the request, with `alg: none`.
fn token_for(request: &str) -> String {
    let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let asked: Value = serde_json::from_str(body).unwrap_or_default();
    let payload = match &asked["audience"] {
        Value::Null => json!({"aud": ["x"]}),
        audience => json!({"aud": audience}),
    };
    format!("eyJhbGciOiJub25lIn0.{}.", URL_SAFE_NO_PAD.encode(payload.to_string()))
}

fn successful_reply(step: Step, host: &str, request: &str) -> Fault {
    Fault::json(
        200,
        &match step {
            Step::Info => format!(r#"{{"workspaceId":"w","gitpodApi":{{"host":"{host}"}},"unknown":null}}"#),
            Step::ApiToken => format!(r#"{{"token":"{API_TOKEN}","user":"","scope":[]}}"#),
            Step::Mint => format!(r#"{{"token":"{}"}}"#, token_for(request)),
            Step::Other | Step::Every => return Fault::json(404, "{}"),
        },
    )
}

/// Reads one request: its head, and the body that `content-length` announces.
fn read_request(mut stream: &TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next()?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    bytes.extend(body);
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn serve(mut stream: TcpStream, fault: Fault) {
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 100\r\n";
    // Errors are ignored: the client may close the connection at any time.
    let _ = match fault {
        Fault::Refuse | Fault::NeverAccept | Fault::QueueFull => Ok(()),
        Fault::ResetAtOnce => reset(&stream),
        Fault::ResetInHead => stream.write_all(&head.as_bytes()[..30]).and_then(|()| reset(&stream)),
        Fault::ResetInBody => {
            stream.write_all(format!("{head}\r\n{{\"tok").as_bytes()).and_then(|()| reset(&stream))
        }
        Fault::CloseInBody => stream.write_all(format!("{head}\r\n{{\"tok").as_bytes()),
        Fault::Stall => wait_for_end(&stream),
        Fault::Raw { bytes, then } => stream.write_all(&bytes).and_then(|()| match then {
            After::Close => Ok(()),
            After::Reset => reset(&stream),
            After::Stall => wait_for_end(&stream),
        }),
        Fault::SlowBody => (|| {
            stream.write_all(format!("{head}\r\n").as_bytes())?;
            for _ in 0..99 {
                stream.write_all(b" ")?;
                thread::sleep(Duration::from_secs(2));
            }
            Ok(())
        })(),
        Fault::Reply { status, headers, body } => {
            let head = format!(
                "HTTP/1.1 {status} X\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body))
        }
    };
}

/// Shuts a listener down. Closing it is not enough: a process that another test is starting may
/// still have it open.
#[allow(clippy::needless_pass_by_value)]
fn refuse(listener: TcpListener) {
    rustix::net::shutdown(&listener, rustix::net::Shutdown::Both).unwrap();
}

/// Fills the accept queue of a listener, so that the system drops further connections.
fn fill_accept_queue(listener: &TcpListener, address: SocketAddr) -> Vec<TcpStream> {
    rustix::net::listen(listener, 0).unwrap();
    let connect = |_| TcpStream::connect_timeout(&address, Duration::from_millis(50)).ok();
    (0..8).map_while(connect).collect()
}

/// Waits until the client closes the connection.
fn wait_for_end(mut stream: &TcpStream) -> std::io::Result<()> {
    let mut byte = [0];
    while stream.read(&mut byte)? > 0 {}
    Ok(())
}

/// Waits until the written bytes have had time to arrive, then makes closing the socket send a
/// reset.
fn reset(stream: &TcpStream) -> std::io::Result<()> {
    thread::sleep(Duration::from_millis(20));
    rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO))?;
    Ok(())
}
