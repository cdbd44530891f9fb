//! Masks the secrets of this run in the log of a CI job.
//!
//! A runner of GitHub Actions reads the output of a step and masks the values in lines of the form
//! `::add-mask::VALUE` (GitHub's documentation, "Workflow commands"). Buildkite's agent accepts
//! values over a Unix socket (its job API, `POST /api/current-job/v0/redactions`).

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::context::Context;
use crate::http::{Call, Http, HttpError, SecureUrl, ServiceSettings};
use crate::output::Output;
use crate::secret::Secret;

const SOCKET: &str = "BUILDKITE_AGENT_JOB_API_SOCKET";
const TOKEN: &str = "BUILDKITE_AGENT_JOB_API_TOKEN";
/// The host is ignored on a Unix socket.
const REDACTIONS: &str = "http://localhost/api/current-job/v0/redactions";
/// Short, because the agent runs on this machine.
const LIMIT: Duration = Duration::from_secs(5);

/// The CI system that masks secrets in the log of this job.
#[derive(Debug)]
pub(crate) enum Mask {
    Nobody,
    GitHub,
    Buildkite { socket: PathBuf, token: Secret },
}

impl Mask {
    /// Finds the runner. Masks nothing if a program such as an SDK reads this process's stderr.
    pub(crate) fn find(wanted: bool, ctx: &Context) -> Self {
        let is = |name, value: &str| ctx.var_os(name).is_some_and(|found| found == value);
        if !wanted || ctx.caller().is_some() {
            return Self::Nobody;
        }
        if is("GITHUB_ACTIONS", "true") && ctx.var_os("GITHUB_RUN_ID").is_some() {
            // If stderr is a file, the mask command would write the secret into this file.
            return if ctx.out.stderr_is_pipe() { Self::GitHub } else { Self::Nobody };
        }
        match (ctx.var_os(SOCKET), ctx.var(TOKEN)) {
            (Some(socket), Ok(Some(token))) => {
                Self::Buildkite { socket: socket.into(), token: Secret::new(token.to_owned()) }
            }
            _ => Self::Nobody,
        }
    }

    /// Masks the secrets that were added since the last call.
    pub(crate) async fn hide(&self, http: &Http<'_>) {
        let out = &http.ctx().out;
        match self {
            Self::Nobody => {}
            Self::GitHub => out.take_unmasked_secrets().iter().for_each(|secret| add_mask(secret, out)),
            Self::Buildkite { socket, token } => {
                let socket = Some(socket.clone());
                let http = http.for_service(ServiceSettings { socket, ..ServiceSettings::default() });
                let http = http.until(http.deadline().within(LIMIT));
                for secret in out.take_unmasked_secrets() {
                    if let Err(reason) = redact(&secret, token, &http).await {
                        return out.warn(format!(
                            "Buildkite's agent does not hide this run's secrets in the job's log: {reason}"
                        ));
                    }
                }
            }
        }
    }
}

/// Prints the mask command. Percent-encodes the characters that the runner decodes.
fn add_mask(secret: &Secret, out: &Output) {
    let value = secret.reveal().replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    out.write_raw(&zeroize::Zeroizing::new(format!("::add-mask::{value}\n")));
}

#[derive(Serialize)]
struct Redaction<'a> {
    redact: &'a str,
}

async fn redact(secret: &Secret, token: &Secret, http: &Http<'_>) -> Result<(), String> {
    let url = SecureUrl::parse(REDACTIONS).map_err(|error| error.to_string())?;
    let call = Call::post_json(url, &Redaction { redact: secret.reveal() })
        .and_then(|call| call.bearer(token))
        .map_err(|error| error.to_string())?;
    let reply = http.send(&call).await.map_err(|error: HttpError| error.to_string())?;
    if reply.is_success() { Ok(()) } else { Err(format!("HTTP {}", reply.status)) }
}
