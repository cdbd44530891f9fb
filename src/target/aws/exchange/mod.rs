//! AWS: `AssumeRoleWithWebIdentity` at the Security Token Service, an unsigned form POST.
//!
//! Source: the STS API reference, "AssumeRoleWithWebIdentity". No AWS SDK: about 185 crates for one request
//! that needs no signature.

pub mod endpoint;
pub mod partition;
pub mod policies;
mod refusal;
pub mod role;
pub mod session;
mod wire;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use self::endpoint::Endpoint;
use self::policies::SessionPolicies;
use self::role::RoleArn;
use self::session::{RoleSessionName, SessionDuration};
use crate::exchange::{Exchange, ExchangeError, Judged, ask};
use crate::http::{Call, Http};
use crate::jwt::IdToken;
use crate::secret::Secret;

/// Everything that STS is asked for, checked before any request.
#[derive(Debug, Clone)]
pub struct AssumeRole {
    /// Where STS is.
    pub endpoint: Endpoint,
    /// The role.
    pub role: RoleArn,
    /// The role session name; none for one made of workspace and time.
    pub session_name: Option<RoleSessionName>,
    /// How long the credentials live.
    pub duration: SessionDuration,
    /// What narrows the role.
    pub policies: SessionPolicies,
    /// How often a request is sent at most, where that is set.
    pub max_attempts: Option<u32>,
}

/// Short-lived credentials of an assumed role.
#[derive(Debug, Clone, Deserialize)]
pub struct AwsCredentials {
    /// `ASIA…`
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: Secret,
    /// The session token.
    pub session_token: Secret,
    /// When they were asked for.
    pub obtained_at: Timestamp,
    /// When they end.
    pub expires_at: Timestamp,
    /// `arn:aws:sts::<account>:assumed-role/<role>/<session>`
    pub assumed_role_arn: String,
    /// The account they are for.
    pub account: String,
}

impl AwsCredentials {
    /// From when on they are to be renewed: 20 minutes ahead of their end, because SDKs ask again for what has
    /// less than 15 minutes left, but not before two thirds of their life are over.
    #[must_use]
    pub fn renew_at(&self) -> Timestamp {
        let life = self.expires_at.duration_since(self.obtained_at);
        let ahead = (life / 3).min(SignedDuration::from_mins(20));
        self.expires_at.saturating_sub(ahead).unwrap_or(self.expires_at)
    }

    /// Whether they may still be handed out: not yet to be renewed, and not from a future that a clock set
    /// back has made of the past.
    #[must_use]
    pub fn are_fresh(&self, now: Timestamp) -> bool {
        self.obtained_at <= now && now < self.renew_at()
    }
}

/// STS, for one role.
pub struct Sts<'a> {
    http: &'a Http<'a>,
    request: &'a AssumeRole,
}

impl<'a> Sts<'a> {
    /// Nothing is sent yet.
    #[must_use]
    pub fn new(http: &'a Http<'a>, request: &'a AssumeRole) -> Self {
        Self { http, request }
    }

    /// The name that was asked for, or `<workspace id>-<unix seconds>`, as the original names its sessions.
    fn session_name(&self, token: &IdToken) -> RoleSessionName {
        let default = || {
            let workspace = token.claims().as_claimed().workspace_id.as_deref().unwrap_or("workspace");
            let now = u64::try_from(self.http.ctx().now().as_second()).unwrap_or_default();
            RoleSessionName::from_parts(workspace, now)
        };
        self.request.session_name.clone().unwrap_or_else(default)
    }

    /// What STS gave, if it is for the account that was asked for.
    fn accept(&self, role: wire::AssumedRole, token: &IdToken) -> Result<AwsCredentials, ExchangeError> {
        let arn = role.user.arn;
        let account = arn.split(':').nth(4).unwrap_or_default().to_owned();
        if account != self.request.role.account() {
            return Err(ExchangeError::WrongCredential {
                target: self.target(),
                what: format!("credentials for account {account}, which were not kept"),
                judged: Box::new(Judged::of(token).with("role", self.request.role.as_str())),
                hint: format!(
                    "what answers is not the STS of the role's account: check {}",
                    self.request.endpoint.url_from.join(", ")
                ),
            });
        }
        let expiration = role.credentials.expiration;
        Ok(AwsCredentials {
            access_key_id: role.credentials.access_key_id,
            secret_access_key: role.credentials.secret_access_key,
            session_token: role.credentials.session_token,
            obtained_at: self.http.ctx().now(),
            // Whole seconds, as AWS writes them: not every reader takes a fraction.
            expires_at: Timestamp::from_second(expiration.as_second()).unwrap_or(expiration),
            assumed_role_arn: arn,
            account,
        })
    }
}

impl Exchange for Sts<'_> {
    type Credential = AwsCredentials;

    fn target(&self) -> String {
        format!("AWS STS ({})", crate::http::origin(&self.request.endpoint.url))
    }

    async fn exchange(&self, token: &IdToken) -> Result<AwsCredentials, ExchangeError> {
        let form = wire::form(self.request, &self.session_name(token), token);
        let call = Call::post(self.request.endpoint.url.clone(), form)
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            .header("accept", "text/xml");
        match ask(self.http, &call, &self.target(), wire::read).await? {
            Ok(role) => self.accept(*role, token),
            Err((refusal, reply)) => Err(refusal::explain(self, &refusal, &reply, token)),
        }
    }
}
