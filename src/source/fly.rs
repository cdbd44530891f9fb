//! Fly.io: `POST /v1/tokens/oidc` over the Unix socket that each machine has; the reply is the token and nothing else
//! (Fly.io's documentation, "OpenID Connect").

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::endpoint::{self, Endpoint, Refusal};
use super::error::SourceError;
use super::{Argument, Audiences, Presence, TokenRequest, TokenSource};
use crate::context::Context;
use crate::error::Failure;
use crate::exit::Bug;
use crate::http::{Call, Http, HttpError, Reply, SecureUrl, ServiceSettings, UnexpectedReply};
use crate::jwt::IdToken;
use crate::secret::Secret;
use crate::settings::SourceOptions;

const SOCKET: &str = "/.fly/api";
const APP: &str = "FLY_APP_NAME";

/// The socket of a machine.
#[derive(Debug)]
pub(crate) struct Fly(PathBuf);

fn is_socket(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.file_type().is_socket())
}

/// A regular file at the socket's path or the variable alone does not show a Fly Machine.
fn presence_at(path: &Path, ctx: &Context) -> Presence {
    if ctx.var_os(APP).is_some() && is_socket(path) { Presence::Strong } else { Presence::Absent }
}

impl Endpoint for Fly {
    const ADDRESS: &'static str = "`--source fly:SOCKET`";
    const ACCEPT: &'static str = "*/*";

    fn name(&self) -> String {
        format!("the Fly Machine's API at {}", self.0.display())
    }

    fn call(&self, wanted: &TokenRequest) -> Result<Call, HttpError> {
        let url = SecureUrl::parse("http://localhost/v1/tokens/oidc");
        let url = url.map_err(|error| HttpError::Bug(Bug::new(error)))?;
        Call::post_json(url, &json!({"aud": wanted.first_audience()}))
    }

    fn token(&self, reply: &Reply) -> Result<Secret, UnexpectedReply> {
        reply.bare_text()
    }

    fn refused(&self, _: &Refusal) -> String {
        "check the audience, and the status page of Fly.io".into()
    }

    fn client<'a>(&self, http: &Http<'a>) -> Result<Http<'a>, HttpError> {
        Ok(http.for_service(ServiceSettings { socket: Some(self.0.clone()), ..ServiceSettings::default() }))
    }
}

impl TokenSource for Fly {
    const NAME: &'static str = "fly";
    const VARIABLES: &'static [&'static str] = &[APP];
    const ARGUMENT: Argument = Argument::Optional("SOCKET");
    const WORKLOAD: Option<&'static str> = Some("FLY_MACHINE_ID");

    fn presence(ctx: &Context) -> Presence {
        presence_at(Path::new(SOCKET), ctx)
    }

    fn from_context(argument: &str, _: &SourceOptions, _: &Context) -> Result<Self, Failure> {
        let path = Path::new(if argument.is_empty() { SOCKET } else { argument });
        if !is_socket(path) {
            let what = format!("this is not a Fly Machine: there is no socket {}", path.display());
            let remedy =
                "run `gp` in a Fly Machine\nif its socket has another path, write `--source fly:SOCKET`";
            return Err(SourceError::Missing { what, remedy: remedy.into() }.into());
        }
        Ok(Self(path.to_owned()))
    }

    fn audiences(&self) -> Audiences {
        Audiences::One
    }

    async fn id_token(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure> {
        Ok(endpoint::mint(self, wanted, http).await?)
    }

    fn fingerprint(&self, ctx: &Context) -> Option<Vec<String>> {
        Some(vec![self.0.display().to_string(), ctx.var(APP).ok().flatten().unwrap_or_default().to_owned()])
    }

    fn describe(&self) -> String {
        self.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_a_socket_and_the_name_of_an_app() {
        let folder = tempfile::tempdir().unwrap();
        let (socket, file) = (folder.path().join("api"), folder.path().join("file"));
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        fs::write(&file, "").unwrap();
        let app = [(APP, "app")];
        let cases: [(&Path, &[(&str, &str)], _); 5] = [
            (&socket, &app, Presence::Strong),
            (&socket, &[], Presence::Absent),
            (&socket, &[(APP, "")], Presence::Absent),
            (&file, &app, Presence::Absent),
            (&folder.path().join("none"), &app, Presence::Absent),
        ];
        for (path, variables, expected) in cases {
            let ctx = Context::silent(variables.iter().copied());
            assert_eq!(presence_at(path, &ctx), expected, "{path:?} {variables:?}");
        }
    }
}
