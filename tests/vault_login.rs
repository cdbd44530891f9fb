//! `gp idp login vault`, `exec vault` and `logout vault`, against the local workspace's server.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use gp_idp::dev::{Options, VaultOptions, VaultRole};
use snapbox::str;

use crate::support::{Gp, program};

const LOGIN: &str = "idp login vault";

fn with(vault: VaultOptions) -> Gp {
    Gp::in_workspace_of(Options { vault, ..Options::default() })
}

fn gp() -> Gp {
    with(VaultOptions::default())
}

fn file(gp: &Gp) -> PathBuf {
    gp.home().join(".vault-token")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The POST requests that the server got: method, path and status.
fn requests(gp: &Gp) -> Vec<String> {
    let line = |request: &gp_idp::dev::VaultRequest| {
        assert!(request.has_client_headers, "{request:?}");
        format!("{} {} {}", request.method, request.path, request.status)
    };
    let requests = gp.workspace().vault_requests();
    requests.iter().filter(|request| request.method == "POST").map(line).collect()
}

/// Whether a token is valid on the server.
fn is_valid(gp: &Gp, token: &str) -> bool {
    let address = gp.workspace().api_url().replace("http://", "");
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    let head =
        format!("GET /vault/v1/auth/token/lookup-self HTTP/1.0\r\nHost: x\r\nX-Vault-Token: {token}\r\n\r\n");
    std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
    let mut reply = String::new();
    std::io::Read::read_to_string(&mut stream, &mut reply).unwrap();
    reply.contains(" 200 OK")
}

#[test]
fn a_login_stores_the_token_and_prints_nothing() {
    let gp = gp().line(LOGIN);
    assert_eq!(gp.run().success(), "");
    let token = fs::read_to_string(file(&gp)).unwrap();
    assert!(token.starts_with("s.") && !token.ends_with('\n'), "{token}");
    assert_eq!(mode(&file(&gp)), 0o600);
    assert!(is_valid(&gp, &token));
    assert_eq!(fs::read_dir(gp.home()).unwrap().count(), 1, "nothing else is on disk");
}

#[test]
fn a_login_sends_one_request_with_all_required_fields() {
    let gp = gp().line(LOGIN).line("--role DEMO --audience vault.hashicorp.com --audience other --scope s");
    gp.run().success();
    let requests = gp.workspace().vault_requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert!(request.has_client_headers);
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "auth/jwt/login"));
    assert_eq!(request.audience, ["vault.hashicorp.com", "other"]);
    assert_eq!((request.role.as_deref(), request.status), (Some("DEMO"), 200));
    assert_eq!((request.namespace.as_deref(), request.wrap_ttl.as_deref()), (None, None));
}

#[test]
fn the_old_spelling_is_the_same_command() {
    let gp = gp().line("idp login-vault");
    gp.run().success();
    assert!(file(&gp).is_file());
}

#[test]
fn without_a_role_the_default_role_of_the_mount_is_used() {
    let gp = with(VaultOptions { default_role: Some("demo".into()), ..VaultOptions::default() });
    let gp = gp.line(LOGIN).env("IDP_VAULT_ROLE", "");
    gp.run().success();
    assert_eq!(gp.workspace().vault_requests()[0].role, None);
}

#[test]
fn the_token_file_is_replaced_and_a_symlink_kept() {
    let gp = gp().line(LOGIN);
    let real = gp.home().join("real");
    fs::write(&real, "old\n").unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o644)).unwrap();
    symlink("real", file(&gp)).unwrap();
    gp.run().success();
    assert!(fs::symlink_metadata(file(&gp)).unwrap().is_symlink());
    assert_eq!(mode(&real), 0o600);
    assert!(is_valid(&gp, &fs::read_to_string(&real).unwrap()));
}

#[test]
fn bao_token_path_names_another_file() {
    for name in ["BAO_TOKEN_PATH", "VAULT_TOKEN_PATH"] {
        let gp = gp().line(LOGIN);
        let path = gp.home().join("elsewhere/token");
        let gp = gp.env(name, &path);
        gp.run().success();
        assert!(path.is_file() && !file(&gp).exists(), "{name}");
    }
}

