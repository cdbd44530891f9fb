//! `gp idp login aws` with services that are compatible with AWS STS: MinIO, Ceph.

use std::fs;

use crate::support::Gp;
use crate::support::fault::{Fault, Faulty, Step};

/// The reply of MinIO, which names the second element differently from AWS.
const MINIO: &str = "<AssumedRoleUser><Arn></Arn><AssumeRoleId></AssumeRoleId></AssumedRoleUser>";

fn reply(user: &str) -> Fault {
    let body = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>{user}<Credentials><AccessKeyId>KEY</AccessKeyId><SecretAccessKey>s3cret-of-the-service</SecretAccessKey><Expiration>2100-01-01T00:00:00Z</Expiration><SessionToken>session-of-the-service</SessionToken></Credentials><SubjectFromWebIdentityToken>s</SubjectFromWebIdentityToken></AssumeRoleWithWebIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>"#
    );
    Fault::reply(200, "Content-Type: application/xml\r\n", body)
}

/// A workspace with such a service, which `AWS_ENDPOINT_URL_STS` names.
fn at(server: &Faulty) -> Gp {
    let gp = Gp::in_workspace().env("IDP_AWS_ROLE_ARN", "").with_placeholder(server.address(), "[SERVICE]");
    gp.env("AWS_ENDPOINT_URL_STS", format!("http://{}", server.address())).secret("s3cret-of-the-service")
}

fn service(user: &str) -> Faulty {
    Faulty::always(Step::Other, reply(user))
}

#[test]
fn another_service_gets_the_role_unchanged_or_chooses_it() {
    for user in [MINIO, "", "<AssumedRoleUser><Arn>arn:aws:sts:::assumed-role/x/y</Arn></AssumedRoleUser>"] {
        for (role, sent) in [
            ("", ""),
            ("--role-arn arn:minio:iam:::role/abc", "&RoleArn=arn%3Aminio%3Aiam%3A%3A%3Arole%2Fabc&"),
            ("--role-arn arn:aws:iam:::role/S3Access", "&RoleArn=arn%3Aaws%3Aiam%3A%3A%3Arole%2FS3Access&"),
        ] {
            let server = service(user);
            let gp = at(&server).line("idp login aws --format process --no-cache -d 31536000").line(role);
            let printed = gp.run().success();
            assert!(
                printed.contains("\"AccessKeyId\": \"KEY\"") && !printed.contains("AccountId"),
                "{printed}"
            );
            let requests = server.requests().concat();
            assert!(requests.contains("DurationSeconds=31536000"), "{requests}");
            assert!(
                if sent.is_empty() { !requests.contains("RoleArn") } else { requests.contains(sent) },
                "{requests}"
            );
        }
    }
}

#[test]
fn credentials_of_an_account_that_was_not_requested_are_refused() {
    let of_b = "<AssumedRoleUser><Arn>arn:aws:sts::b:assumed-role/x/y</Arn></AssumedRoleUser>";
    for (flags, user, code) in [
        ("--role-arn arn:aws:iam::a:role/x", MINIO, 0),
        ("--role-arn arn:aws:iam::a:role/x", of_b, 5),
        ("--role-arn arn:aws:iam::b:role/x", of_b, 0),
        ("--allowed-account b", of_b, 0),
        ("--allowed-account a", of_b, 5),
        ("--allowed-account a", MINIO, 5),
    ] {
        let server = service(user);
        let ran = at(&server).line("idp login aws --format json").line(flags).run();
        assert_eq!(ran.code, code, "{flags} {user}: {}", ran.stderr);
    }
}

#[test]
fn cached_credentials_of_another_account_are_not_used() {
    let of_b = "<AssumedRoleUser><Arn>arn:aws:sts::b:assumed-role/x/y</Arn></AssumedRoleUser>";
    let server = service(of_b);
    let gp = at(&server).line("idp login aws --format process");
    assert_eq!(gp.run().code, 0);
    let ran = gp.line("--allowed-account a").run();
    assert_eq!((ran.code, ran.stdout.as_str()), (5, ""), "{}", ran.stderr);
}

