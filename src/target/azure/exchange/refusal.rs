//! The hint for each error of Entra. Microsoft reserves the right to change the codes. Apart from
//! hints, only retries depend on them.

use serde::Serialize;

use super::wire::Refusal;
use super::{Authority, ClientCredentials};
use crate::exchange::{Refused, discovery};
use crate::jwt::Claims;
use crate::shell;
use crate::time;

/// A federated credential in the form that `az` reads.
#[derive(Serialize)]
struct Parameters<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    issuer: &'a str,
    subject: &'a str,
    audiences: &'a [String],
}

/// The fix for a refusal. For an unknown code, this names the page where Microsoft explains it.
pub(super) fn hint(request: &ClientCredentials, refused: &Refused<'_, Refusal>) -> Option<String> {
    let Refusal { codes, description, .. } = refused.refusal;
    let case = Case {
        request,
        claims: &refused.claims,
        skewed: refused.clocks.local.is_some(),
        has_no_match_message: description.contains("No matching federated identity record"),
    };
    let known = codes.iter().find_map(|code| case.hint_for(*code));
    let known = known.or_else(|| {
        case.has_no_match_message
            .then(|| case.create("most likely no federated credential fits this token"))
            .flatten()
    });
    known.or_else(|| {
        let code = codes.first()?;
        Some(format!(
            "most often the client ID, the tenant or the federated credential is wrong: compare each with the values above\n\
             if all are right, read what the code means: open {}error?code={code} in a browser",
            Authority::DEFAULT
        ))
    })
}

struct Case<'a> {
    request: &'a ClientCredentials,
    claims: &'a Claims,
    /// Whether the clock of this machine is wrong.
    skewed: bool,
    /// Whether the message is that of the codes 70021…. Microsoft also uses it with other codes.
    has_no_match_message: bool,
}

