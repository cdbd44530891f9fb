//! TLS to the server.

use std::ffi::OsString;
use std::path::{Path, PathBuf, absolute};

use crate::context::Context;
use crate::error::{Failure, UsageError};
use crate::http::{Authorities, ClientCertificate, Pem, TlsSettings};
use crate::secret::Secret;
use crate::settings::{Setting, invalid_setting};
use crate::target::vault::args::VaultTlsArgs;
use crate::target::vault::variables::{VariableNames, in_effect, setting, variable};

pub(super) const CACERT: VariableNames = ["BAO_CACERT", "VAULT_CACERT"];
const CACERT_BYTES: VariableNames = ["BAO_CACERT_BYTES", "VAULT_CACERT_BYTES"];
const CAPATH: VariableNames = ["BAO_CAPATH", "VAULT_CAPATH"];
const CLIENT_CERT: VariableNames = ["BAO_CLIENT_CERT", "VAULT_CLIENT_CERT"];
const CLIENT_CERT_BYTES: VariableNames = ["BAO_CLIENT_CERT_BYTES", "VAULT_CLIENT_CERT_BYTES"];
const CLIENT_KEY: VariableNames = ["BAO_CLIENT_KEY", "VAULT_CLIENT_KEY"];
const CLIENT_KEY_BYTES: VariableNames = ["BAO_CLIENT_KEY_BYTES", "VAULT_CLIENT_KEY_BYTES"];
const SERVER_NAME: VariableNames = ["BAO_TLS_SERVER_NAME", "VAULT_TLS_SERVER_NAME"];
const SKIP_VERIFY: VariableNames = ["BAO_SKIP_VERIFY", "VAULT_SKIP_VERIFY"];

/// A path, and the setting that names it.
type NamedPath = (&'static str, PathBuf);

fn path(names: VariableNames, ctx: &Context) -> Option<NamedPath> {
    variable(names, ctx).map(|(name, value)| (name, PathBuf::from(value)))
}

/// The settings, and the setting that turns verification off, if any. Adds the values of flags to
/// `from_flags`.
pub(super) fn read(
    args: &VaultTlsArgs,
    ctx: &Context,
    from_flags: &mut Vec<(VariableNames, OsString)>,
) -> Result<(TlsSettings, Option<&'static str>), Failure> {
    let mut flag = |names: VariableNames, name: &'static str, value: Option<&Path>| {
        let given = value?;
        // A child command may change its working directory.
        from_flags.push((names, absolute(given).unwrap_or_else(|_| given.to_owned()).into_os_string()));
        Some((name, given.to_owned()))
    };
    let file = |(name, path): NamedPath| Authorities::File(name.into(), path);
    let folder = |(name, path): NamedPath| Authorities::Folder(name.into(), path);
    let pem = setting(CACERT_BYTES, ctx)?.map(|pem| Authorities::Text(pem.name.into(), pem.value.to_owned()));
    // `vault` prefers the file, even if a flag names the folder. Here, a flag for the folder takes precedence over a
    // variable for the file.
    let authorities = flag(CACERT, "--ca-cert", args.ca_cert.as_deref())
        .map(file)
        .or_else(|| flag(CAPATH, "--ca-path", args.ca_path.as_deref()).map(folder))
        .or_else(|| path(CACERT, ctx).map(file))
        .or(pem)
        .or_else(|| path(CAPATH, ctx).map(folder));
    let certificate =
        flag(CLIENT_CERT, "--client-cert", args.client_cert.as_deref()).or_else(|| path(CLIENT_CERT, ctx));
    let key = flag(CLIENT_KEY, "--client-key", args.client_key.as_deref()).or_else(|| path(CLIENT_KEY, ctx));
    let names = ["`--client-cert` or `VAULT_CLIENT_CERT`", "`--client-key` or `VAULT_CLIENT_KEY`"];
    let files = pair(certificate, key, names)?.map(|(settings, [certificate, key])| ClientCertificate {
        settings,
        certificate: Pem::File(certificate),
        key: Pem::File(key),
    });
    let client = match files {
        Some(client) => Some(client),
        None => from_variables(ctx)?,
    };
    let server_name = match Setting::flag("--tls-server-name", args.tls_server_name.as_deref()) {
        Some(flag) => {
            from_flags.push((SERVER_NAME, flag.value.into()));
            Some(flag)
        }
        None => setting(SERVER_NAME, ctx)?,
    };
    let server_name = server_name.map(|name| name.parse(parse_server_name)).transpose()?;
    let skip = match setting(SKIP_VERIFY, ctx)? {
        _ if args.tls_skip_verify => {
            from_flags.push((SKIP_VERIFY, "true".into()));
            Some("--tls-skip-verify")
        }
        Some(skip) => skip.parse(boolean)?.then_some(skip.name),
        None => None,
    };
    let skip_verify = skip.is_some();
    let settings = TlsSettings {
        authorities,
        client,
        server_name,
        skip_verify,
        ca_setting: Some(in_effect(CACERT, ctx)),
    };
    Ok((settings, skip))
}

