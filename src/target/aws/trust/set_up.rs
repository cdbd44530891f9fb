//! AWS: an IAM OIDC identity provider, and a role that trusts it.
//!
//! IAM User Guide, "Create a role for OpenID Connect federation", "Condition operators", "Variables and tags".

use crate::json::Json;
use crate::target::aws::exchange::role::RoleArn;
use crate::target::aws::iam::{ASSUME_ROLE_WITH_WEB_IDENTITY, Context, OidcProvider};
use crate::trust::hcl::{self, Block, Value, bare};
use crate::trust::script::Script;
use crate::trust::{Identity, Rule, TrustError, object, string, strings};

/// The claim that a user is known by: IAM passes on `aud`, `azp`, `sub`, `email` and `amr`, and no other.
pub const USER: &str = "email";

/// The longest trust policy, without white space, unless the account's quota was raised
/// ("IAM and AWS STS quotas").
const LONGEST: usize = 2048;

/// The role and what it trusts.
#[derive(Debug)]
pub struct SetUp<'a> {
    identity: &'a Identity,
    role: &'a RoleArn,
    provider: OidcProvider,
    policy: Json,
}

impl<'a> SetUp<'a> {
    /// For a role that exists or is to be made.
    pub fn new(identity: &'a Identity, meant: &Rule, role: &'a RoleArn) -> Result<Self, TrustError> {
        let provider =
            OidcProvider::new(role.partition(), role.account(), &identity.issuer).map_err(|error| {
                TrustError::Cannot {
                    reason: error.to_string(),
                    hint: "IAM has no provider for such an issuer".into(),
                }
            })?;
        let policy = policy(identity, meant, &provider);
        let length = policy.compact().len();
        if length > LONGEST {
            return Err(TrustError::Cannot {
                reason: format!("the trust policy has {length} characters, and IAM takes {LONGEST}"),
                hint: "`--for any` makes the shortest one; or have the account's quota raised".into(),
            });
        }
        Ok(Self { identity, role, provider, policy })
    }

    /// The trust policy.
    #[must_use]
    pub fn policy(&self) -> &Json {
        &self.policy
    }

    /// `aws` commands.
    #[must_use]
    pub fn commands(&self, head: &[String]) -> String {
        let mut script = Script::under(head);
        let (policy, path) = (self.policy.pretty(), self.path());
        let mut options = vec![vec!["--role-name", self.role.name()]];
        if path != "/" {
            options.push(vec!["--path", &path]);
        }
        options.push(vec!["--assume-role-policy-document", &policy]);
        let options: Vec<&[&str]> = options.iter().map(Vec::as_slice).collect();
        let audiences: Vec<&str> = ["--client-id-list"]
            .into_iter()
            .chain(self.identity.audiences.iter().map(String::as_str))
            .collect();

        script
            .comment(&format!("To be run with the rights to administer IAM in account {}.", self.role.account()))
            .gap()
            .comment("The identity provider, once per account. Where it is there already, add the audience instead:");
        for audience in &self.identity.audiences {
            script.instead(&[
                "aws",
                "iam",
                "add-client-id-to-open-id-connect-provider",
                "--open-id-connect-provider-arn",
                self.provider.arn(),
                "--client-id",
                audience,
            ]);
        }
        script
            .command(
                &["aws", "iam", "create-open-id-connect-provider"],
                &[&["--url", &self.identity.issuer], &audiences],
            )
            .gap()
            .comment(
                "The role, which may do nothing until policies are attached. Where it is there already, \
                      replace whom it trusts:",
            )
            .instead(&[
                "aws",
                "iam",
                "update-assume-role-policy",
                "--role-name",
                self.role.name(),
                "--policy-document",
                &self.policy.compact(),
            ])
            .command(&["aws", "iam", "create-role"], &options)
            .finish()
    }

