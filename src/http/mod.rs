//! The one HTTP client.
//!
//! - https only, except to loopback; loopback never goes through a proxy.
//! - No redirects: every request here carries a secret or leads to one. A 3xx reply goes to the caller.
//! - Replies are read up to 1 MiB. Connects have 5 s, everything together has the command's `--timeout`.
//! - Retries only where a second try can help: see [`retry`].

mod cause;
mod fault;
mod pem;
mod proxy;
mod reply;
mod retry;
mod server_name;
mod tls;

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderMap, HeaderValue, USER_AGENT};
use reqwest::{Client, Method, Url, redirect};
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::context::Context;
use crate::time;

pub use fault::{HttpError, TlsFault};
pub use proxy::{ProxyFault, ProxySetting};
pub use reply::{Garbled, Reply};
pub use retry::Patience;
pub use tls::{Authorities, CaFile, ClientCertificate, Pem, TlsSettings};

/// The most that is read of a reply, in bytes.
pub const MAX_REPLY: usize = 1 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const AGENT: &str = concat!("gp-idp/", env!("CARGO_PKG_VERSION"));

/// One request, which may be sent several times.
pub struct Call {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Zeroizing<Vec<u8>>>,
    patience: Patience,
}

impl Call {
    /// A GET request.
    #[must_use]
    pub fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: None,
            patience: Patience::default(),
        }
    }

    /// A POST request with `body`, whose content type is a header like any other.
    #[must_use]
    pub fn post(url: Url, body: Vec<u8>) -> Self {
        Self { method: Method::POST, body: Some(Zeroizing::new(body)), ..Self::get(url) }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    /// Adds a header whose value came from outside; one that cannot stand in a header is an error.
    pub fn header_from(mut self, name: &'static str, value: &str) -> Result<Self, HttpError> {
        let value = HeaderValue::from_str(value).map_err(|_| HttpError::BadHeader { name })?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// As [`Call::header_from`], for a value that nobody may see.
    pub fn secret_header(
        mut self,
        name: &'static str,
        value: &crate::secret::Secret,
    ) -> Result<Self, HttpError> {
        let mut value = HeaderValue::from_str(value.reveal()).map_err(|_| HttpError::BadHeader { name })?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Adds `Authorization: Bearer …`; a token that cannot stand in a header is an error.
    pub fn bearer(mut self, token: &crate::secret::Secret) -> Result<Self, HttpError> {
        self.authorize(&Zeroizing::new(format!("Bearer {}", token.reveal())))?;
        Ok(self)
    }

    /// Adds `Authorization: Basic …` for an OAuth client, whose id and secret are form-encoded first (RFC 6749
    /// section 2.3.1).
    pub fn basic(mut self, id: &str, secret: &crate::secret::Secret) -> Result<Self, HttpError> {
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = Zeroizing::new(format!("{}:{}", encode(id), encode(secret.reveal())));
        self.authorize(&Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes()))))?;
        Ok(self)
    }

    fn authorize(&mut self, line: &str) -> Result<(), HttpError> {
        let mut value = HeaderValue::from_str(line).map_err(|_| HttpError::BadBearer)?;
        value.set_sensitive(true);
        self.headers.insert(reqwest::header::AUTHORIZATION, value);
        Ok(())
    }

    /// What is worth a second try.
    #[must_use]
    pub fn patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }
}

/// The client of one command: its time limit, its proxies, its trust store.
pub struct Http<'a> {
    ctx: &'a Context,
    tls: TlsSettings<'a>,
    proxy: Option<ProxySetting<'a>>,
    socket: Option<PathBuf>,
    started: Instant,
    timeout: Duration,
    tries: u32,
    // Two clients, each built when first needed: reading the trust store costs more than everything else
    // the supervisor's two plain requests need.
    loopback: OnceCell<Client>,
    remote: OnceCell<Client>,
}

impl<'a> Http<'a> {
    /// A client all of whose requests together end within `timeout` from now.
    #[must_use]
    pub fn new(ctx: &'a Context, timeout: Duration) -> Self {
        Self {
            ctx,
            tls: TlsSettings::default(),
            proxy: None,
            socket: None,
            started: Instant::now(),
            timeout,
            tries: retry::TRIES,
            loopback: OnceCell::new(),
            remote: OnceCell::new(),
        }
    }

