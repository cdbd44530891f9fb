//! What flags and environment ask for, checked before any request. A flag counts before the environment, and a
//! variable of OpenBao (`BAO_…`) before that of Vault, as `bao` has it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, absolute};
use std::time::Duration;

use crate::cli::{VaultArgs, VaultServerArgs, parse_wrap_ttl};
use crate::context::Context;
use crate::error::{CouldNot, Failure, UsageError};
use crate::exchange::vault::address::{Address, Mount, Namespace};
use crate::exchange::vault::{JwtLogin, Server};
use crate::http::{Authorities, CaFile, ClientCertificate, Http, HttpError, ProxySetting, TlsSettings};
use crate::secret::Secret;
use crate::sink::child::Environment;
use crate::sink::formats::Variable;

/// A variable in both spellings, the one that counts first.
pub(super) type Names = [&'static str; 2];

const ADDR: Names = ["BAO_ADDR", "VAULT_ADDR"];
/// The address of a local Agent or Proxy, which counts before the server's.
const AGENT_ADDR: Names = ["BAO_AGENT_ADDR", "VAULT_AGENT_ADDR"];
const NAMESPACE: Names = ["BAO_NAMESPACE", "VAULT_NAMESPACE"];
pub(in crate::commands) const TOKEN: Names = ["BAO_TOKEN", "VAULT_TOKEN"];
const WRAP_TTL: Names = ["BAO_WRAP_TTL", "VAULT_WRAP_TTL"];
const CACERT: Names = ["BAO_CACERT", "VAULT_CACERT"];
const CACERT_BYTES: Names = ["BAO_CACERT_BYTES", "VAULT_CACERT_BYTES"];
const CAPATH: Names = ["BAO_CAPATH", "VAULT_CAPATH"];
const CLIENT_CERT: Names = ["BAO_CLIENT_CERT", "VAULT_CLIENT_CERT"];
const CLIENT_KEY: Names = ["BAO_CLIENT_KEY", "VAULT_CLIENT_KEY"];
const SERVER_NAME: Names = ["BAO_TLS_SERVER_NAME", "VAULT_TLS_SERVER_NAME"];
const SKIP_VERIFY: Names = ["BAO_SKIP_VERIFY", "VAULT_SKIP_VERIFY"];
const PROXY_ADDR: Names = ["BAO_PROXY_ADDR", "VAULT_PROXY_ADDR"];
const HTTP_PROXY: Names = ["BAO_HTTP_PROXY", "VAULT_HTTP_PROXY"];

const NO_ADDRESS: &str = "give one with `--address https://vault.example.com:8200`, or set `VAULT_ADDR`";

/// Where the server is and how it is spoken to.
pub(in crate::commands) struct ServerSettings<'a> {
    pub(in crate::commands) server: Server,
    tls: TlsSettings<'a>,
    /// The setting that asks to believe any certificate.
    skips_verification: Option<&'static str>,
    proxy: Option<ProxySetting<'a>>,
    /// What flags say and a command is to know too.
    from_flags: Vec<(Names, OsString)>,
}

/// All of a login.
pub(in crate::commands) struct LoginSettings<'a> {
    pub(in crate::commands) server: ServerSettings<'a>,
    pub(in crate::commands) login: JwtLogin,
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

