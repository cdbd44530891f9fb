//! AWS: `AssumeRoleWithWebIdentity` at the Security Token Service, an unsigned form POST.
//!
//! Source: the STS API reference, "AssumeRoleWithWebIdentity". The AWS SDK is not used, because it
//! adds about 185 crates for one request that needs no signature.

pub mod endpoint;
mod hint;
pub mod partition;
pub mod policies;
pub mod role;
pub mod session;
mod wire;

use std::iter;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use self::role::RoleArn;
use self::session::RoleSessionName;
use self::wire::StsError;
use super::AssumeRole;
use crate::exchange::{
    AddressSettings, Answer, CheckedValues, ErrorText, ExchangeError, Explanation, Refused, Service, ask,
};
use crate::http::{Call, Http, Reply, UnexpectedReply};
use crate::jwt::IdToken;
use crate::secret::Secret;
use crate::time::{ClockDifference, clock_difference};

/// Short-lived credentials of an assumed role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AwsCredentials {
    /// `ASIA…`
    pub access_key_id: String,
    #[serde(serialize_with = "Secret::serialize_revealed")]
    pub secret_access_key: Secret,
    #[serde(serialize_with = "Secret::serialize_revealed")]
    pub session_token: Secret,
    /// When the reply arrived, on this machine's clock.
    pub obtained_at: Timestamp,
    pub expires_at: Timestamp,
    /// When AWS issued them, by its own clock, if known. Not cached.
    #[serde(skip)]
    pub issued_at: Option<Timestamp>,
    /// `arn:aws:sts::<account>:assumed-role/<role>/<session>`
    pub assumed_role_arn: String,
    /// The id of their account; empty if the service names none.
    pub account: String,
}

impl AwsCredentials {
    /// When the credentials have to be renewed: 20 minutes before they expire, because SDKs ask for new credentials
    /// when less than 15 minutes are left, but not before half of the lifetime has passed.
    pub fn renew_at(&self) -> Timestamp {
        let life = self.expires_at.duration_since(self.obtained_at);
        let ahead = (life / 2).min(SignedDuration::from_mins(20));
        self.expires_at.saturating_sub(ahead).unwrap_or(self.expires_at)
    }

    /// The difference between the clocks of this machine and of AWS, if it is large enough to
    /// report.
    pub(super) fn clock_difference(&self) -> Option<ClockDifference> {
        self.issued_at.and_then(|at| clock_difference(self.obtained_at, at))
    }

    /// Whether the credentials may still be handed out: their renewal is not due, and `obtained_at` is not in the
    /// future, as it is after the clock was set back.
    pub fn are_fresh(&self, now: Timestamp) -> bool {
        self.obtained_at <= now && now < self.renew_at()
    }
}

/// STS, for one role.
pub(super) struct Sts<'a>(pub(super) &'a AssumeRole);

impl Sts<'_> {
    pub(super) async fn assume_role(
        &self,
        token: &IdToken,
        http: &Http<'_>,
    ) -> Result<AwsCredentials, ExchangeError> {
        let now = http.ctx().now();
        let form = &mut wire::form(self.0, &self.session_name(token, now), token);
        let call = Call::post_form(self.0.endpoint.url.clone(), form)
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            .header("accept", "text/xml");
        let role = ask(self, Ok(call), token, http).await?;
        self.accept(role, token, http.ctx().now())
    }

    /// The requested name, or `<workspace or job>-<unix seconds>`, as in the original `gp`.
    fn session_name(&self, token: &IdToken, now: Timestamp) -> RoleSessionName {
        let default = || RoleSessionName::of_workload(token.workload(), now);
        self.0.session_name.clone().unwrap_or_else(default)
    }

    /// The credentials in the reply, if they are for an accepted account.
    fn accept(
        &self,
        role: wire::AssumedRole,
        token: &IdToken,
        now: Timestamp,
    ) -> Result<AwsCredentials, ExchangeError> {
        let arn = role.user.arn;
        let account = arn.split(':').nth(4).unwrap_or_default().to_owned();
        if !self.0.accepts_account(&account) {
            return Err(ExchangeError::WrongCredential {
                target: self.name(),
                what: match account.as_str() {
                    "" => "credentials without an account, which were not kept".to_owned(),
                    account => format!("credentials for account {account}, which were not kept"),
                },
                checked_values: Box::new(CheckedValues::of(token).with("role", self.0.role_name())),
                hint: format!(
                    "the server that answered is not the STS of the role's account: correct {}",
                    self.0.endpoint.url_settings().join(" or ")
                ),
            });
        }
        let expiration = role.credentials.expiration;
        Ok(AwsCredentials {
            access_key_id: role.credentials.access_key_id.reveal().to_owned(),
            secret_access_key: role.credentials.secret_access_key,
            session_token: role.credentials.session_token,
            obtained_at: now,
            issued_at: role.date,
            // Whole seconds, as AWS writes them, because not every tool parses a fraction.
            expires_at: Timestamp::from_second(expiration.as_second()).unwrap_or(expiration),
            assumed_role_arn: arn,
            account,
        })
    }
}

