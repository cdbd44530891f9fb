//! HashiCorp Vault and OpenBao: the auth method `jwt`, its configuration, and a role.
//!
//! Vault's HTTP API, "JWT/OIDC auth method", "Create/Update role".

use crate::json::Json;
use crate::trust::hcl::{self, quote};
use crate::trust::script::{Script, comments};
use crate::trust::{Identity, Rule, TrustError, object, prefixes, string, strings};

/// The claim that identifies a user.
pub(crate) const USER: &str = "user_id";

/// Values that only the administrator knows.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// `vault` or `bao`.
    pub cli: &'static str,
    /// The mount of the auth method, without `auth/`.
    pub mount: String,
    /// The name of the role.
    pub role: String,
    /// The policies of its tokens.
    pub policies: Vec<String>,
    /// How long its tokens live, in seconds.
    pub ttl: u64,
}

/// A role and its mount.
#[derive(Debug)]
pub(crate) struct SetUp<'a> {
    identity: &'a Identity,
    settings: &'a Settings,
    /// The claim that tells entities apart.
    user_claim: &'static str,
    bound: Bound,
}

/// The claims that a role is bound to besides the audience.
#[derive(Debug)]
enum Bound {
    /// `bound_subject`
    Subject(String),
    /// `bound_claims` of the type `string`.
    Claim(&'static str, String),
    /// `bound_claims` of the type `glob`.
    Globs(&'static str, Vec<String>),
    Nothing,
}

impl<'a> SetUp<'a> {
    /// The setup for a role, which need not exist yet.
    pub(crate) fn new(
        identity: &'a Identity,
        rule: &Rule,
        settings: &'a Settings,
    ) -> Result<Self, TrustError> {
        let bound = match rule {
            Rule::Any => Bound::Nothing,
            Rule::Equals { claim: "sub", value } => Bound::Subject(value.clone()),
            Rule::Equals { claim, value } => Bound::Claim(claim, value.clone()),
            Rule::InRepository { claim, base } => {
                let inside = prefixes(base).map(|beginning| format!("{beginning}*"));
                Bound::Globs(claim, std::iter::once(literal_glob(base)?).chain(inside).collect())
            }
            Rule::HasPrefix { claim, prefix } => {
                Bound::Globs(claim, vec![format!("{}*", literal_glob(prefix)?)])
            }
        };
        Ok(Self { identity, settings, user_claim: if rule.is_about(USER) { USER } else { "sub" }, bound })
    }

    /// The role, as the API accepts it.
    pub(crate) fn role(&self) -> Json {
        let mut members = vec![
            ("role_type", string("jwt")),
            ("user_claim", string(self.user_claim)),
            ("bound_audiences", strings(&self.identity.audiences)),
        ];
        match &self.bound {
            Bound::Nothing => {}
            Bound::Subject(subject) => members.push(("bound_subject", string(subject))),
            Bound::Claim(claim, value) => {
                members.push(("bound_claims", object([(*claim, strings(std::slice::from_ref(value)))])));
            }
            Bound::Globs(claim, globs) => {
                members.push(("bound_claims_type", string("glob")));
                members.push(("bound_claims", object([(*claim, strings(globs))])));
            }
        }
        members.push(("token_policies", strings(&self.settings.policies)));
        members.push(("token_ttl", string(&format!("{}s", self.settings.ttl))));
        Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// `vault` or `bao` commands.
    pub(crate) fn commands(&self, head: &[String]) -> String {
        let Settings { cli, mount, role, .. } = self.settings;
        let issuer = &self.identity.issuer;
        let (config, role_path) = (format!("auth/{mount}/config"), format!("auth/{mount}/role/{role}"));
        let mut script = Script::with_header(head);
        script
            .comment(
                "The auth method, once per server or namespace, and the issuer that it trusts. If the mount already \
                 exists, it is left unchanged, because all other logins at it depend on it.",
            )
            .unless_exists(&[cli, "read", &config])
            .command(&[cli, "auth", "enable", &format!("-path={mount}"), "jwt"], &[])
            .command(
                &[cli, "write", &config],
                &[&[&format!("oidc_discovery_url={issuer}")], &[&format!("bound_issuer={issuer}")]],
            )
            .or_fail_unless_equal(
                &[cli, "read", "-field=bound_issuer", &config],
                issuer,
                &format!("auth/{mount} trusts another issuer and was not changed: choose another mount with --mount"),
            )
            .end()
            .blank_line()
            .comment("The role.")
            .unless_exists(&[cli, "read", &role_path])
            .command_reading(&[cli, "write", &role_path, "-"], &format!("{}\n", self.role().pretty()))
            .or_print(&format!("the role {role} already exists and was not changed. To check whether it accepts this workspace, run: {cli} read -format=json {role_path} | gp idp trust vault --check -"))
            .end()
            .finish()
    }

    /// Terraform for the provider `hashicorp/vault`, which serves OpenBao too.
    pub(crate) fn terraform(&self, head: &[String]) -> Result<String, TrustError> {
        let Settings { mount, role, policies, ttl, .. } = self.settings;
        let mut before = vec![
            ("backend", "vault_jwt_auth_backend.workspace.path".to_owned()),
            ("role_name", quote(role)),
            ("role_type", quote("jwt")),
            ("user_claim", quote(self.user_claim)),
            ("bound_audiences", hcl::list(&self.identity.audiences)),
        ];
        let mut after = vec![("token_policies", hcl::list(policies)), ("token_ttl", ttl.to_string())];
        let claims = match &self.bound {
            Bound::Nothing => None,
            Bound::Subject(subject) => {
                before.push(("bound_subject", quote(subject)));
                None
            }
            Bound::Claim(claim, value) => {
                if value.contains(',') {
                    after.insert(0, ("disable_bound_claims_parsing", "true".to_owned()));
                }
                Some((claim, value.clone()))
            }
            Bound::Globs(claim, globs) => {
                // The provider takes a list as one text, and splits it at commas.
                if globs.iter().any(|glob| glob.contains(',')) {
                    return Err(TrustError::Cannot {
                        reason: "the repository's address contains a comma, and Terraform's provider splits the list at commas"
                            .into(),
                        hint: "use `--format commands`, which has no such limit".into(),
                    });
                }
                before.push(("bound_claims_type", quote("glob")));
                Some((claim, globs.join(",")))
            }
        };
        // `terraform fmt` aligns the lines before and after a value of several lines separately.
        let role = match claims {
            None => hcl::aligned("  ", &[before, after].concat()),
            Some((claim, value)) => format!(
                "{}  bound_claims = {{\n    {} = {}\n  }}\n{}",
                hcl::aligned("  ", &before),
                quote(claim),
                quote(&value),
                hcl::aligned("  ", &after)
            ),
        };
        let (head, mount, issuer) = (comments(head), quote(mount), quote(&self.identity.issuer));
        Ok(format!(
            r#"{head}
# The auth method, once per server or namespace, and the issuer that it trusts.
resource "vault_jwt_auth_backend" "workspace" {{
  path               = {mount}
  type               = "jwt"
  oidc_discovery_url = {issuer}
  bound_issuer       = {issuer}
}}

# The role.
resource "vault_jwt_auth_backend_role" "workspace" {{
{role}}}
"#
        ))
    }
}

/// A glob that matches only `text`. Refuses a text with `*`, because Vault's globs cannot escape
/// it.
fn literal_glob(text: &str) -> Result<String, TrustError> {
    if text.contains('*') {
        return Err(TrustError::Cannot {
            reason: format!("{text} contains an asterisk, which is always a wildcard in Vault's globs"),
            hint: "use `--for this-user`, which needs no glob".into(),
        });
    }
    Ok(text.to_owned())
}
