"""Each way to use a service, with the SDKs of four languages against the local workspace.

The cells of `MATRIX` are the tests. The last test compares the table of their results with docs/compatibility.md.
"""

import contextlib
import pathlib
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from conftest import LIMIT, Gp, exported
from entra.conftest import Front
from k8s.conftest import AUDIENCE, ApiServer
from parties.conftest import INTEROP, MAKERS, TRIED, Party

PAGE = INTEROP.parent.parent / "docs/compatibility.md"
ALL = ("Python", "Go", "Node", "Java")

# For each way: the client, and the languages in which it is tested.
MATRIX: dict[str, tuple[str, tuple[str, ...]]] = {
    "`login aws`": ("aws", ALL),
    "`login aws --credential-process`": ("aws", ALL),
    "`exec aws`": ("aws", ALL),
    "`exec aws --serve`": ("aws", ALL),
    "`serve aws`": ("aws", ALL),
    "`token --output`, for `AWS_WEB_IDENTITY_TOKEN_FILE`": ("aws", ALL),
    "`login gcp`": ("google", ALL),
    "`login gcp --file-sourced`": ("google", ALL),
    "`exec gcp`": ("google", ALL),
    "`login azure`": ("azure", ALL),
    "`login kubernetes`": ("kubernetes", ("Python", "Go")),
}
CELLS = [(way, language) for way, (_, languages) in MATRIX.items() for language in languages]
# What a credential of the local workspace begins with.
CREDENTIALS = {"aws": "ASIA", "google": "ya29.d.dev-", "azure": "dev-entra-"}


@pytest.fixture
def place(workspace: Gp, tmp_path: pathlib.Path) -> Gp:
    """The workspace with a home of its own, and a region for the SDKs."""
    home = tmp_path / "place"
    home.mkdir()
    region = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}
    return Gp(workspace.environment | region | {"HOME": str(home)})