    /// A client for a service with its own certificate authorities: those of a PEM file in place of the
    /// system's. The time limit is the same one.
    #[must_use]
    pub fn trusting(&self, ca_file: Option<CaFile<'a>>) -> Self {
        let authorities = ca_file.map(Authorities::File);
        self.with_tls(TlsSettings { authorities, ..TlsSettings::default() })
    }

    /// A client for a service with TLS settings of its own, within the same time limit.
    #[must_use]
    pub fn with_tls(&self, tls: TlsSettings<'a>) -> Self {
        Self {
            tls,
            proxy: self.proxy,
            started: self.started,
            tries: self.tries,
            ..Self::new(self.ctx, self.timeout)
        }
    }

    /// The same client, which sends a request at most so many times: at least once, four times unless told.
    #[must_use]
    pub fn at_most(mut self, tries: Option<u32>) -> Self {
        self.tries = tries.unwrap_or(self.tries);
        self
    }

    /// The same client, through this proxy whatever `HTTPS_PROXY` and `NO_PROXY` say.
    #[must_use]
    pub fn through(mut self, proxy: Option<ProxySetting<'a>>) -> Self {
        self.proxy = proxy;
        self
    }

    /// The same client, whose plain requests all go through this Unix socket.
    #[must_use]
    pub fn over(mut self, socket: Option<&Path>) -> Self {
        self.socket = socket.map(Path::to_owned);
        self
    }

    /// Reads what a request to `url` needs, so that a trust store that cannot be read is found before others are
    /// asked for anything.
    pub fn prepare(&self, url: &Url) -> Result<(), HttpError> {
        self.client_for(url).map(drop)
    }