#[test]
fn a_profile_gets_the_endpoint_and_the_region_of_the_call() {
    let server = service(MINIO);
    let gp = at(&server).env("AWS_REGION", "eu-west-1");
    let gp = gp.line("idp login aws --credential-process --s3-endpoint-url http://127.0.0.1:1 --profile m");
    gp.run().success();
    let config = fs::read_to_string(gp.home().join(".aws/config")).unwrap();
    let process = config.lines().find(|line| line.starts_with("credential_process")).unwrap();
    assert!(process.contains(&format!(" --endpoint-url http://{}/ ", server.address())), "{process}");
    assert!(process.contains(" --region eu-west-1 "), "{process}");
    assert!(config.contains("\nendpoint_url = http://127.0.0.1:1\n"), "{config}");
}

#[test]
fn aws_itself_gets_only_aws_roles_and_durations() {
    let own = "https://sts.eu-west-1.amazonaws.com";
    for (flags, said) in [
        ("", "no role is set"),
        ("--role-arn arn:minio:iam:::role/abc", "no AWS partition"),
        ("--role-arn arn:aws:iam:::role/S3Access", "the account is missing"),
        ("--role-arn arn:aws:iam::123456789012:role/x -d 43201", "900 to 43200 seconds"),
    ] {
        let gp = Gp::new().line("idp login aws --endpoint-url").arg(own).line(flags);
        let ran = gp.run();
        assert!(ran.code == 2 && ran.stderr.contains(said), "{flags}: {}", ran.stderr);
    }
    // No known service allows more than a year.
    let gp = at(&service(MINIO)).line("idp login aws -d 31536001");
    assert_eq!(gp.run().code, 2);
    let gp = at(&service(MINIO)).line("idp login aws --s3-endpoint-url ftp://x");
    assert_eq!(gp.run().code, 2);
}

#[test]
fn errors_of_compatible_services_have_their_own_hints() {
    for (message, hint) in [
        (
            "STS JWT Token has `azp` claim invalid",
            "the first audience must be the ID of the service's OpenID client",
        ),
        (
            "policy claim missing from the JWT token, credentials will not be generated",
            "name this role with `--role-arn`",
        ),
        ("no", "no role was named"),
    ] {
        let body = format!(
            r#"<?xml version="1.0"?><ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type></Type><Code>InvalidParameterValue</Code><Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"#
        );
        let server =
            Faulty::always(Step::Other, Fault::reply(400, "Content-Type: application/xml\r\n", body));
        let ran = at(&server).line("idp login aws --format json").run();
        assert!(ran.code == 5 && ran.stderr.contains(hint), "{message}: {}", ran.stderr);
    }
}

#[test]
fn the_hint_names_the_setting_of_the_address() {
    let page = Fault::reply(200, "Content-Type: text/html\r\n", "<html></html>");
    let server = Faulty::always(Step::Other, page);
    let url = format!("http://{}", server.address());
    let role = "arn:aws:iam::123456789012:role/x";
    let gp = || {
        let gp = Gp::in_workspace().env("AWS_ENDPOINT_URL_STS", "").env("IDP_AWS_ROLE_ARN", role);
        gp.with_placeholder(server.address(), "[SERVICE]").line("idp login aws --format json")
    };
    let by_profile = gp().line("--profile p");
    let config = by_profile.home().join("config");
    std::fs::write(&config, format!("[profile p]\nendpoint_url = {url}\n")).unwrap();
    for (fix, gp) in [
        ("run `unset AWS_ENDPOINT_URL_STS`", gp().env("AWS_ENDPOINT_URL_STS", &url)),
        ("run `unset AWS_ENDPOINT_URL`", gp().env("AWS_ENDPOINT_URL", &url)),
        ("leave out `--endpoint-url`", gp().line("--endpoint-url").arg(&url)),
        ("remove the profile's `endpoint_url`", by_profile.env("AWS_CONFIG_FILE", config)),
    ] {
        let ran = gp.run();
        let fix = format!("most likely the address is wrong: {fix} to use the region's own endpoint\n");
        assert!(ran.code == 6 && ran.stderr.contains(&fix), "{fix}: {}", ran.stderr);
    }
}
