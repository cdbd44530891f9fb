//! The reasons for which `kubectl` refuses a whole file: a value of the wrong type, a duplicate
//! name, or another kind of file.
//!
//! Observed with `kubectl` 1.32: it reads YAML 1.1 into the types of Go's `clientcmd`, which
//! accept no number as a string.

use super::edit::Document;
use super::lines;
use super::tree::{Kind, Node, Step};
use super::{KubeconfigError, TEXT_CREDENTIALS};

/// For each list: its name, the member that an entry has beside `name`, and the fields of that member that are strings.
const LISTS: [(&str, &str, &[&str]); 3] = [
    (
        "clusters",
        "cluster",
        &["server", "tls-server-name", "certificate-authority", "certificate-authority-data", "proxy-url"],
    ),
    ("contexts", "context", &["cluster", "user", "namespace"]),
    ("users", "user", &TEXT_CREDENTIALS),
];

/// # Errors
/// The first thing that `kubectl` would refuse, with its line.
pub(super) fn check(document: &Document) -> Result<(), KubeconfigError> {
    let check = Check(document.text());
    let Some(root) = document.at(&[]).filter(|root| !root.is_null()) else { return Ok(()) };
    check.mapping(root)?;
    for (key, only) in [("kind", "Config"), ("apiVersion", "v1")] {
        if let Some(node) = check.string(root, key)?
            && node.as_str() != Some(only)
        {
            return Err(KubeconfigError::OtherKind { line: check.line(node), key, only });
        }
    }
    check.string(root, "current-context")?;
    for (list, member, strings) in LISTS {
        let Some(list) = value(root, list) else { continue };
        if !matches!(list.kind, Kind::Sequence { .. }) {
            return Err(KubeconfigError::WrongType { line: check.line(list), wanted: "a list" });
        }
        let mut names = Vec::new();
        for item in list.items().iter().filter(|item| !item.is_null()) {
            check.mapping(item)?;
            let name = check.string(item, "name")?;
            let text = name.and_then(Node::as_str).unwrap_or_default();
            if names.contains(&text) {
                let (line, name) = (check.line(name.unwrap_or(item)), text.to_owned());
                return Err(KubeconfigError::DuplicateName { line, name });
            }
            names.push(text);
            let Some(own) = value(item, member) else { continue };
            check.mapping(own)?;
            for key in strings {
                check.string(own, key)?;
            }
            if let Some(exec) = value(own, "exec") {
                check.mapping(exec)?;
                for key in ["apiVersion", "command", "installHint", "interactiveMode"] {
                    check.string(exec, key)?;
                }
            }
        }
    }
    Ok(())
}

/// The member `key`, if it exists and is not null.
fn value<'a>(mapping: &'a Node, key: &str) -> Option<&'a Node> {
    mapping.step(Step::Key(key)).filter(|node| !node.is_null())
}

struct Check<'a>(&'a str);

impl Check<'_> {
    fn line(&self, node: &Node) -> usize {
        lines::number(self.0, node.start)
    }

    fn mapping(&self, node: &Node) -> Result<(), KubeconfigError> {
        match node.kind {
            Kind::Mapping { .. } => Ok(()),
            _ => Err(KubeconfigError::WrongType { line: self.line(node), wanted: "a mapping" }),
        }
    }

    fn string<'a>(&self, mapping: &'a Node, key: &'static str) -> Result<Option<&'a Node>, KubeconfigError> {
        let Some(node) = value(mapping, key) else { return Ok(None) };
        match &node.kind {
            Kind::Scalar { text, plain } if !plain || node.has_tag() || !is_number_or_boolean(text) => {
                Ok(Some(node))
            }
            Kind::Scalar { .. } => Err(KubeconfigError::NotText { line: self.line(node), key }),
            _ => Err(KubeconfigError::WrongType { line: self.line(node), wanted: "text" }),
        }
    }
}

/// Whether Go's reader of YAML 1.1 takes the text without quotes for a number or a boolean.
fn is_number_or_boolean(text: &str) -> bool {
    const BOOLEANS: [&str; 22] = [
        "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE", "n", "N", "no", "No", "NO",
        "off", "Off", "OFF", "false", "False", "FALSE",
    ];
    const SPECIAL: [&str; 6] = [".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"];
    let digits = text.replace('_', "");
    let body = digits.strip_prefix(['+', '-']).unwrap_or(&digits);
    let of_base = |prefix: &str, base: u32| {
        body.strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_digit(base)))
    };
    let is_float = body.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && body.bytes().all(|b| b.is_ascii_digit() || b"eE.+-".contains(&b))
        && body.parse::<f64>().is_ok();
    BOOLEANS.contains(&text)
        || SPECIAL.contains(&body)
        || is_float
        || of_base("0x", 16)
        || of_base("0o", 8)
        || of_base("0b", 2)
}
