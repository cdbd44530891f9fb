//! `--keep-fresh`: a file that always contains a token with some lifetime left.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use gp_idp::dev::Options;
use rustix::process::{Pid, Signal, kill_process};
use snapbox::str;

use crate::support::Gp;

/// Far above every wait in these tests.
const LIMIT: Duration = Duration::from_secs(60);

/// A workspace whose tokens live for three seconds, so that they are renewed after two.
fn short_lived() -> Gp {
    Gp::in_workspace_of(Options { lifetime: Duration::from_secs(3), ..Options::default() })
}

fn start(gp: &Gp) -> Child {
    gp.command().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until `look` returns a value, for [`LIMIT`] at most.
#[track_caller]
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < LIMIT, "timed out waiting for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until the file contains another token than `old`. Its content has to be a complete token
/// at all times.
#[track_caller]
fn next_token(path: &Path, old: &str) -> String {
    wait_for("another token", || {
        let token = fs::read_to_string(path).ok()?;
        assert_eq!(token.split('.').count(), 3, "{token}");
        (token != old).then_some(token)
    })
}

/// Ends the process and returns its exit code and stderr. INT, QUIT and HUP do not work: tests
/// that run in the background ignore them.
fn stop_with(mut child: Child, signal: Signal) -> (Option<i32>, String) {
    kill_process(Pid::from_child(&child), signal).unwrap();
    let code = child.wait().unwrap().code();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(!said.contains("eyJ"), "a token is on stderr");
    (code, said)
}

/// Reads stderr until it contains `text`. The returned stderr has to stay open while the process
/// runs.
fn read_until(child: &mut Child, text: &str) -> (String, ChildStderr) {
    let mut stderr = child.stderr.take().unwrap();
    let mut said = String::new();
    let mut byte = [0];
    while !said.contains(text) {
        assert_eq!(stderr.read(&mut byte).unwrap(), 1, "it ended: {said}");
        said.push(char::from(byte[0]));
    }
    assert!(!said.contains("eyJ"), "a token is on stderr");
    (said, stderr)
}

#[test]
fn a_token_is_renewed_before_it_expires_until_a_signal_comes() {
    let gp = short_lived().line("idp token --audience x --output new/token --keep-fresh");
    let child = start(&gp);
    let path = gp.home().join("new/token");
    let mut tokens = vec![String::new()];
    for _ in 0..3 {
        let token = next_token(&path, tokens.last().unwrap());
        let end = Gp::new().line("idp decode --claim exp").stdin(token.clone()).run().success();
        let left = end.trim().parse::<i64>().unwrap() - jiff::Timestamp::now().as_second();
        assert!(left > 0, "the token had expired: {left} s left");
        tokens.push(token);
    }
    let (code, said) = stop_with(child, Signal::TERM);
    assert_eq!((code, said.as_str()), (Some(0), "keeping new/token fresh until interrupted\n"));
    assert_eq!(next_token(&path, ""), *tokens.last().unwrap());
}

#[test]
fn a_second_process_for_the_same_file_is_refused() {
    let gp = Gp::in_workspace().line("idp token --audience x --output token --keep-fresh");
    let child = start(&gp);
    next_token(&gp.home().join("token"), "");
    std::os::unix::fs::symlink("token", gp.home().join("link")).unwrap();
    let id = child.id().to_string();
    let gp = gp.with_placeholder(id, "[PID]").with_line("idp token --audience x --output link --keep-fresh");
    gp.run().failure(
        1,
        str![[r#"
error: could not write the token to link
  caused by: link is kept fresh by another process ([PID])
hint: one process is enough: use that one, or end it with `kill [PID]`

"#]],
    );
    // A command that writes the file once is allowed.
    let gp = gp.with_line("idp token --audience x --output token");
    gp.run().success();
    // The lock ends with its process, even if that could not clean up.
    assert_eq!(stop_with(child, Signal::KILL).0, None);
    let gp = gp.with_line("idp token --audience x --output token --keep-fresh --quiet");
    let child = start(&gp);
    wait_for("the next one", || {
        let holder = fs::read_to_string(gp.home().join("token.gp-kept")).ok()?;
        (holder == child.id().to_string()).then_some(())
    });
    assert_eq!(stop_with(child, Signal::TERM), (Some(0), String::new()));
}

#[test]
fn it_ends_with_its_parent() {
    let gp = Gp::in_workspace();
    let script = "\"$0\" idp token --audience x --output token --keep-fresh & while ! [ -s token ]; do sleep 0.02; done";
    let mut shell = std::process::Command::new("sh");
    let command = gp.command();
    shell.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let status = shell
        .current_dir(gp.home())
        .arg("-c")
        .arg(script)
        .arg(Gp::binary())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    // The file does not exist if the process has already ended.
    if let Ok(lock) = fs::File::open(gp.home().join("token.gp-kept")) {
        wait_for("the end of it", || lock.try_lock().ok());
    }
    wait_for("the end of its lock", || (!gp.home().join("token.gp-kept").exists()).then_some(()));
}

/// A TCP proxy to a workspace, which can drop its connections.
struct CuttableProxy {
    address: SocketAddr,
    cut: Arc<AtomicBool>,
    clients: Arc<Mutex<Vec<TcpStream>>>,
}

impl CuttableProxy {
    fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let cut = Arc::new(AtomicBool::new(false));
        let is_cut = cut.clone();
        let clients = Arc::new(Mutex::new(Vec::new()));
        let connected = clients.clone();
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                if is_cut.load(Ordering::SeqCst) {
                    let _ = client.shutdown(Shutdown::Both);
                    continue;
                }
                connected.lock().unwrap().push(client.try_clone().unwrap());
                let mut server = TcpStream::connect(&target).unwrap();
                let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || std::io::copy(&mut from, &mut to));
                thread::spawn(move || std::io::copy(&mut server, &mut client).and_then(|_| client.flush()));
            }
        });
        Self { address, cut, clients }
    }

    /// Closes all connections, and each new one at once.
    fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        for client in self.clients.lock().unwrap().drain(..) {
            let _ = client.shutdown(Shutdown::Both);
        }
    }
}

