//! Proxy settings, and the errors of proxies.

use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::{NoProxy, Proxy, Url};

use super::fault::through;
use super::probe::ConnectOutcome;
use super::{HttpError, TlsFault, shown_url};
use crate::context::Context;
use crate::secret::Secret;

/// The start of hyper-util's error messages about proxy tunnels.
pub(super) const TUNNEL: &str = "tunnel error: ";
/// The reason for a 407.
const WANTS_PASSWORD: &str = "the proxy requires a user name and a password (HTTP 407)";
/// The reason for a proxy that hangs.
const SILENT: &str = "the proxy accepts the connection and does not answer";
/// The reason for a proxy that connects to a server that hangs.
const SERVER_SILENT: &str = "the server behind the proxy does not answer";
/// The reason for any other refusal.
const CONNECT_REFUSED: &str = "the proxy refuses to connect to this host";

/// The proxy of one service.
#[derive(Clone)]
pub struct ProxySetting {
    /// The name of the setting.
    pub setting: &'static str,
    /// The proxy's address, which may hold a password.
    pub address: String,
    /// Whether `NO_PROXY` applies.
    pub honours_no_proxy: bool,
}

impl std::fmt::Debug for ProxySetting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ProxySetting").field(&self.setting).finish()
    }
}

impl ProxySetting {
    /// `HTTPS_PROXY`, else `ALL_PROXY`; each in upper case, else in lower case.
    pub(super) fn from_context(ctx: &Context) -> Option<Self> {
        let named = |setting| {
            let address = ctx.var(setting).ok().flatten()?.to_owned();
            Some(Self { setting, address, honours_no_proxy: true })
        };
        ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].into_iter().find_map(named)
    }

    /// The proxy for reqwest.
    pub(super) fn to_proxy(&self, ctx: &Context) -> Result<Proxy, HttpError> {
        // The address may hold a password, so the message does not repeat it.
        let bad = |_| HttpError::BadProxy { setting: self.setting };
        if let Some(password) = self.url().as_ref().and_then(Url::password) {
            ctx.out.add_secret(&Secret::new(password.to_owned()));
        }
        if !self.honours_no_proxy {
            return Proxy::all(&self.address).map_err(bad);
        }
        Ok(Proxy::https(&self.address).map_err(bad)?.no_proxy(NoProxy::from_string(&excluded(ctx))))
    }

    /// How a request to `url` uses this proxy, if it does. reqwest decides with the same code.
    pub(super) fn intercepts(&self, url: &Url, ctx: &Context) -> Option<Intercept> {
        let matcher = Matcher::builder().https(self.address.clone());
        let matcher = if self.honours_no_proxy { matcher.no(excluded(ctx)) } else { matcher };
        matcher.build().intercept(&url.as_str().parse().ok()?)
    }

    /// The address for messages, without a password.
    fn shown(&self) -> String {
        // Not `Url::origin`, which has no text for schemes such as socks5.
        let url = self.url();
        url.map(|url| shown_url(url.as_str()).trim_end_matches('/').to_owned()).unwrap_or_default()
    }

    /// Advice to reach `host` without this proxy.
    fn bypass_hint(&self, host: Option<&str>) -> Option<String> {
        let host = host.filter(|_| self.honours_no_proxy)?;
        Some(format!("if `{host}` can be reached without a proxy, add it to `NO_PROXY`"))
    }

    /// The parsed address. Without a scheme it is http.
    fn url(&self) -> Option<Url> {
        let with_host = |text: &str| Url::parse(text).ok().filter(Url::has_host);
        with_host(&self.address).or_else(|| with_host(&format!("http://{}", self.address)))
    }
}

/// The proxy failed, not the server behind it.
#[derive(Debug, thiserror::Error)]
#[error("{origin} cannot be reached through the proxy {proxy}: {reason}")]
pub struct ProxyFault {
    /// Scheme, host and port of the server behind the proxy.
    origin: String,
    /// Scheme, host and port of the proxy.
    proxy: String,
    reason: String,
    pub(super) hint: String,
    /// Whether another try may help.
    pub(super) is_transient: bool,
    /// Whether the server's host name may be wrong.
    pub(super) name_may_be_wrong: bool,
}

