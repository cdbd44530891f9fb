//! Google's [Security Token Service](sts) and [IAM Service Account Credentials API](iam), as far as Workload
//! Identity Federation needs them: one provider that trusts the issuer, and service accounts that its subjects
//! may impersonate.

mod iam;
mod sts;

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::routing::post;
use jiff::Timestamp;

use super::State;
use super::relying_party::{PreparedReply, RecordedRequest, Recorder};

/// The paths of the services, below the API's address.
pub(super) const STS: &str = "/gcp/sts/";
pub(super) const IAM: &str = "/gcp/iamcredentials/";

/// The configuration of the local Google Cloud.
#[derive(Debug, Clone)]
pub struct GcpOptions {
    /// The full resource name of the provider.
    pub provider: String,
    /// The audiences that the provider accepts. If the list is empty, it accepts its default audiences.
    pub allowed_audiences: Vec<String>,
    /// The `sub` that the attribute condition requires; `None`: there is no condition.
    pub condition_subject: Option<String>,
    /// The service accounts that exist.
    pub service_accounts: Vec<String>,
    /// Whether the subject may impersonate them.
    pub may_impersonate: bool,
    /// How long federated tokens live, in seconds.
    pub federated_lifetime: i64,
    /// The maximum lifetime of a service account's access token, in seconds; `None`: Google's own
    /// rules.
    pub longest_lifetime: Option<i64>,
    /// Prepared replies. Each is returned once, instead of checking the request.
    pub prepared_replies: Vec<PreparedReply>,
}

impl GcpOptions {
    /// The audiences that the provider accepts.
    pub(super) fn audiences(&self) -> Vec<String> {
        match self.allowed_audiences.as_slice() {
            [] => ["https:", ""].map(|scheme| format!("{scheme}{}{}", sts::HOST, self.provider)).into(),
            allowed => allowed.to_vec(),
        }
    }
}

impl Default for GcpOptions {
    fn default() -> Self {
        Self {
            provider: "projects/123456789012/locations/global/workloadIdentityPools/gitpod/providers/gitpod"
                .into(),
            allowed_audiences: Vec::new(),
            condition_subject: None,
            service_accounts: vec!["deploy@example-project.iam.gserviceaccount.com".into()],
            may_impersonate: true,
            federated_lifetime: 3600,
            longest_lifetime: None,
            prepared_replies: Vec::new(),
        }
    }
}

pub(super) struct Google {
    recorder: Recorder,
    issued: Mutex<Vec<Federated>>,
}

/// An access token that the token exchange issued.
#[derive(Clone)]
struct Federated {
    text: String,
    subject: String,
    scopes: String,
    end: Timestamp,
}

impl Google {
    pub(super) fn new(options: &GcpOptions) -> Self {
        Self { recorder: Recorder::new(&options.prepared_replies), issued: Mutex::default() }
    }

    pub(super) fn requests(&self) -> Vec<RecordedRequest> {
        self.recorder.requests()
    }

    fn store(&self, token: Federated) {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner).push(token);
    }

    /// The federated token with this text, if the exchange issued it and it has not expired.
    fn find(&self, text: &str, now: Timestamp) -> Option<Federated> {
        let given = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        given.iter().find(|token| token.text == text && token.end > now).cloned()
    }
}

pub(super) fn routes(state: Arc<State>) -> Router {
    Router::new()
        .route("/gcp/sts/v1/token", post(sts::exchange))
        .route("/gcp/sts/v1/introspect", post(sts::introspect))
        .route("/gcp/iamcredentials/v1/projects/-/serviceAccounts/{method}", post(iam::impersonate))
        .with_state(state)
}
