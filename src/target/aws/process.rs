//! The cache of `--format process`: one entry per request and token source.

use jiff::Timestamp;

use super::exchange::AwsCredentials;
use super::exchange::role::RoleArn;
use super::{AssumeRole, Aws};
use crate::error::Failure;
use crate::session::Session;
use crate::single_flight::{Answer, CachedCredential, SingleFlight};
use crate::target::Target;

impl CachedCredential for AwsCredentials {
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.are_fresh(now)
    }

    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// The cached credentials if they are fresh, else new credentials, which are then cached. With `no_cache`, always new
/// credentials.
pub(super) async fn obtain(
    no_cache: bool,
    session: &Session<'_>,
    request: &AssumeRole,
) -> Result<AwsCredentials, Failure> {
    let get = async || super::obtain(session, request).await;
    let Some(entry) = (if no_cache { None } else { cache_entry(session, request) }) else {
        return get().await;
    };
    Ok(
        match entry
            .obtain(|| Aws::action(request), |cached| request.accepts_account(&cached.account), get)
            .await?
        {
            Answer::New(new) => new,
            Answer::Cached(cached) => {
                session.use_cached_access(Aws::access(request, Some(&cached)));
                cached
            }
        },
    )
}

fn cache_entry<'a>(session: &'a Session<'a>, request: &AssumeRole) -> Option<SingleFlight<'a>> {
    let duration = request.duration.seconds().to_string();
    let token = &request.token;
    let parts = [
        "aws",
        request.endpoint.url.as_str(),
        request.role.as_ref().map_or("", RoleArn::as_str),
        &duration,
        request.session_name.as_ref().map_or("", |name| name.as_str()),
        token.scope.as_deref().unwrap_or_default(),
        request.policies.inline().unwrap_or_default(),
    ];
    let authorities =
        request.ca_bundle.as_ref().map_or(String::new(), |(_, path)| path.display().to_string());
    let accounts = request.allowed_accounts.join(",");
    let failure_key_parts = [format!("{:?}", request.max_attempts), authorities, accounts];
    SingleFlight::open(session, &parts, &[&token.audiences, request.policies.arns()], &failure_key_parts)
}
