//! `gp completion`: the script that completes the commands of this program. In bash, zsh and fish,
//! it also completes the commands of the next `gp` on PATH.

use clap::{CommandFactory, ValueEnum};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::context::Context;
use crate::error::Failure;

pub(super) fn run(shell: Shell, ctx: &Context) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "gp", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let script = match shell {
        // The function that the shell calls also asks the next program.
        Shell::Bash => {
            wrapped(&script, "\nif [[ \"${BASH_VERSINFO[0]}\" -eq 4", include_str!("completion/next.bash"))
        }
        Shell::Zsh => wrapped(&script, "\nif [ \"$funcstack[1]\"", include_str!("completion/next.zsh")),
        // clap_complete gives fish the values of options, but not those of arguments.
        Shell::Fish => {
            let shells: Vec<String> = Shell::value_variants().iter().map(Shell::to_string).collect();
            let shells = shells.join(" ");
            script
                + &format!("complete -c gp -n \"__fish_gp_using_subcommand completion\" -f -a \"{shells}\"\n")
                + &with_own_commands(include_str!("completion/next.fish"))
        }
        _ => script,
    };
    ctx.out.data(&script)?;
    Ok(())
}

/// Inserts `wrapper` before the last part of the script, which makes the shell call `_gp`. The
/// wrapper has its own `_gp`, so the original function is renamed to `_gp_own`.
fn wrapped(script: &str, last_part: &str, wrapper: &str) -> String {
    let at = script.rfind(last_part).unwrap_or(script.len());
    let (functions, registration) = script.split_at(at);
    functions.replacen("_gp() {", "_gp_own() {", 1) + &with_own_commands(wrapper) + registration
}

/// Replaces `OWN` with the names of the commands of this program.
fn with_own_commands(text: &str) -> String {
    let names: Vec<String> = Cli::command().get_subcommands().map(|own| own.get_name().to_owned()).collect();
    text.replace("OWN", &names.join("|"))
}
