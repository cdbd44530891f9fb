//! Token helpers: programs that store the token instead of the file.

use std::fs;
use std::path::{Path, PathBuf};

use gp_idp::dev::VaultRequest;
use snapbox::str;

use crate::support::{Gp, program};

const LOGIN: &str = "idp login vault";
/// Stores the token beside itself. It also records the server's address, and `IDP_CLIENT_SECRET`,
/// which it must not get.
const HELPER: &str = r#"#!/bin/sh
case $1 in
get) cat "$0.token" 2>/dev/null || true ;;
store) cat >"$0.token"; echo "$VAULT_ADDR $BAO_ADDR ${IDP_CLIENT_SECRET-none}" >"$0.address" ;;
erase) rm -f "$0.token" ;;
esac
"#;

fn gp() -> Gp {
    Gp::in_workspace()
}

/// A program in the home of `gp`.
fn helper_of(gp: &Gp, name: &str, text: &str) -> PathBuf {
    let path = gp.home().join(name);
    program(&path, text);
    path
}

fn configure(gp: &Gp, file: &str, helper: &Path) {
    let text = format!("# mine\ntoken_helper = \"{}\"\n", helper.display());
    fs::write(gp.home().join(file), text).unwrap();
}

fn requests(gp: &Gp) -> Vec<VaultRequest> {
    gp.workspace().vault_requests()
}

#[test]
fn a_helper_stores_the_token_and_no_file_is_written() {
    for file in [".vault", ".bao"] {
        let gp = gp().line(LOGIN).env("IDP_CLIENT_SECRET", "s3cret-of-the-client");
        let helper = helper_of(&gp, "a helper", HELPER);
        configure(&gp, file, &helper);
        gp.run().success();
        let kept = fs::read_to_string(gp.home().join("a helper.token")).unwrap();
        assert!(kept.starts_with("s.") && !kept.ends_with('\n'), "{kept}");
        let address = gp.workspace().vault_url();
        let told = fs::read_to_string(gp.home().join("a helper.address")).unwrap();
        assert_eq!(told, format!("{address} {address} none\n"));
        assert!(!gp.home().join(".vault-token").exists());

        let gp = gp.with_line("idp logout vault");
        gp.run().success();
        assert!(!gp.home().join("a helper.token").exists());
        assert_eq!(requests(&gp).last().unwrap().path, "auth/token/revoke-self");
    }
}

#[test]
fn vault_and_bao_may_have_different_helpers() {
    let gp = gp().line(LOGIN);
    for (file, name) in [(".vault", "one"), (".bao", "two")] {
        let helper = helper_of(&gp, name, HELPER);
        configure(&gp, file, &helper);
    }
    gp.run().success();
    let kept = |name: &str| fs::read_to_string(gp.home().join(name)).unwrap();
    assert_eq!(kept("one.token"), kept("two.token"));
    // The helper of the file that `VAULT_CONFIG_PATH` names is the only one that runs.
    let helper = helper_of(&gp, "three", HELPER);
    configure(&gp, "config", &helper);
    let gp = gp.env("VAULT_CONFIG_PATH", "~/config");
    gp.run().success();
    assert_ne!(
        fs::read(gp.home().join("three.token")).unwrap(),
        fs::read(gp.home().join("one.token")).unwrap()
    );
}

#[test]
fn a_script_without_a_shebang_runs_too() {
    let gp = gp().line(LOGIN);
    let helper = helper_of(&gp, "plain", "cat >\"$0.token\"\n");
    configure(&gp, ".vault", &helper);
    gp.run().success();
    assert!(gp.home().join("plain.token").is_file());
}

#[test]
fn an_empty_setting_selects_the_token_file() {
    let gp = gp().line(LOGIN);
    fs::write(gp.home().join(".vault"), "{\"token_helper\": \"\"}").unwrap();
    gp.run().success();
    assert!(gp.home().join(".vault-token").is_file());
}

