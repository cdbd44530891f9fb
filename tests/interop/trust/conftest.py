"""Fixtures for `gp idp trust`: stand-ins for command-line tools that record their arguments."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest
from conftest import LIMIT, Gp

CONTEXT = "https://github.com/acme/shop/tree/main"

# Records its arguments, and its stdin if one argument is `-`. A query prints the file `$RECORD.there`; without that file,
# nothing exists yet.
RECORDER = """#!/bin/sh
for argument in "$@"; do
    case $argument in read | get | get-* | show | describe) cat "$RECORD.there" 2> /dev/null; exit ;; esac
done
{
    printf '%s\\0' "${0##*/}" "$@"
    for argument in "$@"; do
        if [ "$argument" = - ]; then printf 'stdin:'; cat; printf '\\0'; fi
    done
    printf '\\n\\0'
} >> "$RECORD"
"""


@pytest.fixture(scope="session")
def shop(start_workspace: Callable[..., Gp]) -> Gp:
    """`gp` in a workspace on a branch of a repository."""
    return start_workspace("--context-url", CONTEXT)


@pytest.fixture
def record(tmp_path: pathlib.Path) -> Callable[[str], list[list[str]]]:
    """Runs a script with a stand-in for each tool, and returns the argument lists of all calls that change something.

    `there` is the output of the tools for every query; without it, nothing exists yet.
    """
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("aws", "vault", "bao", "gcloud", "az", "kubectl"):
        (tools / name).write_text(RECORDER)
        (tools / name).chmod(0o755)

    def run(script: str, there: str | None = None, code: int = 0) -> list[list[str]]:
        log = tmp_path / "record"
        log.write_text("")
        if there is None:
            (tmp_path / "authentication.yaml").unlink(missing_ok=True)
            (tmp_path / "record.there").unlink(missing_ok=True)
        else:
            (tmp_path / "record.there").write_text(there)
        environment = {"PATH": f"{tools}:{os.environ['PATH']}", "RECORD": str(log)}
        done = subprocess.run(
            ["sh", "-eu"], input=script, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT
        )
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        lines = done.stderr.splitlines()
        if there is None:
            assert not lines
        else:
            assert all("was not changed" in line for line in lines) and (lines or not code), lines
        calls = log.read_text().split("\0\n\0")[:-1]
        return [call.split("\0") for call in calls]

    return run


@contextlib.contextmanager
def workspace_at(port: int, outside: Gp, folder: pathlib.Path, *arguments: str) -> Iterator[Gp]:
    """`gp` in a workspace whose issuer has a given port, so that another one can have the same issuer later."""
    exports, log = folder / "exports.sh", folder / "log.txt"
    with exports.open("w") as stdout, log.open("w") as stderr:
        running = subprocess.Popen(
            ["gp", "idp", "dev", "--port", str(port), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=outside.environment,
            executable=shutil.which("gp", path=outside.environment["PATH"]),
        )
    try:
        deadline = time.monotonic() + LIMIT
        while "serving" not in log.read_text():
            assert running.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        done = outside.run(["sh", "-euc", '. "$1" && env -0', "sh", str(exports)])
        found = dict(entry.split("=", 1) for entry in done.stdout.rstrip("\0").split("\0"))
        yield Gp(outside.environment | found)
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(LIMIT)


def claims(gp: Gp, audience: str) -> dict:
    """The claims of a new token."""
    return json.loads(gp("idp", "token", "--audience", audience, "--decode").stdout)["Payload"]


def trust(gp: Gp, *arguments: str) -> str:
    """The output of `gp idp trust`."""
    done = gp("idp", "trust", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout
