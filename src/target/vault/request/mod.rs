//! What flags and environment ask for, checked before any request. A flag counts before the environment, and a
//! variable of OpenBao (`BAO_…`) before that of Vault, as `bao` has it.

mod tls;

use std::ffi::{OsStr, OsString};
use std::time::Duration;

use crate::context::Context;
use crate::error::{CouldNot, Failure, UsageError};
use crate::exec::Environment;
use crate::http::{Http, HttpError, ProxySetting, TlsSettings};
use crate::secret::Secret;
use crate::sink::formats::Variable;
use crate::target::vault::args::{VaultArgs, VaultServerArgs, parse_wrap_ttl};
use crate::target::vault::exchange::address::{Address, Mount, Namespace};
use crate::target::vault::exchange::{JwtLogin, Server};
use crate::time::parse_duration;

/// A variable in both spellings, the one that counts first.
pub(super) type Names = [&'static str; 2];

const ADDR: Names = ["BAO_ADDR", "VAULT_ADDR"];
/// The address of a local Agent or Proxy, which counts before the server's.
const AGENT_ADDR: Names = ["BAO_AGENT_ADDR", "VAULT_AGENT_ADDR"];
const NAMESPACE: Names = ["BAO_NAMESPACE", "VAULT_NAMESPACE"];
pub(crate) const TOKEN: Names = ["BAO_TOKEN", "VAULT_TOKEN"];
const WRAP_TTL: Names = ["BAO_WRAP_TTL", "VAULT_WRAP_TTL"];
const PROXY_ADDR: Names = ["BAO_PROXY_ADDR", "VAULT_PROXY_ADDR"];
const HTTP_PROXY: Names = ["BAO_HTTP_PROXY", "VAULT_HTTP_PROXY"];
const CLIENT_TIMEOUT: Names = ["BAO_CLIENT_TIMEOUT", "VAULT_CLIENT_TIMEOUT"];
const MAX_RETRIES: Names = ["BAO_MAX_RETRIES", "VAULT_MAX_RETRIES"];
const SRV_LOOKUP: Names = ["BAO_SRV_LOOKUP", "VAULT_SRV_LOOKUP"];

const NO_ADDRESS: &str = "give one with `--address https://vault.example.com:8200`, or set `VAULT_ADDR`";

/// Where the server is and how it is spoken to.
pub(crate) struct ServerSettings<'a> {
    pub(crate) server: Server,
    tls: TlsSettings<'a>,
    /// The setting that asks to believe any certificate.
    skips_verification: Option<&'static str>,
    proxy: Option<ProxySetting<'a>>,
    /// The limit of the whole command.
    pub(crate) timeout: Duration,
    /// How often a request is sent at most, where that is set.
    tries: Option<u32>,
    /// What flags say and a command is to know too.
    from_flags: Vec<(Names, OsString)>,
}

/// All of a login.
pub(crate) struct LoginSettings<'a> {
    pub(crate) server: ServerSettings<'a>,
    pub(crate) login: JwtLogin,
    /// The namespace for what comes after the login.
    pub(super) later: Option<Namespace>,
}

/// The variable that counts, and its value unless that is nothing.
fn variable(ctx: &Context, names: Names) -> Option<(&'static str, &OsStr)> {
    let name = if ctx.is_set(names[0]) { names[0] } else { names[1] };
    ctx.var_os(name).map(|value| (name, value))
}

fn text(ctx: &Context, names: Names) -> Result<Option<(&'static str, &str)>, Failure> {
    let Some((name, _)) = variable(ctx, names) else { return Ok(None) };
    Ok(ctx.var(name)?.map(|value| (name, value)))
}

fn wrong(setting: &str, reason: impl std::fmt::Display) -> UsageError {
    UsageError { message: format!("`{setting}`: {reason}"), hint: None }
}

impl<'a> ServerSettings<'a> {
    pub(super) fn read(args: &'a VaultServerArgs, ctx: &'a Context) -> Result<Self, Failure> {
        let mut from_flags = Vec::new();
        let found = match &args.address {
            Some(address) => Some(("--address", address.as_str())),
            None => text(ctx, AGENT_ADDR)?.or(text(ctx, ADDR)?),
        };
        let (setting, address) = found.ok_or_else(|| UsageError {
            message: "no server is named".into(),
            hint: Some(NO_ADDRESS.into()),
        })?;
        refuse_srv_lookup(address, ctx)?;
        let address = Address::parse(address).map_err(|error| wrong(setting, error))?;
        let (setting, namespace) = match &args.namespace {
            Some(namespace) => ("--namespace", namespace.as_str()),
            None => text(ctx, NAMESPACE)?.unwrap_or(("VAULT_NAMESPACE", "")),
        };
        let namespace = Namespace::parse(namespace).map_err(|error| wrong(setting, error))?;
        let (tls, skips_verification) = tls::read(&args.tls, ctx, &mut from_flags)?;
        let proxy = match text(ctx, PROXY_ADDR)? {
            Some(found) => Some(found),
            None => text(ctx, HTTP_PROXY)?,
        };
        let proxy = proxy.map(|(setting, address)| ProxySetting { setting, address, can_be_bypassed: false });
        let timeout = match args.limits.timeout {
            Some(limit) => Some(limit),
            None => client_timeout(ctx)?,
        };
        Ok(Self {
            server: Server { address, namespace },
            tls,
            skips_verification,
            proxy,
            timeout: timeout.unwrap_or_else(|| args.limits.timeout()),
            tries: tries(ctx)?,
            from_flags,
        })
    }

