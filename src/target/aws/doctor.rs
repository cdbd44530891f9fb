//! The AWS checks of `gp idp doctor`: the profile files, the settings and the exchange.

use std::path::Path;

use jiff::Timestamp;

use super::exchange::AwsCredentials;
use super::profile::{EXPIRY, FileKind, ProfileFile, Source, Store};
use super::{AssumeRole, Aws};
use crate::doctor::{Examine, FileCheckInput};
use crate::error::Failure;
use crate::report::Report;
use crate::session::Session;
use crate::shell;
use crate::time;

const KEY: &str = "aws_access_key_id";

impl Examine for Aws {
    const CHECKS: [&'static str; 3] = ["AWS settings", "AWS environment", "AWS exchange"];

    fn describe(request: &AssumeRole) -> String {
        let endpoint = &request.endpoint;
        let from = endpoint.url_settings().join(" and ");
        format!("{} at {} (by {from})", request.role_name(), endpoint.url.origin())
    }

    fn examine_files(input: &FileCheckInput<'_, Self>, report: &mut Report) {
        let credentials = examine_file(input, report, FileKind::Credentials, false);
        let has_keys = credentials.as_ref().is_some_and(|file| file.get(&input.args.profile, KEY).is_some());
        let config = examine_file(input, report, FileKind::Config, has_keys);
        let name = &input.args.profile;
        let has_profile = |file: &ProfileFile| file.profiles().contains(name);
        let files = [credentials, config];
        if name != "default" && files.iter().all(Option::is_some) && !files.iter().flatten().any(has_profile)
        {
            let log_in = shell::code(&["gp", "idp", "login", "aws", "--profile", name]);
            report.warn("AWS config", format!("neither file has the profile `{name}`"), Some(&log_in));
        }
    }

    async fn describe_credential(
        _: &AssumeRole,
        credential: &AwsCredentials,
        _: &Session<'_>,
        now: Timestamp,
    ) -> Result<String, String> {
        let expiry = time::expiry(Some(credential.expires_at), now);
        Ok(format!("{} · {expiry}", credential.assumed_role_arn))
    }
}

/// `has_keys_in_other_file`: the profile has keys in the other file, and SDKs use those keys.
fn examine_file(
    input: &FileCheckInput<'_, Aws>,
    report: &mut Report,
    kind: FileKind,
    has_keys_in_other_file: bool,
) -> Option<ProfileFile> {
    let check = match kind {
        FileKind::Credentials => "AWS credentials",
        FileKind::Config => "AWS config",
    };
    let read = || -> Result<(Store, ProfileFile), Failure> {
        let store = Store::find(kind, input.ctx)?;
        let file = store.read()?;
        Ok((store, file))
    };
    let (store, file) = match read() {
        Ok(found) => found,
        Err(failure) => {
            report.fail(check, failure);
            return None;
        }
    };
    let problems = problems_in(&store, &file, kind, has_keys_in_other_file, input);
    let path = store.path.display();
    for (message, hint) in &problems {
        report.warn(check, format!("{path}: {message}"), Some(hint));
    }
    match (problems.is_empty(), file.text().is_empty()) {
        (false, _) => {}
        (true, true) => report.skip(check, format!("{path} does not exist or is empty")),
        (true, false) => report.pass(check, format!("{path} has the profiles {}", list(&file.profiles()))),
    }
    let name = input.args.profile.as_str();
    if problems.is_empty() && file.has_own_process(name) {
        report.pass(
            check,
            format!("the profile `{name}` runs `gp idp`: the SDKs for Java and Node do not show its errors, but this report does"),
        );
    }
    Some(file)
}

/// Whether a program with an absolute path is missing. A bare name is not checked, because SDKs
/// look it up on `PATH`.
fn is_missing_program(program: &str) -> bool {
    program.starts_with('/') && !Path::new(program).is_file()
}

/// The problems of a profile and its file, each with its fix.
fn problems_in(
    store: &Store,
    file: &ProfileFile,
    kind: FileKind,
    has_keys_in_other_file: bool,
    input: &FileCheckInput<'_, Aws>,
) -> Vec<(String, String)> {
    let name = input.args.profile.as_str();
    let has = |key: &str| file.get(name, key).is_some();
    let has_keys = has(KEY);
    // Settings beside the keys have an effect only in the file whose keys SDKs use.
    let used = has_keys && !has_keys_in_other_file;
    let log_in = shell::code(&["gp", "idp", "login", "aws", "--profile", name]);
    let mut problems = Vec::new();
    if used && has("aws_security_token") {
        let message = format!(
            "`aws_security_token` in the profile `{name}` takes precedence over the newer `aws_session_token`"
        );
        problems.push((message, "remove that line".to_owned()));
    }
    let expiry = file.get(name, EXPIRY).and_then(|at| at.parse::<Timestamp>().ok());
    if let Some(expiry) = expiry.filter(|expiry| used && *expiry <= input.now) {
        let when = time::relative(expiry, input.now);
        problems.push((format!("the keys of the profile `{name}` expired {when}"), log_in));
    }
    let written = if has_keys || has_keys_in_other_file {
        Some((Source::Keys, format!("the keys of the profile `{name}`")))
    } else {
        let own = file.has_own_process(name);
        own.then(|| (Source::Process, format!("the `credential_process` of the profile `{name}`")))
    };
    if let Some((source, written)) = written {
        for rival in file.rivals(name, source) {
            let place = format!("`{}` on line {}", rival.key, rival.line);
            let harm = rival.harm(&place, &written);
            problems.extend(harm.map(|harm| (harm, "remove that line".to_owned())));
        }
    }
    if let Some((program, arguments)) = file.own_process(name) {
        if is_missing_program(&program) {
            let fix = shell::code(&["gp", "idp", "login", "aws", "--profile", name, "--credential-process"]);
            problems.push((format!("the profile `{name}` runs `{program}`, which does not exist"), fix));
        }
        let role = arguments.iter().skip_while(|word| *word != "--role-arn").nth(1);
        let other = role.zip(input.request).filter(|(role, request)| *role != request.role_name());
        if let Some((role, request)) = other {
            let fix = shell::code(&["gp", "idp", "doctor", "aws", "--profile", name, "--role-arn", role]);
            let tried = request.role_name();
            problems
                .push((format!("the profile `{name}` assumes {role}, and this report tries {tried}"), fix));
        }
    }
    if kind == FileKind::Credentials && !file.text().is_empty() && store.is_open_to_others() {
        let path = store.path.to_string_lossy();
        problems.push(("others can read it".to_owned(), shell::code(&["chmod", "600", &path])));
    }
    problems
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "(none)".to_owned() } else { names.join(", ") }
}
