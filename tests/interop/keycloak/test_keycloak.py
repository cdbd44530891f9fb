"""`gp idp exchange` with a real Keycloak: both methods, and its refusals."""

import json

import jwt
import pytest
from conftest import Gp
from keycloak.conftest import SECRET

GRANT = ("--grant", "jwt-bearer", "--client-id", "ci")
CLIENT = ("--grant", "client-credentials")


def claims(token: str) -> dict[str, object]:
    return jwt.decode(token, options={"verify_signature": False})


@pytest.mark.parametrize(("flags", "person"), [(CLIENT, "service-account-workspace"), (GRANT, "someone")])
def test_a_grant(workspace: Gp, keycloak: str, flags: tuple[str, ...], person: str) -> None:
    gp = Gp(workspace.environment | {"IDP_CLIENT_SECRET": SECRET})
    if flags == CLIENT:
        del gp.environment["IDP_CLIENT_SECRET"]
    done = gp("idp", "exchange", "--issuer", f"{keycloak}/realms/dev", *flags, "--format", "json")
    assert done.returncode == 0, done.stderr
    token = claims(json.loads(done.stdout)["access_token"])
    assert (token["iss"], token["preferred_username"]) == (f"{keycloak}/realms/dev", person)


REFUSALS = {
    "no jti, as a client's assertion": (CLIENT, "strict", {}, "invalid_client", "Token jti claim is required"),
    "no jti, as a grant": (GRANT, "strict", {}, "invalid_grant", "Token jti claim is required"),
    "two audiences": (
        (*CLIENT, "--audience", "x", "--audience", "y"),
        "dev",
        {},
        "invalid_client",
        "Invalid token audience",
    ),
    "a wrong secret": (
        GRANT,
        "dev",
        {"IDP_CLIENT_SECRET": "not-the-secret"},
        "unauthorized_client",
        "Invalid client or Invalid client credentials",
    ),
    "an unknown client": (
        (*GRANT[:3], "nobody"),
        "dev",
        {},
        "invalid_client",
        "Invalid client or Invalid client credentials",
    ),
    "a token exchange": (("--client-id", "ci"), "dev", {}, "access_denied", "Client not allowed to exchange"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_shows_the_message_of_keycloak(workspace: Gp, keycloak: str, case: str) -> None:
    flags, realm, variables, code, words = REFUSALS[case]
    secret = {} if flags[:2] == CLIENT else {"IDP_CLIENT_SECRET": SECRET}
    gp = Gp(workspace.environment | secret | variables)
    done = gp("idp", "exchange", "--issuer", f"{keycloak}/realms/{realm}", *flags)
    assert (done.returncode, done.stdout) == (5, ""), done.stderr
    assert code in done.stderr and words in done.stderr, done.stderr
    assert "hint: " in done.stderr
