//! `gp idp exec token`

use crate::args::token::ExecTokenArgs;
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exec::{self, Environment};
use crate::renew::warn_of_clock;
use crate::secret::Secret;
use crate::session::Session;
use crate::source::TokenRequest;

/// Replaces this process with the command, with a fresh ID token in its environment.
pub(super) async fn run(args: &ExecTokenArgs, ctx: &Context) -> Result<u8, Failure> {
    let wanted = TokenRequest { audiences: args.audience.clone(), scope: args.scope.get() };
    let session = Session::open(ctx, &args.session.options()).could_not(|| wanted.action())?;
    let token = session.id_token(&wanted).await?;
    warn_of_clock(&token, ctx);
    let token = Secret::new(token.reveal().to_owned());
    let environment = Environment::without(&[])
        .unset(session.dropped(args.child.drop_source))
        .with([(args.variable.as_str(), token)]);
    exec::exec_command(&args.child.command, &environment, &session.hand_over(), ctx)
}
