//! HashiCorp Vault and OpenBao: the auth method `jwt`, its configuration, and a role.
//!
//! Vault's HTTP API, "JWT/OIDC auth method", "Create/Update role".

use crate::json::Json;
use crate::trust::hcl::{self, Block, Value, bare};
use crate::trust::script::Script;
use crate::trust::{Identity, Rule, TrustError, object, string, strings};

/// The claim that a user is known by.
pub const USER: &str = "user_id";

/// What only the administrator knows.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `vault` or `bao`.
    pub cli: &'static str,
    /// Where the auth method is mounted, without `auth/`.
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
pub struct SetUp<'a> {
    identity: &'a Identity,
    settings: &'a Settings,
    /// The claim that tells entities apart.
    user_claim: &'static str,
    bound: Bound,
}

/// What a role is bound to beside the audience.
#[derive(Debug)]
enum Bound {
    /// `bound_subject`
    Subject(String),
    /// `bound_claims` of the type `string`.
    Claim(&'static str, String),
    /// `bound_claims` of the type `glob`.
    Globs(&'static str, Vec<String>),
    /// Nothing.
    Nothing,
}

impl<'a> SetUp<'a> {
    /// For a role that exists or is to be made.
    pub fn new(identity: &'a Identity, rule: &Rule, settings: &'a Settings) -> Result<Self, TrustError> {
        let bound = match rule {
            Rule::Any => Bound::Nothing,
            Rule::Equals { claim: "sub", value } => Bound::Subject(value.clone()),
            Rule::Equals { claim, value } => Bound::Claim(claim, value.clone()),
            Rule::Under { claim, base } => Bound::Globs(claim, vec![glob(base)?, format!("{base}/*")]),
            Rule::Below { claim, prefix } => Bound::Globs(claim, vec![format!("{}*", glob(prefix)?)]),
        };
        Ok(Self { identity, settings, user_claim: if rule.is_about(USER) { USER } else { "sub" }, bound })
    }

    /// The role, as its API takes it.
    #[must_use]
    pub fn role(&self) -> Json {
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
    #[must_use]
    pub fn commands(&self, head: &[String]) -> String {
        let Settings { cli, mount, role, .. } = self.settings;
        let issuer = &self.identity.issuer;
        let mut script = Script::under(head);
        script
            .gap()
            .comment("The auth method, once per server or namespace, and the issuer that it trusts.")
            .command(&[cli, "auth", "enable", &format!("-path={mount}"), "jwt"], &[])
            .command(
                &[cli, "write", &format!("auth/{mount}/config")],
                &[&[&format!("oidc_discovery_url={issuer}")], &[&format!("bound_issuer={issuer}")]],
            )
            .gap()
            .comment("The role.")
            .command_reading(
                &[cli, "write", &format!("auth/{mount}/role/{role}"), "-"],
                &format!("{}\n", self.role().pretty()),
            )
            .finish()
    }

    /// Terraform for the provider `hashicorp/vault`, which serves OpenBao too.
    pub fn terraform(&self, head: &[String]) -> Result<String, TrustError> {
        let Settings { mount, role, policies, ttl, .. } = self.settings;
        let mut block = Block::new("resource", &["vault_jwt_auth_backend_role", "workspace"])
            .with("backend", bare("vault_jwt_auth_backend.workspace.path"))
            .with("role_name", hcl::text(role))
            .with("role_type", hcl::text("jwt"))
            .with("user_claim", hcl::text(self.user_claim))
            .with("bound_audiences", hcl::texts(&self.identity.audiences));
        block = match &self.bound {
            Bound::Nothing => block,
            Bound::Subject(subject) => block.with("bound_subject", hcl::text(subject)),
            Bound::Claim(claim, value) => {
                let comma = value.contains(',').then(|| bare("true"));
                block
                    .with("bound_claims", claims(claim, value))
                    .with_some("disable_bound_claims_parsing", comma)
            }
            Bound::Globs(claim, globs) => {
                // The provider has text for a list, and splits it at commas.
                if globs.iter().any(|glob| glob.contains(',')) {
                    return Err(TrustError::Cannot {
                        reason: "the repository's address has a comma, at which Terraform's provider would split it"
                            .into(),
                        hint: "`--format commands` has no such limit".into(),
                    });
                }
                block
                    .with("bound_claims_type", hcl::text("glob"))
                    .with("bound_claims", claims(claim, &globs.join(",")))
            }
        };
        let block =
            block.with("token_policies", hcl::texts(policies)).with("token_ttl", bare(ttl.to_string()));
        let backend = Block::new("resource", &["vault_jwt_auth_backend", "workspace"])
            .with("path", hcl::text(mount))
            .with("type", hcl::text("jwt"))
            .with("oidc_discovery_url", hcl::text(&self.identity.issuer))
            .with("bound_issuer", hcl::text(&self.identity.issuer));
        Ok(hcl::file(
            head,
            &[
                ("The auth method, once per server or namespace, and the issuer that it trusts.", backend),
                ("The role.", block),
            ],
        ))
    }
}

fn claims(claim: &str, value: &str) -> Value {
    Value::Map(vec![(claim.to_owned(), hcl::text(value))])
}

/// A text in which nothing is a wildcard: Vault's globs have `*` and no way to write one that is none.
fn glob(text: &str) -> Result<String, TrustError> {
    if text.contains('*') {
        return Err(TrustError::Cannot {
            reason: format!("{text} has an asterisk, which is always a wildcard in Vault's globs"),
            hint: "`--for this-user` needs no glob".into(),
        });
    }
    Ok(text.to_owned())
}
