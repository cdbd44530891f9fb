//! Google Cloud: a workload identity pool, its provider, and the right to impersonate a service
//! account.
//!
//! IAM API v1, `projects.locations.workloadIdentityPools.providers`; IAM documentation, "Principal identifiers".

use crate::json::Json;
use crate::target::gcp::exchange::provider::has_form_of_id;
use crate::trust::hcl::{self, quote};
use crate::trust::quote::{cel, double_quoted};
use crate::trust::script::{Script, comment, comments};
use crate::trust::{Identity, Rule, TrustError};

/// The claim that identifies a user.
pub(crate) const USER: &str = "user_id";

/// The maximum length of `google.subject`, in bytes.
const MAX_SUBJECT: usize = 127;
/// The maximum length of an attribute condition, in characters.
const MAX_CONDITION: usize = 4096;

/// The settings that only the administrator knows.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The number of the project, which is not its id.
    pub project_number: String,
    /// The id of the pool.
    pub pool: String,
    /// The id of the provider in it.
    pub provider: String,
    /// The service account to impersonate, if any.
    pub service_account: Option<String>,
}

/// A pool's provider, and the tokens that it accepts.
#[derive(Debug)]
pub(crate) struct SetUp<'a> {
    identity: &'a Identity,
    settings: &'a Settings,
    /// The attribute condition in CEL. `None` accepts all tokens of the issuer.
    condition: Option<String>,
    /// The claim that becomes `google.subject`.
    subject: &'static str,
}

impl Settings {
    /// The full name, `projects/…/providers/…`.
    pub(crate) fn resource(&self) -> String {
        format!("{}/providers/{}", self.pool_resource(), self.provider)
    }

    /// The audience that a provider without audiences of its own accepts.
    pub(crate) fn default_audience(&self) -> String {
        format!("https://iam.googleapis.com/{}", self.resource())
    }

    fn pool_resource(&self) -> String {
        format!("projects/{}/locations/global/workloadIdentityPools/{}", self.project_number, self.pool)
    }

    /// All identities from this provider, selected by an attribute that no other provider of the
    /// pool maps.
    fn principals(&self) -> String {
        format!("principalSet://iam.googleapis.com/{}{}", self.pool_resource(), self.attribute())
    }

    fn attribute(&self) -> String {
        format!("/attribute.provider/{}", self.provider)
    }
}

impl<'a> SetUp<'a> {
    /// Checks Google's limits. The pool and the provider may already exist.
    pub(crate) fn new(
        identity: &'a Identity,
        rule: &Rule,
        settings: &'a Settings,
    ) -> Result<Self, TrustError> {
        let condition = cel(rule, "assertion");
        let length = condition.as_deref().map_or(0, |text| text.chars().count());
        if length > MAX_CONDITION {
            return Err(TrustError::Cannot {
                reason: format!(
                    "the attribute condition has {length} characters, and Google accepts at most {MAX_CONDITION}"
                ),
                hint: "use `--for this-user`, which makes a short condition".into(),
            });
        }
        // gcloud splits a list at its commas.
        if let Some(text) =
            identity.audiences.iter().chain([&identity.issuer]).find(|text| text.contains(','))
        {
            return Err(TrustError::Cannot {
                reason: format!("`{text}` has a comma, and gcloud would split it there"),
                hint: "give another `--audience`".into(),
            });
        }
        Ok(Self { identity, settings, condition, subject: subject(identity, rule)? })
    }

    fn mapping(&self) -> [(&'static str, String); 2] {
        let [issuer, provider] =
            [&self.identity.issuer, &self.settings.provider].map(|text| double_quoted(text));
        [
            ("google.subject", format!("assertion.{}", self.subject)),
            // The expression of an attribute has to use `assertion`. All tokens of this provider
            // have this issuer, so the condition is always true.
            ("attribute.provider", format!("assertion.iss == {issuer} ? {provider} : \"\"")),
        ]
    }

    /// The audiences to list. None if the provider's default audience is enough.
    fn allowed_audiences(&self) -> &[String] {
        let default = self.settings.default_audience();
        if self.identity.audiences.iter().all(|audience| *audience == default) {
            &[]
        } else {
            &self.identity.audiences
        }
    }

    fn about_provider(&self) -> &'static str {
        match self.subject {
            "workspace_id" => {
                "The pool's provider: which tokens it accepts. `google.subject` is not `sub`, because Google accepts up \
                 to 127 bytes and the address of a branch can be longer."
            }
            _ => "The pool's provider: which tokens it accepts.",
        }
    }

