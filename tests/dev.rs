//! `gp idp dev`: a workspace on loopback.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use snapbox::str;

use crate::support::Gp;

fn dev(rest: &str) -> Gp {
    Gp::new().line("idp dev --quiet").line(rest)
}

fn sh(script: &str) -> Gp {
    dev("-- sh -c").arg(script)
}

#[test]
fn a_command_runs_in_the_local_workspace() {
    let printed =
        sh("gp idp token --audience a --audience b --scope s | gp idp decode --claim aud").run().success();
    assert_eq!(printed, "[\"a\",\"b\"]\n");
}

#[test]
fn gp_itself_is_first_on_path() {
    let printed = sh("gp --version; command -v gp").run().success();
    let mut lines = printed.lines();
    assert_eq!(lines.next(), Some(concat!("gp ", env!("CARGO_PKG_VERSION"))));
    assert!(lines.next().unwrap().contains("gp-dev-"), "{printed}");
}

#[test]
fn files_written_inside_name_the_program_and_not_the_temporary_link() {
    let script = "gp idp login aws --credential-process; gp idp login kubernetes --audience a; \
                  gp idp login gcp --output gcp.json; cat ~/.aws/config ~/.kube/config gcp.json";
    let ran = sh(script).run();
    let written = ran.stdout;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let program = Gp::binary().display().to_string();
    assert_eq!(written.matches(&program).count(), 3, "{written}");
    assert!(!written.contains("gp-dev-"), "{written}");
}

