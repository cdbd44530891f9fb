//! Generated kubeconfigs in the styles that people use. The test makes each edit in each file, and
//! another reader of YAML must see no other difference.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_yaml_ng::Value as Yaml;

use super::edit::Document;
use super::files::Loaded;
use super::{ExecUser, KubeconfigChange, UserContext};

/// The number of files. Use `KUBECONFIGS=20000` before you merge a change of the editor.
fn number() -> usize {
    std::env::var("KUBECONFIGS").ok().and_then(|text| text.parse().ok()).unwrap_or(500)
}

/// How a file is written.
#[derive(Debug, Clone)]
struct Style {
    /// The form of the entries of a list.
    items: Items,
    /// What follows the dash of an entry.
    dash: Dash,
    /// Whether each list has an anchor.
    list_anchors: bool,
    /// Whether the mappings in an entry are in brackets.
    flow_values: bool,
    /// Spaces before the dash of an entry.
    indent: usize,
    /// 0 none, 1 single, 2 double.
    quotes: u8,
    comments: bool,
    blank_lines: bool,
    windows: bool,
    final_line_break: bool,
    name_first: bool,
    explicit_start: bool,
    /// 0 none, 1 an anchor and aliases to it, 2 a merge key.
    sharing: u8,
    order: usize,
}

/// How the entries of a list are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Items {
    Lines,
    Brackets,
    /// The first one, and every second one after it, in brackets.
    Mixed,
}

/// What follows the dash of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dash {
    Entry,
    /// The entry begins on the next line.
    Nothing,
    /// An anchor, and then the entry.
    Anchor,
    /// More than one space.
    Wide,
}

fn styles() -> impl Strategy<Value = (Style, [usize; 3], bool)> {
    let flags = prop::array::uniform8(any::<bool>());
    let items = prop::sample::select(vec![Items::Lines, Items::Brackets, Items::Mixed]);
    let dash = prop::sample::select(vec![Dash::Entry, Dash::Nothing, Dash::Anchor, Dash::Wide]);
    let sizes = prop::array::uniform3(0..4usize);
    (flags, (items, dash), 0..3usize, 0..3u8, 0..3u8, 0..6usize, sizes, any::<bool>()).prop_map(
        |(flags, (items, dash), indent, quotes, sharing, order, sizes, current)| {
            let [
                flow_values,
                list_anchors,
                comments,
                blank_lines,
                windows,
                final_line_break,
                name_first,
                start,
            ] = flags;
            let style = Style {
                items,
                dash,
                list_anchors,
                flow_values,
                indent: indent * 2,
                quotes,
                comments,
                blank_lines,
                windows,
                final_line_break,
                name_first,
                explicit_start: start,
                sharing,
                order,
            };
            (style, sizes, current)
        },
    )
}

impl Style {
    fn text(&self, text: &str) -> String {
        match self.quotes {
            1 => format!("'{text}'"),
            2 => format!("\"{text}\""),
            _ => text.to_owned(),
        }
    }

    fn comment(&self, text: &str) -> String {
        if self.comments { format!("  # {text}: it's \"mine\"") } else { String::new() }
    }