impl HttpError {
    /// Converts an error on the connection to a proxy. [`HttpError::with_proxy`] adds the proxy.
    pub(super) fn before_tunnel(origin: String, direct: Self) -> Self {
        let is_transient = matches!(direct, Self::Dns { .. } | Self::Reset { .. });
        let reason = match direct {
            Self::Refused { .. } => "the proxy refused the connection".to_owned(),
            Self::ConnectTimedOut { .. } => "the proxy did not accept a connection within 5 s".to_owned(),
            Self::Dns { .. } => "the host name of the proxy could not be resolved".to_owned(),
            Self::Reset { .. } => "the proxy closed the connection".to_owned(),
            Self::Tls { reason, .. } => format!("no trusted TLS connection to the proxy: {reason}"),
            Self::Other { reason, .. } => match reason.strip_prefix(TUNNEL) {
                Some("proxy authorization required") => WANTS_PASSWORD.to_owned(),
                Some("unsuccessful") => CONNECT_REFUSED.to_owned(),
                Some("unexpected end of file") => "the proxy closed the connection".to_owned(),
                _ => reason,
            },
            other => other.to_string(),
        };
        Self::Proxy(Box::new(ProxyFault::new(origin, reason, is_transient)))
    }

    /// Adds the proxy of the request. `seen` is the proxy's reaction to the second `CONNECT`.
    pub(super) fn with_proxy(self, used: &ProxySetting, seen: Option<ConnectOutcome>) -> Self {
        let is_no_tunnel = matches!(
            &seen,
            Some(ConnectOutcome::Reply { status, page, .. }) if *status != 200 || page.is_some()
        );
        let origin = match self {
            Self::Proxy(fault) => return Self::Proxy(Box::new(fault.explained(used, seen))),
            Self::ConnectTimedOut { origin } => origin,
            Self::Reset { origin, .. } | Self::Tls { origin, kind: TlsFault::Plain, .. } if is_no_tunnel => {
                origin
            }
            Self::Reset { origin, attempts } => {
                return Self::Reset { origin: origin + &through(Some(&used.shown())), attempts };
            }
            Self::TimedOut { origin, limit, .. } => {
                return Self::TimedOut { origin, proxy: Some(used.shown()), limit };
            }
            Self::Tls { origin, reason, kind, mut context } => {
                let kind = if kind == TlsFault::Name { TlsFault::WrongServer } else { kind };
                let bypass_hint = used.bypass_hint(host_of(&origin).as_deref());
                context.proxy = Some((used.shown(), bypass_hint));
                return Self::Tls { origin, reason, kind, context };
            }
            other => return other,
        };
        let reason =
            if seen == Some(ConnectOutcome::Silence) { SILENT } else { "there was no connection within 5 s" };
        Self::Proxy(Box::new(ProxyFault::new(origin, reason.to_owned(), false).explained(used, seen)))
    }

    /// Whether another `CONNECT` to the proxy may explain the error.
    pub(super) fn needs_probe(&self) -> bool {
        match self {
            Self::Proxy(fault) => fault.reason == CONNECT_REFUSED,
            Self::ConnectTimedOut { .. } | Self::Reset { .. } | Self::Tls { kind: TlsFault::Plain, .. } => {
                true
            }
            _ => false,
        }
    }
}

impl ProxyFault {
    fn new(origin: String, reason: String, is_transient: bool) -> Self {
        Self {
            origin,
            proxy: String::new(),
            reason,
            hint: String::new(),
            is_transient,
            name_may_be_wrong: false,
        }
    }

