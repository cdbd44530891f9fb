//! A YAML document as a tree, with the position of each node in the text.
//!
//! A library parses the text. The tree keeps what an edit needs: byte positions, and whether a
//! collection is in flow form (`[a, b]`) or in block form (lines). Aliases and merge keys (`<<`)
//! are replaced by the content that they refer to, as in `kubectl`. An edit is checked against the
//! replaced content.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::KubeconfigError;

/// The maximum depth of nesting.
const MAX_DEPTH: usize = 64;
/// The maximum number of values with expanded aliases: a few aliases can expand to millions of
/// values.
const MAX_VALUES: usize = 100_000;

/// A value in the text.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Where it begins, as a byte position; a collection in block form begins at its first entry.
    pub(super) start: usize,
    /// The byte position after its last character, without the comments and blank lines that
    /// follow.
    pub(super) end: usize,
    pub(super) kind: Kind,
    /// Its tag and its anchor, which an edit must not change.
    properties: (Option<String>, usize),
    /// Whether the text has an alias here. The positions of the content are then elsewhere.
    pub(super) is_alias: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// `plain` marks a scalar without quotes that may not be a string: `null`, `true`, `1`.
    Scalar {
        text: String,
        plain: bool,
    },
    Sequence {
        flow: bool,
        items: Vec<Node>,
    },
    Mapping {
        flow: bool,
        members: Vec<(Node, Node)>,
        /// The members that its merge keys add from elsewhere in the text.
        merged: Vec<(Node, Node)>,
    },
}

/// One step of a path to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// The member of a mapping.
    Key(&'a str),
    /// The entry of a list whose `name` is this.
    Named(&'a str),
}

impl Node {
    /// Parses the only document in `text`; `None` if there are only comments.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, KubeconfigError> {
        match Self::read(text) {
            // The parser refuses a tab after a colon. YAML and `kubectl` accept it.
            Err(error) if text.contains(":\t") => Self::read(&spaces_behind_colons(text)).map_err(|_| error),
            outcome => outcome,
        }
    }

    fn read(text: &str) -> Result<Option<Self>, KubeconfigError> {
        let bytes = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let mut reader =
            Reader { text, bytes, events: Parser::new_from_str(text), anchors: HashMap::new(), count: 0 };
        let mut root = None;
        loop {
            match reader.next()? {
                (Event::StreamEnd, _) => return Ok(root),
                (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd, _) => {}
                (event, span) if root.is_some() => {
                    // `kubectl` reads only the first document. An empty second one does no harm.
                    if !reader.node(event, span, 0)?.is_null() {
                        return Err(KubeconfigError::Documents { line: span.start.line() });
                    }
                }
                (event, span) => root = Some(reader.node(event, span, 0)?),
            }
        }
    }

    pub(super) fn has_tag(&self) -> bool {
        self.properties.0.is_some()
    }

    /// The value at `path`.
    pub(super) fn at(&self, path: &[Step<'_>]) -> Option<&Self> {
        path.iter().try_fold(self, |node, step| node.step(*step))
    }

    pub(super) fn step(&self, step: Step<'_>) -> Option<&Self> {
        match step {
            Step::Key(key) => self.member(key).map(|(_, value)| value),
            Step::Named(name) => self.items().iter().find(|item| item.is_named(name)),
        }
    }

    /// The member `key`, which may come from a merge key.
    pub(super) fn member(&self, key: &str) -> Option<&(Self, Self)> {
        let has_key = |(name, _): &&(Self, Self)| name.as_str() == Some(key);
        self.members().iter().find(has_key).or_else(|| self.merged().iter().find(has_key))
    }

    /// Whether the member `key` comes only from a merge key.
    pub(super) fn is_merged(&self, key: &str) -> bool {
        self.merged().iter().any(|(name, _)| name.as_str() == Some(key))
    }

    pub(super) fn members(&self) -> &[(Self, Self)] {
        match &self.kind {
            Kind::Mapping { members, .. } => members,
            _ => &[],
        }
    }

    pub(super) fn merged(&self) -> &[(Self, Self)] {
        match &self.kind {
            Kind::Mapping { merged, .. } => merged,
            _ => &[],
        }
    }

    pub(super) fn items(&self) -> &[Self] {
        match &self.kind {
            Kind::Sequence { items, .. } => items,
            _ => &[],
        }
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_named(&self, name: &str) -> bool {
        self.step(Step::Key("name")).and_then(Self::as_str) == Some(name)
    }

    /// Whether the value is empty or a spelling of null.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    pub(super) fn is_flow(&self) -> bool {
        matches!(self.kind, Kind::Sequence { flow: true, .. } | Kind::Mapping { flow: true, .. })
    }

    /// Whether tag and anchor are the same.
    pub(super) fn has_same_properties(&self, other: &Self) -> bool {
        self.properties == other.properties
    }

    /// Whether both have the same content. Positions and unnecessary quotes do not matter.
    pub(super) fn has_same_content(&self, other: &Self) -> bool {
        self.has_same_properties(other)
            && match (&self.kind, &other.kind) {
                (Kind::Scalar { text: a, plain: plain_a }, Kind::Scalar { text: b, plain: plain_b }) => {
                    (a, plain_a) == (b, plain_b)
                }
                (Kind::Sequence { items: a, .. }, Kind::Sequence { items: b, .. }) => {
                    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.has_same_content(b))
                }
                (Kind::Mapping { .. }, Kind::Mapping { .. }) => {
                    same_members(self.members(), other.members())
                        && same_members(self.merged(), other.merged())
                }
                _ => false,
            }
    }

    fn count(&self) -> usize {
        let members = self.members().iter().chain(self.merged());
        1 + self.items().iter().map(Self::count).sum::<usize>()
            + members.map(|(key, value)| key.count() + value.count()).sum::<usize>()
    }
}

