//! TLS settings: rustls over ring, and the system's trust store.
//!
//! Not aws-lc, whose entropy source tests itself at the first random byte of every process: 420 of
//! 456 million instructions for one token, too much for a process of ten milliseconds.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore, SignatureScheme};
use zeroize::Zeroizing;

use super::HttpError;
use super::roots::{self, Authorities};
use crate::context::Context;
use crate::files::{self, MAX_FILE};
use crate::secret::Secret;

/// The TLS settings for one service.
#[derive(Debug, Clone, Default)]
pub struct TlsSettings {
    /// The trusted authorities, in place of the system's.
    pub authorities: Option<Authorities>,
    /// The client certificate, for a service that asks for one.
    pub client: Option<ClientCertificate>,
    /// The server name to send (SNI) and to expect in the certificate, instead of the host.
    pub server_name: Option<String>,
    /// Accept any certificate.
    pub skip_verify: bool,
    /// The name of the setting for this service's authorities, if there is one; for hints.
    pub ca_setting: Option<&'static str>,
}

impl TlsSettings {
    /// Whether a client with these settings is the same as one without.
    pub(super) fn is_default(&self) -> bool {
        self.authorities.is_none() && self.client.is_none() && self.server_name.is_none() && !self.skip_verify
    }
}

/// The certificate and key of the client.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// The names of the settings for certificate and key.
    pub settings: [&'static str; 2],
    /// The certificate and its intermediate certificates.
    pub certificate: Pem,
    pub key: Pem,
}

/// The origin of PEM data.
#[derive(Debug, Clone)]
pub enum Pem {
    File(PathBuf),
    /// A variable's value, which may be a key.
    Text(Secret),
}

/// The TLS configuration. Trusts only the authorities of `settings`, else those of [`roots`].
pub(super) fn config(ctx: &Context, settings: &TlsSettings) -> Result<ClientConfig, HttpError> {
    let builder = if settings.skip_verify {
        let provider = builder()?.crypto_provider().clone();
        builder()?.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
    } else {
        builder()?.with_root_certificates(roots::load(ctx, settings.authorities.as_ref())?)
    };
    match &settings.client {
        None => Ok(builder.with_no_client_auth()),
        Some(client) => with_client_certificate(builder, client),
    }
}

fn with_client_certificate(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    client: &ClientCertificate,
) -> Result<ClientConfig, HttpError> {
    let [certificate, key] = client.settings;
    let certificate = (&client.certificate, certificate, "certificate");
    let key = (&client.key, key, "private key");
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem_of(certificate)?).collect();
    let chain = chain.map_err(|error| not_pem(certificate, &error))?;
    let private = PrivateKeyDer::from_pem_slice(&pem_of(key)?).map_err(|error| not_pem(key, &error))?;
    builder.with_client_auth_cert(chain, private).map_err(|error| HttpError::ClientCertificate {
        reason: format!("the client certificate is unusable: {error}"),
        hint: format!("correct `{}` or `{}`: the key must belong to the certificate", certificate.1, key.1),
    })
}

/// PEM data, its setting, and what it must contain.
type NamedPem<'a> = (&'a Pem, &'static str, &'static str);

fn pem_of(named: NamedPem<'_>) -> Result<Zeroizing<Vec<u8>>, HttpError> {
    match named.0 {
        Pem::File(path) => {
            files::read(path, MAX_FILE).map_err(|error| unusable(named, &format!(": {}", error.source)))
        }
        Pem::Text(text) => Ok(Zeroizing::new(text.reveal().as_bytes().to_vec())),
    }
}

fn unusable((pem, setting, what): NamedPem<'_>, reason: &str) -> HttpError {
    let (place, verb) = match pem {
        Pem::File(path) => (path.display().to_string(), "name a PEM file with"),
        Pem::Text(_) => (format!("`{setting}`"), "contain, as PEM,"),
    };
    let (subject, object) = match what {
        "certificate" => ("the client certificate", "a certificate"),
        _ => ("the key of the client certificate", "the private key of the certificate, without a password"),
    };
    HttpError::ClientCertificate {
        reason: format!("{subject} is unusable: {place}{reason}"),
        hint: format!("correct `{setting}`: it must {verb} {object}"),
    }
}

fn not_pem(named: NamedPem<'_>, error: &PemError) -> HttpError {
    match error {
        PemError::NoItemsFound => unusable(named, &format!(" contains no {}", named.2)),
        error => unusable(named, &format!(": {error}")),
    }
}

/// For the client of plain http. reqwest requires a TLS configuration anyway, and its default reads
/// the trust store.
pub(super) fn without_roots() -> Result<ClientConfig, HttpError> {
    Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn builder() -> Result<ConfigBuilder<ClientConfig, rustls::WantsVerifier>, HttpError> {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| HttpError::TlsSettings(error.to_string()))
}

/// Accepts any certificate, but checks that the server has its key. The user of this setting wants
/// an encrypted connection to any server.
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
