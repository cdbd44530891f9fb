//! `gp idp doctor`: all links whole, and each one broken by itself.

use std::fs;
use std::time::Duration;

use gp_idp::context::Clock;
use gp_idp::dev::Options;
use snapbox::str;

use crate::support::Gp;

const NOON: &str = "2026-11-23T12:00:00Z";

fn options() -> Options {
    Options { clock: Clock::Fixed(NOON.parse().unwrap()), ..Options::default() }
}

/// At noon by every clock but that of the web server, which is real.
fn gp(options: Options) -> Gp {
    Gp::in_workspace_of(options).at(NOON).line("idp doctor")
}

/// Each check with its mark, without what it found.
fn marks(report: &str) -> Vec<String> {
    let lines = report.lines().filter(|line| !line.starts_with(' '));
    lines.map(|line| line.split("  ").next().unwrap().to_owned()).collect()
}

#[test]
fn a_whole_chain_is_all_green() {
    let report = Gp::in_workspace().line("idp doctor").run().success();
    assert_eq!(
        marks(&report),
        [
            "✓ supervisor",
            "✓ API token",
            "✓ API",
            "✓ mint",
            "✓ token",
            "✓ discovery",
            "✓ keys",
            "✓ signature",
            "✓ claims",
            "✓ clock",
        ]
    );
    assert!(!report.contains("eyJ"));
}

#[test]
fn a_whole_chain_to_aws_is_all_green() {
    let report = Gp::in_workspace().line("idp doctor aws").run().success();
    let marks = marks(&report);
    assert_eq!(
        marks[10..],
        ["✓ AWS settings", "✓ AWS credentials", "✓ AWS config", "✓ AWS environment", "✓ AWS exchange"]
    );
    assert!(marks.iter().all(|mark| mark.starts_with('✓')), "{report}");
    assert!(!report.contains("ASIA"), "the credentials are not in the report");
}

#[test]
fn outside_of_a_workspace_it_judges_what_it_can() {
    let gp = Gp::new().line("idp doctor aws --role-arn arn:aws:iam::123456789012:role/x");
    let gp = gp.env("SUPERVISOR_ADDR", "127.0.0.1:1").arg("--timeout").arg("300ms");
    let ran = gp.run();
    assert_eq!((ran.code, ran.stderr.as_str()), (3, ""));
    assert_eq!(
        marks(&ran.stdout),
        [
            "✗ supervisor",
            "- API token",
            "- API",
            "- mint",
            "- token",
            "- discovery",
            "- keys",
            "- signature",
            "- claims",
            "- clock",
            "✓ AWS settings",
            "✓ AWS credentials",
            "✓ AWS config",
            "✓ AWS environment",
            "- AWS exchange",
        ]
    );
}

