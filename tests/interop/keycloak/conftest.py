"""A Keycloak on loopback, with two realms that know the local workspace's issuer."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from conftest import Gp
from parties.conftest import INTEROP, TOOLS, build, required

VERSION = "26.7.3"
FEATURES = "client-auth-federated,jwt-authorization-grant,token-exchange,admin-fine-grained-authz"
SECRET = "s3cret-of-ci"
# Keycloak runs only for seconds: better compiled code would save less time than its compilation takes.
JAVA = {"JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx768m", "JAVA_OPTS_APPEND": "-XX:TieredStopAtLevel=1"}
# How long a start may take, in seconds.
STARTS = 300


def install() -> pathlib.Path:
    """Keycloak's own folder, unpacked once."""
    folder = TOOLS / f"keycloak-{VERSION}"
    if not folder.is_dir():
        copy = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
        artifact = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
        build(["mvn", "-B", "-q", copy, f"-Dartifact={artifact}", f"-DoutputDirectory={TOOLS}"], INTEROP)
        archive = TOOLS / f"keycloak-quarkus-dist-{VERSION}.zip"
        unpacked = TOOLS / "unpacked"
        shutil.rmtree(unpacked, ignore_errors=True)
        with zipfile.ZipFile(archive) as content:
            content.extractall(unpacked)
        archive.unlink()
        (unpacked / folder.name / "bin/kc.sh").chmod(0o755)
        (unpacked / folder.name).replace(folder)
    return folder


def realm(name: str, issuer: str, subject: str, *, reuse: bool) -> dict[str, Any]:
    """A realm with both methods; without `reuse`, each token needs a `jti`."""
    provider = {
        "issuer": issuer,
        "jwksUrl": f"{issuer}/keys",
        "useJwksUrl": "true",
        "validateSignature": "true",
        "authorizationUrl": f"{issuer}/none",
        "tokenUrl": f"{issuer}/none",
        "clientId": "none",
        "supportsClientAssertions": "true",
        "supportsClientAssertionReuse": str(reuse).lower(),
        "jwtAuthorizationGrantEnabled": "true",
        "jwtAuthorizationGrantAssertionReuseAllowed": str(reuse).lower(),
        "jwtAuthorizationGrantMaxAllowedAssertionExpiration": "7200",
    }
    federated = {
        "clientId": "workspace",
        "serviceAccountsEnabled": True,
        "standardFlowEnabled": False,
        "clientAuthenticatorType": "federated-jwt",
        "attributes": {"jwt.credential.issuer": "gitpod", "jwt.credential.sub": subject},
    }
    grant = {
        "oauth2.jwt.authorization.grant.enabled": "true",
        "oauth2.jwt.authorization.grant.idp": "gitpod",
    }
    confidential = {"clientId": "ci", "secret": SECRET, "attributes": grant}
    identity = {"identityProvider": "gitpod", "userId": subject, "userName": subject}
    person = {"username": "someone", "enabled": True, "federatedIdentities": [identity]}
    return {
        "realm": name,
        "enabled": True,
        "sslRequired": "none",
        "identityProviders": [{"alias": "gitpod", "providerId": "oidc", "enabled": True, "config": provider}],
        "clients": [client | {"enabled": True, "publicClient": False} for client in (federated, confidential)],
        "users": [person],
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def keycloak(workspace: Gp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Keycloak; its realms are `dev` and `strict`."""
    required("java", "mvn")
    folder = install()
    shutil.rmtree(folder / "data", ignore_errors=True)
    (folder / "data/import").mkdir(parents=True)
    claims = jwt.decode(workspace.token("--audience", "x"), options={"verify_signature": False})
    for name in ("dev", "strict"):
        content = realm(name, claims["iss"], claims["sub"], reuse=name == "dev")
        (folder / f"data/import/{name}.json").write_text(json.dumps(content))
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = tmp_path_factory.mktemp("keycloak") / "log"
    listen = ["--http-host=127.0.0.1", f"--http-port={port}"]
    # The database is in memory, so nothing remains after the tests.
    options = [f"--features={FEATURES}", "--db=dev-mem", *listen, "--import-realm"]
    environment = {name: os.environ[name] for name in ("PATH", "JAVA_HOME") if name in os.environ}
    with log.open("w") as output:
        server = subprocess.Popen(
            [folder / "bin/kc.sh", "start-dev", *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment | {"HOME": str(log.parent)} | JAVA,
        )
    try:
        deadline = time.monotonic() + STARTS
        while not answers(f"{url}/realms/strict/.well-known/openid-configuration"):
            assert server.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.3)
        yield url
    finally:
        server.terminate()
        server.wait(STARTS)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (OSError, urllib.error.URLError):
        return False
