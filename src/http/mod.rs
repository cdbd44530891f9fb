//! The one HTTP client.
//!
//! - https only, except to loopback and a metadata service ([`SecureUrl`]), neither of which is behind a proxy.
//! - No redirects: every request here carries a secret or leads to one. A 3xx reply goes to the caller.
//! - Replies are read up to 1 MiB. Connects have 5 s, everything together has the command's [`Deadline`].
//! - Retries only where a second try can help: see [`retry`].

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
pub use fault::{HttpError, TlsFault, TlsWay};
pub use proxy::{ProxyFault, ProxySetting};
pub use reply::{Reply, UnexpectedReply};
use retry::Effort;
pub use retry::Patience;
pub(crate) use retry::{Transient, is_overloaded};
pub use roots::Authorities;
pub use secure_url::{SecureUrl, UrlError, shown_url};
pub use tls::{ClientCertificate, Pem, TlsSettings};

/// The most that is read of a reply, in bytes.
pub const MAX_REPLY: usize = 1 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const AGENT: &str = concat!("gp-idp/", env!("CARGO_PKG_VERSION"));

/// How requests to one service differ from those to all others.
#[derive(Debug, Clone, Default)]
pub struct ServiceSettings {
    /// Its certificate authorities, client certificate and so on.
    pub tls: TlsSettings,
    /// Its proxy, whatever `HTTPS_PROXY` and `NO_PROXY` say.
    pub proxy: Option<ProxySetting>,
    /// The Unix socket that its plain requests go through.
    pub socket: Option<PathBuf>,
    /// How often a request is sent at most: at least once, four times unless told.
    pub tries: Option<u32>,
}

/// The client of one command: its deadline, its proxies, its trust store. Clones share the connections.
#[derive(Clone)]
pub struct Http<'a> {
    ctx: &'a Context,
    service: Rc<ServiceSettings>,
    deadline: Deadline,
    /// Whether nobody at the terminal waits for the requests: a program does, or a file is kept fresh.
    in_background: bool,
    // Two clients, each built when first needed: reading the trust store costs more than everything else
    // the supervisor's two plain requests need.
    loopback: Rc<OnceCell<Client>>,
    remote: Rc<OnceCell<Client>>,
    /// The origins that a connection with TLS was opened to.
    connections: Rc<RefCell<HashMap<String, Connection>>>,
}

/// What is known of the connection to an origin.
enum Connection {
    /// Opened for a later request, at this time.
    Early(Instant),
    /// A request was sent on it. It may still be open.
    Used,
}

impl<'a> Http<'a> {
    /// A client all of whose requests end before `deadline`.
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

    /// The same client for requests that nobody at the terminal waits for.
    pub(crate) fn in_background(&self) -> Self {
        Self { in_background: true, ..self.clone() }
    }

