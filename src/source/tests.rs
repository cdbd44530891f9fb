//! Tests of `auto`, of job ids and of the arguments of sources.

use super::*;

/// `{"iss":"https://gitlab.example.com","sub":"s","aud":"x"}`
const GITLAB_TOKEN: &str =
    "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2dpdGxhYi5leGFtcGxlLmNvbSIsInN1YiI6InMiLCJhdWQiOiJ4In0.";
const GITHUB: [(&str, &str); 3] = [
    ("GITHUB_ACTIONS", "true"),
    ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://github.example.com/"),
    ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t"),
];
const GITLAB: [(&str, &str); 3] =
    [("GITLAB_CI", "true"), ("CI_SERVER_URL", "https://gitlab.example.com"), ("ANY_NAME", GITLAB_TOKEN)];
const AZURE_DEVOPS: [(&str, &str); 2] =
    [("SYSTEM_OIDCREQUESTURI", "https://dev.azure.com/"), ("SYSTEM_ACCESSTOKEN", "t")];
const BUILDKITE: [(&str, &str); 2] = [("BUILDKITE_AGENT_ACCESS_TOKEN", "t"), ("BUILDKITE_JOB_ID", "job")];
const CIRCLECI: [(&str, &str); 1] = [("CIRCLE_OIDC_TOKEN", GITLAB_TOKEN)];
const CODEFRESH: [(&str, &str); 2] =
    [("CF_OIDC_REQUEST_URL", "https://codefresh.example.com/"), ("CF_OIDC_REQUEST_TOKEN", "t")];
const WORKSPACE: [(&str, &str); 1] = [("GITPOD_WORKSPACE_ID", "w")];

fn context(variables: &[(&str, &str)]) -> Context {
    Context::silent(variables.iter().copied())
}

#[track_caller]
fn finds(variables: &[(&str, &str)], expected: &str) {
    assert_eq!(detect(&context(variables)).0, expected, "{variables:?}");
}

#[test]
fn auto_finds_sources_in_order() {
    let places = [&GITHUB[..], &GITLAB, &AZURE_DEVOPS, &BUILDKITE, &CIRCLECI, &CODEFRESH, &WORKSPACE];
    let names = ["github", "gitlab", "azure-devops", "buildkite", "circleci", "codefresh", "supervisor"];
    for (index, name) in names.into_iter().enumerate() {
        finds(places[index], name);
        // It takes precedence over each later one.
        finds(&places[index..].concat(), name);
    }
    finds(&[("CIRCLE_OIDC_TOKEN_V2", GITLAB_TOKEN)], "circleci");
}

#[test]
fn auto_lists_the_other_strong_sources() {
    let others = |variables: &[(&str, &str)]| detect(&context(variables)).1;
    assert_eq!(others(&[&GITHUB[..], &BUILDKITE, &WORKSPACE].concat()), ["buildkite", "supervisor"]);
    assert_eq!(others(&[&GITHUB[..], &[("GITLAB_CI", "true")]].concat()), [""; 0]);
    assert_eq!(others(&[("GITHUB_ACTIONS", "true"), ("GITLAB_CI", "true")]), [""; 0]);
}

#[test]
fn a_flag_needs_its_exact_value_and_strong_sources_take_precedence() {
    let flags = [
        ("GITHUB_ACTIONS", "true", "github"),
        ("GITLAB_CI", "true", "gitlab"),
        ("TF_BUILD", "True", "azure-devops"),
        ("BUILDKITE", "true", "buildkite"),
        ("CIRCLECI", "true", "circleci"),
    ];
    for (flag, value, name) in flags {
        finds(&[(flag, value)], name);
        for other in ["", "1", "yes", "false", "TRUE"] {
            finds(&[(flag, other)], FALLBACK);
        }
        finds(&[(flag, if value == "true" { "True" } else { "true" })], FALLBACK);
        // `act` in a workspace, or a variable that somebody set there.
        finds(&[&[(flag, value)], &WORKSPACE[..]].concat(), FALLBACK);
        finds(&[&[(flag, value)], &CODEFRESH[..]].concat(), "codefresh");
    }
}

