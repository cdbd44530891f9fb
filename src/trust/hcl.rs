//! Terraform's language: blocks and expressions, laid out as `terraform fmt` does.
//!
//! HCL native syntax specification, "Quoted Templates": beside the escapes of other languages, `${` and `%{`
//! begin a template and are written `$${` and `%%{`.

use std::fmt::Write as _;

use super::quote::push_escaped;
use super::script::comment;
use crate::json::Json;

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// A string.
    Text(String),
    /// A number, `true`, or a reference such as `vault_jwt_auth_backend.workspace.path`.
    Bare(String),
    /// A string of parts: text, and references to put in.
    Template(Vec<Value>),
    /// `[…]`
    List(Vec<Value>),
    /// `{…}`, keys in quotes.
    Map(Vec<(String, Value)>),
    /// `jsonencode(…)`
    JsonText(Box<Value>),
}

/// What stands in a block.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    /// `name = value`
    Attribute(&'static str, Value),
    /// A block in the block.
    Block(Block),
}

/// `kind "label" "label" { … }`
#[derive(Debug, Clone)]
pub(crate) struct Block {
    kind: &'static str,
    labels: &'static [&'static str],
    items: Vec<Item>,
}

/// A string.
pub(crate) fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

/// A reference or a number.
pub(crate) fn bare(text: impl Into<String>) -> Value {
    Value::Bare(text.into())
}

/// A list of strings.
pub(crate) fn texts(list: &[String]) -> Value {
    Value::List(list.iter().map(text).collect())
}

impl Value {
    /// The same value as JSON has it.
    pub(crate) fn of_json(json: &Json) -> Self {
        match json {
            Json::Array(items) => Self::List(items.iter().map(Self::of_json).collect()),
            Json::Object(members) => {
                Self::Map(members.iter().map(|(name, value)| (name.clone(), Self::of_json(value))).collect())
            }
            Json::Scalar(raw) => json.as_str().map_or_else(|| bare(raw), text),
        }
    }

    fn write(&self, out: &mut String, level: usize) {
        match self {
            Self::Text(value) => {
                out.push('"');
                push_template(out, value);
                out.push('"');
            }
            Self::Bare(value) => out.push_str(value),
            Self::Template(parts) => {
                out.push('"');
                for part in parts {
                    match part {
                        Self::Text(value) => push_template(out, value),
                        Self::Bare(reference) => {
                            // `$${` would be an escape.
                            if out.ends_with('$') {
                                out.pop();
                                out.push_str("\\u0024");
                            }
                            let _ = write!(out, "${{{reference}}}");
                        }
                        _ => {}
                    }
                }
                out.push('"');
            }
            Self::List(items) if items.iter().any(Self::is_long) => {
                out.push_str("[\n");
                for item in items {
                    indent(out, level + 1);
                    item.write(out, level + 1);
                    out.push_str(",\n");
                }
                indent(out, level);
                out.push(']');
            }
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    item.write(out, level);
                }
                out.push(']');
            }
            Self::Map(members) if members.is_empty() => out.push_str("{}"),
            Self::Map(members) => {
                out.push_str("{\n");
                let named: Vec<(String, &Self)> =
                    members.iter().map(|(name, value)| (quoted(name), value)).collect();
                write_attributes(out, &named, level + 1);
                indent(out, level);
                out.push('}');
            }
            Self::JsonText(value) => {
                out.push_str("jsonencode(");
                value.write(out, level);
                out.push(')');
            }
        }
    }

    /// Whether it takes several lines.
    fn is_long(&self) -> bool {
        match self {
            Self::Text(_) | Self::Bare(_) | Self::Template(_) => false,
            Self::List(items) => items.iter().any(Self::is_long),
            Self::Map(members) => !members.is_empty(),
            Self::JsonText(value) => value.is_long(),
        }
    }
}