impl Case<'_> {
    /// The `az` command for a federated credential that accepts this token. `verb` is the
    /// subcommand with its flags. `name` is only for a new credential, because a name cannot be
    /// changed.
    fn command(&self, name: Option<&'static str>, verb: &[&str]) -> Option<String> {
        let Claims { issuer, subject, audience, .. } = self.claims;
        let [issuer, subject] = [issuer, subject].map(|text| text.as_deref().unwrap_or_default());
        let parameters = Parameters { name, issuer, subject, audiences: audience };
        let parameters = serde_json::to_string(&parameters).ok()?;
        let words = ["az", "ad", "app", "federated-credential"].into_iter().chain(verb.iter().copied());
        let words = words.chain(["--id", self.request.client.as_str(), "--parameters", &parameters]);
        Some(shell::command(&words.collect::<Vec<_>>()))
    }

    /// The same `az` command for a managed identity, whose client ID looks like that of an app.
    fn command_for_identity(verb: &[&str]) -> String {
        let words = [&["az", "identity", "federated-credential"], verb].concat();
        let words = [&words[..], &["--identity-name", "IDENTITY", "--resource-group", "GROUP"]].concat();
        shell::command(&words)
    }

    /// As [`Case::command_for_identity`], with the values of a credential that accepts this token.
    fn values_for_identity(&self, verb: &[&str]) -> String {
        let value =
            |name: &str, text: &Option<String>| format!("{name}={}", text.as_deref().unwrap_or_default());
        let [issuer, subject] =
            [value("--issuer", &self.claims.issuer), value("--subject", &self.claims.subject)];
        let audiences: Vec<&str> = self.claims.audience.iter().map(String::as_str).collect();
        let words = [verb, &[&issuer, &subject, "--audiences"], &audiences].concat();
        Self::command_for_identity(&words)
    }

    /// The hint that a credential is missing. `cause` is the first half of a sentence.
    fn create(&self, cause: &str) -> Option<String> {
        let command = self.command(Some("gitpod"), &["create"])?;
        Some(format!(
            "{cause}, so ask whoever owns the application to add one with exactly these values (they are case-sensitive): `{command}`\n\
             if the client ID belongs to a managed identity, use this command instead: `{}`",
            self.values_for_identity(&["create", "--name", "gitpod"])
        ))
    }

    /// The hint for an existing credential. Entra allows one credential for each issuer and
    /// subject, so a second one cannot be created.
    fn update(&self, what_differs: &str) -> Option<String> {
        let command = self.command(None, &["update", "--federated-credential-id", "NAME"])?;
        Some(format!(
            "{what_differs}, so ask whoever owns the application to correct the credential in two steps\n\
             1. find the NAME of the existing federated credential: `az ad app federated-credential list --id {}`\n\
             2. give this credential exactly these values: `{command}`\n\
             if the client ID belongs to a managed identity, use `{}` in step 1\n\
             for a managed identity, use `{}` in step 2",
            self.request.client.as_str(),
            Self::command_for_identity(&["list"]),
            self.values_for_identity(&["update", "--name", "NAME"])
        ))
    }

    fn hint_for(&self, code: u32) -> Option<String> {
        let Self { request, claims, skewed, has_no_match_message } = *self;
        let issuer = claims.issuer.as_deref().unwrap_or_default();
        let audience = claims.audience.join(", ");
        let client = request.client.as_str();
        let expected = request.authority.cloud().audience();
        let scope = request.scope.as_str();
        Some(match code {
            70021 => self.create(
                "if the federated credential was just created, wait 5 minutes and try again\n\
                 otherwise no federated credential matches this token",
            )?,
            70025 => self.create("the application has no federated credential yet")?,
            700_212 | 7_002_121 if audience != expected => format!(
                "the token is for another audience than the federated credential: leave `--audience` out to request `{expected}`\n\
                 if the credential has another audience, give that one with `--audience`"
            ),
            700_212 | 7_002_121 => self.update("the federated credential is for another audience")?,
            7_002_138 => self.update("the subject of the federated credential differs from the `sub` above in upper and lower case")?,
            code if code.to_string().starts_with("70021") => self.create("no federated credential fits this token")?,
            700_024 if skewed => "this machine's clock is wrong (see `clock` above): set it right, for example with `sudo timedatectl set-ntp true`".into(),
            700_024 => "the token was minted a moment ago, so the clock of its issuer is wrong: ask whoever runs the issuer to set it right".into(),
            70023 => {
                let life = claims.expires_at.zip(claims.issued_at);
                let life = life.map(|(end, start)| end.as_second() - start.as_second()).unwrap_or_default();
                format!(
                    "the token lives for {}, and Entra accepts at most 25 h: ask whoever runs the issuer to lower the lifetime of its ID tokens",
                    time::span(life.unsigned_abs())
                )
            }
            700_016 => {
                format!(
                    "most likely `--client-id` is wrong, because this tenant has no application {client}: `az ad app list --all --query '[].appId'` prints the client IDs of the tenant's applications\n\
                     for a managed identity, `az identity list --query '[].clientId'` prints them\n\
                     otherwise `--tenant-id` is wrong: `az account show --query tenantId` prints yours"
                )
            }
            7_000_229 => format!(
                "the tenant knows the application, but has no service principal for it: ask whoever administers the tenant to run `az ad sp create --id {client}`"
            ),
            7_000_112 => format!(
                "the application is disabled: the tenant's administrator can enable it with `az ad sp update --id {client} --set accountEnabled=true`"
            ),
            90002 | 900_023 => {
                "most likely `--tenant-id` is wrong, because this cloud has no such tenant: `az account show --query tenantId` prints yours\n\
                 otherwise the tenant is in another cloud: set `--authority-host`"
                    .into()
            }
            // https://github.com/MicrosoftDocs/azure-docs/issues/90276
            700_222 => "Entra does not accept a token that Entra itself issued: use a token of another issuer, for example with `--source`".into(),
            700_226 | 700_227 => format!(
                "a policy of the tenant does not allow the issuer {issuer}: the tenant's administrator has to add it to the allowed issuers of workload identity federation"
            ),
            700_223 | 700_238 if !has_no_match_message => {
                "a policy of the tenant disables workload identity federation: ask the tenant's administrator to allow it for this application".into()
            }
            53003 => "a Conditional Access policy for workload identities blocks this application: ask the tenant's administrator to exempt this application\n\
                      the sign-in log of the service principal names the policy"
                .into(),
            500_011 if scope == format!("{}/.default", request.authority.cloud().management()) => format!(
                "most likely `--tenant-id` is wrong, because this tenant has no resource for `{scope}`: `az account show --query tenantId` prints yours\n\
                 otherwise the tenant is in another cloud: set `--authority-host`"
            ),
            500_011 | 70011 | 1_002_012 => {
                format!("this tenant has no resource for `{scope}`: correct `--resource` or `--scope-uri`, such as `--resource https://management.azure.com`")
            }
            50027 | 500_275 | 700_027 | 5_000_819 => format!(
                "Entra could not verify the signature: run `curl {}` on a machine outside this network\n\
                 if `curl` fails, ask whoever runs {issuer} to serve this document and the keys on the public internet\n\
                 if `curl` works, most likely the issuer does not sign with RS256, which Entra requires: `gp idp token --audience {expected} --decode` shows `alg`",
                discovery(issuer)
            ),
            7_000_272 => format!(
                "Entra knows no key of {issuer} with the ID that the token names: run `gp idp token --audience {expected} | gp idp verify --audience {expected}`\n\
                 if the check fails, ask whoever runs the issuer to publish the key\n\
                 if the check passes, but `curl {}` fails on a machine outside this network, ask whoever runs the issuer to open the address to the public internet\n\
                 otherwise Entra still has the old keys: try again in an hour",
                discovery(issuer)
            ),
            _ => return None,
        })
    }
}
