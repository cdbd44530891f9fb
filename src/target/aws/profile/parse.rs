//! Lines, sections, keys and values as Python's `configparser` finds them, with botocore's additions.
//!
//! Some of these rules are surprising:
//! - A line with more indentation than the last key continues the value of that key, even if it
//!   looks like a header or a key.
//! - A comment is a whole line, at any indentation.
//! - A header ends at the last `]` of its line.
//! - A key ends at the first `=` or `:`.
//! - A lone carriage return ends a line.

use std::collections::HashMap;
use std::ops::Range;

use super::{FileKind, ProfileError};

/// The section whose keys `configparser` adds to every other section.
pub(super) const DEFAULT: &str = "DEFAULT";

/// The lines, sections and keys of a text, by position.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    lines: Vec<Range<usize>>,
    sections: Vec<Section>,
}

/// One header and its keys. `[DEFAULT]` may occur several times, every other header once.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub(super) name: String,
    /// Index of the header's line.
    pub(super) header: usize,
    pub(super) keys: Vec<Key>,
}

/// One key of a section.
#[derive(Debug, Clone)]
pub(super) struct Key {
    /// In lower case.
    pub(super) name: String,
    /// Index of the line it is on.
    pub(super) line: usize,
    /// Indices of the lines that continue the value, with the blank lines between them, without
    /// comments.
    pub(super) continuation_lines: Vec<usize>,
}

impl Key {
    pub(super) fn last_line(&self) -> usize {
        self.continuation_lines.last().copied().unwrap_or(self.line)
    }
}

impl Section {
    pub(super) fn key(&self, name: &str) -> Option<&Key> {
        let name = name.to_lowercase();
        self.keys.iter().find(|key| key.name == name)
    }

    pub(super) fn is_default(&self) -> bool {
        self.name == DEFAULT
    }

    /// The profile that botocore takes this section for.
    pub(super) fn profile(&self, kind: FileKind) -> Option<String> {
        match kind {
            _ if self.is_default() => None,
            FileKind::Credentials => Some(self.name.clone()),
            FileKind::Config if self.name == "default" => Some("default".into()),
            // The first word only has to begin with `profile`: `[profiles a]` is a profile too.
            FileKind::Config if self.name.starts_with("profile") => profile_name_in_header(&self.name),
            FileKind::Config => None,
        }
    }

    /// The profile that a person or a less strict tool may take this section for.
    pub(super) fn apparent_profile(&self, kind: FileKind) -> Option<String> {
        let name = strip(self.name.split(']').next().unwrap_or_default());
        match kind {
            FileKind::Credentials => Some(name.to_owned()),
            FileKind::Config if name == "default" => Some("default".into()),
            FileKind::Config => {
                let rest = name.strip_prefix("profile")?;
                if rest.starts_with(is_space) { profile_name_in_header(name) } else { None }
            }
        }
    }
}

impl Layout {
    pub(super) fn of(text: &str) -> Result<Self, ProfileError> {
        if text.starts_with('\u{feff}') {
            return Err(ProfileError::ByteOrderMark);
        }
        let mut layout = Self { lines: lines(text).collect(), sections: Vec::new() };
        let mut headers: HashMap<String, usize> = HashMap::new();
        let mut places: HashMap<(String, String), usize> = HashMap::new();
        // The indentation of the last header or key.
        let mut level = 0;
        // Whether there is a value that an indented line would continue.
        let mut open = false;
        let mut blank = Vec::new();
        for index in 0..layout.lines.len() {
            let (line, number) = (layout.line(text, index), index + 1);
            let content = strip(line);
            if content.starts_with(['#', ';']) {
                continue;
            }
            if content.is_empty() {
                blank.push(index);
                continue;
            }
            let indent = line.chars().take_while(|&c| is_space(c)).count();
            if open && indent > level {
                if let Some(key) = layout.sections.last_mut().and_then(|section| section.keys.last_mut()) {
                    // A blank line is part of a value only between its lines: `configparser` trims
                    // the end.
                    key.continuation_lines.append(&mut blank);
                    key.continuation_lines.push(index);
                }
                continue;
            }
            blank.clear();
            level = indent;
            if let Some(name) = header(content) {
                let (name, header) = (name.to_owned(), index);
                if name != DEFAULT
                    && let Some(first) = headers.insert(name.clone(), number)
                {
                    return Err(ProfileError::DuplicateSection { line: number, first, name });
                }
                layout.sections.push(Section { name, header, keys: Vec::new() });
                open = false;
                continue;
            }
            let or_unclosed = |error| {
                let is_unclosed = content.starts_with('[') && !content.contains(']');
                if is_unclosed { ProfileError::Unclosed { line: number } } else { error }
            };
            let Some(section) = layout.sections.last_mut() else {
                return Err(or_unclosed(ProfileError::NoSection { line: number }));
            };
            let Some((key, _)) = content.split_once(['=', ':']) else {
                return Err(or_unclosed(ProfileError::NoValue { line: number }));
            };
            let name = key.trim_end_matches(is_space).to_lowercase();
            if name.is_empty() {
                return Err(ProfileError::NoKey { line: number });
            }
            if let Some(first) = places.insert((section.name.clone(), name.clone()), number) {
                return Err(ProfileError::DuplicateKey { line: number, first });
            }
            section.keys.push(Key { name, line: index, continuation_lines: Vec::new() });
            open = true;
        }
        layout.check_blocks(text)?;
        Ok(layout)
    }

