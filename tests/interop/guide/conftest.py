"""Stand-ins for programs that call a cloud, and the run of all blocks, two sections per CPU at a time."""

import concurrent.futures
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import pytest
from conftest import LIMIT, Gp

from . import pages

# Stand-ins for programs that call a cloud: they accept the same arguments and send no request.
STAND_INS = {
    # An example API accepts every bearer token; requests to loopback go through the real curl.
    "curl": """
        for argument; do case $argument in http://127.0.0.1:*) exec "$REAL_CURL" "$@" ;; esac; done
        case " $* " in *" @- "*) header=$(cat); [ "${header#Authorization: Bearer ?}" != "$header" ] || exit 22 ;; esac
        echo '{"ok": true}'""",
    # `sts` runs the real CLI, and `iam get-role` prints the role that `gp idp trust` creates; the others print nothing.
    "aws": """
        case "$1 $2" in
        "sts "*) exec "$REAL_AWS" "$@" ;;
        "iam get-role") printf '{"Role": {"Arn": "%s", "AssumeRolePolicyDocument": %s}}\\n' \\
            arn:aws:iam::123456789012:role/deploy \\
            "$(gp idp trust aws --role-arn arn:aws:iam::123456789012:role/deploy --format json 2> /dev/null)" ;;
        esac""",
    "az": "",
    "gcloud": "",
    "terraform": "",
}
# It edits a kubeconfig, in which only the names of clusters and contexts matter here.
KUBECTL = """
import pathlib, sys, yaml
if sys.argv[1] == "config":
    path = pathlib.Path.home() / ".kube/config"
    path.parent.mkdir(exist_ok=True)
    config = yaml.safe_load(path.read_text()) if path.exists() else {"apiVersion": "v1", "kind": "Config"}
    kind, name = sys.argv[2].removeprefix("set-"), sys.argv[3]
    value = {"server": "https://kubernetes.example.com"} if kind == "cluster" else {"cluster": sys.argv[5]}
    config[f"{kind}s"] = [*(config.get(f"{kind}s") or []), {"name": name, kind: value}]
    path.write_text(yaml.safe_dump(config))
"""
# Programs that the reader provides.
READER_PROGRAMS = ("agent.sh", "deploy.sh", "takes-all-night.sh", "tool-that-reads-a-variable.sh")


@dataclasses.dataclass
class Outcome:
    """The result of a section: the exit code of its shell, the last block that started, and all output."""

    code: int
    block: str
    text: str


@pytest.fixture(scope="session")
def programs(outside: Gp, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a reader, with the programs above."""
    folder = tmp_path_factory.mktemp("programs")
    path = os.pathsep.join([str(folder), outside.environment["PATH"]])
    for name, script in STAND_INS.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    own = pathlib.Path(sys.executable).parent
    (folder / "vault").symlink_to(own / "bao")
    (folder / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (folder / "python3").chmod(0o755)
    (folder / "kubectl").write_text(f"#!{sys.executable}\n{KUBECTL}")
    (folder / "kubectl").chmod(0o755)
    real = {"REAL_AWS": str(own / "aws"), "REAL_CURL": shutil.which("curl") or ""}
    return outside.environment | real | {"PATH": path}


def run(section: pages.Section, programs: dict[str, str], home: pathlib.Path) -> Outcome:
    """Runs the blocks of a section in one shell, in a local workspace and a home folder of its own."""
    folder = home / "shop"
    folder.mkdir(parents=True)
    for name in READER_PROGRAMS:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    script = "set -euo pipefail\ntrap 'kill $(jobs -p) 2> /dev/null || :' EXIT\n"
    for block in section.runs:
        script += f"echo '@ {block.name}'\n"
        script += transcript(block) if block.language == "console" else block.script
        if block.exit_code:
            # `set -e` ignores a command after `!`.
            lines = script.splitlines()
            script = "\n".join([*lines[:-1], f"code=0; {lines[-1]} || code=$?", f"[ $code = {block.exit_code} ]\n"])
    platform = next((block.platform for block in section.runs if block.platform != "gitpod"), "gitpod")
    (home / "script").write_text(script)
    dev = ["gp", "idp", "dev", "--quiet", "--as", platform, "--context-url", "https://github.com/acme/shop"]
    # A file, because a background process would keep a pipe open.
    log = home / "log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [*dev, "--", "bash", str(home / "script")],
            cwd=folder,
            env=programs | {"HOME": str(home), "XDG_RUNTIME_DIR": ""},
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            executable=shutil.which("gp", path=programs["PATH"]),
            start_new_session=True,
        )
    try:
        code = process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
    text = log.read_text(errors="replace")
    reached = re.findall(r"^@ (.+)$", text, re.MULTILINE)
    return Outcome(code, reached[-1] if reached else "", text)


def transcript(block: pages.Block) -> str:
    """A script that runs the commands of a session; the output of each follows the number of the command."""
    return "".join(f"echo '$ {at}'\n{{ {command.rstrip()}\n}} 2>&1 || :\n" for at, (command, _) in enumerate(block.transcript))


@pytest.fixture(scope="session")
def outcomes(programs: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """The outcome of each section, by its name."""
    every = [section for page in pages.PAGES for section in pages.sections(page) if section.runs]
    homes = [tmp_path_factory.mktemp("home") for _ in every]
    with concurrent.futures.ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        done = pool.map(run, every, [programs] * len(every), homes)
        return dict(zip([section.name for section in every], done, strict=True))
