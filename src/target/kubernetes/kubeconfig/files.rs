//! Finds the kubeconfig files, and the file that a change goes into (`kubectl config --help`,
//! "loading order").

use std::fs;
use std::path::{Path, PathBuf};

use super::edit::Document;
use super::kubectl;
use super::tree::{Node, Step};
use super::{KubeconfigError, StoreError};
use crate::context::Context;
use crate::error::{Failure, UsageError};
use crate::files::{self, MAX_FILE};

/// The files that together form the kubeconfig. If several files have the same entry, the first one
/// takes precedence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Files(pub(super) Vec<PathBuf>);

/// A file as it was read; a missing file is empty.
pub(super) struct Loaded {
    pub(super) path: PathBuf,
    pub(super) exists: bool,
    /// Whether it is not a regular file: some users set `/dev/null` for an empty kubeconfig.
    pub(super) special: bool,
    pub(super) before: String,
    pub(super) document: Document,
}

impl Files {
    /// The file of `--kubeconfig`, else those of `KUBECONFIG`, else `~/.kube/config`.
    ///
    /// # Errors
    /// `KUBECONFIG` names no file, or contains unexpanded shell syntax; `HOME` is needed but not
    /// set.
    pub(crate) fn find(flag: Option<&Path>, ctx: &Context) -> Result<Self, Failure> {
        if let Some(path) = flag {
            return Ok(Self(vec![path.to_owned()]));
        }
        let Some(listed) = ctx.var_os("KUBECONFIG") else {
            return Ok(Self(vec![ctx.home()?.join(".kube/config")]));
        };
        let mut paths: Vec<PathBuf> = Vec::new();
        for path in std::env::split_paths(listed).filter(|path| !path.as_os_str().is_empty()) {
            if let (Some(syntax), false) = (unexpanded_shell_syntax(&path), path.exists()) {
                return Err(UsageError::new(
                    format!("`KUBECONFIG` names {}, in which no shell has replaced {syntax}", path.display()),
                    "write it without quotes, with `:` between files: `export KUBECONFIG=~/.kube/config:~/.kube/other`",
                )
                .into());
            }
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        if paths.is_empty() {
            return Err(UsageError::new(
                "`KUBECONFIG` names no file",
                "to use `~/.kube/config`, run `unset KUBECONFIG`\n\
                 if you use other files, write it like `~/.kube/config:~/.kube/other`",
            )
            .into());
        }
        Ok(Self(paths))
    }

    pub(crate) fn are_several(&self) -> bool {
        self.0.len() > 1
    }

    /// Whether `path` is one of the files.
    pub(crate) fn contains(&self, path: &Path) -> bool {
        let whole = |path: &Path| std::path::absolute(path).ok();
        self.0.iter().any(|own| whole(own) == whole(path))
    }

    /// The absolute paths, in the form of `KUBECONFIG`.
    pub(crate) fn search_path(&self) -> String {
        let whole = self.0.iter().map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone()));
        whole.map(|path| path.display().to_string()).collect::<Vec<_>>().join(":")
    }

    /// The paths, for a message.
    pub(crate) fn listed(&self) -> String {
        self.0.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn load(&self) -> Result<Vec<Loaded>, StoreError> {
        self.0.iter().map(|path| Loaded::read(path)).collect()
    }

    /// The index of the file for new entries: the first existing file, else the last file.
    pub(super) fn index_for_new_entries(loaded: &[Loaded]) -> usize {
        loaded.iter().position(|file| file.exists).unwrap_or(loaded.len().saturating_sub(1))
    }

    /// The index of the first file with this entry.
    pub(super) fn holder(loaded: &[Loaded], list: &str, name: &str) -> Option<usize> {
        loaded.iter().position(|file| file.document.at(&[Step::Key(list), Step::Named(name)]).is_some())
    }

    /// All paths, for a message. It marks missing files.
    pub(super) fn described(loaded: &[Loaded]) -> String {
        let describe = |file: &Loaded| {
            let path = file.path.display();
            if file.exists { path.to_string() } else { format!("{path} (which does not exist)") }
        };
        loaded.iter().map(describe).collect::<Vec<_>>().join(", ")
    }

    /// The names in a list, from all files.
    pub(super) fn names(loaded: &[Loaded], list: &str) -> Vec<String> {
        let lists = loaded.iter().filter_map(|file| file.document.at(&[Step::Key(list)]));
        let names = lists.flat_map(Node::items).filter_map(|item| item.step(Step::Key("name"))?.as_str());
        names.map(str::to_owned).collect()
    }
}

/// The shell syntax in a path that no shell has expanded.
fn unexpanded_shell_syntax(path: &Path) -> Option<&'static str> {
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
    /// Reads the file. Waits while another program writes it in place.
    fn read(path: &Path) -> Result<Self, StoreError> {
        files::read_when_complete(path, || {
            let file = Self::read_now(path);
            let is_whole = match &file {
                Ok(file) => !file.exists || file.special || file.before.ends_with('\n'),
                // A partly written file may end inside a character.
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

    /// Whether the file on disk has the text of this document.
    pub(super) fn is_on_disk(&self) -> bool {
        files::read_text(&self.path, MAX_FILE).is_ok_and(|text| *text == self.document.text())
    }

    /// Adds the path to an error.
    pub(super) fn with_path<T>(&self, outcome: Result<T, KubeconfigError>) -> Result<T, StoreError> {
        outcome.map_err(|source| StoreError::Content { path: self.path.clone(), source })
    }
}
