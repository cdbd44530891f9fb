//! The cache of `--format kubernetes`: it keeps an ID token between calls until shortly before the
//! token expires.
//!
//! client-go runs the plugin again, from the same process, when the API server refuses a token. So
//! a process that got the cached token a moment ago gets a new one.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::context::Context;
use crate::error::Failure;
use crate::jwt::IdToken;
use crate::secret::Secret;
use crate::session::Session;
use crate::single_flight::{Answer, CachedCredential, SingleFlight};
use crate::source::TokenRequest;

/// If a process asks again within this time after it got a token, the API server has refused the
/// token.
const REFUSAL_WINDOW: SignedDuration = SignedDuration::from_secs(10);

/// A token is renewed at least this long before it expires.
const MIN_RENEWAL_LEAD: SignedDuration = SignedDuration::from_secs(60);

#[derive(Serialize, Deserialize)]
struct CachedToken {
    #[serde(serialize_with = "reveal", deserialize_with = "parse")]
    token: IdToken,
    obtained_at: Timestamp,
}

fn reveal<S: Serializer>(token: &IdToken, serializer: S) -> Result<S::Ok, S::Error> {
    Secret::serialize_revealed(token.secret(), serializer)
}

fn parse<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IdToken, D::Error> {
    IdToken::parse(Secret::deserialize(deserializer)?.reveal()).map_err(de::Error::custom)
}

impl CachedCredential for CachedToken {
    fn is_fresh(&self, now: Timestamp) -> bool {
        let expires_at = self.expires_at();
        let ahead = (expires_at.duration_since(self.obtained_at) / 10).max(MIN_RENEWAL_LEAD);
        self.obtained_at <= now && now < expires_at.saturating_sub(ahead).unwrap_or(self.obtained_at)
    }

    /// A token without `exp` is treated as expired at once.
    fn expires_at(&self) -> Timestamp {
        self.token.claims().as_claimed().expires_at.unwrap_or(self.obtained_at)
    }
}

/// The cached token if it is fresh, else a new token, which is then cached. With `no_cache`, always a new token.
pub(crate) async fn obtain(
    no_cache: bool,
    session: &Session<'_>,
    wanted: &TokenRequest,
) -> Result<IdToken, Failure> {
    let ctx = session.ctx();
    // A token that another program made is not cached: it is already stored elsewhere, and may be replaced at any time.
    let caches = !no_cache && session.source().mints();
    let Some(entry) = (if caches { open(session, wanted) } else { None }) else {
        return session.id_token(wanted).await;
    };
    let recipients = Recipients { entry: &entry, ctx };
    let get = async || Ok(CachedToken { token: session.id_token(wanted).await?, obtained_at: ctx.now() });
    let answer = entry.obtain(|| wanted.action(), |_| !recipients.include_parent_recently(), get).await?;
    let token = match answer {
        Answer::New(new) => new.token,
        Answer::Cached(cached) => {
            ctx.out.add_secret(cached.token.secret());
            cached.token
        }
    };
    recipients.record();
    Ok(token)
}

fn open<'a>(session: &'a Session<'a>, wanted: &TokenRequest) -> Option<SingleFlight<'a>> {
    let parts = ["kubernetes", wanted.scope.as_deref().unwrap_or_default()];
    SingleFlight::open(session, &parts, &[&wanted.audiences], &[])
}

/// The processes that got the cached token. Each has a line `PROCESS SECONDS`: the process id, and
/// the time as Unix seconds.
struct Recipients<'a> {
    entry: &'a SingleFlight<'a>,
    ctx: &'a Context,
}

impl Recipients<'_> {
    /// Whether the parent process got the cached token within the last [`REFUSAL_WINDOW`].
    fn include_parent_recently(&self) -> bool {
        let (cache, key) = self.entry.lines();
        let (Some(parent), now) = (self.ctx.parent_id(), self.ctx.now()) else { return false };
        let ago = |line: &str| {
            let (process, seconds) = line.split_once(' ')?;
            let at = Timestamp::from_second(seconds.parse().ok()?).ok()?;
            (process.parse() == Ok(parent)).then(|| now.duration_since(at))
        };
        let lines = cache.read_lines(&key);
        lines.lines().filter_map(ago).any(|ago| (SignedDuration::ZERO..=REFUSAL_WINDOW).contains(&ago))
    }

    fn record(&self) {
        let (cache, key) = self.entry.lines();
        if let Some(parent) = self.ctx.parent_id() {
            cache.add_line(&key, &format!("{parent} {}\n", self.ctx.now().as_second()));
        }
    }
}
