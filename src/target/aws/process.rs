//! What `--format process` keeps between calls.
//!
//! SDKs run a credential process for every command, and within one command whenever little life is left. A hit
//! reads one file; on a miss one process asks and the others wait for it.

use std::fs::File;
use std::time::{Duration, Instant};

use crate::context::Context;
use crate::error::Failure;
use crate::json::{Json, quote};
use crate::sink::cache::{Cache, Key};
use crate::target::aws::args::AwsArgs;
use crate::target::aws::exchange::{AssumeRole, AwsCredentials};

/// The least life that credentials are handed out with when no new ones can be had, in seconds.
const LAST_RESORT: i64 = 60;

/// The entry for one request.
pub(super) struct Entry<'a> {
    cache: Cache,
    key: Key,
    limit: Duration,
    ctx: &'a Context,
}

/// The place for what answers this request; `None` where nothing can be kept.
pub(super) fn open<'a>(args: &AwsArgs, request: &AssumeRole, ctx: &'a Context) -> Option<Entry<'a>> {
    Some(Entry { cache: Cache::open(ctx)?, key: key(args, request, ctx), limit: args.limits.timeout(), ctx })
}

/// Of everything that changes the answer: who asks, through what, and what for.
fn key(args: &AwsArgs, request: &AssumeRole, ctx: &Context) -> Key {
    let workspace = ["SUPERVISOR_ADDR", "GITPOD_WORKSPACE_ID", "IDP_API_URL"]
        .map(|name| ctx.var_os(name).map(|value| value.to_string_lossy()).unwrap_or_default());
    let duration = request.duration.seconds().to_string();
    let named = request.session_name.as_ref();
    let mut parts = vec!["aws", env!("CARGO_PKG_VERSION")];
    parts.extend(workspace.iter().map(AsRef::as_ref));
    parts.extend([request.endpoint.url.as_str(), request.role.as_str(), &duration]);
    parts.extend([named.map_or("", |name| name.as_str()), args.scope.as_deref().unwrap_or_default()]);
    parts.push(request.policies.inline().unwrap_or_default());
    // The lists' lengths keep them apart.
    let (audiences, policies) = (args.audience.len().to_string(), request.policies.arns().len().to_string());
    parts.push(&audiences);
    parts.extend(args.audience.iter().map(String::as_str));
    parts.push(&policies);
    parts.extend(request.policies.arns().iter().map(String::as_str));
    Key::of(parts)
}

impl Entry<'_> {
    /// What is kept while it is fresh, else what `get` gets. Of several processes with the same request, one
    /// gets and the others take what it got.
    pub(super) async fn or_obtain(
        &self,
        get: impl AsyncFnOnce() -> Result<AwsCredentials, Failure>,
    ) -> Result<AwsCredentials, Failure> {
        if let Some(kept) = self.fresh() {
            return Ok(kept);
        }
        let begun = Instant::now();
        let _lock: Option<File> = self.cache.lock(&self.key, self.limit);
        self.ctx.out.trace(|| format!("  waited {} ms for the cache's lock", begun.elapsed().as_millis()));
        if let Some(kept) = self.fresh() {
            return Ok(kept);
        }
        match get().await {
            Ok(new) => {
                self.cache.write(&self.key, &to_json(&new));
                Ok(new)
            }
            Err(failure) => match self.read() {
                Some(old) if self.seconds_left(&old) > LAST_RESORT => {
                    self.ctx
                        .out
                        .warn("could not renew the credentials, these are the ones of an earlier call");
                    failure.report(&self.ctx.out);
                    Ok(old)
                }
                _ => Err(failure),
            },
        }
    }

    fn fresh(&self) -> Option<AwsCredentials> {
        self.read().filter(|kept| kept.are_fresh(self.ctx.now()))
    }

    /// An entry that cannot be read counts as none and is replaced.
    fn read(&self) -> Option<AwsCredentials> {
        let text = self.cache.read(&self.key)?;
        serde_json::from_str(&text).ok()
    }

    fn seconds_left(&self, credentials: &AwsCredentials) -> i64 {
        credentials.expires_at.as_second() - self.ctx.now().as_second()
    }
}

fn to_json(credentials: &AwsCredentials) -> String {
    let string = |name: &str, value: &str| (name.to_owned(), Json::Scalar(quote(value)));
    let members = vec![
        string("access_key_id", &credentials.access_key_id),
        string("secret_access_key", credentials.secret_access_key.reveal()),
        string("session_token", credentials.session_token.reveal()),
        string("obtained_at", &credentials.obtained_at.to_string()),
        string("expires_at", &credentials.expires_at.to_string()),
        string("assumed_role_arn", &credentials.assumed_role_arn),
        string("account", &credentials.account),
    ];
    Json::Object(members).compact()
}
