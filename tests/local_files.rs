//! No local file makes a command hang: the command ends, names the file, and reads only a limited
//! amount of it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;

use gp_idp::dev::DEV_ROLE;
use rustix::fs::{CWD, Mode, mkfifoat};

use crate::support::{Gp, skip};

const GCP: &str =
    "--workload-identity-provider projects/1/locations/global/workloadIdentityPools/pool/providers/provider";
const OAUTH: &str = "idp exchange --token-endpoint http://127.0.0.1:1/token --audience x --client-id c";

/// A command line, the file in its home that it reads, and variables that name the file.
type Reader = (String, &'static str, Vec<(&'static str, &'static str)>);
/// The message about a file, and a function that creates the file.
type BadFile = (&'static str, fn(&Path));

fn readers() -> Vec<Reader> {
    let aws = |flags: &str| format!("idp login aws --role-arn {DEV_ROLE} {flags}");
    let vault = || "idp login vault --role demo".to_owned();
    let tls = |variable| (vault(), "f", vec![("BAO_ADDR", "https://127.0.0.1:1"), (variable, "f")]);
    vec![
        (aws(""), ".aws/config", vec![]),
        (aws(""), ".aws/credentials", vec![]),
        (aws("--credential-process"), ".aws/config", vec![]),
        (aws("--policy @f"), "f", vec![]),
        (aws(""), "f", vec![("AWS_CONFIG_FILE", "f")]),
        (format!("idp login gcp {GCP}"), ".config/gcloud/application_default_credentials.json", vec![]),
        ("idp login kubernetes --audience k".to_owned(), ".kube/config", vec![]),
        (vault(), ".vault", vec![]),
        (vault(), ".bao", vec![]),
        ("idp logout vault".to_owned(), ".vault-token", vec![("VAULT_ADDR", "http://127.0.0.1:1")]),
        tls("VAULT_CACERT"),
        (
            vault(),
            "f",
            vec![("BAO_ADDR", "https://127.0.0.1:1"), ("VAULT_CLIENT_CERT", "f"), ("VAULT_CLIENT_KEY", "f")],
        ),
        (aws("--endpoint-url https://127.0.0.1:1"), "f", vec![("AWS_CA_BUNDLE", "f")]),
        (format!("{OAUTH} --client-secret-file f"), "f", vec![]),
        ("idp verify --audience x --issuer https://i.example --jwks f -".to_owned(), "f", vec![]),
        ("idp trust aws --check f".to_owned(), "f", vec![]),
        ("idp dev --aws-trust-policy f -- true".to_owned(), "f", vec![]),
        ("idp dev --vault-role r=f -- true".to_owned(), "f", vec![]),
    ]
}

fn bad_files() -> [BadFile; 3] {
    [
        ("it is a named pipe, not a file", |path| {
            mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).unwrap();
        }),
        ("it is a device, not a file", |path| symlink("/dev/zero", path).unwrap()),
        ("it is larger than", |path| fs::File::create(path).unwrap().set_len(200 << 20).unwrap()),
    ]
}

#[test]
fn no_command_waits_for_a_file_or_reads_it_without_limit() {
    let mut wrong = Vec::new();
    for (line, file, variables) in readers() {
        for (reason, make) in bad_files() {
            let mut gp = Gp::in_workspace().line(&line).arg("--timeout").arg("5s");
            if line.contains("idp dev") {
                gp = Gp::new().line(&line);
            }
            let path = gp.home().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            make(&path);
            for (variable, value) in &variables {
                gp = gp.env(variable, *value);
            }
            let ran = gp.run();
            let says = ran.stderr.contains(reason) && ran.stderr.contains(file);
            if ran.code != 7 || !says {
                wrong.push(format!("{line}: {} as {reason}: {} {}", file, ran.code, ran.stderr));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A killed `sudo gp idp …` leaves such a file.
#[test]
fn a_lock_file_of_root_is_named_with_the_fix() {
    if !rustix::process::geteuid().is_root() {
        skip("only root can leave a lock file of root");
        return;
    }
    let gp = Gp::in_workspace().line("idp token --audience x --output token");
    std::os::unix::fs::chown(gp.home(), Some(65534), Some(65534)).unwrap();
    let lock = gp.home().join("token.gp-lock");
    fs::write(&lock, "").unwrap();
    for mode in [0o600, 0o666] {
        fs::set_permissions(&lock, fs::Permissions::from_mode(mode)).unwrap();
        let Ok(done) = gp.command().uid(65534).gid(65534).output() else {
            skip("another user cannot run the binary where it is");
            return;
        };
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(7), "{said}");
        let expected = "the lock file token.gp-lock belongs to another user (id 0)\n\
             hint: if that user's `gp idp` has ended, as after a run with sudo, remove the file: `sudo rm token.gp-lock`\n";
        assert!(said.ends_with(expected), "{said}");
    }
}
