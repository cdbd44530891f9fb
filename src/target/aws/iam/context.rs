//! The condition keys of a request, and their values.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::json::Json;

/// The claims that become condition keys for every issuer.
const CLAIMS: [&str; 5] = ["aud", "oaud", "sub", "amr", "email"];

/// Parts of the names of issuers for which more claims have become keys since January 2026.
const ISSUERS_WITH_MORE_CLAIMS: [&str; 4] =
    ["accounts.google.com", "oidc.circleci.com", "oraclecloud.com", "token.actions.githubusercontent.com"];

/// The key of the role session name, which the caller chooses.
pub const SESSION_NAME: &str = "sts:RoleSessionName";

/// Keys that every call has or may have, and that do not come from the token.
const CALL_KEYS: [&str; 12] = [
    "aws:currenttime",
    "aws:epochtime",
    "aws:referer",
    "aws:requestedregion",
    "aws:securetransport",
    "aws:sourceip",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:useragent",
    "aws:viaawsservice",
    "aws:vpcsourceip",
    "sts:rolesessionname",
];

/// Keys that come from claims under `https://aws.amazon.com/`, beside `aws:RequestTag/…`.
const SPECIAL_CLAIM_KEYS: [&str; 3] = ["aws:tagkeys", "sts:sourceidentity", "sts:transitivetagkeys"];

/// The IAM OIDC identity provider for an issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcProvider {
    arn: String,
    name: String,
}

/// An issuer for which IAM cannot have a provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "IAM cannot have a provider for the issuer `{0}`: IAM requires a URL without a query, such as `https://app.gitpod.io`"
)]
pub struct IssuerError(String);

impl OidcProvider {
    /// The provider in an account for the tokens whose `iss` is `issuer`.
    ///
    /// A path and a final slash are part of its name: for IAM, `https://x.example` and
    /// `https://x.example/` are two issuers.
    pub fn new(partition: &str, account: &str, issuer: &str) -> Result<Self, IssuerError> {
        let name = issuer.strip_prefix("https://").or_else(|| issuer.strip_prefix("http://"));
        let plain = |c: char| !matches!(c, '?' | '#') && !c.is_whitespace() && !c.is_control();
        match name {
            Some(name) if !name.is_empty() && !name.starts_with('/') && name.chars().all(plain) => Ok(Self {
                arn: format!("arn:{partition}:iam::{account}:oidc-provider/{name}"),
                name: name.to_owned(),
            }),
            _ => Err(IssuerError(issuer.to_owned())),
        }
    }

    /// The value of `Principal.Federated`.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// Host and path, the prefix of its condition keys.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key of a claim, such as `app.gitpod.io:sub`.
    pub fn key(&self, claim: &str) -> String {
        format!("{}:{claim}", self.name)
    }
}

/// Condition keys and their values. The names of keys are case-insensitive.
#[derive(Debug, Clone, Default)]
pub struct Context {
    provider: Option<String>,
    keys: BTreeMap<String, Vec<String>>,
}

/// Why a key is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Absence {
    /// The token lacks the claim.
    NoClaim,
    /// The token may have the claim, but IAM makes keys of only a few claims.
    NotPassedOn,
    /// The key `azp`: IAM fills `aud` from this claim instead.
    AuthorizedParty,
    /// The key belongs to another issuer.
    OtherIssuer,
    /// A call with a token has no such key.
    NotOfThisCall,
    /// The call has it or may have it, but its value is not known here.
    NotKnownHere,
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoClaim => "the token has no such claim",
            Self::NotPassedOn => {
                "IAM has no key for this claim: for this issuer it has only aud, oaud, sub, email and amr"
            }
            Self::AuthorizedParty => {
                "IAM has no key `azp`: it fills `aud` from the token's `azp`, and `oaud` from its `aud`"
            }
            Self::OtherIssuer => "the key belongs to another issuer",
            Self::NotOfThisCall => "a call with a token has no such key",
            Self::NotKnownHere => "the call may have this key, and its value is not known here",
        })
    }
}

