//! The configuration of the STS: its roles, issuers and faults.

use super::fault::AwsFault;
use crate::target::aws::iam::TrustPolicy;

/// The ARN of the first default role.
pub const DEV_ROLE: &str = "arn:aws:iam::123456789012:role/dev";
/// The ARN of the second default role, which the README and docs/ use.
pub const DOCS_ROLE: &str = "arn:aws:iam::123456789012:role/deploy";

/// The configuration of the local AWS.
#[derive(Debug, Clone)]
pub struct AwsOptions {
    /// The roles. Only their accounts have an identity provider for the workspace's issuer.
    pub roles: Vec<AwsRole>,
    /// The audiences that the identity providers list.
    pub client_ids: Vec<String>,
    /// Hosts and paths of the issuers, such as `app.gitpod.io`, that the workspace's issuer acts as in trust policies.
    /// If the list is empty, it acts only as itself.
    pub providers: Vec<String>,
    /// The faults to simulate: the first until its count is used up, then the next.
    pub faults: Vec<AwsFault>,
    /// `AWS_REGION` and `AWS_DEFAULT_REGION` of processes in the workspace.
    pub region: Option<String>,
    /// The maximum lifetime of credentials, in seconds; `None`: AWS's own rules.
    pub longest_session: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct AwsRole {
    pub arn: String,
    /// Its `MaxSessionDuration`, in seconds.
    pub max_session_duration: i64,
    /// Who may assume it; `None`: this workspace, with an audience in [`AwsOptions::client_ids`].
    pub trust_policy: Option<TrustPolicy>,
}

impl AwsRole {
    /// A role for this workspace, with sessions of up to 12 hours.
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
