//! `gp completion`: the script that completes our own commands, and in bash, zsh and fish those of the program that
//! everything else is handed to.

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
        // The function that the shell calls asks the next program as well.
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

/// The script with `wrapper`, which has a function `_gp` of its own, before the last part: that makes the shell call `_gp`.
fn wrapped(script: &str, last_part: &str, wrapper: &str) -> String {
    let at = script.rfind(last_part).unwrap_or(script.len());
    let (functions, registration) = script.split_at(at);
    functions.replacen("_gp() {", "_gp_own() {", 1) + &with_own_commands(wrapper) + registration
}

/// The text with the names of our own commands in place of `OWN`.
fn with_own_commands(text: &str) -> String {
    let names: Vec<String> = Cli::command().get_subcommands().map(|own| own.get_name().to_owned()).collect();
    text.replace("OWN", &names.join("|"))
}
