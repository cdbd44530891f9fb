"""Fixtures for the SDKs of several languages: their programs, built once, and the table of results."""

import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from entra.conftest import entra  # noqa: F401
from k8s.conftest import cluster, home, issuer, server  # noqa: F401

INTEROP = pathlib.Path(__file__).parent.parent
# Installed and built programs, kept between runs.
TOOLS = INTEROP / ".tools"
# Downloads and compilers take longer than any test.
BUILDING = 600


def required(*programs: str) -> None:
    """Skips the test if a program is missing, or fails it if `INTEROP_REQUIRE` is set."""
    missing = [program for program in programs if not shutil.which(program)]
    if missing and os.environ.get("INTEROP_REQUIRE"):
        pytest.fail(f"{', '.join(missing)} is not installed")
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed")


def build(command: list[str], folder: pathlib.Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=BUILDING, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@dataclasses.dataclass
class Party:
    """The programs of one language: its name in the table, and the command of each client."""

    title: str
    commands: dict[str, list[str]]


def python() -> Party:
    aws = "import boto3; print(boto3.Session().get_credentials().get_frozen_credentials().access_key)"
    google = (
        "import google.auth, google.auth.transport.requests as t;"
        "c, _ = google.auth.default(scopes=['https://www.googleapis.com/auth/cloud-platform']);"
        "c.refresh(t.Request()); print(c.token)"
    )
    azure = (
        "from azure.identity import WorkloadIdentityCredential as C;"
        "print(C(disable_instance_discovery=True).get_token('https://vault.azure.net/.default').token)"
    )
    kubernetes = (
        "from kubernetes import client, config;"
        "client.CoreV1Api(config.new_client_from_config()).list_namespaced_pod('default')"
    )
    scripts = {"aws": aws, "google": google, "azure": azure, "kubernetes": kubernetes}
    return Party("Python", {name: [sys.executable, "-c", script] for name, script in scripts.items()})


def go() -> Party:
    required("go")
    names = {"aws": "aws", "google": "gcp", "azure": "azure", "kubernetes": "kubernetes"}
    folder = TOOLS / "go"
    folder.mkdir(parents=True, exist_ok=True)
    sources = [f"./{name}" for name in names.values()]
    build(["go", "build", "-mod=readonly", "-ldflags=-s -w", "-o", f"{folder}/", *sources], INTEROP / "go")
    commands = {client: [str(folder / name)] for client, name in names.items()}
    commands["kubernetes"].append("1")
    return Party("Go", commands)


def node() -> Party:
    required("node")
    scripts = {"aws": "node/aws.mjs", "google": "gcp/adc.mjs", "azure": "entra/workload.mjs"}
    return Party("Node", {name: ["node", str(INTEROP / script)] for name, script in scripts.items()})


def java() -> Party:
    required("java", "javac", "mvn")
    folder = TOOLS / "java"
    pom = INTEROP / "java/pom.xml"
    installed = folder / "pom.xml"
    if not installed.is_file() or installed.read_bytes() != pom.read_bytes():
        shutil.rmtree(folder, ignore_errors=True)
        build(
            ["mvn", "-B", "-q", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={folder}/lib"],
            INTEROP / "java",
        )
        # Written last, so an install that was interrupted is done again.
        shutil.copy(pom, installed)
    sources = [str(path) for path in (INTEROP / "java").glob("*.java")]
    build(["javac", "-cp", f"{folder}/lib/*", "-d", f"{folder}/classes", *sources], INTEROP / "java")
    program = ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{folder}/classes:{folder}/lib/*"]
    names = {"aws": "Aws", "google": "Google", "azure": "Azure"}
    return Party("Java", {client: [*program, name] for client, name in names.items()})


MAKERS: dict[str, Callable[[], Party]] = {"Python": python, "Go": go, "Node": node, "Java": java}
# The results, by way and language: whether it worked.
TRIED: dict[tuple[str, str], bool] = {}


@pytest.fixture(scope="session")
def party(request: pytest.FixtureRequest) -> Iterator[Party]:
    yield MAKERS[request.param]()
