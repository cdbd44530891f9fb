//! The ARN of a role, and the errors for values that people often give instead.

use std::fmt;

/// The bounds of the parameter `RoleArn`, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 20..=2048;

/// The ARN of an IAM role: `arn:<partition>:iam::<account>:role/<path and name>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleArn {
    text: String,
    partition: String,
    account: String,
    path_and_name: String,
}

/// Why a text is not the ARN of a role. A text that is no ARN is never quoted, because it may be a
/// token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleArnError {
    /// Nothing but white space.
    #[error("the role is empty; {FORM}")]
    Empty,
    /// Not an ARN, for example only the name of a role.
    #[error("this is not an ARN; {FORM}")]
    NotAnArn,
    /// An ARN with too few fields.
    #[error("an ARN has six fields separated by colons, this has {0}; {FORM}")]
    Fields(usize),
    /// A partition that is neither `aws` nor `aws-…`.
    #[error(
        "`{0}` is no AWS partition; the ARN begins with `arn:aws:`, or with `arn:aws-cn:`, `arn:aws-us-gov:` and so on"
    )]
    Partition(String),
    /// The ARN of an identity provider.
    #[error("this is the ARN of an identity provider; give the ARN of the role that trusts it, `{0}NAME`")]
    Provider(String),
    /// The ARN of a user, a group, a policy or an account's root.
    #[error("this is the ARN of {what}, and only a role can be assumed with a token; {FORM}")]
    NotARole { what: &'static str },
    /// The ARN of an assumed-role session.
    #[error(
        "this is the ARN of an assumed-role session, not of a role: give `{0}`, with the path if the role has one"
    )]
    AssumedRole(String),
    /// The ARN of an instance profile.
    #[error(
        "this is the ARN of an instance profile, not of a role: give the role in it, which often has the same name, as in `{0}`"
    )]
    InstanceProfile(String),
    #[error("this is an ARN of the service `{0}`, and roles belong to `iam`; {FORM}")]
    Service(String),
    /// A region, which IAM does not have.
    #[error("the ARN of a role has no region, and this has `{0}`; {FORM}")]
    Region(String),
    #[error("the account is missing; {FORM}")]
    NoAccount,
    /// An account that is not twelve digits.
    #[error("the account `{0}` needs twelve digits and no dashes; {FORM}")]
    Account(String),
    #[error("the role has no name; {FORM}")]
    NoName,
    /// A name that no role can have.
    #[error("no role can be named `{0}`: up to 64 of A-Z a-z 0-9 _ + = , . @ - are allowed")]
    Name(String),
    /// A path that no role can have.
    #[error("no role can have the path `{0}`: up to 512 printable ASCII characters are allowed")]
    Path(String),
    /// Too short or too long.
    #[error("the ARN of a role has 20 to 2048 characters, this has {0}")]
    Length(usize),
}

/// The right form, at the end of a message.
const FORM: &str = "write the role as `arn:aws:iam::123456789012:role/my-role`";

impl RoleArn {
    /// Reads the ARN of a role; white space around it is allowed.
    pub fn parse(text: &str) -> Result<Self, RoleArnError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(RoleArnError::Empty);
        }
        if !text.starts_with("arn:") {
            return Err(RoleArnError::NotAnArn);
        }
        let fields: Vec<&str> = text.splitn(6, ':').collect();
        let [_, partition, service, region, account, resource] = fields[..] else {
            // In `arn:aws:iam::role/x`, both the account and its colon are missing.
            return Err(match fields.last() {
                Some(last) if last.starts_with("role/") => RoleArnError::NoAccount,
                _ => RoleArnError::Fields(fields.len()),
            });
        };
        let rest = partition.strip_prefix("aws").filter(|rest| rest.is_empty() || rest.starts_with('-'));
        if !rest.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')) {
            return Err(RoleArnError::Partition(partition.to_owned()));
        }
        if service == "sts" && resource.starts_with("assumed-role/") {
            let name = resource.split('/').nth(1).unwrap_or_default();
            return Err(RoleArnError::AssumedRole(format!("arn:{partition}:iam::{account}:role/{name}")));
        }
        if service != "iam" {
            return Err(RoleArnError::Service(service.to_owned()));
        }
        let path_and_name = role_of(resource, &format!("arn:{partition}:iam::{account}:role/"))?;
        if !region.is_empty() {
            return Err(RoleArnError::Region(region.to_owned()));
        }
        if account.is_empty() {
            return Err(RoleArnError::NoAccount);
        }
        if !is_account(account) {
            return Err(RoleArnError::Account(account.to_owned()));
        }
        check_name(path_and_name)?;
        let length = text.chars().count();
        if !LENGTH.contains(&length) {
            return Err(RoleArnError::Length(length));
        }
        Ok(Self {
            text: text.to_owned(),
            partition: partition.to_owned(),
            account: account.to_owned(),
            path_and_name: path_and_name.to_owned(),
        })
    }

    /// Reads the role ARN of a service that only emulates STS. Its partition and account are not
    /// checked, as in `arn:minio:iam:::role/NAME` or `arn:aws:iam:::role/NAME`.
    pub fn parse_lenient(text: &str) -> Result<Self, RoleArnError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(RoleArnError::Empty);
        }
        if !text.starts_with("arn:") || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(RoleArnError::NotAnArn);
        }
        let fields: Vec<&str> = text.splitn(6, ':').collect();
        let [_, partition, _, _, account, resource] = fields[..] else {
            return Err(RoleArnError::Fields(fields.len()));
        };
        let path_and_name = resource.split_once('/').map_or(resource, |(_, name)| name);
        if path_and_name.is_empty() {
            return Err(RoleArnError::NoName);
        }
        if text.len() > *LENGTH.end() {
            return Err(RoleArnError::Length(text.len()));
        }
        Ok(Self {
            text: text.to_owned(),
            partition: partition.to_owned(),
            account: account.to_owned(),
            path_and_name: path_and_name.to_owned(),
        })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `aws`, `aws-cn`, `aws-us-gov` …
    pub fn partition(&self) -> &str {
        &self.partition
    }

    /// Twelve digits at AWS. At another service, any text or an empty one.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The name, without the path.
    pub fn name(&self) -> &str {
        self.path_and_name.rsplit('/').next().unwrap_or_default()
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether this is the id of an account: twelve digits.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether IAM and STS allow this character in names.
pub(super) fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)
}

