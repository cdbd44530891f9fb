"""`gp idp verify` compared with PyJWT, and with the tokens of a third-party OpenID provider."""

import base64
import dataclasses
import hashlib
import hmac
import json
import os
import pathlib
import re
import shutil
import subprocess
import time
import urllib.parse
import warnings
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
import requests
from conftest import LIMIT, Gp
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

HERE = pathlib.Path(__file__).parent
# The table is built once for all tests, so the leeway is much longer than the tests take.
HOUR = 3600
ISSUER, AUDIENCE, LEEWAY = "https://issuer.example.com", "a", 2 * HOUR
# The algorithms for each kind of key.
FAMILIES = {
    "RSA": ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
    "P-256": ["ES256"],
    "P-384": ["ES384"],
    "Ed25519": ["EdDSA"],
}


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """A private key and its public half as a JWK."""

    def __init__(self, private: Any, algorithm: Any, kid: str) -> None:
        self.private = private
        self.jwk: dict[str, Any] = json.loads(algorithm.to_jwk(private.public_key())) | {"kid": kid}
        self.jwk.pop("key_ops", None)


KEYS = {
    "rsa": Key(rsa.generate_private_key(65537, 2048), RSAAlgorithm, "rsa"),
    "rsa-2": Key(rsa.generate_private_key(65537, 2048), RSAAlgorithm, "rsa-2"),
    "rsa-1024": Key(rsa.generate_private_key(65537, 1024), RSAAlgorithm, "rsa-1024"),
    "rsa-e3": Key(rsa.generate_private_key(3, 2048), RSAAlgorithm, "rsa-e3"),
    "p256": Key(ec.generate_private_key(ec.SECP256R1()), ECAlgorithm, "p256"),
    "p384": Key(ec.generate_private_key(ec.SECP384R1()), ECAlgorithm, "p384"),
    "p521": Key(ec.generate_private_key(ec.SECP521R1()), ECAlgorithm, "p521"),
    "ed25519": Key(ed25519.Ed25519PrivateKey.generate(), OKPAlgorithm, "ed25519"),
}


@dataclasses.dataclass
class Case:
    """A token, the keys for its verification, and whether it is valid."""

    name: str
    token: str
    keys: list[dict[str, Any]]
    valid: bool


def claims(**changed: object) -> dict[str, object]:
    now = int(time.time())
    base = {"iss": ISSUER, "sub": "s", "aud": AUDIENCE, "iat": now - 100, "exp": now + 3600}
    return {name: value for name, value in (base | changed).items() if value is not ...}


def sign(key: str, algorithm: str, payload: object = None, **header: object) -> str:
    headers = {"kid": KEYS[key].jwk["kid"]} | header
    headers = {name: value for name, value in headers.items() if value is not ...}
    with warnings.catch_warnings():
        # One of the keys is short on purpose.
        warnings.simplefilter("ignore", jwt.warnings.InsecureKeyLengthWarning)
        return jwt.encode(claims() if payload is None else payload, KEYS[key].private, algorithm, headers)


def raw(header: object, payload: object, signature: bytes = b"") -> str:
    return ".".join([encode(json.dumps(header).encode()), encode(json.dumps(payload).encode()), encode(signature)])


def public(*names: str, **changed: object) -> list[dict[str, Any]]:
    return [KEYS[name].jwk | changed for name in names]


def forged_hmac(algorithm: str) -> str:
    """The classic forgery: the public key as the secret of an HMAC."""
    secret = json.dumps(KEYS["rsa"].jwk).encode()
    message = raw({"alg": algorithm, "kid": "rsa"}, claims()).rpartition(".")[0]
    digest = hmac.new(secret, message.encode(), {"HS256": "sha256", "HS512": "sha512"}[algorithm]).digest()
    return f"{message}.{encode(digest)}"


def der_signature() -> str:
    """An ES256 signature in the form of X.509."""
    message = raw({"alg": "ES256", "kid": "p256"}, claims()).rpartition(".")[0]
    return f"{message}.{encode(KEYS['p256'].private.sign(message.encode(), ec.ECDSA(SHA256())))}"


