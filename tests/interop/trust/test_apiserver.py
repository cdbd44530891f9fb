"""kube-apiserver's own code judges tokens by the configuration that `gp idp trust kubernetes` prints."""

import json
import pathlib
import subprocess
import time
from collections.abc import Callable

import jwt
import pytest
import yaml
from conftest import LIMIT, Gp
from cryptography.hazmat.primitives.asymmetric import rsa
from parties.conftest import INTEROP, TOOLS, build, required
from trust.conftest import claims, trust
from trust.test_cel import JOB_SUBJECTS, OTHERS
from trust.test_cel import RULES as OF_JOBS
from trust.test_shell import TARGETS

# kube-apiserver takes no issuer over plain http.
ISSUER = "https://issuer.example"
Judge = Callable[..., list[dict] | str]


@pytest.fixture(scope="session")
def program() -> pathlib.Path:
    required("go")
    folder = TOOLS / "go"
    folder.mkdir(parents=True, exist_ok=True)
    build(["go", "build", "-mod=readonly", "-ldflags=-s -w", "-o", f"{folder}/", "./apiserver"], INTEROP / "go")
    return folder / "apiserver"


@pytest.fixture
def judge(program: pathlib.Path, tmp_path: pathlib.Path) -> Judge:
    """The answer to a token with each of these claims, or the reason why the configuration is refused."""
    key = rsa.generate_private_key(65537, 2048)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [public | {"kid": "1", "alg": "RS256", "use": "sig"}]}))

    def run(config: str, *tokens: dict) -> list[dict] | str:
        file = tmp_path / "authentication.yaml"
        file.write_text(config)
        now = int(time.time())
        times = {"iss": ISSUER, "iat": now, "exp": now + 600}
        lines = [jwt.encode(token | times, key, "RS256", {"kid": "1"}) for token in tokens]
        done = subprocess.run(
            [str(program), str(file), str(keys)], input="\n".join(lines), capture_output=True, text=True, timeout=LIMIT
        )
        if done.returncode:
            return done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


def printed(gp: Gp, *arguments: str) -> str:
    """The printed configuration, with an https issuer."""
    own = claims(gp, "a")["iss"]
    return trust(gp, *TARGETS["kubernetes"], "--format", "authentication", *arguments).replace(own, ISSUER)


@pytest.mark.parametrize("rule", ["this-subject", "this-repository", "this-owner", "this-user", "any"])
def test_each_rule_admits_the_intended_workspaces(shop: Gp, judge: Judge, rule: str) -> None:
    own = claims(shop, "a")
    others = [own | {"sub": subject, "user_id": user} for subject, _ in OTHERS for user in (own["user_id"], "other")]
    mine, *theirs = judge(printed(shop, "--for", rule), own, *others)
    name = own["user_id"] if rule == "this-user" else own["sub"]
    assert mine == {"user": f"workspace:{name}", "groups": ["workspaces"]}
    admitted = {subject: rule == "any" or rule in rules for subject, rules in OTHERS}
    for token, said in zip(others, theirs, strict=True):
        meant = token["user_id"] == own["user_id"] if rule == "this-user" else admitted[token["sub"]]
        assert ("user" in said) is meant, (token["sub"], said)
        if not meant:
            assert "the token does not match the claim rule of this cluster" in said["error"]
    [other_audience] = judge(printed(shop, "--for", rule), own | {"aud": "b"})
    assert "audience" in other_audience["error"]


@pytest.mark.parametrize("subjects", JOB_SUBJECTS, ids=[subjects[0][:16] for subjects in JOB_SUBJECTS])
@pytest.mark.parametrize("rule", OF_JOBS)
def test_each_rule_admits_the_intended_jobs(shop: Gp, judge: Judge, rule: str, subjects: list[str]) -> None:
    own = {"iss": ISSUER, "sub": subjects[0], "aud": ["a"], "exp": 4_000_000_000}
    token = jwt.encode(own, "no secret, and long enough for this", "HS256")
    job = Gp(shop.environment | {"JOB_TOKEN": token, "IDP_TOKEN_SOURCE": "env:JOB_TOKEN"})
    config = trust(job, *TARGETS["kubernetes"], "--format", "authentication", "--for", rule)
    said = judge(config, *(own | {"sub": subject} for subject in subjects))
    assert ["user" in one for one in said] == [index < OF_JOBS[rule] for index in range(4)], said


def test_odd_subjects_names_and_audiences(start_workspace: Callable[..., Gp], judge: Judge) -> None:
    subject = "https://x.example/a/b'c\"d$e`f\\g*h?i${j}k%{l}m n: #p\u00a0字🦀"
    gp = start_workspace("--subject", subject)
    odd = "a'b\"c: #d\\e{f}g"
    flags = ["--audience", "a", "--audience", odd, "--audience", "a", "--group", odd, "--prefix", odd]
    own = claims(gp, "a")
    for audience in ("a", odd):
        mine, other = judge(printed(gp, *flags), own | {"aud": audience}, own | {"aud": audience, "sub": subject[:-1]})
        assert mine == {"user": odd + subject, "groups": [odd]}
        assert "error" in other


def test_the_advice_for_an_existing_issuer(start_workspace: Callable[..., Gp], shop: Gp, judge: Judge) -> None:
    """Two rules lock everyone out; the two expressions joined with `||` admit both, as the comment says."""
    other = start_workspace("--context-url", "https://gitlab.example/team/site")
    tokens = [claims(gp, "a") for gp in (shop, other)]
    config = yaml.safe_load(printed(shop))
    rule = yaml.safe_load(printed(other))["jwt"][0]["claimValidationRules"][0]
    rules = config["jwt"][0]["claimValidationRules"]
    rules.append(rule)
    assert all("error" in said for said in judge(yaml.safe_dump(config), *tokens))
    rules[:] = [rules[0] | {"expression": f"{rules[0]['expression']} || {rule['expression']}"}]
    assert all("user" in said for said in judge(yaml.safe_dump(config), *tokens))
    # A second entry for the issuer, or an audience twice: the server does not start.
    assert "Duplicate value" in judge(yaml.safe_dump(config | {"jwt": config["jwt"] * 2}))
    config["jwt"][0]["issuer"]["audiences"] = ["a", "a"]
    assert "Duplicate value" in judge(yaml.safe_dump(config))
