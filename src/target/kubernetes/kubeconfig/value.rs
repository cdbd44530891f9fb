//! Values to write, in YAML's block form (lines) or its flow form (brackets), which is also JSON.

use super::tree::{Kind, Node, Step};
use crate::json::quote;

/// A value to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Bool(bool),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

impl Value {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub(super) fn map<'a>(members: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        Self::Map(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// Wraps this value in mappings and lists, so that it is at the end of `path`.
    pub(super) fn nested(self, path: &[Step<'_>]) -> Self {
        path.iter().rev().fold(self, |value, step| match step {
            Step::Key(key) => Self::map([(*key, value)]),
            Step::Named(name) => Self::List(vec![value.named(name)]),
        })
    }

    /// A list entry with this `name` and the members of this mapping.
    pub(super) fn named(self, name: &str) -> Self {
        let mut members = vec![("name".to_owned(), Self::text(name))];
        if let Self::Map(own) = self {
            members.extend(own);
        }
        Self::Map(members)
    }

    pub(super) fn is_collection(&self) -> bool {
        matches!(self, Self::List(_) | Self::Map(_))
    }

    /// On one line, as JSON, which is also YAML.
    pub(super) fn flow(&self) -> String {
        match self {
            Self::Text(text) => quote(text),
            Self::Bool(flag) => flag.to_string(),
            Self::List(items) => {
                format!("[{}]", items.iter().map(Self::flow).collect::<Vec<_>>().join(", "))
            }
            Self::Map(members) => {
                let member = |(key, value): &(String, Self)| format!("{}: {}", quote(key), value.flow());
                format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// A scalar in block form.
    pub(super) fn scalar(&self) -> String {
        match self {
            Self::Text(text) if is_plain_text(text) => text.clone(),
            other => other.flow(),
        }
    }

    /// The lines of a collection, each indented by at least `indent` spaces; a list's items are at
    /// `indent`.
    pub(super) fn lines(&self, indent: usize) -> Vec<String> {
        let pad = " ".repeat(indent);
        match self {
            Self::List(items) if !items.is_empty() => items
                .iter()
                .flat_map(|item| {
                    let mut lines = item.lines(indent + 2);
                    if let Some(first) = lines.first_mut() {
                        *first = format!("{pad}- {}", first.trim_start());
                    }
                    lines
                })
                .collect(),
            Self::Map(members) if !members.is_empty() => {
                members.iter().flat_map(|(key, value)| member_lines(key, value, indent)).collect()
            }
            other => vec![format!("{pad}{}", other.scalar())],
        }
    }

    /// Whether `node` has this value.
    pub(super) fn matches(&self, node: &Node) -> bool {
        match (self, &node.kind) {
            (Self::Text(text), Kind::Scalar { text: found, plain: false }) => text == found,
            (Self::Bool(flag), Kind::Scalar { text, plain: true }) => *text == flag.to_string(),
            (Self::List(values), Kind::Sequence { items, .. }) => {
                values.len() == items.len()
                    && values.iter().zip(items).all(|(value, item)| value.matches(item))
            }
            (Self::Map(values), Kind::Mapping { members, .. }) => {
                values.len() == members.len()
                    && node.merged().is_empty()
                    && values
                        .iter()
                        .zip(members)
                        .all(|((key, value), (name, node))| name.as_str() == Some(key) && value.matches(node))
            }
            _ => false,
        }
    }
}

/// `key: value` at `indent`, a collection on the lines below. The items of a list have the
/// indentation of the key, as `kubectl` writes them.
pub(super) fn member_lines(key: &str, value: &Value, indent: usize) -> Vec<String> {
    let key = format!("{}{}:", " ".repeat(indent), Value::text(key).scalar());
    match value {
        Value::List(items) if !items.is_empty() => [vec![key], value.lines(indent)].concat(),
        Value::Map(members) if !members.is_empty() => [vec![key], value.lines(indent + 2)].concat(),
        scalar => vec![format!("{key} {}", scalar.scalar())],
    }
}

/// Whether every YAML reader takes the text without quotes for a string. Readers of YAML 1.1 take
/// `yes` for true and `12:30` for a number.
pub(super) fn is_plain_text(text: &str) -> bool {
    const WORDS: [&str; 10] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan"];
    let body = text.strip_prefix("--").unwrap_or(text);
    let starts_well = body.starts_with(|c: char| c.is_ascii_alphabetic())
        || (body.len() == text.len() && text.starts_with('/'));
    starts_well
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./@+:=".contains(&b))
        && !text.ends_with(':')
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}
