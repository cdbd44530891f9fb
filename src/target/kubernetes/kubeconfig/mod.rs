//! The kubeconfig as a sink: a user whose tokens come from this program, and a context that uses it.
//!
//! The files are changed as text ([`edit`]), so comments, order and everything unknown stay. `kubectl config`
//! itself rewrites a file from its own structures and loses the comments. A file is replaced as a whole, under
//! two locks: `gp`'s own lock and the lock of `kubectl config`.

mod check;
mod edit;
mod error;
mod files;
#[cfg(test)]
#[allow(clippy::struct_excessive_bools, clippy::format_push_string, reason = "a generator for tests")]
mod generated;
mod kubectl;
mod lines;
mod store;
#[cfg(test)]
mod tests;
mod tree;
mod value;
mod view;

pub(crate) use error::{KubeconfigError, StoreError};
pub(crate) use files::Files;
pub(crate) use view::{Cluster, User, View};

use std::path::PathBuf;

use self::edit::Document;
use self::files::Loaded;
use self::tree::Step::{Key, Named};
use self::value::Value;
use crate::output::sanitise;
use crate::shell::posix_quote;

/// Keys of a user that hold or name credentials, as text. Two more are mappings: `auth-provider` and `exec`.
const TEXT_CREDENTIALS: [&str; 8] = [
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "token",
    "tokenFile",
    "username",
    "password",
];

/// A user whose `exec` command prints tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExecUser {
    pub name: String,
    /// `client.authentication.k8s.io/…`
    pub api_version: String,
    /// The program, as an absolute path.
    pub command: String,
    pub args: Vec<String>,
}

/// The context that connects the user with a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserContext {
    pub name: String,
    /// The cluster; with `None`, the context must already exist.
    pub cluster: Option<String>,
    /// The default namespace of commands.
    pub namespace: Option<String>,
    /// Whether it becomes the `current-context`.
    pub current: bool,
}

/// The change to make in a kubeconfig.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KubeconfigChange {
    pub user: ExecUser,
    /// The context to write, if any.
    pub context: Option<UserContext>,
    /// Whether to remove other credentials of the user.
    pub force: bool,
}

impl KubeconfigChange {
    /// The entry as a separate kubeconfig. The user can list it in `KUBECONFIG` with other files,
    /// or copy it into another file by hand.
    pub(crate) fn stanza(&self) -> String {
        let mut members = vec![("apiVersion", Value::text("v1")), ("kind", Value::text("Config"))];
        if let Some(context) = &self.context {
            let entry = Value::map([("context", context.value(&self.user.name))]).named(&context.name);
            members.push(("contexts", Value::List(vec![entry])));
            if context.current {
                members.push(("current-context", Value::text(&context.name)));
            }
        }
        let user = Value::map([("user", Value::map([("exec", self.user.value())]))]).named(&self.user.name);
        members.push(("users", Value::List(vec![user])));
        Value::map(members).lines(0).iter().map(|line| line.clone() + "\n").collect()
    }

    /// The `kubectl config` command lines that make the same change.
    pub(crate) fn kubectl_lines(&self) -> Vec<String> {
        let user = &self.user;
        let mut words = Vec::new();
        let mut add = |flag: &str, value: &str| words.push(format!("{flag}={}", posix_quote(value)));
        add("--exec-api-version", &user.api_version);
        add("--exec-command", &user.command);
        user.args.iter().for_each(|arg| add("--exec-arg", &csv_field(arg)));
        // Only newer versions of `kubectl` have the flag, and only v1 requires the field.
        if user.api_version.ends_with("/v1") {
            add("--exec-interactive-mode", "Never");
        }
        let mut lines = vec![kubectl_config("set-credentials", &user.name, &words)];
        if let Some(context) = &self.context {
            let mut words = Vec::new();
            let mut add = |flag: &str, value: &str| words.push(format!("{flag}={}", posix_quote(value)));
            context.cluster.iter().for_each(|cluster| add("--cluster", cluster));
            context.namespace.iter().for_each(|namespace| add("--namespace", namespace));
            add("--user", &user.name);
            lines.push(kubectl_config("set-context", &context.name, &words));
            if context.current {
                lines.push(kubectl_config("use-context", &context.name, &[]));
            }
        }
        lines
    }

    /// Applies the change to the files in memory. Returns the path of the file with the user.
    fn apply(&self, loaded: &mut [Loaded]) -> Result<PathBuf, StoreError> {
        let default = Files::index_for_new_entries(loaded);
        let at = Files::holder(loaded, "users", &self.user.name).unwrap_or(default);
        change(&mut loaded[at], |document| self.user.write(document, self.force))?;
        if let Some(context) = &self.context {
            let holder = Files::holder(loaded, "contexts", &context.name);
            let missing = |kind, name: &str, list| StoreError::Missing {
                kind,
                name: name.to_owned(),
                known: Files::names(loaded, list),
                files: Files::described(loaded),
            };
            match &context.cluster {
                Some(cluster) if Files::holder(loaded, "clusters", cluster).is_none() => {
                    return Err(missing("cluster", cluster, "clusters"));
                }
                None if holder.is_none() => return Err(missing("context", &context.name, "contexts")),
                _ => {}
            }
            change(&mut loaded[holder.unwrap_or(default)], |document| {
                context.write(document, &self.user.name)
            })?;
            if context.current {
                change(&mut loaded[default], |document| {
                    document.set(&[Key("current-context")], &Value::text(&context.name))
                })?;
            }
        }
        Ok(loaded[at].path.clone())
    }
}

