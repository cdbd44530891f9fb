"""Third-party libraries verify ID tokens, and the command lines of the original `gp idp token` work."""

import base64
import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from authlib.oidc.core import CodeIDToken
from conftest import Gp
from joserfc import jwt as joserfc_jwt
from joserfc.errors import BadSignatureError, InvalidClaimError
from joserfc.jwk import KeySet

# The claims of every workspace token.
CLAIMS = {
    *("iss", "sub", "aud", "azp", "iat", "auth_time", "exp", "c_hash", "name", "email", "email_verified"),
    *("user_id", "org_id", "context", "workspace_id", "repository"),
}


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def fetch(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as reply:
        assert reply.headers.get_content_type() == "application/json"
        return json.load(reply)


def discover(token: str) -> dict[str, Any]:
    """The discovery document of the issuer of a token."""
    issuer = claims_of(token)["iss"]
    discovery = fetch(issuer + "/.well-known/openid-configuration")
    assert discovery["issuer"] == issuer
    return discovery


def verify(token: str, audience: str, discovery: dict[str, Any] | None = None) -> dict[str, Any]:
    """The claims, verified by PyJWT as a relying party does; without `discovery`, it starts from the token alone."""
    discovery = discovery or discover(token)
    key = jwt.PyJWKClient(discovery["jwks_uri"]).get_signing_key_from_jwt(token)
    return jwt.decode(
        token,
        key,
        algorithms=discovery["id_token_signing_alg_values_supported"],
        audience=audience,
        issuer=discovery["issuer"],
        options={"require": ["iss", "sub", "aud", "exp", "iat"]},
    )


def encode(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def with_claims(token: str, **changed: object) -> str:
    """The token with other claims and its old signature."""
    header, _, signature = token.split(".")
    return ".".join([header, encode(claims_of(token) | changed), signature])


def test_pyjwt_verifies(workspace: Gp) -> None:
    token = workspace.token("--audience", "example.org")
    assert verify(token, "example.org")["sub"] == "https://github.com/gitpod-io/example"


def test_joserfc_and_authlib_verify(workspace: Gp) -> None:
    token = workspace.token("--audience", "b", "--audience", "a")
    discovery = discover(token)
    keys = KeySet.import_key_set(fetch(discovery["jwks_uri"]))
    decoded = joserfc_jwt.decode(token, keys, algorithms=["RS256"])

    # Authlib checks the claims by OpenID Connect Core, including `azp` and `auth_time`.
    def judge(client: str) -> None:
        options = {"iss": {"essential": True, "value": discovery["issuer"]}}
        CodeIDToken(decoded.claims, decoded.header, options, {"client_id": client}).validate()

    judge("b")
    with pytest.raises(InvalidClaimError, match="azp"):
        judge("a")
    with pytest.raises(BadSignatureError):
        joserfc_jwt.decode(with_claims(token, sub="someone else"), keys, algorithms=["RS256"])


def test_discovery_has_what_openid_connect_requires(workspace: Gp) -> None:
    discovery = discover(workspace.token("--audience", "a"))
    required = {
        *("issuer", "authorization_endpoint", "jwks_uri", "response_types_supported"),
        *("subject_types_supported", "id_token_signing_alg_values_supported"),
    }
    assert required <= discovery.keys()
    assert discovery["id_token_signing_alg_values_supported"] == ["RS256"]


def test_the_header_names_a_published_key(workspace: Gp) -> None:
    token = workspace.token("--audience", "a")
    header = jwt.get_unverified_header(token)
    assert header["alg"] == "RS256"
    keys = fetch(discover(token)["jwks_uri"])["keys"]
    assert [key["kid"] for key in keys] == [header["kid"]]
    private = {"d", "p", "q", "dp", "dq", "qi", "oth"}
    assert not any(private & key.keys() for key in keys)


def test_claims(workspace: Gp) -> None:
    before = int(time.time())
    claims = verify(workspace.token("--audience", "b", "--audience", "a", "--audience", "c"), "a")
    assert claims.keys() == CLAIMS
    assert claims["aud"] == ["b", "a", "c"]
    assert claims["azp"] == "b"
    for name in ("iat", "auth_time", "exp"):
        # A number with a fraction or an exponent would be a float here, even a whole one.
        assert type(claims[name]) is int, name
    assert before <= claims["iat"] <= time.time()
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["email_verified"] is True
    assert claims["workspace_id"] == workspace.environment["GITPOD_WORKSPACE_ID"]
    assert claims["user_id"] == workspace.environment["GITPOD_OWNER_ID"]
    assert claims["context"] == claims["sub"] == workspace.environment["GITPOD_WORKSPACE_CONTEXT_URL"]
    assert claims["repository"] == "https://github.com/gitpod-io/example.git"


def test_one_audience_is_an_array_too(workspace: Gp) -> None:
    assert claims_of(workspace.token("--audience", "a"))["aud"] == ["a"]


@pytest.mark.parametrize(
    "audience",
    ["https://vault.example.com/", "//iam.googleapis.com/projects/1/x", "a b", "ü字", "a,b", 'quo"te'],
)
def test_an_audience_is_not_changed(workspace: Gp, audience: str) -> None:
    assert verify(workspace.token("--audience", audience), audience)["aud"] == [audience]


def test_no_context(start_workspace: Callable[..., Gp]) -> None:
    workspace = start_workspace("--context-url", "")
    claims = verify(workspace.token("--audience", "a"), "a")
    assert claims["sub"] == "no-context"
    assert "repository" not in claims


def test_invalid_tokens_do_not_verify(workspace: Gp) -> None:
    token = workspace.token("--audience", "a")
    discovery = discover(token)
    header, payload, signature = token.split(".")
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    cases = [
        (with_claims(token, sub="someone else"), "a", jwt.InvalidSignatureError),
        (with_claims(token, exp=2**40), "a", jwt.InvalidSignatureError),
        (".".join([header, payload, flipped]), "a", jwt.InvalidSignatureError),
        (token, "b", jwt.InvalidAudienceError),
    ]
    for tampered, audience, expected in cases:
        with pytest.raises(expected):
            verify(tampered, audience, discovery)
    unsigned = encode({"alg": "none", "kid": jwt.get_unverified_header(token)["kid"]})
    with pytest.raises(jwt.InvalidAlgorithmError):
        verify(f"{unsigned}.{payload}.", "a", discovery)


def test_another_workspace_has_another_key(workspace: Gp, start_workspace: Callable[..., Gp]) -> None:
    ours, theirs = (gp.token("--audience", "a") for gp in (workspace, start_workspace()))
    verify(theirs, "a")
    with pytest.raises(jwt.PyJWKClientError):
        verify(theirs, "a", discover(ours))


def test_an_expired_token_does_not_verify(start_workspace: Callable[..., Gp]) -> None:
    token = start_workspace("--clock-offset", "-2h").token("--audience", "a")
    with pytest.raises(jwt.ExpiredSignatureError):
        verify(token, "a")


# The command lines of the original.


def test_the_token_and_one_line_break(workspace: Gp) -> None:
    done = workspace("idp", "token", "--audience", "a", "--audience", "b")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    assert done.stdout.endswith("\n")
    assert verify(done.stdout.removesuffix("\n"), "b")["aud"] == ["a", "b"]


def test_flags_with_an_equals_sign(workspace: Gp) -> None:
    claims = claims_of(workspace.token("--audience=a", "--audience=b", "--scope=s"))
    assert (claims["aud"], claims["scope"]) == (["a", "b"], "s")


def test_scope_is_a_claim_when_asked_for(workspace: Gp) -> None:
    claims = verify(workspace.token("--audience", "a", "--scope", "read:all write:some"), "a")
    assert claims.keys() == CLAIMS | {"scope"}
    assert claims["scope"] == "read:all write:some"


def test_decode(workspace: Gp) -> None:
    done = workspace("idp", "token", "--audience", "a", "--audience", "b", "--decode")
    assert (done.returncode, done.stderr) == (0, "")
    decoded = json.loads(done.stdout)
    assert list(decoded) == ["Header", "Payload"]
    assert decoded["Header"]["alg"] == "RS256"
    assert decoded["Payload"].keys() == CLAIMS
    assert done.stdout == json.dumps(decoded, indent=2, ensure_ascii=False) + "\n"


def test_decode_shows_the_token_as_it_is(workspace: Gp) -> None:
    token = workspace.token("--audience", "a", "--scope", "ü <&>")
    done = workspace("idp", "decode", input=token)
    parts = {"Header": jwt.get_unverified_header(token), "Payload": claims_of(token)}
    assert done.stdout == json.dumps(parts, indent=2, ensure_ascii=False) + "\n"


def test_an_audience_is_required(workspace: Gp) -> None:
    done = workspace("idp", "token")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--audience" in done.stderr
