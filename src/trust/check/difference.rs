//! Explains how two nearly equal values differ.

use crate::glob::glob_of;
use crate::jwt::subject;

/// How a setup compares values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patterns {
    /// The wildcards of its patterns.
    pub(crate) wildcards: &'static str,
    /// Whether a wanted value is a pattern here. Otherwise, it is compared literally.
    pub(crate) are_patterns: bool,
}

/// How `found` differs from the nearest of the `wanted` values, if the difference is easily
/// overlooked.
pub(crate) fn difference(wanted: &[String], found: &str, patterns: Patterns) -> Option<String> {
    wanted.iter().find_map(|wanted| single_difference(wanted, found, patterns)).or_else(|| {
        let continued = |base: &String| wanted.iter().any(|other| other != base && other.starts_with(base));
        // A value that is the beginning of another wanted value is skipped: the other value is the pattern for longer
        // texts.
        wanted.iter().filter(|base| !continued(base)).find_map(|base| missing_asterisk(base, found, patterns))
    })
}

fn single_difference(wanted: &str, found: &str, patterns: Patterns) -> Option<String> {
    let Patterns { wildcards, are_patterns } = patterns;
    let glob = |wanted: &str, found: &str| glob_of(wildcards, wanted, found);
    let matches =
        |wanted: &str, found: &str| if are_patterns { glob(wanted, found) } else { wanted == found };
    if matches(wanted, found) {
        return None;
    }
    if wanted.trim() != wanted && matches(wanted.trim(), found) {
        return Some(format!("`{wanted}` has white space at an end"));
    }
    if matches(&wanted.to_lowercase(), &found.to_lowercase()) {
        return Some("they differ only in upper and lower case, and the comparison is case-sensitive".into());
    }
    if matches(wanted.trim_end_matches('/'), found.trim_end_matches('/')) {
        return Some("they differ only in the slash at the end, and the comparison includes it".into());
    }
    let base = wanted.strip_suffix("/*").or_else(|| wanted.strip_suffix(":*"));
    if are_patterns && base.is_some_and(|base| glob(base, found)) {
        return Some(format!("`{wanted}` matches what is below {found}, but not {found} itself"));
    }
    if let Some(form) = subject::explain_other_form(wanted, found, matches) {
        return Some(form);
    }
    let is_pattern = wanted.contains(|c| wildcards.contains(c));
    if !are_patterns && is_pattern && glob(&wanted.to_lowercase(), &found.to_lowercase()) {
        let case = if glob(wanted, found) { "" } else { ", and the comparison is case-sensitive" };
        return Some(format!("`{wanted}` would match as a pattern, but here it is compared literally{case}"));
    }
    let bare = |text: &str| {
        let text = text.split_once("://").map_or(text, |(_, rest)| rest);
        text.trim_end_matches('/').trim_end_matches(".git").to_lowercase()
    };
    if bare(wanted) == bare(found) {
        return Some(
            "they are two spellings of the same address, and the spelling has to be identical".into(),
        );
    }
    if are_patterns && wanted.contains('?') && glob_of("*?", wanted, found) {
        return Some(format!("`{wanted}` would match if `?` were a wildcard, but here only `*` is one"));
    }
    None
}

/// Explains that `wanted` needs a `*`, if it has no wildcard and `found` contains it.
fn missing_asterisk(
    wanted: &str,
    found: &str,
    Patterns { wildcards, are_patterns }: Patterns,
) -> Option<String> {
    let is_pattern = wanted.contains(|c| wildcards.contains(c));
    let is_part = !wanted.is_empty() && found.to_lowercase().contains(&wanted.to_lowercase());
    (are_patterns && !is_pattern && is_part)
        .then(|| format!("`{wanted}` has no `*`: without one, the whole value is compared, not a part of it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_differences_are_explained() {
        let cases = [
            ("a", "a", false, None),
            ("https://x/a", "https://x/a/tree/b", true, Some("has no `*`")),
            ("acme/shop", "https://x/acme/shop", true, Some("has no `*`")),
            ("Acme/", "https://x/acme/shop", true, Some("has no `*`")),
            ("https://x/a", "https://x/a/tree/b", false, None),
            ("", "https://x/a", true, None),
            ("https://x/A", "https://x/a", false, Some("upper and lower case")),
            ("https://x/A/*", "https://x/a/b", true, Some("upper and lower case")),
            ("https://x/a/", "https://x/a", false, Some("slash at the end")),
            ("https://x/a", "https://x/a/", true, Some("slash at the end")),
            (" a", "a", false, Some("white space")),
            ("https://x/a/*", "https://x/a", true, Some("but not https://x/a itself")),
            ("https://x/*", "https://x/a", false, Some("compared literally")),
            ("https://X/*", "https://x/a", false, Some("literally, and the comparison is case-sensitive")),
            ("https://x/a.git", "https://x/a", false, Some("the same address")),
            ("x/a", "https://x/a", false, Some("the same address")),
            ("a", "b", true, None),
            ("", "b", false, None),
        ];
        for (wanted, found, are_patterns, expected) in cases {
            let said = difference(&[wanted.to_owned()], found, Patterns { wildcards: "*?", are_patterns });
            match expected {
                None => assert_eq!(said, None, "{wanted} {found}"),
                Some(part) => assert!(
                    said.as_ref().is_some_and(|said| said.contains(part)),
                    "{wanted} {found} {said:?}"
                ),
            }
        }
        let written = Patterns { wildcards: "*?", are_patterns: false };
        let second = difference(&["b".into(), "A".into()], "a", written);
        assert!(second.is_some_and(|said| said.contains("case")));
        let both = ["repo:a/b".to_owned(), "repo:a/b:*".to_owned()];
        let like = Patterns { wildcards: "*?", are_patterns: true };
        assert_eq!(difference(&both, "repo:a/b2:ref:x", like), None);
        assert!(
            difference(&both[..1], "repo:a/b:ref:x", like).is_some_and(|said| said.contains("has no `*`"))
        );
        let star = |are_patterns| Patterns { wildcards: "*", are_patterns };
        assert_eq!(difference(&["https://x/?".into()], "https://x/a", star(false)), None);
        let said = difference(&["https://x/?".into()], "https://x/a", star(true));
        assert!(said.is_some_and(|said| said.contains("only `*` is one")));
    }
}