fn change(
    file: &mut Loaded,
    edit: impl FnOnce(&mut Document) -> Result<(), KubeconfigError>,
) -> Result<(), StoreError> {
    if file.special {
        return Err(StoreError::NotAFile { path: file.path.clone() });
    }
    let mut document = file.document.clone();
    let outcome = if document.at(&[]).is_none_or(tree::Node::is_null) {
        document
            .set(&[Key("apiVersion")], &Value::text("v1"))
            .and_then(|()| document.set(&[Key("kind")], &Value::text("Config")))
    } else {
        Ok(())
    };
    file.with_path(outcome.and_then(|()| edit(&mut document)))?;
    file.document = document;
    Ok(())
}

impl ExecUser {
    fn fields(&self) -> [(&'static str, Value); 5] {
        let args = self.args.iter().map(|arg| Value::text(arg)).collect();
        [
            ("apiVersion", Value::text(&self.api_version)),
            ("args", Value::List(args)),
            ("command", Value::text(&self.command)),
            ("interactiveMode", Value::text("Never")),
            ("provideClusterInfo", Value::Bool(false)),
        ]
    }

    fn value(&self) -> Value {
        Value::map(self.fields())
    }

    fn write(&self, document: &mut Document, force: bool) -> Result<(), KubeconfigError> {
        let user = [Key("users"), Named(&self.name), Key("user")];
        let exec = [user.as_slice(), &[Key("exec")]].concat();
        let ours = document.at(&exec).is_some_and(runs_gp);
        let other_credentials: Vec<&str> = TEXT_CREDENTIALS
            .into_iter()
            .chain(["auth-provider", "exec"])
            .filter(|key| !(ours && *key == "exec"))
            .filter(|key| {
                document.at(&[user.as_slice(), &[Key(key)]].concat()).is_some_and(|node| !node.is_null())
            })
            .collect();
        if let (Some(key), false) = (other_credentials.first(), force) {
            return Err(KubeconfigError::HasCredentials { user: self.name.clone(), key: (*key).to_owned() });
        }
        if ours {
            // Keep what someone added, such as environment variables for the command.
            for (key, value) in self.fields() {
                document.set(&[exec.as_slice(), &[Key(key)]].concat(), &value)?;
            }
        } else {
            document.set(&exec, &self.value())?;
        }
        for key in other_credentials.iter().filter(|key| **key != "exec") {
            document.remove(&[user.as_slice(), &[Key(key)]].concat())?;
        }
        Ok(())
    }
}

/// Whether an `exec` entry calls `gp idp token --format kubernetes`.
fn runs_gp(exec: &tree::Node) -> bool {
    let Some(args) = exec.step(Key("args")) else { return false };
    let args: Vec<&str> = args.items().iter().filter_map(tree::Node::as_str).collect();
    args.starts_with(&["idp", "token"])
        && (args.contains(&"--format=kubernetes")
            || args.windows(2).any(|pair| pair == ["--format", "kubernetes"]))
}

impl UserContext {
    fn value(&self, user: &str) -> Value {
        let optional = [("cluster", &self.cluster), ("namespace", &self.namespace)];
        let members =
            optional.into_iter().filter_map(|(key, value)| Some((key, Value::text(value.as_ref()?))));
        Value::map(members.chain([("user", Value::text(user))]))
    }

    fn write(&self, document: &mut Document, user: &str) -> Result<(), KubeconfigError> {
        let path = [Key("contexts"), Named(&self.name), Key("context")];
        let Value::Map(members) = self.value(user) else { return Ok(()) };
        if document.at(&path).is_none() {
            return document.set(&path, &Value::Map(members));
        }
        members
            .iter()
            .try_for_each(|(key, value)| document.set(&[path.as_slice(), &[Key(key)]].concat(), value))
    }
}

/// `text` with `change` applied, for the fuzz targets.
#[cfg(fuzzing)]
pub(crate) fn edited(text: &str, change: &KubeconfigChange) -> Result<String, StoreError> {
    let path = PathBuf::from("config");
    let document = Document::parse(text.to_owned())
        .map_err(|source| StoreError::Content { path: path.clone(), source })?;
    let mut loaded = [Loaded { path, exists: true, special: false, before: text.to_owned(), document }];
    change.apply(&mut loaded)?;
    let [file] = loaded;
    Ok(file.document.text().to_owned())
}

/// A command line of `kubectl config` for the entry `name`, which may begin with a dash.
fn kubectl_config(command: &str, name: &str, flags: &[String]) -> String {
    let (dashed, flags, name) = (name.starts_with('-'), flags.join(" "), posix_quote(name));
    let words = if dashed { format!("{flags} -- {name}") } else { format!("{name} {flags}") };
    // The line goes into a YAML comment, and YAML has more line breaks than the line feed.
    sanitise(&format!("kubectl config {command} {}", words.trim()))
}

/// `kubectl` reads each value of some flags as a line of CSV.
fn csv_field(text: &str) -> String {
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
