//! Saying what a set-up lets in.

use crate::context::Context;
use crate::diagnose::trust::{Identity, Rule, lets_in, too_wide};
use crate::error::{Exit, Failure};

/// What a set-up lets in, and where that is said.
pub(super) struct Told {
    lines: Vec<String>,
    target: String,
    warning: Option<String>,
}

impl Told {
    /// Of a rule, for a target.
    pub(super) fn new(identity: &Identity, rule: &Rule, target: &str) -> Self {
        Self {
            lines: lets_in(rule, &identity.issuer),
            target: target.to_owned(),
            warning: too_wide(rule, &identity.issuer),
        }
    }

    /// The lines of a comment.
    pub(super) fn head(&self) -> Vec<String> {
        let mut head = vec![format!("Lets into {}: {}.", self.target, self.lines[0])];
        head.extend(self.lines[1..].iter().cloned());
        head
    }

    /// In comments of the set-up itself.
    pub(super) fn within(
        &self,
        text: impl FnOnce(&[String]) -> String,
        ctx: &Context,
    ) -> Result<Exit, Failure> {
        self.warn(ctx);
        ctx.out.data(&text(&self.head()))?;
        Ok(Exit::Done)
    }

    /// Beside a set-up that can have no comments.
    pub(super) fn beside(&self, text: &str, ctx: &Context) -> Result<Exit, Failure> {
        self.warn(ctx);
        ctx.out.data(text)?;
        for line in self.head() {
            ctx.out.note(format!("note: {line}"));
        }
        Ok(Exit::Done)
    }

    fn warn(&self, ctx: &Context) {
        if let Some(warning) = &self.warning {
            ctx.out.warn(warning);
        }
    }
}
