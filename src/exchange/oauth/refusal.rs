//! Each refusal of RFC 6749 section 5.2 and RFC 8693 section 2.2.2 as its cause and what mends it.

use jiff::Timestamp;

use super::wire::Refusal;
use super::{ClientAuth, Grant, TokenEndpoint};
use crate::exchange::{Exchange, ExchangeError, Judged, skew};
use crate::http::Reply;
use crate::jwt::IdToken;

/// Puts the refusal into words.
pub(super) fn explain(
    endpoint: &TokenEndpoint<'_>,
    refusal: &Refusal,
    reply: &Reply,
    token: &IdToken,
    now: Timestamp,
) -> ExchangeError {
    let target = endpoint.target();
    let said = words(refusal, reply.status);
    if reply.status >= 500 || matches!(reply.status, 408 | 429) || refusal.is_temporary() {
        let hint = "try again later, or give it more time with `--timeout 2m`".into();
        return ExchangeError::Unavailable { target, said, hint };
    }
    let call = endpoint.call;
    let mut judged = Judged::of(token);
    let client = match &call.client {
        ClientAuth::None(id) | ClientAuth::Jwt(id) => id.as_deref(),
        ClientAuth::Basic(id, _) | ClientAuth::Post(id, _) => Some(id.as_str()),
    };
    let asked = [
        ("client", client.map(str::to_owned)),
        ("scope", call.scope.clone()),
        ("target", (!call.audiences.is_empty()).then(|| call.audiences.join(", "))),
        ("resource", (!call.resources.is_empty()).then(|| call.resources.join(", "))),
        ("clock", skew(reply, now)),
    ];
    for (name, value) in asked {
        if let Some(value) = value {
            judged = judged.with(name, value);
        }
    }
    // Only a token that is too old is worth another one.
    let stale = refusal.error == "invalid_grant" && refusal.description.to_lowercase().contains("expired");
    let hint = hint(endpoint, refusal, token);
    ExchangeError::Rejected { target, said, judged: Box::new(judged), hint, stale }
}

fn words(refusal: &Refusal, status: u16) -> String {
    let mut details = vec![refusal.error.clone(), format!("HTTP {status}")];
    details.extend(refusal.uri.clone());
    details.retain(|detail| !detail.is_empty());
    let details = details.join(", ");
    let line = refusal.description.trim().trim_end_matches('.');
    if line.is_empty() { details } else { format!("{line} ({details})") }
}

fn hint(endpoint: &TokenEndpoint<'_>, refusal: &Refusal, token: &IdToken) -> Option<String> {
    let call = endpoint.call;
    let claims = token.claims().as_claimed();
    let said = refusal.description.to_lowercase();
    let audience = claims.audience.join(", ");
    let issuer = claims.issuer.as_deref().unwrap_or("(none)");
    let grant = match call.grant {
        Grant::TokenExchange => "token-exchange",
        Grant::JwtBearer => "jwt-bearer",
        Grant::ClientCredentials => "client-credentials",
    };
    Some(match refusal.error.as_str() {
        "invalid_client" if matches!(call.client, ClientAuth::None(None)) => {
            "the service wants to know the client: `--client-id ID`, with its secret in `IDP_CLIENT_SECRET` or `--client-secret-file FILE`, or `--client-auth jwt`".into()
        }
        "invalid_client" => {
            "check the id and the secret, and the way the service takes them: `--client-auth basic`, `post` or `jwt`".into()
        }
        "invalid_grant" if said.contains("aud") => format!(
            "the token is for `{audience}`: ask for what the service expects with `--audience`, often its issuer or its token endpoint"
        ),
        "invalid_grant" if said.contains("iss") => format!(
            "the service does not trust the issuer `{issuer}`: add it there, spelled exactly so"
        ),
        "invalid_grant" if said.contains("expired") || said.contains("not yet valid") => {
            "the token was new: compare the clocks of this machine, of the issuer and of the service".into()
        }
        "invalid_grant" => format!(
            "the service has to trust the issuer `{issuer}`, be able to fetch its keys, and take `aud` {audience} and the `sub` above; its own log says which of them failed"
        ),
        "unauthorized_client" => format!("allow the grant {grant} for this client in the settings of the service"),
        "unsupported_grant_type" => match call.grant {
            Grant::TokenExchange => "the service has no token exchange here: try `--grant jwt-bearer`, or look for what switches it on".into(),
            _ => "the service does not have this grant here: try `--grant token-exchange`, or look for what switches it on".into(),
        },
        "invalid_scope" => "ask for scopes that the service knows with `--scope`, or for none".into(),
        "invalid_target" => {
            "the service does not know what the new token is to be for: check `--target-audience` and `--resource`".into()
        }
        "invalid_request" if said.contains("subject_token_type") => {
            "the service wants another `--subject-token-type`, such as `id_token`, or a URI of its own".into()
        }
        "invalid_request" => {
            "the message names what is missing or odd: `--subject-token-type`, `--target-audience`, or a parameter of the service's own with `--param NAME=VALUE`".into()
        }
        _ => return None,
    })
}
