//! The `external_account` configuration of Google's client libraries (AIP-4117). It names the
//! source of the ID token and the token endpoint. It holds no secret.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Federation;
use super::exchange::ID_TOKEN_TYPE;
use crate::context::{Context, NoFolder};
use crate::exit::{Bug, Exit, Explain};
use crate::files::{self, MAX_FILE, ReadError};
use crate::http::SecureUrl;
use crate::json::Json;

/// How long SDKs wait for the executable, in milliseconds. This is also the SDKs' default.
const TIMEOUT: u32 = 30_000;
/// A command with this text in it runs this program.
const OWN_COMMAND: &str = " idp gcloud-token";

/// Where the ID token comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenSource {
    /// A command line without quotes: SDKs split it at white space, each in its own way.
    Executable(String),
    /// The absolute path of a file that holds only the ID token.
    File(PathBuf),
}

/// Why a configuration was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("{} holds credentials that this program did not write{}", path.display(), described(kind.as_deref()))]
    NotOurs {
        path: PathBuf,
        /// The file's `type`, if it has one.
        kind: Option<String>,
    },
    /// The existing file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The path of the token file is not UTF-8, so JSON cannot hold it.
    #[error("{} is not UTF-8 text", .0.display())]
    NotText(PathBuf),
    /// The configuration cannot be serialised.
    #[error(transparent)]
    Json(#[from] Bug),
}

fn described(kind: Option<&str>) -> String {
    kind.map_or(String::new(), |kind| format!(" (type `{kind}`)"))
}

impl Explain for ConfigError {
    fn exit(&self) -> Exit {
        match self {
            Self::NotOurs { .. } | Self::Read(_) => Exit::LocalFile,
            Self::NotText(_) => Exit::Usage,
            Self::Json(bug) => bug.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotOurs { .. } => {
                Some("replace it with `--force`, or write to another file with `--output FILE`".into())
            }
            Self::Json(bug) => bug.hint(),
            Self::Read(error) => error.hint(),
            Self::NotText(_) => None,
        }
    }
}

/// The default path of client libraries ("Application Default Credentials").
pub(crate) fn default_path(ctx: &Context) -> Result<PathBuf, NoFolder> {
    let folder = match ctx.var_os("CLOUDSDK_CONFIG") {
        Some(gcloud) => PathBuf::from(gcloud),
        None => ctx.home()?.join(".config/gcloud"),
    };
    Ok(folder.join("application_default_credentials.json"))
}

/// Refuses to replace a file that this program did not write. A missing or empty file passes. A
/// configuration passes if it runs this program, or names `token_file` or the default token file.
///
/// # Errors
/// [`ConfigError::NotOurs`], [`ConfigError::Read`]
pub(crate) fn check_owner(path: &Path, token_file: Option<&Path>) -> Result<(), ConfigError> {
    let text = match files::read_text(path, MAX_FILE) {
        Ok(text) => text,
        Err(error) if error.is_missing() => return Ok(()),
        // The path is a folder. The write reports this.
        Err(_) if path.is_dir() => return Ok(()),
        Err(error) if error.source.kind() == io::ErrorKind::InvalidData => {
            return Err(ConfigError::NotOurs { path: path.to_owned(), kind: None });
        }
        Err(error) => return Err(error.into()),
    };
    if text.trim().is_empty() {
        return Ok(());
    }
    let config = Json::parse(&text).ok();
    let at = |name: &str| config.as_ref()?.at(name)?.as_str();
    let executable =
        at("credential_source.executable.command").is_some_and(|command| command.contains(OWN_COMMAND));
    let file = at("credential_source.file");
    let own_file = [Some(path.with_extension("jwt")), token_file.map(Path::to_owned)]
        .into_iter()
        .flatten()
        .any(|own| file.as_deref().map(Path::new) == Some(&own));
    if at("type").as_deref() == Some("external_account") && (executable || own_file) {
        return Ok(());
    }
    Err(ConfigError::NotOurs { path: path.to_owned(), kind: at("type") })
}

/// The configuration, its members named and ordered as gcloud writes them.
#[derive(Serialize)]
struct Configuration {
    universe_domain: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    audience: String,
    subject_token_type: &'static str,
    token_url: SecureUrl,
    credential_source: CredentialSource,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_account_impersonation_url: Option<SecureUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_account_impersonation: Option<Impersonation>,
    // Without a service account, gcloud asks this endpoint for the token's principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_info_url: Option<SecureUrl>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum CredentialSource {
    Executable { command: String, timeout_millis: u32 },
    File(String),
}

#[derive(Serialize)]
struct Impersonation {
    token_lifetime_seconds: u64,
}

/// Renders the configuration as indented JSON.
pub(crate) fn render(request: &Federation, source: TokenSource) -> Result<String, ConfigError> {
    let credential_source = match source {
        TokenSource::Executable(command) => CredentialSource::Executable { command, timeout_millis: TIMEOUT },
        TokenSource::File(path) => {
            let text = path.to_str().ok_or_else(|| ConfigError::NotText(path.clone()))?;
            CredentialSource::File(text.to_owned())
        }
    };
    let (endpoints, account) = (&request.endpoints, request.service_account.as_ref());
    let lifetime = request.lifetime.filter(|_| account.is_some());
    let configuration = Configuration {
        universe_domain: "googleapis.com",
        kind: "external_account",
        audience: request.provider.audience(),
        subject_token_type: ID_TOKEN_TYPE,
        token_url: endpoints.token_url(),
        credential_source,
        service_account_impersonation_url: account.map(|account| endpoints.impersonation_url(account)),
        service_account_impersonation: lifetime
            .map(|lifetime| Impersonation { token_lifetime_seconds: lifetime.seconds() }),
        token_info_url: account.is_none().then(|| endpoints.introspection_url()),
    };
    let text = serde_json::to_string_pretty(&configuration).map_err(Bug::new)?;
    Ok(text + "\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::json::quote;

    #[test]
    fn only_files_of_this_program_are_replaced() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("adc.json");
        let own = |source: &str| format!(r#"{{"type":"external_account","credential_source":{source}}}"#);
        let default = home.path().join("adc.jwt");
        let cases = [
            (String::new(), true),
            (own(r#"{"executable":{"command":"/usr/bin/gp idp gcloud-token --audience x"}}"#), true),
            (own(r#"{"executable":{"command":"/usr/bin/other"}}"#), false),
            (own(&format!(r#"{{"file":{}}}"#, quote(default.to_str().unwrap()))), true),
            (own(r#"{"file":"/named/token"}"#), true),
            (own(r#"{"file":"/other"}"#), false),
            (r#"{"type":"authorized_user"}"#.to_owned(), false),
            ("not JSON".to_owned(), false),
        ];
        for (text, replaced) in cases {
            fs::write(&path, &text).unwrap();
            assert_eq!(check_owner(&path, Some(Path::new("/named/token"))).is_ok(), replaced, "{text}");
        }
        fs::write(&path, [0xff]).unwrap();
        assert!(check_owner(&path, None).is_err());
        fs::remove_file(&path).unwrap();
        assert!(check_owner(&path, None).is_ok());
    }
}
