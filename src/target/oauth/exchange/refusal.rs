//! Each refusal of RFC 6749 section 5.2 and RFC 8693 section 2.2.2 as its cause and the fix.

use super::wire::Refusal;
use crate::jwt::Claims;
use crate::target::oauth::request::{ClientAuth, Grant, TokenCall};
use crate::time;

/// Whether the token is too old, or was seen before: only then is another one worth a try.
pub(super) fn is_about_age(refusal: &Refusal) -> bool {
    refusal.error == "invalid_grant"
        && Words::of(refusal).any(&["expired", "reuse", "reused", "replay", "replayed"])
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

/// The fix for a refusal.
pub(super) fn hint(call: &TokenCall, refusal: &Refusal, claims: &Claims) -> Option<String> {
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
            let subject = claims.subject.as_deref().unwrap_or("(none)");
            format!("the service has to know a client by the `iss` above and the `sub` `{subject}`, and by its id where it wants one: `--client-id ID`")
        }
        "invalid_client" => {
            "check the id and the secret, and the way the service takes them: `--client-auth basic`, `post` or `jwt`".into()
        }
        "invalid_grant" | "invalid_token" => of_the_token(&said, claims),
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
fn of_the_token(said: &Words, claims: &Claims) -> String {
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
