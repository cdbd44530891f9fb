//! A failure as one line of JSON on stderr, for programs (docs/errors.md, docs/error.schema.json).

use std::iter;

use serde::Serialize;

use super::{Failure, Step, shortened};
use crate::context::Context;
use crate::exit::Exit;
use crate::output::sanitise;
use crate::shell;

/// The programs that hints suggest to run.
const PROGRAMS: [&str; 10] =
    ["aws", "az", "bao", "chmod", "date", "gcloud", "gp", "iconv", "kubectl", "vault"];

#[derive(Serialize)]
struct Object<'a> {
    level: &'static str,
    exit: u8,
    kind: &'static str,
    target: Option<&'a str>,
    /// The source of ID tokens that failed, unless it is the default one.
    source: Option<&'static str>,
    step: Step,
    message: String,
    causes: Vec<String>,
    hints: Vec<Hint>,
    judged: Vec<Claim>,
    retryable: bool,
    http_status: Option<u16>,
    request_id: Option<String>,
}

#[derive(Serialize)]
struct Hint {
    text: String,
    /// The commands in `text`, each as a list of arguments.
    commands: Vec<Vec<String>>,
}

#[derive(Serialize)]
struct Claim {
    name: &'static str,
    value: String,
}

/// The JSON object. `code` is the exit code of the process.
pub(super) fn render(failure: &Failure, code: u8, ctx: &Context) -> String {
    let out = &ctx.out;
    let shown = |text: &str| shortened(&out.for_people(&sanitise(text)));
    let mut lines = failure.lines().into_iter().map(|line| shown(&line));
    let message = lines.next().unwrap_or_default();
    let hint = failure.hint_for(ctx).unwrap_or_default();
    let hints = hint.lines().map(|line| {
        let text = shown(line);
        Hint { commands: commands(&text), text }
    });
    let mut judged: Vec<Claim> = Vec::new();
    for (name, value) in failure.cause.details() {
        match judged.last_mut() {
            // Only the first line of a value has a name.
            Some(claim) if name.is_empty() => {
                claim.value.push('\n');
                claim.value.push_str(&shown(&value));
            }
            _ => judged.push(Claim { name, value: shown(&value) }),
        }
    }
    // The latest reply has nothing to do with a local failure.
    let exit = failure.exit();
    let remote = matches!(exit, Exit::NoIdentity | Exit::MintRefused | Exit::TargetRefused | Exit::Network);
    let reply = out.latest_reply().filter(|_| remote);
    let object = Object {
        level: "error",
        exit: code,
        kind: exit.kind(),
        target: ctx.target(),
        source: failure.source.map(|source| source.name),
        step: failure.step(),
        message,
        causes: lines.collect(),
        hints: hints.collect(),
        judged,
        retryable: failure.is_transient(),
        http_status: reply.as_ref().map(|reply| reply.status),
        request_id: reply.and_then(|reply| reply.request_id).map(|id| shown(&id)),
    };
    // Strings, numbers and lists of them cannot fail.
    serde_json::to_string(&object).unwrap_or_default()
}

/// The commands between backticks that can run as they are: without a shell, and without a
/// placeholder such as `FILE`. An example is not the fix.
fn commands(text: &str) -> Vec<Vec<String>> {
    if text.starts_with("tip: for example ") {
        return Vec::new();
    }
    let is_placeholder =
        |word: &String| word.len() > 1 && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    let mut parts = text.split('`');
    // Every second part is between backticks.
    let quoted = iter::from_fn(|| {
        parts.next()?;
        parts.next()
    });
    let words = quoted.filter_map(shell::words);
    // A single word is the name of a program in a sentence.
    let words = words.filter(|words| words.len() > 1 && !words.iter().any(is_placeholder));
    words.filter(|words| words.first().is_some_and(|first| PROGRAMS.contains(&first.as_str()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_a_hint_are_argument_lists() {
        let hint = "set `A_B`, run `gp idp token --audience 'a b'`, or `chmod 600 x` and `iconv a > b`; add `--force`";
        let expected = [vec!["gp", "idp", "token", "--audience", "a b"], vec!["chmod", "600", "x"]];
        assert_eq!(commands(hint), expected);
        assert_eq!(commands("run `gp idp trust aws --check FILE`"), Vec::<Vec<String>>::new());
        assert_eq!(commands("tip: for example `gp idp token --audience a`"), Vec::<Vec<String>>::new());
        assert_eq!(commands("nothing here, `unclosed"), Vec::<Vec<String>>::new());
    }
}
