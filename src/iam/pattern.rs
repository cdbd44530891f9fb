//! Values in a policy: `*` and `?`, and the variables `${…}`.

use super::context::Context;

/// A piece of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// This character.
    Exactly(char),
    /// `?`
    One,
    /// `*`
    Any,
}

/// What a policy's value may contain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Syntax<'a> {
    /// `*` and `?` match other characters, as for `StringLike`.
    pub(super) wildcards: bool,
    /// Where variables get their values; none in the language of 2008, which has no variables.
    pub(super) variables: Option<&'a Context>,
}

/// Whether `text` matches `pattern`, in which `*` is any run of characters and `?` is any one.
#[must_use]
pub fn glob(pattern: &str, text: &str) -> bool {
    let pieces: Vec<Piece> = pattern.chars().map(wildcard).collect();
    matches(&pieces, text, false)
}

/// The pieces of a policy's value; `None` if a variable in it has no value, and so nothing matches.
pub(super) fn pieces(value: &str, syntax: Syntax<'_>) -> Option<Vec<Piece>> {
    let mut pieces = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(first) = rest.chars().next() {
        let variable = syntax.variables.and_then(|context| {
            let (name, after) = rest.strip_prefix("${")?.split_once('}')?;
            Some((context, name, after))
        });
        if let Some((context, name, after)) = variable {
            pieces.extend(substitute(name, context)?.chars().map(Piece::Exactly));
            rest = after;
        } else {
            pieces.push(if syntax.wildcards { wildcard(first) } else { Piece::Exactly(first) });
            rest = &rest[first.len_utf8()..];
        }
    }
    Some(pieces)
}

fn wildcard(c: char) -> Piece {
    match c {
        '*' => Piece::Any,
        '?' => Piece::One,
        c => Piece::Exactly(c),
    }
}

/// What stands for `${inside}`: the character of an escape, the key's one value, or the default after a comma.
fn substitute(inside: &str, context: &Context) -> Option<String> {
    if matches!(inside, "*" | "?" | "$") {
        return Some(inside.to_owned());
    }
    let (key, default) = inside.split_once(',').unwrap_or((inside, ""));
    let default = default.trim().strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    match context.get(key.trim()) {
        Some([value]) => Some(value.clone()),
        _ => default.map(str::to_owned),
    }
}

/// Whether the whole of `text` matches, in time proportional to the product of the lengths.
pub(super) fn matches(pieces: &[Piece], text: &str, ignore_case: bool) -> bool {
    let text: Vec<char> = text.chars().collect();
    let equal = |a: char, b: char| a == b || (ignore_case && a.to_lowercase().eq(b.to_lowercase()));
    let (mut piece, mut at) = (0, 0);
    // Where to go on after a mismatch: the piece after the last `*`, and the text that `*` has not taken yet.
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

    #[test]
    fn variables_and_escapes() {
        let context = Context::default().with("aws:One", &["v*"]).with("aws:Many", &["a", "b"]);
        let cases = [
            ("x${aws:one}", "xv*", true),
            ("x${aws:one}", "xvv", false),
            ("${*}${?}${$}", "*?$", true),
            ("${*}", "a", false),
            ("${ aws:one }/*", "v*/p", true),
            ("${aws:none, 'd'}", "d", true),
            ("${aws:many, 'd'}", "d", true),
            ("${aws:none}", "${aws:none}", false),
            ("${aws:none}*", "x", false),
            ("${aws:one", "${aws:one", true),
            ("$", "$", true),
        ];
        for (value, text, expected) in cases {
            let syntax = Syntax { wildcards: true, variables: Some(&context) };
            let found = pieces(value, syntax).is_some_and(|pieces| matches(&pieces, text, false));
            assert_eq!(found, expected, "{value}");
        }
        let syntax = Syntax { wildcards: false, variables: None };
        let literal = pieces("${aws:one}*", syntax).unwrap();
        assert!(matches(&literal, "${aws:one}*", false));
        assert!(!matches(&literal, "${aws:one}x", false));
    }

    /// The definition, read aloud.
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
        fn no_text_panics(pattern in ".{0,30}", text in ".{0,60}") {
            let _ = glob(&pattern, &text);
            let context = Context::default().with("a", &[text.as_str()]);
            for wildcards in [false, true] {
                let syntax = Syntax { wildcards, variables: Some(&context) };
                let _ = pieces(&pattern, syntax).is_some_and(|pieces| matches(&pieces, &text, true));
            }
        }

        #[test]
        fn a_text_matches_itself(text in "[^*?$]{0,40}") {
            prop_assert!(glob(&text, &text));
        }
    }
}
