//! The fix for a refusal, with the values of this request in it, ready to be copied.

use super::super::AssumeRole;
use super::partition::Partition;
use super::wire::StsError;
use crate::exchange::{Refused, discovery};
use crate::json::quote;
use crate::jwt::Decoded;
use crate::shell::posix_quote;
use crate::target::aws::iam::{ASSUME_ROLE_WITH_WEB_IDENTITY, OidcProvider, TAG_SESSION};
use crate::time;

struct Case<'a> {
    request: &'a AssumeRole,
    refused: &'a Refused<'a, StsError>,
}

#[derive(Default)]
pub(super) struct Advice {
    pub(super) hint: Option<String>,
    /// The lines of a statement for the role's trust policy that lets the token in.
    pub(super) trust: Vec<String>,
}

impl From<String> for Advice {
    fn from(hint: String) -> Self {
        Self { hint: Some(hint), trust: Vec::new() }
    }
}

pub(super) fn advice(request: &AssumeRole, refused: &Refused<'_, StsError>) -> Advice {
    let case = Case { request, refused };
    let role = &request.role;
    let account = role.account();
    let issuer = case.issuer();
    match refused.refusal.code.as_str() {
        "AccessDenied" | "AccessDeniedException" => case.access_denied(),
        "InvalidIdentityToken" | "InvalidIdentityTokenException" => case.token().into(),
        "IDPCommunicationError" | "IDPCommunicationErrorException" => format!(
            "AWS could not reach {issuer}, which may pass by: try again\nif it stays so: `{}` and the `jwks_uri` in it have to answer from the public internet, within 5 s",
            discovery(issuer)
        )
        .into(),
        "ExpiredTokenException" | "ExpiredToken" => case.expired().into(),
        "IDPRejectedClaim" | "IDPRejectedClaimException" => format!(
            "{issuer} does not stand by this token any more: see there whether the workspace or its owner was removed"
        )
        .into(),
        "ValidationError" if case.says("MaxSessionDuration") => format!(
            "every role allows `--duration-seconds 3600`; to have {} s, whoever administers account {account} raises the role's limit: `aws iam update-role --role-name {} --max-session-duration {}`",
            request.duration.seconds(),
            role.name(),
            request.duration.seconds()
        )
        .into(),
        "ValidationError" => "the message names the value that STS does not take: check the flag that sets it".to_owned().into(),
        "MalformedPolicyDocument" | "MalformedPolicyDocumentException" => {
            "check `--policy`: a session policy has a Version and Statements with Effect, Action and Resource, and no Principal".to_owned().into()
        }
        "PackedPolicyTooLarge" | "PackedPolicyTooLargeException" => {
            "shorten `--policy` (AWS packs it, so characters do not count one by one), or give fewer `--policy-arn`".to_owned().into()
        }
        "RegionDisabledException" => case.region_disabled().into(),
        "InvalidAction" => format!(
            "what answers at {} is no STS: check {}",
            request.endpoint.url.origin(),
            request.endpoint.url_from.join(", ")
        )
        .into(),
        "InvalidClientTokenId" | "UnrecognizedClientException" | "OptInRequired" => format!(
            "see whether account {account} is active and uses the region {}: choose another with `--region`",
            request.endpoint.region
        )
        .into(),
        _ => Advice::default(),
    }
}

