//! Values in a policy: `*` and `?`, and the variables `${…}`.

use super::context::Context;
use crate::glob::{Piece, wildcard};

/// What a policy's value may contain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Syntax<'a> {
    /// `*` and `?` match other characters, as for `StringLike`.
    pub(super) wildcards: bool,
    /// The values of variables; `None` for version 2008-10-17, which has no variables.
    pub(super) variables: Option<&'a Context>,
}

/// The pieces of a policy's value; `None` if a variable in it has no value, so that nothing
/// matches.
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

/// The text that replaces `${inside}`: an escaped character, the key's only value, or the default
/// after a comma.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::glob::matches;

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

    proptest! {
        #[test]
        fn no_text_panics(pattern in ".{0,30}", text in ".{0,60}") {
            let context = Context::default().with("a", &[text.as_str()]);
            for wildcards in [false, true] {
                let syntax = Syntax { wildcards, variables: Some(&context) };
                let _ = pieces(&pattern, syntax).is_some_and(|pieces| matches(&pieces, &text, true));
            }
        }
    }
}
