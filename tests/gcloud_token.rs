//! `gp idp gcloud-token` and `gp idp token --format gcloud`: the contract between Google's SDKs
//! and an executable.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use snapbox::str;

use crate::support::Gp;
use crate::support::fault::{Fault, Faulty, Step};

/// Sets the variables that every SDK sets.
fn called_by_an_sdk(gp: Gp) -> Gp {
    gp.env("GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE", "//iam.googleapis.com/x")
        .env("GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE", "urn:ietf:params:oauth:token-type:id_token")
        .env("GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE", "0")
}

fn claim(printed: &str, name: &str) -> String {
    let token = printed.split("\"id_token\":\"").nth(1).unwrap().split('"').next().unwrap();
    Gp::new().line("idp decode --claim").arg(name).stdin(token).run().success().trim_end().to_owned()
}

#[test]
fn the_response_has_the_members_of_the_original() {
    for (line, audience) in [
        ("idp gcloud-token --audience a", "a"),
        ("idp gcloud-token", "//iam.googleapis.com/x"),
        ("idp token --format gcloud --audience a", "a"),
    ] {
        let gp = called_by_an_sdk(Gp::in_workspace()).line(line);
        let printed = gp.run().success();
        assert_eq!(printed.matches('\n').count(), 1, "{line}");
        assert_eq!(claim(&printed, "azp"), audience, "{line}");
        let (token, end) = (printed.split('"').nth(11).unwrap(), claim(&printed, "exp"));
        assert_eq!(
            printed,
            format!(
                "{{\"version\":1,\"success\":true,\"token_type\":\"urn:ietf:params:oauth:token-type:id_token\",\"id_token\":\"{token}\",\"expiration_time\":{end}}}\n"
            )
        );
    }
}

#[test]
fn a_usage_error_is_a_response_too_and_stderr_is_empty() {
    let sdk = || called_by_an_sdk(Gp::in_workspace());
    snapbox::assert_data_eq!(
        sdk().line("idp gcloud-token --foo").run().success(),
        str![[r#"
{"version":1,"success":false,"code":"400","message":"unexpected argument '--foo' found Usage: gp idp gcloud-token [OPTIONS] For more information, try '--help'."}

"#]]
    );
    // Even with `--verbose`, stderr stays empty: an SDK fails if there is a line on it.
    for line in ["idp --verbose gcloud-token", "idp token --audience x --format gcloud --verbose"] {
        assert!(sdk().line(line).run().success().contains("\"success\":true"), "{line}");
    }
    let ran = Gp::in_workspace().line("idp gcloud-token --foo").run();
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
}

#[test]
fn an_sdk_gets_a_failure_as_a_response() {
    let gp = called_by_an_sdk(Gp::without_supervisor()).line("idp gcloud-token");
    snapbox::assert_data_eq!(
        gp.run().success(),
        str![[r#"
{"version":1,"success":false,"code":"503","message":"could not mint an ID token for `//iam.googleapis.com/x`: no source of ID tokens was found: there is no CI job and no Ona environment, and no workspace's supervisor answers: http://127.0.0.1:1 refused the connection; hint: run this inside a workspace or a job, or name a source with `--source`; to try it in a local workspace, run `gp idp dev -- gp idp gcloud-token`; if you use the flag, write it into `credential_source.executable.command` of the configuration"}

"#]]
    );
    let gp = called_by_an_sdk(Gp::new())
        .env("GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE", "urn:ietf:params:oauth:token-type:saml2")
        .line("idp gcloud-token");
    snapbox::assert_data_eq!(
        gp.run().success(),
        str![[r#"
{"version":1,"success":false,"code":"400","message":"could not mint an ID token for `//iam.googleapis.com/x`: the SDK requests a token of type `urn:ietf:params:oauth:token-type:saml2`, but `gp` has only ID tokens; hint: set `subject_token_type` to `urn:ietf:params:oauth:token-type:id_token` in the configuration"}

"#]]
    );
    let server =
        Faulty::always(Step::Mint, Fault::json(403, r#"{"code":"permission_denied","message":"no"}"#));
    let gp = called_by_an_sdk(Gp::new()).line("idp token --format gcloud --audience x");
    let printed = gp
        .env("SUPERVISOR_ADDR", server.address())
        .env("IDP_API_URL", format!("http://{}", server.address()));
    let printed = printed.run().success();
    assert!(
        printed.starts_with(r#"{"version":1,"success":false,"code":"401","message":"could not mint"#),
        "{printed}"
    );
}

#[test]
fn a_person_gets_a_failure_as_an_error_too() {
    // Everyone who uses executables sets this, so it does not mean that an SDK calls.
    let gp = Gp::new().env("SUPERVISOR_ADDR", "127.0.0.1:1").line("idp gcloud-token --audience x");
    let gp = gp.env("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1");
    let ran = gp.run();
    assert_eq!(ran.code, 3);
    assert!(
        ran.stdout.starts_with(r#"{"version":1,"success":false,"code":"503","message":"#),
        "{}",
        ran.stdout
    );
    assert!(ran.stderr.starts_with("error: could not mint an ID token for `x`\n"), "{}", ran.stderr);
    let ran = Gp::new().line("idp gcloud-token").run();
    assert_eq!(ran.code, 2);
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
error: no audience is set
hint: give one with `--audience //iam.googleapis.com/projects/…`, or set `GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE`

"#]]
    );
}

#[test]
fn a_token_without_exp_is_refused() {
    let server = Faulty::first(Step::Info, vec![]);
    let gp = called_by_an_sdk(Gp::new()).line("idp gcloud-token");
    let printed = gp
        .env("SUPERVISOR_ADDR", server.address())
        .env("IDP_API_URL", format!("http://{}", server.address()));
    let printed = printed.run().success();
    assert!(printed.contains(r#""success":false"#) && printed.contains("has no `exp`"), "{printed}");
}

#[test]
fn the_output_file_is_written_for_the_next_call() {
    let gp = called_by_an_sdk(Gp::in_workspace())
        .env("GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE", "new/folder/answer.json")
        .line("idp gcloud-token");
    let printed = gp.run().success();
    let path = gp.home().join("new/folder/answer.json");
    assert_eq!(fs::read_to_string(&path).unwrap(), printed);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    // A failure leaves the last good answer.
    let gp = gp.env("SUPERVISOR_ADDR", "127.0.0.1:1").line("--timeout 200ms");
    assert!(gp.run().success().contains("\"success\":false"));
    assert_eq!(fs::read_to_string(&path).unwrap(), printed);
}

#[test]
fn an_output_file_that_cannot_be_written_does_not_fail_the_call() {
    let gp = called_by_an_sdk(Gp::in_workspace()).env("GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE", ".");
    assert!(gp.line("idp gcloud-token").run().success().contains("\"success\":true"));
    let gp = Gp::in_workspace().env("GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE", ".");
    let ran = gp.line("idp gcloud-token --audience x").run();
    assert_eq!((ran.code, ran.stderr.as_str()), (0, "warning: . is a folder\n"));
}

#[test]
fn it_ends_before_the_timeout_of_an_sdk() {
    for line in ["idp gcloud-token", "idp token --format gcloud --audience x"] {
        let server = Faulty::always(Step::Info, Fault::Stall);
        let gp = called_by_an_sdk(Gp::new()).env("SUPERVISOR_ADDR", server.address()).line(line);
        let begun = Instant::now();
        let printed = gp.run().success();
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert!(printed.contains(r#""success":false"#), "{printed}");
    }
}
