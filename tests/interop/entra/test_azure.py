"""Azure's SDKs use the output of `gp idp login azure` against the local workspace's Entra over TLS."""

import json
import pathlib
import shutil
import sys

import pytest
from entra.conftest import Front
from conftest import Gp, exported

HERE = pathlib.Path(__file__).parent
SCOPE = "'https://vault.azure.net/.default'"
CREDENTIALS = {
    "workload": "WorkloadIdentityCredential(disable_instance_discovery=True)",
    "default": "DefaultAzureCredential(require_envvar=False)",
    "assertion": "ClientAssertionCredential(os.environ['AZURE_TENANT_ID'], os.environ['AZURE_CLIENT_ID'],"
    " lambda: open(os.environ['AZURE_FEDERATED_TOKEN_FILE']).read())",
}
CLIENTS = {
    name: [
        sys.executable,
        "-c",
        f"import os; from azure.identity import *; print({code}.get_token({SCOPE}).token)",
    ]
    for name, code in CREDENTIALS.items()
} | {"node": ["node", str(HERE / "workload.mjs")]}


def inside(workspace: Gp, entra: Front, home: pathlib.Path) -> Gp:
    """`gp` with a home folder of its own, which trusts the test's authority."""
    ca = str(entra.ca)
    return Gp(
        workspace.environment
        | {"HOME": str(home), "AZURE_AUTHORITY_HOST": entra.url}
        | {"SSL_CERT_FILE": ca, "REQUESTS_CA_BUNDLE": ca, "NODE_EXTRA_CA_CERTS": ca}
    )


def logged_in(gp: Gp, home: pathlib.Path, *arguments: str) -> Gp:
    done = gp("idp", "login", "azure", "--format", "env", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    lines = home / "azure.env"
    lines.write_text(done.stdout)
    return Gp(gp.environment | exported(gp, lines))


@pytest.mark.parametrize("client", CLIENTS)
def test_sdks_find_the_token_file(workspace: Gp, entra: Front, tmp_path: pathlib.Path, client: str) -> None:
    gp = logged_in(inside(workspace, entra, tmp_path), tmp_path)
    done = gp.run(CLIENTS[client])
    assert done.stdout.startswith("dev-entra-"), done.stderr
    token = pathlib.Path(gp.environment["AZURE_FEDERATED_TOKEN_FILE"]).read_text()
    # Entra gets the content of the file, byte for byte.
    assert entra.assertions == [token]


@pytest.mark.parametrize("client", CLIENTS)
def test_exec(workspace: Gp, entra: Front, tmp_path: pathlib.Path, client: str) -> None:
    gp = inside(workspace, entra, tmp_path)
    gp.environment["AZURE_CLIENT_SECRET"] = "shadow"
    done = gp("idp", "exec", "azure", "--", *CLIENTS[client])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("dev-entra-")


def test_our_own_exchange_over_tls(workspace: Gp, entra: Front, tmp_path: pathlib.Path) -> None:
    gp = inside(workspace, entra, tmp_path)
    done = gp("idp", "login", "azure", "--format", "access-token", "--resource", "https://vault.azure.net")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("dev-entra-")
    assert len(entra.assertions) == 1


@pytest.mark.parametrize("client", CLIENTS)
def test_sdks_show_why_entra_refused(
    workspace: Gp, entra: Front, tmp_path: pathlib.Path, client: str
) -> None:
    gp = logged_in(inside(workspace, entra, tmp_path), tmp_path, "--audience", "api://other")
    done = gp.run(CLIENTS[client])
    assert done.returncode != 0
    assert "AADSTS700212" in done.stderr


@pytest.mark.skipif(not shutil.which("az"), reason="the Azure CLI is not installed: it takes a minute or two")
def test_az(workspace: Gp, entra: Front, tmp_path: pathlib.Path) -> None:
    """The only method for `az`, with its limit: `az` stores the token in clear text."""
    gp = inside(workspace, entra, tmp_path)
    gp.environment["AZURE_CONFIG_DIR"] = str(tmp_path / "az")
    script = """
        az cloud register -n Loop --endpoint-resource-manager "${AZURE_AUTHORITY_HOST%/}"
        az cloud set -n Loop
        az config set core.instance_discovery=false
        az login --service-principal --username "$AZURE_CLIENT_ID" --tenant "$AZURE_TENANT_ID" \\
            --federated-token "$(gp idp token --audience api://AzureADTokenExchange)" --allow-no-subscriptions
    """
    done = gp.bash(f"set -e; exec 1>&2; {script}")
    assert done.returncode == 0, done.stderr
    done = gp.run(["az", "account", "get-access-token", "--query", "accessToken"])
    assert json.loads(done.stdout).startswith("dev-entra-"), done.stderr
    assert entra.assertions[0] in (tmp_path / "az/service_principal_entries.json").read_text()
