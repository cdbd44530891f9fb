//! Azure: what is set, what the SDKs would read, and whether the exchange works.

use std::fs;
use std::path::Path;

use crate::context::Context;
use crate::doctor::report::Report;
use crate::jwt::IdToken;
use crate::target::azure::args::AzureArgs;
use crate::target::azure::{SHADOWS, obtain, request};
use crate::time;

/// SDKs read the token file again only after this many seconds (azure-identity for Python).
const READ_AGAIN: i64 = 600;

/// The exchange is done, and what it gives is thrown away.
pub(crate) async fn examine(report: &mut Report, args: &AzureArgs, has_token: bool, ctx: &Context) {
    let request = report.settled("Azure settings", request::client_credentials(args, ctx), |request| {
        format!("client {}, tenant {}, {}", request.client, request.tenant, request.scope.as_str())
    });
    examine_file(report, ctx);
    report.shadows("Azure environment", &SHADOWS, ctx);
    let Some(request) = report.ready("Azure exchange", request, has_token) else { return };
    match obtain(args, &request, ctx).await {
        Ok((_, given)) => {
            let expiry = time::relative(given.expires_at, ctx.now());
            report.pass("Azure exchange", format!("gave an access token that expires {expiry}"));
        }
        Err(failure) => report.fail("Azure exchange", failure),
    }
}

/// What `AZURE_FEDERATED_TOKEN_FILE` names.
fn examine_file(report: &mut Report, ctx: &Context) {
    const CHECK: &str = "Azure token file";
    const HINT: &str = "have it kept fresh: `gp idp login azure --keep-fresh`";
    let Some(path) = ctx.var_os("AZURE_FEDERATED_TOKEN_FILE").map(Path::new) else {
        return report.pass(CHECK, "AZURE_FEDERATED_TOKEN_FILE is not set");
    };
    let shown = path.display();
    let Ok(text) = fs::read_to_string(path) else {
        return report.warn(CHECK, format!("{shown} cannot be read"), Some(HINT));
    };
    if text.trim() != text {
        let hint = "write it with `gp idp login azure`: SDKs send the line break as a part of the token";
        return report.warn(CHECK, format!("{shown} has white space around the token"), Some(hint));
    }
    let expiry = IdToken::parse(&text).ok().and_then(|token| token.claims().as_claimed().expires_at);
    match expiry.map(|at| (at.as_second() - ctx.now().as_second(), time::relative(at, ctx.now()))) {
        Some((left, when)) if left > READ_AGAIN => report.pass(CHECK, format!("{shown} expires {when}")),
        Some((left, when)) if left > 0 => {
            report.warn(
                CHECK,
                format!("{shown} expires {when}, and SDKs read it every ten minutes"),
                Some(HINT),
            );
        }
        Some((_, when)) => report.warn(CHECK, format!("{shown} expired {when}"), Some(HINT)),
        None => report.warn(CHECK, format!("{shown} holds no token with an expiry"), Some(HINT)),
    }
}
