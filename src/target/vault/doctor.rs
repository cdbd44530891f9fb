//! Vault: what is set, what hides a token, and whether the login works.

use crate::context::Context;
use crate::doctor::report::Report;
use crate::http::Http;
use crate::target::vault::args::VaultArgs;
use crate::target::vault::exchange::Vault;
use crate::target::vault::obtain;
use crate::target::vault::request::{LoginSettings, TOKEN};
use crate::time;

/// The login is done, and its token revoked again.
pub(crate) async fn examine(report: &mut Report, args: &VaultArgs, has_token: bool, ctx: &Context) {
    let settings = report.settled("Vault settings", LoginSettings::read(args, ctx), |settings| {
        let (server, login) = (&settings.server.server, &settings.login);
        let namespace =
            server.namespace.as_ref().map_or(String::new(), |name| format!(", namespace {}", name.as_str()));
        let role = login.role.as_deref().unwrap_or("the mount's default");
        format!("{}, mount {}{namespace}, role {role}", server.address, login.mount.as_str())
    });
    report.shadows("Vault environment", &TOKEN, ctx);
    let Some(settings) = report.ready("Vault login", settings, has_token) else { return };
    let login = match obtain(args, &settings, ctx).await {
        Ok(login) => login,
        Err(failure) => return report.fail("Vault login", failure),
    };
    let policies = login.policies.join(", ");
    let life = time::span(login.lease_seconds);
    // The token was made for this look alone.
    let http = settings.server.http(&Http::new(ctx, settings.server.timeout), ctx);
    let revoked = match &http {
        Ok(http) => Vault::new(http, &settings.server.server).revoke(&login.token).await.is_ok(),
        Err(_) => false,
    };
    let found = format!("gave a token with the policies {policies} for {life}");
    if revoked {
        report.pass("Vault login", format!("{found}, which is revoked again"));
    } else {
        report.warn("Vault login", format!("{found}, which could not be revoked"), None);
    }
}
