//! The endpoint of `gp idp serve aws`, which every user of the machine can connect to.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::support::fault::{Fault, Faulty, Step};
use crate::support::{Gp, ask_endpoint, skip};

/// The read timeout of a client that is served at once.
const READ_TIMEOUT: Duration = Duration::from_secs(3);
/// The limit for other waits. The server closes a slow connection after 5 s.
const DEADLINE: Duration = Duration::from_secs(20);

struct Served {
    child: Child,
    address: String,
    token: String,
    _gp: Gp,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    fn start() -> Self {
        Self::of(Gp::in_workspace())
    }

    fn of(gp: Gp) -> Self {
        let gp = gp.line("idp serve aws");
        // The usual limit of open files, whatever limit the tests have.
        let mut shell = gp.in_shell(Command::new("sh"), r#"ulimit -n 1024; exec "$0" "$@""#);
        let mut child = shell.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut value = |name: &str| {
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            let (before, value) = line.trim_end().split_once('=').unwrap();
            assert!(before.ends_with(name), "{line}");
            value.trim_matches('\'').to_owned()
        };
        let url = value("AWS_CONTAINER_CREDENTIALS_FULL_URI");
        let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self { token: value("AWS_CONTAINER_AUTHORIZATION_TOKEN"), address, child, _gp: gp }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(READ_TIMEOUT)).unwrap();
        stream
    }

    /// Sends a request and returns the reply.
    fn ask(&self, method: &str, path: &str, token: &str) -> io::Result<String> {
        let mut stream = self.connect();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        write!(stream, "{head}Authorization: {token}\r\n\r\n")?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        Ok(reply)
    }

    /// Checks that a client with the token gets credentials.
    #[track_caller]
    fn answers(&self) {
        let reply = self.ask("GET", "/", &self.token).unwrap();
        assert!(reply.starts_with("HTTP/1.1 200 OK\r\n") && reply.contains("SecretAccessKey"), "{reply}");
    }
}

#[test]
fn every_reply_is_no_store() {
    let served = Served::start();
    let cases = [
        ("GET", "/", served.token.as_str(), "200 OK"),
        ("HEAD", "/", served.token.as_str(), "200 OK"),
        ("GET", "/", "wrong", "401 Unauthorized"),
        ("GET", "/", "", "401 Unauthorized"),
        ("GET", "/elsewhere", served.token.as_str(), "404 Not Found"),
        ("POST", "/", served.token.as_str(), "405 Method Not Allowed"),
    ];
    for (method, path, token, status) in cases {
        let reply = served.ask(method, path, token).unwrap();
        assert!(reply.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{reply}");
        assert_eq!(
            reply.to_ascii_lowercase().matches("\r\ncache-control: no-store\r\n").count(),
            1,
            "{reply}"
        );
        assert_eq!(reply.contains("SecretAccessKey"), method == "GET" && status == "200 OK", "{reply}");
    }
}

#[test]
fn a_client_gets_the_reason_for_a_failed_renewal() {
    let xml = "Content-Type: text/xml\r\n";
    let end = jiff::Timestamp::now() + Duration::from_secs(2);
    let given = format!(
        "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>KEY</AccessKeyId><SecretAccessKey>s</SecretAccessKey><Expiration>{end}</Expiration><SessionToken>t</SessionToken></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
    );
    let refused = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>the role was removed</Message></Error></ErrorResponse>";
    let mut replies = vec![Fault::reply(200, xml, given)];
    replies.resize(100, Fault::reply(403, xml, refused));
    let server = Faulty::first(Step::Other, replies);
    let endpoint = format!("http://{}", server.address());
    let served = Served::of(Gp::in_workspace().env("AWS_ENDPOINT_URL_STS", endpoint));
    wait_until(|| {
        let reply = served.ask("GET", "/", &served.token).unwrap();
        reply.starts_with("HTTP/1.1 500 ")
            && reply.contains("could not be renewed: ")
            && reply.contains("the role was removed")
    });
}

#[test]
fn idle_connections_do_not_block_other_clients() {
    const IDLE: usize = 1100;
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: limit.maximum, ..limit };
    if limit.maximum.is_some_and(|most| most < 1500) || setrlimit(Resource::Nofile, wanted).is_err() {
        skip("a process may not have so many connections open here");
        return;
    }
    let served = Served::start();
    let idle: Vec<TcpStream> = (0..IDLE)
        .map(|count| {
            if count % 50 == 0 {
                served.answers();
            }
            served.connect()
        })
        .collect();
    // Opens as many again while a client sends requests.
    thread::scope(|scope| {
        let more = scope.spawn(|| (0..IDLE).map(|_| served.connect()).collect::<Vec<_>>());
        for _ in 0..50 {
            served.answers();
        }
        more.join().unwrap();
    });
    // The server closes all of them in time.
    let begun = Instant::now();
    for mut stream in idle {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let ended = stream.read(&mut [0]).map_or_else(|error| error.kind(), |_| io::ErrorKind::UnexpectedEof);
        assert!(matches!(ended, io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset), "{ended}");
    }
    assert!(begun.elapsed() < DEADLINE);
}

#[test]
fn slow_clients_are_dropped() {
    let served = Served::start();
    let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nX: ", served.token);
    let begun = Instant::now();
    let mut slow: Vec<TcpStream> = (0..60).map(|_| served.connect()).collect();
    for stream in &mut slow {
        stream.write_all(head.as_bytes()).unwrap();
        stream.set_nonblocking(true).unwrap();
    }
    // Each client sends a byte now and then, until the server drops it.
    while !slow.is_empty() {
        served.answers();
        slow.retain_mut(|stream| {
            let is_writable = stream.write_all(b"x").is_ok();
            let waits = stream.read(&mut [0]).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
            is_writable && waits
        });
        assert!(begun.elapsed() < DEADLINE, "{} slow clients are still there", slow.len());
        thread::sleep(Duration::from_millis(100));
    }
    assert!(begun.elapsed() > Duration::from_secs(4), "after {:?}", begun.elapsed());
}

