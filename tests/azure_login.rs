//! `gp idp login azure` and `gp idp exec azure`: exchange, token file, command.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use gp_idp::dev::{AzureOptions, Options, PreparedReply};
use snapbox::str;

use crate::support::{Gp, private_folder};

const CLIENT: &str = "00000000-0000-4000-8000-00000000000b";
const TENANT: &str = "00000000-0000-4000-8000-00000000000a";
const NOON: &str = "2026-11-23T12:00:00Z";

fn entra(azure: AzureOptions) -> Gp {
    Gp::in_workspace_of(Options { azure, ..Options::default() })
}

#[test]
fn an_access_token_needs_one_request() {
    let gp = entra(AzureOptions::default()).line("idp login azure --format access-token");
    assert!(gp.run().success().starts_with("dev-entra-"));
    let asked = gp.workspace().azure_requests();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].path, format!("/{TENANT}/oauth2/v2.0/token"));
    let fields: Vec<_> = asked[0].fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    snapbox::assert_data_eq!(
        fields.join("\n"),
        str![[r#"
client_assertion=[token]
client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer
client_id=00000000-0000-4000-8000-00000000000b
grant_type=client_credentials
scope=https://management.azure.com/.default
"#]]
    );
    assert_eq!(fs::read_dir(gp.home()).unwrap().count(), 0);
}

#[test]
fn resource_and_scope_flags_set_the_scope() {
    let cases = [
        ("--resource https://vault.azure.net", "", "https://vault.azure.net/.default"),
        ("--scope-uri https://graph.microsoft.com/.default", "", "https://graph.microsoft.com/.default"),
        ("", "", "https://management.azure.com/.default"),
    ];
    for (flags, _, scope) in cases {
        let gp = entra(AzureOptions::default()).line("idp login-azure --format json").line(flags);
        assert!(gp.run().success().contains(&format!("\"scope\": \"{scope}\"")), "{flags}");
        assert_eq!(gp.workspace().azure_requests()[0].fields["scope"], scope);
    }
}

#[test]
fn json_has_the_token_and_the_settings() {
    let clock = gp_idp::context::Clock::Fixed(NOON.parse().unwrap());
    let gp = Gp::in_workspace_of(Options { clock, ..Options::default() })
        .at_time(NOON)
        .line("idp login azure --format json --subscription-id 00000000-0000-4000-8000-0000000000ff");
    let printed = gp.run().success();
    let token = printed.split('"').nth(3).unwrap().to_owned();
    snapbox::assert_data_eq!(
        printed.replace(&token, "[TOKEN]"),
        str![[r#"
{
  "access_token": "[TOKEN]",
  "token_type": "Bearer",
  "expires_at": "2026-11-23T12:59:59Z",
  "scope": "https://management.azure.com/.default",
  "client_id": "00000000-0000-4000-8000-00000000000b",
  "tenant_id": "00000000-0000-4000-8000-00000000000a",
  "authority_host": "[API]/",
  "subscription_id": "00000000-0000-4000-8000-0000000000ff"
}

"#]]
    );
}

#[test]
fn the_token_file_and_its_variables() {
    let gp = entra(AzureOptions::default()).line("idp login azure --format env");
    snapbox::assert_data_eq!(
        gp.run().success(),
        str![[r#"
export AZURE_CLIENT_ID=00000000-0000-4000-8000-00000000000b
export AZURE_TENANT_ID=00000000-0000-4000-8000-00000000000a
export AZURE_AUTHORITY_HOST=[API]/
export AZURE_FEDERATED_TOKEN_FILE=[HOME]/.cache/gp-idp/AzureADTokenExchange.jwt
export ARM_CLIENT_ID=00000000-0000-4000-8000-00000000000b
export ARM_TENANT_ID=00000000-0000-4000-8000-00000000000a
export ARM_ENVIRONMENT=public
export ARM_USE_OIDC=true
export ARM_OIDC_TOKEN_FILE_PATH=[HOME]/.cache/gp-idp/AzureADTokenExchange.jwt

"#]]
    );
    let path = gp.home().join(".cache/gp-idp/AzureADTokenExchange.jwt");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let token = fs::read_to_string(&path).unwrap();
    assert_eq!(token, token.trim());
    let audience = Gp::new().line("idp decode --claim azp").stdin(token).run().success();
    assert_eq!(audience, "api://AzureADTokenExchange\n");
    assert_eq!(gp.workspace().azure_requests().len(), 0, "SDKs exchange it");
    let fish = gp.with_line("idp login azure --format fish").run().success();
    assert!(fish.starts_with("set -gx AZURE_CLIENT_ID 0000"), "{fish}");
}

#[test]
fn without_a_format_the_variables_are_on_stderr() {
    let gp = entra(AzureOptions::default());
    let lines = gp.with_line("idp login azure --format env");
    let exports = lines.run().success();
    let plain = lines.with_line("idp login azure").run();
    assert_eq!((plain.code, plain.stdout.as_str()), (0, ""));
    let expected = "wrote [HOME]/.cache/gp-idp/AzureADTokenExchange.jwt; Azure's SDKs and Terraform need these variables:\n";
    assert_eq!(plain.stderr, format!("{expected}{exports}"));
}

#[test]
fn the_path_of_the_token_file() {
    let gp = entra(AzureOptions::default())
        .env("AZURE_FEDERATED_TOKEN_FILE", "from/env.jwt")
        .env("ARM_SUBSCRIPTION_ID", CLIENT)
        .line("idp login azure --format env-no-export");
    let printed = gp.run().success();
    assert!(printed.contains("AZURE_FEDERATED_TOKEN_FILE=[HOME]/from/env.jwt\n"), "{printed}");
    assert!(printed.ends_with(&format!("ARM_SUBSCRIPTION_ID={CLIENT}\n")), "{printed}");
    let runtime = gp.home().join("run");
    private_folder(&runtime);
    let printed = gp.env("AZURE_FEDERATED_TOKEN_FILE", "").env("XDG_RUNTIME_DIR", runtime);
    let printed = printed.with_line("idp login azure --format env --audience api://other/x").run().success();
    assert!(printed.contains("AZURE_FEDERATED_TOKEN_FILE=[HOME]/run/gp-idp/other-x.jwt\n"), "{printed}");
}

#[test]
fn other_clouds_have_their_own_audience() {
    for (host, audience, environment) in [
        ("login.microsoftonline.us", "AzureADTokenExchangeUSGov", "usgovernment"),
        ("https://login.chinacloudapi.cn/", "AzureADTokenExchangeChina", "china"),
        ("https://login.microsoftonline.com", "AzureADTokenExchange", "public"),
    ] {
        let gp = entra(AzureOptions::default())
            .line("idp login azure --format env --output t --authority-host")
            .arg(host);
        let printed = gp.run().success();
        assert!(printed.contains(&format!("ARM_ENVIRONMENT={environment}\n")), "{printed}");
        let token = fs::read(gp.home().join("t")).unwrap();
        let claim = Gp::new().line("idp decode --claim azp").stdin(token).run().success();
        assert_eq!(claim, format!("api://{audience}\n"));
    }
}

#[test]
fn variables_that_override_the_token_file_are_named() {
    let gp =
        entra(AzureOptions::default()).env("AZURE_CLIENT_SECRET", "s").line("idp login azure --format env");
    assert_eq!(
        gp.run().stderr,
        "warning: Azure's SDKs and Terraform use AZURE_CLIENT_SECRET instead of the token file: `unset AZURE_CLIENT_SECRET`\n"
    );
    // No warning for the credential chains that read the token file.
    for (value, says) in [("prod", false), ("workloadidentitycredential", false), ("dev", true)] {
        let gp = entra(AzureOptions::default()).env("AZURE_TOKEN_CREDENTIALS", value).line("idp login azure");
        assert_eq!(gp.run().stderr.contains("AZURE_TOKEN_CREDENTIALS"), says, "{value}");
    }
}

#[test]
fn every_refusal_has_its_claims_and_a_hint() {
    let d = AzureOptions::default;
    let code = |code: u32, text: &str| {
        let body = format!(
            r#"{{"error":"invalid_client","error_description":"AADSTS{code}: {text}\r\nTrace ID: t\r\nCorrelation ID: c","error_codes":[{code}],"trace_id":"t","correlation_id":"c"}}"#
        );
        AzureOptions { prepared_replies: vec![PreparedReply::json(401, body); 9], ..d() }
    };
    let judged = |azure: AzureOptions| Options { azure, ..Options::default() };
    let cases = vec![
        (
            "70021",
            judged(code(70021, "No matching federated identity record found for presented assertion.")),
        ),
        ("700211", judged(AzureOptions { issuer: Some("https://issuer.example.com".into()), ..d() })),
        ("700212", judged(AzureOptions { audience: "api://other".into(), ..d() })),
        (
            "7002121",
            judged(code(
                7_002_121,
                "No matching federated identity record found for presented assertion audience.",
            )),
        ),
        ("700213", judged(AzureOptions { subject: Some("https://github.com/acme/shop".into()), ..d() })),
        (
            "7002137",
            judged(code(
                7_002_137,
                "No matching federated identity record found for presented assertion subject 'x'. Please make sure the federated identity credential Subject is 'y'.",
            )),
        ),
        (
            "7002138",
            judged(code(
                7_002_138,
                "No matching federated identity record found for presented assertion subject 'x'. The subject matches with case-insensitive comparison, but not with case-sensitive comparison.",
            )),
        ),
        ("700219", judged(code(700_219, "A code that is not known yet."))),
        (
            "700223-no-match",
            judged(code(700_223, "No matching federated identity record found for presented assertion.")),
        ),
        (
            "70029",
            judged(code(70029, "No matching federated identity record found for presented assertion.")),
        ),
        ("70025", judged(code(70025, "The client 'shop' has no configured federated identity credentials."))),
        ("7002131", judged(code(7_002_131, "No matching flexible federated identity record found."))),
        ("700024", Options { clock_offset: -7200, ..Options::default() }),
        ("70023", Options { lifetime: Duration::from_secs(172_800), ..Options::default() }),
        ("700016", judged(AzureOptions { client_id: "00000000-0000-4000-8000-000000000099".into(), ..d() })),
        ("90002", judged(AzureOptions { tenant_id: "00000000-0000-4000-8000-000000000099".into(), ..d() })),
        ("700222", judged(code(700_222, "AAD-issued tokens may not be used for federated identity flows."))),
        ("700226", judged(code(700_226, "The issuer is not allowed."))),
        ("700227", judged(code(700_227, "The issuer is not allowed."))),
        ("50027", judged(code(50027, "JWT token is invalid or malformed."))),
        ("53003", judged(code(53003, "Access has been blocked by Conditional Access policies."))),
        ("500011", judged(code(500_011, "The resource principal was not found in the tenant."))),
        (
            "7000229",
            judged(code(7_000_229, "The client application x is missing service principal in the tenant y.")),
        ),
        ("7000112", judged(code(7_000_112, "Application 'x'(shop) is disabled."))),
        ("700223", judged(code(700_223, "Federated credentials are blocked by a policy of this tenant."))),
        (
            "900023",
            judged(code(
                900_023,
                "Specified tenant identifier 'x' is neither a valid DNS name, nor a valid external domain.",
            )),
        ),
        (
            "7000272",
            judged(code(
                7_000_272,
                "The certificate with identifier x used to sign the federated credential could not be found in the metadata of identity provider y.",
            )),
        ),
        ("unknown", judged(code(1, "Something else."))),
    ];
    let mut all = Vec::new();
    for (name, options) in cases {
        let gp = Gp::in_workspace_of(options)
            .env("AZURE_CLIENT_ID", CLIENT)
            .env("AZURE_TENANT_ID", TENANT)
            .line("idp login azure --format access-token");
        let ran = gp.run();
        assert_eq!((ran.code, ran.stdout.as_str()), (5, ""), "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains("\nhint: "), "{name}: {}", ran.stderr);
        // 70021 may mean a new federated credential, so it is retried; 700024 needs a fresh token.
        let tries = match name {
            "70021" => 4,
            "700024" => 2,
            _ => 1,
        };
        assert_eq!(gp.workspace().azure_requests().len(), tries, "{name}");
        all.push(format!("== {name}\n{}\n", without_times(&ran.stderr)));
    }
    snapbox::assert_data_eq!(all.concat(), snapbox::file!["snapshots/azure/refusals.txt"].raw());
}

/// Replaces the times, which differ in every run.
fn without_times(text: &str) -> String {
    let time = |word: &str| word.len() >= 20 && word.as_bytes()[10] == b'T' && word.starts_with("20");
    text.split(' ').map(|word| if time(word) { "[TIME]" } else { word }).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_new_federated_credential_is_retried() {
    let body = r#"{"error":"invalid_client","error_description":"AADSTS70021: x","error_codes":[70021]}"#;
    let gp = entra(AzureOptions {
        prepared_replies: vec![PreparedReply::json(401, body); 2],
        ..AzureOptions::default()
    });
    let gp = gp.line("idp login azure --format access-token");
    gp.run().success();
    assert_eq!(gp.workspace().azure_requests().len(), 3);
}

#[test]
fn temporary_failures_are_retried_and_not_blamed_on_the_user() {
    for (status, body) in [
        (503, r#"{"error":"temporarily_unavailable","error_codes":[90033]}"#),
        (500, "<html>oops</html>"),
        (429, "{}"),
        (408, "{}"),
        (400, r#"{"error":"temporarily_unavailable","error_codes":[90033]}"#),
    ] {
        let always = AzureOptions {
            prepared_replies: vec![PreparedReply::json(status, body); 12],
            ..AzureOptions::default()
        };
        let gp = entra(always).line("idp login azure --format access-token --timeout 5s");
        let ran = gp.run();
        assert_eq!(ran.code, 6, "{}", ran.stderr);
        assert!(ran.stderr.contains("hint: your settings are not the cause: try again"), "{}", ran.stderr);
        let sent = gp.workspace().azure_requests().len();
        // A throttled request has up to twelve tries; the first two waits are at most 3 s together.
        assert!(if status == 429 { (3..=12).contains(&sent) } else { sent == 4 }, "{body}: {sent}");
    }
}

#[test]
fn unexpected_replies_of_entra_are_explained() {
    let mut all = Vec::new();
    for (name, canned) in [
        ("no-access-token", PreparedReply::json(200, r#"{"expires_in":3600}"#)),
        ("no-expires-in", PreparedReply::json(200, r#"{"access_token":"s3cret"}"#)),
        ("expires-in-zero", PreparedReply::json(200, r#"{"access_token":"s3cret","expires_in":"0"}"#)),
        ("wrong-type", PreparedReply::json(200, r#"{"access_token":{"a":"s3cret"},"expires_in":3600}"#)),
        (
            "html",
            PreparedReply {
                content_type: "text/html",
                ..PreparedReply::json(200, "<html><title>Sign in</title>")
            },
        ),
        ("redirect", PreparedReply { status: 302, ..PreparedReply::json(302, "") }),
    ] {
        let ran = entra(AzureOptions { prepared_replies: vec![canned], ..AzureOptions::default() })
            .secret("s3cret")
            .line("idp login azure --format access-token")
            .run();
        assert_eq!((ran.code, ran.stdout.as_str()), (6, ""), "{name}: {}", ran.stderr);
        all.push(format!("== {name}\n{}\n", ran.stderr));
    }
    let refused = PreparedReply::json(200, r#"{"error":"invalid_client","error_codes":[700016]}"#);
    let ran = entra(AzureOptions { prepared_replies: vec![refused], ..AzureOptions::default() });
    let ran = ran.line("idp login azure --format access-token").run();
    assert_eq!(ran.code, 5);
    all.push(format!("== error-with-status-200\n{}\n", ran.stderr));
    let text = PreparedReply::json(200, r#"{"access_token":"s3cret","expires_in":"3599"}"#);
    let gp = entra(AzureOptions { prepared_replies: vec![text], ..AzureOptions::default() });
    assert_eq!(gp.line("idp login azure --format access-token").run().success(), "s3cret\n");
    snapbox::assert_data_eq!(all.concat(), snapbox::file!["snapshots/azure/unexpected-replies.txt"].raw());
}

#[test]
fn wrong_settings_are_refused_before_any_request() {
    let both = format!("--client-id {CLIENT} --tenant-id {TENANT}");
    let mut all = Vec::new();
    for line in [
        String::new(),
        format!("--client-id {CLIENT}"),
        format!("--client-id my-app --tenant-id {TENANT}"),
        format!("--client-id {CLIENT} --tenant-id common"),
        format!("--client-id {CLIENT} --tenant-id contoso"),
        format!("{both} --authority-host http://login.microsoftonline.com"),
        format!("{both} --resource https://vault.azure.net"),
        format!("{both} --format json --resource https://vault.azure.net/.default"),
        format!("{both} --format json --resource vault"),
        format!("{both} --format json --scope-uri https://graph.microsoft.com/User.Read"),
        format!("{both} --format json --scope-uri https://a/.default --resource https://a"),
        format!("{both} --format json --output file"),
        format!("{both} --format access-token --keep-fresh"),
        format!("{both} --subscription-id mine"),
    ] {
        let gp = Gp::new().line("idp login azure").line(&line);
        let ran = gp.run();
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{line}: {}", ran.stderr);
        assert_eq!(fs::read_dir(gp.home()).unwrap().count(), 0, "{line}");
        all.push(format!("== {line}\n{}\n", ran.stderr));
    }
    snapbox::assert_data_eq!(all.concat(), snapbox::file!["snapshots/azure/usage.txt"].raw());
}

#[test]
fn nothing_is_written_without_a_token() {
    for more in ["--output new/token", "--output new/token --keep-fresh", "", "--keep-fresh"] {
        let gp = Gp::new()
            .line("idp login azure --timeout 200ms --client-id")
            .arg(CLIENT)
            .line("--tenant-id")
            .arg(TENANT)
            .line(more)
            .env("SUPERVISOR_ADDR", "127.0.0.1:1");
        assert_eq!(gp.run().code, 3);
        assert_eq!(fs::read_dir(gp.home()).unwrap().count(), 0);
    }
}

#[test]
fn a_command_gets_a_token_file_that_goes_away() {
    let gp = entra(AzureOptions::default())
        .env("AZURE_CLIENT_SECRET", "shadow")
        .env("ARM_CLIENT_SECRET_FILE_PATH", "shadow")
        .env("ARM_CLIENT_ID_FILE_PATH", "shadow")
        .line("idp exec azure -- sh -c")
        .arg("echo ${AZURE_CLIENT_SECRET-none}${ARM_CLIENT_SECRET_FILE_PATH-}${ARM_CLIENT_ID_FILE_PATH-} $ARM_USE_OIDC $AZURE_CLIENT_ID; echo $AZURE_FEDERATED_TOKEN_FILE; cat $AZURE_FEDERATED_TOKEN_FILE; exit 7");
    let ran = gp.run();
    assert_eq!((ran.code, ran.stderr.as_str()), (7, ""));
    let mut lines = ran.stdout.lines();
    assert_eq!(lines.next(), Some(format!("none true {CLIENT}").as_str()));
    let path = lines.next().unwrap().replace("[HOME]", &gp.home().display().to_string());
    assert_eq!(lines.next().unwrap().split('.').count(), 3);
    assert!(!std::path::Path::new(&path).exists(), "{path}");
    assert_eq!(gp.workspace().azure_requests().len(), 1);
}

#[test]
fn a_command_is_not_started_when_entra_refuses() {
    let gp = entra(AzureOptions { subject: Some("other".into()), ..AzureOptions::default() })
        .line("idp exec azure -- touch started");
    assert_eq!(gp.run().code, 5);
    assert!(!gp.home().join("started").exists());
}

#[test]
fn a_hint_is_safe_to_paste_for_any_claims() {
    let subject = "https://github.com/acme/o'; touch pwned; '\"";
    let options = Options {
        azure: AzureOptions { subject: Some("other".into()), ..AzureOptions::default() },
        subject: Some(subject.into()),
        ..Options::default()
    };
    let gp = Gp::in_workspace_of(options).line("idp login azure --format access-token");
    let ran = gp.run();
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    let command = ran.stderr.split('`').find(|part| part.starts_with("az ad app")).unwrap();
    let script = format!("az() {{ for word; do last=$word; done; printf %s \"$last\"; }}; {command}");
    let output =
        std::process::Command::new("sh").arg("-c").arg(script).current_dir(gp.home()).output().unwrap();
    let parameters: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(parameters["subject"], subject);
    assert!(!gp.home().join("pwned").exists());
}

#[test]
fn the_setup_has_the_audience_of_the_cloud() {
    let gp = Gp::in_workspace().line("idp trust azure --app-id 00000000-0000-4000-8000-00000000000b");
    let ran = gp.env("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us/").run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("api://AzureADTokenExchangeUSGov"), "{}", ran.stdout);
    assert!(ran.stdout.contains("--authority-host https://login.microsoftonline.us/"), "{}", ran.stdout);
}

#[test]
fn lines_to_copy_are_not_wrapped() {
    let gp = Gp::in_workspace().line("idp login azure").at_time("2026-11-23T12:00:00Z").columns(30);
    let ran = gp.run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("\nexport AZURE_FEDERATED_TOKEN_FILE=[HOME]/"), "{}", ran.stderr);
}