#[test]
fn a_refused_mint_is_that_and_the_api_is_well() {
    let options = Options { token_scopes: vec!["function:getWorkspace".into()], ..options() };
    let ran = gp(options).run();
    assert_eq!(ran.code, 4);
    assert_eq!(marks(&ran.stdout)[..5], ["✓ supervisor", "✓ API token", "✓ API", "✗ mint", "- token"]);
    snapbox::assert_data_eq!(
        ran.stdout.lines().skip(3).take(2).collect::<Vec<_>>().join("\n"),
        str![[r#"
✗ mint        [API] refused: not allowed to access getIDToken (permission_denied, HTTP 403)
              hint: [..]
"#]]
    );
}

#[test]
fn an_api_that_is_not_there() {
    let ran = gp(options()).env("IDP_API_URL", "http://127.0.0.1:1").run();
    assert_eq!(ran.code, 6);
    assert_eq!(marks(&ran.stdout)[..5], ["✓ supervisor", "✓ API token", "✗ API", "- mint", "- token"]);
}

#[test]
fn a_token_of_little_life_and_a_long_subject_are_warned_of() {
    let short = gp(Options { lifetime: Duration::from_secs(300), ..options() }).run();
    assert!(marks(&short.stdout).contains(&"! token".to_owned()), "{}", short.stdout);
    let subject = format!("https://github.com/{}", "x".repeat(120));
    let long = gp(Options { subject: Some(subject), ..options() }).run();
    assert!(
        long.stdout.contains("Google Cloud takes 127 bytes as google.subject and this has 139"),
        "{}",
        long.stdout
    );
}

#[test]
fn an_issuer_with_another_time_fails_where_a_receiver_would_fail() {
    let ran = gp(Options { clock_offset: -7200, ..options() }).run();
    assert_eq!(ran.code, 1);
    let marks = marks(&ran.stdout);
    assert!(marks.contains(&"✗ exp".to_owned()) && marks.contains(&"! clock".to_owned()), "{}", ran.stdout);
    assert!(ran.stdout.contains("this machine is 2 h ahead of the issuer\n"), "{}", ran.stdout);
}

#[test]
fn what_works_against_a_profile_is_said() {
    let gp = gp(options()).again("idp doctor aws --profile ci").env("AWS_ACCESS_KEY_ID", "AKIAX");
    fs::create_dir(gp.home().join(".aws")).unwrap();
    fs::write(
        gp.home().join(".aws/credentials"),
        "[ci]\naws_access_key_id = ASIAX\naws_secret_access_key = s3cret\naws_security_token = t0ken\n\
         x_security_token_expires = 2026-11-23T09:00:00Z\nsso_account_id = 1\n",
    )
    .unwrap();
    fs::write(gp.home().join(".aws/config"), "[profile ci]\n[profile ci]\n").unwrap();
    let ran = gp.run();
    assert!(!ran.stdout.contains("s3cret") && !ran.stdout.contains("t0ken"));
    snapbox::assert_data_eq!(
        ran.stdout
            .lines()
            .skip_while(|line| !line.contains("AWS credentials"))
            .collect::<Vec<_>>()
            .join("\n"),
        str![[r#"
! AWS credentials  [HOME]/.aws/credentials: `aws_security_token` in the profile `ci` counts before the newer `aws_session_token`
                   hint: remove that line
! AWS credentials  [HOME]/.aws/credentials: the keys of the profile `ci` expired 3 h ago
                   hint: gp idp login aws --profile ci
! AWS credentials  [HOME]/.aws/credentials: `sso_account_id` on line 6 counts before the keys of the profile `ci`
                   hint: remove that line
! AWS credentials  [HOME]/.aws/credentials: others can read it
                   hint: chmod 600 [HOME]/.aws/credentials
✗ AWS config       could not understand [HOME]/.aws/config: line 2: the section `profile ci` stands on line 1 already
                   hint: the AWS CLI refuses the whole file for this: fix that line; nothing was changed
! AWS environment  AWS_ACCESS_KEY_ID leads past what is set up here
                   hint: unset AWS_ACCESS_KEY_ID
- AWS exchange     the settings have to be right first
"#]]
    );
}

#[test]
fn json_has_the_same_checks() {
    let text = Gp::in_workspace().line("idp doctor").run().success();
    let json = Gp::in_workspace().line("idp doctor --format json").run().success();
    let checks: serde_json::Value = serde_json::from_str(&json).unwrap();
    let names: Vec<String> = checks
        .as_array()
        .unwrap()
        .iter()
        .map(|check| format!("✓ {}", check["check"].as_str().unwrap()))
        .collect();
    assert_eq!(names, marks(&text));
    assert!(checks.as_array().unwrap().iter().all(|check| check["state"] == "pass"));
}

/// The last marks, those of a target.
fn of_target(line: &str, count: usize) -> Vec<String> {
    let report = Gp::in_workspace().line(line).run();
    assert_eq!((report.code, report.stderr.as_str()), (0, ""), "{}", report.stdout);
    for secret in ["eyJ", "dev-", "hvs.", "ya29."] {
        assert!(!report.stdout.contains(secret), "{}", report.stdout);
    }
    let marks = marks(&report.stdout);
    marks[marks.len() - count..].to_vec()
}

#[test]
fn every_target_has_its_links() {
    let gcp = ["✓ Google settings", "✓ Google configuration", "✓ Google environment", "✓ Google exchange"];
    assert_eq!(of_target("idp doctor gcp", 4), gcp);
    let azure = ["✓ Azure settings", "✓ Azure token file", "✓ Azure environment", "✓ Azure exchange"];
    assert_eq!(of_target("idp doctor azure", 4), azure);
    assert_eq!(
        of_target("idp doctor vault", 3),
        ["✓ Vault settings", "✓ Vault environment", "✓ Vault login"]
    );
    assert_eq!(of_target("idp doctor kubernetes --audience kubernetes", 2), ["! kubeconfig", "- API server"]);
}

#[test]
fn a_look_at_vault_leaves_no_token_behind() {
    let gp = Gp::in_workspace().line("idp doctor vault");
    let report = gp.run().success();
    assert!(report.contains("which is revoked again"), "{report}");
    assert!(!gp.home().join(".vault-token").exists());
}

#[test]
fn what_leads_past_a_target_is_said() {
    let gcp = Gp::in_workspace().line("idp doctor gcp").env("GOOGLE_APPLICATION_CREDENTIALS", "key.json");
    let file = gcp.home().join("key.json");
    fs::write(&file, r#"{"type": "service_account"}"#).unwrap();
    let gcp = gcp.env("GOOGLE_APPLICATION_CREDENTIALS", &file).run();
    assert!(gcp.stdout.contains("is of type `service_account`, which SDKs use in place"), "{}", gcp.stdout);
    let vault = Gp::in_workspace()
        .line("idp doctor vault")
        .env("VAULT_TOKEN", "hvs.secret")
        .secret("hvs.secret")
        .run();
    assert!(
        vault.stdout.contains("! Vault environment") && !vault.stdout.contains("hvs.secret"),
        "{}",
        vault.stdout
    );
    let azure = Gp::in_workspace().line("idp doctor azure").env("AZURE_CLIENT_SECRET", "s3cret");
    let file = azure.home().join("token");
    fs::write(&file, "x\n").unwrap();
    let azure = azure.env("AZURE_FEDERATED_TOKEN_FILE", &file).run();
    assert!(azure.stdout.contains("has white space around the token"), "{}", azure.stdout);
    assert!(
        azure.stdout.contains("AZURE_CLIENT_SECRET leads past") && !azure.stdout.contains("s3cret"),
        "{}",
        azure.stdout
    );
}

#[test]
fn a_refusal_of_a_target_is_that_link() {
    for (line, check) in [
        ("idp doctor vault --role nope", "✗ Vault login"),
        ("idp doctor aws --role-arn arn:aws:iam::123456789012:role/none", "✗ AWS exchange"),
        ("idp doctor azure --client-id 00000000-0000-4000-8000-0000000000ff", "✗ Azure exchange"),
        (
            "idp doctor gcp --workload-identity-provider projects/9/locations/global/workloadIdentityPools/p-none/providers/p-none",
            "✗ Google exchange",
        ),
    ] {
        let ran = Gp::in_workspace().line(line).run();
        assert_eq!(ran.code, 5, "{}", ran.stdout);
        let failed: Vec<String> =
            marks(&ran.stdout).into_iter().filter(|mark| mark.starts_with('✗')).collect();
        assert_eq!(failed, [check]);
    }
}