#[test]
fn the_last_token_is_kept_during_an_outage() {
    let gp = short_lived().line("idp token --audience x --output token --keep-fresh");
    let line = CuttableProxy::to(gp.workspace().supervisor_address());
    let gp = gp.env("SUPERVISOR_ADDR", line.address.to_string());
    let mut child = start(&gp);
    let path = gp.home().join("token");
    let first = next_token(&path, "");
    line.cut();
    let (said, _stderr) = read_until(&mut child, "hint: ");
    assert!(said.contains("warning: could not renew the token; the old one "), "{said}");
    assert!(said.contains("error: could not mint an ID token for `x`\n"), "{said}");
    let kept = next_token(&path, "");
    line.cut.store(false, Ordering::SeqCst);
    let second = next_token(&path, &kept);
    assert_ne!(first, second);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_file_that_cannot_be_written_for_a_while_is_written_later() {
    let gp = short_lived().line("idp token --audience x --output folder/token --keep-fresh");
    let mut child = start(&gp);
    let folder = gp.home().join("folder");
    let first = next_token(&folder.join("token"), "");
    // A folder of that name is in the way.
    fs::remove_file(folder.join("token")).unwrap();
    while fs::create_dir(folder.join("token")).is_err() {
        fs::remove_file(folder.join("token")).unwrap();
    }
    let (said, _stderr) = read_until(&mut child, "folder/token is a folder");
    assert!(said.contains("warning: could not renew the token; "), "{said}");
    fs::remove_dir(folder.join("token")).unwrap();
    next_token(&folder.join("token"), &first);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn keep_fresh_fails_without_a_regular_file_or_a_valid_first_token() {
    let gp = Gp::new().line("idp token --audience x --output new/token --keep-fresh");
    let gp = gp.env("SUPERVISOR_ADDR", "127.0.0.1:1");
    assert_eq!(gp.run().code, 3);
    assert_eq!(fs::read_dir(gp.home()).unwrap().count(), 0, "a first failure changes nothing");
    Gp::in_workspace().line("idp token --audience x --output /dev/null --keep-fresh").run().failure(
        2,
        str![[r#"
error: could not write the token to /dev/null
  caused by: /dev/null is a device, and only a file can be replaced
hint: name a regular file

"#]],
    );
    assert_eq!(Gp::new().line("idp token --audience x --keep-fresh").run().code, 2);
    let behind = Options { lifetime: Duration::ZERO, ..Options::default() };
    let gp = Gp::in_workspace_of(behind).line("idp token --audience x --output token --keep-fresh");
    gp.run().failure(
        4,
        str![[r#"
error: the token has no `exp` in the future, so its renewal cannot be scheduled
hint: compare `date -u` with `curl -sI https://example.com | grep -i ^date`
hint: if this machine's clock is ahead, set it, for example with `sudo timedatectl set-ntp true`
hint: otherwise tell whoever runs the issuer: its clock is behind, or its tokens have no `exp`

"#]],
    );
}

#[test]
fn other_formats_are_kept_fresh_too() {
    let gp = short_lived().line("idp token --audience x --format gcloud --output answer.json --keep-fresh");
    let child = start(&gp);
    let path = gp.home().join("answer.json");
    let first = wait_for("an answer", || fs::read_to_string(&path).ok());
    assert!(first.starts_with(r#"{"version":1,"success":true,"#), "{first}");
    wait_for("another answer", || fs::read_to_string(&path).ok().filter(|answer| *answer != first));
    assert_eq!(stop_with(child, Signal::TERM).0, Some(0));
}

#[test]
fn the_logins_keep_their_files_fresh() {
    let gp = short_lived().line("idp login gcp --file-sourced --output adc.json --keep-fresh");
    let child = start(&gp);
    let path = gp.home().join("adc.jwt");
    let first = next_token(&path, "");
    wait_for("the configuration", || fs::read_to_string(gp.home().join("adc.json")).ok());
    next_token(&path, &first);
    assert!(stop_with(child, Signal::TERM).1.contains("keeping"));

    let gp = gp.with_line("idp login azure --format env --output azure.jwt --keep-fresh");
    let mut child = start(&gp);
    let mut stdout = child.stdout.take().unwrap();
    let path = gp.home().join("azure.jwt");
    let first = next_token(&path, "");
    next_token(&path, &first);
    let (code, said) = stop_with(child, Signal::TERM);
    assert_eq!(code, Some(0));
    // Azure's SDKs could not use such tokens.
    assert!(
        said.contains("read the file every 10 minutes only, and the token in it lives for 3 s"),
        "{said}"
    );
    let mut printed = String::new();
    stdout.read_to_string(&mut printed).unwrap();
    assert!(printed.contains("export AZURE_FEDERATED_TOKEN_FILE="), "{printed}");
}