#[test]
fn an_invalid_configuration_is_refused_before_any_request() {
    let cases = [
        (
            "token_helper = \"helper\"",
            str![[r#"
error: could not store a token of Vault
  caused by: the token helper `helper` that [HOME]/.vault names is not an absolute path
hint: in [HOME]/.vault, give the absolute path of an executable file: `token_helper = "/path/to/helper"`

"#]],
        ),
        (
            "token_helper = \"/no/such/helper\"",
            str![[r#"
error: could not store a token of Vault
  caused by: the token helper `/no/such/helper` that [HOME]/.vault names does not exist
hint: in [HOME]/.vault, give the absolute path of an executable file: `token_helper = "/path/to/helper"`

"#]],
        ),
        (
            "token_helper = \"/etc/passwd\"",
            str![[r#"
error: could not store a token of Vault
  caused by: the token helper `/etc/passwd` that [HOME]/.vault names is not executable
hint: in [HOME]/.vault, give the absolute path of an executable file: `token_helper = "/path/to/helper"`

"#]],
        ),
        (
            "token_helper = \"/etc\"",
            str![[r#"
error: could not store a token of Vault
  caused by: the token helper `/etc` that [HOME]/.vault names is not a file
hint: in [HOME]/.vault, give the absolute path of an executable file: `token_helper = "/path/to/helper"`

"#]],
        ),
        (
            "$ANSIBLE_VAULT;1.1;AES256\n",
            str![[r#"
error: could not store a token of Vault
  caused by: [HOME]/.vault is no configuration of `vault` or `bao`: line 1 is neither a setting nor a comment
hint: correct the file: the only setting that it may contain is `token_helper = "/path/to/helper"`
hint: if another file has the configuration, name it with `VAULT_CONFIG_PATH`
hint: otherwise print the token with `--format token`

"#]],
        ),
    ];
    for (text, expected) in cases {
        let gp = gp().line(LOGIN);
        fs::write(gp.home().join(".vault"), text).unwrap();
        gp.run().failure(7, expected);
        assert!(requests(&gp).is_empty());
    }
    // The configuration is not read if no token is stored.
    let gp = gp().line(LOGIN).line("--format token");
    fs::write(gp.home().join(".vault"), "$ANSIBLE_VAULT").unwrap();
    gp.run().success();
}

#[test]
fn a_helper_that_fails_is_quoted_without_the_token_which_is_revoked() {
    let gp = gp().line(LOGIN);
    let helper = helper_of(&gp, "helper", "#!/bin/sh\necho \"no keyring for $(cat)\" >&2; exit 3\n");
    configure(&gp, ".vault", &helper);
    gp.run().failure(
        7,
        str![[r#"
error: could not store the token
  caused by: the token helper [HOME]/helper failed to store the token: no keyring for [redacted]
hint: run the helper by hand to see why it fails: `[HOME]/helper store`
hint: otherwise remove the line `token_helper` from [HOME]/.vault, so that the token is stored in a file

"#]],
    );
    assert_eq!(requests(&gp).last().unwrap().status, 204);
}

#[test]
fn a_helper_that_hangs_is_killed() {
    let gp = gp().line(LOGIN).line("--timeout 3s");
    let helper = helper_of(&gp, "helper", "#!/bin/sh\nexec sleep 600\n");
    configure(&gp, ".vault", &helper);
    gp.run().failure(
        7,
        str![[r#"
error: could not store the token
  caused by: the token helper [HOME]/helper did not store the token within 3 s
hint: the helper may be waiting for input: give it more time with `--timeout 2m`

"#]],
    );
}

#[test]
fn a_helper_without_a_token_has_nothing_to_log_out_of() {
    let gp = gp().line("idp logout vault");
    let helper = helper_of(&gp, "helper", HELPER);
    configure(&gp, ".vault", &helper);
    let ran = gp.run();
    assert_eq!((ran.code, requests(&gp).len()), (0, 0));
    assert_eq!(ran.stderr, "note: there is no token in the token helper [HOME]/helper\n");
}

#[test]
fn a_helper_that_prints_without_end_is_killed() {
    let gp = gp().line("idp logout vault");
    let helper = helper_of(&gp, "helper", "#!/bin/sh\nexec yes 'a token'\n");
    configure(&gp, ".vault", &helper);
    gp.run().failure(
        7,
        str![[r#"
error: could not log out of Vault
  caused by: could not run the token helper [HOME]/helper
  caused by: it prints more than 65536 bytes
hint: most likely the program is not a token helper, or it has a bug: correct the path or the program
hint: otherwise remove the line `token_helper` from [HOME]/.vault, so that the token is stored in a file

"#]],
    );
}
