//! `gp <anything else>` goes to the next `gp` on PATH.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use snapbox::str;

use crate::support::{Gp, program};

/// A `gp` whose PATH consists of folders of the test.
struct TestPath {
    gp: Gp,
    path: Vec<PathBuf>,
}

impl TestPath {
    fn new(line: &str) -> Self {
        let gp = Gp::new().line(line);
        Self { gp, path: Vec::new() }
    }

    fn folder(&mut self, name: &str) -> PathBuf {
        let folder = self.gp.home().join(name);
        fs::create_dir(&folder).unwrap();
        self.path.push(folder.clone());
        folder.join("gp")
    }

    /// A symlink to the program under test.
    fn link(mut self, name: &str) -> Self {
        let gp = self.folder(name);
        symlink(Gp::binary(), gp).unwrap();
        self
    }

    /// A copy of the program under test.
    fn copy(mut self, name: &str) -> Self {
        let gp = self.folder(name);
        program(&gp, fs::read(Gp::binary()).unwrap());
        self
    }

    fn script(mut self, name: &str, text: &str) -> Self {
        let gp = self.folder(name);
        program(&gp, format!("#!/bin/sh\n{text}\n"));
        self
    }

    fn build(self) -> Gp {
        let system = ["/usr/bin", "/bin"].map(PathBuf::from);
        let path = std::env::join_paths(self.path.iter().chain(&system)).unwrap();
        self.gp.env("PATH", path)
    }
}

const NEXT_GP: &str = r#"printf 'other'; for a; do printf ' <%s>' "$a"; done; echo; exit 7"#;

#[test]
fn arguments_and_exit_code_pass_unchanged() {
    let gp = TestPath::new("url").link("ours").script("theirs", NEXT_GP).build();
    let ran = gp.arg("--flag=a b").arg("").arg("-x").run();
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (7, "other <url> <--flag=a b> <> <-x>\n", "")
    );
}

#[test]
fn help_is_passed_on_and_our_own_commands_are_not() {
    let ran = TestPath::new("help").link("ours").script("theirs", NEXT_GP).build().arg("url").run();
    assert_eq!((ran.code, ran.stdout.as_str()), (7, "other <help> <url>\n"));
    let ran = TestPath::new("idp --help").script("theirs", NEXT_GP).build().run();
    assert_eq!(ran.code, 0);
}

#[test]
fn standard_input_reaches_the_next_gp() {
    let gp = TestPath::new("x").link("ours").script("theirs", "cat").build();
    assert_eq!(gp.stdin("hello").run().success(), "hello");
}

#[test]
fn copies_of_this_program_are_skipped() {
    let gp = TestPath::new("url").link("a").copy("b").copy("c").script("theirs", NEXT_GP).build();
    assert_eq!(gp.run().code, 7);
}

#[test]
fn without_another_gp_the_message_says_so() {
    for gp in [TestPath::new("url").link("ours").build(), TestPath::new("url").copy("a").copy("b").build()] {
        gp.run().failure(
            2,
            str![[r#"
error: `gp url` is not a command of this `gp`, and there is no other `gp` on PATH to hand it to
hint: for commands other than `gp idp` and `gp completion`, put the folder of Gitpod's own `gp` on PATH, after the folder of this one

"#]],
        );
    }
}

#[test]
fn a_wrapper_that_calls_gp_again_does_not_loop() {
    // By exec, as a child, and with its output captured.
    for wrapper in ["exec gp \"$@\"", "gp \"$@\"", "x=$(gp \"$@\"); code=$?; echo \"$x\"; exit $code"] {
        let gp =
            TestPath::new("url").link("ours").script("wrapper", wrapper).script("theirs", NEXT_GP).build();
        let ran = gp.run();
        assert_eq!((ran.code, ran.stdout.as_str()), (7, "other <url>\n"), "{wrapper}\n{}", ran.stderr);
        let gp = TestPath::new("url").link("ours").script("wrapper", wrapper).build();
        let ran = gp.run();
        assert_eq!(ran.code, 2, "{wrapper}\n{}", ran.stderr);
        assert!(ran.stderr.starts_with("error: `gp url` "), "{}", ran.stderr);
    }
}

#[test]
fn a_command_started_by_the_other_gp_can_be_passed_on_again() {
    // As in a terminal that the other `gp` opens: its loop guard must not apply to later commands.
    let inner = r#"case $1 in open) sh -c 'sh -c "gp url; true"'; exit $?;; *) echo "reached $1";; esac"#;
    let gp = TestPath::new("open").link("ours").script("theirs", inner).build();
    assert_eq!(gp.run().success(), "reached url\n");
}

#[test]
fn the_other_gp_can_call_another_command_of_its_own() {
    // As a child and by exec, each with the trail of the first command in its environment.
    for call in ["gp b --now", "exec gp b --now"] {
        let text = format!(r#"case $1 in a) {call};; b) echo "reached $*";; esac"#);
        let gp = TestPath::new("a").link("ours").script("theirs", &text).build();
        assert_eq!(gp.run().success(), "reached b --now\n", "{call}");
    }
    // Two commands that call each other do not loop forever.
    let circle = "case $1 in a) gp b;; *) gp a;; esac";
    let ran = TestPath::new("a").link("ours").script("theirs", circle).build().run();
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("call each other in a circle"), "{}", ran.stderr);
}

#[test]
fn a_link_with_another_name_passes_on_to_the_next_program_of_that_name() {
    let gp = TestPath::new("").script("gp", "echo wrong").build();
    for name in ["ona", "gitpod"] {
        let folder = gp.home().join(name);
        fs::create_dir_all(folder.join("theirs")).unwrap();
        let (ours, theirs) = (folder.join(name), folder.join("theirs").join(name));
        symlink(Gp::binary(), &ours).unwrap();
        let run = || {
            let path = format!("{0}:{0}/theirs:{1}/gp:/usr/bin:/bin", folder.display(), gp.home().display());
            std::process::Command::new(&ours).arg("url").env("PATH", path).output().unwrap()
        };
        let said = String::from_utf8(run().stderr).unwrap();
        let expected = format!(
            "error: `{name} url` is not a command of this `gp`, and there is no other `{name}` on PATH to hand it to\n"
        );
        assert!(said.starts_with(&expected), "{said}");
        program(&theirs, format!("#!/bin/sh\n{NEXT_GP}\n"));
        assert_eq!(String::from_utf8(run().stdout).unwrap(), "other <url>\n");
    }
}

#[test]
fn the_help_names_the_next_gp() {
    let help = TestPath::new("--help").link("ours").script("theirs", NEXT_GP).build();
    // It is wrapped, as the paths are long.
    let help = help.run().success().split_whitespace().collect::<Vec<_>>().join(" ");
    let expected =
        "Any other command is passed on to [HOME]/theirs/gp: `[HOME]/theirs/gp --help` lists these commands.";
    assert!(help.ends_with(expected), "{help}");
    let help = TestPath::new("--help").link("ours").build().run().success();
    assert!(help.ends_with("Any other command is passed on to the next `gp` on PATH.\n"), "{help}");
}

#[test]
fn the_names_idp_and_gp_idp_mean_gp_idp() {
    for name in ["idp", "gp-idp"] {
        let gp = Gp::new();
        let path = gp.home().join(name);
        symlink(Gp::binary(), &path).unwrap();
        let mut command = std::process::Command::new(path);
        command.args(["decode", "--claim", "a", "e30.eyJhIjoxfQ."]);
        let output = command.output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "1\n");
    }
}
