//! Each refusal of RFC 6749 section 5.2 and RFC 8693 section 2.2.2 as its cause and what mends it.

use jiff::Timestamp;

use super::wire::Refusal;
use super::{ClientAuth, Grant, TokenEndpoint};
use crate::exchange::{Exchange, ExchangeError, Judged, skew};
use crate::http::Reply;
use crate::jwt::IdToken;
use crate::time;

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
    // Auth0's answer to an address that comes with bad tokens again and again.
    if refusal.error == "too_many_attempts" {
        let hint =
            "the service refused too many tokens from this address: find out why with one try, after a while"
                .into();
        return ExchangeError::Unavailable { target, said, hint };
    }
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
    // Only a token that is too old, or was seen before, is worth another one.
    let stale = refusal.error == "invalid_grant"
        && Words::of(refusal).any(&["expired", "reuse", "reused", "replay", "replayed"]);
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

/// A message's words. Letters alone say little: "issued" and "missing" are not about `iss`.
struct Words(Vec<String>);

impl Words {
    fn of(refusal: &Refusal) -> Self {
        let words = refusal.description.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        Self(words.map(str::to_ascii_lowercase).collect())
    }

    fn any(&self, wanted: &[&str]) -> bool {
        self.0.iter().any(|word| wanted.contains(&word.as_str()))
    }
}

fn hint(endpoint: &TokenEndpoint<'_>, refusal: &Refusal, token: &IdToken) -> Option<String> {
    let call = endpoint.call;
    let said = Words::of(refusal);
    let grant = match call.grant {
        Grant::TokenExchange => "token-exchange",
        Grant::JwtBearer => "jwt-bearer",
        Grant::ClientCredentials => "client-credentials",
    };
    Some(match refusal.error.as_str() {
        "invalid_client" if matches!(call.client, ClientAuth::None(None)) => {
            "the service wants to know the client: `--client-id ID`, with its secret in `IDP_CLIENT_SECRET` or `--client-secret-file FILE`, or `--client-auth jwt`".into()
        }
        "invalid_client" if matches!(call.client, ClientAuth::Jwt(_)) => {
            let claims = token.claims().for_messages();
            let subject = claims.subject.as_deref().unwrap_or("(none)");
            format!("the service has to know a client by the `iss` above and the `sub` `{subject}`, and by its id where it wants one: `--client-id ID`")
        }
        "invalid_client" => {
            "check the id and the secret, and the way the service takes them: `--client-auth basic`, `post` or `jwt`".into()
        }
        "invalid_grant" | "invalid_token" => of_the_token(&said, token),
        "access_denied" => "a rule of the service is against it: look there for what it asks of the claims above".into(),
        "consent_required" | "interaction_required" | "login_required" => {
            "the service wants a person to agree, and there is none: let it skip consent for this API and client".into()
        }
        "unauthorized_client" => format!("allow the grant {grant} for this client in the settings of the service"),
        "unsupported_grant_type" => match call.grant {
            Grant::TokenExchange => "the service has no token exchange here: try `--grant jwt-bearer`, or look for what switches it on".into(),
            _ => "the service does not have this grant here: try `--grant token-exchange`, or look for what switches it on".into(),
        },
        "invalid_scope" => "ask for scopes that the service knows with `--scope`, or for none".into(),
        "invalid_target" => {
            "the service does not know what the new token is to be for: check `--target-audience` and `--resource`".into()
        }
        "unsupported_token_type" => WANTS_ANOTHER_TYPE.into(),
        "invalid_request" if said.any(&["subject_token_type"]) => WANTS_ANOTHER_TYPE.into(),
        "invalid_request" => {
            "the message names what is missing or odd: `--subject-token-type`, `--target-audience`, or a parameter of the service's own with `--param NAME=VALUE`".into()
        }
        _ => return None,
    })
}

const WANTS_ANOTHER_TYPE: &str =
    "the service wants another `--subject-token-type`, such as `id_token`, or a URI of its own";

/// What is wrong with the token, by the words that services have for it.
fn of_the_token(said: &Words, token: &IdToken) -> String {
    let claims = token.claims().for_messages();
    let audience = claims.audience.join(", ");
    let issuer = claims.issuer.as_deref().unwrap_or("(none)");
    if said.any(&["jti"]) {
        return "the service wants a `jti`, which tokens of Gitpod do not have: allow there that an assertion is used again".into();
    }
    if said.any(&["future", "lifespan", "lifetime"])
        && said.any(&["exp", "expiration", "expiry", "lifespan", "lifetime"])
    {
        let life =
            claims.expires_at.zip(claims.issued_at).map(|(end, start)| end.duration_since(start).as_secs());
        let life = time::span(life.unwrap_or_default().unsigned_abs());
        return format!("the token lives for {life}: allow there that an assertion lives so long");
    }
    if said.any(&["multiple", "several"]) && claims.audience.len() > 1 {
        return format!(
            "the service takes a token for one audience only, and this is for `{audience}`: give `--audience` once"
        );
    }
    if said.any(&["aud", "audience", "audiences"]) {
        return format!(
            "the token is for `{audience}`: ask for what the service expects with `--audience`, often its issuer or its token endpoint"
        );
    }
    if said.any(&["iss", "issuer"]) {
        return format!("the service does not trust the issuer `{issuer}`: add it there, spelled exactly so");
    }
    if said.any(&["expired", "active", "exp", "nbf", "iat", "future", "past", "yet"]) {
        return "the token was new: compare the clocks of this machine, of the issuer and of the service"
            .into();
    }
    if said.any(&["signature", "key", "keys", "jwks", "kid"]) {
        return format!(
            "the service has to be able to fetch the keys of `{issuer}`, over https and with no login before them"
        );
    }
    format!(
        "the service has to trust the issuer `{issuer}`, be able to fetch its keys, and take `aud` {audience} and the `sub` above; its own log says which of them failed"
    )
}
