//! The refusals of STS, and the settings that `gp` refuses before it calls STS. Two snapshot files
//! contain all messages with their exit codes; `aws.txt` also has the token of each request.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use gp_idp::context::Clock;
use gp_idp::dev::{AwsFault, AwsOptions, AwsRole, Options};
use gp_idp::target::aws::iam::TrustPolicy;

use crate::faults::without_counts;
use crate::support::Gp;
use crate::support::fault::{Fault, Faulty, Step};

const LOGIN: &str = "idp login aws --format json --role-session-name ann";
const NOON: &str = "2026-11-23T12:00:00Z";

fn login(options: Options) -> Gp {
    let gp = Gp::in_workspace_of(options).line(LOGIN);
    let host = gp.workspace().api_url().replace("http://", "");
    gp.with_placeholder(host, "[HOST]")
}

fn with_aws(aws: AwsOptions) -> Gp {
    login(Options { aws, ..Options::default() })
}

fn usual() -> Gp {
    with_aws(AwsOptions::default())
}

fn faulty(faults: &str) -> Gp {
    let faults = faults.split(' ').map(|fault| fault.parse::<AwsFault>().unwrap()).collect();
    with_aws(AwsOptions { faults, ..AwsOptions::default() })
}

/// In a workspace whose role has this condition in its trust policy, with the provider
/// `app.gitpod.io`.
fn on_condition(condition: &str) -> Gp {
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":{{
            "Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Condition":{condition},
            "Principal":{{"Federated":"arn:aws:iam::123456789012:oidc-provider/app.gitpod.io"}}
        }}}}"#
    );
    let mut aws = AwsOptions { providers: vec!["app.gitpod.io".into()], ..AwsOptions::default() };
    aws.roles[0].trust_policy = Some(TrustPolicy::parse(&policy).unwrap());
    with_aws(aws)
}

fn with_issuer(clock_offset: i64, lifetime: Duration) -> Gp {
    login(Options { clock_offset, lifetime, ..Options::default() })
}

/// The number of the ID token in each request.
fn tokens(gp: &Gp) -> Vec<usize> {
    gp.workspace().sts_requests().iter().map(|request| request.token).collect()
}