impl Case<'_> {
    fn says(&self, words: &str) -> bool {
        self.refused.refusal.message.contains(words)
    }

    fn issuer(&self) -> &str {
        self.refused.claims.issuer.as_deref().unwrap_or("the token's issuer")
    }

    /// What STS takes for the audience: `azp`, where the token has one.
    fn audience(&self) -> &str {
        let claims = &self.refused.claims;
        let audience = claims.authorized_party.as_deref();
        audience.or(claims.audience.first().map(String::as_str)).unwrap_or("sts.amazonaws.com")
    }

    /// The identity provider that the role's account is to have.
    fn provider(&self) -> Option<OidcProvider> {
        let role = &self.request.role;
        OidcProvider::new(role.partition(), role.account(), self.issuer()).ok()
    }

    /// STS says the same of each cause, so that nobody can find out which roles there are.
    fn access_denied(&self) -> Advice {
        let role = &self.request.role;
        let (account, name) = (role.account(), role.name());
        let trust = self.provider().map(|provider| self.trust(&provider)).unwrap_or_default();
        let lets_in = if trust.is_empty() {
            ""
        } else {
            ", and lets this token in with a statement like `trust` above"
        };
        let hint = format!(
            "the usual causes: no role `{name}` in account {account}; a policy for another `sub` (upper and lower case and a final slash count) or `aud`; a `*` under StringEquals, which only StringLike takes\n\
             whoever administers account {account} finds the cause with `aws iam get-role --role-name {name} --output json | gp idp trust aws --check -`{lets_in}"
        );
        Advice { hint: Some(hint), trust }
    }

    /// A statement of the role's trust policy, on lines that fit a terminal.
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

    /// `InvalidIdentityToken`, which is many things; only the message tells which.
    fn token(&self) -> String {
        let (issuer, audience) = (self.issuer(), self.audience());
        let account = self.request.role.account();
        if self.says("No OpenIDConnect provider found") {
            return format!(
                "whoever administers account {account} has to create the identity provider for exactly this issuer: `aws iam create-open-id-connect-provider --url {} --client-id-list {}`",
                posix_quote(issuer),
                posix_quote(audience)
            );
        }
        if self.says("Incorrect token audience") {
            return self.wrong_audience(audience);
        }
        if self.says("retrieve verification key") {
            return format!(
                "AWS could not fetch the keys of {issuer} in time, which passes by when many ask at once: try again\nif it stays so: `{}` and the `jwks_uri` in it have to answer from the public internet, within 5 s",
                discovery(issuer)
            );
        }
        format!(
            "see what the token says: `gp idp token --audience {} --decode`; AWS asks for `iss`, `sub`, `aud`, `iat` and `exp` in whole seconds, signed with RS256 or ES256 (or 384, 512)",
            posix_quote(audience)
        )
    }

    fn wrong_audience(&self, audience: &str) -> String {
        let claims = &self.refused.claims;
        let account = self.request.role.account();
        if claims.audience.len() > 1 && claims.authorized_party.is_some() {
            return format!(
                "of several audiences AWS judges the first alone, as `azp`: put the one first that the identity provider in account {account} lists, usually `--audience sts.amazonaws.com`"
            );
        }
        let arn = self.provider().map_or_else(|| "ARN".to_owned(), |provider| provider.arn().to_owned());
        let usual = if audience == "sts.amazonaws.com" {
            "ask for an audience that it lists, with `--audience`".to_owned()
        } else {
            "ask for the usual one, `--audience sts.amazonaws.com`".to_owned()
        };
        format!(
            "the identity provider in account {account} does not list `{audience}`: {usual}\nor whoever administers account {account} adds it: `aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn {} --client-id {}`",
            posix_quote(&arn),
            posix_quote(audience)
        )
    }

    /// The token was minted a moment ago, so it is its times that are wrong, or its life is too short.
    fn expired(&self) -> String {
        let claims = &self.refused.claims;
        let life =
            claims.expires_at.zip(claims.issued_at).map(|(end, start)| end.as_second() - start.as_second());
        match (&self.refused.clocks.issuer, life) {
            (Some(difference), _) => format!(
                "the clock of {} is {difference} AWS: who runs it has to set it, a newer token does not help",
                self.issuer()
            ),
            (None, Some(seconds @ ..120)) => format!(
                "the token lives for {} only: have {} give its tokens a longer one",
                time::span(seconds.try_into().unwrap_or_default()),
                self.issuer()
            ),
            _ => "the token was fresh and its issuer's clock is right: try again, and give AWS support the request id if it stays so".to_owned(),
        }
    }

    fn region_disabled(&self) -> String {
        let request = self.request;
        let (account, region) = (request.role.account(), request.endpoint.region.as_str());
        let other = Partition::named(request.role.partition())
            .map(|partition| partition.implicit_region)
            .filter(|other| *other != region)
            .map_or_else(
                || "choose another with `--region`".to_owned(),
                |other| format!("use `--region {other}`"),
            );
        format!(
            "STS is off in {region} for account {account}: {other}, or activate {region} in the account settings of IAM"
        )
    }
}
