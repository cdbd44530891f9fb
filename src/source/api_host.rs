//! Which hosts an API token goes to. A file of a checkout can set the variable that names the API, so a host that is
//! not the installation's own gets the token only where it is on loopback or allowed by `--allow-api-host`.

use url::Position;

use crate::http::SecureUrl;

/// Whether the API token may go to `url`, whatever host is the installation's own.
pub(super) fn is_allowed(url: &SecureUrl, allow_api_host: Option<&str>) -> bool {
    let allowed = allow_api_host.map(str::to_ascii_lowercase);
    url.is_loopback()
        || allowed.is_some_and(|host| host == host_and_port(url) || Some(&*host) == url.host_str())
}

/// `api.example.com`, or `api.example.com:8443`.
pub(super) fn host_and_port(url: &SecureUrl) -> String {
    url[Position::BeforeHost..Position::AfterPort].to_owned()
}
