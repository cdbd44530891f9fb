//! How a failure is described: an exit code, one line that names target and action, causes, a hint.
//!
//! Each module has its own error enum. Every error enum implements [`Explain`], so the compiler
//! requires an exit code for each new error. [`Failure`] carries an error through `verbs` up to
//! `run`, as `anyhow::Error` does, but keeps the exit code and the hint.

mod json;

use std::error::Error as StdError;
use std::fmt::{self, Write as _};
use std::time::Duration;

use serde::Serialize;

use crate::context::{Caller, Context};
use crate::exit::{Exit, Explain};
use crate::http::{HttpError, UnexpectedReply};
use crate::output::{Paint, sanitise};
use crate::time::{self, DEFAULT_TIMEOUT};

/// An error with its context, to be reported by [`Failure::report`].
#[derive(Debug)]
pub struct Failure {
    action: Option<String>,
    /// The source of ID tokens that failed.
    source: Option<FailedSource>,
    step: Option<Step>,
    cause: Box<dyn Explain>,
}

/// Where a command failed, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Reading arguments, variables, and the files they name.
    Settings,
    /// Getting an ID token.
    Mint,
    /// Exchanging it for a credential.
    Exchange,
    /// Printing or writing the token or credential, or passing it to a command.
    HandOver,
    /// Another request.
    Request,
    /// Reading or writing another file.
    File,
    /// Anything else.
    Run,
}

impl<E: Explain> From<E> for Failure {
    fn from(cause: E) -> Self {
        Self { action: None, source: None, step: None, cause: Box::new(cause) }
    }
}

/// The source of ID tokens that a failure comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FailedSource {
    /// Its name for `--source`.
    pub(crate) name: &'static str,
    /// The flag or variable that selects it; `None` if `auto` found it.
    pub(crate) chosen: Option<&'static str>,
}

/// Adds the failed action or step to an error.
pub trait CouldNot<T> {
    /// Names the failed action: `could_not(|| "mint an ID token for `x`".into())`.
    fn could_not(self, action: impl FnOnce() -> String) -> Result<T, Failure>;

    /// Records the failed step.
    fn at(self, step: Step) -> Result<T, Failure>;
}

impl<T, E: Into<Failure>> CouldNot<T> for Result<T, E> {
    fn could_not(self, action: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| {
            let failure = error.into();
            // The innermost action is the most specific one.
            Failure { action: Some(failure.action.unwrap_or_else(action)), ..failure }
        })
    }

    fn at(self, step: Step) -> Result<T, Failure> {
        self.map_err(|error| {
            let failure = error.into();
            // The innermost step is the most specific one.
            Failure { step: Some(failure.step.unwrap_or(step)), ..failure }
        })
    }
}

impl Failure {
    /// The exit code for the process.
    pub fn exit(&self) -> Exit {
        self.cause.exit()
    }

