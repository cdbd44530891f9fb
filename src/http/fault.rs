//! What can go wrong between here and a reply, as a person would say it.

use std::borrow::Cow;
use std::time::Duration;

use super::proxy::ProxyFault;
use crate::exit::{Bug, Exit, Explain};
use crate::time;

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
    #[error("{origin} did not answer within {}", time::limit(*limit))]
    TimedOut {
        origin: String,
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
    #[error("the value for the header `{name}` holds characters that cannot stand in a header")]
    BadHeader { name: &'static str },
    /// The bearer token has characters that no header may have.
    #[error("the API token holds characters that cannot stand in a header")]
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
    pub(super) proxy: Option<(String, String)>,
}

/// What is wrong with a TLS connection, by the fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsFault {
    /// The issuer of the certificate is not trusted.
    Issuer,
    /// The certificate is out of its dates, or the clock here is.
    Dates,
    /// The certificate is for other names.
    Name,
    /// The certificate is for other names, and the address is one whose server has a right one.
    Impostor,
    /// The certificate is an authority's own.
    Authority,
    /// What answers does not speak TLS.
    Plain,
    Other,
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
            Self::Refused { .. } => "check the address and that the service runs".to_owned(),
            Self::Socket { .. } => "check the path, and that what makes this socket runs".to_owned(),
            Self::ConnectTimedOut { .. } => {
                "a firewall may drop the connection; behind a proxy set `HTTPS_PROXY`".to_owned()
            }
            Self::TimedOut { .. } => {
                "give it more time with `--timeout 60s`, or see each step with `--verbose`".to_owned()
            }
            Self::Dns { .. } => {
                "check the host name and the network; behind a proxy set `HTTPS_PROXY`".to_owned()
            }
            Self::Reset { .. } => {
                "try again; if it stays so, a proxy or firewall on the way may cut the connection".to_owned()
            }
            Self::Proxy(fault) => fault.hint.clone(),
            Self::Tls { origin, kind, way, .. } => {
                return kind.hint(origin, way);
            }
            Self::NoRoots { setting: Some(setting), .. } => {
                format!("`{setting}` has to name PEM certificates; unset it to trust what the system does")
            }
            Self::NoRoots { named, .. } if !named.is_empty() => {
                "`SSL_CERT_FILE` has to name a file of PEM certificates, `SSL_CERT_DIR` a folder of such; unset them to trust what the system does".to_owned()
            }
            Self::NoRoots { .. } => {
                "install the package `ca-certificates`, or set `SSL_CERT_FILE` to a PEM bundle".to_owned()
            }
            Self::PerhapsTls { origin, .. } => format!(
                "try again; if the server speaks TLS on this port, use {}",
                origin.replacen("http://", "https://", 1)
            ),
            Self::WantsTls { origin } => format!("use {}", origin.replacen("http://", "https://", 1)),
            Self::ClientCertificate { settings: [certificate, key], .. } => format!(
                "`{certificate}` is for a PEM certificate, `{key}` for its unencrypted PEM key"
            ),
            Self::BadProxy { .. } => "write it like `http://proxy.example.com:3128`".to_owned(),
            Self::Other { .. }
            | Self::TooLarge { .. }
            | Self::BadHeader { .. }
            | Self::BadBearer
            | Self::Bug(_)
            | Self::TlsSettings(_) => {
                return None;
            }
        })
    }
}

impl TlsFault {
    fn hint(self, origin: &str, way: &TlsWay) -> Option<String> {
        let TlsWay { how_to_trust, proxy } = way;
        Some(match (self, proxy) {
            (Self::Issuer, Some((proxy, _))) => {
                format!("if the proxy {proxy} or a private CA signs there, {how_to_trust}")
            }
            (Self::Issuer, None) => {
                format!("if a private CA or an intercepting proxy signs there, {how_to_trust}")
            }
            (Self::Impostor, Some((proxy, around))) => {
                format!("the proxy {proxy} lets something else answer: ask who runs it{around}")
            }
            (Self::Impostor, None) => format!(
                "something else answers in its place (a login page, an intercepting proxy): open {origin} in a browser"
            ),
            (Self::Dates, _) => {
                "check the clock of this machine with `date`; if it is right, the certificate there has to be renewed".to_owned()
            }
            (Self::Name, _) => {
                "put a name of the certificate into the address, or give the server a certificate for this one".to_owned()
            }
            (Self::Authority, _) => format!(
                "give the server a certificate of its own, signed by that authority; for the authority, {how_to_trust}"
            ),
            (Self::Plain, _) => "check the port of the address; plain http:// goes to loopback only".to_owned(),
            (Self::Other, _) => return None,
        })
    }
}

impl HttpError {
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
    pub(super) fn after(mut self, waited: Duration, tries: u32) -> Self {
        if let (Self::Refused { persistence, .. } | Self::Reset { persistence, .. }, true) =
            (&mut self, tries > 1)
        {
            *persistence = if waited.is_zero() {
                format!(" ({tries} tries)")
            } else {
                let whole = Duration::from_secs(waited.as_secs());
                // Below two seconds, a second is too coarse.
                let shown = if waited < Duration::from_secs(2) { waited } else { whole };
                format!(" ({tries} tries in {})", time::limit(shown))
            };
        }
        self
    }
}
