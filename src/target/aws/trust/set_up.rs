//! AWS: an IAM OIDC identity provider, and a role that trusts it.
//!
//! IAM User Guide, "Create a role for OpenID Connect federation", "Condition operators", "Variables and tags".

use crate::json::Json;
use crate::target::aws::exchange::role::RoleArn;
use crate::target::aws::iam::{ASSUME_ROLE_WITH_WEB_IDENTITY, Context, OidcProvider};
use crate::trust::hcl::{self, quote};
use crate::trust::script::{Script, comments};
use crate::trust::{Identity, Rule, TrustError, object, prefixes, string, strings};

/// The claim that identifies a user. IAM makes keys only of `aud`, `oaud`, `sub`, `email` and
/// `amr`.
pub(crate) const USER: &str = "email";

/// The longest trust policy, without white space, unless the account's quota was raised
/// ("IAM and AWS STS quotas").
const LONGEST: usize = 2048;

/// The role and what it trusts.
#[derive(Debug)]
pub(crate) struct SetUp<'a> {
    identity: &'a Identity,
    role: &'a RoleArn,
    provider: OidcProvider,
    conditions: Conditions,
    policy: Json,
}

/// Operators, their keys, and the values that each key may have.
type Conditions = Vec<(&'static str, Vec<(String, Vec<String>)>)>;

impl<'a> SetUp<'a> {
    /// For an existing or a new role. Returns an error if IAM cannot have a provider for the
    /// issuer, or if the policy is too long.
    pub(crate) fn new(identity: &'a Identity, rule: &Rule, role: &'a RoleArn) -> Result<Self, TrustError> {
        let provider =
            OidcProvider::new(role.partition(), role.account(), &identity.issuer).map_err(|error| {
                TrustError::Cannot {
                    reason: error.to_string(),
                    hint: "use a source of ID tokens with another issuer, or ask whoever runs this issuer to change its URL".into(),
                }
            })?;
        let conditions = conditions(identity, rule, &provider);
        let policy = policy(&conditions, &provider);
        let length = policy.compact().chars().count();
        if length > LONGEST {
            return Err(TrustError::Cannot {
                reason: format!("the trust policy has {length} characters, and IAM allows {LONGEST}"),
                hint: "ask whoever administers the account to have its quota raised\notherwise use `--for any`: its policy is the shortest, but accepts every workspace".into(),
            });
        }
        Ok(Self { identity, role, provider, conditions, policy })
    }

    pub(crate) fn policy(&self) -> &Json {
        &self.policy
    }

    /// A shell script of `aws` commands.
    pub(crate) fn commands(&self, head: &[String]) -> String {
        let mut script = Script::with_header(head);
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

        let of_provider = ["--open-id-connect-provider-arn", self.provider.arn()];
        let get = [&["aws", "iam", "get-open-id-connect-provider"][..], &of_provider].concat();
        script
            .comment(&format!("Run this with the permissions to administer IAM in account {}.", self.role.account()))
            .blank_line()
            .comment(
                "The identity provider, once per account. An existing one is not changed; this command adds an audience:",
            );
        for audience in &self.identity.audiences {
            let add = ["aws", "iam", "add-client-id-to-open-id-connect-provider"];
            script.suggestion(&[&add[..], &of_provider, &["--client-id", audience]].concat());
        }
        // A raw string of JMESPath, in which a backslash is a literal character.
        let contains =
            |audience: &String| format!("contains(ClientIDList, '{}')", audience.replace('\'', r"\'"));
        let has_all = self.identity.audiences.iter().map(contains).collect::<Vec<_>>().join(" && ");
        script
            .unless_exists(&get)
            .command(
                &["aws", "iam", "create-open-id-connect-provider"],
                &[&["--url", &self.identity.issuer], &audiences],
            )
            .or_fail_unless_equal(
                &[&get[..], &["--query", &has_all, "--output", "text"]].concat(),
                "True",
                "the identity provider lacks an audience and was not changed: the comment above has the command that adds the audience",
            )
            .end()
            .blank_line()
            .comment(
                "The role, which has no permissions until policies are attached. An existing role is not changed: add \
                 the statement below to its trust policy, so that everyone it trusts now keeps access. This command \
                 replaces the whole policy and removes the access of everyone else:",
            )
            .suggestion(&[
                "aws",
                "iam",
                "update-assume-role-policy",
                "--role-name",
                self.role.name(),
                "--policy-document",
                &self.policy.compact(),
            ])
            .unless_exists(&["aws", "iam", "get-role", "--role-name", self.role.name()])
            .command(&["aws", "iam", "create-role"], &options)
            .or_print(&format!(
                "the role {name} already exists and was not changed; check whether it accepts this workspace: aws iam get-role --role-name {name} --output json | gp idp trust aws --check -",
                name = self.role.name()
            ))
            .end()
            .finish()
    }

    /// Terraform for the provider `hashicorp/aws`.
    pub(crate) fn terraform(&self, head: &[String]) -> String {
        let (head, name) = (comments(head), quote(self.role.name()));
        let (issuer, audiences) = (quote(&self.identity.issuer), hcl::list(&self.identity.audiences));
        let path = Some(self.path()).filter(|path| path != "/");
        let path = path.map_or_else(String::new, |path| format!("  path = {}\n", quote(&path)));
        let value = |values: &[String]| match values {
            [value] => quote(value),
            several => hcl::list(several),
        };
        let conditions = self.conditions.iter().map(|(operator, keys)| {
            let keys: Vec<_> = keys.iter().map(|(key, values)| (quote(key), value(values))).collect();
            let keys = hcl::aligned("            ", &keys);
            format!("          {} = {{\n{keys}          }}\n", quote(operator))
        });
        let conditions: String = conditions.collect();
        format!(
            r#"{head}
# The identity provider, once per account. If it already exists, import it by its ARN.
resource "aws_iam_openid_connect_provider" "workspace" {{
  url            = {issuer}
  client_id_list = {audiences}
}}

# The role, which has no permissions until policies are attached.
resource "aws_iam_role" "workspace" {{
  name = {name}
{path}  assume_role_policy = jsonencode({{
    "Version" = "2012-10-17"
    "Statement" = [
      {{
        "Effect" = "Allow"
        "Principal" = {{
          "Federated" = aws_iam_openid_connect_provider.workspace.arn
        }}
        "Action" = "{ASSUME_ROLE_WITH_WEB_IDENTITY}"
        "Condition" = {{
{conditions}        }}
      }},
    ]
  }})
}}
"#
        )
    }

    /// The path of the role: the text between `role` and its name, `/` if there is none.
    fn path(&self) -> String {
        let resource = self.role.as_str().splitn(6, ':').nth(5).unwrap_or_default();
        let path = resource.strip_prefix("role").and_then(|rest| rest.strip_suffix(self.role.name()));
        path.unwrap_or("/").to_owned()
    }
}

/// The conditions that a token has to fulfil.
fn conditions(identity: &Identity, rule: &Rule, provider: &OidcProvider) -> Conditions {
    // If a token has several audiences, IAM sees only one of them, or the condition needs a quantifier for the list.
    let context = Context::of_token(provider, identity.claims());
    let seen = context.get(&provider.key("aud")).unwrap_or(&identity.audiences);
    let audience = (provider.key("aud"), seen.iter().map(|audience| literal(audience)).collect::<Vec<_>>());
    let (any, mut equals) = if seen.len() == 1 { (vec![], vec![audience]) } else { (vec![audience], vec![]) };
    let mut like = Vec::new();
    match rule {
        Rule::Any => {}
        Rule::Equals { claim, value } => equals.push((provider.key(claim), vec![literal(value)])),
        Rule::InRepository { claim, base } => {
            let inside = prefixes(base).map(|beginning| format!("{}*", pattern(&beginning)));
            like.push((provider.key(claim), std::iter::once(pattern(base)).chain(inside).collect()));
        }
        Rule::HasPrefix { claim, prefix } => {
            like.push((provider.key(claim), vec![format!("{}*", pattern(prefix))]));
        }
    }
    let all = [("ForAnyValue:StringEquals", any), ("StringEquals", equals), ("StringLike", like)];
    all.into_iter().filter(|(_, keys)| !keys.is_empty()).collect()
}

/// The trust policy with these conditions.
fn policy(conditions: &Conditions, provider: &OidcProvider) -> Json {
    let value = |values: &[String]| match values {
        [value] => string(value),
        several => strings(several),
    };
    let keys = |keys: &[(String, Vec<String>)]| {
        Json::Object(keys.iter().map(|(key, values)| (key.clone(), value(values))).collect())
    };
    let conditions = conditions.iter().map(|(operator, of)| ((*operator).to_owned(), keys(of))).collect();
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

/// Escapes variables, for `StringEquals`.
pub(super) fn literal(text: &str) -> String {
    text.replace("${", "${$}{")
}

/// Escapes variables and wildcards, for `StringLike`.
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
