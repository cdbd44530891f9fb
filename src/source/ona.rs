//! An environment of Ona, formerly Gitpod Flex.
//!
//! `POST {base}/gitpod.v1.IdentityService/GetIDToken`, the Connect protocol's unary JSON form,
//! with the environment's token as bearer. Ona keeps that token in a file, which is read at each
//! use. Without the file, a person's token in `ONA_TOKEN` is used, as in Ona's CLI. Unlike in the
//! CLI, the file takes precedence, because with a person's token the ID token would name that
//! person.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use serde::Serialize;

use super::endpoint::{self, Endpoint, Refusal};
use super::error::SourceError;
use super::{Audiences, Presence, TokenRequest, TokenSource, api_host, report_mint};
use crate::context::Context;
use crate::error::{Failure, UsageError};
use crate::files::{self, MAX_FILE};
use crate::http::{Call, Http, HttpError, SecureUrl};
use crate::jwt::IdToken;
use crate::report::Report;
use crate::secret::Secret;
use crate::settings::{IdTokenVersion, Setting, SourceOptions};

const ENVIRONMENT: &str = "GITPOD_ENVIRONMENT_ID";
/// Names the file with the environment's token, if it is not [`DEFAULT_FILE`].
const FILE: &str = "ONA_TOKEN_FILE";
const DEFAULT_FILE: &str = "/usr/local/gitpod/secrets/token";
/// The variables with a person's token, as Ona's CLI reads them. The second is the older name.
const PERSONAL: [&str; 2] = ["ONA_TOKEN", "GITPOD_TOKEN"];
const DEFAULT_BASE: &str = "https://app.gitpod.io/api";
/// Ona's own hosts. There is no pattern, because other hosts below `gitpod.io` serve programs that
/// users run in workspaces.
const OWN_HOSTS: [&str; 2] = ["app.gitpod.io", "app.ona.com"];
const MINT: &str = "gitpod.v1.IdentityService/GetIDToken";

/// An environment of Ona.
#[derive(Debug)]
pub(crate) struct Ona {
    base: SecureUrl,
    bearer: Bearer,
    environment: Option<String>,
    version: Option<IdTokenVersion>,
}

/// The bearer token of the request for an ID token.
#[derive(Debug)]
enum Bearer {
    /// The environment's own, in a file.
    Environment { file: PathBuf },
    /// A person's, in a variable.
    Person { variable: &'static str, token: Secret },
}

/// The variable with a person's token, and that token.
fn personal(ctx: &Context) -> Result<Option<(&'static str, &str)>, Failure> {
    for variable in PERSONAL {
        if let Some(token) = ctx.var(variable)? {
            return Ok(Some((variable, token)));
        }
    }
    Ok(None)
}

impl Bearer {
    /// A file that `ONA_TOKEN_FILE` names is assumed to exist. A default file that cannot be
    /// examined is also assumed to exist. Otherwise, a person's identity would be used without
    /// notice.
    fn find(ctx: &Context) -> Result<Option<Self>, Failure> {
        let named = ctx.var_os(FILE);
        let file = match named {
            Some(file) => ctx.expand_home(file.as_ref())?,
            None => DEFAULT_FILE.into(),
        };
        if named.is_some() || file.try_exists().unwrap_or(true) {
            return Ok(Some(Self::Environment { file }));
        }
        let person = personal(ctx)?;
        Ok(person.map(|(variable, token)| Self::Person { variable, token: Secret::new(token.to_owned()) }))
    }

