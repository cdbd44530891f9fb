//! Decides whether a role may be assumed. The order of the checks is: provider, token, audience,
//! role, trust policy, duration.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::arn::RoleArn;
use super::form::Parameters;
use super::options::AwsOptions;
use super::refusal::Refusal;
use super::reply::Granted;
use super::token::{self, Issuer, Verified};
use crate::dev::hints::Hints;
use crate::target::aws::iam::{
    ASSUME_ROLE_WITH_WEB_IDENTITY, Context, OidcProvider, Request, TAG_SESSION, TrustPolicy,
};

/// The claim with the session tags.
const TAGS: &str = "https://aws.amazon.com/tags";

/// The issuer, and the subject that a role without a trust policy trusts.
pub(super) struct Workspace<'a> {
    pub(super) issuer: &'a str,
    pub(super) jwks: &'a Value,
    pub(super) subject: &'a str,
    pub(super) hints: &'a Hints,
}

/// Decides as AWS does: returns the grant, or AWS's error.
pub(super) fn authorize(
    options: &AwsOptions,
    workspace: &Workspace<'_>,
    asked: &Parameters<'_>,
    now: Timestamp,
) -> Result<Granted, Refusal> {
    let issuer = workspace.issuer;
    let role = &asked.role;
    let known = options.roles.iter().filter_map(|known| RoleArn::parse(&known.arn));
    let has_provider =
        known.into_iter().any(|known| (known.partition, known.account) == (role.partition, role.account));
    let trusted = has_provider.then_some(Issuer { url: issuer, jwks: workspace.jwks });
    let token = token::verify(asked.token, trusted, now.as_second())?;
    let Some(audience) = token.audience.iter().find(|audience| options.client_ids.contains(audience)) else {
        let known: Vec<&str> = options.client_ids.iter().map(String::as_str).collect();
        for audience in &token.audience {
            workspace.hints.on_unknown("AWS", "audience", audience, &known, "--aws-client-id");
        }
        return Err(Refusal::audience());
    };
    let Some(known) = options.roles.iter().find(|known| known.arn == role.text) else {
        let known: Vec<&str> = options.roles.iter().map(|role| role.arn.as_str()).collect();
        workspace.hints.on_unknown("AWS", "role", role.text, &known, "--aws-role");
        return Err(Refusal::access_denied());
    };
    let issuers = match options.providers.as_slice() {
        [] => vec![issuer.to_owned()],
        names => names.iter().map(|name| format!("https://{name}")).collect(),
    };
    // The local issuer acts as each of these issuers. It is enough if the trust policy trusts one of them.
    let mut trusted = false;
    for issuer in issuers {
        let provider =
            OidcProvider::new(role.partition, role.account, &issuer).map_err(|_| Refusal::internal())?;
        trusted |= if let Some(policy) = &known.trust_policy {
            trusts(policy, &provider, &token, asked, now)
        } else {
            let policy = own_policy(&provider, &options.client_ids, workspace.subject);
            trusts(&policy.ok_or_else(Refusal::internal)?, &provider, &token, asked, now)
        };
    }
    if !trusted {
        if known.trust_policy.is_some() {
            workspace.hints.on_trust_policy();
        }
        return Err(Refusal::access_denied());
    }
    if asked.duration > known.max_session_duration {
        return Err(Refusal::duration());
    }
    Ok(Granted { audience: audience.clone(), provider: issuer.to_owned(), subject: token.subject })
}

fn trusts(
    policy: &TrustPolicy,
    provider: &OidcProvider,
    token: &Verified,
    asked: &Parameters<'_>,
    now: Timestamp,
) -> bool {
    let context = Context::of_token(provider, &token.claims).of_call(asked.session_name, now);
    let may = |action| policy.evaluate(&Request { provider, action, context: &context }).allowed();
    may(ASSUME_ROLE_WITH_WEB_IDENTITY) && (token.claims.get(TAGS).is_none() || may(TAG_SESSION))
}

/// The trust policy of a role that trusts one subject.
fn own_policy(provider: &OidcProvider, audiences: &[String], subject: &str) -> Option<TrustPolicy> {
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"Federated": provider.arn()},
            "Action": ASSUME_ROLE_WITH_WEB_IDENTITY,
            "Condition": {"StringEquals": {provider.key("aud"): audiences, provider.key("sub"): subject}},
        }],
    });
    TrustPolicy::parse(&policy.to_string()).ok()
}
