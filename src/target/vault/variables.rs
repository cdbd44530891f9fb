//! Environment variables of OpenBao and Vault.

use std::ffi::OsStr;

use crate::context::{Context, EnvError};
use crate::settings::Setting;

/// A variable in both spellings, OpenBao's first.
pub(super) type Names = [&'static str; 2];

pub(super) const ADDR: Names = ["BAO_ADDR", "VAULT_ADDR"];
/// The address of a local Agent or Proxy, which takes precedence over the server's.
pub(super) const AGENT_ADDR: Names = ["BAO_AGENT_ADDR", "VAULT_AGENT_ADDR"];
pub(super) const NAMESPACE: Names = ["BAO_NAMESPACE", "VAULT_NAMESPACE"];
pub(super) const TOKEN: Names = ["BAO_TOKEN", "VAULT_TOKEN"];
pub(super) const WRAP_TTL: Names = ["BAO_WRAP_TTL", "VAULT_WRAP_TTL"];

/// The variable that takes precedence, and its value; `None` for an empty value. As in `bao`,
/// OpenBao's variable takes precedence if it is set, even if it is empty.
pub(super) fn variable(names: Names, ctx: &Context) -> Option<(&'static str, &OsStr)> {
    let name = if ctx.is_set(names[0]) { names[0] } else { names[1] };
    ctx.var_os(name).map(|value| (name, value))
}

/// Like [`variable`], for text.
pub(super) fn setting(names: Names, ctx: &Context) -> Result<Option<Setting<'_>>, EnvError> {
    match variable(names, ctx) {
        Some((name, _)) => Setting::variable(name, ctx),
        None => Ok(None),
    }
}
