//! Google Cloud: what the SDKs would read, and what the exchange gives.

use std::path::Path;

use super::args::GcpArgs;
use super::exchange::GoogleCredential;
use super::{Federation, Gcp};
use crate::context::Context;
use crate::doctor::Examine;
use crate::files::{self, MAX_FILE};
use crate::json::Json;
use crate::report::Report;
use crate::session::Session;
use crate::time;

impl Examine for Gcp {
    const CHECKS: [&'static str; 3] = ["Google settings", "Google environment", "Google exchange"];

    fn describe(request: &Federation) -> String {
        let account = request.service_account.as_ref().map(ToString::to_string);
        format!("{}, {}", request.provider, account.unwrap_or_else(|| "no service account".to_owned()))
    }

    /// Looks at what `GOOGLE_APPLICATION_CREDENTIALS` names: SDKs take a key there before anything else.
    fn examine_files(_: &GcpArgs, report: &mut Report, ctx: &Context) {
        const CHECK: &str = "Google configuration";
        let Some(path) = ctx.var_os("GOOGLE_APPLICATION_CREDENTIALS").map(Path::new) else {
            return report.pass(CHECK, "GOOGLE_APPLICATION_CREDENTIALS is not set");
        };
        let shown = path.display();
        let text = files::read_text(path, MAX_FILE).ok();
        let kind = text.and_then(|text| Json::parse(&text).ok()?.get("type")?.as_str());
        let (message, hint) = match kind.as_deref() {
            Some("external_account") => {
                let allowed = ctx.var_os("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES");
                if allowed.is_some_and(|value| value == "1") {
                    return report.pass(CHECK, format!("{shown} is an external account"));
                }
                (
                    format!("{shown} is an external account, and executables are not allowed"),
                    "if it calls an executable: export GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1",
                )
            }
            Some(other) => (
                format!("{shown} is of type `{other}`, which SDKs use in place of this workspace"),
                "unset GOOGLE_APPLICATION_CREDENTIALS, or have it name what `gp idp login gcp` wrote",
            ),
            None => (
                format!("{shown} is not there or no configuration"),
                "unset GOOGLE_APPLICATION_CREDENTIALS, or write it with `gp idp login gcp --output FILE`",
            ),
        };
        report.warn(CHECK, message, Some(hint));
    }

    async fn describe_credential(
        _: &Federation,
        credential: &GoogleCredential,
        session: &Session<'_>,
    ) -> Result<String, String> {
        let expiry = credential.access_token().map(|access| access.expires_at);
        let expiry = expiry.map(|at| format!(" that expires {}", time::relative(at, session.ctx().now())));
        Ok(format!("gave an access token{}", expiry.unwrap_or_default()))
    }
}
