//! The scripts in `completions/` are what `gp completion` prints.

use std::path::Path;

use crate::support::Gp;

#[test]
fn committed_scripts_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    let shells = [
        ("bash", "gp.bash"),
        ("zsh", "_gp"),
        ("fish", "gp.fish"),
        ("elvish", "gp.elv"),
        ("powershell", "_gp.ps1"),
    ];
    for (shell, file) in shells {
        let printed = Gp::new().line("completion").arg(shell).run().success();
        let path = folder.join(file);
        snapbox::assert_data_eq!(printed, snapbox::Data::read_from(&path, None).raw());
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), shells.len());
}

#[test]
fn an_unknown_shell_is_a_usage_error_that_lists_the_known() {
    let ran = Gp::new().line("completion tcsh").run();
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("[possible values: bash, elvish, fish, powershell, zsh]"), "{}", ran.stderr);
}
