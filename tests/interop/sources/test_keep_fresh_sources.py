"""`--keep-fresh` and `serve aws` with each kind of source, during a minute without the issuer and during clock jumps.
Meanwhile, the SDKs of AWS, Google and Azure get credentials."""

import contextlib
import dataclasses
import datetime
import functools
import http.client
import http.server
import itertools
import json
import pathlib
import re
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator

import boto3
import botocore.credentials
import botocore.loaders
import botocore.session
import google.auth.transport.requests
import jwt
import pytest
from azure.identity import WorkloadIdentityCredential
from conftest import LIMIT, Gp
from entra.conftest import Front
from google.auth import identity_pool

AWS, AZURE = "sts.amazonaws.com", "api://AzureADTokenExchange"
# The command for each reader; the last reader is boto3 again, with the endpoint.
COMMANDS = {
    "boto3": ["token", "--audience", AWS, "--output", "FILE", "--keep-fresh"],
    "google-auth": ["login", "gcp", "--file-sourced", "--token-file", "FILE", "--keep-fresh"],
    "azure-identity": ["login", "azure", "--output", "FILE", "--keep-fresh"],
    "serve": ["serve", "aws"],
}
READERS = list(COMMANDS)
# The variables with the addresses of the services that mint tokens.
ADDRESSES = {
    "gitpod": ["SUPERVISOR_ADDR", "IDP_API_URL"],
    "ona": ["ONA_BASE_URL"],
    "github": ["ACTIONS_ID_TOKEN_REQUEST_URL"],
    "buildkite": ["BUILDKITE_AGENT_ENDPOINT"],
}
# Each kind of source, and the platform that mints its tokens.
SOURCES = {
    "supervisor": "gitpod",
    "ona": "ona",
    "github": "github",
    "buildkite": "buildkite",
    "command": "gitpod",
    "file": "gitpod",
}

# Seconds. The issuer is down for a minute. A token is valid for a little longer: its renewal is due after 53 seconds,
# during the outage. It expires 20 seconds after the outage, or earlier, because the commands start one after the other.
OUTAGE = 60
TOKEN_LIFETIME = 80
# The maximum time until there is a new token: a pause ends before the old one expires.
RECOVERY = TOKEN_LIFETIME - OUTAGE - 3
# The interval between two reads of the files.
POLL_INTERVAL = 0.02

# The clock jumps by two hours, and half a minute more, so that messages say "2 h" for a while.
JUMP = 2 * 3600 + 30
# The lifetime of the tokens then: they are renewed after 12 seconds.
SHORT_LIFETIME = 18
# How long the clock is wrong: long enough for each token to be renewed.
WRONG_CLOCK_TIME = 16
# How long the trial continues afterwards: a pause after four failures may last 16 seconds.
AFTERWARDS = 19


# The way to the issuer.


