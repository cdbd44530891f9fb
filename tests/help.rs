//! Every help page is a file: a change of wording is seen in review.

use std::path::{Path, PathBuf};
use std::{env, fs};

use snapbox::assert_data_eq;

use crate::support::Gp;

/// The paths of all commands, as words behind `gp`.
fn commands() -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut tree = <gp_idp::cli::Cli as clap::CommandFactory>::command();
    // Arguments, and commands among them, are otherwise defined when they are used.
    tree.build();
    let mut todo = vec![(Vec::new(), tree)];
    while let Some((path, command)) = todo.pop() {
        for below in command.get_subcommands() {
            let path = path.iter().cloned().chain([below.get_name().to_owned()]).collect();
            todo.push((path, below.clone()));
        }
        found.push(path);
    }
    found
}

fn file_of(path: &[String]) -> PathBuf {
    let name = if path.is_empty() { "gp".to_owned() } else { path.join("_") };
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/snapshots/help/{name}.txt"))
}

#[test]
fn every_command_has_its_help_page() {
    for path in commands() {
        let page = file_of(&path);
        if env::var_os("SNAPSHOTS").is_some() && !page.exists() {
            fs::write(&page, "").unwrap();
        }
        let text = path.iter().fold(Gp::new(), Gp::arg).arg("--help").run().success();
        assert_data_eq!(text, snapbox::Data::read_from(&page, None));
    }
}

#[test]
fn no_page_is_of_a_command_that_is_gone() {
    let expected: Vec<PathBuf> = commands().iter().map(|path| file_of(path)).collect();
    for entry in fs::read_dir(file_of(&[]).parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        assert!(expected.contains(&path), "{}", path.display());
    }
}

#[test]
fn every_command_that_does_something_ends_with_examples() {
    for path in commands() {
        let text = fs::read_to_string(file_of(&path)).unwrap();
        assert!(text.contains("\nCommands:") || text.contains("\nExamples:"), "{path:?}");
    }
}

#[test]
fn no_arguments_print_the_help_and_fail() {
    for line in ["", "idp"] {
        let ran = Gp::new().line(line).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
        assert!(ran.stderr.contains("Usage: gp"), "{}", ran.stderr);
    }
}

#[test]
fn version() {
    assert_eq!(Gp::new().line("--version").run().success(), concat!("gp ", env!("CARGO_PKG_VERSION"), "\n"));
}
