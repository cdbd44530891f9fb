"""For every role, a real OpenBao, the table of the unit tests, the local Vault and `trust vault --check` give the same
answer, in the same words.

The table is `tests/support/vault_roles.json`: roles, claims and the server's answers. A member `now` is a time relative
to the present, in seconds; `unchecked` marks tokens that `--check` cannot judge, because no workspace has them.
"""

import base64
import json
import pathlib
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from conftest import Gp

from .conftest import AUDIENCE, AnyIssuer, Server

TABLE = json.loads((pathlib.Path(__file__).parents[2] / "support/vault_roles.json").read_text())
LOGINS: list[dict[str, Any]] = TABLE["logins"]
NAMES = [f"r{index}" for index in range(len(LOGINS))]

# The status of a login, and its error or the members of `auth`.
Answer = tuple[int, str | dict[str, Any]]


def claims(case: dict[str, Any]) -> dict[str, Any]:
    """The claims of a case, at the present time."""
    now = int(time.time())

    def at(value: Any) -> Any:
        return now + value["now"] if isinstance(value, dict) and "now" in value else value

    return {name: at(value) for name, value in (TABLE["claims"] | case.get("claims", {})).items()}


def role(case: dict[str, Any]) -> dict[str, Any]:
    members = TABLE["role"] | case["role"]
    return {name: value for name, value in members.items() if name not in case.get("without", [])}


def expected(case: dict[str, Any]) -> tuple[int, str | None]:
    return (case.get("status", 400), case["refused"]) if "refused" in case else (200, None)


def answer(reply: tuple[int, Any]) -> Answer:
    """The status of a login, and its error or the relevant members of `auth`."""
    status, body = reply
    if status != 200:
        assert len(body["errors"]) == 1, body
        return status, body["errors"][0]
    shown = ("metadata", "policies", "token_policies", "token_type", "num_uses")
    return status, {name: body["auth"][name] for name in shown}


@pytest.fixture(scope="module")
def printed(server: Server, forge: AnyIssuer) -> list[dict[str, Any]]:
    """Writes the roles of the table to a server that trusts all tokens of `forge`; the roles as the server prints them."""
    server.mount("table", {"jwt_validation_pubkeys": [forge.public]}, dict(zip(NAMES, map(role, LOGINS), strict=True)))
    return [server("GET", f"auth/table/role/{name}")[1] for name in NAMES]


def test_the_server_answers_as_the_table_says(server: Server, printed: list[dict[str, Any]], forge: AnyIssuer) -> None:
    found, wanted = {}, {}
    for name, case in zip(NAMES, LOGINS, strict=True):
        status, reply = server.login(forge.mint(**claims(case)), name, "table")
        found[case["name"]] = (status, reply["errors"][0] if status != 200 else None)
        wanted[case["name"]] = expected(case)
    assert found == wanted
    assert len(found) == len(LOGINS) > 180
    assert {status for status, _ in found.values()} == {200, 400, 403, 500}


def test_a_check_gives_the_answer_of_the_server(
    server: Server, printed: list[dict[str, Any]], forge: AnyIssuer, inside: Callable[..., Gp]
) -> None:
    gp = inside(**forge.environment())
    for index, case in enumerate(LOGINS):
        if case.get("unchecked"):
            continue
        forge.mint(**claims(case))
        status, error = expected(case)
        depends_on_address = any(name.endswith("bound_cidrs") for name in case["role"])
        for form in (role(case), printed[index]):
            done = gp("idp", "trust", "vault", "--check", "-", "--format", "json", input=json.dumps(form))
            assert done.stderr == "", (case["name"], done.stderr)
            report = json.loads(done.stdout)
            said = report["because"]
            if status == 403 or (status == 200 and depends_on_address):
                # The check does not know the address of the client, but it finds every other problem.
                assert (done.returncode, report["answer"] != "accepted") == (1, True), case["name"]
                assert "token_bound_cidrs" in done.stdout
            elif status == 200:
                assert (done.returncode, report["answer"], report["changes"]) == (0, "accepted", []), case["name"]
            else:
                assert (done.returncode, report["answer"]) == (1, "not_accepted"), case["name"]
                assert said.endswith(f", so the server replies `{error}` (HTTP {status})"), (case["name"], said)


