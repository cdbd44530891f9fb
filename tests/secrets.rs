//! Messages repeat no secret of a server's reply, an argument or an address. `Gp::run` checks in
//! every run that stderr contains no API token and no JWT.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use snapbox::str;
use url::form_urlencoded::byte_serialize;

use crate::support::Gp;
use crate::support::fault::{API_TOKEN, Fault, Faulty, ID_TOKEN, Step};

/// `{"alg":"none"}.{"a":1}.sig`
const JWT: &str = "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln";

fn gp(server: &Faulty) -> Gp {
    Gp::new()
        .line("idp token --audience x")
        .env("SUPERVISOR_ADDR", server.address())
        .env("IDP_API_URL", format!("http://{}", server.address()))
        .with_placeholder(server.address(), "[SERVER]")
        .secret(API_TOKEN)
}

#[test]
fn tokens_that_a_server_repeats_are_not_shown() {
    let message = format!("cannot take {JWT} of Bearer {API_TOKEN}");
    let body = format!(r#"{{"code":"invalid_argument","message":"{message}"}}"#);
    let server = Faulty::always(Step::Mint, Fault::json(400, &body));
    gp(&server).line("--verbose").run();
    gp(&server).run().failure(
        4,
        str![[r#"
error: could not mint an ID token for `x`
  caused by: the API that mints ID tokens (http://[SERVER]) refused: cannot take [redacted] of Bearer [redacted] (invalid_argument, HTTP 400)
hint: the API refuses the value of `--audience` or `--scope` for the reason above: give another value

"#]],
    );
}

/// The secret of an OAuth client, and the federated token of Google STS.
const CLIENT_SECRET: &str = "s3cret/of+the~client=";
const FEDERATED: &str = "ya29.federated-access-token";

/// A command, the step at which the server refuses, its refusal, and the secrets that the server
/// knows.
struct EchoCase {
    line: &'static str,
    variables: &'static [(&'static str, &'static str)],
    step: Step,
    /// The refusal, with `WORDS` wherever the server may put text.
    refusal: &'static str,
    media: &'static str,
    secrets: &'static [&'static str],
    /// The successful replies before the refusal.
    before: &'static [&'static str],
}

const JSON: &str = "application/json";
const OAUTH: &str = r#"{"error":"WORDS","error_description":"WORDS","error_uri":"WORDS"}"#;

const fn echo_case(line: &'static str, refusal: &'static str) -> EchoCase {
    let secrets = &[ID_TOKEN];
    EchoCase { line, variables: &[], step: Step::Other, refusal, media: JSON, secrets, before: &[] }
}

/// Every request after which a server knows a secret. `SERVER` is the server's address.
const ECHO_CASES: [EchoCase; 12] = [
    EchoCase {
        step: Step::Mint,
        secrets: &[API_TOKEN],
        ..echo_case("idp token --audience x", r#"{"code":"WORDS","message":"WORDS"}"#)
    },
    EchoCase {
        variables: &[
            ("ACTIONS_ID_TOKEN_REQUEST_URL", "SERVER/"),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", API_TOKEN),
        ],
        secrets: &[API_TOKEN],
        ..echo_case("idp token --source github --audience x", r#"{"message":"WORDS"}"#)
    },
    EchoCase {
        step: Step::Mint,
        secrets: &[API_TOKEN],
        ..echo_case("idp gcloud-token --audience x", r#"{"code":"WORDS","message":"WORDS"}"#)
    },
    EchoCase {
        variables: &[("AWS_ENDPOINT_URL_STS", "SERVER")],
        media: "text/xml",
        ..echo_case(
            "idp login aws --format json --role-arn arn:aws:iam::123456789012:role/demo",
            "<ErrorResponse><Error><Code>WORDS</Code><Message>WORDS</Message></Error><RequestId>WORDS</RequestId></ErrorResponse>",
        )
    },
    EchoCase {
        variables: &[
            ("AZURE_AUTHORITY_HOST", "SERVER"),
            ("AZURE_CLIENT_ID", CLIENT_ID),
            ("AZURE_TENANT_ID", CLIENT_ID),
        ],
        ..echo_case("idp login azure --format access-token", OAUTH)
    },
    EchoCase {
        variables: &[
            ("CLOUDSDK_API_ENDPOINT_OVERRIDES_STS", "SERVER"),
            ("IDP_GCP_WORKLOAD_IDENTITY_PROVIDER", PROVIDER),
        ],
        ..echo_case("idp login gcp --format access-token", OAUTH)
    },
    EchoCase {
        variables: &[
            ("CLOUDSDK_API_ENDPOINT_OVERRIDES_STS", "SERVER"),
            ("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS", "SERVER"),
            ("IDP_GCP_WORKLOAD_IDENTITY_PROVIDER", PROVIDER),
        ],
        secrets: &[ID_TOKEN, FEDERATED],
        before: &[r#"{"access_token":"ya29.federated-access-token","expires_in":3600}"#],
        ..echo_case(
            "idp login gcp --format access-token --service-account a@p.iam.gserviceaccount.com",
            r#"{"error":{"status":"WORDS","message":"WORDS"}}"#,
        )
    },
    EchoCase {
        variables: &[("VAULT_ADDR", "SERVER")],
        ..echo_case("idp login vault --role demo --no-store", r#"{"errors":["WORDS","WORDS"]}"#)
    },
    EchoCase {
        variables: &[("IDP_TOKEN_ENDPOINT", "SERVER"), ("IDP_CLIENT_SECRET", CLIENT_SECRET)],
        secrets: &[ID_TOKEN, CLIENT_SECRET],
        ..echo_case("idp exchange --audience x --client-id ci", OAUTH)
    },
    EchoCase {
        variables: &[("IDP_TOKEN_ENDPOINT", "SERVER"), ("IDP_CLIENT_SECRET", CLIENT_SECRET)],
        secrets: &[ID_TOKEN, CLIENT_SECRET],
        ..echo_case("idp exec exchange --audience x --client-id ci --client-auth post -- true", OAUTH)
    },
    EchoCase {
        variables: &[("IDP_TOKEN_ENDPOINT", "SERVER")],
        ..echo_case("idp exchange --audience x --grant jwt-bearer", OAUTH)
    },
    EchoCase {
        variables: &[("VAULT_ADDR", "SERVER")],
        ..echo_case("idp doctor vault --role demo", r#"{"errors":["WORDS","WORDS"]}"#)
    },
];
const CLIENT_ID: &str = "00000000-0000-4000-8000-000000000001";
const PROVIDER: &str = "projects/1/locations/global/workloadIdentityPools/workspaces/providers/gitpod";

/// A secret in every encoding, one after the other.
fn encodings(secret: &str) -> String {
    let form: String = byte_serialize(secret.as_bytes()).collect();
    let percent: String = secret.bytes().flat_map(|byte| ["%".to_owned(), format!("{byte:02X}")]).collect();
    let basic = STANDARD.encode(format!("ci:{form}"));
    let bearer = STANDARD.encode(format!("Bearer {secret}"));
    let (standard, url) = (STANDARD.encode(secret), URL_SAFE_NO_PAD.encode(secret));
    let (lower, upper) = (secret.to_lowercase(), secret.to_uppercase());
    [secret, &lower, &upper, &form, &percent, &standard, &url, &basic, &bearer].join(" , ")
}

/// Replies that repeat a secret, one for each place.
fn replies_with(secret: &str, refusal: &str, media: &str) -> Vec<(&'static str, Fault)> {
    let words = encodings(secret);
    let body = refusal.replace("WORDS", &words);
    let page = format!("<!DOCTYPE html><title>{words}</title>");
    let header = |name: &str, value: &str| format!("{name}: {value}\r\n");
    let elsewhere = format!("https://sso.example.com/{words}");
    let challenge = format!("Bearer error=\"{words}\"");
    vec![
        ("the words", Fault::reply(400, header("Content-Type", media), body.clone())),
        ("the words of a success", Fault::reply(200, header("Content-Type", media), body)),
        ("the title", Fault::reply(200, header("Content-Type", "text/html"), page)),
        ("Content-Type", Fault::reply(200, header("Content-Type", &words), "x")),
        ("Location", Fault::reply(302, header("Location", &elsewhere), "")),
        ("a bare Location", Fault::reply(302, header("Location", &words), "")),
        ("WWW-Authenticate", Fault::reply(401, header("WWW-Authenticate", &challenge), "no")),
    ]
}

/// Checks that no secret is on stderr or stdout. Here, stdout is read by people, or an SDK shows
/// it.
#[track_caller]
fn check_echo(gp: &Gp, place: &str) {
    let ran = gp.run();
    let said = ran.stdout + &ran.stderr;
    assert_ne!(ran.code, 0, "{place}: {said}");
    gp.check_stderr(&said);
    if place.ends_with("the title") || place.ends_with("Content-Type") {
        assert!(said.contains("[redacted]"), "{place}: {said}");
    }
}

#[test]
fn a_secret_that_a_server_repeats_is_not_shown() {
    for EchoCase { line, variables, step, refusal, media, secrets, before } in ECHO_CASES {
        for (place, reply) in secrets.iter().flat_map(|secret| replies_with(secret, refusal, media)) {
            let before = before.iter().map(|body| Fault::json(200, body));
            let server = Faulty::first(step, before.chain(vec![reply; 4]).collect());
            let url = format!("http://{}", server.address());
            let all = [API_TOKEN, ID_TOKEN, CLIENT_SECRET, FEDERATED];
            let gp = all.into_iter().fold(gp(&server), Gp::secret);
            let gp =
                variables.iter().fold(gp, |gp, (name, value)| gp.env(name, value.replace("SERVER", &url)));
            let gp = gp.with_line(&line.replacen("idp", "idp --verbose", 1)).at_time("2026-11-23T12:00:00Z");
            check_echo(&gp, &format!("{line}, {place}"));
        }
    }
}

#[test]
fn a_token_that_an_issuer_repeats_is_not_shown() {
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let claims = r#"{"iss":"https://issuer.example","sub":"s","aud":"x","iat":1795435200,"exp":1795438800}"#;
    let token = format!("{}.{}.{}", part(r#"{"alg":"RS256"}"#), part(claims), part("some signature"));
    let lines = [
        ("--issuer SERVER", r#"{"issuer":"WORDS","jwks_uri":"WORDS"}"#),
        ("--jwks SERVER/keys", r#"{"keys":"WORDS"}"#),
    ];
    for (line, reply) in lines {
        for (place, reply) in replies_with(&token, reply, JSON) {
            let server = Faulty::always(Step::Other, reply);
            let url = format!("http://{}", server.address());
            let gp = gp(&server)
                .secret(&token)
                .with_line("idp verify --audience x -")
                .line(&line.replace("SERVER", &url));
            check_echo(
                &gp.stdin(token.as_str()).at_time("2026-11-23T12:00:00Z"),
                &format!("{line}, {place}"),
            );
        }
    }
}

#[test]
fn a_very_long_message_of_a_server_is_cut() {
    let body = format!(r#"{{"code":"internal","message":"{}"}}"#, "no ".repeat(170_000));
    let server = Faulty::always(Step::Mint, Fault::json(500, &body));
    let ran = gp(&server).run();
    assert_eq!(ran.code, 4);
    assert!(ran.stderr.len() < 2000, "{} bytes", ran.stderr.len());
    assert!(ran.stderr.contains("no no no") && ran.stderr.contains("hint: "), "{}", ran.stderr);
}

#[test]
fn tokens_in_arguments() {
    let runs = [
        (Gp::new().arg(JWT).env("PATH", ""), 2),
        (Gp::new().line("idp decode e30.e30. --claim").arg(JWT), 1),
        (Gp::new().line("idp token --audience").arg(JWT).env("SUPERVISOR_ADDR", "127.0.0.1:1x"), 2),
        (Gp::new().line("idp token").arg(JWT), 2),
    ];
    for (gp, code) in runs {
        let ran = gp.run();
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert!(ran.stderr.contains("[redacted]"), "{}", ran.stderr);
    }
}

#[test]
fn secrets_in_addresses() {
    let server = Faulty::always(Step::Info, Fault::Refuse);
    for (variable, value, shown) in [
        ("IDP_API_URL", "https://me:pass-phrase@api.example.com/?k=pass-phrase", "https://api.example.com/"),
        ("IDP_API_URL", "https://api.example.com/?k=pass-phrase", "https://api.example.com/"),
        ("IDP_API_URL", "https://api.example.com/#pass-phrase", "https://api.example.com/"),
        // These are not valid addresses of an API or a supervisor.
        ("IDP_API_URL", "ftp://me:pass-phrase@api.example.com", "ftp://api.example.com"),
        ("IDP_API_URL", "https://me:pass-phrase/#?@api.example.com", "…@api.example.com"),
        ("IDP_API_URL", "me:pass-phrase@api.example.com", "…@api.example.com"),
        ("SUPERVISOR_ADDR", "me:pass-phrase@localhost:1", "…@localhost:1"),
    ] {
        let ran = gp(&server).secret("pass-phrase").line("--verbose").env(variable, value).run();
        assert_eq!(ran.code, 2, "{value}: {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("`{variable}` is set to `{shown}`: ")), "{}", ran.stderr);
    }
}

#[test]
fn secrets_in_addresses_of_services() {
    let azure: &[_] = &[("AZURE_CLIENT_ID", CLIENT_ID), ("AZURE_TENANT_ID", CLIENT_ID)];
    let gcp: &[_] = &[("IDP_GCP_WORKLOAD_IDENTITY_PROVIDER", PROVIDER)];
    let https: &[_] = &[("IDP_TOKEN_ENDPOINT", "https://127.0.0.1:1/")];
    let vault: &[_] = &[("VAULT_ADDR", "https://127.0.0.1:1"), ("BAO_ADDR", "https://127.0.0.1:1")];
    let commands = [
        ("", "idp verify e30.e30.x --audience x --jwks ADDRESS", &[][..]),
        ("", "idp verify e30.e30.x --audience x --issuer ADDRESS", &[]),
        ("AZURE_AUTHORITY_HOST", "idp login azure --format access-token", azure),
        ("AZURE_AUTHORITY_HOST", "idp doctor azure", azure),
        ("CLOUDSDK_API_ENDPOINT_OVERRIDES_STS", "idp login gcp --format access-token", gcp),
        ("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS", "idp doctor gcp", gcp),
        ("BAO_ADDR", "idp login vault --role x --no-store", &[]),
        ("BAO_PROXY_ADDR", "idp login vault --role x --no-store", vault),
        ("IDP_TOKEN_ENDPOINT", "idp exchange --audience x", &[]),
        ("", "idp exchange --audience x --issuer ADDRESS", &[]),
        ("AWS_ENDPOINT_URL_STS", "idp doctor aws", &[]),
        ("IDP_API_URL", "idp doctor", &[]),
        (
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "idp token --source github --audience x",
            &[("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "x")],
        ),
        ("HTTPS_PROXY", "idp exchange --audience x", https),
    ];
    let addresses = [
        "https://me:pass-phrase@127.0.0.1:1/",
        "https:/me:pass-phrase@127.0.0.1:1/",
        "https://127.0.0.1:1/?k=pass-phrase",
        "http://127.0.0.1:1/#pass-phrase",
        "https://me:pass-phrase@127.0.0.1:1/?k=pass-phrase#pass-phrase",
        "me:pass-phrase@127.0.0.1:1",
        "ftp://me:pass-phrase@127.0.0.1:1/?k=pass-phrase",
        "https://pass-phrase@127.0.0.1:port/",
    ];
    for (variable, line, more) in commands {
        for address in addresses {
            // Without a scheme, it is the name of a file.
            if line.contains("--jwks") && address.starts_with("me:") {
                continue;
            }
            let gp = Gp::in_workspace()
                .secret("pass-phrase")
                .line(&line.replacen("idp", "idp --verbose", 1).replace("ADDRESS", address));
            let gp = more.iter().fold(gp, |gp, (name, value)| gp.env(name, *value));
            let gp = if variable.is_empty() { gp } else { gp.env(variable, address) };
            let gp = gp.at_time("2026-11-23T12:00:00Z");
            // stdout may be a token, but must not contain the password.
            gp.check_stderr(&gp.run().stdout.replace("eyJ", ""));
        }
    }
}

#[test]
fn a_reply_of_the_api_that_is_no_token_is_refused() {
    for text in [format!("Bearer {ID_TOKEN}"), format!("'{ID_TOKEN}'"), format!("Authorization: {ID_TOKEN}")]
    {
        let server = Faulty::always(Step::Mint, Fault::json(200, &format!(r#"{{"token":"{text}"}}"#)));
        let ran = gp(&server).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (4, ""), "{text}");
        assert!(ran.stderr.contains("something that is not an ID token"), "{}", ran.stderr);
    }
}

#[test]
fn a_message_lists_few_claim_names_on_one_line() {
    let claims: Vec<String> = (0..1500).map(|number| format!(r#""c{number}\nhint: x":1"#)).collect();
    let payload = URL_SAFE_NO_PAD.encode(format!("{{{}}}", claims.join(",")));
    let ran = Gp::new().line("idp decode --claim x").stdin(format!("e30.{payload}.")).run();
    assert_eq!(ran.code, 1);
    assert_eq!(ran.stderr.lines().count(), 3, "{}", ran.stderr);
    assert!(ran.stderr.ends_with(" and 1480 more\n"), "{}", ran.stderr);
}

#[test]
fn a_command_does_not_get_the_secret_of_a_client() {
    for line in [
        "idp exec token --audience x",
        "idp exec exchange --audience oauth --client-id ci",
        "idp exec aws",
        "idp exec aws --serve",
        "idp exec azure",
        "idp exec gcp",
        "idp exec vault --role demo",
    ] {
        let gp = Gp::in_workspace().line(line).line("-- sh -c").arg("echo ${IDP_CLIENT_SECRET-none}");
        let ran = gp.env("IDP_CLIENT_SECRET", CLIENT_SECRET).secret(CLIENT_SECRET).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "none\n"), "{line}: {}", ran.stderr);
    }
    // A local workspace changes only its own variables: a command in it may exchange a token.
    let gp = Gp::new().line("idp dev -- sh -c").arg("echo ${IDP_CLIENT_SECRET-none}");
    assert_eq!(gp.env("IDP_CLIENT_SECRET", CLIENT_SECRET).run().stdout, format!("{CLIENT_SECRET}\n"));
}
