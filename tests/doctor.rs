//! `gp idp doctor`: the report if all checks pass, and if single checks fail.

use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gp_idp::context::Clock;
use gp_idp::dev::Options;
use snapbox::str;

use crate::support::Gp;
use crate::tls::Api;

const NOON: &str = "2026-11-23T12:00:00Z";

fn options() -> Options {
    Options { clock: Clock::Fixed(NOON.parse().unwrap()), ..Options::default() }
}

/// At noon on every clock except that of the web server, which shows the real time.
fn gp(options: Options) -> Gp {
    Gp::in_workspace_of(options).at_time(NOON).line("idp doctor")
}

/// Each check with its mark, without its result and without the last line.
fn marks(report: &str) -> Vec<String> {
    let lines = report.lines().filter(|line| line.starts_with(['✓', '!', '✗', '–']));
    lines.map(|line| line.split("  ").next().unwrap().to_owned()).collect()
}

#[test]
fn all_checks_pass_in_a_working_workspace() {
    let report = Gp::in_workspace().line("idp doctor").run().success();
    assert_eq!(
        marks(&report),
        [
            "✓ supervisor",
            "✓ API token",
            "✓ API",
            "✓ mint",
            "✓ token",
            "✓ clock",
            "✓ discovery",
            "✓ keys",
            "✓ signature",
            "✓ claims",
        ]
    );
    assert!(report.ends_with("\nnone of 10 checks failed\n"), "{report}");
    assert!(!report.contains("eyJ"));
}

#[test]
fn the_checks_for_aws_pass_in_a_working_workspace() {
    let report = Gp::in_workspace().line("idp doctor aws").run().success();
    let marks = marks(&report);
    assert_eq!(
        marks[10..],
        ["✓ AWS settings", "– AWS credentials", "– AWS config", "– AWS environment", "✓ AWS exchange"]
    );
    assert!(marks[..10].iter().all(|mark| mark.starts_with('✓')), "{report}");
    assert!(report.ends_with("\nnone of 15 checks failed\n"), "{report}");
    assert!(!report.contains("ASIA"), "the credentials are not in the report");
}

#[test]
fn outside_of_a_workspace_the_settings_are_still_checked() {
    let gp = Gp::new().line("idp doctor aws --role-arn arn:aws:iam::123456789012:role/x");
    let gp = gp.env("SUPERVISOR_ADDR", "127.0.0.1:1").arg("--timeout").arg("300ms");
    let ran = gp.run();
    assert_eq!((ran.code, ran.stderr.as_str()), (3, ""));
    assert_eq!(
        marks(&ran.stdout),
        [
            "✗ supervisor",
            "✓ AWS settings",
            "– AWS credentials",
            "– AWS config",
            "– AWS environment",
            "– not checked",
        ]
    );
    let end: Vec<&str> = ran.stdout.lines().rev().take(2).collect();
    assert_eq!(
        end,
        [
            "1 of 15 checks failed: supervisor; 10 not checked",
            "– not checked      API token, API, mint, token, clock, discovery, keys, signature, claims, AWS exchange",
        ]
    );
}

