//! Patterns in which `*` matches any characters and `?` matches one character.

/// A piece of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    Exactly(char),
    /// `?`
    One,
    /// `*`
    Any,
}

/// Whether the whole `text` matches `pattern`.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    glob_of("*?", pattern, text)
}

/// As [`glob`], but only the characters in `wildcards`, a subset of `*?`, are wildcards.
pub(crate) fn glob_of(wildcards: &str, pattern: &str, text: &str) -> bool {
    let piece = |c| if wildcards.contains(c) { wildcard(c) } else { Piece::Exactly(c) };
    let pieces: Vec<Piece> = pattern.chars().map(piece).collect();
    matches(&pieces, text, false)
}

pub(crate) fn wildcard(c: char) -> Piece {
    match c {
        '*' => Piece::Any,
        '?' => Piece::One,
        c => Piece::Exactly(c),
    }
}

/// Whether the whole `text` matches. Takes time proportional to the product of the lengths.
pub(crate) fn matches(pieces: &[Piece], text: &str, ignore_case: bool) -> bool {
    let text: Vec<char> = text.chars().collect();
    let equal = |a: char, b: char| a == b || (ignore_case && a.to_lowercase().eq(b.to_lowercase()));
    let (mut piece, mut at) = (0, 0);
    // Where to continue after a mismatch: the piece after the last `*`, and the end of its match.
    let mut retry = None;
    while at < text.len() {
        match pieces.get(piece) {
            Some(Piece::Any) => {
                piece += 1;
                retry = Some((piece, at));
                continue;
            }
            Some(Piece::Exactly(c)) if equal(*c, text[at]) => (),
            Some(Piece::One) => (),
            _ => match retry {
                Some((after, taken)) => {
                    retry = Some((after, taken + 1));
                    (piece, at) = (after, taken + 1);
                    continue;
                }
                None => return false,
            },
        }
        (piece, at) = (piece + 1, at + 1);
    }
    pieces[piece..].iter().all(|piece| *piece == Piece::Any)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wildcards() {
        let cases = [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("?", "", false),
            ("?", "ü", true),
            ("a*c", "abbc", true),
            ("a*c", "abbd", false),
            ("a*b*c", "aXbXbc", true),
            ("*a", "aab", false),
            ("**a**", "bab", true),
            ("repo:org/*:ref:*", "repo:org/x:ref:refs/heads/main", true),
            ("https://github.com/*", "https://gitlab.com/x", false),
            ("a.c", "abc", false),
            ("a?c", "a/c", true),
            ("A*", "abc", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
        let many = format!("{}b", "*a".repeat(200));
        assert!(!glob(&many, &"a".repeat(5000)));
    }

    /// The recursive definition.
    fn reference(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', rest @ ..], _) => {
                reference(rest, text) || (!text.is_empty() && reference(pattern, &text[1..]))
            }
            (['?', rest @ ..], [_, tail @ ..]) => reference(rest, tail),
            ([c, rest @ ..], [d, tail @ ..]) => c == d && reference(rest, tail),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_definition(pattern in "[ab*?]{0,9}", text in "[ab]{0,10}") {
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(glob(&pattern, &text), reference(&p, &t));
        }

        #[test]
        fn a_text_matches_itself(text in "[^*?$]{0,40}") {
            prop_assert!(glob(&text, &text));
        }
    }
}
