//! Adds suggestions to clap's errors, and sanitises them.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};

use super::pflag::{command_tree, split_at_dashes};
use crate::output::sanitise;
use crate::shell;

/// Adds a suggestion of what the user probably meant.
pub fn suggest(error: &mut Error, args: &[OsString]) {
    let (own, behind) = split_at_dashes(args);
    let tree = command_tree();
    let (mut command, mut depth) = (&tree, 1);
    while let Some(below) = own.get(depth).and_then(|word| command.find_subcommand(word)) {
        (command, depth) = (below, depth + 1);
    }
    let runs_a_command = command.get_positionals().any(Arg::is_last_set);
    let stray = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(word)) if !word.starts_with('-') => {
            own.iter().skip(depth).position(|own| own == &**word)
        }
        _ => None,
    };
    let tip = match (error.kind(), behind) {
        // A space between the dashes and the name of a flag: `login aws -- profile x`.
        (ErrorKind::UnknownArgument, [_, word, ..]) => command
            .get_arguments()
            .filter_map(Arg::get_long)
            .find(|name| word == name)
            .map(|name| format!("did you mean `--{name}`?")),
        (ErrorKind::UnknownArgument, []) if runs_a_command => stray.map(|at| {
            let words: Vec<_> = own[depth + at..].iter().map(|word| word.to_string_lossy()).collect();
            let words: Vec<&str> = words.iter().map(|word| &**word).collect();
            format!("`--` is missing before the command: `-- {}`", shell::command(&words))
        }),
        (ErrorKind::MissingRequiredArgument, []) if runs_a_command => {
            Some("the command to run comes after `--`: `-- CMD ARG…`".to_owned())
        }
        (ErrorKind::InvalidSubcommand, _) => {
            let names = command.get_subcommands().filter(|below| !below.is_hide_set()).map(Command::get_name);
            let what = if depth == 2 { "commands" } else { "targets" };
            Some(format!("the {what} are {}", names.collect::<Vec<_>>().join(", ")))
        }
        _ => None,
    };
    if let Some(tip) = tip {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
}

/// Sanitises clap's message: it repeats the arguments, which must not control the terminal.
pub fn sanitise_error(error: &mut clap::Error, args: &[OsString]) {
    if args.iter().all(|arg| arg.to_str().is_some_and(|arg| sanitise(arg) == arg)) {
        return;
    }
    let clean = |value: &ContextValue| match value {
        ContextValue::String(text) => ContextValue::String(sanitise(text)),
        ContextValue::Strings(texts) => {
            ContextValue::Strings(texts.iter().map(|text| sanitise(text)).collect())
        }
        // Escape sequences of colours look like those of an argument, so the colours are removed.
        ContextValue::StyledStrs(texts) => {
            ContextValue::StyledStrs(texts.iter().map(|text| sanitise(&text.to_string()).into()).collect())
        }
        other => other.clone(),
    };
    let cleaned: Vec<_> = error.context().map(|(kind, value)| (kind, clean(value))).collect();
    for (kind, value) in cleaned {
        error.insert(kind, value);
    }
}