/// Clients that connect all at once before any of them sends its request, as a pool does.
#[test]
fn many_parallel_clients_are_all_answered() {
    let served = Served::start();
    // The server handles 128 connections at a time.
    let mut streams: Vec<TcpStream> = (0..120).map(|_| served.connect()).collect();
    for stream in &mut streams {
        write!(stream, "GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\n\r\n", served.token)
            .unwrap();
    }
    for mut stream in streams {
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
    }
    thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| (0..3).for_each(|_| served.answers()));
        }
    });
}

/// The value of a variable in lines of `export`.
fn exported(lines: &str, name: &str) -> String {
    let line = lines.lines().find_map(|line| line.strip_prefix(&format!("export {name}="))).unwrap();
    line.trim_matches('\'').to_owned()
}

fn wait_until(what: impl Fn() -> bool) {
    let limit = Instant::now() + DEADLINE;
    while !what() {
        assert!(Instant::now() < limit);
        thread::sleep(Duration::from_millis(10));
    }
}

/// The background process that a run started. It is ended with the test.
struct Detached(rustix::process::Pid);

impl Detached {
    fn of(lines: &str) -> Self {
        let id = exported(lines, "IDP_SERVE_PID").parse().unwrap();
        Self(rustix::process::Pid::from_raw(id).unwrap())
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process(self.0, rustix::process::Signal::TERM);
    }
}

#[test]
fn a_detached_endpoint_serves_when_the_command_returns() {
    let gp = Gp::in_workspace().line("idp serve aws --output env --detach");
    let path = gp.home().join("env");
    fs::write(&path, "export AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:9/\n").unwrap();
    let ran = gp.run();
    let lines = fs::read_to_string(&path).unwrap();
    let detached = Detached::of(&lines);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let process = exported(&lines, "IDP_SERVE_PID");
    let url = exported(&lines, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    let reply = ask_endpoint(&url, &exported(&lines, "AWS_CONTAINER_AUTHORIZATION_TOKEN"));
    assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
    let second = gp.run();
    assert!(second.stderr.contains(&format!("by another process ({process})")), "{}", second.stderr);
    drop(detached);
    wait_until(|| !path.exists());
}

#[test]
fn an_interrupted_detach_leaves_no_background_process() {
    let gp = Gp::in_workspace().line("idp token --audience sts.amazonaws.com");
    let home = gp.home().to_owned();
    let file = |name: &str| home.join(name);
    fs::write(file("token"), gp.run().success()).unwrap();
    fs::write(file("mint"), "touch asked; until [ -e ready ]; do sleep 0.01; done; cat token").unwrap();
    let gp = gp.with_line("idp serve aws --output env --detach").arg("--source=command:sh mint");
    let mut waiting = gp.command().stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until(|| file("asked").exists());
    let id = rustix::process::Pid::from_child(&waiting);
    // Not SIGINT: tests that a shell starts in the background ignore it.
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    let code = waiting.wait().unwrap().code();
    // A background process could serve now, and would then close this pipe.
    fs::write(file("ready"), "").unwrap();
    let mut said = String::new();
    waiting.stderr.unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(code, Some(143), "{said}");
    assert!(!file("env").exists());
}

#[test]
fn an_endpoint_with_a_file_ends_with_its_parent() {
    let gp = Gp::in_workspace().line("idp serve aws --output env");
    let script = r#""$0" "$@" & until [ -s env ]; do sleep 0.01; done; cat env"#;
    let done = gp.in_shell(Command::new("sh"), script).stderr(Stdio::null()).output().unwrap();
    assert!(String::from_utf8(done.stdout).unwrap().contains("IDP_SERVE_PID="));
    wait_until(|| !gp.home().join("env").exists());
}

#[test]
fn a_refusal_leaves_no_file_and_ends_the_command() {
    for detach in ["", "--detach"] {
        let gp = Gp::in_workspace().line("idp serve aws --output env").line(detach);
        let gp = gp.line("--role-arn arn:aws:iam::123456789012:role/none");
        let ran = gp.run();
        assert_eq!((ran.code, ran.stdout.as_str()), (5, ""), "{}", ran.stderr);
        assert!(!gp.home().join("env").exists());
    }
    assert_eq!(Gp::in_workspace().line("idp serve aws --detach").run().code, 2);
}

#[test]
fn credentials_that_sdks_prefer_to_the_endpoint_are_warned_about() {
    let gp = Gp::in_workspace().line("idp serve aws --output env --detach").env("AWS_ACCESS_KEY_ID", "x");
    fs::create_dir(gp.home().join(".aws")).unwrap();
    fs::write(gp.home().join(".aws/credentials"), "[default]\naws_access_key_id = x\n").unwrap();
    let ran = gp.run();
    let lines = fs::read_to_string(gp.home().join("env")).unwrap();
    let _detached = Detached::of(&lines);
    let warnings: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("warning")).collect();
    assert_eq!(
        warnings,
        [
            "warning: SDKs use AWS_ACCESS_KEY_ID instead of this endpoint: `unset AWS_ACCESS_KEY_ID`",
            "warning: some SDKs use `aws_access_key_id` on line 2 of [HOME]/.aws/credentials, not this endpoint: remove that line",
        ]
    );
}
