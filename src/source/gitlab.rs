//! GitLab CI: the tokens that a job declares in its block `id_tokens`, each in a variable of its own.
//!
//! The job chooses the names, and each tool expects another name, so all variables are searched.
//! In a token of this instance, `iss` is `CI_SERVER_URL`, and `aud` is its audience (GitLab's
//! documentation, "ID token authentication").

use super::error::SourceError;
use super::{Audiences, Presence, Renewal, TokenRequest, TokenSource, env, existing_token, has_flag, listed};
use crate::context::Context;
use crate::error::Failure;
use crate::http::Http;
use crate::jwt::IdToken;
use crate::settings::SourceOptions;

const SERVER: &str = "CI_SERVER_URL";

/// A job of GitLab CI.
#[derive(Debug)]
pub(crate) struct GitLab {
    server: String,
    /// The variable that `--id-token-variable` names.
    variable: Option<String>,
}

/// The variables with tokens of this instance: their names and tokens.
fn tokens<'a>(server: &'a str, ctx: &'a Context) -> impl Iterator<Item = (&'a str, IdToken)> {
    let of_server = move |(name, value): (&'a str, &str)| {
        let token = IdToken::parse(value.starts_with("eyJ").then_some(value)?).ok()?;
        (token.claims().as_claimed().issuer.as_deref()? == server).then_some((name, token))
    };
    ctx.variables().filter_map(of_server)
}

fn server(ctx: &Context) -> Option<&str> {
    ctx.var(SERVER).ok().flatten().map(|url| url.trim_end_matches('/'))
}

impl GitLab {
    /// The variable with a token for `wanted`. If there are several, the token that expires last.
    fn find(&self, wanted: &TokenRequest, ctx: &Context) -> Result<String, SourceError> {
        if let Some(variable) = &self.variable {
            return Ok(variable.clone());
        }
        let mut others = Vec::new();
        let mut best = None;
        for (name, token) in tokens(&self.server, ctx) {
            let claims = token.claims().as_claimed();
            if wanted.audiences.iter().all(|audience| claims.audience.contains(audience)) {
                best = best.max(Some((claims.expires_at, name.to_owned())));
            } else {
                let audience = listed(&token.claims().for_messages().audience);
                others.push(format!("`{name}` is for {audience}"));
            }
        }
        best.map(|(_, name)| name).ok_or_else(|| {
            let others = if others.is_empty() { String::new() } else { format!(": {}", others.join(", ")) };
            let what = format!("this job has no ID token for {}{others}", wanted.listed());
            SourceError::Missing { what, remedy: block(&wanted.audiences) }
        })
    }
}

/// The hint with the block that a job has to declare.
fn block(audiences: &[String]) -> String {
    let quoted = |audience: &String| serde_json::Value::from(audience.as_str()).to_string();
    let audience = match audiences {
        [audience] => quoted(audience),
        several => format!("[{}]", several.iter().map(quoted).collect::<Vec<_>>().join(", ")),
    };
    format!(
        "a running job cannot request tokens: add this to the job in .gitlab-ci.yml\n  id_tokens:\n    IDP_ID_TOKEN:\n      aud: {audience}"
    )
}

impl TokenSource for GitLab {
    const NAME: &'static str = "gitlab";
    const MINTS: bool = false;
    const FLAG: Option<(&'static str, &'static str)> = Some(("GITLAB_CI", "true"));
    const WORKLOAD: Option<&'static str> = Some("CI_JOB_ID");

    fn presence(ctx: &Context) -> Presence {
        if !has_flag(Self::FLAG, ctx) {
            return Presence::Absent;
        }
        let has_token = server(ctx).is_some_and(|server| tokens(server, ctx).next().is_some());
        if has_token { Presence::Strong } else { Presence::Weak }
    }

    fn from_context(_: &str, options: &SourceOptions, ctx: &Context) -> Result<Self, Failure> {
        let server = server(ctx).ok_or_else(|| SourceError::Missing {
            what: format!("this is not a job of GitLab CI: `{SERVER}` is not set"),
            remedy: "run `gp` in a job\nif `gp` runs in a container of your own, pass the job's variables on to it".into(),
        })?;
        Ok(Self { server: server.to_owned(), variable: options.id_token_variable.clone() })
    }

    fn audiences(&self) -> Audiences {
        Audiences::Fixed
    }

    async fn id_token(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure> {
        env::read(&self.find(wanted, http.ctx())?, http.ctx())
    }

    async fn issuer(&self, _: &Http<'_>) -> Result<Option<String>, Failure> {
        Ok(Some(self.server.clone()))
    }

    /// Every fingerprint also has the job's id, which distinguishes the subject from others.
    fn fingerprint(&self, ctx: &Context) -> Option<Vec<String>> {
        let mut parts = vec![self.server.clone()];
        if let Some(variable) = &self.variable {
            parts.extend(existing_token::identity(ctx.var(variable).ok()??)?);
        }
        Some(parts)
    }

    fn audience_hint(&self, wanted: &TokenRequest) -> String {
        block(&wanted.audiences)
    }

    fn renewal(&self) -> Renewal {
        Renewal::Never
    }

    fn variables(&self, ctx: &Context) -> Vec<String> {
        tokens(&self.server, ctx).map(|(name, _)| name.to_owned()).chain(self.variable.clone()).collect()
    }

    fn describe(&self) -> String {
        match &self.variable {
            Some(variable) => format!("the variable `{variable}`"),
            None => format!("the variables of a job of {}", self.server),
        }
    }
}