class IssuerRelay(http.server.ThreadingHTTPServer):
    """Forwards requests to an issuer and counts the mints. It can be cut, and redirected to another issuer."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, target: str, secret: str) -> None:
        super().__init__(("127.0.0.1", 0), ForwardingHandler)
        self.target, self.secret, self.own_secret = target, secret, secret
        self.mints: list[float] = []
        self.serve()

    def serve(self) -> None:
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def cut(self) -> None:
        """New connections are refused. The port stays taken."""
        self.shutdown()
        self.thread.join()
        self.socket.close()
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        deadline = time.monotonic() + LIMIT
        while True:
            # A process that another thread has just forked has the old socket until it runs its program.
            try:
                self.socket.bind(("127.0.0.1", self.server_port))
                return
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.01)

    def restore(self) -> None:
        self.socket.listen(self.request_queue_size)
        self.serve()

    def close(self) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


class ForwardingHandler(http.server.BaseHTTPRequestHandler):
    server: IssuerRelay

    def do_GET(self) -> None:
        line = self.server
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = dict(self.headers)
        # Another issuer knows this job by another secret.
        if line.own_secret and "authorization" in self.headers:
            name = next(name for name in headers if name.lower() == "authorization")
            headers[name] = headers[name].replace(line.own_secret, line.secret)
        connection = http.client.HTTPConnection(line.target, timeout=LIMIT)
        connection.request(self.command, self.path, body, headers)
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        if re.search(r"GetIDToken$|/idtoken\?|/oidc/tokens$", self.path):
            line.mints.append(time.monotonic())
        # The client may have disconnected.
        with contextlib.suppress(ConnectionError):
            self.send_response(reply.status)
            self.send_header("content-type", reply.getheader("content-type", "text/plain"))
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


def secret_of(platform: str, gp: Gp) -> str:
    """The secret that a process sends to this issuer; empty if it gets one from the supervisor first."""
    environment = gp.environment
    return {
        "gitpod": lambda: "",
        "ona": lambda: pathlib.Path(environment["ONA_TOKEN_FILE"]).read_text().strip(),
        "github": lambda: environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
        "buildkite": lambda: environment["BUILDKITE_AGENT_ACCESS_TOKEN"],
    }[platform]()


def host_of(address: str) -> str:
    return urllib.parse.urlsplit(address).netloc or address


class Job:
    """A job or workspace that reaches its issuer through lines."""

    def __init__(self, platform: str, gp: Gp) -> None:
        self.platform, self.inner = platform, gp
        found = {name: gp.environment[name] for name in ADDRESSES[platform]}
        secret = secret_of(platform, gp)
        self.lines = {name: IssuerRelay(host_of(address), secret) for name, address in found.items()}
        led = {
            name: address.replace(host_of(address), f"127.0.0.1:{self.lines[name].server_port}")
            for name, address in found.items()
        }
        self.gp = Gp(gp.environment | led)

    def redirect_to(self, gp: Gp) -> None:
        secret = secret_of(self.platform, gp)
        for name, line in self.lines.items():
            line.target, line.secret = host_of(gp.environment[name]), secret

    @property
    def mints(self) -> list[float]:
        return [at for line in self.lines.values() for at in line.mints]

    def close(self) -> None:
        for line in self.lines.values():
            line.close()


# What is kept fresh, and a check every 20 ms.


def keys_of(gp: Gp) -> dict[str, jwt.PyJWK]:
    """The keys of an issuer."""
    url = gp.environment["IDP_API_URL"] + "/idp/.well-known/openid-configuration"
    with urllib.request.urlopen(url, timeout=LIMIT) as reply:
        found = json.load(reply)
    return {key.key_id: key for key in jwt.PyJWKClient(found["jwks_uri"]).get_signing_keys()}


def program_of(gp: Gp) -> str:
    return gp.run(["sh", "-c", "command -v gp"]).stdout.strip()


class Kept:
    """A running `gp`, and its output."""

    def __init__(self, gp: Gp, folder: pathlib.Path, *arguments: str) -> None:
        folder.mkdir(parents=True)
        self.path, self.log, self.printed = folder / "token", folder / "stderr", folder / "stdout"
        words = [str(self.path) if word == "FILE" else word for word in arguments]
        home = {"HOME": str(folder)}
        with self.log.open("w") as stderr, self.printed.open("w") as stdout:
            self.process = subprocess.Popen(
                [program_of(gp), "idp", *words],
                env=gp.environment | home,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )

    def said(self) -> str:
        return self.log.read_text()

    def wait_until(self, holds: Callable[[], bool], limit: float = LIMIT) -> None:
        deadline = time.monotonic() + limit
        while not holds():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(POLL_INTERVAL)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(LIMIT) == 0, self.said()
        assert "eyJ" not in self.said()


@dataclasses.dataclass
class FileHistory:
    """The content of a file over time: each token with the time of its first appearance, and all problems."""

    tokens: list[tuple[float, dict[str, int]]] = dataclasses.field(default_factory=list)
    wrong: list[str] = dataclasses.field(default_factory=list)
    content: bytes = b""

    def judge(self, content: bytes, keys: dict[str, jwt.PyJWK], judges_time: bool) -> None:
        now = time.time()
        if content != self.content:
            self.content = content
            try:
                key = keys[jwt.get_unverified_header(content)["kid"]]
                options = {"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
                self.tokens.append((now, jwt.decode(content, key, ["RS256"], options=options)))
            except (jwt.InvalidTokenError, KeyError) as error:
                self.wrong.append(f"{error!r} in {content[:20]!r}… of {len(content)} bytes")
        if judges_time and self.tokens and now >= self.tokens[-1][1]["exp"]:
            self.wrong.append(f"expired {now - self.tokens[-1][1]['exp']:.1f} s ago")


class Watch:
    """Checks files until it is closed. Each file already has its first token."""

    def __init__(self, paths: dict[str, pathlib.Path], keys: dict[str, jwt.PyJWK], judges_time: bool = True) -> None:
        self.paths, self.keys, self.judges_time = paths, keys, judges_time
        self.seen = {name: FileHistory() for name in paths}
        self.looks = 0
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def look(self) -> None:
        while not self.ends.wait(POLL_INTERVAL):
            self.looks += 1
            for name, path in self.paths.items():
                try:
                    self.seen[name].judge(path.read_bytes(), self.keys, self.judges_time)
                except OSError as error:
                    self.seen[name].wrong.append(repr(error))

    def close(self) -> None:
        self.ends.set()
        self.thread.join()


# The SDKs.


class Sts(http.server.ThreadingHTTPServer):
    """An STS whose credentials are valid for as long as the tokens, and which refuses expired tokens."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Assume)
        self.numbers = itertools.count(1)
        # When each access key was issued.
        self.issued_at: dict[str, float] = {}
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


