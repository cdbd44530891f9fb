//! TLS settings: rustls over ring, and the system's trust store.
//!
//! ring, because a process that lives for ten milliseconds cannot pay for aws-lc's entropy source, which
//! measures itself at the first random byte of every process: 420 of 456 million instructions for one
//! token. The bundle file alone, because the platform verifier and `load_native_certs` read the bundle
//! *and* the folder of the same certificates, which is twice the work; [`pem`] says how the file is read.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_native_certs::CertificateResult;

use super::{HttpError, pem};
use crate::context::Context;
use crate::secret::Secret;

/// Where distributions of Linux keep all their roots in one file, in the order of how common they are.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

/// How TLS to one service differs from TLS to all others.
#[derive(Debug, Clone, Default)]
pub struct TlsSettings {
    /// Whom to trust in place of the system's authorities.
    pub authorities: Option<Authorities>,
    /// What to show when the service asks for a certificate.
    pub client: Option<ClientCertificate>,
    /// The name to ask for, and to expect in the certificate, in place of the address's host.
    pub server_name: Option<String>,
    /// Accept any certificate.
    pub skip_verify: bool,
    /// The setting to name where the authority is not trusted.
    pub ca_setting: Option<&'static str>,
}

impl TlsSettings {
    /// Whether a client with these settings is the same as one without.
    pub(super) fn is_default(&self) -> bool {
        self.authorities.is_none() && self.client.is_none() && self.server_name.is_none() && !self.skip_verify
    }
}

/// The certificate authorities of one service, and the setting that names them.
#[derive(Debug, Clone)]
pub enum Authorities {
    /// Those of a file.
    File(&'static str, PathBuf),
    /// Those of all files in a folder, whatever their names, and in the folders below.
    Folder(&'static str, PathBuf),
    /// Those of this PEM text.
    Text(&'static str, String),
}

/// Who this client is.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// The settings that name the two.
    pub settings: [&'static str; 2],
    /// A PEM certificate, and those between it and its authority.
    pub certificate: Pem,
    pub key: Pem,
}

/// Where PEM comes from.
#[derive(Debug, Clone)]
pub enum Pem {
    File(PathBuf),
    /// A variable's value, which may be a key.
    Text(Secret),
}

/// Trusts the authorities of `settings` alone, else what `SSL_CERT_FILE` and `SSL_CERT_DIR` name, else the
/// system's bundle, else whatever the platform has.
pub(super) fn config(ctx: &Context, settings: &TlsSettings) -> Result<ClientConfig, HttpError> {
    let builder = if settings.skip_verify {
        let provider = builder()?.crypto_provider().clone();
        builder()?.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
    } else {
        builder()?.with_root_certificates(roots(ctx, settings.authorities.as_ref())?)
    };
    match &settings.client {
        None => Ok(builder.with_no_client_auth()),
        Some(client) => with_client_certificate(builder, client),
    }
}

fn roots(ctx: &Context, authorities: Option<&Authorities>) -> Result<RootCertStore, HttpError> {
    let shown = |path: &Path| path.display().to_string();
    let (setting, named, loaded) = match authorities {
        Some(Authorities::File(setting, path)) => (Some(*setting), vec![shown(path)], load_file(path)),
        Some(Authorities::Folder(setting, path)) => {
            let mut loaded = CertificateResult::default();
            load_folder(path, &mut loaded);
            (Some(*setting), vec![shown(path)], loaded)
        }
        Some(Authorities::Text(setting, pem)) => {
            let mut loaded = CertificateResult::default();
            loaded.certs = CertificateDer::pem_slice_iter(pem.as_bytes()).flatten().collect();
            (Some(*setting), vec![], loaded)
        }
        None => {
            let (file, dir) =
                (ctx.var_os("SSL_CERT_FILE").map(Path::new), ctx.var_os("SSL_CERT_DIR").map(Path::new));
            let loaded = if file.is_some() || dir.is_some() {
                load_named(file, dir)?
            } else if let Some(bundle) = bundle() {
                load_file(bundle)
            } else {
                rustls_native_certs::load_native_certs()
            };
            (None, [file, dir].into_iter().flatten().map(shown).collect(), loaded)
        }
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(loaded.certs);
    if roots.is_empty() {
        let reason = loaded.errors.first().map(ToString::to_string);
        return Err(HttpError::NoRoots { setting, named, reason });
    }
    Ok(roots)
}

/// The system's bundle. macOS has one too, but what its owner trusts is in the keychain.
fn bundle() -> Option<&'static Path> {
    BUNDLES.iter().map(Path::new).find(|path| !cfg!(target_os = "macos") && path.is_file())
}

/// What `SSL_CERT_FILE` and `SSL_CERT_DIR` name, the latter one or several folders. A file that cannot be read is
/// an error even where the folders have authorities: they may not be the ones that were meant.
fn load_named(file: Option<&Path>, dirs: Option<&Path>) -> Result<CertificateResult, HttpError> {
    let mut loaded = file.map(load_file).unwrap_or_default();
    if let (Some(path), [error, ..], []) = (file, &loaded.errors[..], &loaded.certs[..]) {
        let named = vec![path.display().to_string()];
        return Err(HttpError::NoRoots { setting: None, named, reason: Some(error.to_string()) });
    }
    for dir in dirs.map(std::env::split_paths).into_iter().flatten() {
        let found = rustls_native_certs::load_certs_from_paths(None, Some(&dir));
        loaded.certs.extend(found.certs);
        loaded.errors.extend(found.errors);
    }
    Ok(loaded)
}

/// The certificates of one file; what is wrong with one that holds other things too, the library says.
fn load_file(path: &Path) -> CertificateResult {
    match fs::read(path).ok().as_deref().and_then(pem::certificates) {
        Some(certs) if !certs.is_empty() => {
            let mut loaded = CertificateResult::default();
            loaded.certs = certs;
            loaded
        }
        _ => rustls_native_certs::load_certs_from_paths(Some(path), None),
    }
}

/// Every file: the folder of `SSL_CERT_DIR` has names that are hashes, that of a service has any.
fn load_folder(folder: &Path, loaded: &mut CertificateResult) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            load_folder(&path, loaded);
        } else {
            let found = load_file(&path);
            loaded.certs.extend(found.certs);
            loaded.errors.extend(found.errors);
        }
    }
}

