//! `--source command:CMD`: the input of the command, and the processes that it may leave behind.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::fault::ID_TOKEN;
use crate::support::{Gp, program};

/// A program that runs `script`, as the source of ID tokens.
fn source(gp: Gp, script: &str) -> Gp {
    let mint = gp.home().join("mint");
    program(&mint, format!("#!/bin/sh\n{script}\n"));
    let source = format!("command:{} {{audience}}", mint.display());
    gp.env("IDP_TOKEN_SOURCE", source)
}

fn mint(script: &str) -> Gp {
    source(Gp::new(), script).line("idp token --audience x")
}

#[test]
fn a_command_does_not_run_itself_through_gp() {
    // If the command had the variable, `gp` in it would run it again without end.
    let script = format!("[ -z \"$IDP_TOKEN_SOURCE\" ] && echo {ID_TOKEN}");
    assert_eq!(mint(&script).run().success(), format!("{ID_TOKEN}\n"));
}

#[test]
fn a_command_gets_the_audience_as_an_argument_and_a_variable() {
    let script = format!("[ \"$1 $IDP_AUDIENCE\" = 'x x' ] && echo {ID_TOKEN}");
    assert_eq!(mint(&script).run().success(), format!("{ID_TOKEN}\n"));
}

#[test]
fn processes_that_a_command_leaves_behind_delay_nothing() {
    // The output of the command is complete, but a process that it started still has its stderr.
    let script = format!("sleep 30 >/dev/null & echo {ID_TOKEN}");
    let begun = Instant::now();
    assert_eq!(mint(&script).run().success(), format!("{ID_TOKEN}\n"));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    // The same at the timeout: a caller reads stderr to its end.
    let begun = Instant::now();
    let ran = mint("sleep 30; echo").line("--timeout 500ms").run();
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn the_last_stderr_line_of_a_command_is_in_the_error() {
    let ran = mint("echo first >&2; echo you have to log in >&2; exit 3").run();
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.starts_with("first\nyou have to log in\nerror: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("and it says `you have to log in`"), "{}", ran.stderr);
}

#[test]
fn credentials_for_the_token_of_a_command_are_not_cached() {
    let gp = Gp::in_workspace().line("idp token --audience sts.amazonaws.com");
    let token = gp.run().success();
    let script = format!("echo run >> {}/runs; echo {token}", gp.home().display());
    let gp = source(gp, &script).with_line("idp login aws --format process");
    for _ in 0..2 {
        gp.run().success();
    }
    assert_eq!(fs::read_to_string(gp.home().join("runs")).unwrap(), "run\nrun\n");
}

#[test]
fn a_relative_program_is_written_with_its_absolute_path() {
    let gp = Gp::in_workspace().line("idp token --audience sts.amazonaws.com");
    let token = gp.run().success();
    let gp = source(gp, &format!("echo {token}"))
        .with_line("idp login aws --credential-process --source command:./mint");
    gp.run().success();
    let config = fs::read_to_string(gp.home().join(".aws/config")).unwrap();
    let whole = format!("--source=command:{}/mint", fs::canonicalize(gp.home()).unwrap().display());
    assert!(config.contains(&whole), "{config}");
}
