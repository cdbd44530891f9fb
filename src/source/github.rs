//! GitHub Actions and what speaks its protocol (Forgejo Actions, GitHub Enterprise Server, ghe.com).
//!
//! `GET $ACTIONS_ID_TOKEN_REQUEST_URL` with one more pair in its query, `audience`, and
//! `$ACTIONS_ID_TOKEN_REQUEST_TOKEN` as bearer; the token is the member `value` of the reply. A job has both variables
//! only with the permission `id-token: write` (GitHub's documentation, "OpenID Connect reference").

use serde::Deserialize;

use super::{Presence, TokenRequest, TokenSource};
use crate::context::Context;
use crate::error::Failure;
use crate::exchange::{Words, said};
use crate::exit::{Exit, Explain};
use crate::http::{Call, Http, HttpError, SecureUrl, UnexpectedReply, is_overloaded};
use crate::jwt::{IdToken, MalformedToken};
use crate::report::Report;
use crate::secret::Secret;
use crate::settings::{SessionOptions, Setting};

const URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// A job of GitHub Actions.
#[derive(Debug)]
pub(crate) struct GitHub {
    url: SecureUrl,
    token: Secret,
}

#[derive(Debug, thiserror::Error)]
enum GitHubError {
    #[error("this job may not ask for ID tokens: `{0}` is not set")]
    NoPermission(&'static str),
    #[error("GitHub mints a token for one audience only, and {0} were asked for")]
    Audiences(usize),
    #[error("GitHub's tokens carry no scope")]
    Scope,
    #[error("{origin} {}", cause.verb())]
    Unreachable {
        origin: String,
        #[source]
        cause: HttpError,
    },
    #[error("what answers is not GitHub's token service")]
    Unexpected(#[source] UnexpectedReply),
    #[error("{origin} is not available now (HTTP {status})")]
    Unavailable { origin: String, status: u16 },
    #[error("{origin} refused: {said}")]
    Refused { origin: String, said: String },
    #[error("{origin} answered with something that is not an ID token")]
    NotAToken {
        origin: String,
        #[source]
        cause: MalformedToken,
    },
    #[error("{origin} gave a token for `{found}`, not for `{wanted}`")]
    OtherAudience { origin: String, found: String, wanted: String },
}

impl Explain for GitHubError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoPermission(_) => Exit::NoIdentity,
            Self::Audiences(_) | Self::Scope => Exit::Usage,
            Self::Unreachable { cause, .. } => cause.exit(),
            Self::Unexpected(_) | Self::Unavailable { .. } => Exit::Network,
            Self::Refused { .. } | Self::NotAToken { .. } | Self::OtherAudience { .. } => Exit::MintRefused,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoPermission(_) => "add `permissions: id-token: write` to the job or the workflow (on Forgejo `enable-openid-connect: true`); pull requests from forks never have it, and a container of your own needs both `ACTIONS_ID_TOKEN_REQUEST_…` variables".into(),
            Self::Audiences(_) => "give `--audience` once, and run the command once for each receiver".into(),
            Self::Scope => "leave `--scope` out, and let the receiver look at the claims of the job".into(),
            Self::Unreachable { cause, .. } => return cause.hint(),
            Self::Unexpected(_) => "a proxy may answer in its place: set `NO_PROXY`, and see each step with `--verbose`".into(),
            Self::Unavailable { .. } => "run the job again, or give it more time with `--timeout 2m`".into(),
            Self::Refused { .. } => "the job may have run for too long: its request token is good for about six hours".into(),
            Self::NotAToken { .. } | Self::OtherAudience { .. } => "see each step with `--verbose`".into(),
        })
    }
}

#[derive(Deserialize)]
struct Minted {
    value: Secret,
}

/// A refusal, in whatever words it has.
#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    message: String,
}

impl GitHub {
    async fn mint(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<IdToken, GitHubError> {
        let [audience] = &wanted.audiences[..] else {
            return Err(GitHubError::Audiences(wanted.audiences.len()));
        };
        if wanted.scope.is_some() {
            return Err(GitHubError::Scope);
        }
        let origin = self.url.origin();
        let unreachable = |cause| GitHubError::Unreachable { origin: origin.clone(), cause };
        let call = Call::get(self.url.with_query("audience", audience))
            .header("accept", "application/json")
            // The endpoint often hangs, and answers the next request at once.
            .try_limit(http.deadline().limit() / 3)
            .bearer(&self.token)
            .map_err(unreachable)?;
        let reply = http.send(&call).await.map_err(unreachable)?;
        if !reply.is_success() {
            let status = reply.status;
            if is_overloaded(status) {
                return Err(GitHubError::Unavailable { origin, status });
            }
            let Refusal { message } = match reply.json() {
                Ok(refusal) => refusal,
                // A refusal without words is one, too.
                Err(UnexpectedReply::ContentType { .. }) if matches!(status, 401 | 403) => Refusal::default(),
                Err(cause) => return Err(GitHubError::Unexpected(cause)),
            };
            let words = Words { message, codes: Vec::new() };
            let said = said(words, &reply, http.ctx().now());
            return Err(GitHubError::Refused { origin, said });
        }
        let Minted { value } = reply.json().map_err(GitHubError::Unexpected)?;
        let token = IdToken::parse(value.reveal())
            .map_err(|cause| GitHubError::NotAToken { origin: origin.clone(), cause })?;
        let claims = token.claims().for_messages();
        if claims.audience != [audience.as_str()] {
            let (found, wanted) = (claims.audience.join(", "), audience.clone());
            return Err(GitHubError::OtherAudience { origin, found, wanted });
        }
        Ok(token)
    }
}

impl TokenSource for GitHub {
    const NAME: &'static str = "github";

    fn presence(ctx: &Context) -> Presence {
        let set = |name| ctx.var_os(name).is_some();
        if set(URL) && set(TOKEN) {
            Presence::Strong
        } else if ctx.var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
            Presence::Weak
        } else {
            Presence::Absent
        }
    }

    fn from_context(_: &SessionOptions, ctx: &Context) -> Result<Self, Failure> {
        let url = Setting::variable(URL, ctx)?.ok_or(GitHubError::NoPermission(URL))?;
        let token = ctx.var(TOKEN)?.ok_or(GitHubError::NoPermission(TOKEN))?;
        Ok(Self { url: url.parse(SecureUrl::parse)?, token: Secret::new(token.to_owned()) })
    }

    async fn id_token(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure> {
        Ok(self.mint(wanted, http).await?)
    }

    /// It depends on the installation and the enterprise: the token says it.
    async fn issuer(&self, _: &Http<'_>) -> Result<Option<String>, Failure> {
        Ok(None)
    }

    /// The address is one of this job alone.
    fn fingerprint(&self) -> Vec<String> {
        vec![self.url.as_str().to_owned()]
    }

    async fn examine(&self, wanted: &TokenRequest, http: &Http<'_>, report: &mut Report) -> Option<IdToken> {
        report.pass("job", format!("may ask {} for ID tokens", self.url.origin()));
        match self.mint(wanted, http).await {
            Ok(token) => {
                report.pass("mint", format!("an ID token for {}", wanted.audiences.join(", ")));
                Some(token)
            }
            Err(error) => report.stopped("mint", error, &[]),
        }
    }
}
