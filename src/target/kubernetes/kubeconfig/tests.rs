use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use snapbox::{IntoData, str};

use super::edit::Document;
use super::store::KubectlLock;
use super::tree::Step::{self, Key, Named};
use super::value::Value;
use super::*;
use crate::context::Context;
use crate::exit::Explain;
use crate::http::Deadline;
use crate::sink::Receipt;

/// A file as `kubectl config` writes it, with comments added by hand.
const KUBECTL: &str = "\
# mine
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: QUJD
    server: https://10.0.0.1:6443 # the old one
  name: prod
contexts:
- context:
    cluster: prod
    namespace: shop
    user: admin
  name: prod
current-context: prod
kind: Config
preferences: {}
users:
# the break-glass account
- name: admin
  user:
    client-certificate-data: QUJD
    client-key-data: |
      QUJD
      REVG

# end
";

fn change() -> KubeconfigChange {
    KubeconfigChange {
        user: ExecUser {
            name: "ci".into(),
            api_version: "client.authentication.k8s.io/v1beta1".into(),
            command: "/usr/bin/gp".into(),
            args: ["idp", "token", "--audience=kubernetes", "--format=kubernetes"].map(Into::into).into(),
        },
        context: None,
        force: false,
    }
}

fn with_context(cluster: Option<&str>) -> KubeconfigChange {
    let context = UserContext {
        name: "ci@prod".into(),
        cluster: cluster.map(Into::into),
        namespace: None,
        current: true,
    };
    KubeconfigChange { context: Some(context), ..change() }
}

/// Locks and writes, on a runtime of its own.
fn write(files: &Files, change: &KubeconfigChange, limit: Duration) -> Result<Receipt, StoreError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let ctx = Context::silent([("", ""); 0]);
    let lock = files.lock(change, Deadline::after(limit), &ctx.out);
    runtime.block_on(async { lock.await?.write(change, &ctx).await })
}

