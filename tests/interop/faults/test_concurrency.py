"""Many parallel writers of the same files, together with the vendors' own writers and with readers.

- `gp` replaces a file as a whole, so a reader sees the old or the new file, which is always valid.
- `gp` processes wait for each other, so none loses the changes of another.
- `kubectl config` and `gp` take the same lock, so neither loses the other's changes to the kubeconfig.
- The AWS CLI takes no lock and writes in place: it may undo changes since it read the file, and a reader may see an
  incomplete file. `gp` never takes an incomplete file for the complete one: it loses no line of the AWS CLI.

WRITERS and ROUNDS set the size: `tests/faults/run` has 64 writers in 50 rounds.
"""

import collections
import configparser
import contextlib
import fcntl
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml
from awscli.customizations.configure.writer import ConfigFileWriter
from botocore.configloader import raw_config_parse
from botocore.exceptions import ConfigParseError
from conftest import Gp

WRITERS = int(os.environ.get("WRITERS", "8"))
ROUNDS = int(os.environ.get("ROUNDS", "4"))
# The maximum number of parallel processes, for any number of writers.
SLOTS = 64
MINE = {"other": {"aws_access_key_id": "AKIAOTHER", "aws_secret_access_key": "other"}}
KEYS = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"]


class Home:
    """A home folder with files of the user's own."""

    def __init__(self, folder: pathlib.Path, workspace: Gp) -> None:
        self.folder = folder
        self.gp = Gp(workspace.environment | {"HOME": str(folder), "XDG_RUNTIME_DIR": ""})
        self.credentials, self.config = folder / ".aws/credentials", folder / ".aws/config"
        self.kubeconfig, self.vault = folder / ".kube/config", folder / ".vault-token"
        self.credentials.parent.mkdir(parents=True)
        self.kubeconfig.parent.mkdir()
        self.credentials.write_text(
            "# mine\n[other]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = other\n"
        )
        self.config.write_text("# mine\n[profile other]\nregion = eu-west-1\n")
        self.kubeconfig.write_text(
            "# mine\napiVersion: v1\nkind: Config\nclusters:\n- name: prod\n"
            '  cluster: {server: "https://127.0.0.1:1"}\n'
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        program = shutil.which("gp", path=self.gp.environment["PATH"])
        assert program
        # The last one in a crowd waits for all the others.
        command = [program, "idp", *arguments, "--timeout", "10m"]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            env=self.gp.environment,
            timeout=900,
        )

    def rounds(self, writer: int) -> list[str]:
        """Runs the commands of one writer in order, and returns the failures."""
        name = f"w{writer}"
        commands: list[Callable[[], tuple[str, ...]]] = [
            lambda: ("login", "aws", "--profile", name),
            lambda: ("login", "aws", "--credential-process", "--no-check", "--profile", f"{name}-process"),
            lambda: ("login", "kubernetes", "--audience", "k", "--cluster", "prod", "--user", name, "--context", name),
            lambda: ("login", "vault"),
            lambda: ("login", "aws", "--profile", "shared"),
            lambda: ("logout", "vault"),
        ]
        wrong = []
        for number in range(ROUNDS):
            arguments = commands[(writer + number) % len(commands)]()
            done = self.run(*arguments)
            if done.returncode != 0:
                wrong.append(f"{' '.join(arguments)}: exit {done.returncode}: {done.stderr}")
        return wrong

    def written(self, index: int) -> set[str]:
        """The names of the writers that have run this command of the list."""
        reached = {writer for writer in range(WRITERS) for number in range(ROUNDS) if (writer + number) % 6 == index}
        return {f"w{writer}" for writer in reached}


