//! The hint for each error of RFC 6749 section 5.2 and RFC 8693 section 2.2.2: the cause and the
//! fix.

use super::wire::Refusal;
use crate::jwt::Claims;
use crate::shell::posix_quote;
use crate::target::oauth::request::{ClientAuth, Grant, TokenCall};
use crate::time;

/// Whether the token is too old, or was used before. Only then can a new token help.
pub(super) fn is_expired_or_replayed(refusal: &Refusal) -> bool {
    refusal.error == "invalid_grant"
        && Words::of(refusal).any(&["expired", "reuse", "reused", "replay", "replayed"])
}

/// The words of a message. A search for substrings is not enough: "issued" and "missing" are not
/// about `iss`.
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
    let words = Words::of(refusal);
    let grant = match call.grant {
        Grant::TokenExchange => "token-exchange",
        Grant::JwtBearer => "jwt-bearer",
        Grant::ClientCredentials => "client-credentials",
    };
    let text = refusal.description.to_ascii_lowercase();
    if let Some(hint) = message_hint(&text, &words, call) {
        return Some(hint);
    }
    Some(match refusal.error.as_str() {
        "invalid_client" if matches!(call.client, ClientAuth::None(None)) => {
            "the client must authenticate: ask whoever runs the service for a client ID and a secret, and give them with `--client-id ID` and `IDP_CLIENT_SECRET` or `--client-secret-file FILE`\n\
             if the service accepts the ID token in place of a secret, add `--client-auth jwt`"
                .into()
        }
        "invalid_client" if matches!(call.client, ClientAuth::Jwt(_)) => {
            let subject = claims.subject.as_deref().unwrap_or("(none)");
            format!(
                "the service needs a client for the `iss` above and the `sub` `{subject}`: ask whoever administers the service to add one\n\
                 if the service also requires a client ID, give `--client-id ID`"
            )
        }
        "invalid_client" => {
            "most likely the id (`--client-id`) or the secret (`IDP_CLIENT_SECRET`, `--client-secret-file`) is wrong\n\
             otherwise the service expects another client authentication: try `--client-auth post`, then `basic` and `jwt`"
                .into()
        }
        "invalid_grant" | "invalid_token" => token_hint(&words, claims),
        "access_denied" => "a rule of the service refuses these claims: ask whoever administers the service to find the rule, and show them the claims above".into(),
        "consent_required" | "interaction_required" | "login_required" => {
            "the service requires the consent of a person: ask whoever administers the service to let this client skip consent".into()
        }
        "unauthorized_client" => format!("this client is not allowed to use the grant {grant}: ask whoever administers the service to allow it"),
        "unsupported_grant_type" => match call.grant {
            Grant::TokenExchange => "the token endpoint does not offer token exchange: try `--grant jwt-bearer`\n\
                                     otherwise ask whoever administers the service to enable token exchange"
                .into(),
            _ => "the service does not offer this grant here: try `--grant token-exchange`\n\
                  otherwise ask whoever administers the service to enable the grant"
                .into(),
        },
        "invalid_scope" => "the service does not know the requested scope: leave `--scope` out, or name a scope from its documentation".into(),
        "invalid_target" => {
            let flag = match (call.audiences.is_empty(), call.resources.is_empty()) {
                (false, true) => "`--target-audience`",
                (true, false) => "`--resource`",
                (true, true) => {
                    return Some(
                        "the service requires the API that the new token is for: name the API with `--target-audience` or `--resource`\n\
                         if you do not know the right name, ask whoever runs the API"
                            .into(),
                    );
                }
                (false, false) => "`--target-audience` or `--resource`",
            };
            format!(
                "the service does not know the API that {flag} names: ask whoever runs that API for its name\n\
                 without the flag, the service issues a token for its default API"
            )
        }
        "unsupported_token_type" => WRONG_TOKEN_TYPE.into(),
        "invalid_request" => match missing_parameter(&refusal.description) {
            Some(name) => format!("the service requires the parameter `{name}`: give it with {}", flag_of(name)),
            None => "a parameter is missing or not accepted (see the message above): give it with `--param NAME=VALUE`\n\
                     if the parameter is `audience`, use `--target-audience`\n\
                     if the parameter is `subject_token_type`, use `--subject-token-type`"
                .into(),
        },
        _ => return None,
    })
}