    /// Botocore reads a value that begins on an indented line as a block of its own `key = value` lines.
    fn check_blocks(&self, text: &str) -> Result<(), ProfileError> {
        // Other sections inherit the keys of `[DEFAULT]`. A key that all other sections override is never read.
        let is_read = |section: &Section, key: &Key| {
            !section.is_default()
                || self.sections.iter().any(|other| !other.is_default() && other.key(&key.name).is_none())
        };
        for section in &self.sections {
            for key in section.keys.iter().filter(|key| is_read(section, key)) {
                if !self.value(text, key).starts_with('\n') {
                    continue;
                }
                for &index in &key.continuation_lines {
                    // Botocore uses Python's `splitlines` here, which knows more line ends than
                    // text files.
                    let ends =
                        ['\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];
                    let mut parts = strip(self.line(text, index)).split(ends).map(strip);
                    if parts.any(|part| !part.is_empty() && !part.contains('=')) {
                        return Err(ProfileError::Block { line: index + 1 });
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn sections(&self) -> &[Section] {
        &self.sections
    }

    pub(super) fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// A line with its line end.
    pub(super) fn line<'a>(&self, text: &'a str, index: usize) -> &'a str {
        self.lines.get(index).and_then(|range| text.get(range.clone())).unwrap_or_default()
    }

    pub(super) fn value(&self, text: &str, key: &Key) -> String {
        let first = self.line(text, key.line).split_once(['=', ':']).map_or("", |(_, value)| strip(value));
        let mut value = first.to_owned();
        for &index in &key.continuation_lines {
            value.push('\n');
            value.push_str(strip(self.line(text, index)));
        }
        value
    }
}

/// Splits after `\n`, `\r\n` and `\r`, as Python's text files do.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let length = match rest.find(['\n', '\r']) {
            Some(at) if rest[at..].starts_with("\r\n") => at + 2,
            Some(at) => at + 1,
            None => rest.len(),
        };
        let line = start..start + length;
        start = line.end;
        Some(line)
    })
}

/// The name in a header: up to the last `]`, at least one character.
pub(super) fn header(content: &str) -> Option<&str> {
    let inner = content.strip_prefix('[')?;
    inner.get(..inner.rfind(']')?).filter(|name| !name.is_empty())
}

/// White space as Python defines it: Unicode white space and four control characters.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// Python's `str.strip`.
pub(super) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// The second of exactly two words, split and unquoted as by Python's `shlex`.
fn profile_name_in_header(text: &str) -> Option<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if matches!(c, ' ' | '\t' | '\r' | '\n') {
            words.extend(word.take());
            continue;
        }
        let word = word.get_or_insert_default();
        match c {
            '\\' => word.push(chars.next()?),
            '\'' | '"' => loop {
                match chars.next()? {
                    end if end == c => break,
                    '\\' if c == '"' => match chars.next()? {
                        escaped @ ('"' | '\\') => word.push(escaped),
                        other => word.extend(['\\', other]),
                    },
                    inside => word.push(inside),
                }
            },
            plain => word.push(plain),
        }
    }
    words.extend(word);
    if words.len() == 2 { words.pop() } else { None }
}
