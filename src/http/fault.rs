//! What can go wrong between here and a reply, as a person would say it.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use jiff::Timestamp;

use crate::error::{Exit, Explain};
use crate::time;

/// No reply, or none that may be used.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Nothing listens there.
    #[error("{origin} refused the connection{persistence}")]
    Refused {
        /// Scheme, host and port.
        origin: String,
        /// ` (12 tries in 30 s)`, or nothing.
        persistence: String,
    },
    /// The connection did not come about in time.
    #[error("{origin} did not accept a connection within 5 s")]
    ConnectTimedOut {
        /// Scheme, host and port.
        origin: String,
    },
    /// The command's time ran out.
    #[error("{origin} did not answer within {}", time::limit(*limit))]
    TimedOut {
        /// Scheme, host and port.
        origin: String,
        /// The command's `--timeout`.
        limit: Duration,
    },
    /// The name has no address.
    #[error("the host name of {origin} could not be resolved")]
    Dns {
        /// Scheme, host and port.
        origin: String,
    },
    /// The connection ended before the reply did.
    #[error("{origin} closed the connection before its reply was complete{persistence}")]
    Reset {
        /// Scheme, host and port.
        origin: String,
        /// ` (4 tries in 2 s)`, or nothing.
        persistence: String,
    },
    /// The certificate or the handshake is bad.
    #[error("no trusted TLS connection to {origin}: {reason}")]
    Tls {
        /// Scheme, host and port.
        origin: String,
        /// rustls' own words.
        reason: String,
        /// Whether it is the issuer of the certificate that is not trusted.
        unknown_issuer: bool,
        /// Whether the certificate is out of its dates, or the clock here is.
        expired: bool,
        /// The setting that names the authorities of this service.
        ca_setting: &'static str,
    },
    /// As [`HttpError::Reset`], of plain http to a port that may be for TLS.
    #[error("{origin} closed the connection before its reply was complete{persistence}")]
    PerhapsTls {
        /// Scheme, host and port.
        origin: String,
        /// ` (4 tries in 2 s)`, or nothing.
        persistence: String,
    },
    /// Plain http to a port for TLS.
    #[error("{origin} speaks https on this port")]
    WantsTls {
        /// Scheme, host and port.
        origin: String,
    },
    /// Anything else on the way.
    #[error("the request to {origin} failed: {reason}")]
    Other {
        /// Scheme, host and port.
        origin: String,
        /// The innermost cause.
        reason: String,
    },
    /// More than the limit.
    #[error("{origin} sent more than 1 MiB")]
    TooLarge {
        /// Scheme, host and port.
        origin: String,
    },
    /// Plain http to another machine.
    #[error("{url} is not https, and a request with a secret goes over plain http to loopback only")]
    Insecure {
        /// The whole address.
        url: String,
    },
    /// No certificate authority at all.
    #[error("found no certificate authority to trust{}", describe_roots(named, reason.as_deref()))]
    NoRoots {
        /// The setting of the service, where it has one of its own.
        setting: Option<&'static str>,
        /// The file and the folder that were named.
        named: Vec<String>,
        /// The first reason.
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
    #[error("the proxy address in `{settings}` is not a URL")]
    BadProxy {
        /// The setting that names it, or both that may.
        settings: &'static str,
    },
    /// A value has characters that no header may have.
    #[error("the value for the header `{name}` holds characters that cannot stand in a header")]
    BadHeader {
        /// The header.
        name: &'static str,
    },
    /// The bearer token has characters that no header may have.
    #[error("the API token holds characters that cannot stand in a header")]
    BadBearer,
    /// rustls refuses its settings.
    #[error("the TLS settings are unusable: {0}")]
    TlsSettings(String),
}

fn describe_roots(named: &[String], reason: Option<&str>) -> String {
    let place = if named.is_empty() { String::new() } else { format!(" in {}", named.join(" and ")) };
    reason.map_or(place.clone(), |reason| format!("{place}: {reason}"))
}

impl Explain for HttpError {
    fn exit(&self) -> Exit {
        match self {
            Self::Insecure { .. } | Self::BadProxy { .. } => Exit::Usage,
            Self::NoRoots { .. } | Self::ClientCertificate { .. } => Exit::LocalFile,
            Self::BadHeader { .. } | Self::BadBearer | Self::TlsSettings(_) => Exit::Failed,
            _ => Exit::Network,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Refused { .. } => "check the address and that the service runs".to_owned(),
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
            Self::Tls { unknown_issuer: true, ca_setting, .. } => {
                format!("if a private CA signs there, name its certificate in `{ca_setting}`")
            }
            Self::Tls { expired: true, .. } => {
                "check the clock of this machine with `date`; if it is right, the certificate there has to be renewed".to_owned()
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
            Self::Insecure { .. } => "use an https:// address".to_owned(),
            Self::ClientCertificate { settings: [certificate, key], .. } => format!(
                "`{certificate}` has to name a file with a PEM certificate, `{key}` one with its unencrypted PEM key"
            ),
            Self::BadProxy { .. } => "write it like `http://proxy.example.com:3128`".to_owned(),
            Self::Tls { .. }
            | Self::Other { .. }
            | Self::TooLarge { .. }
            | Self::BadHeader { .. }
            | Self::BadBearer
            | Self::TlsSettings(_) => {
                return None;
            }
        })
    }
}

