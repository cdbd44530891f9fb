//! `gp idp token --format kubernetes` and `gp idp login kubernetes`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use gp_idp::context::Clock;
use gp_idp::dev::Options;
use snapbox::str;

use crate::support::fault::{Fault, Faulty, Step};
use crate::support::{Gp, Running};

const NOON: &str = "2026-11-23T12:00:00Z";

const CLUSTER: &str = "\
kind: Config # mine
clusters:
- name: prod
  cluster: {server: 'https://127.0.0.1:1'}
contexts: []
";

fn fixed() -> Options {
    Options { clock: Clock::Fixed(NOON.parse().unwrap()), ..Options::default() }
}

/// In a workspace, with `[GP]` in place of the program's path.
fn gp(line: &str) -> Gp {
    Gp::in_workspace()
        .line(line)
        .with_placeholder(Gp::binary().canonicalize().unwrap().display().to_string(), "[GP]")
}

fn write(gp: &Gp, text: &str) {
    fs::create_dir_all(gp.home().join(".kube")).unwrap();
    fs::write(gp.home().join(".kube/config"), text).unwrap();
}

fn read(gp: &Gp) -> String {
    let text = fs::read_to_string(gp.home().join(".kube/config")).unwrap_or_default();
    text.replace(&Gp::binary().canonicalize().unwrap().display().to_string(), "[GP]")
}

