//! Finds the token endpoint of an issuer in its metadata: OpenID Connect Discovery section 4, else
//! RFC 8414.

use serde::Deserialize;

use crate::exit::{Exit, Explain};
use crate::http::{Call, Http, HttpError, Reply, SecureUrl, UnexpectedReply, UrlError, shown_url};
use crate::shell::posix_quote;

/// The members that this program uses.
#[derive(Deserialize)]
struct MetadataReply {
    issuer: String,
    token_endpoint: Option<String>,
}

/// The metadata of an issuer could not be used.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    #[error("the issuer {}", cause.verb())]
    Unreachable {
        #[source]
        cause: HttpError,
    },
    /// The issuer has no metadata.
    #[error("{issuer} publishes no metadata (HTTP {status})")]
    Missing { issuer: String, status: u16 },
    /// The reply is not metadata.
    #[error("the reply is not the metadata of {issuer}")]
    UnexpectedReply {
        issuer: String,
        /// Describes the reply.
        #[source]
        cause: UnexpectedReply,
    },
    #[error("the metadata is that of `{found}`, not of `{issuer}`")]
    OtherIssuer { issuer: String, found: String },
    #[error("the metadata of {issuer} names no token endpoint")]
    NoEndpoint { issuer: String },
    /// No secret may be sent to the token endpoint.
    #[error("the metadata of {issuer} names the token endpoint `{named}`: {reason}")]
    InsecureEndpoint {
        issuer: String,
        named: String,
        /// Why no secret may be sent there.
        reason: UrlError,
    },
}

impl Explain for DiscoveryError {
    fn exit(&self) -> Exit {
        match self {
            Self::Unreachable { cause } => cause.exit(),
            Self::Missing { .. } | Self::UnexpectedReply { .. } => Exit::Network,
            Self::OtherIssuer { .. } | Self::NoEndpoint { .. } | Self::InsecureEndpoint { .. } => {
                Exit::Failed
            }
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreachable { cause } => {
                return cause.hint_with_address_source("the address of the issuer comes from `--issuer`");
            }
            Self::OtherIssuer { found, .. } => {
                format!("if you mean that issuer, use `--issuer {}`", posix_quote(found))
            }
            _ => "name the endpoint itself with `--token-endpoint URL`".into(),
        })
    }
}

/// The parts of an issuer's metadata.
#[derive(Debug)]
pub struct Metadata {
    /// The issuer, as in the `iss` of its tokens.
    pub issuer: String,
    pub token_endpoint: SecureUrl,
}

/// Fetches the issuer's metadata. The `issuer` in it has to be identical to the requested issuer.
pub async fn discover(http: &Http<'_>, issuer: &SecureUrl) -> Result<Metadata, DiscoveryError> {
    let name = issuer.as_str();
    // The slash at the end of a URL has no meaning if the URL has no path. Otherwise it has.
    let bare = if issuer.path() == "/" { name.trim_end_matches('/') } else { name };
    let first = get(http, openid_metadata_url(issuer)).await?;
    let reply = match first.status {
        // Servers without OpenID Connect return one of these statuses.
        400 | 404 | 405 | 406 | 410 => get(http, oauth_metadata_url(issuer)).await?,
        _ => first,
    };
    if !reply.is_success() && !(300..400).contains(&reply.status) {
        return Err(DiscoveryError::Missing { issuer: bare.to_owned(), status: reply.status });
    }
    let found: MetadataReply =
        reply.json().map_err(|cause| DiscoveryError::UnexpectedReply { issuer: bare.to_owned(), cause })?;
    if found.issuer != name && found.issuer != bare {
        return Err(DiscoveryError::OtherIssuer { issuer: bare.to_owned(), found: found.issuer });
    }
    let Some(endpoint) = found.token_endpoint else {
        return Err(DiscoveryError::NoEndpoint { issuer: bare.to_owned() });
    };
    let insecure = |reason| DiscoveryError::InsecureEndpoint {
        issuer: bare.to_owned(),
        named: shown_url(&endpoint),
        reason,
    };
    let token_endpoint = SecureUrl::parse(&endpoint).map_err(insecure)?;
    // An issuer that is not on this machine must not name a token endpoint on this machine.
    if token_endpoint.is_plain() && !issuer.is_plain() {
        return Err(insecure(UrlError::NotHttps));
    }
    Ok(Metadata { issuer: found.issuer, token_endpoint })
}

async fn get(http: &Http<'_>, url: SecureUrl) -> Result<Reply, DiscoveryError> {
    let call = Call::get(url).header("accept", "application/json");
    http.send(&call).await.map_err(|cause| DiscoveryError::Unreachable { cause })
}

/// The metadata URL of OpenID Connect: the well-known path follows the issuer's path.
fn openid_metadata_url(issuer: &SecureUrl) -> SecureUrl {
    let path = issuer.path().trim_end_matches('/');
    issuer.with_path(&format!("{path}/.well-known/openid-configuration"))
}

/// The metadata URL of OAuth: the well-known path precedes the issuer's path (RFC 8414 section
/// 3.1).
fn oauth_metadata_url(issuer: &SecureUrl) -> SecureUrl {
    let path = issuer.path().trim_end_matches('/');
    issuer.with_path(&format!("/.well-known/oauth-authorization-server{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_urls() {
        let cases = [
            (
                "https://a.example",
                "/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server",
            ),
            (
                "https://a.example/r/x/",
                "/r/x/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server/r/x",
            ),
        ];
        for (issuer, first, second) in cases {
            let issuer = SecureUrl::parse(issuer).unwrap();
            assert_eq!(
                (openid_metadata_url(&issuer).path(), oauth_metadata_url(&issuer).path()),
                (first, second)
            );
        }
    }
}
