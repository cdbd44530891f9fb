"""Every refusal of a real server: `gp` prints the server's message and the right advice, and the local workspace's server
refuses the same token with the same message."""

import json
import pathlib
import time
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Gp

from .conftest import AUDIENCE, AnyIssuer, Server, any_issuer, usual


def refused(done: Any) -> str:
    """The server's message in an error of `gp`."""
    assert (done.returncode, done.stdout) == (5, ""), done.stderr
    line = next(line for line in done.stderr.splitlines() if " refused: " in line)
    return line.split(" refused: ", 1)[1]


def hints(done: Any) -> list[str]:
    return [line for line in done.stderr.splitlines() if line.startswith("hint: ")]


# Roles with a problem, and what the first hint names.
ROLES: dict[str, tuple[dict[str, Any], str]] = {
    "audience": (usual(bound_audiences=["other"]), "--audience"),
    "no-audience": (usual(bound_audiences=[], bound_claims={"name": "Local Developer"}), "bound_audiences"),
    "subject": (usual(bound_subject="https://github.com/acme/shop"), "bound_subject"),
    "claim": (usual(bound_claims={"repository": "https://github.com/acme/*"}), "bound_claims"),
    "glob": (usual(bound_claims_type="glob", bound_claims={"repository": ["x", "*/acme/*"]}), "bound_claims"),
    "no-claim": (usual(bound_claims={"project": "x"}), "bound_claims"),
    "no-user": (usual(user_claim="login"), "user_claim"),
    "number-as-user": (usual(user_claim="exp"), "user_claim"),
    "no-groups": (usual(groups_claim="groups"), "groups_claim"),
    "odd-groups": (usual(groups_claim="email_verified"), "groups_claim"),
    "oidc": (usual(role_type="oidc", allowed_redirect_uris=["http://127.0.0.1/"]), "role_type=jwt"),
    "subject-before-audience": (usual(bound_subject="x", bound_audiences=["other"]), "bound_subject"),
    "audience-before-user": (usual(bound_audiences=["other"], user_claim="login"), "--audience"),
    "user-before-claim": (usual(user_claim="login", bound_claims={"project": "x"}), "user_claim"),
    "no-audience-before-user": (usual(bound_audiences=[], user_claim="x", bound_claims={"a": "b"}), "bound_audiences"),
}


@pytest.mark.parametrize("name", ROLES)
def test_a_role_that_does_not_fit(
    inside: Callable[..., Gp],
    server: Server,
    start_workspace: Callable[..., Gp],
    workspace: Gp,
    tmp_path: pathlib.Path,
    name: str,
) -> None:
    role, hint = ROLES[name]
    server.set(f"auth/jwt/role/{name}", role)
    status, reply = server.login(workspace.token("--audience", AUDIENCE), name)
    done = inside()("idp", "login", "vault", "--role", name)
    assert refused(done) == f"{reply['errors'][0]} (HTTP {status})"
    assert hint in hints(done)[0], done.stderr
    # The local server, with the role as the real one prints it.
    file = tmp_path / "role.json"
    file.write_text(json.dumps(server("GET", f"auth/jwt/role/{name}")[1]))
    local = start_workspace("--vault-role", f"{name}={file}")
    assert refused(local("idp", "login", "vault", "--no-store")) == refused(done)


@pytest.mark.parametrize(
    ("arguments", "environment", "hint"),
    [
        (["--role", "nope"], {}, "--role"),
        ([], {}, "IDP_VAULT_ROLE"),
        (["--role", "demo", "--mount", "nope"], {}, "--mount"),
        (["--role", "demo", "--namespace", "nope"], {}, "--namespace"),
        (["--role", "demo", "--audience", "x"], {}, "--audience"),
    ],
)
def test_a_login_that_does_not_fit(
    inside: Callable[..., Gp], workspace: Gp, arguments: list[str], environment: dict[str, str], hint: str
) -> None:
    done = inside(**environment)("idp", "login", "vault", *arguments)
    assert hint in hints(done)[0], done.stderr
    # The local server gives the same message.
    local = Gp(workspace.environment | {"IDP_VAULT_ROLE": ""})("idp", "login", "vault", "--no-store", *arguments)
    assert refused(local) == refused(done)
    assert hints(local) == hints(done)


