//! Session policies, which narrow what the role allows: one inline and up to ten managed ones.

use super::role::{RoleArn, is_account, is_name_character};
use crate::json::{Json, JsonError};

/// The most characters of the inline policy and the ARNs together.
const MAX_CHARACTERS: usize = 2048;
/// The most managed policies.
const MAX_ARNS: usize = 10;

/// The parameters `Policy` and `PolicyArns`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionPolicies {
    inline: Option<String>,
    arns: Vec<String>,
}

/// Session policies that STS would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionPolicyError {
    #[error("`--policy`: it is empty; write it like `{{\"Version\":\"2012-10-17\",\"Statement\":[…]}}`")]
    Empty,
    #[error(
        "`--policy` and `--policy-arn` have {0} characters together, and AWS allows 2048: remove white space from `--policy`, or move a part of it into a managed policy"
    )]
    TooLong(usize),
    /// A character outside of Latin-1, or a control character.
    #[error("`--policy`: `{character}` at character {at} cannot be in a session policy")]
    Character {
        /// The first character that is not allowed, escaped.
        character: String,
        /// The position of the character, from 1.
        at: usize,
    },
    #[error("`--policy`: it is not valid JSON: {0}")]
    NotJson(JsonError),
    /// JSON, but no object.
    #[error(
        "`--policy`: it is no JSON object; write it like `{{\"Version\":\"2012-10-17\",\"Statement\":[…]}}`"
    )]
    NotAnObject,
    /// Too many managed policies.
    #[error("`--policy-arn`: it is given {0} times, and AWS allows 10: join some of these policies into one")]
    TooMany(usize),
    /// Not the ARN of a managed policy.
    #[error(
        "`--policy-arn`: `{0}` is not the ARN of a managed policy; write it like `arn:aws:iam::aws:policy/ReadOnlyAccess`"
    )]
    NotAPolicyArn(String),
    /// A policy of another account or partition than the role's.
    #[error(
        "`--policy-arn`: the policy `{arn}` belongs to another account than the role, which is in account `{account}` and partition `{partition}`"
    )]
    OtherAccount { arn: String, account: String, partition: String },
}

impl SessionPolicyError {
    /// The fix, if the message does not contain it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Character { .. } => Some(
                "remove the character: a session policy can have only tabs, line breaks and the characters U+0020 to U+00FF"
                    .to_owned(),
            ),
            Self::NotJson(_) => Some("to name a file, write `--policy @FILE`".to_owned()),
            Self::OtherAccount { account, partition, .. } => Some(format!(
                "name a policy of account {account}, or one of AWS, such as `arn:{partition}:iam::aws:policy/ReadOnlyAccess`"
            )),
            _ => None,
        }
    }
}

impl SessionPolicies {
    /// Checks the policies for a session of `role`. Without a role, the session is at another service. The ARNs are
    /// then not checked, because only that service knows their form.
    pub fn new<'a>(
        inline: Option<&str>,
        arns: &[String],
        role: impl Into<Option<&'a RoleArn>>,
    ) -> Result<Self, SessionPolicyError> {
        let role = role.into();
        if let Some(text) = inline {
            check_inline(text)?;
        }
        if arns.len() > MAX_ARNS {
            return Err(SessionPolicyError::TooMany(arns.len()));
        }
        for (arn, role) in arns.iter().filter_map(|arn| Some((arn, role?))) {
            check_arn(arn, role)?;
        }
        let length =
            inline.into_iter().chain(arns.iter().map(String::as_str)).map(|text| text.chars().count());
        match length.sum() {
            0..=MAX_CHARACTERS => Ok(Self { inline: inline.map(str::to_owned), arns: arns.to_vec() }),
            length => Err(SessionPolicyError::TooLong(length)),
        }
    }

    /// `Policy`.
    pub fn inline(&self) -> Option<&str> {
        self.inline.as_deref()
    }

    /// The first element that the inline policy lacks or must not have; `None` if none is found.
    pub(super) fn inline_fault(&self) -> Option<String> {
        let policy = Json::parse(self.inline.as_deref()?).ok()?;
        let statements = match policy.get("Statement") {
            None => return Some("it has no `Statement`".to_owned()),
            Some(Json::Array(items)) => items.iter().collect::<Vec<_>>(),
            Some(one) => vec![one],
        };
        if statements.is_empty() {
            return Some("its `Statement` is an empty list".to_owned());
        }
        let fault_of = |(index, statement): (usize, &Json)| {
            let has = |name: &str| statement.get(name).is_some();
            let place = format!("`Statement[{index}]`");
            let needed = [("Effect", "Effect"), ("Action", "NotAction"), ("Resource", "NotResource")];
            if let Some((name, _)) = needed.iter().find(|(name, other)| !has(name) && !has(other)) {
                return Some(format!("{place} has no `{name}`"));
            }
            let refused = ["Principal", "NotPrincipal"].into_iter().find(|name| has(name))?;
            Some(format!("{place} has a `{refused}`, which no session policy may have"))
        };
        let fault = statements.into_iter().enumerate().find_map(fault_of);
        fault.or_else(|| policy.get("Version").is_none().then(|| "it has no `Version`".to_owned()))
    }

    /// `PolicyArns`.
    pub fn arns(&self) -> &[String] {
        &self.arns
    }
}

