//! `gp idp login aws`: profiles and formats, against the local workspace's STS.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use gp_idp::context::Clock;
use gp_idp::dev::Options;
use snapbox::str;

use crate::support::{Gp, skip};

const NOON: &str = "2026-11-23T12:00:00Z";
const OTHER_ROLE: &str = "arn:aws:iam::123456789012:role/other";

/// In a workspace where the clocks always show noon.
fn gp() -> Gp {
    let clock = Clock::Fixed(NOON.parse().unwrap());
    Gp::in_workspace_of(Options { clock, ..Options::default() }).at_time(NOON)
}

fn credentials(gp: &Gp) -> PathBuf {
    gp.home().join(".aws/credentials")
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// `text` with `[NEW]` for each value that differs in every run.
fn shape(text: &str) -> String {
    let line = |line: &str| {
        let secret = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];
        match line.split_once(" = ") {
            Some((key, value)) if secret.contains(&key.trim()) && !value.is_empty() => {
                format!("{key} = [NEW]\n")
            }
            _ => format!("{line}\n"),
        }
    };
    text.lines().map(line).collect()
}

#[test]
fn a_login_writes_the_profile_and_prints_nothing() {
    let gp = gp().line("idp login aws -p prod -d 7200");
    assert_eq!(gp.run().success(), "");
    let path = credentials(&gp);
    snapbox::assert_data_eq!(
        shape(&fs::read_to_string(&path).unwrap()),
        str![[r#"
[prod]
aws_access_key_id = [NEW]
aws_secret_access_key = [NEW]
aws_session_token = [NEW]
x_security_token_expires = 2026-11-23T14:00:00Z

"#]]
    );
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert!(!gp.home().join(".aws/config").exists());
}

#[test]
fn the_old_spelling_is_the_same_command() {
    let gp = gp().line("idp login-aws");
    gp.run().success();
    assert!(fs::read_to_string(credentials(&gp)).unwrap().starts_with("[default]\n"));
}

#[test]
fn everything_else_in_the_file_stays() {
    let gp = gp().line("idp login aws -p prod");
    let path = credentials(&gp);
    write(
        &path,
        "# mine\r\n[default]\r\nregion=x ; note\r\n\r\n[prod]\r\nAWS_ACCESS_KEY_ID = ASIAOLD\r\naws_security_token = old\r\ns3 =\r\n  max_queue_size = 5\r\n\r\n# end",
    );
    gp.run().success();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("# mine\r\n[default]\r\nregion=x ; note\r\n\r\n[prod]\r\n"), "{text}");
    assert!(text.contains("s3 =\r\n  max_queue_size = 5\r\n"), "{text}");
    assert!(text.ends_with("\r\n\r\n# end"), "{text}");
    assert!(!text.contains("old") && !text.contains("OLD"), "{text}");
    assert_eq!(text.matches("\r\n").count(), text.matches('\n').count());
}

#[test]
fn a_symlink_and_a_mode_are_kept() {
    let gp = gp().line("idp login aws");
    let (link, real) = (credentials(&gp), gp.home().join("real"));
    write(&real, "");
    fs::create_dir(link.parent().unwrap()).unwrap();
    symlink("../real", &link).unwrap();
    gp.run().success();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read_to_string(&real).unwrap().starts_with("[default]\n"));

    fs::set_permissions(&real, fs::Permissions::from_mode(0o644)).unwrap();
    let ran = gp.run();
    assert_eq!((ran.code, mode(&real)), (0, 0o644));
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
warning: others can read [HOME]/.aws/credentials, which now holds credentials: chmod 600 [HOME]/.aws/credentials

"#]]
    );
}

#[test]
fn the_credentials_file_may_be_elsewhere() {
    for (named, place) in [("~/a/credentials", "a/credentials"), ("$HOME/b", "b"), ("${HOME}/c", "c")] {
        let gp = gp().line("idp login aws").env("AWS_SHARED_CREDENTIALS_FILE", named);
        gp.run().success();
        assert!(gp.home().join(place).is_file(), "{named}");
        assert!(!gp.home().join(".aws").exists());
    }
}

