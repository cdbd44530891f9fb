//! The forms of `sub` of CI issuers and Ona. Each form shows where the repository ends. The `sub`
//! of a Gitpod workspace is a URL: only the claim `repository` shows where its repository ends.

/// The kind of workload that a subject identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Workspace,
    /// An environment of Ona.
    Environment,
    /// A job of a CI service.
    Job,
    /// The form of the subject is unknown.
    Other,
}

impl Kind {
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Environment => "environment",
            Self::Job => "job",
            Self::Other => "token",
        }
    }
}

/// The parts of a subject that trust rules use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subject<'a> {
    pub(crate) kind: Kind,
    /// The subject up to the end of the repository, project or pipeline.
    pub(crate) repository: &'a str,
    /// The common beginning of all subjects of the same owner.
    pub(crate) owner: &'a str,
}

/// The names in the beginning of each form. A value follows each name; the last value is the
/// repository.
const FORMS: [(Kind, &[&str]); 6] = [
    // GitLab's documentation, "ID token authentication"
    (Kind::Job, &["project_path:"]),
    // Buildkite's documentation, "OIDC with the agent"
    (Kind::Job, &["organization:", ":pipeline:"]),
    // CircleCI's documentation, "OpenID Connect tokens"
    (Kind::Job, &["org/", "/project/"]),
    // Ona's documentation, "OIDC", version 3 and version 2
    (Kind::Environment, &["organization_id:", ":project_id:"]),
    (Kind::Environment, &["org:", "/prj:"]),
    // GitHub's documentation, "OpenID Connect reference", and Forgejo
    (Kind::Job, &["repo:"]),
];

impl<'a> Subject<'a> {
    /// Reads a subject of one of these issuers.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        FORMS.iter().find_map(|(kind, names)| Self::of_form(text, *kind, names))
    }

    fn of_form(text: &'a str, kind: Kind, names: &[&str]) -> Option<Self> {
        // Where the value of the last name begins.
        let mut at = 0;
        for (index, name) in names.iter().enumerate() {
            let found = text[at..].find(name)?;
            // The first name begins the text, and there is a value between two names.
            if (index == 0) != (found == 0) {
                return None;
            }
            at += found + name.len();
        }
        let separator = separator(text);
        let value = &text[at..];
        // The path of a repository has slashes; only the separator ends it.
        let value = value.split(separator).next().filter(|value| !value.is_empty())?;
        let repository = &text[..at + value.len()];
        let owner = match names {
            // `repo:OWNER/NAME`
            [_] => &repository[..=repository.rfind('/')?],
            // `org:ID/prj:ID`: the separator belongs to the owner.
            [.., last] => &text[..=at - last.len()],
            [] => return None,
        };
        Some(Self { kind, repository, owner })
    }
}

/// The separator between the parts of a subject.
pub(crate) fn separator(subject: &str) -> char {
    if subject.starts_with("org/") || subject.starts_with("org:") { '/' } else { ':' }
}

/// Why a pattern that looks right does not match `found`, if the issuer has two forms of subjects.
pub(crate) fn explain_other_form(
    wanted: &str,
    found: &str,
    matches: impl Fn(&str, &str) -> bool,
) -> Option<String> {
    let plain = |text: &str| without_ids(text).unwrap_or_else(|| text.to_owned());
    if without_ids(wanted).is_some() != without_ids(found).is_some() && matches(&plain(wanted), &plain(found))
    {
        return Some(if without_ids(found).is_some() {
            "the subject has the form with owner and repository IDs (`repo:OWNER@ID/NAME@ID:…`), and a pattern of the older form never matches it. GitHub uses IDs for repositories that were created, renamed or moved after 15 July 2026".into()
        } else {
            "the pattern has the form with owner and repository IDs (`repo:OWNER@ID/NAME@ID:…`), but the subject has the older form without IDs: they never match".into()
        });
    }
    let version = |text: &str| match text {
        text if text.starts_with("org:") => Some(2),
        text if text.starts_with("organization_id:") => Some(3),
        _ => None,
    };
    match (version(wanted), version(found)) {
        (Some(wanted), Some(found)) if wanted != found => Some(format!(
            "the pattern is for version {wanted} of Ona's tokens, and this token is of version {found}: a setting of the organisation chooses the version"
        )),
        _ => None,
    }
}

