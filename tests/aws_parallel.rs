//! Many processes request the same credentials at the same time, and the request fails.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use gp_idp::dev::{AwsOptions, Options};

use crate::support::Gp;

/// A TCP proxy that delays each connection, as a network does.
struct DelayProxy {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl DelayProxy {
    fn to(target: String, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::SeqCst);
                let target = target.clone();
                thread::spawn(move || -> io::Result<()> {
                    thread::sleep(delay);
                    let mut server = TcpStream::connect(target)?;
                    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
                    thread::spawn(move || io::copy(&mut from, &mut to));
                    io::copy(&mut server, &mut client)?;
                    client.flush()
                });
            }
        });
        Self { address, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// The results of many parallel processes, with the number of mints and of STS calls.
struct ParallelRun {
    ended: Vec<Output>,
    mints: usize,
    calls: usize,
    gp: Gp,
}

fn run_in_parallel(size: usize, fault: &str, delay: Duration) -> ParallelRun {
    let aws = AwsOptions { faults: vec![fault.parse().unwrap()], ..AwsOptions::default() };
    let gp = Gp::in_workspace_of(Options { aws, ..Options::default() });
    let api = gp.workspace().api_url().trim_start_matches("http://").to_owned();
    let (sts, mints) = (DelayProxy::to(api.clone(), delay), DelayProxy::to(api, Duration::ZERO));
    let gp = gp
        .line("idp login aws --format process")
        .env("AWS_ENDPOINT_URL_STS", format!("http://{}/sts", sts.address))
        .env("IDP_API_URL", format!("http://{}", mints.address));
    let start = |_| {
        let mut command = gp.command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..size).map(start).collect();
    let ended: Vec<Output> = children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    let calls = gp.workspace().sts_requests().len();
    ParallelRun { ended, mints: mints.connections(), calls, gp }
}

impl ParallelRun {
    /// Checks that all fail with `code` and the same message, except for the request ID.
    #[track_caller]
    fn all_fail(&self, code: i32) {
        let mut said = BTreeSet::new();
        for output in &self.ended {
            let stderr = String::from_utf8(output.stderr.clone()).unwrap();
            assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{stderr}");
            self.gp.check_stderr(&stderr);
            said.insert(stderr);
        }
        assert!(said.len() <= self.mints, "{} messages of {} failures", said.len(), self.mints);
        let without_id = |said: &String| match said.split_once(", request ") {
            Some((before, after)) => format!("{before}{}", after.split_once(')').unwrap().1),
            None => said.clone(),
        };
        let same: BTreeSet<String> = said.iter().map(without_id).collect();
        assert_eq!(same.len(), 1, "{same:?}");
        assert!(
            same.iter().all(|said| said.contains("could not assume") && said.contains("hint: ")),
            "{same:?}"
        );
    }
}

/// The most calls that may fail. A failure applies to every process that started during the call
/// (1.5 s). Only processes that start later make another call, and starting 100 processes takes
/// less than 4 × 1.5 s.
const MAX_FAILED_CALLS: usize = 5;

#[test]
fn a_refusal_applies_to_all_processes_that_waited_for_it() {
    let run = run_in_parallel(100, "access-denied", Duration::from_millis(1500));
    run.all_fail(5);
    assert!(
        run.calls <= MAX_FAILED_CALLS && run.mints <= MAX_FAILED_CALLS,
        "{} and {}",
        run.mints,
        run.calls
    );

    // A process that starts afterwards makes its own call.
    let before = run.calls;
    assert_eq!(run.gp.run().code, 5);
    assert_eq!(run.gp.workspace().sts_requests().len(), before + 1);
}

#[test]
fn processes_that_wait_share_the_retries_of_an_outage() {
    let crowd = run_in_parallel(60, "service-unavailable", Duration::from_millis(300));
    crowd.all_fail(6);
    // Each call has up to four tries.
    assert!(
        crowd.calls <= 4 * MAX_FAILED_CALLS && crowd.mints <= MAX_FAILED_CALLS,
        "{} and {}",
        crowd.mints,
        crowd.calls
    );
}

#[test]
fn the_record_of_a_failure_holds_no_secret() {
    let gp = Gp::in_workspace()
        .line("idp login aws --format process --role-arn arn:aws:iam::123456789012:role/none");
    assert_eq!(gp.run().code, 5);
    let entries = std::fs::read_dir(gp.home().join(".cache/gp-idp")).unwrap();
    let [path] = &entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()[..] else {
        panic!("there is one entry");
    };
    assert!(path.extension().is_some_and(|kind| kind == "failure"), "{}", path.display());
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains("role/none"), "{text}");
    for secret in ["eyJ", gp.workspace().api_token().reveal()] {
        assert!(!text.contains(secret), "{text}");
    }
}
