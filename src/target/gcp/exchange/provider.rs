//! The full name of a workload identity pool provider.
//!
//! Google reports a wrong name only at the first exchange, and does not say what is wrong. So this
//! module recognises the common mistakes.

use std::fmt;

use crate::shell::posix_quote;

/// The form of the full name.
pub const FORM: &str =
    "projects/123456789012/locations/global/workloadIdentityPools/POOL_ID/providers/PROVIDER_ID";
const HOST: &str = "//iam.googleapis.com/";

/// `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    project: String,
    pool: String,
    id: String,
}

/// Why a text is not the full name of a provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The project's ID in place of its number.
    #[error("`{0}` is a project ID: give the project's number instead")]
    ProjectId(String),
    /// A pool without a provider.
    #[error("this is the pool `{0}`: name a provider in that pool")]
    PoolOnly(String),
    /// A workforce pool, which is for people.
    #[error("this is a workforce pool, which is for people: name a workload identity pool")]
    Workforce,
    /// A principal identifier of an IAM policy.
    #[error("this is a principal of an IAM policy and not a provider")]
    Principal,
    /// A location other than `global`.
    #[error("the location is `{0}`, and workload identity pools are in `global` only")]
    Location(String),
    #[error("the host is `{0}` and not `iam.googleapis.com`")]
    Host(String),
    /// An ID with a wrong character or a wrong length.
    #[error("`{id}` cannot be the ID of a {what}: an ID has 4 to 32 lowercase letters, digits and hyphens")]
    Id {
        /// `pool` or `provider`
        what: &'static str,
        id: String,
    },
    #[error("this is not the full name of a workload identity pool provider")]
    Form,
}

impl ProviderError {
    /// The right form, and the command that prints it.
    pub fn hint(&self) -> String {
        match self {
            Self::ProjectId(id) => format!(
                "`gcloud projects describe {} --format 'value(projectNumber)'` prints the number\n\
                 the right form is `{FORM}`",
                posix_quote(id)
            ),
            Self::PoolOnly(pool) => format!(
                "`gcloud iam workload-identity-pools providers list --workload-identity-pool {pool} --location global --format 'value(name)'` prints the names of its providers\n\
                 the right form is `{FORM}`"
            ),
            _ => format!(
                "`gcloud iam workload-identity-pools providers describe PROVIDER_ID --workload-identity-pool POOL_ID --location global --format 'value(name)'` prints the name\n\
                 the right form is `{FORM}`"
            ),
        }
    }
}

impl Provider {
    /// Reads the bare name, or the name after `//iam.googleapis.com/` or `https://iam.googleapis.com/`.
    pub fn parse(text: &str) -> Result<Self, ProviderError> {
        if text.starts_with("principal://") || text.starts_with("principalSet://") {
            return Err(ProviderError::Principal);
        }
        let name = match text.strip_prefix("https:").unwrap_or(text).strip_prefix("//") {
            Some(rest) => {
                let (host, name) = rest.split_once('/').unwrap_or((rest, ""));
                if host != "iam.googleapis.com" {
                    return Err(ProviderError::Host(host.to_owned()));
                }
                name
            }
            None => text,
        };
        let parts: Vec<&str> = name.split('/').collect();
        if parts.contains(&"workforcePools") {
            return Err(ProviderError::Workforce);
        }
        let ["projects", project, "locations", location, "workloadIdentityPools", pool, rest @ ..] =
            parts.as_slice()
        else {
            return Err(ProviderError::Form);
        };
        if project.is_empty() || pool.is_empty() {
            return Err(ProviderError::Form);
        }
        if !project.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ProviderError::ProjectId((*project).to_owned()));
        }
        if *location != "global" {
            return Err(ProviderError::Location((*location).to_owned()));
        }
        check_id("pool", pool)?;
        let id = match rest {
            [] | ["" | "providers"] | ["providers", ""] => {
                return Err(ProviderError::PoolOnly((*pool).to_owned()));
            }
            ["providers", id] => *id,
            _ => return Err(ProviderError::Form),
        };
        check_id("provider", id)?;
        Ok(Self { project: (*project).to_owned(), pool: (*pool).to_owned(), id: id.to_owned() })
    }

    /// The number of the project that the pool is in.
    pub fn project_number(&self) -> &str {
        &self.project
    }

    /// The ID of the pool.
    pub fn pool(&self) -> &str {
        &self.pool
    }

    /// The ID of the provider in the pool.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The `audience` parameter of a token exchange.
    pub fn audience(&self) -> String {
        format!("{HOST}{self}")
    }

    /// The `aud` that the provider accepts if it has no list of allowed audiences.
    pub fn token_audience(&self) -> String {
        format!("https:{HOST}{self}")
    }

    /// The principal identifier of this subject in IAM policies.
    pub fn principal(&self, subject: &str) -> String {
        format!(
            "principal:{HOST}projects/{}/locations/global/workloadIdentityPools/{}/subject/{subject}",
            self.project, self.pool
        )
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { project, pool, id } = self;
        write!(f, "projects/{project}/locations/global/workloadIdentityPools/{pool}/providers/{id}")
    }
}

