//! `env:NAME`: a token that a CI job or a deployment has in a variable.

use super::error::SourceError;
use super::{Argument, Audiences, Renewal, TokenRequest, TokenSource, existing_token};
use crate::context::Context;
use crate::error::Failure;
use crate::http::Http;
use crate::jwt::IdToken;
use crate::settings::SourceOptions;

#[derive(Debug)]
pub(crate) struct Env(pub(super) String);

impl Env {
    fn read(&self, ctx: &Context) -> Result<IdToken, Failure> {
        read(&self.0, ctx)
    }
}

/// The token in a variable.
pub(super) fn read(name: &str, ctx: &Context) -> Result<IdToken, Failure> {
    let place = format!("the variable `{name}`");
    let Some(text) = ctx.var(name)? else {
        let remedy = format!(
            "if `printenv {name}` prints nothing either, correct the name, or set the variable in the job\n\
             if `gp` runs in a container, use `docker run -e {name}`\n\
             if `gp` runs with sudo, use `sudo --preserve-env={name}`"
        );
        return Err(SourceError::Missing { what: format!("{place} is not set"), remedy }.into());
    };
    Ok(existing_token::read(
        text,
        place,
        "the variable does not change while the job runs: run the job again",
        ctx,
    )?)
}

impl TokenSource for Env {
    const NAME: &'static str = "env";
    const MINTS: bool = false;
    const IS_FOUND: bool = false;
    const ARGUMENT: Argument = Argument::Required("NAME");

    fn from_context(argument: &str, _: &SourceOptions, _: &Context) -> Result<Self, Failure> {
        Ok(Self(argument.to_owned()))
    }

    fn audiences(&self) -> Audiences {
        Audiences::Fixed
    }

    async fn id_token(&self, _: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure> {
        self.read(http.ctx())
    }

    fn fingerprint(&self, ctx: &Context) -> Option<Vec<String>> {
        existing_token::identity(ctx.var(&self.0).ok()??)
    }

    fn audience_hint(&self, wanted: &TokenRequest) -> String {
        existing_token::audience_hint(&wanted.listed())
    }

    fn renewal(&self) -> Renewal {
        Renewal::Never
    }

    fn variables(&self, _: &Context) -> Vec<String> {
        vec![self.0.clone()]
    }

    fn describe(&self) -> String {
        format!("the variable `{}`", self.0)
    }
}
