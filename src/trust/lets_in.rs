//! What a rule lets in, in words.

use super::Rule;

/// One sentence, and one more where it is not plain what that means.
pub(crate) fn lets_in(rule: &Rule, issuer: &str) -> Vec<String> {
    let whoever =
        "Whoever can read a repository can open it: a public one lets in every user of the installation.";
    let mut lines = vec![match rule {
        Rule::Equals { claim: "sub", value } if value == "no-context" => {
            format!("every workspace of {issuer} that was opened on no repository, whoever opened it")
        }
        Rule::Equals { claim: "sub", value } => {
            format!("the workspaces of {issuer} whose `sub` is exactly {value}, whoever opened them")
        }
        Rule::Equals { claim, value } => {
            format!("every workspace of {issuer} whose `{claim}` is {value}, whatever it was opened on")
        }
        Rule::Under { base, .. } => {
            format!(
                "every workspace of {issuer} on {base}, on any branch, issue or pull request of it, whoever opened it"
            )
        }
        Rule::Below { prefix, .. } => {
            format!("every workspace of {issuer} on any repository below {prefix}, whoever opened it")
        }
        Rule::Any => format!("every workspace of {issuer}, of every user and on every repository"),
    }];
    match rule {
        Rule::Under { .. } | Rule::Below { .. } => lines.push(whoever.to_owned()),
        Rule::Equals { claim: "sub", value } if super::is_address(value) => lines.push(whoever.to_owned()),
        _ => {}
    }
    lines
}

/// What is to be said aloud of a rule that lets in more than one expects.
pub(crate) fn too_wide(rule: &Rule, issuer: &str) -> Option<String> {
    let wide = match rule {
        Rule::Any => true,
        Rule::Equals { claim, value } => *claim == "sub" && value == "no-context",
        Rule::Under { .. } | Rule::Below { .. } => false,
    };
    let everyone = lets_in(rule, issuer).swap_remove(0);
    wide.then(|| format!("this lets in {everyone}; `--for this-user` is narrower"))
}
