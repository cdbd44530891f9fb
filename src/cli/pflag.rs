//! Rewrites spellings that the flag library of the original `gp` (pflag) accepts and clap does not.
//!
//! - A flag may precede the name of its command: `gp idp login --scope s vault`.
//! - A switch may have a value: `--decode=true`, `--decode=false`.
//! - `gp idp token --gcloud` means `--format gcloud`.
//! - `gp idp help login` means `gp idp login --help`.
//!
//! This module handles only a command line that clap has refused, because it defines the arguments
//! of all commands, which takes longer than most commands run. If a flag is repeated, the last one
//! takes precedence: that is a setting of the command tree.

use std::ffi::{OsStr, OsString};

use clap::{Arg, Command, CommandFactory};

use super::Cli;

/// The command line in clap's spelling; `None` if it has none of these spellings.
pub fn rewritten(args: &[OsString]) -> Option<Vec<OsString>> {
    let (own, behind) = split_at_dashes(args);
    let [program, idp, words @ ..] = own else { return None };
    let tree = command_tree();
    let mut command = tree.find_subcommand(idp).filter(|_| idp == "idp")?;
    let mut words = words.iter();
    let (mut names, mut flags) = (vec![program, idp], Vec::new());
    while command.has_subcommands() {
        let Some(word) = words.next() else { break };
        if word == "help" {
            let help = OsString::from("--help");
            return Some(names.into_iter().chain(words).chain([&help]).cloned().collect());
        }
        let Some(flag) = Flag::read(word) else {
            command = command.find_subcommand(word)?;
            names.push(word);
            continue;
        };
        let own = flag.of(command);
        let arg = own.or_else(|| flag.below(command))?;
        let place = if own.is_some() { &mut names } else { &mut flags };
        place.push(word);
        if takes_value(arg) && !flag.has_value {
            place.push(words.next()?);
        }
    }
    let rest = flags.into_iter().chain(words).filter_map(|word| as_switch(command, word));
    let rewritten: Vec<_> = names.into_iter().cloned().chain(rest).chain(behind.iter().cloned()).collect();
    (rewritten != args).then_some(rewritten)
}

/// The words for this program, and the words from `--` on.
pub(super) fn split_at_dashes(args: &[OsString]) -> (&[OsString], &[OsString]) {
    args.split_at(args.iter().position(|word| word == "--").unwrap_or(args.len()))
}

pub(super) fn command_tree() -> Command {
    let mut tree = Cli::command();
    tree.build();
    tree
}

/// A word that begins with a dash.
struct Flag<'a> {
    long: Option<&'a str>,
    short: Option<char>,
    /// Whether the word also holds the value.
    has_value: bool,
}

impl<'a> Flag<'a> {
    fn read(word: &'a OsStr) -> Option<Self> {
        let text = word.to_str()?.strip_prefix('-').filter(|rest| !rest.is_empty())?;
        let Some(long) = text.strip_prefix('-') else {
            return Some(Self {
                long: None,
                short: text.chars().next(),
                has_value: text.chars().count() > 1,
            });
        };
        let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
        Some(Self { long: Some(name), short: None, has_value: value.is_some() })
    }

    fn is(&self, arg: &Arg) -> bool {
        match self.long {
            Some(_) => arg.get_long() == self.long,
            None => arg.get_short() == self.short,
        }
    }

    fn of<'c>(&self, command: &'c Command) -> Option<&'c Arg> {
        command.get_arguments().find(|arg| self.is(arg))
    }

    fn below<'c>(&self, command: &'c Command) -> Option<&'c Arg> {
        command.get_subcommands().find_map(|below| self.of(below).or_else(|| self.below(below)))
    }
}

/// The flag of `command` that `word` is, and the number of words that the flag takes with its value.
pub(super) fn flag_of<'c>(word: &OsStr, command: &'c Command) -> Option<(&'c Arg, usize)> {
    let flag = Flag::read(word)?;
    let arg = flag.of(command)?;
    Some((arg, if takes_value(arg) && !flag.has_value { 2 } else { 1 }))
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

/// A switch without its value; `None` for a switch that is off. Other words are unchanged.
fn as_switch(command: &Command, word: &OsString) -> Option<OsString> {
    if word == "--gcloud" && command.get_name() == "token" {
        return Some("--format=gcloud".into());
    }
    let is_switch =
        |name: &str| command.get_arguments().any(|arg| arg.get_long() == Some(name) && !takes_value(arg));
    let (name, value) = match word.to_str().and_then(|word| word.strip_prefix("--")?.split_once('=')) {
        Some((name, value)) if is_switch(name) => (name, value),
        _ => return Some(word.clone()),
    };
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(format!("--{name}").into()),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => None,
        _ => Some(word.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_the_original_gp() {
        let cases = [
            ("gp idp login --scope s vault --role r", Some("gp idp login vault --scope s --role r")),
            ("gp idp login --scope=s aws", Some("gp idp login aws --scope=s")),
            ("gp idp login -p prod aws -d 900", Some("gp idp login aws -p prod -d 900")),
            ("gp idp --audience x token", Some("gp idp token --audience x")),
            ("gp idp --quiet login --role r vault", Some("gp idp --quiet login vault --role r")),
            ("gp idp token --audience x --decode=true", Some("gp idp token --audience x --decode")),
            ("gp idp token --audience x --decode=F", Some("gp idp token --audience x")),
            (
                "gp idp --audience x exec token -- a --b=true",
                Some("gp idp exec token --audience x -- a --b=true"),
            ),
            ("gp idp help", Some("gp idp --help")),
            ("gp idp help login aws", Some("gp idp login aws --help")),
            ("gp idp login help", Some("gp idp login --help")),
            ("gp idp token --audience x --gcloud", Some("gp idp token --audience x --format=gcloud")),
            ("gp idp token --audience x --decode=maybe", None),
            ("gp idp token --audience x stray", None),
            ("gp idp login --nonsense x vault", None),
            ("gp idp login --scope s", None),
            ("gp idp login --scope", None),
            ("gp idp doctor --audience x nonsense", None),
            ("gp ports list --json=true", None),
            ("gp", None),
        ];
        let split = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        for (line, expected) in cases {
            assert_eq!(rewritten(&split(line)), expected.map(split), "{line}");
        }
    }
}
