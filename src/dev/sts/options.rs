//! What the STS knows of roles and issuers, and how it behaves.

use super::fault::AwsFault;
use crate::target::aws::iam::TrustPolicy;

/// The ARN of the role that is there unless others are asked for.
pub const DEV_ROLE: &str = "arn:aws:iam::123456789012:role/dev";
/// The ARN of the role that the README and docs/ use, which is there as well.
pub const DOCS_ROLE: &str = "arn:aws:iam::123456789012:role/deploy";

/// The part of AWS that the STS of a local workspace looks at.
#[derive(Debug, Clone)]
pub struct AwsOptions {
    /// The roles. Their accounts have an identity provider for the workspace's issuer, all others have none.
    pub roles: Vec<AwsRole>,
    /// The audiences that the identity providers list.
    pub client_ids: Vec<String>,
    /// Hosts and paths of the issuers, such as `app.gitpod.io`, that the workspace's issuer acts as in trust policies.
    /// If the list is empty, it acts only as itself.
    pub providers: Vec<String>,
    /// What is answered without a judgement: the first until its count is used up, then the next.
    pub faults: Vec<AwsFault>,
    /// The region that processes inside find set.
    pub region: Option<String>,
    /// The most seconds that credentials live, whatever was asked for; none for AWS's own rules.
    pub longest_session: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct AwsRole {
    pub arn: String,
    /// Its `MaxSessionDuration`, in seconds.
    pub max_session_duration: i64,
    /// Who may assume it; none for this workspace with an audience of [`AwsOptions::client_ids`].
    pub trust_policy: Option<TrustPolicy>,
}

impl AwsRole {
    /// A role for this workspace, for up to 12 hours.
    pub fn new(arn: &str) -> Self {
        Self { arn: arn.to_owned(), max_session_duration: 43200, trust_policy: None }
    }
}

impl Default for AwsOptions {
    fn default() -> Self {
        Self {
            roles: [DEV_ROLE, DOCS_ROLE].map(AwsRole::new).into(),
            client_ids: vec!["sts.amazonaws.com".into()],
            providers: Vec::new(),
            faults: Vec::new(),
            region: None,
            longest_session: None,
        }
    }
}
