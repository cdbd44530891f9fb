"""`gp idp dev --as`: third-party clients of the platforms get the same tokens as `gp idp token`."""

import os
import pathlib
import sys
from collections.abc import Callable

import jwt
import pytest
import requests
from conftest import Gp

HERE = pathlib.Path(__file__).parent
AUDIENCE = "https://api.example.org/?a=b&c"
# The name in which PyPI's `id` looks for the token.
DECLARED = f"HTTPS___API_EXAMPLE_ORG__A_B_C_ID_TOKEN={AUDIENCE}"

# A stand-in for the agent's command, with the same requests; `id` runs it.
AGENT = f"""#!{sys.executable}
import os, sys, requests
assert sys.argv[1:4] == ["oidc", "request-token", "--audience"], sys.argv
job = os.environ["BUILDKITE_AGENT_ENDPOINT"] + "/jobs/" + os.environ["BUILDKITE_JOB_ID"]
token = os.environ["BUILDKITE_AGENT_ACCESS_TOKEN"]
reply = requests.post(job + "/oidc/tokens", json={{"audience": sys.argv[4]}}, headers={{"Authorization": "Token " + token}})
reply.raise_for_status()
print(reply.json()["token"])
"""

NODE = ["node", str(HERE / "github.mjs")]


def ambient(platform: str) -> list[str]:
    """PyPI's `id`. Its search through all platforms would ask the network on a machine of Google's."""
    script = f"import sys; from id._internal.oidc.ambient import detect_{platform} as detect; print(detect(sys.argv[1]))"
    return [sys.executable, "-c", script]


CLIENTS = pytest.mark.parametrize(
    ("platform", "client"),
    [
        ("github", ambient("github")),
        ("github", NODE),
        ("gitlab", ambient("gitlab")),
        ("buildkite", ambient("buildkite")),
    ],
    ids=["github-id", "github-toolkit", "gitlab-id", "buildkite-id"],
)
# The platforms that `gp` has a source for.
SOURCES = ["github", "gitlab", "buildkite"]


@pytest.fixture(scope="module")
def jobs(
    start_workspace: Callable[..., Gp], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Gp]:
    """`gp` in a job of a platform."""
    folder = tmp_path_factory.mktemp("agent")
    (folder / "buildkite-agent").write_text(AGENT)
    (folder / "buildkite-agent").chmod(0o755)
    started: dict[str, Gp] = {}

    def job(platform: str) -> Gp:
        if platform not in started:
            started[platform] = start_workspace("--as", platform, "--id-token", DECLARED)
            started[platform].environment["PATH"] += os.pathsep + str(folder)
        return started[platform]

    return job


def minted(gp: Gp, client: list[str]) -> str:
    done = gp.run([*client, AUDIENCE])
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def without_times(token: str) -> dict[str, object]:
    claims = jwt.decode(token, options={"verify_signature": False})
    return {name: value for name, value in claims.items() if name not in {"iat", "nbf", "exp", "jti"}}


@CLIENTS
def test_a_client_gets_a_token_that_verifies_by_discovery(
    jobs: Callable[[str], Gp], platform: str, client: list[str]
) -> None:
    token = minted(jobs(platform), client)
    issuer = str(without_times(token)["iss"])
    found = requests.get(issuer + "/.well-known/openid-configuration", timeout=10).json()
    key = jwt.PyJWKClient(found["jwks_uri"]).get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE, issuer=found["issuer"])
    assert (claims["aud"], claims["exp"] - claims["iat"]) == (AUDIENCE, 300)


@CLIENTS
def test_a_client_gets_what_gp_gets(jobs: Callable[[str], Gp], platform: str, client: list[str]) -> None:
    if platform not in SOURCES:
        pytest.skip(f"`gp` has no source `{platform}`")
    gp = jobs(platform)
    own = without_times(gp.token("--audience", AUDIENCE))
    assert without_times(minted(gp, client)) == own


@pytest.mark.parametrize("client", [ambient("github"), NODE], ids=["id", "toolkit"])
def test_a_wrong_request_token_is_refused(jobs: Callable[[str], Gp], client: list[str]) -> None:
    wrong = Gp(jobs("github").environment | {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "wrong"})
    done = wrong.run([*client, AUDIENCE])
    assert done.returncode != 0
    assert "401" in done.stderr, done.stderr


def test_without_an_audience_a_token_is_for_the_owner(jobs: Callable[[str], Gp]) -> None:
    script = 'import { getIDToken } from "@actions/core"; console.log(await getIDToken())'
    done = jobs("github").run(["node", "--input-type=module", "-e", script], cwd=HERE)
    assert done.returncode == 0, done.stderr
    token = done.stdout.splitlines()[-1]
    assert without_times(token)["aud"] == "https://github.com/gitpod-io"