    /// The client for the server, made at once: a certificate that cannot be read is found before an ID token is
    /// asked for.
    pub(crate) fn http(&self, http: &Http<'a>, ctx: &Context) -> Result<Http<'a>, HttpError> {
        let address = &self.server.address;
        let url = address.url();
        if let Some(setting) = self.skips_verification.filter(|_| url.scheme() == "https") {
            ctx.out.alarm(format!(
                "`{setting}`: the certificate of {} is not checked, so whoever answers there gets the ID token and can use it: name the authority in `VAULT_CACERT` instead",
                crate::http::origin(url)
            ));
        }
        let client = http.with_tls(self.tls).through(self.proxy).at_most(self.tries).over(address.socket());
        client.prepare(url)?;
        Ok(client)
    }

    /// What a shell needs to use `token` at this server: `VAULT_…`, and `BAO_…` where it is set, because `bao`
    /// would prefer what it says.
    pub(super) fn variables(
        &self,
        token: &Secret,
        later: Option<&Namespace>,
        ctx: &Context,
    ) -> Vec<Variable> {
        let mut variables = self.in_both_spellings(token, later, ctx);
        variables.retain(|(name, _)| !name.starts_with("BAO_") || ctx.is_set(name));
        variables
    }

    fn in_both_spellings(&self, token: &Secret, later: Option<&Namespace>, ctx: &Context) -> Vec<Variable> {
        let plain = |text: &str| Secret::new(text.to_owned());
        let mut variables = Vec::new();
        let mut add = |names: Names, value: Secret| {
            variables.extend([(names[1], value.clone()), (names[0], value)]);
        };
        add(ADDR, plain(&self.server.address.to_string()));
        add(TOKEN, token.clone());
        match later {
            Some(namespace) => add(NAMESPACE, plain(namespace.as_str())),
            // An old one would count.
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

    /// The environment of a command that uses `token` at this server.
    pub(super) fn environment(
        &self,
        token: &Secret,
        later: Option<&Namespace>,
        ctx: &Context,
    ) -> Environment {
        let without: Vec<&str> = [AGENT_ADDR, WRAP_TTL].into_iter().flatten().collect();
        Environment::without(&without).with(self.in_both_spellings(token, later, ctx))
    }
}

impl<'a> LoginSettings<'a> {
    pub(crate) fn read(args: &'a VaultArgs, ctx: &'a Context) -> Result<Self, Failure> {
        let action = || "log in to Vault".to_owned();
        let server = ServerSettings::read(&args.server, ctx).could_not(action)?;
        let mount = Mount::parse(&args.mount).map_err(|error| wrong("--mount", error)).could_not(action)?;
        let role = match &args.role {
            Some(role) => Some(("--role", role.as_str())),
            None => ctx.var("IDP_VAULT_ROLE")?.map(|role| ("IDP_VAULT_ROLE", role)),
        };
        if let Some((setting, role)) = role {
            check_role(role).map_err(|reason| wrong(setting, reason)).could_not(action)?;
        }
        let later = match &args.use_namespace {
            Some(namespace) => Namespace::parse(namespace)
                .map_err(|error| wrong("--use-namespace", error))
                .could_not(action)?,
            None => server.server.namespace.clone(),
        };
        let login = JwtLogin {
            server: server.server.clone(),
            mount,
            role: role.map(|(_, role)| role.to_owned()),
            wrap_ttl: None,
        };
        Ok(Self { server, login, later })
    }

    /// With the answer wrapped, as the flag or the environment asks.
    pub(super) fn wrapped(mut self, flag: Option<Duration>, ctx: &Context) -> Result<Self, Failure> {
        self.login.wrap_ttl = match (flag, text(ctx, WRAP_TTL)?) {
            (Some(ttl), _) => Some(ttl),
            (None, Some((setting, text))) => {
                Some(parse_wrap_ttl(text).map_err(|reason| wrong(setting, reason))?)
            }
            (None, None) => None,
        };
        Ok(self)
    }
}

/// The limit for the server's answers is one for the whole command here; zero is none of its own.
fn client_timeout(ctx: &Context) -> Result<Option<Duration>, Failure> {
    let Some((setting, text)) = text(ctx, CLIENT_TIMEOUT)? else { return Ok(None) };
    let limit = parse_duration(text).map_err(|reason| wrong(setting, reason))?;
    Ok(Some(limit).filter(|limit| !limit.is_zero()))
}

/// How often a request is sent: once, and again as often as the setting says.
fn tries(ctx: &Context) -> Result<Option<u32>, Failure> {
    let Some((setting, text)) = text(ctx, MAX_RETRIES)? else { return Ok(None) };
    let retries: u32 =
        text.parse().map_err(|_| wrong(setting, "it is not a number of retries; write it like `2`"))?;
    Ok(Some(retries.saturating_add(1)))
}

/// Whoever asks for the server to be found by its SRV records would be led to another one.
fn refuse_srv_lookup(address: &str, ctx: &Context) -> Result<(), Failure> {
    let Some((setting, text)) = text(ctx, SRV_LOOKUP)? else { return Ok(()) };
    let asked = tls::boolean(text).map_err(|reason| wrong(setting, reason))?;
    let after_colon = address.rsplit(':').next().and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let has_port = !after_colon.is_empty() && after_colon.bytes().all(|b| b.is_ascii_digit());
    if asked && !has_port && !address.starts_with("unix:") {
        let reason = "SRV records are not looked up; write host and port into the address, as `https://vault.example.com:8200`";
        return Err(wrong(setting, reason).into());
    }
    Ok(())
}

/// What the server takes for a name: word characters, `-` and `.` in between.
fn check_role(role: &str) -> Result<(), String> {
    let inner = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    match role.chars().find(|c| !inner(*c)) {
        Some(odd) => Err(format!("`{odd}` cannot be in the name of a role: A-Z a-z 0-9 _ - . can")),
        None => Ok(()),
    }
}
