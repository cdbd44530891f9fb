"""Shells and ShellCheck accept the commands, and the tools get the intended arguments."""

import json
import pathlib
import shutil
import subprocess
from collections.abc import Callable

import pytest
from conftest import LIMIT, Gp
from trust.conftest import claims, trust

ROLE = "arn:aws:iam::123456789012:role/ci/deploy"
TARGETS = {
    "aws": ["aws", "--role-arn", ROLE],
    "vault": ["vault", "--role", "deploy", "--policy", "deploy"],
    "bao": ["vault", "--role", "deploy", "--policy", "deploy", "--cli", "bao", "--path", "team/ci"],
    "gcp": ["gcp", "--project-number", "123456789012", "--service-account", "ci@shop.iam.gserviceaccount.com"],
    "gcp-direct": ["gcp", "--project-number", "123456789012", "--audience", "x"],
    "azure": ["azure", "--app-id", "00000000-0000-4000-8000-00000000000a"],
    "kubernetes": ["kubernetes", "--audience", "a", "--cluster-role", "edit", "--namespace", "shop"],
}
RULES = ["this-repository", "this-owner", "this-user", "any"]
CASES = [(target, rule) for target in TARGETS for rule in RULES if target != "azure" or rule == "this-repository"]


@pytest.mark.parametrize(("target", "rule"), CASES)
def test_shellcheck_finds_nothing(shop: Gp, target: str, rule: str) -> None:
    shellcheck = shutil.which("shellcheck")
    assert shellcheck, "shellcheck is not installed"
    script = trust(shop, *TARGETS[target], "--for", rule)
    done = subprocess.run(
        [shellcheck, "-s", "sh", "-"], input=script, capture_output=True, text=True, timeout=LIMIT
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout


def test_aws(shop: Gp, record: Callable[[str], list[list[str]]]) -> None:
    issuer = claims(shop, "x")["iss"]
    provider, role = record(trust(shop, *TARGETS["aws"]))
    assert provider == [
        "aws", "iam", "create-open-id-connect-provider", "--url", issuer, "--client-id-list", "sts.amazonaws.com",
    ]
    assert role[:-1] == [
        "aws", "iam", "create-role", "--role-name", "deploy", "--path", "/ci/", "--assume-role-policy-document",
    ]
    done = shop("idp", "trust", *TARGETS["aws"], "--format", "json")
    assert json.loads(role[-1]) == json.loads(done.stdout)


@pytest.mark.parametrize(("target", "tool", "mount"), [("vault", "vault", "jwt"), ("bao", "bao", "team/ci")])
def test_vault(shop: Gp, record: Callable[[str], list[list[str]]], target: str, tool: str, mount: str) -> None:
    issuer = claims(shop, "x")["iss"]
    enable, config, role = record(trust(shop, *TARGETS[target]))
    assert enable == [tool, "auth", "enable", f"-path={mount}", "jwt"]
    assert config == [
        tool, "write", f"auth/{mount}/config", f"oidc_discovery_url={issuer}", f"bound_issuer={issuer}",
    ]
    assert role[:-1] == [tool, "write", f"auth/{mount}/role/deploy", "-"]
    done = shop("idp", "trust", *TARGETS[target], "--format", "json")
    assert json.loads(role[-1].removeprefix("stdin:")) == json.loads(done.stdout)


def test_gcp(shop: Gp, record: Callable[[str], list[list[str]]]) -> None:
    issuer = claims(shop, "x")["iss"]
    pool, provider, binding = record(trust(shop, *TARGETS["gcp"]))
    name = "projects/123456789012/locations/global/workloadIdentityPools/gitpod"
    assert pool == ["gcloud", "iam", "workload-identity-pools", "create", name]
    assert provider == [
        "gcloud", "iam", "workload-identity-pools", "providers", "create-oidc",
        f"{name}/providers/gitpod", f"--issuer-uri={issuer}",
        "--attribute-mapping=google.subject=assertion.workspace_id,"
        f'attribute.provider=assertion.iss == "{issuer}" ? "gitpod" : ""',
        '--attribute-condition=assertion.sub == "https://github.com/acme/shop" || '
        'assertion.sub.startsWith("https://github.com/acme/shop/")',
    ]
    assert binding == [
        "gcloud", "iam", "service-accounts", "add-iam-policy-binding",
        "projects/-/serviceAccounts/ci@shop.iam.gserviceaccount.com", "--role=roles/iam.workloadIdentityUser",
        f"--member=principalSet://iam.googleapis.com/{name}/attribute.provider/gitpod",
    ]


def test_azure(shop: Gp, record: Callable[[str], list[list[str]]]) -> None:
    [credential] = record(trust(shop, *TARGETS["azure"]))
    assert credential[:-1] == [
        "az", "ad", "app", "federated-credential", "create",
        "--id", "00000000-0000-4000-8000-00000000000a", "--parameters",
    ]
    issued = claims(shop, "api://AzureADTokenExchange")
    assert json.loads(credential[-1]) == {
        "name": "workspace-tree-main",
        "issuer": issued["iss"],
        "subject": issued["sub"],
        "audiences": issued["aud"],
    }


def test_kubernetes(shop: Gp, record: Callable[[str], list[list[str]]], tmp_path: pathlib.Path) -> None:
    [apply] = record(trust(shop, *TARGETS["kubernetes"]))
    assert apply[:-1] == ["kubectl", "create", "-f", "-"]
    for format, text in [
        ("rbac", apply[-1].removeprefix("stdin:")),
        ("authentication", (tmp_path / "authentication.yaml").read_text()),
    ]:
        printed = trust(shop, *TARGETS["kubernetes"], "--format", format)
        data = "".join(line for line in printed.splitlines(True) if not line.startswith("#"))
        # A blank line comes before the comment at the end.
        assert data == f"{text}\n"


SUBJECT_AND_AUDIENCE = ("https://github.com/acme/shop/tree/main", "api://AzureADTokenExchange")


@pytest.mark.parametrize("target", TARGETS)
def test_a_second_run_changes_nothing(shop: Gp, record: Callable[..., list[list[str]]], target: str) -> None:
    script = trust(shop, *TARGETS[target])
    issuer = claims(shop, "x")["iss"]
    assert record(script)
    if target.startswith("gcp"):
        # Each query needs its own answer here; the test below covers the first one.
        return
    there = {"aws": "True", "azure": f"{issuer} {' '.join(SUBJECT_AND_AUDIENCE)}"}.get(target, issuer)
    assert record(script, there) == []


@pytest.mark.parametrize("target", [target for target in TARGETS if target != "kubernetes"])
def test_differences_are_named_and_left_unchanged(shop: Gp, record: Callable[..., list[list[str]]], target: str) -> None:
    assert record(trust(shop, *TARGETS[target]), "https://issuer.example", 1) == []


def test_odd_subjects_are_not_changed(
    start_workspace: Callable[..., Gp], record: Callable[[str], list[list[str]]]
) -> None:
    subject = "https://x.example/a/b'c\"d$e`f\\g*h?i${j}k%{l}m n!o#p;q&r|s<t>字"
    gp = start_workspace("--subject", subject)
    aws = record(trust(gp, *TARGETS["aws"]))[1]
    conditions = json.loads(aws[-1])["Statement"][0]["Condition"]["StringEquals"]
    assert subject.replace("${", "${$}{") in conditions.values()
    assert json.loads(record(trust(gp, *TARGETS["azure"]))[0][-1])["subject"] == subject
    vault = record(trust(gp, *TARGETS["vault"]))[2]
    assert json.loads(vault[-1].removeprefix("stdin:"))["bound_subject"] == subject