/// Whether members are the same in the same order.
pub(super) fn same_members(a: &[(Node, Node)], b: &[(Node, Node)]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| a.0.has_same_content(&b.0) && a.1.has_same_content(&b.1))
}

/// Replaces the tabs after each colon by spaces. All positions stay the same.
fn spaces_behind_colons(text: &str) -> String {
    let mut behind = false;
    let spaced = text.chars().map(|c| {
        let replaced = behind && c == '\t';
        behind = c == ':' || (behind && matches!(c, ' ' | '\t'));
        if replaced { ' ' } else { c }
    });
    spaced.collect()
}

struct Reader<'a> {
    text: &'a str,
    /// The byte position of each character. The parser's positions are numbers of characters.
    bytes: Vec<usize>,
    events: Parser<'a, saphyr_parser::StrInput<'a>>,
    /// The content of each anchor, and its number of values.
    anchors: HashMap<usize, (Node, usize)>,
    /// The number of values read so far, with expanded aliases.
    count: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), KubeconfigError> {
        match self.events.next() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let marker = error.marker();
                Err(KubeconfigError::NotYaml {
                    line: marker.line(),
                    column: marker.col() + 1,
                    reason: error.info().to_owned(),
                })
            }
            None => {
                Err(KubeconfigError::NotYaml { line: 1, column: 1, reason: "the text ends too early".into() })
            }
        }
    }

    fn byte(&self, character: usize) -> usize {
        self.bytes.get(character).copied().unwrap_or(self.text.len())
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, KubeconfigError> {
        if depth > MAX_DEPTH {
            return Err(KubeconfigError::TooDeep { line: span.start.line() });
        }
        self.count += 1;
        let node = self.node_of(event, span, depth)?;
        if self.count > MAX_VALUES {
            return Err(KubeconfigError::TooDeep { line: span.start.line() });
        }
        let anchor = node.properties.1;
        if anchor != 0 && !node.is_alias {
            let count = node.count();
            self.anchors.insert(anchor, (node.clone(), count));
        }
        Ok(node)
    }

    fn node_of(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, KubeconfigError> {
        let start = self.byte(span.start.index());
        let not_yaml = |reason: &str| KubeconfigError::NotYaml {
            line: span.start.line(),
            column: span.start.col() + 1,
            reason: reason.to_owned(),
        };
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let mut end = self.byte(span.end.index()).max(start);
                match style {
                    ScalarStyle::Literal | ScalarStyle::Folded => {
                        end = start + self.text[start..end].trim_end().len();
                    }
                    ScalarStyle::SingleQuoted => end = quoted_end(self.text, start, '\''),
                    ScalarStyle::DoubleQuoted => end = quoted_end(self.text, start, '"'),
                    ScalarStyle::Plain => {}
                }
                let plain = style == ScalarStyle::Plain && !super::value::is_plain_text(&text);
                let properties = (tag.map(|tag| tag.to_string()), anchor);
                let kind = Kind::Scalar { text: text.into_owned(), plain };
                Ok(Node { start, end, kind, properties, is_alias: false })
            }
            Event::Alias(anchor) => {
                let end = self.byte(span.end.index());
                let Some((named, count)) = self.anchors.get(&anchor) else {
                    return Err(not_yaml("an alias refers to the value that contains it"));
                };
                self.count += count;
                if self.count > MAX_VALUES {
                    return Err(KubeconfigError::TooDeep { line: span.start.line() });
                }
                Ok(Node { start, end, is_alias: true, ..named.clone() })
            }
            Event::SequenceStart(anchor, tag) => {
                let properties = (tag.map(|tag| tag.to_string()), anchor);
                let mut items = Vec::new();
                let last = loop {
                    match self.next()? {
                        (Event::SequenceEnd, span) => break span,
                        (event, span) => items.push(self.node(event, span, depth + 1)?),
                    }
                };
                let bracket = self.bracket(last, ']');
                let end = bracket.or(items.last().map(|item| item.end)).unwrap_or(start);
                let flow = bracket.is_some();
                Ok(Node { start, end, kind: Kind::Sequence { flow, items }, properties, is_alias: false })
            }
            Event::MappingStart(anchor, tag) => {
                let properties = (tag.map(|tag| tag.to_string()), anchor);
                let mut members: Vec<(Node, Node)> = Vec::new();
                let last = loop {
                    match self.next()? {
                        (Event::MappingEnd, span) => break span,
                        (event, span) => {
                            let key = self.node(event, span, depth + 1)?;
                            if key.as_str().is_some()
                                && members.iter().any(|(k, _)| k.as_str() == key.as_str())
                            {
                                return Err(KubeconfigError::DuplicateKey { line: span.start.line() });
                            }
                            let (event, span) = self.next()?;
                            members.push((key, self.node(event, span, depth + 1)?));
                        }
                    }
                };
                let bracket = self.bracket(last, '}');
                let last = members.last().map(|(key, value)| value.end.max(key.end));
                let end = bracket.or(last).unwrap_or(start);
                let flow = bracket.is_some();
                let merged = self.merged(&members);
                self.count += merged.iter().map(|(key, value)| key.count() + value.count()).sum::<usize>();
                let kind = Kind::Mapping { flow, members, merged };
                Ok(Node { start, end, kind, properties, is_alias: false })
            }
            _ => Err(not_yaml("a value is missing")),
        }
    }

    /// The members that the merge keys of a mapping add (YAML 1.1, "Merge Key Language-Independent
    /// Type").
    fn merged(&self, members: &[(Node, Node)]) -> Vec<(Node, Node)> {
        let mut merged: Vec<(Node, Node)> = Vec::new();
        let is_merge = |key: &Node| key.as_str() == Some("<<") && self.text[key.start..].starts_with("<<");
        for (_, value) in members.iter().filter(|(key, _)| is_merge(key)) {
            let sources = if value.items().is_empty() { std::slice::from_ref(value) } else { value.items() };
            for (key, value) in
                sources.iter().flat_map(|source| source.members().iter().chain(source.merged()))
            {
                let known = |(name, _): &(Node, Node)| name.as_str() == key.as_str();
                if !is_merge(key) && !members.iter().any(known) && !merged.iter().any(known) {
                    merged.push((key.clone(), value.clone()));
                }
            }
        }
        merged
    }

    /// The position after the closing bracket of a collection in flow form; `None` for block form,
    /// whose end is no bracket. The start decides nothing: the first entry of a block may begin
    /// with a bracket.
    fn bracket(&self, last: Span, closing: char) -> Option<usize> {
        let at = self.byte(last.start.index());
        self.text[at..].starts_with(closing).then_some(at + 1)
    }
}

/// The position after the closing quote of a scalar. The parser's end includes the blanks and
/// comments that follow.
fn quoted_end(text: &str, start: usize, quote: char) -> usize {
    let Some(open) = text[start..].find(quote) else { return text.len() };
    let mut rest = text[start + open + 1..].char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        if c == '\\' && quote == '"'
            || c == quote && quote == '\'' && rest.peek().is_some_and(|(_, c)| *c == quote)
        {
            rest.next();
        } else if c == quote {
            return start + open + 1 + at + 1;
        }
    }
    text.len()
}