impl HttpError {
    /// What the other side did, to follow its name.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self {
            Self::TimedOut { .. } | Self::Reset { .. } | Self::PerhapsTls { .. } | Self::TooLarge { .. } => {
                "gave no usable answer"
            }
            _ => "cannot be reached",
        }
    }

    /// Names the setting for the authorities of the service that was asked.
    pub(super) fn naming(mut self, setting: Option<&'static str>) -> Self {
        if let (Self::Tls { ca_setting, .. }, Some(setting)) = (&mut self, setting) {
            *ca_setting = setting;
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
                format!(" ({tries} tries in {})", time::limit(Duration::from_secs(waited.as_secs())))
            };
        }
        self
    }

    /// Finds the one cause that matters in reqwest's chain, which begins with the URL and says it all twice.
    pub(super) fn from_reqwest(origin: &str, error: &reqwest::Error) -> Self {
        let origin = origin.to_owned();
        let mut innermost: &dyn StdError = error;
        let mut resolving = false;
        loop {
            if let Some(tls) = innermost.downcast_ref::<rustls::Error>() {
                return Self::tls(origin, tls);
            }
            if let Some(io) = innermost.downcast_ref::<io::Error>() {
                if let Some(tls) = tls_error_in(io) {
                    return Self::tls(origin, tls);
                }
                match io.kind() {
                    io::ErrorKind::ConnectionRefused => {
                        return Self::Refused { origin, persistence: String::new() };
                    }
                    io::ErrorKind::TimedOut if error.is_connect() => return Self::ConnectTimedOut { origin },
                    io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
                    | io::ErrorKind::UnexpectedEof => {
                        return Self::Reset { origin, persistence: String::new() };
                    }
                    _ => {}
                }
            }
            let text = innermost.to_string();
            resolving |= text.contains("dns error");
            // hyper's own error type has no variants to match: its words are all there is.
            if text.contains("connection closed before message completed")
                || text.contains("end of file before message length reached")
                || text.contains("unexpected EOF")
            {
                return Self::Reset { origin, persistence: String::new() };
            }
            match innermost.source() {
                Some(source) => innermost = source,
                None => break,
            }
        }
        if resolving {
            Self::Dns { origin }
        } else if error.is_timeout() && error.is_connect() {
            Self::ConnectTimedOut { origin }
        } else {
            Self::Other { origin, reason: innermost.to_string() }
        }
    }

    fn tls(origin: String, error: &rustls::Error) -> Self {
        use rustls::CertificateError as Bad;
        let mut unknown_issuer = false;
        let mut expired = false;
        let reason = match error {
            rustls::Error::InvalidCertificate(Bad::UnknownIssuer) => {
                unknown_issuer = true;
                "its certificate is signed by an authority that is not trusted here".to_owned()
            }
            rustls::Error::InvalidCertificate(Bad::ExpiredContext { not_after, .. }) => {
                expired = true;
                format!("its certificate expired on {}", date(not_after.as_secs()))
            }
            rustls::Error::InvalidCertificate(Bad::NotValidYetContext { not_before, .. }) => {
                expired = true;
                format!("its certificate is valid only from {}", date(not_before.as_secs()))
            }
            rustls::Error::InvalidCertificate(Bad::NotValidForNameContext { expected, presented }) => {
                let names = if presented.is_empty() {
                    "no name at all".to_owned()
                } else {
                    presented.iter().map(|name| bare_name(name)).collect::<Vec<_>>().join(", ")
                };
                format!("its certificate is for {names}, not for {}", expected.to_str())
            }
            rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => {
                "what answers does not speak TLS; it may be an http:// address".to_owned()
            }
            rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired) => {
                "it asks for a client certificate, and none was given".to_owned()
            }
            // webpki's own word for a certificate that signs others, shown as a server's.
            rustls::Error::InvalidCertificate(Bad::Other(other)) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
                "its certificate is that of an authority, and no server's: have one made for the server, signed by it".to_owned()
            }
            other => other.to_string(),
        };
        Self::Tls { origin, reason, unknown_issuer, expired, ca_setting: "SSL_CERT_FILE" }
    }
}

/// rustls gives the names of a certificate in the form `DnsName("example.com")`.
fn bare_name(name: &str) -> &str {
    name.split('"').nth(1).unwrap_or(name)
}

/// The TLS error inside an I/O error, which may be wrapped in I/O errors several times; `source()` passes it by.
fn tls_error_in(error: &io::Error) -> Option<&rustls::Error> {
    let inner = error.get_ref()?;
    inner.downcast_ref().or_else(|| inner.downcast_ref().and_then(tls_error_in))
}

fn date(seconds: u64) -> String {
    let at = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    at.map_or_else(|| "a date that cannot be shown".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}
