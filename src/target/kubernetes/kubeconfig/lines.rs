//! Lines and columns of a byte position.

pub(super) fn start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |found| found + 1)
}

/// The end of the line, its line break left out.
pub(super) fn end(text: &str, at: usize) -> usize {
    let line = text[at..].split('\n').next().unwrap_or_default();
    at + line.trim_end_matches('\r').len()
}

pub(super) fn next(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |found| at + found + 1)
}

/// How many characters stand before it on its line; a byte order mark is none.
pub(super) fn column(text: &str, at: usize) -> usize {
    text[start(text, at)..at].chars().filter(|c| *c != '\u{feff}').count()
}

/// Counted from 1.
pub(super) fn number(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Those that the text uses.
pub(super) fn ending(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}