/// The text that an edit makes of `text`.
fn edited(text: &str, change: &KubeconfigChange) -> Result<String, String> {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    fs::write(&path, text).unwrap();
    // An old file, so that the reader does not wait for more content.
    fs::File::options().write(true).open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let files = Files::of(&[&path]);
    match write(&files, change, Duration::from_secs(1)) {
        Ok(_) => Ok(fs::read_to_string(&path).unwrap()),
        Err(StoreError::Content { source, .. }) => Err(source.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

impl Files {
    fn of(paths: &[&Path]) -> Self {
        Self(paths.iter().map(|path| path.to_path_buf()).collect())
    }
}

#[test]
fn a_user_is_added_and_everything_else_stays() {
    snapbox::assert_data_eq!(
        edited(KUBECTL, &with_context(Some("prod"))).unwrap(),
        str![[r#"
# mine
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: QUJD
    server: https://10.0.0.1:6443 # the old one
  name: prod
contexts:
- context:
    cluster: prod
    namespace: shop
    user: admin
  name: prod
- name: ci@prod
  context:
    cluster: prod
    user: ci
current-context: ci@prod
kind: Config
preferences: {}
users:
# the break-glass account
- name: admin
  user:
    client-certificate-data: QUJD
    client-key-data: |
      QUJD
      REVG
- name: ci
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      args:
      - idp
      - token
      - --audience=kubernetes
      - --format=kubernetes
      command: /usr/bin/gp
      interactiveMode: Never
      provideClusterInfo: false

# end

"#]]
        .raw()
    );
}

#[test]
fn a_repeated_edit_changes_nothing() {
    let once = edited(KUBECTL, &with_context(Some("prod"))).unwrap();
    assert_eq!(edited(&once, &with_context(Some("prod"))).unwrap(), once);
}

#[test]
fn a_new_file_has_an_api_version_and_a_kind() {
    let text = edited("", &change()).unwrap();
    assert!(
        text.starts_with("apiVersion: v1\nkind: Config\nusers:\n- name: ci\n  user:\n    exec:\n"),
        "{text}"
    );
    assert_eq!(text, change().stanza());
}

#[test]
fn other_spellings_of_the_same_file() {
    let item = r#"{"name": "ci", "user": {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "args": ["idp", "token", "--audience=kubernetes", "--format=kubernetes"], "command": "/usr/bin/gp", "interactiveMode": "Never", "provideClusterInfo": false}}}"#;
    let block = "- name: ci\n  user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1beta1\n      args:\n      - idp\n      - token\n      - --audience=kubernetes\n      - --format=kubernetes\n      command: /usr/bin/gp\n      interactiveMode: Never\n      provideClusterInfo: false\n";
    let deeper = format!("    {}\n", block.trim_end().replace('\n', "\n    "));
    let cases = [
        // No users yet, in every spelling.
        ("users: []\nkind: Config\n", format!("users:\n{block}kind: Config\n")),
        ("users: [] # none\nkind: Config\n", format!("users: # none\n{block}kind: Config\n")),
        ("users:\nkind: Config\n", format!("users:\n{block}kind: Config\n")),
        ("users: # none\nkind: Config\n", format!("users: # none\n{block}kind: Config\n")),
        ("users: null\n", format!("users:\n{block}")),
        ("users: ~", format!("users:\n{}", block.trim_end())),
        ("kind: Config", format!("kind: Config\nusers:\n{}", block.trim_end())),
        ("---\nkind: Config\n...\n", format!("---\nkind: Config\nusers:\n{block}...\n")),
        ("\u{feff}users: []\n", format!("\u{feff}users:\n{block}")),
        ("# ü\nusers: [] # ü\nx: ü\n", format!("# ü\nusers: # ü\n{block}x: ü\n")),
        // Indented lists.
        (
            "users:\n    - name: a\n      user: {}\nx: 1\n",
            format!("users:\n    - name: a\n      user: {{}}\n{deeper}x: 1\n"),
        ),
        ("users:\n- name: a\n  user:\nx: 1\n", format!("users:\n- name: a\n  user:\n{block}x: 1\n")),
        // The dash alone on its line, and brackets after the dash.
        ("users:\n-\n  name: a\nx: 1\n", format!("users:\n-\n  name: a\n{block}x: 1\n")),
        (
            "users:\n- # why\n\n  # x\n  name: a\nx: 1\n",
            format!("users:\n- # why\n\n  # x\n  name: a\n{block}x: 1\n"),
        ),
        ("users:\n- {name: a}\nx: 1\n", format!("users:\n- {{name: a}}\n{block}x: 1\n")),
        ("users:\n- &a {name: a}\nx: *a\n", format!("users:\n- &a {{name: a}}\n{block}x: *a\n")),
        ("users:\n- &a\n  name: a\nx: *a\n", format!("users:\n- &a\n  name: a\n{block}x: *a\n")),
        // JSON and brackets.
        (r#"{"users": [{"name": "a"}]}"#, format!(r#"{{"users": [{{"name": "a"}}, {item}]}}"#)),
        (r#"{"users": []}"#, format!(r#"{{"users": [{item}]}}"#)),
        (r#"{"kind": "Config"}"#, format!(r#"{{"kind": "Config", "users": [{item}]}}"#)),
        (
            "{\n  \"users\": [\n    {\"name\": \"a\"}\n  ]\n}\n",
            format!("{{\n  \"users\": [\n    {{\"name\": \"a\"}},\n    {item}\n  ]\n}}\n"),
        ),
        ("users: [{name: a}] # c\n", format!("users: [{{name: a}}, {item}] # c\n")),
        // An empty user, and a user without credentials.
        ("users:\n- name: ci\n  user: {}\n", format!("users:\n{block}")),
        ("users:\n- name: ci\n", format!("users:\n{block}")),
        (
            "users:\n- {name: ci}\n",
            "users:\n- {name: ci, \"user\": {".to_owned() + &item[item.find("\"exec\"").unwrap()..] + "\n",
        ),
        (
            "users:\n- user:\n    as: root # why\n  name: ci\n",
            format!(
                "users:\n- user:\n    as: root # why\n{}  name: ci\n",
                &block[block.find("    exec").unwrap()..]
            ),
        ),
    ];
    for (text, expected) in cases {
        let found = edited(text, &change()).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        let found = found.replacen("apiVersion: v1\nkind: Config\n", "", 1);
        assert_eq!(found, expected, "{text:?}");
    }
}

#[test]
fn line_breaks_of_windows_stay() {
    let text = edited(&KUBECTL.replace('\n', "\r\n"), &with_context(Some("prod"))).unwrap();
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    assert_eq!(text.replace("\r\n", "\n"), edited(KUBECTL, &with_context(Some("prod"))).unwrap());
}

#[test]
fn an_entry_of_ours_is_updated_and_added_fields_stay() {
    let old = edited("", &change()).unwrap().replace(
        "      command: /usr/bin/gp\n",
        "      command: /old/gp # moved\n      env:\n      - name: SSL_CERT_FILE\n        value: /ca.pem\n      installHint: ask me\n",
    );
    let mut new = change();
    new.user.args[2] = "--audience=other".into();
    let text = edited(&old, &new).unwrap();
    assert_eq!(text, old.replace("/old/gp", "/usr/bin/gp").replace("audience=kubernetes", "audience=other"));
}

#[test]
fn other_credentials_are_replaced_only_with_force() {
    let admin = |force| {
        let mut change = KubeconfigChange { force, ..change() };
        change.user.name = "admin".into();
        change
    };
    assert_eq!(
        edited(KUBECTL, &admin(false)).unwrap_err(),
        "the user `admin` already has other credentials (`client-certificate-data`)"
    );
    let text = edited(KUBECTL, &admin(true)).unwrap();
    let (before, _) = KUBECTL.split_once("    client-certificate-data").unwrap();
    let stanza = admin(true).stanza();
    let (_, exec) = stanza.split_once("    exec:").unwrap();
    assert_eq!(text, format!("{before}    exec:{exec}\n# end\n"));

    let foreign =
        "users:\n- name: ci\n  user:\n    exec:\n      command: aws\n      env: [{name: A, value: b}]\n";
    assert_eq!(
        edited(foreign, &change()).unwrap_err(),
        "the user `ci` already has other credentials (`exec`)"
    );
    let text = edited(foreign, &KubeconfigChange { force: true, ..change() }).unwrap();
    assert_eq!(text, change().stanza().replacen("apiVersion: v1\nkind: Config\n", "", 1));
    // In brackets, first and last.
    for user in ["{token: x, as: me}", "{as: me, token: x}", "{token: x}"] {
        let text = edited(
            &format!("users: [{{name: ci, user: {user}}}]\n"),
            &KubeconfigChange { force: true, ..change() },
        );
        let text = text.unwrap();
        assert!(
            !text.contains("token: x")
                && text.contains("\"exec\"")
                && user.contains("as: me") == text.contains("as: me"),
            "{text}"
        );
    }
}

#[test]
fn a_context_that_is_there_gets_the_user() {
    let mut change = with_context(None);
    let context = change.context.as_mut().unwrap();
    (context.name, context.namespace) = ("prod".into(), Some("web".into()));
    let text = edited(KUBECTL, &change).unwrap();
    assert!(
        text.contains(
            "    cluster: prod\n    namespace: web\n    user: ci\n  name: prod\ncurrent-context: prod\n"
        ),
        "{text}"
    );
}

#[test]
fn names_that_yaml_would_take_for_something_else_are_quoted() {
    for name in [
        "yes",
        "null",
        "1e3",
        "a: b",
        "a #b",
        "-",
        "- a",
        "12:30",
        "~",
        "ü",
        "a\"b",
        "'",
        "{a}",
        "*a",
        "a:",
        "2001-01-01",
    ] {
        let mut change = change();
        change.user.name = name.into();
        let text = edited(KUBECTL, &change).unwrap();
        let document = Document::parse(text.clone()).unwrap();
        assert!(document.at(&[Key("users"), Named(name), Key("user"), Key("exec")]).is_some(), "{text}");
        assert!(text.contains(&crate::json::quote(name)), "{text}");
    }
}

#[test]
fn unusable_files_are_refused_with_the_line() {
    let anchors = "a: &a {name: x}\nusers:\n- *a\n";
    let cases = [
        (
            "users: {\n",
            "line 2, column 1: this is not YAML: while parsing a node, did not find expected node content",
        ),
        ("- a\n", "line 1: expected a mapping here"),
        ("users:\n  a: b\n", "line 2: expected a list here"),
        ("users: text\n", "line 1: expected a list here"),
        ("users: []\nusers: []\n", "line 2: the mapping already has this key"),
        ("users:\n- name: ci\n- name: ci\n", "line 3: there is another entry named `ci` above"),
        ("a: 1\n---\nb: 1\n", "line 3: a second YAML document begins here"),
        (
            "a: &a []\nusers: *a\n",
            "line 2: this value comes from an alias or a merge key (`<<`), so the change would also change another place in the file",
        ),
        ("a: &a [*a]\n", "line 1, column 8: this is not YAML: an alias refers to the value that contains it"),
        (
            "x: &a b\nusers:\n- name: ci\n  user: &u\ny: *u\n",
            "line 4: this change would also change other values in the file",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(edited(text, &change()).unwrap_err(), expected, "{text:?}");
    }
    // An alias elsewhere is no obstacle.
    assert!(edited(anchors, &change()).unwrap().starts_with(anchors));
    let deep = format!("a: {}{}\n", "[".repeat(100), "]".repeat(100));
    assert_eq!(
        edited(&deep, &change()).unwrap_err(),
        "line 1: this is nested too deep, or its aliases expand to too many values"
    );
}

#[test]
fn no_message_repeats_a_credential() {
    for text in [
        "token: s3cret: x\n",
        "users: s3cret\n",
        "s3cret\n",
        "users:\n- name: ci\n  user: s3cret\n",
        "\"s3cret\n",
    ] {
        let error = edited(text, &change()).unwrap_err();
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[test]
fn the_first_file_that_has_the_entry_is_changed() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    let text = |name: &str| fs::read_to_string(path(name)).unwrap_or_default();
    fs::write(path("b"), "clusters: [{name: prod}]\nkind: Config\n").unwrap();
    fs::write(path("c"), "users:\n- name: ci\n").unwrap();
    let (a, b, c) = (path("a"), path("b"), path("c"));
    let files = Files::of(&[&a, &b, &c]);
    let receipt = write(&files, &with_context(Some("prod")), Duration::from_secs(1)).unwrap();
    assert_eq!(receipt.path, c);
    assert!(!a.exists() && text("c").contains("exec:") && text("b").contains("current-context: ci@prod"));
    // No file has the user: the first existing file gets it.
    let mut other = change();
    other.user.name = "other".into();
    assert_eq!(write(&files, &other, Duration::from_secs(1)).unwrap().path, b);
    // No file exists: the last one is created.
    let (new, last) = (path("new"), path("sub/last"));
    let receipt = write(&Files::of(&[&new, &last]), &change(), Duration::from_secs(1)).unwrap();
    assert_eq!(receipt.path, last);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&last), mode(last.parent().unwrap())), (0o600, 0o700));
}

#[test]
fn a_missing_cluster_or_context_is_named() {
    let error = edited(KUBECTL, &with_context(Some("prd"))).unwrap_err();
    assert!(error.starts_with("there is no cluster `prd` in /"), "{error}");
    let error = edited(KUBECTL, &with_context(None)).unwrap_err();
    assert!(error.starts_with("there is no context `ci@prod` in /"), "{error}");
    let home = tempfile::tempdir().unwrap();
    let none = home.path().join("none");
    let error = write(&Files::of(&[&none]), &with_context(None), Duration::ZERO).unwrap_err();
    let expected = format!("there is no context `ci@prod` in {} (which does not exist)", none.display());
    assert_eq!(error.to_string(), expected);
    let missing = |known: &[&str]| StoreError::Missing {
        kind: "cluster",
        name: "prd".into(),
        known: known.iter().map(|name| (*name).to_owned()).collect(),
        files: "x".into(),
    };
    assert!(missing(&["prod", "dev"]).hint().unwrap().starts_with(
        "correct `--cluster`: the kubeconfig has `prod`, `dev`\nif the cluster is new, add the cluster first: `kubectl config set-cluster prd "
    ));
    assert!(missing(&[]).hint().unwrap().starts_with("add the cluster first"));
}

#[test]
fn a_refused_change_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    fs::write(&path, "users: text\n").unwrap();
    write(&Files::of(&[&path]), &change(), Duration::ZERO).unwrap_err();
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}

#[test]
fn a_device_is_refused() {
    let error = write(&Files::of(&[Path::new("/dev/null")]), &change(), Duration::ZERO).unwrap_err();
    assert_eq!(error.to_string(), "/dev/null is not a file");
    assert!(!Path::new("/dev/null.gp-lock").exists());
}

#[test]
fn an_edit_waits_for_the_lock_of_kubectl_and_names_it() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    let files = Files::of(&[&path]);
    fs::write(home.path().join("config.lock"), "").unwrap();
    let error = write(&files, &change(), Duration::from_millis(20)).unwrap_err();
    assert_eq!(error.to_string(), format!("`kubectl` holds the lock {}.lock", path.display()));
    assert!(!path.exists());
    fs::remove_file(home.path().join("config.lock")).unwrap();
    write(&files, &change(), Duration::from_millis(20)).unwrap();
    assert!(!home.path().join("config.lock").exists());
}

#[test]
fn a_lock_of_an_ended_gp_is_removed() {
    let home = tempfile::tempdir().unwrap();
    let (path, lock) = (home.path().join("config"), home.path().join("config.lock"));
    let files = Files::of(&[&path]);
    let mut child = std::process::Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    // A running process may have the old id, but no other process can hold the lock of this file.
    for (number, process) in [child.id(), std::process::id()].into_iter().enumerate() {
        fs::write(&lock, super::store::lock_content(process)).unwrap();
        let mut change = change();
        change.user.name = format!("user-{number}");
        write(&files, &change, Duration::from_millis(20)).unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains(&change.user.name) && !lock.exists());
    }
    // Locks of another machine, and locks with other content, are kept.
    let elsewhere = super::store::lock_content(child.id()).replace(" on ", " on x");
    let mut other = change();
    other.user.name = "other".into();
    for text in [elsewhere, format!("gp idp, process {}", child.id()), String::new()] {
        fs::write(&lock, &text).unwrap();
        let error = write(&files, &other, Duration::from_millis(20)).unwrap_err();
        assert!(matches!(error, StoreError::KubectlLock { .. }), "{text}: {error}");
        assert_eq!(fs::read_to_string(&lock).unwrap(), text);
    }
}

/// A process that waits for one of several locks holds none of them.
#[test]
fn the_locks_of_kubectl_are_taken_together() {
    let home = tempfile::tempdir().unwrap();
    let paths = ["a", "b", "c"].map(|name| home.path().join(name));
    fs::write(home.path().join("b.lock"), "").unwrap();
    let ctx = Context::silent([("", ""); 0]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let files: Vec<&Path> = paths.iter().map(std::path::PathBuf::as_path).collect();
    let lock = |deadline| KubectlLock::acquire_all(files.clone(), false, deadline, &ctx.out);
    runtime.block_on(async {
        let waiting = lock(Deadline::after(Duration::from_secs(60)));
        let observe = async {
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_millis(3)).await;
                assert!(!home.path().join("a.lock").exists(), "it is held while another is waited for");
            }
            fs::remove_file(home.path().join("b.lock")).unwrap();
        };
        let (locks, ()) = tokio::join!(waiting, observe);
        let names = || fs::read_dir(home.path()).unwrap().count();
        let locks = locks.unwrap();
        assert_eq!((locks.len(), names()), (3, 3));
        drop(locks);
        assert_eq!(names(), 0);
    });
}

/// `kubectl config` reads a file before it locks it.
#[test]
fn a_change_that_kubectl_undoes_is_made_again() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    fs::write(&path, "apiVersion: v1\nkind: Config\n").unwrap();
    let kubectl = std::thread::spawn({
        let path = path.clone();
        move || {
            let old = fs::read_to_string(&path).unwrap();
            while !fs::read_to_string(&path).unwrap().contains("users") {}
            fs::write(&path, old + "current-context: x\n").unwrap();
        }
    });
    // Wait until the thread has read the file.
    std::thread::sleep(Duration::from_millis(50));
    write(&Files::of(&[&path]), &change(), Duration::from_secs(60)).unwrap();
    kubectl.join().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("users") && text.contains("current-context: x"), "{text}");
}

/// Starts a program that writes the file in two steps: `part` is there when this returns.
fn writes_in_place(
    path: &Path,
    part: &str,
    whole: &str,
    lock: Option<PathBuf>,
) -> std::thread::JoinHandle<()> {
    if let Some(lock) = &lock {
        fs::write(lock, "").unwrap();
    }
    fs::write(path, part).unwrap();
    let (path, whole) = (path.to_owned(), whole.to_owned());
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(40));
        fs::write(path, whole).unwrap();
        if let Some(lock) = lock {
            fs::remove_file(lock).unwrap();
        }
    })
}

