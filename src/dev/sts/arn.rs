//! ARNs of roles and of managed policies, as IAM forms them (IAM User Guide, "IAM identifiers"; IAM API Reference,
//! `CreateRole` and `CreatePolicy`).

/// The ARN of a role: `arn:<partition>:iam::<account>:role/<path and name>`.
pub(super) struct RoleArn<'a> {
    pub(super) text: &'a str,
    pub(super) partition: &'a str,
    pub(super) account: &'a str,
    /// Without the path.
    pub(super) name: &'a str,
}

impl<'a> RoleArn<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (partition, account, path_and_name) = iam(text, "role/")?;
        let (path, name) = path_and_name.rsplit_once('/').unwrap_or(("", path_and_name));
        // IAM's limit of 512 characters includes the slashes at both ends of the path.
        let good = is_account(account) && is_name(name, 64) && path.len() <= 510 && is_printable(path);
        good.then_some(Self { text, partition, account, name })
    }

    /// Whether this managed policy may restrict a session of the role. The policy must belong to
    /// the role's account or to AWS.
    pub(super) fn can_have_policy(&self, arn: &str) -> bool {
        iam(arn, "policy/").is_some_and(|(partition, account, path_and_name)| {
            let name = path_and_name.rsplit('/').next().unwrap_or_default();
            let reachable = partition == self.partition && (account == "aws" || account == self.account);
            reachable && is_name(name, 128) && is_printable(path_and_name)
        })
    }
}

/// Whether this is the ARN of a role, with a length that STS accepts.
pub(crate) fn is_role_arn(text: &str) -> bool {
    (20..=2048).contains(&text.chars().count()) && RoleArn::parse(text).is_some()
}

/// Partition, account, and the resource without its kind.
fn iam<'a>(text: &'a str, kind: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let ["arn", partition, "iam", "", account, resource] = text.splitn(6, ':').collect::<Vec<_>>()[..] else {
        return None;
    };
    let is_partition = partition == "aws"
        || partition
            .strip_prefix("aws-")
            .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_lowercase() || c == '-'));
    is_partition.then_some((partition, account, resource.strip_prefix(kind)?))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.chars().all(|c| c.is_ascii_digit())
}

fn is_name(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.chars().all(is_name_character)
}

fn is_printable(text: &str) -> bool {
    text.chars().all(|c| ('!'..='~').contains(&c))
}