class Assume(http.server.BaseHTTPRequestHandler):
    server: Sts

    def do_POST(self) -> None:
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        token = jwt.decode(form["WebIdentityToken"][0], options={"verify_signature": False})
        if time.time() >= token["exp"] or AWS not in token["aud"]:
            error = b"<Error><Code>ExpiredTokenException</Code><Message>no</Message></Error>"
            self.answer(400, b"<ErrorResponse>" + error + b"</ErrorResponse>")
            return
        key = f"ASIA{next(self.server.numbers)}"
        self.server.issued_at[key] = time.time()
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=TOKEN_LIFETIME)
        content = (
            '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            "<AssumeRoleWithWebIdentityResult><Credentials>"
            f"<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            f"<SessionToken>t</SessionToken><Expiration>{end:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>"
            "<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/dev/s</Arn></AssumedRoleUser>"
            "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
        )
        self.answer(200, content.encode())

    def answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "text/xml")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


# Shared, because each session would read the models of AWS's services again.
MODELS = botocore.loaders.create_loader()


def boto3_reads(gp: Gp, path: pathlib.Path) -> Callable[[], str]:
    config = path.with_name("config")
    config.write_text(
        "[default]\n"
        f"web_identity_token_file = {path}\n"
        f"role_arn = {gp.environment['IDP_AWS_ROLE_ARN']}\n"
        f"endpoint_url = {gp.environment['AWS_ENDPOINT_URL_STS']}\n"
        "region = eu-central-1\n"
    )

    def read() -> str:
        session = botocore.session.Session(profile="default")
        session.register_component("data_loader", MODELS)
        session.set_config_variable("config_file", str(config))
        session.set_config_variable("credentials_file", str(config.with_name("none")))
        credentials = boto3.Session(botocore_session=session).get_credentials()
        return credentials.get_frozen_credentials().access_key

    return read


def google_reads(home: pathlib.Path) -> Callable[[], str]:
    configuration = home / ".config/gcloud/application_default_credentials.json"
    scopes = ["https://www.googleapis.com/auth/cloud-platform"]
    credentials = identity_pool.Credentials.from_file(str(configuration), scopes=scopes)

    def read() -> str:
        credentials.refresh(google.auth.transport.requests.Request())
        return credentials.token

    return read


def azure_reads(gp: Gp, path: pathlib.Path, front: Front) -> Callable[[], str]:
    def read() -> str:
        # A new credential each time: one credential reads the file only every ten minutes.
        with WorkloadIdentityCredential(
            tenant_id=gp.environment["AZURE_TENANT_ID"],
            client_id=gp.environment["AZURE_CLIENT_ID"],
            token_file_path=str(path),
            authority=front.url,
            connection_verify=str(front.ca),
        ) as credential:
            return credential.get_token("https://management.azure.com/.default").token

    return read


def endpoint_reads(printed: pathlib.Path) -> Callable[[], str]:
    lines = [line.removeprefix("export ").split("=", 1) for line in printed.read_text().splitlines()]
    variables = {name: value for name, value in lines if name.startswith("AWS_CONTAINER_")}

    def read() -> str:
        credentials = botocore.credentials.ContainerProvider(environ=variables).load()
        return credentials.get_frozen_credentials().access_key

    return read


class Reading:
    """An SDK that gets credentials repeatedly."""

    def __init__(self, read: Callable[[], str], interval: float) -> None:
        self.read, self.interval = read, interval
        self.given: list[str] = []
        self.wrong: list[str] = []
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.go_on)
        self.thread.start()

    def go_on(self) -> None:
        while not self.ends.wait(self.interval):
            try:
                self.given.append(self.read())
            except Exception as error:  # Any exception means that the SDK has no credentials.
                self.wrong.append(f"{time.time():.1f}: {error!r}")

    def close(self) -> None:
        self.ends.set()
        self.thread.join()


