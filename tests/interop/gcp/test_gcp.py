"""Google's client libraries and gcloud use the configuration of `gp idp login gcp` against the local workspace."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import google.auth.transport.requests
import google.oauth2.sts
import jwt
import pytest
from conftest import Gp
from google.auth import exceptions

ACCOUNT = "deploy@example-project.iam.gserviceaccount.com"
FEDERATED, IMPERSONATED = "ya29.d.dev-", "ya29.c.dev-"
HERE = pathlib.Path(__file__).parent
PYTHON = [
    sys.executable,
    "-c",
    "import google.auth, google.auth.transport.requests as t;"
    "c, _ = google.auth.default(scopes=['https://www.googleapis.com/auth/cloud-platform']);"
    "c.refresh(t.Request()); print(c.token)",
]
NODE = ["node", str(HERE / "adc.mjs")]
# Two independent libraries: one may accept what the other refuses.
CLIENTS = pytest.mark.parametrize("client", [PYTHON, NODE], ids=["python", "node"])


def exports(stderr: str) -> dict[str, str]:
    """The variables that SDKs need in addition to the file, as the login prints them."""
    lines = [line.removeprefix("export ") for line in stderr.splitlines() if line.startswith("export ")]
    return dict(line.split("=", 1) for line in lines)


def logged_in(workspace: Gp, home: pathlib.Path, *arguments: str) -> Gp:
    """`gp` with a home folder of its own after `gp idp login gcp`, with the variables that the login printed."""
    gp = Gp(workspace.environment | {"HOME": str(home)})
    done = gp("idp", "login", "gcp", "--project", "example-project", *arguments)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return Gp(gp.environment | exports(done.stderr))


def configuration(gp: Gp) -> pathlib.Path:
    return pathlib.Path(gp.environment["HOME"], ".config/gcloud/application_default_credentials.json")


@CLIENTS
@pytest.mark.parametrize("account", [(), ("--service-account", ACCOUNT)], ids=["federated", "impersonated"])
@pytest.mark.parametrize("source", [(), ("--file-sourced",)], ids=["executable", "file"])
def test_adc(
    workspace: Gp, tmp_path: pathlib.Path, client: list[str], account: tuple[str], source: tuple[str]
) -> None:
    gp = logged_in(workspace, tmp_path, *account, *source)
    done = gp.run(client)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert done.stdout.startswith(IMPERSONATED if account else FEDERATED)


@CLIENTS
def test_an_audience_and_a_lifetime_of_its_own(workspace: Gp, tmp_path: pathlib.Path, client: list[str]) -> None:
    provider = workspace.environment["IDP_GCP_WORKLOAD_IDENTITY_PROVIDER"]
    arguments = ("--audience", f"//iam.googleapis.com/{provider}", "--lifetime", "20m")
    gp = logged_in(workspace, tmp_path, *arguments, "--service-account", ACCOUNT)
    done = gp.run(client)
    assert done.stdout.startswith(IMPERSONATED), done.stderr


@CLIENTS
def test_an_output_file_is_written_and_read(workspace: Gp, tmp_path: pathlib.Path, client: list[str]) -> None:
    gp = logged_in(workspace, tmp_path)
    path, answer = configuration(gp), tmp_path / "cache/answer.json"
    config = json.loads(path.read_text())
    config["credential_source"]["executable"]["output_file"] = str(answer)
    path.write_text(json.dumps(config))
    assert gp.run(client).stdout.startswith(FEDERATED)
    kept = json.loads(answer.read_text())
    assert kept["expiration_time"] > time.time()
    assert answer.stat().st_mode & 0o777 == 0o600
    # With the cached answer, the workspace gets no request.
    cut_off = Gp(gp.environment | {"SUPERVISOR_ADDR": "127.0.0.1:1"})
    assert cut_off.run(client).stdout.startswith(FEDERATED)
    assert json.loads(answer.read_text()) == kept


@CLIENTS
def test_clients_show_the_error_of_gp(workspace: Gp, tmp_path: pathlib.Path, client: list[str]) -> None:
    gp = logged_in(workspace, tmp_path)
    # No token can be minted at this address.
    broken = gp.environment | {"IDP_API_URL": "http://127.0.0.1:1"}
    done = Gp(broken).run(client)
    assert done.returncode != 0
    assert "503" in done.stderr
    assert "http://127.0.0.1:1 refused the connection" in done.stderr
    assert "eyJ" not in done.stderr


@CLIENTS
def test_without_the_export_sdks_refuse(workspace: Gp, tmp_path: pathlib.Path, client: list[str]) -> None:
    gp = logged_in(workspace, tmp_path)
    del gp.environment["GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"]
    done = gp.run(client)
    assert done.returncode != 0
    assert "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES" in done.stderr


@CLIENTS
def test_exec(workspace: Gp, tmp_path: pathlib.Path, client: list[str]) -> None:
    gp = Gp(workspace.environment | {"HOME": str(tmp_path)})
    arguments = ["--project", "example-project", "--service-account", ACCOUNT, "--"]
    done = gp("idp", "exec", "gcp", *arguments, *client)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(IMPERSONATED)
    # Node's library creates an empty folder, so this looks for the file.
    assert not configuration(gp).exists()


@pytest.mark.skipif(not shutil.which("gcloud"), reason="gcloud is not installed")
@pytest.mark.parametrize("account", [(), ("--service-account", ACCOUNT)], ids=["federated", "impersonated"])
def test_gcloud(workspace: Gp, tmp_path: pathlib.Path, account: tuple[str]) -> None:
    gp = logged_in(workspace, tmp_path, *account)
    settings = {"CLOUDSDK_CORE_DISABLE_PROMPTS": "1", "CLOUDSDK_CONFIG": str(tmp_path / "gcloud")}
    done = Gp(gp.environment | settings).run(["gcloud", "auth", "print-access-token"])
    assert done.stdout.startswith(IMPERSONATED if account else FEDERATED), done.stderr


@pytest.mark.skipif(not shutil.which("gcloud"), reason="gcloud is not installed")
def test_gcloud_writes_the_same_configuration(workspace: Gp, tmp_path: pathlib.Path) -> None:
    """Both write the same file for the same settings, for Google's own addresses."""
    environment = {name: value for name, value in workspace.environment.items() if "OVERRIDES" not in name}
    gp = logged_in(Gp(environment), tmp_path, "--no-check", "--service-account", ACCOUNT, "--lifetime", "30m")
    ours = json.loads(configuration(gp).read_text())
    command = ours["credential_source"]["executable"]["command"]
    theirs = tmp_path / "theirs.json"
    done = Gp(gp.environment | {"CLOUDSDK_CONFIG": str(tmp_path / "gcloud")}).run(
        [
            *("gcloud", "iam", "workload-identity-pools", "create-cred-config"),
            environment["IDP_GCP_WORKLOAD_IDENTITY_PROVIDER"],
            f"--service-account={ACCOUNT}",
            "--service-account-token-lifetime-seconds=1800",
            f"--executable-command={command}",
            "--subject-token-type=urn:ietf:params:oauth:token-type:id_token",
            f"--output-file={theirs}",
        ]
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(theirs.read_text()) == ours


def test_an_id_token_that_google_signs(workspace: Gp) -> None:
    arguments = ["--format", "id-token", "--id-token-audience", "https://service.example.com"]
    done = workspace("idp", "login", "gcp", *arguments, "--service-account", ACCOUNT)
    claims = jwt.decode(done.stdout.strip(), options={"verify_signature": False})
    assert (claims["aud"], claims["email"]) == ("https://service.example.com", ACCOUNT)


# The local STS, with Google's own RFC 8693 client.


def test_the_local_sts_checks_tokens(workspace: Gp) -> None:
    environment = workspace.environment
    provider = f"//iam.googleapis.com/{environment['IDP_GCP_WORKLOAD_IDENTITY_PROVIDER']}"
    client = google.oauth2.sts.Client(environment["CLOUDSDK_API_ENDPOINT_OVERRIDES_STS"] + "v1/token")

    def exchange(token: str, audience: str = provider) -> str:
        return client.exchange_token(
            google.auth.transport.requests.Request(),
            "urn:ietf:params:oauth:grant-type:token-exchange",
            subject_token=token,
            subject_token_type="urn:ietf:params:oauth:token-type:jwt",
            audience=audience,
            scopes=["https://www.googleapis.com/auth/cloud-platform"],
            requested_token_type="urn:ietf:params:oauth:token-type:access_token",
        )["access_token"]

    token = workspace.token("--audience", f"https:{provider}")
    assert exchange(token).startswith(FEDERATED)
    header, payload, signature = token.split(".")
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    wrong = [
        (f"{header}.{payload}.{flipped}", provider, "invalid_grant"),
        (workspace.token("--audience", "x"), provider, "invalid_grant"),
        (token, provider.replace("123456789012", "210987654321"), "invalid_target"),
        (token, "https://example.com", "invalid_request"),
        ("x", provider, "invalid_grant"),
    ]
    for subject, audience, error in wrong:
        with pytest.raises(exceptions.OAuthError, match=error):
            exchange(subject, audience)


def test_no_secret_is_on_a_command_line(workspace: Gp, tmp_path: pathlib.Path) -> None:
    """A wrapper records the command line of the client that runs the executable: it contains no token."""
    gp = logged_in(workspace, tmp_path)
    command = json.loads(configuration(gp).read_text())["credential_source"]["executable"]["command"]
    assert command.split()[1:] == ["idp", "gcloud-token"]
    trace = tmp_path / "words"
    wrapper = tmp_path / "gp"
    wrapper.write_text(f'#!/bin/sh\ntr "\\0" " " < /proc/$PPID/cmdline >> {trace}\nexec {command} "$@"\n')
    wrapper.chmod(0o755)
    config = json.loads(configuration(gp).read_text())
    config["credential_source"]["executable"]["command"] = str(wrapper)
    configuration(gp).write_text(json.dumps(config))
    assert gp.run(PYTHON).stdout.startswith(FEDERATED)
    assert "eyJ" not in trace.read_text()


def test_the_original_command_line(workspace: Gp) -> None:
    for environment, arguments in [({}, ["--audience", "x"]), ({"GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE": "x"}, [])]:
        gp = Gp(workspace.environment | environment)
        done = subprocess.run(
            ["gp", "idp", "gcloud-token", *arguments],
            executable=shutil.which("gp", path=gp.environment["PATH"]),
            env=gp.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        answer = json.loads(done.stdout)
        assert list(answer) == ["version", "success", "token_type", "id_token", "expiration_time"]
        claims = jwt.decode(answer["id_token"], options={"verify_signature": False})
        assert (claims["aud"], claims["exp"]) == (["x"], answer["expiration_time"])
        assert (answer["version"], answer["success"]) == (1, True)
        assert type(answer["expiration_time"]) is int
        assert done.stderr == ""
    assert os.environ.get("GOOGLE_APPLICATION_CREDENTIALS") is None