/// A note about rules that look right for this subject but never match it. Subjects of GitHub have two forms, and the
/// author of a rule may know only one of them.
pub(crate) fn note(subject: &str) -> Option<String> {
    let plain = without_ids(subject)?;
    let repository = Subject::parse(&plain)?.repository;
    Some(format!("with the IDs of owner and repository: a rule for `{repository}:…` never matches it"))
}

/// Converts `repo:OWNER@ID/NAME@ID:…` to `repo:OWNER/NAME:…`; `None` if there are no ids.
fn without_ids(subject: &str) -> Option<String> {
    let rest = subject.strip_prefix("repo:")?;
    let (repository, after) = match rest.split_once(':') {
        Some((repository, after)) => (repository, format!(":{after}")),
        None => (rest, String::new()),
    };
    let (owner, name) = repository.split_once('/')?;
    let bare = |part: &str| {
        let (name, id) = part.split_once('@')?;
        id.bytes().all(|b| b.is_ascii_digit() || b == b'*').then(|| name.to_owned())
    };
    Some(format!("repo:{}/{}{after}", bare(owner)?, bare(name)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repository_and_owner_of_a_subject() {
        let cases = [
            ("repo:o/r:ref:refs/heads/main", Kind::Job, "repo:o/r", "repo:o/"),
            ("repo:o@1/r@2:environment:prod", Kind::Job, "repo:o@1/r@2", "repo:o@1/"),
            ("repo:o/r", Kind::Job, "repo:o/r", "repo:o/"),
            (
                "project_path:g/s/p:ref_type:branch:ref:x",
                Kind::Job,
                "project_path:g/s/p",
                "project_path:g/s/",
            ),
            ("organization:o:pipeline:p:ref:r", Kind::Job, "organization:o:pipeline:p", "organization:o:"),
            ("org/o/project/p/user/u", Kind::Job, "org/o/project/p", "org/o/"),
            ("org:o/prj:p/env:e", Kind::Environment, "org:o/prj:p", "org:o/"),
            (
                "organization_id:o:project_id:p",
                Kind::Environment,
                "organization_id:o:project_id:p",
                "organization_id:o:",
            ),
            (
                "organization_id:o:project_id:p:creator_email:a",
                Kind::Environment,
                "organization_id:o:project_id:p",
                "organization_id:o:",
            ),
        ];
        for (text, kind, repository, owner) in cases {
            assert_eq!(Subject::parse(text), Some(Subject { kind, repository, owner }), "{text}");
        }
        for none in [
            "https://github.com/o/r",
            "repo:",
            "repo:o",
            "org:o/env:e",
            "organization::pipeline:p",
            "x",
            "",
            "organization_id:o",
        ] {
            assert_eq!(Subject::parse(none), None, "{none}");
        }
    }

    #[test]
    fn a_subject_with_ids_is_noted() {
        let said = note("repo:o@1/r@2:ref:refs/heads/main").unwrap();
        assert!(said.contains("a rule for `repo:o/r:…` never matches it"), "{said}");
        for plain in ["repo:o/r:ref:m", "repo:o@x/r@2:ref:m", "https://github.com/o/r", ""] {
            assert_eq!(note(plain), None, "{plain}");
        }
    }

    #[test]
    fn a_pattern_of_the_other_form_is_explained() {
        let same = |wanted: &str, found: &str| wanted == found;
        let said = |wanted, found| explain_other_form(wanted, found, same).unwrap_or_default();
        assert!(
            said("repo:o/r:ref:m", "repo:o@1/r@2:ref:m")
                .contains("the subject has the form with owner and repository IDs")
        );
        assert!(
            said("repo:o@1/r@2:ref:m", "repo:o/r:ref:m")
                .contains("the pattern has the form with owner and repository IDs")
        );
        assert!(said("org:o/prj:p", "organization_id:o:project_id:p").contains("version 2"));
        for (wanted, found) in
            [("repo:o/r:ref:m", "repo:o/r:ref:n"), ("repo:o/q:x", "repo:o@1/r@2:x"), ("a", "b")]
        {
            assert_eq!(said(wanted, found), "", "{wanted}");
        }
    }
}