def log_in(gp: Gp, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = gp("idp", *arguments)
    assert done.returncode == 0, done.stderr
    return done


@contextlib.contextmanager
def served(gp: Gp, lines: pathlib.Path) -> Iterator[Gp]:
    """An environment with the endpoint of `serve aws`, and without the source of ID tokens."""
    program = shutil.which("gp", path=gp.environment["PATH"])
    with lines.open("w") as output:
        server = subprocess.Popen(
            [program, "idp", "serve", "aws"], stdout=output, stderr=subprocess.PIPE, text=True, env=gp.environment
        )
    assert server.stderr.readline().startswith("serving "), "it did not start"
    sources = ("IDP_API_URL", "SUPERVISOR_ADDR")
    other = {name: value for name, value in gp.environment.items() if name not in sources}
    yield Gp(other | exported(gp, lines))
    server.terminate()
    assert server.wait(LIMIT) == 0
    server.stderr.close()


def log_in_to(cluster: Gp) -> None:
    log_in(cluster, "login", "kubernetes", "--audience", AUDIENCE, "--cluster", "prod", "--use-context")


def exports(stderr: str) -> dict[str, str]:
    lines = [line.removeprefix("export ") for line in stderr.splitlines() if line.startswith("export ")]
    return dict(line.split("=", 1) for line in lines)


def aws(gp: Gp, way: str, client: list[str], folder: pathlib.Path) -> subprocess.CompletedProcess[str]:
    if way.startswith("`exec"):
        flags = ["--serve"] if "--serve" in way else []
        return gp("idp", "exec", "aws", *flags, "--", *client)
    if way == "`serve aws`":
        with served(gp, folder / "exports") as other:
            return other.run(client)
    if way.startswith("`token"):
        file = folder / "token"
        log_in(gp, "token", "--audience", "sts.amazonaws.com", "--output", str(file))
        variables = {
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(file),
            "AWS_ROLE_ARN": gp.environment["IDP_AWS_ROLE_ARN"],
            "AWS_ROLE_SESSION_NAME": "parties",
        }
        return Gp(gp.environment | variables).run(client)
    flags = ["--credential-process"] if "--credential-process" in way else []
    log_in(gp, "login", "aws", "--profile", "team/ci", *flags)
    return Gp(gp.environment | {"AWS_PROFILE": "team/ci"}).run(client)


def trust(front: Front) -> dict[str, str]:
    """The variables that make each SDK trust the authority of `front`."""
    ca, store = str(front.ca), front.ca.with_name("trusted.p12")
    if shutil.which("keytool") and not store.exists():
        command = ["keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", ca, "-keystore", str(store)]
        subprocess.run([*command, "-storepass", "changeit"], check=True, capture_output=True, timeout=LIMIT)
    java = f"-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword=changeit"
    return {"SSL_CERT_FILE": ca, "REQUESTS_CA_BUNDLE": ca, "NODE_EXTRA_CA_CERTS": ca, "JAVA_TOOL_OPTIONS": java}


def over_tls(gp: Gp, front: Front) -> Gp:
    """For Google's SDK for Java: it accepts STS only over https, and uses the home folder of the user instead of HOME."""
    prefix, services = "CLOUDSDK_API_ENDPOINT_OVERRIDES_", {"STS": "sts", "IAMCREDENTIALS": "iamcredentials"}
    addresses = {prefix + name: f"{front.url}gcp/{path}/" for name, path in services.items()}
    trusted = trust(front)
    trusted["JAVA_TOOL_OPTIONS"] += f" -Duser.home={gp.environment['HOME']}"
    return Gp(gp.environment | trusted | addresses)


def google(gp: Gp, way: str, client: list[str]) -> subprocess.CompletedProcess[str]:
    if way == "`exec gcp`":
        return gp("idp", "exec", "gcp", "--project", "example-project", "--", *client)
    flags = ["--file-sourced"] if "--file-sourced" in way else []
    done = log_in(gp, "login", "gcp", "--project", "example-project", *flags)
    return Gp(gp.environment | exports(done.stderr)).run(client)


def azure(gp: Gp, entra: Front, client: list[str], folder: pathlib.Path) -> subprocess.CompletedProcess[str]:
    gp = Gp(gp.environment | trust(entra) | {"AZURE_AUTHORITY_HOST": entra.url})
    (folder / "exports").write_text(log_in(gp, "login", "azure", "--format", "env").stdout)
    return Gp(gp.environment | exported(gp, folder / "exports")).run(client)


@pytest.mark.parametrize(
    ("way", "party"), CELLS, indirect=["party"], ids=[f"{way.replace('`', '')}-{name}" for way, name in CELLS]
)
def test_the_sdk_gets_access(
    way: str, party: Party, place: Gp, request: pytest.FixtureRequest, tmp_path: pathlib.Path
) -> None:
    client = MATRIX[way][0]
    command = party.commands[client]
    TRIED[way, party.title] = False
    match client:
        case "aws":
            done = aws(place, way, command, tmp_path)
        case "google":
            gp = over_tls(place, request.getfixturevalue("entra")) if party.title == "Java" else place
            done = google(gp, way, command)
        case "azure":
            done = azure(place, request.getfixturevalue("entra"), command, tmp_path)
        case _:
            cluster = request.getfixturevalue("cluster")
            log_in_to(cluster)
            done = cluster.run(command)
    assert done.returncode == 0, done.stderr
    if client == "kubernetes":
        server: ApiServer = request.getfixturevalue("server")
        assert [said for _, said in server.judged] == ["https://github.com/gitpod-io/example"], done.stdout
    else:
        assert done.stdout.startswith(CREDENTIALS[client]), done.stdout + done.stderr
    TRIED[way, party.title] = True


# client-go and the plugin's cache.


@pytest.fixture(scope="session")
def client_go() -> list[str]:
    return MAKERS["Go"]().commands["kubernetes"][:1]


def test_a_second_client_gets_the_token_of_the_first(cluster: Gp, server: ApiServer, client_go: list[str]) -> None:
    log_in_to(cluster)
    for _ in range(2):
        done = cluster.run([*client_go, "2"])
        assert (done.returncode, done.stdout) == (0, "200\n200\n"), done.stderr
    assert (len(server.tokens), len(set(server.tokens))) == (4, 1)


def test_a_refused_token_is_replaced(cluster: Gp, server: ApiServer, client_go: list[str]) -> None:
    """The first client fills the cache; the second one is refused with that token, and gets a new one."""
    log_in_to(cluster)
    assert cluster.run([*client_go, "1"]).stdout == "200\n"
    (kept,) = set(server.tokens)
    server.refused.add(kept)
    done = cluster.run([*client_go, "2"])
    assert (done.returncode, done.stdout) == (0, "401\n200\n"), done.stderr
    # Later clients get the new token, too.
    assert cluster.run([*client_go, "1"]).stdout == "200\n"
    assert len(set(server.tokens)) == 2


# The page.


def table() -> list[str]:
    """The rows of the page, from the results."""
    rows = [f"| Way | {' | '.join(ALL)} |", f"|---|{'---|' * len(ALL)}"]
    for way, (_, languages) in MATRIX.items():
        cells = ["yes" if TRIED.get((way, language)) else "–" for language in ALL]
        rows.append(f"| {way} | {' | '.join(cells)} |")
    return rows


def test_the_page_shows_what_was_tried(capsys: pytest.CaptureFixture[str]) -> None:
    rows = table()
    with capsys.disabled():
        print("", *rows, sep="\n")
    missing = {language for way, language in CELLS if (way, language) not in TRIED}
    if missing:
        pytest.skip(f"not tried here: {', '.join(sorted(missing))}")
    page = PAGE.read_text().splitlines()
    begin = page.index(rows[0])
    assert page[begin : begin + len(rows)] == rows