/// The text after `role/`, or an error that says what the resource is instead. `roles` is the beginning of the ARNs of
/// roles in the same account.
fn role_of<'a>(resource: &'a str, roles: &str) -> Result<&'a str, RoleArnError> {
    let (kind, name) = resource.split_once('/').unwrap_or((resource, ""));
    let not_a_role = |what| Err(RoleArnError::NotARole { what });
    match kind {
        "role" if name.is_empty() => Err(RoleArnError::NoName),
        "role" => Ok(name),
        "oidc-provider" | "saml-provider" => Err(RoleArnError::Provider(roles.to_owned())),
        "instance-profile" => {
            let last = name.rsplit('/').next().unwrap_or_default();
            Err(RoleArnError::InstanceProfile(format!("{roles}{last}")))
        }
        "user" => not_a_role("a user"),
        "group" => not_a_role("a group"),
        "policy" => not_a_role("a policy"),
        "root" => not_a_role("an account's root"),
        _ => not_a_role("another kind of resource"),
    }
}

fn check_name(path_and_name: &str) -> Result<(), RoleArnError> {
    let (path, name) = path_and_name.rsplit_once('/').unwrap_or(("", path_and_name));
    if name.is_empty() {
        return Err(RoleArnError::NoName);
    }
    if name.len() > 64 || !name.chars().all(is_name_character) {
        return Err(RoleArnError::Name(name.to_owned()));
    }
    // IAM's limit of 512 includes the slashes at both ends.
    if path.len() > 510 || !path.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(RoleArnError::Path(path.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_role_arn_is_parsed_into_its_parts() {
        let cases = [
            ("arn:aws:iam::123456789012:role/dev", "aws", "dev"),
            ("arn:aws-cn:iam::123456789012:role/a/b/deploy", "aws-cn", "deploy"),
            ("arn:aws-us-gov:iam::000000000000:role/x+=,.@-_", "aws-us-gov", "x+=,.@-_"),
            ("arn:aws-moon:iam::123456789012:role/service:path/x", "aws-moon", "x"),
            (" \tarn:aws:iam::123456789012:role/dev\n", "aws", "dev"),
        ];
        for (text, partition, name) in cases {
            let role = RoleArn::parse(text).unwrap();
            assert_eq!((role.partition(), role.name()), (partition, name));
            assert_eq!(role.to_string(), text.trim());
            assert!(is_account(role.account()));
        }
    }

    #[test]
    fn common_mistakes_have_their_own_messages() {
        let long_name = format!("arn:aws:iam::123456789012:role/{}", "n".repeat(65));
        let long_path = format!("arn:aws:iam::123456789012:role/{}/n", "p".repeat(511));
        let cases = [
            (" ", "the role is empty; write the role as `arn:aws:iam::123456789012:role/my-role`"),
            ("my-role", "this is not an ARN; write the role as `arn:aws:iam::123456789012:role/my-role`"),
            (
                "eyJhbGciOi.eyJpc3Mi.c2ln",
                "this is not an ARN; write the role as `arn:aws:iam::123456789012:role/my-role`",
            ),
            (
                "arn:aws:iam",
                "an ARN has six fields separated by colons, this has 3; write the role as `arn:aws:iam::123456789012:role/my-role`",
            ),
            (
                "arn:aws:iam::role/dev",
                "the account is missing; write the role as `arn:aws:iam::123456789012:role/my-role`",
            ),
            (
                "arn:aws:iam:::role/dev",
                "the account is missing; write the role as `arn:aws:iam::123456789012:role/my-role`",
            ),
            (
                "arn:aws:iam::1234-5678-9012:role/dev",
                "the account `1234-5678-9012` needs twelve digits and no dashes; write the role as `arn:aws:iam::123456789012:role/my-role`",
            ),
            (
                "arn:AWS:iam::123456789012:role/dev",
                "`AWS` is no AWS partition; the ARN begins with `arn:aws:`, or with `arn:aws-cn:`, `arn:aws-us-gov:` and so on",
            ),
            (
                "arn:aws:iam::123456789012:oidc-provider/app.gitpod.io",
                "this is the ARN of an identity provider; give the ARN of the role that trusts it, `arn:aws:iam::123456789012:role/NAME`",
            ),
            (
                "arn:aws:iam::123456789012:user/ann",
                "this is the ARN of a user, and only a role can be assumed with a token; write the role as `arn:aws:iam::123456789012:role/my-role`",
            ),
            (
                "arn:aws:iam::123456789012:group/ops",
                "this is the ARN of a group, and only a role can be assumed with a token; write the role as `arn:aws:iam::123456789012:role/my-role`",
            ),
            (
                "arn:aws:iam::123456789012:root",
                "this is the ARN of an account's root, and only a role can be assumed with a token; write the role as `arn:aws:iam::123456789012:role/my-role`",
            ),
            (
                "arn:aws:sts::123456789012:assumed-role/dev/ann",
                "this is the ARN of an assumed-role session, not of a role: give `arn:aws:iam::123456789012:role/dev`, with the path if the role has one",
            ),
            (
                "arn:aws:iam::123456789012:instance-profile/web/dev",
                "this is the ARN of an instance profile, not of a role: give the role in it, which often has the same name, as in `arn:aws:iam::123456789012:role/dev`",
            ),
            (
                "arn:aws:s3:::bucket/role/dev",
                "this is an ARN of the service `s3`, and roles belong to `iam`; write the role as `arn:aws:iam::123456789012:role/my-role`",
            ),
            (
                "arn:aws:iam:eu-west-1:123456789012:role/dev",
                "the ARN of a role has no region, and this has `eu-west-1`; write the role as `arn:aws:iam::123456789012:role/my-role`",
            ),
            (
                "arn:aws:iam::123456789012:role",
                "the role has no name; write the role as `arn:aws:iam::123456789012:role/my-role`",
            ),
            (
                "arn:aws:iam::123456789012:role/path/",
                "the role has no name; write the role as `arn:aws:iam::123456789012:role/my-role`",
            ),
            (
                "arn:aws:iam::123456789012:role/d*",
                "no role can be named `d*`: up to 64 of A-Z a-z 0-9 _ + = , . @ - are allowed",
            ),
            (
                "arn:aws:iam::123456789012:role/a b/dev",
                "no role can have the path `a b`: up to 512 printable ASCII characters are allowed",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(RoleArn::parse(text).unwrap_err().to_string(), expected, "{text}");
        }
        assert!(matches!(RoleArn::parse(&long_name), Err(RoleArnError::Name(_))));
        assert!(matches!(RoleArn::parse(&long_path), Err(RoleArnError::Path(_))));
    }

    #[test]
    fn roles_of_other_services() {
        for (text, account, name) in [
            ("arn:minio:iam:::role/abcdefghijklmnopqrstuvwxyz0", "", "abcdefghijklmnopqrstuvwxyz0"),
            ("arn:aws:iam:::role/S3Access", "", "S3Access"),
            ("arn:aws:iam::tenant:role/a/b", "tenant", "b"),
        ] {
            let role = RoleArn::parse_lenient(text).unwrap();
            assert_eq!((role.as_str(), role.account(), role.name()), (text, account, name));
            assert!(RoleArn::parse(text).is_err(), "{text}");
        }
        for text in [
            "",
            "S3Access",
            "eyJhbGciOi.eyJpc3Mi.c2ln",
            "arn:aws:iam",
            "arn:aws:iam:::role/",
            "arn:aws:iam:::role/a b",
        ] {
            assert!(RoleArn::parse_lenient(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,80}") {
            let _ = RoleArn::parse_lenient(&text);
            let _ = RoleArn::parse(&text);
        }

        #[test]
        fn nothing_between_colons_panics(fields in proptest::collection::vec("aws|iam|sts|role/|role|[a-z0-9/é]{0,14}", 0..8)) {
            let _ = RoleArn::parse(&format!("arn:{}", fields.join(":")));
        }
    }
}