impl Context {
    /// The keys of a call with a token of this provider's issuer.
    pub fn of_token(provider: &OidcProvider, claims: &Json) -> Self {
        let claim = |name: &str| claims.get(name).map(strings).unwrap_or_default();
        let mut context = Self { provider: Some(provider.name.to_lowercase()), keys: BTreeMap::new() };
        for name in ["sub", "amr", "email"] {
            context.insert(&provider.key(name), claim(name));
        }
        // If the token has `azp`, IAM fills `aud` from it. `oaud` always has the token's `aud`.
        let (azp, aud) = (claim("azp"), claim("aud"));
        context.insert(&provider.key("aud"), if azp.is_empty() { aud.clone() } else { azp });
        context.insert(&provider.key("oaud"), aud);

        context.insert("sts:SourceIdentity", claim("https://aws.amazon.com/source_identity"));
        if let Some(tags) = claims.get("https://aws.amazon.com/tags") {
            if let Some(Json::Object(tags)) = tags.get("principal_tags") {
                context.insert("aws:TagKeys", tags.iter().map(|(name, _)| name.clone()).collect());
                for (name, value) in tags {
                    context.insert(&format!("aws:RequestTag/{name}"), strings(value));
                }
            }
            let transitive = tags.get("transitive_tag_keys").map(strings).unwrap_or_default();
            context.insert("sts:TransitiveTagKeys", transitive);
        }
        context
    }

    /// Adds the keys of the call itself: the session name, the time, and TLS, which STS requires.
    pub fn of_call(self, session_name: &str, now: Timestamp) -> Self {
        self.with(SESSION_NAME, &[session_name])
            .with("aws:CurrentTime", &[&now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()])
            .with("aws:EpochTime", &[&now.as_second().to_string()])
            .with("aws:SecureTransport", &["true"])
    }

    /// Adds a key that does not come from the token.
    pub fn with(mut self, key: &str, values: &[&str]) -> Self {
        self.insert(key, values.iter().map(|&value| value.to_owned()).collect());
        self
    }

    /// The values of a key, at least one; `None` if the key is missing.
    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.keys.get(&key.to_lowercase()).map(Vec::as_slice)
    }

    /// Why a key is missing.
    pub fn absence(&self, key: &str) -> Absence {
        let key = key.to_lowercase();
        // The resource is the role. Its tags and the organisation of its account are not known here.
        let is_role_key = ["aws:resource", "iam:resourcetag/"].iter().any(|start| key.starts_with(start));
        if is_role_key || CALL_KEYS.contains(&key.as_str()) {
            return Absence::NotKnownHere;
        }
        if SPECIAL_CLAIM_KEYS.contains(&key.as_str()) || key.starts_with("aws:requesttag/") {
            return Absence::NoClaim;
        }
        let (issuer, claim) = key.rsplit_once(':').unwrap_or(("", &key));
        if self.provider.as_deref() == Some(issuer) {
            let more = ISSUERS_WITH_MORE_CLAIMS.iter().any(|name| issuer.contains(name));
            return match claim {
                "azp" => Absence::AuthorizedParty,
                _ if CLAIMS.contains(&claim) => Absence::NoClaim,
                _ if more => Absence::NotKnownHere,
                _ => Absence::NotPassedOn,
            };
        }
        // The prefix of a service is one word. The prefix of an issuer has a host.
        let of_aws = ["aws:", "iam:", "sts:"].iter().any(|service| key.starts_with(service));
        if !of_aws && issuer.contains(['.', '/', ':']) {
            Absence::OtherIssuer
        } else {
            Absence::NotOfThisCall
        }
    }

    fn insert(&mut self, key: &str, values: Vec<String>) {
        if !values.is_empty() {
            self.keys.insert(key.to_lowercase(), values);
        }
    }
}

/// The values of a claim, which is one string or a list; numbers and booleans as they are written.
fn strings(claim: &Json) -> Vec<String> {
    match claim {
        Json::Array(items) => items.iter().flat_map(strings).collect(),
        Json::Scalar(text) if text != "null" => vec![claim.as_str().unwrap_or_else(|| text.clone())],
        Json::Scalar(_) | Json::Object(_) => Vec::new(),
    }
}
