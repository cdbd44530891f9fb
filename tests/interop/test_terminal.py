"""Output that appears only on a terminal."""

import itertools
import re
import shutil
import subprocess

import pytest
from conftest import Gp
from terminal import run_on_terminals

BOTH = {"stdout", "stderr"}
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def on_terminals(
    gp: Gp, terminals: set[str], *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    program = shutil.which("gp", path=gp.environment["PATH"])
    assert program
    return run_on_terminals([program, *arguments], gp.environment | variables, terminals)


def test_the_line_for_a_person(workspace: Gp) -> None:
    done = on_terminals(workspace, BOTH, "idp", "token", "--audience", "a")
    assert done.returncode == 0
    assert re.fullmatch(r"ey[\w.-]+\n", done.stdout)
    # An hour, less the moment since the token was made.
    issuer = re.escape(workspace.environment["GITPOD_HOST"]) + "/idp"
    assert re.fullmatch(rf"expires in (59|60) min · issuer {issuer}\n", COLOUR.sub("", done.stderr))


@pytest.mark.parametrize("terminals", [set(), {"stdout"}, {"stderr"}], ids=["none", "stdout", "stderr"])
def test_no_line_when_a_stream_is_no_terminal(workspace: Gp, terminals: set[str]) -> None:
    done = on_terminals(workspace, terminals, "idp", "token", "--audience", "a")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"ey[\w.-]+\n", done.stdout)


@pytest.mark.parametrize("flag", ["--quiet", "-q"])
def test_no_line_when_quiet(workspace: Gp, flag: str) -> None:
    done = on_terminals(workspace, BOTH, "idp", "token", "--audience", "a", flag)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_data_is_the_same_on_a_terminal(workspace: Gp) -> None:
    token = workspace.token("--audience", "a")
    for flags in ([], ["--claim", "aud"], ["--claim", "sub"]):
        command = ["idp", "decode", token, *flags]
        assert on_terminals(workspace, BOTH, *command).stdout == workspace(*command).stdout


@pytest.mark.parametrize(
    "arguments",
    [["idp", "decode", "no-token"], ["idp", "token"], ["idp", "token", "--format", "none"]],
    ids=["a failure", "a missing flag", "a wrong value"],
)
@pytest.mark.parametrize(
    ("terminals", "variables", "coloured"),
    [
        (BOTH, {}, True),
        ({"stderr"}, {}, True),
        ({"stdout"}, {}, False),
        (set(), {}, False),
        (BOTH, {"NO_COLOR": "1"}, False),
        # By convention, an empty value means not set.
        (BOTH, {"NO_COLOR": ""}, True),
        (BOTH, {"TERM": "dumb"}, False),
        (set(), {"CLICOLOR_FORCE": "1"}, True),
        (set(), {"CLICOLOR_FORCE": "0"}, False),
        (set(), {"CLICOLOR_FORCE": "1", "TERM": "dumb"}, True),
        (BOTH, {"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_colour_of_errors(
    outside: Gp, arguments: list[str], terminals: set[str], variables: dict[str, str], coloured: bool
) -> None:
    done = on_terminals(outside, terminals, *arguments, **variables)
    assert done.stdout == ""
    assert COLOUR.sub("", done.stderr).startswith("error: ")
    start = re.match(rf"(?:{COLOUR.pattern})*error:", done.stderr)
    assert start
    assert bool(COLOUR.search(start[0])) is coloured
    # Either the whole message is coloured, or nothing of it.
    assert bool(COLOUR.search(done.stderr)) is coloured
    # The only escape sequences are colours, and the last one resets them.
    assert "\x1b" not in COLOUR.sub("", done.stderr)
    assert not coloured or COLOUR.findall(done.stderr)[-1] == "\x1b[0m"


def test_help_is_coloured_by_the_stream_it_goes_to(outside: Gp) -> None:
    for terminals, variables in itertools.product(
        [set(), {"stdout"}, {"stderr"}, BOTH], [{}, {"NO_COLOR": "1"}, {"CLICOLOR_FORCE": "1"}]
    ):
        done = on_terminals(outside, terminals, "idp", "--help", **variables)
        assert (done.returncode, done.stderr) == (0, "")
        expected = "CLICOLOR_FORCE" in variables or ("stdout" in terminals and "NO_COLOR" not in variables)
        assert bool(COLOUR.search(done.stdout)) is expected, (terminals, variables)