# Each source, with each reader.


class Script:
    """A script that runs until it is ended, and writes a file."""

    def __init__(self, gp: Gp, written: pathlib.Path, script: str, *arguments: str) -> None:
        self.process = subprocess.Popen(
            ["sh", "-c", script, "sh", *arguments],
            env=gp.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + LIMIT
        while not written.exists():
            assert time.monotonic() < deadline
            time.sleep(POLL_INTERVAL)

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(LIMIT)


def helper(gp: Gp, folder: pathlib.Path, audience: str, every: float) -> Script:
    """Renews the file of `file:PATH`: a new token every few seconds, and none while the issuer is down."""
    folder.mkdir(parents=True)
    script = (
        'while :; do gp idp token --source supervisor --timeout 1s --audience "$1" --output "$2"; sleep "$3"; done'
    )
    return Script(gp, folder / "source", script, audience, str(folder / "source"), str(every))


def audiences_of(gp: Gp) -> dict[str, str]:
    google = "https://iam.googleapis.com/" + gp.environment["IDP_GCP_WORKLOAD_IDENTITY_PROVIDER"]
    return {"boto3": AWS, "google-auth": google, "azure-identity": AZURE, "serve": AWS}


class SourceUnderTest:
    """One kind of source with the running command of each reader, in an environment with the variables `added`."""

    def __init__(
        self,
        source: str,
        job: Job,
        readers: list[str],
        folder: pathlib.Path,
        stack: contextlib.ExitStack,
        sts: Sts,
        added: dict[str, str],
        every: float,
    ) -> None:
        self.job = job
        self.kept: dict[str, Kept] = {}
        self.reads: dict[str, Callable[[], str]] = {}
        place = folder / source
        audiences = audiences_of(job.inner)
        own_sts = {"AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{sts.server_port}", "AWS_REGION": "eu-central-1"}
        for reader in readers:
            own = place / reader
            gp = Gp(job.gp.environment | added | (own_sts if reader == "serve" else {}))
            # In a workspace whose supervisor does not answer, `gp` waits until the time limit.
            flags = {
                "supervisor": ["--timeout", "4s"],
                "command": ["--source", "command:gp idp token --source supervisor --timeout 4s --audience {audience}"],
                "file": ["--source", f"file:{own}-file/source"],
            }.get(source, [])
            if source == "file":
                stack.callback(helper(gp, place / f"{reader}-file", audiences[reader], every).end)
            self.kept[reader] = Kept(gp, own, *COMMANDS[reader], *flags)
            stack.callback(self.kept[reader].end)
        for reader, kept in self.kept.items():
            kept.wait_until(lambda kept=kept: "until interrupted" in kept.said())
            self.reads[reader] = reader_of(reader, job.inner, kept, stack)


def reader_of(reader: str, gp: Gp, kept: Kept, stack: contextlib.ExitStack) -> Callable[[], str]:
    """Returns a function that gets credentials with an SDK from the services of this workspace."""
    if reader == "boto3":
        return boto3_reads(gp, kept.path)
    if reader == "google-auth":
        return google_reads(kept.path.parent)
    if reader == "azure-identity":
        return azure_reads(gp, kept.path, tls_in_front_of(gp, kept, stack))
    return endpoint_reads(kept.printed)


def tls_in_front_of(gp: Gp, kept: Kept, stack: contextlib.ExitStack) -> Front:
    folder = kept.path.parent / "tls"
    folder.mkdir()
    front = Front(gp.environment["IDP_API_URL"], folder)
    thread = threading.Thread(target=front.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    stack.callback(front.server_close)
    stack.callback(thread.join)
    stack.callback(front.shutdown)
    return front


class Trial:
    """A fault for all sources at once, and the observations during it. All tests check these observations."""

    # Seconds between two requests of an SDK.
    interval: float

    def __init__(
        self, kinds: dict[str, SourceUnderTest], stack: contextlib.ExitStack, more_keys: dict[str, jwt.PyJWK] | None = None
    ) -> None:
        self.kinds, more_keys = kinds, more_keys or {}
        every = {(name, reader): kept for name, kind in kinds.items() for reader, kept in kind.kept.items()}
        self.kept: dict[tuple[str, str], Kept] = every
        self.keys: dict[str, jwt.PyJWK] = {}
        for kind in kinds.values():
            self.keys |= keys_of(kind.job.inner)
        paths = {key: kept.path for key, kept in every.items() if key[1] != "serve"}
        # With tokens of issuers whose clocks are wrong, the times mean nothing.
        self.watch = Watch(paths, self.keys | more_keys, judges_time=not more_keys)
        stack.callback(self.watch.close)
        self.reading: dict[tuple[str, str], Reading] = {}
        for name, kind in kinds.items():
            for reader, read in kind.reads.items():
                self.reading[name, reader] = Reading(read, self.interval)
                stack.callback(self.reading[name, reader].close)
        self.cancelled = threading.Event()
        self.thread = threading.Thread(target=self.go)
        self.thread.start()
        stack.callback(self.thread.join)
        stack.callback(self.cancelled.set)

    def go(self) -> None:
        self.begun = time.time()
        self.run_fault()
        self.over = time.time()
        self.said = {key: kept.said() for key, kept in self.kept.items()}
        for reading in self.reading.values():
            reading.ends.set()
        self.watch.ends.set()

    def run_fault(self) -> None:
        raise NotImplementedError

    def tokens_between(self, key: tuple[str, str], begin: float, end: float) -> int:
        """The number of new tokens in a file between two times."""
        self.thread.join()
        return sum(begin < at < end for at, _ in self.watch.seen[key].tokens)


# Sources with a single token. These tests run first: the others wait for trials that are already running.

SINGLE_TOKEN_LIFETIME = 12


@pytest.fixture(scope="module")
def single(start_workspace: Callable[..., Gp]) -> dict[str, Callable[[str], tuple[Gp, list[str]]]]:
    """`gp` with a token that was minted before it starts, and its arguments."""

    def gitlab(audience: str) -> tuple[Gp, list[str]]:
        return start_workspace("--as", "gitlab", "--lifetime", f"{SINGLE_TOKEN_LIFETIME}s", "--id-token", f"TOKEN={audience}"), []

    def env(audience: str) -> tuple[Gp, list[str]]:
        gp = start_workspace("--lifetime", f"{SINGLE_TOKEN_LIFETIME}s")
        return Gp(gp.environment | {"STEP_TOKEN": gp.token("--audience", audience)}), ["--source", "env:STEP_TOKEN"]

    return {"gitlab": gitlab, "env": env}


@pytest.mark.parametrize("source", ["gitlab", "env"])
def test_a_single_token_is_kept_only_with_until_expiry(
    single: dict[str, Callable[[str], tuple[Gp, list[str]]]], workspace: Gp, tmp_path: pathlib.Path, source: str
) -> None:
    audiences = audiences_of(workspace)
    kept: list[Kept] = []
    with contextlib.ExitStack() as stack:
        for reader, audience in audiences.items():
            gp, flags = single[source](audience)
            home = tmp_path / f"{reader}-refused"
            home.mkdir()
            words = [str(home / "token") if word == "FILE" else word for word in COMMANDS[reader]]
            refused = Gp(gp.environment | {"HOME": str(home)})("idp", *words, *flags)
            assert (refused.returncode, refused.stdout) == (2, ""), refused.stderr
            what = rf"the source `{source}` has only one token, which expires at 20\S+Z \(in \d+ s\)"
            assert re.search(what, refused.stderr), refused.stderr
            assert "`--until-expiry`" in refused.stderr
            assert list(home.rglob("*token*")) == []
            if reader == "serve":
                continue
            keeper = Kept(gp, tmp_path / reader, *COMMANDS[reader], *flags, "--until-expiry")
            stack.callback(keeper.end)
            kept.append(keeper)
            keeper.wait_until(lambda keeper=keeper: "until interrupted" in keeper.said())
            assert reader_of(reader, gp, keeper, stack)()
        last = "error: the token expired, and the source has no more ID tokens\nhint: "
        for keeper in kept:
            token = keeper.path.read_text()
            assert keeper.process.wait(LIMIT) == 3
            assert keeper.said().count(last) == 1
            assert keeper.path.read_text() == token
            assert 0 <= time.time() - jwt.decode(token, options={"verify_signature": False})["exp"]


# The outage.


class Outage(Trial):
    interval = 1

    def __init__(self, kinds: dict[str, SourceUnderTest], stack: contextlib.ExitStack, sts: Sts) -> None:
        self.sts = sts
        super().__init__(kinds, stack)

    def run_fault(self) -> None:
        self.cancelled.wait(1)
        lines = [line for kind in self.kinds.values() for line in kind.job.lines.values()]
        for line in lines:
            line.cut()
        self.cut = time.time()
        self.cancelled.wait(OUTAGE)
        self.said_meanwhile = {key: kept.said() for key, kept in self.kept.items()}
        self.back = time.time()
        for line in lines:
            line.restore()
        self.cancelled.wait(RECOVERY)

    def renewals(self, key: tuple[str, str]) -> list[float]:
        """When the credentials that an SDK got were renewed."""
        return [self.sts.issued_at[given] for given in dict.fromkeys(self.reading[key].given)][1:]


@pytest.fixture(scope="module")
def issuer(start_workspace: Callable[..., Gp]) -> Callable[..., Gp]:
    """A job of this platform. `lifetime` is that of its tokens, `offset` that of the issuer's clock, both in seconds."""

    @functools.cache
    def start(platform: str, lifetime: int, offset: int = 0) -> Gp:
        return start_workspace("--as", platform, "--lifetime", f"{lifetime}s", f"--clock-offset={offset}s")

    return start


@pytest.fixture(scope="module", autouse=True)
def outage(issuer: Callable[..., Gp], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    """Starts before the first test of this file, and runs in parallel with the tests."""
    folder = tmp_path_factory.mktemp("outage")
    with contextlib.ExitStack() as stack:
        sts = Sts()
        stack.callback(sts.close)
        kinds = {}
        for source, platform in SOURCES.items():
            job = Job(platform, issuer(platform, TOKEN_LIFETIME))
            stack.callback(job.close)
            kinds[source] = SourceUnderTest(source, job, READERS, folder, stack, sts, {}, 2)
        yield Outage(kinds, stack, sts)


EACH = [
    pytest.param(source, reader, id=f"{source}-{reader}") for source in SOURCES for reader in READERS
]


@pytest.mark.parametrize(("source", "reader"), EACH)
def test_a_minute_without_the_issuer(outage: Outage, source: str, reader: str) -> None:
    outage.thread.join()
    key = source, reader
    said, reading = outage.said[key], outage.reading[key]
    # The SDK gets credentials at every request.
    assert reading.wrong == []
    assert len(reading.given) > OUTAGE / 4
    # A few warnings say that the renewal failed.
    if source != "file":
        what = "the credentials; the old ones expire" if reader == "serve" else "the token; the old one expires"
        warnings = re.findall(f"^warning: could not renew {what} in \\d+ s$", outage.said_meanwhile[key], re.M)
        assert 1 <= len(warnings) <= 4, outage.said_meanwhile[key]
    if reader == "serve":
        renewals = outage.renewals(key)
        if source == "file":
            # STS takes the token in the file while it is valid: new credentials at half of the lifetime, as always.
            assert renewals
            assert outage.cut < renewals[0] < outage.back
            assert all(later - earlier > TOKEN_LIFETIME / 2 - 1 for earlier, later in itertools.pairwise(renewals))
        else:
            assert len(renewals) == 1
            assert outage.back < renewals[0] < outage.over
        return
    # The old token stays complete and valid until there is a new one, soon after the outage.
    assert outage.watch.seen[key].wrong == []
    if source != "file":
        assert outage.tokens_between(key, outage.cut, outage.back) == 0
    assert outage.tokens_between(key, outage.back, outage.over) == 1, said


def test_the_files_were_checked_all_the_time(outage: Outage) -> None:
    outage.thread.join()
    # Every 20 ms; less often on a busy machine.
    assert outage.watch.looks > (outage.over - outage.begun) / POLL_INTERVAL / 8


# The clock of this machine.

CLOCK = """
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The time of day plus the number of seconds in the file. */
int clock_gettime(clockid_t id, struct timespec *time) {
    int result = syscall(SYS_clock_gettime, id, time);
    if (result == 0 && id == CLOCK_REALTIME) {
        char text[16] = "";
        int file = open(getenv("CLOCK_OFFSET"), O_RDONLY | O_CLOEXEC);
        if (file >= 0) {
            if (read(file, text, sizeof text - 1) > 0) time->tv_sec += atol(text);
            close(file);
        }
    }
    return result;
}
"""


class ClockJump(Trial):
    """A clock jumps, and jumps back after a while."""

    interval = 3

    def jump(self) -> None:
        raise NotImplementedError

    def jump_back(self) -> None:
        raise NotImplementedError

    def run_fault(self) -> None:
        self.cancelled.wait(2)
        self.jump()
        self.jumped, jumped = time.time(), time.monotonic()
        self.cancelled.wait(WRONG_CLOCK_TIME)
        self.mints = {name: sum(at > jumped for at in kind.job.mints) for name, kind in self.kinds.items()}
        self.said_meanwhile = {key: kept.said() for key, kept in self.kept.items()}
        self.back = time.time()
        self.jump_back()
        # A renewal may be in progress.
        self.cancelled.wait(3)
        self.said_so_far = {key: kept.said() for key, kept in self.kept.items()}
        self.cancelled.wait(AFTERWARDS)


class MachineClock(ClockJump):
    """The clock of this machine jumps; all other clocks are right."""

    def __init__(self, kinds: dict[str, SourceUnderTest], stack: contextlib.ExitStack, offset: pathlib.Path, seconds: int) -> None:
        self.offset, self.seconds = offset, seconds
        super().__init__(kinds, stack)

    def set(self, seconds: int) -> None:
        new = self.offset.with_suffix(".new")
        new.write_text(str(seconds))
        new.rename(self.offset)

    def jump(self) -> None:
        self.set(self.seconds)

    def jump_back(self) -> None:
        self.set(0)


class IssuerClock(ClockJump):
    """The clock of the issuer jumps; all other clocks are right."""

    def __init__(self, kinds: dict[str, SourceUnderTest], stack: contextlib.ExitStack, others: dict[str, Gp]) -> None:
        self.others = others
        more_keys: dict[str, jwt.PyJWK] = {}
        for other in others.values():
            more_keys |= keys_of(other)
        super().__init__(kinds, stack, more_keys)

    def jump(self) -> None:
        for source, kind in self.kinds.items():
            kind.job.redirect_to(self.others[source])

    def jump_back(self) -> None:
        for kind in self.kinds.values():
            kind.job.redirect_to(kind.job.inner)


@pytest.fixture(scope="module", autouse=True)
def issuers(
    issuer: Callable[..., Gp], tmp_path_factory: pytest.TempPathFactory, outage: Outage
) -> Iterator[dict[str, IssuerClock]]:
    folder = tmp_path_factory.mktemp("issuers")
    with contextlib.ExitStack() as stack:
        sts = Sts()
        stack.callback(sts.close)
        found = {}
        for name, seconds in (("ahead", JUMP), ("behind", -JUMP)):
            kinds = {}
            for source, platform in SOURCES.items():
                job = Job(platform, issuer(platform, SHORT_LIFETIME))
                stack.callback(job.close)
                kinds[source] = SourceUnderTest(source, job, ["google-auth"], folder / name, stack, sts, {}, 0.5)
            others = {source: issuer(platform, SHORT_LIFETIME, seconds) for source, platform in SOURCES.items()}
            found[name] = IssuerClock(kinds, stack, others)
        yield found


@pytest.mark.parametrize("jump", ["ahead", "behind"])
@pytest.mark.parametrize("source", SOURCES)
def test_the_clock_of_the_issuer_jumps(issuers: dict[str, IssuerClock], source: str, jump: str) -> None:
    trial, key = issuers[jump], (source, "google-auth")
    trial.thread.join()
    # Only complete tokens of the two issuers.
    assert trial.watch.seen[key].wrong == []
    said, new = trial.said_meanwhile[key], trial.tokens_between(key, trial.jumped, trial.back)
    if jump == "behind" and source in ("command", "file"):
        # An expired token is not used.
        failures = said.count("warning: could not renew the token; the old one expire")
        assert 1 <= failures <= 4, said
        assert new == 0
    else:
        assert 1 <= new <= 2
        # The clocks differ: `gp` cannot know which of the two is wrong.
        assert 1 <= said.count(BEHIND if jump == "ahead" else AHEAD) <= 2, said
    assert source == "file" or 1 <= trial.mints[source] <= (5 if source == "command" else 2)
    # The renewal continues after the jump back.
    assert trial.tokens_between(key, trial.back, trial.over) >= 1
    assert trial.watch.seen[key].tokens[-1][1]["exp"] > trial.over
    assert trial.kinds[source].reads["google-auth"]()


@pytest.fixture(scope="module", autouse=True)
def clocks(
    issuer: Callable[..., Gp], tmp_path_factory: pytest.TempPathFactory, outage: Outage
) -> Iterator[dict[str, MachineClock]]:
    folder = tmp_path_factory.mktemp("clocks")
    (folder / "clock.c").write_text(CLOCK)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "clock.so", folder / "clock.c"], check=True)
    with contextlib.ExitStack() as stack:
        sts = Sts()
        stack.callback(sts.close)
        found = {}
        trials = {
            "ahead": (JUMP, list(SOURCES), READERS[:3]),
            "behind": (-JUMP, list(SOURCES), READERS[:3]),
            # Beyond the expiry of the request token of a GitHub job.
            "far ahead": (8 * 3600, ["github"], READERS[:1]),
        }
        for name, (jump, sources, readers) in trials.items():
            offset = folder / f"{name}-offset"
            offset.write_text("0")
            added = {"LD_PRELOAD": str(folder / "clock.so"), "CLOCK_OFFSET": str(offset)}
            kinds = {}
            for source in sources:
                platform = SOURCES[source]
                job = Job(platform, issuer(platform, SHORT_LIFETIME))
                stack.callback(job.close)
                kinds[source] = SourceUnderTest(source, job, readers, folder / name, stack, sts, added, 0.5)
            found[name] = MachineClock(kinds, stack, offset, jump)
        yield found


MINTING = [source for source in SOURCES if source not in ("command", "file")]
AHEAD = (
    "warning: by this machine's clock, which is 2 h ahead of the issuer, the new token expired 2 h ago: "
    "set this machine's clock, "
)
BEHIND = (
    "warning: the clock of this machine is 2 h behind the issuer, "
    "so tools will use the new token for too long: correct the clock\n"
)


@pytest.mark.parametrize("reader", READERS[:3])
@pytest.mark.parametrize(
    ("source", "jump"),
    [(source, "ahead") for source in MINTING] + [(source, "behind") for source in SOURCES],
)
def test_the_clock_of_this_machine_jumps(
    clocks: dict[str, MachineClock], source: str, jump: str, reader: str
) -> None:
    trial, key = clocks[jump], (source, reader)
    trial.thread.join()
    # By the right clock, the token in the file is always valid, and the SDK gets credentials with it.
    assert trial.watch.seen[key].wrong == []
    assert trial.reading[key].wrong == []
    assert len(trial.reading[key].given) > 5
    # The renewal continues, with a warning while the clock is wrong.
    assert 1 <= trial.tokens_between(key, trial.jumped, trial.back) <= 2
    assert trial.tokens_between(key, trial.back, trial.over) >= 1
    assert 1 <= trial.said_meanwhile[key].count(AHEAD if jump == "ahead" else BEHIND) <= 2, trial.said_meanwhile[key]
    assert trial.said[key] == trial.said_so_far[key]


@pytest.mark.parametrize("reader", READERS[:3])
@pytest.mark.parametrize("source", ["command", "file"])
def test_a_token_that_looks_expired_is_not_used(
    clocks: dict[str, MachineClock], source: str, reader: str
) -> None:
    trial, key = clocks["ahead"], (source, reader)
    trial.thread.join()
    # The old token stays until it expires by the right clock, and the file never has other content.
    assert trial.tokens_between(key, trial.jumped, trial.back) == 0
    assert [wrong for wrong in trial.watch.seen[key].wrong if not wrong.startswith("expired ")] == []
    warning = "warning: could not renew the token; the old one expired 2 h ago\n"
    # The log may have been read between a warning and its reason.
    said = trial.said_meanwhile[key].removesuffix(warning)
    failures = said.count(warning)
    assert 1 <= failures <= 4, said
    assert len(re.findall("by this machine's clock, the token of .* expired 2 h ago$", said, re.M)) == failures
    # The renewal continues once the clock is right.
    assert trial.tokens_between(key, trial.back, trial.over) >= 1, trial.said[key]
    assert time_left(trial, key) > 0


def time_left(trial: Trial, key: tuple[str, str]) -> float:
    return trial.watch.seen[key].tokens[-1][1]["exp"] - trial.over


@pytest.mark.parametrize("jump", ["ahead", "behind"])
@pytest.mark.parametrize("source", [source for source in SOURCES if source != "file"])
def test_a_clock_jump_causes_no_busy_loop(
    clocks: dict[str, MachineClock], source: str, jump: str
) -> None:
    trial = clocks[jump]
    trial.thread.join()
    # Three processes. A renewal is due every 12 seconds, and after failures there are pauses of at least 1, 2, 4 … s.
    assert 3 <= trial.mints[source] <= 3 * (4 if source == "command" and jump == "ahead" else 2)


def test_a_clock_beyond_the_end_of_the_job_does_not_end_the_renewal(clocks: dict[str, MachineClock]) -> None:
    trial, key = clocks["far ahead"], ("github", "boto3")
    trial.thread.join()
    assert trial.tokens_between(key, trial.back, trial.over) >= 1, trial.said[key]
