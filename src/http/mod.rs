//! The one HTTP client.
//!
//! - https only. Plain http only to loopback and a metadata service ([`SecureUrl`]), without proxy.
//! - No redirects, because every request sends or receives a secret. The caller gets the 3xx reply.
//! - A reply has at most 1 MiB, a connect 5 s, all requests together the command's [`Deadline`].
//! - Retries only if a second try can help: see [`retry`].

mod call;
mod cause;
mod deadline;
mod early;
mod fault;
mod pem;
mod probe;
mod proxy;
mod reply;
mod retry;
mod roots;
mod secure_url;
mod server_name;
mod tls;

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hyper_util::client::proxy::matcher::Intercept;
use reqwest::header::{HeaderMap, HeaderValue, USER_AGENT};
use reqwest::{Client, redirect};
use zeroize::Zeroizing;

use crate::context::Context;
use crate::output::Waiting;
use crate::time;

pub use call::Call;
pub use deadline::Deadline;
use early::EarlyConnections;
pub use fault::{HttpError, TlsContext, TlsFault};
pub use proxy::{ProxyFault, ProxySetting};
pub use reply::{Reply, UnexpectedReply};
use retry::Attempts;
pub use retry::RetryPolicy;
pub(crate) use retry::{Transient, is_overloaded};
pub use roots::Authorities;
pub use secure_url::{SecureUrl, UrlError, shown_url};
pub use tls::{ClientCertificate, Pem, TlsSettings};

/// The size limit of a reply body, in bytes.
pub const MAX_REPLY: usize = 1 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const AGENT: &str = concat!("gp-idp/", env!("CARGO_PKG_VERSION"));

/// The settings for requests to one service.
#[derive(Debug, Clone, Default)]
pub struct ServiceSettings {
    /// Certificate authorities, client certificate and so on.
    pub tls: TlsSettings,
    /// Its proxy, in place of the one in `HTTPS_PROXY` or `ALL_PROXY`.
    pub proxy: Option<ProxySetting>,
    /// The Unix socket for plain http requests.
    pub socket: Option<PathBuf>,
    /// The maximum number of tries, at least one; `None` for the default ([`RetryPolicy`]).
    pub tries: Option<u32>,
}

/// The HTTP client of one command: deadline, proxies, trust store. Clones share the connections.
#[derive(Clone)]
pub struct Http<'a> {
    ctx: &'a Context,
    service: Rc<ServiceSettings>,
    deadline: Deadline,
    /// Whether no user waits for the requests: they serve a program or renew a file.
    in_background: bool,
    // Two clients, each built on first use. Plain requests to the supervisor need no trust store,
    // and reading it costs more than the requests.
    loopback: Rc<OnceCell<Client>>,
    remote: Rc<OnceCell<Client>>,
    /// The TLS connections, by origin.
    connections: Rc<RefCell<HashMap<String, Connection>>>,
}

/// The state of the connection to an origin.
enum Connection {
    /// Opened for a later request, at this time.
    Early(Instant),
    /// A request was sent on it, and it may still be open.
    Used,
}

impl<'a> Http<'a> {
    /// A client whose requests all end before `deadline`.
    pub fn new(ctx: &'a Context, deadline: Deadline) -> Self {
        Self {
            ctx,
            service: Rc::default(),
            deadline,
            in_background: false,
            loopback: Rc::default(),
            remote: Rc::default(),
            connections: Rc::default(),
        }
    }

    /// The same client for requests that no user waits for.
    pub(crate) fn in_background(&self) -> Self {
        Self { in_background: true, ..self.clone() }
    }

