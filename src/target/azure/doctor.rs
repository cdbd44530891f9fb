//! Azure: what the SDKs would read, and what the exchange gives.

use std::path::Path;

use super::Azure;
use super::args::AzureArgs;
use super::exchange::AzureCredential;
use super::request::ClientCredentials;
use crate::context::Context;
use crate::doctor::Examine;
use crate::files::{self, MAX_FILE};
use crate::jwt::IdToken;
use crate::report::Report;
use crate::session::Session;
use crate::time;

/// SDKs read the token file again only after this many seconds (azure-identity for Python).
const READ_AGAIN: i64 = 600;

impl Examine for Azure {
    const CHECKS: [&'static str; 3] = ["Azure settings", "Azure environment", "Azure exchange"];

    fn describe(request: &ClientCredentials) -> String {
        let (client, tenant) = (request.client.as_str(), request.tenant.as_str());
        format!("client {client}, tenant {tenant}, {}", request.scope.as_str())
    }

    /// Looks at what `AZURE_FEDERATED_TOKEN_FILE` names.
    fn examine_files(_: &AzureArgs, report: &mut Report, ctx: &Context) {
        const CHECK: &str = "Azure token file";
        const HINT: &str = "have it kept fresh: `gp idp login azure --keep-fresh`";
        let Some(path) = ctx.var_os("AZURE_FEDERATED_TOKEN_FILE").map(Path::new) else {
            return report.pass(CHECK, "AZURE_FEDERATED_TOKEN_FILE is not set");
        };
        let shown = path.display();
        let Ok(text) = files::read_text(path, MAX_FILE) else {
            return report.warn(CHECK, format!("{shown} cannot be read"), Some(HINT));
        };
        if text.trim() != *text {
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

    async fn describe_credential(
        _: &ClientCredentials,
        credential: &AzureCredential,
        session: &Session<'_>,
    ) -> Result<String, String> {
        let expiry = time::relative(credential.expires_at, session.ctx().now());
        Ok(format!("gave an access token that expires {expiry}"))
    }
}
