//! `gp idp exec aws` and `gp idp serve aws`.

use std::fs;

use snapbox::str;

use crate::support::Gp;

fn exec(flags: &str, script: &str) -> Gp {
    Gp::in_workspace().line("idp exec aws").line(flags).line("-- sh -c").arg(script)
}

/// A script that prints the names of the command's AWS variables, sorted.
const NAMES: &str = "env | sed -n 's/^\\(AWS_[A-Z_]*\\)=.*/\\1/p' | sort";

#[test]
fn the_command_gets_credentials_and_no_variable_that_overrides_them() {
    let gp = exec("--region eu-west-1", NAMES)
        .env("AWS_PROFILE", "nowhere")
        .env("AWS_SECURITY_TOKEN", "old")
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere")
        .env("AWS_PAGER", "cat");
    snapbox::assert_data_eq!(
        gp.run().success(),
        str![[r#"
AWS_ACCESS_KEY_ID
AWS_CREDENTIAL_EXPIRATION
AWS_DEFAULT_REGION
AWS_ENDPOINT_URL_STS
AWS_PAGER
AWS_REGION
AWS_SECRET_ACCESS_KEY
AWS_SESSION_TOKEN

"#]]
    );
    assert_eq!(fs::read_dir(gp.home()).unwrap().count(), 0, "nothing is on disk");
}

#[test]
fn a_served_command_gets_an_endpoint_and_its_own_files() {
    let script = format!(
        "{NAMES}; cat \"$AWS_CONFIG_FILE\" \"$AWS_SHARED_CREDENTIALS_FILE\"; stat -c %a \"$(dirname \"$AWS_CONFIG_FILE\")\""
    );
    let gp = exec("--serve", &script).env("AWS_ACCESS_KEY_ID", "AKIAOLD");
    let config = gp.home().join("config");
    fs::write(&config, "[default]\nrole_arn = x\noutput = text\n[profile p]\nrole_arn = y\n").unwrap();
    let gp = gp.env("AWS_CONFIG_FILE", &config);
    snapbox::assert_data_eq!(
        gp.run().success(),
        str![[r#"
AWS_CONFIG_FILE
AWS_CONTAINER_AUTHORIZATION_TOKEN
AWS_CONTAINER_CREDENTIALS_FULL_URI
AWS_ENDPOINT_URL_STS
AWS_SHARED_CREDENTIALS_FILE
[default]
output = text
[profile p]
role_arn = y
700

"#]]
    );
    let left = fs::read_dir(gp.home().join(".cache/gp-idp")).unwrap().count();
    assert_eq!(left, 0, "its own files are gone");
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    for flags in ["", "--serve"] {
        let ran = exec(flags, "exit 7").run();
        assert_eq!((ran.code, ran.stderr.as_str()), (7, ""), "{flags}");
        let ran = Gp::in_workspace().line("idp exec aws").line(flags).line("-- /nonexistent/program").run();
        assert_eq!(ran.code, 127);
        snapbox::assert_data_eq!(
            ran.stderr,
            str![[r#"
error: could not start `/nonexistent/program`
  caused by: No such file or directory (os error 2)
hint: check the path

"#]]
        );
    }
    assert_eq!(exec("--serve", "kill -TERM $$").run().code, 143);
}

#[test]
fn arguments_and_stdin_reach_the_command_untouched() {
    let gp = Gp::in_workspace().line("idp exec aws -- sh -c").arg("cat; printf '<%s>' \"$@\"").arg("sh");
    let gp = gp.arg("a b").arg("--role-arn").arg("").stdin("in\n");
    assert_eq!(gp.run().success(), "in\n<a b><--role-arn><>");
}

#[test]
fn nothing_runs_without_credentials() {
    for flags in ["", "--serve"] {
        let gp = exec(&format!("{flags} --role-arn arn:aws:iam::123456789012:role/none"), "touch ran");
        let ran = gp.run();
        assert_eq!(ran.code, 5, "{}", ran.stderr);
        assert!(!gp.home().join("ran").exists());
    }
}

#[test]
fn serve_prints_nothing_without_credentials() {
    let ran = Gp::in_workspace().line("idp serve aws --role-arn arn:aws:iam::123456789012:role/none").run();
    assert_eq!((ran.code, ran.stdout.as_str()), (5, ""));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let gp =
        Gp::in_workspace().with_placeholder(port.clone(), "[PORT]").line("idp serve aws --port").arg(port);
    gp.run().failure(
        1,
        str![[r#"
error: could not serve AWS credentials
  caused by: could not listen on 127.0.0.1:[PORT]
  caused by: Address already in use (os error 98)
hint: choose another port with `--port PORT`, or a free one with `--port 0`

"#]],
    );
}
