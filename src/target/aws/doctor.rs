//! AWS, link by link: what is set, what the files say, and whether the role can be assumed.

use jiff::Timestamp;

use crate::context::Context;
use crate::doctor::report::Report;
use crate::error::Failure;
use crate::shell::posix_quote;
use crate::target::aws::args::AwsArgs;
use crate::target::aws::exchange::AssumeRole;
use crate::target::aws::install::SHADOWS;
use crate::target::aws::profile::{EXPIRY, FileKind, ProfileFile, Source, Store};
use crate::target::aws::{obtain, request};
use crate::time;

/// The exchange is done, and what it gives is thrown away.
pub(crate) async fn examine(report: &mut Report, args: &AwsArgs, has_token: bool, ctx: &Context) {
    let request = report.settled("AWS settings", request::assume_role(args, ctx), describe);
    for kind in [FileKind::Credentials, FileKind::Config] {
        examine_file(report, kind, args, ctx);
    }
    report.shadows("AWS environment", &SHADOWS, ctx);
    let Some(request) = report.ready("AWS exchange", request, has_token) else { return };
    match obtain(args, &request, ctx).await {
        Ok(credentials) => {
            let expiry = time::relative(credentials.expires_at, ctx.now());
            report.pass("AWS exchange", format!("{} · expires {expiry}", credentials.assumed_role_arn));
        }
        Err(failure) => report.fail("AWS exchange", failure),
    }
}

fn describe(request: &AssumeRole) -> String {
    let endpoint = &request.endpoint;
    format!(
        "{} at {} (by {})",
        request.role,
        crate::http::origin(&endpoint.url),
        endpoint.url_from.join(" and ")
    )
}

fn examine_file(report: &mut Report, kind: FileKind, args: &AwsArgs, ctx: &Context) {
    let check = match kind {
        FileKind::Credentials => "AWS credentials",
        FileKind::Config => "AWS config",
    };
    let read = || -> Result<(Store, ProfileFile), Failure> {
        let store = Store::find(kind, ctx)?;
        let file = store.read()?;
        Ok((store, file))
    };
    let (store, file) = match read() {
        Ok(found) => found,
        Err(failure) => return report.fail(check, failure),
    };
    let odd = odd_in(&store, &file, kind, &args.profile, ctx);
    let path = store.path.display();
    for (message, hint) in &odd {
        report.warn(check, format!("{path}: {message}"), Some(hint));
    }
    match (odd.is_empty(), file.text().is_empty()) {
        (false, _) => {}
        (true, true) => report.pass(check, format!("{path} is not there or empty")),
        (true, false) => report.pass(check, format!("{path} has the profiles {}", list(&file.profiles()))),
    }
}

/// What in a profile works against what was meant, each with what mends it.
fn odd_in(
    store: &Store,
    file: &ProfileFile,
    kind: FileKind,
    name: &str,
    ctx: &Context,
) -> Vec<(String, String)> {
    let has = |key: &str| file.get(name, key).is_some();
    let has_keys = has("aws_access_key_id");
    let log_in = format!("gp idp login aws --profile {}", posix_quote(name));
    let mut odd = Vec::new();
    if has("aws_security_token") {
        let message = format!(
            "`aws_security_token` in the profile `{name}` counts before the newer `aws_session_token`"
        );
        odd.push((message, "remove that line".to_owned()));
    }
    let expiry = file.get(name, EXPIRY).and_then(|at| at.parse::<Timestamp>().ok());
    if let Some(expiry) = expiry.filter(|expiry| *expiry <= ctx.now()) {
        let when = time::relative(expiry, ctx.now());
        odd.push((format!("the keys of the profile `{name}` expired {when}"), log_in));
    }
    let source = if has_keys { Source::Keys } else { Source::Process };
    for rival in file.rivals(name, source).into_iter().filter(|rival| rival.wins && has_keys) {
        let message =
            format!("`{}` on line {} counts before the keys of the profile `{name}`", rival.key, rival.line);
        odd.push((message, "remove that line".to_owned()));
    }
    if kind == FileKind::Credentials && !file.text().is_empty() && store.is_open_to_others() {
        let path = posix_quote(&store.path.to_string_lossy());
        odd.push(("others can read it".to_owned(), format!("chmod 600 {path}")));
    }
    odd
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "(none)".to_owned() } else { names.join(", ") }
}
