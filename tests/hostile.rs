//! Text of a token or a setting stays one argument: a real shell runs every script and every
//! command of a hint.
//!
//! The programs that they call are stubs, which record their arguments and their input, so each
//! value can be compared byte for byte. No other program is on PATH, and a script may write only
//! the files that it has to write.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use gp_idp::dev::{AwsFault, AwsOptions, AzureOptions, GcpOptions, OauthOptions, Options, PreparedReply};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::fault::{Fault, Faulty, Step};
use crate::support::{Gp, program};

/// Texts that a shell would split, expand or run. None has a comma, because gcloud splits lists
/// there.
const HOSTILE: [&str; 24] = [
    "it's",
    "\"two\"",
    "';id;'",
    "\";id;\"",
    "$(id)$(>canary)",
    "`id``>canary`",
    "$HOME${HOME}",
    "back\\slash\\",
    "a  b ",
    "a|id",
    "a&id&",
    "a>canary",
    "a<canary",
    "*?[a-z]",
    "~",
    "!x#y",
    "{a;b}(c)",
    "-x",
    "=ls",
    "A=b",
    "%{x}字🦀",
    "EOF",
    "\\n\\0%s",
    "'\\''",
];

/// All hostile texts in one.
fn everything() -> String {
    HOSTILE.concat()
}

/// A text for settings that allow line breaks. It tries to end a here-document and a comment.
const LINES: &str = "x\nEOF\n>canary\nid\n'\n\"\n";

/// The programs that scripts and hints call.
const EXPECTED: [&str; 9] = ["aws", "vault", "bao", "gcloud", "az", "kubectl", "gp", "cat", "chmod"];
/// The programs that hostile text tries to run, or that a truncated command would call.
const UNEXPECTED: [&str; 5] = ["id", "ls", "touch", "canary", "x"];

/// Records its name, its arguments and its input. `cat` also prints the input.
const STUB: &str = r#"#!/bin/sh
# A script first checks what exists. Here nothing exists.
[ "$SCRIPT" = no ] || case " ${1-} ${2-} ${3-} ${4-} " in
    *' get-open-id-connect-provider '* | *' get-role '* | *' describe '* | *' show '* | ' get '* | ' read '*) exit 1 ;;
esac
n=0
until /bin/mkdir "$LOG/$n" 2>/dev/null; do n=$((n + 1)); done
printf '%s\0' "${0##*/}" "$@" >"$LOG/$n/argv"
/bin/cat >"$LOG/$n/stdin"
[ "${0##*/}" != cat ] || /bin/cat "$LOG/$n/stdin"
"#;

/// A run of a stub.
#[derive(Debug)]
struct Call {
    argv: Vec<String>,
    stdin: String,
}

/// A shell in a folder of its own.
struct Shell(TempDir);

