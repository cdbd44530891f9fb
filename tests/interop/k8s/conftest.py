"""Fixtures for Kubernetes: an API server that trusts the local workspace's issuer, and two versions of `kubectl`."""

import datetime
import http.server
import ipaddress
import json
import pathlib
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator

import jwt
import pytest
from conftest import Gp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HERE = pathlib.Path(__file__).parent
# Programs of other packages, kept between runs.
TOOLS = HERE.parent / ".tools"
AUDIENCE = "kubernetes"

RESOURCES = {
    "/version": {"major": "1", "minor": "33", "gitVersion": "v1.33.0"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get", "list"]}
        ],
    },
    "/api/v1/namespaces/default/pods": {
        "kind": "PodList",
        "apiVersion": "v1",
        "metadata": {"resourceVersion": "1"},
        "items": [
            {
                "metadata": {"name": "web-1", "namespace": "default"},
                "spec": {"containers": []},
                "status": {"phase": "Running"},
            }
        ],
    },
}


def certificates(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """The certificate of an authority, and a chain with its key for 127.0.0.1."""
    now = datetime.datetime.now(datetime.UTC)

    def build(name: str, key: ec.EllipticCurvePrivateKey, issuer: str) -> x509.CertificateBuilder:
        def distinguished(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        builder = x509.CertificateBuilder(distinguished(issuer), distinguished(name), key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        hour = datetime.timedelta(hours=1)
        return builder.not_valid_before(now - hour).not_valid_after(now + hour)

    authority, server = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = build("test authority", authority, "test authority")
    root = root.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    root = root.sign(authority, hashes.SHA256())
    leaf = build("API server", server, "test authority")
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    leaf = leaf.add_extension(names, critical=False).sign(authority, hashes.SHA256())
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(root.public_bytes(pem))
    key = server.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(leaf.public_bytes(pem) + key)
    return folder / "ca.pem", folder / "server.pem"


class ApiServer(http.server.ThreadingHTTPServer):
    """Serves the paths that `kubectl get pods` requests, for tokens of one issuer and audience."""

    daemon_threads = True

    def __init__(self, issuer: str, folder: pathlib.Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.issuer = issuer
        self.keys = jwt.PyJWKClient(issuer + "/keys")
        # The accepted audience; and for each request its path, and the subject or the reason for a 401.
        self.audience = AUDIENCE
        self.judged: list[tuple[str, str]] = []
        self.tokens: list[str] = []
        # Tokens that it no longer accepts.
        self.refused: set[str] = set()
        self.ca, chain = certificates(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_port}"

    def judge(self, authorization: str) -> tuple[bool, str]:
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer":
            return False, "no bearer token"
        self.tokens.append(token)
        if token in self.refused:
            return False, "refused"
        try:
            key = self.keys.get_signing_key_from_jwt(token)
            claims = jwt.decode(token, key, algorithms=["RS256"], audience=self.audience, issuer=self.issuer)
        except jwt.PyJWTError as error:
            return False, type(error).__name__
        return True, claims["sub"]

    def handle_error(self, *_: object) -> None:
        """Ignores clients that disconnect."""


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ApiServer

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        accepted, said = self.server.judge(self.headers.get("Authorization", ""))
        self.server.judged.append((path, said))
        if not accepted:
            self.reply(401, {"reason": "Unauthorized", "message": "Unauthorized"})
        elif path not in RESOURCES:
            self.reply(404, {"reason": "NotFound", "message": "not found"})
        else:
            self.send(200, RESOURCES[path])

    def reply(self, status: int, reason: dict[str, str]) -> None:
        body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": status}
        self.send(status, body | reason)

    def send(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


@pytest.fixture(scope="session")
def issuer(workspace: Gp) -> str:
    return jwt.decode(workspace.token("--audience", "x"), options={"verify_signature": False})["iss"]


@pytest.fixture
def server(issuer: str, tmp_path: pathlib.Path) -> Iterator[ApiServer]:
    with ApiServer(issuer, tmp_path) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def home(workspace: Gp, tmp_path: pathlib.Path) -> Gp:
    """`gp` in the workspace with a home of its own."""
    (tmp_path / "home").mkdir()
    return Gp(workspace.environment | {"HOME": str(tmp_path / "home")})


def kubeconfig(gp: Gp) -> pathlib.Path:
    return pathlib.Path(gp.environment["HOME"], ".kube/config")


@pytest.fixture
def cluster(home: Gp, server: ApiServer) -> Gp:
    """A home folder whose kubeconfig has the API server as `prod`, and no user."""
    kubeconfig(home).parent.mkdir()
    kubeconfig(home).write_text(
        "# made by hand\n"
        "apiVersion: v1\n"
        "kind: Config\n"
        "clusters:\n"
        "- name: prod\n"
        f"  cluster: {{server: '{server.url}', certificate-authority: {server.ca}}}\n"
    )
    return home


def debian() -> str:
    """Debian's `kubectl`, unpacked beside the tests, because an installed one may have another version."""
    program = TOOLS / "kubernetes-client/usr/bin/kubectl"
    if not program.is_file():
        folder = TOOLS / "download"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        download = ["apt-get", "download", "-qq", "kubernetes-client"]
        if subprocess.run(download, cwd=folder, capture_output=True, check=False).returncode != 0:
            subprocess.run(["apt-get", "update", "-qq"], check=True, capture_output=True)
            subprocess.run(download, cwd=folder, check=True, capture_output=True)
        (package,) = folder.glob("*.deb")
        unpacked = folder / "unpacked"
        subprocess.run(["dpkg-deb", "-x", package, unpacked], check=True)
        unpacked.replace(TOOLS / "kubernetes-client")
        shutil.rmtree(folder)
    return str(program)


def newer() -> str:
    """The installed `kubectl`, if it supports v1 of the plugin interface; else the test is skipped."""
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("no other kubectl is installed")
    # The `kubectl` of Google's SDK is a wrapper for the versions beside it, and runs a failing one twice.
    others = pathlib.Path(program).resolve().parent.glob("kubectl.1.*")
    program = str(max(others, key=lambda path: int(path.suffix[1:]), default=program))
    done = subprocess.run([program, "version", "--client", "-o", "json"], capture_output=True, check=True)
    version = json.loads(done.stdout)["clientVersion"]
    if (int(version["major"]), int(version["minor"].rstrip("+"))) < (1, 22):
        pytest.skip("the installed kubectl is too old")
    return program


class Kubectl:
    """Runs a `kubectl` in the environment of the first argument."""

    def __init__(self, program: str, versions: list[str]) -> None:
        self.program = program
        # The versions of the plugin interface that it supports.
        self.versions = versions

    def __call__(self, gp: Gp, *arguments: str) -> subprocess.CompletedProcess[str]:
        return gp.run([self.program, *arguments])


@pytest.fixture(params=["debian", "newer"])
def kubectl(request: pytest.FixtureRequest) -> Kubectl:
    if request.param == "debian":
        return Kubectl(debian(), ["v1beta1"])
    return Kubectl(newer(), ["v1beta1", "v1"])


@pytest.fixture
def writer() -> Kubectl:
    """A `kubectl` that can change a kubeconfig: Debian's 1.20.2 crashes in `config set-credentials`."""
    return Kubectl(newer(), ["v1beta1", "v1"])