    /// The error and its sources, outermost first.
    pub fn causes(&self) -> Vec<String> {
        let mut lines = vec![self.cause.to_string()];
        let mut source = self.cause.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            // Some libraries repeat their source's text in their own, so repeated text is dropped.
            if !lines.iter().any(|line| line.contains(&text)) {
                lines.push(text);
            }
            source = cause.source();
        }
        lines
    }

    pub fn details(&self) -> Vec<(&'static str, String)> {
        let shown = |source: &FailedSource| {
            let how = source
                .chosen
                .map_or(", which `auto` found".to_owned(), |setting| format!(", set by `{setting}`"));
            ("source", format!("`{}`{how}", source.name))
        };
        self.source.iter().map(shown).chain(self.cause.details()).collect()
    }

    /// Adds the source of ID tokens that failed; `None` for the default source.
    pub(crate) fn with_source(self, source: impl FnOnce() -> Option<FailedSource>) -> Self {
        Self { source: source(), ..self }
    }

    pub fn hint(&self) -> Option<String> {
        self.cause.hint()
    }

    /// The step at which it failed; derived from the exit code if none was recorded.
    pub fn step(&self) -> Step {
        self.step.unwrap_or(match self.exit() {
            Exit::Usage => Step::Settings,
            Exit::NoIdentity | Exit::MintRefused => Step::Mint,
            Exit::TargetRefused => Step::Exchange,
            Exit::Network => Step::Request,
            Exit::LocalFile => Step::File,
            Exit::Done | Exit::Failed => Step::Run,
        })
    }

    /// Whether the same command may succeed later: the service or network failed temporarily.
    pub fn is_transient(&self) -> bool {
        let mut cause: Option<&(dyn StdError + 'static)> = Some(&*self.cause);
        while let Some(found) = cause {
            let fault = found.downcast_ref::<HttpError>();
            if found.is::<UnexpectedReply>() || fault.is_some_and(|fault| !fault.is_transient()) {
                return false;
            }
            cause = found.source();
        }
        self.exit() == Exit::Network
    }

    /// The hint, adapted to the caller: which timeout helps, and where to add a flag.
    fn hint_for(&self, ctx: &Context) -> Option<String> {
        let hint = self.hint()?;
        let hint = with_useful_timeout(&hint, ctx.caller(), ctx.given_timeout());
        Some(match ctx.caller() {
            Some(caller) if hint.contains("`--") => {
                format!("{hint}\nif you use the flag, write it into {}", caller.command_line_setting())
            }
            _ => hint,
        })
    }

    /// Prints the failure on stderr. For `kubectl` it is one line, because `kubectl` runs a plugin
    /// several times and shows each failure.
    pub fn report(&self, ctx: &Context) {
        self.report_as(self.exit() as u8, ctx);
    }

    /// As [`Failure::report`], for a process that ends with the exit code `code`.
    pub(crate) fn report_as(&self, code: u8, ctx: &Context) {
        let out = &ctx.out;
        ctx.shorten_input();
        match ctx.caller() {
            _ if out.has_json_lines() => out.write_raw(&format!("{}\n", json::render(self, code, ctx))),
            Some(Caller::Kubectl) => {
                out.error(&format!("{} {}\n", out.paint_stderr().error("error:"), self.on_one_line(ctx)));
            }
            _ => out.error(&self.render(out.paint_stderr(), ctx)),
        }
    }

    /// The failed action and its causes.
    fn lines(&self) -> Vec<String> {
        let action = self.action.iter().map(|action| format!("could not {action}"));
        action.chain(self.causes()).collect()
    }

    /// The lines for stderr, each with a line break. `ctx` has the secrets and the caller.
    pub fn render(&self, paint: Paint, ctx: &Context) -> String {
        let shown = |line: &str| shortened(&ctx.out.redact(&sanitise(line)));
        let mut text = String::new();
        for (index, line) in self.lines().iter().enumerate() {
            let label =
                if index == 0 { paint.error("error:") } else { format!("  {}", paint.error("caused by:")) };
            let _ = writeln!(text, "{label} {}", shown(line));
        }
        let details = self.details();
        let width = details.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in details {
            let _ = writeln!(text, "    {name:width$}  {}", shown(&value));
        }
        if let Some(hint) = self.hint_for(ctx) {
            // SDKs show only the last line of a helper's stderr.
            let lines: Vec<String> = hint.lines().map(shown).collect();
            let lines = if ctx.caller().is_some() { vec![lines.join("; ")] } else { lines };
            for line in lines {
                let _ = writeln!(text, "{} {line}", paint.hint("hint:"));
            }
        }
        text
    }

    /// As [`Failure::render`], but on one line and without labels.
    pub(crate) fn on_one_line(&self, ctx: &Context) -> String {
        let text = self.render(Paint(false), ctx);
        let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
        let text = text.replace("\n  caused by: ", ": ").replace("\nhint: ", "; hint: ");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// The beginning of the advice to use a longer timeout.
const MORE_TIME: &str = "give it more time with `--timeout ";

/// The part of a hint that suggests the timeout `limit`.
pub(crate) fn more_time(limit: &str) -> String {
    format!("{MORE_TIME}{limit}`")
}

/// Corrects the timeout that a hint suggests: longer than the current one, and not longer than the
/// caller waits. If no such timeout exists, the hint suggests to try again.
fn with_useful_timeout(hint: &str, caller: Option<Caller>, given: Option<Duration>) -> String {
    let Some((before, rest)) = hint.split_once(MORE_TIME) else { return hint.to_owned() };
    let Some((offered, after)) = rest.split_once('`') else { return hint.to_owned() };
    let enough = time::parse_time_limit(offered).unwrap_or_default();
    let enough = given.map_or(enough, |given| if given < enough { enough } else { given.saturating_mul(2) });
    let most = caller.map_or(Duration::MAX, Caller::longest_timeout);
    let limit = most.min(enough);
    if limit > given.unwrap_or(DEFAULT_TIMEOUT) {
        return format!("{before}{}{after}", more_time(&time::flag(limit)));
    }
    match before.strip_suffix(", or ") {
        // The hint already says when to try again.
        Some(before) => format!("{before}{after}"),
        None => format!("{before}try again in a moment{after}"),
    }
}

/// Truncates a long line. Redact it first, because a part of a secret is not recognised.
pub(crate) fn shortened(line: &str) -> String {
    const LONGEST: usize = 1000;
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}… ({} characters)", &line[..end], line.chars().count()),
        None => line.to_owned(),
    }
}