#[test]
fn incomplete_and_empty_variables_are_no_source() {
    for pair in [&GITHUB[1..], &AZURE_DEVOPS, &BUILDKITE, &CODEFRESH] {
        for (index, (name, _)) in pair.iter().enumerate() {
            finds(&pair[index..=index], FALLBACK);
            let mut emptied = pair.to_vec();
            emptied[index] = (name, "");
            finds(&emptied, FALLBACK);
        }
    }
    finds(&[("CIRCLE_OIDC_TOKEN", ""), ("CIRCLE_OIDC_TOKEN_V2", "")], FALLBACK);
    // A token of another issuer, and no token at all.
    for value in ["eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL290aGVyIn0.", "eyJ", ""] {
        let job = [GITLAB[0], GITLAB[1], ("ANY_NAME", value)];
        finds(&job, "gitlab");
        finds(&[&job, &WORKSPACE[..]].concat(), FALLBACK);
    }
    finds(&GITLAB[2..], FALLBACK);
}

#[test]
fn variables_of_a_platform_alone_are_no_source() {
    // The AWS variable may name a file that `keep-fresh` writes, which would be a loop. A `.env`
    // file on a laptop may have a deployment's token.
    let places = [
        &[("AWS_WEB_IDENTITY_TOKEN_FILE", "/dev/null"), ("AWS_ROLE_ARN", "arn:aws:iam::1:role/x")][..],
        &[("AZURE_FEDERATED_TOKEN_FILE", "/dev/null")],
        &[("VERCEL", "1"), ("VERCEL_OIDC_TOKEN", GITLAB_TOKEN)],
        &[("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("KUBERNETES_SERVICE_PORT", "443")],
        &[("GCE_METADATA_HOST", "127.0.0.1:1"), ("K_SERVICE", "service")],
        &[("SPIFFE_ENDPOINT_SOCKET", "unix:///dev/null")],
        &[("FLY_APP_NAME", "app"), ("FLY_MACHINE_ID", "m")],
        &[("CODESPACES", "true"), ("CODER", "true")],
    ];
    for place in places {
        finds(place, FALLBACK);
    }
}

#[test]
fn the_job_id_is_in_session_names_and_fingerprints() {
    let cases = [
        ("github", &GITHUB[..], "GITHUB_RUN_ID"),
        ("gitlab", &GITLAB, "CI_JOB_ID"),
        ("azure-devops", &AZURE_DEVOPS, "BUILD_BUILDID"),
        ("buildkite", &BUILDKITE, "BUILDKITE_JOB_ID"),
        ("circleci", &CIRCLECI, "CIRCLE_WORKFLOW_JOB_ID"),
        ("codefresh", &CODEFRESH, "CF_BUILD_ID"),
    ];
    for (name, variables, id) in cases {
        let of = |value| {
            let ctx = context(&[variables, &[(id, value)]].concat());
            let source = Source::select(&SourceOptions::default(), &ctx).unwrap();
            assert_eq!(source.name(), name);
            (source.kind.workload(&ctx), source.fingerprint(&ctx))
        };
        let (workload, fingerprint) = of("1234");
        assert_eq!(workload.unwrap(), format!("{name}-1234"));
        assert_ne!(fingerprint, of("1235").1, "{name}");
    }
}

#[test]
fn arguments_of_sources() {
    let ctx = Context::silent([("HOME", "/h")]);
    let split = |value| split(Setting { name: "--source", value }, &ctx);
    let read = |value| split(value).unwrap();
    let refused = |value| {
        let error = split(value).unwrap_err();
        (error.causes().join(": "), error.hint().unwrap_or_default())
    };
    assert_eq!(read("buildkite"), ("buildkite", String::new()));
    assert_eq!(refused("buildkite:x").0, "`--source`: `buildkite` takes nothing after a colon");
    assert_eq!(read("fly"), ("fly", String::new()));
    assert_eq!(read("fly:/a:b"), ("fly", "/a:b".to_owned()));
    assert_eq!(refused("fly:").1, "write `fly:SOCKET`, or `fly` alone");
    assert_eq!(read("file:/a"), ("file", "/a".to_owned()));
    assert_eq!(read("file:~/a"), ("file", "/h/a".to_owned()));
    assert!(read("file:a").1.starts_with('/') && read("kubernetes:a").1.ends_with("/a"));
    assert_eq!(read("env:A"), ("env", "A".to_owned()));
    assert_eq!(read("command:a b"), ("command", "a b".to_owned()));
    for value in ["file", "file:", "file: "] {
        assert_eq!(refused(value).1, "write `file:PATH`");
    }
}
