"""`gp idp exchange` with third-party servers, and the local token endpoint with a third-party client."""

import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import flask
import google.auth.transport.requests
import google.oauth2.sts
import jwt
import pytest
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc7523 import JWTBearerGrant
from conftest import LIMIT, Gp
from joserfc.jwk import KeySet

HERE = pathlib.Path(__file__).parent

# Authlib's own switch for a server without TLS.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"


def fetch(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=LIMIT) as reply:
        return json.load(reply)


@contextlib.contextmanager
def serving(server: http.server.HTTPServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# Authlib: RFC 7523 section 2.1.


class TheClient(ClientMixin):
    """The client that represents the workspace's issuer."""

    def get_client_id(self) -> str:
        return "workspaces"

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == JWTBearerGrant.GRANT_TYPE


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def authlib(workspace: Gp) -> Iterator[str]:
    """The token endpoint of an authorization server built with Authlib."""
    issuer = workspace.environment["IDP_API_URL"] + "/idp"
    published = fetch(f"{issuer}/keys")

    class Grant(JWTBearerGrant):
        def get_audiences(self) -> list[str]:
            return ["https://as.example.com"]

        def resolve_issuer_client(self, issuer_: str) -> TheClient | None:
            return TheClient() if issuer_ == issuer else None

        def resolve_client_public_key(self, client: TheClient) -> Any:
            return KeySet.import_key_set(published)

        def authenticate_user(self, subject: str) -> str:
            return subject

        def has_granted_permission(self, client: TheClient, user: str) -> bool:
            return user == "https://github.com/gitpod-io/example"

    app = flask.Flask(__name__)
    server = AuthorizationServer(app, query_client=lambda _: None, save_token=lambda token, request: None)
    server.register_grant(Grant)

    @app.post("/token")
    def token() -> Any:
        return server.create_token_response()

    with WSGIServer(("127.0.0.1", 0), Quiet) as listener:
        listener.set_app(app)
        with serving(listener) as url:
            yield f"{url}/token"


def test_authlib_accepts_the_grant(workspace: Gp, authlib: str) -> None:
    done = workspace(
        *("idp", "exchange", "--grant", "jwt-bearer", "--token-endpoint", authlib),
        *("--audience", "https://as.example.com", "--scope", "read", "--format", "json"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert (answer["token_type"], answer["scope"]) == ("Bearer", "read")
    assert answer["access_token"]


@pytest.mark.parametrize(
    ("flags", "words", "hint"),
    [
        (("--audience", "other", "--grant", "jwt-bearer"), "aud", "the service expects another audience: give the expected one with `--audience`"),
        (("--audience", "https://as.example.com"), "unsupported_grant_type", "try `--grant jwt-bearer`"),
    ],
)
def test_a_refusal_by_authlib_is_explained(
    workspace: Gp, authlib: str, flags: tuple[str, ...], words: str, hint: str
) -> None:
    done = workspace("idp", "exchange", "--token-endpoint", authlib, *flags)
    assert (done.returncode, done.stdout) == (5, ""), done.stderr
    assert words in done.stderr
    assert hint in done.stderr
    assert "eyJ" not in done.stderr


def test_authlib_refuses_another_subject(start_workspace: Callable[..., Gp], authlib: str) -> None:
    other = start_workspace("--context-url", "https://github.com/somebody/else")
    done = other("idp", "exchange", "--grant", "jwt-bearer", "--token-endpoint", authlib, "--audience", "https://as.example.com")
    assert (done.returncode, done.stdout) == (5, "")
    assert "https://github.com/somebody/else" in done.stderr


# google-auth: RFC 8693, as the client of the local endpoint.


def test_google_auth_accepts_the_local_endpoint(workspace: Gp) -> None:
    client = google.oauth2.sts.Client(workspace.environment["IDP_TOKEN_ENDPOINT"])
    given = client.exchange_token(
        google.auth.transport.requests.Request(),
        "urn:ietf:params:oauth:grant-type:token-exchange",
        workspace.token("--audience", "oauth"),
        "urn:ietf:params:oauth:token-type:jwt",
        audience="x",
        scopes=["read", "write"],
        requested_token_type="urn:ietf:params:oauth:token-type:access_token",
    )
    assert given["token_type"] == "Bearer"
    assert given["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    assert given["scope"] == "read write"
    with pytest.raises(google.auth.exceptions.OAuthError, match="invalid_grant"):
        client.exchange_token(
            google.auth.transport.requests.Request(),
            "urn:ietf:params:oauth:grant-type:token-exchange",
            workspace.token("--audience", "wrong"),
            "urn:ietf:params:oauth:token-type:jwt",
        )


# oidc-provider: metadata.


@pytest.fixture
def oidc_provider() -> Iterator[str]:
    folder = HERE.parent / "oidc-provider"
    if not (folder / "node_modules/.package-lock.json").is_file():
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    process = subprocess.Popen(
        ["node", "server.js"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    yield next(line for line in process.stdout if line.startswith("http://")).strip()
    process.stdin.close()
    assert process.wait(LIMIT) == 0
    process.stdout.close()


def test_the_endpoint_of_oidc_provider_is_found(workspace: Gp, oidc_provider: str) -> None:
    assert fetch(f"{oidc_provider}/.well-known/openid-configuration")["token_endpoint"] == f"{oidc_provider}/token"
    done = workspace("idp", *("exchange", "--verbose", "--issuer", oidc_provider, "--audience", oidc_provider))
    # It does not support token exchange, and refuses the request.
    assert done.returncode == 5, done.stderr
    assert f"POST {oidc_provider}/token -> 400" in done.stderr
    assert "eyJ" not in done.stderr


# nginx: a page behind a check of the token.


class Check(http.server.BaseHTTPRequestHandler):
    """The target of `auth_request`: 204 for a token of the issuer with the audience of the page, else 401."""

    issuer = ""

    def do_GET(self) -> None:
        line = self.headers.get("authorization", "")
        keys = jwt.PyJWKSet.from_dict(fetch(f"{self.issuer}/keys"))
        try:
            assert line.startswith("Bearer ")
            token = line.removeprefix("Bearer ")
            key = keys[jwt.get_unverified_header(token)["kid"]]
            jwt.decode(token, key, ["RS256"], audience="https://page.example.com", issuer=self.issuer)
            self.send_response(204)
        except (AssertionError, jwt.PyJWTError):
            self.send_response(401)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def page(workspace: Gp, tmp_path: pathlib.Path) -> Iterator[str]:
    """nginx in front of a page; it redirects requests without a valid token to a login page."""
    nginx = shutil.which("nginx", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
    assert nginx, "nginx is not installed"
    handler = type("Checks", (Check,), {"issuer": workspace.environment["IDP_API_URL"] + "/idp"})
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as checker, serving(checker) as check:
        folders = "".join(
            f"{name}_temp_path {tmp_path}/{name}; " for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (tmp_path / "nginx.conf").write_text(f"""
            daemon off; pid {tmp_path}/pid; error_log {tmp_path}/log; worker_processes 1;
            events {{}}
            http {{
              access_log off; {folders}
              server {{
                listen 127.0.0.1:{port};
                location = /check {{
                  internal; proxy_pass {check}/; proxy_pass_request_body off; proxy_set_header Content-Length "";
                }}
                location /page {{
                  auth_request /check;
                  error_page 401 = @login;
                  alias {tmp_path}/page.txt; default_type text/plain;
                }}
                location @login {{ return 302 https://sso.example.com/login?state=secret; }}
              }}
            }}
        """)
        (tmp_path / "page.txt").write_text("the page\n")
        # The nginx workers run as another user.
        for folder in (tmp_path, *tmp_path.parents):
            if folder.stat().st_uid == os.getuid() and str(folder).startswith("/tmp/"):
                folder.chmod(folder.stat().st_mode | 0o055)
        process = subprocess.Popen([nginx, "-c", str(tmp_path / "nginx.conf")], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + LIMIT
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None and time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}/page"
        process.terminate()
        process.wait(LIMIT)


def test_a_page_behind_a_proxy_opens_with_a_header(workspace: Gp, page: str) -> None:
    done = workspace.bash(
        f"gp idp token --audience https://page.example.com --format header | curl -sS -w '%{{http_code}}' -H @- {page}"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "the page\n200", "")
    done = workspace.bash(
        f"gp idp token --audience https://other.example.com --format header | curl -sS -o /dev/null -w '%{{http_code}}' -H @- {page}"
    )
    assert done.stdout == "302"


def test_exec_token_gives_a_tool_the_token_in_a_variable(workspace: Gp, page: str) -> None:
    script = f"printf 'Authorization: Bearer %s' \"$PAGE_TOKEN\" | curl -sS -H @- {page}"
    done = workspace("idp", "exec", "token", "--audience", "https://page.example.com", "--env", "PAGE_TOKEN", "--", "sh", "-c", script)
    assert (done.returncode, done.stdout, done.stderr) == (0, "the page\n", "")


def test_a_login_page_in_front_of_an_endpoint_is_explained(workspace: Gp, page: str) -> None:
    done = workspace("idp", "exchange", "--token-endpoint", page, "--audience", "x")
    assert (done.returncode, done.stdout) == (6, "")
    assert re.search(r"redirects to https://sso\.example\.com/login \(HTTP 302\)\n", done.stderr), done.stderr
    assert "another program on this machine listens on " in done.stderr
    assert "secret" not in urllib.parse.unquote(done.stderr)