/// Each refusal that the local STS decides, and each fault that it can be set to give.
fn refusals() -> Vec<(String, Gp)> {
    let hour = Duration::from_secs(3600);
    let two_days = Duration::from_secs(2 * 86400);
    let mut short_role = AwsRole::new("arn:aws:iam::123456789012:role/team/short");
    short_role.max_session_duration = 3600;
    let short = AwsOptions { roles: vec![short_role], ..AwsOptions::default() };
    let noon: jiff::Timestamp = NOON.parse().unwrap();
    let at_noon = || Options { clock: Clock::Fixed(noon), ..Options::default() };
    let decided = [
        ("an audience that is not listed", usual().line("--audience sts.amazon.com")),
        (
            "several audiences, the listed one not first",
            usual().line("--audience x --audience sts.amazonaws.com"),
        ),
        (
            "the usual audience is not listed",
            with_aws(AwsOptions { client_ids: vec!["mine".into()], ..AwsOptions::default() }),
        ),
        ("an account without the provider", usual().line("--role-arn arn:aws:iam::210987654321:role/dev")),
        ("a role that does not exist", usual().line("--role-arn arn:aws:iam::123456789012:role/other")),
        (
            "a trust policy for another subject",
            on_condition(r#"{"StringEquals":{"app.gitpod.io:sub":"https://github.com/Gitpod-io/example"}}"#),
        ),
        (
            "a trust policy for another session name",
            on_condition(r#"{"StringLike":{"sts:RoleSessionName":"ci-*"}}"#),
        ),
        ("a token without life", with_issuer(0, Duration::ZERO)),
        ("an issuer whose clock is behind", with_issuer(-7200, hour)),
        ("an issuer whose clock is a day behind", with_issuer(-90_000, two_days)),
        (
            "this machine's clock is ahead",
            login(at_noon()).line("--audience x").at_time("2026-11-23T14:00:00Z"),
        ),
        (
            "a duration over the role's maximum",
            with_aws(short)
                .line("--role-arn arn:aws:iam::123456789012:role/team/short --duration-seconds 7200"),
        ),
        ("a policy without statements", usual().line("--policy {}")),
    ];
    // A throttled request is retried until the timeout.
    let faults = AwsFault::names().into_iter().map(|name| match name {
        "too-many-requests" => (format!("fault: {name}"), faulty(name).line("--timeout 3s")),
        _ => (format!("fault: {name}"), faulty(name)),
    });
    decided.into_iter().map(|(name, gp)| (name.to_owned(), gp)).chain(faults).collect()
}

#[test]
fn each_refusal_is_explained() {
    // In parallel: most of the time is spent waiting between tries.
    let tried: Vec<_> = refusals()
        .into_iter()
        .map(|(name, gp)| {
            let run = thread::spawn(move || {
                let ran = gp.run();
                assert_eq!(ran.stdout, "");
                assert_ne!(ran.code, 0);
                let mut tokens = tokens(&gp);
                // The number of throttled requests is random.
                tokens.truncate(if ran.stderr.contains("HTTP 429") { 2 } else { 4 });
                format!("exit {}, requests with token {tokens:?}\n{}", ran.code, ran.stderr)
            });
            (name, run)
        })
        .collect();
    let mut report = String::new();
    for (name, run) in tried {
        writeln!(report, "## {name}\n{}", without_ids(&run.join().unwrap())).unwrap();
    }
    assert_report(&report, "aws.txt");
}

/// Replaces the request IDs and the token's times, which differ in every run.
fn without_ids(text: &str) -> String {
    let mut clean = String::new();
    for line in text.lines() {
        let line = match line.split_once("request ") {
            Some((before, rest)) if rest.len() >= 36 => format!("{before}request [ID]{}", &rest[36..]),
            _ => line.to_owned(),
        };
        let line = match line.split_once("current date/time ") {
            Some((before, rest)) => {
                let tail = rest.trim_start_matches(|c: char| c.is_ascii_digit());
                let (words, tail) = tail.split_once("date/time").unwrap();
                let tail = tail.trim_start_matches(|c: char| c.is_ascii_digit());
                format!("{before}current date/time [NOW]{words}date/time[EXP]{tail}")
            }
            None => line,
        };
        clean += &without_counts(&line);
        clean.push('\n');
    }
    // The age includes the seconds between minting and the check.
    (90_000..90_060)
        .fold(clean, |text, age| text.replace(&format!("Token too old: {age}"), "Token too old: [AGE]"))
}

#[track_caller]
fn assert_report(report: &str, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/refusals").join(name);
    snapbox::assert_data_eq!(report, snapbox::Data::read_from(&path, None));
}

#[test]
fn only_temporary_failures_and_stale_tokens_are_retried() {
    let cases = [
        // Four tries with one token.
        ("idp-communication-error:3", true, vec![1; 4]),
        ("idp-communication-error:4", false, vec![1; 4]),
        ("verification-key:3", true, vec![1; 4]),
        ("verification-key:4", false, vec![1; 4]),
        // These waits are longer, so that the retries of many clients are spread out.
        ("throttling:2", true, vec![1; 3]),
        ("too-many-requests:3", true, vec![1; 4]),
        ("service-unavailable:3", true, vec![1; 4]),
        ("service-unavailable:4", false, vec![1; 4]),
        ("bad-gateway:3", true, vec![1; 4]),
        ("internal-failure:3", true, vec![1; 4]),
        ("internal-failure:4", false, vec![1; 4]),
        ("throttling:1 verification-key:1 idp-communication-error:1", true, vec![1; 4]),
        // At most one fresh token.
        ("expired-token:1", true, vec![1, 2]),
        ("expired-token:2", false, vec![1, 2]),
        ("token-too-old:1", true, vec![1, 2]),
        ("idp-rejected-claim:1", true, vec![1, 2]),
        ("idp-rejected-claim:1 expired-token:1", false, vec![1, 2]),
        ("throttling:1 expired-token:1 verification-key:1", true, vec![1, 1, 2, 2]),
        // Permanent failures.
        ("access-denied:1", false, vec![1]),
        ("no-provider:1", false, vec![1]),
        ("incorrect-audience:1", false, vec![1]),
        ("missing-claim:1", false, vec![1]),
        ("max-session-duration:1", false, vec![1]),
        ("malformed-policy-document:1", false, vec![1]),
        ("packed-policy-too-large:1", false, vec![1]),
        ("region-disabled:1", false, vec![1]),
        ("html-page:1", false, vec![1]),
        ("incomplete-reply:1", false, vec![1]),
        ("other-account:1", false, vec![1]),
    ];
    let runs = cases.map(|(faults, succeeds, expected)| {
        thread::spawn(move || {
            let gp = faulty(faults);
            let ran = gp.run();
            assert_eq!((ran.code == 0, tokens(&gp)), (succeeds, expected), "{faults}:\n{}", ran.stderr);
        })
    });
    for run in runs {
        run.join().unwrap();
    }
}

#[test]
fn http_408_of_sts_is_retried_and_is_no_refusal() {
    let server = Faulty::always(Step::Mint, Fault::reply(408, "", ""));
    let ran = usual().env("AWS_ENDPOINT_URL_STS", format!("http://{}", server.address())).run();
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    assert!(ran.stderr.contains("HTTP 408") && ran.stderr.contains("4 tries"), "{}", ran.stderr);
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn the_number_of_tries_can_be_set() {
    fn with_config(gp: Gp) -> Gp {
        let config = [("default", "2"), ("profile other", "3"), ("profile bad", "two")]
            .map(|(name, attempts)| format!("[{name}]\nmax_attempts = {attempts}\n"));
        fs::create_dir(gp.home().join(".aws")).unwrap();
        fs::write(gp.home().join(".aws/config"), config.concat()).unwrap();
        gp
    }
    let cases = [
        ("internal-failure:9", "", None, vec![1; 2]),
        ("idp-communication-error:9", "", None, vec![1; 2]),
        ("internal-failure:9", " --profile other", None, vec![1; 3]),
        ("internal-failure:9", "", Some("1"), vec![1]),
        ("internal-failure:5", "", Some("6"), vec![1; 6]),
    ];
    let runs = cases.map(|(faults, profile, attempts, expected)| {
        thread::spawn(move || {
            let gp = with_config(faulty(faults).line(profile));
            let gp = if let Some(attempts) = attempts { gp.env("AWS_MAX_ATTEMPTS", attempts) } else { gp };
            let ran = gp.run();
            assert_eq!(tokens(&gp), expected, "{faults}{profile}: {}", ran.stderr);
        })
    });
    for run in runs {
        run.join().unwrap();
    }
    for (profile, attempts, expected) in [
        ("", "0", "`AWS_MAX_ATTEMPTS`: `0` is not a whole number of at least 1"),
        ("", "many", "`AWS_MAX_ATTEMPTS`: `many` is not"),
        (" --profile bad", "", "`max_attempts`: `two` is not"),
    ] {
        let gp = with_config(faulty("throttling:1").line(profile));
        let gp = if attempts.is_empty() { gp } else { gp.env("AWS_MAX_ATTEMPTS", attempts) };
        let ran = gp.run();
        assert_eq!((ran.code, tokens(&gp).len()), (2, 0), "{profile}: {}", ran.stderr);
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    }
}

#[test]
fn sts_gets_the_requested_role_session_name_duration_and_audiences() {
    let gp = Gp::in_workspace().line("idp login aws --format json --duration-seconds 1200 --scope s");
    let gp = gp.line("--audience sts.amazonaws.com --audience x").at_time(NOON);
    let ran = gp.run();
    // The clock of this test differs from that of the local STS, so `gp` warns.
    assert!(
        ran.code == 0 && ran.stderr.starts_with("warning: the clock of this machine is "),
        "{}",
        ran.stderr
    );
    let printed = ran.stdout;
    let request = &gp.workspace().sts_requests()[0];
    assert_eq!(request.role, "arn:aws:iam::123456789012:role/dev");
    assert_eq!(request.session_name, "gitpodio-example-0123456789a-1795435200");
    assert_eq!((request.duration.as_str(), request.status, request.code), ("1200", 200, None));
    assert_eq!(request.audience, ["sts.amazonaws.com", "x"]);
    assert!(printed.contains(&format!("assumed-role/dev/{}", request.session_name)), "{printed}");
}

#[test]
fn the_printed_trust_statement_is_json_for_any_claims() {
    for subject in ["https://github.com/acme/shop", "a\"}, {\\\"b", "ü\u{1f600}"] {
        let gp = login(Options { subject: Some(subject.into()), ..Options::default() });
        let ran = gp.line("--role-arn arn:aws:iam::123456789012:role/other").run();
        let lines: Vec<&str> = ran.stderr.lines().collect();
        let from = lines.iter().position(|line| line.starts_with("    trust ")).unwrap();
        let to = lines.iter().position(|line| line.starts_with("hint:")).unwrap();
        assert!(to - from > 3, "{}", ran.stderr);
        let statement = lines[from..to].join("\n").replacen("    trust ", "", 1);
        let statement: serde_json::Value = serde_json::from_str(&statement).unwrap();
        let condition = statement["Condition"]["StringEquals"].as_object().unwrap();
        let named = condition.iter().find(|(key, _)| key.ends_with(":sub")).unwrap();
        assert_eq!((condition.len(), named.1.as_str()), (2, Some(subject)), "{}", ran.stderr);
    }
}

#[test]
fn verbose_shows_no_secret() {
    let gp = faulty("throttling:1 expired-token:1").line("--verbose");
    let ran = gp.run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let credentials: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    for name in ["AccessKeyId", "SecretAccessKey", "SessionToken"] {
        let secret = credentials[name].as_str().unwrap();
        assert!(secret.len() >= 20 && !ran.stderr.contains(secret), "{name}:\n{}", ran.stderr);
    }
    // It shows the three tries, and the reason for another token.
    assert_eq!(ran.stderr.matches("POST [API]/sts -> ").count(), 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("  trying again with a fresh ID token\n"), "{}", ran.stderr);
}

/// The name of the case, its arguments and its environment.
type Case = (&'static str, Vec<String>, Vec<(&'static str, &'static str)>);

/// Settings that are known to fail, so that no request is sent.
fn known_to_fail() -> Vec<Case> {
    let role = "--role-arn=arn:aws:iam::123456789012:role/dev";
    let args = |args: &[&str]| args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>();
    let with = |arg: &str| args(&[role, arg]);
    let long_policy = format!(r#"--policy={{"Statement":[],"Id":"{}"}}"#, "x".repeat(2048));
    let many: Vec<String> = (0..11)
        .map(|at| format!("--policy-arn=arn:aws:iam::123456789012:policy/p{at}"))
        .chain([role.to_owned()])
        .collect();
    let long_name = format!("--role-session-name={}", "n".repeat(65));
    vec![
        ("no role", args(&[]), vec![]),
        ("a role by name", args(&["--role-arn=dev"]), vec![]),
        ("a role by name in the environment", args(&[]), vec![("AWS_ROLE_ARN", "dev")]),
        (
            "another role in our own variable",
            args(&[]),
            vec![("IDP_AWS_ROLE_ARN", "dev"), ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/dev")],
        ),
        ("the provider", args(&["--role-arn=arn:aws:iam::123456789012:oidc-provider/app.gitpod.io"]), vec![]),
        ("a session", args(&["--role-arn=arn:aws:sts::123456789012:assumed-role/dev/ann"]), vec![]),
        ("an account with dashes", args(&["--role-arn=arn:aws:iam::1234-5678-9012:role/dev"]), vec![]),
        ("a name of one character", with("--role-session-name=a"), vec![]),
        ("a name that is too long", with(&long_name), vec![]),
        ("a name with a space", with("--role-session-name=a b"), vec![]),
        ("a name in the environment", with("--quiet"), vec![("AWS_ROLE_SESSION_NAME", "a/b")]),
        ("too short", with("--duration-seconds=899"), vec![]),
        ("too long", with("--duration-seconds=43201"), vec![]),
        ("no JSON", with("--policy={"), vec![]),
        ("no object", with("--policy=[]"), vec![]),
        ("a policy that is too long", with(&long_policy), vec![]),
        ("a policy with an arrow", with("--policy={\"Statement\":\"→\"}"), vec![]),
        ("a policy in no file", with("--policy=@none.json"), vec![]),
        ("too many policies", many, vec![]),
        ("a policy by name", with("--policy-arn=ReadOnlyAccess"), vec![]),
        ("a policy of another account", with("--policy-arn=arn:aws:iam::210987654321:policy/own"), vec![]),
        ("no region", with("--region=Frankfurt"), vec![]),
        ("an availability zone", with("--region=eu-central-1a"), vec![]),
        (
            "a region of another partition",
            args(&["--role-arn=arn:aws-cn:iam::123456789012:role/dev", "--region=eu-west-1"]),
            vec![],
        ),
        (
            "a region of another partition in the environment",
            args(&["--role-arn=arn:aws-us-gov:iam::123456789012:role/dev"]),
            vec![("AWS_REGION", "us-east-1")],
        ),
        ("an unknown partition", args(&["--role-arn=arn:aws-moon:iam::123456789012:role/dev"]), vec![]),
        (
            "FIPS with a URL",
            with("--endpoint-url=https://sts.example.com"),
            vec![("AWS_USE_FIPS_ENDPOINT", "true")],
        ),
        ("neither true nor false", with("--region=eu-west-1"), vec![("AWS_USE_DUALSTACK_ENDPOINT", "yes")]),
        ("plain http", with("--endpoint-url=http://sts.example.com"), vec![]),
        ("no URL", with("--endpoint-url=sts.example.com"), vec![]),
        ("a password in the URL", with("--endpoint-url=https://ann:secret@sts.example.com"), vec![]),
        ("another account than allowed", with("--allowed-account=210987654321"), vec![]),
        ("an account that is none", with("--allowed-account=prod"), vec![]),
    ]
}

#[test]
fn settings_that_are_known_to_fail_are_not_sent() {
    let mut report = String::new();
    for (name, args, environment) in known_to_fail() {
        // This server is both the supervisor and the API.
        let server = Faulty::first(Step::Mint, vec![]);
        let mut gp = Gp::new()
            .line("idp login aws --format json")
            .env("SUPERVISOR_ADDR", server.address())
            .env("IDP_API_URL", format!("http://{}", server.address()));
        for arg in args {
            gp = gp.arg(arg);
        }
        for (name, value) in environment {
            gp = gp.env(name, value);
        }
        let ran = gp.run();
        assert_eq!(ran.stdout, "", "{name}");
        assert_eq!(server.requests(), Vec::<String>::new(), "{name}");
        writeln!(report, "## {name}\nexit {}\n{}", ran.code, ran.stderr).unwrap();
    }
    assert_report(&report, "aws-local.txt");
}
