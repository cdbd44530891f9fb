//! The reply of a credential plugin to `kubectl` and other clients of the Kubernetes API.
//!
//! The client sets `KUBERNETES_EXEC_INFO` to an ExecCredential object. The plugin prints an
//! ExecCredential of the same API version on stdout (Kubernetes documentation, "client-go
//! credential plugins").

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::exit::{Bug, Exit, Explain};
use crate::jwt::IdToken;

const GROUP: &str = "client.authentication.k8s.io";

/// client-go uses a credential until its last second, and the API server checks the token some time
/// later.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// A version of the ExecCredential object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ApiVersion {
    /// client-go up to Kubernetes 1.23.
    V1Alpha1,
    /// Every client in use.
    V1Beta1,
    /// client-go from Kubernetes 1.22 on.
    #[default]
    V1,
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match self {
            Self::V1Alpha1 => "v1alpha1",
            Self::V1Beta1 => "v1beta1",
            Self::V1 => "v1",
        };
        write!(f, "{GROUP}/{version}")
    }
}

/// Why `KUBERNETES_EXEC_INFO` cannot be answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExecInfoError {
    #[error("`KUBERNETES_EXEC_INFO` is not an ExecCredential: {0}")]
    NotExecCredential(String),
    #[error("`KUBERNETES_EXEC_INFO` asks for `{0}`, which `gp` does not support")]
    Version(String),
}

impl Explain for ExecInfoError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotExecCredential(_) => {
                "`kubectl` sets this variable: outside of `kubectl`, run `unset KUBERNETES_EXEC_INFO`".into()
            }
            Self::Version(_) => {
                format!("set `apiVersion: {}` in the kubeconfig's `exec`", ApiVersion::V1Beta1)
            }
        })
    }
}

/// The fields of `KUBERNETES_EXEC_INFO` that matter here.
#[derive(Deserialize)]
struct ExecInfo {
    #[serde(rename = "apiVersion", default)]
    api_version: String,
    #[serde(default)]
    kind: String,
}

impl ApiVersion {
    /// The API version in `info`, the value of `KUBERNETES_EXEC_INFO`; `v1` if it is not set.
    ///
    /// # Errors
    /// `info` is not an ExecCredential, or its version is unknown: the client would refuse any
    /// reply.
    pub(crate) fn requested(info: Option<&str>) -> Result<Self, ExecInfoError> {
        let Some(info) = info else { return Ok(Self::default()) };
        let exec_info: ExecInfo = serde_json::from_str(info)
            .map_err(|error| ExecInfoError::NotExecCredential(error.to_string()))?;
        if exec_info.kind != "ExecCredential" {
            return Err(ExecInfoError::NotExecCredential(format!("its kind is `{}`", exec_info.kind)));
        }
        [Self::V1, Self::V1Beta1, Self::V1Alpha1]
            .into_iter()
            .find(|version| version.to_string() == exec_info.api_version)
            .ok_or(ExecInfoError::Version(exec_info.api_version))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExecCredential<'a> {
    api_version: String,
    kind: &'static str,
    status: Status<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_timestamp: Option<String>,
}

/// An ExecCredential of this version with the token, as one line of JSON. It expires one minute
/// before the token, so that the token does not expire during a request.
pub(crate) fn exec_credential(token: &IdToken, version: ApiVersion) -> Result<String, Bug> {
    let expires_at = token.claims().as_claimed().expires_at;
    let expires_at = expires_at.map(|at| at.checked_sub(MARGIN).unwrap_or(Timestamp::MIN));
    let status = Status { token: token.reveal(), expiration_timestamp: expires_at.map(|at| at.to_string()) };
    let answer = ExecCredential { api_version: version.to_string(), kind: "ExecCredential", status };
    Ok(serde_json::to_string(&answer).map_err(Bug::new)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_echoed() {
        for version in ["v1", "v1beta1", "v1alpha1"] {
            let info = format!(
                r#"{{"apiVersion":"{GROUP}/{version}","kind":"ExecCredential","spec":{{"interactive":false,"new":1}}}}"#
            );
            assert_eq!(ApiVersion::requested(Some(&info)).unwrap().to_string(), format!("{GROUP}/{version}"));
        }
        assert_eq!(ApiVersion::requested(None).unwrap(), ApiVersion::V1);
    }

    #[test]
    fn unusable_exec_info_is_refused() {
        let cases = [
            (
                "{",
                "`KUBERNETES_EXEC_INFO` is not an ExecCredential: EOF while parsing an object at line 1 column 1",
            ),
            ("{}", "`KUBERNETES_EXEC_INFO` is not an ExecCredential: its kind is ``"),
            (
                r#"{"kind":"Pod","apiVersion":"v1"}"#,
                "`KUBERNETES_EXEC_INFO` is not an ExecCredential: its kind is `Pod`",
            ),
            (
                r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v2"}"#,
                "`KUBERNETES_EXEC_INFO` asks for `client.authentication.k8s.io/v2`, which `gp` does not support",
            ),
            (
                r#"{"kind":"ExecCredential"}"#,
                "`KUBERNETES_EXEC_INFO` asks for ``, which `gp` does not support",
            ),
        ];
        for (info, expected) in cases {
            assert_eq!(ApiVersion::requested(Some(info)).unwrap_err().to_string(), expected, "{info}");
        }
    }
}