impl Shell {
    fn new() -> Self {
        let shell = Self(TempDir::new().unwrap());
        fs::create_dir(shell.path("tools")).unwrap();
        program(&shell.path("stub"), STUB);
        for name in EXPECTED.iter().chain(&UNEXPECTED) {
            std::os::unix::fs::symlink("../stub", shell.path("tools").join(name)).unwrap();
        }
        shell
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// The calls of a script, which has to succeed, print nothing and write only these files.
    #[track_caller]
    fn run(&self, script: &str, files: &[&str]) -> Vec<Call> {
        for folder in ["log", "work"] {
            let _ = fs::remove_dir_all(self.path(folder));
            fs::create_dir(self.path(folder)).unwrap();
        }
        fs::write(self.path("script"), script).unwrap();
        let done = Command::new("/bin/sh")
            .arg("-eu")
            .arg(self.path("script"))
            .env_clear()
            .envs([("PATH", self.path("tools")), ("LOG", self.path("log")), ("HOME", self.path("work"))])
            .env("SCRIPT", if script.contains("\nset -e\n") { "yes" } else { "no" })
            .current_dir(self.path("work"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
        assert_eq!((done.status.code(), said.as_ref()), (Some(0), ""), "{script}");
        assert_eq!(
            names_in(&self.path("work")),
            files.iter().map(|&name| name.to_owned()).collect(),
            "{script}"
        );
        let calls: Vec<Call> = (0..names_in(&self.path("log")).len())
            .map(|n| {
                let read =
                    |name| fs::read_to_string(self.path("log").join(n.to_string()).join(name)).unwrap();
                let argv = read("argv").split_terminator('\0').map(str::to_owned).collect();
                Call { argv, stdin: read("stdin") }
            })
            .collect();
        for call in &calls {
            assert!(EXPECTED.contains(&call.argv[0].as_str()), "{call:?} of\n{script}");
        }
        calls
    }

    /// The argument lists of the calls.
    #[track_caller]
    fn arguments(&self, script: &str) -> Vec<Vec<String>> {
        self.run(script, &[]).into_iter().map(|call| call.argv).collect()
    }
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// `gp` with a supervisor and an API that give these tokens, one after the other.
fn with_tokens(gp: Gp, tokens: &[Value]) -> Gp {
    let part = |json: &Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let replies = tokens.iter().map(|claims| {
        let token = format!("{}.{}.", part(&json!({"alg": "none"})), part(claims));
        Fault::json(200, &json!({"token": token}).to_string())
    });
    let replies: Vec<Fault> = replies.collect();
    let server = match replies.as_slice() {
        [reply] => Faulty::always(Step::Mint, reply.clone()),
        _ => Faulty::first(Step::Mint, replies),
    };
    gp.env("SUPERVISOR_ADDR", server.address()).env("IDP_API_URL", format!("http://{}", server.address()))
}

/// The claims of a token, most of which contain `text`.
fn claims(text: &str) -> Value {
    // No relying party accepts an issuer with white space or a query.
    let path = text.replace([' ', '?', '#'], "");
    json!({
        "iss": format!("https://issuer.example/{path}"),
        "sub": text,
        "aud": [audience(text), format!("second {}", audience(text))],
        "azp": text,
        "email": format!("{text}@example.com"),
        "user_id": text,
        "workspace_id": "w-1",
        "iat": 1_795_435_200,
        "exp": 1_795_438_800,
    })
}

/// The text as a valid audience.
fn audience(text: &str) -> String {
    text.replace(char::is_control, " ").trim().to_owned()
}

/// The same with one audience, for a workspace on a repository.
fn on_a_repository(text: &str) -> Value {
    let repository = format!("https://git.example/{text}/shop");
    let mut claims = claims(text);
    claims["aud"] = json!([audience(text)]);
    claims["sub"] = json!(format!("{repository}/tree/{text}"));
    claims["repository"] = json!(format!("{repository}.git"));
    claims
}

/// Requests the audiences of these claims: `gp` refuses a token for other audiences before it
/// sends the token.
fn with_audiences(gp: Gp, claims: &Value) -> Gp {
    audiences(claims).into_iter().fold(gp, |gp, audience| gp.arg(format!("--audience={audience}")))
}

fn audiences(claims: &Value) -> Vec<&str> {
    claims["aud"].as_array().unwrap().iter().map(|audience| audience.as_str().unwrap()).collect()
}

/// The CEL condition for a token with these claims. CEL strings are written like those of JSON.
fn cel_condition(claims: &Value, whom: &str, object: &str) -> String {
    match (whom, claims["repository"].as_str()) {
        ("this-user", _) => format!("{object}.user_id == {}", claims["user_id"]),
        (_, None) => format!("{object}.sub == {}", claims["sub"]),
        (_, Some(url)) => {
            let base = url.strip_suffix(".git").unwrap();
            let below = json!(format!("{base}/"));
            format!("{object}.sub == {} || {object}.sub.startsWith({below})", json!(base))
        }
    }
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|&text| text.to_owned()).collect()
}

/// The stdout of a run, which has to succeed.
#[track_caller]
fn printed(gp: &Gp) -> String {
    let ran = gp.run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.stdout
}

/// The commands in comments: the lines that begin with `indent`, without it.
fn commented_out(script: &str, indent: &str) -> String {
    script.lines().filter_map(|line| line.strip_prefix(indent)).collect::<Vec<_>>().join("\n")
}

/// The flag with each of these values. A value that begins with `-` must not become a flag.
fn flag_words(flag: &str, values: &[&str]) -> Vec<String> {
    let words = |value: &&str| {
        if value.starts_with('-') { vec![format!("{flag}={value}")] } else { texts(&[flag, value]) }
    };
    values.iter().flat_map(words).collect()
}

#[track_caller]
fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The double-quoted strings of YAML, which are written like those of JSON.
fn strings_of(yaml: &str) -> Vec<String> {
    let quoted = yaml.lines().filter_map(|line| line.find('"').map(|at| &line[at..]));
    quoted.map(|quoted| json_of(quoted).as_str().unwrap().to_owned()).collect()
}

/// The claims and the value of `--for` of each case: each text by itself, then all texts with each
/// rule.
fn cases() -> Vec<(Value, &'static str)> {
    let each = HOSTILE.iter().map(|text| (claims(text), "this-repository"));
    let all = everything();
    // A Vault glob cannot match a literal asterisk.
    let repository = on_a_repository(&all.replace('*', ""));
    let more =
        [(claims(&all), "this-repository"), (claims(&all), "this-user"), (repository, "this-repository")];
    each.chain(more).collect()
}

/// Runs `check` for each case, with the script that `line` prints and the output in each of
/// `formats`.
fn each_case(line: &str, formats: &[&str], mut check: impl FnMut(&Value, &str, &str, &[String])) {
    let cases = cases();
    let tokens: Vec<Value> =
        cases.iter().flat_map(|(claims, _)| vec![claims.clone(); 1 + formats.len()]).collect();
    let mut gp = with_tokens(Gp::new(), &tokens);
    for (claims, whom) in cases {
        let mut print = |format: &str| {
            let again = std::mem::replace(&mut gp, Gp::new())
                .with_line(&format!("{line} --for {whom} --format {format}"));
            gp = with_audiences(again, &claims);
            printed(&gp)
        };
        let script = print("commands");
        let others: Vec<String> = formats.iter().map(|format| print(format)).collect();
        check(&claims, whom, &script, &others);
    }
}

#[test]
fn the_script_for_aws() {
    let shell = Shell::new();
    let role = "=,.@+-_x";
    let line = format!("idp trust aws --role-arn arn:aws:iam::123456789012:role/{role}");
    each_case(&line, &["json"], |claims, whom, script, others| {
        let text = |name: &str| claims[name].as_str().unwrap();
        let audiences = audiences(claims);
        let policy = json_of(&others[0]);
        // In a policy, `${` begins a variable.
        let literal = |text: &str| text.replace("${", "${$}{");
        let conditions = policy["Statement"][0]["Condition"].to_string();
        let wanted = if whom == "this-user" { literal(text("email")) } else { literal(text("sub")) };
        if claims["repository"].is_null() {
            assert!(conditions.contains(&json!(wanted).to_string()), "{conditions}");
        }

        let calls = shell.arguments(script);
        let mut provider = texts(&["aws", "iam", "create-open-id-connect-provider", "--url", text("iss")]);
        provider.extend(texts(&["--client-id-list"]));
        provider.extend(texts(&audiences));
        assert_eq!(calls[0], provider);
        let create =
            texts(&["aws", "iam", "create-role", "--role-name", role, "--assume-role-policy-document"]);
        assert_eq!((&calls[1][..6], json_of(&calls[1][6])), (&create[..], policy.clone()));
        assert_eq!(calls.len(), 2);

        let calls = shell.arguments(&commented_out(script, "#   "));
        let issuer = text("iss").replace("https://", "");
        let arn = format!("arn:aws:iam::123456789012:oidc-provider/{issuer}");
        let add = "add-client-id-to-open-id-connect-provider";
        for (call, audience) in calls.iter().zip(&audiences) {
            let expected =
                ["aws", "iam", add, "--open-id-connect-provider-arn", &arn, "--client-id", audience];
            assert_eq!(*call, texts(&expected));
        }
        let update = &calls[audiences.len()];
        let expected =
            texts(&["aws", "iam", "update-assume-role-policy", "--role-name", role, "--policy-document"]);
        assert_eq!((&update[..6], json_of(&update[6])), (&expected[..], policy));
        let mut login = texts(&[
            "gp",
            "idp",
            "login",
            "aws",
            "--role-arn",
            &format!("arn:aws:iam::123456789012:role/{role}"),
        ]);
        login.extend(flag_words("--audience", &audiences));
        assert_eq!(calls[audiences.len() + 1..], [login]);
    });
}

#[test]
fn the_script_for_vault() {
    let shell = Shell::new();
    each_case("idp trust vault --role=-x --policy p", &["json"], |claims, whom, script, others| {
        let text = |name: &str| claims[name].as_str().unwrap();
        let role = json_of(&others[0]);
        assert_eq!(role["bound_audiences"], claims["aud"]);
        match (whom, claims["repository"].as_str()) {
            ("this-user", _) => assert_eq!(role["bound_claims"]["user_id"], json!([text("user_id")])),
            (_, None) => assert_eq!(role["bound_subject"], claims["sub"]),
            (_, Some(url)) => {
                let base = url.strip_suffix(".git").unwrap();
                assert_eq!(role["bound_claims"]["sub"], json!([base, format!("{base}/*")]));
            }
        }
        let calls = shell.run(script, &[]);
        let issuer = text("iss");
        let [discovery, bound] =
            ["oidc_discovery_url", "bound_issuer"].map(|name| format!("{name}={issuer}"));
        let expected = [
            texts(&["vault", "auth", "enable", "-path=jwt", "jwt"]),
            texts(&["vault", "write", "auth/jwt/config", &discovery, &bound]),
            texts(&["vault", "write", "auth/jwt/role/-x", "-"]),
        ];
        assert_eq!(calls.iter().map(|call| call.argv.clone()).collect::<Vec<_>>(), expected);
        assert_eq!(json_of(&calls[2].stdin), role);
    });
    for policy in HOSTILE.iter().chain([&LINES]) {
        let gp =
            Gp::in_workspace().line("idp trust vault --role x --cli bao").arg(format!("--policy={policy}"));
        let calls = shell.run(&printed(&gp), &[]);
        assert!(calls.iter().all(|call| call.argv[0] == "bao"), "{calls:?}");
        assert_eq!(json_of(&calls[2].stdin)["token_policies"], json!([policy]));
    }
}

#[test]
fn the_script_for_gcp() {
    let shell = Shell::new();
    let pool = "projects/1/locations/global/workloadIdentityPools/gitpod";
    each_case("idp trust gcp --project-number 1", &[], |claims, whom, script, _| {
        let text = |name: &str| claims[name].as_str().unwrap();
        let condition = cel_condition(claims, whom, "assertion");
        let subject = match whom {
            "this-user" => "user_id",
            _ if claims["repository"].is_null() && text("sub").len() <= 127 => "sub",
            _ => "workspace_id",
        };
        let issuer = text("iss");
        let mapping = format!(
            "google.subject=assertion.{subject},attribute.provider=assertion.iss == {} ? \"gitpod\" : \"\"",
            claims["iss"]
        );
        let expected = [
            texts(&["gcloud", "iam", "workload-identity-pools", "create", pool]),
            texts(&[
                "gcloud",
                "iam",
                "workload-identity-pools",
                "providers",
                "create-oidc",
                &format!("{pool}/providers/gitpod"),
                &format!("--issuer-uri={issuer}"),
                &format!("--attribute-mapping={mapping}"),
                &format!("--attribute-condition={condition}"),
                &format!("--allowed-audiences={}", audiences(claims).join(",")),
            ]),
        ];
        assert_eq!(shell.arguments(script), expected);
        let member = format!("--member=principalSet://iam.googleapis.com/{pool}/attribute.provider/gitpod");
        let grant =
            ["gcloud", "projects", "add-iam-policy-binding", "PROJECT_ID", "--role=roles/viewer", &member];
        let mut login = texts(&["gp", "idp", "login", "gcp", "--workload-identity-provider"]);
        login.push(format!("{pool}/providers/gitpod"));
        login.extend(flag_words("--audience", &audiences(claims)[..1]));
        assert_eq!(shell.arguments(&commented_out(script, "#   ")), [texts(&grant), login]);
    });
}

#[test]
fn the_script_for_azure() {
    let shell = Shell::new();
    let create = |app: &str| {
        texts(&["az", "ad", "app", "federated-credential", "create", "--id", app, "--parameters"])
    };
    let cases = HOSTILE.map(str::to_owned).into_iter().chain([everything()]);
    let cases: Vec<Value> = cases.map(|text| on_a_repository(&text)).collect();
    let mut gp = with_tokens(Gp::new(), &cases);
    for claims in cases {
        gp = with_audiences(gp.with_line("idp trust azure --app-id app --name name"), &claims);
        let [call] = shell.arguments(&printed(&gp)).try_into().unwrap();
        let expected = json!({
            "name": "name", "issuer": claims["iss"], "subject": claims["sub"], "audiences": claims["aud"],
        });
        assert_eq!((&call[..8], json_of(&call[8])), (&create("app")[..], expected));
    }
    for app in HOSTILE.iter().chain([&LINES]) {
        let gp = Gp::in_workspace().line("idp trust azure").arg(format!("--app-id={app}"));
        let [call] = shell.arguments(&printed(&gp)).try_into().unwrap();
        assert_eq!(call[..8], create(app));
    }
}

#[test]
fn the_script_for_kubernetes() {
    let shell = Shell::new();
    let line = "idp trust kubernetes --cluster-role edit";
    each_case(line, &["authentication", "rbac"], |claims, whom, script, others| {
        let calls = shell.run(script, &["authentication.yaml"]);
        assert_eq!(
            (&calls[0].argv[..], &calls[1].argv[..]),
            (&texts(&["cat"])[..], &texts(&["kubectl", "create", "-f", "-"])[..])
        );
        assert_eq!(calls.len(), 2);
        for (call, other) in calls.iter().zip(others) {
            let lines = other.lines().filter(|line| !line.starts_with('#'));
            assert_eq!(call.stdin.trim_end(), lines.collect::<Vec<_>>().join("\n").trim_end());
        }
        let strings = strings_of(&calls[0].stdin);
        let condition = cel_condition(claims, whom, "claims");
        for expected in [claims["iss"].as_str().unwrap(), &condition].into_iter().chain(audiences(claims)) {
            assert!(strings.iter().any(|string| string == expected), "{expected}\n{}", calls[0].stdin);
        }
    });
    for text in HOSTILE.iter().chain([&LINES]) {
        let gp = Gp::in_workspace().line("idp trust kubernetes --audience a");
        // Displayed names have no line breaks, and role names have neither `/` nor `%`.
        let visible = text.replace('\n', " ");
        let role = visible.replace(['/', '%'], "-");
        let gp = gp.arg(format!("--role={role}")).arg("--namespace=shop");
        let gp = gp.arg(format!("--group={visible}")).arg(format!("--prefix={visible}"));
        let calls = shell.run(&printed(&gp), &["authentication.yaml"]);
        let [who, what] = [&calls[0], &calls[1]].map(|call| strings_of(&call.stdin));
        assert!(who.contains(&visible) && who.contains(&format!("[{}]", json!(visible))), "{who:?}");
        let name = format!("{visible}-role-{role}").replace(['/', '%'], "-");
        // Names that had to be changed have a suffix that keeps them apart.
        assert!(what[0].starts_with(&name), "{what:?}");
        assert_eq!(what[1..], ["shop", role.as_str(), visible.as_str()]);
    }
}

/// The commands between backticks. A command begins with the name of a program, or with a flag if
/// the hint only names flags to add. It ends at the first backtick outside of quotes.
fn commands_in(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    for (at, _) in text.match_indices('`') {
        let rest = &text[at + 1..];
        let is_command = EXPECTED.iter().any(|name| rest.starts_with(&format!("{name} ")));
        let prefix = match rest.split_once(' ') {
            _ if is_command => "",
            Some((flag, _)) if flag.starts_with("--") && flag.len() > 2 && !flag.contains('`') => "gp ",
            _ => continue,
        };
        let (mut quoted, mut escaped) = (false, false);
        let end = rest.find(|c| match c {
            _ if std::mem::take(&mut escaped) => false,
            '`' => !quoted,
            '\\' => {
                escaped = !quoted;
                false
            }
            '\'' => {
                quoted = !quoted;
                false
            }
            _ => false,
        });
        let command = &rest[..end.unwrap_or_else(|| panic!("a command without an end: {rest}"))];
        commands.push(format!("{prefix}{command}"));
    }
    commands
}

/// The claims of a token with one audience, which every service here refuses.
fn refused(text: &str) -> Value {
    let mut claims = claims(text);
    claims["aud"] = json!([audience(text)]);
    claims
}

/// The calls of all commands in the messages of a failed run, sorted, because those of a pipe come
/// in any order.
#[track_caller]
fn calls_of(shell: &Shell, gp: &Gp) -> Vec<Vec<String>> {
    let ran = gp.run();
    assert_ne!(ran.code, 0, "{}", ran.stdout);
    let text = ran.stdout + &ran.stderr;
    let mut calls: Vec<_> =
        commands_in(&text).iter().flat_map(|command| shell.arguments(&format!("{command}\n"))).collect();
    calls.sort();
    calls
}

/// Texts for the refused tokens: all hostile texts together, and two that matter only at the
/// beginning of a word.
fn refused_texts() -> [String; 3] {
    [everything(), "-x".into(), "=ls".into()]
}

/// Checks that the messages of a failed run have these commands, in any order.
#[track_caller]
fn assert_commands(shell: &Shell, gp: &Gp, expected: &[&[&str]]) {
    let mut expected: Vec<_> = expected.iter().map(|words| texts(words)).collect();
    expected.sort();
    assert_eq!(calls_of(shell, gp), expected);
}

#[test]
fn the_hints_for_aws() {
    let shell = Shell::new();
    let role = "=,.@+-_x";
    for text in refused_texts() {
        let claims = refused(&text);
        let issuer = claims["iss"].as_str().unwrap();
        let arn = issuer.replace("https://", "arn:aws:iam::123456789012:oidc-provider/");
        for fault in AwsFault::names() {
            let aws = AwsOptions { faults: vec![fault.parse().unwrap()], ..AwsOptions::default() };
            let gp = with_tokens(
                Gp::in_workspace_of(Options { aws, ..Options::default() }),
                std::slice::from_ref(&claims),
            )
            .env("AWS_MAX_ATTEMPTS", "1")
            .line("idp login aws --format json --duration-seconds 7200 --role-arn")
            .arg(format!("arn:aws:iam::123456789012:role/{role}"));
            let gp = with_audiences(gp, &claims);
            let expected: &[&[&str]] = match fault {
                "access-denied" => &[
                    &["aws", "iam", "get-role", "--role-name", role, "--output", "json"],
                    &["gp", "idp", "trust", "aws", "--check", "-"],
                    &["gp", "idp", "trust", "aws", "--check", "FILE"],
                ],
                "incorrect-audience" => &[&[
                    "aws",
                    "iam",
                    "add-client-id-to-open-id-connect-provider",
                    "--open-id-connect-provider-arn",
                    &arn,
                    "--client-id",
                    &text,
                ]],
                "max-session-duration" => &[
                    &["aws", "iam", "update-role", "--role-name", role, "--max-session-duration", "7200"],
                    &["gp", "--duration-seconds", "3600"],
                ],
                "missing-claim" => &[&["gp", "idp", "token", "--audience", &text, "--decode"]],
                "no-provider" => &[&[
                    "aws",
                    "iam",
                    "create-open-id-connect-provider",
                    "--url",
                    issuer,
                    "--client-id-list",
                    &text,
                ]],
                "bad-gateway"
                | "internal-failure"
                | "service-unavailable"
                | "throttling"
                | "too-many-requests" => &[&["gp", "--timeout", "2m"]],
                _ => &[],
            };
            assert_commands(&shell, &gp, expected);
        }
    }
}

#[test]
fn the_hints_for_vault() {
    let shell = Shell::new();
    // The path of a mount is ASCII, and no segment of it is empty.
    let mount: String = everything().chars().filter(char::is_ascii).collect();
    for (text, mount, role) in
        [(everything(), mount.as_str(), "-_.x"), ("-x".into(), "-x", "-"), ("=ls".into(), "=ls", ".")]
    {
        let claims = refused(&text);
        let issuer = claims["iss"].as_str().unwrap();
        let (path, config) = (format!("auth/{mount}/role/{role}"), format!("auth/{mount}/config"));
        let roles = format!("auth/{mount}/role");
        let (bound, discovery) = (format!("bound_issuer={issuer}"), format!("oidc_discovery_url={issuer}"));
        let audience = format!("bound_audiences={text}");
        let read: &[&str] = &["vault", "read", &path];
        let compare: &[&[&str]] =
            &[&["vault", "read", "-format=json", &path], &["gp", "idp", "trust", "vault", "--check", "-"]];
        let decode: &[&str] = &["gp", "idp", "token", "--audience", &text, "--decode"];
        let read_config: &[&str] = &["vault", "read", &config];
        let configure: &[&str] = &["vault", "write", &config, &discovery, &bound];
        let cases: [(&str, &[&[&str]]); 11] = [
            ("invalid audience (aud) claim", &[read]),
            ("no audiences bound to the role", &[&["vault", "write", &path, "role_type=jwt", &audience]]),
            ("invalid subject (sub) claim", compare),
            ("invalid issuer (iss) claim", &[read_config]),
            ("claim \"c\" does not match any associated bound claim values", compare),
            ("error validating claims: claim \"c\" is missing", &[decode]),
            ("groups claim could not be parsed", &[read]),
            ("failed to verify id token signature", &[read_config]),
            ("role \"r\" could not be found", &[&["vault", "list", &roles]]),
            ("could not load configuration", &[configure]),
            ("missing role_id", &[&["vault", "auth", "list"]]),
        ];
        for (said, expected) in cases {
            let server = Faulty::always(Step::Mint, Fault::json(400, &json!({"errors": [said]}).to_string()));
            let gp = with_tokens(Gp::new(), std::slice::from_ref(&claims))
                .env("VAULT_ADDR", format!("http://{}", server.address()))
                .line("idp login vault --format token")
                .arg(format!("--mount={mount}"))
                .arg(format!("--role={role}"));
            assert_commands(&shell, &with_audiences(gp, &claims), expected);
        }
    }
}

#[test]
fn the_warning_of_a_long_lifetime_and_the_address_of_a_standby() {
    let shell = Shell::new();
    let mount: String = everything().chars().filter(char::is_ascii).collect();
    let reply = json!({"auth": {"client_token": "hvs.x", "lease_duration": 172_800, "renewable": true}});
    let server = Faulty::always(Step::Mint, Fault::json(200, &reply.to_string()));
    let gp = Gp::in_workspace()
        .env("BAO_ADDR", format!("http://{}", server.address()))
        .line("idp login vault --format token --role=-x")
        .arg(format!("--mount={mount}"));
    let ran = gp.run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let commands = commands_in(&ran.stderr);
    let role = format!("auth/{mount}/role/-x");
    assert_eq!(
        commands.iter().flat_map(|command| shell.arguments(command)).collect::<Vec<_>>(),
        [
            texts(&["vault", "write", &role, "role_type=jwt", "token_ttl=1h"]),
            texts(&["gp", "idp", "logout", "vault"])
        ]
    );

    let location = "Location: http://127.0.0.1:1/it's;id;$(>canary)`id`/v1/auth/jwt/login\r\n";
    let server = Faulty::always(Step::Mint, Fault::reply(307, location, ""));
    let url = format!("http://{}", server.address());
    // Percent-encoded, as in a URL.
    let active = "http://127.0.0.1:1/it's;id;$(%3Ecanary)%60id%60";
    let instruction = |gp: Gp, verb: &str| {
        let stderr = gp.line("--format token --role x").run().stderr;
        let (_, rest) = stderr.split_once(verb).unwrap_or_else(|| panic!("{stderr}"));
        rest.trim_end().strip_suffix('`').unwrap().to_owned()
    };
    let export = instruction(Gp::in_workspace().env("BAO_ADDR", &url).line("idp login vault"), "one: run `");
    assert_eq!(shell.arguments(&format!("{export}\ngp \"$BAO_ADDR\"\n")), [texts(&["gp", active])]);
    let by_flag = Gp::in_workspace().line("idp login-vault --address").arg(&url);
    let flag = instruction(by_flag, "one: use `");
    assert_eq!(shell.arguments(&format!("gp {flag}\n")), [texts(&["gp", "--address", active])]);
}

#[test]
fn the_hints_for_gcp() {
    let shell = Shell::new();
    let pools = ["gcloud", "iam", "workload-identity-pools", "providers"];
    let of =
        ["gitpod", "--workload-identity-pool", "gitpod", "--location", "global", "--project", "123456789012"];
    let account = "deploy@example-project.iam.gserviceaccount.com";
    let describe = [&pools[..], &["describe"], &of].concat();
    let sts = |error: &str, text: &str| {
        PreparedReply::json(400, json!({"error": error, "error_description": text}).to_string())
    };
    let given = json!({"access_token": "x", "token_type": "Bearer", "expires_in": 3600});
    let iam = json!({"error": {"code": 403, "message": "Permission denied", "status": "PERMISSION_DENIED"}});
    for text in refused_texts() {
        let claims = refused(&text);
        let audiences = ["--format", "value(oidc.allowedAudiences)"];
        let audiences = [&describe[..], &audiences].concat();
        let keys = [&pools[..], &["update-oidc"], &of, &["--jwk-json-path", "FILE"]].concat();
        let pool = "projects/123456789012/locations/global/workloadIdentityPools/gitpod";
        let member = format!("principal://iam.googleapis.com/{pool}/subject/{text}");
        let binding = ["gcloud", "iam", "service-accounts", "add-iam-policy-binding", account];
        let bind =
            [&binding[..], &["--role", "roles/iam.workloadIdentityUser", "--member", &member]].concat();
        let of_pool = ["--project-number", "123456789012", "--pool", "gitpod", "--provider", "gitpod"];
        let trust = [&["gp", "idp", "trust", "gcp"], &of_pool[..], &["--service-account", account]].concat();
        let condition = ["--format", "value(attributeCondition,attributeMapping)"];
        let cases = [
            (vec![sts("invalid_grant", "The audience does not match")], vec![audiences]),
            (vec![sts("invalid_grant", "no such signature")], vec![keys]),
            (vec![sts("invalid_grant", "no")], vec![describe.clone()]),
            (vec![sts("unauthorized_client", "no")], vec![[&describe[..], &condition].concat()]),
            (
                vec![
                    PreparedReply::json(200, given.to_string()),
                    PreparedReply::json(403, iam.to_string()).at("generate"),
                ],
                vec![bind, trust],
            ),
        ];
        for (prepared_replies, expected) in cases {
            let gcp = GcpOptions { prepared_replies, ..GcpOptions::default() };
            let gp = with_tokens(
                Gp::in_workspace_of(Options { gcp, ..Options::default() }),
                std::slice::from_ref(&claims),
            )
            .env("IDP_GCP_SERVICE_ACCOUNT", account)
            .line("idp login gcp --format access-token");
            assert_commands(
                &shell,
                &with_audiences(gp, &claims),
                &expected.iter().map(Vec::as_slice).collect::<Vec<_>>(),
            );
        }
    }
    // A project that Google does not allow is left out.
    for (project, named) in [("210987654321", true), ("-x", false), ("$(id)", false), ("it's", false)] {
        let text = format!("API has not been used in project {project} before or it is disabled");
        let error = json!({"error": {"code": 403, "message": text, "status": "PERMISSION_DENIED"}});
        let prepared_replies = vec![PreparedReply::json(403, error.to_string()).at("generate")];
        let gcp = GcpOptions { prepared_replies, ..GcpOptions::default() };
        let gp = Gp::in_workspace_of(Options { gcp, ..Options::default() })
            .env("IDP_GCP_SERVICE_ACCOUNT", account)
            .line("idp login gcp --format access-token");
        let enable: &[&str] = &["gcloud", "services", "enable", "iamcredentials.googleapis.com"];
        let enable = if named { [enable, &["--project", project]].concat() } else { enable.to_vec() };
        assert_commands(&shell, &gp, &[&enable]);
    }
    for project in HOSTILE {
        let name = format!("projects/{project}/locations/global/workloadIdentityPools/p000/providers/q000");
        for line in ["idp login gcp", "idp trust gcp"] {
            let gp = Gp::new().env("IDP_GCP_WORKLOAD_IDENTITY_PROVIDER", name.as_str()).line(line);
            let expected = ["gcloud", "projects", "describe", project, "--format", "value(projectNumber)"];
            assert_commands(&shell, &gp, &[&expected]);
        }
    }
}

/// The values of a federated credential as flags of `az identity federated-credential`.
fn values_for_identity(claims: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let flags = [("--issuer", "iss"), ("--subject", "sub")];
    let flags = flags.map(|(flag, claim)| format!("{flag}={}", text(&claims[claim])));
    flags.into_iter().chain(["--audiences".to_owned(), text(&claims["aud"][0])]).collect()
}

#[test]
fn the_hints_for_azure_and_for_token_endpoints() {
    let shell = Shell::new();
    for text in refused_texts() {
        let claims = refused(&text);
        for code in [700_211, 700_213, 7_002_131] {
            let body = json!({"error": "invalid_client", "error_description": "no", "error_codes": [code]});
            let prepared_replies = vec![PreparedReply::json(401, body.to_string()); 9];
            let azure = AzureOptions { prepared_replies, ..AzureOptions::default() };
            let gp = with_tokens(
                Gp::in_workspace_of(Options { azure, ..Options::default() }),
                std::slice::from_ref(&claims),
            )
            .line("idp login azure --format access-token");
            let [call, for_identity] = calls_of(&shell, &with_audiences(gp, &claims)).try_into().unwrap();
            let client = "00000000-0000-4000-8000-00000000000b";
            let values = values_for_identity(&claims);
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let create = ["az", "identity", "federated-credential", "create", "--name", "gitpod"];
            let identity = ["--identity-name", "IDENTITY", "--resource-group", "GROUP"];
            assert_eq!(for_identity, texts(&[&create[..], &values, &identity].concat()));
            let expected =
                ["az", "ad", "app", "federated-credential", "create", "--id", client, "--parameters"];
            let credential = json!({
                "name": "gitpod", "issuer": claims["iss"], "subject": claims["sub"], "audiences": claims["aud"],
            });
            assert_eq!((&call[..8], json_of(&call[8])), (&texts(&expected)[..], credential));
        }
        let body = json!({"error": "invalid_client", "error_description": "no", "error_codes": [7_002_138]});
        let prepared_replies = vec![PreparedReply::json(401, body.to_string())];
        let azure = AzureOptions { prepared_replies, ..AzureOptions::default() };
        let gp = Gp::in_workspace_of(Options { azure, ..Options::default() });
        let gp = with_tokens(gp, std::slice::from_ref(&claims)).line("idp login azure --format access-token");
        let calls: [_; 4] = calls_of(&shell, &with_audiences(gp, &claims)).try_into().unwrap();
        let [list, update, list_of_identity, update_of_identity] = calls;
        let of_identity = ["az", "identity", "federated-credential"];
        let identity = ["--identity-name", "IDENTITY", "--resource-group", "GROUP"];
        assert_eq!(list_of_identity, texts(&[&of_identity[..], &["list"], &identity].concat()));
        let values = values_for_identity(&claims);
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let verb = ["update", "--name", "NAME"];
        assert_eq!(update_of_identity, texts(&[&of_identity[..], &verb, &values, &identity].concat()));
        assert_eq!(list[..5], texts(&["az", "ad", "app", "federated-credential", "list"]));
        assert_eq!(
            update[..7],
            texts(&[
                "az",
                "ad",
                "app",
                "federated-credential",
                "update",
                "--federated-credential-id",
                "NAME"
            ])
        );
        let credential =
            json!({"issuer": claims["iss"], "subject": claims["sub"], "audiences": claims["aud"]});
        assert_eq!(json_of(update.last().unwrap()), credential);
        // These hints name flags only.
        for said in ["audience", "issuer", "signature", "multiple", "expired", "no"] {
            let body = json!({"error": "invalid_grant", "error_description": said});
            let oauth = OauthOptions {
                prepared_replies: vec![PreparedReply::json(400, body.to_string()); 4],
                ..OauthOptions::default()
            };
            let gp = with_tokens(
                Gp::in_workspace_of(Options { oauth, ..Options::default() }),
                std::slice::from_ref(&claims),
            )
            .line("idp exchange");
            assert_commands(&shell, &with_audiences(gp, &claims), &[]);
        }
    }
}

/// A line break in a claim begins no line of a message, so a claim cannot imitate a hint.
#[test]
fn a_line_break_in_a_claim_begins_no_line() {
    let text = "a\nhint: run `id`\n\thint: b";
    let answer = |status, body: &Value| PreparedReply::json(status, body.to_string());
    let options = || Options {
        aws: AwsOptions { faults: vec!["incorrect-audience".parse().unwrap()], ..AwsOptions::default() },
        azure: AzureOptions {
            prepared_replies: vec![answer(401, &json!({"error": "x", "error_codes": [700_213]}))],
            ..AzureOptions::default()
        },
        gcp: GcpOptions {
            prepared_replies: vec![answer(
                400,
                &json!({"error": "invalid_grant", "error_description": "audience"}),
            )],
            ..GcpOptions::default()
        },
        oauth: OauthOptions {
            prepared_replies: vec![answer(
                400,
                &json!({"error": "invalid_grant", "error_description": "audience"}),
            )],
            ..OauthOptions::default()
        },
        ..Options::default()
    };
    let reply = json!({"errors": ["invalid subject (sub) claim"]});
    let vault = Faulty::always(Step::Mint, Fault::json(400, &reply.to_string()));
    for (line, hints) in [
        ("idp login aws --format json", 2),
        ("idp login azure --format access-token", 2),
        ("idp login gcp --format access-token", 3),
        ("idp exchange", 1),
        ("idp login vault --format token --role x", 2),
    ] {
        let claims = refused(text);
        let gp = with_tokens(Gp::in_workspace_of(options()), std::slice::from_ref(&claims)).line(line);
        let gp = with_audiences(gp, &claims);
        let gp = gp.env("BAO_ADDR", format!("http://{}", vault.address()));
        let ran = gp.run();
        assert_eq!(ran.code, 5, "{}", ran.stderr);
        let found = ran.stderr.lines().filter(|line| line.starts_with("hint: ")).count();
        assert_eq!(found, hints, "{}", ran.stderr);
        let ours =
            |line: &str| ["warning: ", "error: ", "  ", "hint: "].iter().any(|start| line.starts_with(start));
        assert!(ran.stderr.lines().all(ours), "{}", ran.stderr);
        assert!(!ran.stderr.contains("\nhint: run `id`"), "{}", ran.stderr);
    }
}

#[test]
fn hints_about_settings_and_files() {
    let shell = Shell::new();
    let other = Gp::in_workspace().line("idp token --audience other");
    let token = String::from_utf8(other.command().output().unwrap().stdout).unwrap();
    let jwks = format!("{}/idp/keys", other.workspace().api_url());
    for text in HOSTILE {
        // A token for another audience than the expected one.
        let gp = Gp::new().line("idp verify --jwks").arg(&jwks).arg(format!("--audience={text}"));
        let gp = gp.line("--issuer").arg(other.workspace().issuer()).stdin(token.as_str());
        assert_commands(&shell, &gp, &[&["gp", "idp", "token", "--audience", text]]);

        // A program that cannot be run.
        let program = format!("./{text}");
        let gp = Gp::in_workspace().line("idp exec aws --").arg(&program);
        fs::write(gp.home().join(text), "").unwrap();
        assert_commands(&shell, &gp, &[&["chmod", "+x", &program]]);

        // A cluster that the kubeconfig does not have.
        let gp =
            Gp::in_workspace().line("idp login kubernetes --audience x").arg(format!("--cluster={text}"));
        let calls = calls_of(&shell, &gp);
        assert_eq!(calls[0][..4], texts(&["kubectl", "config", "set-cluster", text]));

        // A file for a token, in lines for the shell.
        let gp = Gp::in_workspace().line("idp login azure --format env").arg(format!("--output={text}"));
        let lines = String::from_utf8(gp.command().output().unwrap().stdout).unwrap();
        let path = gp.home().join(text).into_os_string().into_string().unwrap();
        assert_eq!(
            shell.arguments(&format!(
                "{lines}gp \"$AZURE_FEDERATED_TOKEN_FILE\" \"$ARM_OIDC_TOKEN_FILE_PATH\"\n"
            )),
            [texts(&["gp", &path, &path])]
        );
    }
}

#[test]
fn the_kubectl_commands_for_a_kubeconfig_entry() {
    let shell = Shell::new();
    for text in HOSTILE {
        let mut gp = Gp::new().line("idp login kubernetes --print --use-context");
        for flag in ["--audience", "--cluster", "--context", "--user"] {
            let text = if flag == "--audience" { audience(text) } else { text.to_owned() };
            gp = gp.arg(format!("{flag}={text}"));
        }
        let printed = gp.run().success();
        let commands = commented_out(&printed, "# ");
        let [user, context, current] = shell.arguments(&commands).try_into().unwrap();
        // `kubectl` reads the value of `--exec-arg` as a CSV field.
        let audience = format!("--audience={}", audience(text));
        let is_plain = !audience.contains([',', '"']);
        let field = if is_plain { audience } else { format!("\"{}\"", audience.replace('"', "\"\"")) };
        assert!(user.contains(&format!("--exec-arg={field}")), "{user:?}");
        let [cluster, name] = ["cluster", "user"].map(|flag| format!("--{flag}={text}"));
        let command = |command: &str, flags: &[&str]| {
            // A name that begins with a dash must not become a flag.
            let is_dashed = text.starts_with('-');
            let words =
                if is_dashed { [flags, &["--", text]].concat() } else { [&[text][..], flags].concat() };
            texts(&[&["kubectl", "config", command][..], &words].concat())
        };
        assert_eq!(context, command("set-context", &[&cluster, &name]));
        assert_eq!(current, command("use-context", &[]));
        let flags: Vec<&str> =
            user[3..].iter().map(String::as_str).filter(|word| *word != "--" && *word != text).collect();
        assert_eq!(user, command("set-credentials", &flags));
    }
}

/// Profile names have no character that is special to a shell. The paths of their files can have
/// some.
#[test]
fn warnings_about_profiles_and_their_files() {
    let shell = Shell::new();
    for name in ["-x", "a/b%@:+_.c"] {
        let gp = Gp::in_workspace().env("AWS_ACCESS_KEY_ID", "x").line("idp login aws");
        let gp = gp.arg(format!("--profile={name}"));
        let path = gp.home().join("it's;id;$(>canary)`id`");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let gp = gp.env("AWS_SHARED_CREDENTIALS_FILE", &path);
        let done = gp.command().output().unwrap();
        let stderr = String::from_utf8(done.stderr).unwrap();
        assert!(done.status.success(), "{stderr}");
        let calls: Vec<_> =
            commands_in(&stderr).iter().flat_map(|command| shell.arguments(command)).collect();
        assert_eq!(calls, [texts(&["gp", "--profile", name])]);
        let (_, command) = stderr.split_once("now holds credentials: ").unwrap();
        let calls = shell.arguments(command.lines().next().unwrap());
        assert_eq!(calls, [texts(&["chmod", "600", path.to_str().unwrap()])]);
    }
}

#[test]
fn the_environment_of_a_local_workspace() {
    let shell = Shell::new();
    let text = everything() + LINES;
    let gp = Gp::new().line("idp dev").arg(format!("--context-url={text}")).arg(format!("--user-id={text}"));
    let mut child = gp.command().stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    while !lines.contains("export IDP_VAULT_ROLE=") {
        assert_ne!(stdout.read_line(&mut lines).unwrap(), 0, "{lines}");
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    child.wait().unwrap();
    let calls = shell.arguments(&format!(
        "{lines}gp \"$GITPOD_WORKSPACE_CONTEXT_URL\" \"$GITPOD_OWNER_ID\" \"$IDP_VAULT_ROLE\"\n"
    ));
    assert_eq!(calls, [texts(&["gp", &text, &text, "demo"])]);
    // Plain values are not quoted, as in other output of `gp`.
    assert!(lines.contains("\nexport IDP_VAULT_ROLE=demo\n"), "{lines}");
}