fn from_variables(ctx: &Context) -> Result<Option<ClientCertificate>, Failure> {
    let names = ["`VAULT_CLIENT_CERT_BYTES`", "`VAULT_CLIENT_KEY_BYTES`"];
    let text = |names| {
        let found = setting(names, ctx)?;
        Ok::<_, Failure>(found.map(|pem| (pem.name, Secret::new(pem.value.to_owned()))))
    };
    let pair = pair(text(CLIENT_CERT_BYTES)?, text(CLIENT_KEY_BYTES)?, names)?;
    Ok(pair.map(|(settings, [certificate, key])| ClientCertificate {
        settings,
        certificate: Pem::Text(certificate),
        key: Pem::Text(key),
    }))
}

/// `names` with the prefix of the variable `setting`.
fn with_same_prefix(setting: &str, names: &str) -> String {
    if setting.starts_with("BAO_") { names.replace("VAULT_", "BAO_") } else { names.to_owned() }
}

/// Settings and values of a certificate and its key.
type Pair<T> = ([&'static str; 2], [T; 2]);

/// A certificate and its key, each with its setting: both or none. The error names the missing
/// setting from `names`.
fn pair<T>(
    certificate: Option<(&'static str, T)>,
    key: Option<(&'static str, T)>,
    names: [&str; 2],
) -> Result<Option<Pair<T>>, UsageError> {
    match (certificate, key) {
        (Some((certificate_setting, certificate)), Some((key_setting, key))) => {
            Ok(Some(([certificate_setting, key_setting], [certificate, key])))
        }
        (None, None) => Ok(None),
        (Some((setting, _)), None) => Err(invalid_setting(
            setting,
            format!("its key is missing: give it with {}", with_same_prefix(setting, names[1])),
        )),
        (None, Some((setting, _))) => Err(invalid_setting(
            setting,
            format!("its certificate is missing: give it with {}", with_same_prefix(setting, names[0])),
        )),
    }
}

/// Accepts only a host name: the client would connect to an IP address.
fn parse_server_name(name: &str) -> Result<String, &'static str> {
    let named = url::Url::parse(&format!("https://{name}/"));
    let is_name = named.is_ok_and(|url| url.domain().is_some_and(|domain| domain.eq_ignore_ascii_case(name)));
    if is_name {
        Ok(name.to_owned())
    } else {
        Err("it is not a host name; write it like `vault.example.com`")
    }
}

/// The spellings of Go's `strconv.ParseBool`.
pub(super) fn boolean(text: &str) -> Result<bool, &'static str> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err("it is not a truth value; write `true` or `false`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_names() {
        for name in ["vault.example.com", "vault", "Vault.Example.com"] {
            assert_eq!(parse_server_name(name).as_deref(), Ok(name));
        }
        for name in ["127.0.0.1", "[::1]", "::1", "vault:8200", "https://vault", "a b", "a/b", "a@b"] {
            assert!(parse_server_name(name).is_err(), "{name}");
        }
    }
}
