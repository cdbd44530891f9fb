//! Environment variables of OpenBao and Vault.

use std::ffi::OsStr;

use crate::context::{Context, EnvError};
use crate::settings::Setting;

/// A variable in both spellings, OpenBao's first.
pub(super) type VariableNames = [&'static str; 2];

pub(super) const ADDR: VariableNames = ["BAO_ADDR", "VAULT_ADDR"];
/// The address of a local Agent or Proxy, which takes precedence over the server's.
pub(super) const AGENT_ADDR: VariableNames = ["BAO_AGENT_ADDR", "VAULT_AGENT_ADDR"];
pub(super) const NAMESPACE: VariableNames = ["BAO_NAMESPACE", "VAULT_NAMESPACE"];
pub(super) const TOKEN: VariableNames = ["BAO_TOKEN", "VAULT_TOKEN"];
pub(super) const WRAP_TTL: VariableNames = ["BAO_WRAP_TTL", "VAULT_WRAP_TTL"];

/// The variable that takes precedence. As in `bao`, OpenBao's variable does if it is set, even if it is empty.
pub(super) fn in_effect(names: VariableNames, ctx: &Context) -> &'static str {
    if ctx.is_set(names[0]) { names[0] } else { names[1] }
}

/// The variable that takes precedence, and its value; `None` for an empty value.
pub(super) fn variable(names: VariableNames, ctx: &Context) -> Option<(&'static str, &OsStr)> {
    let name = in_effect(names, ctx);
    ctx.var_os(name).map(|value| (name, value))
}

/// Like [`variable`], for text.
pub(super) fn setting(names: VariableNames, ctx: &Context) -> Result<Option<Setting<'_>>, EnvError> {
    match variable(names, ctx) {
        Some((name, _)) => Setting::variable(name, ctx),
        None => Ok(None),
    }
}
