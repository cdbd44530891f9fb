//! `gp idp login gcp` and `gp idp exec gcp`: exchange, configuration, command.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gp_idp::dev::{GcpOptions, Options, PreparedReply};
use snapbox::str;

use crate::support::{Gp, program};

const ACCOUNT: &str = "deploy@example-project.iam.gserviceaccount.com";
const PROVIDER: &str = "projects/123456789012/locations/global/workloadIdentityPools/gitpod/providers/gitpod";
const NOON: &str = "2026-11-23T12:00:00Z";

fn google(gcp: GcpOptions) -> Gp {
    Gp::in_workspace_of(Options { gcp, ..Options::default() })
}

fn fixed(gcp: GcpOptions) -> Gp {
    let clock = gp_idp::context::Clock::Fixed(NOON.parse().unwrap());
    Gp::in_workspace_of(Options { gcp, clock, ..Options::default() }).at_time(NOON)
}

/// The paths of the requests to Google's services, with the scopes.
fn requests(gp: &Gp) -> Vec<String> {
    let requests = gp.workspace().gcp_requests();
    let scope = |fields: &std::collections::BTreeMap<String, String>| fields.get("scope").cloned();
    requests
        .iter()
        .map(|asked| format!("{} {}", asked.path, scope(&asked.fields).unwrap_or_default()))
        .collect()
}

#[test]
fn without_a_service_account_one_request_is_enough() {
    let gp = google(GcpOptions::default()).line("idp login gcp --format access-token");
    let printed = gp.run().success();
    assert!(printed.starts_with("ya29.d.dev-") && printed.ends_with('\n'), "{printed}");
    assert_eq!(requests(&gp), ["/v1/token https://www.googleapis.com/auth/cloud-platform"]);
    let fields = &gp.workspace().gcp_requests()[0].fields;
    assert_eq!(fields["audience"], format!("//iam.googleapis.com/{PROVIDER}"));
    assert_eq!(fields["subject_token"], "[token]");
}

#[test]
fn a_service_account_needs_a_second_request_with_the_scopes() {
    let scopes = "https://www.googleapis.com/auth/devstorage.read_only,email";
    let gp = google(GcpOptions::default())
        .line("idp login-gcp --format access-token --lifetime 30m --scopes")
        .arg(scopes)
        .line("--service-account")
        .arg(ACCOUNT);
    assert!(gp.run().success().starts_with("ya29.c.dev-"));
    assert_eq!(
        requests(&gp),
        [
            "/v1/token https://www.googleapis.com/auth/cloud-platform".to_owned(),
            format!(
                "{ACCOUNT}:generateAccessToken [\"https://www.googleapis.com/auth/devstorage.read_only\",\"email\"]"
            ),
        ]
    );
    assert_eq!(gp.workspace().gcp_requests()[1].fields["lifetime"], "\"1800s\"");
}

#[test]
fn an_id_token_of_a_service_account_needs_no_access_token_of_it() {
    let gp = google(GcpOptions::default())
        .line("idp login gcp --format id-token --id-token-audience https://service.example.com --service-account")
        .arg(ACCOUNT);
    let token = gp.run().success();
    let claim =
        |name: &str| Gp::new().line("idp decode --claim").arg(name).stdin(token.clone()).run().success();
    assert_eq!(claim("aud"), "https://service.example.com\n");
    assert_eq!(claim("email"), format!("{ACCOUNT}\n"));
    assert_eq!(
        requests(&gp),
        [
            "/v1/token https://www.googleapis.com/auth/cloud-platform".to_owned(),
            format!("{ACCOUNT}:generateIdToken ")
        ]
    );
}

