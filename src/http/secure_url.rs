//! The URLs that requests may go to.

use std::fmt;
use std::ops::Deref;

use serde::{Serialize, Serializer};
use url::{Host, Url};

/// The hosts of Google's metadata service.
const METADATA_SERVICE: [&str; 2] = ["metadata.google.internal", "169.254.169.254"];

/// An https URL, or an http URL to loopback or a metadata service; without user name, password and
/// fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecureUrl(Url);

/// Why a text is no [`SecureUrl`]. The message does not repeat the text: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is no URL, or it has no host.
    #[error("it is not a URL; write it like `https://host.example.com`")]
    NotAUrl,
    /// `https://http://…`, from a URL in a setting for a host.
    #[error("it has a scheme twice; write it like `https://host.example.com`")]
    TwoSchemes,
    /// The scheme is neither https nor http.
    #[error("it is not an https URL; write it like `https://host.example.com`")]
    NotHttps,
    /// Plain http to another machine.
    #[error("it is plain http to {host}: anyone on the network path can read and change requests; use https")]
    PlainHttp { host: String },
    /// It has a user name, a password or a fragment.
    #[error("it must not have a user name, a password or a fragment (`#…`)")]
    Extra,
    /// A base URL has a query.
    #[error("it has a query; remove the part from `?` on")]
    Query,
}

impl SecureUrl {
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        Self::parse_with(text, is_loopback)
    }

    /// The URL of Google's metadata service at `host` or `host:port`. The service has only plain
    /// http, over a link that does not leave the physical host. So only its own hosts are accepted,
    /// and loopback for an emulator.
    pub fn metadata_service(host: &str) -> Option<Self> {
        let is_known = |url: &Url| url.host_str().is_some_and(|host| METADATA_SERVICE.contains(&host));
        let url =
            Self::parse_with(&format!("http://{host}"), |url| is_loopback(url) || is_known(url)).ok()?;
        (url.path() == "/" && url.query().is_none()).then_some(url)
    }

    fn parse_with(text: &str, may_be_plain: impl Fn(&Url) -> bool) -> Result<Self, UrlError> {
        let url = Url::parse(text.trim()).map_err(|_| UrlError::NotAUrl)?;
        let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
            return Err(UrlError::NotAUrl);
        };
        if matches!(host, "http" | "https") && url.path().starts_with("//") {
            return Err(UrlError::TwoSchemes);
        }
        match url.scheme() {
            "https" => {}
            "http" if may_be_plain(&url) => {}
            "http" => return Err(UrlError::PlainHttp { host: host.to_owned() }),
            _ => return Err(UrlError::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(UrlError::Extra);
        }
        Ok(Self(url))
    }

    /// Parses a base URL. It must have no query. The path of the result ends with a slash.
    pub fn base(text: &str) -> Result<Self, UrlError> {
        let mut url = Self::parse(text)?;
        if url.query().is_some() {
            return Err(UrlError::Query);
        }
        let path = format!("{}/", url.path().trim_end_matches('/'));
        url.0.set_path(&path);
        Ok(url)
    }

    /// This URL with `path` appended. Each segment between slashes is percent-encoded.
    pub fn below(&self, path: &str) -> Self {
        let mut url = self.0.clone();
        // An http or https URL has segments.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        Self(url)
    }

    /// The same host with another path.
    pub fn with_path(&self, path: &str) -> Self {
        let mut url = self.0.clone();
        url.set_path(path);
        Self(url)
    }

    /// The same URL with one more query parameter.
    pub fn with_query(&self, name: &str, value: &str) -> Self {
        let mut url = self.0.clone();
        url.query_pairs_mut().append_pair(name, value);
        Self(url)
    }

    /// Whether it is plain http: only on loopback and to a metadata service.
    pub fn is_plain(&self) -> bool {
        self.scheme() == "http"
    }

    /// Whether the host is `localhost`, in 127.0.0.0/8, or ::1.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// Scheme, host and port, for messages. The path is left out, because it may hold private data.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }
}

impl Deref for SecureUrl {
    type Target = Url;

    fn deref(&self) -> &Url {
        &self.0
    }
}

impl Serialize for SecureUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

/// For messages: without the query. [`Url::as_str`] is the exact URL.
impl fmt::Display for SecureUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown_url(self.0.as_str()))
    }
}

