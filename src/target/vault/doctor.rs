//! Vault: checks a login, and revokes its token again.

use jiff::Timestamp;

use super::exchange::{REVOKE_LIMIT, VaultLogin, revoke};
use super::{LoginRequest, Vault};
use crate::doctor::{Examine, FileCheckInput};
use crate::http::Deadline;
use crate::report::Report;
use crate::session::Session;
use crate::time;

impl Examine for Vault {
    const CHECKS: [&'static str; 3] = ["Vault settings", "Vault environment", "Vault login"];

    fn describe(request: &LoginRequest) -> String {
        let server = &request.server;
        let namespace = server.namespace.as_ref();
        let namespace = namespace.map_or(String::new(), |name| format!(", namespace {}", name.as_str()));
        let role = request.role.as_deref().unwrap_or("the mount's default");
        format!("{}, mount {}{namespace}, role {role}", server.address, request.mount.as_str())
    }

    fn examine_files(_: &FileCheckInput<'_, Self>, _: &mut Report) {}

    async fn describe_credential(
        request: &LoginRequest,
        credential: &VaultLogin,
        session: &Session<'_>,
        _: Timestamp,
    ) -> Result<String, String> {
        let policies = credential.policies.join(", ");
        let life = time::span(credential.lease_seconds);
        let found = format!("gave a token with the policies {policies} for {life}");
        let revoked = match request.server.client(&session.http().until(Deadline::after(REVOKE_LIMIT))) {
            Ok(client) => revoke(&request.server, &credential.token, &client).await.is_ok(),
            Err(_) => false,
        };
        if revoked {
            Ok(format!("{found}, which is revoked again"))
        } else {
            Err(format!("{found}, which could not be revoked"))
        }
    }
}