    /// Adds the proxy, the reason and the hint.
    fn explained(mut self, used: &ProxySetting, seen: Option<ConnectOutcome>) -> Self {
        let setting = used.setting;
        let url = used.url();
        let has_password = url.as_ref().is_some_and(|url| url.password().is_some());
        self.proxy = used.shown();
        let host = host_of(&self.origin);
        let bypass_hint = used.bypass_hint(host.as_deref());
        let host = host.unwrap_or_default();
        let proxy = self.proxy.clone();
        match &seen {
            // The second `CONNECT` succeeded.
            Some(ConnectOutcome::Reply { status: 200, page: None, .. }) if self.reason == CONNECT_REFUSED => {
                self.is_transient = true;
            }
            Some(ConnectOutcome::Reply { status, page, location }) => {
                self.reason = reason_of(*status, page.as_deref(), location.as_deref());
            }
            _ => {}
        }
        let status = match seen {
            Some(ConnectOutcome::Reply { status, page, .. }) => Some((status, page.is_some())),
            _ => None,
        };
        let correct = format!("if {proxy} is not the address of a proxy, correct `{setting}`");
        let steps = if url.is_some_and(|url| url.scheme().starts_with("socks")) {
            "only http and https proxies are supported".clone_into(&mut self.reason);
            self.is_transient = false;
            vec![format!(
                "ask whoever runs the proxy for its http address, such as `http://HOST:PORT`, and write it into `{setting}`"
            )]
        } else if self.reason == WANTS_PASSWORD {
            let what = if has_password {
                "the proxy refused the user name or the password (HTTP 407)".clone_into(&mut self.reason);
                format!("correct the user name and the password in `{setting}`")
            } else {
                format!("write a user name and a password for the proxy into `{setting}`")
            };
            let (scheme, place) = proxy.split_once("://").unwrap_or(("http", &proxy));
            self.hint = format!(
                "{what}: `{scheme}://USER:PASSWORD@{place}`\n\
                 if you do not know the user name and the password, ask whoever runs the proxy\n\
                 percent-encode special characters in the user name and the password, for example `@` as `%40`"
            );
            return self;
        } else if let Some((200, true) | (300..400, _)) = status {
            vec!["open any page in a browser, and log in if the network asks for it".to_owned(), correct]
        } else if let Some((502..=504, _)) = status {
            self.name_may_be_wrong = true;
            vec![
                format!(
                    "run `curl -I {}` on a machine outside this network",
                    self.origin
                ),
                "if it fails there too, the name is wrong or the service is down: correct the name, or ask whoever runs the service why it is down".to_owned(),
                format!("if it succeeds there, ask whoever runs the proxy to let the proxy reach `{host}`"),
            ]
        } else if let Some((400 | 404 | 405 | 501, _)) = status {
            vec![format!("most likely {proxy} is a web server and not a proxy: correct `{setting}`")]
        } else if let Some((429, _)) = status {
            vec!["try again in a minute".to_owned()]
        } else if self.reason == SILENT || self.reason == SERVER_SILENT {
            vec![format!("ask whoever runs the proxy why it does not reach `{host}`"), correct]
        } else if status.is_some() || self.reason == CONNECT_REFUSED {
            vec![format!("ask whoever runs the proxy to allow connections to `{host}`")]
        } else {
            vec![
                correct,
                "if the address is correct, send the reason above to whoever runs the proxy".to_owned(),
            ]
        };
        self.hint = steps.into_iter().chain(bypass_hint).collect::<Vec<_>>().join("\n");
        self
    }
}

/// The reason in a proxy's reply that opens no tunnel.
fn reason_of(status: u16, page: Option<&str>, location: Option<&str>) -> String {
    let with_page = page.map_or(String::new(), |title| format!(", with an HTML page{title}"));
    match (status, location) {
        (407, _) => WANTS_PASSWORD.to_owned(),
        (200, _) if page.is_none() => SERVER_SILENT.to_owned(),
        (200, _) => format!("the proxy answers with an HTML page{} (HTTP 200)", page.unwrap_or_default()),
        (300..400, Some(location)) => format!("the proxy redirects to {location} (HTTP {status})"),
        (400 | 404 | 405 | 501, _) => {
            format!("the proxy does not accept `CONNECT` (HTTP {status}){with_page}")
        }
        (429, _) => format!("the proxy is overloaded (HTTP {status}){with_page}"),
        (502, _) => format!("the proxy could not connect to this host (HTTP {status}){with_page}"),
        (503, _) => {
            format!("the proxy could not connect to this host, or is overloaded (HTTP {status}){with_page}")
        }
        (504, _) => format!("the server behind the proxy did not answer in time (HTTP {status}){with_page}"),
        _ => format!("{CONNECT_REFUSED} (HTTP {status}){with_page}"),
    }
}

/// The host of an origin.
fn host_of(origin: &str) -> Option<String> {
    Url::parse(origin).ok()?.host_str().map(str::to_owned)
}

/// The hosts to reach without a proxy, in the form of `NO_PROXY`.
fn excluded(ctx: &Context) -> String {
    let var = |name| ctx.var(name).ok().flatten();
    let excluded = var("NO_PROXY").or_else(|| var("no_proxy")).unwrap_or_default();
    format!("localhost,127.0.0.0/8,::1,{excluded}")
}
