//! Parts of Terraform's language, HCL, in the layout of `terraform fmt`.

use std::fmt::Write as _;

use super::quote::double_quoted;

/// A quoted string in which nothing is read as a template (HCL native syntax specification,
/// "Quoted Templates").
pub(crate) fn quote(text: &str) -> String {
    // The specification does not say which `$` of `$$${` is the escape.
    let text = double_quoted(text).replace("$${", r"\u0024${").replace("%%{", r"\u0025%{");
    text.replace("${", "$${").replace("%{", "%%{")
}

/// A list of strings.
pub(crate) fn list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| quote(text)).collect::<Vec<_>>().join(", "))
}

/// One line for each attribute, with the equals signs aligned.
pub(crate) fn aligned<N: AsRef<str>>(indent: &str, attributes: &[(N, String)]) -> String {
    let width = attributes.iter().map(|(name, _)| name.as_ref().chars().count()).max().unwrap_or(0);
    attributes.iter().fold(String::new(), |mut lines, (name, value)| {
        let _ = writeln!(lines, "{indent}{:width$} = {value}", name.as_ref());
        lines
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Without the escapes of templates, the quoted string is JSON.
        #[test]
        fn quoted_strings_round_trip(text in prop_oneof![any::<String>(), "[$%{}\"\\\\\na]{0,12}", "[$%{]{0,8}"]) {
            let quoted = quote(&text);
            prop_assert!(!["$$${", "%%%{"].iter().any(|odd| quoted.contains(odd)), "{}", quoted);
            let (mut json, mut rest) = (String::new(), quoted.as_str());
            while let Some(c) = rest.chars().next() {
                prop_assert!(!rest.starts_with("${") && !rest.starts_with("%{"), "{}", quoted);
                let escape = rest.starts_with("$${") || rest.starts_with("%%{");
                let taken = if escape { &rest[1..3] } else { &rest[..c.len_utf8()] };
                json.push_str(taken);
                rest = &rest[if escape { 3 } else { taken.len() }..];
            }
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
