//! The `external_account` configuration of Google's client libraries (AIP-4117): which token to trade where. It
//! holds no secret.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::exit::{Exit, Explain};
use crate::json::{Json, quote};
use crate::sink::{FileError, Receipt, write_private};
use crate::target::gcp::exchange::{Federation, ID_TOKEN_TYPE};

/// How long SDKs wait for the executable, in milliseconds: their default, said aloud.
const TIMEOUT: u32 = 30_000;
/// What commands of ours have in them.
const OWN: &str = " idp gcloud-token";

/// Where the ID token comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// From a command line without quotes: SDKs split it at white space, each in its own way.
    Executable(String),
    /// From a file that holds nothing else, an absolute path.
    File(PathBuf),
}

/// Why a configuration was not written.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Somebody else's.
    #[error("{} holds credentials that this program did not write{}", path.display(), described(kind.as_deref()))]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its `type`, where it has one.
        kind: Option<String>,
    },
    /// It could not be looked at.
    #[error("could not read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No home folder to put it in.
    #[error("there is no place for the configuration: `HOME` is not set")]
    NoHome,
    /// A path that cannot stand in JSON.
    #[error("{} is not UTF-8 text", .0.display())]
    NotText(PathBuf),
}

fn described(kind: Option<&str>) -> String {
    kind.map_or(String::new(), |kind| format!(" (type `{kind}`)"))
}

impl Explain for ConfigError {
    fn exit(&self) -> Exit {
        match self {
            Self::Foreign { .. } | Self::Read { .. } => Exit::LocalFile,
            Self::NoHome | Self::NotText(_) => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Foreign { .. } => {
                Some("replace it with `--force`, or write to another file with `--output FILE`".into())
            }
            Self::NoHome => Some("name a file with `--output FILE`".into()),
            Self::Read { .. } | Self::NotText(_) => None,
        }
    }
}

/// Where client libraries look when nothing else is said ("Application Default Credentials").
///
/// # Errors
/// [`ConfigError::NoHome`]
pub fn default_path(ctx: &Context) -> Result<PathBuf, ConfigError> {
    let gcloud = ctx.var_os("CLOUDSDK_CONFIG").map(PathBuf::from);
    let folder = gcloud.or_else(|| Some(PathBuf::from(ctx.var_os("HOME")?).join(".config/gcloud")));
    Ok(folder.ok_or(ConfigError::NoHome)?.join("application_default_credentials.json"))
}

/// Refuses a file that holds something other than a configuration that this program wrote. One with
/// `token_file` in it counts as such.
///
/// # Errors
/// [`ConfigError::Foreign`], [`ConfigError::Read`]
pub fn check_owner(path: &Path, token_file: Option<&Path>) -> Result<(), ConfigError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        // A folder, which writing will say.
        Err(_) if path.is_dir() => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => String::from("?"),
        Err(source) => return Err(ConfigError::Read { path: path.to_owned(), source }),
    };
    if text.trim().is_empty() {
        return Ok(());
    }
    let config = Json::parse(&text).ok();
    let at = |name: &str| config.as_ref()?.at(name)?.as_str();
    let executable = at("credential_source.executable.command").is_some_and(|command| command.contains(OWN));
    let file = at("credential_source.file");
    let own_file = [Some(path.with_extension("jwt")), token_file.map(Path::to_owned)]
        .into_iter()
        .flatten()
        .any(|own| file.as_deref().map(Path::new) == Some(&own));
    if at("type").as_deref() == Some("external_account") && (executable || own_file) {
        return Ok(());
    }
    Err(ConfigError::Foreign { path: path.to_owned(), kind: at("type") })
}

/// The configuration, its members named and ordered as gcloud writes them.
///
/// # Errors
/// [`ConfigError::NotText`]
pub fn render(request: &Federation, source: &TokenSource) -> Result<String, ConfigError> {
    let string = |name: &str, value: &str| (name.to_owned(), Json::Scalar(quote(value)));
    let number = |name: &str, value: String| (name.to_owned(), Json::Scalar(value));
    let object = |name: &str, members| (name.to_owned(), Json::Object(members));
    let endpoints = &request.endpoints;
    let source = match source {
        TokenSource::Executable(command) => object(
            "executable",
            vec![string("command", command), number("timeout_millis", TIMEOUT.to_string())],
        ),
        TokenSource::File(path) => {
            let text = path.to_str().ok_or_else(|| ConfigError::NotText(path.clone()))?;
            string("file", text)
        }
    };
    let mut members = vec![
        string("universe_domain", "googleapis.com"),
        string("type", "external_account"),
        string("audience", &request.provider.audience()),
        string("subject_token_type", ID_TOKEN_TYPE),
        string("token_url", endpoints.token_url().as_str()),
        object("credential_source", vec![source]),
    ];
    match &request.service_account {
        Some(account) => {
            members.push(string(
                "service_account_impersonation_url",
                endpoints.impersonation_url(account).as_str(),
            ));
            members.extend(request.lifetime.map(|lifetime| {
                let seconds = number("token_lifetime_seconds", lifetime.seconds().to_string());
                object("service_account_impersonation", vec![seconds])
            }));
        }
        // Without an account, gcloud asks here whose token it is.
        None => members.push(string("token_info_url", endpoints.introspection_url().as_str())),
    }
    Ok(format!("{}\n", Json::Object(members).pretty()))
}

/// Writes it.
///
/// # Errors
/// [`FileError`]
pub fn write(path: &Path, config: &str) -> Result<Receipt, FileError> {
    write_private(path, config.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_written_here_is_replaced() {
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
