//! TLS with a server name that differs from the host of the address (`VAULT_TLS_SERVER_NAME`).

use reqwest::Url;

/// The address for the request, and the `Host` header if it differs from the address. reqwest takes
/// the TLS server name (SNI and certificate check) from the address, so the server name from the
/// TLS settings replaces the host in the address.
pub(super) fn address(url: &Url, server_name: Option<&str>) -> (Url, Option<String>) {
    let mut named = url.clone();
    match (url.scheme(), server_name, url.host_str()) {
        ("https", Some(name), Some(host)) if named.set_host(Some(name)).is_ok() => {
            let port = url.port().map_or(String::new(), |port| format!(":{port}"));
            (named, Some(format!("{host}{port}")))
        }
        _ => (named, None),
    }
}

/// Resolves every name to the addresses of one host.
pub(super) struct FixedHost {
    host: String,
    port: u16,
}

impl FixedHost {
    /// `port` is only an input of the resolver. The connection uses the port of the address.
    pub(super) fn to(host: &str, port: Option<u16>) -> Self {
        // A URL has brackets around an IPv6 address. The resolver expects none.
        Self { host: host.trim_matches(['[', ']']).to_owned(), port: port.unwrap_or(443) }
    }
}

impl reqwest::dns::Resolve for FixedHost {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let (host, port) = (self.host.clone(), self.port);
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((host, port)).await?.collect();
            Ok(Box::new(found.into_iter()) as reqwest::dns::Addrs)
        })
    }
}