fn check_inline(text: &str) -> Result<(), SessionPolicyError> {
    if text.trim().is_empty() {
        return Err(SessionPolicyError::Empty);
    }
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}');
    if let Some((index, character)) = text.chars().enumerate().find(|(_, c)| !allowed(*c)) {
        let character = character.escape_debug().to_string();
        return Err(SessionPolicyError::Character { character, at: index + 1 });
    }
    match Json::parse(text).map_err(SessionPolicyError::NotJson)? {
        Json::Object(_) => Ok(()),
        _ => Err(SessionPolicyError::NotAnObject),
    }
}

fn check_arn(arn: &str, role: &RoleArn) -> Result<(), SessionPolicyError> {
    let fields: Vec<&str> = arn.splitn(6, ':').collect();
    let (partition, account) = match fields[..] {
        ["arn", partition, "iam", "", account, resource] if is_policy(resource) => (partition, account),
        _ => return Err(SessionPolicyError::NotAPolicyArn(arn.to_owned())),
    };
    if account != "aws" && !is_account(account) {
        return Err(SessionPolicyError::NotAPolicyArn(arn.to_owned()));
    }
    // Policies that AWS manages belong to every account of the partition.
    if partition != role.partition() || (account != "aws" && account != role.account()) {
        return Err(SessionPolicyError::OtherAccount {
            arn: arn.to_owned(),
            account: role.account().to_owned(),
            partition: role.partition().to_owned(),
        });
    }
    Ok(())
}

