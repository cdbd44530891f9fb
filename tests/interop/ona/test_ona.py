"""The source `ona` with a server that Ona's own SDK generates, and the local Ona with that SDK as its client."""

import base64
import contextlib
import io
import itertools
import json
import pathlib
import sys
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import jwt
import pytest
from conftest import LIMIT, Gp
from connectrpc.code import Code
from connectrpc.errors import ConnectError
from gitpod.v1.identity_connect import IdentityServiceSync, IdentityServiceWSGIApplication
from gitpod.v1.identity_pb2 import (
    ID_TOKEN_VERSION_UNSPECIFIED,
    ID_TOKEN_VERSION_V1,
    ID_TOKEN_VERSION_V2,
    GetIDTokenRequest,
    GetIDTokenResponse,
)
from ona_sdk import create_client

VERSIONS = {
    (): ID_TOKEN_VERSION_UNSPECIFIED,
    ("--id-token-version", "v1"): ID_TOKEN_VERSION_V1,
    ("--id-token-version", "v2"): ID_TOKEN_VERSION_V2,
}


@pytest.fixture(scope="module")
def ona(start_workspace: Callable[..., Gp]) -> Gp:
    """`gp` inside a local environment of Ona."""
    return start_workspace("--as", "ona")


def environment_token(ona: Gp) -> str:
    return pathlib.Path(ona.environment["ONA_TOKEN_FILE"]).read_text()


def ask(ona: Gp, request: GetIDTokenRequest, token: str | None = None) -> str:
    """The token that the SDK gets from the local Ona."""
    client = create_client(
        api_key=token or environment_token(ona), base_url=ona.environment["ONA_BASE_URL"], timeout=LIMIT
    )
    return client.services.identity.get_id_token(request).token


def claims_as_bytes(token: str) -> bytes:
    """The payload as its issuer wrote it, without the times, which differ between two tokens."""
    part = token.split(".")[1]
    claims = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    times = json.loads(claims)
    for name in ("iat", "exp"):
        time = str(times[name]).encode()
        assert claims.count(time) == 1
        claims = claims.replace(time, name.encode())
    return claims


# The SDK as the client of the local Ona.


@pytest.mark.parametrize("flags", VERSIONS)
@pytest.mark.parametrize("audiences", [["x"], ["x", "ä y"], ["x" * 300]])
def test_the_sdk_gets_what_gp_gets(ona: Gp, flags: tuple[str, ...], audiences: list[str]) -> None:
    theirs = ask(ona, GetIDTokenRequest(audience=audiences, version=VERSIONS[flags]))
    ours = ona.token(*flags, *(f"--audience={audience}" for audience in audiences))
    assert claims_as_bytes(theirs) == claims_as_bytes(ours)
    assert jwt.get_unverified_header(theirs) == jwt.get_unverified_header(ours)


def test_pyjwt_accepts_both_versions(ona: Gp) -> None:
    expected = {
        ID_TOKEN_VERSION_UNSPECIFIED: (["x"], r"organization_id:{organization_id}:project_id:{project_id}"),
        ID_TOKEN_VERSION_V2: ("x", r"org:{org}/prj:"),
    }
    for version, (audience, subject) in expected.items():
        token = ask(ona, GetIDTokenRequest(audience=["x"], version=version))
        issuer = jwt.decode(token, options={"verify_signature": False})["iss"]
        key = jwt.PyJWKClient(f"{issuer}/keys").get_signing_key_from_jwt(token)
        claims = jwt.decode(token, key, ["RS256"], audience="x", issuer=issuer)
        assert claims["aud"] == audience
        assert claims["sub"].startswith(subject.format(**claims))
    assert claims["sub"].endswith("/env:" + ona.environment["GITPOD_ENVIRONMENT_ID"])


@pytest.mark.parametrize(
    ("request_", "token", "code"),
    [
        (GetIDTokenRequest(audience=["x"]), "another", Code.UNAUTHENTICATED),
        (GetIDTokenRequest(), None, Code.INVALID_ARGUMENT),
        (GetIDTokenRequest(audience=["x"], version=3), None, Code.INVALID_ARGUMENT),
    ],
)
def test_the_sdk_understands_a_refusal(ona: Gp, request_: GetIDTokenRequest, token: str | None, code: Code) -> None:
    with pytest.raises(ConnectError) as refused:
        ask(ona, request_, token)
    assert refused.value.code == code


def test_a_program_in_the_environment_finds_its_api(outside: Gp) -> None:
    script = """
import os, sys
from gitpod.v1.identity_pb2 import GetIDTokenRequest
from ona_sdk import create_client_from_env
assert "SUPERVISOR_ADDR" not in os.environ and "GITPOD_WORKSPACE_ID" not in os.environ
os.environ["ONA_API_KEY"] = open(os.environ["ONA_TOKEN_FILE"]).read()
identity = create_client_from_env().services.identity
print(identity.get_id_token(GetIDTokenRequest(audience=["x"])).token)
"""
    done = outside("idp", "dev", "--as", "ona", "--", sys.executable, "-c", script)
    assert done.returncode == 0, done.stderr
    claims = jwt.decode(done.stdout.strip(), options={"verify_signature": False})
    assert claims["environment_id"]