impl Block {
    /// `resource "kind" "name"`, `data "kind" "name"`.
    pub(crate) fn new(kind: &'static str, labels: &'static [&'static str]) -> Self {
        Self { kind, labels, items: Vec::new() }
    }

    /// With an attribute.
    pub(crate) fn with(mut self, name: &'static str, value: Value) -> Self {
        self.items.push(Item::Attribute(name, value));
        self
    }

    /// With an attribute, if there is a value.
    pub(crate) fn with_some(self, name: &'static str, value: Option<Value>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// With a block inside.
    pub(crate) fn with_block(mut self, block: Self) -> Self {
        self.items.push(Item::Block(block));
        self
    }

    fn write(&self, out: &mut String, level: usize) {
        indent(out, level);
        out.push_str(self.kind);
        for label in self.labels {
            let _ = write!(out, " \"{label}\"");
        }
        out.push_str(" {\n");
        let mut attributes = Vec::new();
        for item in &self.items {
            match item {
                Item::Attribute(name, value) => attributes.push(((*name).to_owned(), value)),
                Item::Block(block) => {
                    write_attributes(out, &std::mem::take(&mut attributes), level + 1);
                    out.push('\n');
                    block.write(out, level + 1);
                }
            }
        }
        write_attributes(out, &attributes, level + 1);
        indent(out, level);
        out.push_str("}\n");
    }
}

/// A file: comments, then blocks, each with a line or more in front that says what it is.
pub(crate) fn file(head: &[String], blocks: &[(&str, Block)]) -> String {
    let mut out: String = head.iter().map(|line| comment(line)).collect();
    for (about, block) in blocks {
        out.push('\n');
        out.push_str(&comment(about));
        block.write(&mut out, 0);
    }
    out
}

/// `name = value` lines. The equals signs of neighbours stand below each other, unless a value takes several
/// lines.
fn write_attributes(out: &mut String, attributes: &[(String, &Value)], level: usize) {
    let mut rest = attributes;
    while !rest.is_empty() {
        let short = rest.iter().take_while(|(_, value)| !value.is_long()).count();
        let (group, after) = rest.split_at(short.max(1));
        let width = group.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (name, value) in group {
            indent(out, level);
            let _ = write!(out, "{name:width$} = ");
            value.write(out, level);
            out.push('\n');
        }
        rest = after;
    }
}

fn indent(out: &mut String, level: usize) {
    out.push_str(&"  ".repeat(level));
}

fn quoted(value: &str) -> String {
    let mut out = String::from("\"");
    push_template(&mut out, value);
    out.push('"');
    out
}

/// The text of a quoted template in which nothing is a template.
fn push_template(out: &mut String, value: &str) {
    let mut characters = value.chars().peekable();
    while let Some(c) = characters.next() {
        if matches!(c, '$' | '%') && characters.peek() == Some(&'{') {
            out.push(c);
        }
        push_escaped(out, c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &Value) -> String {
        let mut out = String::new();
        value.write(&mut out, 0);
        out
    }

    #[test]
    fn strings_are_escaped() {
        let cases = [
            ("plain", r#""plain""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("${x}", r#""$${x}""#),
            ("$${x}", r#""$$${x}""#),
            ("%{if}$", r#""%%{if}$""#),
            ("$$", r#""$$""#),
            ("a\nb\t\u{7f}\u{2028}", r#""a\nb\t\u007f\u2028""#),
            ("ü字🦀", r#""ü字🦀""#),
        ];
        for (value, expected) in cases {
            assert_eq!(written(&text(value)), expected);
        }
        let template = Value::Template(vec![text("${$"), bare("a.b"), text("{")]);
        assert_eq!(written(&template), r#""$${\u0024${a.b}{""#);
    }

    #[test]
    fn neighbours_are_aligned_unless_they_are_long() {
        let block = Block::new("resource", &["a", "b"])
            .with("name", text("x"))
            .with("longer_name", bare("1"))
            .with("list", texts(&["a".into(), "b".into()]))
            .with(
                "policy",
                Value::JsonText(Box::new(Value::of_json(
                    &Json::parse(r#"{"a":[{"b":1,"ccc":"${x}"}],"d":{}}"#).unwrap(),
                ))),
            )
            .with("z", Value::Template(vec![text("x/"), bare("a.b"), text("/{")]))
            .with_block(Block::new("inner", &[]).with("a", bare("true")));
        snapbox::assert_data_eq!(
            file(&["One.".into()], &[("Two.", block)]),
            snapbox::str![[r#"
# One.

# Two.
resource "a" "b" {
  name        = "x"
  longer_name = 1
  list        = ["a", "b"]
  policy = jsonencode({
    "a" = [
      {
        "b"   = 1
        "ccc" = "$${x}"
      },
    ]
    "d" = {}
  })
  z = "x/${a.b}/{"

  inner {
    a = true
  }
}

"#]]
        );
    }
}
