//! The hint for each error of Google STS and Google IAM: the cause and the fix.

use super::wire::Refusal;
use super::{Federation, Wanted};
use crate::exchange::Refused;
use crate::jwt::Claims;
use crate::shell;

/// Words in messages about the issuer's keys.
const KEY_WORDS: [&str; 3] = ["signature", "jwk", "verification key"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sts,
    Iam,
}

impl Kind {
    /// The service's name and origin, for messages.
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
        Kind::Sts => sts_hint(request, refusal, claims, refused.clocks.are_wrong()),
        Kind::Iam => iam_hint(request, refusal, refused.reply.status, claims),
    }
}

/// The arguments that name the provider to gcloud.
fn provider_arguments(request: &Federation) -> String {
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
    let provider = provider_arguments(request);
    let message = refusal.message.as_str();
    Some(match refusal.code.as_str() {
        "invalid_request" if message.contains("\"audience\"") => {
            let provider = &request.provider;
            format!(
                "no provider has this name: correct `--workload-identity-provider`\n\
                 `{providers} list --workload-identity-pool {} --location global --project {} --format 'value(name)'` prints the names in this pool",
                provider.pool(),
                provider.project_number()
            )
        }
        "invalid_target" => format!(
            "most likely `--workload-identity-provider` is misspelled or has another project's number\n\
             otherwise the pool or provider is disabled or deleted: `{providers} describe {provider}` prints its `state`\n\
             if the provider is deleted, ask the project's administrator to restore it within 30 days with `{providers} undelete {provider}`"
        ),
        _ if message.contains("127 bytes") => format!(
            "`sub` has {} bytes here: ask whoever administers the pool to map a shorter claim with `{providers} update-oidc {provider} --attribute-mapping google.subject=assertion.{}`",
            claims.subject.as_deref().unwrap_or_default().len(),
            claims.workspace_id.as_ref().map_or("CLAIM", |_| "workspace_id")
        ),
        "invalid_grant" if message.contains("audience") => {
            let own = [request.provider.audience(), request.provider.token_audience()];
            let fix = if claims.audience.iter().any(|audience| own.contains(audience)) {
                "the provider's list of allowed audiences does not contain its own name: give an audience of the list with `--audience`"
            } else {
                "the provider does not accept this audience: leave out `--audience` to use the provider's name, which a provider without a list of audiences accepts\n\
                 if it fails again, the provider has a list: give an audience of the list with `--audience`"
            };
            format!(
                "{fix}\n`{providers} describe {provider} --format 'value(oidc.allowedAudiences)'` prints that list"
            )
        }
        "invalid_grant" if message.contains("connecting to the given credential's issuer") => format!(
            "Google could not fetch the keys of {issuer}: ask whoever runs it to serve its discovery document and keys on the public internet, with the certificate of a public CA\n\
             if that is not possible, ask whoever administers the pool to upload the keys: `{providers} update-oidc {provider} --jwk-json-path FILE`"
        ),
        "invalid_grant" if message.contains("stale") && skewed => {
            format!(
                "the clock of the issuer is wrong: ask whoever runs {issuer} to set it right\n\
                 if the issuer is this machine, run `sudo timedatectl set-ntp true`"
            )
        }
        "invalid_grant" if message.contains("stale") => {
            "the token was minted a moment ago, so the clock of its issuer is wrong: ask whoever runs the issuer to set it right".into()
        }
        "invalid_grant" if KEY_WORDS.iter().any(|word| message.to_ascii_lowercase().contains(word)) => {
            format!(
                "Google does not have the key that {issuer} signs with, most likely because the keys uploaded to the provider are outdated\n\
                 ask whoever administers the pool to upload the current keys of the issuer's `jwks_uri`: `{providers} update-oidc {provider} --jwk-json-path FILE`"
            )
        }
        "invalid_grant" if message.contains("issuer") => format!(
            "the provider expects another issuer: ask whoever administers the pool to set the issuer with `{providers} update-oidc {provider} --issuer-uri {}`",
            shell::posix_quote(issuer)
        ),
        "unauthorized_client" => format!(
            "the provider's attribute condition rejects these claims (the condition is case-sensitive): ask whoever administers the pool to compare the claims above with the output of `{providers} describe {provider} --format 'value(attributeCondition,attributeMapping)'`"
        ),
        "invalid_scope" => "Google knows no such scope: correct `--scopes`, such as `--scopes https://www.googleapis.com/auth/cloud-platform`".into(),
        "invalid_grant" => format!(
            "Google does not say which claim is wrong: ask whoever administers the pool to compare the claims above with the settings of the provider, which `{providers} describe {provider}` prints"
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
            format!("the API is disabled in that project: ask whoever administers the project to enable it with `gcloud services enable {api}{project}` (this takes a few minutes)")
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
            let provider = &request.provider;
            let set_up = shell::command(&[
                "gp",
                "idp",
                "trust",
                "gcp",
                "--project-number",
                provider.project_number(),
                "--pool",
                provider.pool(),
                "--provider",
                provider.id(),
                "--service-account",
                account.as_str(),
            ]);
            // IAM needs time for a change: https://cloud.google.com/iam/docs/access-change-propagation
            format!(
                "this subject is not allowed to use the account `{account}`: check `--service-account`\n\
                 if the account is right, and the provider maps `google.subject` to `assertion.sub`, ask whoever administers the account's project to run `{command}`\n\
                 if `gp` set up the provider, ask for the binding that `{set_up}` prints\n\
                 a binding takes effect after about 2 minutes, sometimes after 7 minutes or more"
            )
        }
        404 => format!(
            "there is no service account `{account}`: correct `--service-account`\n\
             `gcloud iam service-accounts list` prints the service accounts of the project"
        ),
        401 if request.endpoints.are_google() => {
            "your settings are not the cause, because Google IAM refuses the token that Google STS just issued: try again in a minute\n\
             if it fails again, ask Google's support"
                .into()
        }
        401 => format!(
            "IAM at {} refuses the token that STS at {} gave: run `unset CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS CLOUDSDK_API_ENDPOINT_OVERRIDES_STS` to use Google's own services\n\
             if you set these variables on purpose, ask whoever runs the two services whether this IAM accepts tokens of this STS",
            request.endpoints.impersonation_url(account).origin(),
            request.endpoints.token_url().origin()
        ),
        400 if message.contains("lifetime") => {
            "ask for an hour or less, such as `--lifetime 3600s`\n\
             if you need more, ask the organisation's administrator to add the service account to the organisation policy constraint `constraints/iam.allowServiceAccountCredentialLifetimeExtension`"
                .into()
        }
        400 if request.wanted == Wanted::IdToken => "Google does not accept the value of `--id-token-audience`: write it like `https://SERVICE_URL`".into(),
        400 => "Google does not accept the value of `--scopes` or `--lifetime` (see its message above): leave both out, or correct them".into(),
        _ => return None,
    })
}
