//! Changes to one value of a YAML text that leave every other character as it is.
//!
//! The text itself is spliced: comments, blank lines, order, quoting and indentation of everything that is not
//! replaced stay. Each change is read back, and refused when the new text does not say exactly the old content
//! with that one change: an edit can fail, but not break a file.

use std::ops::Range;

use super::KubeconfigError;
use super::tree::{Kind, Node, Step};
use super::value::{Value, member_lines};

/// A text and what it says.
#[derive(Debug, Clone)]
pub(super) struct Document {
    text: String,
    root: Option<Node>,
}

/// Characters to be put in place of others.
struct Splice {
    range: Range<usize>,
    with: String,
}

impl Document {
    pub(super) fn parse(text: String) -> Result<Self, KubeconfigError> {
        let root = Node::parse(&text)?;
        Ok(Self { text, root })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn at(&self, path: &[Step<'_>]) -> Option<&Node> {
        self.root.as_ref()?.at(path)
    }

    /// Puts `value` at the end of `path`, and makes what is missing on the way. A value that says the same
    /// already is left as it stands.
    pub(super) fn set(&mut self, path: &[Step<'_>], value: &Value) -> Result<(), KubeconfigError> {
        if self.at(path).is_some_and(|node| value.is_said_by(node)) {
            return Ok(());
        }
        let splice = match &self.root {
            None => self.first(path, value),
            Some(root) => self.way_to(root, path, value)?,
        };
        self.apply(&splice, path, Some(value))
    }

    /// Takes the member at the end of `path` away; one that is not there is no error.
    pub(super) fn remove(&mut self, path: &[Step<'_>]) -> Result<(), KubeconfigError> {
        let Some((Step::Key(key), way)) = path.split_last() else { return Ok(()) };
        let Some(mapping) = self.at(way) else { return Ok(()) };
        let members = mapping.members();
        let Some(index) = members.iter().position(|(name, _)| name.as_str() == Some(key)) else {
            return Ok(());
        };
        let (name, value) = &members[index];
        let end = value.end.max(self.after_colon(name)?);
        let starts_line =
            self.text[self.line_start(name.start)..name.start].trim_start_matches(' ').is_empty();
        let range = if mapping.is_flow() && index > 0 {
            members[index - 1].1.end..end
        } else if starts_line && !mapping.is_flow() {
            self.line_start(name.start)..self.next_line(end)
        } else if let Some((next, _)) = members.get(index + 1) {
            name.start..next.start
        } else {
            return Err(self.side_effect(name.start));
        };
        self.apply(&Splice { range, with: String::new() }, path, None)
    }

    /// Replaces characters, unless that would change what the rest says.
    fn apply(
        &mut self,
        splice: &Splice,
        path: &[Step<'_>],
        value: Option<&Value>,
    ) -> Result<(), KubeconfigError> {
        let mut text = self.text.clone();
        text.replace_range(splice.range.clone(), &splice.with);
        let refused = || self.side_effect(splice.range.start);
        let new = Self::parse(text).map_err(|_| refused())?;
        let Some(root) = &new.root else { return Err(refused()) };
        if !is_changed_only_at(self.root.as_ref(), root, path, value) {
            return Err(refused());
        }
        *self = new;
        Ok(())
    }

    /// The first content of a file without any.
    fn first(&self, path: &[Step<'_>], value: &Value) -> Splice {
        let mut with = String::new();
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            with.push_str(self.line_break());
        }
        for line in value.clone().nested(path).lines(0) {
            with.push_str(&line);
            with.push_str(self.line_break());
        }
        Splice { range: self.text.len()..self.text.len(), with }
    }

    /// Goes along `path` as far as there is something, and says what to put there.
    fn way_to(&self, root: &Node, path: &[Step<'_>], value: &Value) -> Result<Splice, KubeconfigError> {
        let mut node = root;
        // The key whose value `node` is, and whether that stands in brackets.
        let mut place: Option<(&Node, bool)> = None;
        for (depth, step) in path.iter().enumerate() {
            let missing = || value.clone().nested(&path[depth + 1..]);
            match (step, &node.kind) {
                (Step::Key(key), Kind::Mapping { flow, members }) => match node.member(key) {
                    Some((name, found)) => (place, node) = (Some((name, *flow)), found),
                    None if members.is_empty() && place.is_some_and(|(_, flow)| !flow) => {
                        return self.replace(place, node, &value.clone().nested(&path[depth..]));
                    }
                    None => return self.add_member(node, key, &missing()),
                },
                (Step::Named(name), Kind::Sequence { items, .. }) => {
                    let mut found = items.iter().filter(|item| item.is_named(name));
                    match (found.next(), found.next()) {
                        (Some(item), None) => (place, node) = (None, item),
                        (Some(_), Some(second)) => {
                            return Err(KubeconfigError::DuplicateName {
                                line: self.line_of(second.start),
                                name: (*name).to_owned(),
                            });
                        }
                        (None, _) if items.is_empty() && place.is_some_and(|(_, flow)| !flow) => {
                            return self.replace(place, node, &value.clone().nested(&path[depth..]));
                        }
                        (None, _) => return self.add_item(node, &missing().named(name)),
                    }
                }
                _ if node.is_null() => {
                    return self.replace(place, node, &value.clone().nested(&path[depth..]));
                }
                _ => {
                    return Err(KubeconfigError::WrongType {
                        line: self.line_of(node.start),
                        wanted: wanted(*step),
                    });
                }
            }
        }
        self.replace(place, node, value)
    }

    /// Another value for a key.
    fn replace(
        &self,
        place: Option<(&Node, bool)>,
        old: &Node,
        new: &Value,
    ) -> Result<Splice, KubeconfigError> {
        let Some((key, flow)) = place else { return Err(self.side_effect(old.start)) };
        let colon = self.after_colon(key)?;
        let end = old.end.max(colon);
        if flow || !new.is_collection() {
            let text = if flow { new.flow() } else { new.scalar() };
            return Ok(Splice { range: colon..end, with: format!(" {text}") });
        }
        let key_line = self.line_end(colon);
        let on_own_lines = old.start > key_line && !matches!(old.kind, Kind::Scalar { .. });
        // What follows on the line of the key is a comment, and stays there.
        let (range, comment) = if on_own_lines {
            (key_line..self.line_end(end), "")
        } else {
            (colon..self.line_end(end), self.text[end..self.line_end(end)].trim_end())
        };
        let indent = self.column(key.start);
        let indent = if matches!(new, Value::Map(_)) { indent + 2 } else { indent };
        Ok(Splice { range, with: comment.to_owned() + &self.below(&new.lines(indent)) })
    }

    fn add_member(&self, mapping: &Node, key: &str, value: &Value) -> Result<Splice, KubeconfigError> {
        if mapping.is_flow() {
            let first = mapping.members().first().map(|(key, _)| key);
            let text = format!("{}: {}", crate::json::quote(key), value.flow());
            let last = mapping.members().last().map(|(key, value)| value.end.max(key.end));
            return Ok(self.add_in_brackets(mapping, first, last, &text));
        }
        let Some((first, _)) = mapping.members().first() else { return Err(self.side_effect(mapping.start)) };
        let mut end = mapping.end;
        if let Some((last, _)) = mapping.members().last() {
            end = end.max(self.after_colon(last)?);
        }
        let at = self.line_end(end);
        Ok(Splice { range: at..at, with: self.below(&member_lines(key, value, self.column(first.start))) })
    }

    fn add_item(&self, list: &Node, item: &Value) -> Result<Splice, KubeconfigError> {
        if list.is_flow() {
            let items = list.items();
            let last = items.last().map(|item| item.end);
            return Ok(self.add_in_brackets(list, items.first(), last, &item.flow()));
        }
        let Some(first) = list.items().first() else { return Err(self.side_effect(list.start)) };
        let before = &self.text[self.line_start(first.start)..first.start];
        let indent = match before.find('-') {
            Some(dash) if before[..dash].trim_start_matches(' ').is_empty() => dash,
            _ => return Err(self.side_effect(first.start)),
        };
        // The last value may be one that is not there, right after its colon.
        let mut end = list.end;
        if let Some((key, _)) = list.items().last().and_then(|item| item.members().last()) {
            end = end.max(self.after_colon(key)?);
        }
        let at = self.line_end(end);
        let lines = Value::List(vec![item.clone()]).lines(indent);
        Ok(Splice { range: at..at, with: self.below(&lines) })
    }

    /// An entry after the last one, on a line of its own where the first one has one.
    fn add_in_brackets(
        &self,
        collection: &Node,
        first: Option<&Node>,
        last: Option<usize>,
        text: &str,
    ) -> Splice {
        let (Some(first), Some(last)) = (first, last) else {
            let at = collection.end - 1;
            return Splice { range: at..at, with: text.to_owned() };
        };
        let before = &self.text[self.line_start(first.start)..first.start];
        let with = if before.trim().is_empty() {
            format!(",{}{before}{text}", self.line_break())
        } else {
            format!(", {text}")
        };
        Splice { range: last..last, with }
    }

    /// The position behind the colon of a key.
    fn after_colon(&self, key: &Node) -> Result<usize, KubeconfigError> {
        let rest = &self.text[key.end..];
        let blank = rest.len() - rest.trim_start().len();
        if rest[blank..].starts_with(':') {
            Ok(key.end + blank + 1)
        } else {
            Err(self.side_effect(key.start))
        }
    }

    fn below(&self, lines: &[String]) -> String {
        lines.iter().map(|line| format!("{}{line}", self.line_break())).collect()
    }

    fn line_break(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |found| found + 1)
    }

    /// The end of the line, its line break left out.
    fn line_end(&self, at: usize) -> usize {
        let line = self.text[at..].split('\n').next().unwrap_or_default();
        at + line.trim_end_matches('\r').len()
    }

    fn next_line(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |found| at + found + 1)
    }

    fn column(&self, at: usize) -> usize {
        self.text[self.line_start(at)..at].chars().count()
    }

    fn line_of(&self, at: usize) -> usize {
        self.text[..at].matches('\n').count() + 1
    }

    fn side_effect(&self, at: usize) -> KubeconfigError {
        KubeconfigError::SideEffect { line: self.line_of(at) }
    }
}

fn wanted(step: Step<'_>) -> &'static str {
    match step {
        Step::Key(_) => "a mapping",
        Step::Named(_) => "a list",
    }
}

/// Whether `new` says what `old` says, but for what stands at `path`: `value` there, or nothing.
fn is_changed_only_at(old: Option<&Node>, new: &Node, path: &[Step<'_>], value: Option<&Value>) -> bool {
    let Some((step, rest)) = path.split_first() else {
        return value.is_some_and(|value| value.is_said_by(new));
    };
    let Some(old) = old.filter(|old| !old.is_null()) else {
        return value.is_some_and(|value| value.clone().nested(path).is_said_by(new));
    };
    if !old.has_the_properties_of(new) {
        return false;
    }
    match (step, &old.kind, &new.kind) {
        (Step::Key(key), Kind::Mapping { members: before, .. }, Kind::Mapping { members: after, .. }) => {
            let ours = |(name, _): &&(Node, Node)| name.as_str() == Some(*key);
            let others = |members: &'_ [(Node, Node)]| -> Vec<(Node, Node)> {
                members.iter().filter(|member| !ours(member)).cloned().collect()
            };
            let (before, after) = (others(before), others(after));
            let same = before.len() == after.len()
                && before
                    .iter()
                    .zip(&after)
                    .all(|(a, b)| a.0.says_the_same_as(&b.0) && a.1.says_the_same_as(&b.1));
            let old = old.step(*step);
            match new.step(*step) {
                Some(new) => same && is_changed_only_at(old, new, rest, value),
                None => same && value.is_none() && rest.is_empty(),
            }
        }
        (Step::Named(name), Kind::Sequence { items: before, .. }, Kind::Sequence { items: after, .. }) => {
            let same = before.iter().zip(after).all(|(a, b)| {
                if a.is_named(name) {
                    b.is_named(name) && is_changed_only_at(Some(a), b, rest, value)
                } else {
                    a.says_the_same_as(b)
                }
            });
            let added = &after[before.len().min(after.len())..];
            let wanted = value.map(|value| value.clone().nested(rest).named(name));
            same && before.len() <= after.len()
                && match added {
                    [] => old.step(*step).is_some(),
                    [item] => wanted.is_some_and(|wanted| wanted.is_said_by(item)),
                    _ => false,
                }
        }
        _ => false,
    }
}
