//! Kubernetes: what the kubeconfig says. Whether an API server takes the token, only that server can say.

use super::args::DoctorKubernetesArgs;
use super::kubeconfig::Files;
use crate::context::Context;
use crate::doctor;
use crate::error::Failure;
use crate::report::Report;
use crate::shell;
use crate::source::TokenRequest;

/// Looks at the way to an ID token, then at the kubeconfig.
pub(crate) async fn run(args: &DoctorKubernetesArgs, ctx: &Context) -> Result<Report, Failure> {
    let wanted = TokenRequest { audiences: args.audience.clone(), scope: None };
    let mut report = doctor::identity(&wanted, &args.session.options(), ctx).await?;
    examine(&mut report, &args.audience, ctx);
    Ok(report)
}

fn examine(report: &mut Report, audience: &[String], ctx: &Context) {
    const CHECK: &str = "kubeconfig";
    let users = match Files::find(None, ctx) {
        Err(failure) => return report.fail(CHECK, failure),
        Ok(files) => match files.users() {
            Err(error) => return report.fail(CHECK, error),
            Ok(users) => users,
        },
    };
    let ours: Vec<&str> = users.iter().filter(|(_, ours)| *ours).map(|(name, _)| name.as_str()).collect();
    if ours.is_empty() {
        let mut command = vec!["gp", "idp", "login", "kubernetes"];
        command.extend(audience.iter().flat_map(|audience| ["--audience", audience]));
        let hint = shell::command(&command);
        report.warn(CHECK, "no user of it gets its tokens from `gp`", Some(&hint));
    } else {
        report.pass(CHECK, format!("`gp` gives the tokens of {}", ours.join(", ")));
    }
    report.skip(
        "API server",
        "a refused token is a bare 401 there: its own log has the reason, and the claims are above",
    );
}
