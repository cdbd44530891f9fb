//! The setup that makes a relying party accept a workspace's tokens, and no other tokens.
//!
//! A [`Rule`] on one claim selects the tokens, independent of the relying party. The folder of
//! each target turns the rule into commands and Terraform. [`mod@check`] does the reverse: it
//! compares the claims with an existing setup.

mod access_summary;
pub(crate) mod args;
pub(crate) mod check;
mod description;
pub(crate) mod hcl;
pub(crate) mod quote;
pub(crate) mod run;
pub(crate) mod script;

use reqwest::Url;

use crate::exit::{Exit, Explain};
use crate::json::Json;
use crate::jwt::subject::{self, Subject};
use crate::output::sanitise;

pub(crate) use crate::jwt::subject::Kind;
pub(crate) use access_summary::{AccessSummary, LoginCommand};
pub(crate) use description::{describe_access, too_broad_warning};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whom {
    /// Exactly the subject of this workspace or job.
    ThisSubject,
    /// Workspaces or jobs on this repository.
    ThisRepository,
    /// Workspaces or jobs on all repositories of the same owner.
    ThisOwner,
    /// Workspaces of this user.
    ThisUser,
    /// Every token of the issuer.
    Any,
}

/// Selects tokens of the issuer by one claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The claim is equal to `value`.
    Equals {
        claim: &'static str,
        value: String,
    },
    /// The claim is `base`, or begins with one of its [`prefixes`].
    InRepository {
        claim: &'static str,
        /// The address, without a slash at its end.
        base: String,
    },
    /// The claim begins with `prefix`.
    HasPrefix {
        claim: &'static str,
        /// The prefix that all subjects of the owner share, with its separator at the end.
        prefix: String,
    },
    Any,
}

/// A workspace or job, as its token describes it.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// `iss`
    pub issuer: String,
    /// `sub`
    pub subject: String,
    /// `aud`
    pub audiences: Vec<String>,
    /// The workspace or job, for session names.
    pub workload: Option<String>,
    claims: Json,
}

/// Why no setup can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TrustError {
    /// A required claim is missing, or is not text.
    #[error("the token has no claim `{0}`, or the claim is not text")]
    NoClaim(String),
    /// The characters of a claim could mislead readers of the setup.
    #[error("the claim `{0}` holds control or invisible characters, so no rule can be built from it")]
    InvisibleCharacters(String),
    /// The subject is not an address, so it has no owner.
    #[error("`sub` is `{0}`, which is not the address of a repository, so it has no owner")]
    NotAnAddress(String),
    /// The subject is not inside the repository that the token names.
    #[error("the token does not say which repository its `sub`, `{0}`, belongs to")]
    RepositoryUnknown(String),
    /// A repository at the root of its host.
    #[error("the repository {0} has no owner: its address has only a host and a name")]
    NoOwner(String),
    /// A rule that the relying party cannot express.
    #[error("{reason}")]
    Cannot { reason: String, hint: String },
}

impl Explain for TrustError {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoClaim(claim) if matches!(claim.as_str(), "user_id" | "email") => Some(
                "the token names no user: use `--for this-repository`, which accepts its repository\n\
                 to accept exactly its `sub`, use `--for this-subject`"
                    .into(),
            ),
            Self::NoClaim(_) => {
                Some("look at the token: `gp idp token --audience example.org --decode`".into())
            }
            Self::InvisibleCharacters(_) => None,
            Self::NotAnAddress(subject) if subject == "no-context" => Some(
                "this workspace was opened without a repository: run this command in a workspace with a repository of the owner that you want to trust\n\
                 to allow only yourself, use `--for this-user`\n\
                 do not use `--for this-repository`, which would accept every workspace without a repository"
                    .into(),
            ),
            Self::NotAnAddress(_) | Self::RepositoryUnknown(_) | Self::NoOwner(_) => Some(
                "`--for this-repository` accepts exactly this `sub`, and `--for this-user` accepts the user".into(),
            ),
            Self::Cannot { hint, .. } => Some(hint.clone()),
        }
    }
}

impl Identity {
    /// Reads the claims of a token.
    pub(crate) fn of(claims: Json) -> Result<Self, TrustError> {
        let audiences = claims.get("aud").and_then(Json::as_strings).filter(|list| !list.is_empty());
        let audiences = audiences.ok_or_else(|| TrustError::NoClaim("aud".into()))?;
        for audience in &audiences {
            check("aud", audience)?;
        }
        let issuer = text(&claims, "iss")?;
        let subject = text(&claims, "sub")?;
        Ok(Self { issuer, subject, audiences, workload: None, claims })
    }

    pub(crate) fn claims(&self) -> &Json {
        &self.claims
    }