#[test]
fn the_exit_code_is_the_commands_own() {
    assert_eq!(sh("exit 42").run().code, 42);
    assert_eq!(sh("kill -TERM $$").run().code, 128 + 15);
    dev("-- no-such-program").run().failure(
        127,
        str![[r#"
error: could not start `no-such-program`
  caused by: No such file or directory (os error 2)
hint: check the name and PATH
hint: if it is a shell built-in, run it with `-- sh -c '…'`

"#]],
    );
    let gp = dev("-- ./file");
    std::fs::write(gp.home().join("file"), "").unwrap();
    gp.run().failure(
        126,
        str![[r#"
error: could not start `./file`
  caused by: Permission denied (os error 13)
hint: make it executable: `chmod +x ./file`

"#]],
    );
}

#[test]
fn it_warns_once_unless_quiet() {
    let ran = Gp::new().line("idp dev -- true").run();
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
note: this is a local test workspace: real services refuse its tokens

"#]]
    );
}

#[test]
fn flags_change_the_token() {
    let claims = |flags: &str, name: &str| {
        dev(flags)
            .line("-- sh -c")
            .arg(format!("gp idp token --audience x --quiet | gp idp decode --claim {name}"))
            .run()
    };
    for (flags, name, expected) in [
        ("--context-url https://gitlab.com/a/b", "sub", "https://gitlab.com/a/b"),
        ("--context-url https://gitlab.com/a/b", "repository", "https://gitlab.com/a/b.git"),
        ("--context-url=", "sub", "no-context"),
        ("--subject me", "sub", "me"),
        ("--workspace-id w-1", "workspace_id", "w-1"),
        ("--user-id u", "user_id", "u"),
        ("--org-id o", "org_id", "o"),
        ("--name N", "name", "N"),
        ("--email e@example.com", "email", "e@example.com"),
    ] {
        assert_eq!(claims(flags, name).success(), format!("{expected}\n"), "{flags}");
    }
    let seconds = |flags: &str, name: &str| claims(flags, name).success().trim().parse::<i64>().unwrap();
    let now = jiff::Timestamp::now().as_second();
    // A day is far more than the test may take.
    assert!((seconds("--clock-offset 48h", "iat") - now) > 86_400);
    assert!((seconds("--clock-offset -48h", "iat") - now) < -86_400);
    let life = dev("--lifetime 5m -- sh -c").arg(
        "t=$(gp idp token --audience x); echo $(($(printf %s $t | gp idp decode --claim exp) - $(printf %s $t | gp idp decode --claim iat)))",
    );
    assert_eq!(life.run().success(), "300\n");
}

#[test]
fn a_flag_removes_the_scope_for_id_tokens() {
    let ran = dev("--token-scope function:getWorkspace -- gp idp token --audience x").run();
    assert_eq!(ran.code, 4);
}

/// One AWS login in a local workspace with `flags`.
fn login(flags: &str) -> Gp {
    dev(flags).line("-- gp idp login aws --format json")
}

#[test]
fn a_role_can_be_assumed_inside() {
    let printed = login("").run().success();
    assert!(
        printed.contains(r#""AssumedRoleArn": "arn:aws:sts::123456789012:assumed-role/dev/"#),
        "{printed}"
    );
    let roles =
        "--aws-role arn:aws:iam::210987654321:role/team/deploy --aws-role arn:aws:iam::123456789012:role/dev";
    let printed = login(roles).run().success();
    assert!(
        printed.contains(r#""AssumedRoleArn": "arn:aws:sts::210987654321:assumed-role/deploy/"#),
        "{printed}"
    );
    let other = login(roles).line("--role-arn arn:aws:iam::123456789012:role/dev").run().success();
    assert!(other.contains(r#""AccountId": "123456789012""#), "{other}");
}

#[test]
fn flags_change_the_local_sts() {
    let cases = [
        (
            "--aws-role arn:aws:iam::123456789012:role/other",
            "--role-arn arn:aws:iam::123456789012:role/dev",
            "AccessDenied",
        ),
        ("--aws-client-id mine", "", "Incorrect token audience"),
        ("--aws-max-session-duration 3600", "--duration-seconds 3601", "MaxSessionDuration"),
        ("--aws-fault region-disabled", "", "RegionDisabledException"),
        ("--aws-fault expired-token:1 --aws-fault no-provider:1", "", "No OpenIDConnect provider"),
        ("--clock-offset -2h", "", "the clock of http://127.0.0.1:"),
    ];
    for (flags_of_dev, flags, expected) in cases {
        let ran = login(flags_of_dev).line(flags).run();
        assert_eq!(ran.code, 5, "{flags_of_dev}:\n{}", ran.stderr);
        assert!(ran.stderr.contains(expected), "{flags_of_dev}:\n{}", ran.stderr);
    }
    login("--aws-client-id mine --aws-client-id other").line("--audience other").run().success();
    login("--subject me --aws-fault throttling:1").run().success();
}

/// The output of `aws iam get-role` for a role that trusts app.gitpod.io. The local STS then uses
/// this name for the local issuer.
const TRUST_POLICY: &str = r#"{"Role": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
    "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/app.gitpod.io"},
    "Condition": {"StringLike": {"app.gitpod.io:sub": "https://github.com/acme/*"}}
}]}}}"#;

#[test]
fn a_real_roles_trust_policy_can_be_tried() {
    for (context, code) in [("https://github.com/acme/shop", 0), ("https://github.com/other/shop", 5)] {
        let gp = login(&format!("--aws-trust-policy trust.json --context-url {context}"));
        std::fs::write(gp.home().join("trust.json"), TRUST_POLICY).unwrap();
        let ran = gp.run();
        assert_eq!(ran.code, code, "{context}:\n{}", ran.stderr);
    }
    let gp = Gp::new().line("idp dev --aws-trust-policy trust.json -- gp idp login aws --format json");
    std::fs::write(gp.home().join("trust.json"), TRUST_POLICY).unwrap();
    let note = "note: the policy of `--aws-trust-policy` refuses the token: `gp idp trust aws --check FILE` shows the difference\n";
    let ran = gp.run();
    assert!(ran.code == 5 && ran.stderr.contains(note), "{}", ran.stderr);
    login("--aws-trust-policy none.json").run().failure(
        7,
        str![[r#"
error: could not start a local workspace
  caused by: could not read none.json
  caused by: No such file or directory (os error 2)

"#]],
    );
    let gp = login("--aws-trust-policy trust.json");
    std::fs::write(gp.home().join("trust.json"), TRUST_POLICY.replace("StringLike", "StringsLike")).unwrap();
    gp.run().failure(2, str![[r#"
error: could not start a local workspace
  caused by: `--aws-trust-policy trust.json`: `Statement[0].Condition.StringsLike`: there is no condition operator `StringsLike`; those for the claims of a token are StringEquals, StringLike, StringEqualsIgnoreCase, StringNotEquals, StringNotLike, StringNotEqualsIgnoreCase and Null

"#]]);
}

#[test]
fn without_a_command_it_prints_its_environment_and_serves_until_interrupted() {
    let gp = Gp::new().line("idp dev");
    let mut child = gp.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut inside = Gp::new().line("idp token --audience x");
    let mut names = Vec::new();
    while names.len() < 13 {
        let line = lines.next().unwrap().unwrap();
        let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
        inside = inside.env(name, value);
        names.push(name.to_owned());
    }
    inside.run().success();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("real services refuse its tokens"), "{said}");
    gp.check_stderr(&said);
}

#[test]
fn signals_reach_the_command() {
    let gp = sh("trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done");
    let mut child = gp.command().stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(7));
}

#[test]
fn an_ignored_signal_stays_ignored() {
    // As under `nohup`: neither `gp` nor its command may catch a signal that it was started to
    // ignore.
    let gp = Gp::new();
    let inside = "kill -HUP $PPID; kill -HUP $$; echo survived";
    let mut shell = std::process::Command::new("sh");
    shell.env_clear().envs(gp.command().get_envs().filter_map(|(name, value)| Some((name, value?))));
    let script = "trap '' HUP; exec \"$0\" idp dev --quiet -- sh -c \"$1\"";
    let done =
        shell.current_dir(gp.home()).args(["-c", script]).arg(Gp::binary()).arg(inside).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert_eq!((done.status.code(), said.as_ref()), (Some(0), "survived\n"));
}

#[test]
fn times_are_whole_seconds() {
    for line in ["--lifetime 500ms -- true", "--clock-offset 1.5s -- true"] {
        let ran = dev(line).run();
        assert_eq!(ran.code, 2, "{line}");
        assert!(ran.stderr.contains("use whole seconds"), "{}", ran.stderr);
    }
    assert_eq!(dev("--lifetime 0 -- true").run().code, 2);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let gp = dev("--port").arg(port.to_string()).line("-- true").with_placeholder(port.to_string(), "[PORT]");
    gp.run().failure(
        1,
        str![[r#"
error: could not start a local workspace
  caused by: could not listen on 127.0.0.1:[PORT]
  caused by: Address already in use (os error 98)
hint: choose another port with `--port PORT`, or a free one with `--port 0`

"#]],
    );
}

#[test]
fn the_supervisor_answers_as_a_real_one() {
    let gp = Gp::in_workspace();
    let get = |path: &str| {
        let url = format!("http://{}{path}", gp.workspace().supervisor_address());
        http_get(&url)
    };
    assert_eq!(
        get("/_supervisor/v1/status/supervisor"),
        (200, "application/json".into(), "{\"ok\":true}".into())
    );
    assert!(get("/_supervisor/v1/status/content/wait/true").2.contains("\"available\":true"));
    let host = gp.workspace().api_url().trim_start_matches("http://").to_owned();
    for path in [
        format!("/_supervisor/v1/token/gitpod/{host}/function:deleteEverything"),
        format!("/_supervisor/v1/token/gitpod/{host}/function:getWorkspace,function:deleteEverything"),
        "/_supervisor/v1/token/gitpod/elsewhere.example.com/function:getWorkspace".into(),
        format!("/_supervisor/v1/token/git/{host}/function:getWorkspace"),
    ] {
        let expected = "{\"code\":5,\"details\":[],\"message\":\"no token available\"}";
        assert_eq!(get(&path), (404, "application/json".into(), expected.into()), "{path}");
    }
    let (status, kind, page) = get("/anything");
    assert_eq!((status, kind.as_str()), (200, "text/html; charset=utf-8"));
    assert!(page.contains("<html>"));
}

/// Status, content type and body.
fn http_get(url: &str) -> (u16, String, String) {
    let (address, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    std::io::Write::write_all(
        &mut stream,
        format!("GET /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes(),
    )
    .unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let kind = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or_default();
    (status, kind.to_owned(), body.to_owned())
}

#[test]
fn the_role_names_of_the_docs_exist() {
    for line in [
        "idp login aws --role-arn arn:aws:iam::123456789012:role/deploy --format json",
        "idp login vault --role deploy --format token",
    ] {
        assert_eq!(dev("-- gp").line(line).run().code, 0, "{line}");
    }
    let inside = |script: &str| dev("-- sh -c").arg(script).run().success();
    assert_eq!(inside("echo $AWS_REGION $AWS_DEFAULT_REGION"), "us-east-1 us-east-1\n");
    let china = dev("--aws-role arn:aws-cn:iam::123456789012:role/x -- sh -c").arg("echo \"<$AWS_REGION>\"");
    assert_eq!(china.run().success(), "<>\n");
}

#[test]
fn the_refusal_of_an_unknown_name_lists_the_known_names() {
    let aws = Gp::new()
        .line("idp dev -- gp idp login aws --role-arn arn:aws:iam::123456789012:role/other --format json")
        .run();
    assert_eq!(aws.code, 5);
    let expected = "note: the local AWS has no role `arn:aws:iam::123456789012:role/other`. It has `arn:aws:iam::123456789012:role/dev`, `arn:aws:iam::123456789012:role/deploy`. To use that role, start the local workspace with `--aws-role`\n";
    assert!(aws.stderr.contains(expected), "{}", aws.stderr);
    let line = "idp dev -- gp idp login aws --role-arn arn:aws:iam::123456789012:role/dev --audience x --format json";
    let audience = Gp::new().line(line).run();
    let expected = "note: the local AWS has no audience `x`. It has `sts.amazonaws.com`. To use that audience, start the local workspace with `--aws-client-id`\n";
    assert!(audience.code == 5 && audience.stderr.contains(expected), "{}", audience.stderr);
    let vault = Gp::new().line("idp dev -- gp idp login vault --role other --format token").run();
    assert_eq!(vault.code, 5);
    let expected = "note: the local Vault has no role `other`. It has `demo`, `deploy`. To use that role, start the local workspace with `--vault-role`\n";
    assert!(vault.stderr.contains(expected), "{}", vault.stderr);
}

#[test]
fn the_local_vault_gives_a_secret_for_a_valid_token() {
    let gp = Gp::in_workspace().line("idp login vault --role deploy --format token");
    let token = gp.run().success();
    let vault = gp.workspace().vault_url();
    let get = |path: &str, token: &str| {
        let (address, folder) = vault.trim_start_matches("http://").split_once('/').unwrap();
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let head = format!("GET /{folder}/v1/{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
        std::io::Write::write_all(&mut stream, format!("{head}X-Vault-Token: {token}\r\n\r\n").as_bytes())
            .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse::<u16>().unwrap();
        (status, serde_json::from_str::<serde_json::Value>(body).unwrap())
    };
    let (status, secret) = get("secret/data/shop", token.trim());
    assert_eq!((status, &secret["data"]["data"]["username"]), (200, &"shop".into()));
    assert_eq!(get("sys/internal/ui/mounts/secret/shop", token.trim()).1["data"]["options"]["version"], "2");
    assert_eq!(get("secret/data/none", token.trim()), (404, serde_json::json!({"errors": []})));
    assert_eq!(get("secret/data/shop", "s.unknown").0, 403);
}

#[test]
fn the_issuer_is_the_same_in_every_run_unless_its_port_is_taken() {
    let issuer = "gp idp token --audience x --quiet | gp idp decode --claim iss";
    // The local workspaces of other tests use the port for a moment each. If something else keeps
    // it, the port is taken anyway.
    let taken = (0..500).find_map(|_| {
        let bound = std::net::TcpListener::bind(("127.0.0.1", gp_idp::dev::DEV_PORT));
        bound.inspect_err(|_| std::thread::sleep(std::time::Duration::from_millis(20))).ok()
    });
    let other = dev("-- sh -c").arg(issuer).run().success();
    assert!(other.starts_with("http://127.0.0.1:") && !other.contains("22990"), "{other}");
    drop(taken);
    // With `--port`, the issuer has to use that port.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let named = dev("--port").arg(free.to_string()).line("-- sh -c").arg(issuer).run().success();
    assert_eq!(named, format!("http://127.0.0.1:{free}/idp\n"));
}

#[test]
fn credentials_can_have_a_shorter_lifetime_than_a_service_allows() {
    let ends = "for line in 'login aws --format json' 'login gcp --format json' 'login azure --format json' 'exchange --audience oauth --format json'; do gp idp $line; done";
    let ran = dev("--credential-lifetime 90s -- sh -c").arg(ends).run();
    // A short lifetime is no sign of a wrong clock: the service's reply has its time.
    assert!(!ran.stderr.contains("clock"), "{}", ran.stderr);
    let printed = ran.success();
    let now = jiff::Timestamp::now();
    let ends: Vec<i64> = serde_json::Deserializer::from_str(&printed)
        .into_iter::<serde_json::Value>()
        .map(|given| {
            let given = given.unwrap();
            let end = given.get("Expiration").or(given.get("expires_at")).unwrap().as_str().unwrap();
            end.parse::<jiff::Timestamp>().unwrap().duration_since(now).as_secs()
        })
        .collect();
    assert_eq!(ends.len(), 4, "{printed}");
    assert!(ends.iter().all(|seconds| (0..=90).contains(seconds)), "{ends:?}");
    let vault = dev("--credential-lifetime 90s -- gp idp login vault --format json").run().success();
    assert!(vault.contains("\"lease_duration\": 90"), "{vault}");
}

#[test]
fn the_local_api_accepts_a_valid_token_and_names_the_fault_of_others() {
    let call = |arguments: &str, token: &str| {
        let script = format!(
            "{token} | curl -sS -D headers --fail-with-body {arguments} \"$IDP_API_URL/whoami\"; code=$?; tr -d '\\r' < headers | grep -i '^www'; exit $code"
        );
        dev("--quiet -- sh -c").arg(script).run()
    };
    let mint = "gp idp token --audience b --format header";
    let ran = call("-H @-", mint);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.starts_with(r#"{"aud":["b"],"exp":"#), "{}", ran.stdout);
    assert!(ran.stdout.contains(r#""sub":"https://github.com/gitpod-io/example""#), "{}", ran.stdout);
    let refusals = [
        ("", mint, "send an ID token", "Bearer"),
        ("-H @-", "echo 'Authorization: Bearer x'", "not a JWT", "error=\"invalid_token\""),
        (
            "-H @-",
            "gp idp dev --port 0 -- gp idp token --audience b --format header",
            "from the issuer http://127.0.0.1:",
            "error=\"invalid_token\"",
        ),
    ];
    for (arguments, token, reason, challenge) in refusals {
        let ran = call(arguments, token);
        assert_eq!(ran.code, 22, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains(reason) && ran.stdout.contains(challenge), "{}", ran.stdout);
    }
}
