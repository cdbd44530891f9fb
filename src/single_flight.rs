//! The credential cache of `--format process` and `--format kubernetes`.
//!
//! Clients run such a helper for every command, some of them several times within one command. A cache hit
//! reads one file. On a miss, one process sends the request, and the others wait for its result or its
//! failure.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{CouldNot, Failure};
use crate::http::Deadline;
use crate::session::Session;
use crate::sink::cache::{Cache, Key};
use crate::sink::shared_failure::SharedFailure;

/// The least remaining lifetime of an old credential that is returned if renewal fails, in seconds.
const LAST_RESORT: i64 = 60;

/// How long to wait for the lock of the shared failure. Processes hold it only while they write.
const SHARING: Duration = Duration::from_secs(1);

/// A credential that is kept between calls.
pub(crate) trait CachedCredential: Serialize + DeserializeOwned {
    /// Whether the credential may be returned: it is not yet due for renewal, and it was not obtained in the
    /// future. A time in the future means that the clock was set back.
    fn is_fresh(&self, now: Timestamp) -> bool;

    fn expires_at(&self) -> Timestamp;
}

/// Where a credential comes from.
pub(crate) enum Answer<T> {
    New(T),
    /// From an earlier call.
    Cached(T),
}

/// The cache entry of one request.
pub(crate) struct SingleFlight<'a> {
    cache: Cache,
    key: Key,
    failure: Key,
    session: &'a Session<'a>,
}

impl<'a> SingleFlight<'a> {
    /// Opens the entry for a request; `None` if there is no cache. `parts` and `lists` hold everything,
    /// besides the source, that changes the credential. `parts` begins with the kind of the request. Requests
    /// of one kind always have the same number of parts and lists. `failure_key_parts` changes only the key of a
    /// failure, because a process that tries longer may succeed.
    pub(crate) fn open(
        session: &'a Session<'a>,
        parts: &[&str],
        lists: &[&[String]],
        failure_key_parts: &[String],
    ) -> Option<Self> {
        let cache = Cache::open(session.ctx())?;
        let source = session.source().fingerprint(session.ctx())?;
        let limit = [session.deadline().limit().as_millis().to_string()];
        let key = |more: &[&[String]]| {
            let lists = || [&source[..]].into_iter().chain(lists.iter().copied()).chain(more.iter().copied());
            // The lengths make the boundaries between lists part of the key.
            let lengths: Vec<String> = lists().map(|list| list.len().to_string()).collect();
            let alone = parts.iter().copied().chain([env!("CARGO_PKG_VERSION")]);
            let alone = alone.chain(lengths.iter().map(String::as_str));
            Key::new(alone.chain(lists().flatten().map(String::as_str)))
        };
        Some(Self { cache, key: key(&[]), failure: key(&[&limit, failure_key_parts]).failure(), session })
    }

    /// The cache and the key for lines about the entry.
    pub(crate) fn lines(&self) -> (&Cache, Key) {
        (&self.cache, self.key.clone().lines())
    }

    /// The cached credential if it is fresh and `usable`, else the result of `get`. Of several processes with
    /// the same request, one calls `get`, and the others use its result or its failure.
    pub(crate) async fn obtain<T: CachedCredential>(
        &self,
        action: impl FnOnce() -> String,
        usable: impl Fn(&T) -> bool,
        get: impl AsyncFnOnce() -> Result<T, Failure>,
    ) -> Result<Answer<T>, Failure> {
        let ctx = self.session.ctx();
        let read = || self.cache.read(&self.key).filter(&usable);
        let fresh = || read().filter(|cached| cached.is_fresh(ctx.now()));
        if let Some(cached) = fresh() {
            return Ok(Answer::Cached(cached));
        }
        let (began, begun) = (ctx.now(), Instant::now());
        let deadline = lock_deadline(self.session.deadline());
        let waiting = ctx.out.waiting(self.session.deadline().at(), || {
            "waiting for another `gp` with the same request".into()
        });
        let locked = self.cache.lock(&self.key, deadline).await;
        drop(waiting);
        ctx.out.trace(|| format!("  waited {} ms for the cache's lock", begun.elapsed().as_millis()));
        if let Some(cached) = fresh() {
            return Ok(Answer::Cached(cached));
        }
        let failure = if let Some(failure) = self.failure_since(began, action) {
            ctx.out.trace(|| "  the process that held the lock failed".to_owned());
            failure
        } else {
            match get().await {
                Ok(new) => {
                    if let Some(locked) = locked.filter(|_| new.is_fresh(ctx.now())) {
                        // The lines are about the replaced entry.
                        self.cache.remove(&self.key.clone().lines());
                        locked.write(&new);
                    }
                    return Ok(Answer::New(new));
                }
                Err(failure) => {
                    self.share(&failure).await;
                    failure
                }
            }
        };
        let seconds_left = |cached: &T| cached.expires_at().as_second() - ctx.now().as_second();
        match read() {
            Some(old) if seconds_left(&old) > LAST_RESORT => {
                ctx.out.warn("could not renew the credentials: using those of an earlier call");
                failure.report(ctx);
                Ok(Answer::Cached(old))
            }
            _ => Err(failure),
        }
    }

    /// Stores the failure for the waiting processes.
    async fn share(&self, failure: &Failure) {
        let ctx = self.session.ctx();
        if let Some(place) = self.cache.lock(&self.failure, self.session.deadline().within(SHARING)).await {
            place.write(&SharedFailure::of(failure, ctx.now(), &ctx.out));
        }
    }

    /// The failure of another process that this process has waited for since `began`.
    fn failure_since(&self, began: Timestamp, action: impl FnOnce() -> String) -> Option<Failure> {
        let shared: SharedFailure = self.cache.read(&self.failure)?;
        if !shared.applies_to(began, self.session.ctx().now()) {
            return None;
        }
        Err::<(), Failure>(shared.into()).could_not(action).err()
    }
}

/// Half of the remaining time: the lock's holder may hang, and the exchange needs time too.
fn lock_deadline(command: Deadline) -> Deadline {
    command.within(command.left() / 2)
}
