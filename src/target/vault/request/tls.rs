//! TLS to the server.

use std::ffi::OsString;
use std::path::{Path, PathBuf, absolute};

use super::{Names, text, variable, wrong};
use crate::context::Context;
use crate::error::Failure;
use crate::http::{Authorities, CaFile, ClientCertificate, Pem, TlsSettings};
use crate::target::vault::args::VaultTlsArgs;

const CACERT: Names = ["BAO_CACERT", "VAULT_CACERT"];
const CACERT_BYTES: Names = ["BAO_CACERT_BYTES", "VAULT_CACERT_BYTES"];
const CAPATH: Names = ["BAO_CAPATH", "VAULT_CAPATH"];
const CLIENT_CERT: Names = ["BAO_CLIENT_CERT", "VAULT_CLIENT_CERT"];
const CLIENT_CERT_BYTES: Names = ["BAO_CLIENT_CERT_BYTES", "VAULT_CLIENT_CERT_BYTES"];
const CLIENT_KEY: Names = ["BAO_CLIENT_KEY", "VAULT_CLIENT_KEY"];
const CLIENT_KEY_BYTES: Names = ["BAO_CLIENT_KEY_BYTES", "VAULT_CLIENT_KEY_BYTES"];
const SERVER_NAME: Names = ["BAO_TLS_SERVER_NAME", "VAULT_TLS_SERVER_NAME"];
const SKIP_VERIFY: Names = ["BAO_SKIP_VERIFY", "VAULT_SKIP_VERIFY"];

fn path(ctx: &Context, names: Names) -> Option<(&'static str, &Path)> {
    variable(ctx, names).map(|(name, value)| (name, Path::new(value)))
}

/// The settings, and the one that asks to believe any certificate. What flags say goes to `from_flags`.
pub(super) fn read<'a>(
    args: &'a VaultTlsArgs,
    ctx: &'a Context,
    from_flags: &mut Vec<(Names, OsString)>,
) -> Result<(TlsSettings<'a>, Option<&'static str>), Failure> {
    let mut flag = |names: Names, setting: &'static str, value: &'a Option<PathBuf>| {
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

fn from_variables(ctx: &Context) -> Result<Option<ClientCertificate<'_>>, Failure> {
    let names = ["`VAULT_CLIENT_CERT_BYTES`", "`VAULT_CLIENT_KEY_BYTES`"];
    let pair = pair(text(ctx, CLIENT_CERT_BYTES)?, text(ctx, CLIENT_KEY_BYTES)?, names)?;
    Ok(pair.map(|(settings, [certificate, key])| ClientCertificate {
        settings,
        certificate: Pem::Text(certificate),
        key: Pem::Text(key),
    }))
}

/// Settings and values of a certificate and its key.
type Pair<T> = ([&'static str; 2], [T; 2]);

/// A certificate and its key, each with its setting: both or none. `names` say how to give the one that is missing.
fn pair<T>(
    certificate: Option<(&'static str, T)>,
    key: Option<(&'static str, T)>,
    names: [&str; 2],
) -> Result<Option<Pair<T>>, Failure> {
    match (certificate, key) {
        (Some((certificate_setting, certificate)), Some((key_setting, key))) => {
            Ok(Some(([certificate_setting, key_setting], [certificate, key])))
        }
        (None, None) => Ok(None),
        (Some((setting, _)), None) => {
            Err(wrong(setting, format!("its key is missing: give it with {}", names[1])).into())
        }
        (None, Some((setting, _))) => {
            Err(wrong(setting, format!("its certificate is missing: give it with {}", names[0])).into())
        }
    }
}

/// A host name: an address would be connected to.
fn check_server_name(name: &str) -> Result<(), &'static str> {
    let named = reqwest::Url::parse(&format!("https://{name}/"));
    let is_name = named.is_ok_and(|url| url.domain().is_some_and(|domain| domain.eq_ignore_ascii_case(name)));
    if is_name { Ok(()) } else { Err("it is not a host name; write it like `vault.example.com`") }
}

/// The spellings of Go's `strconv.ParseBool`.
pub(super) fn boolean(text: &str) -> Result<bool, &'static str> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err("it is neither `true` nor `false`"),
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
