//! `gp idp doctor`

use crate::cli::{DoctorArgs, DoctorFormat, DoctorTarget};
use crate::context::Context;
use crate::doctor;
use crate::error::Failure;
use crate::exit::Exit;
use crate::report::Report;
use crate::source::TokenRequest;
use crate::target::aws::Aws;
use crate::target::azure::Azure;
use crate::target::gcp::Gcp;
use crate::target::kubernetes;
use crate::target::vault::Vault;

/// Checks every step, prints the results, and returns the exit code of the first check that
/// failed.
pub(super) async fn run(args: &DoctorArgs, ctx: &Context) -> Result<Exit, Failure> {
    let wanted = TokenRequest { audiences: args.audience.clone(), scope: None };
    let options = args.session.options();
    let fallback = (&wanted, &options);
    let report = match &args.target {
        None => {
            let mut report = Report::default();
            let session = doctor::open(&mut report, &options, ctx)?;
            doctor::identity(&mut report, &wanted, session.as_ref(), ctx).await;
            report
        }
        Some(DoctorTarget::Aws(aws)) => doctor::target::<Aws>(aws, fallback, ctx).await?,
        Some(DoctorTarget::Vault(vault)) => doctor::target::<Vault>(vault, fallback, ctx).await?,
        Some(DoctorTarget::Gcp(gcp)) => doctor::target::<Gcp>(gcp, fallback, ctx).await?,
        Some(DoctorTarget::Azure(azure)) => doctor::target::<Azure>(azure, fallback, ctx).await?,
        Some(DoctorTarget::Kubernetes(args)) => kubernetes::doctor::run(args, ctx).await?,
    };
    let report = report.redacted(&ctx.out);
    match args.format {
        DoctorFormat::Text => ctx.out.report(&report.text(ctx.out.paint()))?,
        DoctorFormat::Json => ctx.out.json(&report.checks())?,
    }
    Ok(report.exit())
}
