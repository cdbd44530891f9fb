//! The installation's OIDC issuer: discovery, JWKS, and tokens with the claims of a real one.

use axum::routing::get;
use axum::{Json, Router};
use jsonwebtoken::{Algorithm, Header};
use serde::Serialize;
use serde_json::{Value, json};

use super::keys::{SigningKey, random_base64url};
use super::{Options, State};

pub(super) struct Issuer {
    url: String,
    key: SigningKey,
    jwks: Value,
}

/// The parameters of a token request.
#[derive(Debug, Clone, Default)]
pub(super) struct TokenRequest {
    /// `aud`, in this order; the first is `azp`.
    pub(super) audience: Vec<String>,
    /// `scope`, if it was requested.
    pub(super) scope: Option<String>,
}

/// The claims of a real installation's token.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a [String],
    azp: Option<&'a String>,
    exp: i64,
    iat: i64,
    auth_time: i64,
    c_hash: String,
    name: &'a str,
    email: &'a str,
    email_verified: bool,
    user_id: &'a str,
    org_id: &'a str,
    context: &'a str,
    workspace_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
}

impl Issuer {
    pub(super) fn new(url: String, key: SigningKey) -> Self {
        let jwks = json!({"keys": [key.jwk()]});
        Self { url, key, jwks }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The JWK Set that verifies its tokens (RFC 7517 section 5).
    pub(super) fn jwks(&self) -> &Value {
        &self.jwks
    }

    /// An ID token for the workspace of `options`. The error is the reason why signing failed.
    pub(super) fn mint(&self, options: &Options, request: &TokenRequest) -> Result<String, String> {
        let now = options.issuer_time();
        let context = options.context_url.as_str();
        let claims = Claims {
            iss: &self.url,
            sub: &options.subject(),
            aud: &request.audience,
            azp: request.audience.first(),
            exp: now.saturating_add_unsigned(options.lifetime.as_secs()),
            iat: now,
            auth_time: now,
            // There is no authorization code to hash, so the claim is a random value of the same
            // form.
            c_hash: random_base64url(),
            name: &options.name,
            email: &options.email,
            email_verified: true,
            user_id: &options.user_id,
            org_id: &options.org_id,
            context,
            workspace_id: &options.workspace_id,
            repository: (!context.is_empty()).then(|| clone_url(context)),
            scope: request.scope.as_deref(),
        };
        self.sign(&claims)
    }

    /// Signs any claims. The error is the reason why signing failed.
    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<String, String> {
        let header = Header { kid: Some(self.key.id().to_owned()), ..Header::new(Algorithm::RS256) };
        jsonwebtoken::encode(&header, claims, self.key.private()).map_err(|error| error.to_string())
    }
}

/// The repository of a context URL: the URL up to the path of a branch, an issue or a pull
/// request.
pub(super) fn repository(context: &str) -> &str {
    let inside =
        ["/-/", "/tree/", "/blob/", "/commit/", "/commits/", "/pull/", "/issues/", "/merge_requests/"];
    // These path parts follow the repository only on these two hosts. On other hosts groups nest, and a group can have
    // such a name.
    let inside = match context.strip_prefix("https://").and_then(|rest| rest.split('/').next()) {
        Some("bitbucket.org") => [&inside[..], &["/src/", "/branch/", "/pull-requests/"]].concat(),
        Some("dev.azure.com") => vec!["?", "/pullrequest/"],
        _ => inside.to_vec(),
    };
    // Skip `https://host/owner/name`: an owner or a repository can have such a name.
    let start = context.match_indices('/').nth(4).map_or(context.len(), |(at, _)| at);
    let ends = inside.iter().filter_map(|part| Some(start + context[start..].find(part)?));
    let end = ends.min().unwrap_or(context.len());
    context[..end].trim_end_matches('/')
}

fn clone_url(context: &str) -> String {
    let repository = repository(context);
    let ending = if repository.contains("/_git/") { "" } else { ".git" };
    format!("{repository}{ending}")
}

pub(super) fn routes(state: &State) -> Router {
    let keys = state.issuer.jwks().clone();
    let discovery = discovery(state.issuer.url());
    Router::new()
        .route("/idp/.well-known/openid-configuration", get(move || async move { Json(discovery) }))
        .route("/idp/keys", get(move || async move { Json(keys) }))
}

/// OpenID Connect Discovery section 3.
fn discovery(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/not-supported"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_of_a_context() {
        for (context, expected) in [
            ("https://github.com/acme/shop", "https://github.com/acme/shop.git"),
            ("https://github.com/acme/shop/", "https://github.com/acme/shop.git"),
            ("https://github.com/acme/shop/tree/a/pull/b", "https://github.com/acme/shop.git"),
            ("https://github.com/acme/shop/pull/7", "https://github.com/acme/shop.git"),
            ("https://gitlab.com/a/b/c/-/tree/main", "https://gitlab.com/a/b/c.git"),
            ("https://gitlab.com/a/src/c", "https://gitlab.com/a/src/c.git"),
            ("https://github.com/tree/shop", "https://github.com/tree/shop.git"),
            ("https://bitbucket.org/src/src/src/main", "https://bitbucket.org/src/src.git"),
            ("https://bitbucket.org/acme/shop/src/main", "https://bitbucket.org/acme/shop.git"),
            ("https://bitbucket.org/acme/shop/branch/a/b", "https://bitbucket.org/acme/shop.git"),
            ("https://bitbucket.org/acme/shop/pull-requests/7", "https://bitbucket.org/acme/shop.git"),
            (
                "https://dev.azure.com/acme/web/_git/shop?version=GBmain",
                "https://dev.azure.com/acme/web/_git/shop",
            ),
            (
                "https://dev.azure.com/acme/web/_git/shop/pullrequest/7",
                "https://dev.azure.com/acme/web/_git/shop",
            ),
        ] {
            assert_eq!(clone_url(context), expected);
        }
    }
}