# The SDK's server, for the source `ona`.


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class Service(IdentityServiceSync):
    """Answers with tokens of the local Ona, or with an error, and records the requests."""

    def __init__(self, ona: Gp) -> None:
        self.ona = ona
        self.refusals: Iterator[ConnectError] = iter(())
        self.asked: list[tuple[GetIDTokenRequest, str | None]] = []
        self.given: list[str] = []

    def get_id_token(self, request: GetIDTokenRequest, ctx: Any) -> GetIDTokenResponse:
        self.asked.append((request, ctx.request_headers.get("authorization")))
        for refusal in self.refusals:
            raise refusal
        self.given.append(ask(self.ona, request))
        return GetIDTokenResponse(token=self.given[-1])


@pytest.fixture
def service(ona: Gp) -> Iterator[types.SimpleNamespace]:
    """The server below `/api`, and `gp` in an environment of it."""
    service = Service(ona)
    connect = IdentityServiceWSGIApplication(service)

    def below_api(environ: dict[str, Any], start: Any) -> Any:
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/api")
        # wsgiref's input stream has no end, but the server reads to the end before it refuses.
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        return connect(environ, start)

    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(WSGIServer(("127.0.0.1", 0), Quiet))
        listener.set_app(below_api)
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        stack.callback(thread.join)
        stack.callback(listener.shutdown)
        own = {"ONA_BASE_URL": f"http://127.0.0.1:{listener.server_port}/api"}
        yield types.SimpleNamespace(service=service, gp=Gp(ona.environment | own))


@pytest.mark.parametrize("flags", VERSIONS)
def test_the_generated_server_reads_the_request(service: types.SimpleNamespace, flags: tuple[str, ...]) -> None:
    token = service.gp.token("--audience=x", "--audience=ä y", *flags)
    assert service.service.given == [token]
    [(request, bearer)] = service.service.asked
    assert request == GetIDTokenRequest(audience=["x", "ä y"], version=VERSIONS[flags])
    assert bearer == "Bearer " + environment_token(service.gp)


@pytest.mark.parametrize(
    ("code", "exit_code", "hint"),
    [
        (Code.UNAUTHENTICATED, 4, "restart the environment"),
        (Code.PERMISSION_DENIED, 4, "Enterprise plan"),
        (Code.FAILED_PRECONDITION, 4, "Enterprise plan"),
        (Code.INVALID_ARGUMENT, 4, "Ona refuses the value of `--audience`"),
        (Code.OUT_OF_RANGE, 4, "try again"),
        (Code.NOT_FOUND, 4, "Ona does not know this environment"),
        (Code.ALREADY_EXISTS, 4, "try again"),
        (Code.ABORTED, 4, "try again"),
        (Code.CANCELED, 4, "try again"),
        (Code.UNIMPLEMENTED, 4, "the server that answered has no such API"),
        (Code.RESOURCE_EXHAUSTED, 6, "your settings are not the cause: try again"),
        (Code.UNAVAILABLE, 6, "your settings are not the cause: try again"),
        (Code.DEADLINE_EXCEEDED, 6, "your settings are not the cause: try again"),
        (Code.INTERNAL, 6, "your settings are not the cause: try again"),
        (Code.UNKNOWN, 6, "your settings are not the cause: try again"),
        (Code.DATA_LOSS, 6, "your settings are not the cause: try again"),
    ],
)
def test_each_code_of_the_protocol_is_explained(
    service: types.SimpleNamespace, code: Code, exit_code: int, hint: str
) -> None:
    service.service.refusals = itertools.repeat(ConnectError(code, "the reason"))
    done = service.gp("idp", "token", "--audience", "x", "--timeout", "9s")
    assert (done.returncode, done.stdout) == (exit_code, ""), done.stderr
    assert "the reason" in done.stderr
    assert code.value in done.stderr
    assert hint in done.stderr
    # Only temporary failures are retried.
    assert (len(service.service.asked) > 1) == (exit_code == 6)


def test_every_code_is_in_the_table() -> None:
    [table] = [mark for mark in test_each_code_of_the_protocol_is_explained.pytestmark if mark.name == "parametrize"]
    assert {code for code, _, _ in table.args[1]} == set(Code)


def test_a_rate_limit_is_retried(service: types.SimpleNamespace) -> None:
    service.service.refusals = itertools.repeat(ConnectError(Code.RESOURCE_EXHAUSTED, "too many requests"), 2)
    assert service.gp.token("--audience", "x") == service.service.given[0]
    assert len(service.service.asked) == 3
