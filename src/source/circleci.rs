//! CircleCI: the token that each job has in a variable, for one audience.
//!
//! `CIRCLE_OIDC_TOKEN_V2` takes precedence: `CIRCLE_OIDC_TOKEN` has an older form of subject.
//! Another audience needs CircleCI's own program (CircleCI's documentation, "OpenID Connect
//! tokens").

use super::env::Env;
use super::error::SourceError;
use super::{Audiences, Presence, Renewal, TokenRequest, TokenSource, presence_of};
use crate::context::Context;
use crate::error::Failure;
use crate::http::Http;
use crate::jwt::IdToken;
use crate::settings::SourceOptions;

const COMMAND: &str = r#"--source "command:circleci run oidc get --claims '{\"aud\":\"{audience}\"}'""#;

/// The variable of a job.
#[derive(Debug)]
pub(crate) struct CircleCi(Env);

fn variable(ctx: &Context) -> &'static str {
    let newer = "CIRCLE_OIDC_TOKEN_V2";
    if ctx.var_os(newer).is_some() { newer } else { "CIRCLE_OIDC_TOKEN" }
}

impl TokenSource for CircleCi {
    const NAME: &'static str = "circleci";
    const MINTS: bool = false;
    const VARIABLES: &'static [&'static str] = &["CIRCLE_OIDC_TOKEN_V2", "CIRCLE_OIDC_TOKEN"];
    const FLAG: Option<(&'static str, &'static str)> = Some(("CIRCLECI", "true"));
    const WORKLOAD: Option<&'static str> = Some("CIRCLE_WORKFLOW_JOB_ID");

    fn presence(ctx: &Context) -> Presence {
        presence_of(&[variable(ctx)], Self::FLAG, ctx)
    }

    fn from_context(_: &str, _: &SourceOptions, ctx: &Context) -> Result<Self, Failure> {
        let variable = variable(ctx);
        if ctx.var(variable)?.is_none() {
            let what =
                "this job has no ID token: neither `CIRCLE_OIDC_TOKEN_V2` nor `CIRCLE_OIDC_TOKEN` is set";
            let remedy = "if the job is of a fork, it has a token only if the project's settings allow it\n\
                 if `gp` runs in a container of your own, pass the variable on to it\n\
                 if the server is air-gapped, it provides no ID tokens";
            return Err(SourceError::Missing { what: what.into(), remedy: remedy.into() }.into());
        }
        Ok(Self(Env(variable.to_owned())))
    }

    fn audiences(&self) -> Audiences {
        Audiences::Fixed
    }

    async fn id_token(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure> {
        self.0.id_token(wanted, http).await
    }

    fn fingerprint(&self, ctx: &Context) -> Option<Vec<String>> {
        self.0.fingerprint(ctx)
    }

    fn audience_hint(&self, _: &TokenRequest) -> String {
        format!(
            "the audience of the variable's token is the organisation's ID: let the receiver accept this ID, and name it with `--audience`\n\
             otherwise mint with CircleCI's program, which every job has: {COMMAND}\n\
             if the receiver trusts the issuer `https://oidc.circleci.com` instead of the organisation's issuer, add `--root-issuer` to that command"
        )
    }

    fn renewal(&self) -> Renewal {
        self.0.renewal()
    }

    fn describe(&self) -> String {
        self.0.describe()
    }
}