def zero_signature() -> str:
    message = raw({"alg": "ES256", "kid": "p256"}, claims()).rpartition(".")[0]
    return f"{message}.{encode(bytes(64))}"


def pss_with_salt(length: int) -> str:
    message = raw({"alg": "PS256", "kid": "rsa"}, claims()).rpartition(".")[0]
    scheme = padding.PSS(padding.MGF1(SHA256()), length)
    return f"{message}.{encode(KEYS['rsa'].private.sign(message.encode(), scheme, SHA256()))}"


def cases() -> Iterator[Case]:
    now = int(time.time())
    by_kind = {"RSA": "rsa", "P-256": "p256", "P-384": "p384", "Ed25519": "ed25519"}
    every = [(name, algorithm) for kind, name in by_kind.items() for algorithm in FAMILIES[kind]]
    # Each algorithm with its key, without a signature, with a wrong signature, and declared as another algorithm.
    for name, algorithm in every:
        good = sign(name, algorithm)
        header, payload, signature = good.split(".")
        flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
        yield Case(f"{algorithm}", good, public(name), True)
        yield Case(f"{algorithm}, of several keys", good, public("rsa-2", *by_kind.values()), True)
        yield Case(f"{algorithm}, no kid, one key", sign(name, algorithm, kid=...), public(name), True)
        yield Case(f"{algorithm}, alg in the key", good, public(name, alg=algorithm), True)
        yield Case(f"{algorithm}, use sig", good, public(name, use="sig"), True)
        yield Case(f"{algorithm}, signature flipped", f"{header}.{payload}.{flipped}", public(name), False)
        yield Case(f"{algorithm}, signature gone", f"{header}.{payload}.", public(name), False)
        yield Case(f"{algorithm}, signature cut", f"{header}.{payload}.{signature[:-4]}", public(name), False)
        changed = encode(json.dumps(claims(sub="t")).encode())
        yield Case(f"{algorithm}, claims changed", f"{header}.{changed}.{signature}", public(name), False)
        for _, other in every:
            if other != algorithm:
                swapped = json.loads(base64.urlsafe_b64decode(header + "==")) | {"alg": other}
                swapped = f"{encode(json.dumps(swapped).encode())}.{payload}.{signature}"
                yield Case(f"{algorithm} called {other}", swapped, public(name), False)
    # Keys.
    yield Case("another key of that name", sign("rsa", "RS256"), public("rsa-2", kid="rsa"), False)
    yield Case("unknown kid", sign("rsa", "RS256", kid="x"), public("rsa", "rsa-2"), False)
    yield Case("kid of another type of key", sign("rsa", "RS256", kid="p256"), public("rsa", "p256"), False)
    yield Case("key for another algorithm", sign("rsa", "RS256"), public("rsa", alg="RS512"), False)
    yield Case("key for another family", sign("rsa", "PS256"), public("rsa", alg="RS256"), False)
    yield Case("RSA of 1024 bits", sign("rsa-1024", "RS256"), public("rsa-1024"), False)
    yield Case("RSA with exponent 3", sign("rsa-e3", "RS256"), public("rsa-e3"), True)
    yield Case("no keys", sign("rsa", "RS256"), [], False)
    yield Case("a key that nobody knows beside it", sign("rsa", "RS256"), [*public("rsa"), {"kty": "new"}], True)
    yield Case("key in the header", sign("rsa-2", "RS256", kid="rsa", jwk=KEYS["rsa-2"].jwk), public("rsa"), False)
    # Algorithms.
    for algorithm in ("none", "None", "NONE", "nOnE", "", "rs256", "RS1", "HS256"):
        yield Case(f"alg {algorithm!r}", raw({"alg": algorithm, "kid": "rsa"}, claims()), public("rsa"), False)
    yield Case("alg missing", raw({"kid": "rsa"}, claims()), public("rsa"), False)
    yield Case("alg is a number", raw({"alg": 1, "kid": "rsa"}, claims()), public("rsa"), False)
    yield Case("HS256 with the public key", forged_hmac("HS256"), public("rsa"), False)
    yield Case("HS512 with the public key", forged_hmac("HS512"), public("rsa"), False)
    secret = "0123456789abcdef0123456789abcdef"
    oct_key = {"kty": "oct", "kid": "o", "k": encode(secret.encode())}
    yield Case("HS256 with a published secret", jwt.encode(claims(), secret, "HS256", {"kid": "o"}), [oct_key], False)
    yield Case("ES256 in DER", der_signature(), public("p256"), False)
    yield Case("ES256 of zeros", zero_signature(), public("p256"), False)
    yield Case("PS256, salt as long as the hash", pss_with_salt(32), public("rsa"), True)
    yield Case("crit", sign("rsa", "RS256", crit=["exp"], exp=1), public("rsa"), False)
    yield Case("typ of an access token", sign("rsa", "RS256", typ="at+jwt"), public("rsa"), True)
    # Claims.
    valid = {
        "aud in a list": claims(aud=[AUDIENCE]),
        "aud among others": claims(aud=["b", AUDIENCE]),
        "azp of another": claims(azp="b"),
        "exp within the leeway": claims(exp=now - LEEWAY + HOUR),
        "exp with a fraction": claims(exp=now + 100.5),
        "exp in a thousand years": claims(exp=now + 1000 * 365 * 86400),
        "nbf now": claims(nbf=now),
        "nbf within the leeway": claims(nbf=now + LEEWAY - HOUR),
        "iat within the leeway": claims(iat=now + LEEWAY - HOUR),
        "iat long ago": claims(iat=0),
        "other claims": claims(groups=["x"], nested={"a": {"b": None}}, sub="ü" * 300),
    }
    invalid = {
        "aud of another": claims(aud="b"),
        "aud that begins so": claims(aud=AUDIENCE + "b"),
        "aud in capitals": claims(aud=AUDIENCE.upper()),
        "aud empty": claims(aud=[]),
        "aud missing": claims(aud=...),
        "aud null": claims(aud=None),
        "aud a number": claims(aud=1),
        "aud with a number": claims(aud=[AUDIENCE, 1]),
        "aud a mapping": claims(aud={AUDIENCE: 1}),
        "iss of another": claims(iss="https://other.example.com"),
        "iss with a slash": claims(iss=ISSUER + "/"),
        "iss in capitals": claims(iss=ISSUER.upper()),
        "iss missing": claims(iss=...),
        "iss in a list": claims(iss=[ISSUER]),
        "sub missing": claims(sub=...),
        "sub a number": claims(sub=1),
        "exp past": claims(exp=now - 3 * HOUR),
        "exp past the leeway": claims(exp=now - LEEWAY - 5),
        "exp zero": claims(exp=0),
        "exp negative": claims(exp=-1),
        "exp missing": claims(exp=...),
        "exp null": claims(exp=None),
        "exp text": claims(exp="tomorrow"),
        "exp a list": claims(exp=[now + 100]),
        "nbf ahead": claims(nbf=now + 3 * HOUR),
        "nbf past the leeway": claims(nbf=now + LEEWAY + HOUR),
        "nbf text": claims(nbf="today"),
        "iat ahead": claims(iat=now + 3 * HOUR),
        "iat past the leeway": claims(iat=now + LEEWAY + HOUR),
        "iat missing": claims(iat=...),
        "iat text": claims(iat="today"),
    }
    for name, payload in valid.items():
        yield Case(name, sign("ed25519", "EdDSA", payload), public("ed25519"), True)
    for name, payload in invalid.items():
        token = jwt.api_jws.encode(
            json.dumps(payload).encode(), KEYS["ed25519"].private, "EdDSA", {"kid": "ed25519"}
        )
        yield Case(name, token, public("ed25519"), False)
    # Forms.
    good = sign("ed25519", "EdDSA")
    header, payload, signature = good.split(".")
    broken = {
        "nothing": "x",
        "two parts": f"{header}.{payload}",
        "four parts": f"{good}.x",
        "five parts": f"{good}.x.x",
        "payload no base64": f"{header}.!.{signature}",
        "header no JSON": f"{encode(b'{')}.{payload}.{signature}",
        "header a list": f"{encode(b'[]')}.{payload}.{signature}",
        "payload a list": jwt.api_jws.encode(b"[]", KEYS["ed25519"].private, "EdDSA", {"kid": "ed25519"}),
        "payload no JSON": jwt.api_jws.encode(b"text", KEYS["ed25519"].private, "EdDSA", {"kid": "ed25519"}),
    }
    for name, token in broken.items():
        yield Case(name, token, public("ed25519"), False)