fn is_policy(resource: &str) -> bool {
    let name = resource.strip_prefix("policy/").and_then(|path| path.rsplit('/').next());
    resource.bytes().all(|b| b.is_ascii_graphic())
        && name.is_some_and(|name| (1..=128).contains(&name.len()) && name.chars().all(is_name_character))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(inline: Option<&str>, arns: &[&str]) -> Result<SessionPolicies, String> {
        let role = RoleArn::parse("arn:aws:iam::123456789012:role/dev").unwrap();
        let arns: Vec<String> = arns.iter().map(|&arn| arn.to_owned()).collect();
        SessionPolicies::new(inline, &arns, &role).map_err(|error| error.to_string())
    }

    #[test]
    fn inline_policies() {
        let full = format!("{{\"a\":\"{}\"}}", "é".repeat(2040));
        let over = format!("{{\"a\":\"{}\"}}", "é".repeat(2041));
        let cases = [
            (" {\"Statement\":[]}\r\n\t", Ok(())),
            (&*full, Ok(())),
            (
                &*over,
                Err(
                    "`--policy` and `--policy-arn` have 2049 characters together, and AWS allows 2048: remove white space from `--policy`, or move a part of it into a managed policy",
                ),
            ),
            (
                " ",
                Err(
                    "`--policy`: it is empty; write it like `{\"Version\":\"2012-10-17\",\"Statement\":[…]}`",
                ),
            ),
            ("{\"a\":\"→\"}", Err("`--policy`: `→` at character 7 cannot be in a session policy")),
            ("\u{7}{}", Err("`--policy`: `\\u{7}` at character 1 cannot be in a session policy")),
            (
                "{\"a\":",
                Err("`--policy`: it is not valid JSON: EOF while parsing a value at line 1 column 5"),
            ),
            (
                "[]",
                Err(
                    "`--policy`: it is no JSON object; write it like `{\"Version\":\"2012-10-17\",\"Statement\":[…]}`",
                ),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(check(Some(text), &[]).map(|_| ()), expected.map_err(str::to_owned), "{text}");
        }
        assert_eq!(check(None, &[]), Ok(SessionPolicies::default()));
    }

    #[test]
    fn a_hint_has_the_fix_that_the_message_lacks() {
        let role = RoleArn::parse("arn:aws:iam::123456789012:role/dev").unwrap();
        let hint = |inline: Option<&str>, arns: &[String]| {
            SessionPolicies::new(inline, arns, &role).unwrap_err().hint()
        };
        let fixes = [
            (hint(Some("x"), &[]), Some("to name a file, write `--policy @FILE`")),
            (
                hint(Some("→"), &[]),
                Some(
                    "remove the character: a session policy can have only tabs, line breaks and the characters U+0020 to U+00FF",
                ),
            ),
            (
                hint(None, &["arn:aws:iam::210987654321:policy/x".to_owned()]),
                Some(
                    "name a policy of account 123456789012, or one of AWS, such as `arn:aws:iam::aws:policy/ReadOnlyAccess`",
                ),
            ),
            (hint(Some(" "), &[]), None),
        ];
        for (found, expected) in fixes {
            assert_eq!(found.as_deref(), expected);
        }
    }

    #[test]
    fn the_fault_of_an_inline_policy_is_named() {
        let whole = r#""Effect":"Allow","Action":"s3:Get*","Resource":"*""#;
        let cases = [
            ("{}".to_owned(), Some("it has no `Statement`")),
            (r#"{"Statement":[]}"#.to_owned(), Some("its `Statement` is an empty list")),
            (
                format!(r#"{{"Statement":[{{{whole}}},{{"Action":"s3:*"}}]}}"#),
                Some("`Statement[1]` has no `Effect`"),
            ),
            (
                r#"{"Statement":{"Effect":"Allow","NotAction":"s3:*"}}"#.to_owned(),
                Some("`Statement[0]` has no `Resource`"),
            ),
            (
                format!(r#"{{"Statement":{{{whole},"Principal":"*"}}}}"#),
                Some("`Statement[0]` has a `Principal`, which no session policy may have"),
            ),
            (format!(r#"{{"Statement":[{{{whole}}}]}}"#), Some("it has no `Version`")),
            (format!(r#"{{"Version":"2012-10-17","Statement":[{{{whole}}}]}}"#), None),
        ];
        for (text, expected) in cases {
            assert_eq!(check(Some(&text), &[]).unwrap().inline_fault().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn managed_policies() {
        let other = |arn: &str| {
            format!(
                "`--policy-arn`: the policy `{arn}` belongs to another account than the role, which is in account `123456789012` and partition `aws`"
            )
        };
        let form = |arn: &str| {
            format!(
                "`--policy-arn`: `{arn}` is not the ARN of a managed policy; write it like `arn:aws:iam::aws:policy/ReadOnlyAccess`"
            )
        };
        let cases = [
            ("arn:aws:iam::aws:policy/ReadOnlyAccess", None),
            ("arn:aws:iam::aws:policy/service-role/AmazonS3", None),
            ("arn:aws:iam::123456789012:policy/own/x", None),
            ("arn:aws:iam::210987654321:policy/x", Some(other("arn:aws:iam::210987654321:policy/x"))),
            ("arn:aws-cn:iam::aws:policy/x", Some(other("arn:aws-cn:iam::aws:policy/x"))),
            ("ReadOnlyAccess", Some(form("ReadOnlyAccess"))),
            ("arn:aws:iam::aws:policy/", Some(form("arn:aws:iam::aws:policy/"))),
            ("arn:aws:iam:::policy/x", Some(form("arn:aws:iam:::policy/x"))),
            ("arn:aws:iam::123456789012:role/x", Some(form("arn:aws:iam::123456789012:role/x"))),
        ];
        for (arn, expected) in cases {
            assert_eq!(check(None, &[arn]).err(), expected, "{arn}");
        }
        let read = "arn:aws:iam::aws:policy/ReadOnlyAccess";
        assert_eq!(check(Some("{}"), &[read; 10]).unwrap().arns().len(), 10);
        assert_eq!(
            check(None, &[read; 11]).unwrap_err(),
            "`--policy-arn`: it is given 11 times, and AWS allows 10: join some of these policies into one"
        );
        let inline = format!("{{\"a\":\"{}\"}}", "x".repeat(2010));
        assert!(
            check(Some(&inline), &[read])
                .unwrap_err()
                .starts_with("`--policy` and `--policy-arn` have 2056 characters")
        );
    }
}
