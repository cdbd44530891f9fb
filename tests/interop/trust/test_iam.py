"""moto's IAM accepts the commands, and `--check` accepts the output of `aws iam get-role`."""

import json
import pathlib
import sys
from collections.abc import Callable

import pytest
import yaml
from aws.conftest import moto  # noqa: F401
from conftest import Gp
from trust.conftest import trust

ROLE = "arn:aws:iam::123456789012:role/ci/deploy"


@pytest.fixture
def administrator(shop: Gp, moto: str, tmp_path: pathlib.Path) -> Gp:  # noqa: F811
    """The AWS CLI with rights on moto."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "aws").symlink_to(pathlib.Path(sys.executable).with_name("aws"))
    return Gp(
        shop.environment
        | {
            "PATH": f"{tools}:{shop.environment['PATH']}",
            "AWS_ENDPOINT_URL": moto,
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    )


def test_the_created_role_accepts_this_repository(
    administrator: Gp, shop: Gp, start_workspace: Callable[..., Gp]
) -> None:
    script = trust(shop, "aws", "--role-arn", ROLE)
    done = administrator.run(["sh", "-eu"], input=script)
    assert done.returncode == 0, done.stderr
    role = administrator.run(["aws", "iam", "get-role", "--role-name", "deploy"])
    assert role.returncode == 0, role.stderr
    checked = shop("idp", "trust", "aws", "--check", "-", input=role.stdout)
    assert checked.returncode == 0, checked.stdout
    assert ROLE in checked.stdout
    foreign = start_workspace("--context-url", "https://github.com/evil/shop")
    checked = foreign("idp", "trust", "aws", "--check", "-", input=role.stdout)
    assert checked.returncode == 1
    # The command for a role that exists already.
    [replace] = [line[1:].strip() for line in script.splitlines() if "update-assume-role-policy" in line]
    done = administrator.run(["sh", "-euc", replace])
    assert done.returncode == 0, done.stderr
    again = administrator.run(["aws", "iam", "get-role", "--role-name", "deploy"])
    assert shop("idp", "trust", "aws", "--check", "-", input=again.stdout).returncode == 0


def test_existing_roles_and_providers_stay(administrator: Gp, shop: Gp) -> None:
    role = "arn:aws:iam::123456789012:role/twice"
    script = trust(shop, "aws", "--role-arn", role)
    assert administrator.run(["sh", "-eu"], input=script).returncode == 0
    # Again, and with another rule.
    for other in ([], ["--for", "any"]):
        done = administrator.run(["sh", "-eu"], input=trust(shop, "aws", "--role-arn", role, *other))
        said = "the role twice already exists and was not changed; check whether it accepts this workspace: aws iam get-role "
        assert (done.returncode, done.stderr.startswith(said)) == (0, True), done.stderr
    found = administrator.run(["aws", "iam", "get-role", "--role-name", "twice"]).stdout
    assert shop("idp", "trust", "aws", "--check", "-", input=found).returncode == 0
    # The provider lacks this audience: the script says how to add it, and creates no unusable role.
    odd = trust(shop, "aws", "--role-arn", f"{role}-odd", "--audience", "it's \\ odd")
    done = administrator.run(["sh", "-eu"], input=odd)
    assert (done.returncode, "the identity provider lacks an audience" in done.stderr) == (1, True), done.stderr
    assert administrator.run(["aws", "iam", "get-role", "--role-name", "twice-odd"]).returncode != 0
    # A provider with this audience.
    provider = json.loads(found)["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Federated"]
    delete = ["aws", "iam", "delete-open-id-connect-provider", "--open-id-connect-provider-arn", provider]
    assert administrator.run(delete).returncode == 0
    for is_there in (False, True):
        done = administrator.run(["sh", "-eu"], input=odd)
        assert (done.returncode, "the role twice-odd already exists" in done.stderr) == (0, is_there), done.stderr
    assert administrator.run(delete).returncode == 0


def create_role(administrator: Gp, name: str, policy: str) -> None:
    command = ["aws", "iam", "create-role", "--role-name", name, "--assume-role-policy-document", policy]
    done = administrator.run(command)
    assert done.returncode == 0, done.stderr


def test_a_role_in_the_other_forms_of_the_cli(administrator: Gp, shop: Gp, start_workspace: Callable[..., Gp]) -> None:
    """YAML gives the same result as JSON; text and tables are refused, with the option to use."""
    arn = "arn:aws:iam::123456789012:role/forms"
    create_role(administrator, "forms", trust(shop, "aws", "--role-arn", arn, "--format", "json"))
    role = json.loads(administrator.run(["aws", "iam", "get-role", "--role-name", "forms"]).stdout)
    foreign = start_workspace("--context-url", "https://github.com/evil/shop")
    for flow in (False, None):
        text = yaml.safe_dump(role, default_flow_style=flow)
        checked = shop("idp", "trust", "aws", "--check", "-", input=text)
        assert checked.returncode == 0, checked.stdout
        assert arn in checked.stdout
        assert "--output json" in checked.stderr
        refused = [foreign("idp", "trust", "aws", "--check", "-", input=form) for form in (text, json.dumps(role))]
        assert [one.returncode for one in refused] == [1, 1]
        assert refused[0].stdout == refused[1].stdout
    for form in ("text", "table"):
        printed = administrator.run(["aws", "iam", "get-role", "--role-name", "forms", "--output", form])
        assert printed.returncode == 0, printed.stderr
        checked = shop("idp", "trust", "aws", "--check", "-", input=printed.stdout)
        assert (checked.returncode, checked.stdout) == (1, "")
        assert "aws iam get-role --role-name NAME --output json |" in checked.stderr


# IAM accepts these conditions, so `--check` has to judge all of them.
CONDITIONS = [
    ({"DateLessThan": {"aws:CurrentTime": "2999-01-01T00:00:00Z"}}, "accepted"),
    ({"DateLessThan": {"aws:CurrentTime": "2020-01-01"}}, "not_accepted"),
    ({"DateGreaterThan": {"aws:EpochTime": "1577836800"}}, "accepted"),
    ({"Bool": {"aws:SecureTransport": "false"}}, "not_accepted"),
    ({"StringLike": {"sts:RoleSessionName": "ci-*"}}, "not_accepted"),
    ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, "undecided"),
]


def test_conditions_on_the_call_are_written_and_judged(administrator: Gp, shop: Gp) -> None:
    policy = json.loads(trust(shop, "aws", "--role-arn", ROLE, "--format", "json"))
    create_role(administrator, "judged", json.dumps(policy))
    for condition, answer in CONDITIONS:
        changed = json.loads(json.dumps(policy))
        changed["Statement"][0]["Condition"] |= condition
        update = ["aws", "iam", "update-assume-role-policy", "--role-name", "judged"]
        done = administrator.run([*update, "--policy-document", json.dumps(changed)])
        assert done.returncode == 0, (condition, done.stderr)
        role = administrator.run(["aws", "iam", "get-role", "--role-name", "judged"]).stdout
        report = json.loads(shop("idp", "trust", "aws", "--check", "-", "--format", "json", input=role).stdout)
        assert report["answer"] == answer, (condition, report)
