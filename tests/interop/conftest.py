"""Fixtures: the built `gp`, a local workspace, and the environment that programs are run in."""

import os
import pathlib
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

# In seconds. Nothing here takes longer than a second or two; the limit ends a test that hangs.
LIMIT = 30

# A proxy of the machine must not get the requests that libraries make to the local workspace.
for name in ("http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(name, None)
    os.environ.pop(name.upper(), None)

# Settings that keep SDKs away from the metadata service, so they do not use the machine's real identity.
NO_METADATA = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1",
    "GCE_METADATA_HOST": "127.0.0.1:1",
    "GCE_METADATA_IP": "127.0.0.1:1",
    "GCE_METADATA_TIMEOUT": "1",
    "METADATA_SERVER_DETECTION": "none",
    "NO_GCE_CHECK": "true",
}
# For the SDKs that run in this process.
os.environ.update(NO_METADATA)


class Gp:
    """`gp` in an environment with only the given variables, and none of the machine's own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def __call__(self, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        return self.run(["gp", *arguments], **options)

    def bash(self, script: str, **options: object) -> subprocess.CompletedProcess[str]:
        """Runs `script` in bash, with `pipefail`."""
        return self.run(["bash", "-o", "pipefail", "-c", script], **options)

    def run(self, command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        settings = {"stdin": subprocess.DEVNULL, "text": True, "encoding": "utf-8"} | options
        if "input" in settings:
            del settings["stdin"]
        # Given as a path: a search would use the PATH of this process, not that of the environment.
        program = shutil.which(command[0], path=self.environment["PATH"])
        assert program, f"{command[0]} is not installed"
        return subprocess.run(
            [program, *command[1:]],
            capture_output=True,
            timeout=LIMIT,
            env=self.environment,
            **settings,
        )

    def token(self, *arguments: str) -> str:
        """A new ID token."""
        done = self("idp", "token", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.removesuffix("\n")


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Gp:
    """`gp` outside of any workspace."""
    built = pathlib.Path(os.environ.get("GP", "")).absolute()
    if not built.is_file():
        pytest.fail("the variable GP does not name the built `gp`: start the tests with `tests/interop/run`")
    folder = tmp_path_factory.mktemp("gp")
    for name in ("bin", "home"):
        (folder / name).mkdir()
    (folder / "bin/gp").symlink_to(built)
    path = os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])
    home = {"HOME": str(folder / "home"), "LANG": "C.UTF-8", "TERM": "xterm"}
    return Gp({"PATH": path} | home | NO_METADATA)


@pytest.fixture(scope="session")
def start_workspace(outside: Gp) -> Iterator[Callable[..., Gp]]:
    """Starts a local workspace with these arguments of `gp idp dev`, and gives `gp` inside it."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> Gp:
        home = pathlib.Path(outside.environment["HOME"])
        exports, log = home / f"exports-{len(running)}.sh", home / f"log-{len(running)}.txt"
        with exports.open("w") as stdout, log.open("w") as stderr:
            running.append(
                subprocess.Popen(
                    ["gp", "idp", "dev", *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    env=outside.environment,
                    executable=shutil.which("gp", path=outside.environment["PATH"]),
                )
            )
        deadline = time.monotonic() + LIMIT
        while "serving" not in log.read_text():
            assert running[-1].poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        return Gp(outside.environment | exported(outside, exports))

    yield start
    for workspace in running:
        workspace.terminate()
    assert [workspace.wait(LIMIT) for workspace in running] == [0] * len(running)


def exported(outside: Gp, lines: pathlib.Path) -> dict[str, str]:
    """The variables that the file `lines` sets in a POSIX shell."""
    done = outside.run(["sh", "-euc", '. "$1" && env -0', "sh", str(lines)])
    assert (done.returncode, done.stderr) == (0, "")
    names = [line.removeprefix("export ").partition("=")[0] for line in lines.read_text().splitlines()]
    found = dict(entry.split("=", 1) for entry in done.stdout.rstrip("\0").split("\0"))
    return {name: found[name] for name in names}


@pytest.fixture(scope="session")
def workspace(start_workspace: Callable[..., Gp]) -> Gp:
    """`gp` inside a local workspace that all tests share."""
    return start_workspace()