fn check_id(what: &'static str, id: &str) -> Result<(), ProviderError> {
    if has_form_of_id(id) { Ok(()) } else { Err(ProviderError::Id { what, id: id.to_owned() }) }
}

/// Whether the text can be the id of a pool or provider: 4 to 32 of a-z, 0-9 and dashes.
pub(crate) fn has_form_of_id(text: &str) -> bool {
    (4..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAME: &str = "projects/123/locations/global/workloadIdentityPools/pool-1/providers/gitpod";

    #[test]
    fn all_spellings_name_the_same_provider() {
        let spellings = ["", "//iam.googleapis.com/", "https://iam.googleapis.com/"];
        for prefix in spellings {
            let provider = Provider::parse(&format!("{prefix}{NAME}")).unwrap();
            assert_eq!(provider.to_string(), NAME);
            assert_eq!(provider.audience(), format!("//iam.googleapis.com/{NAME}"));
            assert_eq!(provider.token_audience(), format!("https://iam.googleapis.com/{NAME}"));
        }
        assert_eq!(
            Provider::parse(NAME).unwrap().principal("me"),
            "principal://iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/pool-1/subject/me"
        );
    }

    #[test]
    fn common_mistakes_are_recognised() {
        use ProviderError as E;
        let cases = [
            (NAME.replace("123", "my-project"), E::ProjectId("my-project".into())),
            (NAME.replace("/providers/gitpod", ""), E::PoolOnly("pool-1".into())),
            (NAME.replace("/gitpod", ""), E::PoolOnly("pool-1".into())),
            (NAME.replace("/gitpod", "/"), E::PoolOnly("pool-1".into())),
            (NAME.replace("global", "europe-west1"), E::Location("europe-west1".into())),
            (format!("https://sts.googleapis.com/{NAME}"), E::Host("sts.googleapis.com".into())),
            (format!("http://iam.googleapis.com/{NAME}"), E::Form),
            (NAME.replace("pool-1", "P"), E::Id { what: "pool", id: "P".into() }),
            (NAME.replace("gitpod", "Gitpod"), E::Id { what: "provider", id: "Gitpod".into() }),
            ("locations/global/workforcePools/people/providers/okta".into(), E::Workforce),
            (Provider::parse(NAME).unwrap().principal("me"), E::Principal),
            (format!("{NAME}/"), E::Form),
            ("gitpod".into(), E::Form),
            (String::new(), E::Form),
        ];
        for (text, expected) in cases {
            assert_eq!(Provider::parse(&text), Err(expected.clone()), "{text}");
            assert!(expected.hint().contains(FORM), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_names_round_trip(text in "[a-z0-9/:.-]{0,40}", number in any::<u64>(), pool in "[a-z0-9-]{4,32}") {
            let _ = Provider::parse(&text);
            let name = format!("projects/{number}/locations/global/workloadIdentityPools/{pool}/providers/{pool}");
            prop_assert_eq!(Provider::parse(&name).unwrap().to_string(), name);
        }
    }
}