#[test]
fn the_credential_expires_a_minute_before_the_token() {
    let printed = Gp::in_workspace_of(fixed())
        .at_time(NOON)
        .line("idp token --audience x --format kubernetes")
        .run()
        .success();
    let token = printed.split('"').find(|text| text.starts_with("eyJ")).unwrap().to_owned();
    assert_eq!(
        printed.replace(&token, "[TOKEN]"),
        "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":\
         {\"token\":\"[TOKEN]\",\"expirationTimestamp\":\"2026-11-23T12:59:00Z\"}}\n"
    );
    assert_eq!(Gp::new().line("idp decode --claim aud").stdin(token).run().success(), "[\"x\"]\n");
}

#[test]
fn the_api_version_is_the_one_that_was_requested() {
    let mut all = String::new();
    for version in ["v1", "v1beta1", "v1alpha1"] {
        let info = format!(
            r#"{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/{version}","spec":{{"interactive":false}}}}"#
        );
        let gp = Gp::in_workspace().line("idp token --audience x --format kubernetes");
        let printed = gp.env("KUBERNETES_EXEC_INFO", info).run().success();
        all += printed.split_inclusive("\"kind\"").next().unwrap();
        all += "\n";
    }
    snapbox::assert_data_eq!(
        all,
        str![[r#"
{"apiVersion":"client.authentication.k8s.io/v1","kind"
{"apiVersion":"client.authentication.k8s.io/v1beta1","kind"
{"apiVersion":"client.authentication.k8s.io/v1alpha1","kind"

"#]]
    );
}

#[test]
fn an_invalid_exec_info_is_refused_before_any_request() {
    let gp = |info: &str| {
        let gp = Gp::new().line("idp token --audience x --format kubernetes");
        gp.env("SUPERVISOR_ADDR", "127.0.0.1:1").env("KUBERNETES_EXEC_INFO", info)
    };
    gp(r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v2"}"#).run().failure(
        2,
        str![[r#"
error: could not mint an ID token for `x`: `KUBERNETES_EXEC_INFO` asks for `client.authentication.k8s.io/v2`, which `gp` does not support; hint: set `apiVersion: client.authentication.k8s.io/v1beta1` in the kubeconfig's `exec`

"#]],
    );
    gp("nonsense").run().failure(
        2,
        str![[r#"
error: could not mint an ID token for `x`: `KUBERNETES_EXEC_INFO` is not an ExecCredential: expected ident at line 1 column 2; hint: `kubectl` sets this variable: outside of `kubectl`, run `unset KUBERNETES_EXEC_INFO`

"#]],
    );
    // Other formats ignore the variable.
    let gp = Gp::in_workspace().line("idp token --audience x").env("KUBERNETES_EXEC_INFO", "nonsense");
    gp.run().success();
}

#[test]
fn a_login_adds_a_user_and_a_context() {
    let gp = gp("idp login kubernetes --audience kubernetes --cluster prod --use-context");
    write(&gp, CLUSTER);
    assert_eq!(gp.run().success(), "");
    snapbox::assert_data_eq!(
        read(&gp),
        str![[r#"
kind: Config # mine
clusters:
- name: prod
  cluster: {server: 'https://127.0.0.1:1'}
contexts:
- name: gp-idp-prod@prod
  context:
    cluster: prod
    user: gp-idp-prod
users:
- name: gp-idp-prod
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      args:
      - idp
      - token
      - --audience=kubernetes
      - --format=kubernetes
      command: [GP]
      interactiveMode: Never
      provideClusterInfo: false
current-context: gp-idp-prod@prod

"#]]
    );
    let once = read(&gp);
    gp.run().success();
    assert_eq!(read(&gp), once);
}

#[test]
fn the_written_command_gives_a_token() {
    let gp = gp("idp login-kubernetes --audience a --audience=-b --scope s --user me --timeout 20s");
    gp.run().success();
    let config = read(&gp);
    let args: Vec<&str> = config
        .lines()
        .filter_map(|line| line.strip_prefix("      - "))
        .map(|arg| arg.trim_matches('"'))
        .collect();
    assert_eq!(args.len(), 7, "{config}");
    let again = in_workspace_of(&gp);
    let again = args.iter().fold(again, |gp, arg| gp.arg(*arg));
    let printed = again.run().success();
    let token = printed.split('"').find(|text| text.starts_with("eyJ")).unwrap();
    assert_eq!(Gp::new().line("idp decode --claim aud").stdin(token).run().success(), "[\"a\",\"-b\"]\n");
    assert_eq!(Gp::new().line("idp decode --claim scope").stdin(token).run().success(), "s\n");
}

/// Another command line in the workspace of `gp`.
fn in_workspace_of(gp: &Gp) -> Gp {
    let workspace: &Running = gp.workspace();
    workspace.environment().into_iter().fold(Gp::new(), |other, (name, value)| other.env(name, value))
}

#[test]
fn a_new_file_is_private() {
    let gp = gp("idp login kubernetes --audience x --user me");
    gp.run().success();
    let mode = |path: &str| fs::metadata(gp.home().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(".kube"), mode(".kube/config")), (0o700, 0o600));
    assert!(read(&gp).starts_with("apiVersion: v1\nkind: Config\nusers:\n- name: me\n"));
    assert!(!gp.home().join(".kube/config.lock").exists());
}

#[test]
fn files_are_found_as_kubectl_finds_them() {
    let gp = gp("idp login kubernetes --audience x --user me").env("KUBECONFIG", ":one::two:one:");
    fs::write(gp.home().join("two"), "users: []\n").unwrap();
    assert_eq!(gp.run().code, 0);
    assert!(fs::read_to_string(gp.home().join("two")).unwrap().contains("name: me"));
    assert!(!gp.home().join("one").exists() && !gp.home().join(".kube").exists());
    // The flag takes precedence.
    let gp = gp.line("--kubeconfig three");
    assert_eq!(gp.run().code, 0);
    assert!(fs::read_to_string(gp.home().join("three")).unwrap().contains("name: me"));

    in_workspace_of(&gp).line("idp login kubernetes --audience x").env("KUBECONFIG", ":").run().failure(
        2,
        str![[r#"
error: could not write the Kubernetes user `gp-idp`
  caused by: `KUBECONFIG` names no file
hint: to use `~/.kube/config`, run `unset KUBECONFIG`
hint: if you use other files, write it like `~/.kube/config:~/.kube/other`

"#]],
    );
    // The fixed time makes this run in the test process, which does not read the user database.
    in_workspace_of(&gp)
        .at_time("2026-11-23T12:00:00Z")
        .line("idp login kubernetes --audience x")
        .env("HOME", "")
        .run()
        .failure(
            2,
            str![[r#"
error: could not write the Kubernetes user `gp-idp`
  caused by: `HOME` is not set, and the user database names no home folder for this user
hint: set `HOME` to the absolute path of your home folder

"#]],
        );
}

#[test]
fn the_path_of_a_link_to_the_program_is_written() {
    let gp = Gp::new();
    let folder = gp.home().join("bin");
    fs::create_dir(&folder).unwrap();
    let link = folder.join("gp");
    std::os::unix::fs::symlink(Gp::binary(), &link).unwrap();
    let written = |program: &std::path::Path, path: &std::path::Path| {
        let mut command = std::process::Command::new(program);
        command.args("idp login kubernetes --audience x --print".split(' ')).env_clear();
        command.env("HOME", gp.home()).env("PATH", path).current_dir(gp.home());
        let printed = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let line = printed.lines().find_map(|line| line.trim().strip_prefix("command: ")).map(str::to_owned);
        line.unwrap_or(printed)
    };
    assert_eq!(written(&link, "/nowhere".as_ref()), link.display().to_string());
    let own = Gp::binary().canonicalize().unwrap();
    assert_eq!(written(&own, &folder), own.display().to_string());
}

#[test]
fn printed_commands_are_quoted_for_kubectl() {
    let gp =
        Gp::new().line("idp login kubernetes --print --cluster prod --context=-x").arg("--user=-a\u{2028}b");
    let printed = gp.arg("--audience=a,\"b").run().success();
    let commands: Vec<&str> = printed.lines().filter(|line| line.starts_with('#')).collect();
    let [credentials, context] = commands[..] else { panic!("{printed}") };
    // kubectl reads the value of `--exec-arg` as CSV.
    assert!(credentials.contains(r#" --exec-arg='"--audience=a,""b"' "#), "{credentials}");
    // A name that begins with a dash does not become a flag, and no character of a name ends the
    // comment.
    assert!(credentials.ends_with(" -- '-a\\u{2028}b'"), "{credentials}");
    assert!(
        context.starts_with("# kubectl config set-context --cluster=prod ") && context.ends_with(" -- -x"),
        "{context}"
    );
}

#[test]
fn print_shows_a_kubeconfig_and_the_kubectl_commands_for_it() {
    // Outside of any workspace: `--print` sends no request.
    let gp = Gp::new().with_placeholder(Gp::binary().canonicalize().unwrap().display().to_string(), "[GP]");
    let gp = gp.line(
        "idp login kubernetes --audience kubernetes --cluster prod --namespace web --use-context --print",
    );
    snapbox::assert_data_eq!(
        gp.run().success(),
        str![[r#"
# kubectl config set-credentials gp-idp-prod --exec-api-version=client.authentication.k8s.io/v1beta1 --exec-command=[GP] --exec-arg=idp --exec-arg=token --exec-arg=--audience=kubernetes --exec-arg=--format=kubernetes
# kubectl config set-context gp-idp-prod@prod --cluster=prod --namespace=web --user=gp-idp-prod
# kubectl config use-context gp-idp-prod@prod
apiVersion: v1
kind: Config
contexts:
- name: gp-idp-prod@prod
  context:
    cluster: prod
    namespace: web
    user: gp-idp-prod
current-context: gp-idp-prod@prod
users:
- name: gp-idp-prod
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      args:
      - idp
      - token
      - --audience=kubernetes
      - --format=kubernetes
      command: [GP]
      interactiveMode: Never
      provideClusterInfo: false

"#]]
    );
    assert!(!gp.home().join(".kube").exists());
    let printed = gp.line("--exec-api-version v1").run().success();
    assert!(
        printed.contains("/v1 ")
            && printed.contains("--exec-interactive-mode=Never")
            && printed.contains("/v1\n")
    );
}

#[test]
fn bad_input_changes_nothing_and_sends_no_request() {
    let cases = [
        (
            "--cluster prd",
            2,
            str![[r#"
error: could not write the Kubernetes user `gp-idp-prd`
  caused by: there is no cluster `prd` in [HOME]/.kube/config
hint: correct `--cluster`: the kubeconfig has `prod`
hint: if the cluster is new, add the cluster first: `kubectl config set-cluster prd --server https://HOST:6443 --certificate-authority FILE --embed-certs`

"#]],
        ),
        (
            "--context prod",
            2,
            str![[r#"
error: could not write the Kubernetes user `gp-idp`
  caused by: there is no context `prod` in [HOME]/.kube/config
hint: also give `--cluster` to create the context

"#]],
        ),
        (
            "--use-context",
            2,
            str![[r#"
error: `--use-context` needs `--cluster` or `--context`
hint: add `--cluster` or `--context` (`kubectl config get-clusters` and `kubectl config get-contexts` list the names)
hint: if you need only the user, leave out `--use-context`

"#]],
        ),
        (
            "--namespace web",
            2,
            str![[r#"
error: `--namespace` needs `--cluster` or `--context`
hint: add `--cluster` or `--context` (`kubectl config get-clusters` and `kubectl config get-contexts` list the names)
hint: if you need only the user, leave out `--namespace`

"#]],
        ),
        (
            "--cluster prod --namespace Web_1",
            2,
            str![[r#"
error: `--namespace`: `Web_1` is not the name of a namespace
hint: to see the namespaces of the cluster, run `kubectl get namespaces`
hint: a name has only a-z, 0-9 and `-`, no `-` at either end, and at most 63 characters

"#]],
        ),
        (
            "--user admin",
            7,
            str![[r#"
error: could not write the Kubernetes user `admin`
  caused by: could not edit `[HOME]/.kube/config`
  caused by: the user `admin` already has other credentials (`token`)
hint: name another user with `--user`
hint: otherwise replace those credentials with `--force`
hint: the kubeconfig is unchanged

"#]],
        ),
        (
            "--kubeconfig broken",
            7,
            str![[r#"
error: could not write the Kubernetes user `gp-idp`
  caused by: could not edit `broken`
  caused by: line 1, column 10: this is not YAML: mapping values are not allowed in this context
hint: correct that line
hint: otherwise name another file with `--kubeconfig`
hint: the kubeconfig is unchanged

"#]],
        ),
        (
            "--kubeconfig .kube",
            7,
            str![[r#"
error: could not write the Kubernetes user `gp-idp`
  caused by: could not read .kube
  caused by: it is a folder, not a file
hint: name another file with `--kubeconfig FILE`

"#]],
        ),
    ];
    for (flags, code, expected) in cases {
        let gp = Gp::new().line("idp login kubernetes --audience x").line(flags).secret("s3cret");
        let gp = gp.env("SUPERVISOR_ADDR", "127.0.0.1:1");
        let text = format!("{CLUSTER}users:\n- name: admin\n  user: {{token: s3cret}}\n");
        write(&gp, &text);
        fs::write(gp.home().join("broken"), "a: s3cret: b\n").unwrap();
        gp.run().failure(code, expected);
        assert_eq!(read(&gp), text);
        assert_eq!(fs::read_dir(gp.home().join(".kube")).unwrap().count(), 1);
    }
}

#[test]
fn wrong_flags() {
    for (line, expected) in [
        ("idp login kubernetes", "--audience <AUDIENCE>"),
        ("idp login kubernetes --audience= ", "it is empty. If its value is a shell variable, set"),
        ("idp login kubernetes --audience x --print --force", "'--print' cannot be used with '--force'"),
        ("idp login kubernetes --audience x --exec-api-version v2", "[possible values: v1beta1, v1]"),
    ] {
        let ran = Gp::new().line(line).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
        assert!(ran.stderr.contains(expected), "{line}:\n{}", ran.stderr);
    }
    let ran = Gp::new().line("idp login kubernetes --audience x --user").arg("a\nb").run();
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("it must not contain control characters"), "{}", ran.stderr);
}

#[test]
fn without_a_token_nothing_is_written() {
    let options = Options { token_scopes: vec![], ..Options::default() };
    let gp = Gp::in_workspace_of(options).line("idp login kubernetes --audience x --cluster prod");
    write(&gp, CLUSTER);
    assert_eq!(gp.run().code, 4);
    assert_eq!(read(&gp), CLUSTER);
    assert_eq!(fs::read_dir(gp.home().join(".kube")).unwrap().count(), 1);
}

#[test]
fn force_replaces_other_credentials() {
    let gp = gp("idp login kubernetes --audience x --user admin --force");
    write(&gp, "users:\n- name: admin\n  user:\n    token: s3cret # old\n    as: root\n");
    gp.run().success();
    let text = read(&gp);
    assert!(text.starts_with("users:\n- name: admin\n  user:\n    as: root\n    exec:\n"), "{text}");
}

#[test]
fn as_a_plugin_it_fails_fast_with_one_line() {
    let info = r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{}}"#;
    let server = Faulty::always(Step::Info, Fault::Refuse);
    let gp = Gp::new()
        .line("idp token --audience x --format kubernetes")
        .env("SUPERVISOR_ADDR", server.address())
        .with_placeholder(server.address(), "[SERVER]")
        .env("KUBERNETES_EXEC_INFO", info);
    let started = std::time::Instant::now();
    let ran = gp.run();
    let took = started.elapsed();
    assert!(took < std::time::Duration::from_secs(5), "{took:?}");
    assert_eq!((ran.stdout.as_str(), ran.stderr.lines().count()), ("", 1), "{}", ran.stderr);
    ran.failure(3, str![[r#"
error: could not mint an ID token for `x`: the workspace's supervisor cannot be reached: http://[SERVER] refused the connection ([..] tries in [..] ms); hint: most likely `SUPERVISOR_ADDR` ([SERVER]) names the wrong port: run `unset SUPERVISOR_ADDR` to use the default, `127.0.0.1:22999`; if `gp idp dev -- CMD` set the variable, that local workspace has ended: start a new one; otherwise the workspace may still be starting: try again in a moment

"#]]);
}

#[test]
fn the_written_file_is_named_if_there_are_several() {
    let gp = gp("idp login kubernetes --audience x --user me").env("KUBECONFIG", "one:two");
    fs::write(gp.home().join("two"), "users: []\n").unwrap();
    let ran = gp.run();
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (0, "note: `KUBECONFIG` names several files; `gp` wrote two\n")
    );
    // `kubectl` does not read a file that `KUBECONFIG` does not name.
    let ran = gp.line("--kubeconfig three").run();
    let expected =
        "warning: `KUBECONFIG` does not name three, so `kubectl` reads it only with `--kubeconfig three`\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (0, expected));
}

#[test]
fn a_format_prints_the_kubeconfig_variable() {
    let gp = gp("idp login kubernetes --audience k --user ci --kubeconfig own --format env");
    let gp = gp.env("KUBECONFIG", "other");
    let ran = gp.run();
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(ran.stdout, "export KUBECONFIG=[HOME]/own\n");
    let several =
        gp.env("KUBECONFIG", "own:second").with_line("idp login kubernetes --audience k --format fish");
    assert_eq!(several.run().stdout, "set -gx KUBECONFIG [HOME]/own:[HOME]/second\n");
}