    /// One list with `size` entries of these fields.
    fn list(&self, list: &str, member: &str, size: usize, fields: &[(&str, &str)]) -> String {
        if size == 0 {
            return format!("{list}: []{}\n", self.comment(list));
        }
        let pad = " ".repeat(self.indent);
        let value = |index: usize, text: &str| self.text(&text.replace('N', &index.to_string()));
        let anchor = if self.list_anchors { format!(" &all-{list}") } else { String::new() };
        if self.items == Items::Brackets && self.flow_values {
            let items: Vec<String> = (0..size).map(|index| self.flow_item(index, member, fields)).collect();
            return format!("{list}:{anchor} [{}]{}\n", items.join(", "), self.comment(list));
        }
        let mut out = format!("{list}:{anchor}{}\n", self.comment(list));
        for index in 0..size {
            let in_brackets = self.in_brackets(index);
            let parts = if in_brackets {
                vec![self.flow_item(index, member, fields)]
            } else {
                let name = format!("name: {}{}", value(index, &format!("{list}-N")), self.comment("name"));
                let shared = self.shared(list, index);
                let mut own = vec![format!("{member}:{shared}")];
                let is_alias = shared.contains('*');
                if self.flow_values && !is_alias {
                    own[0] += &format!(" {}", self.flow_map(index, fields));
                }
                for (key, text) in fields.iter().filter(|_| !self.flow_values && !is_alias) {
                    own.push(format!("  {key}: {}{}", value(index, text), self.comment(key)));
                }
                if self.name_first { [vec![name], own].concat() } else { [own, vec![name]].concat() }
            };
            let first = match self.dash {
                Dash::Entry => "-".to_owned(),
                Dash::Nothing => format!("-{}\n{pad} ", self.comment("entry")),
                Dash::Anchor if in_brackets => format!("- &{list}-{index}"),
                Dash::Anchor => format!("- &{list}-{index}\n{pad} "),
                Dash::Wide => "-  ".to_owned(),
            };
            let next = if self.dash == Dash::Wide { "   " } else { " " };
            for (line, text) in parts.iter().enumerate() {
                out += &format!("{pad}{} {text}\n", if line == 0 { &first } else { next });
            }
            if self.blank_lines {
                out += "\n";
            }
        }
        out
    }

    fn in_brackets(&self, index: usize) -> bool {
        match self.items {
            Items::Lines => false,
            Items::Brackets => true,
            Items::Mixed => index.is_multiple_of(2),
        }
    }

    /// The anchor of the first entry's value, or the alias to it in another entry.
    fn shared(&self, list: &str, index: usize) -> String {
        match index {
            _ if self.sharing != 1 => String::new(),
            0 => format!(" &{list}"),
            _ => format!(" *{list}"),
        }
    }

    fn flow_map(&self, index: usize, fields: &[(&str, &str)]) -> String {
        let member = |(key, text): &(&str, &str)| {
            format!("{key}: {}", self.text(&text.replace('N', &index.to_string())))
        };
        format!("{{{}}}", fields.iter().map(member).collect::<Vec<_>>().join(", "))
    }

    fn flow_item(&self, index: usize, member: &str, fields: &[(&str, &str)]) -> String {
        let list = format!("{member}s");
        let shared = self.shared(&list, index);
        let value =
            if shared.contains('*') { String::new() } else { format!(" {}", self.flow_map(index, fields)) };
        format!("{{name: {}, {member}:{shared}{value}}}", self.text(&format!("{list}-{index}")))
    }
}

fn kubeconfig(style: &Style, sizes: [usize; 3], current: bool) -> String {
    let [clusters, contexts, users] = sizes;
    let mut parts = vec![
        style.list("clusters", "cluster", clusters.max(1), &[("server", "https://10.0.0.N:6443")]),
        style.list("contexts", "context", contexts, &[("cluster", "clusters-N"), ("user", "users-N")]),
        style.list("users", "user", users, &[("token", "s3cret-N"), ("username", "me")]),
        format!("apiVersion: v1{}\nkind: Config\n", style.comment("version")),
    ];
    if current {
        parts.push(format!("current-context: {}{}\n", style.text("contexts-0"), style.comment("current")));
    }
    if style.sharing == 2 {
        parts.insert(
            0,
            "x-base: &base {proxy-url: 'http://127.0.0.1:3128'}\nx-merged:\n  <<: *base\n".to_owned(),
        );
    }
    let turn = style.order % parts.len();
    parts.rotate_left(turn);
    if style.sharing == 2 {
        // An anchor must precede its aliases.
        let base = parts.iter().position(|part| part.starts_with("x-base")).unwrap();
        let base = parts.remove(base);
        parts.insert(0, base);
    }
    let mut text = parts.join(if style.blank_lines { "\n" } else { "" });
    if style.explicit_start {
        text = format!("---\n{text}");
    }
    if !style.final_line_break {
        text = text.trim_end().to_owned();
    }
    if style.windows { text.replace('\n', "\r\n") } else { text }
}

