//! The fix for each refusal of Entra. Only hints depend on the codes, which Microsoft reserves the right to change.

use serde::Serialize;

use super::ClientCredentials;
use super::wire::Refusal;
use crate::exchange::Refused;
use crate::jwt::Claims;
use crate::shell;
use crate::time;

/// A federated credential, as `az` takes it.
#[derive(Serialize)]
struct Parameters<'a> {
    name: &'static str,
    issuer: &'a str,
    subject: &'a str,
    audiences: &'a [String],
}

pub(super) fn hint(request: &ClientCredentials, refused: &Refused<'_, Refusal>) -> Option<String> {
    let skewed = refused.clocks.here.is_some();
    refused.refusal.codes.iter().find_map(|code| hint_for(*code, request, &refused.claims, skewed))
}

fn hint_for(code: u32, request: &ClientCredentials, claims: &Claims, skewed: bool) -> Option<String> {
    let issuer = claims.issuer.as_deref().unwrap_or_default();
    let subject = claims.subject.as_deref().unwrap_or_default();
    let audience = claims.audience.join(", ");
    let client = request.client.as_str();
    let expected = request.authority.cloud().audience();
    let scope = request.scope.as_str();
    let credential = |intro: &str| {
        let parameters = Parameters { name: "gitpod", issuer, subject, audiences: &claims.audience };
        let parameters = serde_json::to_string(&parameters).ok()?;
        let command = shell::command(&[
            "az",
            "ad",
            "app",
            "federated-credential",
            "create",
            "--id",
            client,
            "--parameters",
            &parameters,
        ]);
        Some(format!(
            "{intro} a federated credential with exactly these values (upper and lower case count): `{command}`"
        ))
    };
    Some(match code {
        70021 => credential("a new one takes some minutes until it counts; else give the application")?,
        700_212 | 7_002_121 if audience != expected => format!(
            "ask for the audience of the federated credential with `--audience`: it is `{expected}` unless it was made for another"
        ),
        700_211 | 700_212 | 700_213 | 7_002_121 | 7_002_131 => credential("give the application")?,
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