def test_a_namespace_without_the_mount(inside: Callable[..., Gp], server: Server) -> None:
    server.set("sys/namespaces/empty")
    done = inside()("idp", "login", "vault", "--role", "demo", "--namespace", "empty")
    assert refused(done) == "permission denied (HTTP 403)"
    assert "`--namespace` (`empty` is set now)" in done.stderr


def test_an_address_that_the_role_does_not_allow(inside: Callable[..., Gp], server: Server) -> None:
    server.set("auth/jwt/role/cidr", usual(token_bound_cidrs=["192.0.2.0/24"]))
    done = inside()("idp", "login", "vault", "--role", "cidr")
    assert refused(done) == "permission denied (HTTP 403)"
    assert "token_bound_cidrs" in done.stderr


def test_mounts_that_do_not_fit(inside: Callable[..., Gp], server: Server, issuer: str) -> None:
    server.set("sys/auth/bare", {"type": "jwt"})
    done = inside()("idp", "login", "vault", "--role", "demo", "--mount", "bare")
    assert refused(done) == "could not load configuration (HTTP 400)"
    # The command in the hint does what it says.
    command = done.stderr.splitlines()[-1].split("`")[1].split()
    assert command[:3] == ["vault", "write", "auth/bare/config"]
    assert inside(BAO_TOKEN="root").run(["bao", *command[1:]]).returncode == 0
    server.set("auth/bare/role/demo", usual())
    done = inside()("idp", "login", "vault", "--role", "demo", "--mount", "bare", "--no-store")
    assert done.returncode == 0, done.stderr

    server.mount("slash", {"oidc_discovery_url": issuer, "bound_issuer": issuer + "/"}, {"demo": usual()})
    done = inside()("idp", "login", "vault", "--role", "demo", "--mount", "slash")
    assert refused(done) == "error validating token: invalid issuer (iss) claim (HTTP 400)"
    assert f"`{issuer}`" in done.stderr

    for kind in ("approle", "kubernetes"):
        server.set(f"sys/auth/{kind}", {"type": kind})
        done = inside()("idp", "login", "vault", "--role", "demo", "--mount", kind)
        assert done.returncode == 5
        assert "another auth method" in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("offset", "said"),
    # Half an hour more than the printed value, so that a second between two clocks makes no difference.
    [
        ("-150m", "invalid expiration time (exp) claim: token is expired"),
        ("150m", "invalid not before (nbf) claim: token not yet valid"),
    ],
)
def test_clocks(
    inside: Callable[..., Gp], server: Server, start_workspace: Callable[..., Gp], offset: str, said: str
) -> None:
    other = start_workspace("--clock-offset", offset)
    mount = f"clock{offset}"
    server.mount(mount, {"jwks_url": other.environment["IDP_API_URL"] + "/idp/keys"}, {"demo": usual()})
    done = inside(other)("idp", "login", "vault", "--role", "demo", "--mount", mount)
    assert refused(done) == f"error validating token: {said} (HTTP 400)"
    side = "behind" if offset.startswith("-") else "ahead of"
    assert f"clock  the issuer is 2 h {side} the server" in done.stderr, done.stderr
    assert refused(other("idp", "login", "vault", "--no-store")) == refused(done)


def test_a_small_difference_between_clocks_is_allowed(
    inside: Callable[..., Gp], server: Server, forge: AnyIssuer
) -> None:
    server.mount("leeway", {"jwt_validation_pubkeys": [forge.public]}, {"demo": usual()})
    now = int(time.time())
    login = ("idp", "login", "vault", "--role", "demo", "--mount", "leeway", "--no-store")
    for claims, code in [
        ({"iat": now, "exp": now + 60}, 0),
        ({"iat": now - 600, "exp": now - 40}, 0),
        ({"iat": now + 50, "exp": now + 600}, 0),
        ({"iat": now - 600, "exp": now - 70}, 5),
        ({"iat": now + 100, "exp": now + 600}, 5),
    ]:
        forge.mint(**claims)
        done = inside(**forge.environment())(*login)
        assert done.returncode == code, (claims, done.stderr)


