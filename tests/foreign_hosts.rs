//! Files and variables of a repository can name other hosts. `gp` sends the API token to none of
//! them without `--allow-api-host`, and names each host that gets an ID token.

use snapbox::str;

use crate::support::Gp;
use crate::support::fault::{Fault, Faulty, Step};

/// A workspace of `gitpod.example.com` with the API at `api`. The server is also the proxy.
fn gp(server: &Faulty, api: &str) -> Gp {
    Gp::new()
        .line("idp token --audience x --timeout 5s")
        .env("SUPERVISOR_ADDR", server.address())
        .env("HTTPS_PROXY", format!("http://{}", server.address()))
        .env("IDP_API_URL", api)
}

#[test]
fn the_api_token_is_not_sent_to_another_host() {
    let server = Faulty::first(Step::Info, Vec::new());
    gp(&server, "https://collector.example/").run().failure(
        2,
        str![[r#"
error: could not mint an ID token for `x`
  caused by: `IDP_API_URL` names collector.example as the API, but the supervisor names api.gitpod.example.com: the API token is not sent to collector.example
hint: run `unset IDP_API_URL` to use the API of the workspace
hint: if you know that collector.example is the API of your installation, add `--allow-api-host collector.example`

"#]],
    );
    for other in [
        "https://gitpod.example.com.collector.example/",
        "https://api.gitpod.example.com.collector.example/",
        "https://collector.example/api.gitpod.example.com/",
        "https://api-gitpod.example.com/",
        "https://api.gitpod.example.com:8443/",
        "https://api.gitpod.example.com./",
        "https://localhost.collector.example/",
    ] {
        let ran = gp(&server, other).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{other}: {}", ran.stderr);
        assert!(ran.stderr.contains("the API token is not sent to"), "{other}: {}", ran.stderr);
    }
    // The API token is not even requested.
    let asked = server.requests();
    assert!(
        !asked.is_empty() && asked.iter().all(|request| request.contains("/info/workspace")),
        "{asked:?}"
    );
}

#[test]
fn other_hosts_of_the_api_are_allowed_by_name() {
    for (api, flag) in [
        ("https://api.gitpod.example.com/", ""),
        ("https://API.gitpod.example.com:443/path/", ""),
        ("https://collector.example/", "collector.example"),
        ("https://collector.example:8443/", "Collector.example"),
        ("https://collector.example:8443/", "collector.example:8443"),
    ] {
        let server = Faulty::first(Step::Info, Vec::new());
        let gp = gp(&server, api);
        let gp = if flag.is_empty() { gp } else { gp.line("--allow-api-host").arg(flag) };
        let ran = gp.run();
        // The proxy is the same server, which does not connect to anything.
        assert_eq!(ran.code, 6, "{api}: {}", ran.stderr);
        assert!(
            server.requests().iter().any(|request| request.starts_with("CONNECT ")),
            "{api}: {}",
            ran.stderr
        );
    }
    let server = Faulty::first(Step::Info, Vec::new());
    let ran =
        gp(&server, "https://collector.example:8443/").line("--allow-api-host collector.example:1").run();
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

#[test]
fn a_command_in_a_written_file_allows_the_same_host() {
    let gp =
        Gp::in_workspace().line("idp login kubernetes --audience k --allow-api-host api.example.com --print");
    let printed = gp.run().success();
    assert!(printed.contains("--allow-api-host=api.example.com"), "{printed}");
}

#[test]
fn a_host_that_gets_an_id_token_is_named() {
    for line in [
        "idp login aws --format json",
        "idp login aws",
        "idp exec aws -- true",
        "idp login azure --format access-token",
        "idp exec azure -- true",
        "idp login gcp --format access-token",
        "idp exec gcp -- true",
        "idp login vault",
        "idp exec vault -- true",
        "idp exchange --audience oauth",
        "idp doctor vault",
    ] {
        let gp = Gp::in_workspace().line(&line.replacen("idp", "idp --verbose", 1));
        let ran = gp.run();
        assert_eq!(ran.code, 0, "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains("the ID token goes to [API], "), "{line}: {}", ran.stderr);
        // On a terminal, the note appears without `--verbose`. `exec` would replace the test
        // process, and `doctor` would report the fixed clock.
        if !line.contains("exec") && !line.contains("doctor") {
            let shown = gp.with_line(line).at_time("2026-11-23T12:00:00Z").on_terminal().run();
            assert_eq!(shown.code, 0, "{line}: {}", shown.stderr);
            assert!(shown.stderr.contains("the ID token went to [API], "), "{line}: {}", shown.stderr);
        }
    }
    // Without a terminal and `--verbose`, stderr stays empty.
    Gp::in_workspace().line("idp login aws --format json").run().success();
}

#[test]
fn an_endpoint_in_a_configuration_file_is_named() {
    let gp = Gp::in_workspace()
        .line("idp --verbose login aws --format json --profile p")
        .env("AWS_ENDPOINT_URL_STS", "");
    let config = gp.home().join("config");
    let url = gp.workspace().sts_url();
    std::fs::write(&config, format!("[profile p]\nendpoint_url = {url}\n")).unwrap();
    let ran = gp.env("AWS_CONFIG_FILE", config).run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("the ID token goes to [API], "), "{}", ran.stderr);
}

/// The host is named before anything is sent.
#[test]
fn a_host_that_takes_the_token_without_a_reply_is_named() {
    let server = Faulty::always(Step::Other, Fault::CloseInBody);
    let url = format!("http://{}", server.address());
    let gp = Gp::in_workspace().line("idp --verbose exchange --audience x").env("IDP_TOKEN_ENDPOINT", &url);
    let ran = gp.with_placeholder(url, "[COLLECTOR]").run();
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    assert!(ran.stderr.contains("the ID token goes to [COLLECTOR], "), "{}", ran.stderr);
    assert!(ran.stderr.contains("  caused by: [COLLECTOR] closed the connection"), "{}", ran.stderr);
}
