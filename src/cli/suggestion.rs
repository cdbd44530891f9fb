//! Adds suggestions to clap's errors, and sanitises them.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};

use super::pflag::{command_tree, flag_of, split_at_dashes};
use crate::output::sanitise;
use crate::shell;

/// Adds a suggestion of what the user probably meant.
pub fn suggest(error: &mut Error, args: &[OsString]) {
    let (own, behind) = split_at_dashes(args);
    let tree = command_tree();
    let (mut command, mut depth) = (&tree, 1);
    while let Some(word) = own.get(depth) {
        // A flag of the command above, as in `gp idp --quiet token`.
        if command.has_subcommands()
            && let Some((_, words)) = flag_of(word, command)
        {
            depth += words;
        } else if let Some(below) = command.find_subcommand(word) {
            (command, depth) = (below, depth + 1);
        } else {
            break;
        }
    }
    let depth = depth.min(own.len());
    let runs_a_command = command.get_positionals().any(Arg::is_last_set);
    let invalid = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(word)) => word.clone(),
        _ => String::new(),
    };
    let stray = own.iter().skip(depth).position(|own| own == &*invalid).filter(|_| !invalid.starts_with('-'));
    let tip = match (error.kind(), behind) {
        (ErrorKind::UnknownArgument, _) if invalid == "--version" => {
            error.remove(ContextKind::SuggestedArg);
            Some("`gp --version` prints the version".to_owned())
        }
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
        (ErrorKind::UnknownArgument, _)
            if invalid == "--check" && depth > 3 && own.get(2).is_some_and(|verb| verb == "trust") =>
        {
            let doctor = shell::command(&["gp", "idp", "doctor", command.get_name()]);
            Some(format!("`{doctor}` shows why the setup refuses the token"))
        }
        (ErrorKind::MissingRequiredArgument, []) if runs_a_command => {
            Some("the command to run comes after `--`: `-- CMD ARG…`".to_owned())
        }
        (ErrorKind::InvalidSubcommand, _) => {
            let names = command.get_subcommands().filter(|below| !below.is_hide_set()).map(Command::get_name);
            let names: Vec<_> = names.collect();
            Some(match (depth, names.as_slice()) {
                (2, _) => format!("the commands are {}", names.join(", ")),
                (_, [name]) => format!("the only target is {name}"),
                _ => format!("the targets are {}", names.join(", ")),
            })
        }
        (ErrorKind::MissingRequiredArgument, _) => needed_by(error, command, &own[..depth], &own[depth..])
            .or_else(|| first_example(command).map(|line| format!("for example `{line}`"))),
        _ => None,
    };
    if let Some(tip) = tip {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
}

/// Names the given options that need the option that is missing. clap does not report them, so each option is parsed
/// alone, after the words `names` of the command.
fn needed_by(error: &Error, command: &Command, names: &[OsString], given: &[OsString]) -> Option<String> {
    let missing_with = |words: &[OsString]| {
        let parsed = command_tree().try_get_matches_from(names.iter().chain(words));
        parsed.err().map_or_else(Vec::new, |error| missing_arguments(&error).to_vec())
    };
    let always = missing_with(&[]);
    let missing = missing_arguments(error).iter().find(|missing| !always.contains(missing))?;
    let mut options = Vec::new();
    for (at, word) in given.iter().enumerate() {
        let Some((arg, words)) = flag_of(word, command) else { continue };
        let option = format!("`--{}`", arg.get_long()?);
        if !options.contains(&option) && missing_with(given.get(at..at + words)?).contains(missing) {
            options.push(option);
        }
    }
    let verb = if let [_] = options[..] { "needs" } else { "need" };
    (!options.is_empty()).then(|| format!("{} {verb} `{missing}`", options.join(" and ")))
}

/// The arguments that clap reports as missing.
fn missing_arguments(error: &Error) -> &[String] {
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::Strings(missing)) => missing,
        _ => &[],
    }
}

/// The first example of a help page, on one line.
fn first_example(command: &Command) -> Option<String> {
    let help = command.get_after_help()?.to_string();
    let mut lines = help.split_once("Examples:\n")?.1.lines().map(str::trim);
    let mut example = lines.next()?.to_owned();
    while let Some(line) = example.strip_suffix('\\').map(str::to_owned) {
        example = line + lines.next()?;
    }
    (!example.ends_with('|')).then_some(example)
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
