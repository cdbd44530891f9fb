//! `gp completion`

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::context::Context;
use crate::error::Failure;

pub(super) fn run(shell: Shell, ctx: &Context) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "gp", &mut script);
    ctx.out.data(&String::from_utf8_lossy(&script))?;
    Ok(())
}
