"""Google's implementation of CEL and a YAML parser evaluate the output for Google Cloud and Kubernetes."""

import shlex
import shutil
from collections.abc import Callable

import jwt
import pytest
import yaml
from cel_expr_python import cel
from conftest import Gp
from trust.conftest import claims, trust
from trust.test_shell import TARGETS


def evaluate(expression: str, name: str, value: dict) -> object:
    """The value of an expression in which the variable `name` is `value`."""
    env = cel.NewEnv(variables={name: cel.Type.DYN})
    return env.compile(expression).eval(data={name: value}).value()


def condition(script: str) -> str | None:
    """The attribute condition in `gcloud` lines."""
    words = shlex.split(script, comments=True)
    found = [word.split("=", 1)[1] for word in words if word.startswith("--attribute-condition=")]
    return found[0] if found else None


OTHERS = [
    ("https://github.com/acme/shop", {"this-repository", "this-owner"}),
    ("https://github.com/acme/shop/pull/1", {"this-repository", "this-owner"}),
    ("https://github.com/acme/shop2", {"this-owner"}),
    ("https://github.com/acme2/shop", set()),
    ("https://github.com/acme", set()),
    ("https://github.com/Acme/shop", set()),
    ("no-context", set()),
]


@pytest.mark.parametrize("rule", ["this-repository", "this-owner", "this-user"])
def test_the_expressions_admit_the_intended_workspaces(shop: Gp, rule: str) -> None:
    google = condition(trust(shop, *TARGETS["gcp"], "--for", rule))
    config = yaml.safe_load(trust(shop, *TARGETS["kubernetes"], "--format", "authentication", "--for", rule))
    [kubernetes] = [one["expression"] for one in config["jwt"][0]["claimValidationRules"]]
    own = claims(shop, "x")
    for expression, name in [(google, "assertion"), (kubernetes, "claims")]:
        assert evaluate(expression, name, own) is True
        for subject, admitted in OTHERS:
            for user in (own["user_id"], "other"):
                expected = user == own["user_id"] if rule == "this-user" else rule in admitted
                assert evaluate(expression, name, own | {"sub": subject, "user_id": user}) is expected, subject


# A subject, another one of its repository, another one of its owner, and one of another owner.
JOB_SUBJECTS = [
    [
        "repo:acme/shop:ref:refs/heads/main",
        "repo:acme/shop:pull_request",
        "repo:acme/shop2:ref:refs/heads/main",
        "repo:acme2/shop:ref:refs/heads/main",
    ],
    [
        "repo:acme@1/shop@22:ref:refs/heads/main",
        "repo:acme@1/shop@22:environment:production",
        "repo:acme@1/shop@222:ref:refs/heads/main",
        "repo:acme/shop:ref:refs/heads/main",
    ],
    [
        "project_path:acme/web/shop:ref_type:branch:ref:main",
        "project_path:acme/web/shop:ref_type:tag:ref:v1",
        "project_path:acme/web/shop2:ref_type:tag:ref:v1",
        "project_path:acme/webx/shop:ref_type:tag:ref:v1",
    ],
    [
        "organization:acme:pipeline:shop:ref:refs/heads/main:commit:c:step:s",
        "organization:acme:pipeline:shop:ref:refs/heads/next:commit:c:step:s",
        "organization:acme:pipeline:shop2:ref:refs/heads/main:commit:c:step:s",
        "organization:acme2:pipeline:shop:ref:refs/heads/main:commit:c:step:s",
    ],
    [
        "organization_id:0a:project_id:1b",
        "organization_id:0a:project_id:1b:creator_email:a@b.c",
        "organization_id:0a:project_id:1bb",
        "organization_id:0aa:project_id:1b",
    ],
    ["org:0a/prj:1b/env:2c", "org:0a/prj:1b/env:3d", "org:0a/prj:1bb/env:2c", "org:0aa/prj:1b/env:2c"],
    [
        "org/0a/project/1b/user/2c",
        "org/0a/project/1b/user/3d",
        "org/0a/project/1bb/user/2c",
        "org/0aa/project/1b/user/2c",
    ],
]
RULES = {"this-subject": 1, "this-repository": 2, "this-owner": 3}


