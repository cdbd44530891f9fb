"""Fixtures for AWS: moto as STS and IAM, and relays that count requests."""

import collections
import contextlib
import http.client
import http.server
import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator

import pytest
from conftest import LIMIT, Gp

ROLE = "arn:aws:iam::123456789012:role/deploy"


class Relay(http.server.ThreadingHTTPServer):
    """Forwards requests to another server, and counts them by AWS action, else by the last part of the path."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), ForwardingHandler)
        self.target = urllib.parse.urlsplit(target).netloc
        self.counts: collections.Counter[str] = collections.Counter()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class ForwardingHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Relay

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        action = urllib.parse.parse_qs(body.decode("utf-8", "replace")).get("Action")
        with self.server.lock:
            self.server.counts[action[0] if action else self.path.rpartition("/")[2]] += 1
        connection = http.client.HTTPConnection(self.server.target, timeout=LIMIT)
        connection.request(self.command, self.path, body, dict(self.headers))
        reply = connection.getresponse()
        content = reply.read()
        self.send_response(reply.status)
        for name, value in reply.getheaders():
            if name.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    do_POST = do_PUT = do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def relay_to(target: str) -> Iterator[Relay]:
    with Relay(target) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a moto server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = pathlib.Path(sys.executable).with_name("moto_server")
    log = tmp_path_factory.mktemp("moto") / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [program, "-H", "127.0.0.1", "-p", str(port)], stdout=output, stderr=output, stdin=subprocess.DEVNULL
        )
    deadline = time.monotonic() + LIMIT
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            break
        assert server.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait(LIMIT)


@pytest.fixture
def sts(moto: str) -> Iterator[Relay]:
    """moto behind a relay that counts requests."""
    with relay_to(moto) as server:
        yield server


@pytest.fixture
def api(workspace: Gp) -> Iterator[Relay]:
    """The workspace's API behind a relay that counts requests."""
    with relay_to(workspace.environment["IDP_API_URL"]) as server:
        yield server


@pytest.fixture
def aws(workspace: Gp, sts: Relay, api: Relay, tmp_path: pathlib.Path) -> Gp:
    """`gp` and the AWS CLI in a workspace whose STS is moto, with a home of their own."""
    home = tmp_path / "home"
    home.mkdir()
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "aws").symlink_to(pathlib.Path(sys.executable).with_name("aws"))
    kept = {name: value for name, value in workspace.environment.items() if not name.startswith("AWS_")}
    return Gp(
        kept
        | {
            "HOME": str(home),
            "PATH": f"{tools}:{workspace.environment['PATH']}",
            "IDP_API_URL": api.url,
            "IDP_AWS_ROLE_ARN": ROLE,
            "AWS_ENDPOINT_URL": sts.url,
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    )


@pytest.fixture
def python(aws: Gp) -> Callable[[str], str]:
    """Runs a Python script with boto3 in that environment and returns what it prints."""

    def run(script: str, **environment: str) -> str:
        found = shutil.which(sys.executable) or sys.executable
        done = Gp(aws.environment | environment).run([found, "-c", script])
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    return run
