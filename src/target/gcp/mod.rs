//! `gp idp login gcp`, `gp idp exec gcp`, `gp idp gcloud-token`

pub mod args;
mod config;
pub(crate) mod doctor;
pub mod exchange;
pub(crate) mod exec;
pub(crate) mod executable;
pub mod external_account;
pub(crate) mod login;
pub(crate) mod request;
pub mod trust;

use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exchange::trade::trade;
use crate::http::Http;
use crate::jwt::IdToken;
use crate::secret::Secret;
use crate::sink::formats::Variable;
use crate::source::{Supervisor, TokenRequest, TokenSource};
use crate::target::gcp::args::GcpArgs;
use crate::target::gcp::exchange::{Federation, Google, GoogleCredential};

/// Mints an ID token and trades it.
pub(super) async fn obtain(
    args: &GcpArgs,
    request: &Federation,
    ctx: &Context,
) -> Result<GoogleCredential, Failure> {
    let action = || "get access to Google Cloud".to_owned();
    let http = Http::new(ctx, args.limits.timeout());
    let source = Supervisor::from_context(&http).could_not(action)?;
    let audiences = [request::audience(args, request)];
    let wanted = TokenRequest { audiences: &audiences, scope: None };
    let (_, given) = trade(&source, &wanted, &Google::new(&http, request), ctx).await.could_not(action)?;
    Ok(given)
}

/// Mints an ID token for whoever trades it.
async fn mint(args: &GcpArgs, request: &Federation, ctx: &Context) -> Result<IdToken, Failure> {
    let audiences = [request::audience(args, request)];
    let action = || format!("mint an ID token for `{}`", audiences[0]);
    let http = Http::new(ctx, args.limits.timeout());
    let source = Supervisor::from_context(&http).could_not(action)?;
    source.id_token(&TokenRequest { audiences: &audiences, scope: None }).await.could_not(action)
}

/// The project under all the names that tools know it by.
fn project_variables(project: Option<&str>) -> Vec<Variable> {
    const NAMES: [&str; 5] = [
        "CLOUDSDK_CORE_PROJECT",
        "CLOUDSDK_PROJECT",
        "GCLOUD_PROJECT",
        "GCP_PROJECT",
        "GOOGLE_CLOUD_PROJECT",
    ];
    let named = |project: &str| NAMES.map(|name| (name, Secret::new(project.to_owned()))).to_vec();
    project.map(named).unwrap_or_default()
}
