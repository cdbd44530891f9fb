//! A credential with invalid characters from a service is refused and stored nowhere.

use serde_json::json;

use crate::support::Gp;
use crate::support::fault::{Fault, Faulty, Step};

const ID: &str = "00000000-0000-4000-8000-000000000001";
const PROVIDER: &str = "projects/1/locations/global/workloadIdentityPools/workspaces/providers/gitpod";

/// A command line, and the member of the service's reply that is invalid.
struct Case {
    line: &'static str,
    member: &'static str,
    /// The replies of the service. The last one has the invalid value.
    replies: fn(&str) -> Vec<Fault>,
}

fn sts(access_key_id: &str, secret: &str, token: &str) -> Vec<Fault> {
    vec![Fault::reply(
        200,
        "Content-Type: text/xml\r\n",
        format!(
            r#"<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
<Credentials><AccessKeyId>{access_key_id}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}</SessionToken><Expiration>2026-11-23T13:00:00Z</Expiration></Credentials>
<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/demo/s</Arn></AssumedRoleUser>
</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"#
        ),
    )]
}

fn json_reply(reply: &serde_json::Value) -> Fault {
    Fault::json(200, &reply.to_string())
}

const AWS: &str = "idp login aws --role-arn arn:aws:iam::123456789012:role/demo";
const GCP: &str = "idp login gcp --format access-token";

const CASES: [Case; 11] = [
    Case { line: AWS, member: "AccessKeyId", replies: |odd| sts(odd, "s", "t") },
    Case { line: AWS, member: "SecretAccessKey", replies: |odd| sts("ASIA", odd, "t") },
    Case { line: AWS, member: "SessionToken", replies: |odd| sts("ASIA", "s", odd) },
    Case {
        line: "idp exec aws --role-arn arn:aws:iam::123456789012:role/demo -- true",
        member: "SessionToken",
        replies: |odd| sts("ASIA", "s", odd),
    },
    Case {
        line: "idp login azure --format access-token",
        member: "access_token",
        replies: |odd| vec![json_reply(&json!({"access_token": odd, "expires_in": 3600}))],
    },
    Case {
        line: GCP,
        member: "access_token",
        replies: |odd| vec![json_reply(&json!({"access_token": odd, "expires_in": 3600}))],
    },
    Case {
        line: "idp login gcp --format access-token --service-account a@p.iam.gserviceaccount.com",
        member: "access_token",
        replies: |odd| {
            let sts = json!({"access_token": "federated", "expires_in": 3600});
            vec![
                json_reply(&sts),
                json_reply(&json!({"accessToken": odd, "expireTime": "2026-11-23T13:00:00Z"})),
            ]
        },
    },
    Case {
        line: "idp login vault --role demo",
        member: "auth.client_token",
        replies: |odd| vec![json_reply(&json!({"auth": {"client_token": odd, "lease_duration": 3600}}))],
    },
    Case {
        line: "idp login vault --role demo --wrap-ttl 60s",
        member: "wrap_info.token",
        replies: |odd| vec![json_reply(&json!({"wrap_info": {"token": odd, "ttl": 60}}))],
    },
    Case {
        line: "idp exchange --audience x",
        member: "access_token",
        replies: |odd| vec![json_reply(&json!({"access_token": odd, "token_type": "Bearer"}))],
    },
    Case {
        line: "idp exec exchange --audience x -- true",
        member: "access_token",
        replies: |odd| vec![json_reply(&json!({"access_token": odd}))],
    },
];

#[test]
fn a_credential_with_invalid_characters_is_refused() {
    for Case { line, member, replies } in CASES {
        for odd in ["", "a\nb", "a\r\nX-Header: b", "a\u{1b}[2Jb", "a\u{7f}b", "a\u{202e}b", "ü"] {
            let server = Faulty::first(Step::Other, replies(odd));
            let url = format!("http://{}", server.address());
            let gp = [
                "IDP_API_URL",
                "AWS_ENDPOINT_URL_STS",
                "AZURE_AUTHORITY_HOST",
                "VAULT_ADDR",
                "IDP_TOKEN_ENDPOINT",
            ]
            .into_iter()
            .chain(["CLOUDSDK_API_ENDPOINT_OVERRIDES_STS", "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS"])
            .fold(Gp::new().line(line), |gp, name| gp.env(name, &url))
            .env("SUPERVISOR_ADDR", server.address())
            .env("AZURE_CLIENT_ID", ID)
            .env("AZURE_TENANT_ID", ID)
            .env("IDP_GCP_WORKLOAD_IDENTITY_PROVIDER", PROVIDER)
            .at_time("2026-11-23T12:00:00Z");
            let ran = gp.run();
            assert_eq!((ran.code, ran.stdout.as_str()), (6, ""), "{line}, {odd:?}: {}", ran.stderr);
            let said = if odd.is_empty() { "is " } else { "has characters that are not allowed in a token" };
            assert!(ran.stderr.contains(&format!("`{member}` {said}")), "{line}, {odd:?}: {}", ran.stderr);
            assert!(!ran.stderr.contains('\u{1b}'), "{line}: {:?}", ran.stderr);
            let left: Vec<_> = non_empty_files(gp.home());
            assert!(left.is_empty(), "{line}, {odd:?}: {left:?}");
        }
    }
}

/// All non-empty files in a folder. Lock files are empty.
fn non_empty_files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { non_empty_files(&path) } else { vec![path] })
        .filter(|path| path.metadata().unwrap().len() > 0)
        .collect()
}
