//! Attacks that concern no single command, and the check of the page that lists all attacks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::Gp;

#[test]
fn a_relative_home_is_refused() {
    for line in [
        "idp login aws",
        "idp login aws --credential-process",
        "idp login aws --format process",
        "idp login vault",
        "idp logout vault",
        "idp login gcp",
        "idp login azure",
        "idp login kubernetes --audience k",
        "idp doctor aws",
    ] {
        let gp = Gp::in_workspace().line(line).env("HOME", "checkout").env("XDG_RUNTIME_DIR", "runtime");
        fs::create_dir(gp.home().join("checkout")).unwrap();
        fs::create_dir(gp.home().join("runtime")).unwrap();
        let ran = gp.run();
        assert_eq!(ran.code, 2, "{line}: {}", ran.stderr);
        let said = ran.stdout + &ran.stderr;
        assert!(said.contains("`HOME` is `checkout`, which is not an absolute path"), "{line}: {said}");
        assert_eq!(files_in(gp.home()), Vec::<PathBuf>::new(), "{line}");
    }
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] }).collect()
}

/// The tests of this package, as `cargo test` names them.
fn tests() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = BTreeSet::new();
    for folder in ["src", "tests"] {
        for path in
            files_in(&root.join(folder)).into_iter().filter(|path| path.extension() == Some("rs".as_ref()))
        {
            let text = fs::read_to_string(&path).unwrap();
            let module = path.strip_prefix(root.join(folder)).unwrap().with_extension("");
            let module = module.to_str().unwrap().replace('/', "::").replace("::mod", "");
            let inner = if text.contains("\nmod tests {\n") && folder == "src" { "::tests" } else { "" };
            let functions =
                text.lines().filter_map(|line| line.trim_start().split_once("fn ")?.1.split_once('('));
            names.extend(functions.map(|(name, _)| format!("{module}{inner}::{name}")));
        }
    }
    names
}

#[test]
fn every_test_that_the_page_on_security_names_exists() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/security.md");
    let page = fs::read_to_string(page).unwrap();
    let tests = tests();
    let rows: Vec<&str> =
        page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| who ")).collect();
    assert!(rows.len() > 10, "{rows:?}");
    for row in rows {
        let named = row.trim_end_matches(['|', ' ']).rsplit('|').next().unwrap();
        for name in named.split('`').skip(1).step_by(2).filter(|_| row.ends_with("` |")) {
            assert!(tests.contains(name), "`{name}` is named by docs/security.md and is no test");
        }
    }
}

/// A repository can set these variables, and the named file may contain anything.
#[test]
fn a_variable_cannot_make_gp_replace_or_send_a_file_of_another_kind() {
    let cases = [
        ("VAULT_TOKEN_PATH", "idp login vault", 7),
        ("BAO_TOKEN_PATH", "idp logout vault", 7),
        ("VAULT_TOKEN_PATH", "idp logout vault --no-revoke", 7),
        ("AZURE_FEDERATED_TOKEN_FILE", "idp login azure", 7),
        // The response is still printed.
        ("GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE", "idp gcloud-token --audience x", 0),
    ];
    for (variable, line, code) in cases {
        for text in ["https://me:s3cret@git.example\n", "alias ll='ls -l'\n", "{\"a\": 1}", "a\nb\n"] {
            let gp = Gp::in_workspace().line(line).env(variable, "precious").secret("s3cret");
            let path = gp.home().join("precious");
            fs::write(&path, text).unwrap();
            let ran = gp.run();
            assert_eq!(ran.code, code, "{line}: {}", ran.stderr);
            assert!(ran.stderr.contains("precious does not contain a"), "{line}: {}", ran.stderr);
            assert_eq!(fs::read_to_string(&path).unwrap(), text, "{line}");
            assert!(gp.workspace().vault_requests().is_empty(), "{line}");
        }
    }
}

#[test]
fn the_audit_log_variable_cannot_make_gp_write_to_a_file_of_another_kind() {
    for text in ["alias ll='ls -l'\n", "x", "\n", "{\"a\": 1}\n", " {\"time\":"] {
        let gp = Gp::in_workspace().line("idp token --audience x").env("IDP_AUDIT_LOG", "~/.bashrc");
        let path = gp.home().join(".bashrc");
        fs::write(&path, text).unwrap();
        let ran = gp.run();
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(
            ran.stderr,
            "warning: the audit log [HOME]/.bashrc cannot be written: [HOME]/.bashrc does not contain an audit log\n"
        );
        // No token is requested: without a workspace, a request would give another error.
        let gp = gp.line("--audit-required").stop_workspace();
        assert_eq!(gp.run().code, 7);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

/// A new log contains nothing but its lines.
#[test]
fn a_shell_that_reads_the_audit_log_runs_no_command() {
    let gp = Gp::in_workspace().line("idp token --quiet --audit-log ~/.bashrc --audience");
    let audience = "$(touch made)`touch made`";
    let gp = gp.arg(audience);
    gp.run().success();
    let log = gp.home().join(".bashrc");
    for shell in ["sh", "bash"] {
        // The shell does not know the commands, or does not exist.
        let _ = Command::new(shell).arg(&log).current_dir(gp.home()).output();
    }
    assert!(!gp.home().join("made").exists());
    let text = fs::read_to_string(&log).unwrap();
    assert!(!text.contains(['$', '`']), "{text}");
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    assert!(lines.map(|line| line["audience"][0] == audience).eq([true, true]), "{text}");
}

#[test]
fn the_server_that_revokes_a_token_is_named() {
    let gp = Gp::in_workspace().line("idp login vault");
    gp.run().success();
    let ran = gp.with_line("idp logout vault --verbose").run();
    let expected = "the token goes to [API]/vault, which the settings name\n";
    assert!(ran.code == 0 && ran.stderr.starts_with(expected), "{}", ran.stderr);
}