#[test]
fn a_refused_login_leaves_the_file_alone() {
    let gp = gp().line(LOGIN).line("--role nobody");
    fs::write(file(&gp), "old").unwrap();
    assert_eq!(gp.run().code, 5);
    assert_eq!(fs::read_to_string(file(&gp)).unwrap(), "old");
}

#[test]
fn an_unusable_token_file_is_refused_before_any_request() {
    let gp = gp().line(LOGIN);
    fs::create_dir(file(&gp)).unwrap();
    gp.run().failure(
        7,
        str![[r#"
error: could not store a token of Vault
  caused by: [HOME]/.vault-token is a folder
hint: `vault` and `bao` need a file there: move the folder to another place
hint: otherwise print the token with `--no-store`

"#]],
    );
    assert!(requests(&gp).is_empty());
}

#[test]
fn a_token_that_cannot_be_stored_is_revoked() {
    let gp = gp().line(LOGIN);
    let folder = gp.home().join("file");
    fs::write(&folder, "").unwrap();
    let gp = gp.env("BAO_TOKEN_PATH", folder.join("token"));
    gp.run().failure(
        7,
        str![[r#"
error: could not store the token
  caused by: could not create the folder [HOME]/file
  caused by: Not a directory (os error 20)
hint: `[HOME]/file` is a file and not a folder: name another place
hint: otherwise set `BAO_TOKEN_PATH` to another file (only `bao` reads it), or print the token with `--no-store`

"#]],
    );
    assert_eq!(requests(&gp), ["POST auth/jwt/login 200", "POST auth/token/revoke-self 204"]);
}

#[test]
fn a_token_is_revoked_even_if_its_helper_used_up_the_timeout() {
    let gp = gp().line(LOGIN).line("--timeout 3s");
    let helper = gp.home().join("helper");
    program(&helper, "#!/bin/sh\n[ \"$1\" = get ] || sleep 20\n");
    fs::write(gp.home().join(".vault"), format!("token_helper = \"{}\"\n", helper.display())).unwrap();
    let ran = gp.run();
    assert_ne!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("could not store the token"), "{}", ran.stderr);
    assert_eq!(requests(&gp), ["POST auth/jwt/login 200", "POST auth/token/revoke-self 204"]);
}

#[test]
fn a_different_address_in_the_environment_is_warned_about() {
    let address = Gp::in_workspace();
    let server: String = address
        .workspace()
        .environment()
        .into_iter()
        .find_map(|(name, value)| (name == "VAULT_ADDR").then_some(value))
        .unwrap();
    let gp = address.line("idp login vault --address").arg(&server);
    let same = format!("{server}/");
    assert_eq!(gp.run().stderr, "");
    let gp = gp.env("VAULT_ADDR", same);
    assert_eq!(gp.run().stderr, "");
    assert_eq!(
        gp.env("VAULT_ADDR", "https://vault.example.com").run().stderr,
        "warning: `VAULT_ADDR` names another server, so tools would send the stored token to that server: `export VAULT_ADDR=[API]/vault`\n"
    );
}

#[test]
fn a_token_in_the_environment_takes_precedence_with_a_warning() {
    let gp = gp().line(LOGIN).env("VAULT_TOKEN", "s.old").env("BAO_TOKEN", "s.old").secret("s.old");
    let ran = gp.run();
    assert_eq!(ran.code, 0);
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
warning: `vault` and `bao` use BAO_TOKEN, VAULT_TOKEN instead of the token just stored: `unset BAO_TOKEN VAULT_TOKEN`

"#]]
    );
}

/// The usual role with these additional members.
fn with_members(members: &str) -> VaultOptions {
    let role = format!(
        r#"{{"role_type":"jwt","user_claim":"sub","bound_audiences":["vault.hashicorp.com"],{members}}}"#
    );
    VaultOptions { roles: vec![VaultRole::parse("demo", &role).unwrap()], ..VaultOptions::default() }
}

fn living_for(seconds: u64) -> VaultOptions {
    with_members(&format!(r#""token_ttl":{seconds}"#))
}

#[test]
fn a_long_lifetime_causes_a_warning() {
    for (seconds, warned) in [(86_400, false), (86_401, true), (2_764_800, true)] {
        let ran = with(living_for(seconds)).line(LOGIN).run();
        assert_eq!(ran.code, 0);
        assert_eq!(ran.stderr.contains("token_ttl=1h"), warned, "{}", ran.stderr);
    }
    let ran = with(living_for(2_764_800)).line(LOGIN).run();
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
warning: this token lives for 32 d: set a shorter lifetime on the role with `vault write auth/jwt/role/demo role_type=jwt token_ttl=1h`, and revoke the token with `gp idp logout vault`

"#]]
    );
}

#[test]
fn warnings_of_the_server_are_passed_on() {
    let faults = vec!["warning".parse().unwrap()];
    let ran = with(VaultOptions { faults, ..VaultOptions::default() }).line(LOGIN).run();
    assert_eq!((ran.code, ran.stderr.as_str()), (0, "warning: the server says: the role is deprecated\n"));
}

#[test]
fn formats_print_the_token_and_store_nothing() {
    for flags in ["--format token", "--no-store"] {
        let gp = gp().line(LOGIN).line(flags);
        let token = gp.run().success();
        assert!(is_valid(&gp, token.trim_end()), "{token}");
        assert!(!file(&gp).exists());
    }
    let gp = gp().line(LOGIN).line("--format json --no-store");
    let json: serde_json::Value = serde_json::from_str(&gp.run().success()).unwrap();
    assert!(is_valid(&gp, json["auth"]["client_token"].as_str().unwrap()));
    assert_eq!(json["auth"]["lease_duration"], 3600);
    assert!(!file(&gp).exists());
}

#[test]
fn env_lines_have_all_variables_that_later_commands_need() {
    let lines = |gp: &Gp| {
        let printed = gp.run().success();
        let token = printed.split("export VAULT_TOKEN=").nth(1).unwrap().lines().next().unwrap().to_owned();
        assert!(is_valid(gp, &token));
        printed.replace(&token, "[TOKEN]")
    };
    snapbox::assert_data_eq!(
        lines(&gp().line(LOGIN).line("--format env")),
        str![[r#"
export VAULT_ADDR=[API]/vault
export BAO_ADDR=[API]/vault
export VAULT_TOKEN=[TOKEN]

"#]]
    );
    // `bao` would prefer the old token in `BAO_TOKEN`.
    snapbox::assert_data_eq!(
        lines(&gp().line(LOGIN).line("--format env").env("BAO_TOKEN", "s.old")),
        str![[r#"
export VAULT_ADDR=[API]/vault
export BAO_ADDR=[API]/vault
export VAULT_TOKEN=[TOKEN]
export BAO_TOKEN=[TOKEN]

"#]]
    );
    // The namespace for later commands, not that of the login.
    let namespaced = || with(VaultOptions { namespace: Some("admin".into()), ..VaultOptions::default() });
    let gp = namespaced()
        .line(LOGIN)
        .line("--format env --use-namespace /team-a/ --ca-cert ca.pem --tls-skip-verify");
    snapbox::assert_data_eq!(
        lines(&gp),
        str![[r#"
export VAULT_ADDR=[API]/vault
export BAO_ADDR=[API]/vault
export VAULT_TOKEN=[TOKEN]
export VAULT_NAMESPACE=team-a
export BAO_NAMESPACE=team-a
export VAULT_CACERT=[HOME]/ca.pem
export VAULT_SKIP_VERIFY=true

"#]]
    );
    let gp = namespaced().line(LOGIN).line("--format env").arg("--use-namespace=");
    snapbox::assert_data_eq!(
        lines(&gp),
        str![[r#"
export VAULT_ADDR=[API]/vault
export BAO_ADDR=[API]/vault
export VAULT_TOKEN=[TOKEN]
export VAULT_NAMESPACE=''
export BAO_NAMESPACE=''

"#]]
    );
}

#[test]
fn mounts_and_namespaces_in_every_spelling() {
    let options = VaultOptions {
        mount: "team/ci/jwt".into(),
        namespace: Some("admin/ci".into()),
        ..VaultOptions::default()
    };
    for mount in ["team/ci/jwt", "/team/ci/jwt/", "auth/team/ci/jwt/"] {
        for namespace in ["admin/ci", "/admin/ci/"] {
            let gp = with(options.clone())
                .line(LOGIN)
                .line("--mount")
                .arg(mount)
                .line("--namespace")
                .arg(namespace);
            gp.run().success();
            let request = &gp.workspace().vault_requests()[0];
            assert_eq!(request.path, "auth/team/ci/jwt/login");
            assert_eq!(request.namespace.as_deref(), Some("admin/ci"));
        }
    }
    let gp = with(options).line(LOGIN).line("--path team/ci/jwt");
    gp.run().success();
}

#[test]
fn an_openbao_variable_takes_precedence_even_if_it_is_empty() {
    let options = VaultOptions { namespace: Some("admin".into()), ..VaultOptions::default() };
    let gp = || with(options.clone()).line(LOGIN);
    gp().env("BAO_NAMESPACE", "admin").env("VAULT_NAMESPACE", "other").run().success();
    gp().env("BAO_NAMESPACE", "admin").env("VAULT_NAMESPACE", "a//b").run().success();
    assert_eq!(gp().env("BAO_NAMESPACE", "").env("VAULT_NAMESPACE", "admin").run().code, 5);
    let ran = gp().env("BAO_ADDR", "").run();
    assert_eq!((ran.code, ran.stderr.contains("no server is set")), (2, true), "{}", ran.stderr);
    assert!(ran.stderr.contains("or set `BAO_ADDR`\n"), "{}", ran.stderr);
    let ran = gp().env("BAO_AGENT_ADDR", "http://127.0.0.1:1").run();
    assert!(ran.stderr.contains("http://127.0.0.1:1 refused the connection"), "{}", ran.stderr);
}

#[test]
fn a_wrapping_token_is_printed_and_not_stored() {
    for (flags, variable, expected) in
        [("--wrap-ttl 2m", "", "120s"), ("", "60", "60s"), ("--wrap-ttl 30s", "60", "30s")]
    {
        let gp = gp().line(LOGIN).line(flags).env("VAULT_WRAP_TTL", variable);
        let token = gp.run().success();
        assert!(!is_valid(&gp, token.trim_end()), "it is not a token to use");
        assert!(!file(&gp).exists());
        assert_eq!(gp.workspace().vault_requests()[0].wrap_ttl.as_deref(), Some(expected));
    }
    let gp = gp().line(LOGIN).line("--wrap-ttl 60s --format json");
    let json: serde_json::Value = serde_json::from_str(&gp.run().success()).unwrap();
    assert_eq!((json["wrap_info"]["ttl"].as_u64(), json["auth"].is_null()), (Some(60), true));
}

#[test]
fn a_command_gets_the_token_only_in_its_environment() {
    let script = "env | sed -n 's/^\\(\\(VAULT\\|BAO\\)_[A-Z_]*\\)=.*/\\1/p' | sort; echo \"$VAULT_TOKEN\"";
    let gp = gp()
        .line("idp exec vault -- sh -c")
        .arg(script)
        .env("VAULT_TOKEN", "s.old")
        .env("VAULT_AGENT_ADDR", "")
        .env("BAO_WRAP_TTL", "60s");
    let printed = gp.run().success();
    let (names, token) = printed.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(names, "BAO_ADDR\nBAO_TOKEN\nVAULT_ADDR\nVAULT_TOKEN");
    assert!(is_valid(&gp, token), "{token}");
    assert_eq!(fs::read_dir(gp.home()).unwrap().count(), 0, "nothing is on disk");
    assert_eq!(requests(&gp), ["POST auth/jwt/login 200"]);
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    assert_eq!(gp().line("idp exec vault -- sh -c").arg("exit 7").run().code, 7);
    assert_eq!(gp().line("idp exec vault -- /nonexistent/program").run().code, 127);
    assert_eq!(gp().line("idp exec vault --role nobody -- true").run().code, 5);
}

#[test]
fn a_logout_revokes_the_token_and_erases_it() {
    let gp = gp().line(LOGIN);
    gp.run().success();
    let token = fs::read_to_string(file(&gp)).unwrap();
    let gp = gp.with_line("idp logout vault");
    assert_eq!(gp.run().success(), "");
    assert!(!is_valid(&gp, &token));
    assert!(!file(&gp).exists());
    let ran = gp.run();
    assert_eq!(ran.code, 0);
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
note: there is no token in [HOME]/.vault-token

"#]]
    );
}

#[test]
fn a_logout_erases_an_expired_token() {
    let gp = gp().line("idp logout vault").env("VAULT_TOKEN", "s.other").secret("s.other").secret("s.over");
    fs::write(file(&gp), "s.over\n").unwrap();
    let ran = gp.run();
    assert_eq!((ran.code, file(&gp).exists()), (0, false));
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
warning: [API]/vault does not know the token (any more). The token is deleted on this machine. If it belongs to another server, it stays valid there
warning: the environment has another token: `unset VAULT_TOKEN`

"#]]
    );
}

#[test]
fn a_batch_token_is_erased_and_works_until_it_expires() {
    let gp = with(with_members(r#""token_type":"batch","token_ttl":3600"#)).line(LOGIN);
    gp.run().success();
    let token = fs::read_to_string(file(&gp)).unwrap();
    let gp = gp.with_line("idp logout vault");
    let ran = gp.run();
    assert_eq!((ran.code, file(&gp).exists(), is_valid(&gp, &token)), (0, false, true));
    assert!(ran.stderr.contains("a batch token cannot be revoked"), "{}", ran.stderr);
}

#[test]
fn a_logout_that_fails_keeps_the_token() {
    let sealed = VaultOptions { faults: vec!["sealed".parse().unwrap()], ..VaultOptions::default() };
    let gp = with(sealed).line("idp logout vault").secret("s.kept");
    fs::write(file(&gp), "s.kept").unwrap();
    gp.run().failure(
        6,
        str![[r#"
error: could not log out of Vault
  caused by: Vault ([API]) accepts no requests now: Vault is sealed (HTTP 503) (4 tries in [..])
hint: ask the holders of Vault's unseal keys to run `vault operator unseal`

"#]],
    );
    assert!(file(&gp).exists());
    // The server gives the same reply for a token of a namespace that is not named as for an
    // expired token.
    let gp = with(VaultOptions::default()).line("idp logout vault").secret("s.kept.ns1");
    fs::write(file(&gp), "s.kept.ns1").unwrap();
    gp.run().failure(
        5,
        str![[r#"
error: could not log out of Vault
  caused by: Vault ([API]/vault) does not know the stored token, because the token belongs to a namespace and none is set
hint: name the namespace with `--namespace`
hint: otherwise delete the token only on this machine with `gp idp logout vault --no-revoke`

"#]],
    );
    assert!(file(&gp).exists());
    gp.with_line("idp logout vault --no-revoke").run().success();
}

#[test]
fn a_logout_without_a_server_erases_the_token() {
    let gp = Gp::new().line("idp logout vault --no-revoke").secret("s.kept");
    fs::write(file(&gp), "s.kept").unwrap();
    gp.run().success();
    assert!(!file(&gp).exists());
}

#[test]
fn a_namespace_for_later_commands_is_printed() {
    let ran = gp().line(LOGIN).line("--use-namespace team-a").run();
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
note: tools do not know the namespace of the stored token: `export VAULT_NAMESPACE=team-a`

"#]]
    );
    // `vault` does not read OpenBao's variable.
    for set in ["", "other"] {
        let ran =
            gp().env("BAO_NAMESPACE", set).line(LOGIN).line("--namespace= --use-namespace team-a").run();
        let exports = "`export VAULT_NAMESPACE=team-a BAO_NAMESPACE=team-a`";
        assert!(ran.stderr.contains(exports), "{}", ran.stderr);
    }
}
