//! Entry points of the fuzz targets (`tests/fuzz`) into private modules.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::Context;
use crate::http::{Reply, UnexpectedReply};
use crate::sink::cache::{Cache, Key};
use crate::target::aws::exchange::AwsCredentials;
use crate::target::kubernetes::kubeconfig::{ExecUser, KubeconfigChange, UserContext};

/// Adds the user `ci`, with `/usr/bin/gp` as its credential plugin, to a kubeconfig, and with
/// `cluster` a context too. Returns the new text, or why the kubeconfig is refused.
pub fn kubeconfig(text: &str, cluster: Option<&str>, force: bool) -> Result<String, String> {
    let user = ExecUser {
        name: "ci".into(),
        api_version: "client.authentication.k8s.io/v1".into(),
        command: "/usr/bin/gp".into(),
        args: ["idp", "token", "--audience=kubernetes", "--format=kubernetes"].map(Into::into).into(),
    };
    let context = cluster.map(|cluster| UserContext {
        name: "ci@fuzz".into(),
        cluster: Some(cluster.into()),
        namespace: None,
        current: true,
    });
    let change = KubeconfigChange { user, context, force };
    crate::target::kubernetes::kubeconfig::edited(text, &change).map_err(|error| {
        let reason = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        format!("{error}: {reason}")
    })
}

/// A reply without the headers whose name or value is invalid.
pub fn reply(status: u16, headers: &[(&[u8], &[u8])], body: &[u8]) -> Reply {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            map.append(name, value);
        }
    }
    crate::http::reply(status, map, body)
}

/// How long a client with the remaining time `left` waits before a retry; `None` for no retry.
pub fn wait_after(reply: Reply, now: Timestamp, left: Duration) -> Option<Duration> {
    crate::http::wait_after(reply, now, left)
}

/// What STS replies: secret key, session token, ARN; or code, message, request ID of a refusal.
pub fn sts(reply: &Reply) -> Result<Result<[String; 3], [String; 3]>, UnexpectedReply> {
    crate::target::aws::exchange::read(reply)
}

/// The entry in the cache of `ctx` with the key of the single part `fuzz`.
pub fn cached(ctx: &Context) -> Option<AwsCredentials> {
    Cache::open(ctx)?.read(&Key::new(["fuzz"]))
}