    fn read(&self) -> Result<Secret, Failure> {
        let (text, place) = match self {
            Self::Person { variable, token } => (token.reveal().to_owned().into(), format!("`{variable}`")),
            Self::Environment { file } => {
                let place = file.display().to_string();
                match files::read_text(file, MAX_FILE) {
                    Ok(text) => (text, place),
                    Err(error) if error.is_missing() => {
                        let what = format!("{place} does not exist");
                        return Err(SourceError::Missing { what, remedy: self.remedy() }.into());
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        };
        let token = text.trim();
        let what = match token {
            "" => "is empty",
            _ if !is_bearer_token(token) => "does not contain a token",
            _ => return Ok(Secret::new(token.to_owned())),
        };
        Err(SourceError::Missing { what: format!("{place} {what}"), remedy: self.remedy() }.into())
    }

    /// How to get a valid token into the file or the variable.
    fn remedy(&self) -> String {
        match self {
            Self::Environment { file } if file.as_os_str() == DEFAULT_FILE => {
                "restart the environment, which gives it a new token".to_owned()
            }
            Self::Environment { .. } => format!(
                "restart the environment, which gives it a new token\n\
                 if that does not help, unset `{FILE}`: an environment has its token in {DEFAULT_FILE}"
            ),
            Self::Person { variable, .. } => {
                format!("set `{variable}` to a new personal access token of Ona")
            }
        }
    }
}

/// Whether `text` has only the characters of a bearer token (RFC 6750 section 2.1). HTML, JSON or
/// a private key has other characters, and is never sent.
fn is_bearer_token(text: &str) -> bool {
    let token = text.trim_end_matches('=');
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

/// The base URL of the API.
fn base(options: &SourceOptions, ctx: &Context) -> Result<SecureUrl, Failure> {
    for (variable, path) in [("ONA_BASE_URL", ""), ("ONA_HOST", "api"), ("GITPOD_HOST", "api")] {
        let Some(setting) = Setting::variable(variable, ctx)? else { continue };
        // Some tools set a bare host name here, which belongs to another product.
        if variable == "GITPOD_HOST" && !setting.value.contains("://") {
            continue;
        }
        let url = api_host::service_url(setting, SecureUrl::base, &OWN_HOSTS, options)?;
        return Ok(if path.is_empty() { url } else { url.below(path) });
    }
    Ok(SecureUrl::base(DEFAULT_BASE)
        .map_err(|reason| UsageError { message: reason.to_string(), hint: None })?)
}

fn missing(environment: Option<&str>) -> SourceError {
    let (what, remedy) = match environment {
        Some(_) => (
            format!(
                "this environment of Ona has no token: {DEFAULT_FILE} does not exist, and `ONA_TOKEN` is not set"
            ),
            "restart the environment\n\
             if `gp` runs in a container of your own, mount the folder into it: `docker run -v /usr/local/gitpod/secrets:/usr/local/gitpod/secrets:ro -e GITPOD_ENVIRONMENT_ID …`",
        ),
        None => (
            format!(
                "this is not an environment of Ona: {DEFAULT_FILE} does not exist, and `ONA_TOKEN` is not set"
            ),
            "run this in an environment, or set `ONA_TOKEN` to a personal access token: ID tokens then name its owner",
        ),
    };
    SourceError::Missing { what, remedy: remedy.into() }
}

/// One request, with its bearer token.
struct Mint<'a> {
    ona: &'a Ona,
    token: Secret,
}

#[derive(Serialize)]
struct Body<'a> {
    audience: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
}

impl Endpoint for Mint<'_> {
    const ADDRESS: &'static str = "`ONA_BASE_URL`, `ONA_HOST` or `GITPOD_HOST`";

    fn name(&self) -> String {
        format!("Ona's API at {}", self.ona.base.origin())
    }

    fn call(&self, wanted: &TokenRequest) -> Result<Call, HttpError> {
        let version = self.ona.version.map(|version| match version {
            IdTokenVersion::V1 => "ID_TOKEN_VERSION_V1",
            IdTokenVersion::V2 => "ID_TOKEN_VERSION_V2",
        });
        Call::post_json(self.ona.base.below(MINT), &Body { audience: &wanted.audiences, version })?
            .header("connect-protocol-version", "1")
            .bearer(&self.token)
    }

    /// The fix, by the Connect code, or by the HTTP status if there is no code.
    fn refused(&self, refusal: &Refusal) -> String {
        match (refusal.code.as_str(), refusal.status) {
            ("permission_denied" | "failed_precondition", _) | ("", 403) => {
                "most likely your organisation's plan has no OIDC: Ona's Enterprise plan has it\n\
                 if the plan has OIDC, ask an administrator of the organisation for the right to mint ID tokens".into()
            }
            ("unauthenticated", _) | ("", 401) => {
                format!("the token that was sent has expired or was revoked: {}", self.ona.bearer.remedy())
            }
            ("not_found", _) => {
                "Ona does not know this environment: start a new one if it was deleted\n\
                 otherwise `ONA_HOST` or `ONA_BASE_URL` names another installation: correct that variable".into()
            }
            ("unimplemented", _) | ("", 404 | 501) => {
                "the server that answered has no such API: correct `ONA_BASE_URL`, which ends in `/api`, or `ONA_HOST`, which does not end in it".into()
            }
            ("invalid_argument", _) | ("", 400) => {
                let is_version = refusal.message.to_ascii_lowercase().contains("version");
                let flag = if is_version { "`--id-token-version`" } else { "`--audience`" };
                format!("Ona refuses the value of {flag} for the reason above: give another value")
            }
            _ => "try again\nif it fails again, report it to Ona".into(),
        }
    }
}

impl TokenSource for Ona {
    const NAME: &'static str = "ona";
    const VARIABLES: &'static [&'static str] = &PERSONAL;
    const FLAG: Option<(&'static str, &'static str)> = Some((ENVIRONMENT, ""));