#[test]
fn a_partly_written_file_is_not_judged() {
    let whole = "clusters:\n- {name: prod, cluster: {server: https://x}}\n";
    for part in ["", "clusters:\n- {name: pr", "clusters:\n- {name: prod, cluster: {server: https://x}}"] {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config");
        let writer = writes_in_place(&path, part, whole, None);
        write(&Files::of(&[&path]), &with_context(Some("prod")), Duration::from_secs(60)).unwrap();
        writer.join().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(whole) && text.contains("users:"), "{part:?}: {text}");
    }
}

#[test]
fn a_refusal_is_checked_again_under_the_lock_of_kubectl() {
    // The part looks whole. Only `kubectl`'s lock shows that it is not.
    for part in ["clusters:\n- {name: pr\n", "clusters: []\n"] {
        let home = tempfile::tempdir().unwrap();
        let (path, lock) = (home.path().join("config"), home.path().join("config.lock"));
        let writer = writes_in_place(&path, part, KUBECTL, Some(lock));
        fs::File::options().write(true).open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        write(&Files::of(&[&path]), &with_context(Some("prod")), Duration::from_secs(60)).unwrap();
        writer.join().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), edited(KUBECTL, &with_context(Some("prod"))).unwrap());
    }
}

#[test]
fn concurrent_edits_lose_nothing() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    std::thread::scope(|scope| {
        for number in 0..8 {
            let files = Files::of(&[&path]);
            scope.spawn(move || {
                let mut change = change();
                change.user.name = format!("user-{number}");
                write(&files, &change, Duration::from_secs(60)).unwrap();
            });
        }
    });
    let document = Document::parse(fs::read_to_string(&path).unwrap()).unwrap();
    for number in 0..8 {
        assert!(document.at(&[Key("users"), Named(&format!("user-{number}"))]).is_some());
    }
}