#[test]
fn a_refused_mint_fails_the_mint_check_and_not_the_api_check() {
    let options = Options { token_scopes: vec!["function:getWorkspace".into()], ..options() };
    let ran = gp(options).run();
    assert_eq!(ran.code, 4);
    assert_eq!(marks(&ran.stdout)[..5], ["✓ supervisor", "✓ API token", "✓ API", "✗ mint", "– not checked"]);
    snapbox::assert_data_eq!(
        ran.stdout.lines().skip(3).take(2).collect::<Vec<_>>().join("\n"),
        str![[r#"
✗ mint         the API that mints ID tokens ([API]) refused: not allowed to access getIDToken (permission_denied, HTTP 403)
               hint: [..]
"#]]
    );
}

#[test]
fn an_unreachable_api_fails_the_api_check() {
    let ran = gp(options()).env("IDP_API_URL", "http://127.0.0.1:1").run();
    assert_eq!(ran.code, 6);
    assert_eq!(marks(&ran.stdout), ["✓ supervisor", "✓ API token", "✗ API", "– not checked"]);
}

#[test]
fn a_short_lifetime_and_a_long_subject_are_warned_about() {
    let short = gp(Options { lifetime: Duration::from_secs(300), ..options() }).run();
    assert!(marks(&short.stdout).contains(&"! token".to_owned()), "{}", short.stdout);
    let subject = format!("https://github.com/{}", "x".repeat(120));
    let long = gp(Options { subject: Some(subject), lifetime: Duration::from_secs(300), ..options() }).run();
    // Each warning is shown.
    assert!(long.stdout.contains("tokens with a lifetime of one hour"), "{}", long.stdout);
    assert!(
        long.stdout
            .contains("Google Cloud accepts at most 127 bytes for google.subject, and this subject has 139"),
        "{}",
        long.stdout
    );
}

#[test]
fn a_wrong_clock_is_reported_instead_of_an_expiry() {
    let ran = gp(Options { clock_offset: -7200, ..options() }).run();
    assert_eq!(ran.code, 1);
    let marks = marks(&ran.stdout);
    assert!(marks.contains(&"✗ clock".to_owned()) && !marks.contains(&"✗ exp".to_owned()), "{}", ran.stdout);
    assert!(ran.stdout.contains("this machine is 2 h ahead of the issuer\n"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("expired"), "{}", ran.stdout);
}

#[test]
fn if_issuer_and_server_agree_this_machines_clock_is_wrong() {
    // The workspace has the real time, and this machine is 2 h ahead of it.
    let ahead = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_mins(130)).unwrap();
    let gp = Gp::in_workspace().at_time(&ahead.to_string()).line("idp doctor aws");
    fs::create_dir(gp.home().join(".aws")).unwrap();
    let soon = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_mins(50)).unwrap();
    let keys = "[default]\naws_access_key_id = ASIAX\naws_secret_access_key = x\naws_session_token = x\n";
    let file = gp.home().join(".aws/credentials");
    fs::write(&file, format!("{keys}x_security_token_expires = {soon}\n")).unwrap();
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let ran = gp.run();
    assert_eq!(ran.code, 1);
    let clock = ran.stdout.lines().position(|line| line.starts_with("✗ clock")).unwrap();
    assert!(clock < ran.stdout.lines().position(|line| line.contains(" claims ")).unwrap());
    assert!(
        ran.stdout.contains("this machine is 2 h ahead of the issuer and its server\n"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("hint: set this machine's clock"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("expired "), "{}", ran.stdout);
    assert!(ran.stdout.contains("\n1 of 15 checks failed: clock\n"), "{}", ran.stdout);
}

#[test]
fn a_profile_with_a_missing_program_is_named() {
    let gp = Gp::in_workspace().line("idp doctor aws");
    fs::create_dir(gp.home().join(".aws")).unwrap();
    for (program, is_named) in [("/no/such/gp", true), ("/bin/sh", false), ("gp", false)] {
        let process = format!("[default]\ncredential_process = {program} idp login aws --format process\n");
        fs::write(gp.home().join(".aws/config"), process).unwrap();
        let ran = gp.run();
        let said =
            ran.stdout.contains(&format!("the profile `default` runs `{program}`, which does not exist"));
        assert_eq!(said, is_named, "{}", ran.stdout);
    }
}

#[test]
fn another_role_of_the_profile_is_named() {
    let gp = Gp::in_workspace().line("idp doctor aws");
    fs::create_dir(gp.home().join(".aws")).unwrap();
    let role = |name: &str| format!("arn:aws:iam::123456789012:role/{name}");
    for (name, is_named) in [("dev", false), ("prod", true)] {
        let process = format!(
            "[default]\ncredential_process = gp idp login aws --role-arn {} --format process\n",
            role(name)
        );
        fs::write(gp.home().join(".aws/config"), process).unwrap();
        let ran = gp.run();
        let expected =
            format!("the profile `default` assumes {}, and this report tries {}", role(name), role("dev"));
        assert_eq!(ran.stdout.contains(&expected), is_named, "{}", ran.stdout);
    }
}

#[test]
fn an_old_session_token_is_reported_only_with_the_keys_in_use() {
    let gp = Gp::in_workspace().line("idp doctor aws");
    fs::create_dir(gp.home().join(".aws")).unwrap();
    let keys = "[default]\naws_access_key_id = ASIAX\naws_secret_access_key = x\n";
    fs::write(gp.home().join(".aws/credentials"), keys).unwrap();
    // Alone, and beside keys that SDKs ignore because the credentials file has keys.
    for config in ["[default]\naws_security_token = x\n", &format!("{keys}aws_security_token = x\n")] {
        fs::write(gp.home().join(".aws/config"), config).unwrap();
        let ran = gp.run();
        assert!(marks(&ran.stdout).contains(&"✓ AWS config".to_owned()), "{}", ran.stdout);
    }
    fs::remove_file(gp.home().join(".aws/credentials")).unwrap();
    let ran = gp.run();
    assert!(marks(&ran.stdout).contains(&"! AWS config".to_owned()), "{}", ran.stdout);
    // A role in the config file takes precedence over the keys in the credentials file.
    fs::write(gp.home().join(".aws/credentials"), keys).unwrap();
    fs::write(gp.home().join(".aws/config"), "[default]\nrole_arn = x\n").unwrap();
    let ran = gp.run();
    assert!(ran.stdout.contains("some SDKs use `role_arn` on line 2, not the keys"), "{}", ran.stdout);
}

#[test]
fn problems_of_a_profile_are_reported() {
    let gp = gp(options()).with_line("idp doctor aws --profile ci").env("AWS_ACCESS_KEY_ID", "AKIAX");
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
! AWS credentials  [HOME]/.aws/credentials: `aws_security_token` in the profile `ci` takes precedence over the newer `aws_session_token`
                   hint: remove that line
! AWS credentials  [HOME]/.aws/credentials: the keys of the profile `ci` expired 3 h ago
                   hint: `gp idp login aws --profile ci`
! AWS credentials  [HOME]/.aws/credentials: some SDKs use `sso_account_id` on line 6, not the keys of the profile `ci`
                   hint: remove that line
! AWS credentials  [HOME]/.aws/credentials: others can read it
                   hint: `chmod 600 [HOME]/.aws/credentials`
✗ AWS config       could not understand [HOME]/.aws/config: line 2: the section `profile ci` is already on line 1
                   hint: fix this line, because it makes the AWS CLI refuse the whole file; nothing was changed
! AWS environment  these variables take precedence: AWS_ACCESS_KEY_ID
                   hint: `unset AWS_ACCESS_KEY_ID`
– not checked      AWS exchange
2 of 15 checks failed: AWS settings, AWS config; 6 warnings: clock, AWS credentials, AWS environment; 1 not checked
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

/// The lines of one check in a report, with their continuation lines.
fn lines_of_check(report: &str, check: &str) -> String {
    let mut is_of_it = false;
    let of_it = |line: &&str| {
        if line.starts_with(|c: char| !c.is_whitespace()) {
            is_of_it = line.split_once(' ').is_some_and(|(_, rest)| rest.starts_with(check));
        }
        is_of_it
    };
    let lines: Vec<&str> = report.lines().filter(of_it).collect();
    lines.join("\n") + "\n"
}

/// The last `count` marks, which are those of a target.
fn target_marks(line: &str, count: usize) -> Vec<String> {
    let report = Gp::in_workspace().line(line).run();
    assert_eq!((report.code, report.stderr.as_str()), (0, ""), "{}", report.stdout);
    for secret in ["eyJ", "dev-", "hvs.", "ya29."] {
        assert!(!report.stdout.contains(secret), "{}", report.stdout);
    }
    let marks = marks(&report.stdout);
    marks[marks.len() - count..].to_vec()
}

#[test]
fn every_target_has_its_checks() {
    let gcp = ["✓ Google settings", "– Google configuration", "– Google environment", "✓ Google exchange"];
    assert_eq!(target_marks("idp doctor gcp", 4), gcp);
    let azure = ["✓ Azure settings", "– Azure token file", "– Azure environment", "✓ Azure exchange"];
    assert_eq!(target_marks("idp doctor azure", 4), azure);
    assert_eq!(
        target_marks("idp doctor vault", 3),
        ["✓ Vault settings", "– Vault environment", "✓ Vault login"]
    );
    assert_eq!(
        target_marks("idp doctor kubernetes --audience kubernetes", 2),
        ["– kubeconfig", "– API server"]
    );
}

#[test]
fn doctor_vault_leaves_no_token_behind() {
    let gp = Gp::in_workspace().line("idp doctor vault");
    let report = gp.run().success();
    assert!(report.contains("which is revoked again"), "{report}");
    assert!(!gp.home().join(".vault-token").exists());
}

#[test]
fn settings_that_bypass_a_target_are_reported() {
    let gcp = Gp::in_workspace().line("idp doctor gcp").env("GOOGLE_APPLICATION_CREDENTIALS", "key.json");
    let file = gcp.home().join("key.json");
    fs::write(&file, r#"{"type": "service_account"}"#).unwrap();
    let gcp = gcp.env("GOOGLE_APPLICATION_CREDENTIALS", &file).run();
    assert!(
        gcp.stdout
            .contains("is of type `service_account`, which SDKs use instead of this workspace's identity"),
        "{}",
        gcp.stdout
    );
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
        azure.stdout.contains("take precedence: AZURE_CLIENT_SECRET") && !azure.stdout.contains("s3cret"),
        "{}",
        azure.stdout
    );
}

#[test]
fn a_refusal_by_a_target_fails_only_the_check_of_that_step() {
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

/// A file with a token for `audience` from the workspace.
fn token_file(gp: &Gp, audience: &str) -> std::path::PathBuf {
    let path = gp.home().join("token");
    let mut command = gp.command();
    let environment: Vec<_> =
        command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
    command = std::process::Command::new(Gp::binary());
    command
        .env_clear()
        .envs(environment)
        .args(["idp", "token", "--audience", audience, "--output"])
        .arg(&path);
    assert!(command.status().unwrap().success());
    path
}

#[test]
fn the_default_configuration_of_google_is_checked() {
    let gp = Gp::in_workspace().line("idp doctor gcp");
    let folder = gp.home().join(".config/gcloud");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("application_default_credentials.json");
    let write = |source: &str| {
        fs::write(
            &file,
            format!(r#"{{"type":"external_account","audience":"//other","credential_source":{source}}}"#),
        )
        .unwrap();
    };
    write(r#"{"executable":{"command":"/nowhere/gp idp gcloud-token"}}"#);
    let mut all = lines_of_check(&gp.run().stdout, "Google");
    fs::write(&file, r#"{"type":"authorized_user"}"#).unwrap();
    all += &lines_of_check(&gp.run().stdout, "Google configuration");
    snapbox::assert_data_eq!(
        all,
        str![[r#"
✓ Google settings       projects/123456789012/locations/global/workloadIdentityPools/gitpod/providers/gitpod, no service account
! Google configuration  [HOME]/.config/gcloud/application_default_credentials.json is for //other, but the settings name //iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/gitpod/providers/gitpod
                        hint: write it again: `gp idp login gcp`
! Google configuration  [HOME]/.config/gcloud/application_default_credentials.json runs /nowhere/gp, which does not exist
                        hint: write it again: `gp idp login gcp`
! Google configuration  [HOME]/.config/gcloud/application_default_credentials.json runs a program, which SDKs refuse unless GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES is 1
                        hint: `export GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1`
– Google environment    no variable overrides the settings
✓ Google exchange       gave an access token that expires in [..]
! Google configuration  [HOME]/.config/gcloud/application_default_credentials.json is of type `authorized_user`, which SDKs use instead of this workspace's identity
                        hint: replace it: `gp idp login gcp --force`

"#]]
    );
    let token = token_file(&gp, "https://elsewhere.example");
    write(&format!(r#"{{"file":"{}"}}"#, token.display()));
    let ran = gp.run().stdout;
    assert!(
        ran.contains("! Google token file") && ran.contains("holds a token for https://elsewhere.example"),
        "{ran}"
    );
    // Another configuration folder of gcloud.
    let gp = gp.env("CLOUDSDK_CONFIG", folder.parent().unwrap());
    assert!(gp.run().stdout.contains("– Google configuration"));
}

#[test]
fn the_configuration_that_login_gcp_writes_passes() {
    let gp = Gp::in_workspace().line("idp login gcp").env("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1");
    assert_eq!(gp.run().code, 0);
    let gp = gp.with_line("idp doctor gcp");
    let ran = gp.run().success();
    assert!(ran.contains("✓ Google configuration"), "{ran}");
    let gp = gp.with_line("idp login gcp --file-sourced --force");
    assert_eq!(gp.run().code, 0);
    let ran = gp.with_line("idp doctor gcp").run().success();
    assert!(ran.contains("✓ Google token file"), "{ran}");
}

#[test]
fn the_token_file_of_azure_is_checked() {
    let gp = Gp::in_workspace().line("idp doctor azure");
    let path = token_file(&gp, "https://elsewhere.example");
    let gp = gp.env("AZURE_FEDERATED_TOKEN_FILE", &path);
    let mut all = lines_of_check(&gp.run().stdout, "Azure token file");
    token_file(&gp, "api://AzureADTokenExchange");
    all += &lines_of_check(&gp.run().stdout, "Azure token file");
    // `login` writes a file that no variable names.
    let gp = gp.env("AZURE_FEDERATED_TOKEN_FILE", "").with_line("idp login azure");
    assert_eq!(gp.run().code, 0);
    all += &lines_of_check(&gp.with_line("idp doctor azure").run().stdout, "Azure token file");
    snapbox::assert_data_eq!(
        all,
        str![[r#"
! Azure token file   [HOME]/token holds a token for https://elsewhere.example, but the settings ask for api://AzureADTokenExchange
                     hint: keep the file fresh: `gp idp login azure --keep-fresh`
✓ Azure token file   [HOME]/token expires in [..] min
! Azure token file   no variable names [HOME]/.cache/gp-idp/AzureADTokenExchange.jwt to SDKs
                     hint: `vars=$(gp idp login azure --format env) && eval "$vars"`

"#]]
    );
}

#[test]
fn a_home_folder_that_does_not_exist_is_reported() {
    let gp = Gp::in_workspace();
    let home = gp.home().join("gone");
    let mut all = lines_of_check(&gp.line("idp doctor aws").env("HOME", home).run().stdout, "home");
    let read_only = Gp::in_workspace().line("idp doctor").env("HOME", "/proc/1").run();
    all += &lines_of_check(&read_only.stdout, "home");
    snapbox::assert_data_eq!(
        all,
        str![[r#"
! home             [HOME]/gone is not an existing folder
                   hint: print instead of writing a file (`--format`), or set `HOME` to a writable folder
! home        /proc/1 is not writable: [..]
              hint: print instead of writing a file (`--format`), or set `HOME` to a writable folder

"#]]
    );
}

/// `doctor kubernetes` with a kubeconfig whose cluster has these fields.
fn kubernetes(cluster: &str) -> Gp {
    let gp = Gp::in_workspace().line("idp doctor kubernetes --audience kubernetes");
    let config = format!(
        "kind: Config\nclusters:\n- name: prod\n  cluster: {{{cluster}}}\ncontexts:\n- name: prod\n  context: {{cluster: prod, user: me}}\n\
         users:\n- name: me\n  user:\n    exec:\n      command: {}\n      args: [idp, token, --audience=kubernetes, --format=kubernetes]\n",
        Gp::binary().display()
    );
    fs::create_dir(gp.home().join(".kube")).unwrap();
    fs::write(gp.home().join(".kube/config"), config).unwrap();
    gp
}

/// The exit code and the last checks of `doctor kubernetes` for a server with this reply.
fn api_server(status: u16, kind: &str, body: &str) -> String {
    let api = Api::answering("127.0.0.1", status, kind, body);
    let cluster = format!(
        "server: 'https://{}', certificate-authority-data: {}",
        api.address,
        STANDARD.encode(&api.ca)
    );
    let ran = kubernetes(&cluster).with_placeholder(api.address.to_string(), "[SERVER]").run();
    assert_eq!(ran.stderr, "");
    format!(
        "{}\n{}",
        ran.code,
        ran.stdout.lines().skip_while(|line| !line.contains("kubeconfig")).collect::<Vec<_>>().join("\n")
    )
}

#[test]
fn the_api_server_names_the_user_of_the_token() {
    let review = r#"{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"gitpod:me"}}}"#;
    snapbox::assert_data_eq!(
        api_server(201, "application/json", review),
        str![[r#"
0
✓ kubeconfig  these users get their tokens from `gp`: me
✓ API server  the API server https://[SERVER] accepts the token: the user is gitpod:me
none of 12 checks failed
"#]]
    );
    let status = |message: &str| format!(r#"{{"kind":"Status","message":"{message}"}}"#);
    snapbox::assert_data_eq!(
        api_server(401, "application/json", &status("Unauthorized")),
        str![[r#"
5
✓ kubeconfig  these users get their tokens from `gp`: me
✗ API server  the API server https://[SERVER] refused: Unauthorized
                iss  [API]/idp
                aud  kubernetes
[..]
                sub  [..]
              hint: the server accepts this token if it runs with `--oidc-issuer-url=[API]/idp --oidc-client-id=kubernetes`
              hint: if the server uses an AuthenticationConfiguration, set the same values in its `issuer.url` and `issuer.audiences` (`gp idp trust kubernetes` prints one)
              hint: if the server has these settings already, its log has the reason
1 of 12 checks failed: API server
"#]]
    );
    let forbidden = api_server(403, "application/json", &status("selfsubjectreviews is forbidden"));
    assert!(
        forbidden.contains("! API server")
            && forbidden.contains("accepts the token, but selfsubjectreviews is forbidden"),
        "{forbidden}"
    );
    let old = api_server(404, "application/json", &status("not found"));
    assert!(old.contains("✓ API server") && old.contains("too old to name the token's user"), "{old}");
    let page = api_server(200, "text/html", "<html><title>Sign in</title></html>");
    assert!(page.contains("✗ API server") && page.contains("Sign in"), "{page}");
}

#[test]
fn the_token_is_sent_only_to_a_server_with_a_valid_certificate() {
    let api = Api::answering("api.example.com", 404, "application/json", r#"{"kind":"Status"}"#);
    let server = format!("server: 'https://{}'", api.address);
    let said = |cluster: &str| {
        let gp = kubernetes(cluster);
        fs::write(gp.home().join(".kube/ca.pem"), &api.ca).unwrap();
        gp.run().stdout
    };
    // The CA file beside the kubeconfig, and the name in the certificate.
    let right = said(&format!("{server}, certificate-authority: ca.pem, tls-server-name: api.example.com"));
    assert!(right.contains("✓ API server"), "{right}");
    let name = said(&format!("{server}, certificate-authority: ca.pem"));
    assert!(name.contains("✗ API server") && name.contains("its certificate is for"), "{name}");
    let authority = said(&format!("{server}, tls-server-name: api.example.com"));
    assert!(
        authority.contains("✗ API server") && authority.contains("`certificate-authority`"),
        "{authority}"
    );
    let skip = said(&format!("{server}, insecure-skip-tls-verify: true"));
    assert!(skip.contains("! API server") && skip.contains("certificate verification"), "{skip}");
    let plain = said("server: 'http://api.example.com'");
    assert!(plain.contains("! API server") && plain.contains("the token is not sent: "), "{plain}");
}

#[test]
fn problems_of_a_kubeconfig_are_reported() {
    let gp = kubernetes("server: 'https://127.0.0.1:1'");
    let path = gp.home().join(".kube/config");
    let text = fs::read_to_string(&path).unwrap();
    let binary = Gp::binary().display().to_string();
    let said = |text: String| {
        fs::write(&path, text).unwrap();
        lines_of_check(&gp.run().stdout, "kubeconfig")
    };
    let mut all = said(text.replace("=kubernetes, --f", "=other, --f"));
    all += &said(text.replace(&binary, "bin/gp"));
    fs::create_dir(gp.home().join(".kube/bin")).unwrap();
    fs::write(gp.home().join(".kube/bin/gp"), "").unwrap();
    all += &said(text.replace(&binary, "bin/gp"));
    all += &said(text.replace(&binary, "gp-of-nowhere"));
    all += &said(format!("{text}current-context: 1\n"));
    all += &lines_of_check(&gp.run().stdout, "not checked");
    snapbox::assert_data_eq!(
        all,
        str![[r#"
! kubeconfig  the user `me` requests tokens for the audience other, not for kubernetes
              hint: `gp idp login kubernetes --audience kubernetes --user me`
! kubeconfig  the user `me` runs bin/gp, which does not exist
              hint: `gp idp login kubernetes --audience kubernetes --user me`
! kubeconfig  the user `me` runs bin/gp, which is not executable
              hint: `gp idp login kubernetes --audience kubernetes --user me`
! kubeconfig  the user `me` runs gp-of-nowhere, which is not in `PATH`
              hint: `gp idp login kubernetes --audience kubernetes --user me`
✗ kubeconfig   `kubectl` refuses [HOME]/.kube/config: line 14: `current-context` is a number or a boolean without quotes, and `kubectl` expects a string here
               hint: correct that line
– not checked  API server

"#]]
    );
}

#[test]
fn a_source_that_lacks_its_variables_leaves_the_other_checks() {
    let gp = Gp::new().env("GITHUB_ACTIONS", "true");
    for line in [
        "idp doctor",
        "idp doctor aws --role-arn arn:aws:iam::123456789012:role/demo",
        "idp doctor kubernetes --audience x",
    ] {
        let ran = Gp::new().env("GITHUB_ACTIONS", "true").line(line).run();
        assert_eq!((ran.code, ran.stderr.as_str()), (3, ""), "{line}: {}", ran.stdout);
        let first = ran.stdout.lines().next().unwrap();
        assert!(first.starts_with("✗ source") && first.contains("is not set"), "{line}: {}", ran.stdout);
        assert!(ran.stdout.contains("`permissions: id-token: write`"), "{line}: {}", ran.stdout);
    }
    let aws = gp.line("idp doctor aws --role-arn arn:aws:iam::123456789012:role/demo").run();
    assert!(aws.stdout.contains("✓ AWS settings"), "{}", aws.stdout);
}

#[test]
fn a_profile_that_does_not_exist_is_reported() {
    let gp = Gp::in_workspace().line("idp login aws");
    gp.run().success();
    let gp = gp.with_line("idp doctor aws --profile prod");
    let ran = gp.run();
    let expected = "! AWS config       neither file has the profile `prod`\n";
    assert!(ran.stdout.contains(expected), "{}", ran.stdout);
    // The profile `default` is optional.
    let other = Gp::in_workspace().line("idp login aws --profile other");
    other.run().success();
    let ran = other.with_line("idp doctor aws --profile default").run();
    assert!(!ran.stdout.contains("neither file"), "{}", ran.stdout);
}

#[test]
fn a_user_of_an_earlier_kubeconfig_takes_precedence() {
    let gp =
        Gp::in_workspace().line("idp login kubernetes --audience kubernetes --user me --kubeconfig second");
    gp.run().success();
    fs::write(gp.home().join("first"), "users:\n- name: me\n  user: {token: x}\n").unwrap();
    let doctor = gp.with_line("idp doctor kubernetes --audience kubernetes");
    let doctor = doctor.env("KUBECONFIG", "second");
    assert!(doctor.run().stdout.contains("get their tokens from `gp`: me"));
    let ran = doctor.env("KUBECONFIG", "first:second").run();
    assert!(ran.stdout.contains("no user in the kubeconfig gets its tokens from `gp`"), "{}", ran.stdout);
}
