//! A read-only view of all kubeconfig files together.

use std::path::{Path, PathBuf};

use super::files::{Files, Loaded};
use super::tree::{Node, Step};
use super::{StoreError, runs_gp};

/// The entries of all files. If several have the same name, the first one takes precedence.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// Whether at least one file exists.
    pub(crate) exists: bool,
    pub(crate) users: Vec<User>,
    /// The names of all users.
    names: Vec<String>,
    pub(crate) clusters: Vec<Cluster>,
    pub(crate) contexts: Vec<ContextEntry>,
    pub(crate) current: Option<String>,
}

/// A user whose tokens come from `gp idp token`.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) name: String,
    /// The program as the file names it.
    pub(crate) command: String,
    pub(crate) args: Vec<String>,
    /// The kubeconfig's folder, against which clients resolve a relative command.
    pub(crate) folder: PathBuf,
}

/// A context: a cluster and a user.
#[derive(Debug)]
pub(crate) struct ContextEntry {
    pub(crate) name: String,
    pub(crate) cluster: String,
    pub(crate) user: String,
}

/// A server and how to trust it.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) server: String,
    /// `certificate-authority`, absolute if the file's path is.
    pub(crate) authority: Option<PathBuf>,
    /// `certificate-authority-data`, in base64.
    pub(crate) authority_data: Option<String>,
    pub(crate) server_name: Option<String>,
    pub(crate) proxy: Option<String>,
    pub(crate) skip_verify: bool,
}

impl Files {
    /// # Errors
    /// A file that cannot be read, or that `kubectl` refuses.
    pub(crate) fn view(&self) -> Result<View, StoreError> {
        let loaded = self.load().map_err(|error| match error {
            StoreError::Content { path, source } => StoreError::Refused { path, source },
            other => other,
        })?;
        let mut view = View::default();
        for file in &loaded {
            view.add(file);
        }
        Ok(view)
    }
}

impl View {
    fn add(&mut self, file: &Loaded) {
        self.exists |= file.exists;
        let folder = file.path.parent().unwrap_or(Path::new("")).to_owned();
        let at = |key| file.document.at(&[Step::Key(key)]);
        let entries = |list, own| {
            let items = at(list).map(Node::items).unwrap_or_default();
            items.iter().filter_map(move |item| Some((text(item, "name")?, item.step(Step::Key(own))?)))
        };
        for (name, user) in entries("users", "user") {
            if self.names.contains(&name) {
                continue;
            }
            self.names.push(name.clone());
            let Some(exec) = user.step(Step::Key("exec")).filter(|exec| runs_gp(exec)) else { continue };
            let args = exec.step(Step::Key("args")).map(Node::items).unwrap_or_default();
            let args = args.iter().filter_map(Node::as_str).map(str::to_owned).collect();
            let command = text(exec, "command").unwrap_or_default();
            self.users.push(User { name, command, args, folder: folder.clone() });
        }
        for (name, cluster) in entries("clusters", "cluster") {
            let of = |key| text(cluster, key).filter(|text| !text.is_empty());
            let flag = of("insecure-skip-tls-verify").unwrap_or_default().to_ascii_lowercase();
            if self.clusters.iter().all(|cluster| cluster.name != name) {
                self.clusters.push(Cluster {
                    name,
                    server: of("server").unwrap_or_default(),
                    authority: of("certificate-authority").map(|path| folder.join(path)),
                    authority_data: of("certificate-authority-data"),
                    server_name: of("tls-server-name"),
                    proxy: of("proxy-url"),
                    skip_verify: matches!(flag.as_str(), "true" | "yes" | "y" | "on"),
                });
            }
        }
        for (name, context) in entries("contexts", "context") {
            let of = |key| text(context, key).unwrap_or_default();
            if self.contexts.iter().all(|context| context.name != name) {
                self.contexts.push(ContextEntry { name, cluster: of("cluster"), user: of("user") });
            }
        }
        let current = at("current-context").and_then(Node::as_str).filter(|name| !name.is_empty());
        self.current = self.current.take().or(current.map(str::to_owned));
    }

    /// The context `name`. Without a name: the current context if its user is in `users`, else the
    /// first context whose user is in `users`, else the current context.
    pub(crate) fn context(&self, name: Option<&str>) -> Option<&ContextEntry> {
        let named = |name: &str| self.contexts.iter().find(|context| context.name == name);
        let ours = |context: &&ContextEntry| self.users.iter().any(|user| user.name == context.user);
        if let Some(name) = name {
            return named(name);
        }
        let current = self.current.as_deref().and_then(named);
        current.filter(ours).or_else(|| self.contexts.iter().find(ours)).or(current)
    }
}

fn text(mapping: &Node, key: &str) -> Option<String> {
    mapping.step(Step::Key(key)).and_then(Node::as_str).map(str::to_owned)
}
