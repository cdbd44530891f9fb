//! The platforms that a local workspace can stand for. Each has a file with its environment, its claims and the
//! endpoint that its processes ask; a new one is such a file, a variant and the arms that the compiler then lists.

use std::io;
use std::sync::Arc;

use axum::Router;
use tempfile::NamedTempFile;

use super::{Options, State, api, ona, supervisor};
use crate::secret::Secret;

/// Whose environment a process finds, and whose claims its tokens have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Platform {
    /// A workspace of Gitpod
    #[default]
    Gitpod,
    /// An environment of Ona
    Ona,
}

pub(super) type Variables = Vec<(String, String)>;

impl Platform {
    pub(super) const ALL: [Self; 2] = [Self::Gitpod, Self::Ona];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gitpod => "gitpod",
            Self::Ona => "ona",
        }
    }

    /// The `sub` of its tokens.
    pub(super) fn subject(self, options: &Options) -> String {
        match self {
            Self::Gitpod if options.context_url.is_empty() => "no-context".to_owned(),
            Self::Gitpod => options.context_url.clone(),
            Self::Ona => ona::subject(options),
        }
    }

    /// The file with what its processes ask for ID tokens with, where they find it in one.
    pub(super) fn token_file(self, options: &Options, token: &Secret) -> io::Result<Option<NamedTempFile>> {
        match self {
            Self::Gitpod => Ok(None),
            Self::Ona => ona::token_file(options, token).map(Some),
        }
    }

    /// The endpoint that mints.
    pub(super) fn routes(self, state: Arc<State>) -> Router {
        match self {
            Self::Gitpod => api::routes(state),
            Self::Ona => ona::routes(state),
        }
    }

    /// The variables that its processes find.
    pub(super) fn variables(self, state: &State, supervisor: &str) -> Variables {
        match self {
            Self::Gitpod => named(supervisor::variables(state, supervisor)),
            Self::Ona => named(ona::variables(state)),
        }
    }
}

pub(super) fn named<const N: usize>(variables: [(&str, String); N]) -> Variables {
    variables.map(|(name, value)| (name.to_owned(), value)).into()
}
