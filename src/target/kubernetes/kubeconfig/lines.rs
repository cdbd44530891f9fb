//! Lines and columns of a byte position.

pub(super) fn start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |found| found + 1)
}

/// The end of the line, before its line break.
pub(super) fn end(text: &str, at: usize) -> usize {
    let line = text[at..].split('\n').next().unwrap_or_default();
    at + line.trim_end_matches('\r').len()
}

pub(super) fn next(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |found| at + found + 1)
}

/// The number of characters before `at` on its line, without a byte order mark.
pub(super) fn column(text: &str, at: usize) -> usize {
    text[start(text, at)..at].chars().filter(|c| *c != '\u{feff}').count()
}

/// The line number, from 1.
pub(super) fn number(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The line break that the text uses.
pub(super) fn ending(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// Whether the text ends in a block scalar (`|` or `>`) whose last line has no line break. A line
/// that is added below would add a line break to the scalar's value.
pub(super) fn ends_in_open_block(text: &str) -> bool {
    if text.ends_with('\n') {
        return false;
    }
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let mut lines = text.rsplit('\n').map(|line| line.trim_end_matches('\r'));
    let last = lines.next().map_or(0, indent);
    let opening = lines.find(|line| !line.trim().is_empty() && indent(line) < last).unwrap_or_default();
    let opening = opening.split_once(" #").map_or(opening, |(before, _)| before).trim_end();
    opening.trim_end_matches(|c: char| c == '+' || c.is_ascii_digit()).ends_with(['|', '>'])
}
