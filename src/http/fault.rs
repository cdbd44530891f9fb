//! What can go wrong between here and a reply, as a person would say it.

use std::borrow::Cow;
use std::time::Duration;

use super::proxy::ProxyFault;
use super::retry::Effort;
use crate::exit::{Bug, Exit, Explain};
use crate::time::{self, COMPARE_CLOCK};

/// No reply, or none that may be used.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("{origin} refused the connection{persistence}")]
    Refused {
        origin: String,
        /// ` (12 tries in 30 s)`, or nothing.
        persistence: String,
    },
    /// There is no such Unix socket, or not for this user.
    #[error("{origin} cannot be opened: {reason}")]
    Socket {
        /// `unix://` and the path.
        origin: String,
        reason: String,
    },
    /// The connection did not come about in time.
    #[error("{origin} did not accept a connection within 5 s")]
    ConnectTimedOut { origin: String },
    /// The command's time ran out.
    #[error("{origin}{} did not answer within {}", through(proxy.as_deref()), time::limit(*limit))]
    TimedOut {
        origin: String,
        /// The proxy that the request went through.
        proxy: Option<String>,
        /// The command's `--timeout`.
        limit: Duration,
    },
    /// The name has no address.
    #[error("the host name of {origin} could not be resolved")]
    Dns { origin: String },
    /// The connection ended before the reply did.
    #[error("{origin} closed the connection before its reply was complete{persistence}")]
    Reset {
        origin: String,
        /// ` (4 tries in 2 s)`, or nothing.
        persistence: String,
    },
    /// The certificate or the handshake is bad.
    #[error("no trusted TLS connection to {origin}: {reason}")]
    Tls {
        origin: String,
        /// What is wrong with it, or rustls' own words.
        reason: String,
        kind: TlsFault,
        way: Box<TlsWay>,
    },
    /// It is the proxy that fails, and not the address behind it.
    #[error("{0}")]
    Proxy(Box<ProxyFault>),
    /// As [`HttpError::Reset`], of plain http to a port that may be for TLS.
    #[error("{origin} closed the connection before its reply was complete{persistence}")]
    PerhapsTls {
        origin: String,
        /// ` (4 tries in 2 s)`, or nothing.
        persistence: String,
    },
    /// Plain http to a port for TLS.
    #[error("{origin} speaks https on this port")]
    WantsTls { origin: String },
    /// Anything else on the way.
    #[error("the request to {origin} failed: {reason}")]
    Other { origin: String, reason: String },
    /// More than the limit.
    #[error("{origin} sent more than 1 MiB")]
    TooLarge { origin: String },
    /// No certificate authority at all.
    #[error("found no certificate authority to trust{}", describe_roots(named, reason.as_deref()))]
    NoRoots {
        /// The setting of the service, where it has one of its own.
        setting: Option<Cow<'static, str>>,
        /// The file and the folder that were named.
        named: Vec<String>,
        reason: Option<String>,
    },
    /// The certificate or key for the client is of no use.
    #[error("the client certificate is unusable: {reason}")]
    ClientCertificate {
        /// Which file and what is wrong with it.
        reason: String,
        /// The settings that name certificate and key.
        settings: [&'static str; 2],
    },
    /// The proxy's address is unusable.
    #[error("the proxy address in `{setting}` is not a URL")]
    BadProxy { setting: &'static str },
    /// A value has characters that no header may have.
    #[error("the value for the header `{name}` holds characters that a header cannot have")]
    BadHeader { name: &'static str },
    /// The bearer token has characters that no header may have.
    #[error("the API token holds characters that a header cannot have")]
    BadBearer,
    #[error(transparent)]
    Bug(Bug),
    /// rustls refuses its settings.
    #[error("the TLS settings are unusable: {0}")]
    TlsSettings(String),
}

/// What is known of the way to a server that no TLS connection can be made to.
#[derive(Debug, Default)]
pub struct TlsWay {
    /// How to trust its authority, as the rest of a sentence.
    pub(super) how_to_trust: String,
    /// The proxy that the connection went through, and how to get around it.
    pub(super) proxy: Option<(String, Option<String>)>,
}

/// What is wrong with a TLS connection, by the fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsFault {
    /// The issuer of the certificate is not trusted.
    Issuer,
    /// The certificate names a trusted issuer, which has not signed it.
    Forged,
    /// The certificate is out of its dates, or the clock here is.
    Dates,
    /// The certificate is for other names.
    Name,
    /// The certificate is for other names, and the address is one whose server has a right one.
    Impostor,
    /// The certificate is an authority's own.
    Authority,
    /// The server does not speak TLS.
    Plain,
    Other,
}

/// ` through the proxy …`, to follow the address behind it.
pub(super) fn through(proxy: Option<&str>) -> String {
    proxy.map_or(String::new(), |proxy| format!(" through the proxy {proxy}"))
}

fn describe_roots(named: &[String], reason: Option<&str>) -> String {
    let place = if named.is_empty() { String::new() } else { format!(" in {}", named.join(" and ")) };
    reason.map_or(place.clone(), |reason| format!("{place}: {reason}"))
}

impl Explain for HttpError {
    fn exit(&self) -> Exit {
        match self {
            Self::BadProxy { .. } => Exit::Usage,
            Self::NoRoots { .. } | Self::ClientCertificate { .. } => Exit::LocalFile,
            Self::BadHeader { .. } | Self::BadBearer | Self::Bug(_) | Self::TlsSettings(_) => Exit::Failed,
            _ => Exit::Network,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Refused { origin, .. } if origin.starts_with("unix://") => "the socket is there, and no program serves it: most likely the program that made it has ended: start it again; else correct the path".to_owned(),
            Self::Refused { .. } => "nothing listens at this address: most likely the host or port is wrong: correct it; if it is right, the service does not run: start it, or ask whoever runs it".to_owned(),
            Self::Socket { .. } => "most likely the program that makes this socket does not run: start it; else correct the path".to_owned(),
            Self::ConnectTimedOut { .. } => {
                "most likely a firewall drops the connection: where this network needs a proxy, set `HTTPS_PROXY=http://HOST:PORT`; else correct the host and port of the address".to_owned()
            }
            Self::TimedOut { origin, proxy: Some(proxy), .. } => format!(
                "no answer came through the proxy in time: most likely {origin} is overloaded, or the proxy hangs: give it more time with `--timeout 1m`; if it fails again, ask whoever runs the proxy {proxy}"
            ),
            Self::TimedOut { proxy: None, .. } => {
                "the service took the connection and did not answer in time: most likely it is overloaded or hangs: give it more time with `--timeout 1m`; if it fails again, ask whoever runs it".to_owned()
            }
            Self::Dns { .. } => {
                "most likely the host name is misspelled: correct the address; if it is right, this network does not know the name: connect to the VPN, or set `HTTPS_PROXY=http://HOST:PORT` where it needs a proxy".to_owned()
            }
            Self::Reset { .. } => {
                "most likely the service restarts: try again in a minute; if it fails again, a proxy or firewall cuts the connection: ask whoever runs the service or the network".to_owned()
            }
            Self::Proxy(fault) => fault.hint.clone(),
            Self::Tls { origin, kind, way, .. } => {
                kind.hint(origin, way)
            }
            Self::NoRoots { setting: Some(setting), reason: Some(_), .. } => {
                format!("`{setting}` has to give certificates in PEM form, and its file cannot be read for the reason above: correct it, or leave it out to trust what the system trusts")
            }
            Self::NoRoots { setting: Some(setting), .. } => {
                format!("`{setting}` has to give certificates in PEM form (`-----BEGIN CERTIFICATE-----`), and this is none: correct it, or leave it out to trust what the system trusts")
            }
            Self::NoRoots { named, .. } if !named.is_empty() => {
                "`SSL_CERT_FILE` has to name a file of PEM certificates, `SSL_CERT_DIR` a folder of them: correct them, or `unset SSL_CERT_FILE SSL_CERT_DIR` to trust what the system trusts".to_owned()
            }
            Self::NoRoots { .. } => {
                "install the package `ca-certificates`, or set `SSL_CERT_FILE` to a PEM bundle".to_owned()
            }
            Self::PerhapsTls { origin, .. } => format!(
                "most likely the server speaks TLS on this port: use {}; else it is restarting: try again in a minute",
                origin.replacen("http://", "https://", 1)
            ),
            Self::WantsTls { origin } => format!("the address has `http://` and needs `https://`: use {}", origin.replacen("http://", "https://", 1)),
            Self::ClientCertificate { settings: [certificate, key], .. } => format!(
                "`{certificate}` has to give a PEM certificate and `{key}` its PEM key without a password: correct the one named above"
            ),
            Self::BadProxy { .. } => "write it like `http://proxy.example.com:3128`, or unset it where no proxy is needed".to_owned(),
            Self::TooLarge { origin } => format!(
                "a reply with a token is far smaller: most likely {origin} is the address of another service: correct it; whoever runs the service knows the right one"
            ),
            Self::Other { origin, .. } => {
                format!("try again in a minute; if it fails again, ask whoever runs {origin} or the network to look at the reason above")
            }
            Self::BadHeader { .. }
            | Self::BadBearer
            | Self::Bug(_)
            | Self::TlsSettings(_) => {
                return None;
            }
        })
    }
}