@pytest.mark.parametrize("subjects", JOB_SUBJECTS, ids=[subjects[0][:16] for subjects in JOB_SUBJECTS])
@pytest.mark.parametrize("rule", RULES)
def test_the_expressions_admit_the_intended_jobs(shop: Gp, rule: str, subjects: list[str]) -> None:
    own = {"iss": "https://issuer.example", "sub": subjects[0], "aud": ["a", "x"], "exp": 4_000_000_000}
    token = jwt.encode(own, "no secret, and long enough for this", "HS256")
    job = Gp(shop.environment | {"JOB_TOKEN": token, "IDP_TOKEN_SOURCE": "env:JOB_TOKEN"})
    google = condition(trust(job, *TARGETS["gcp-direct"], "--for", rule))
    config = yaml.safe_load(trust(job, *TARGETS["kubernetes"], "--format", "authentication", "--for", rule))
    [one] = [one["expression"] for one in config["jwt"][0]["claimValidationRules"]]
    for expression, name in [(google, "assertion"), (one, "claims")]:
        assert expression
        admitted = [evaluate(expression, name, own | {"sub": subject}) for subject in subjects]
        assert admitted == [index < RULES[rule] for index in range(4)], expression


def test_the_rule_any_needs_no_expression(shop: Gp) -> None:
    assert condition(trust(shop, *TARGETS["gcp"], "--for", "any")) is None
    config = yaml.safe_load(trust(shop, *TARGETS["kubernetes"], "--format", "authentication", "--for", "any"))
    assert "claimValidationRules" not in config["jwt"][0]


def test_kubernetes(shop: Gp) -> None:
    own = claims(shop, "a")
    config = yaml.safe_load(trust(shop, *TARGETS["kubernetes"], "--format", "authentication"))
    [authenticator] = config["jwt"]
    assert authenticator["issuer"] == {"url": own["iss"], "audiences": ["a"]}
    assert authenticator["claimMappings"]["username"] == {"claim": "sub", "prefix": "workspace:"}
    groups = authenticator["claimMappings"]["groups"]["expression"]
    assert evaluate(f'{groups} == ["workspaces"]', "claims", own) is True
    binding = yaml.safe_load(trust(shop, *TARGETS["kubernetes"], "--format", "rbac"))
    assert binding == {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "workspaces-clusterrole-edit", "namespace": "shop"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "workspaces"}],
    }


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")
@pytest.mark.parametrize("where", [["--namespace", "shop"], []])
def test_kubectl_makes_the_same_binding(shop: Gp, where: list[str]) -> None:
    kind = "rolebinding" if where else "clusterrolebinding"
    made = shop.run(
        ["kubectl", "create", kind, "workspaces-clusterrole-edit", "--clusterrole=edit", "--group=workspaces", *where]
        + ["--dry-run=client", "--output=yaml"]
    )
    assert made.returncode == 0, made.stderr
    expected = yaml.safe_load(made.stdout)
    expected["metadata"].pop("creationTimestamp", None)
    printed = trust(shop, "kubernetes", "--audience", "a", "--cluster-role", "edit", *where, "--format", "rbac")
    assert yaml.safe_load(printed) == expected


def test_odd_subjects_are_not_changed(start_workspace: Callable[..., Gp]) -> None:
    subject = "https://x.example/a/b'c\"d$e`f\\g*h?i${j}k%{l}m n: #p\u00a0字🦀"
    gp = start_workspace("--subject", subject)
    own = claims(gp, "x")
    assert own["sub"] == subject
    google = condition(trust(gp, *TARGETS["gcp"]))
    config = yaml.safe_load(trust(gp, *TARGETS["kubernetes"], "--format", "authentication"))
    [kubernetes] = [one["expression"] for one in config["jwt"][0]["claimValidationRules"]]
    for expression, name in [(google, "assertion"), (kubernetes, "claims")]:
        assert evaluate(expression, name, own) is True
        assert evaluate(expression, name, own | {"sub": subject[:-1]}) is False


def test_the_mapping_names_the_provider(shop: Gp) -> None:
    own = claims(shop, "x")
    script = trust(shop, *TARGETS["gcp"])
    mapping = script.split("attribute.provider=")[1].split("'")[0]
    assert evaluate(mapping, "assertion", own) == "gitpod"
    assert evaluate(mapping, "assertion", own | {"iss": "x"}) == ""
