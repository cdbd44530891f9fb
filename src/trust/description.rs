//! Describes in words which tokens a rule accepts.

use super::{Identity, Kind, Rule, is_address};

/// One sentence, and a second one if the consequence is not obvious.
pub(crate) fn describe_access(rule: &Rule, identity: &Identity) -> Vec<String> {
    let (issuer, noun) = (&identity.issuer, identity.kind().noun());
    let is_workspace = identity.kind() == Kind::Workspace;
    let mut lines = vec![match rule {
        Rule::Equals { claim: "sub", value } if value == "no-context" => {
            format!("every workspace of {issuer} that was opened on no repository, whoever opened it")
        }
        Rule::Equals { claim: "sub", value } => {
            let whoever = if is_workspace { ", whoever opened them" } else { "" };
            format!("the {noun}s of {issuer} whose `sub` is exactly {value}{whoever}")
        }
        Rule::Equals { claim, value } if is_workspace => {
            format!("every workspace of {issuer} whose `{claim}` is {value}, on any repository or on none")
        }
        Rule::Equals { claim, value } => format!("every {noun} of {issuer} whose `{claim}` is {value}"),
        Rule::InRepository { base, .. } if is_workspace => {
            format!(
                "every workspace of {issuer} on {base}, on any branch, issue or pull request of it, whoever opened it"
            )
        }
        Rule::InRepository { base, .. } if identity.kind() == Kind::Environment => {
            format!(
                "every environment of {issuer} whose `sub` is {base} or begins with {base} and a separator"
            )
        }
        Rule::InRepository { base, .. } => {
            format!(
                "every {noun} of {issuer} on {base}, on any branch, tag, environment or pull request of it"
            )
        }
        Rule::HasPrefix { prefix, .. } if is_workspace => {
            format!("every workspace of {issuer} on any repository below {prefix}, whoever opened it")
        }
        Rule::HasPrefix { prefix, .. } => {
            format!("every {noun} of {issuer} whose `sub` begins with {prefix}")
        }
        Rule::Any if is_workspace => {
            format!("every workspace of {issuer}, of every user and on every repository")
        }
        Rule::Any => {
            format!("every {noun} of {issuer}, in every organisation that uses it and on every repository")
        }
    }];
    let explanation = match identity.kind() {
        Kind::Workspace => {
            "Everyone who can read a repository can open a workspace on it: every user of the installation, if it is public."
        }
        Kind::Other => "",
        Kind::Environment => "Everyone who can start an environment of the project gets access.",
        Kind::Job => {
            "Everyone who can push a branch can run a job on it: `--for this-subject` gives access only to this branch, environment or pull request."
        }
    };
    let needs_explanation = match rule {
        Rule::InRepository { .. } | Rule::HasPrefix { .. } => true,
        Rule::Equals { claim, value } => is_workspace && *claim == "sub" && is_address(value),
        Rule::Any => false,
    };
    lines.extend(Some(explanation.to_owned()).filter(|text| needs_explanation && !text.is_empty()));
    lines
}

/// The warning about a rule that accepts more than users expect.
pub(crate) fn too_broad_warning(rule: &Rule, identity: &Identity) -> Option<String> {
    let narrower = if identity.kind() == Kind::Workspace { "this-user" } else { "this-repository" };
    let wide = match rule {
        Rule::Any => true,
        Rule::Equals { claim, value } => *claim == "sub" && value == "no-context",
        Rule::InRepository { .. } | Rule::HasPrefix { .. } => false,
    };
    let everyone = describe_access(rule, identity).swap_remove(0);
    wide.then(|| format!("this accepts {everyone}; `--for {narrower}` accepts fewer"))
}
