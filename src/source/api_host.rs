//! Decides which hosts get an API token. A file in a checkout can set the variable that names the
//! API. So a host that is not the installation's own gets the token only if it is on loopback or
//! allowed by `--allow-api-host`.

use url::Position;

use crate::error::UsageError;
use crate::http::{SecureUrl, UrlError};
use crate::settings::{Setting, SourceOptions};
use crate::shell;

/// Whether the API token may go to `url`, even if that is not the installation's own host.
pub(super) fn is_allowed(url: &SecureUrl, allow_api_host: Option<&str>) -> bool {
    let allowed = allow_api_host.map(str::to_ascii_lowercase);
    url.is_loopback()
        || allowed.is_some_and(|host| host == host_and_port(url) || Some(&*host) == url.host_str())
}

/// Reads the address of a service that gets a secret of the job. The host must be in `own`, or
/// below an entry that begins with a dot, or allowed by [`is_allowed`].
pub(super) fn service_url(
    setting: Setting<'_>,
    read: impl FnOnce(&str) -> Result<SecureUrl, UrlError>,
    own: &[&str],
    options: &SourceOptions,
) -> Result<SecureUrl, UsageError> {
    let url = setting.parse(read)?;
    let host = host_and_port(&url);
    let is_own = own.iter().any(|own| *own == host || (own.starts_with('.') && host.ends_with(own)));
    if is_own || is_allowed(&url, options.allow_api_host.as_deref()) {
        return Ok(url);
    }
    Err(UsageError {
        message: format!(
            "`{}` names {host}, which is not one of the service's own hosts: no token is sent there",
            setting.name
        ),
        hint: Some(format!(
            "run `unset {}`\nif you know that {host} is right, add `{}`",
            setting.name,
            shell::command(&["--allow-api-host", &host])
        )),
    })
}

/// `api.example.com`, or `api.example.com:8443`.
pub(super) fn host_and_port(url: &SecureUrl) -> String {
    url[Position::BeforeHost..Position::AfterPort].to_owned()
}