    fn presence(ctx: &Context) -> Presence {
        if ctx.var_os(ENVIRONMENT).is_none() {
            return Presence::Absent;
        }
        if matches!(Bearer::find(ctx), Ok(None)) { Presence::Weak } else { Presence::Strong }
    }

    fn from_context(_: &str, options: &SourceOptions, ctx: &Context) -> Result<Self, Failure> {
        let environment = ctx.var(ENVIRONMENT)?.map(str::to_owned);
        let bearer = Bearer::find(ctx)?.ok_or_else(|| missing(environment.as_deref()))?;
        let ona = Self { base: base(options, ctx)?, bearer, environment, version: options.id_token_version };
        if let Some((variable, _)) = personal(ctx)? {
            ctx.out.trace(|| match &ona.bearer {
                Bearer::Environment { file } => format!(
                    "the environment's token in {} is sent, not the personal access token in `{variable}`",
                    file.display()
                ),
                Bearer::Person { .. } => {
                    format!("`{variable}` is a personal access token: ID tokens name its owner")
                }
            });
        }
        Ok(ona)
    }

    fn audiences(&self) -> Audiences {
        Audiences::Several
    }

    async fn id_token(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure> {
        let mint = Mint { ona: self, token: self.bearer.read()? };
        Ok(endpoint::mint(&mint, wanted, http).await?)
    }

    fn fingerprint(&self, _: &Context) -> Option<Vec<String>> {
        let bearer = match &self.bearer {
            Bearer::Environment { file } => file.display().to_string(),
            Bearer::Person { token, .. } => {
                URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, token.reveal().as_bytes()))
            }
        };
        let version = self.version.map(|version| version.to_string());
        let environment = self.environment.clone();
        Some(vec![
            self.base.as_str().to_owned(),
            bearer,
            environment.unwrap_or_default(),
            version.unwrap_or_default(),
        ])
    }

    fn workload(&self, _: &Context) -> Option<String> {
        // A person's token does not identify the environment in which it is used.
        let environment =
            self.environment.as_ref().filter(|_| matches!(self.bearer, Bearer::Environment { .. }));
        environment.map(|id| format!("ona-{id}"))
    }

    fn describe(&self) -> String {
        let origin = self.base.origin();
        match &self.bearer {
            Bearer::Environment { file } => {
                format!("Ona's API at {origin}, with the environment's token in {}", file.display())
            }
            Bearer::Person { variable, .. } => {
                format!("Ona's API at {origin}, with a person's token in `{variable}`")
            }
        }
    }

    async fn examine(&self, wanted: &TokenRequest, http: &Http<'_>, report: &mut Report) -> Option<IdToken> {
        let found = format!("`{}`: {}", Self::NAME, self.describe());
        let unused = personal(http.ctx()).ok().flatten();
        match (&self.bearer, unused) {
            (Bearer::Person { .. }, _) => {
                let hint = format!(
                    "ID tokens name that person\n\
                     an environment has a token of its own in {DEFAULT_FILE}"
                );
                report.warn("source", found, Some(&hint));
            }
            (Bearer::Environment { .. }, Some((variable, _))) => {
                report.pass("source", format!("{found}, not the personal access token in `{variable}`"));
            }
            (Bearer::Environment { .. }, None) => report.pass("source", found),
        }
        report_mint(self, wanted, http, report).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_token_is_accepted() {
        for token in ["eyJhbGciOiJub25lIn0.e30.", "v4.public.a-b_c~d+e/f==", "x"] {
            assert!(is_bearer_token(token), "{token}");
        }
        for other in ["", "=", "a b", "a\nb", "<html>", "{\"token\":\"x\"}", "a=b", "caf\u{e9}", "a:b"] {
            assert!(!is_bearer_token(other), "{other}");
        }
    }
}