class Watch:
    """Readers that run until the end, and their failures."""

    def __init__(self, home: Home, *, strict: bool) -> None:
        self.home, self.strict = home, strict
        self.wrong: list[str] = []
        self.reads: collections.Counter[str] = collections.Counter()
        self.over = threading.Event()

    def read(self, name: str, look: Callable[[], None]) -> None:
        while not self.over.is_set():
            try:
                look()
            except Exception as error:  # noqa: BLE001: every error of a reader is a failure
                self.wrong.append(f"{name}: {type(error).__name__}: {error}")
            self.reads[name] += 1
            time.sleep(0.002)

    def profiles(self) -> None:
        """As boto3 and the AWS CLI read it."""
        found = raw_config_parse(str(self.home.credentials))
        assert found["other"] == MINE["other"], found
        for name, keys in found.items():
            assert name in ("other", "vendor") or sorted(keys)[: len(KEYS)] == KEYS, (name, sorted(keys))

    def settings(self) -> None:
        assert raw_config_parse(str(self.home.config))["profile other"] == {"region": "eu-west-1"}

    def tolerant_read(self, path: pathlib.Path) -> Callable[[], None]:
        """As above, with a writer that writes in place: an incomplete file is a failure only if it stays incomplete."""

        def look() -> None:
            for _ in range(50):
                with contextlib.suppress(ConfigParseError, configparser.Error, UnicodeDecodeError):
                    if "other" in str(raw_config_parse(str(path))):
                        return
                time.sleep(0.01)
            raise AssertionError(f"{path.name} is not understood, or has lost what it had: {path.read_text()[:400]}")

        return look

    def clusters(self) -> None:
        # kubectl also writes in place: an incomplete file is a failure only if it stays incomplete.
        for _ in range(1 if self.strict else 50):
            with contextlib.suppress(*(() if self.strict else (yaml.YAMLError, TypeError, KeyError))):
                found = yaml.safe_load(self.home.kubeconfig.read_text())
                assert found["clusters"][0]["name"] == "prod", found
                return
            time.sleep(0.01)
        raise AssertionError("the kubeconfig is not understood")

    def token(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            assert re.fullmatch(r"s\.[\w-]{22}", self.home.vault.read_text()), "no whole token"

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        profiles = self.profiles if self.strict else self.tolerant_read(self.home.credentials)
        settings = self.settings if self.strict else self.tolerant_read(self.home.config)
        looks = {"profiles": profiles, "settings": settings, "clusters": self.clusters, "token": self.token}
        threads = [threading.Thread(target=self.read, args=item) for item in looks.items()]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.over.set()
            for thread in threads:
                thread.join()


def crowd(home: Home) -> list[str]:
    with ThreadPoolExecutor(max_workers=SLOTS) as pool:
        return [text for texts in pool.map(home.rounds, range(WRITERS)) for text in texts]


def check_end(home: Home) -> None:
    profiles = raw_config_parse(str(home.credentials))
    assert home.written(0) | {"other"} <= profiles.keys(), sorted(profiles)
    processes = raw_config_parse(str(home.config))
    assert {f"profile {name}-process" for name in home.written(1)} <= processes.keys(), sorted(processes)
    clusters = yaml.safe_load(home.kubeconfig.read_text())
    for kind in ("users", "contexts"):
        names = [entry["name"] for entry in clusters.get(kind, [])]
        assert home.written(2) <= set(names) and len(names) == len(set(names)), names
    for path in (home.credentials, home.config, home.kubeconfig):
        assert "# mine" in path.read_text()
    litter = [
        str(path.relative_to(home.folder))
        for path in home.folder.rglob("*")
        if path.is_file() and path.name not in ("credentials", "config", ".vault-token")
    ]
    assert not litter


def test_writers_lose_nothing_and_readers_see_only_complete_files(workspace: Gp, tmp_path: pathlib.Path) -> None:
    home = Home(tmp_path / "home", workspace)
    watch = Watch(home, strict=True)
    with watch.watching():
        wrong = crowd(home)
    print(f"{WRITERS} writers in {ROUNDS} rounds, {watch.reads.total()} reads: {len(wrong) + len(watch.wrong)} faults")
    assert not wrong + watch.wrong, "\n".join((wrong + watch.wrong)[:20])
    check_end(home)


def test_gp_and_the_vendors_writers_change_the_same_files(workspace: Gp, tmp_path: pathlib.Path) -> None:
    home = Home(tmp_path / "home", workspace)
    watch = Watch(home, strict=False)
    over = threading.Event()
    kubectl = shutil.which("kubectl")
    wrong: list[str] = []
    written: collections.Counter[str] = collections.Counter()

    def aws(path: pathlib.Path, section: str) -> None:
        """Does what `aws configure set` does, without its half second of start-up."""
        while not over.is_set():
            number = written[path.name]
            written[path.name] += 1
            try:
                ConfigFileWriter().update_config({"__section__": section, "vendor": str(number)}, str(path))
            except Exception as error:  # noqa: BLE001: it reads before it writes
                wrong.append(f"aws configure set: {type(error).__name__}: {error}")
            time.sleep(random.uniform(0.005, 0.03))

    def config() -> None:
        names = iter(range(1_000_000))
        while not over.is_set():
            name = f"vendor{next(names)}"
            done = home.gp.run([kubectl, "config", "set-cluster", name, "--server=https://127.0.0.1:2"])
            # kubectl fails at once if another process writes.
            if done.returncode == 0:
                written["kubectl"] += 1
            elif "lock" not in done.stderr:
                wrong.append(f"kubectl: {done.stderr}")

    vendors = [
        threading.Thread(target=aws, args=(home.credentials, "vendor")),
        threading.Thread(target=aws, args=(home.config, "profile vendor")),
    ]
    if kubectl:
        vendors.append(threading.Thread(target=config))
    for thread in vendors:
        thread.start()
    try:
        with watch.watching():
            wrong += crowd(home)
    finally:
        over.set()
        for thread in vendors:
            thread.join()
    print(f"beside {dict(written)}: {len(wrong) + len(watch.wrong)} faults")
    assert not wrong + watch.wrong, "\n".join((wrong + watch.wrong)[:20])
    # The AWS CLI, which takes no lock, may have undone changes of `gp`, but the old content must still be there.
    assert raw_config_parse(str(home.credentials))["other"] == MINE["other"]
    assert "vendor" in raw_config_parse(str(home.credentials))
    assert "profile vendor" in raw_config_parse(str(home.config))
    clusters = yaml.safe_load(home.kubeconfig.read_text())
    assert home.written(2) <= {entry["name"] for entry in clusters.get("users", [])}


HOLDER = """
import fcntl, os, sys, time
if sys.argv[2] != "-":
    os.setgid(int(sys.argv[2])), os.setuid(int(sys.argv[2]))
file = open(sys.argv[1], "a")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(600)
"""


@contextlib.contextmanager
def holder(lock: pathlib.Path, user: str = "-") -> Iterator[subprocess.Popen[str]]:
    """A process that has the lock."""
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    assert python
    process = subprocess.Popen([python, "-c", HOLDER, str(lock), user], stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


LOCKED = [
    (("login", "aws"), ".aws/credentials"),
    (("login", "aws", "--credential-process", "--no-check"), ".aws/config"),
    (("login", "kubernetes", "--audience", "k", "--cluster", "prod"), ".kube/config"),
    (("login", "vault"), ".vault-token"),
    (("token", "--audience", "x", "--output", "token"), "token"),
]


def bounded(home: Home, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    begun = time.monotonic()
    done = home.gp("idp", *arguments, "--timeout", "700ms", cwd=home.folder)
    # The limit of 0.7 s, and time for the start of a process on a busy machine.
    assert time.monotonic() - begun < 5
    return done


@pytest.mark.parametrize(("arguments", "name"), LOCKED)
def test_a_holder_that_is_stopped_or_killed(
    workspace: Gp, tmp_path: pathlib.Path, arguments: tuple[str, ...], name: str
) -> None:
    home = Home(tmp_path / "home", workspace)
    lock = home.folder / f"{name}.gp-lock"
    before = {path: path.read_bytes() for path in home.folder.rglob("*") if path.is_file()}
    with holder(lock) as process:
        process.send_signal(signal.SIGSTOP)
        done = bounded(home, arguments)
        assert done.returncode == 7, done.stderr
        assert "holds the lock" in done.stderr and lock.name in done.stderr
        assert {path: path.read_bytes() for path in before} == before
        process.kill()
        process.wait()
        # The lock of a process that has ended is free, even if its file still exists.
        done = bounded(home, arguments)
        assert done.returncode == 0, done.stderr
    assert not lock.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize(("arguments", "name"), LOCKED)
def test_a_holder_of_another_user(
    workspace: Gp, tmp_path: pathlib.Path, arguments: tuple[str, ...], name: str
) -> None:
    home = Home(tmp_path / "home", workspace)
    lock = home.folder / f"{name}.gp-lock"
    lock.touch()
    os.chown(lock, 65534, 65534)
    # That user cannot enter this folder, so this process holds the lock on the user's file.
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = bounded(home, arguments)
    assert done.returncode == 7, done.stderr
    assert lock.name in done.stderr
