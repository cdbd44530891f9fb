//! Describes who gets access through a setup.

use super::{Identity, Kind, Rule, describe_access, too_broad_warning};
use crate::context::Context;
use crate::error::Failure;
use crate::exit::Exit;
use crate::output::sanitise;
use crate::shell;

/// The command line of the login that follows the setup.
pub(crate) struct LoginCommand(Vec<String>);

impl LoginCommand {
    pub(crate) fn new(target: &str) -> Self {
        Self(["gp", "idp", "login", target].map(str::to_owned).into())
    }

    pub(crate) fn option(mut self, flag: &str, value: &str) -> Self {
        if value.starts_with('-') {
            // A separate word would be read as a flag.
            self.0.push(format!("{flag}={value}"));
        } else {
            self.0.extend([flag.to_owned(), value.to_owned()]);
        }
        self
    }

    /// Adds the audiences, unless there is only `usual`, the default of the login.
    pub(crate) fn audiences(self, audiences: &[String], usual: &str) -> Self {
        let given = audiences.iter().filter(|_| audiences != [usual]);
        given.fold(self, |login, audience| login.option("--audience", audience))
    }
}

/// Who gets access through a setup, and the command that follows it.
pub(crate) struct AccessSummary {
    lines: Vec<String>,
    target: String,
    warning: Option<String>,
    /// The command to run after the setup.
    next_command: String,
    /// `, in the workspace`
    location: String,
}

impl AccessSummary {
    /// Describes the access that `rule` gives to `target`.
    pub(crate) fn new(identity: &Identity, rule: &Rule, target: &str, login: &LoginCommand) -> Self {
        Self {
            lines: describe_access(rule, identity),
            target: target.to_owned(),
            warning: too_broad_warning(rule, identity),
            next_command: sanitise(&shell::command(&login.0)),
            location: match identity.kind() {
                Kind::Other => String::new(),
                kind => format!(", in the {}", kind.noun()),
            },
        }
    }

    /// The lines of the comment above the setup.
    pub(crate) fn head(&self) -> Vec<String> {
        let mut head = vec![format!("Access to {}: {}.", self.target, self.lines[0])];
        head.extend(self.lines[1..].iter().cloned());
        head
    }

    /// Prints the setup with the summary in its comments.
    pub(crate) fn print_with_comments(
        &self,
        text: impl FnOnce(&[String]) -> String,
        ctx: &Context,
    ) -> Result<Exit, Failure> {
        self.warn(ctx);
        let Self { next_command, location, .. } = self;
        ctx.out.data(&format!("{}\n# Then{location}:\n#   {next_command}\n", text(&self.head())))?;
        Ok(Exit::Done)
    }

    /// Prints a setup that cannot have comments, and the summary on stderr.
    pub(crate) fn print_with_notes(&self, text: &str, ctx: &Context) -> Result<Exit, Failure> {
        self.warn(ctx);
        ctx.out.json_text(text)?;
        for line in self.head() {
            ctx.out.note(format!("note: {line}"));
        }
        ctx.out.note(format!("note: Then{}: `{}`", self.location, self.next_command));
        Ok(Exit::Done)
    }

    fn warn(&self, ctx: &Context) {
        if let Some(warning) = &self.warning {
            ctx.out.warn(warning);
        }
    }
}