def test_a_token_without_times(inside: Callable[..., Gp], server: Server, forge: AnyIssuer) -> None:
    server.mount("timeless", {"jwt_validation_pubkeys": [forge.public]}, {"demo": usual()})
    forge.mint()
    done = inside(**forge.environment())("idp", "login", "vault", "--role", "demo", "--mount", "timeless")
    said = "error validating token: no issued at (iat), not before (nbf), or expiration time (exp) claims in token"
    assert refused(done) == f"{said} (HTTP 400)"
    assert "`iat`, `nbf` and `exp`" in done.stderr.splitlines()[-1]


def test_other_keys(
    inside: Callable[..., Gp], server: Server, forge: AnyIssuer, start_workspace: Callable[..., Gp]
) -> None:
    server.mount("keys", {"jwks_url": forge.url + "/keys"}, {"demo": usual()})
    done = inside()("idp", "login", "vault", "--role", "demo", "--mount", "keys")
    said = "error validating token: error verifying token signature: failed to verify id token signature"
    assert refused(done) == f"{said} (HTTP 400)"
    assert "does not use the keys of" in done.stderr
    local = start_workspace("--vault-fault", "signature")
    assert refused(local("idp", "login", "vault", "--no-store")) == refused(done)


def test_keys_that_the_server_cannot_fetch(inside: Callable[..., Gp], server: Server) -> None:
    with any_issuer() as gone:
        server.mount("gone", {"jwks_url": gone.url + "/keys"}, {"demo": usual()})
        gone.mint(iss="https://issuer.example.com", iat=int(time.time()))
    with any_issuer() as other:
        other.token = gone.token
        done = inside(**other.environment())("idp", "login", "vault", "--role", "demo", "--mount", "gone")
    words = refused(done)
    assert "error verifying token signature: fetching keys" in words and "connection refused" in words, words
    assert "let the server reach the issuer's discovery document and keys" in done.stderr


def test_a_second_factor(
    inside: Callable[..., Gp], server: Server, issuer: str, start_workspace: Callable[..., Gp]
) -> None:
    server.mount("mfa", {"oidc_discovery_url": issuer, "bound_issuer": issuer}, {"demo": usual()})
    accessor = server("GET", "sys/auth")[1]["data"]["mfa/"]["accessor"]
    method = server.set("identity/mfa/method/totp", {"issuer": "x", "period": 30, "key_size": 20, "digits": 6})
    enforcement = {"mfa_method_ids": [method["data"]["method_id"]], "auth_method_accessors": [accessor]}
    server.set("identity/mfa/login-enforcement/everyone", enforcement)
    done = inside()("idp", "login", "vault", "--role", "demo", "--mount", "mfa")
    assert refused(done) == "it requires a second factor (totp), which a workspace cannot provide (HTTP 200)"
    assert done.stderr.splitlines()[-1].endswith("the mount `mfa` out of the MFA login enforcement `everyone`")
    local = start_workspace("--vault-fault", "mfa-required")
    assert refused(local("idp", "login", "vault", "--no-store")) == refused(done)


def test_a_sealed_server(
    inside: Callable[..., Gp], start_server: Callable[..., Server], start_workspace: Callable[..., Gp]
) -> None:
    server = start_server()
    server.set("sys/seal")
    done = inside(VAULT_ADDR=server.url)("idp", "login", "vault", "--role", "demo")
    assert (done.returncode, done.stdout) == (6, "")
    assert "accepts no requests now: Vault is sealed (HTTP 503) (" in done.stderr
    assert "vault operator unseal" in done.stderr.splitlines()[-1]
    local = start_workspace("--vault-fault", "sealed")("idp", "login", "vault", "--no-store")
    assert "accepts no requests now: Vault is sealed (HTTP 503) (" in local.stderr


def test_a_server_that_is_not_there(inside: Callable[..., Gp]) -> None:
    done = inside(VAULT_ADDR="http://127.0.0.1:1")("idp", "login", "vault", "--role", "demo")
    assert done.returncode == 6
    assert "http://127.0.0.1:1 refused the connection" in done.stderr
