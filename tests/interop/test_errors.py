"""`gp --error-format json`, validated by a third-party JSON Schema validator."""

import json
import pathlib

import jsonschema
import pytest
from conftest import Gp

SCHEMA = json.loads((pathlib.Path(__file__).parents[2] / "docs/error.schema.json").read_text())
LINES = [
    "idp token",
    "idp login",
    "idp --verbose login aws --format json --role-arn arn:aws:iam::123456789012:role/other",
    "idp --verbose login vault --role other",
    "idp login azure --format access-token --client-id 00000000-0000-4000-8000-00000000000f",
    "idp token --audience x --output .",
    "idp exec token --audience x -- no-such-program",
    "idp decode nothing",
    "idp login aws --duration-seconds 900 --format process --role-arn arn:aws:iam::1:role/x",
]


def test_the_schema_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("line", LINES)
def test_each_line_matches_the_schema(workspace: Gp, line: str) -> None:
    done = workspace(*line.split()[:1], "--error-format", "json", *line.split()[1:])
    assert done.returncode != 0
    found = [json.loads(text) for text in done.stderr.splitlines()]
    validator = jsonschema.Draft202012Validator(SCHEMA)
    for one in found:
        validator.validate(one)
    assert [one["exit"] for one in found if one["level"] == "error"] == [done.returncode]


@pytest.mark.parametrize("change", [{"kind": "odd"}, {"exit": 0}, {"new": 1}, {"hints": ["x"]}])
def test_the_schema_refuses_invalid_lines(outside: Gp, change: dict[str, object]) -> None:
    good = json.loads(outside("idp", "--error-format", "json", "token").stderr)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    assert validator.is_valid(good)
    assert not validator.is_valid(good | change)
