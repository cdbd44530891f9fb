//! Each refusal of Google's services as its cause and the one thing that fixes it.

use super::wire::Refusal;
use super::{Federation, Wanted};
use crate::exchange::Refused;
use crate::jwt::Claims;
use crate::shell;

/// Words of a message about the keys of the issuer.
const KEY_WORDS: [&str; 3] = ["signature", "jwk", "verification key"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sts,
    Iam,
}

impl Kind {
    /// How messages call it.
    pub(super) fn name(self, request: &Federation) -> String {
        match self {
            Self::Sts => format!("Google STS ({})", request.endpoints.token_url().origin()),
            Self::Iam => {
                let url = request.service_account.as_ref().map_or_else(
                    || request.endpoints.token_url(),
                    |account| request.endpoints.impersonation_url(account),
                );
                format!("Google IAM ({})", url.origin())
            }
        }
    }
}

/// The fix for a refusal.
pub(super) fn hint(request: &Federation, kind: Kind, refused: &Refused<'_, Refusal>) -> Option<String> {
    let (refusal, claims) = (refused.refusal, &refused.claims);
    match kind {
        Kind::Sts => sts_hint(request, refusal, claims, refused.clocks.differ()),
        Kind::Iam => iam_hint(request, refusal, refused.reply.status, claims),
    }
}

/// The flags that name the provider to gcloud.
fn named(request: &Federation) -> String {
    let provider = &request.provider;
    format!(
        "{} --workload-identity-pool {} --location global --project {}",
        provider.id(),
        provider.pool(),
        provider.project_number()
    )
}

fn sts_hint(request: &Federation, refusal: &Refusal, claims: &Claims, skewed: bool) -> Option<String> {
    let issuer = claims.issuer.as_deref().unwrap_or("the issuer");
    let providers = "gcloud iam workload-identity-pools providers";
    let provider = named(request);
    let message = refusal.message.as_str();
    Some(match refusal.code.as_str() {
        "invalid_request" if message.contains("\"audience\"") => {
            let provider = &request.provider;
            format!(
                "Google knows no such provider path; `{providers} list --workload-identity-pool {} --location global --project {} --format 'value(name)'` prints the right ones",
                provider.pool(),
                provider.project_number()
            )
        }
        "invalid_target" => format!(
            "the pool or the provider is disabled or deleted, or the project number is another project's: `{providers} describe {provider}` shows it, `{providers} undelete` brings a deleted one back within 30 days"
        ),
        _ if message.contains("127 bytes") => format!(
            "`sub` has {} bytes here: map a shorter claim, such as `google.subject=assertion.{}`, with `{providers} update-oidc {provider} --attribute-mapping …`",
            claims.subject.as_deref().unwrap_or_default().len(),
            claims.workspace_id.as_ref().map_or("CLAIM", |_| "workspace_id")
        ),
        "invalid_grant" if message.contains("audience") => {
            let own = [request.provider.audience(), request.provider.token_audience()];
            let intro = if claims.audience.iter().any(|audience| own.contains(audience)) {
                "the provider has a list of audiences without its own name: ask for one of the list with `--audience`"
            } else {
                "leave `--audience` out: a provider takes its own name, unless it has a list of audiences"
            };
            format!(
                "{intro}; `{providers} describe {provider} --format 'value(oidc.allowedAudiences)'` prints it"
            )
        }
        "invalid_grant" if message.contains("connecting to the given credential's issuer") => format!(
            "Google could not fetch the keys of {issuer}: its discovery and JWKS have to be on the public internet, with https and a public CA; else give the provider the keys with `{providers} update-oidc {provider} --jwk-json-path FILE`"
        ),
        "invalid_grant" if message.contains("stale") && skewed => {
            "set the clock right that is named above".into()
        }
        "invalid_grant" if message.contains("stale") => {
            "the token is too old; each call mints a new one, so check the clock of the issuer".into()
        }
        "invalid_grant" if KEY_WORDS.iter().any(|word| message.to_ascii_lowercase().contains(word)) => {
            format!(
                "Google knows other keys than those that {issuer} signs with: if they were uploaded to the provider, upload those that its `jwks_uri` has now: `{providers} update-oidc {provider} --jwk-json-path FILE`"
            )
        }
        "invalid_grant" if message.contains("issuer") => format!(
            "the provider's issuer URI has to be exactly `{issuer}`: `{providers} describe {provider} --format 'value(oidc.issuerUri)'` prints it"
        ),
        "unauthorized_client" => format!(
            "compare the claims above with the condition (upper and lower case count): `{providers} describe {provider} --format 'value(attributeCondition,attributeMapping)'`"
        ),
        "invalid_scope" => "check `--scopes`".into(),
        "invalid_grant" => format!(
            "compare the claims above with what the provider asks for: `{providers} describe {provider}`"
        ),
        _ => return None,
    })
}

fn iam_hint(request: &Federation, refusal: &Refusal, status: u16, claims: &Claims) -> Option<String> {
    let account = request.service_account.as_ref()?;
    let message = refusal.message.as_str();
    Some(match status {
        403 if message.contains("has not been used") || message.contains("it is disabled") => {
            // `… API has not been used in project 123 before or it is disabled. Enable it by visiting https://…`
            let is_name = |text: &&str| {
                text.starts_with(|c: char| c.is_ascii_alphanumeric())
                    && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
            };
            let project = message.split_once("in project ").and_then(|(_, rest)| rest.split([' ', '.', ',']).next());
            let project = project.filter(is_name).map_or(String::new(), |project| format!(" --project {project}"));
            let api = message.split('/').find(|part| part.ends_with(".googleapis.com") && is_name(part));
            let api = api.unwrap_or("iamcredentials.googleapis.com");
            format!("switch the API on (it counts after some minutes): `gcloud services enable {api}{project}`")
        }
        403 => {
            let principal = request.provider.principal(claims.subject.as_deref().unwrap_or_default());
            let command = shell::command(&[
                "gcloud",
                "iam",
                "service-accounts",
                "add-iam-policy-binding",
                account.as_str(),
                "--role",
                "roles/iam.workloadIdentityUser",
                "--member",
                &principal,
            ]);
            format!("let this subject impersonate the account (a change takes up to 5 minutes): `{command}`")
        }
        404 => format!("no such service account: `gcloud iam service-accounts describe {account}` shows it"),
        401 => "the federated token was not taken: try again, and check that both addresses belong to the same Google".into(),
        400 if message.contains("lifetime") => {
            "ask for less with `--lifetime 3300s`; more than an hour needs the organisation policy `iam.allowServiceAccountCredentialLifetimeExtension`".into()
        }
        400 if request.wanted == Wanted::IdToken => "check `--id-token-audience`".into(),
        400 => "check `--scopes` and `--lifetime`".into(),
        _ => return None,
    })
}