fn path(ctx: &Context, names: Names) -> Option<(&'static str, &Path)> {
    variable(ctx, names).map(|(name, value)| (name, Path::new(value)))
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
        let address = Address::parse(address).map_err(|error| wrong(setting, error))?;
        let (setting, namespace) = match &args.namespace {
            Some(namespace) => ("--namespace", namespace.as_str()),
            None => text(ctx, NAMESPACE)?.unwrap_or(("VAULT_NAMESPACE", "")),
        };
        let namespace = Namespace::parse(namespace).map_err(|error| wrong(setting, error))?;
        let (tls, skips_verification) = tls(args, ctx, &mut from_flags)?;
        let proxy = match text(ctx, PROXY_ADDR)? {
            Some(found) => Some(found),
            None => text(ctx, HTTP_PROXY)?,
        };
        let proxy = proxy.map(|(setting, address)| ProxySetting { setting, address });
        Ok(Self { server: Server { address, namespace }, tls, skips_verification, proxy, from_flags })
    }

    /// The client for the server, made at once: a certificate that cannot be read is found before an ID token is
    /// asked for.
    pub(in crate::commands) fn http(&self, http: &Http<'a>, ctx: &Context) -> Result<Http<'a>, HttpError> {
        let url = self.server.address.url();
        if let Some(setting) = self.skips_verification.filter(|_| url.scheme() == "https") {
            ctx.out.alarm(format!(
                "`{setting}`: the certificate of {} is not checked, so whoever answers there gets the ID token and can use it: name the authority in `VAULT_CACERT` instead",
                crate::http::origin(url)
            ));
        }
        let client = http.with_tls(self.tls).through(self.proxy);
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

fn tls<'a>(
    args: &'a VaultServerArgs,
    ctx: &'a Context,
    from_flags: &mut Vec<(Names, OsString)>,
) -> Result<(TlsSettings<'a>, Option<&'static str>), Failure> {
    let args = &args.tls;
    let mut flag = |names: Names, setting: &'static str, value: &'a Option<std::path::PathBuf>| {
        let given = value.as_deref()?;
        // A command may change its folder.
        from_flags.push((names, absolute(given).unwrap_or_else(|_| given.to_owned()).into_os_string()));
        Some((setting, given))
    };
    let file = |(setting, path)| Authorities::File(CaFile { setting, path });
    let folder = |(setting, path)| Authorities::Folder(CaFile { setting, path });
    let pem = text(ctx, CACERT_BYTES)?.map(|(setting, pem)| Authorities::Text { setting, pem });
    // `vault` looks at the file first, wherever the folder was named; a flag for the folder is meant, though.
    let authorities = flag(CACERT, "--ca-cert", &args.ca_cert)
        .map(file)
        .or_else(|| flag(CAPATH, "--ca-path", &args.ca_path).map(folder))
        .or_else(|| path(ctx, CACERT).map(file))
        .or(pem)
        .or_else(|| path(ctx, CAPATH).map(folder));
    let certificate =
        flag(CLIENT_CERT, "--client-cert", &args.client_cert).or_else(|| path(ctx, CLIENT_CERT));
    let key = flag(CLIENT_KEY, "--client-key", &args.client_key).or_else(|| path(ctx, CLIENT_KEY));
    let client = match (certificate, key) {
        (Some((certificate_setting, certificate)), Some((key_setting, key))) => {
            Some(ClientCertificate { settings: [certificate_setting, key_setting], certificate, key })
        }
        (None, None) => None,
        (Some((setting, _)), None) => {
            return Err(wrong(
                setting,
                "its key is missing: give it with `--client-key` or `VAULT_CLIENT_KEY`",
            )
            .into());
        }
        (None, Some((setting, _))) => {
            return Err(wrong(
                setting,
                "its certificate is missing: give it with `--client-cert` or `VAULT_CLIENT_CERT`",
            )
            .into());
        }
    };
    let name = match &args.tls_server_name {
        Some(name) => Some(("--tls-server-name", name.as_str())),
        None => text(ctx, SERVER_NAME)?,
    };
    if let Some((setting, name)) = name {
        check_server_name(name).map_err(|reason| wrong(setting, reason))?;
        if args.tls_server_name.is_some() {
            from_flags.push((SERVER_NAME, name.into()));
        }
    }
    let skip = match text(ctx, SKIP_VERIFY)? {
        _ if args.tls_skip_verify => {
            from_flags.push((SKIP_VERIFY, "true".into()));
            Some("--tls-skip-verify")
        }
        Some((setting, value)) => boolean(value).map_err(|reason| wrong(setting, reason))?.then_some(setting),
        None => None,
    };
    let settings = TlsSettings {
        authorities,
        client,
        server_name: name.map(|(_, name)| name),
        skip_verify: skip.is_some(),
        ca_setting: Some("VAULT_CACERT"),
    };
    Ok((settings, skip))
}

/// A host name: an address would be connected to.
fn check_server_name(name: &str) -> Result<(), &'static str> {
    let named = reqwest::Url::parse(&format!("https://{name}/"));
    let is_name = named.is_ok_and(|url| url.domain().is_some_and(|domain| domain.eq_ignore_ascii_case(name)));
    if is_name { Ok(()) } else { Err("it is not a host name; write it like `vault.example.com`") }
}

/// The spellings of Go's `strconv.ParseBool`.
fn boolean(text: &str) -> Result<bool, &'static str> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err("it is neither `true` nor `false`"),
    }
}

impl<'a> LoginSettings<'a> {
    pub(in crate::commands) fn read(args: &'a VaultArgs, ctx: &'a Context) -> Result<Self, Failure> {
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

/// What the server takes for a name: word characters, `-` and `.` in between.
fn check_role(role: &str) -> Result<(), String> {
    let inner = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    match role.chars().find(|c| !inner(*c)) {
        Some(odd) => Err(format!("`{odd}` cannot be in the name of a role: A-Z a-z 0-9 _ - . can")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_names() {
        for name in ["vault.example.com", "vault", "Vault.Example.com"] {
            assert_eq!(check_server_name(name), Ok(()), "{name}");
        }
        for name in ["127.0.0.1", "[::1]", "::1", "vault:8200", "https://vault", "a b", "a/b", "a@b"] {
            assert!(check_server_name(name).is_err(), "{name}");
        }
    }
}
