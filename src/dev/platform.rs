//! The platforms that a local workspace can imitate. Each platform has a file with its environment, its claims and its
//! token endpoint. A new platform needs such a file, a variant, and the match arms that the compiler then lists.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, header};
use tempfile::NamedTempFile;

use super::issuer::{Issuer, repository};
use super::keys::random_base64url;
use super::{Options, State, api, buildkite, github, gitlab, ona, supervisor};
use crate::secret::Secret;

/// The commit that a job has checked out.
pub(super) const COMMIT: &str = "9f3182061f1e2cca4702c368cbc039b7dc9d4485";

/// The platform that the local workspace imitates in its environment variables and its claims.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Platform {
    /// A workspace of Gitpod
    #[default]
    Gitpod,
    /// An environment of Ona
    Ona,
    /// A job of GitHub Actions
    Github,
    /// A job of GitLab CI
    Gitlab,
    /// A job of Buildkite
    Buildkite,
}

pub(super) type Variables = Vec<(String, String)>;

impl Platform {
    pub(super) const ALL: [Self; 5] = [Self::Gitpod, Self::Ona, Self::Github, Self::Gitlab, Self::Buildkite];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gitpod => "gitpod",
            Self::Ona => "ona",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Buildkite => "buildkite",
        }
    }

    /// How long its ID tokens live.
    pub fn lifetime(self) -> Duration {
        Duration::from_secs(match self {
            Self::Gitpod | Self::Ona => 3600,
            Self::Github | Self::Gitlab | Self::Buildkite => 300,
        })
    }

    /// The `sub` of its tokens.
    pub(super) fn subject(self, options: &Options) -> String {
        let context_url = options.context_url.as_str();
        let Project { owner, name, branch } = Project::of(context_url);
        match self {
            Self::Gitpod if context_url.is_empty() => "no-context".to_owned(),
            Self::Gitpod => context_url.to_owned(),
            Self::Ona => ona::subject(options),
            Self::Github => format!("repo:{owner}/{name}:ref:refs/heads/{branch}"),
            Self::Gitlab => format!("project_path:{owner}/{name}:ref_type:branch:ref:{branch}"),
            Self::Buildkite => format!(
                "organization:{owner}:pipeline:{name}:ref:refs/heads/{branch}:commit:{COMMIT}:step:{}",
                buildkite::STEP
            ),
        }
    }

    /// The credential for ID token requests, or the reason why it could not be signed.
    pub(super) fn request_token(self, options: &Options, issuer: &Issuer) -> Result<Secret, String> {
        match self {
            Self::Github => github::request_token(options, issuer).map(Secret::new),
            Self::Gitpod | Self::Ona | Self::Gitlab | Self::Buildkite => {
                Ok(Secret::new(format!("dev-api-token-{}", random_base64url())))
            }
        }
    }

    /// The file with the credential for ID token requests, if the platform keeps it in a file.
    pub(super) fn token_file(self, options: &Options, token: &Secret) -> io::Result<Option<NamedTempFile>> {
        match self {
            Self::Ona => ona::token_file(options, token).map(Some),
            Self::Gitpod | Self::Github | Self::Gitlab | Self::Buildkite => Ok(None),
        }
    }

    /// The endpoint that mints tokens. There is none if a job has its tokens from the start.
    pub(super) fn routes(self, state: Arc<State>) -> Router {
        match self {
            Self::Gitpod => api::routes(state),
            Self::Ona => ona::routes(state),
            Self::Github => github::routes(state),
            Self::Gitlab => Router::new(),
            Self::Buildkite => buildkite::routes(state),
        }
    }

    /// The environment variables of the platform's processes, or the reason why a token in them could not be signed.
    pub(super) fn variables(self, state: &State, supervisor: &str) -> Result<Variables, String> {
        match self {
            Self::Gitpod => Ok(named(supervisor::variables(state, supervisor))),
            Self::Ona => Ok(named(ona::variables(state))),
            Self::Github => Ok(named(github::variables(state))),
            Self::Gitlab => gitlab::variables(state),
            Self::Buildkite => Ok(named(buildkite::variables(state))),
        }
    }
}

pub(super) fn named<const N: usize>(variables: [(&str, String); N]) -> Variables {
    variables.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The parts of the context URL for the variables and claims of a job.
pub(super) struct Project {
    pub(super) owner: String,
    pub(super) name: String,
    pub(super) branch: String,
}

impl Project {
    pub(super) fn of(context_url: &str) -> Self {
        let repository = repository(context_url);
        // `https://host/owner/name`
        let path = repository.splitn(4, '/').nth(3).and_then(|path| path.rsplit_once('/'));
        let (owner, name) = path.unwrap_or(("gitpod-io", "example"));
        let inside = &context_url[repository.len()..];
        let branch = inside.strip_prefix("/-").unwrap_or(inside).strip_prefix("/tree/").unwrap_or("main");
        Self { owner: owner.to_owned(), name: name.to_owned(), branch: branch.to_owned() }
    }

    /// `owner/name`
    pub(super) fn path(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }
}

/// The credentials in the `Authorization` header, if the header has this scheme.
pub(super) fn authorization<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let (named, credentials) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    // The scheme ignores case (RFC 9110 section 11.1): some clients write `bearer`.
    named.eq_ignore_ascii_case(scheme).then_some(credentials)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_of_a_context() {
        for (context, expected) in [
            ("https://github.com/acme/shop", ("acme", "shop", "main")),
            ("https://github.com/acme/shop/tree/a/b", ("acme", "shop", "a/b")),
            ("https://github.com/acme/shop/pull/7", ("acme", "shop", "main")),
            ("https://gitlab.com/a/b/c/-/tree/next", ("a/b", "c", "next")),
            ("", ("gitpod-io", "example", "main")),
            ("elsewhere", ("gitpod-io", "example", "main")),
        ] {
            let Project { owner, name, branch } = Project::of(context);
            assert_eq!((owner.as_str(), name.as_str(), branch.as_str()), expected, "{context}");
        }
    }
}