#[test]
fn a_long_lived_key_is_not_lost_without_force() {
    let text = "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n";
    let gp = gp().line("idp login aws");
    write(&credentials(&gp), text);
    gp.run().failure(
        7,
        str![[r#"
error: could not write the AWS profile `default`
  caused by: could not edit `[HOME]/.aws/credentials`
  caused by: the profile `default` holds a long-lived key (`AKIA…` on line 2)
hint: choose another profile with `--profile`
hint: if you no longer need the key, overwrite it with `--force`: AWS does not show its secret again

"#]],
    );
    assert_eq!(fs::read_to_string(credentials(&gp)).unwrap(), text);
    assert_eq!(gp.workspace().sts_requests().len(), 0);
    let gp = gp.with_line("idp login aws --credential-process");
    assert_eq!(gp.run().code, 7);
    assert_eq!(fs::read_dir(gp.home().join(".aws")).unwrap().count(), 1);

    let gp = gp.with_line("idp login aws --force");
    gp.run().success();
    assert!(!fs::read_to_string(credentials(&gp)).unwrap().contains("AKIA"));
}

#[test]
fn a_file_that_botocore_refuses_is_refused_and_not_touched() {
    let text = "[a]\nregion = x\n[a]\nregion = y\n";
    let gp = gp().line("idp login aws");
    write(&credentials(&gp), text);
    gp.run().failure(
        7,
        str![[r#"
error: could not write the AWS profile `default`
  caused by: could not edit `[HOME]/.aws/credentials`
  caused by: line 3: the section `a` is already on line 1
hint: fix this line, because it makes the AWS CLI refuse the whole file; nothing was changed

"#]],
    );
    assert_eq!(fs::read_to_string(credentials(&gp)).unwrap(), text);
    assert_eq!(gp.workspace().sts_requests().len(), 0);
}

#[test]
fn a_config_file_that_botocore_refuses_is_named() {
    let gp = gp().line("idp login aws");
    write(&gp.home().join(".aws/config"), "region = x\n");
    gp.run().failure(
        7,
        str![[r#"
error: could not assume an AWS role
  caused by: could not understand [HOME]/.aws/config
  caused by: line 1: something other than a comment is above the first section
hint: fix this line, because it makes the AWS CLI refuse the whole file; nothing was changed

"#]],
    );
}

#[test]
fn a_refusal_changes_nothing() {
    let text = "[default]\nregion = x\n";
    let gp = gp().line("idp login aws --role-arn").arg(OTHER_ROLE);
    write(&credentials(&gp), text);
    let ran = gp.run();
    assert_eq!((ran.code, ran.stdout.as_str()), (5, ""), "{}", ran.stderr);
    assert_eq!(fs::read_to_string(credentials(&gp)).unwrap(), text);
    assert_eq!(fs::read_dir(gp.home().join(".aws")).unwrap().count(), 1);
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let gp = gp().line("idp login aws").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null/credentials");
    gp.run().failure(
        7,
        str![[r#"
error: could not write the AWS profile `default`
  caused by: could not read /dev/null/credentials
  caused by: Not a directory (os error 20)
hint: use the credentials without a profile: `gp idp exec aws -- CMD`, or `gp idp login aws --format env`

"#]],
    );
}

#[test]
fn another_login_that_does_not_end_is_named() {
    let gp = gp().line("idp login aws --timeout 200ms");
    write(&credentials(&gp), "");
    let held = fs::File::create(gp.home().join(".aws/credentials.gp-lock")).unwrap();
    held.lock().unwrap();
    gp.run().failure(
        7,
        str![[r#"
error: could not write the AWS profile `default`
  caused by: another `gp idp` holds the lock [HOME]/.aws/credentials.gp-lock
hint: wait for the other `gp idp` to end, or wait longer with `--timeout 2m`
hint: otherwise use the credentials without a profile: `gp idp exec aws -- CMD`, or `gp idp login aws --format env`

"#]],
    );
    assert_eq!(fs::read_to_string(credentials(&gp)).unwrap(), "");
}

#[test]
fn settings_that_override_the_profile_are_warned_about() {
    let gp = gp().line("idp login aws -p ci").env("AWS_ACCESS_KEY_ID", "AKIAX").env("AWS_SESSION_TOKEN", "x");
    write(
        &gp.home().join(".aws/config"),
        "[profile ci]\nsso_account_id = 123456789012\ncredential_process = /bin/false\n",
    );
    let ran = gp.run();
    assert_eq!(ran.code, 0);
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
warning: some SDKs use `sso_account_id` on line 2 of [HOME]/.aws/config, not the new credential source: remove that line
warning: the SDK for Java prefers `credential_process` on line 3 of [HOME]/.aws/config to the new credential source: remove that line
warning: SDKs use AWS_ACCESS_KEY_ID, AWS_SESSION_TOKEN instead of the profile unless it is named with `--profile ci`: `unset AWS_ACCESS_KEY_ID AWS_SESSION_TOKEN`

"#]]
    );
    let quiet = gp.with_line("idp --quiet login aws -p ci").run();
    assert_eq!((quiet.code, quiet.stderr.as_str()), (0, ""));
}

#[test]
fn a_credential_process_replaces_the_keys() {
    let binary = Gp::binary();
    let gp = gp()
        .with_placeholder(binary.display().to_string(), "[GP]")
        .line("idp login aws -p prod --credential-process --region eu-west-1 --role-session-name me");
    let config = gp.home().join(".aws/config");
    write(&config, "# mine\n[profile prod]\nregion = eu-central-1\noutput = text\n");
    write(
        &credentials(&gp),
        "[prod]\naws_access_key_id = ASIAOLD\naws_secret_access_key = old\n# mine\n\n[b]\nx = y\n",
    );
    assert_eq!(gp.run().success(), "");
    let text = fs::read_to_string(&config).unwrap().replace(&binary.display().to_string(), "[GP]");
    snapbox::assert_data_eq!(
        text,
        str![[r#"
# mine
[profile prod]
region = eu-west-1
output = text
credential_process = [GP] idp login aws --role-arn arn:aws:iam::123456789012:role/dev --audience sts.amazonaws.com --duration-seconds 3600 --role-session-name me --region eu-west-1 --endpoint-url http://127.0.0.1:[..]/sts --profile prod --format process

"#]]
    );
    assert_eq!(fs::read_to_string(credentials(&gp)).unwrap(), "[prod]\n# mine\n\n[b]\nx = y\n");
    assert_eq!(gp.workspace().sts_requests().len(), 1, "the role is tried once");

    // A second run has nothing to remove, so it does not write the file.
    let before = fs::metadata(credentials(&gp)).unwrap().modified().unwrap();
    gp.run().success();
    assert_eq!(fs::metadata(credentials(&gp)).unwrap().modified().unwrap(), before);
}

#[test]
fn keys_that_cannot_be_removed_for_a_credential_process_are_reported() {
    let gp = gp().line("idp login aws -p prod --credential-process");
    write(&credentials(&gp), "[prod]\naws_access_key_id = ASIAOLD\naws_secret_access_key = old\n");
    fs::hard_link(credentials(&gp), gp.home().join("backup")).unwrap();
    gp.run().failure(
        7,
        str![[r#"
error: could not remove the keys of the profile `prod` from [HOME]/.aws/credentials (these keys take precedence over the new `credential_process` in [HOME]/.aws/config)
  caused by: [HOME]/.aws/credentials has several hard links, and the change would not reach the others
hint: make it a separate file: `cp [HOME]/.aws/credentials [HOME]/.aws/credentials.new && mv [HOME]/.aws/credentials.new [HOME]/.aws/credentials`
hint: otherwise edit it by hand
hint: otherwise use the credentials without a profile: `gp idp exec aws -- CMD`, or `gp idp login aws --format env`

"#]],
    );
    assert!(fs::read_to_string(gp.home().join(".aws/config")).unwrap().contains("credential_process"));
    assert!(fs::read_to_string(gp.home().join("backup")).unwrap().contains("ASIAOLD"));
}

#[test]
fn a_policy_file_is_named_absolutely() {
    let gp = gp().line("idp login aws --credential-process --policy @policy.json");
    fs::write(gp.home().join("policy.json"), r#"{"Version": "2012-10-17", "Statement": []}"#).unwrap();
    // `gp.run` with a fixed clock uses the working directory of the tests, so this runs the
    // binary.
    let mut command = gp.command();
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    gp.check_stderr(&String::from_utf8_lossy(&done.stderr));
    let config = fs::read_to_string(gp.home().join(".aws/config")).unwrap();
    let place = fs::canonicalize(gp.home()).unwrap().join("policy.json");
    assert!(config.contains(&format!("--policy @{} ", place.display())), "{config}");
}

#[test]
fn a_setting_that_takes_precedence_over_the_process_is_warned_about() {
    let gp = gp().line("idp login aws --credential-process");
    write(&credentials(&gp), "[default]\ncredential_process = /bin/false\n");
    let ran = gp.run();
    assert_eq!(ran.code, 0);
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
warning: some SDKs use `credential_process` on line 2 of [HOME]/.aws/credentials, not the new credential source: remove that line

"#]]
    );
}

#[test]
fn keys_replace_only_a_credential_process_of_gp() {
    let gp = gp().line("idp login aws -p prod --credential-process");
    let config = gp.home().join(".aws/config");
    write(&config, "[profile prod]\nregion = eu-central-1\n[profile b]\ncredential_process = x\n");
    gp.run().success();
    assert!(fs::read_to_string(&config).unwrap().contains("--format process"));
    let gp = gp.with_line("idp login aws -p prod");
    let ran = gp.run();
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (
            0,
            "note: removed the `credential_process` of `gp idp` from the profile `prod` in [HOME]/.aws/config: the SDK for Java prefers it to keys\n"
        )
    );
    assert_eq!(
        fs::read_to_string(&config).unwrap(),
        "[profile prod]\nregion = eu-central-1\n[profile b]\ncredential_process = x\n"
    );
    assert!(fs::read_to_string(credentials(&gp)).unwrap().contains("[prod]\naws_access_key_id"));
    // A second run has nothing to report.
    gp.run().success();
    let gp = gp.with_line("idp login aws -p b");
    let ran = gp.run();
    assert_eq!(
        ran.stderr,
        "warning: the SDK for Java prefers `credential_process` on line 4 of [HOME]/.aws/config to the new credential source: remove that line\n"
    );
    assert!(fs::read_to_string(&config).unwrap().contains("credential_process = x"));
}

#[test]
fn settings_that_make_an_sdk_refuse_the_profile_are_named() {
    for line in ["idp login aws -p ci", "idp login aws -p ci --credential-process"] {
        let gp = gp().line(line);
        let config = gp.home().join(".aws/config");
        write(&config, "[profile ci]\nsource_profile = x\nsso_start_url = y\nsso_region = z\n");
        let ran = gp.run();
        let expected = "\
warning: the SDK for Go refuses the profile because of `source_profile` on line 2 of [HOME]/.aws/config: remove that line
warning: the SDKs for Go and Java refuse the profile because of `sso_start_url` on line 3, `sso_region` on line 4 of [HOME]/.aws/config: remove those lines
";
        assert_eq!((ran.code, ran.stderr.as_str()), (0, expected), "{line}");
        // After these lines are removed, there is no warning.
        let text = fs::read_to_string(&config).unwrap();
        let kept = text.lines().filter(|line| !line.starts_with('s')).map(|line| format!("{line}\n"));
        write(&config, &kept.collect::<String>());
        gp.run().success();
    }
}

#[test]
fn a_short_lifetime_with_a_credential_process_is_warned_about() {
    for line in ["idp login aws --credential-process -d 900", "idp login aws --format process -d 900"] {
        let ran = gp().line(line).run();
        assert_eq!(ran.code, 0);
        snapbox::assert_data_eq!(
            ran.stderr,
            str![[r#"
warning: if the credentials live for 900 s, boto3 and the AWS CLI call this command for every request during a part of this time, because they renew credentials that expire in less than 15 minutes: use `--duration-seconds 3600`

"#]]
        );
    }
    gp().line("idp login aws -d 900").run().success();
}

/// The lines of a format, without the values that are secret.
fn names(lines: &str) -> Vec<String> {
    let secret = ["ACCESS_KEY", "SESSION_TOKEN"];
    lines
        .lines()
        .map(|line| match line.split_once('=').or_else(|| line.rsplit_once(' ')) {
            Some((name, value)) if secret.iter().any(|part| name.contains(part)) => {
                assert!(value.len() > 8, "{line}");
                name.to_owned()
            }
            _ => line.to_owned(),
        })
        .collect()
}

#[test]
fn shell_formats_print_the_variables() {
    let printed =
        |format: &str| gp().line("idp login aws --region eu-west-1 --format").arg(format).run().success();
    assert_eq!(
        names(&printed("env")),
        [
            "export AWS_ACCESS_KEY_ID",
            "export AWS_SECRET_ACCESS_KEY",
            "export AWS_SESSION_TOKEN",
            "export AWS_CREDENTIAL_EXPIRATION=2026-11-23T13:00:00Z",
            "export AWS_REGION=eu-west-1",
            "export AWS_DEFAULT_REGION=eu-west-1",
        ]
    );
    assert_eq!(
        names(&printed("env-no-export")),
        [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_CREDENTIAL_EXPIRATION=2026-11-23T13:00:00Z",
            "AWS_REGION=eu-west-1",
            "AWS_DEFAULT_REGION=eu-west-1",
        ]
    );
    assert!(printed("fish").contains("set -gx AWS_CREDENTIAL_EXPIRATION 2026-11-23T13:00:00Z\n"));
    assert!(printed("powershell").contains("$Env:AWS_CREDENTIAL_EXPIRATION = '2026-11-23T13:00:00Z'\n"));
    let without_region = gp().line("idp login aws --format env").run().success();
    assert!(!without_region.contains("REGION"));
    // Variables that some SDKs prefer to these, or use beside them.
    let ran = gp()
        .line("idp login aws --format env")
        .env("AWS_PROFILE", "other")
        .env("AWS_ACCOUNT_ID", "210987654321")
        .run();
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (
            0,
            "warning: some SDKs use AWS_PROFILE instead of these variables: `unset AWS_PROFILE`\nwarning: some SDKs use these credentials with `AWS_ACCOUNT_ID`, which names another account: `unset AWS_ACCOUNT_ID`\n"
        )
    );
    gp().line("idp login aws --format env").env("AWS_ACCOUNT_ID", "123456789012").run().success();
}

#[test]
fn json_for_programs_and_for_sdks() {
    let shown = |line: &str| {
        let text = gp().line(line).run().success();
        let keys = |line: &str| match line.split_once(": ") {
            Some((name, _))
                if ["SecretAccessKey", "SessionToken", "AccessKeyId"]
                    .iter()
                    .any(|key| name.contains(key)) =>
            {
                format!("{name}: [NEW]\n")
            }
            _ => format!("{line}\n"),
        };
        text.lines().map(keys).collect::<String>()
    };
    snapbox::assert_data_eq!(
        shown("idp login aws --format process"),
        str![[r#"
{
  "Version": 1,
  "AccessKeyId": [NEW]
  "SecretAccessKey": [NEW]
  "SessionToken": [NEW]
  "Expiration": "2026-11-23T13:00:00Z",
  "AccountId": "123456789012"
}

"#]]
    );
    snapbox::assert_data_eq!(
        shown("idp login aws --format json --region eu-west-1 --role-session-name me"),
        str![[r#"
{
  "AccessKeyId": [NEW]
  "SecretAccessKey": [NEW]
  "SessionToken": [NEW]
  "Expiration": "2026-11-23T13:00:00Z",
  "AccountId": "123456789012",
  "AssumedRoleArn": "arn:aws:sts::123456789012:assumed-role/dev/me",
  "Region": "eu-west-1"
}

"#]]
    );
}

#[test]
fn the_region_of_the_profile_is_passed_on() {
    let gp = gp().line("idp login aws --format env --profile prod");
    write(
        &gp.home().join(".aws/config"),
        "[default]\nregion = us-east-2\n[profile prod]\nregion = eu-north-1\n",
    );
    assert!(
        gp.run().success().ends_with("export AWS_REGION=eu-north-1\nexport AWS_DEFAULT_REGION=eu-north-1\n")
    );
}

#[test]
fn the_session_is_named_after_workspace_and_time() {
    let text = gp().line("idp login aws --format json").run().success();
    assert!(text.contains(":assumed-role/dev/gitpodio-example-0123456789a-1795435200\""), "{text}");
    let text = gp().env("AWS_ROLE_SESSION_NAME", "mine").line("idp login aws --format json").run().success();
    assert!(text.contains(":assumed-role/dev/mine\""), "{text}");
}

#[test]
fn a_verbose_login_shows_no_secret() {
    let gp = gp().line("idp --verbose login aws");
    let ran = gp.run();
    assert_eq!(ran.code, 0);
    assert!(ran.stderr.contains("POST "), "{}", ran.stderr);
    let text = fs::read_to_string(credentials(&gp)).unwrap();
    let values = text.lines().filter_map(|line| line.split_once(" = "));
    let secrets: Vec<_> =
        values.filter(|(key, _)| key.ends_with("secret_access_key") || key.ends_with("token")).collect();
    assert_eq!(secrets.len(), 2);
    for (_, secret) in secrets {
        assert!(!ran.stderr.contains(secret));
    }
}

#[test]
fn no_profile_is_written_if_sts_refuses_the_role() {
    let gp = gp().line("idp login aws --credential-process --role-arn arn:aws:iam::123456789012:role/other");
    let ran = gp.run();
    assert_eq!((ran.code, gp.home().join(".aws/config").exists()), (5, false), "{}", ran.stderr);
    let gp = gp.with_line(
        "idp login aws --credential-process --no-check --role-arn arn:aws:iam::123456789012:role/other",
    );
    gp.run().success();
    assert!(gp.home().join(".aws/config").exists());
}

#[test]
fn the_region_is_written_into_the_profile_and_kept_without_the_flag() {
    let gp = gp().line("idp login aws --profile p --region eu-west-1");
    gp.run().success();
    let config = gp.home().join(".aws/config");
    assert_eq!(fs::read_to_string(&config).unwrap(), "[profile p]\nregion = eu-west-1\n");
    let gp = gp.with_line("idp login aws --profile p");
    gp.run().success();
    let gp = gp.with_line("idp login aws --profile p --credential-process");
    gp.run().success();
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.starts_with("[profile p]\nregion = eu-west-1\ncredential_process = "), "{text}");
    // An invalid config file is an error.
    write(&config, "[profile p]\nregion = x\nregion = y\n");
    let gp = gp.with_line("idp login aws --profile p --region eu-west-1");
    assert_eq!(gp.run().code, 7);
}

#[test]
fn another_profile_in_the_environment_is_warned_about() {
    for variable in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
        let gp = gp().line("idp login aws").env(variable, "other");
        let expected = format!(
            "warning: `{variable}` is other, so tools use that profile and not default, which was written: run `unset {variable}`, or log in with `--profile other`\n"
        );
        assert_eq!(gp.run().stderr, expected);
        let gp = gp.with_line("idp doctor aws");
        assert!(gp.run().stdout.contains(&format!("these variables take precedence: {variable}")));
        // With `--profile`, the user selects the profile by name.
        gp.with_line("idp login aws --profile own").run().success();
    }
    gp().line("idp login aws").env("AWS_PROFILE", "default").run().success();
}

#[test]
fn a_slash_is_a_character_of_a_profiles_name() {
    let gp = gp().line("idp login aws --profile prod/Admin");
    gp.run().success();
    assert!(fs::read_to_string(credentials(&gp)).unwrap().starts_with("[prod/Admin]\n"));
}

#[test]
fn ca_bundle_of_the_profile_is_used_for_sts() {
    let gp = gp().line("idp login aws --endpoint-url https://127.0.0.1:1");
    write(&gp.home().join(".aws/config"), "[default]\nca_bundle = none.pem\n");
    let ran = gp.run();
    assert_eq!(ran.code, 7);
    assert!(ran.stderr.contains("found no certificate authorities in `none.pem`"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("hint: correct `ca_bundle`: it must name PEM certificates"),
        "{}",
        ran.stderr
    );
    // The variable takes precedence.
    let ran = gp.env("AWS_CA_BUNDLE", "other.pem").run();
    assert!(
        ran.stderr.contains("hint: correct `AWS_CA_BUNDLE`: it must name PEM certificates"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_read_only_file_stays() {
    let gp = gp().line("idp login aws");
    let path = credentials(&gp);
    write(&path, "[a]\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    let mut command = gp.command();
    if rustix::process::geteuid().is_root() {
        // Root can write to every file, so another user runs the binary.
        for path in [gp.home(), path.parent().unwrap(), &path] {
            std::os::unix::fs::chown(path, Some(65534), Some(65534)).unwrap();
        }
        command.uid(65534).gid(65534);
    }
    let Ok(done) = command.output() else {
        skip("another user cannot run the binary where it is");
        return;
    };
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(7), "{said}");
    assert!(said.contains("is read-only\nhint: to allow changes: `chmod u+w "), "{said}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "[a]\n");
}

/// An indented line continues the value of the key above it.
#[test]
fn a_message_shows_no_indented_line_of_a_setting() {
    for text in
        ["[default]\nregion = x y\n  aws_secret_access_key = s3cret\n", "[default]\nregion =\n  a = s3cret\n"]
    {
        let gp = gp().line("idp login aws");
        write(&gp.home().join(".aws/config"), text);
        let ran = gp.run();
        assert!(ran.code == 2 && !ran.stderr.contains("s3cret"), "{}", ran.stderr);
    }
}