fn with_client_certificate(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    client: &ClientCertificate,
) -> Result<ClientConfig, HttpError> {
    let failed = |reason: String| HttpError::ClientCertificate { reason, settings: client.settings };
    let [certificate_setting, key_setting] = client.settings;
    let unreadable = |pem: &Pem, setting: &str, error: rustls::pki_types::pem::Error| {
        failed(match pem {
            Pem::File(path) => format!("{}: {error}", path.display()),
            Pem::Text(_) => format!("`{setting}`: {error}"),
        })
    };
    let chain: Result<Vec<_>, _> = match &client.certificate {
        Pem::File(path) => CertificateDer::pem_file_iter(path).and_then(Iterator::collect),
        Pem::Text(text) => CertificateDer::pem_slice_iter(text.reveal().as_bytes()).collect(),
    };
    let chain = chain.map_err(|error| unreadable(&client.certificate, certificate_setting, error))?;
    let key = match &client.key {
        Pem::File(path) => PrivateKeyDer::from_pem_file(path),
        Pem::Text(text) => PrivateKeyDer::from_pem_slice(text.reveal().as_bytes()),
    };
    let key = key.map_err(|error| unreadable(&client.key, key_setting, error))?;
    builder.with_client_auth_cert(chain, key).map_err(|error| failed(error.to_string()))
}

/// What [`config`] trusts unless a service has settings of its own, in words.
pub(super) fn trusted(ctx: &Context) -> String {
    let named = |name: &str| ctx.var_os(name).map(|path| format!("{name}={}", Path::new(path).display()));
    let set: Vec<String> = ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().filter_map(named).collect();
    match bundle() {
        _ if !set.is_empty() => set.join(", "),
        Some(bundle) => bundle.display().to_string(),
        None => "what the platform trusts".to_owned(),
    }
}

/// For the client that never speaks TLS: reqwest wants settings all the same, and its own would read the
/// trust store.
pub(super) fn trusting_no_one() -> Result<ClientConfig, HttpError> {
    Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn builder() -> Result<ConfigBuilder<ClientConfig, rustls::WantsVerifier>, HttpError> {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| HttpError::TlsSettings(error.to_string()))
}

/// Believes any certificate, but still asks for its key: whoever asked for this wants an encrypted connection to
/// whoever answers.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