/// A mapping of a few keys in any form, with comments and blank lines.
fn anything() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        "[a-z0-9./:-]{1,8}",
        "\"[ -!#-\\[\\]-~]{0,8}\"",
        "'[ -&(-~]{0,6}'",
        Just(String::new()),
        Just("~".to_owned()),
        Just("{}".to_owned()),
        Just("[a, {b: c}]".to_owned()),
        Just("|\n        one\n        two".to_owned()),
        Just(">-\n        folded\n\n        more".to_owned()),
    ];
    let comment = prop_oneof![Just(""), Just(" # note"), Just("\n  # above"), Just("\n")];
    let user = ("[a-z]{1,3}", scalar.clone(), comment.clone(), any::<bool>()).prop_map(
        |(name, value, comment, order)| {
            let field = format!("    key: {value}");
            if order {
                format!("- name: {name}{comment}\n  user:\n{field}\n")
            } else {
                format!("- user:{comment}\n{field}\n  name: {name}\n")
            }
        },
    );
    let users = proptest::collection::vec(user, 0..4);
    let others = proptest::collection::vec(("[b-h]{2,5}", scalar, comment), 0..4);
    (users, others, any::<bool>()).prop_map(|(users, others, first)| {
        let users = if users.is_empty() { String::new() } else { format!("users:\n{}", users.concat()) };
        let other = |(key, value, comment): &(String, String, &str)| format!("{key}: {value}{comment}\n");
        let others = others.iter().map(other).collect::<Vec<_>>().concat();
        if first { users + &others } else { others + &users }
    })
}