    /// Shows the current step on a terminal until the result is dropped.
    pub(crate) fn waiting(&self, step: impl FnOnce() -> String) -> Option<Waiting<'a>> {
        if self.in_background { None } else { self.ctx.out.waiting(self.deadline.at(), step) }
    }

    /// The same client with another deadline.
    pub fn until(&self, deadline: Deadline) -> Self {
        Self { deadline, ..self.clone() }
    }

    /// A client with the settings of a service and the same deadline. Services without TLS, proxy
    /// and socket settings share one client, so the trust store is read once for them.
    pub fn for_service(&self, service: ServiceSettings) -> Self {
        let same_client = service.tls.is_default() && service.proxy.is_none() && service.socket.is_none();
        let clients = if same_client { self.clone() } else { Self::new(self.ctx, self.deadline) };
        Self { service: Rc::new(service), in_background: self.in_background, ..clients }
    }

    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Builds the client for `url` now, so that an unreadable trust store or certificate is an
    /// error before any request is sent.
    pub fn prepare(&self, url: &SecureUrl) -> Result<(), HttpError> {
        self.client_for(url).map(drop)
    }

    /// Opens a connection to the server of `url` for a later request. Ignores failures: the later
    /// request then opens its own. Skips plain http (loopback), where connecting is fast.
    pub(crate) async fn connect_early(&self, url: &SecureUrl) {
        let origin = self.origin(url);
        let is_connected = match self.connections.borrow().get(&origin) {
            None => false,
            Some(Connection::Early(begun)) => begun.elapsed() < early::LONGEST_IDLE,
            // The request would be sent on the open connection.
            Some(Connection::Used) => true,
        };
        if is_connected || url.is_plain() {
            return;
        }
        let Ok(client) = self.client_for(url) else { return };
        self.connections.borrow_mut().insert(origin.clone(), Connection::Early(Instant::now()));
        self.ctx.out.trace(|| format!("opening a connection to {origin} for a later request"));
        let (address, _) = server_name::address(url, self.service.tls.server_name.as_deref());
        // The request itself fails and is never sent (see `early`).
        let _ = early::open(&origin, client.get(address).send()).await;
    }

    pub fn ctx(&self) -> &'a Context {
        self.ctx
    }

    /// Sends `call`, with retries if they can help, and returns the last reply with any status.
    pub async fn send(&self, call: &Call) -> Result<Reply, HttpError> {
        match self.send_and_retry(call).await {
            Err(HttpError::Reset { origin, .. })
                if call.body.is_some() && self.wants_tls(&call.url).await =>
            {
                Err(HttpError::WantsTls { origin })
            }
            outcome => outcome,
        }
    }

    /// Whether plain http to `url` reached a port for TLS. Go's server replies with such a message,
    /// but closes the connection before it reads the body, and the reply is lost. So this sends one
    /// more request, without a body.
    async fn wants_tls(&self, url: &SecureUrl) -> bool {
        let (true, Ok(client)) = (url.is_plain(), self.client_for(url)) else { return false };
        self.ctx.out.trace(|| {
            format!("  sending {} a request without a body, to check for TLS on this port", self.origin(url))
        });
        let limit = self.deadline.left().min(Duration::from_secs(1));
        let reply = tokio::time::timeout(limit, self.once(client, &Call::get(url.clone()))).await;
        reply.is_ok_and(|reply| reply.is_ok_and(|reply| reply.wants_tls()))
    }

    async fn send_and_retry(&self, call: &Call) -> Result<Reply, HttpError> {
        call.secrets.iter().for_each(|secret| self.ctx.out.add_secret(secret));
        self.ctx.out.note_reply(None);
        let _waiting = self.waiting(|| {
            let origin = self.origin(&call.url);
            format!("waiting for {}", origin.split_once("://").map_or(&*origin, |(_, host)| host))
        });
        let client = self.client_for(&call.url)?;
        let mut tries = 0;
        let mut before: Option<Result<Reply, HttpError>> = None;
        loop {
            tries += 1;
            let begun = Instant::now();
            let end = self.deadline.at();
            let end_of_try = call.try_limit.map_or(end, |limit| end.min(begun + limit));
            let attempt = tokio::time::timeout_at(end_of_try.into(), self.once(client, call)).await;
            let cut_off = |limit| {
                let error = HttpError::TimedOut { origin: self.origin(&call.url), proxy: None, limit };
                match self.proxy_for(&call.url) {
                    Some((proxy, _)) => error.with_proxy(&proxy, None),
                    None => error,
                }
            };
            let outcome = match attempt {
                Ok(Err(error)) => Err(self.explain(error, &call.url).await),
                Ok(outcome) => outcome,
                Err(_) if end_of_try < end => Err(cut_off(end_of_try - begun)),
                // The result of the previous try is more specific than a timeout.
                Err(_) => {
                    let outcome = before.unwrap_or_else(|| Err(cut_off(self.deadline.limit())));
                    return self.finish(outcome, tries);
                }
            };
            self.trace(call, &outcome, begun.elapsed());
            self.ctx.out.note_reply(outcome.as_ref().ok().map(Reply::facts));
            let wait = call.retries.wait_before_retry(&outcome, tries, self.service.tries, self.ctx.now());
            match wait.and_then(|wait| wait.within(self.deadline.left())) {
                Some(wait) => {
                    let out = &self.ctx.out;
                    out.trace(|| format!("  trying again in {}", time::limit(wait)));
                    if tries == 1 && call.retries == RetryPolicy::Starting {
                        out.note_on_terminal(|| format!("waiting for {} to start", self.origin(&call.url)));
                    }
                    tokio::time::sleep(wait).await;
                    before = Some(outcome);
                }
                None => return self.finish(outcome, tries),
            }
        }
    }

    /// Adds the trust settings and the proxy for `url` to the error.
    async fn explain(&self, error: HttpError, url: &SecureUrl) -> HttpError {
        let error = error.with_trust_hint(|| roots::trust_hint(self.ctx, &self.service.tls));
        let Some((proxy, intercept)) = self.proxy_for(url) else {
            // The proxy's address is not that of an http proxy.
            return match (self.proxy_setting(), &error) {
                (Some(proxy), HttpError::Proxy(_)) => error.with_proxy(&proxy, None),
                _ => error,
            };
        };
        let seen = if error.needs_probe() {
            self.ctx.out.trace(|| {
                format!("  asking the proxy in `{}` again, to see its reply to CONNECT", proxy.setting)
            });
            let seen = tokio::time::timeout(self.deadline.left(), probe::ask(&intercept, url)).await;
            seen.ok().flatten()
        } else {
            None
        };
        error.with_proxy(&proxy, seen)
    }

    /// Adds the number of tries and the elapsed time.
    fn finish(&self, outcome: Result<Reply, HttpError>, tries: u32) -> Result<Reply, HttpError> {
        let attempts = Attempts { tries, took: self.deadline.elapsed() };
        match outcome {
            Ok(reply) => Ok(Reply { attempts, ..reply }),
            Err(error) => Err(error.with_attempts(attempts)),
        }
    }

    /// Waits before another try, for a transient failure that [`Http::send`] cannot recognise.
    /// Returns false if no try is left, or if the remaining time is too short for one.
    pub(crate) async fn pause_before_retry(&self, why: Transient, tries: u32) -> bool {
        let wait = why.wait(tries, self.service.tries).and_then(|wait| wait.within(self.deadline.left()));
        if let Some(wait) = wait {
            self.ctx.out.trace(|| format!("  trying again in {}", time::limit(wait)));
            tokio::time::sleep(wait).await;
        }
        wait.is_some()
    }

    /// The proxy and the trust store for `url`, for messages. Ignores the service's TLS settings.
    pub fn route(&self, url: &SecureUrl) -> String {
        if url.is_plain() {
            return "over loopback".to_owned();
        }
        let proxy = self.proxy_setting();
        let proxy = proxy.map_or("no proxy".to_owned(), |proxy| format!("proxy by {}", proxy.setting));
        format!("{proxy}, trusting {}", roots::trusted(self.ctx))
    }

    fn client_for(&self, url: &SecureUrl) -> Result<&Client, HttpError> {
        let cell = if url.is_plain() { &self.loopback } else { &self.remote };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let client = self.build(url)?;
        Ok(cell.get_or_init(|| client))
    }

    fn build(&self, url: &SecureUrl) -> Result<Client, HttpError> {
        let mut builder = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .no_proxy()
            .default_headers(HeaderMap::from_iter([(USER_AGENT, HeaderValue::from_static(AGENT))]));
        if url.is_plain() {
            builder = builder.tls_backend_preconfigured(tls::without_roots()?);
            #[cfg(unix)]
            if let Some(socket) = &self.service.socket {
                builder = builder.unix_socket(socket.as_path());
            }
        } else {
            builder = builder
                .tls_backend_preconfigured(tls::config(self.ctx, &self.service.tls)?)
                .connector_layer(EarlyConnections::default());
            // A server name replaces the host, so the proxy's rule for loopback would not match.
            let proxy = self.proxy_setting().filter(|_| !url.is_loopback());
            if let Some(proxy) = proxy {
                builder = builder.proxy(proxy.to_proxy(self.ctx)?);
            }
            if let (Some(_), Some(host)) = (&self.service.tls.server_name, url.host_str()) {
                builder = builder.dns_resolver(server_name::FixedHost::to(host, url.port_or_known_default()));
            }
        }
        builder.build().map_err(|error| HttpError::from_reqwest("the HTTP client", &error))
    }

    async fn once(&self, client: &Client, call: &Call) -> Result<Reply, HttpError> {
        let (url, host) = server_name::address(&call.url, self.service.tls.server_name.as_deref());
        let mut request = client.request(call.method.clone(), url).headers(call.headers.clone());
        if let Some(host) = host {
            request = request.header(reqwest::header::HOST, host);
        }
        if let Some(body) = &call.body {
            request = request.body(body.to_vec());
        }
        let origin = self.origin(&call.url);
        if !call.url.is_plain() {
            self.connections.borrow_mut().insert(origin.clone(), Connection::Used);
        }
        let sent = early::reuse(&origin, request.send()).await;
        let mut response = sent.map_err(|error| HttpError::from_reqwest(&origin, &error))?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) =
            response.chunk().await.map_err(|error| HttpError::from_reqwest(&origin, &error))?
        {
            if body.len() + chunk.len() > MAX_REPLY {
                return Err(HttpError::TooLarge { origin });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { origin, status, headers, body, attempts: Attempts::ONE })
    }

    /// The origin of `url`, or the socket that requests go through, for messages.
    fn origin(&self, url: &SecureUrl) -> String {
        self.service
            .socket
            .as_ref()
            .map_or_else(|| url.origin(), |socket| format!("unix://{}", socket.display()))
    }

    fn proxy_setting(&self) -> Option<ProxySetting> {
        self.service.proxy.clone().or_else(|| ProxySetting::from_context(self.ctx))
    }

    /// The proxy for requests to `url`, and how it is used.
    fn proxy_for(&self, url: &SecureUrl) -> Option<(ProxySetting, Intercept)> {
        let proxy = self.proxy_setting().filter(|_| !url.is_plain() && !url.is_loopback())?;
        let intercept = proxy.intercepts(url, self.ctx)?;
        Some((proxy, intercept))
    }

    fn trace(&self, call: &Call, outcome: &Result<Reply, HttpError>, took: Duration) {
        self.ctx.out.trace(|| {
            let result = match outcome {
                Ok(reply) => reply.status.to_string(),
                Err(error) => error.to_string(),
            };
            format!("{} {} -> {result} ({} ms)", call.method, call.url, took.as_millis())
        });
    }
}

/// Builds a reply, for the fuzz targets.
#[cfg(fuzzing)]
pub(crate) fn reply(status: u16, headers: HeaderMap, body: &[u8]) -> Reply {
    let origin = "https://api.example.com".to_owned();
    Reply { origin, status, headers, body: Zeroizing::new(body.to_vec()), attempts: Attempts::ONE }
}

/// How long a client with the remaining time `left` waits before it retries, for the fuzz targets.
#[cfg(fuzzing)]
pub(crate) fn wait_after(reply: Reply, now: jiff::Timestamp, left: Duration) -> Option<Duration> {
    RetryPolicy::Standard.wait_before_retry(&Ok(reply), 1, None, now)?.within(left)
}
