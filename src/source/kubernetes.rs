//! Kubernetes: a pod requests a token for its service account from the API server (TokenRequest,
//! authentication.k8s.io/v1). `auto` never chooses it: nearly every pod has a token, but that
//! token is only for the API server.
//!
//! For a token that the kubelet keeps in a projected volume, use `file:PATH`.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::json;

use super::endpoint::{self, Endpoint, Refusal};
use super::error::SourceError;
use super::{Argument, Audiences, TokenRequest, TokenSource, file};
use crate::context::Context;
use crate::error::Failure;
use crate::http::{
    Authorities, Call, Http, HttpError, Reply, SecureUrl, ServiceSettings, TlsSettings, UnexpectedReply,
};
use crate::jwt::IdToken;
use crate::secret::Secret;
use crate::settings::{self, SourceOptions};
use crate::shell;

const FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const HOST: &str = "KUBERNETES_SERVICE_HOST";
const PORT: &str = "KUBERNETES_SERVICE_PORT";

/// The API server of a pod, and the pod's service account there.
#[derive(Debug)]
pub(crate) struct Kubernetes {
    server: SecureUrl,
    folder: PathBuf,
    namespace: String,
    account: String,
    token: Secret,
}

#[derive(Deserialize)]
struct Minted {
    status: Status,
}

#[derive(Deserialize)]
struct Status {
    token: Secret,
}

fn missing(what: String, remedy: &str) -> Failure {
    SourceError::Missing { what, remedy: remedy.to_owned() }.into()
}

impl Kubernetes {
    /// Reads the token of the service account, which the kubelet renews.
    fn read(server: SecureUrl, folder: PathBuf, ctx: &Context) -> Result<Self, Failure> {
        let path = folder.join("token");
        let token = file::read(
            &path,
            "the pod mounts the token unless `automountServiceAccountToken` is false: remove that setting",
            ctx,
        )?;
        let subject = token.claims().as_claimed().subject.clone().unwrap_or_default();
        let ["system", "serviceaccount", namespace, account] = subject.split(':').collect::<Vec<_>>()[..]
        else {
            let what = format!("the token in {} names no service account", path.display());
            return Err(missing(what, "use the folder of the pod's service account"));
        };
        let (namespace, account) = (namespace.to_owned(), account.to_owned());
        Ok(Self { server, folder, namespace, account, token: token.secret().clone() })
    }
}

impl Endpoint for Kubernetes {
    const ADDRESS: &'static str = "`KUBERNETES_SERVICE_HOST`";

    fn name(&self) -> String {
        format!("the API server at {}", self.server.origin())
    }

    fn call(&self, wanted: &TokenRequest) -> Result<Call, HttpError> {
        let Self { namespace, account, .. } = self;
        let path = format!("api/v1/namespaces/{namespace}/serviceaccounts/{account}/token");
        let spec = json!({"audiences": wanted.audiences});
        let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec});
        Call::post_json(self.server.below(&path), &body)?.bearer(&self.token)
    }

    fn token(&self, reply: &Reply) -> Result<Secret, UnexpectedReply> {
        reply.json().map(|Minted { status }| status.token)
    }

    fn refused(&self, refusal: &Refusal) -> String {
        let Self { namespace, account, .. } = self;
        match refusal.status {
            401 => format!(
                "the API server no longer accepts the token in {}: restart the pod",
                self.folder.display()
            ),
            403 => {
                let create = |words: &[&str]| {
                    let common = ["kubectl", "create", words[0], "gp-idp", "--namespace", namespace];
                    shell::command(&[&common, &words[1..]].concat())
                };
                let resource = "--resource=serviceaccounts/token";
                let role = create(&["role", "--verb=create", resource, "--resource-name", account]);
                let of = format!("{namespace}:{account}");
                let binding = create(&["rolebinding", "--role=gp-idp", "--serviceaccount", &of]);
                format!(
                    "an administrator has to allow the service account to create its own tokens: `{role}`, then `{binding}`"
                )
            }
            _ => "check that the service account still exists, and check the audience".to_owned(),
        }
    }

    fn client<'a>(&self, http: &Http<'a>) -> Result<Http<'a>, HttpError> {
        let authorities = Some(Authorities::File("ca.crt".into(), self.folder.join("ca.crt")));
        let tls = TlsSettings { authorities, ..TlsSettings::default() };
        Ok(http.for_service(ServiceSettings { tls, ..ServiceSettings::default() }))
    }
}

impl TokenSource for Kubernetes {
    const NAME: &'static str = "kubernetes";
    const IS_FOUND: bool = false;
    const ARGUMENT: Argument = Argument::Optional("FOLDER");

    fn from_context(argument: &str, _: &SourceOptions, ctx: &Context) -> Result<Self, Failure> {
        let folder = PathBuf::from(if argument.is_empty() { FOLDER } else { argument });
        let (Some(host), Some(port)) = (ctx.var(HOST)?, ctx.var(PORT)?) else {
            let what = format!("this is not a pod: `{HOST}` and `{PORT}` are not both set");
            return Err(missing(
                what,
                "run `gp` in a pod\nin a pod, do not run `gp` with `sudo` or `env -i`, which remove the pod's variables",
            ));
        };
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let server = SecureUrl::base(&format!("https://{host}:{port}"))
            .map_err(|error| settings::invalid_setting(HOST, error))?;
        Self::read(server, folder, ctx)
    }

    fn audiences(&self) -> Audiences {
        Audiences::Several
    }

    async fn id_token(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure> {
        let newest = Self::read(self.server.clone(), self.folder.clone(), http.ctx())?;
        Ok(endpoint::mint(&newest, wanted, http).await?)
    }

    fn fingerprint(&self, _: &Context) -> Option<Vec<String>> {
        Some(vec![self.server.to_string(), self.namespace.clone(), self.account.clone()])
    }

    fn workload(&self, _: &Context) -> Option<String> {
        Some(format!("kubernetes-{}", self.account))
    }

    fn describe(&self) -> String {
        self.name()
    }
}