    /// Terraform for the provider `hashicorp/aws`.
    #[must_use]
    pub fn terraform(&self, head: &[String]) -> String {
        let path = self.path();
        let provider = Block::new("resource", &["aws_iam_openid_connect_provider", "workspace"])
            .with("url", hcl::text(&self.identity.issuer))
            .with("client_id_list", hcl::texts(&self.identity.audiences));
        let role = Block::new("resource", &["aws_iam_role", "workspace"])
            .with("name", hcl::text(self.role.name()))
            .with_some("path", (path != "/").then(|| hcl::text(&path)))
            .with("assume_role_policy", Value::JsonText(Box::new(self.policy_with_reference())));
        hcl::file(
            head,
            &[
                (
                    "The identity provider, once per account. Where it is there already, import it by its ARN.",
                    provider,
                ),
                ("The role, which may do nothing until policies are attached.", role),
            ],
        )
    }

    /// The policy, with the provider's ARN taken from its resource.
    fn policy_with_reference(&self) -> Value {
        let mut value = Value::of_json(&self.policy);
        replace(&mut value, self.provider.arn(), &bare("aws_iam_openid_connect_provider.workspace.arn"));
        value
    }

    /// What stands between `role` and the role's name.
    fn path(&self) -> String {
        let resource = self.role.as_str().splitn(6, ':').nth(5).unwrap_or_default();
        let path = resource.strip_prefix("role").and_then(|rest| rest.strip_suffix(self.role.name()));
        path.unwrap_or("/").to_owned()
    }
}

/// Puts `by` in the place of every string that is `text`.
fn replace(value: &mut Value, text: &str, by: &Value) {
    match value {
        Value::Text(found) if found == text => *value = by.clone(),
        Value::List(items) => items.iter_mut().for_each(|item| replace(item, text, by)),
        Value::Map(members) => members.iter_mut().for_each(|(_, member)| replace(member, text, by)),
        _ => {}
    }
}

/// The trust policy for a rule.
fn policy(identity: &Identity, rule: &Rule, provider: &OidcProvider) -> Json {
    // With several audiences IAM sees one of them, or wants to be told how to take a list.
    let context = Context::of_token(provider, identity.claims());
    let seen = context.get(&provider.key("aud")).unwrap_or(&identity.audiences);
    let mut equals = Vec::new();
    let mut conditions = Vec::new();
    match seen {
        [audience] => equals.push((provider.key("aud"), string(&literal(audience)))),
        several => {
            let values: Vec<String> = several.iter().map(|audience| literal(audience)).collect();
            let list = Json::Object(vec![(provider.key("aud"), strings(&values))]);
            conditions.push(("ForAnyValue:StringEquals".to_owned(), list));
        }
    }
    let mut like = Vec::new();
    match rule {
        Rule::Any => {}
        Rule::Equals { claim, value } => equals.push((provider.key(claim), string(&literal(value)))),
        Rule::Under { claim, base } => {
            let base = pattern(base);
            like.push((provider.key(claim), strings(&[base.clone(), format!("{base}/*")])));
        }
        Rule::Below { claim, prefix } => {
            like.push((provider.key(claim), string(&format!("{}*", pattern(prefix)))));
        }
    }
    for (operator, keys) in [("StringEquals", equals), ("StringLike", like)] {
        if !keys.is_empty() {
            conditions.push((operator.to_owned(), Json::Object(keys)));
        }
    }
    object([
        ("Version", string("2012-10-17")),
        (
            "Statement",
            Json::Array(vec![object([
                ("Effect", string("Allow")),
                ("Principal", object([("Federated", string(provider.arn()))])),
                ("Action", string(ASSUME_ROLE_WITH_WEB_IDENTITY)),
                ("Condition", Json::Object(conditions)),
            ])]),
        ),
    ])
}

/// A value in which nothing is a variable, for `StringEquals`.
pub(super) fn literal(text: &str) -> String {
    text.replace("${", "${$}{")
}

/// A value in which nothing is a variable or a wildcard, for `StringLike`.
pub(super) fn pattern(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '*' | '?' => out.extend(["${", c.encode_utf8(&mut [0; 4]), "}"]),
            '$' if characters.peek() == Some(&'{') => out.push_str("${$}"),
            c => out.push(c),
        }
    }
    out
}
