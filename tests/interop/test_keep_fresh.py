"""SDKs read a token file that `gp idp token --keep-fresh` renews."""

import datetime
import http.server
import pathlib
import subprocess
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator

import botocore.session
import google.auth.transport.requests
import jwt
import pytest
from entra.conftest import Front
from azure.identity import WorkloadIdentityCredential
from azure.identity._credentials import workload_identity
from conftest import LIMIT, Gp
from google.auth import identity_pool

# A token is valid for six seconds, so it is renewed after four.
LIFE = 6


@pytest.fixture(scope="module")
def short_lived(start_workspace: Callable[..., Gp]) -> Gp:
    return start_workspace("--lifetime", f"{LIFE}s")


class Kept:
    """A running `gp idp token --keep-fresh`."""

    def __init__(self, gp: Gp, path: pathlib.Path, audience: str) -> None:
        self.path = path
        gp_path = gp.run(["sh", "-c", "command -v gp"]).stdout.strip()
        command = [gp_path, "idp", "token", "--audience", audience, "--output", str(path), "--keep-fresh"]
        self.process = subprocess.Popen(command, env=gp.environment, stderr=subprocess.DEVNULL)
        self.wait_for_another("")

    def wait_for_another(self, old: str) -> str:
        deadline = time.monotonic() + LIMIT
        while True:
            token = self.path.read_text() if self.path.exists() else ""
            if token != old:
                return token
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.fixture
def keep(short_lived: Gp, tmp_path: pathlib.Path) -> Iterator[Callable[[str], Kept]]:
    started: list[Kept] = []

    def start(audience: str) -> Kept:
        started.append(Kept(short_lived, tmp_path / "token", audience))
        return started[-1]

    yield start
    for kept in started:
        kept.process.terminate()
        assert kept.process.wait(LIMIT) == 0


def assert_fresh(tokens: list[str], times: list[float]) -> None:
    """Four different tokens, each valid when it was sent."""
    assert len(set(tokens)) == len(tokens) == 4
    for token, at in zip(tokens, times, strict=True):
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["iat"] - 1 <= at < claims["exp"]


def test_google_auth(short_lived: Gp, keep: Callable[[str], Kept]) -> None:
    provider = f"//iam.googleapis.com/{short_lived.environment['IDP_GCP_WORKLOAD_IDENTITY_PROVIDER']}"
    kept = keep(f"https:{provider}")
    credentials = identity_pool.Credentials.from_info(
        {
            "type": "external_account",
            "audience": provider,
            "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            "token_url": short_lived.environment["CLOUDSDK_API_ENDPOINT_OVERRIDES_STS"] + "v1/token",
            "credential_source": {"file": str(kept.path)},
        },
        scopes=["https://www.googleapis.com/auth/cloud-platform"],
    )
    given, tokens, times = [], [], []
    for _ in range(4):
        tokens.append(kept.path.read_text())
        times.append(time.time())
        # The local STS refuses a token from the second of its expiry on.
        credentials.refresh(google.auth.transport.requests.Request())
        given.append(credentials.token)
        kept.wait_for_another(tokens[-1])
    assert len(set(given)) == 4
    assert_fresh(tokens, times)


def test_azure_identity(
    short_lived: Gp, keep: Callable[[str], Kept], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keep("api://AzureADTokenExchange")
    (tmp_path / "tls").mkdir()
    front = Front(short_lived.environment["IDP_API_URL"], tmp_path / "tls")
    threading.Thread(target=front.serve_forever, daemon=True).start()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(front.ca))

    class Hurried:
        """A clock for the credential alone, which reads the file only every ten minutes."""

        passed = 0.0

        @classmethod
        def time(cls) -> float:
            return time.time() + cls.passed

    monkeypatch.setattr(workload_identity, "time", Hurried)
    environment = short_lived.environment
    credential = WorkloadIdentityCredential(
        tenant_id=environment["AZURE_TENANT_ID"],
        client_id=environment["AZURE_CLIENT_ID"],
        token_file_path=str(kept.path),
        authority=front.url,
    )
    times = []
    for number in range(4):
        now = kept.path.read_text()
        times.append(time.time())
        # Another resource each time, because the credential caches access tokens.
        assert credential.get_token(f"https://{number}.example.com/.default").token.startswith("dev-entra-")
        Hurried.passed += 601
        kept.wait_for_another(now)
    front.shutdown()
    front.server_close()
    assert_fresh(front.assertions, times)


class Sts(http.server.BaseHTTPRequestHandler):
    """STS whose credentials are valid for a minute, so that botocore renews them at every use."""

    tokens: list[str] = []

    def do_POST(self) -> None:
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        self.tokens.append(form["WebIdentityToken"][0])
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=1)
        content = (
            '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            "<AssumeRoleWithWebIdentityResult><Credentials>"
            f"<AccessKeyId>ASIA{len(self.tokens)}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            f"<SessionToken>t</SessionToken><Expiration>{end.isoformat()}</Expiration></Credentials>"
            "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
        ).encode()
        self.send_response(200)
        self.send_header("content-type", "text/xml")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        pass


def test_botocore(
    keep: Callable[[str], Kept], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keep("sts.amazonaws.com")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sts)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = {
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(kept.path),
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/deploy",
        "AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{server.server_port}",
        "AWS_REGION": "eu-central-1",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    credentials = botocore.session.Session().get_credentials()
    keys, times = [], []
    for _ in range(4):
        now = kept.path.read_text()
        times.append(time.time())
        keys.append(credentials.get_frozen_credentials().access_key)
        kept.wait_for_another(now)
    server.shutdown()
    server.server_close()
    assert keys == ["ASIA1", "ASIA2", "ASIA3", "ASIA4"]
    assert_fresh(Sts.tokens, times)
