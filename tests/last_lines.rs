//! Many SDKs show only the last stderr line of a failed credential helper, so that line has to be
//! clear by itself.

use std::fs;
use std::path::Path;

/// The messages of all snapshots in a folder: each follows a line that begins with `## ` or `== `.
fn messages(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(folder);
    let mut messages = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        for line in fs::read_to_string(&path).unwrap().lines() {
            if let Some(name) = line.strip_prefix("## ").or_else(|| line.strip_prefix("== ")) {
                messages.push((format!("{}: {name}", path.display()), String::new()));
            } else if let Some((_, text)) = messages.last_mut() {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    messages
}

/// Why a line is not clear by itself. `None` if it is.
fn unclear_because(line: &str) -> Option<&'static str> {
    let labels = ["hint: ", "error: ", "  caused by: "];
    let Some(text) = labels.iter().find_map(|label| line.strip_prefix(label)) else {
        return Some("it is neither a hint nor a cause: a claim, an id or a part of a policy, perhaps");
    };
    if text.matches('`').count() % 2 == 1 {
        return Some("a command or a name in it is not complete");
    }
    for (open, close) in [('{', '}'), ('[', ']'), ('(', ')')] {
        if text.matches(open).count() != text.matches(close).count() {
            return Some("a bracket is not closed: it is a part of something");
        }
    }
    if text.starts_with(['{', '"', '[']) && !text.starts_with("[API]") {
        return Some("it begins like JSON");
    }
    if text.ends_with([',', ';', ':', '{', '[', '(', '"']) {
        return Some("it does not end where a sentence or a command does");
    }
    // A command is complete without a sentence around it.
    let words = text.split_whitespace().filter(|word| word.bytes().any(|b| b.is_ascii_lowercase())).count();
    (words < 2 || text.len() < 12).then_some("it is no sentence")
}

#[test]
fn the_last_line_of_each_refusal_is_clear_by_itself() {
    let mut count = 0;
    for folder in ["refusals", "azure", "gcp", "faults"] {
        for (name, text) in messages(folder) {
            count += 1;
            let last = text.lines().rfind(|line| !line.is_empty()).unwrap_or_default();
            assert_eq!(unclear_because(last), None, "{name}:\n{text}");
        }
    }
    assert!(count > 300, "only {count} messages");
}

#[test]
fn lines_that_are_not_clear_by_themselves_are_found() {
    for line in [
        "    correlation  00000000-0000-4000-8000-00000000000d",
        "hint: add \"Condition\":{\"StringEquals\":{",
        "hint: `aws iam get-role --role-name",
        "hint: {\"Effect\":\"Allow\"}",
        "hint: compare these:",
        "hint: 00000000-0000-4000-8000-00000000000d",
        "exit 5",
        "",
    ] {
        assert!(unclear_because(line).is_some(), "{line}");
    }
    assert_eq!(unclear_because("hint: check `--scopes` and `--lifetime`"), None);
    assert_eq!(unclear_because("  caused by: https://x redirects to https://y (HTTP 302)"), None);
}
