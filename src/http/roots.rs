//! The trusted certificate authorities: those of one service, else those in `SSL_CERT_FILE` and
//! `SSL_CERT_DIR`, else the system's bundle, else the platform's.
//!
//! From the system only the bundle file is read. The platform verifier and `load_native_certs` also
//! read the folder with the same certificates, which doubles the work. If `SSL_CERT_FILE` and
//! `SSL_CERT_DIR` hold the same certificate, it is parsed once (see [`pem`]).

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{HttpError, TlsSettings, pem};
use crate::context::Context;
use crate::files;
use crate::shell::posix_quote;

/// The bundle files of Linux distributions, most common first.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];
/// The size limit of one file, in bytes: forty times Debian's bundle.
const MAX_BUNDLE: u64 = 8 << 20;
/// The maximum number of files in a folder and its subfolders: ten times as many as on Debian.
const MAX_FILES: usize = 4096;

/// The certificate authorities of one service, and the name of the setting: `` `AWS_CA_BUNDLE` ``,
/// or a property of a file.
#[derive(Debug, Clone)]
pub enum Authorities {
    /// A PEM file.
    File(Cow<'static, str>, PathBuf),
    /// All files in a folder and its subfolders, with any names.
    Folder(Cow<'static, str>, PathBuf),
    /// PEM text.
    Text(Cow<'static, str>, String),
}

/// How to trust one more authority, as lines of a hint that follow the request for its certificate.
/// The text names the setting and the authorities that it replaces: with only the new certificate
/// in the file, other hosts would no longer be trusted.
pub(super) fn trust_hint(ctx: &Context, tls: &TlsSettings) -> String {
    let system = || bundle().map(|bundle| bundle.display().to_string());
    match (&tls.authorities, tls.ca_setting) {
        (Some(Authorities::File(setting, path)), _) => {
            format!(
                "then add that certificate to {} (`{setting}`): only the authorities in this file are trusted for this service",
                path.display()
            )
        }
        (Some(Authorities::Folder(setting, path)), _) => {
            format!(
                "then put that certificate into {} (`{setting}`): only the authorities in this folder are trusted for this service",
                path.display()
            )
        }
        (Some(Authorities::Text(setting, _)), _) => {
            format!(
                "then add that certificate to `{setting}`: only its authorities are trusted for this service"
            )
        }
        (None, Some(setting)) => {
            format!(
                "then set `{setting}` to the file of that certificate. This setting applies only to this service"
            )
        }
        (None, None) => match (ctx.var_os("SSL_CERT_FILE"), ctx.var_os("SSL_CERT_DIR"), system()) {
            (Some(file), _, bundle) => {
                let file = Path::new(file).display().to_string();
                let system = bundle.filter(|bundle| *bundle != file).map_or(String::new(), |bundle| {
                    format!(
                        "\nto trust the system's authorities as well, run `cat {bundle} >> {}`",
                        posix_quote(&file)
                    )
                });
                format!(
                    "then add that certificate to {file}: `SSL_CERT_FILE` names this file, so the system's authorities are not used{system}"
                )
            }
            (None, Some(folders), _) => format!(
                "then put that certificate into {}: `SSL_CERT_DIR` names this folder, so the system's authorities are not used",
                Path::new(folders).display()
            ),
            (None, None, Some(bundle)) => format!(
                "then save that certificate as CA.pem, run `cat {bundle} CA.pem > all.pem`, and set `SSL_CERT_FILE` to the path of all.pem: this file replaces the system's authorities"
            ),
            (None, None, None) => {
                "then add that certificate to the system's authorities. `SSL_CERT_FILE` would replace them"
                    .to_owned()
            }
        },
    }
}

pub(super) fn load(ctx: &Context, authorities: Option<&Authorities>) -> Result<RootCertStore, HttpError> {
    let mut found = RootCollector::default();
    let (setting, named) = match authorities {
        Some(Authorities::File(setting, path)) => {
            found.file(path);
            (Some(setting.clone()), vec![shown(path)])
        }
        Some(Authorities::Folder(setting, path)) => {
            found.folder(path, true);
            (Some(setting.clone()), vec![shown(path)])
        }
        Some(Authorities::Text(setting, text)) => {
            found.pem(text.as_bytes());
            (Some(setting.clone()), vec![])
        }
        None => (None, found.of_system(ctx)?),
    };
    found.certificates.sort_unstable_by(|a, b| a.as_ref().cmp(b.as_ref()));
    found.certificates.dedup();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certificates);
    if roots.is_empty() {
        return Err(HttpError::NoRoots { setting, named, reason: found.reason });
    }
    Ok(roots)
}

/// The default trust store, for messages.
pub(super) fn trusted(ctx: &Context) -> String {
    let named = |name: &str| ctx.var_os(name).map(|path| format!("{name}={}", Path::new(path).display()));
    let set: Vec<String> = ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().filter_map(named).collect();
    match bundle() {
        _ if !set.is_empty() => set.join(", "),
        Some(bundle) => bundle.display().to_string(),
        None => "what the platform trusts".to_owned(),
    }
}

/// The system's bundle. macOS has one too, but the user's trust settings are in the keychain.
fn bundle() -> Option<&'static Path> {
    BUNDLES.iter().map(Path::new).find(|path| !cfg!(target_os = "macos") && path.is_file())
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Collects certificates.
#[derive(Default)]
struct RootCollector {
    certificates: Vec<CertificateDer<'static>>,
    /// The device and inode of each read file: in `SSL_CERT_DIR` one file has several names.
    files: HashSet<(u64, u64)>,
    /// The base64 of each certificate: `SSL_CERT_DIR` repeats the certificates of `SSL_CERT_FILE`.
    seen: HashSet<Vec<u8>>,
    /// The error of the first file that could not be read.
    reason: Option<String>,
}

impl RootCollector {
    /// Loads the default trust store. Returns the paths in `SSL_CERT_FILE` and `SSL_CERT_DIR`.
    fn of_system(&mut self, ctx: &Context) -> Result<Vec<String>, HttpError> {
        let file = ctx.var_os("SSL_CERT_FILE").map(Path::new);
        let folders = ctx.var_os("SSL_CERT_DIR").map(Path::new);
        let named: Vec<String> = [file, folders].into_iter().flatten().map(shown).collect();
        if let Some(file) = file {
            self.file(file);
            // An error even if the folders have authorities: the user may need those of the file.
            if let (Some(_), true) = (&self.reason, self.certificates.is_empty()) {
                let reason = self.reason.take();
                return Err(HttpError::NoRoots { setting: None, named: vec![shown(file)], reason });
            }
        }
        for folder in folders.map(std::env::split_paths).into_iter().flatten() {
            self.folder(&folder, false);
        }
        match bundle() {
            _ if !named.is_empty() => {}
            Some(bundle) => self.file(bundle),
            None => self.certificates.extend(rustls_native_certs::load_native_certs().certs),
        }
        Ok(named)
    }

    fn file(&mut self, path: &Path) {
        if fs::metadata(path).is_ok_and(|found| self.is_known(&found)) {
            return;
        }
        self.read(path);
    }

    fn is_known(&mut self, file: &Metadata) -> bool {
        !self.files.insert((file.dev(), file.ino()))
    }

    fn read(&mut self, path: &Path) {
        match files::read(path, MAX_BUNDLE) {
            Ok(bytes) => self.pem(&bytes),
            Err(error) => self.note(error.source.to_string()),
        }
    }

    fn pem(&mut self, bytes: &[u8]) {
        match pem::certificates(bytes, &mut self.seen) {
            Some(certificates) => self.certificates.extend(certificates),
            // Other PEM blocks and unreadable certificates are skipped.
            None => self.certificates.extend(CertificateDer::pem_slice_iter(bytes).flatten()),
        }
    }

    /// Reads every file in the folder, and in its subfolders if `deep`. A link to a folder is not
    /// followed, so loops cannot occur.
    fn folder(&mut self, folder: &Path, deep: bool) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.note(error.to_string()),
        };
        for entry in entries.flatten() {
            if self.files.len() >= MAX_FILES {
                return self.note(format!("the folder has more than {MAX_FILES} files"));
            }
            let path = entry.path();
            // `metadata` follows a link.
            match fs::metadata(&path) {
                Ok(found) if found.is_dir() => {
                    if deep && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                        self.folder(&path, deep);
                    }
                }
                Ok(found) if self.is_known(&found) => {}
                _ => self.read(&path),
            }
        }
    }

    fn note(&mut self, reason: String) {
        self.reason.get_or_insert(reason);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn pem(bytes: &[u8]) -> String {
        use base64::Engine as _;
        let body = base64::engine::general_purpose::STANDARD.encode(bytes);
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    }

    #[test]
    fn each_file_is_read_once_and_special_files_are_skipped() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path();
        fs::write(folder.join("a.pem"), pem(b"a")).unwrap();
        fs::write(folder.join("bundle.crt"), pem(b"a") + &pem(b"b")).unwrap();
        symlink("a.pem", folder.join("0a0b0c0d.0")).unwrap();
        // A link in a loop, a dangling link, and files without end.
        fs::create_dir(folder.join("below")).unwrap();
        fs::write(folder.join("below/c.pem"), pem(b"c")).unwrap();
        symlink("..", folder.join("below/up")).unwrap();
        symlink("nowhere", folder.join("dangling")).unwrap();
        symlink("/dev/zero", folder.join("zero")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, folder.join("pipe"), rustix::fs::Mode::RUSR).unwrap();
        let certificates = |deep| {
            let mut found = RootCollector::default();
            found.folder(folder, deep);
            let mut all: Vec<_> = found.certificates.iter().map(|one| one.as_ref().to_vec()).collect();
            all.sort();
            String::from_utf8(all.concat()).unwrap()
        };
        assert_eq!(certificates(false), "ab");
        assert_eq!(certificates(true), "abc");
    }
}