/// The missing parameter that the message names: `connection is required`, `Missing parameter:
/// connection`.
fn missing_parameter(description: &str) -> Option<&str> {
    const FILLER_WORDS: [&str; 9] =
        ["parameter", "parameters", "required", "mandatory", "form", "field", "the", "a", "value"];
    // Messages with these words are about the request as a whole.
    const NOT_PARAMETERS: [&str; 8] =
        ["authentication", "authorization", "it", "request", "this", "token", "client", "which"];
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let words: Vec<&str> = description
        .split(|c: char| !is_word(c))
        .map(|word| word.trim_matches('.'))
        .filter(|word| !word.is_empty())
        .collect();
    let is = |word: &&str, what: &[&str]| what.iter().any(|what| word.eq_ignore_ascii_case(what));
    let verbs = ["is", "was", "must", "are"];
    let after = words.iter().position(|word| is(word, &["missing"])).filter(|at| {
        // In `The parameter x is missing`, the name comes first.
        !at.checked_sub(1).is_some_and(|before| is(&words[before], &verbs))
    });
    let name = if let Some(at) = after {
        words[at + 1..].iter().find(|word| !is(word, &FILLER_WORDS))
    } else {
        let ends = |at: usize| match words.get(at + 1..at + 3) {
            Some(["be", _]) => is(&words[at], &["must"]),
            Some(["not", verb]) => is(verb, &["provided", "specified", "given", "set", "present"]),
            _ => words.get(at + 1).is_some_and(|word| is(word, &["required", "missing", "mandatory"])),
        };
        let at = (0..words.len()).find(|at| is(&words[*at], &verbs) && ends(*at))?;
        words[..at].iter().rev().find(|word| !is(word, &FILLER_WORDS))
    };
    // The names of parameters are in lower case.
    let is_name = |word: &&&str| {
        !is(word, &NOT_PARAMETERS) && word.len() <= 64 && !word.contains(|c: char| c.is_ascii_uppercase())
    };
    name.filter(is_name).copied()
}

/// The flag or variable that sets a parameter of the request.
fn flag_of(name: &str) -> String {
    match name {
        "audience" => "`--target-audience AUDIENCE`".into(),
        "resource" => "`--resource URI`".into(),
        "scope" => "`--scope SCOPES`".into(),
        "client_id" => "`--client-id ID`".into(),
        "client_secret" => "`IDP_CLIENT_SECRET` or `--client-secret-file FILE`".into(),
        "requested_token_type" => "`--requested-token-type TYPE`".into(),
        "actor_token" | "actor_token_type" => "`--actor-token-file FILE`".into(),
        "assertion" => "`--grant jwt-bearer`".into(),
        "grant_type" => "`--grant GRANT`".into(),
        "subject_token" => "`--grant token-exchange`".into(),
        "client_assertion" | "client_assertion_type" => "`--client-auth jwt`".into(),
        _ => format!("`--param {name}=VALUE`"),
    }
}

/// The fix, if the message says more than the error code. Services choose the codes freely.
fn message_hint(text: &str, said: &Words, call: &TokenCall) -> Option<String> {
    if said.any(&["jti"]) {
        return Some("the service requires a `jti`, which tokens of Gitpod do not have: configure the service to accept an assertion more than once".into());
    }
    if said.any(&["subject_token_type"]) {
        return Some(WRONG_TOKEN_TYPE.into());
    }
    if said.any(&["connector", "connector_id"]) {
        return Some(
            "the service does not know the issuer's connector: name the connector for the issuer with `--param connector_id=ID`".into(),
        );
    }
    if text.contains("invalid token audience") {
        let issuer = realm_of(call.endpoint().as_str()).unwrap_or("URL_OF_THE_SERVICE");
        return Some(format!(
            "the service requires its own issuer as the only audience of the token: give `--audience {}`, and no other",
            posix_quote(issuer)
        ));
    }
    if text.contains("invalid client credentials") {
        return Some(
            "the id of the client (`--client-id`) or its secret (`IDP_CLIENT_SECRET`, `--client-secret-file`) is wrong".into(),
        );
    }
    let names_issuer = call.extra_parameters.iter().any(|(name, _)| name == "subject_issuer");
    (text.contains("not allowed to exchange") && names_issuer).then(|| {
        "the client may not exchange tokens of that `subject_issuer`: ask whoever administers the service to give the client the permission `token-exchange` at that identity provider".into()
    })
}

