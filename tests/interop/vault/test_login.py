"""`bao` and hvac accept the token that `gp` gets, wherever it is stored."""

import json
import os
import pathlib
import stat
import subprocess
import sys
import time
from collections.abc import Callable

import hvac
import pytest
from aws.conftest import relay_to
from conftest import LIMIT, Gp

from .conftest import AUDIENCE, Server, usual


def stored(gp: Gp) -> pathlib.Path:
    return pathlib.Path(gp.environment["HOME"]) / ".vault-token"


def printed(gp: Gp, *arguments: str) -> str:
    done = gp("idp", "login", "vault", "--role", "demo", "--format", "token", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.removesuffix("\n")


def python(gp: Gp, script: str) -> str:
    """What a script prints in a new process: hvac reads the environment when it is imported."""
    done = gp.run([sys.executable, "-c", script])
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_bao_and_hvac_find_the_stored_token(inside: Callable[..., Gp], server: Server) -> None:
    gp = inside()
    done = gp("idp", "login", "vault", "--role", "demo")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert stat.S_IMODE(stored(gp).stat().st_mode) == 0o600
    done = gp.run(["bao", "token", "lookup", "-format=json"])
    found = json.loads(done.stdout)["data"]
    assert (found["id"], found["path"], found["meta"]) == (stored(gp).read_text(), "auth/jwt/login", {"role": "demo"})
    assert python(gp, "import hvac; print(hvac.Client().is_authenticated())") == "True\n"

    done = gp("idp", "logout", "vault")
    assert (done.returncode, done.stderr, stored(gp).exists()) == (0, "", False)
    assert not server.is_valid(found["id"])


def test_the_file_is_what_bao_itself_writes(inside: Callable[..., Gp]) -> None:
    gp = inside()
    token = printed(gp)
    done = gp.run(["bao", "login", "-"], input=token)
    assert done.returncode == 0, done.stderr
    by_bao = (stored(gp).read_bytes(), stat.S_IMODE(stored(gp).stat().st_mode))
    assert gp("idp", "login", "vault", "--role", "demo").returncode == 0
    by_gp = (stored(gp).read_bytes(), stat.S_IMODE(stored(gp).stat().st_mode))
    assert by_bao == (token.encode(), by_gp[1])
    assert len(by_bao[0]) == len(by_gp[0])


def test_a_login_is_one_request(inside: Callable[..., Gp], server: Server) -> None:
    with relay_to(server.url) as relay:
        gp = inside(VAULT_ADDR=relay.url)
        assert gp("idp", "login", "vault", "--role", "demo").returncode == 0
        assert dict(relay.counts) == {"login": 1}
        assert gp("idp", "logout", "vault").returncode == 0
        assert dict(relay.counts) == {"login": 1, "revoke-self": 1}


def test_an_id_token_in_a_pipe_logs_bao_in(inside: Callable[..., Gp]) -> None:
    script = f"gp idp token --audience {AUDIENCE} | bao write -format=json auth/jwt/login role=demo jwt=-"
    done = inside().bash(script)
    assert json.loads(done.stdout)["auth"]["metadata"] == {"role": "demo"}, done.stderr


def test_json_is_the_answer_of_the_server(inside: Callable[..., Gp], server: Server) -> None:
    gp = inside()
    ours = json.loads(gp("idp", "login", "vault", "--role", "demo", "--format", "json").stdout)
    direct = server.login(gp.token("--audience", AUDIENCE))[1]
    assert list(ours) == list(direct)
    differs = {"client_token", "accessor"}
    for name in direct["auth"]:
        assert name in differs or ours["auth"][name] == direct["auth"][name], name
    # Members that scripts read from the output of `bao` are in the same place.
    script = f"gp idp token --audience {AUDIENCE} | bao write -format=json auth/jwt/login role=demo jwt=-"
    theirs = json.loads(gp.bash(script).stdout)["auth"]
    for name in ("metadata", "policies", "token_policies", "lease_duration", "renewable", "entity_id", "orphan"):
        assert ours["auth"][name] == theirs[name], name
    assert ours["auth"]["client_token"][:2] == theirs["client_token"][:2] == "s."


def test_env_lines_and_exec_give_bao_and_hvac_a_token(inside: Callable[..., Gp]) -> None:
    # The inherited variables point elsewhere.
    gp = inside(BAO_TOKEN="old", VAULT_AGENT_ADDR="")
    hvac_script = "import hvac; print(hvac.Client().is_authenticated())"
    for begin in ('eval "$(gp idp login vault --role demo --format env)"; ', "gp idp exec vault --role demo -- "):
        done = gp.bash(begin + "bao token lookup -format=json")
        assert json.loads(done.stdout)["data"]["meta"] == {"role": "demo"}, done.stderr
        done = gp.bash(begin + f"{sys.executable} -c '{hvac_script}'")
        assert done.stdout == "True\n", done.stderr
    assert not stored(gp).exists()


def test_the_socket_of_a_proxy(
    inside: Callable[..., Gp], server: Server, bao: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    socket = tmp_path / "proxy.sock"
    config = tmp_path / "proxy.hcl"
    config.write_text(
        f'vault {{ address = "{server.url}" }}\napi_proxy {{}}\n'
        f'listener "unix" {{\n  address = "{socket}"\n  tls_disable = true\n  require_request_header = true\n}}\n'
    )
    gp = inside(VAULT_AGENT_ADDR=f"unix://{socket}", VAULT_ADDR="https://127.0.0.1:1")
    with subprocess.Popen(
        [bao, "proxy", f"-config={config}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={"HOME": str(tmp_path)}
    ) as proxy:
        try:
            deadline = time.monotonic() + LIMIT
            while not socket.exists():
                assert proxy.poll() is None and time.monotonic() < deadline
                time.sleep(0.05)
            assert server.is_valid(printed(gp))
            done = gp("idp", "exec", "vault", "--role", "demo", "--", "bao", "token", "lookup", "-field=path")
            assert (done.returncode, done.stdout.strip()) == (0, "auth/jwt/login"), done.stderr
        finally:
            proxy.terminate()


def test_bao_can_unwrap_a_token_once(inside: Callable[..., Gp], server: Server) -> None:
    gp = inside()
    wrapping = printed(gp, "--wrap-ttl", "2m")
    done = Gp(gp.environment | {"BAO_TOKEN": wrapping}).run(["bao", "unwrap", "-format=json"])
    token = json.loads(done.stdout)["auth"]["client_token"]
    assert server.is_valid(token)
    done = Gp(gp.environment | {"BAO_TOKEN": wrapping}).run(["bao", "unwrap"])
    assert done.returncode == 2
    # hvac unwraps it, too.
    client = hvac.Client(server.url, token=printed(gp, "--wrap-ttl", "60"))
    assert server.is_valid(client.sys.unwrap()["auth"]["client_token"])


def test_a_batch_token(inside: Callable[..., Gp], server: Server) -> None:
    server.set("auth/jwt/role/batch", usual(token_type="batch"))
    gp = inside()
    assert gp("idp", "login", "vault", "--role", "batch").returncode == 0
    token = stored(gp).read_text()
    done = gp("idp", "logout", "vault")
    assert (done.returncode, stored(gp).exists(), server.is_valid(token)) == (0, False, True)
    assert "a batch token cannot be revoked" in done.stderr


def test_the_default_lifetime_of_a_token_causes_a_warning(inside: Callable[..., Gp], server: Server) -> None:
    server.set("auth/jwt/role/forever", usual(token_ttl=0))
    done = inside()("idp", "login", "vault", "--role", "forever", "--no-store")
    assert (done.returncode, done.stderr.startswith("warning: this token lives for 32 d")) == (0, True), done.stderr
    # The command in the warning does what it says, and nothing else.
    command = done.stderr.split("`")[1]
    assert command == "vault write auth/jwt/role/forever role_type=jwt token_ttl=1h"
    fixed = inside(BAO_TOKEN="root").run(["bao", *command.split()[1:]])
    assert fixed.returncode == 0, fixed.stderr
    role = server("GET", "auth/jwt/role/forever")[1]["data"]
    assert (role["token_ttl"], role["bound_audiences"], role["user_claim"]) == (3600, [AUDIENCE], "sub")


def test_mounts_and_namespaces(inside: Callable[..., Gp], server: Server, issuer: str) -> None:
    config = {"oidc_discovery_url": issuer, "bound_issuer": issuer, "default_role": "demo"}
    server.mount("team/ci/jwt", config, {"demo": usual()})
    for mount in ("team/ci/jwt", "/auth/team/ci/jwt/"):
        done = inside()("idp", "login", "vault", "--mount", mount, "--no-store")
        assert (done.returncode, done.stderr) == (0, "")
    server.set("sys/namespaces/admin")
    server.set("sys/namespaces/team-a", namespace="admin")
    server.mount("jwt", config, {"demo": usual()}, namespace="admin")
    for namespace in ("admin", "/admin/"):
        gp = inside(VAULT_NAMESPACE=namespace)
        assert gp("idp", "login", "vault").returncode == 0
        token = stored(gp).read_text()
        assert server.is_valid(token, "admin")
        # OpenBao finds the namespace by the token, so no setting has to name it.
        out = gp if namespace == "admin" else inside()
        assert out("idp", "logout", "vault").returncode == 0
        assert not server.is_valid(token, "admin")
    # Log in to one namespace, and work in another one.
    done = inside()(
        *("idp", "exec", "vault", "--namespace", "admin", "--use-namespace", "admin/team-a", "--"),
        *("bao", "token", "lookup", "-format=json"),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["data"]["namespace_path"] == "admin/"


@pytest.mark.parametrize("empty", [True, False])
def test_variables_have_the_same_precedence_as_in_bao(inside: Callable[..., Gp], server: Server, empty: bool) -> None:
    """`BAO_ADDR` takes precedence over `VAULT_ADDR`, even if it is empty."""
    values = {"BAO_ADDR": "", "VAULT_ADDR": server.url} if empty else {
        "BAO_ADDR": server.url,
        "VAULT_ADDR": "http://127.0.0.1:1",
    }
    gp = inside(**values)
    done = Gp(gp.environment | {"BAO_TOKEN": "root"}).run(["bao", "token", "lookup"])
    assert (done.returncode == 0) is not empty
    done = gp("idp", "login", "vault", "--role", "demo", "--no-store")
    assert (done.returncode == 0) is not empty, done.stderr


HELPER = """#!/bin/sh
case $1 in
get) cat "$0.token" 2>/dev/null || true ;;
store) cat >"$0.token"; echo "$BAO_ADDR" >"$0.address"; cat /proc/[0-9]*/cmdline 2>/dev/null >"$0.processes" || true ;;
erase) rm -f "$0.token" ;;
esac
"""


def test_a_token_helper_is_shared_with_bao(inside: Callable[..., Gp], server: Server) -> None:
    gp = inside()
    home = pathlib.Path(gp.environment["HOME"])
    helper = home / "helper"
    helper.write_text(HELPER)
    helper.chmod(0o755)
    (home / ".bao").write_text(f'# mine\n"token_helper" = "{helper}"\n')
    assert gp("idp", "login", "vault", "--role", "demo").returncode == 0
    assert not stored(gp).exists()
    assert (home / "helper.address").read_text() == server.url + "\n"
    # Other processes do not see the token on a command line.
    seen = (home / "helper.processes").read_bytes()
    assert b"store" in seen and (home / "helper.token").read_bytes() not in seen
    done = gp.run(["bao", "token", "lookup", "-format=json"])
    assert json.loads(done.stdout)["data"]["meta"] == {"role": "demo"}, done.stderr
    # `gp` revokes a token that `bao` stores there.
    token = printed(gp)
    assert gp.run(["bao", "login", "-"], input=token).returncode == 0
    assert (home / "helper.token").read_text() == token
    assert gp("idp", "logout", "vault").returncode == 0
    assert not server.is_valid(token) and not (home / "helper.token").exists()


@pytest.mark.parametrize(
    "config",
    ['token_helper = "/no/such/helper"', 'other = "x"', "$ANSIBLE_VAULT;1.1;AES256", 'token_helper = "a'],
)
def test_a_configuration_that_bao_refuses_is_refused(inside: Callable[..., Gp], config: str) -> None:
    gp = inside()
    (pathlib.Path(gp.environment["HOME"]) / ".bao").write_text(config + "\n")
    assert gp.run(["bao", "token", "lookup"]).returncode != 0
    done = gp("idp", "login", "vault", "--role", "demo")
    assert (done.returncode, done.stdout) == (7, "")


def test_tls(
    inside: Callable[..., Gp],
    start_server: Callable[..., Server],
    issuer: str,
    tmp_path: pathlib.Path,
) -> None:
    tls = tmp_path / "tls"
    tls.mkdir()
    server = start_server(tls)
    server.mount("jwt", {"oidc_discovery_url": issuer, "bound_issuer": issuer}, {"demo": usual()})
    ca = str(tls / "vault-ca.pem")
    folder = tmp_path / "authorities"
    folder.mkdir()
    os.link(ca, folder / "any-name")
    login = ("idp", "login", "vault", "--role", "demo", "--no-store")
    good = [{"VAULT_CACERT": ca}, {"BAO_CACERT": ca}, {"VAULT_CAPATH": str(folder)}]
    good.append({"VAULT_CACERT_BYTES": pathlib.Path(ca).read_text()})
    for environment in good:
        gp = inside(VAULT_ADDR=server.url, **environment)
        # `bao` accepts the same settings.
        assert Gp(gp.environment | {"BAO_TOKEN": "root"}).run(["bao", "token", "lookup"]).returncode == 0
        done = gp(*login)
        assert (done.returncode, done.stderr) == (0, ""), environment
    gp = inside(VAULT_ADDR=server.url)
    for setting, path in (("--ca-cert", ca), ("--ca-path", str(folder))):
        done = gp("idp", "exec", "vault", "--role", "demo", setting, path, "--", "bao", "token", "lookup")
        assert done.returncode == 0, done.stderr
    done = gp(*login, "--tls-skip-verify", "--quiet")
    assert (done.returncode, done.stderr.startswith("WARNING: `--tls-skip-verify`")) == (0, True), done.stderr
    done = gp(*login)
    assert done.returncode == 6
    assert done.stderr.endswith("set `VAULT_CACERT` to the file of that certificate. This setting applies only to this service\n"), done.stderr
    done = inside(VAULT_ADDR=server.url.replace("https:", "http:"))(*login)
    assert done.returncode == 6
    assert "expects https on this port\nhint: the address must begin with `https://`" in done.stderr, done.stderr
    assert f"use {server.url}\nhint: " in done.stderr, done.stderr


def test_bao_and_hvac_work_with_the_local_server(workspace: Gp, bao: pathlib.Path, tmp_path: pathlib.Path) -> None:
    gp = Gp(workspace.environment | {"HOME": str(tmp_path)})
    done = gp("idp", "exec", "vault", "--", str(bao), "token", "lookup", "-format=json")
    assert json.loads(done.stdout)["data"]["meta"] == {"role": "demo"}, done.stderr
    done = gp("idp", "exec", "vault", "--", sys.executable, "-c", "import hvac; print(hvac.Client().is_authenticated())")
    assert done.stdout == "True\n", done.stderr
    script = f"gp idp token --audience {AUDIENCE} | {bao} write -field=token auth/jwt/login role=demo jwt=-"
    assert gp.bash(script).stdout.startswith("s.")
