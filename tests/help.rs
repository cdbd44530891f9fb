//! Every help page is a file: a change of wording is seen in review.

use snapbox::assert_data_eq;

use crate::support::Gp;

#[track_caller]
fn page(line: &str, name: &str) {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/snapshots/help/{name}.txt"));
    assert_data_eq!(Gp::new().line(line).run().success(), snapbox::Data::read_from(&path, None));
}

#[test]
fn help_pages() {
    page("--help", "gp");
    page("idp --help", "idp");
    page("idp token --help", "idp-token");
    page("idp decode --help", "idp-decode");
    page("idp verify --help", "idp-verify");
    page("idp dev --help", "idp-dev");
    page("idp login kubernetes --help", "idp-login-kubernetes");
    page("idp login-kubernetes --help", "idp-login-kubernetes-alias");
    page("completion --help", "completion");
}

#[test]
fn every_command_has_a_help_page_here() {
    let mut expected = 0;
    let mut todo = vec![<gp_idp::cli::Cli as clap::CommandFactory>::command()];
    while let Some(command) = todo.pop() {
        expected += 1;
        todo.extend(command.get_subcommands().cloned());
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/help");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), expected);
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
