"""Kills and failing system calls at every step of every command that writes a file.

`strace` traces a command once. Then, for each system call since it first touched a file of its home folder, the command is
run again and killed there, or that call fails. Afterwards, each file has its old content or the complete new content, and
the next run of the same command succeeds and leaves only the files that it writes.
"""

import collections
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator

import yaml

from conftest import LIMIT, Gp

JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+\n?")
# The system calls that change or read files.
CALLS = (
    "openat read write fsync flock linkat renameat renameat2 unlinkat unlink mkdir mkdirat rmdir newfstatat statx fstat"
    " fchmod fchown close"
).split()
# The calls that can fail, and their errors.
ERRORS = {
    "openat": ("EACCES", "EMFILE"),
    "write": ("ENOSPC", "EIO"),
    "fsync": ("EIO", "ENOSPC"),
    "flock": ("EIO",),
    "linkat": ("EACCES", "EXDEV"),
    "renameat": ("EACCES", "EIO"),
    "renameat2": ("EACCES", "EIO"),
    "unlinkat": ("EACCES",),
    "unlink": ("EACCES",),
    "mkdir": ("EACCES", "ENOSPC"),
    "mkdirat": ("EACCES", "ENOSPC"),
    "fchmod": ("EPERM",),
    "newfstatat": ("EACCES",),
}
GOAL = 1500

OLD_KEYS = "# mine\n[other]\naws_access_key_id = AKIAOTHER\n\n[default]\naws_access_key_id = ASIAOLD\naws_secret_access_key = old\naws_session_token = old\n"
CONFIG = "# mine\n[default]\nregion = eu-central-1\n"
KUBECONFIG = """\
apiVersion: v1
kind: Config
# mine
clusters:
- name: prod
  cluster: {server: "https://127.0.0.1:1"}
"""


def is_token(text: str) -> bool:
    return text == "old" or JWT.fullmatch(text) is not None


def is_json(text: str) -> bool:
    return isinstance(json.loads(text), dict)


def is_credentials(text: str) -> bool:
    whole = re.fullmatch(
        r"(?s)# mine\n\[other\]\naws_access_key_id = AKIAOTHER\n\n\[default\]\n(.*)", text
    )
    keys = dict(re.findall(r"(?m)^(\w+) = (\S+)$", whole.group(1))) if whole else {}
    names = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"]
    return whole is not None and (not keys or all(name in keys for name in names)) and text.endswith("\n")


def is_config(text: str) -> bool:
    return text.startswith(CONFIG) and text.endswith("\n") and (text == CONFIG or text.endswith("--format process\n"))


def is_kubeconfig(text: str) -> bool:
    users = (yaml.safe_load(text) or {}).get("users") or []
    return text.startswith(KUBECONFIG) and all(user["user"]["exec"]["command"] for user in users)


def is_vault_token(text: str) -> bool:
    return text == "old" or re.fullmatch(r"s\.[\w-]{20,}", text) is not None


@dataclasses.dataclass
class Case:
    """A command, and the files that it writes in its home folder."""

    command: str
    # By name: the old content, and a function that accepts the old and the complete new content.
    files: dict[str, tuple[str | None, Callable[[str], bool]]]
    # Additional variables for the command.
    environment: dict[str, str] = dataclasses.field(default_factory=dict)


CASES = {
    "token": Case("idp token --audience x --output a/token", {"a/token": ("old", is_token)}),
    "new token": Case("idp token --audience x --output a/token", {"a/token": (None, is_token)}),
    "aws": Case("idp login aws", {".aws/credentials": (OLD_KEYS, is_credentials)}),
    "aws process": Case(
        "idp login aws --credential-process",
        {".aws/config": (CONFIG, is_config), ".aws/credentials": (OLD_KEYS, is_credentials)},
    ),
    "cache": Case("idp login aws --format process", {}),
    "gcp": Case("idp login gcp", {".config/gcloud/application_default_credentials.json": (None, is_json)}),
    "gcp file": Case(
        "idp login gcp --file-sourced --output adc.json",
        {"adc.json": (None, is_json), "adc.jwt": ("old", is_token)},
    ),
    "gcloud": Case(
        "idp gcloud-token --audience x",
        {"answer": (None, is_json)},
        {"GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE": "answer"},
    ),
    "azure": Case("idp login azure --output token", {"token": ("old", is_token)}),
    "azure default": Case("idp login azure", {}),
    "azure exec": Case("idp exec azure -- true", {}),
    "kubernetes": Case(
        "idp login kubernetes --audience k --cluster prod --use-context", {".kube/config": (KUBECONFIG, is_kubeconfig)}
    ),
    "kubernetes list": Case(
        "idp login kubernetes --audience k --cluster prod --use-context",
        {"a": (KUBECONFIG, is_kubeconfig), "b": (KUBECONFIG, is_kubeconfig)},
        {"KUBECONFIG": "a:b"},
    ),
    "vault": Case("idp login vault", {".vault-token": ("old", is_vault_token)}),
}


