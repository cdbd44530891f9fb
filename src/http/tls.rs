//! TLS settings: rustls over ring, and the system's trust store.
//!
//! ring, because a process that lives for ten milliseconds cannot pay for aws-lc's entropy source, which
//! measures itself at the first random byte of every process: 420 of 456 million instructions for one
//! token. The bundle file alone, because the platform verifier and `load_native_certs` read the bundle
//! *and* the folder of the same certificates: 18 against 9 million instructions on a Debian system.

use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

use super::HttpError;
use crate::context::Context;

/// Where distributions keep all their roots in one file, in the order of how common they are.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

/// The certificate authorities of one service.
#[derive(Debug, Clone, Copy)]
pub struct CaFile<'a> {
    /// The setting that names the file.
    pub setting: &'static str,
    /// A file of PEM certificates.
    pub path: &'a Path,
}

/// Trusts the authorities of `ca_file` alone, else what `SSL_CERT_FILE` and `SSL_CERT_DIR` name, else the system's bundle, else whatever the platform has.
pub(super) fn config(ctx: &Context, ca_file: Option<CaFile<'_>>) -> Result<ClientConfig, HttpError> {
    let (file, dir) = match ca_file {
        Some(CaFile { path, .. }) => (Some(path), None),
        None => (ctx.var_os("SSL_CERT_FILE").map(Path::new), ctx.var_os("SSL_CERT_DIR").map(Path::new)),
    };
    let loaded = if file.is_some() || dir.is_some() {
        rustls_native_certs::load_certs_from_paths(file, dir)
    } else if let Some(bundle) = BUNDLES.iter().map(Path::new).find(|path| path.is_file()) {
        rustls_native_certs::load_certs_from_paths(Some(bundle), None)
    } else {
        rustls_native_certs::load_native_certs()
    };

    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(loaded.certs);
    if roots.is_empty() {
        let named = [file, dir].into_iter().flatten().map(|path| path.display().to_string()).collect();
        let reason = loaded.errors.first().map(ToString::to_string);
        return Err(HttpError::NoRoots { setting: ca_file.map(|file| file.setting), named, reason });
    }
    Ok(builder()?.with_root_certificates(roots).with_no_client_auth())
}

/// What [`config`] trusts, in words.
pub(super) fn trusted(ctx: &Context, ca_file: Option<CaFile<'_>>) -> String {
    if let Some(file) = ca_file {
        return format!("{}={}", file.setting, file.path.display());
    }
    let named = |name: &str| ctx.var_os(name).map(|path| format!("{name}={}", Path::new(path).display()));
    let set: Vec<String> = ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().filter_map(named).collect();
    match BUNDLES.iter().find(|path| Path::new(path).is_file()) {
        _ if !set.is_empty() => set.join(", "),
        Some(bundle) => (*bundle).to_owned(),
        None => "what the platform trusts".to_owned(),
    }
}

/// For the client that never speaks TLS: reqwest wants settings all the same, and its own would read the
/// trust store.
pub(super) fn trusting_no_one() -> Result<ClientConfig, HttpError> {
    Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, HttpError> {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| HttpError::TlsSettings(error.to_string()))
}
