//! The fix for a refusal. It has the values of this request, so that commands in it can be copied.

use super::super::AssumeRole;
use super::partition::Partition;
use super::role::{RoleArn, is_account};
use super::wire::StsError;
use crate::exchange::{Refused, discovery};
use crate::json::quote;
use crate::jwt::Decoded;
use crate::shell::posix_quote;
use crate::target::aws::iam::{ASSUME_ROLE_WITH_WEB_IDENTITY, OidcProvider, TAG_SESSION};
use crate::time;

struct Case<'a> {
    request: &'a AssumeRole,
    role: &'a RoleArn,
    refused: &'a Refused<'a, StsError>,
}

#[derive(Default)]
pub(super) struct Advice {
    pub(super) hint: Option<String>,
    /// The lines of a statement for the role's trust policy that accepts the token.
    pub(super) trust: Vec<String>,
}

impl From<String> for Advice {
    fn from(hint: String) -> Self {
        Self { hint: Some(hint), trust: Vec::new() }
    }
}

pub(super) fn advice(request: &AssumeRole, refused: &Refused<'_, StsError>) -> Advice {
    // The error codes of a service that only emulates STS are not known. Only its message is used.
    let Some(role) = request.role.as_ref().filter(|role| is_account(role.account())) else {
        return emulator_hint(request, refused);
    };
    let case = Case { request, role, refused };
    let account = role.account();
    let issuer = case.issuer();
    match refused.refusal.code.as_str() {
        "AccessDenied" | "AccessDeniedException" => case.access_denied(),
        "InvalidIdentityToken" | "InvalidIdentityTokenException" => case.token().into(),
        "IDPCommunicationError" | "IDPCommunicationErrorException" => format!(
            "most likely this is temporary: try again in a minute\n\
             if it fails again, AWS cannot reach {issuer}: ask whoever runs it to make `{}` and its `jwks_uri` answer requests from the public internet within 5 s",
            discovery(issuer)
        )
        .into(),
        "ExpiredTokenException" | "ExpiredToken" => case.expired().into(),
        "IDPRejectedClaim" | "IDPRejectedClaimException" => format!(
            "{issuer} no longer accepts this token, most likely because the workspace or its owner was removed there: start a new workspace\n\
             if it fails again, ask whoever runs {issuer}"
        )
        .into(),
        "ValidationError" if case.message_contains("MaxSessionDuration") && request.duration.seconds() <= 3600 => format!(
            "every AWS role allows sessions of {} s, so the server does not follow AWS's rules: send this message to whoever runs {}",
            request.duration.seconds(),
            request.endpoint.url.origin()
        )
        .into(),
        "ValidationError" if case.message_contains("MaxSessionDuration") => format!(
            "the role does not allow sessions of {} s: use `--duration-seconds 3600`, which every role allows\n\
             if that is too short, ask whoever administers account {account} to raise the role's limit: `aws iam update-role --role-name {} --max-session-duration {}`",
            request.duration.seconds(),
            role.name(),
            request.duration.seconds()
        )
        .into(),
        "ValidationError" => case.invalid_value().into(),
        "MalformedPolicyDocument" | "MalformedPolicyDocumentException" => {
            let fault = request.policies.inline_fault();
            let fault = fault.map_or("but AWS refuses it, most often because an element is misspelled (upper and lower case count)".to_owned(), |fault| format!("but {fault}"));
            format!(
                "correct the text of `--policy`: it is valid JSON, {fault}\n\
                 a session policy looks like `{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"*\"}}]}}`"
            )
            .into()
        }
        "PackedPolicyTooLarge" | "PackedPolicyTooLargeException" => {
            "the session policies together are larger than AWS allows (see the percentage above): shorten `--policy`, or give fewer `--policy-arn`".to_owned().into()
        }
        "RegionDisabledException" => case.region_disabled().into(),
        "InvalidAction" => format!(
            "another AWS service answers at {}: correct the address, which comes from {}",
            request.endpoint.url.origin(),
            request.endpoint.url_settings().join(", ")
        )
        .into(),
        "InvalidClientTokenId" | "UnrecognizedClientException" | "OptInRequired" => format!(
            "most likely account {account} has not enabled the region {0}: choose another region with `--region`\n\
             if you need {0}, ask whoever administers the account to enable it\n\
             if every region fails, ask whoever administers the account whether it is closed",
            request.endpoint.region
        )
        .into(),
        _ => Advice::default(),
    }
}

