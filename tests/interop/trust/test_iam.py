"""moto's IAM takes the commands, and what `aws iam get-role` prints of it is accepted again."""

import pathlib
import sys
from collections.abc import Callable

import pytest
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


def test_the_role_that_was_made_accepts_this_repository(
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
    # The other way, for a role that is there already.
    [replace] = [line[1:].strip() for line in script.splitlines() if "update-assume-role-policy" in line]
    done = administrator.run(["sh", "-euc", replace])
    assert done.returncode == 0, done.stderr
    again = administrator.run(["aws", "iam", "get-role", "--role-name", "deploy"])
    assert shop("idp", "trust", "aws", "--check", "-", input=again.stdout).returncode == 0
