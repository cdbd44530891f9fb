"""The page on token endpoints: what it says of a local workspace is run as it stands there."""

import pathlib
import re

from conftest import Gp

PAGE = pathlib.Path(__file__).parents[3] / "docs/exchange.md"
BLOCKS = [
    block.splitlines()
    for block in re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
]


def lines(start: str) -> list[str]:
    return [line for block in BLOCKS for line in block if line.startswith(start)]


def test_everything_for_a_local_workspace(outside: Gp) -> None:
    commands = lines("gp idp dev ")
    assert len(commands) > 5
    for command in commands:
        done = outside.bash(command)
        refused = "a refusal" in command
        assert done.returncode == (5 if refused else 0), (command, done.stderr)
        assert bool(done.stdout) is not refused, command


def test_what_is_done_with_the_new_token(workspace: Gp, tmp_path: pathlib.Path) -> None:
    """The endpoint is the one of the environment; what would leave this machine is shown instead."""
    for name in ("deploy.sh", "agent.sh"):
        program = tmp_path / name
        program.write_text('#!/bin/sh\nprintf "%s" "$API_TOKEN"\n')
        program.chmod(0o755)
    commands = [line for block in BLOCKS for line in block if re.search(r"gp idp (exec )?exchange … ", line)]
    assert len(commands) == 5
    for command in commands:
        local = command.replace("exchange … ", "exchange ").replace("curl -H @- https://api.example.com/", "cat")
        if local.startswith("eval"):
            local += '; printf "%s" "$API_TOKEN"'
        done = workspace.bash(f"cd {tmp_path}\n{local}")
        assert (done.returncode, done.stderr) == (0, ""), (command, done.stderr)
        assert "dev-access-token-" in done.stdout, command


def test_every_command_line_is_one_that_is_understood(workspace: Gp) -> None:
    """Those for services elsewhere get as far as the network, which a discovery of nothing stands for."""
    script = "\n".join(line for block in BLOCKS for line in block)
    commands = re.findall(r"^gp idp exchange (?:[^#\\\n]|\\\n)*", script, re.MULTILINE)
    elsewhere = [command for command in commands if "exchange …" not in command]
    assert len(elsewhere) > 3
    for command in elsewhere:
        local = re.sub(r"https://(keycloak|tenant|sts)[^ ]*", "http://127.0.0.1:9/x", command)
        done = workspace.bash(f"export IDP_CLIENT_SECRET=hunter2; {local}")
        assert done.returncode == 6, (command, done.stderr)
        assert "127.0.0.1:9 refused the connection" in done.stderr, command
