//! Kubernetes: what the kubeconfig says. Whether an API server takes the token, only that server can say.

use crate::context::Context;
use crate::doctor::report::Report;
use crate::target::kubernetes::kubeconfig::Files;

pub(crate) fn examine(report: &mut Report, audience: &[String], ctx: &Context) {
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
        let hint = format!("gp idp login kubernetes --audience {}", audience.join(" --audience "));
        report.warn(CHECK, "no user of it gets its tokens from `gp`", Some(&hint));
    } else {
        report.pass(CHECK, format!("`gp` gives the tokens of {}", ours.join(", ")));
    }
    report.skip(
        "API server",
        "a refused token is a bare 401 there: its own log has the reason, and the claims are above",
    );
}
