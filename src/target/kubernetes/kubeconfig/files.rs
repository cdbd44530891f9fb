//! Which files there are, and which of them a change belongs into (`kubectl config --help`, "loading order").

use std::fs;
use std::path::{Path, PathBuf};

use super::edit::Document;
use super::kubectl;
use super::tree::{Node, Step};
use super::{KubeconfigError, StoreError};
use crate::context::Context;
use crate::error::{Failure, UsageError};
use crate::files::{self, MAX_FILE};

/// The files that together are the kubeconfig, the first one that has an entry counting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Files(pub(super) Vec<PathBuf>);

/// One of them as it was read; one that is not there is empty.
pub(super) struct Loaded {
    pub(super) path: PathBuf,
    pub(super) exists: bool,
    /// Whether it is something else than a file: `/dev/null` is a way to say that there is no kubeconfig.
    pub(super) special: bool,
    pub(super) before: String,
    pub(super) document: Document,
}

impl Files {
    /// The file of `--kubeconfig`, else those of `KUBECONFIG`, else `~/.kube/config`.
    ///
    /// # Errors
    /// `KUBECONFIG` names nothing; no `HOME` where it takes one.
    pub(crate) fn find(flag: Option<&Path>, ctx: &Context) -> Result<Self, Failure> {
        if let Some(path) = flag {
            return Ok(Self(vec![path.to_owned()]));
        }
        let usage =
            |message: &str, hint: &str| UsageError { message: message.into(), hint: Some(hint.into()) };
        let Some(listed) = ctx.var_os("KUBECONFIG") else {
            return Ok(Self(vec![ctx.home()?.join(".kube/config")]));
        };
        let mut paths: Vec<PathBuf> = Vec::new();
        for path in std::env::split_paths(listed).filter(|path| !path.as_os_str().is_empty()) {
            if let (Some(odd), false) = (left_by_a_shell(&path), path.exists()) {
                return Err(usage(
                    &format!("`KUBECONFIG` names {}, where {odd} stands for itself", path.display()),
                    "write it without quotes, several files with `:` between them: `export KUBECONFIG=~/.kube/config:~/.kube/other`",
                )
                .into());
            }
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        if paths.is_empty() {
            return Err(usage(
                "`KUBECONFIG` names no file",
                "write it like `~/.kube/config:~/.kube/other`, or unset it",
            )
            .into());
        }
        Ok(Self(paths))
    }

    pub(crate) fn are_several(&self) -> bool {
        self.0.len() > 1
    }

    /// Whether this is one of them.
    pub(crate) fn has(&self, path: &Path) -> bool {
        let whole = |path: &Path| std::path::absolute(path).ok();
        self.0.iter().any(|own| whole(own) == whole(path))
    }

    /// Their whole paths, as `KUBECONFIG` lists them.
    pub(crate) fn search_path(&self) -> String {
        let whole = self.0.iter().map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone()));
        whole.map(|path| path.display().to_string()).collect::<Vec<_>>().join(":")
    }

    /// Their paths, for a message.
    pub(crate) fn listed(&self) -> String {
        self.0.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    }

    /// Reads all of them.
    pub(super) fn load(&self) -> Result<Vec<Loaded>, StoreError> {
        self.0.iter().map(|path| Loaded::read(path)).collect()
    }

    /// The one that new entries go to: the first that is there, else the last.
    pub(super) fn default_of(loaded: &[Loaded]) -> usize {
        loaded.iter().position(|file| file.exists).unwrap_or(loaded.len().saturating_sub(1))
    }

    /// The first that has this entry.
    pub(super) fn holder(loaded: &[Loaded], list: &str, name: &str) -> Option<usize> {
        loaded.iter().position(|file| file.document.at(&[Step::Key(list), Step::Named(name)]).is_some())
    }

    /// All files, for a message.
    pub(super) fn described(loaded: &[Loaded]) -> String {
        let describe = |file: &Loaded| {
            let path = file.path.display();
            if file.exists { path.to_string() } else { format!("{path} (which is not there)") }
        };
        loaded.iter().map(describe).collect::<Vec<_>>().join(", ")
    }

    /// The names in a list, of all files.
    pub(super) fn names(loaded: &[Loaded], list: &str) -> Vec<String> {
        let lists = loaded.iter().filter_map(|file| file.document.at(&[Step::Key(list)]));
        let names = lists.flat_map(Node::items).filter_map(|item| item.step(Step::Key("name"))?.as_str());
        names.map(str::to_owned).collect()
    }
}

/// What a shell would have replaced in a path that was written for it.
fn left_by_a_shell(path: &Path) -> Option<&'static str> {
    let text = path.to_string_lossy();
    match text {
        _ if text.starts_with('~') => Some("`~`"),
        _ if text.contains('$') => Some("`$`"),
        _ if text.contains(['\'', '"']) => Some("a quote"),
        _ if text.contains(';') => Some("`;`"),
        _ => None,
    }
}

impl Loaded {
    /// A program that writes it in place is waited for.
    fn read(path: &Path) -> Result<Self, StoreError> {
        files::settled(path, || {
            let file = Self::read_now(path);
            let is_whole = match &file {
                Ok(file) => !file.exists || file.special || file.before.ends_with('\n'),
                // A character may be cut in two.
                Err(error) => !matches!(error, StoreError::Content { .. } | StoreError::Read(_)),
            };
            (file, is_whole)
        })
    }

    fn read_now(path: &Path) -> Result<Self, StoreError> {
        let special = fs::metadata(path).is_ok_and(|found| !found.is_file());
        let (exists, before) = match files::read_text(path, MAX_FILE) {
            Ok(text) => (true, text.to_string()),
            Err(error) if error.is_missing() => (false, String::new()),
            Err(error) => return Err(error.into()),
        };
        let refused = |source: KubeconfigError| StoreError::Content { path: path.to_owned(), source };
        let document = Document::parse(before.clone()).map_err(refused)?;
        kubectl::check(&document).map_err(refused)?;
        Ok(Self { path: path.to_owned(), exists, special, before, document })
    }

    pub(super) fn is_changed(&self) -> bool {
        self.before != self.document.text()
    }

    /// Whether the file says what this one does.
    pub(super) fn is_on_disk(&self) -> bool {
        files::read_text(&self.path, MAX_FILE).is_ok_and(|text| *text == self.document.text())
    }

    /// Puts the path to what is wrong.
    pub(super) fn named<T>(&self, outcome: Result<T, KubeconfigError>) -> Result<T, StoreError> {
        outcome.map_err(|source| StoreError::Content { path: self.path.clone(), source })
    }
}
