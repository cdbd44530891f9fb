//! GitHub Actions and services with its protocol (Forgejo Actions, GitHub Enterprise Server,
//! ghe.com).
//!
//! `GET $ACTIONS_ID_TOKEN_REQUEST_URL` with the query parameter `audience` added, and
//! `$ACTIONS_ID_TOKEN_REQUEST_TOKEN` as bearer; the token is the member `value` of the reply. A
//! job has both variables only with the permission `id-token: write` (GitHub's documentation,
//! "OpenID Connect reference").

use super::endpoint::{self, Endpoint, Refusal, required};
use super::{Audiences, Renewal, TokenRequest, TokenSource};
use crate::context::Context;
use crate::error::Failure;
use crate::http::{Call, Http, HttpError, SecureUrl};
use crate::jwt::IdToken;
use crate::secret::Secret;
use crate::settings::SourceOptions;

const URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// A job of GitHub Actions.
#[derive(Debug)]
pub(crate) struct GitHub {
    url: SecureUrl,
    token: Secret,
}

/// The fix for a missing variable.
fn fix(ctx: &Context) -> &'static str {
    let set = |name| ctx.var_os(name).is_some();
    if set("FORGEJO_ACTIONS") || set("GITEA_ACTIONS") {
        "on Forgejo, add `enable-openid-connect: true` to the workflow\n\
         on Gitea, use another source: jobs get no ID tokens"
    } else {
        "add `permissions: id-token: write` to the job or the workflow (on Forgejo `enable-openid-connect: true`)\n\
         if `gp` runs in a container of your own, pass both `ACTIONS_ID_TOKEN_REQUEST_…` variables on to it\n\
         pull requests from forks never have this permission"
    }
}

impl Endpoint for GitHub {
    const ADDRESS: &'static str = "`ACTIONS_ID_TOKEN_REQUEST_URL`";
    const MEMBER: &'static str = "value";

    fn name(&self) -> String {
        format!("GitHub's token service at {}", self.url.origin())
    }

    fn call(&self, wanted: &TokenRequest) -> Result<Call, HttpError> {
        Call::get(self.url.with_query("audience", wanted.first_audience())).bearer(&self.token)
    }

    fn refused(&self, refusal: &Refusal) -> String {
        match refusal.status {
            401 | 403 => "if the job started more than six hours ago, run it again: `ACTIONS_ID_TOKEN_REQUEST_TOKEN` has expired\n\
                 otherwise that variable was copied from another job or step: remove it from the workflow, because GitHub sets it in each step",
            _ => "check the audience, and the status page of GitHub",
        }
        .into()
    }
}

impl TokenSource for GitHub {
    const NAME: &'static str = "github";
    const VARIABLES: &'static [&'static str] = &[URL, TOKEN];
    const FLAG: Option<(&'static str, &'static str)> = Some(("GITHUB_ACTIONS", "true"));
    const WORKLOAD: Option<&'static str> = Some("GITHUB_RUN_ID");

    fn from_context(_: &str, _: &SourceOptions, ctx: &Context) -> Result<Self, Failure> {
        let url = required(URL, fix(ctx), ctx)?.parse(SecureUrl::parse)?;
        Ok(Self { url, token: Secret::new(required(TOKEN, fix(ctx), ctx)?.value.to_owned()) })
    }

    fn audiences(&self) -> Audiences {
        Audiences::One
    }

    async fn id_token(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure> {
        Ok(endpoint::mint(self, wanted, http).await?)
    }

    /// The URL belongs to this job only.
    fn fingerprint(&self, _: &Context) -> Option<Vec<String>> {
        Some(vec![self.url.as_str().to_owned()])
    }

    /// Until the `exp` of the request token. If that token has no `exp`, there is no end.
    fn renewal(&self) -> Renewal {
        let token = IdToken::parse(self.token.reveal()).ok();
        token.and_then(|token| token.claims().as_claimed().expires_at).map_or(Renewal::Always, Renewal::Until)
    }

    fn describe(&self) -> String {
        self.name()
    }
}
