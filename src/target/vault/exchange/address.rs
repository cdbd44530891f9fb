//! Addresses, mounts and namespaces, read from their usual spellings.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::http::{SecureUrl, UrlError};

/// The address of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    url: SecureUrl,
    /// The Unix socket that requests to `url` go through.
    socket: Option<PathBuf>,
}

/// Why a text is no address of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// A URL that must not get a secret, or no URL.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// A relative socket path: it would name another socket in another folder.
    #[error("the socket needs an absolute path; write it like `unix:///run/vault/agent.sock`")]
    Socket,
    /// The address contains the path of the API, `/v1`.
    #[error("leave out `/v1`, because `gp` adds it to the address")]
    ApiPath,
}

impl Address {
    /// Reads `https://vault.example.com:8200`, with or without a slash at its end. A path is kept,
    /// because a proxy may serve Vault below one. `unix:///run/vault/agent.sock` is the socket of
    /// an Agent or a server.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if let Some(path) = text.strip_prefix("unix://").filter(|_| cfg!(unix)) {
            let socket = Some(PathBuf::from(path)).filter(|path| path.is_absolute());
            // The URL of requests through the socket, as in OpenBao's own client.
            let url = SecureUrl::base("http://localhost")?;
            return Ok(Self { url, socket: Some(socket.ok_or(AddressError::Socket)?) });
        }
        let url = SecureUrl::base(text)?;
        if url.path().split('/').any(|part| part == "v1") {
            return Err(AddressError::ApiPath);
        }
        Ok(Self { url, socket: None })
    }

    /// The address as a URL.
    pub fn url(&self) -> &SecureUrl {
        &self.url
    }

    /// The Unix socket that requests go through, if any.
    pub fn socket(&self) -> Option<&Path> {
        self.socket.as_deref()
    }

    /// The address in messages: scheme, host and port, or the socket.
    pub fn origin(&self) -> String {
        if self.socket.is_some() { self.to_string() } else { self.url.origin() }
    }

    /// The URL of an API path. Two slashes in a row, or one at the end, name another path.
    pub fn endpoint(&self, path: &str) -> SecureUrl {
        self.url.below(&format!("v1/{path}"))
    }
}

impl fmt::Display for Address {
    /// The address without a slash at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.socket {
            Some(path) => write!(f, "unix://{}", path.display()),
            None => f.write_str(self.url.as_str().trim_end_matches('/')),
        }
    }
}

/// The mount of the JWT auth method: `jwt`, `team/ci/jwt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount(String);

/// A namespace: `team-a`, `team-a/project`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace(String);

/// Why a text is no path of a mount or a namespace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("it is empty; write it like `{0}`")]
    Empty(&'static str),
    /// Two slashes in a row.
    #[error("it has two slashes in a row; write it like `{0}`")]
    Slashes(&'static str),
    /// A part that cannot be a name.
    #[error("`{}` cannot be a part of the path; write it like `{example}`", part.escape_debug())]
    Part { part: String, example: &'static str },
}

impl Mount {
    /// Reads a path with or without `auth/` in front and slashes at both ends, as `vault auth list` and the
    /// API's own paths show it.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let path = text.trim().trim_start_matches('/');
        let path = path.strip_prefix("auth/").unwrap_or(path).trim_matches('/');
        checked(path, "jwt").map(Self)
    }

    /// The path below `auth/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Namespace {
    /// Reads a path with or without slashes at both ends; `None` for the root namespace.
    pub fn parse(text: &str) -> Result<Option<Self>, PathError> {
        let path = text.trim().trim_matches('/');
        if path.is_empty() || path == "root" {
            return Ok(None);
        }
        checked(path, "team-a/project").map(|path| Some(Self(path)))
    }

    /// The path, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn checked(path: &str, example: &'static str) -> Result<String, PathError> {
    if path.is_empty() {
        return Err(PathError::Empty(example));
    }
    if path.contains("//") {
        return Err(PathError::Slashes(example));
    }
    let odd = |part: &&str| matches!(*part, "." | "..") || !part.bytes().all(|b| matches!(b, 0x20..=0x7e));
    match path.split('/').find(odd) {
        Some(part) => Err(PathError::Part { part: part.to_owned(), example }),
        None => Ok(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses() {
        let cases = [
            ("https://vault.example.com:8200", Ok("https://vault.example.com:8200/v1/auth/jwt/login")),
            ("https://vault.example.com/", Ok("https://vault.example.com/v1/auth/jwt/login")),
            ("https://example.com/vault//", Ok("https://example.com/vault/v1/auth/jwt/login")),
            ("http://127.0.0.1:8200", Ok("http://127.0.0.1:8200/v1/auth/jwt/login")),
            ("http://[::1]:8200", Ok("http://[::1]:8200/v1/auth/jwt/login")),
            (
                "http://vault.example.com:8200",
                Err(AddressError::Url(UrlError::PlainHttp { host: "vault.example.com".into() })),
            ),
            ("vault.example.com:8200", Err(AddressError::Url(UrlError::NotAUrl))),
            ("127.0.0.1:8200", Err(AddressError::Url(UrlError::NotAUrl))),
            ("unix:///run/vault.sock", Ok("http://localhost/v1/auth/jwt/login")),
            ("unix://vault.sock", Err(AddressError::Socket)),
            ("unix://", Err(AddressError::Socket)),
            ("ftp://vault.example.com", Err(AddressError::Url(UrlError::NotHttps))),
            ("https://me:secret@vault.example.com", Err(AddressError::Url(UrlError::Extra))),
            ("https://vault.example.com?x=1", Err(AddressError::Url(UrlError::Query))),
            ("https://vault.example.com/v1/", Err(AddressError::ApiPath)),
            ("https://vault.example.com/v1/auth/jwt", Err(AddressError::ApiPath)),
        ];
        for (text, expected) in cases {
            let found = Address::parse(text).map(|address| address.endpoint("auth/jwt/login").to_string());
            assert_eq!(found, expected.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn mounts() {
        for (text, expected) in [
            ("jwt", "jwt"),
            ("/jwt/", "jwt"),
            ("auth/jwt/", "jwt"),
            ("/auth/team/ci/jwt", "team/ci/jwt"),
            ("auth", "auth"),
        ] {
            assert_eq!(Mount::parse(text).unwrap().as_str(), expected);
        }
        for text in ["", "/", "auth/", "a//b", "../jwt", "a/./b", "jw\nt", "ü"] {
            assert!(Mount::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn namespaces() {
        for (text, expected) in
            [("", None), ("/", None), ("root", None), ("a", Some("a")), ("/a/b/", Some("a/b"))]
        {
            let found = Namespace::parse(text).unwrap();
            assert_eq!(found.as_ref().map(Namespace::as_str), expected);
        }
        assert!(Namespace::parse("a//b").is_err());
    }

    proptest! {
        #[test]
        fn a_mount_stays_below_auth(text in ".{0,20}") {
            if let Ok(mount) = Mount::parse(&text) {
                let url = Address::parse("https://h/p").unwrap().endpoint(&format!("auth/{}/login", mount.as_str()));
                prop_assert!(url.path().starts_with("/p/v1/auth/") && url.path().ends_with("/login"), "{url}");
                prop_assert_eq!((url.query(), url.fragment()), (None, None));
            }
        }
    }
}
