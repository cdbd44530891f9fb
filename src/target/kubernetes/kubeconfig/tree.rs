//! A YAML document as a tree that knows where in the text each node stands.
//!
//! The parser is a library's; what is kept here is what an edit needs: byte positions, and whether a collection
//! is in flow form (`[a, b]`) or in block form (lines).

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::KubeconfigError;

/// The deepest nesting that is read.
const DEPTH: usize = 64;

/// A value in the text.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Where it begins, as a byte position; a collection in block form begins at its first entry.
    pub(super) start: usize,
    /// Where its last character ends, comments and blank lines after it left out.
    pub(super) end: usize,
    pub(super) kind: Kind,
    /// Its tag and its anchor, which an edit has to leave as they are.
    properties: (Option<String>, usize),
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// `plain` is a scalar without quotes that may be no string: `null`, `true`, `1`.
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
    },
    Alias(usize),
}

/// One step on the way to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// The member of a mapping.
    Key(&'a str),
    /// The entry of a list whose `name` is this.
    Named(&'a str),
}

impl Node {
    /// The one document in `text`; `None` where there is nothing but comments.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, KubeconfigError> {
        let bytes = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let mut reader = Reader { text, bytes, events: Parser::new_from_str(text) };
        let mut root = None;
        loop {
            match reader.next()? {
                (Event::StreamEnd, _) => return Ok(root),
                (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd, _) => {}
                (_, span) if root.is_some() => {
                    return Err(KubeconfigError::Documents { line: span.start.line() });
                }
                (event, span) => root = Some(reader.node(event, span, 0)?),
            }
        }
    }

    /// The value that `path` leads to.
    pub(super) fn at(&self, path: &[Step<'_>]) -> Option<&Self> {
        path.iter().try_fold(self, |node, step| node.step(*step))
    }

    pub(super) fn step(&self, step: Step<'_>) -> Option<&Self> {
        match step {
            Step::Key(key) => self.member(key).map(|(_, value)| value),
            Step::Named(name) => self.items().iter().find(|item| item.is_named(name)),
        }
    }

    pub(super) fn member(&self, key: &str) -> Option<&(Self, Self)> {
        self.members().iter().find(|(name, _)| name.as_str() == Some(key))
    }

    pub(super) fn members(&self) -> &[(Self, Self)] {
        match &self.kind {
            Kind::Mapping { members, .. } => members,
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

    /// Whether nothing is there: no value, or one of the spellings of null.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    pub(super) fn is_flow(&self) -> bool {
        matches!(self.kind, Kind::Sequence { flow: true, .. } | Kind::Mapping { flow: true, .. })
    }

    /// Whether tag and anchor are the same.
    pub(super) fn has_the_properties_of(&self, other: &Self) -> bool {
        self.properties == other.properties
    }

    /// Whether it says the same, wherever it stands and however it is quoted.
    pub(super) fn says_the_same_as(&self, other: &Self) -> bool {
        self.has_the_properties_of(other)
            && match (&self.kind, &other.kind) {
                (Kind::Scalar { text: a, plain: plain_a }, Kind::Scalar { text: b, plain: plain_b }) => {
                    (a, plain_a) == (b, plain_b)
                }
                (Kind::Sequence { items: a, .. }, Kind::Sequence { items: b, .. }) => {
                    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.says_the_same_as(b))
                }
                (Kind::Mapping { members: a, .. }, Kind::Mapping { members: b, .. }) => {
                    a.len() == b.len()
                        && a.iter()
                            .zip(b)
                            .all(|(a, b)| a.0.says_the_same_as(&b.0) && a.1.says_the_same_as(&b.1))
                }
                (Kind::Alias(a), Kind::Alias(b)) => a == b,
                _ => false,
            }
    }
}

struct Reader<'a> {
    text: &'a str,
    /// The byte position of each character: the parser counts in those.
    bytes: Vec<usize>,
    events: Parser<'a, saphyr_parser::StrInput<'a>>,
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
            None => Err(KubeconfigError::NotYaml { line: 1, column: 1, reason: "it ends early".into() }),
        }
    }

    fn byte(&self, character: usize) -> usize {
        self.bytes.get(character).copied().unwrap_or(self.text.len())
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, KubeconfigError> {
        if depth > DEPTH {
            return Err(KubeconfigError::TooDeep { line: span.start.line() });
        }
        let start = self.byte(span.start.index());
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let mut end = self.byte(span.end.index()).max(start);
                if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                    end = start + self.text[start..end].trim_end().len();
                }
                let plain = style == ScalarStyle::Plain && !super::value::is_plain_text(&text);
                let properties = (tag.map(|tag| tag.to_string()), anchor);
                Ok(Node { start, end, kind: Kind::Scalar { text: text.into_owned(), plain }, properties })
            }
            Event::Alias(anchor) => {
                let end = self.byte(span.end.index());
                Ok(Node { start, end, kind: Kind::Alias(anchor), properties: (None, 0) })
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
                Ok(Node { start, end, kind: Kind::Sequence { flow, items }, properties })
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
                Ok(Node { start, end, kind: Kind::Mapping { flow, members }, properties })
            }
            _ => Err(KubeconfigError::NotYaml {
                line: span.start.line(),
                column: span.start.col() + 1,
                reason: "a value is missing".into(),
            }),
        }
    }

    /// The position behind the bracket that ends a collection in flow form. One in block form ends where something
    /// else begins, which is no bracket; its first entry may be one.
    fn bracket(&self, last: Span, closing: char) -> Option<usize> {
        let at = self.byte(last.start.index());
        self.text[at..].starts_with(closing).then_some(at + 1)
    }
}
