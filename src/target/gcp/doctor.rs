//! Google Cloud: what is set, what the SDKs would read, and whether the exchange works.

use std::fs;
use std::path::Path;

use crate::context::Context;
use crate::doctor::report::Report;
use crate::json::Json;
use crate::target::gcp::args::GcpArgs;
use crate::target::gcp::exec::SHADOWS;
use crate::target::gcp::obtain;
use crate::target::gcp::request::{self, Ask};
use crate::time;

/// The exchange is done, and what it gives is thrown away.
pub(crate) async fn examine(report: &mut Report, args: &GcpArgs, has_token: bool, ctx: &Context) {
    let request =
        report.settled("Google settings", request::federation(args, &Ask::ACCESS, ctx), |request| {
            let account = request.service_account.as_ref().map(ToString::to_string);
            format!("{}, {}", request.provider, account.unwrap_or_else(|| "no service account".to_owned()))
        });
    examine_configuration(report, ctx);
    report.shadows("Google environment", &SHADOWS, ctx);
    let Some(request) = report.ready("Google exchange", request, has_token) else { return };
    match obtain(args, &request, ctx).await {
        Ok(given) => {
            let expiry = given.access_token.map(|(_, at)| time::relative(at, ctx.now()));
            let expiry = expiry.map_or(String::new(), |expiry| format!(" that expires {expiry}"));
            report.pass("Google exchange", format!("gave an access token{expiry}"));
        }
        Err(failure) => report.fail("Google exchange", failure),
    }
}

/// What `GOOGLE_APPLICATION_CREDENTIALS` names: SDKs take a key there before anything else.
fn examine_configuration(report: &mut Report, ctx: &Context) {
    const CHECK: &str = "Google configuration";
    let Some(path) = ctx.var_os("GOOGLE_APPLICATION_CREDENTIALS").map(Path::new) else {
        return report.pass(CHECK, "GOOGLE_APPLICATION_CREDENTIALS is not set");
    };
    let shown = path.display();
    let kind = fs::read_to_string(path).ok().and_then(|text| Json::parse(&text).ok()?.get("type")?.as_str());
    match kind.as_deref() {
        Some("external_account") => {
            let executables =
                ctx.var_os("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES").is_some_and(|value| value == "1");
            if executables {
                report.pass(CHECK, format!("{shown} is an external account"));
            } else {
                let hint = "if it calls an executable: export GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1";
                report.warn(
                    CHECK,
                    format!("{shown} is an external account, and executables are not allowed"),
                    Some(hint),
                );
            }
        }
        Some(other) => {
            let hint = "unset GOOGLE_APPLICATION_CREDENTIALS, or have it name what `gp idp login gcp` wrote";
            report.warn(
                CHECK,
                format!("{shown} is of type `{other}`, which SDKs use in place of this workspace"),
                Some(hint),
            );
        }
        None => {
            let hint =
                "unset GOOGLE_APPLICATION_CREDENTIALS, or write it with `gp idp login gcp --output FILE`";
            report.warn(CHECK, format!("{shown} is not there or no configuration"), Some(hint));
        }
    }
}