proptest! {
    /// An edit is refused, or only adds lines.
    #[test]
    fn every_line_of_a_file_stays(text in anything(), name in "[a-z]{1,3}") {
        let parsed = Document::parse(text.clone());
        prop_assume!(parsed.is_ok());
        let mut change = change();
        change.user.name = name.clone();
        let mut document = parsed.unwrap();
        if change.user.write(&mut document, false).is_ok() {
            let new = document.text().to_owned();
            let mut rest = new.lines();
            for line in text.lines() {
                // Only the line of an empty value may change.
                let bare = line.trim_end_matches(['{', '}', '~', '[', ']', ' ']);
                prop_assert!(rest.any(|found| found == line || found == bare), "{line:?} is not in\n{new}");
            }
            let path = [Key("users"), Named(&name), Key("user"), Key("exec"), Key("command")];
            prop_assert_eq!(document.at(&path).and_then(|node| node.as_str()), Some("/usr/bin/gp"));
        }
    }

    #[test]
    fn no_text_panics(text in "[ -~\n\t\u{e9}]{0,60}", steps in "[a-z]{1,2}") {
        if let Ok(mut document) = Document::parse(text) {
            let path: [Step<'_>; 3] = [Key("users"), Named(&steps), Key(&steps)];
            let _ = document.set(&path, &Value::text("x"));
            let _ = document.set(&[Key(&steps)], &Value::Bool(true));
            let _ = document.remove(&[Key(&steps)]);
        }
    }

    #[test]
    fn any_name_is_read_back(name in "[^\\x00-\\x1f\\x7f-\\x9f\u{2028}\u{2029}\u{feff}]{1,20}") {
        let mut document = Document::parse(String::new()).unwrap();
        document.set(&[Key("users"), Named(&name), Key("a")], &Value::Bool(true)).unwrap();
        prop_assert!(document.at(&[Key("users"), Named(&name)]).is_some());
    }
}

#[test]
fn entries_in_brackets_on_lines_of_their_own() {
    let lists = [
        "users:\n- {name: prod}\n",
        "users:\n- {name: prod}",
        "users:\n  - {name: prod, user: {token: x}} # mine\n",
        "users:\n- !x &a {name: prod}\n",
    ];
    for text in lists {
        for name in ["prod", "ci"] {
            let mut document = Document::parse(text.to_owned()).unwrap();
            document.set(&[Key("users"), Named(name), Key("user"), Key("exec")], &Value::text("z")).unwrap();
            let added = document.at(&[Key("users"), Named("prod")]).is_some();
            assert!(added && document.text().starts_with(&text[..20]), "{}", document.text());
            document.remove(&[Key("users"), Named(name), Key("user")]).unwrap();
        }
    }
    let mut document = Document::parse("- [a]\n- {b: c}\n- - [d]".to_owned()).unwrap();
    let refused = document.set(&[Key("users")], &Value::text("z")).unwrap_err();
    assert_eq!(refused, KubeconfigError::WrongType { line: 1, wanted: "a mapping" });
}

/// Observed with `kubectl` 1.32.
#[test]
fn files_that_kubectl_refuses_are_refused_with_the_line() {
    let check = |text: &str| super::kubectl::check(&Document::parse(text.to_owned()).unwrap());
    let name = |name: &str| format!("clusters:\n- name: {name}\n  cluster: {{server: 'https://x'}}\n");
    for odd in
        ["110", "1.5", "1e3", "0x1f", "0o17", "017", "1_0", "+1", "0b11", ".inf", "yes", "y", "on", "true"]
    {
        assert_eq!(check(&name(odd)), Err(KubeconfigError::NotText { line: 2, key: "name" }), "{odd}");
    }
    for good in ["prod", "1a", "2001-01-01", "1:30", "'110'", "\"yes\"", "!!str 110", "~", "1.2.3", "e3"] {
        assert_eq!(check(&name(good)), Ok(()), "{good}");
    }
    let wrong = |line, wanted| Err(KubeconfigError::WrongType { line, wanted });
    let cases = [
        ("clusters: {}\n", wrong(1, "a list")),
        ("clusters: x\n", wrong(1, "a list")),
        ("clusters:\n- x\n", wrong(2, "a mapping")),
        ("clusters:\n- name: a\n  cluster: x\n", wrong(3, "a mapping")),
        ("users:\n- name: [a]\n", wrong(2, "text")),
        ("- a\n", wrong(1, "a mapping")),
        ("users:\n- name: a\n  user: {token: 1}\n", Err(KubeconfigError::NotText { line: 3, key: "token" })),
        ("current-context: 1\n", Err(KubeconfigError::NotText { line: 1, key: "current-context" })),
        ("kind: List\n", Err(KubeconfigError::OtherKind { line: 1, key: "kind", only: "Config" })),
        ("apiVersion: v2\n", Err(KubeconfigError::OtherKind { line: 1, key: "apiVersion", only: "v1" })),
        (
            "n: &n a\nusers:\n- name: a\n- name: *n\n",
            Err(KubeconfigError::DuplicateName { line: 4, name: "a".into() }),
        ),
        (
            "users:\n- user: {}\n- user: {}\n",
            Err(KubeconfigError::DuplicateName { line: 3, name: String::new() }),
        ),
        ("", Ok(())),
        ("~\n", Ok(())),
        ("users: ~\n", Ok(())),
        ("users:\n- ~\n- name: a\n  user:\n", Ok(())),
        ("users:\n- name:\ta\n", Ok(())),
        ("users: []\n---\n", Ok(())),
        ("foo: 1\nClusters: 1\n", Ok(())),
    ];
    for (text, expected) in cases {
        assert_eq!(check(text), expected, "{text}");
    }
}

#[test]
fn shared_content_is_not_changed() {
    let shared = |line| {
        format!(
            "line {line}: this value comes from an alias or a merge key (`<<`), so the change would also change another place in the file"
        )
    };
    let credentials = "the user `ci` already has other credentials (`token`)".to_owned();
    let side_effect = "line 2: this change would also change other values in the file".to_owned();
    let cases = [
        // The token comes from an alias or a merge key.
        ("base: &b {token: s}\nusers:\n- name: ci\n  user:\n    <<: *b\n", false, credentials.clone()),
        ("base: &b {token: s}\nusers:\n- name: ci\n  user:\n    <<: *b\n", true, shared(5)),
        ("base: &b {token: s}\nusers:\n- name: ci\n  user: *b\n", false, credentials),
        ("base: &b {x: y}\nusers:\n- name: ci\n  user: *b\n", false, shared(4)),
        ("base: &b {user: {x: y}}\nusers:\n- <<: *b\n  name: ci\n", false, shared(3)),
        // The value of the anchor itself.
        (
            "users:\n- name: ci\n  user: &u {x: y}\n- name: other\n  user: *u\n",
            false,
            side_effect.replace('2', "3"),
        ),
    ];
    for (text, force, expected) in cases {
        assert_eq!(edited(text, &KubeconfigChange { force, ..change() }).unwrap_err(), expected, "{text}");
    }
    // Names are found through aliases.
    let text = "n: &n ci\nusers:\n- name: *n\n  user: {}\n";
    let new = edited(text, &change()).unwrap();
    assert!(new.starts_with("n: &n ci\nusers:\n- name: *n\n  user:\n    exec:\n"), "{new}");
    assert_eq!(new.matches("name:").count(), 1, "{new}");
}

#[test]
fn an_alias_of_aliases_does_not_fill_the_memory() {
    let level = |level: usize| match level {
        0 => "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned(),
        _ => format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", ")),
    };
    let text: String = (0..10).map(level).collect();
    assert!(matches!(Document::parse(text), Err(KubeconfigError::TooDeep { .. })));
}

