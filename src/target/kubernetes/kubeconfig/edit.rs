//! Changes to one value of a YAML text that leave every other character unchanged.
//!
//! The text itself is spliced: comments, blank lines, order, quoting and indentation of everything
//! that is not replaced stay. Each new text is parsed, and refused if it differs from the old
//! content in more than that one change. So an edit can fail, but cannot break a file.

use std::ops::Range;

use super::check::is_changed_only_at;
use super::tree::{Kind, Node, Step};
use super::value::{Value, member_lines};
use super::{KubeconfigError, lines};

/// A YAML text and its parsed content.
#[derive(Debug, Clone)]
pub(super) struct Document {
    text: String,
    root: Option<Node>,
}

/// A replacement for a range of bytes.
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

    /// Sets the value at `path`, and creates its missing parents. If the value is already there,
    /// the text stays unchanged.
    pub(super) fn set(&mut self, path: &[Step<'_>], value: &Value) -> Result<(), KubeconfigError> {
        if self.at(path).is_some_and(|node| value.matches(node)) {
            return Ok(());
        }
        self.refuse_shared(path)?;
        let splice = match &self.root {
            None => self.first_content(path, value),
            Some(root) => self.splice_for(root, path, value)?,
        };
        self.apply(&splice, path, Some(value))
    }

    /// Removes the member at `path`. A missing member is no error.
    pub(super) fn remove(&mut self, path: &[Step<'_>]) -> Result<(), KubeconfigError> {
        let Some((Step::Key(key), way)) = path.split_last() else { return Ok(()) };
        let Some(mapping) = self.at(way) else { return Ok(()) };
        self.refuse_shared(path)?;
        let members = mapping.members();
        let Some(index) = members.iter().position(|(name, _)| name.as_str() == Some(key)) else {
            return Ok(());
        };
        let (name, value) = &members[index];
        let end = value.end.max(self.after_colon(name)?);
        let starts_line =
            self.text[lines::start(&self.text, name.start)..name.start].trim_start_matches(' ').is_empty();
        let range = if mapping.is_flow() && index > 0 {
            members[index - 1].1.end..end
        } else if starts_line && !mapping.is_flow() {
            lines::start(&self.text, name.start)..lines::next(&self.text, end)
        } else if let Some((next, _)) = members.get(index + 1) {
            name.start..next.start
        } else {
            return Err(self.side_effect(name.start));
        };
        self.apply(&Splice { range, with: String::new() }, path, None)
    }

    /// Refuses a path that leads through an alias or a merge key: its content is elsewhere in the text, and other
    /// entries may use it too.
    fn refuse_shared(&self, path: &[Step<'_>]) -> Result<(), KubeconfigError> {
        let mut node = self.root.as_ref();
        for step in path {
            let Some(found) = node else { break };
            if found.is_alias || matches!(step, Step::Key(key) if found.is_merged(key)) {
                return Err(KubeconfigError::Shared { line: lines::number(&self.text, found.start) });
            }
            node = found.step(*step);
        }
        Ok(())
    }

    /// Applies a splice. Refuses a splice that changes more than the value at `path`.
    fn apply(
        &mut self,
        splice: &Splice,
        path: &[Step<'_>],
        value: Option<&Value>,
    ) -> Result<(), KubeconfigError> {
        let mut text = self.text.clone();
        text.replace_range(splice.range.clone(), &splice.with);
        let refused = || self.side_effect(splice.range.start);
        if splice.range.end == self.text.len() && lines::ends_in_open_block(&self.text) {
            return Err(refused());
        }
        let new = Self::parse(text).map_err(|_| refused())?;
        let Some(root) = &new.root else { return Err(refused()) };
        if !is_changed_only_at(self.root.as_ref(), root, path, value) {
            return Err(refused());
        }
        *self = new;
        Ok(())
    }

    /// A splice that adds the first content to an empty file.
    fn first_content(&self, path: &[Step<'_>], value: &Value) -> Splice {
        let mut with = String::new();
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            with.push_str(lines::ending(&self.text));
        }
        for line in value.clone().nested(path).lines(0) {
            with.push_str(&line);
            with.push_str(lines::ending(&self.text));
        }
        Splice { range: self.text.len()..self.text.len(), with }
    }

    /// Follows `path` as far as it exists, and returns the splice that puts `value` at its end.
    fn splice_for(&self, root: &Node, path: &[Step<'_>], value: &Value) -> Result<Splice, KubeconfigError> {
        let mut node = root;
        // The key whose value is `node`, and whether its mapping is in brackets.
        let mut place: Option<(&Node, bool)> = None;
        for (depth, step) in path.iter().enumerate() {
            let missing = || value.clone().nested(&path[depth + 1..]);
            match (step, &node.kind) {
                (Step::Key(key), Kind::Mapping { flow, members, .. }) => match node.member(key) {
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
                                line: lines::number(&self.text, second.start),
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
                        line: lines::number(&self.text, node.start),
                        wanted: wanted(*step),
                    });
                }
            }
        }
        self.replace(place, node, value)
    }

    /// A splice that replaces the value of a key.
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
        let key_line = lines::end(&self.text, colon);
        let on_own_lines = old.start > key_line && !matches!(old.kind, Kind::Scalar { .. });
        // The text after the key or the value on this line is a comment, and stays.
        let (range, comment) = if on_own_lines {
            (key_line..lines::end(&self.text, end), "")
        } else {
            (colon..lines::end(&self.text, end), self.text[end..lines::end(&self.text, end)].trim_end())
        };
        let indent = lines::column(&self.text, key.start);
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
        let at = lines::end(&self.text, end);
        Ok(Splice {
            range: at..at,
            with: self.below(&member_lines(key, value, lines::column(&self.text, first.start))),
        })
    }

    fn add_item(&self, list: &Node, item: &Value) -> Result<Splice, KubeconfigError> {
        if list.is_flow() {
            let end = list.items().last().map(|last| last.end);
            return Ok(self.add_in_brackets(list, list.items().first(), end, &item.flow()));
        }
        let Some(first) = list.items().first() else { return Err(self.side_effect(list.start)) };
        let Some(indent) = self.dash_column(first) else { return Err(self.side_effect(first.start)) };
        // The last value may be empty, right after its colon.
        let mut end = list.end;
        if let Some((key, _)) = list.items().last().and_then(|item| item.members().last()) {
            end = end.max(self.after_colon(key)?);
        }
        let at = lines::end(&self.text, end);
        let lines = Value::List(vec![item.clone()]).lines(indent);
        Ok(Splice { range: at..at, with: self.below(&lines) })
    }

    /// The column of the dash of a list's entry. The dash may be alone on a line above the entry.
    fn dash_column(&self, item: &Node) -> Option<usize> {
        let mut end = item.start;
        loop {
            let start = lines::start(&self.text, end);
            let line = &self.text[start..end];
            let indent = line.len() - line.trim_start_matches(' ').len();
            let is_blank = |text: &str| text.trim().is_empty() || text.trim_start().starts_with('#');
            match line[indent..].strip_prefix('-') {
                Some(rest) if is_blank(rest) => return Some(indent),
                None if is_blank(line) => end = start.checked_sub(1)?,
                _ => return None,
            }
        }
    }

    /// A splice that adds an entry after the last one, on a separate line if the first entry has
    /// one.
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
        let before = &self.text[lines::start(&self.text, first.start)..first.start];
        let with = if before.trim().is_empty() {
            format!(",{}{before}{text}", lines::ending(&self.text))
        } else {
            format!(", {text}")
        };
        Splice { range: last..last, with }
    }

    /// The position after the colon of a key.
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
        let ending = lines::ending(&self.text);
        ending.to_owned() + &lines.join(ending)
    }

    fn side_effect(&self, at: usize) -> KubeconfigError {
        KubeconfigError::SideEffect { line: lines::number(&self.text, at) }
    }
}

fn wanted(step: Step<'_>) -> &'static str {
    match step {
        Step::Key(_) => "a mapping",
        Step::Named(_) => "a list",
    }
}
