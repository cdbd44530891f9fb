//! Google Cloud: checks the configuration that SDKs read, and describes the exchange.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::exchange::GoogleCredential;
use super::external_account;
use super::install::ALLOW;
use super::{Federation, Gcp};
use crate::doctor::{Examine, FileCheckInput, TokenFile, broken_program};
use crate::files::{self, MAX_FILE};
use crate::json::Json;
use crate::report::Report;
use crate::session::Session;
use crate::time;

const CHECK: &str = "Google configuration";
/// The hint if the file of `GOOGLE_APPLICATION_CREDENTIALS` is no configuration.
const UNSET_OR_WRITE: &str = "run `unset GOOGLE_APPLICATION_CREDENTIALS`\n\
                            otherwise write the file again with `gp idp login gcp --output FILE`";

impl Examine for Gcp {
    const CHECKS: [&'static str; 3] = ["Google settings", "Google environment", "Google exchange"];

    fn describe(request: &Federation) -> String {
        let account = request.service_account.as_ref().map(ToString::to_string);
        format!("{}, {}", request.provider, account.unwrap_or_else(|| "no service account".to_owned()))
    }

    /// Checks the file that SDKs read: the file of `GOOGLE_APPLICATION_CREDENTIALS`, else the
    /// default file in gcloud's folder.
    fn examine_files(input: &FileCheckInput<'_, Self>, report: &mut Report) {
        let named = input.ctx.var_os("GOOGLE_APPLICATION_CREDENTIALS").map(PathBuf::from);
        let path = match named.clone().map_or_else(|| external_account::default_path(input.ctx), Ok) {
            Ok(path) => path,
            Err(error) => return report.fail(CHECK, error),
        };
        let shown = path.display();
        let text = match files::read_text(&path, MAX_FILE) {
            Ok(text) => text,
            Err(error) if error.is_missing() && named.is_none() => {
                return report.skip(CHECK, format!("{shown} does not exist"));
            }
            Err(_) => {
                let hint =
                    if named.is_some() { UNSET_OR_WRITE } else { "replace it: `gp idp login gcp --force`" };
                return report.warn(CHECK, format!("{shown} cannot be read"), Some(hint));
            }
        };
        let config = Json::parse(&text).unwrap_or(Json::Scalar("null".into()));
        let at = |name: &str| config.at(name).and_then(Json::as_str);
        let (what, hint) = match at("type") {
            Some(kind) if kind == "external_account" => return examine_account(&path, &at, input, report),
            Some(kind) => (
                format!("is of type `{kind}`, which SDKs use instead of this workspace's identity"),
                "run `unset GOOGLE_APPLICATION_CREDENTIALS`\n\
                 otherwise set the variable to the file that `gp idp login gcp` wrote",
            ),
            None => ("is not a configuration".to_owned(), UNSET_OR_WRITE),
        };
        let hint = if named.is_some() { hint } else { "replace it: `gp idp login gcp --force`" };
        report.warn(CHECK, format!("{shown} {what}"), Some(hint));
    }

    async fn describe_credential(
        _: &Federation,
        credential: &GoogleCredential,
        _: &Session<'_>,
        now: Timestamp,
    ) -> Result<String, String> {
        let expiry = credential.access_token().map(|access| access.expires_at);
        let expiry = expiry.map(|at| format!(" that expires {}", time::relative(at, now)));
        Ok(format!("gave an access token{}", expiry.unwrap_or_default()))
    }
}

/// Checks an `external_account` configuration: `gp idp login gcp` writes this type.
fn examine_account(
    path: &Path,
    at: &impl Fn(&str) -> Option<String>,
    input: &FileCheckInput<'_, Gcp>,
    report: &mut Report,
) {
    const LOG_IN: &str = "write it again: `gp idp login gcp`";
    let shown = path.display();
    let audience = at("audience").unwrap_or_default();
    let mut problems = Vec::new();
    if let Some(wanted) =
        input.request.map(|request| request.provider.audience()).filter(|own| *own != audience)
    {
        problems.push((format!("is for {audience}, but the settings name {wanted}"), LOG_IN));
    }
    if let Some(command) = at("credential_source.executable.command") {
        let program = command.split_whitespace().next().unwrap_or_default();
        if let Some(why) = broken_program(Path::new(program)) {
            problems.push((format!("runs {program}, which {why}"), LOG_IN));
        }
        if input.ctx.var_os(ALLOW).is_none_or(|value| value != "1") {
            let hint = "`export GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1`";
            problems.push((format!("runs a program, which SDKs refuse unless {ALLOW} is 1"), hint));
        }
    }
    for (what, hint) in &problems {
        report.warn(CHECK, format!("{shown} {what}"), Some(hint));
    }
    if problems.is_empty() {
        report.pass(CHECK, format!("{shown} is an external account for {audience}"));
    }
    if let Some(file) = at("credential_source.file") {
        let wanted = input.request.map(|request| request.token.audiences[0].as_str());
        let field = at("credential_source.format.subject_token_field_name");
        let file = TokenFile {
            check: "Google token file",
            path: Path::new(&file),
            audience: wanted,
            read_interval: 0,
            hint: "keep the file fresh: `gp idp login gcp --file-sourced --keep-fresh`",
        };
        file.examine(report, input.now, |text| match &field {
            Some(field) => Json::parse(text).ok()?.get(field)?.as_str(),
            None => Some(text.to_owned()),
        });
    }
}