fn change(user: &str, context: Option<UserContext>) -> KubeconfigChange {
    KubeconfigChange {
        user: ExecUser {
            name: user.into(),
            api_version: "client.authentication.k8s.io/v1".into(),
            command: "/usr/bin/gp".into(),
            args: ["idp", "token", "--format=kubernetes"].map(Into::into).into(),
        },
        context,
        force: false,
    }
}

fn context(name: &str, cluster: Option<&str>, current: bool) -> UserContext {
    UserContext { name: name.into(), cluster: cluster.map(Into::into), namespace: None, current }
}

/// The content that the edit must not change.
fn without_change(text: &str, change: &KubeconfigChange) -> Yaml {
    let mut yaml: Yaml = serde_yaml_ng::from_str(text).unwrap();
    yaml.apply_merge().unwrap();
    let Yaml::Mapping(root) = &mut yaml else { panic!("{text}") };
    let names =
        [("users", Some(&change.user.name)), ("contexts", change.context.as_ref().map(|own| &own.name))];
    for (list, name) in names {
        let empty = match root.get_mut(list) {
            Some(Yaml::Sequence(items)) => {
                items.retain(|item| item.get("name").and_then(Yaml::as_str) != name.map(String::as_str));
                items.is_empty()
            }
            _ => true,
        };
        if empty {
            root.remove(list);
        }
    }
    if change.context.as_ref().is_some_and(|own| own.current) {
        root.remove("current-context");
    }
    yaml
}

fn has_change(text: &str, change: &KubeconfigChange) -> bool {
    let yaml: Yaml = serde_yaml_ng::from_str(text).unwrap();
    let find = |list: &str, name: &str| {
        let items = yaml.get(list)?.as_sequence()?;
        items.iter().find(|item| item.get("name").and_then(Yaml::as_str) == Some(name)).cloned()
    };
    let command = find("users", &change.user.name)
        .and_then(|user| user.get("user")?.get("exec")?.get("command")?.as_str().map(str::to_owned));
    let user = change.context.as_ref().map(|own| {
        find("contexts", &own.name)
            .and_then(|found| found.get("context")?.get("user")?.as_str().map(str::to_owned))
    });
    command.as_deref() == Some("/usr/bin/gp")
        && user.is_none_or(|user| user.as_deref() == Some(&*change.user.name))
}

#[test]
fn every_edit_of_every_file_is_made_and_changes_nothing_else() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let samples = std::env::var_os("KUBECONFIG_SAMPLES").map(PathBuf::from);
    let mut refused = Vec::new();
    let mut edits = 0;
    for index in 0..number() {
        let (style, sizes, current) = styles().new_tree(&mut runner).unwrap().current();
        let text = kubeconfig(&style, sizes, current);
        let changes = [
            change("ci", None),
            change("ci", Some(context("ci@x", Some("clusters-0"), true))),
            change("ci", Some(context("contexts-0", None, false))),
        ];
        for (which, change) in changes.iter().enumerate() {
            // A missing context cannot get a user. A context that others share must not get one.
            let shares = style.sharing == 1 && sizes[1] > 1;
            if which == 2 && (sizes[1] == 0 || shares) {
                continue;
            }
            edits += 1;
            let document = Document::parse(text.clone()).unwrap_or_else(|error| panic!("{error}\n{text}"));
            super::kubectl::check(&document).unwrap();
            let mut loaded = [Loaded {
                path: "config".into(),
                exists: true,
                special: false,
                before: text.clone(),
                document,
            }];
            if let Err(error) = change.apply(&mut loaded) {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                refused.push(format!("{error}: {cause:?}\n{text}"));
                continue;
            }
            let new = loaded[0].document.text();
            assert_eq!(without_change(&text, change), without_change(new, change), "{text}\n---\n{new}");
            assert!(has_change(new, change), "{text}\n---\n{new}");
            let comments = |text: &str| text.matches("  # ").count();
            assert_eq!(comments(&text), comments(new), "{text}\n---\n{new}");
            super::kubectl::check(&loaded[0].document).unwrap();
            if let Some(folder) = &samples {
                fs::write(folder.join(format!("{index}-{which}")), new).unwrap();
            }
        }
    }
    assert!(refused.len() * 1000 <= edits, "{} of {edits}\n{}", refused.len(), refused[0]);
}
