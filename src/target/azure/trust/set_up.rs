//! Entra ID: a federated identity credential of an app.
//!
//! Microsoft Graph, "federatedIdentityCredential"; Entra documentation, "Workload identity federation
//! considerations".

use crate::json::Json;
use crate::trust::hcl::{self, quote};
use crate::trust::script::{Script, comments};
use crate::trust::{Identity, Rule, TrustError, Whom, object, string, strings};

/// The maximum length of issuer, subject and audience, in characters.
const MAX_CLAIM: usize = 600;

/// The settings that only the administrator knows.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The app's client id.
    pub app_id: String,
    /// The name of the credential.
    pub name: String,
}

#[derive(Debug)]
pub(crate) struct SetUp<'a> {
    identity: &'a Identity,
    settings: &'a Settings,
}

/// The rule for `whom`. Entra compares the whole subject and no other claim.
pub(crate) fn rule(identity: &Identity, whom: Whom) -> Result<Rule, TrustError> {
    if matches!(whom, Whom::ThisRepository | Whom::ThisSubject) {
        return Ok(Rule::Equals { claim: "sub", value: identity.subject.clone() });
    }
    Err(TrustError::Cannot {
        reason: "a federated credential of Entra compares `sub` as a whole and no other claim, \
                 so it can accept only this subject: Entra allows patterns only for a few other issuers"
            .into(),
        hint: "make one credential for each subject with `--for this-repository`, up to 20 for each app"
            .into(),
    })
}

impl<'a> SetUp<'a> {
    /// Checks Entra's limits. The app has to exist.
    pub(crate) fn new(identity: &'a Identity, settings: &'a Settings) -> Result<Self, TrustError> {
        let [_] = identity.audiences.as_slice() else {
            return Err(TrustError::Cannot {
                reason: format!(
                    "a federated credential has exactly one audience, but {} are given",
                    identity.audiences.len()
                ),
                hint: "give `--audience` once".into(),
            });
        };
        for (claim, text) in
            [("iss", &identity.issuer), ("sub", &identity.subject), ("aud", &identity.audiences[0])]
        {
            let length = text.chars().count();
            if length > MAX_CLAIM {
                return Err(TrustError::Cannot {
                    reason: format!(
                        "`{claim}` has {length} characters, and Entra accepts at most {MAX_CLAIM}"
                    ),
                    hint: "open the workspace on something with a shorter address".into(),
                });
            }
        }
        Ok(Self { identity, settings })
    }

    /// The credential in the form that Microsoft Graph reads.
    pub(crate) fn credential(&self) -> Json {
        object([
            ("name", string(&self.settings.name)),
            ("issuer", string(&self.identity.issuer)),
            ("subject", string(&self.identity.subject)),
            ("audiences", strings(&self.identity.audiences)),
        ])
    }

    /// The `az` commands.
    pub(crate) fn commands(&self, head: &[String]) -> String {
        let credential =
            |verb| ["az", "ad", "app", "federated-credential", verb, "--id", &self.settings.app_id];
        let name = &self.settings.name;
        let show = [&credential("show")[..], &["--federated-credential-id", name]].concat();
        let what = ["--query", "join(' ', [issuer, subject, join(' ', audiences)])", "--output", "tsv"];
        let Identity { issuer, subject, audiences, .. } = self.identity;
        Script::with_header(head)
            .unless_exists(&show)
            .command(&credential("create"), &[&["--parameters", &self.credential().pretty()]])
            .or_fail_unless_equal(
                &[&show[..], &what].concat(),
                &format!("{issuer} {subject} {}", audiences.join(" ")),
                &format!(
                    "the credential {name} is for another issuer, subject or audience and was not changed: choose another name with --name"
                ),
            )
            .end()
            .finish()
    }

    /// The configuration for Terraform's provider `hashicorp/azuread`.
    pub(crate) fn terraform(&self, head: &[String]) -> String {
        let (identity, head) = (self.identity, comments(head));
        let texts = [&self.settings.app_id, &self.settings.name, &identity.issuer, &identity.subject];
        let [app_id, name, issuer, subject] = texts.map(|text| quote(text));
        let audiences = hcl::list(&identity.audiences);
        format!(
            r#"{head}
# The app.
data "azuread_application" "workspace" {{
  client_id = {app_id}
}}

# The federated credential: the tokens that the app trusts.
resource "azuread_application_federated_identity_credential" "workspace" {{
  application_id = data.azuread_application.workspace.id
  display_name   = {name}
  issuer         = {issuer}
  subject        = {subject}
  audiences      = {audiences}
}}
"#
        )
    }
}

/// A name for a credential, from the last two segments of a subject: 3 to 120 letters, digits, `-` and `_`.
pub(crate) fn name_for(subject: &str) -> String {
    let path = crate::trust::path_of(subject).unwrap_or(subject);
    let segments: Vec<&str> = path.split(['/', ':']).filter(|segment| !segment.is_empty()).collect();
    let last = segments[segments.len().saturating_sub(2)..].join("-");
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = format!("workspace-{last}").chars().map(plain).take(120).collect();
    name.trim_end_matches('-').to_owned()
}

/// Whether Entra accepts this name of a credential.
pub(crate) fn is_name(text: &str) -> bool {
    (3..=120).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_for_credentials() {
        let long = "x".repeat(200);
        let cases = [
            ("https://github.com/acme/shop", "workspace-acme-shop"),
            ("https://github.com/gitpod-io/example", "workspace-gitpod-io-example"),
            ("https://gitlab.com/a/b.c/d", "workspace-b-c-d"),
            ("repo:acme:shop", "workspace-acme-shop"),
            ("no-context", "workspace-no-context"),
            ("字", "workspace"),
            ("", "workspace"),
            (&*long, &*format!("workspace-{}", &long[..110])),
        ];
        for (subject, expected) in cases {
            assert_eq!(name_for(subject), expected);
            assert!(is_name(&name_for(subject)));
        }
        for bad in ["ab", "a b c", "-abc", "äbc", &"x".repeat(121)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