#[test]
fn json_has_the_token_and_the_settings() {
    let gp = fixed(GcpOptions::default())
        .env("IDP_GCP_SERVICE_ACCOUNT", ACCOUNT)
        .line("idp login gcp --project example-project --format json");
    let printed = gp.run().success();
    let token = printed.split('"').nth(3).unwrap().to_owned();
    snapbox::assert_data_eq!(
        printed.replace(&token, "[TOKEN]"),
        str![[r#"
{
  "access_token": "[TOKEN]",
  "token_type": "Bearer",
  "expires_at": "2026-11-23T13:00:00Z",
  "scopes": [
    "https://www.googleapis.com/auth/cloud-platform"
  ],
  "workload_identity_provider": "projects/123456789012/locations/global/workloadIdentityPools/gitpod/providers/gitpod",
  "service_account": "deploy@example-project.iam.gserviceaccount.com",
  "project": "example-project"
}

"#]]
    );
}

#[test]
fn shell_formats_print_the_variables() {
    let gp = google(GcpOptions::default()).line("idp login gcp --project example-project --format env");
    let printed = gp.run().success();
    let token = printed.lines().next().unwrap().split('=').nth(1).unwrap().to_owned();
    snapbox::assert_data_eq!(
        printed.replace(&token, "[TOKEN]"),
        str![[r#"
export CLOUDSDK_AUTH_ACCESS_TOKEN=[TOKEN]
export GOOGLE_OAUTH_ACCESS_TOKEN=[TOKEN]
export CLOUDSDK_CORE_PROJECT=example-project
export CLOUDSDK_PROJECT=example-project
export GCLOUD_PROJECT=example-project
export GCP_PROJECT=example-project
export GOOGLE_CLOUD_PROJECT=example-project

"#]]
    );
    let fish = gp.with_line("idp login gcp --format fish").run().success();
    assert!(fish.starts_with("set -gx CLOUDSDK_AUTH_ACCESS_TOKEN ya29."), "{fish}");
}

#[test]
fn every_refusal_has_its_claims_and_a_hint() {
    let d = GcpOptions::default;
    let sts = |status, error: &str, text: &str| {
        let body = format!(r#"{{"error":"{error}","error_description":"{text}"}}"#);
        GcpOptions { prepared_replies: vec![PreparedReply::json(status, body)], ..d() }
    };
    let iam = |status: u16, code: &str, text: &str| {
        let body =
            format!(r#"{{"error":{{"code":{status},"message":"{text}","status":"{code}","details":[]}}}}"#);
        GcpOptions { prepared_replies: vec![PreparedReply::json(status, body).at("generate")], ..d() }
    };
    let other = "projects/123456789012/locations/global/workloadIdentityPools/gitpod/providers/other";
    let cases = [
        (
            "audience-of-the-exchange",
            sts(
                400,
                "invalid_request",
                r#"Invalid value for \"audience\". This value should be the full resource name of the Identity Provider."#,
            ),
        ),
        ("no-such-provider", GcpOptions { provider: other.into(), ..d() }),
        (
            "audience-of-the-token",
            GcpOptions { allowed_audiences: vec!["https://example.com".into()], ..d() },
        ),
        ("audience-of-the-flag", d()),
        (
            "uploaded-keys-are-old",
            sts(
                400,
                "invalid_grant",
                "Unable to verify the ID Token signature: no matching key in the JWKs.",
            ),
        ),
        ("signature", sts(400, "invalid_grant", "Invalid signature of the ID Token.")),
        (
            "issuer-unreachable",
            sts(400, "invalid_grant", "Error connecting to the given credential's issuer."),
        ),
        (
            "issuer-differs",
            sts(
                400,
                "invalid_grant",
                "The issuer in ID Token https://a does not match the expected ones: https://b",
            ),
        ),
        ("stale", d()),
        (
            "attribute-condition",
            GcpOptions { condition_subject: Some("https://github.com/acme/shop".into()), ..d() },
        ),
        ("attribute-too-long", d()),
        ("may-not-impersonate", GcpOptions { may_impersonate: false, ..d() }),
        ("no-such-account", GcpOptions { service_accounts: Vec::new(), ..d() }),
        (
            "api-is-off",
            iam(
                403,
                "PERMISSION_DENIED",
                "IAM Service Account Credentials API has not been used in project 1 before or it is disabled.",
            ),
        ),
        (
            "api-is-off-where-google-says",
            iam(
                403,
                "PERMISSION_DENIED",
                "IAM Service Account Credentials API has not been used in project 210987654321 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/iamcredentials.googleapis.com/overview?project=210987654321 then retry.",
            ),
        ),
        ("lifetime", iam(400, "INVALID_ARGUMENT", "The access token lifetime cannot exceed 3600 seconds.")),
        (
            "federated-token-refused",
            iam(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
        ),
        ("unknown", sts(400, "invalid_something", "")),
        ("error-with-status-200", sts(200, "invalid_grant", "no")),
    ];
    let mut all = Vec::new();
    for (name, options) in cases {
        let long = format!("https://github.com/{}", "a".repeat(109));
        let (subject, clock_offset) = match name {
            "attribute-too-long" => (Some(long), 0),
            "stale" => (None, -7200),
            _ => (None, 0),
        };
        let gp = Gp::in_workspace_of(Options { gcp: options, subject, clock_offset, ..Options::default() })
            .env("IDP_GCP_WORKLOAD_IDENTITY_PROVIDER", PROVIDER)
            .env("IDP_GCP_SERVICE_ACCOUNT", ACCOUNT)
            .line("idp login gcp --format access-token");
        let gp = if name == "audience-of-the-flag" { gp.line("--audience x") } else { gp };
        let ran = gp.run();
        assert_eq!((ran.code, ran.stdout.as_str()), (5, ""), "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains("\nhint: "), "{name}: {}", ran.stderr);
        all.push(format!("== {name}\n{}\n", without_time(&ran.stderr)));
    }
    snapbox::assert_data_eq!(all.concat(), snapbox::file!["snapshots/gcp/refusals.txt"].raw());
}

/// Replaces times such as `issued at 1795458322`, which differ in every run.
fn without_time(text: &str) -> String {
    let digits = |word: &str| word.len() == 10 && word.bytes().all(|b| b.is_ascii_digit());
    text.split(' ').map(|word| if digits(word) { "[TIME]" } else { word }).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_stale_token_is_replaced_once() {
    let body = r#"{"error":"invalid_grant","error_description":"ID Token issued at 1 is stale to sign-in."}"#;
    let gp = google(GcpOptions {
        prepared_replies: vec![PreparedReply::json(400, body)],
        ..GcpOptions::default()
    })
    .line("idp login gcp --format access-token");
    gp.run().success();
    assert_eq!(requests(&gp).len(), 2);
}

#[test]
fn temporary_failures_are_retried_and_not_blamed_on_the_user() {
    for (status, body) in [
        (503, "{}"),
        (500, "<html>oops</html>"),
        (400, r#"{"error":"temporarily_unavailable"}"#),
        (400, r#"{"error":"invalid_request","error_description":"internal_failure"}"#),
    ] {
        let once =
            GcpOptions { prepared_replies: vec![PreparedReply::json(status, body)], ..GcpOptions::default() };
        let gp = google(once).line("idp login gcp --format access-token");
        gp.run().success();
        assert_eq!(requests(&gp).len(), 2, "{body}");
        let always = GcpOptions {
            prepared_replies: vec![PreparedReply::json(status, body); 9],
            ..GcpOptions::default()
        };
        let gp = google(always).line("idp login gcp --format access-token");
        let ran = gp.run();
        assert_eq!(ran.code, 6, "{}", ran.stderr);
        assert!(ran.stderr.contains("hint: your settings are not the cause: try again"), "{}", ran.stderr);
        assert_eq!(requests(&gp).len(), 4, "{body}");
    }
}

#[test]
fn unexpected_replies_of_google_are_explained() {
    let mut all = Vec::new();
    for (name, canned) in [
        ("no-access-token", PreparedReply::json(200, r#"{"expires_in":3600}"#)),
        ("empty-access-token", PreparedReply::json(200, r#"{"access_token":"","expires_in":3600}"#)),
        ("no-expires-in", PreparedReply::json(200, r#"{"access_token":"s3cret"}"#)),
        ("expires-in-words", PreparedReply::json(200, r#"{"access_token":"s3cret","expires_in":"soon"}"#)),
        ("wrong-type", PreparedReply::json(200, r#"{"access_token":["s3cret"],"expires_in":3600}"#)),
        ("array", PreparedReply::json(200, r#"["s3cret"]"#)),
        (
            "html",
            PreparedReply {
                content_type: "text/html",
                ..PreparedReply::json(200, "<html><title>Log in</title>")
            },
        ),
        (
            "iam-without-token",
            PreparedReply::json(200, r#"{"expireTime":"2026-11-23T13:00:00Z"}"#).at("generate"),
        ),
        ("iam-without-end", PreparedReply::json(200, r#"{"accessToken":"s3cret"}"#).at("generate")),
        (
            "iam-bad-end",
            PreparedReply::json(200, r#"{"accessToken":"s3cret","expireTime":"soon"}"#).at("generate"),
        ),
    ] {
        let ran = google(GcpOptions { prepared_replies: vec![canned], ..GcpOptions::default() })
            .secret("s3cret")
            .env("IDP_GCP_SERVICE_ACCOUNT", ACCOUNT)
            .line("idp login gcp --format access-token")
            .run();
        assert_eq!((ran.code, ran.stdout.as_str()), (6, ""), "{name}: {}", ran.stderr);
        all.push(format!("== {name}\n{}\n", ran.stderr));
    }
    snapbox::assert_data_eq!(all.concat(), snapbox::file!["snapshots/gcp/unexpected-replies.txt"].raw());
}

#[test]
fn wrong_settings_are_refused_before_any_request() {
    let mut all = Vec::new();
    let provider = |name: &str| format!("--workload-identity-provider {name}");
    for line in [
        String::new(),
        provider(&PROVIDER.replace("123456789012", "my-project")),
        provider(&PROVIDER.replace("/providers/gitpod", "")),
        provider("gitpod"),
        format!("{} --service-account deploy", provider(PROVIDER)),
        format!("{} --lifetime 1h", provider(PROVIDER)),
        format!("{} --service-account {ACCOUNT} --lifetime 5m", provider(PROVIDER)),
        format!("{} --format access-token --scopes cloud-platform", provider(PROVIDER)),
        format!("{} --format id-token", provider(PROVIDER)),
        format!("{} --service-account {ACCOUNT} --format id-token", provider(PROVIDER)),
        format!("{} --service-account {ACCOUNT} --format env --id-token-audience x", provider(PROVIDER)),
        format!("{} --project My_Project", provider(PROVIDER)),
        format!("{} --audience a$b", provider(PROVIDER)),
        format!("{} --scopes email", provider(PROVIDER)),
        format!("{} --scopes=email --id-token-audience x --scopes y", provider(PROVIDER)),
        format!("{} --keep-fresh", provider(PROVIDER)),
    ] {
        let gp = Gp::new().line("idp login gcp").line(&line);
        let ran = gp.run();
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{line}: {}", ran.stderr);
        assert_eq!(fs::read_dir(gp.home()).unwrap().count(), 0, "{line}");
        all.push(format!("== {line}\n{}\n", ran.stderr));
    }
    let gp = Gp::new().env("GOOGLE_CLOUD_PROJECT", "A B").line("idp login gcp").line(&provider(PROVIDER));
    let ran = gp.run();
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("`GOOGLE_CLOUD_PROJECT`: `A B` is not the ID of a project"),
        "{}",
        ran.stderr
    );
    let ran = Gp::new()
        .env("CLOUDSDK_API_ENDPOINT_OVERRIDES_STS", "http://sts.example.com")
        .line("idp login gcp --no-check")
        .line(&provider(PROVIDER))
        .run();
    all.push(format!("== CLOUDSDK_API_ENDPOINT_OVERRIDES_STS\n{}\n", ran.stderr));
    snapbox::assert_data_eq!(all.concat(), snapbox::file!["snapshots/gcp/usage.txt"].raw());
}

// The configuration.

#[test]
fn the_configuration_is_written_where_sdks_look_without_a_request() {
    let gp = Gp::new()
        .line("idp login gcp --no-check --project example-project --lifetime 2h --workload-identity-provider")
        .arg(format!("//iam.googleapis.com/{PROVIDER}"))
        .line("--service-account")
        .arg(ACCOUNT)
        .with_placeholder(Gp::binary().display().to_string(), "[GP]");
    let ran = gp.run();
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
wrote [HOME]/.config/gcloud/application_default_credentials.json; SDKs need these variables:
export GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1
export CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE=[HOME]/.config/gcloud/application_default_credentials.json
export CLOUDSDK_CORE_PROJECT=example-project
export GOOGLE_CLOUD_PROJECT=example-project

"#]]
    );
    let path = gp.home().join(".config/gcloud/application_default_credentials.json");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let config = fs::read_to_string(&path).unwrap().replace(&Gp::binary().display().to_string(), "[GP]");
    snapbox::assert_data_eq!(
        config,
        str![[r#"
{
  "universe_domain": "googleapis.com",
  "type": "external_account",
  "audience": "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/gitpod/providers/gitpod",
  "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
  "token_url": "https://sts.googleapis.com/v1/token",
  "credential_source": {
    "executable": {
      "command": "[GP] idp gcloud-token",
      "timeout_millis": 30000
    }
  },
  "service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/deploy@example-project.iam.gserviceaccount.com:generateAccessToken",
  "service_account_impersonation": {
    "token_lifetime_seconds": 7200
  }
}

"#]]
    );
    // A second login replaces what the first one wrote.
    assert_eq!(gp.run().code, 0);
}

#[test]
fn a_custom_audience_is_in_the_command() {
    let gp = Gp::new()
        .line("idp login gcp --no-check --quiet --output adc.json --audience https://example.com/x --workload-identity-provider")
        .arg(PROVIDER);
    gp.run().success();
    let config = fs::read_to_string(gp.home().join("adc.json")).unwrap();
    assert!(config.contains("gp idp gcloud-token --audience https://example.com/x\""), "{config}");
}

#[test]
fn a_file_of_another_program_is_not_overwritten() {
    let gp = Gp::new().line("idp login gcp --no-check --quiet --workload-identity-provider").arg(PROVIDER);
    let folder = gp.home().join(".config/gcloud");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("application_default_credentials.json");
    fs::write(&path, r#"{"type":"authorized_user","refresh_token":"x"}"#).unwrap();
    gp.run().failure(7, str![[r#"
error: could not write the configuration [HOME]/.config/gcloud/application_default_credentials.json
  caused by: [HOME]/.config/gcloud/application_default_credentials.json holds credentials that this program did not write (type `authorized_user`)
hint: replace it with `--force`, or write to another file with `--output FILE`

"#]]);
    assert!(fs::read_to_string(&path).unwrap().contains("authorized_user"));
    let gp = gp.arg("--force");
    gp.run().success();
    assert!(fs::read_to_string(&path).unwrap().contains("external_account"));
}

#[test]
fn a_custom_file_has_a_variable_for_sdks() {
    let gp = Gp::new()
        .line("idp login gcp --no-check --output adc.json --workload-identity-provider")
        .arg(PROVIDER);
    let said = gp.run().stderr;
    assert!(said.contains("export GOOGLE_APPLICATION_CREDENTIALS=[HOME]/adc.json\n"), "{said}");
    // The usual file is named too if the environment names another one.
    let gp = Gp::new()
        .env("GOOGLE_APPLICATION_CREDENTIALS", "/other.json")
        .line("idp login gcp --no-check --workload-identity-provider")
        .arg(PROVIDER);
    let said = gp.run().stderr;
    assert!(said.contains("export GOOGLE_APPLICATION_CREDENTIALS=[HOME]/.config/gcloud/"), "{said}");
    assert!(
        said.contains("warning: `GOOGLE_APPLICATION_CREDENTIALS` names /other.json, which SDKs read"),
        "{said}"
    );
}

#[test]
fn a_file_sourced_configuration_has_a_token_file_beside_it() {
    // Half a minute more than an hour, so that a second does not change the minutes.
    let lifetime = std::time::Duration::from_secs(3630);
    let gp = Gp::in_workspace_of(Options { lifetime, ..Options::default() })
        .line("idp login gcp --no-check --file-sourced --output adc.json");
    let ran = gp.run();
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
wrote adc.json; SDKs need these variables:
export GOOGLE_APPLICATION_CREDENTIALS=[HOME]/adc.json
export CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE=[HOME]/adc.json
note: no project is known, and the SDK for Node needs one: give `--project ID`, or set `GOOGLE_CLOUD_PROJECT`
note: SDKs send tokens to [API], which the settings name
the token in [HOME]/adc.jwt expires in 60 min; `--keep-fresh` keeps it fresh

"#]]
    );
    let config = fs::read_to_string(gp.home().join("adc.json")).unwrap();
    let token_file = gp.home().join("adc.jwt");
    assert!(config.contains(&format!("\"file\": \"{}\"", token_file.display())), "{config}");
    let token = fs::read_to_string(&token_file).unwrap();
    assert!(!token.ends_with('\n'));
    let claim = Gp::new().line("idp decode --claim azp").stdin(token).run().success();
    assert_eq!(claim, format!("https://iam.googleapis.com/{PROVIDER}\n"));
    assert_eq!(requests(&gp).len(), 0, "SDKs exchange it");
    // A second login finds its own files.
    assert_eq!(gp.run().code, 0);
}

#[test]
fn nothing_is_written_without_a_token() {
    let gp = Gp::new()
        .line("idp login gcp --no-check --file-sourced --keep-fresh --output new/adc.json --workload-identity-provider")
        .arg(PROVIDER)
        .env("SUPERVISOR_ADDR", "127.0.0.1:1")
        .line("--timeout 200ms");
    assert_eq!(gp.run().code, 3);
    assert_eq!(fs::read_dir(gp.home()).unwrap().count(), 0);
}

// The command.

#[test]
fn a_command_gets_a_configuration_that_goes_away() {
    let gp = google(GcpOptions::default())
        .env("GOOGLE_OAUTH_ACCESS_TOKEN", "shadow")
        .line("idp exec gcp --project example-project --service-account")
        .arg(ACCOUNT)
        .line("-- sh -c")
        .arg("echo ${GOOGLE_OAUTH_ACCESS_TOKEN-none} $GOOGLE_CLOUD_PROJECT $GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES; echo $GOOGLE_APPLICATION_CREDENTIALS; cat $CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE; exit 7");
    let ran = gp.run();
    assert_eq!((ran.code, ran.stderr.as_str()), (7, ""));
    let mut lines = ran.stdout.lines();
    assert_eq!(lines.next(), Some("none example-project 1"));
    let path = lines.next().unwrap().replace("[HOME]", &gp.home().display().to_string());
    assert!(ran.stdout.contains(":generateAccessToken"), "{}", ran.stdout);
    assert!(!std::path::Path::new(&path).exists(), "{path}");
}

#[test]
fn a_missing_project_is_noted_on_a_terminal() {
    let gp = fixed(GcpOptions::default()).on_terminal();
    let gp = gp.line("idp exec gcp -- true");
    assert!(gp.run().stderr.contains("note: no project is known, and the SDK for Node needs one"));
    let gp = gp.env("GOOGLE_CLOUD_PROJECT", "example-project");
    assert!(!gp.run().stderr.contains("project"));
}

#[test]
fn a_program_path_with_a_space_has_a_hint_for_each_command() {
    for (command, otherwise) in [
        (["login", "gcp", "--output", "adc.json"].as_slice(), "`--file-sourced`"),
        (&["exec", "gcp", "--", "true"], "`gp idp login gcp --file-sourced`"),
    ] {
        let gp = Gp::new();
        let folder = gp.home().join("two words");
        fs::create_dir(&folder).unwrap();
        program(&folder.join("gp"), fs::read(Gp::binary()).unwrap());
        let mut own = std::process::Command::new(folder.join("gp"));
        let claims = format!(r#"{{"aud":"https://iam.googleapis.com/{PROVIDER}","exp":4102444800}}"#);
        let token = format!("e30.{}.", URL_SAFE_NO_PAD.encode(claims));
        own.env_clear().env("HOME", gp.home()).current_dir(gp.home());
        fs::write(gp.home().join("token"), token).unwrap();
        own.arg("idp").args(&command[..2]).args([
            "--source",
            "command:/bin/cat token",
            "--workload-identity-provider",
            PROVIDER,
        ]);
        let done = own.args(&command[2..]).output().unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        let expected =
            format!("hint: move the program to a path without special characters, or use {otherwise}\n");
        assert!(done.status.code() == Some(2) && said.ends_with(&expected), "{said}");
        assert!(!gp.home().join("adc.json").exists());
    }
}

#[test]
fn a_command_is_not_started_when_google_refuses() {
    let gp = google(GcpOptions { condition_subject: Some("other".into()), ..GcpOptions::default() })
        .line("idp exec gcp -- touch started");
    assert_eq!(gp.run().code, 5);
    assert!(!gp.home().join("started").exists());
}

#[test]
fn a_configuration_that_google_would_refuse_is_not_written() {
    let body = r#"{"error":"unauthorized_client","error_description":"The caller is not allowed."}"#;
    let options =
        GcpOptions { prepared_replies: vec![PreparedReply::json(400, body)], ..GcpOptions::default() };
    let gp = google(options).line("idp login gcp --output adc.json");
    let ran = gp.run();
    assert_eq!((ran.code, gp.home().join("adc.json").exists()), (5, false), "{}", ran.stderr);
    let gp = gp.with_line("idp login gcp --output adc.json --no-check");
    assert_eq!(gp.run().code, 0);
    assert!(gp.home().join("adc.json").exists());
}
