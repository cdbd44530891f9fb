//! Each refusal of STS as its cause and the one thing that mends it (facts: the API reference's error list,
//! and what is known of the messages that it does not list).

use super::Sts;
use super::wire::StsError;
use crate::exchange::{Exchange, ExchangeError, Judged};
use crate::http::Reply;
use crate::jwt::IdToken;
use crate::time;

/// From this many seconds on, a difference of clocks is worth a word.
const SKEW: i64 = 30;

/// Puts the refusal into words.
pub(super) fn explain(sts: &Sts<'_>, error: &StsError, reply: &Reply, token: &IdToken) -> ExchangeError {
    let said = words(error, reply.status);
    let target = sts.target();
    if error.may_pass(reply.status)
        && error.code != "InvalidIdentityToken"
        && error.code != "IDPCommunicationError"
    {
        let hint = "try again later, or give it more time with `--timeout 2m`".into();
        return ExchangeError::Unavailable { target, said, hint };
    }
    let mut judged =
        Judged::of(token).with("role", sts.request.role.as_str()).with("account", sts.request.role.account());
    let skew = reply.date().map(|date| date.as_second() - sts.http.ctx().now().as_second());
    let skew = skew.filter(|seconds| seconds.abs() > SKEW);
    if let Some(seconds) = skew {
        judged = judged.with("clock", describe_skew(seconds));
    }
    let hint = hint(sts, error, token, skew.is_some());
    ExchangeError::Rejected {
        target,
        said,
        judged: Box::new(judged),
        hint,
        stale: error.wants_a_fresh_token(),
    }
}

fn words(error: &StsError, status: u16) -> String {
    let mut details = vec![error.code.clone(), format!("HTTP {status}")];
    if !error.request_id.is_empty() {
        details.push(format!("request {}", error.request_id));
    }
    details.retain(|detail| !detail.is_empty());
    let details = details.join(", ");
    if error.message.is_empty() { details } else { format!("{} ({details})", error.message) }
}

fn describe_skew(seconds: i64) -> String {
    let size = time::span(seconds.unsigned_abs());
    format!("this machine is {size} {} AWS", if seconds > 0 { "behind" } else { "ahead of" })
}

fn hint(sts: &Sts<'_>, error: &StsError, token: &IdToken, skewed: bool) -> Option<String> {
    let claims = token.claims().as_claimed();
    let issuer = claims.issuer.as_deref().unwrap_or("the token's issuer");
    // When there is an `azp`, STS judges it in place of `aud`.
    let audience = claims.authorized_party.as_deref().or(claims.audience.first().map(String::as_str));
    let audience = audience.unwrap_or("sts.amazonaws.com");
    let role = &sts.request.role;
    let account = role.account();
    let duration = sts.request.duration.seconds();
    let message = error.message.as_str();
    Some(match error.code.as_str() {
        "AccessDenied" | "AccessDeniedException" => {
            let provider = issuer.trim_start_matches("https://").trim_start_matches("http://");
            let subject = claims.subject.as_deref().unwrap_or_default();
            format!(
                "check that the role exists in account {account} and that its trust policy lets this token in (upper and lower case count): \
                 Action `sts:AssumeRoleWithWebIdentity`, Principal `{{\"Federated\": \"arn:{}:iam::{account}:oidc-provider/{provider}\"}}`, \
                 Condition `{{\"StringEquals\": {{\"{provider}:aud\": \"{audience}\", \"{provider}:sub\": \"{subject}\"}}}}`",
                role.partition(),
            )
        }
        "InvalidIdentityToken" if message.contains("No OpenIDConnect provider found") => format!(
            "create an IAM OIDC identity provider in account {account} whose URL is exactly `{issuer}`: `aws iam create-open-id-connect-provider --url {issuer} --client-id-list {audience}`"
        ),
        "InvalidIdentityToken" if message.contains("Incorrect token audience") => format!(
            "the identity provider in account {account} does not list `{audience}`: ask for a listed one with `--audience`, or add it with `aws iam add-client-id-to-open-id-connect-provider`"
        ),
        "InvalidIdentityToken" if message.contains("retrieve verification key") => format!(
            "AWS could not fetch the keys of {issuer} in time: its discovery and JWKS have to be public and quick; if they are, try again"
        ),
        "InvalidIdentityToken" => "compare the claims above with what AWS asks for: `iss`, `sub`, `aud`, `iat` and `exp`, signed with RS256 or ES256".into(),
        "IDPCommunicationError" => format!(
            "AWS could not reach {issuer}: its discovery document and JWKS have to be on the public internet; if they are, try again"
        ),
        "ExpiredTokenException" | "ExpiredToken" if skewed => {
            "set the clock of this machine: the token is fresh, and only its times are wrong".into()
        }
        "ExpiredTokenException" | "ExpiredToken" => {
            "the token was fresh and is too old for AWS all the same: compare the clock of the issuer with that of AWS".into()
        }
        "IDPRejectedClaim" => format!("{issuer} does not stand by this token: check there whether the workspace or its user was removed"),
        "ValidationError" if message.contains("MaxSessionDuration") => format!(
            "ask for less than {} s with `--duration-seconds 3600`, or raise the role's limit: `aws iam update-role --role-name {} --max-session-duration {}`",
            duration,
            role.name(),
            duration
        ),
        "ValidationError" => "the message names the value that STS does not take: check the flag that sets it".into(),
        "MalformedPolicyDocument" | "MalformedPolicyDocumentException" => {
            "check the JSON of `--policy`; it is a session policy, without a Principal".into()
        }
        "PackedPolicyTooLarge" | "PackedPolicyTooLargeException" => {
            "shorten `--policy`, or give fewer `--policy-arn`".into()
        }
        "RegionDisabledException" => format!(
            "STS is not activated in this region for account {account}: choose another with `--region`, or activate it in the account settings of IAM"
        ),
        _ => return None,
    })
}
