//! Azure: checks the token files that SDKs read, and describes the exchange.

use std::path::Path;

use jiff::Timestamp;

use super::Azure;
use super::exchange::AzureCredential;
use super::request::{ClientCredentials, default_token_file};
use crate::doctor::{Examine, FileCheckInput, TokenFile};
use crate::files::{self, MAX_FILE};
use crate::report::Report;
use crate::session::Session;
use crate::time;

/// SDKs read the token file again only after this many seconds (azure-identity for Python).
const READ_INTERVAL: i64 = 600;
/// The variables that name a token file to SDKs and Terraform.
const VARIABLES: [&str; 2] = ["AZURE_FEDERATED_TOKEN_FILE", "ARM_OIDC_TOKEN_FILE_PATH"];

impl Examine for Azure {
    const CHECKS: [&'static str; 3] = ["Azure settings", "Azure environment", "Azure exchange"];

    fn describe(request: &ClientCredentials) -> String {
        let (client, tenant) = (request.client.as_str(), request.tenant.as_str());
        format!("client {client}, tenant {tenant}, {}", request.scope.as_str())
    }

    /// Checks the files that the variables name. If there are none, looks for the default file of
    /// `login`.
    fn examine_files(input: &FileCheckInput<'_, Self>, report: &mut Report) {
        const CHECK: &str = "Azure token file";
        const HINT: &str = "keep the file fresh: `gp idp login azure --keep-fresh`";
        let audience = input.request.map(|request| request.token.audiences[0].as_str());
        let mut named: Vec<&Path> =
            VARIABLES.iter().filter_map(|name| input.ctx.var_os(name)).map(Path::new).collect();
        named.dedup();
        for path in &named {
            let file = TokenFile { check: CHECK, path, audience, read_interval: READ_INTERVAL, hint: HINT };
            let ends_in_blanks = files::read_text(path, MAX_FILE).is_ok_and(|text| text.trim() != *text);
            if ends_in_blanks {
                let hint = "write the file again with `gp idp login azure`: SDKs send the white space as a part of the token";
                let message = format!("{} has white space around the token", path.display());
                report.warn(CHECK, message, Some(hint));
            } else {
                file.examine(report, input.now, |text| Some(text.to_owned()));
            }
        }
        let default = audience.and_then(|audience| default_token_file(audience, input.ctx).ok());
        match default.filter(|path| path.exists()) {
            _ if !named.is_empty() => {}
            Some(path) => {
                let message = format!("no variable names {} to SDKs", path.display());
                report.warn(
                    CHECK,
                    message,
                    Some("`vars=$(gp idp login azure --format env) && eval \"$vars\"`"),
                );
            }
            None => report.skip(CHECK, "AZURE_FEDERATED_TOKEN_FILE is not set"),
        }
    }

    async fn describe_credential(
        _: &ClientCredentials,
        credential: &AzureCredential,
        _: &Session<'_>,
        now: Timestamp,
    ) -> Result<String, String> {
        let expiry = time::relative(credential.expires_at, now);
        Ok(format!("gave an access token that expires {expiry}"))
    }
}