    /// The context the client was made for.
    #[must_use]
    pub fn ctx(&self) -> &'a Context {
        self.ctx
    }

    /// Sends `call`, again where that can help, and returns the last reply, whatever its status.
    pub async fn send(&self, call: &Call) -> Result<Reply, HttpError> {
        let client = self.client_for(&call.url)?;
        let deadline = self.started + self.timeout;
        let mut tries = 0;
        let mut before: Option<Result<Reply, HttpError>> = None;
        loop {
            tries += 1;
            let begun = Instant::now();
            let cut_off = || HttpError::TimedOut { origin: self.origin(&call.url), limit: self.timeout };
            let attempt = tokio::time::timeout_at(deadline.into(), self.once(client, call));
            let Ok(outcome) = attempt.await else {
                // What the try before it found says more.
                return self.give_up(before.unwrap_or_else(|| Err(cut_off())), tries);
            };
            let outcome =
                outcome.map_err(|error| error.naming(self.tls.ca_setting).by_proxy(self.proxy_setting()));
            self.trace(call, &outcome, begun.elapsed());
            let wait = call.patience.wait_before_retry(&outcome, tries..self.tries, self.ctx.now());
            match wait.and_then(|wait| wait.within(deadline.saturating_duration_since(Instant::now()))) {
                Some(wait) => {
                    self.ctx.out.trace(|| format!("  trying again in {}", time::limit(wait)));
                    if tries == 1 && call.patience == Patience::Starting {
                        self.ctx.out.tell(|| format!("waiting for {} to start", self.origin(&call.url)));
                    }
                    tokio::time::sleep(wait).await;
                    before = Some(outcome);
                }
                // A failure that was tried until there was no time left says so.
                None if wait.is_some() => return self.give_up(outcome, tries),
                None => return outcome.map_err(|error| error.after(Duration::ZERO, tries)),
            }
        }
    }

    fn give_up(&self, outcome: Result<Reply, HttpError>, tries: u32) -> Result<Reply, HttpError> {
        outcome.map_err(|error| error.after(self.started.elapsed(), tries))
    }

    /// Waits before another try of something that [`Http::send`] cannot know to be worth one; false when it was
    /// tried often enough, or when the time limit leaves no room.
    pub async fn pause_before_retry(&self, tries: u32) -> bool {
        let wait = retry::pause(tries..self.tries);
        match wait {
            Some(wait) if Instant::now() + wait < self.started + self.timeout => {
                self.ctx.out.trace(|| format!("  trying again in {}", time::limit(wait)));
                tokio::time::sleep(wait).await;
                true
            }
            _ => false,
        }
    }

    /// How requests get to `url` and whom they trust there, for messages; of a client without settings of its own.
    #[must_use]
    pub fn route(&self, url: &Url) -> String {
        if url.scheme() == "http" {
            return "over loopback".to_owned();
        }
        let proxy = self.proxy_setting();
        let proxy = proxy.map_or("no proxy".to_owned(), |proxy| format!("proxy by {}", proxy.setting));
        format!("{proxy}, trusting {}", tls::trusted(self.ctx))
    }

    fn client_for(&self, url: &Url) -> Result<&Client, HttpError> {
        let (cell, loopback) = match (url.scheme(), is_loopback(url)) {
            ("http", true) => (&self.loopback, true),
            ("https", _) => (&self.remote, false),
            _ => return Err(HttpError::Insecure { url: without_secrets(url.as_str()) }),
        };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let client = self.build(url, loopback)?;
        Ok(cell.get_or_init(|| client))
    }

    fn build(&self, url: &Url, loopback: bool) -> Result<Client, HttpError> {
        let mut builder = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .no_proxy()
            .default_headers(HeaderMap::from_iter([(USER_AGENT, HeaderValue::from_static(AGENT))]));
        if loopback {
            builder = builder.tls_backend_preconfigured(tls::trusting_no_one()?);
            #[cfg(unix)]
            if let Some(socket) = &self.socket {
                builder = builder.unix_socket(socket.as_path());
            }
        } else {
            builder = builder.tls_backend_preconfigured(tls::config(self.ctx, &self.tls)?);
            // Asked for by the name in the certificate, the proxy would not know that this is loopback.
            let proxy = self.proxy_setting().filter(|_| !is_loopback(url));
            if let Some(proxy) = proxy {
                builder = builder.proxy(proxy.to_proxy(self.ctx)?);
            }
            if let (Some(_), Some(host)) = (self.tls.server_name, url.host_str()) {
                builder = builder.dns_resolver(server_name::Led::to(host, url.port_or_known_default()));
            }
        }
        builder.build().map_err(|error| HttpError::from_reqwest("the HTTP client", &error))
    }

    async fn once(&self, client: &Client, call: &Call) -> Result<Reply, HttpError> {
        let (url, host) = server_name::address(&call.url, self.tls.server_name);
        let mut request = client.request(call.method.clone(), url).headers(call.headers.clone());
        if let Some(host) = host {
            request = request.header(reqwest::header::HOST, host);
        }
        if let Some(body) = &call.body {
            request = request.body(body.to_vec());
        }
        let origin = self.origin(&call.url);
        let mut response = request.send().await.map_err(|error| HttpError::from_reqwest(&origin, &error))?;
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
        Ok(Reply { origin, status, headers, body })
    }

    /// Who answers requests to `url`, for messages.
    fn origin(&self, url: &Url) -> String {
        self.socket.as_ref().map_or_else(|| origin(url), |socket| format!("unix://{}", socket.display()))
    }

    fn proxy_setting(&self) -> Option<ProxySetting<'_>> {
        self.proxy.or_else(|| ProxySetting::from_context(self.ctx))
    }

    fn trace(&self, call: &Call, outcome: &Result<Reply, HttpError>, took: Duration) {
        self.ctx.out.trace(|| {
            let result = match outcome {
                Ok(reply) => reply.status.to_string(),
                Err(error) => error.to_string(),
            };
            format!(
                "{} {} -> {result} ({} ms)",
                call.method,
                without_secrets(call.url.as_str()),
                took.as_millis()
            )
        });
    }
}

/// Scheme, host and port, for messages: a path may hold more than a message should.
#[must_use]
pub fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// An address for messages: without user name, password, query and fragment, any of which may be secret.
#[must_use]
pub fn without_secrets(address: &str) -> String {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let start = address.find("//").map_or(0, |at| at + 2);
    let end = address[start..].find('/').map_or(address.len(), |at| start + at);
    let host = address[start..end].rsplit('@').next().unwrap_or_default();
    format!("{}{host}{}", &address[..start], &address[end..])
}

/// Whether `url` names this machine: `localhost`, 127.0.0.0/8 or ::1.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
