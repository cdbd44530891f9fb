//! `gp idp doctor`

mod aws;

use crate::cli::{DoctorArgs, DoctorFormat, DoctorTarget};
use crate::context::Context;
use crate::diagnose::identity;
use crate::diagnose::report::Report;
use crate::error::Failure;
use crate::http::Http;
use crate::source::TokenRequest;

/// Looks at every link, prints what it found, and returns the exit code of the first that does not hold.
pub(super) async fn run(args: &DoctorArgs, ctx: &Context) -> Result<u8, Failure> {
    let mut report = Report::default();
    let (request, limits) = match &args.target {
        None => (TokenRequest { audiences: &args.audience, scope: None }, &args.limits),
        Some(DoctorTarget::Aws(aws)) => {
            (TokenRequest { audiences: &aws.audience, scope: aws.scope.as_deref() }, &aws.limits)
        }
    };
    let http = Http::new(ctx, limits.timeout);
    let token = identity::examine(&mut report, &http, &request).await;
    match &args.target {
        None => {}
        Some(DoctorTarget::Aws(aws)) => aws::examine(&mut report, aws, token.is_some(), ctx).await,
    }
    match args.format {
        DoctorFormat::Text => ctx.out.data(&report.text(ctx.out.paint()))?,
        DoctorFormat::Json => {
            // A list of structs of text always serialises.
            let json = serde_json::to_string_pretty(report.checks()).unwrap_or_default();
            ctx.out.data(&format!("{json}\n"))?;
        }
    }
    Ok(report.exit() as u8)
}
