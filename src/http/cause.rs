//! Converts the errors of reqwest, hyper and rustls into an [`HttpError`].

use std::error::Error as StdError;
use std::{io, iter};

use jiff::Timestamp;

use super::fault::TlsFault;
use super::{HttpError, proxy};

impl HttpError {
    /// Finds the relevant cause in reqwest's chain. Its messages repeat each other and the URL.
    pub(super) fn from_reqwest(origin: &str, error: &reqwest::Error) -> Self {
        let mut chain =
            iter::successors(Some(error as &dyn StdError), |error: &&dyn StdError| (*error).source());
        if chain.any(|error| error.to_string().starts_with(proxy::TUNNEL)) {
            return Self::before_tunnel(origin.to_owned(), Self::direct(String::new(), error));
        }
        Self::direct(origin.to_owned(), error)
    }

    fn direct(origin: String, error: &reqwest::Error) -> Self {
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
                        return Self::Refused { origin, attempts: String::new() };
                    }
                    io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
                        if origin.starts_with("unix://") && error.is_connect() =>
                    {
                        return Self::Socket { origin, reason: io.to_string() };
                    }
                    io::ErrorKind::TimedOut if error.is_connect() => return Self::ConnectTimedOut { origin },
                    io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
                    | io::ErrorKind::UnexpectedEof => {
                        return Self::Reset { origin, attempts: String::new() };
                    }
                    _ => {}
                }
            }
            let text = innermost.to_string();
            resolving |= text.contains("dns error");
            // hyper's error type has no variants to match, only messages.
            if text.contains("connection closed before message completed")
                || text.contains("end of file before message length reached")
                || text.contains("unexpected EOF")
            {
                return Self::Reset { origin, attempts: String::new() };
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
        let (kind, reason) = match error {
            rustls::Error::InvalidCertificate(Bad::UnknownIssuer) => (
                TlsFault::Issuer,
                "its certificate is signed by an authority that is not trusted here".to_owned(),
            ),
            rustls::Error::InvalidCertificate(Bad::BadSignature) => (
                TlsFault::BadSignature,
                "the issuer of its certificate is trusted here, but another key signed the certificate"
                    .to_owned(),
            ),
            rustls::Error::InvalidCertificate(Bad::ExpiredContext { not_after, .. }) => {
                (TlsFault::Dates, format!("its certificate expired on {}", date(not_after.as_secs())))
            }
            rustls::Error::InvalidCertificate(Bad::NotValidYetContext { not_before, .. }) => (
                TlsFault::Dates,
                format!("its certificate is valid only from {}", date(not_before.as_secs())),
            ),
            rustls::Error::InvalidCertificate(Bad::NotValidForNameContext { expected, presented }) => {
                let names = if presented.is_empty() {
                    "no name at all".to_owned()
                } else {
                    presented.iter().map(|name| bare_name(name)).collect::<Vec<_>>().join(", ")
                };
                let kind = if is_public(&origin) { TlsFault::WrongServer } else { TlsFault::Name };
                (kind, format!("its certificate is for {names}, not for {}", expected.to_str()))
            }
            // webpki's error for a CA certificate that is used as a server certificate.
            rustls::Error::InvalidCertificate(Bad::Other(other))
                if format!("{other:?}").contains("CaUsedAsEndEntity") =>
            {
                (
                    TlsFault::Authority,
                    "it presents a CA certificate instead of a server certificate".to_owned(),
                )
            }
            rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => {
                (TlsFault::Plain, "the server does not speak TLS".to_owned())
            }
            rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired) => {
                (TlsFault::Other, "it requires a client certificate, but none is configured".to_owned())
            }
            other => (TlsFault::Other, other.to_string()),
        };
        Self::Tls { origin, reason, kind, context: Box::default() }
    }
}

/// Whether the host is in the public DNS: neither an IP address nor a private name (RFC 6761,
/// RFC 6762, RFC 8375, ICANN's `.internal`, and names that are common in companies).
fn is_public(origin: &str) -> bool {
    const OTHERS: [&str; 9] =
        ["localhost", "local", "internal", "test", "invalid", "example", "lan", "corp", "home.arpa"];
    let url = url::Url::parse(origin).ok();
    let name = url.as_ref().and_then(url::Url::domain).unwrap_or_default().trim_end_matches('.');
    name.contains('.') && !OTHERS.iter().any(|other| name.ends_with(&format!(".{other}")))
}

/// The name in rustls' form `DnsName("example.com")`.
fn bare_name(name: &str) -> &str {
    name.split('"').nth(1).unwrap_or(name)
}

/// The TLS error inside an I/O error, possibly several levels deep. `source()` skips it.
fn tls_error_in(error: &io::Error) -> Option<&rustls::Error> {
    let inner = error.get_ref()?;
    inner.downcast_ref().or_else(|| inner.downcast_ref().and_then(tls_error_in))
}

fn date(seconds: u64) -> String {
    let at = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    at.map_or_else(|| "a date that cannot be shown".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Explain;

    #[test]
    fn public_hosts_are_neither_addresses_nor_private_names() {
        for (origin, expected) in [
            ("https://sts.eu-west-1.amazonaws.com", true),
            ("https://login.microsoftonline.com:443", true),
            ("https://vault.example.com:8200", true),
            ("https://vault.corp", false),
            ("https://vault.service.internal", false),
            ("https://nas.home.arpa", false),
            ("https://vault", false),
            ("https://192.0.2.1", false),
            ("https://[2001:db8::1]", false),
        ] {
            assert_eq!(is_public(origin), expected, "{origin}");
        }
    }

    #[test]
    fn only_a_public_host_with_a_wrong_certificate_name_is_another_server() {
        use rustls::pki_types::ServerName;
        let hint = |host: &'static str| {
            let error = rustls::Error::InvalidCertificate(rustls::CertificateError::NotValidForNameContext {
                expected: ServerName::try_from(host).unwrap(),
                presented: vec!["DnsName(\"login.hotel.example\")".into()],
            });
            HttpError::tls(format!("https://{host}"), &error).hint().unwrap()
        };
        for host in ["sts.amazonaws.com", "sts.googleapis.com"] {
            assert_eq!(
                hint(host),
                format!(
                    "another server answers in its place (a login page or an intercepting proxy): open https://{host} in a browser, and log in if the network asks you to\nif the network does not ask you to log in, ask whoever runs the network"
                )
            );
        }
        for host in ["127.0.0.1", "vault.internal"] {
            assert!(hint(host).starts_with("use a name from the certificate in the address"), "{host}");
        }
    }
}
