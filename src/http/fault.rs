//! The errors of requests, with hints.

use std::borrow::Cow;
use std::time::Duration;

use super::proxy::ProxyFault;
use super::retry::Attempts;
use crate::exit::{Bug, Exit, Explain};
use crate::time::{self, COMPARE_CLOCK};

/// There is no reply, or no usable one.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("{origin} refused the connection{attempts}")]
    Refused {
        origin: String,
        /// ` (12 tries in 30 s)`, or nothing.
        attempts: String,
    },
    /// The Unix socket does not exist, or this user must not open it.
    #[error("{origin} cannot be opened: {reason}")]
    Socket {
        /// `unix://` and the path.
        origin: String,
        reason: String,
    },
    /// The connect timeout was reached.
    #[error("{origin} did not accept a connection within 5 s")]
    ConnectTimedOut { origin: String },
    /// The time limit of the command or of one try was reached.
    #[error("{origin}{} did not answer within {}", through(proxy.as_deref()), time::limit(*limit))]
    TimedOut {
        origin: String,
        /// The proxy that the request went through.
        proxy: Option<String>,
        /// The limit that was reached.
        limit: Duration,
    },
    /// The name has no address.
    #[error("the host name of {origin} could not be resolved")]
    Dns { origin: String },
    /// The connection ended before the reply did.
    #[error("{origin} closed the connection before its reply was complete{attempts}")]
    Reset {
        origin: String,
        /// ` (4 tries in 2 s)`, or nothing.
        attempts: String,
    },
    /// The certificate or the handshake is bad.
    #[error("no trusted TLS connection to {origin}: {reason}")]
    Tls {
        origin: String,
        /// What is wrong, or rustls' message.
        reason: String,
        kind: TlsFault,
        context: Box<TlsContext>,
    },
    /// The proxy failed, not the server behind it.
    #[error("{0}")]
    Proxy(Box<ProxyFault>),
    /// As [`HttpError::Reset`], for plain http to a port that may expect TLS.
    #[error("{origin} closed the connection before its reply was complete{attempts}")]
    PerhapsTls {
        origin: String,
        /// ` (4 tries in 2 s)`, or nothing.
        attempts: String,
    },
    /// Plain http to a port that expects TLS.
    #[error("{origin} expects https on this port")]
    WantsTls { origin: String },
    /// Any other error of the request.
    #[error("the request to {origin} failed: {reason}")]
    Other { origin: String, reason: String },
    /// The reply is larger than [`super::MAX_REPLY`].
    #[error("{origin} sent more than 1 MiB")]
    TooLarge { origin: String },
    /// No certificate authority was found.
    #[error("found no certificate authorities{}", describe_roots(named, reason.as_deref()))]
    NoRoots {
        /// The name of the service's setting, if it has one.
        setting: Option<Cow<'static, str>>,
        /// The paths in the settings.
        named: Vec<String>,
        reason: Option<String>,
    },
    /// The client certificate or its key is unusable.
    #[error("{reason}")]
    ClientCertificate {
        /// What is wrong with which file.
        reason: String,
        /// Which setting to correct.
        hint: String,
    },
    /// The proxy's address is unusable.
    #[error("the proxy address in `{setting}` is not a URL")]
    BadProxy { setting: &'static str },
    /// A value is no valid header value.
    #[error("the value for the header `{name}` holds characters that a header cannot have")]
    BadHeader { name: &'static str },
    /// The bearer token is no valid header value.
    #[error("the API token holds characters that a header cannot have")]
    BadBearer,
    #[error(transparent)]
    Bug(Bug),
    /// rustls refuses the TLS settings.
    #[error("the TLS settings are unusable: {0}")]
    TlsSettings(String),
}

/// The trust settings and the proxy of a failed TLS connection.
#[derive(Debug, Default)]
pub struct TlsContext {
    /// How to trust the server's authority: lines that follow the request for its certificate.
    pub(super) how_to_trust: String,
    /// The address of the proxy, and how to bypass it.
    pub(super) proxy: Option<(String, Option<String>)>,
}

/// What is wrong with a TLS connection. Each variant has its own fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsFault {
    /// The issuer of the certificate is not trusted.
    Issuer,
    /// The certificate names a trusted issuer, but that issuer's key did not sign it.
    BadSignature,
    /// The certificate is expired or not yet valid, or the clock of this machine is wrong.
    Dates,
    /// The certificate is for other names.
    Name,
    /// The certificate is for other names, and the real server certainly has a valid one: another
    /// server answers.
    WrongServer,
    /// The certificate is a CA certificate.
    Authority,
    /// The server does not speak TLS.
    Plain,
    Other,
}

