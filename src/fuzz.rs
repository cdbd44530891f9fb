//! What the fuzz targets (`tests/fuzz`) reach of the parts that no other Rust tool can use.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::Context;
use crate::http::{Reply, UnexpectedReply};
use crate::sink::cache::{Cache, Key};
use crate::target::aws::exchange::AwsCredentials;
use crate::target::kubernetes::kubeconfig::{Entry, ExecUser, UserContext};

/// A kubeconfig with the user `ci` of `/usr/bin/gp` and, with a cluster, its context; the reason where it is refused.
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
    let entry = Entry { user, context, force };
    crate::target::kubernetes::kubeconfig::edited(text, &entry).map_err(|error| {
        let reason = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        format!("{error}: {reason}")
    })
}

/// A reply; names and values that no header can have are left out.
pub fn reply(status: u16, headers: &[(&[u8], &[u8])], body: &[u8]) -> Reply {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            map.append(name, value);
        }
    }
    crate::http::reply(status, map, body)
}

/// How long a client with `left` waits after a reply before it asks again; `None` where it does not.
pub fn wait_after(reply: Reply, now: Timestamp, left: Duration) -> Option<Duration> {
    crate::http::wait_after(reply, now, left)
}

/// What STS says in a reply: secret, token and ARN, or code, message and request of a refusal.
pub fn sts(reply: &Reply) -> Result<Result<[String; 3], [String; 3]>, UnexpectedReply> {
    crate::target::aws::exchange::read(reply)
}

/// An entry of the cache of `ctx`, named after a digest of the one part `fuzz`.
pub fn cached(ctx: &Context) -> Option<AwsCredentials> {
    Cache::open(ctx)?.read(&Key::of(["fuzz"]))
}