/// The fix for an error of a service that only emulates STS, such as MinIO.
fn emulator_hint(request: &AssumeRole, refused: &Refused<'_, StsError>) -> Advice {
    let message_contains = |words: &str| refused.refusal.message.contains(words);
    if message_contains("`azp`") {
        return "the first audience must be the ID of the service's OpenID client: give this ID with `--audience`"
            .to_owned()
            .into();
    }
    if message_contains("claim missing from the JWT token") {
        return "1. the service takes the policy from a claim that the token lacks: ask whoever administers the service to give the identity provider a role instead\n\
                2. name this role with `--role-arn`".to_owned().into();
    }
    if request.role.is_none() {
        return "no role was named: name one with `--role-arn` or `IDP_AWS_ROLE_ARN`".to_owned().into();
    }
    Advice::default()
}

impl Case<'_> {
    fn message_contains(&self, words: &str) -> bool {
        self.refused.refusal.message.contains(words)
    }

    fn issuer(&self) -> &str {
        self.refused.claims.issuer.as_deref().unwrap_or("the token's issuer")
    }

    /// The audience that STS checks: `azp` if the token has it, else the first `aud`.
    fn audience(&self) -> &str {
        let claims = &self.refused.claims;
        let audience = claims.authorized_party.as_deref();
        audience.or(claims.audience.first().map(String::as_str)).unwrap_or("sts.amazonaws.com")
    }

    /// The identity provider that the role's account needs.
    fn provider(&self) -> Option<OidcProvider> {
        let role = self.role;
        OidcProvider::new(role.partition(), role.account(), self.issuer()).ok()
    }

    /// Names the flag for the parameter in the message: `at 'roleSessionName' failed to satisfy
    /// constraint`.
    fn invalid_value(&self) -> String {
        let flags = [
            ("roleSessionName", "`--role-session-name`"),
            ("durationSeconds", "`--duration-seconds`"),
            ("DurationSeconds", "`--duration-seconds`"),
            ("policyArns", "`--policy-arn`"),
            ("policy", "`--policy`"),
            ("roleArn", "`--role-arn`"),
        ];
        let flag = flags.into_iter().find(|(parameter, _)| self.message_contains(parameter));
        let flag = flag.map_or("the flag that sets the value", |(_, flag)| flag);
        format!("STS refuses a value for the reason above: correct {flag}")
    }

    /// STS answers the same for every cause, so that nobody can find out which roles exist.
    fn access_denied(&self) -> Advice {
        let role = self.role;
        let (account, name) = (role.account(), role.name());
        let trust = self.provider().map(|provider| self.trust(&provider)).unwrap_or_default();
        let lets_in = if trust.is_empty() { "" } else { "\nthe statement `trust` above accepts this token" };
        // The local issuer acts as each provider that the policy of a local workspace names.
        let (local, provider) = if self.request.endpoint.url.is_loopback() {
            (
                "\nin a local workspace, run `gp idp trust aws --check FILE` with the file of `--aws-trust-policy`",
                "",
            )
        } else {
            (
                "",
                "\nif `Principal` or `Condition` names another provider, name the provider of the `iss` above",
            )
        };
        let hint = format!(
            "AWS does not name the cause. Check that account {account} has the role `{name}` (`--role-arn`), and compare its trust policy with the values above{local}\n\
             most likely the policy requires another `sub` or `aud` than the ones above (compare upper and lower case and a final slash)\n\
             if the policy has a `*` under StringEquals, use StringLike: StringEquals does not support wildcards{provider}\n\
             if `Action` is another action than `sts:AssumeRoleWithWebIdentity`, add this action\n\
             if the policy requires another `sts:RoleSessionName`, set it with `--role-session-name`\n\
             whoever administers account {account} finds the cause and the fix with `aws iam get-role --role-name {name} --output json | gp idp trust aws --check -`{lets_in}"
        );
        Advice { hint: Some(hint), trust }
    }

    /// A statement for the role's trust policy, on lines that fit a terminal.
    fn trust(&self, provider: &OidcProvider) -> Vec<String> {
        let subject = self.refused.claims.subject.as_deref().unwrap_or_default();
        let action = if self.has_session_tags() {
            format!("[{},{}]", quote(ASSUME_ROLE_WITH_WEB_IDENTITY), quote(TAG_SESSION))
        } else {
            quote(ASSUME_ROLE_WITH_WEB_IDENTITY)
        };
        vec![
            format!(r#"{{"Effect":"Allow","Action":{action},"#),
            format!(r#" "Principal":{{"Federated":{}}},"#, quote(provider.arn())),
            r#" "Condition":{"StringEquals":{"#.to_owned(),
            format!("  {}:{},", quote(&provider.key("aud")), quote(self.audience())),
            format!("  {}:{}}}}}}}", quote(&provider.key("sub")), quote(subject)),
        ]
    }

    fn has_session_tags(&self) -> bool {
        Decoded::parse(self.refused.token.reveal())
            .is_ok_and(|token| token.payload.get("https://aws.amazon.com/tags").is_some())
    }

    /// The fix for `InvalidIdentityToken`. It has several causes, and only the message tells them
    /// apart.
    fn token(&self) -> String {
        let (issuer, audience) = (self.issuer(), self.audience());
        let account = self.role.account();
        if self.message_contains("No OpenIDConnect provider found") {
            return format!(
                "account {account} does not know this issuer: check the account in `--role-arn`\n\
                 if the account is right, ask whoever administers it to create the identity provider for exactly this URL: `aws iam create-open-id-connect-provider --url {} --client-id-list {}`",
                posix_quote(issuer),
                posix_quote(audience)
            );
        }
        if self.message_contains("Incorrect token audience") {
            return self.wrong_audience(audience);
        }
        if self.message_contains("retrieve verification key") {
            return format!(
                "most likely this is temporary, for example because too many clients ask at once: try again in a minute\n\
                 if it fails again, AWS cannot fetch the keys of {issuer}: ask whoever runs it to make `{}` and its `jwks_uri` answer requests from the public internet within 5 s",
                discovery(issuer)
            );
        }
        format!(
            "the token lacks a claim that AWS requires, and the message above names this claim: ask whoever runs {issuer} to add it\n\
             `gp idp token --audience {} --decode` shows the claims of the token\n\
             AWS requires `iss`, `sub`, `aud`, `iat` and `exp`, with times in whole seconds, and a signature with RS256 or ES256 (or 384, 512)",
            posix_quote(audience)
        )
    }

    fn wrong_audience(&self, audience: &str) -> String {
        let claims = &self.refused.claims;
        let account = self.role.account();
        if claims.audience.len() > 1 && claims.authorized_party.is_some() {
            return format!(
                "of several audiences, AWS checks only the first one (the `azp` above): let the first `--audience` be one that the identity provider in account {account} lists, most likely `sts.amazonaws.com`"
            );
        }
        let arn = self.provider().map_or_else(|| "ARN".to_owned(), |provider| provider.arn().to_owned());
        let usual = if audience == "sts.amazonaws.com" {
            "set `--audience` to an audience that it lists".to_owned()
        } else {
            "leave `--audience` out to use the default, `sts.amazonaws.com`".to_owned()
        };
        format!(
            "the identity provider in account {account} does not list `{audience}`: {usual}\n\
             otherwise ask whoever administers account {account} to add the audience: `aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn {} --client-id {}`",
            posix_quote(&arn),
            posix_quote(audience)
        )
    }

    /// The token has just been minted, so its times are wrong or its lifetime is too short.
    fn expired(&self) -> String {
        let claims = &self.refused.claims;
        let life =
            claims.expires_at.zip(claims.issued_at).map(|(end, start)| end.as_second() - start.as_second());
        match (&self.refused.clocks.issuer, life) {
            (Some(difference), _) => format!(
                "the clock of {0} is {difference} AWS, and a newer token does not help: ask whoever runs {0} to correct the clock",
                self.issuer()
            ),
            (None, Some(seconds @ ..120)) => format!(
                "the token expires {} after it is issued, too soon for AWS: ask whoever runs {} to raise the lifetime of its ID tokens, to 1 h for example",
                time::span(seconds.try_into().unwrap_or_default()),
                self.issuer()
            ),
            _ => "your settings are not the cause, because the token was fresh and its issuer's clock is right: try again in a minute\n\
                 if it fails again, give AWS support the request id above".to_owned(),
        }
    }

    fn region_disabled(&self) -> String {
        let request = self.request;
        let (account, region) = (self.role.account(), request.endpoint.region.as_str());
        let other = Partition::named(self.role.partition())
            .map(|partition| partition.implicit_region)
            .filter(|other| *other != region)
            .map_or_else(
                || "choose another region with `--region`".to_owned(),
                |other| format!("use `--region {other}`"),
            );
        format!(
            "STS is not active in {region} for account {account}: {other}\n\
             if you need {region}, ask whoever administers the account to activate it in the console, under IAM, Account settings, Security Token Service"
        )
    }
}