    /// The rule for `whom`. `user` names the claim that identifies a user.
    pub(crate) fn rule(&self, whom: Whom, user: &'static str) -> Result<Rule, TrustError> {
        let claim = "sub";
        match whom {
            Whom::Any => Ok(Rule::Any),
            Whom::ThisUser => Ok(Rule::Equals { claim: user, value: text(&self.claims, user)? }),
            Whom::ThisSubject => Ok(Rule::Equals { claim, value: self.subject.clone() }),
            Whom::ThisRepository => Ok(match self.repository() {
                Some(base) => Rule::InRepository { claim, base },
                None => Rule::Equals { claim, value: self.subject.clone() },
            }),
            Whom::ThisOwner if let Some(subject) = Subject::parse(&self.subject) => {
                Ok(Rule::HasPrefix { claim, prefix: subject.owner.to_owned() })
            }
            Whom::ThisOwner => match self.repository() {
                Some(base) => match owner_of(&base) {
                    Some(owner) => Ok(Rule::HasPrefix { claim, prefix: owner.to_owned() }),
                    None => Err(TrustError::NoOwner(base)),
                },
                None if is_address(&self.subject) => Err(TrustError::RepositoryUnknown(self.subject.clone())),
                None => Err(TrustError::NotAnAddress(self.subject.clone())),
            },
        }
    }

    /// The address of the repository that contains `sub`.
    ///
    /// The claim `repository` shows where the address ends. The number of path segments does not,
    /// because groups of GitLab can be nested.
    fn repository(&self) -> Option<String> {
        if let Some(subject) = Subject::parse(&self.subject) {
            return Some(subject.repository.to_owned());
        }
        let clone_url = self.claims.get("repository")?.as_str()?;
        let base = clone_url.strip_suffix(".git").unwrap_or(&clone_url).trim_end_matches('/');
        let rest = self.subject.strip_prefix(base)?;
        let named = path_of(base).is_some_and(|path| !path.is_empty());
        let inside = rest.is_empty() || prefixes(base).any(|beginning| self.subject.starts_with(&beginning));
        (named && inside).then(|| base.to_owned())
    }

    /// The kind of workload that has this identity.
    pub(crate) fn kind(&self) -> Kind {
        let is_workspace = || {
            is_address(&self.subject)
                || self.subject == "no-context"
                || self.claims.get("workspace_id").is_some()
        };
        match Subject::parse(&self.subject) {
            Some(subject) => subject.kind,
            None if is_workspace() => Kind::Workspace,
            None => Kind::Other,
        }
    }

    /// The warning about an issuer without https. Relying parties accept only https issuers.
    pub(crate) fn https_warning(&self) -> Option<String> {
        (!self.issuer.starts_with("https://"))
            .then(|| format!("the issuer is {}, but services trust only issuers with https", self.issuer))
    }
}

impl Rule {
    /// Whether the rule is about this claim.
    pub(crate) fn is_about(&self, name: &str) -> bool {
        match self {
            Self::Equals { claim, .. } | Self::InRepository { claim, .. } | Self::HasPrefix { claim, .. } => {
                *claim == name
            }
            Self::Any => false,
        }
    }

    /// Whether the rule accepts a token of the issuer with these claims.
    #[cfg(test)]
    pub(crate) fn accepts(&self, claims: &Json) -> bool {
        let has = |claim: &str, test: &dyn Fn(&str) -> bool| {
            claims.get(claim).and_then(Json::as_str).is_some_and(|text| test(&text))
        };
        match self {
            Self::Any => true,
            Self::Equals { claim, value } => has(claim, &|text| text == value),
            Self::HasPrefix { claim, prefix } => has(claim, &|text| text.starts_with(prefix)),
            Self::InRepository { claim, base } => has(claim, &|text| {
                text == base || prefixes(base).any(|beginning| text.starts_with(&beginning))
            }),
        }
    }
}

/// The prefixes of the subjects inside a repository. Azure DevOps writes a branch as a query.
pub(crate) fn prefixes(base: &str) -> impl Iterator<Item = String> {
    let query = base.contains("/_git/").then(|| format!("{base}?"));
    let separator = if Subject::parse(base).is_some() { subject::separator(base) } else { '/' };
    std::iter::once(format!("{base}{separator}")).chain(query)
}

/// A claim that is text without control or invisible characters.
fn text(claims: &Json, name: &str) -> Result<String, TrustError> {
    let value = claims.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
    let value = value.ok_or_else(|| TrustError::NoClaim(name.to_owned()))?;
    check(name, &value)?;
    Ok(value)
}

fn check(name: &str, value: &str) -> Result<(), TrustError> {
    if sanitise(value) == value { Ok(()) } else { Err(TrustError::InvisibleCharacters(name.to_owned())) }
}

fn is_address(subject: &str) -> bool {
    path_of(subject).is_some()
}

/// The path of a URL after the host and its slash. `None` if `address` is not a URL.
pub(crate) fn path_of(address: &str) -> Option<&str> {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    (!host.is_empty() && Url::parse(address).is_ok()).then_some(path)
}

/// The path above a repository, with a slash at its end. `None` for a repository at the root of
/// its host.
fn owner_of(base: &str) -> Option<&str> {
    let (owner, _) = base.rsplit_once('/')?;
    path_of(owner).filter(|path| !path.is_empty())?;
    base.get(..=owner.len())
}

/// `text` as a JSON string.
pub(crate) fn string(text: &str) -> Json {
    Json::Scalar(crate::json::quote(text))
}

/// A JSON object of these members.
pub(crate) fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A JSON array of strings.
pub(crate) fn strings(texts: &[String]) -> Json {
    Json::Array(texts.iter().map(|text| string(text)).collect())
}

#[cfg(test)]
pub(crate) mod tests;
