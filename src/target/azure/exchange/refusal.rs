//! Each refusal of Entra as its cause and the one thing that mends it. Only hints rest on the codes, which
//! Microsoft reserves the right to change.

use jiff::Timestamp;

use super::Entra;
use super::wire::Refusal;
use crate::exchange::{Exchange, ExchangeError, Judged, skew};
use crate::http::Reply;
use crate::json::quote;
use crate::jwt::IdToken;
use crate::shell::posix_quote;
use crate::time;

/// Puts the refusal into words.
pub(super) fn explain(
    entra: &Entra<'_>,
    refusal: &Refusal,
    reply: &Reply,
    token: &IdToken,
    now: Timestamp,
) -> ExchangeError {
    let target = entra.target();
    let said = words(refusal, reply.status);
    if reply.status >= 500 || matches!(reply.status, 408 | 429) || refusal.is_temporary() {
        let hint = "try again later, or give it more time with `--timeout 2m`".into();
        return ExchangeError::Unavailable { target, said, hint };
    }
    let request = entra.request;
    let mut judged = Judged::of(token)
        .with("client", request.client.as_str())
        .with("tenant", request.tenant.to_string())
        .with("scope", request.scope.as_str());
    let skew = skew(reply, now);
    if let Some(skew) = &skew {
        judged = judged.with("clock", skew.clone());
    }
    for (name, id) in [("trace", &refusal.trace_id), ("correlation", &refusal.correlation_id)] {
        if !id.is_empty() {
            judged = judged.with(name, id.clone());
        }
    }
    let hint = refusal.codes.iter().find_map(|code| hint(*code, entra, token, skew.is_some()));
    ExchangeError::Rejected { target, said, judged: Box::new(judged), hint, stale: refusal.is(700_024) }
}

/// The first line of the description: those below it repeat the ids.
fn words(refusal: &Refusal, status: u16) -> String {
    let line = refusal.description.lines().next().unwrap_or_default().trim();
    let line = line.split(" Trace ID:").next().unwrap_or_default().trim_end_matches('.');
    let mut details = vec![refusal.error.clone(), format!("HTTP {status}")];
    details.retain(|detail| !detail.is_empty());
    let details = details.join(", ");
    if line.is_empty() { details } else { format!("{line} ({details})") }
}

fn hint(code: u32, entra: &Entra<'_>, token: &IdToken, skewed: bool) -> Option<String> {
    let claims = token.claims().for_messages();
    let issuer = claims.issuer.as_deref().unwrap_or_default();
    let subject = claims.subject.as_deref().unwrap_or_default();
    let audience = claims.audience.join(", ");
    let client = &entra.request.client;
    let expected = entra.request.authority.cloud().audience();
    let scope = entra.request.scope.as_str();
    let credential = |intro: &str| {
        let parameters = format!(
            r#"{{"name": "gitpod", "issuer": {}, "subject": {}, "audiences": [{}]}}"#,
            quote(issuer),
            quote(subject),
            quote(&audience)
        );
        format!(
            "{intro} a federated credential with exactly these values (upper and lower case count): `az ad app federated-credential create --id {client} --parameters {}`",
            posix_quote(&parameters)
        )
    };
    Some(match code {
        70021 => credential("a new one takes some minutes until it counts; else give the application"),
        700_212 | 7_002_121 if audience != expected => format!(
            "ask for the audience of the federated credential with `--audience`: it is `{expected}` unless it was made for another"
        ),
        700_211 | 700_212 | 700_213 | 7_002_121 | 7_002_131 => credential("give the application"),
        700_024 if skewed => "set this machine's clock right".into(),
        700_024 => "the token is not valid now: check the issuer's clock; each call mints a new one".into(),
        70023 => {
            let life = claims.expires_at.zip(claims.issued_at);
            let life = life.map(|(end, start)| end.as_second() - start.as_second()).unwrap_or_default();
            format!(
                "the token lives for {}, and Entra takes a day at the most: let the issuer give shorter ones",
                time::span(life.unsigned_abs())
            )
        }
        700_016 => format!("check `--client-id` and `--tenant-id`: `az ad sp show --id {client}` in that tenant"),
        90002 => "check `--tenant-id`, and `--authority-host` for another cloud: `az account show --query tenantId`".into(),
        700_222 | 700_226 | 700_227 => format!(
            "Entra does not let {issuer} be used here: its administrator allows issuers under workload identity federation policies"
        ),
        53003 => "a Conditional Access policy for workload identities blocks it: the sign-in log of the service principal names the policy".into(),
        500_011 | 70011 | 1_002_012 => format!(
            "check `--resource`: `{scope}` has to name a resource that this tenant knows"
        ),
        50027 | 500_275 | 700_027 | 5_000_819 => format!(
            "Entra could not verify the signature: the discovery document and the keys of {issuer} have to be on the public internet, and signed with RS256"
        ),
        _ => return None,
    })
}