/// A usage error that clap cannot detect.
#[derive(Debug)]
pub struct UsageError {
    /// What is wrong, with the name of the flag.
    pub message: String,
    pub hint: Option<String>,
}

impl UsageError {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: Some(hint.into()) }
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for UsageError {}

impl Explain for UsageError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_says_where_flags_are_set_if_another_program_runs_the_command() {
        let said = |variables: &[(&str, &str)], line: &[&str], hint: &str| {
            let mut ctx = Context::silent(variables.iter().copied());
            ctx.set_command_line(&line.iter().map(Into::into).collect::<Vec<_>>());
            let error = UsageError { message: "x".into(), hint: Some(hint.into()) };
            let text = Failure::from(error).render(Paint(false), &ctx);
            text.trim_end().split_once('\n').unwrap_or_default().1.to_owned()
        };
        let more = "try again later, or give it more time with `--timeout 2m`";
        let kubectl = [("KUBERNETES_EXEC_INFO", "{}")];
        let google = [("GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE", "x")];
        let typed = ["gp", "idp", "token"];
        assert_eq!(said(&[], &typed, more), format!("hint: {more}"));
        assert_eq!(said(&kubectl, &typed, more), "hint: try again later");
        assert_eq!(
            said(&kubectl, &typed, "give it more time with `--timeout 1m`\notherwise ask"),
            "hint: try again in a moment; otherwise ask"
        );
        assert_eq!(
            said(&kubectl, &typed, "check `--audience`"),
            "hint: check `--audience`; if you use the flag, write it into `exec.args` of the user in the kubeconfig"
        );
        assert_eq!(said(&google, &typed, more), "hint: try again later");
        assert_eq!(
            said(&google, &typed, "check `--audience`"),
            "hint: check `--audience`; if you use the flag, write it into `credential_source.executable.command` of the configuration"
        );
        for process in
            [&["gp", "idp", "login", "aws", "--format=process"][..], &["gp", "--format", "process"]]
        {
            // The SDK for Go kills it after a minute.
            let expected = "hint: try again later, or give it more time with `--timeout 55s`; if you use the flag, write it into `credential_process` of the profile";
            assert_eq!(said(&[], process, more), expected);
            let longest = [process, &["--timeout", "55s"]].concat();
            assert_eq!(said(&[], &longest, more), "hint: try again later");
        }
        // The current timeout is not suggested again.
        for (given, offered) in [("10s", "2m"), ("2m", "4m"), ("90s", "2m"), ("150s", "5m"), ("125s", "250s")]
        {
            let expected = format!("hint: try again later, or give it more time with `--timeout {offered}`");
            assert_eq!(said(&[], &["gp", "idp", "token", "--timeout", given], more), expected, "{given}");
            let joined = format!("--timeout={given}");
            assert_eq!(said(&[], &["gp", "idp", "token", &joined], more), expected, "{given}");
        }
        let behind = ["gp", "idp", "exec", "token", "--", "x", "--timeout", "2m"];
        assert_eq!(said(&[], &behind, more), format!("hint: {more}"));
        assert_eq!(said(&kubectl, &typed, "restart the workspace"), "hint: restart the workspace");
    }
}
