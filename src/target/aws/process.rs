//! What `--format process` keeps between calls.
//!
//! SDKs run a credential process for every command, and within one command whenever little life is left. A hit
//! reads one file; on a miss one process asks and the others wait for it, be it for a failure.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::exchange::AwsCredentials;
use super::exchange::role::RoleArn;
use super::{AssumeRole, Aws};
use crate::error::{CouldNot, Failure};
use crate::http::Deadline;
use crate::session::Session;
use crate::sink::cache::{Cache, Key};
use crate::sink::shared_failure::SharedFailure;
use crate::target::Target;

/// The least life that credentials are handed out with if no new ones can be obtained, in seconds.
const LAST_RESORT: i64 = 60;

/// How long the place for a failure is waited for, which nobody holds for longer than it takes to write.
const SHARING: Duration = Duration::from_secs(1);

/// The entry for one request.
struct Entry<'a> {
    cache: Cache,
    key: Key,
    failure: Key,
    request: &'a AssumeRole,
    session: &'a Session<'a>,
}

/// What is kept while it is fresh, else new credentials, which are kept; with `no_cache` new ones.
pub(super) async fn obtain(
    no_cache: bool,
    session: &Session<'_>,
    request: &AssumeRole,
) -> Result<AwsCredentials, Failure> {
    let get = async || super::obtain(session, request).await;
    match if no_cache { None } else { open(session, request) } {
        None => get().await,
        Some(entry) => entry.or_obtain(get).await,
    }
}

/// The place for what answers this request; `None` where nothing can be kept.
fn open<'a>(session: &'a Session<'a>, request: &'a AssumeRole) -> Option<Entry<'a>> {
    let cache = Cache::open(session.ctx())?;
    let failure = key(session, request, &patience(session, request))?.of_failure();
    Some(Entry { cache, key: key(session, request, &[])?, failure, request, session })
}

/// What changes a failure beside everything that changes the answer: whoever tries for longer may succeed.
fn patience(session: &Session<'_>, request: &AssumeRole) -> [String; 3] {
    let authorities =
        request.ca_bundle.as_ref().map_or(String::new(), |(_, path)| path.display().to_string());
    let limit = session.deadline().limit().as_millis().to_string();
    [limit, format!("{:?}", request.max_attempts), authorities]
}

/// Of everything that changes the answer: who asks, through what, and what for.
fn key(session: &Session<'_>, request: &AssumeRole, more: &[String]) -> Option<Key> {
    let source = session.source().fingerprint(session.ctx())?;
    let duration = request.duration.seconds().to_string();
    let name = request.session_name.as_ref().map_or("", |name| name.as_str());
    let token = &request.token;
    let alone = [
        "aws",
        env!("CARGO_PKG_VERSION"),
        request.endpoint.url.as_str(),
        request.role.as_ref().map_or("", RoleArn::as_str),
        &duration,
        name,
        token.scope.as_deref().unwrap_or_default(),
        request.policies.inline().unwrap_or_default(),
    ];
    // The lists' lengths keep them apart.
    let lists = [&source[..], &token.audiences, request.policies.arns(), more];
    let lengths = lists.map(|list| list.len().to_string());
    let parts = alone.into_iter().chain(lengths.iter().map(String::as_str));
    Some(Key::of(parts.chain(lists.into_iter().flatten().map(String::as_str))))
}

/// Half of the time: whoever holds the lock may hang, and the rest is for the exchange.
fn lock_deadline(command: Deadline) -> Deadline {
    command.within(command.left() / 2)
}

impl Entry<'_> {
    /// What is kept while it is fresh, else what `get` gets. Of several processes with the same request, one
    /// gets and the others take what it got, or why it got nothing.
    async fn or_obtain(
        &self,
        get: impl AsyncFnOnce() -> Result<AwsCredentials, Failure>,
    ) -> Result<AwsCredentials, Failure> {
        let ctx = self.session.ctx();
        if let Some(kept) = self.fresh() {
            return Ok(self.recalled(kept));
        }
        let (began, begun) = (ctx.now(), Instant::now());
        let locked = self.cache.lock(&self.key, lock_deadline(self.session.deadline())).await;
        ctx.out.trace(|| format!("  waited {} ms for the cache's lock", begun.elapsed().as_millis()));
        if let Some(kept) = self.fresh() {
            return Ok(self.recalled(kept));
        }
        let failure = if let Some(failure) = self.failure_since(began) {
            ctx.out.trace(|| "  the process that held it failed".to_owned());
            failure
        } else {
            match get().await {
                Ok(new) => {
                    if let Some(locked) = &locked {
                        locked.write(&new);
                    }
                    return Ok(new);
                }
                Err(failure) => {
                    self.share(&failure).await;
                    failure
                }
            }
        };
        match self.read() {
            Some(old) if self.seconds_left(&old) > LAST_RESORT => {
                ctx.out.warn("could not renew the credentials, these are the ones of an earlier call");
                failure.report(ctx);
                Ok(self.recalled(old))
            }
            _ => Err(failure),
        }
    }

    fn recalled(&self, kept: AwsCredentials) -> AwsCredentials {
        self.session.recall(Aws::access(self.request, Some(&kept)));
        kept
    }

    /// Tells those who wait.
    async fn share(&self, failure: &Failure) {
        let ctx = self.session.ctx();
        if let Some(place) = self.cache.lock(&self.failure, self.session.deadline().within(SHARING)).await {
            place.write(&SharedFailure::of(failure, ctx.now(), &ctx.out));
        }
    }

    /// What another process failed with while this one was waiting for it.
    fn failure_since(&self, began: Timestamp) -> Option<Failure> {
        let shared: SharedFailure = self.cache.read(&self.failure)?;
        if !shared.counts_for(began, self.session.ctx().now()) {
            return None;
        }
        Err::<(), Failure>(shared.into()).could_not(|| Aws::action(self.request)).err()
    }

    fn fresh(&self) -> Option<AwsCredentials> {
        self.read().filter(|kept| kept.are_fresh(self.session.ctx().now()))
    }

    /// An entry that cannot be read counts as none and is replaced.
    fn read(&self) -> Option<AwsCredentials> {
        self.cache.read(&self.key)
    }

    fn seconds_left(&self, credentials: &AwsCredentials) -> i64 {
        credentials.expires_at.as_second() - self.session.ctx().now().as_second()
    }
}