/// An address for messages: without user name, password, query and fragment, which may be secret.
///
/// If the text is no URL, everything before the last `@` and everything after the first `?` or `#`
/// is left out.
pub fn shown_url(text: &str) -> String {
    let text = text.trim();
    match Url::parse(text) {
        Ok(url) if url.has_host() => {
            let parts = &url[url::Position::BeforeHost..url::Position::AfterPath];
            let whole = format!("{}://{parts}", url.scheme());
            // `Url` adds a final slash that the user did not write.
            let bare = url.path() == "/" && !text.split(['?', '#']).next().unwrap_or_default().ends_with('/');
            if bare { whole.trim_end_matches('/').to_owned() } else { whole }
        }
        _ => {
            let is_path = text.starts_with('/') && !text.starts_with("//");
            let (hidden, rest) = match text.rsplit_once('@').filter(|_| !is_path) {
                Some((_, rest)) => ("…@", rest),
                None => ("", text),
            };
            let end = rest.find(['?', '#']).unwrap_or(rest.len());
            format!("{hidden}{}{}", &rest[..end], if end < rest.len() { "…" } else { "" })
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_loopback() {
        let plain = |host: &str| Err(UrlError::PlainHttp { host: host.into() });
        let cases = [
            ("https://a.example", Ok("https://a.example/")),
            (" https://a.example/x?y=z\n", Ok("https://a.example/x?y=z")),
            ("http://localhost:1/x", Ok("http://localhost:1/x")),
            ("http://127.3.2.1", Ok("http://127.3.2.1/")),
            ("http://[::1]:1", Ok("http://[::1]:1/")),
            ("http://a.example", plain("a.example")),
            ("http://localhost.example", plain("localhost.example")),
            ("http://10.0.0.1", plain("10.0.0.1")),
            ("ftp://localhost", Err(UrlError::NotHttps)),
            ("a.example:443", Err(UrlError::NotAUrl)),
            ("a.example", Err(UrlError::NotAUrl)),
            ("", Err(UrlError::NotAUrl)),
            ("https://", Err(UrlError::NotAUrl)),
            ("https://http://127.0.0.1:1", Err(UrlError::TwoSchemes)),
            ("https://https//a.example", Err(UrlError::TwoSchemes)),
            ("https://https/a", Ok("https://https/a")),
            ("https://me@a.example", Err(UrlError::Extra)),
            ("https://:secret@a.example", Err(UrlError::Extra)),
            ("https://a.example/#x", Err(UrlError::Extra)),
        ];
        for (text, expected) in cases {
            let found = SecureUrl::parse(text).map(|url| url.as_str().to_owned());
            assert_eq!(found, expected.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn plain_http_goes_only_to_googles_metadata_service() {
        let cases = [
            ("metadata.google.internal", Some("http://metadata.google.internal/")),
            ("169.254.169.254:80", Some("http://169.254.169.254/")),
            ("127.0.0.1:8080", Some("http://127.0.0.1:8080/")),
            ("metadata.google.internal.a.example", None),
            ("metadata.google.internal@a.example", None),
            ("me@metadata.google.internal", None),
            ("a.example#metadata.google.internal", None),
            ("169.254.169.253", None),
            ("metadata", None),
            ("https://metadata.google.internal", None),
            ("metadata.google.internal/x", None),
            ("metadata.google.internal?x", None),
            ("", None),
        ];
        for (host, expected) in cases {
            let found = SecureUrl::metadata_service(host);
            assert_eq!(found.as_ref().map(|url| url.as_str()), expected, "{host}");
        }
        assert!(SecureUrl::parse("http://metadata.google.internal/").is_err());
    }

    #[test]
    fn a_message_shows_no_part_that_may_be_secret() {
        let cases = [
            ("https://a.example", "https://a.example"),
            (" https://A.example:8443/x/ ", "https://a.example:8443/x/"),
            ("https://me:pass@a.example/@x/?u=a@b#c", "https://a.example/@x/"),
            ("https://me:pass@a.example?k=pass", "https://a.example"),
            ("https:/me:pass@a.example/x", "https://a.example/x"),
            ("https:\\\\me:pass@a.example", "https://a.example"),
            ("https://me@pass@a.example/?k", "https://a.example/"),
            ("ftp://me:pass@a.example", "ftp://a.example"),
            ("unix:///run/vault.sock", "unix:///run/vault.sock"),
            ("/a@b?k=pass", "/a@b…"),
            ("//me:pass@a.example/", "…@a.example/"),
            ("me:pass@a.example/?k=pass", "…@a.example/…"),
            ("https://me:pass/#?@a.example", "…@a.example"),
            ("a.example:443#pass", "a.example:443…"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(shown_url(text), expected, "{text}");
        }
        assert_eq!(
            SecureUrl::parse("https://a.example/x?k=pass").unwrap().to_string(),
            "https://a.example/x"
        );
    }

    #[test]
    fn base_urls_and_paths_below_them() {
        for base in ["https://a.example/api", "https://a.example/api/"] {
            let base = SecureUrl::base(base).unwrap();
            assert_eq!(base.as_str(), "https://a.example/api/");
            assert_eq!(base.below("v1/x y").as_str(), "https://a.example/api/v1/x%20y");
        }
        assert_eq!(SecureUrl::base("https://a.example/?x"), Err(UrlError::Query));
        let url = SecureUrl::parse("https://a.example/?v=1").unwrap();
        assert_eq!(url.with_query("audience", "a&b").as_str(), "https://a.example/?v=1&audience=a%26b");
    }
}
