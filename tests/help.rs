//! Every help page has a snapshot file, so that a review shows each change of wording.

use std::path::{Path, PathBuf};
use std::{env, fs};

use snapbox::assert_data_eq;

use crate::support::Gp;

/// The short help of these commands is longer than a screen: one flag is too long to be on the
/// same line as its description.
const LONGER_THAN_A_SCREEN: [&str; 4] = ["idp login gcp", "idp login-gcp", "idp exec gcp", "idp trust gcp"];

/// All commands, as the words after `gp`.
fn commands() -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut tree = <gp_idp::cli::Cli as clap::CommandFactory>::command();
    // Otherwise clap defines arguments and subcommands only when they are used.
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
        // Unfiltered: snapbox would replace a backslash at the end of a line like one in a path.
        assert_data_eq!(text, snapbox::Data::read_from(&page, None).raw());
    }
}

#[test]
fn every_help_page_belongs_to_a_command() {
    let expected: Vec<PathBuf> = commands().iter().map(|path| file_of(path)).collect();
    for entry in fs::read_dir(file_of(&[]).parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        assert!(expected.contains(&path), "{}", path.display());
    }
}

#[test]
fn every_command_without_subcommands_has_examples() {
    for path in commands() {
        let text = fs::read_to_string(file_of(&path)).unwrap();
        assert!(text.contains("\nCommands:") || text.contains("\nExamples:"), "{path:?}");
    }
}

/// The help page on a terminal with so many columns.
fn page(path: &[String], flag: &str, columns: usize) -> String {
    let gp = path.iter().fold(Gp::new(), Gp::arg).arg(flag);
    gp.env("COLUMNS", columns.to_string()).run().success()
}

#[test]
fn pages_fit_a_terminal_of_80_columns() {
    for path in commands() {
        for flag in ["-h", "--help"] {
            let text = page(&path, flag, 80);
            let long: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
            assert!(long.is_empty(), "{path:?} {flag}: {long:#?}");
            // On a wider terminal, lines have 100 columns at most.
            assert!(
                page(&path, flag, 120).lines().all(|line| line.chars().count() <= 100),
                "{path:?} {flag}"
            );
        }
    }
}

#[test]
fn wrapping_splits_no_word_and_leaves_the_examples_as_they_are() {
    let examples = |text: &str| text.split_once("\nExamples:\n").map(|(_, examples)| examples.to_owned());
    for path in commands() {
        let [narrow, wide] = [80, 100].map(|columns| page(&path, "--help", columns));
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&narrow), words(&wide), "{path:?}");
        assert_eq!(examples(&narrow), examples(&wide), "{path:?}");
    }
}

#[test]
fn every_page_has_two_examples() {
    for path in commands() {
        let text = page(&path, "-h", 80);
        let Some((_, examples)) = text.split_once("\nExamples:\n") else { continue };
        // A continuation line is indented further.
        let count =
            examples.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")).count();
        assert!(count >= 2, "{path:?}: {examples}");
    }
}

#[test]
fn the_short_help_fits_on_one_screen() {
    let longer = LONGER_THAN_A_SCREEN.map(str::to_owned);
    for path in commands() {
        // One line is left for the prompt.
        let fits = page(&path, "-h", 80).lines().count() < 24;
        assert_eq!(fits, !longer.contains(&path.join(" ")), "{path:?}");
    }
}

#[test]
fn help_is_a_command_as_well() {
    for (line, same) in [
        ("help", "--help"),
        ("help idp", "idp --help"),
        ("help idp login aws", "idp login aws --help"),
        ("idp help", "idp --help"),
        ("idp help token", "idp token --help"),
        ("idp login help", "idp login --help"),
    ] {
        let [help, page] = [line, same].map(|line| Gp::new().line(line).run().success());
        assert_eq!(help, page, "{line}");
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