impl Service for Sts<'_> {
    type Issued = wire::AssumedRole;
    type Refusal = StsError;
    const SHORT_NAME: &'static str = "AWS";
    const FORMAT: &'static str = "XML";

    fn name(&self) -> String {
        format!("AWS STS ({})", self.0.endpoint.url.origin())
    }

    fn address_settings(&self) -> AddressSettings {
        let default = Some("the region's own endpoint");
        // `url_from` may hold the settings of a region, which lead only to AWS. For another host it holds the setting of
        // the URL.
        match self.0.endpoint.url_from.first() {
            Some(setting) if !self.0.endpoint.is_of_aws() => AddressSettings::in_use(setting, default),
            _ => AddressSettings::any_of(
                "`--endpoint-url`, `AWS_ENDPOINT_URL_STS` or `AWS_ENDPOINT_URL`",
                default,
            ),
        }
    }

    fn read(
        &self,
        reply: &Reply,
        _: Timestamp,
    ) -> Result<Answer<wire::AssumedRole, StsError>, UnexpectedReply> {
        wire::read(reply)
    }

    /// Failures of STS itself, and failures of STS to reach the issuer. One message of
    /// `InvalidIdentityToken` is among them: STS could not fetch the issuer's keys in time.
    fn is_transient(&self, error: &StsError, status: u16) -> bool {
        !matches!(status, 429 | 502..=504)
            && (error.is_sts_unavailable(status) || error.is_issuer_unreachable())
    }

    fn is_throttled(&self, error: &StsError) -> bool {
        error.is_throttled()
    }

    fn is_unavailable(&self, error: &StsError, status: u16) -> bool {
        error.is_sts_unavailable(status)
    }

    fn words(&self, error: &StsError) -> ErrorText {
        let id =
            if error.request_id.is_empty() { String::new() } else { format!("request {}", error.request_id) };
        ErrorText { message: error.message.clone(), codes: vec![error.code.clone(), id] }
    }

    fn explain(&self, refused: &Refused<'_, StsError>) -> Explanation {
        let role = self.0.role.as_ref();
        let mut checked_values = vec![("role", self.0.role_name().to_owned())];
        let account = role.map(RoleArn::account).filter(|account| !account.is_empty());
        checked_values.extend(account.map(|account| ("account", account.to_owned())));
        let advice = hint::advice(self.0, refused);
        let names = iter::once("trust").chain(iter::repeat(""));
        checked_values.extend(names.zip(advice.trust));
        Explanation { checked_values, hint: advice.hint, needs_new_token: refused.refusal.needs_new_token() }
    }
}

/// The credentials in a reply (secret, token, ARN) or the refusal (code, message, request), for the fuzz targets.
#[cfg(fuzzing)]
pub(crate) fn read(reply: &Reply) -> Result<Result<[String; 3], [String; 3]>, UnexpectedReply> {
    Ok(match wire::read(reply)? {
        Answer::Issued(wire::AssumedRole { credentials, user, .. }) => {
            let [secret, token] = [&credentials.secret_access_key, &credentials.session_token];
            let [secret, token] = [secret, token].map(|text| text.reveal().to_owned());
            Ok([secret, token, user.arn])
        }
        Answer::Refused(error) => Err([error.code, error.message, error.request_id]),
    })
}
