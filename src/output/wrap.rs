//! Wraps text for a terminal.

/// A table's last column does not begin after this column.
const MAX_INDENT: usize = 30;

/// `text` with line breaks at spaces, so that no line has more than `columns` characters (at least
/// 1).
/// Continuation lines are indented like the last column of a table, or by two more than the line.
///
/// A word that is longer than a line stays whole, and so does code in backticks: a line break in a
/// command or an address would end up in the user's clipboard.
pub(super) fn wrap(text: &str, columns: usize) -> String {
    let mut wrapped = String::new();
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            wrapped.push('\n');
        }
        let indent = continuation_indent(line).min(columns / 2);
        // The column of the cursor, and the spaces before the next word.
        let (mut column, mut gap) = (0, "");
        for (word, spaces) in words(line) {
            let width = without_colours(word).chars().count();
            // A long word gets a smaller indent, if that makes it fit.
            let start = indent.min(columns.saturating_sub(width));
            let is_too_long = column + gap.len() + width > columns;
            if is_too_long && width <= columns && start < column + gap.len() {
                // Before the first word, a line break would leave an empty line.
                if column > 0 {
                    wrapped.push('\n');
                }
                wrapped.push_str(&" ".repeat(start));
                column = start;
            } else {
                wrapped.push_str(gap);
                column += gap.len();
            }
            wrapped.push_str(word);
            column += width;
            if column > columns {
                // The terminal itself breaks a word that does not fit.
                column = (column - 1) % columns + 1;
            }
            gap = spaces;
        }
        wrapped.push_str(gap);
    }
    wrapped
}

fn continuation_indent(line: &str) -> usize {
    let visible = without_colours(line);
    let leading = visible.chars().take_while(|c| *c == ' ').count();
    let (mut spaces, mut column) = (0, None);
    for (position, c) in visible.chars().enumerate().skip(leading).take(MAX_INDENT - leading.min(MAX_INDENT))
    {
        if c != ' ' && spaces > 1 {
            column = Some(position);
        }
        spaces = if c == ' ' { spaces + 1 } else { 0 };
    }
    column.unwrap_or(leading + 2)
}

/// `line` without escape sequences for colours (`ESC [ … m`).
fn without_colours(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}

/// The words of a line, each with the spaces after it. Code in backticks is a part of a word.
fn words(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let (start, end) = word_end(rest)?;
        let (word, after) = rest.split_at(start);
        rest = &rest[end..];
        Some((word, &after[..end - start]))
    })
}

/// The ends of the first word and of the spaces after it, in bytes.
fn word_end(text: &str) -> Option<(usize, usize)> {
    let (mut in_code, mut end) = (false, None);
    for (position, c) in text.char_indices() {
        match (c, end) {
            (' ', None) if !in_code => end = Some(position),
            (' ', _) => {}
            (_, Some(end)) => return Some((end, position)),
            ('`', None) => in_code = !in_code && text[position + 1..].contains('`'),
            _ => {}
        }
    }
    (!text.is_empty()).then_some((end.unwrap_or(text.len()), text.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_wrapped_at_spaces_outside_of_code() {
        let text = "error: could not mint an ID token\nhint: most likely the port is wrong: run `unset SUPERVISOR_ADDR`, and try again\n";
        let expected = "error: could not mint an ID token\nhint: most likely the port is wrong: run\n  `unset SUPERVISOR_ADDR`, and try again\n";
        assert_eq!(wrap(text, 42), expected);
    }

    #[test]
    fn continuation_lines_keep_the_last_column_of_a_table() {
        let text = "✓ API token   the supervisor has one for this workspace\n    iss  https://app.example is the issuer here";
        let expected = "✓ API token   the supervisor has one\n              for this workspace\n    iss  https://app.example is the\n         issuer here";
        assert_eq!(wrap(text, 37), expected);
    }

    #[test]
    fn colours_have_no_width_and_long_words_stay_whole() {
        let long = "x".repeat(30);
        let text = format!("\u{1b}[1;31merror:\u{1b}[0m a b c d e f {long} `{long} {long}` ok");
        let expected = format!("\u{1b}[1;31merror:\u{1b}[0m a b c d\n  e f {long} `{long} {long}` ok");
        assert_eq!(wrap(&text, 15), expected);
        assert_eq!(wrap("a ` b", 3), "a `\n b");
        assert_eq!(wrap("a long-word b", 6), "a long-word\n  b");
    }

    proptest! {
        #[test]
        fn only_spaces_become_line_breaks(text in "[a-z`é ]{0,60}", columns in 1_usize..50) {
            let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            let wrapped = wrap(&text, columns);
            prop_assert_eq!(squeezed(&wrapped), squeezed(&text));
            let longest = text.split(' ').map(|word| word.chars().count()).max().unwrap_or(0);
            if !text.contains('`') && longest <= columns {
                prop_assert!(wrapped.lines().all(|line| line.trim_end().chars().count() <= columns), "{wrapped:?}");
            }
        }
    }
}
