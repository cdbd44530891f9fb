//! The way through a proxy, and what can go wrong before the address behind it is reached.

use reqwest::{NoProxy, Proxy, Url};

use super::{HttpError, shown_url};
use crate::context::Context;
use crate::secret::Secret;

/// How the errors of hyper-util begin that happen on the way to a proxy and through it.
pub(super) const TUNNEL: &str = "tunnel error: ";
/// The reason of a 407.
const WANTS_PASSWORD: &str = "it asks for a user name and a password (HTTP 407)";
/// The reason of any other refusal.
const REFUSES: &str = "it refuses to connect there";

/// The proxy of one service.
#[derive(Clone)]
pub struct ProxySetting {
    /// The setting that names it.
    pub setting: &'static str,
    /// Its address, which may hold a password.
    pub address: String,
    /// Whether `NO_PROXY` counts.
    pub can_be_bypassed: bool,
}

impl std::fmt::Debug for ProxySetting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ProxySetting").field(&self.setting).finish()
    }
}

impl ProxySetting {
    /// `HTTPS_PROXY` and `ALL_PROXY`, each in upper case before lower case.
    pub(super) fn from_context(ctx: &Context) -> Option<Self> {
        let named = |setting| {
            let address = ctx.var(setting).ok().flatten()?.to_owned();
            Some(Self { setting, address, can_be_bypassed: true })
        };
        ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].into_iter().find_map(named)
    }

    /// What the client is to use.
    pub(super) fn to_proxy(&self, ctx: &Context) -> Result<Proxy, HttpError> {
        // The address may hold a password, so the message does not repeat it.
        let bad = |_| HttpError::BadProxy { setting: self.setting };
        if let Some(password) = self.url().as_ref().and_then(Url::password) {
            ctx.out.hold(&Secret::new(password.to_owned()));
        }
        if !self.can_be_bypassed {
            return Proxy::all(&self.address).map_err(bad);
        }
        let var = |name| ctx.var(name).ok().flatten();
        let excluded = var("NO_PROXY").or_else(|| var("no_proxy")).unwrap_or_default();
        let excluded = format!("localhost,127.0.0.0/8,::1,{excluded}");
        Ok(Proxy::https(&self.address).map_err(bad)?.no_proxy(NoProxy::from_string(&excluded)))
    }

    /// The address as it is used: without a scheme it is http.
    fn url(&self) -> Option<Url> {
        let with_host = |text: &str| Url::parse(text).ok().filter(Url::has_host);
        with_host(&self.address).or_else(|| with_host(&format!("http://{}", self.address)))
    }
}

/// It is the proxy that fails, and not the address behind it.
#[derive(Debug, thiserror::Error)]
#[error("{origin} cannot be reached through the proxy {proxy}: {reason}")]
pub struct ProxyFault {
    /// Scheme, host and port of the address behind it.
    origin: String,
    /// Scheme, host and port of the proxy.
    proxy: String,
    reason: String,
    pub(super) hint: String,
    /// Whether another try may help.
    pub(super) passing: bool,
}

impl HttpError {
    /// What happened on the way to the proxy. Which one that is, [`HttpError::by_proxy`] adds.
    pub(super) fn before_tunnel(origin: String, direct: Self) -> Self {
        let passing = matches!(direct, Self::Dns { .. } | Self::Reset { .. });
        let reason = match direct {
            Self::Refused { .. } => "it refused the connection".to_owned(),
            Self::ConnectTimedOut { .. } => "it did not accept a connection within 5 s".to_owned(),
            Self::Dns { .. } => "its host name could not be resolved".to_owned(),
            Self::Reset { .. } => "it closed the connection".to_owned(),
            Self::Tls { reason, .. } => format!("no trusted TLS connection to it: {reason}"),
            Self::Other { reason, .. } => match reason.strip_prefix(TUNNEL) {
                Some("proxy authorization required") => WANTS_PASSWORD.to_owned(),
                Some("unsuccessful") => REFUSES.to_owned(),
                Some("unexpected end of file") => "it closed the connection".to_owned(),
                _ => reason,
            },
            other => other.to_string(),
        };
        let (proxy, hint) = (String::new(), String::new());
        Self::Proxy(Box::new(ProxyFault { origin, proxy, reason, hint, passing }))
    }

    /// Names the proxy and its setting; a password in its address is not shown.
    pub(super) fn by_proxy(mut self, used: Option<ProxySetting>) -> Self {
        let (Self::Proxy(fault), Some(used)) = (&mut self, used) else { return self };
        let ProxyFault { origin, proxy, reason, hint, passing } = &mut **fault;
        let setting = used.setting;
        let url = used.url();
        let has_password = url.as_ref().is_some_and(|url| url.password().is_some());
        // The origin of a scheme that the web does not know has no text.
        *proxy = url
            .as_ref()
            .map(|url| shown_url(url.as_str()).trim_end_matches('/').to_owned())
            .unwrap_or_default();
        let host = Url::parse(origin).ok().and_then(|url| url.host_str().map(str::to_owned));
        let around = match host {
            Some(host) if used.can_be_bypassed => {
                format!(", or put `{host}` into `NO_PROXY` where it is reached without a proxy")
            }
            _ => String::new(),
        };
        *hint = if url.is_some_and(|url| url.scheme().starts_with("socks")) {
            "it is not an http or https proxy, the only ones that are supported".clone_into(reason);
            *passing = false;
            format!("write an http:// proxy into `{setting}`{around}")
        } else if reason == WANTS_PASSWORD && !has_password {
            format!("write them into `{setting}`: `http://USER:PASSWORD@HOST:PORT`")
        } else if reason == WANTS_PASSWORD {
            format!("check the user name and password in `{setting}`")
        } else if reason == REFUSES {
            format!("ask who runs the proxy to allow it{around}")
        } else {
            format!("check the address in `{setting}`{around}")
        };
        self
    }
}
