//! `gp idp doctor`

use crate::args::Limits;
use crate::cli::{DoctorArgs, DoctorFormat, DoctorTarget};
use crate::context::Context;
use crate::doctor::identity;
use crate::doctor::report::Report;
use crate::error::Failure;
use crate::exit::Exit;
use crate::http::Http;
use crate::source::TokenRequest;
use crate::target::azure::request as azure_settings;
use crate::target::gcp::request::{self as gcp_settings, Ask};
use crate::target::{aws, azure, gcp, kubernetes, vault};

/// Looks at every link, prints what it found, and returns the exit code of the first that does not hold.
pub(super) async fn run(args: &DoctorArgs, ctx: &Context) -> Result<Exit, Failure> {
    let mut report = Report::default();
    let asked = Asked::of(args, ctx);
    let http = Http::new(ctx, asked.limits.timeout());
    let request = TokenRequest { audiences: &asked.audiences, scope: asked.scope };
    let has_token = identity::examine(&mut report, &http, &request).await.is_some();
    match &args.target {
        None => {}
        Some(DoctorTarget::Aws(aws)) => aws::doctor::examine(&mut report, aws, has_token, ctx).await,
        Some(DoctorTarget::Vault(vault)) => vault::doctor::examine(&mut report, vault, has_token, ctx).await,
        Some(DoctorTarget::Gcp(gcp)) => gcp::doctor::examine(&mut report, gcp, has_token, ctx).await,
        Some(DoctorTarget::Azure(azure)) => azure::doctor::examine(&mut report, azure, has_token, ctx).await,
        Some(DoctorTarget::Kubernetes(args)) => kubernetes::doctor::examine(&mut report, &args.audience, ctx),
    }
    match args.format {
        DoctorFormat::Text => ctx.out.data(&report.text(ctx.out.paint()))?,
        DoctorFormat::Json => {
            // A list of structs of text always serialises.
            let json = serde_json::to_string_pretty(report.checks()).unwrap_or_default();
            ctx.out.data(&format!("{json}\n"))?;
        }
    }
    Ok(report.exit())
}

/// What the ID token is asked for: what the target wants, where that can be known.
struct Asked<'a> {
    audiences: Vec<String>,
    scope: Option<&'a str>,
    limits: &'a Limits,
}

impl<'a> Asked<'a> {
    fn of(args: &'a DoctorArgs, ctx: &Context) -> Self {
        let own = || args.audience.clone();
        let (audiences, scope, limits) = match &args.target {
            None => (own(), None, &args.limits),
            Some(DoctorTarget::Aws(aws)) => (aws.audience.clone(), aws.scope.as_deref(), &aws.limits),
            Some(DoctorTarget::Vault(vault)) => {
                (vault.audience.clone(), vault.scope.as_deref(), &vault.server.limits)
            }
            Some(DoctorTarget::Gcp(gcp)) => {
                let request = gcp_settings::federation(gcp, &Ask::ACCESS, ctx).ok();
                (
                    request.map_or_else(own, |request| vec![gcp_settings::audience(gcp, &request)]),
                    None,
                    &gcp.limits,
                )
            }
            Some(DoctorTarget::Azure(azure)) => {
                let request = azure_settings::client_credentials(azure, ctx).ok();
                (
                    request.map_or_else(own, |request| vec![azure_settings::audience(azure, &request)]),
                    None,
                    &azure.limits,
                )
            }
            Some(DoctorTarget::Kubernetes(args)) => (args.audience.clone(), None, &args.limits),
        };
        Self { audiences, scope, limits }
    }
}