# Tokens that PyJWT accepts and `gp` refuses, with the reason.
REFUSED_ONLY_BY_GP = {
    "use enc": (lambda: sign("rsa", "RS256"), public("rsa", use="enc"), "RFC 7517 section 4.2"),
    "key_ops": (lambda: sign("rsa", "RS256"), public("rsa", key_ops=["sign"]), "RFC 7517 section 4.3"),
    "exp as text": (lambda: sign("rsa", "RS256", claims(exp="9999999999")), public("rsa"), "RFC 7519 section 2"),
    "ES512": (lambda: sign("p521", "ES512"), public("p521"), "ring has no P-521"),
    "a claim twice": (
        lambda: jwt.api_jws.encode(
            json.dumps(claims()).replace('"sub"', '"sub": "t", "sub"').encode(),
            KEYS["rsa"].private,
            "RS256",
            {"kid": "rsa"},
        ),
        public("rsa"),
        "RFC 7519 section 4",
    ),
}


def pyjwt(token: str, keys: list[dict[str, Any]]) -> bool:
    """The verdict of PyJWT, used as its documentation describes for a relying party."""
    judge = jwt.PyJWT(options={"enforce_minimum_key_length": True})
    try:
        header = jwt.get_unverified_header(token)
        # An issuer publishes no symmetric keys.
        usable = [key for key in keys if key.get("kty") in ("RSA", "EC", "OKP")]
        named = [key for key in usable if key.get("kid") == header["kid"]] if "kid" in header else usable
        if len(named) != 1:
            return False
        key = jwt.PyJWK.from_dict(named[0])
        kind = named[0].get("crv", "RSA")
        allowed = [named[0]["alg"]] if "alg" in named[0] else FAMILIES.get(kind, ["ES512"])
        # The header chooses the algorithm, but only among those that the key allows.
        if header["alg"] not in allowed:
            return False
        judge.decode(
            token,
            jwt.PyJWK.from_dict(named[0], header["alg"]),
            algorithms=allowed,
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except (jwt.PyJWTError, KeyError):
        return False
    return key is not None


def gp_says(outside: Gp, token: str, keys: list[dict[str, Any]], folder: pathlib.Path) -> tuple[bool, str]:
    (folder / "keys.json").write_text(json.dumps({"keys": keys}))
    done = outside(
        *("idp", "verify", "--audience", AUDIENCE, "--issuer", ISSUER, "--leeway", f"{LEEWAY}s"),
        *("--jwks", str(folder / "keys.json"), "--format", "json"),
        input=token,
    )
    report = json.loads(done.stdout)
    assert done.returncode == {"valid": 0, "invalid": 1, "undecided": 6}[report["verdict"]], done.stderr
    assert (report["failed"] is None) == (report["verdict"] == "valid") == ("claims" in report)
    assert not re.search(r"eyJ\w{10}", done.stderr)
    return report["verdict"] == "valid", json.dumps(report["steps"], indent=1)


CASES = list(cases())


def test_the_table_has_no_name_twice() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_pyjwt_agrees(outside: Gp, tmp_path: pathlib.Path, case: Case) -> None:
    ours, steps = gp_says(outside, case.token, case.keys, tmp_path)
    assert (pyjwt(case.token, case.keys), ours) == (case.valid, case.valid), steps


@pytest.mark.parametrize("name", REFUSED_ONLY_BY_GP)
def test_where_pyjwt_accepts_more(outside: Gp, tmp_path: pathlib.Path, name: str) -> None:
    token, keys, reason = REFUSED_ONLY_BY_GP[name]
    assert reason
    assert pyjwt(token(), keys)
    assert not gp_says(outside, token(), keys, tmp_path)[0]


# Tokens of a third-party issuer.


@pytest.fixture(scope="session")
def provider() -> Iterator[str]:
    """The address of a running oidc-provider."""
    folder = HERE / "oidc-provider"
    assert shutil.which("npm"), "npm is not installed"
    done = folder / "node_modules/.package-lock.json"
    if not done.is_file() or done.stat().st_mtime < (folder / "package-lock.json").stat().st_mtime:
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    process = subprocess.Popen(
        ["node", "server.js"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    # It may print warnings on the same stream.
    address = next(line for line in process.stdout if line.startswith("http://")).strip()
    yield address
    process.stdin.close()
    assert process.wait(LIMIT) == 0
    process.stdout.close()


def log_in(issuer: str, client: str) -> str:
    """Gets an ID token by the authorization code flow, like a person with a browser."""
    verifier = encode(os.urandom(32))
    query = {
        "client_id": client,
        "response_type": "code",
        "scope": "openid",
        "redirect_uri": "https://client.example.com/callback",
        "code_challenge": encode(hashlib.sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
    }
    with requests.Session() as browser:
        reply = browser.get(f"{issuer}/auth", params=query, allow_redirects=False, timeout=LIMIT)
        for form in ({"prompt": "login", "login": "somebody", "password": "x"}, {"prompt": "consent"}):
            page = urllib.parse.urljoin(issuer, reply.headers["location"])
            assert "/interaction/" in page, page
            reply = browser.post(page, data=form, allow_redirects=False, timeout=LIMIT)
            reply = browser.get(
                urllib.parse.urljoin(issuer, reply.headers["location"]), allow_redirects=False, timeout=LIMIT
            )
        location = urllib.parse.urlsplit(reply.headers["location"])
        form = {
            "grant_type": "authorization_code",
            "code": urllib.parse.parse_qs(location.query)["code"][0],
            "redirect_uri": query["redirect_uri"],
            "client_id": client,
            "code_verifier": verifier,
        }
        return browser.post(f"{issuer}/token", data=form, timeout=LIMIT).json()["id_token"]


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "ES384", "EdDSA"])
def test_tokens_of_oidc_provider(outside: Gp, provider: str, algorithm: str) -> None:
    client = f"client-{algorithm}"
    token = log_in(provider, client)
    assert jwt.get_unverified_header(token)["alg"] == algorithm

    def verify(*arguments: str, given: str = token) -> dict[str, Any]:
        done = outside("idp", "verify", "--format", "json", *arguments, input=given)
        report = json.loads(done.stdout)
        assert done.returncode == int(report["verdict"] != "valid"), done.stderr
        return report

    report = verify("--audience", client, "--issuer", provider)
    assert {step["status"] for step in report["steps"]} <= {"passed", "skipped"}, report
    assert report["claims"]["sub"] == "somebody"
    assert verify("--audience", client)["verdict"] == "valid"
    assert verify("--audience", "another", "--issuer", provider)["failed"] == "aud"
    assert verify("--audience", client, "--issuer", provider + "/")["failed"] == "iss"
    header, _, signature = token.split(".")
    changed = encode(json.dumps(report["claims"] | {"sub": "somebody else"}).encode())
    report = verify("--audience", client, "--issuer", provider, given=f"{header}.{changed}.{signature}")
    assert report["failed"] == "signature"


def test_a_workspace_trusts_only_its_own_issuer(workspace: Gp, provider: str) -> None:
    token = log_in(provider, "client-RS256")
    done = workspace("idp", "verify", "--audience", "client-RS256", input=token)
    assert done.returncode == 1
    assert "not valid: it fails at iss" in done.stdout
    assert f"--issuer {provider}" in done.stderr
    done = workspace("idp", "verify", "--audience", "client-RS256", "--issuer", provider, input=token)
    assert (done.returncode, done.stderr) == (0, "")
    ours = workspace.token("--audience", "a")
    assert workspace("idp", "verify", "--audience", "a", input=ours).returncode == 0
