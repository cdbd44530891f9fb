//! Strings and rules in CEL, and strings in YAML and HCL.

use std::fmt::Write as _;

use super::{Rule, prefixes};

/// The rule as a CEL expression. `claims` names the object with the claims. `None` accepts every
/// token.
///
/// If a claim is missing, the evaluation fails and the token is refused.
pub(crate) fn cel(rule: &Rule, claims: &str) -> Option<String> {
    match rule {
        Rule::Any => None,
        Rule::Equals { claim, value } => Some(format!("{claims}.{claim} == {}", double_quoted(value))),
        Rule::InRepository { claim, base } => {
            let inside = prefixes(base)
                .map(|beginning| format!(" || {claims}.{claim}.startsWith({})", double_quoted(&beginning)));
            Some(format!("{claims}.{claim} == {}{}", double_quoted(base), inside.collect::<String>()))
        }
        Rule::HasPrefix { claim, prefix } => {
            Some(format!("{claims}.{claim}.startsWith({})", double_quoted(prefix)))
        }
    }
}

/// `text` between double quotes, as CEL and YAML read it, and HCL, except for its templates.
///
/// CEL, "Values", string literals; YAML 1.2.2, section 5.7.
pub(crate) fn double_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // The characters that are not printable (YAML 1.2.2, section 5.1).
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