#[test]
fn comments_stay_behind_every_kind_of_value() {
    let text = "users: []\ncurrent-context: \"it's\"  # a \"comment\"\nx: 'it''s' # another\n";
    let mut document = Document::parse(text.to_owned()).unwrap();
    document.set(&[Key("current-context")], &Value::text("b")).unwrap();
    document.set(&[Key("x")], &Value::text("c d")).unwrap();
    let expected = "users: []\ncurrent-context: b  # a \"comment\"\nx: \"c d\" # another\n";
    assert_eq!(document.text(), expected);
}

/// Found by a fuzz target that compares with another reader of YAML.
#[test]
fn nothing_is_added_below_a_block_without_a_final_line_break() {
    let with = |header: &str, end: &str| {
        format!("users: []\nclusters:\n- cluster:\n    certificate-authority-data: {header}\n      QUJD{end}")
    };
    for (header, end, refused) in
        [("|", "", true), ("|+ # x", "", true), (">2", "", true), ("|", "\n", false), ("|-", "", false)]
    {
        let mut document = Document::parse(with(header, end)).unwrap();
        let outcome = document.set(&[Key("contexts")], &Value::text("x"));
        assert_eq!(outcome.is_err(), refused, "{header:?} {end:?}: {outcome:?}");
        // An edit elsewhere in the file works.
        document.set(&[Key("users"), Named("ci"), Key("user")], &Value::text("x")).unwrap();
    }
}
