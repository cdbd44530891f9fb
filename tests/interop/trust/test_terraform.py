"""The Terraform code has the layout of `terraform fmt`, and the same content as the commands."""

import base64
import json
import re
import shutil
from collections.abc import Callable

import hcl2
import pytest
from conftest import Gp
from trust.conftest import claims, trust
from trust.test_shell import CASES, TARGETS

# OpenBao differs from Vault only in its commands, and for Kubernetes there is no Terraform code.
HCL_CASES = [case for case in CASES if case[0] not in ("bao", "kubernetes")]


def text(value: str) -> str:
    """The value of a quoted template without interpolation."""
    assert value[0] == value[-1] == '"', value
    bare = value[1:-1].replace("$${", "${").replace("%%{", "%{")
    return json.loads(f'"{bare}"')


def blocks(source: str, kind: str) -> dict[str, dict]:
    """The blocks of a kind, by the name of their type."""
    found = {}
    for block in hcl2.loads(source).get(kind, []):
        for type_name, named in block.items():
            found[type_name.strip('"')] = next(iter(named.values()))
    return found


@pytest.mark.parametrize(("target", "rule"), HCL_CASES)
def test_the_output_is_formatted_terraform(shop: Gp, target: str, rule: str) -> None:
    source = trust(shop, *TARGETS[target], "--for", rule, "--format", "terraform")
    assert blocks(source, "resource")
    if shutil.which("terraform"):
        done = shop.run(["terraform", "fmt", "-"], input=source)
        assert (done.returncode, done.stdout) == (0, source)


def test_aws(shop: Gp) -> None:
    resources = blocks(trust(shop, *TARGETS["aws"], "--format", "terraform"), "resource")
    issuer = claims(shop, "x")["iss"]
    provider, role = resources["aws_iam_openid_connect_provider"], resources["aws_iam_role"]
    assert text(provider["url"]) == issuer
    assert [text(one) for one in provider["client_id_list"]] == ["sts.amazonaws.com"]
    assert (text(role["name"]), text(role["path"])) == ("deploy", "/ci/")
    assert "aws_iam_openid_connect_provider.workspace.arn" in str(role["assume_role_policy"])


def test_vault(shop: Gp) -> None:
    arguments = [*TARGETS["vault"], "--format"]
    role = blocks(trust(shop, *arguments, "terraform"), "resource")["vault_jwt_auth_backend_role"]
    as_json = json.loads(trust(shop, *arguments, "json"))
    assert text(role["role_name"]) == "deploy"
    assert [text(one) for one in role["bound_audiences"]] == as_json["bound_audiences"]
    assert text(role["bound_claims_type"]) == as_json["bound_claims_type"]
    assert {text(claim): text(value).split(",") for claim, value in role["bound_claims"].items()} == as_json[
        "bound_claims"
    ]
    assert role["token_ttl"] == 3600


def test_gcp(shop: Gp) -> None:
    source = trust(shop, *TARGETS["gcp"], "--format", "terraform")
    commands = trust(shop, *TARGETS["gcp"])
    provider = blocks(source, "resource")["google_iam_workload_identity_pool_provider"]
    assert f"--attribute-condition={text(provider['attribute_condition'])}" in commands
    for name, value in provider["attribute_mapping"].items():
        assert f"{text(name)}={text(value)}" in commands
    member = blocks(source, "resource")["google_service_account_iam_member"]["member"]
    pool = "${google_iam_workload_identity_pool.workspace.name}"
    whole = member.strip('"').replace(pool, "projects/123456789012/locations/global/workloadIdentityPools/gitpod")
    assert f"--member={whole}" in commands


def test_azure(shop: Gp) -> None:
    source = trust(shop, *TARGETS["azure"], "--format", "terraform")
    credential = blocks(source, "resource")["azuread_application_federated_identity_credential"]
    issued = claims(shop, "api://AzureADTokenExchange")
    assert (text(credential["issuer"]), text(credential["subject"])) == (issued["iss"], issued["sub"])
    app = blocks(source, "data")["azuread_application"]
    assert text(app["client_id"]) == "00000000-0000-4000-8000-00000000000a"


@pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not installed")
def test_odd_subjects_are_not_changed(start_workspace: Callable[..., Gp]) -> None:
    subject = "https://x.example/a/b'c\"d$e`f\\g*h?i${j}k%{l}m$${n}o字"
    gp = start_workspace("--subject", subject)
    source = trust(gp, *TARGETS["azure"], "--format", "terraform")
    [written] = re.findall(r"^ *subject *= (.*)$", source, re.MULTILINE)
    # Terraform's own reading of the expression.
    done = gp.run(["terraform", "console"], input=f"base64encode({written})\n")
    assert done.returncode == 0, done.stderr
    assert base64.b64decode(done.stdout.strip().strip('"')).decode() == subject