/// ` through the proxy …`, or an empty string. It follows the server's address in a message.
pub(super) fn through(proxy: Option<&str>) -> String {
    proxy.map_or(String::new(), |proxy| format!(" through the proxy {proxy}"))
}

fn describe_roots(named: &[String], reason: Option<&str>) -> String {
    let named: Vec<_> = named.iter().map(|place| format!("`{place}`")).collect();
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
            Self::Refused { origin, .. } if origin.starts_with("unix://") => {
                "most likely the program that created this socket has ended: start it again\n\
                 if the program is running, correct the path of the socket".to_owned()
            }
            Self::Refused { .. } => {
                "most likely the host or port of the address is wrong, because nothing listens there: correct it\n\
                 if the address is right, the service is not running: start it, or ask whoever runs it to start it".to_owned()
            }
            Self::Socket { .. } => {
                "most likely the program that creates this socket is not running: start it\n\
                 if the program is running, correct the path of the socket".to_owned()
            }
            Self::ConnectTimedOut { .. } => {
                "most likely a firewall drops the connection: set `HTTPS_PROXY=http://HOST:PORT` if this network needs a proxy\n\
                 otherwise correct the host and port of the address".to_owned()
            }
            Self::TimedOut { origin, proxy: Some(proxy), .. } => format!(
                "most likely {origin} is overloaded, or the proxy hangs: give it more time with `--timeout 1m`\n\
                 if it fails again, ask whoever runs the proxy {proxy} why it does not answer"
            ),
            Self::TimedOut { proxy: None, .. } => {
                "the service accepts connections, but most likely it is overloaded or hangs: give it more time with `--timeout 1m`\n\
                 if it fails again, ask whoever runs the service why it does not answer".to_owned()
            }
            Self::Dns { .. } => {
                "most likely the host name is misspelled: correct the address\n\
                 if the name is right, this network does not know it: connect to the VPN\n\
                 if this network needs a proxy, set `HTTPS_PROXY=http://HOST:PORT`".to_owned()
            }
            Self::Reset { .. } => {
                "the service may be restarting: try again in a minute\n\
                 if it fails again, a proxy or firewall cuts the connection: ask whoever runs the service or the network".to_owned()
            }
            Self::Proxy(fault) => fault.hint.clone(),
            Self::Tls { origin, kind, context, .. } => {
                kind.hint(origin, context)
            }
            Self::NoRoots { setting: Some(setting), reason: Some(_), .. } => {
                format!("correct `{setting}`: it must name PEM certificates\nto use the system's authorities, remove `{setting}`")
            }
            Self::NoRoots { setting: Some(setting), .. } => {
                format!("`{setting}` must contain PEM certificates (`-----BEGIN CERTIFICATE-----`), but has none: correct it, or remove it to use the system's authorities")
            }
            Self::NoRoots { named, .. } if !named.is_empty() => {
                "`SSL_CERT_FILE` must name a file with PEM certificates, and `SSL_CERT_DIR` a folder with such files: correct them, or run `unset SSL_CERT_FILE SSL_CERT_DIR` to use the system's authorities".to_owned()
            }
            Self::NoRoots { .. } => {
                "install the package `ca-certificates`, or set `SSL_CERT_FILE` to a PEM bundle".to_owned()
            }
            Self::PerhapsTls { origin, .. } => format!(
                "most likely the server speaks TLS on this port: use {}\n\
                 otherwise the server is restarting: try again in a minute",
                origin.replacen("http://", "https://", 1)
            ),
            Self::WantsTls { origin } => format!("the address must begin with `https://` instead of `http://`: use {}", origin.replacen("http://", "https://", 1)),
            Self::ClientCertificate { hint, .. } => hint.clone(),
            Self::BadProxy { .. } => "write it like `http://proxy.example.com:3128`, or unset it if no proxy is needed".to_owned(),
            Self::TooLarge { origin } => format!(
                "most likely {origin} is another service, because a reply with a token is much smaller: correct the address\n\
                 if you do not know the right address, ask whoever runs the service"
            ),
            Self::Other { origin, .. } => {
                format!("try again in a minute\nif it fails again, send the reason above to whoever runs {origin} or the network")
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
    fn hint(self, origin: &str, context: &TlsContext) -> String {
        let TlsContext { how_to_trust, proxy } = context;
        match (self, proxy) {
            (Self::Issuer, Some((proxy, _))) => {
                format!("most likely the proxy {proxy} signed this certificate, or a private CA did: if you trust the signer, ask whoever runs it for its CA certificate\n{how_to_trust}")
            }
            (Self::Issuer, None) => {
                format!("most likely a private CA or an intercepting proxy signed this certificate: if you trust the signer, ask whoever runs it for its CA certificate\n{how_to_trust}")
            }
            (Self::BadSignature, _) => {
                format!("most likely the authority has a new key, and this machine has the old CA certificate: ask whoever runs {origin} for the new CA certificate\n{how_to_trust}")
            }
            (Self::WrongServer, Some((proxy, bypass_hint))) => {
                let bypass_hint = bypass_hint.as_ref().map_or(String::new(), |bypass_hint| format!("\n{bypass_hint}"));
                format!("the proxy {proxy} connects to another server: ask whoever runs the proxy to let it connect to {origin}{bypass_hint}")
            }
            (Self::WrongServer, None) => format!(
                "another server answers in its place (a login page or an intercepting proxy): open {origin} in a browser, and log in if the network asks you to\n\
                 if the network does not ask you to log in, ask whoever runs the network"
            ),
            (Self::Dates, _) => {
                format!(
                    "{COMPARE_CLOCK}, and set this machine's clock if it is wrong\n\
                     if the clock is right, ask whoever runs the server to renew its certificate"
                )
            }
            (Self::Name, _) => {
                "use a name from the certificate in the address\n\
                 if that is not possible, ask whoever runs the server for a certificate with the name in the address".to_owned()
            }
            (Self::Authority, _) => format!(
                "ask whoever runs the server to install a server certificate that a certificate authority (CA) signed, and to give you the certificate of this CA\n{how_to_trust}"
            ),
            (Self::Plain, _) => "this port is for plain http, which only loopback addresses may use: correct the port of the address, usually to 443".to_owned(),
            (Self::Other, _) => {
                format!(
                    "the server at {origin} ends the TLS handshake for the reason above: ask whoever runs the server\n\
                     if the server requires a client certificate, configure one"
                )
            }
        }
    }
}

impl HttpError {
    /// The hint. If the address may be wrong, adds the line `address_from`, which says where the
    /// address comes from.
    pub(crate) fn hint_with_address_source(&self, address_from: &str) -> Option<String> {
        let is_about_address = match self {
            Self::Refused { .. }
            | Self::Socket { .. }
            | Self::ConnectTimedOut { .. }
            | Self::Dns { .. }
            | Self::TooLarge { .. }
            | Self::PerhapsTls { .. }
            | Self::WantsTls { .. }
            | Self::Tls { kind: TlsFault::Name | TlsFault::Plain, .. } => true,
            Self::Proxy(fault) => fault.name_may_be_wrong,
            _ => false,
        };
        let hint = self.hint()?;
        Some(if is_about_address { format!("{hint}\n{address_from}") } else { hint })
    }

    /// What the server did, as the predicate of a sentence.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::TimedOut { .. } | Self::Reset { .. } | Self::PerhapsTls { .. } | Self::TooLarge { .. } => {
                "gave no usable answer"
            }
            _ => "cannot be reached",
        }
    }

    /// Whether a later try may succeed without any change.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused { .. }
            | Self::ConnectTimedOut { .. }
            | Self::TimedOut { .. }
            | Self::Dns { .. }
            | Self::Reset { .. } => true,
            Self::Proxy(fault) => fault.is_transient,
            _ => false,
        }
    }

    /// Adds how to trust the authority of the service.
    pub(super) fn with_trust_hint(mut self, how: impl FnOnce() -> String) -> Self {
        if let Self::Tls { context, .. } = &mut self {
            context.how_to_trust = how();
        }
        self
    }

    /// Adds the number of tries and the elapsed time, if there was more than one try.
    pub(super) fn with_attempts(mut self, made: Attempts) -> Self {
        if let (Self::Refused { attempts, .. } | Self::Reset { attempts, .. }, Some(made)) =
            (&mut self, made.shown())
        {
            *attempts = format!(" ({made})");
        }
        self
    }
}
