//! The settings in flags and variables, checked before any request.

mod tls;

use std::ffi::OsString;
use std::time::Duration;

use super::args::{VaultArgs, VaultServerArgs, parse_wrap_ttl};
use super::exchange::address::{Address, Mount, Namespace};
use super::variables;
use super::variables::{ADDR, AGENT_ADDR, NAMESPACE, TOKEN, VariableNames, WRAP_TTL, in_effect, setting};
use crate::context::Context;
use crate::error::Failure;
use crate::http::{Http, HttpError, ProxySetting, ServiceSettings};
use crate::secret::Secret;
use crate::settings::{DEFAULT_TIMEOUT, Fallback, SessionOptions, Setting, invalid_setting};
use crate::shell::posix_quote;
use crate::sink::formats::Variable;
use crate::source::TokenRequest;
use crate::time::parse_duration;

const PROXY_ADDR: VariableNames = ["BAO_PROXY_ADDR", "VAULT_PROXY_ADDR"];
const HTTP_PROXY: VariableNames = ["BAO_HTTP_PROXY", "VAULT_HTTP_PROXY"];
const CLIENT_TIMEOUT: VariableNames = ["BAO_CLIENT_TIMEOUT", "VAULT_CLIENT_TIMEOUT"];
const MAX_RETRIES: VariableNames = ["BAO_MAX_RETRIES", "VAULT_MAX_RETRIES"];
const SRV_LOOKUP: VariableNames = ["BAO_SRV_LOOKUP", "VAULT_SRV_LOOKUP"];

/// The address of a server, its namespace, and the settings of the connection.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    pub address: Address,
    /// The flag or variable that names the address.
    pub(super) address_from: &'static str,
    /// The namespace; `None` for the root.
    pub namespace: Option<Namespace>,
    /// The flag or variable that names the namespace, or the one to set.
    pub(super) namespace_from: &'static str,
    service: ServiceSettings,
    /// The setting that turns verification of the certificate off, if one does.
    skips_verification: Option<&'static str>,
    /// The time limit of the whole command.
    pub(super) timeout: Duration,
    /// The values of flags that a child command gets as variables.
    from_flags: Vec<(VariableNames, OsString)>,
}

/// All parameters of a login.
#[derive(Debug, Clone)]
pub struct LoginRequest {
    /// The server and the namespace of the mount.
    pub server: ServerSettings,
    /// The mount of the auth method.
    pub mount: Mount,
    /// The role; `None` for the mount's default.
    pub role: Option<String>,
    /// The lifetime of the wrapping token, if the reply is to be wrapped: whole seconds, at least
    /// one.
    pub wrap_ttl: Option<Duration>,
    /// The namespace for requests after the login.
    pub namespace_after_login: Option<Namespace>,
    /// The audiences and the scope of the ID token.
    pub token: TokenRequest,
    /// The source of the ID token, the time limit of the command, and the audit log.
    pub options: SessionOptions,
}

impl ServerSettings {
    pub(super) fn read(args: &VaultServerArgs, ctx: &Context) -> Result<Self, Failure> {
        let mut from_flags = Vec::new();
        let address = match Setting::flag("--address", args.address.as_deref()) {
            Some(flag) => Some(flag),
            None => setting(AGENT_ADDR, ctx)?.or(setting(ADDR, ctx)?),
        };
        let variable = in_effect(ADDR, ctx);
        let hint = format!("give one with `--address https://vault.example.com:8200`, or set `{variable}`");
        let address = address.required("server", hint)?;
        refuse_srv_lookup(address.value, ctx)?;
        let (address_from, address) = (address.name, address.parse(Address::parse)?);
        let namespace = match Setting::flag("--namespace", args.namespace.as_deref()) {
            Some(flag) => Some(flag),
            None => setting(NAMESPACE, ctx)?,
        };
        let namespace_from = namespace.as_ref().map_or("--namespace", |namespace| namespace.name);
        let namespace = namespace.parsed(Namespace::parse)?.flatten();
        let (tls, skips_verification) = tls::read(&args.tls, ctx, &mut from_flags)?;
        let proxy = match setting(PROXY_ADDR, ctx)? {
            Some(found) => Some(found),
            None => setting(HTTP_PROXY, ctx)?,
        };
        let proxy = proxy.map(|proxy| ProxySetting {
            setting: proxy.name,
            address: proxy.value.to_owned(),
            honours_no_proxy: false,
        });
        let timeout = match args.limits.timeout {
            Some(limit) => limit,
            None => client_timeout(ctx)?.unwrap_or(DEFAULT_TIMEOUT),
        };
        let socket = address.socket().map(ToOwned::to_owned);
        let service = ServiceSettings { tls, proxy, socket, tries: tries(ctx)? };
        Ok(Self {
            address,
            address_from,
            namespace,
            namespace_from,
            service,
            skips_verification,
            timeout,
            from_flags,
        })
    }

    /// The instruction to set another address.
    pub(super) fn with_address(&self, address: &str) -> String {
        let (setting, address) = (self.address_from, posix_quote(address));
        if setting.starts_with("--") {
            format!("use `{setting} {address}`")
        } else {
            format!("run `export {setting}={address}`")
        }
    }