    /// The `gcloud` commands, with full resource names: `--project` accepts no project number
    /// here.
    pub(crate) fn commands(&self, head: &[String]) -> String {
        let settings = self.settings;
        let mapping: Vec<String> =
            self.mapping().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut options = vec![
            settings.resource(),
            format!("--issuer-uri={}", self.identity.issuer),
            format!("--attribute-mapping={}", mapping.join(",")),
        ];
        options.extend(self.condition.as_ref().map(|condition| format!("--attribute-condition={condition}")));
        if !self.allowed_audiences().is_empty() {
            options.push(format!("--allowed-audiences={}", self.allowed_audiences().join(",")));
        }
        let options: Vec<[&str; 1]> = options.iter().map(|option| [option.as_str()]).collect();
        let options: Vec<&[&str]> = options.iter().map(<[&str; 1]>::as_slice).collect();

        let mut script = Script::with_header(head);
        let pools = "workload-identity-pools";
        let (pool, provider) = (settings.pool_resource(), settings.resource());
        let prints = |what| ["gcloud", "iam", pools, "providers", "describe", &provider, what];
        script
            .comment("The pool.")
            .unless_exists(&["gcloud", "iam", pools, "describe", &pool])
            .command(&["gcloud", "iam", pools, "create"], &[&[&pool]])
            .end()
            .blank_line()
            .comment(self.about_provider())
            .unless_exists(&["gcloud", "iam", pools, "providers", "describe", &provider])
            .command(&["gcloud", "iam", pools, "providers", "create-oidc"], &options);
        let unchanged_message = |what: &str| {
            format!(
                "the provider {} {what} and was not changed: choose another provider with --provider",
                settings.provider
            )
        };
        script
            .or_fail_unless_equal(
                &prints("--format=value(oidc.issuerUri)"),
                &self.identity.issuer,
                &unchanged_message("trusts another issuer"),
            )
            .or_fail_unless_equal(
                &prints("--format=value(attributeCondition)"),
                self.condition.as_deref().unwrap_or_default(),
                &unchanged_message("has another attribute condition"),
            )
            .end()
            .blank_line();
        let member = format!("--member={}", settings.principals());
        match &settings.service_account {
            Some(account) => {
                script.comment("Allow these identities to impersonate the service account.").command(
                    &["gcloud", "iam", "service-accounts", "add-iam-policy-binding"],
                    &[
                        &[&format!("projects/-/serviceAccounts/{account}")],
                        &["--role=roles/iam.workloadIdentityUser"],
                        &[&member],
                    ],
                );
            }
            None => {
                script.comment("Grant roles to these identities, for example:").suggestion(&[
                    "gcloud",
                    "projects",
                    "add-iam-policy-binding",
                    "PROJECT_ID",
                    "--role=roles/viewer",
                    &member,
                ]);
            }
        }
        script.finish()
    }

    /// The configuration for Terraform's provider `hashicorp/google`.
    pub(crate) fn terraform(&self, head: &[String]) -> String {
        let settings = self.settings;
        let texts = [&settings.project_number, &settings.pool, &settings.provider];
        let [project, pool, provider] = texts.map(|text| quote(text));
        let (head, about_provider) = (comments(head), comment(self.about_provider()));
        let mapping = self.mapping().map(|(name, value)| (quote(name), quote(&value)));
        let mapping = hcl::aligned("    ", &mapping);
        let condition = self.condition.as_deref().map(quote);
        let condition =
            condition.map_or_else(String::new, |text| format!("  attribute_condition = {text}\n"));
        let mut oidc = vec![("issuer_uri", quote(&self.identity.issuer))];
        if !self.allowed_audiences().is_empty() {
            oidc.push(("allowed_audiences", hcl::list(self.allowed_audiences())));
        }
        let oidc = hcl::aligned("    ", &oidc);
        let provider_blocks = format!(
            r#"{head}
# The pool. If it already exists, import it.
resource "google_iam_workload_identity_pool" "workspace" {{
  project                   = {project}
  workload_identity_pool_id = {pool}
}}

{about_provider}resource "google_iam_workload_identity_pool_provider" "workspace" {{
  project                            = {project}
  workload_identity_pool_id          = google_iam_workload_identity_pool.workspace.workload_identity_pool_id
  workload_identity_pool_provider_id = {provider}
  attribute_mapping = {{
{mapping}  }}
{condition}
  oidc {{
{oidc}  }}
}}
"#
        );
        let Some(account) = &settings.service_account else { return provider_blocks };
        let account = quote(&format!("projects/-/serviceAccounts/{account}"));
        // The id of a provider has no character with a meaning in templates, so it needs no
        // escape.
        let attribute = settings.attribute();
        format!(
            r#"{provider_blocks}
# Allow these identities to impersonate the service account.
resource "google_service_account_iam_member" "workspace" {{
  service_account_id = {account}
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${{google_iam_workload_identity_pool.workspace.name}}{attribute}"
}}
"#
        )
    }
}

/// The claim that becomes `google.subject`: `sub`, unless an accepted token may have a `sub` that
/// is too long.
fn subject(identity: &Identity, rule: &Rule) -> Result<&'static str, TrustError> {
    if rule.is_about(USER) {
        return Ok(USER);
    }
    let is_exact_subject = matches!(rule, Rule::Equals { claim: "sub", .. });
    if is_exact_subject && identity.subject.len() <= MAX_SUBJECT {
        return Ok("sub");
    }
    let short = |claim: &&str| {
        let value = identity.claims().get(claim).and_then(Json::as_str);
        value.is_some_and(|value| !value.is_empty() && value.len() <= MAX_SUBJECT)
    };
    if let Some(claim) = ["workspace_id", USER].into_iter().find(short) {
        return Ok(claim);
    }
    if identity.subject.len() > MAX_SUBJECT {
        return Err(TrustError::Cannot {
            reason: format!(
                "`sub` has {} bytes and `google.subject` accepts at most {MAX_SUBJECT}, and the token has neither \
                 `workspace_id` nor `user_id` to take instead",
                identity.subject.len()
            ),
            hint: "open the workspace on something with a shorter address, such as the repository itself"
                .into(),
        });
    }
    Ok("sub")
}

/// Whether Google accepts the id for a new pool or provider: `gcp-` is reserved.
pub(crate) fn is_id(text: &str) -> bool {
    has_form_of_id(text) && !text.starts_with("gcp-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        for good in ["gitpod", "a-1-", "0123"] {
            assert!(is_id(good), "{good}");
        }
        for bad in ["abc", "Gitpod", "gcp-gitpod", "a_bcd", "", "a'bcd", &"a".repeat(33)] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