/// The issuer that a token endpoint of Keycloak belongs to.
fn realm_of(endpoint: &str) -> Option<&str> {
    endpoint.strip_suffix("/protocol/openid-connect/token")
}

const WRONG_TOKEN_TYPE: &str = "the service requires another token type: try `--subject-token-type id_token`, then `jwt`, then the URI in the documentation of the service";

/// The fix for a refused token, by the words of the message.
fn token_hint(said: &Words, claims: &Claims) -> String {
    let audience = claims.audience.join(", ");
    let issuer = claims.issuer.as_deref().unwrap_or("(none)");
    if said.any(&["future", "lifespan", "lifetime"])
        && said.any(&["exp", "expiration", "expiry", "lifespan", "lifetime"])
    {
        let life =
            claims.expires_at.zip(claims.issued_at).map(|(end, start)| end.duration_since(start).as_secs());
        let life = time::span(life.unwrap_or_default().unsigned_abs());
        return format!(
            "the token lives for {life}: configure the service to accept an assertion with this lifetime"
        );
    }
    if said.any(&["multiple", "several"]) && claims.audience.len() > 1 {
        return format!(
            "the service accepts a token for one audience only, and this token is for `{audience}`: give `--audience` once"
        );
    }
    if said.any(&["aud", "audience", "audiences"]) {
        return format!(
            "the token is for `{audience}`, and the service expects another audience: give the expected one with `--audience`, most likely the URL of the service or of its token endpoint"
        );
    }
    if said.any(&["iss", "issuer"]) {
        return format!(
            "the service does not trust the issuer `{issuer}`: ask whoever administers the service to add the issuer with exactly this spelling"
        );
    }
    if said.any(&["expired", "active", "exp", "nbf", "iat", "future", "past", "yet"]) {
        return "the token was minted a moment ago, so a clock is wrong, most likely that of the issuer: ask whoever runs the issuer and whoever runs the service to compare their clocks\n\
                a retry does not help until the clocks are right"
            .into();
    }
    if said.any(&["signature", "key", "keys", "jwks", "kid"]) {
        return format!(
            "the service could not verify the signature: ask whoever administers it to let it fetch the keys of `{issuer}`, over https and without a login"
        );
    }
    format!(
        "the service does not give the reason. Most likely it expects another audience than `{audience}`: give the expected one with `--audience`\n\
         if the audience is right, the service most likely does not trust the issuer `{issuer}`\n\
         otherwise the service has no rule for the `sub` above, or cannot fetch the issuer's keys\n\
         the log of the service shows the reason to its administrator"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_parameter_is_named() {
        let cases = [
            ("connection is required", Some("connection")),
            ("'connection' is required", Some("connection")),
            ("The parameter \"connector_id\" is missing.", Some("connector_id")),
            ("connector_id parameter was not provided", Some("connector_id")),
            ("Missing required parameter: tenant", Some("tenant")),
            ("missing form field `x-tenant`", Some("x-tenant")),
            ("Missing parameter: audience", Some("audience")),
            ("resource must be specified", Some("resource")),
            ("tenant.id is mandatory", Some("tenant.id")),
            ("Client authentication is required", None),
            ("HTTPS is required", None),
            ("is required", None),
            ("missing", None),
            ("the token is too old", None),
            ("", None),
        ];
        for (description, expected) in cases {
            assert_eq!(missing_parameter(description), expected, "{description}");
        }
    }

    #[test]
    fn a_parameter_with_a_flag_is_given_with_its_flag() {
        assert_eq!(flag_of("connection"), "`--param connection=VALUE`");
        assert_eq!(flag_of("audience"), "`--target-audience AUDIENCE`");
        assert_eq!(flag_of("scope"), "`--scope SCOPES`");
    }
}