impl TlsFault {
    fn hint(self, origin: &str, way: &TlsWay) -> String {
        let TlsWay { how_to_trust, proxy } = way;
        match (self, proxy) {
            (Self::Issuer, Some((proxy, _))) => {
                format!("most likely the proxy {proxy} signed this certificate, else a private CA; if you trust it, ask whoever runs it for its CA certificate, and {how_to_trust}")
            }
            (Self::Issuer, None) => {
                format!("most likely a private CA or an intercepting proxy signed this certificate; if you trust it, ask whoever runs it for its CA certificate, and {how_to_trust}")
            }
            (Self::Forged, _) => {
                format!("most likely this authority has a new key, and its certificate here is the old one: ask whoever runs {origin} for the new one, and {how_to_trust}")
            }
            (Self::Impostor, Some((proxy, around))) => {
                let around = around.as_ref().map_or(String::new(), |around| format!("; {around}"));
                format!("the proxy {proxy} connects to another server: ask whoever runs the proxy to connect to {origin}{around}")
            }
            (Self::Impostor, None) => format!(
                "another server answers in its place (a login page or an intercepting proxy): open {origin} in a browser, and log in if the network asks for it; else ask whoever runs the network"
            ),
            (Self::Dates, _) => {
                format!("{COMPARE_CLOCK}: if this machine's clock is wrong, set it; if it is right, ask whoever runs the server to renew its certificate")
            }
            (Self::Name, _) => {
                "use a name of the certificate in the address; else ask whoever runs the server to give it a certificate for this name".to_owned()
            }
            (Self::Authority, _) => format!(
                "ask whoever runs the server to give it a certificate of its own, signed by that authority; ask for the certificate of the authority too, and {how_to_trust}"
            ),
            (Self::Plain, _) => "this port is for plain http, which only loopback addresses may use: correct the port of the address, usually to 443".to_owned(),
            (Self::Other, _) => {
                format!("the server at {origin} ends the TLS handshake for the reason above: ask whoever runs it; where it wants a client certificate, give one")
            }
        }
    }
}