class Home:
    """A new home folder, which is the working directory too, with the old files of a case."""

    def __init__(self, folder: pathlib.Path, gp: Gp, case: Case) -> None:
        self.folder, self.case = folder, case
        self.environment = gp.environment | case.environment | {"HOME": str(folder), "TMPDIR": str(folder)}
        self.gp = gp.run(["sh", "-c", "command -v gp"]).stdout.strip()
        for name, (old, _) in case.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            if old is not None:
                (folder / name).write_text(old)
                (folder / name).chmod(0o600)

    def run(self, *before: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*before, self.gp, *self.case.command.split()],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )

    def names(self) -> set[str]:
        files = (path for path in self.folder.rglob("*") if not path.is_dir())
        return {str(path.relative_to(self.folder)) for path in files}

    def incomplete_files(self) -> list[str]:
        """The files with neither their old nor their complete new content."""
        found = []
        for name, (old, is_whole) in self.case.files.items():
            path = self.folder / name
            text = path.read_text() if path.exists() else None
            try:
                whole = old is None if text is None else is_whole(text)
            except ValueError:
                whole = False
            if not whole:
                found.append(f"{name}: {text!r}")
        return found

    def age(self) -> None:
        """Makes the folders of a killed process look a minute old, and removes cached credentials, because a command reads
        fresh ones without the lock that a killed process left."""
        for path in self.folder.rglob("gp-idp-run-*"):
            os.utime(path, (time.time() - 60,) * 2)
        for path in self.folder.glob(".cache/gp-idp/*.json"):
            path.unlink()


def steps(home: Home, log: pathlib.Path) -> Iterator[tuple[str, int]]:
    """The system calls from the first one that names the home folder, each with its number among calls of its name."""
    calls = ",".join("?" + call for call in CALLS)
    done = home.run("strace", "-f", "-qq", "-o", str(log), "-e", f"trace={calls}")
    assert done.returncode == 0, done.stderr
    counts: collections.Counter[str] = collections.Counter()
    begun = False
    for line in log.read_text().splitlines():
        found = re.match(r"\d+ +(\w+)\(", line)
        if not found:
            continue
        call = found.group(1)
        counts[call] += 1
        begun = begun or str(home.folder) in line or '"a"' in line or '"token' in line
        # The runtime wakes itself up with these writes, which never fail.
        if begun and r'"\1\0\0\0\0\0\0\0"' not in line:
            yield call, counts[call]


def attack(home: Home, call: str, how: str, number: int, log: pathlib.Path, expected: set[str]) -> tuple[bool, list[str]]:
    """Whether the call was reached, and what is wrong afterwards."""
    inject = f"inject={call}:{how}:when={number}"
    done = home.run("strace", "-f", "-qq", "-o", str(log), "-e", f"trace={call}", "-e", inject)
    wrong = [f"torn: {path}" for path in home.incomplete_files()]
    reached = "INJECTED" in log.read_text() or done.returncode in (-9, -15, 137, 143)
    if how == "signal=TERM" and (locks := [name for name in home.names() if name.endswith(".lock")]):
        wrong.append(f"a signal left what blocks kubectl: {locks}")
    if "panicked" in done.stderr or "internal error" in done.stderr:
        wrong.append(f"panic: {done.stderr}")
    if "eyJ" in done.stderr:
        wrong.append(f"leak: {done.stderr}")
    home.age()
    again = home.run()
    if again.returncode != 0:
        wrong.append(f"the next run fails with {again.returncode}: {again.stderr}")
    wrong += [f"torn by the next run: {path}" for path in home.incomplete_files()]
    if litter := home.names() - expected:
        wrong.append(f"litter after the next run: {sorted(litter)}")
    return reached, [f"{home.case.command}, {inject}: {text}" for text in wrong]


def test_no_kill_or_error_leaves_an_incomplete_file(workspace: Gp, tmp_path: pathlib.Path) -> None:
    assert shutil.which("strace"), "strace is not installed"
    plan = []
    expected: dict[str, set[str]] = {}
    for name, case in CASES.items():
        folder = tmp_path / "traced" / name.replace(" ", "-")
        folder.mkdir(parents=True)
        home = Home(folder, workspace, case)
        for call, number in steps(home, tmp_path / "trace"):
            plan += [(name, call, f"signal={signal}", number) for signal in ("KILL", "TERM")]
            plan += [(name, call, f"error={error}", number) for error in ERRORS.get(call, ())]
        expected[name] = home.names()

    def one(job: tuple[int, tuple[str, str, str, int]]) -> tuple[bool, str, list[str]]:
        index, (name, call, how, number) = job
        folder = tmp_path / f"run-{index}"
        folder.mkdir()
        log = tmp_path / f"log-{index}"
        log.touch()
        home = Home(folder, workspace, CASES[name])
        reached, wrong = attack(home, call, how, number, log, expected[name])
        shutil.rmtree(folder)
        return reached, how.partition("=")[0], wrong

    with concurrent.futures.ThreadPoolExecutor(max_workers=(os.cpu_count() or 1) * 2) as pool:
        results = list(pool.map(one, enumerate(plan)))
    wrong = [text for _, _, texts in results for text in texts]
    reached = collections.Counter(kind for hit, kind, _ in results if hit)
    print(f"{reached['signal']} kills and {reached['error']} errors in {len(CASES)} commands")
    assert not wrong, "\n".join([f"{len(wrong)} of {len(results)}", *wrong[:40]])
    assert reached.total() >= GOAL, reached