    /// Shows on a terminal what is waited for, while the result lives.
    pub(crate) fn waiting(&self, step: impl FnOnce() -> String) -> Option<Waiting<'a>> {
        if self.in_background { None } else { self.ctx.out.waiting(self.deadline.at(), step) }
    }

    /// The same client with another deadline.
    pub fn until(&self, deadline: Deadline) -> Self {
        Self { deadline, ..self.clone() }
    }

    /// A client for a service with settings of its own, within the same deadline. The trust store is read once for
    /// all services that have no other.
    pub fn for_service(&self, service: ServiceSettings) -> Self {
        let same_client = service.tls.is_default() && service.proxy.is_none() && service.socket.is_none();
        let clients = if same_client { self.clone() } else { Self::new(self.ctx, self.deadline) };
        Self { service: Rc::new(service), in_background: self.in_background, ..clients }
    }

    /// When the command has to be done.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Reads what a request to `url` needs, so that a trust store that cannot be read is found before others are
    /// asked for anything.
    pub fn prepare(&self, url: &SecureUrl) -> Result<(), HttpError> {
        self.client_for(url).map(drop)
    }

    /// Opens a connection to the server of `url` for a later request. A failure is silent: the later request then opens
    /// its own connection. This skips addresses without TLS, such as loopback, because they are near enough.
    pub(crate) async fn connect_early(&self, url: &SecureUrl) {
        let origin = self.origin(url);
        let is_connected = match self.connections.borrow().get(&origin) {
            None => false,
            Some(Connection::Early(begun)) => begun.elapsed() < early::LONGEST_IDLE,
            // On a connection that is open, the request would be sent.
            Some(Connection::Used) => true,
        };
        if is_connected || url.is_plain() {
            return;
        }
        let Ok(client) = self.client_for(url) else { return };
        self.connections.borrow_mut().insert(origin.clone(), Connection::Early(Instant::now()));
        self.ctx.out.trace(|| format!("opening a connection to {origin} for a later request"));
        let (address, _) = server_name::address(url, self.service.tls.server_name.as_deref());
        // The request ends where its connection would begin.
        let _ = early::opening(&origin, client.get(address).send()).await;
    }

    /// The context the client was made for.
    pub fn ctx(&self) -> &'a Context {
        self.ctx
    }

    /// Sends `call`, again where that can help, and returns the last reply, whatever its status.
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

    /// Whether plain http to `url` reached a port for TLS. Go's server says so, but closes the connection before it has
    /// read a body, which loses the reply. So this sends one more request, without a body.
    async fn wants_tls(&self, url: &SecureUrl) -> bool {
        let (true, Ok(client)) = (url.is_plain(), self.client_for(url)) else { return false };
        self.ctx
            .out
            .trace(|| format!("  asking {} without a body, whether the port is for TLS", self.origin(url)));
        let limit = self.deadline.left().min(Duration::from_secs(1));
        let reply = tokio::time::timeout(limit, self.once(client, &Call::get(url.clone()))).await;
        reply.is_ok_and(|reply| reply.is_ok_and(|reply| reply.wants_tls()))
    }

    async fn send_and_retry(&self, call: &Call) -> Result<Reply, HttpError> {
        call.secrets.iter().for_each(|secret| self.ctx.out.hold(secret));
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
                    Some((proxy, _)) => error.by_proxy(&proxy, None),
                    None => error,
                }
            };
            let outcome = match attempt {
                Ok(Err(error)) => Err(self.explain(error, &call.url).await),
                Ok(outcome) => outcome,
                Err(_) if end_of_try < end => Err(cut_off(end_of_try - begun)),
                // What the try before it found says more.
                Err(_) => {
                    let outcome = before.unwrap_or_else(|| Err(cut_off(self.deadline.limit())));
                    return self.finish(outcome, tries);
                }
            };
            self.trace(call, &outcome, begun.elapsed());
            self.ctx.out.note_reply(outcome.as_ref().ok().map(Reply::facts));
            let wait = call.patience.wait_before_retry(&outcome, tries, self.service.tries, self.ctx.now());
            match wait.and_then(|wait| wait.within(self.deadline.left())) {
                Some(wait) => {
                    self.ctx.out.trace(|| format!("  trying again in {}", time::limit(wait)));
                    if tries == 1 && call.patience == Patience::Starting {
                        self.ctx.out.tell(|| format!("waiting for {} to start", self.origin(&call.url)));
                    }
                    tokio::time::sleep(wait).await;
                    before = Some(outcome);
                }
                None => return self.finish(outcome, tries),
            }
        }
    }

    /// Adds what is known of the way to `url`.
    async fn explain(&self, error: HttpError, url: &SecureUrl) -> HttpError {
        let error = error.trusting(|| roots::how_to_add(self.ctx, &self.service.tls));
        let Some((proxy, way)) = self.proxy_for(url) else {
            // An address that is no http proxy's.
            return match (self.proxy_setting(), &error) {
                (Some(proxy), HttpError::Proxy(_)) => error.by_proxy(&proxy, None),
                _ => error,
            };
        };
        let seen = if error.may_be_of_the_proxy() {
            self.ctx.out.trace(|| {
                format!("  asking the proxy of `{}` once more, for its answer alone", proxy.setting)
            });
            let seen = tokio::time::timeout(self.deadline.left(), probe::ask(&way, url)).await;
            seen.ok().flatten()
        } else {
            None
        };
        error.by_proxy(&proxy, seen)
    }

    /// Notes how often it was tried.
    fn finish(&self, outcome: Result<Reply, HttpError>, tries: u32) -> Result<Reply, HttpError> {
        let effort = Effort { tries, took: self.deadline.elapsed() };
        match outcome {
            Ok(reply) => Ok(Reply { effort, ..reply }),
            Err(error) => Err(error.after(effort)),
        }
    }

    /// Waits before another try, for a failure that [`Http::send`] cannot recognise as transient. Returns false if
    /// there were enough tries, or if the time limit leaves no room for another.
    pub(crate) async fn pause_before_retry(&self, why: Transient, tries: u32) -> bool {
        let wait = why.wait(tries, self.service.tries).and_then(|wait| wait.within(self.deadline.left()));
        if let Some(wait) = wait {
            self.ctx.out.trace(|| format!("  trying again in {}", time::limit(wait)));
            tokio::time::sleep(wait).await;
        }
        wait.is_some()
    }

    /// How requests get to `url` and whom they trust there, for messages; of a client without settings of its own.
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
            builder = builder.tls_backend_preconfigured(tls::trusting_no_one()?);
            #[cfg(unix)]
            if let Some(socket) = &self.service.socket {
                builder = builder.unix_socket(socket.as_path());
            }
        } else {
            builder = builder
                .tls_backend_preconfigured(tls::config(self.ctx, &self.service.tls)?)
                .connector_layer(EarlyConnections::default());
            // With a server name in the TLS settings, the request has that name, and no rule would recognise loopback.
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
        let sent = early::through(&origin, request.send()).await;
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
        Ok(Reply { origin, status, headers, body, effort: Effort::ONE })
    }

    /// Who answers requests to `url`, for messages.
    fn origin(&self, url: &SecureUrl) -> String {
        self.service
            .socket
            .as_ref()
            .map_or_else(|| url.origin(), |socket| format!("unix://{}", socket.display()))
    }

    fn proxy_setting(&self) -> Option<ProxySetting> {
        self.service.proxy.clone().or_else(|| ProxySetting::from_context(self.ctx))
    }

    /// The proxy that requests to `url` go through, and how.
    fn proxy_for(&self, url: &SecureUrl) -> Option<(ProxySetting, Intercept)> {
        let proxy = self.proxy_setting().filter(|_| !url.is_plain() && !url.is_loopback())?;
        let way = proxy.intercepts(url, self.ctx)?;
        Some((proxy, way))
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

/// A reply of these parts, for the fuzz targets.
#[cfg(fuzzing)]
pub(crate) fn reply(status: u16, headers: HeaderMap, body: &[u8]) -> Reply {
    let origin = "https://api.example.com".to_owned();
    Reply { origin, status, headers, body: Zeroizing::new(body.to_vec()), effort: Effort::ONE }
}

/// How long a client with `left` waits after a reply before it asks again, for the fuzz targets.
#[cfg(fuzzing)]
pub(crate) fn wait_after(reply: Reply, now: jiff::Timestamp, left: Duration) -> Option<Duration> {
    Patience::Usual.wait_before_retry(&Ok(reply), 1, None, now)?.within(left)
}
