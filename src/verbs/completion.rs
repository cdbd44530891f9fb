//! `gp completion`

use std::fmt::Write as _;

use clap::{CommandFactory, ValueEnum};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::context::Context;
use crate::error::Failure;

pub(super) fn run(shell: Shell, ctx: &Context) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "gp", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if shell == Shell::Fish {
        // clap_complete gives fish the values of options, but not those of arguments.
        let shells: Vec<String> = Shell::value_variants().iter().map(Shell::to_string).collect();
        let shells = shells.join(" ");
        let _ = writeln!(
            script,
            "complete -c gp -n \"__fish_gp_using_subcommand completion\" -f -a \"{shells}\""
        );
    }
    ctx.out.data(&script)?;
    Ok(())
}