def test_the_local_server_gives_the_answer_of_the_server(
    server: Server, printed: list[dict[str, Any]], start_workspace: Callable[..., Gp], tmp_path: pathlib.Path
) -> None:
    arguments = []
    for index, case in enumerate(LOGINS):
        # One file as people write it, and one as the server prints it.
        for name, form in ((f"r{index}", role(case)), (f"p{index}", printed[index])):
            file = tmp_path / f"{name}.json"
            file.write_text(json.dumps(form))
            arguments.append(f"--vault-role={name}={file}")
    gp = start_workspace(
        "--context-url", TABLE["claims"]["sub"], "--email", TABLE["claims"]["email"], "--vault-mount=local", *arguments
    )
    local = Server(gp.environment["VAULT_ADDR"])
    issuer = gp.environment["IDP_API_URL"] + "/idp"
    roles = {name: role(case) for name, case in zip(NAMES, LOGINS, strict=True)}
    roles |= {name.replace("r", "p"): role for name, role in roles.items()}
    server.mount("local", {"oidc_discovery_url": issuer, "bound_issuer": issuer}, roles)
    token = gp.token("--audience", AUDIENCE)
    theirs = {name: answer(server.login(token, name, "local")) for name in roles}
    ours = {name: answer(local.login(token, name, "local")) for name in roles}
    assert ours == theirs
    assert sum(status == 200 for status, _ in theirs.values()) > 60


def test_roles_that_the_server_does_not_write(
    server: Server, printed: list[dict[str, Any]], forge: AnyIssuer, inside: Callable[..., Gp], tmp_path: pathlib.Path
) -> None:
    gp = inside(**forge.environment())
    forge.mint(**claims({}))
    file = tmp_path / "role.json"
    for case in TABLE["unwritable"]:
        name, refused = case["name"], case["refused"]
        status, reply = server("POST", "auth/table/role/unwritable", role(case))
        [said] = reply["errors"]
        assert (status, said.startswith(refused)) == (400, True), (name, said)
        text = json.dumps(role(case))
        file.write_text(text)
        local = gp("idp", "dev", "--vault-role", f"x={file}", "--", "true")
        assert (local.returncode, local.stdout) == (2, ""), name
        reasons = (f"a Vault server refuses this role: {refused}\n", "` must be ")
        assert any(reason in local.stderr for reason in reasons), local.stderr
        checked = gp("idp", "trust", "vault", "--check", "-", input=text)
        assert checked.returncode == 1, (name, checked.stdout)


def test_policies_that_are_made_from_claims(
    server: Server, printed: list[dict[str, Any]], forge: AnyIssuer, inside: Callable[..., Gp], tmp_path: pathlib.Path
) -> None:
    """Only a real server supports these: the check is undecided, and the local Vault refuses the role."""
    gp = inside(**forge.environment())
    for claim, expected in (("email", 200), ("nope", 500)):
        form = role({"role": {"token_policies": ["p-{{ .%s }}" % claim], "token_policies_template_claims": True}})
        server.set("auth/table/role/template", form)
        assert server.login(forge.mint(**claims({})), "template", "table")[0] == expected
        checked = gp("idp", "trust", "vault", "--check", "-", "--format", "json", input=json.dumps(form))
        assert (checked.returncode, json.loads(checked.stdout)["answer"]) == (1, "undecided")
        (tmp_path / "role.json").write_text(json.dumps(form))
        local = gp("idp", "dev", f"--vault-role=x={tmp_path}/role.json", "--", "true")
        assert (local.returncode, "`token_policies_template_claims` must be false" in local.stderr) == (2, True)


def test_tokens_that_are_not_the_issuers(server: Server, workspace: Gp, forge: AnyIssuer) -> None:
    good = workspace.token("--audience", AUDIENCE)
    header, payload, signature = good.split(".")
    named = jwt.get_unverified_header(good)
    forged = f"{header}.{base64url_json({'iss': 'x'})}.{signature}"
    tokens = [f"{good}\n", f" {good}", f"{header}.{payload}.", forged, forge.mint(iat=1)]
    tokens += [f"{base64url_json(named | {'alg': alg})}.{payload}.{signature}" for alg in ("RS512", "PS256", "ES256", "EdDSA")]
    tokens += [f"{base64url_json({'alg': 'RS256'})}.{payload}.{signature}"]
    local = Server(workspace.environment["VAULT_ADDR"])
    theirs = [server.login(token) for token in tokens]
    assert [status for status, _ in theirs] == [200] * 2 + [400] * 8
    for token, (status, reply) in zip(tokens, theirs, strict=True):
        ours = local.login(token)
        assert (ours[0], ours[1].get("errors")) == (status, reply.get("errors")), token
    malformed = ["x", "a.b.c", f"{good}.x", f"Bearer {good}", f"{header}.{payload}.!!!"]
    malformed += [f"{base64url_json(named | {'alg': alg})}.{payload}.{signature}" for alg in ("none", "HS256", "XX")]
    for token in malformed:
        status, reply = server.login(token)
        # The real server appends the error of its libraries.
        assert (status, reply["errors"][0].startswith(local.login(token)[1]["errors"][0] + ": ")) == (400, True), reply
    for name in ("NOPE", " demo ", ""):
        assert local.login(good, name) == server.login(good, name)


def base64url_json(content: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