    /// The client for the server. This reads the certificates at once, so that an unreadable one
    /// is found before an ID token is requested.
    pub(super) fn client<'a>(&self, http: &Http<'a>) -> Result<Http<'a>, HttpError> {
        let client = http.for_service(self.service.clone());
        client.prepare(self.address.url())?;
        Ok(client)
    }

    /// Warns, even with `--quiet`, if the server's certificate is not verified. Call it once per
    /// command.
    pub(super) fn alarm_unverified(&self, ctx: &Context) {
        let url = self.address.url();
        if let Some(setting) = self.skips_verification.filter(|_| !url.is_plain()) {
            ctx.out.alarm(format!(
                "`{setting}` turns off the verification of the certificate of {}, so an attacker's server can get the ID token and use it: set `{}` to the authority's certificate instead",
                url.origin(),
                in_effect(tls::CACERT, ctx)
            ));
        }
    }

    /// The variables that a shell needs to use `token` at this server: each `VAULT_…`, and `BAO_…`
    /// if it is set, because `bao` prefers it.
    pub(super) fn variables(
        &self,
        token: &Secret,
        namespace_after_login: Option<&Namespace>,
        ctx: &Context,
    ) -> Vec<Variable> {
        let mut variables = self.variables_of_vault_and_bao(token, namespace_after_login, ctx);
        variables.retain(|(name, _)| !name.starts_with("BAO_") || ctx.is_set(name));
        variables
    }

    pub(super) fn variables_of_vault_and_bao(
        &self,
        token: &Secret,
        namespace_after_login: Option<&Namespace>,
        ctx: &Context,
    ) -> Vec<Variable> {
        let plain = |text: &str| Secret::new(text.to_owned());
        let mut variables = Vec::new();
        let mut add = |names: VariableNames, value: Secret| {
            variables.extend([(names[1], value.clone()), (names[0], value)]);
        };
        add(ADDR, plain(&self.address.to_string()));
        add(TOKEN, token.clone());
        match namespace_after_login {
            Some(namespace) => add(NAMESPACE, plain(namespace.as_str())),
            // Without this empty value, tools would use the namespace that the environment already has.
            None if NAMESPACE.iter().any(|name| ctx.var_os(name).is_some()) => add(NAMESPACE, plain("")),
            None => {}
        }
        for (names, value) in &self.from_flags {
            if let Some(value) = value.to_str() {
                add(*names, plain(value));
            }
        }
        variables
    }
}

pub(super) fn read(args: &VaultArgs, ctx: &Context) -> Result<LoginRequest, Failure> {
    let server = ServerSettings::read(&args.server, ctx)?;
    let mount = Mount::parse(&args.mount).map_err(|error| invalid_setting("--mount", error))?;
    let role = Setting::flag("--role", args.role.as_deref()).or_variable("IDP_VAULT_ROLE", ctx)?;
    let namespace_after_login = match Setting::flag("--use-namespace", args.use_namespace.as_deref()) {
        Some(namespace) => namespace.parse(Namespace::parse)?,
        None => server.namespace.clone(),
    };
    let options = args.source.options(server.timeout);
    Ok(LoginRequest {
        server,
        mount,
        role: role.parsed(parse_role)?,
        wrap_ttl: None,
        namespace_after_login,
        token: TokenRequest { audiences: args.audience.clone(), scope: args.scope.get() },
        options,
    })
}

/// The lifetime of a wrapping token, from the flag or the environment.
pub(super) fn wrap_ttl(flag: Option<Duration>, ctx: &Context) -> Result<Option<Duration>, Failure> {
    match flag {
        Some(ttl) => Ok(Some(ttl)),
        None => Ok(variables::setting(WRAP_TTL, ctx)?.parsed(parse_wrap_ttl)?),
    }
}

/// In `vault`, the variable limits the time for the server's replies; here, it limits the whole
/// command. Zero leaves the default limit.
fn client_timeout(ctx: &Context) -> Result<Option<Duration>, Failure> {
    let limit = setting(CLIENT_TIMEOUT, ctx)?.parsed(parse_duration)?;
    Ok(limit.filter(|limit| !limit.is_zero()))
}

/// The maximum number of attempts: one, and the number of retries in the setting.
fn tries(ctx: &Context) -> Result<Option<u32>, Failure> {
    let retries =
        |text: &str| text.parse::<u32>().map_err(|_| "it is not a number of retries; write it like `2`");
    Ok(setting(MAX_RETRIES, ctx)?.parsed(retries)?.map(|retries| retries.saturating_add(1)))
}

/// Refuses the setting that looks up the server by SRV records. This program does not look them
/// up, so it would use another server.
fn refuse_srv_lookup(address: &str, ctx: &Context) -> Result<(), Failure> {
    let Some(lookup) = setting(SRV_LOOKUP, ctx)? else { return Ok(()) };
    let asked = lookup.parse(tls::boolean)?;
    let after_colon = address.rsplit(':').next().and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let has_port = !after_colon.is_empty() && after_colon.bytes().all(|b| b.is_ascii_digit());
    if asked && !has_port && !address.starts_with("unix:") {
        let reason = "`gp` does not look up SRV records; write host and port in the address, as in `https://vault.example.com:8200`";
        return Err(lookup.wrong(reason).into());
    }
    Ok(())
}

/// Checks the characters of a role name. The server also refuses `-` and `.` at both ends.
fn parse_role(role: &str) -> Result<String, String> {
    let inner = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    match role.chars().find(|c| !inner(*c)) {
        Some(odd) => {
            let odd = if odd.is_whitespace() { "white space".to_owned() } else { format!("`{odd}`") };
            Err(format!("{odd} cannot be in the name of a role: only A-Z a-z 0-9 _ - . are allowed"))
        }
        None => Ok(role.to_owned()),
    }
}