/// `[\w+=,.@-]`, in ASCII.
pub(super) fn is_name_character(c: char) -> bool {
    matches!(c, 'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '+' | '=' | ',' | '.' | '@' | '-')
}

/// The client has its own parser for the same ARNs. The tests compare both.
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::target::aws::exchange::policies::SessionPolicies;
    use crate::target::aws::exchange::role::RoleArn as ClientRoleArn;

    fn mostly(good: &'static str, odd: &'static str) -> impl Strategy<Value = String> {
        prop_oneof![6 => Just(good.to_owned()), 1 => odd]
    }

    #[test]
    fn roles() {
        let named = |name: &str| format!("arn:aws:iam::123456789012:role/{name}");
        let (name, path) = ("n".repeat(64), "p".repeat(510));
        let good = [
            named("dev"),
            named("team/red/dev"),
            named(&name),
            named(&format!("{path}/n")),
            named("a//b"),
            named("/b"),
            named("x+=,.@-_"),
            named("service:path/x"),
            "arn:aws-cn:iam::000000000000:role/x".to_owned(),
            "arn:aws-us-gov:iam::123456789012:role/x".to_owned(),
            "arn:aws-iso-b:iam::123456789012:role/x".to_owned(),
        ];
        let bad = [
            String::new(),
            "dev".to_owned(),
            "arn:aws:iam::123456789012".to_owned(),
            "arn:aws:iam::role/some-name".to_owned(),
            named(""),
            named("a/"),
            named("a b"),
            named("ü"),
            named("ü/b"),
            named("a b/c"),
            named(&format!("{name}n")),
            named(&format!("{path}p/n")),
            "ARN:aws:iam::123456789012:role/x".to_owned(),
            "arn:AWS:iam::123456789012:role/x".to_owned(),
            "arn:aws2:iam::123456789012:role/x".to_owned(),
            "arn:awscn:iam::123456789012:role/x".to_owned(),
            "arn::iam::123456789012:role/x".to_owned(),
            "arn:gcp:iam::123456789012:role/x".to_owned(),
            "arn:aws:sts::123456789012:role/x".to_owned(),
            "arn:aws:iam:eu-west-1:123456789012:role/x".to_owned(),
            "arn:aws:iam::12345678901:role/x".to_owned(),
            "arn:aws:iam::1234567890123:role/x".to_owned(),
            "arn:aws:iam::1234-5678-9012:role/x".to_owned(),
            "arn:aws:iam::aws:role/x".to_owned(),
            "arn:aws:iam::123456789012:Role/x".to_owned(),
            "arn:aws:iam::123456789012:role:x".to_owned(),
            "arn:aws:iam::123456789012:user/ann".to_owned(),
            "arn:aws:iam::123456789012:oidc-provider/x.example".to_owned(),
            "arn:aws:iam::123456789012:instance-profile/x".to_owned(),
            "arn:aws:sts::123456789012:assumed-role/x/y".to_owned(),
            "arn:aws:iam::123456789012:root".to_owned(),
        ];
        for (arns, expected) in [(&good[..], true), (&bad[..], false)] {
            for arn in arns {
                assert_eq!(is_role_arn(arn), expected, "{arn}");
                assert_eq!(ClientRoleArn::parse(arn).is_ok(), expected, "the client: {arn}");
            }
        }
    }

    #[test]
    fn managed_policies() {
        let role = "arn:aws:iam::123456789012:role/dev";
        let (ours, theirs) = (RoleArn::parse(role).unwrap(), ClientRoleArn::parse(role).unwrap());
        let name = "n".repeat(128);
        for (arn, expected) in [
            ("arn:aws:iam::aws:policy/ReadOnlyAccess", true),
            ("arn:aws:iam::aws:policy/service-role/AmazonS3", true),
            ("arn:aws:iam::123456789012:policy/own/x", true),
            (&format!("arn:aws:iam::aws:policy/{name}"), true),
            (&format!("arn:aws:iam::aws:policy/{name}n"), false),
            ("arn:aws:iam::210987654321:policy/x", false),
            ("arn:aws-cn:iam::aws:policy/x", false),
            ("ReadOnlyAccess", false),
            ("arn:aws:iam::aws:policy/", false),
            ("arn:aws:iam::aws:policy/a b", false),
            ("arn:aws:iam:::policy/x", false),
            ("arn:aws:iam::123456789012:role/x", false),
        ] {
            assert_eq!(ours.can_have_policy(arn), expected, "{arn}");
            let of_client = SessionPolicies::new(None, &[arn.to_owned()], &theirs);
            assert_eq!(of_client.is_ok(), expected, "the client: {arn}");
        }
    }

    proptest! {
        /// Most of these ARNs are valid, or differ from a valid one in one place. An ARN with
        /// white space around it is skipped: the client trims it, STS does not.
        #[test]
        fn client_and_sts_agree_on_any_role_arn(
            parts in (
                mostly("arn", "(ARN|)"),
                mostly("aws", "(aws[-a-zA-Z0-9]{0,3}|)"),
                mostly("iam", "(sts|)"),
                mostly("", "[a-z]"),
                mostly("123456789012", "([0-9]{11,13}|[0-9a]{12}|)"),
                mostly("role/", "(user/|role|Role/|role:|/)"),
                "[a-zA-Z0-9_+=,.@/-]{0,70}[ é:]?[a-z/]{0,2}",
            ),
        ) {
            let (arn, partition, service, region, account, kind, name) = parts;
            let arn = format!("{arn}:{partition}:{service}:{region}:{account}:{kind}{name}");
            prop_assume!(arn.trim() == arn);
            prop_assert_eq!(is_role_arn(&arn), ClientRoleArn::parse(&arn).is_ok(), "{}", arn);
        }
    }
}