impl HttpError {
    /// The fix, with where the address comes from if that may be wrong.
    pub(crate) fn hint_with(&self, address_from: &str) -> Option<String> {
        let is_about_address = match self {
            Self::Refused { .. }
            | Self::Socket { .. }
            | Self::ConnectTimedOut { .. }
            | Self::Dns { .. }
            | Self::TooLarge { .. }
            | Self::PerhapsTls { .. }
            | Self::WantsTls { .. }
            | Self::Tls { kind: TlsFault::Name | TlsFault::Plain, .. } => true,
            Self::Proxy(fault) => fault.may_be_of_the_name,
            _ => false,
        };
        let hint = self.hint()?;
        Some(if is_about_address { format!("{hint}; {address_from}") } else { hint })
    }

    /// What the other side did, to follow its name.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::TimedOut { .. } | Self::Reset { .. } | Self::PerhapsTls { .. } | Self::TooLarge { .. } => {
                "gave no usable answer"
            }
            _ => "cannot be reached",
        }
    }

    /// Whether a later try may succeed though nothing is changed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused { .. }
            | Self::ConnectTimedOut { .. }
            | Self::TimedOut { .. }
            | Self::Dns { .. }
            | Self::Reset { .. } => true,
            Self::Proxy(fault) => fault.passing,
            _ => false,
        }
    }

    /// Adds how to trust the authority of the service that was asked.
    pub(super) fn trusting(mut self, how: impl FnOnce() -> String) -> Self {
        if let Self::Tls { way, .. } = &mut self {
            way.how_to_trust = how();
        }
        self
    }

    /// Notes how often and for how long it was tried, where that is more than once.
    pub(super) fn after(mut self, effort: Effort) -> Self {
        if let (Self::Refused { persistence, .. } | Self::Reset { persistence, .. }, Some(effort)) =
            (&mut self, effort.shown())
        {
            *persistence = format!(" ({effort})");
        }
        self
    }
}
